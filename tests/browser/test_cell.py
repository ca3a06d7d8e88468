"""The view below a notebook's cell, in a real JupyterLab with real kernels."""

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import SERVER_AWAY, TOKEN, Console, Lab
from .jobs import SHOW, STAGES, View, outputs, restored, write_csv, write_notebook

SLOW_CELL = "import time\nfor _ in range(600):\n    time.sleep(1)"


def open_notebook(lab: Lab, page: Page, path: str) -> None:
    page.goto(lab.lab_url(f"tree/{path}"))
    restored(page)
    expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible()
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()


def run_cell(page: Page, n: int) -> None:
    page.locator(".jp-Notebook .jp-Cell").nth(n).locator(".jp-InputArea-editor").click()
    page.keyboard.press("Shift+Enter")


def save(page: Page, path: Path, text: str = "") -> None:
    """Save the notebook, and wait until it is on the disk with its outputs, and this text in them."""
    page.keyboard.press("Control+s")
    expect(page.locator(".jp-NotebookPanel .jp-Notebook").first).to_be_visible()
    for _ in range(100):
        # While it is being written the file is not whole.
        with contextlib.suppress(json.JSONDecodeError):
            if (found := outputs(path)) and text in json.dumps(found):
                return
        page.wait_for_timeout(100)
    raise AssertionError("The notebook was not saved with its outputs.")


def restart_kernel(page: Page) -> None:
    page.locator('.jp-NotebookPanel-toolbar [data-jp-item-name="restart"]').click()
    page.get_by_role("dialog").get_by_role("button", name="Confirm Kernel Restart").click()


def close_dialog(title: Locator) -> None:
    title.page.get_by_role("dialog").get_by_role("button", name="Close").click()


def confirm_is_in_sight(page: Page, view: View) -> None:
    """Whatever part of the gate somebody reads in a notebook that shows a part of it."""
    page.set_viewport_size({"width": 1440, "height": 560})
    notebook, button = page.locator(".jp-WindowedPanel-outer").first, view.root.get_by_role("button", name="Confirm")
    page.wait_for_function("document.querySelector('.jp-WindowedPanel-outer').getBoundingClientRect().bottom <= 560")
    for block in ("start", "center"):
        view.root.locator("article").evaluate("(e, block) => e.scrollIntoView({ block })", block)
        article = view.root.locator("article").bounding_box()
        room = notebook.bounding_box()
        assert article is not None
        assert room is not None
        assert article["y"] + article["height"] > room["y"] + room["height"], "All of it is to be seen anyway."
        expect(button).to_be_in_viewport(ratio=1)
        assert button.evaluate(
            """e => {
              const { left, top, width, height } = e.getBoundingClientRect();
              return document.elementFromPoint(left + width / 2, top + height / 2) === e;
            }"""
        ), "Something covers it."
    page.set_viewport_size({"width": 1440, "height": 900})


