"""The view in front ends that are not Jupyter's: their own widget managers, a real kernel, no server to reach."""

import base64
import io
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .conftest import Console
from .hosts import Bare, write_colab, write_webview
from .jobs import View, write_csv

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="npm fetches the widget managers of these hosts")
SHOW = "from jupyter_pipeline import Pipeline\np = Pipeline('{name}', embedded=True, workspace='{name}')\np"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    server = Bare(tmp_path_factory.mktemp("bare") / "root")
    for workspace in ("inside", "framed", "kept-vs", "kept-colab"):
        (server.root / workspace).mkdir()
    write_csv(server.root / "inside" / "tumours.csv")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def vs_code(
    front_end: None,
    serve_folder: Callable[[Path], str],
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> tuple[str, str]:
    """The addresses of the workbench and of the webview in it, which are of different origins."""
    folder = tmp_path_factory.mktemp("vscode")
    write_webview(folder, pytestconfig.cache.mkdir("npm"))  # type: ignore[union-attr]
    return f"{serve_folder(folder)}/workbench.html", f"{serve_folder(folder)}/webview.html"


@pytest.fixture(scope="module")
def colab(
    serve_folder: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> tuple[str, str]:
    """The addresses of the page and of an output in it."""
    folder = tmp_path_factory.mktemp("colab")
    write_colab(folder, pytestconfig.cache.mkdir("npm"))  # type: ignore[union-attr]
    return f"{serve_folder(folder)}/colab.html", f"{serve_folder(folder)}/output.html"


def in_vs_code(page: Page, vs_code: tuple[str, str], theme: str = "dark") -> View:
    workbench, webview = vs_code
    page.goto(f"{workbench}#{urlencode({'webview': webview, 'theme': theme})}")
    page.evaluate("ready")
    return View(page.frame_locator("iframe").get_by_test_id("pipeline-view"))


def in_colab(page: Page, colab: tuple[str, str]) -> View:
    address, output = colab
    page.goto(f"{address}#{urlencode({'output': output})}")
    return View(page.frame_locator("iframe").get_by_test_id("pipeline-view"))


def run(page: Page, code: str) -> None:
    assert page.evaluate("code => execute(code)", code)["status"] == "ok"


def test_a_whole_job_in_vs_codes_webview(
    bare: Bare, vs_code: tuple[str, str], new_context: Callable[..., BrowserContext], console: Console
) -> None:
    """A person whose system is light and whose VS Code is dark."""
    page = new_context(color_scheme="light").new_page()
    view = in_vs_code(page, vs_code)
    kernel, socket = bare.new_kernel()
    page.evaluate("kernel => connect(...kernel)", [kernel, socket])
    run(page, SHOW.format(name="inside"))
    expect(view.root).to_have_css("background-color", "rgb(31, 31, 31)")
    expect(view.root).to_have_css("color", "rgb(204, 204, 204)")
    assert "monospace" not in view.root.evaluate("e => getComputedStyle(e).fontFamily")
    view.say("Predict target in tumours.csv. Take at most 60 seconds, with logistic regression and lightgbm.")
    view.confirm("PARSE_INTENT", key="Enter")
    view.is_at("DATA_SOURCE", "WAITING_CONFIRMATION")
    # The first rows are an asset; the webview's own stripes and grey would be in the way.
    rows = view.root.get_by_role("row").filter(has=page.frame_locator("iframe").get_by_role("cell"))
    expect(rows).not_to_have_count(0)
    for row in rows.all():
        expect(row).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    for stage in ("DATA_SOURCE", "PROFILE_DATA", "PREPROCESS"):
        view.confirm(stage)
    view.is_at("MODEL_SELECT", "WAITING_CONFIRMATION")
    view.say("500 trials")
    view.hears("Settings tried of each model: 500.")
    view.confirm("MODEL_SELECT")
    expect(view.root.get_by_role("figure", name="ROC AUC").first).to_be_visible()
    run(page, "1 + 1")
    view.finish()
    view.confirm("TRAIN")
    view.confirm("REVIEW_EDIT")
    view.is_at("EXPORT", "COMPLETED")
    view.root.get_by_role("button", name="Download the bundle").click()
    page.wait_for_function("downloads.length")
    saved = page.evaluate("downloads[0]")
    assert saved["downloadName"] == "inside.zip"
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(saved["data"].split(",")[1]))) as bundle:
        assert any(name.endswith("predict.py") for name in bundle.namelist())
    page.evaluate("theme('contrast')")
    expect(view.root).to_have_css("background-color", "rgb(0, 0, 0)")
    expect(view.root).to_have_css("color", "rgb(255, 255, 255)")
    # A kernel that is gone is told, not shown as if it were there.
    bare.request("POST", f"api/kernels/{kernel}/restart", {})
    page.evaluate("restarted()")
    expect(view.root.get_by_text("The kernel was restarted or ended.").first).to_be_visible()


