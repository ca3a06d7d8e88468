"""The example page, served from another port, drives a project with a token."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sklearn.datasets import load_breast_cancer

from ..server.conftest import Server
from .conftest import ROOT, TIMEOUT_MS, TOKEN, Console
from .jobs import SOCKETS

GATES = ("PARSE_INTENT", "DATA_SOURCE", "PROFILE_DATA", "PREPROCESS", "MODEL_SELECT")
STAGE_MS = 120_000
NUMBER = re.compile(r"^[01]\.\d{4}$")


@pytest.fixture(scope="module")
def origin(serve_folder: Callable[[Path], str]) -> str:
    """The page's own server."""
    return serve_folder(ROOT / "docs" / "example")


@pytest.fixture(scope="module")
def allowing(front_end: None, start_server: Callable[..., Server], origin: str) -> Server:
    """A Jupyter server that allows the page's origin, as docs/browser.md says."""
    return start_server(f"--ServerApp.allow_origin={origin}", "--PipelineApp.warm_workers=1")


def connect(page: Page, server: Server, origin: str, token: str = TOKEN, project: str = "from-a-page") -> None:
    page.goto(f"{origin}/index.html")
    page.get_by_label("Server").fill(f"http://127.0.0.1:{server.port}{server.base_url}")
    page.get_by_label("Token").fill(token)
    page.get_by_label("Project").fill(project)
    page.get_by_role("button", name="Connect").click()


def test_the_page_chats_uploads_confirms_watches_and_cancels(
    page: Page, allowing: Server, origin: str, tmp_path: Path
) -> None:
    csv = tmp_path / "tumours.csv"
    load_breast_cancer(as_frame=True).frame.to_csv(csv, index=False)
    page.add_init_script(SOCKETS)
    connect(page, allowing, origin)
    expect(page.locator("#status")).to_have_text("open")
    page.get_by_label("Data file").set_input_files(csv)
    log = page.get_by_role("log", name="Chat")
    expect(log).to_contain_text("Uploaded: tumours.csv")
    request = "Predict target of tumours.csv within 120 seconds, only xgboost, 200 trials."
    page.get_by_role("textbox", name="Message").fill(request)
    page.get_by_role("button", name="Send").click()
    expect(log).to_contain_text("user: Predict target")
    for stage in GATES:
        expect(page.locator("#stage")).to_have_text(f"{stage}, WAITING_CONFIRMATION", timeout=STAGE_MS)
        if stage == "DATA_SOURCE":
            # The line is cut while the gate is open: it is open when the page is connected again.
            page.evaluate("sockets.at(-1).close()")
            page.wait_for_function("sockets.length === 2")
            expect(page.locator("#status")).to_have_text("open")
            expect(page.get_by_role("button", name="Confirm")).to_be_enabled()
            # Who connects again sees everything once, also who presses twice.
            page.get_by_role("button", name="Connect").dblclick()
            page.wait_for_function("sockets.length >= 3 && sockets.filter(s => s.readyState === 1).length === 1")
            expect(page.locator("#stage")).to_have_text(f"{stage}, WAITING_CONFIRMATION")
            expect(page.get_by_role("button", name="Confirm")).to_be_enabled()
            assert log.text_content().count("user: Predict target") == 1  # type: ignore[union-attr]
        page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_label("Live metric")).to_have_text(NUMBER, timeout=STAGE_MS)
    page.get_by_role("button", name="Cancel run").click()
    expect(page.locator("#stage")).not_to_have_text("TRAIN, IN_PROGRESS", timeout=TIMEOUT_MS)
    state = allowing.request("GET", "api/projects/from-a-page/state").json
    assert "cancelled" in {run["status"] for run in state["runs"]}
    assert all(run["status"] != "running" for run in state["runs"])


def test_a_wrong_token_is_said_to_be_one(page: Page, allowing: Server, origin: str, console: Console) -> None:
    console.allow("403", "Failed to load resource", "CORS policy")
    connect(page, allowing, origin, token="wrong")
    expect(page.get_by_role("alert")).to_contain_text("is the token right")