def test_a_whole_job_in_a_cell_whatever_dies(start_lab: Callable[..., Lab], page: Page, console: Console) -> None:
    """By mouse and keyboard, while cells run; the kernel and then the server die in the middle of the training."""
    lab = start_lab("--PipelineApp.warm_workers=1", base_url="/user/ann%40x/")
    write_csv(lab.root / "tumours.csv")
    write_notebook(lab.root / "cell.ipynb", [SHOW.format(name="cell"), SLOW_CELL])
    open_notebook(lab, page, "cell.ipynb")
    run_cell(page, 0)
    view = View.in_cell(page, "cell")
    expect(view.root).to_be_visible()
    run_cell(page, 1)  # the kernel is busy from now on, and the view does not care
    view.say("Predict target in tumours.csv. Take at most 120 seconds, with logistic regression and lightgbm.")
    for stage in STAGES[:4]:
        if stage == "PREPROCESS":
            view.is_at(stage, "WAITING_CONFIRMATION")
            confirm_is_in_sight(page, view)
        view.confirm(stage, key="Enter" if stage == "DATA_SOURCE" else None)
    view.is_at("MODEL_SELECT", "WAITING_CONFIRMATION")
    view.say("500 trials")  # so that the training goes on until it is told to end
    view.hears("Settings tried of each model: 500.")
    expect(page.get_by_text("Python 3 (ipykernel) | Busy")).to_be_visible()
    view.confirm("MODEL_SELECT")
    view.is_at("TRAIN", "IN_PROGRESS")
    # JupyterLab's own, of a kernel restarted while it is busy, and of one that has not answered yet (seen with 4.4.0).
    console.allow("Could not restore the debugger state", "Canceled future for create_subshell_request")
    restart_kernel(page)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    view.is_at("TRAIN", "IN_PROGRESS")
    lab.kill()
    expect(view.root.get_by_text("Not connected")).to_be_visible()
    console.allow(*SERVER_AWAY)
    page.add_locator_handler(page.get_by_text("Server Connection Error"), close_dialog)  # of JupyterLab itself
    lab.start()
    view.finish()
    view.confirm("TRAIN")
    view.confirm("REVIEW_EDIT")
    view.is_at("EXPORT", "COMPLETED")
    name = view.root.get_by_role("figure", name="Importance of columns").get_by_role("term").first
    assert name.evaluate("e => e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight"), "It is cut off."
    view.root.get_by_role("button", name="Predict", exact=True).click()
    expect(view.root.locator(".jppl-predicted")).to_have_text(re.compile(r"^[01]$"))


def test_a_saved_notebook_is_live_when_it_is_opened_again(lab: Lab, page: Page, console: Console) -> None:
    name = "kept"
    notebook = lab.root / "kept.ipynb"
    write_notebook(notebook, [SHOW.format(name=name) + ".chat('Predict species of the iris data')\np"])
    open_notebook(lab, page, notebook.name)
    run_cell(page, 0)
    View.in_cell(page, name).is_at("PARSE_INTENT", "WAITING_CONFIRMATION")
    save(page, notebook)
    saved = notebook.read_text()
    assert TOKEN not in saved
    assert "ticket" not in saved.lower()
    bundle = next(data for data in outputs(notebook) if "text/html" in data)
    assert next(iter(bundle)) == "application/vnd.jupyter-pipeline.view+json"
    assert "waits for you" in "".join(bundle["text/html"])
    # As GitHub and nbconvert show it.
    page_html = notebook.with_suffix(".html")
    subprocess.run([sys.executable, "-m", "nbconvert", "--to", "html", str(notebook)], check=True, capture_output=True)
    assert "waits for you" in page_html.read_text()
    # Another day: no kernel of before, another server, the same project. While it is away the page complains.
    console.allow(*SERVER_AWAY)
    page.add_locator_handler(page.get_by_text("Server Connection Error"), close_dialog)  # of JupyterLab itself
    lab.stop()
    lab.start()
    page.goto(lab.lab_url("tree/kept.ipynb"))
    restored(page)
    view = View.in_cell(page, name)
    view.is_at("PARSE_INTENT", "WAITING_CONFIRMATION")
    view.confirm("PARSE_INTENT")
    view.is_at("DATA_SOURCE", "WAITING_CONFIRMATION")
    # A server that has no answer is asked again, and what was saved stays for whoever reads it.
    console.allow("500 (Internal Server Error)")
    one = re.compile(rf"/api/projects/{name}(\?.*)?$")
    page.route(one, lambda route: route.fulfill(status=500, body=""))
    page.reload()
    restored(page)
    button = page.locator(".jp-Pipeline-note").get_by_role("button", name=f"Open {name}")
    expect(button).to_be_visible()
    button.focus()
    for _ in range(2):
        with page.expect_response(one):
            pass
    expect(button).to_be_focused()
    page.unroute(one)
    view.is_at("DATA_SOURCE", "WAITING_CONFIRMATION")
    # And where the project is gone, what was saved is shown, and why.
    console.allow(f"/api/projects/{name}")  # not found
    lab.request("DELETE", f"api/projects/{name}")
    page.reload()
    restored(page)
    note = page.locator(".jp-Pipeline-note")
    expect(note).to_contain_text("There is no project kept on this server")
    expect(page.locator(".jp-OutputArea").get_by_text("waits for you").first).to_be_visible()
    # Where it goes while the kernel is there, the output says so, and so does what is saved.
    run_cell(page, 0)
    view.is_at("PARSE_INTENT", "WAITING_CONFIRMATION")
    lab.request("DELETE", f"api/projects/{name}")
    expect(page.locator(".jp-OutputArea").get_by_text("shows how it stood at last")).to_be_visible()
    save(page, notebook, "This project was deleted")
    (bundle,) = outputs(notebook)
    assert set(bundle) == {"text/html", "text/plain"}