@pytest.mark.usefixtures("front_end")
def test_a_frame_for_each_output_without_origin_or_storage(
    bare: Bare, colab: tuple[str, str], new_context: Callable[..., BrowserContext], console: Console
) -> None:
    """As in Colab, in its dark theme: what the view shows, sends and uploads are messages of the kernel."""
    page = new_context(color_scheme="light").new_page()
    view = in_colab(page, colab)
    _, socket = bare.new_kernel()
    page.evaluate("socket => connect(socket)", socket)
    run(page, SHOW.format(name="framed"))
    expect(view.root).to_have_css("background-color", "rgb(56, 56, 56)")
    expect(view.root).to_have_css("color", "rgb(213, 213, 213)")
    with page.expect_file_chooser() as chooser:
        view.root.get_by_role("button", name="Attach data").click()
    chooser.value.set_files(bare.root / "inside" / "tumours.csv")
    expect(view.root.get_by_text("tumours.csv").first).to_be_visible()
    view.say("Predict target in tumours.csv")
    view.confirm("PARSE_INTENT")
    view.is_at("DATA_SOURCE", "WAITING_CONFIRMATION")
    expect(view.root.get_by_text("Attached file")).to_be_visible()
    expect(view.root.get_by_role("columnheader", name="mean radius")).to_be_visible()
    view.confirm("DATA_SOURCE")
    view.is_at("PROFILE_DATA", "WAITING_CONFIRMATION")
    # As high as what it shows, so that Colab's page scrolls and not a frame in it.
    frame = page.locator("iframe")
    for _ in range(100):  # it follows
        if frame.evaluate("e => e.getBoundingClientRect().height") >= view.root.evaluate("e => e.scrollHeight") - 1:
            break
        page.wait_for_timeout(100)
    else:
        raise AssertionError("A part of the view is out of its frame.")


ASK = SHOW.removesuffix("p") + "p.chat('Predict species of the iris data')\np"


@pytest.mark.usefixtures("front_end", "console")
def test_a_notebook_that_vs_code_saved_shows_what_was_and_goes_on_when_it_is_run(
    bare: Bare, vs_code: tuple[str, str], new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context().new_page()
    view = in_vs_code(page, vs_code)
    kernel, socket = bare.new_kernel()
    page.evaluate("kernel => connect(...kernel)", [kernel, socket])
    run(page, ASK.format(name="kept-vs"))
    view.confirm("PARSE_INTENT")
    view.is_at("DATA_SOURCE", "WAITING_CONFIRMATION")
    saved = page.evaluate("saved()")
    page.close()
    bare.request("DELETE", f"api/kernels/{kernel}")
    # Another day. Without a kernel there is nobody to ask, and nothing that asks: the page of when the cell ran.
    page = new_context().new_page()
    view = in_vs_code(page, vs_code)
    page.evaluate("saved => reopen(saved)", saved)
    output = page.frame_locator("iframe").locator("#container")
    expect(output.get_by_text("Request waits for you")).to_be_visible()
    expect(output.get_by_text("Predict species of the iris data")).to_be_visible()
    expect(view.root).to_have_count(0)
    # A kernel that is there, and has not run the cell, changes nothing.
    page.evaluate("kernel => connect(...kernel)", bare.new_kernel())
    page.evaluate("saved => { clear(); reopen(saved); }", saved)
    expect(output.get_by_text("Request waits for you")).to_be_visible()
    page.evaluate("clear()")
    run(page, SHOW.format(name="kept-vs"))
    view.is_at("DATA_SOURCE", "WAITING_CONFIRMATION")
    view.confirm("DATA_SOURCE")
    view.is_at("PROFILE_DATA", "WAITING_CONFIRMATION")


@pytest.mark.usefixtures("front_end", "console")
def test_a_notebook_that_colab_saved_shows_what_was_and_goes_on_when_it_is_run(
    bare: Bare, colab: tuple[str, str], new_context: Callable[..., BrowserContext]
) -> None:
    """The state of its widgets is in it, so that the widget is shown; no kernel answers it."""
    page = new_context().new_page()
    view = in_colab(page, colab)
    kernel, socket = bare.new_kernel()
    page.evaluate("socket => connect(socket)", socket)
    run(page, ASK.format(name="kept-colab"))
    view.confirm("PARSE_INTENT")
    view.is_at("DATA_SOURCE", "WAITING_CONFIRMATION")
    # What is saved follows the project.
    page.wait_for_function("JSON.stringify(saved()).includes('Data waits for you')")
    saved = page.evaluate("saved()")
    page.close()
    bare.request("DELETE", f"api/kernels/{kernel}")
    page = new_context().new_page()
    view = in_colab(page, colab)
    page.evaluate("saved => reopen(saved)", saved)
    output = page.frame_locator("iframe")
    expect(output.get_by_text("Data waits for you")).to_be_visible()
    expect(output.get_by_text("Predict species of the iris data")).to_be_visible()
    expect(view.root).to_be_hidden()
    _, socket = bare.new_kernel()
    page.evaluate("socket => connect(socket)", socket)
    page.evaluate("clear()")
    run(page, SHOW.format(name="kept-colab"))
    view.is_at("DATA_SOURCE", "WAITING_CONFIRMATION")
    view.confirm("DATA_SOURCE")
    view.is_at("PROFILE_DATA", "WAITING_CONFIRMATION")
