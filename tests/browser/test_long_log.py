"""A view that is opened on a long log: what is now is live at once, and what was before comes beside it."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, WebSocketRoute, expect

from benchmarks.opening import PROJECT, fill

from ..processes import free_port
from .conftest import TIMEOUT_MS, TOKEN, Console, Work
from .jobs import write_csv
from .pages import ask, confirm, expect_stage, wait_gate

PAST = 4_000
"""Events that there are before anybody looks: those of a training."""
OF_THE_PAGE = [
    "connection", "detail", "opened", "ahead", "version", "seriesVersion", "structureVersion", "unheard", "returned",
    "drafts", "problem", "subscribers", "listeners", "scheduled", "schedule", "head", "standing", "user", "commands",
    "ready", "greeted", "past", "rules",
]  # fmt: skip
FACTS = """ours => JSON.stringify(
  Object.keys(model).filter(key => !ours.includes(key)).sort().map(key => [key, model[key]]),
  (_, value) => value instanceof Map || value instanceof Set || value instanceof Float64Array ? [...value] : value, 1
)"""
"""All that the model knows of the project, as text."""


@pytest.fixture
def trained(tmp_path: Path) -> Iterator[Work]:
    """A server with a project that has trained, long ago as it were."""
    with ThreadPoolExecutor() as thread:  # this one has a running event loop
        thread.submit(fill, tmp_path, PAST).result()
    root = tmp_path / "root"
    write_csv(root / "a.csv")
    server = Work(root=root, port=free_port(), base_url="/", args=["--ServerApp.allow_origin=*"], forked=True)
    server.start()
    yield server
    server.stop()


def held_until_it_resumes(socket: WebSocketRoute) -> None:
    """The log comes only after the page asked from where: else it may be there before how the project stands."""
    server = socket.connect_to_server()
    held: list[str | bytes] = []
    resumed = False

    def from_page(message: str | bytes) -> None:
        nonlocal resumed
        server.send(message)
        if json.loads(message)["type"] == "resume":
            resumed = True
            for frame in held:
                socket.send(frame)

    def from_server(message: str | bytes) -> None:
        if resumed or json.loads(message).get("event", {}).get("name") == "HELLO":
            socket.send(message)
        else:
            held.append(message)

    socket.on_message(from_page)
    server.on_message(from_server)


def test_a_view_that_comes_late_is_live_at_once_and_has_all_in_the_end(
    trained: Work, page: Page, new_context: Callable[..., BrowserContext], site: str, console: Console
) -> None:
    # The server is named first: so it is stopped last, when no page is there any more that would complain of it.
    address = f"{site}/index.html#project={PROJECT}&base=http://127.0.0.1:{trained.port}/&token={TOKEN}"
    # Somebody follows the project by its events alone, from the first one on.
    console.allow("net::ERR_FAILED")
    page.route("**/state", lambda route: route.abort())
    page.goto(address)
    page.wait_for_function("window.model?.ready")
    assert not page.evaluate("model.previewed")
    # Somebody else comes, and the past is slow to come.
    late = new_context().new_page()
    held: list[Route] = []
    released: list[bool] = []
    late.route_web_socket(re.compile("/ws/projects/"), held_until_it_resumes)
    late.route(re.compile(r"/events\?since="), lambda route: route.continue_() if released else held.append(route))
    late.goto(address)
    view = late.get_by_test_id("pipeline-view")
    expect(view.get_by_text(re.compile(r"The history is still being read: [\d,]+ of "))).to_be_visible()
    expect(view).to_have_attribute("aria-busy", "false")
    wait_gate(view, "TRAIN")
    board = view.get_by_role("table", name="Leaderboard").first
    expect(board.get_by_role("row")).to_have_count(13)  # and a button for the others
    # What happens now is shown: gates that open, which can be confirmed, what is said, and curves that grow.
    view.locator("[data-stage=PARSE_INTENT]").click()
    view.get_by_role("combobox", name="Target").fill("target")
    view.get_by_role("spinbutton", name="Time for training, in seconds").fill("4")
    view.get_by_role("button", name="Restart stage").click()
    for stage in ("PARSE_INTENT", "DATA_SOURCE", "PROFILE_DATA", "PREPROCESS", "MODEL_SELECT"):
        confirm(view, stage)
    ask(view, "what is the target?")
    conversation = view.get_by_role("list", name="Conversation")
    expect(conversation.get_by_role("listitem")).to_have_count(2)
    expect(view.get_by_role("figure").first).to_be_visible()
    wait_gate(view, "TRAIN")
    assert late.evaluate("model.points") > 10
    assert late.evaluate("model.previewed")
    assert len(held) == 1
    # Then the past comes: all is there, and the same as where it was followed from the beginning.
    released.append(True)
    held[0].continue_()
    expect(view.get_by_text("The history is still being read")).to_have_count(0)
    seq = trained.request("GET", f"api/projects/{PROJECT}/state").json["seq"]
    facts = []
    for one in (page, late):
        one.wait_for_function("seq => model.seq === seq && !model.previewed", arg=seq, timeout=TIMEOUT_MS)
        facts.append(json.loads(one.evaluate(FACTS, OF_THE_PAGE)))
    assert facts[0] == facts[1]
    told = dict(facts[0])
    assert told["points"] > PAST / 2
    assert {entry["kind"] for entry in told["history"]} >= {"confirmed", "restarted"}
    assert all(told[key] for key in ("chat", "log", "profile", "split", "evaluations"))
    assert len(told["runs"]) > 20
    expect(conversation.get_by_text("predict y in a.csv")).to_be_visible()
    confirm(view, "TRAIN")
    expect_stage(view, "REVIEW_EDIT", "IN_PROGRESS", "WAITING_CONFIRMATION")