@pytest.mark.usefixtures("german")
def test_a_view_without_a_server_asks_the_kernel(lab: Lab, page: Page) -> None:
    """Embedded: the conductor is in the kernel, and the page can reach nothing but that. In JupyterLab's language."""
    show = "from jupyter_pipeline import Pipeline\np = Pipeline('inside', embedded=True, workspace='elsewhere')\np"
    write_notebook(lab.root / "embedded.ipynb", [show, "p.run(confirm=lambda gate: input('Go on? ') == 'yes')"])
    (lab.root / "elsewhere").mkdir(exist_ok=True)
    open_notebook(lab, page, "embedded.ipynb")
    run_cell(page, 0)
    view = View.in_cell(page, "inside")
    expect(view.root).to_be_visible()
    view.say("Predict species of the iris data")
    view.confirm("PARSE_INTENT", name="Bestätigen")
    view.is_at("DATA_SOURCE", "WAITING_CONFIRMATION")
    # The first rows come through the kernel as well.
    expect(view.root.get_by_role("columnheader", name="petal length (cm)")).to_be_visible()
    assert lab.request("GET", "api/projects/inside").status == 404
    # A key in the view is for the view: JupyterLab would go to another cell, or make one.
    target = view.root.get_by_role("combobox", name="Target")
    target.press("ArrowUp")
    expect(target).to_have_value("petal width (cm)")
    target.press("a")
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(2)
    expect(target).to_be_focused()
    # While a cell waits for a person the kernel takes no messages.
    run_cell(page, 1)
    expect(page.locator(".jp-OutputArea").get_by_text("Eine Zelle läuft.")).to_be_visible()
    # A kernel that is gone is told, not shown as if it were there.
    restart_kernel(page)
    expect(view.root.get_by_text("Der Kernel ist beendet.")).to_be_visible()


def test_the_widget_asks_the_server_where_it_can_and_the_kernel_where_not(
    lab: Lab, page: Page, console: Console
) -> None:
    """As a front end without the extension shows it, such as VS Code or Colab: the widget alone."""
    console.allow("net::ERR_FAILED")  # what is blocked below
    cells = [
        SHOW.format(name="widget").removesuffix("p") + "p.chat('Predict species of the iris data')",
        "p.display.widget",
    ]
    write_notebook(lab.root / "widget.ipynb", cells)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    open_notebook(lab, page, "widget.ipynb")
    run_cell(page, 0)
    run_cell(page, 1)
    view = View.in_cell(page, "widget")
    view.is_at("PARSE_INTENT", "WAITING_CONFIRMATION")
    assert any("/ws/projects/widget" in url for url in asked)
    # The same where the browser cannot reach the pipeline's part of the server.
    page.route(re.compile(r"/api/projects/widget"), lambda route: route.abort())
    page.route_web_socket(re.compile("/ws/projects/widget"), lambda socket: socket.close())
    run_cell(page, 1)
    view.is_at("PARSE_INTENT", "WAITING_CONFIRMATION")
    view.confirm("PARSE_INTENT")
    view.is_at("DATA_SOURCE", "WAITING_CONFIRMATION")
    expect(view.root.get_by_role("columnheader", name="petal length (cm)")).to_be_visible()
