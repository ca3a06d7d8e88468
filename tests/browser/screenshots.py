"""Pictures of every state of the view, light and dark, wide and narrow, from a real job on a real server.

Run: ``python -m tests.browser.screenshots OUT`` (needs the front end built, and Chromium on the PATH).
"""

import functools
import http.server
import io
import json
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas
from playwright.sync_api import Browser, FilePayload, Page, expect, sync_playwright
from sklearn.datasets import load_breast_cancer, load_diabetes

from .conftest import _FLAGS, _NAMES, ROOT, TOKEN, Lab, _Quiet
from .jobs import SHOW, View, restored, write_notebook
from .pages import confirm, expect_stage, wait_gate

SIZES = {"wide": (1280, 900), "whole": (1280, 2000), "cell": (600, 1800), "narrow": (360, 1800)}
GATES = {
    "PARSE_INTENT": "request",
    "DATA_SOURCE": "data",
    "PROFILE_DATA": "profile",
    "PREPROCESS": "preparation",
    "MODEL_SELECT": "models",
    "TRAIN": "training-gate",
    "REVIEW_EDIT": "review",
}


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


class Camera:
    """The same project on a light and a dark page."""

    def __init__(self, browser: Browser, address: str, out: Path) -> None:
        self.out = out
        self.pages: dict[str, Page] = {}
        schemes: tuple[Any, ...] = ("light", "dark")
        for scheme in schemes:
            page = browser.new_context(color_scheme=scheme).new_page()
            page.set_default_timeout(120_000)
            page.set_viewport_size({"width": SIZES["wide"][0], "height": SIZES["wide"][1]})
            page.goto(address)
            expect(page.get_by_test_id("pipeline-view")).to_have_attribute("aria-busy", "false", timeout=60_000)
            self.pages[scheme] = page

    def take(self, name: str) -> None:
        for scheme, page in self.pages.items():
            for size, (width, height) in SIZES.items():
                page.set_viewport_size({"width": width, "height": height})
                page.wait_for_timeout(500)
                page.screenshot(path=self.out / f"{name}-{size}-{scheme}.png")
            page.set_viewport_size({"width": SIZES["wide"][0], "height": SIZES["wide"][1]})
        print(name, flush=True)


def job(camera: Camera, work: Lab) -> None:
    page = camera.pages["light"]
    view = page.get_by_test_id("pipeline-view")
    camera.take("empty")
    frame = load_breast_cancer(as_frame=True).frame.iloc[:, [0, 1, 4, 6, 7, 20, -1]]
    frame["target"] = frame["target"].map({0: "malignant", 1: "benign"})
    data = frame.to_csv(index=False).encode()
    view.locator("input[type=file]").set_input_files({"name": "cells.csv", "mimeType": "text/csv", "buffer": data})
    expect(view.get_by_text("cells.csv").first).to_be_visible()
    box = view.get_by_role("textbox", name="Message")
    box.fill("Predict target. Optimise ROC AUC, within 40 seconds.")
    box.press("Enter")
    for stage_id, name in GATES.items():
        if stage_id == "TRAIN":
            page.wait_for_function("model.leaderboard.length >= 3 && model.runningRuns().length > 0")
            camera.take("training")
            finish = view.get_by_role("button", name="Finish with the best so far")
            if finish.count():
                finish.click()
        wait_gate(view, stage_id)
        page.wait_for_timeout(800)
        camera.take(name)
        if stage_id == "PREPROCESS":
            several(camera)
        if stage_id == "MODEL_SELECT":
            camera_offline(camera, work)
        if stage_id == "TRAIN":
            in_jupyterlab(camera, work)
        confirm(view, stage_id)
    expect_stage(view, "EXPORT", "COMPLETED")
    page.wait_for_timeout(800)
    camera.take("finished")
    for shown in camera.pages.values():
        shown.get_by_text("History").click()
        shown.get_by_role("button", name="Delete this project").click()
        shown.get_by_role("group", name="Delete the project").scroll_into_view_if_needed()
    camera.take("history-and-delete")
    for shown in camera.pages.values():
        shown.get_by_role("button", name="Keep it").click()
    view.locator("[data-stage=TRAIN]").get_by_role("button").click()
    view.get_by_role("button", name="Restart stage").click()
    expect_stage(view, "TRAIN", "IN_PROGRESS")
    view.get_by_role("button", name="Cancel run").click()
    expect_stage(view, "TRAIN", "FAILED")
    camera.take("failed")


def several(camera: Camera) -> None:
    """Some columns are chosen, and a treatment for them."""
    for page in camera.pages.values():
        for box in page.locator("tbody .jppl-pick input").all()[1:4]:
            box.check()
        bulk = page.get_by_role("group", name="Treatment of the selected columns")
        bulk.get_by_role("combobox").select_option("drop")
        bulk.get_by_role("button", name="Set for").click()
    camera.take("several")
    for page in camera.pages.values():
        page.get_by_role("button", name="Take back").click()
        page.get_by_role("button", name="Clear").click()


