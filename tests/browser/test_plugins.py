"""The commands of plugins in the view: listed, run with arguments of the right types, refused in a sentence."""

import os
import tomllib
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from ..server.conftest import free_port
from ..server.test_commands import block, install
from .conftest import Work
from .jobs import axe
from .pages import WORK_MS, ask, wait_gate


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    """A server with the plugin of docs/commands.md."""
    folder, root = tmp_path_factory.mktemp("plugins"), tmp_path_factory.mktemp("view") / "root"
    root.mkdir()
    points = tomllib.loads(block("toml"))["project"]["entry-points"]["jupyter_pipeline.commands"]
    install(folder, "lab-commands", "lab_commands", block("python"), points)
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    args = ["--ServerApp.allow_origin=*", "--PipelineApp.warm_workers=1"]
    server = Work(root=root, port=free_port(), base_url="/", args=args, env={"PYTHONPATH": path})
    server.start()
    yield server
    server.stop()


def test_commands_of_plugins_are_listed_with_a_form_and_run(page: Page, show: Callable[[Page, str], Locator]) -> None:
    view = show(page, "plugins")
    ask(view, "Predict species in the iris data set")
    wait_gate(view, "PARSE_INTENT")
    view.get_by_text("Commands", exact=True).click()
    commands = view.get_by_role("list", name="Commands of plugins").get_by_role("listitem")
    expect(commands).to_have_count(2)
    expect(commands.first).to_contain_text("Train for a short time only.")
    assert axe(page) == []
    seconds = commands.first.get_by_role("spinbutton", name="seconds")
    expect(seconds).to_have_attribute("placeholder", "10")

    seconds.fill("0")
    commands.first.get_by_role("button", name="Run quick").click()
    expect(commands.first.get_by_role("alert")).to_contain_text("Invalid arguments of quick: 0 is less than")
    assert axe(page) == []

    seconds.fill("20")
    commands.first.get_by_role("button", name="Run quick").click()
    conversation = view.get_by_role("list", name="Conversation")
    expect(conversation).to_contain_text("quick(seconds=20)")
    expect(conversation).to_contain_text("A quick one, then.", timeout=WORK_MS)
    expect(commands.first.get_by_role("alert")).to_have_count(0)
    expect(view.get_by_role("spinbutton", name="Time for training, in seconds")).to_have_value("20")

    commands.nth(1).get_by_role("button", name="Run target_info").click()
    expect(conversation).to_contain_text("the target is", timeout=WORK_MS)
