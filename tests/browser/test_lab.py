"""JupyterLab with the extension in it."""

import re
import zipfile

from playwright.sync_api import Page, Route, expect

from jupyter_pipeline import __version__

from .conftest import ROOT, Lab
from .jobs import SLOW_MS, View, menu, palette, restored, write_csv, write_notebook


def test_jupyterlab_starts_with_the_plugin_and_without_an_error_in_the_console(lab: Lab, page: Page) -> None:
    page.goto(lab.lab_url())
    page.wait_for_function("window.jupyterapp && window.jupyterapp.restored")
    page.evaluate("window.jupyterapp.restored")
    assert page.evaluate("window.jupyterapp.hasPlugin('jupyter-pipeline:plugin')")
    expect(page.get_by_role("main")).to_be_visible()


def test_a_model_from_a_file_by_mouse_and_keyboard(lab: Lab, page: Page) -> None:
    write_csv(lab.root / "tumour sizes.csv")
    page.goto(lab.lab_url())
    restored(page)
    menu(page, "tumour sizes.csv", "Build a model from this file")
    view = View.in_panel(page, "tumour-sizes")
    view.is_at("PARSE_INTENT", "WAITING_CONFIRMATION")
    view.say("the target is target, 10 seconds, only logistic regression and lightgbm")
    view.hears("Target: target")
    view.confirm("PARSE_INTENT")
    view.is_at("DATA_SOURCE", "WAITING_CONFIRMATION")
    state = lab.request("GET", "api/projects/tumour-sizes/state").json
    assert state["stages"][1]["plan_json"]["dataset_id"] == "workspace:tumour sizes.csv"
    assert state["stages"][1]["plan_json"]["target"] == "target"
    status = page.locator(".jp-Pipeline-status")
    expect(status).to_have_text("tumour-sizes: Data waits for you")
    view.confirm("DATA_SOURCE", key="Enter")
    view.confirm("PROFILE_DATA", key="Space")
    view.is_at("PREPROCESS", "WAITING_CONFIRMATION")
    palette(page, "Jupyter Pipeline: Confirm")
    view.is_at("MODEL_SELECT", "WAITING_CONFIRMATION")
    view.say("20 trials")  # so that the training takes its ten seconds
    view.hears("Settings tried of each model: 20.")
    view.confirm("MODEL_SELECT")
    view.is_at("TRAIN", "IN_PROGRESS")
    expect(status).to_have_text(re.compile(r"^tumour-sizes: Training \d+ %$"))
    # In the middle of it the page is loaded again: the layout comes back, and the view with all that happened.
    page.reload()
    restored(page)
    view = View.in_panel(page, "tumour-sizes")
    view.is_at("TRAIN", "WAITING_CONFIRMATION")
    expect(view.root.get_by_role("table", name="Leaderboard").first).to_be_visible()
    view.confirm("TRAIN")
    # Nobody looks at the project: the next gate is told by a notification, which opens it.
    palette(page, "New Launcher")
    toast = page.locator(".Toastify__toast", has_text="tumour-sizes: Review waits for your confirmation.")
    toast.get_by_role("button", name="Open").click(timeout=SLOW_MS)
    view.confirm("REVIEW_EDIT")
    view.is_at("EXPORT", "COMPLETED")
    with page.expect_download() as download:
        view.root.get_by_role("button", name="Download").first.click()
    assert zipfile.is_zipfile(download.value.path())
    # The report opens in JupyterLab, the project is in the list, and a person can delete it there.
    view.root.get_by_role("button", name="Open the report").first.click()
    expect(page.get_by_role("tab", name="report.html")).to_be_visible()
    page.get_by_role("tab", name="Pipelines").click()
    entry = page.locator('.jp-Pipeline-list [data-project="tumour-sizes"]')
    expect(entry).to_have_attribute("data-status", "COMPLETED")
    entry.get_by_role("button", name="Delete tumour-sizes").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel").click()
    expect(entry).to_be_visible()
    entry.get_by_role("button", name="Delete tumour-sizes").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(entry).to_have_count(0)
    expect(view.root).to_have_count(0)
    assert lab.request("GET", "api/projects/tumour-sizes").status == 404


def test_projects_open_by_palette_launcher_and_notebook(lab: Lab, page: Page) -> None:
    post = lab.request("POST", "api/projects/first/messages", {"type": "chat", "text": "Predict species in iris"})
    assert post.status == 200
    write_notebook(lab.root / "My analysis (2).ipynb", ["1 + 1"])
    page.goto(lab.lab_url())
    restored(page)
    palette(page, "Jupyter Pipeline: Open Project")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").select_option("first")
    dialog.get_by_role("button", name="Open").click()
    expect(View.in_panel(page, "first").root).to_be_visible()
    palette(page, "New Launcher")
    page.get_by_text("New Pipeline", exact=True).last.click()
    dialog.get_by_role("textbox").fill("Second: one")
    dialog.get_by_role("button", name="Create").click()
    expect(View.in_panel(page, "Second-one").root).to_be_visible()
    # A notebook that shows no project has the one of its name.
    page.locator(".jp-DirListing-item", has_text="My analysis (2).ipynb").dblclick()
    page.locator('[data-jp-item-name="jupyter-pipeline"]').first.click()
    expect(View.in_panel(page, "My-analysis-2").root).to_be_visible()


def test_the_versions_agree_and_others_are_told(lab: Lab, page: Page) -> None:
    version = (ROOT / "labextension" / "src" / "version.ts").read_text()
    assert f"'{__version__}'" in version

    def other(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "server_version": "9.9.9"})

    page.route(re.compile(r"/api/projects(\?.*)?$"), other)
    page.goto(lab.lab_url())
    restored(page)
    page.get_by_role("tab", name="Pipelines").click()
    told = page.locator(".jp-Pipeline-problem")
    expect(told).to_contain_text("The server runs jupyter_pipeline 9.9.9")
    expect(told).to_contain_text("Reload the page")