def in_jupyterlab(camera: Camera, lab: Lab) -> None:
    """The same project in JupyterLab: in its main area, the list at its side, and below a notebook's cell."""
    write_notebook(lab.root / "cells.ipynb", [SHOW.format(name="cells")])
    browser = camera.pages["light"].context.browser
    assert browser is not None
    for theme in ("Light", "Dark", "Dark High Contrast"):
        setting = {"raw": json.dumps({"theme": f"JupyterLab {theme}"})}
        lab.request("PUT", "lab/api/settings/@jupyterlab/apputils-extension:themes", setting)
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.set_default_timeout(120_000)
        page.goto(lab.lab_url())
        restored(page)
        page.evaluate(
            "window.jupyterapp.commands.execute('jupyter-pipeline:open', {project: 'cells'}).then(() => null)"
        )
        View.in_panel(page, "cells").is_at("TRAIN", "WAITING_CONFIRMATION")
        page.get_by_role("tab", name="Pipelines").click()
        page.wait_for_timeout(1000)
        page.screenshot(path=camera.out / f"jupyterlab-{theme.lower().replace(' ', '-')}.png")
        page.evaluate("void window.jupyterapp.commands.execute('jupyter-pipeline:restart-stage')")
        page.get_by_role("dialog").get_by_role("combobox").select_option("PREPROCESS")
        page.wait_for_timeout(300)
        page.screenshot(path=camera.out / f"restart-{theme.lower().replace(' ', '-')}.png")
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        page.locator(".jp-DirListing-item").first.wait_for(state="attached")
        page.evaluate("window.jupyterapp.commands.execute('docmanager:open', {path: 'cells.ipynb'})")
        page.locator(".jp-Notebook .jp-Cell .jp-InputArea-editor").first.click()
        page.keyboard.press("Shift+Enter")
        View.in_cell(page, "cells").is_at("TRAIN", "WAITING_CONFIRMATION")
        page.wait_for_timeout(1000)
        page.screenshot(path=camera.out / f"notebook-{theme.lower().replace(' ', '-')}.png")
        page.context.close()
    print("jupyterlab", flush=True)


def regression(camera: Camera) -> None:
    """What is different where a number is predicted."""
    view = camera.pages["light"].get_by_test_id("pipeline-view")
    frame = load_diabetes(as_frame=True).frame
    out = io.BytesIO()
    with pandas.ExcelWriter(out) as writer:
        frame.to_excel(writer, sheet_name="Patients", index=False)
        frame.iloc[:40].to_excel(writer, sheet_name="First visit", index=False)
    book: FilePayload = {"name": "diabetes.xlsx", "mimeType": "application/octet-stream", "buffer": out.getvalue()}
    view.locator("input[type=file]").set_input_files(book)
    expect(view.get_by_text("diabetes.xlsx").first).to_be_visible()
    box = view.get_by_role("textbox", name="Message")
    box.fill("Predict target within 10 seconds, minimise MAE, only lightgbm and linear.")
    box.press("Enter")
    for stage_id in GATES:
        wait_gate(view, stage_id)
        if stage_id in ("PARSE_INTENT", "DATA_SOURCE"):
            camera.take(f"regression-{GATES[stage_id]}")
        confirm(view, stage_id)
    expect_stage(view, "EXPORT", "COMPLETED")
    view.get_by_role("button", name="Predict", exact=True).click()
    expect(view.locator(".jppl-predicted")).to_be_visible()
    view.get_by_role("figure", name="Residuals").scroll_into_view_if_needed()
    camera.take("regression-finished")


def camera_offline(camera: Camera, work: Lab) -> None:
    """The server is killed; a question waits; it comes back."""
    view = camera.pages["light"].get_by_test_id("pipeline-view")
    work.kill()
    for page in camera.pages.values():
        expect(page.get_by_text("Not connected").first).to_be_visible(timeout=60_000)
    box = view.get_by_role("textbox", name="Message")
    box.fill("Why these models?")
    box.press("Enter")
    camera.take("offline")
    work.start()
    for page in camera.pages.values():
        expect(page.get_by_text("live", exact=True)).to_be_visible(timeout=120_000)


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    chromium = next(filter(None, map(shutil.which, _NAMES)))
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        (folder / "site").mkdir()
        shutil.copy(ROOT / "labextension" / "dev" / "index.html", folder / "site")
        (folder / "site" / "static").symlink_to(ROOT / "jupyter_pipeline" / "static", target_is_directory=True)
        work = Lab(folder / "server", "--ServerApp.allow_origin=*", "--PipelineApp.warm_workers=1")
        work.start()
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        try:
            with serving(folder / "site") as site:

                def camera(project: str) -> Camera:
                    where = f"#project={project}&base=http://127.0.0.1:{work.port}/&token={TOKEN}"
                    return Camera(browser, f"{site}/index.html{where}", out)

                job(camera("cells"), work)
                regression(camera("diabetes"))
        finally:
            browser.close()
            work.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
