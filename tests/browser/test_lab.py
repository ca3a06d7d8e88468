"""JupyterLab with the extension in it."""

import re
import zipfile
from collections.abc import Callable

import pytest
from playwright.sync_api import APIResponse, Locator, Page, Route, expect

from jupyter_pipeline import __version__

from .conftest import ROOT, TOKEN, Console, Lab
from .jobs import SHOW, SLOW_MS, STAGES, View, axe, menu, palette, restored, write_csv, write_notebook


def test_a_model_from_a_file_by_mouse_and_keyboard(lab: Lab, page: Page) -> None:
    write_csv(lab.root / "tumour sizes.csv")
    page.goto(lab.lab_url())
    restored(page)
    menu(page, "tumour sizes.csv", "Build a model from this file")
    view = View.in_panel(page, "tumour-sizes")
    view.is_at("PARSE_INTENT", "WAITING_CONFIRMATION")
    # The only one of this name on the page, whatever else tells of the project.
    expect(page.locator('[data-project="tumour-sizes"]')).to_have_attribute("data-testid", "pipeline-view")
    expect(page.locator('[data-stage="PARSE_INTENT"]')).to_have_attribute("data-status", "WAITING_CONFIRMATION")
    view.say("the target is target, 120 seconds, only logistic regression and lightgbm")
    view.hears("Target: target")
    view.confirm("PARSE_INTENT")
    view.is_at("DATA_SOURCE", "WAITING_CONFIRMATION")
    state = lab.request("GET", "api/projects/tumour-sizes/state").json
    assert state["stages"][1]["plan_json"]["dataset_id"] == "workspace:tumour sizes.csv"
    assert state["stages"][1]["plan_json"]["target"] == "target"
    status = page.locator(".jp-Pipeline-status")
    expect(status).to_have_text("tumour-sizes: Data waits for you")
    # Closed and opened again, it is followed as it was before.
    page.get_by_role("tab", name="tumour-sizes").locator(".lm-TabBar-tabCloseIcon").click()
    expect(view.root).to_have_count(0)
    status.get_by_role("button").click()
    view.confirm("DATA_SOURCE", key="Enter")
    view.confirm("PROFILE_DATA", key="Space")
    view.is_at("PREPROCESS", "WAITING_CONFIRMATION")
    expect(status).to_have_text("tumour-sizes: Preparation waits for you")
    palette(page, "Jupyter Pipeline: Confirm", opens=view.stage("PREPROCESS", "COMPLETED"))
    view.is_at("MODEL_SELECT", "WAITING_CONFIRMATION")
    view.say("500 trials")  # so that the training goes on until it is told to end
    view.hears("Settings tried of each model: 500.")
    view.confirm("MODEL_SELECT")
    view.is_at("TRAIN", "IN_PROGRESS")
    expect(status).to_have_text(re.compile(r"^tumour-sizes: Training \d+ %$"))
    # In the middle of it the page is loaded again: the layout comes back, and the view with all that happened.
    page.reload()
    restored(page)
    view = View.in_panel(page, "tumour-sizes")
    view.finish()
    view.is_at("TRAIN", "WAITING_CONFIRMATION")
    expect(view.root.get_by_role("table", name="Leaderboard").first).to_be_visible()
    view.confirm("TRAIN")
    # Nobody looks at the project: the next gate is told by a notification, which opens it.
    palette(page, "New Launcher", opens=page.locator(".jp-Launcher:visible"))
    toast = page.locator(".Toastify__toast", has_text="tumour-sizes: Review waits for your confirmation.")
    toast.get_by_role("button", name="Open").click(timeout=SLOW_MS)
    view.confirm("REVIEW_EDIT")
    palette(page, "New Launcher", opens=page.locator(".jp-Launcher:visible"))
    toast = page.locator(".Toastify__toast", has_text="tumour-sizes: the model is exported.")
    toast.get_by_role("button", name="Open").click(timeout=SLOW_MS)
    view.is_at("EXPORT", "COMPLETED")
    with page.expect_download() as download:
        view.root.get_by_role("button", name="Download").first.click()
    assert zipfile.is_zipfile(download.value.path())
    # The report opens in JupyterLab, the project is in the list, and a person can delete it there.
    view.root.get_by_role("button", name="Open the report").first.click()
    expect(page.get_by_role("tab", name="report.html")).to_be_visible()
    # And so do the notebook and the code.
    for button, tab in (("Open the notebook", "train.ipynb"), ("Open the training code", "train.py")):
        page.get_by_role("tab", name="tumour-sizes", exact=True).click()
        view.root.get_by_role("button", name=button).first.click()
        expect(page.get_by_role("tab", name=tab)).to_be_visible()
    # Who does not want to hear of an end is not told of the next one.
    switch(page, "End", False)
    restart = {"type": "command", "command": "restart_stage", "args": {"stage_id": "EXPORT"}}
    assert lab.request("POST", "api/projects/tumour-sizes/messages", restart).status == 200
    page.get_by_role("tab", name="Pipelines").click()
    entry = page.locator('.jp-Pipeline-list [data-name="tumour-sizes"]')
    expect(entry).to_have_attribute("data-status", "IN_PROGRESS")
    expect(entry).to_have_attribute("data-status", "COMPLETED", timeout=SLOW_MS)
    expect(page.locator(".Toastify__toast")).to_have_count(0)
    setting(lab, "jupyter-pipeline:plugin", "{}")
    assert axe(page, ".jp-Pipeline-panel") == []
    entry.get_by_role("button", name="Delete tumour-sizes").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("the exported bundle and the report")
    dialog.get_by_role("button", name="Cancel").click()
    expect(entry).to_be_visible()
    entry.get_by_role("button", name="Delete tumour-sizes").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(entry).to_have_count(0)
    expect(view.root).to_have_count(0)
    page.wait_for_function("document.querySelector('.jp-Pipeline-panel').contains(document.activeElement)")
    assert lab.request("GET", "api/projects/tumour-sizes").status == 404


def test_projects_open_by_palette_launcher_and_notebook(lab: Lab, page: Page) -> None:
    post = lab.request("POST", "api/projects/first/messages", {"type": "chat", "text": "Predict species in iris"})
    assert post.status == 200
    write_notebook(lab.root / "My analysis (2).ipynb", ["1 + 1"])
    page.goto(lab.lab_url())
    restored(page)
    palette(page, "Jupyter Pipeline: Open Project", opens=page.get_by_role("dialog"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Project").select_option("first")
    assert axe(page, ".jp-Dialog") == []
    dialog.get_by_role("button", name="Open").click()
    expect(View.in_panel(page, "first").root).to_be_visible()
    palette(page, "New Launcher", opens=page.locator(".jp-Launcher:visible"))
    page.locator(".lm-MenuBar-item", has_text="File").click()
    page.locator('.lm-Menu-item[data-type="submenu"]', has_text=re.compile("^New$")).hover()
    expect(page.locator(".lm-Menu-item", has_text="Jupyter Pipeline: New Project")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.get_by_text("New Project", exact=True).last.click()
    dialog.get_by_role("textbox").fill("Second: one")
    dialog.get_by_role("button", name="Create").click()
    # One can type at once.
    expect(View.in_panel(page, "Second-one").root.get_by_role("textbox", name="Message")).to_be_focused()
    # A notebook that shows no project has the one of its name.
    page.locator(".jp-DirListing-item", has_text="My analysis (2).ipynb").dblclick()
    page.locator('[data-jp-item-name="jupyter-pipeline"]').first.click()
    expect(View.in_panel(page, "My-analysis-2").root).to_be_visible()
    # The palette puts a cell into it that shows the project.
    page.get_by_role("tab", name="My analysis (2).ipynb").click()
    page.locator(".jp-Notebook .jp-Cell").first.click()
    second = page.locator(".jp-Notebook .jp-Cell").nth(1)
    palette(page, "Jupyter Pipeline: Insert a Cell with the Project", opens=second)
    expect(second).to_contain_text('p = Pipeline("My-analysis-2")')
    # One that is open already, behind the notebook, comes beside it.
    page.get_by_role("tab", name="first", exact=True).click()
    write_notebook(lab.root / "first.ipynb", ["2 + 2"])
    page.evaluate("window.jupyterapp.commands.execute('docmanager:open', {path: 'first.ipynb'}).then(() => null)")
    cell = page.locator(".cm-line", has_text="2 + 2")
    expect(cell).to_be_visible()
    expect(View.in_panel(page, "first").root).to_be_hidden()
    page.locator(".jp-NotebookPanel", has=cell).locator('[data-jp-item-name="jupyter-pipeline"]').click()
    expect(View.in_panel(page, "first").root).to_be_visible()
    expect(cell).to_be_visible()
    # In JupyterLab's theme of high contrast everything can be read.
    page.get_by_role("tab", name="first", exact=True).click()
    theme = "JupyterLab Dark High Contrast"
    palette(page, f"Use Theme: {theme}", opens=page.locator(f'body[data-jp-theme-name="{theme}"]'))
    View.in_panel(page, "first").is_at("PARSE_INTENT", "WAITING_CONFIRMATION")
    assert axe(page, '.jp-MainAreaWidget [data-project="first"]') == []


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
    assert page.evaluate("window.jupyterapp.hasPlugin('jupyter-pipeline:plugin')")
    told = page.locator(".jp-Pipeline-problem")
    expect(told).to_contain_text("The server runs jupyter_pipeline 9.9.9")
    expect(told).to_contain_text("Reload the page")
    page.unroute_all(behavior="wait")


def switch(page: Page, name: str, on: bool) -> None:
    """Set a switch of the notifications in the settings editor, as a person does, and go back."""
    page.evaluate("window.jupyterapp.commands.execute('settingeditor:open', {query: 'Jupyter Pipeline'})")
    page.locator("#jp-SettingsEditor-jupyter-pipeline\\:plugin").get_by_role("checkbox", name=name).set_checked(on)
    expect(page.locator(".lm-TabBar-tab.jp-mod-dirty", has_text="Settings")).to_have_count(0)  # it is saved
    page.evaluate("window.jupyterapp.commands.execute('launcher:create').then(() => null)")


def setting(lab: Lab, plugin: str, values: str) -> None:
    """Set what a person sets in the settings editor."""
    answer = lab.request("PUT", f"lab/api/settings/{plugin}", {"raw": values})
    assert answer.status == 204


def test_commands_settings_and_the_status_bar_for_a_project_that_nobody_looks_at(lab: Lab, page: Page) -> None:
    write_csv(lab.root / "palette.csv")
    setting(lab, "jupyter-pipeline:plugin", '{"notifications": {"gates": false}}')
    page.goto(lab.lab_url())
    restored(page)
    request = "Predict target in palette.csv. Take at most 60 seconds, with lightgbm, xgboost and random forest."
    lab.request("POST", "api/projects/palette/messages", {"type": "chat", "text": request})
    for stage in STAGES[:5]:
        lab.wait_gate("palette", stage)
        if stage == "MODEL_SELECT":  # so that the training goes on until it is told to end
            args = {"stage_id": stage, "patch": [{"op": "replace", "path": "/trials", "value": 500}]}
            more = {"type": "command", "command": "update_plan", "args": args}
            assert lab.request("POST", "api/projects/palette/messages", more).status == 200
        lab.request("POST", "api/projects/palette/confirm", {"stage_id": stage})
    expect(page.locator(".jp-Pipeline-status")).to_have_text(re.compile(r"^palette: Training \d+ %$"), timeout=SLOW_MS)
    # Nobody wanted to hear of the gates; that it was stopped, and by whom, is told, and not as a failure.
    lab.request("POST", "api/projects/palette/messages", {"type": "command", "command": "cancel_run", "args": {}})
    toast = page.locator(".Toastify__toast")
    entry = page.locator('.jp-Pipeline-list [data-name="palette"]')
    expect(toast.filter(has_text=re.compile(r"palette: Training was stopped by \w+"))).to_be_visible()
    who = lab.request("GET", "api/projects/palette").json["ended_by"]["name"]
    expect(page.locator(".jp-Pipeline-status")).to_have_text(f"palette: Training was stopped by {who}")
    expect(entry).to_contain_text(f"Training was stopped by {who}")
    expect(page.get_by_text(re.compile("Training failed"))).to_have_count(0)
    expect(toast.filter(has_text="waits for your confirmation")).to_have_count(0)
    toast.get_by_role("button", name="Open").click()
    view = View.in_panel(page, "palette")
    view.is_at("TRAIN", "FAILED")
    palette(page, "Jupyter Pipeline: Restart Stage", opens=page.get_by_role("dialog"))
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("combobox")).to_have_value("TRAIN")
    expect(dialog).to_contain_text("A restart runs Training again. Kept: Request, Data, Profile, Preparation, Models.")
    dialog.get_by_role("combobox").select_option("PREPROCESS")
    expect(dialog).to_contain_text("Only if that comes out differently: Models, Training.")
    assert axe(page, ".jp-Dialog") == []
    dialog.get_by_role("combobox").select_option("TRAIN")
    dialog.get_by_role("button", name="Restart").click()
    view.is_at("TRAIN", "IN_PROGRESS")
    palette(page, "Jupyter Pipeline: Cancel Run", opens=view.stage("TRAIN", "FAILED"))
    view.root.get_by_role("button", name="Restart stage").click()
    view.is_at("TRAIN", "IN_PROGRESS")
    expect(view.root.get_by_role("button", name="Finish with the best so far")).to_be_visible(timeout=SLOW_MS)
    palette(
        page, "Jupyter Pipeline: Finish Run with the Best so Far", opens=view.stage("TRAIN", "WAITING_CONFIRMATION")
    )
    view.is_at("TRAIN", "WAITING_CONFIRMATION")
    setting(lab, "jupyter-pipeline:plugin", "{}")


def test_what_was_changed_in_a_form_and_not_sent_is_not_passed_over_by_the_palette(lab: Lab, page: Page) -> None:
    write_csv(lab.root / "unsent.csv")
    request = {"type": "chat", "text": "Predict target in unsent.csv within 5 seconds, only linear"}
    lab.request("POST", "api/projects/unsent/messages", request)
    for stage in STAGES[:4]:
        lab.wait_gate("unsent", stage)
        lab.request("POST", "api/projects/unsent/confirm", {"stage_id": stage})
    page.goto(lab.lab_url())
    restored(page)
    palette(page, "Jupyter Pipeline: Open Project", opens=page.get_by_role("dialog"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").select_option("unsent")
    dialog.get_by_role("button", name="Open").click()
    view = View.in_panel(page, "unsent")
    view.is_at("MODEL_SELECT", "WAITING_CONFIRMATION")
    trials = view.root.get_by_role("spinbutton", name="Settings tried for each model")
    trials.fill("7")
    palette(page, "Jupyter Pipeline: Confirm", opens=view.root.get_by_role("alert"))
    expect(view.root.get_by_role("alert")).to_contain_text("the form of Models has changes that were not sent")
    view.is_at("MODEL_SELECT", "WAITING_CONFIRMATION")
    # Another stage runs again: they stay where they are.
    palette(page, "Jupyter Pipeline: Restart Stage", opens=page.get_by_role("dialog"))
    expect(dialog).to_contain_text("With the changes a restart runs Models again.")
    dialog.get_by_role("combobox").select_option("PREPROCESS")
    expect(dialog).to_contain_text("Changes that were not sent stay in their forms: Models.")
    dialog.get_by_role("button", name="Restart").click()
    view.confirm("PREPROCESS")
    view.is_at("MODEL_SELECT", "WAITING_CONFIRMATION")
    expect(trials).to_have_value("7")
    # This one runs again: with them.
    gate = lab.request("GET", "api/projects/unsent/state").json["waiting_confirmation"]["gate_id"]
    palette(page, "Jupyter Pipeline: Restart Stage", opens=page.get_by_role("dialog"))
    dialog.get_by_role("button", name="Restart").click()
    expect(view.root.get_by_role("button", name="Apply changes")).to_have_count(0)
    view.is_at("MODEL_SELECT", "WAITING_CONFIRMATION")
    expect(trials).to_have_value("7")
    state = lab.request("GET", "api/projects/unsent/state").json
    assert state["waiting_confirmation"]["gate_id"] != gate
    assert state["stages"][4]["plan_json"]["trials"] == 7


@pytest.mark.usefixtures("german")
def test_in_another_language(lab: Lab, page: Page, console: Console) -> None:
    """With a language pack made from the template: the palette, the view, its numbers, the client's own sentences."""
    rows = "\n".join(f"{i % 7},{i % 5},{'ja' if i % 3 else 'nein'}" for i in range(1234))
    (lab.root / "zahlen.csv").write_text(f"a,b,kauf\n{rows}\n")
    schema = lab.request("GET", "lab/api/settings/jupyter-pipeline:plugin").json["schema"]
    assert schema["properties"]["notifications"]["title"] == "Benachrichtigungen"
    lab.request("POST", "api/projects/deutsch/messages", {"type": "chat", "text": "Predict kauf in zahlen.csv"})
    page.goto(lab.lab_url())
    restored(page)
    palette(page, "Jupyter Pipeline: Projekt öffnen", opens=page.get_by_role("dialog"))
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Ein Projekt öffnen")
    dialog.get_by_role("combobox").select_option("deutsch")
    dialog.get_by_role("button", name="Open").click()  # which this pack leaves as it is
    view = View.in_panel(page, "deutsch").root
    expect(view.get_by_role("heading", name="Anfrage: Ihre Entscheidung")).to_be_visible()
    expect(view.get_by_text("verbunden")).to_be_visible()
    # What can be said is read by rules, which know English alone.
    hint = "Zum Beispiel: optimise recall, keep it under two minutes"
    expect(view.get_by_role("textbox", name="Message")).to_have_attribute("placeholder", hint)
    view.get_by_role("spinbutton", name="Zeit für das Training, in Sekunden").fill("7")
    expect(view.get_by_text("1 Änderung, mit dem Plan zusammen bestätigt.")).to_be_visible()
    view.get_by_role("button", name="Bestätigen").click()
    expect(page.locator(".jp-Pipeline-status")).to_have_text("deutsch: Auf Sie wartet: Daten", timeout=SLOW_MS)
    expect(view.get_by_text("von 1.234")).to_be_visible()
    view.get_by_role("button", name="Bestätigen").click()
    expect(view.locator(".jppl-stat", has_text="Zeilen")).to_contain_text("1.234", timeout=SLOW_MS)
    expect(view.locator(".jppl-stat", has_text="Fehlend")).to_contain_text("0 %")
    # What the client says by itself, of a connection that is gone.
    console.allow("ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    view.locator("input[type=file]").set_input_files(lab.root / "zahlen.csv")
    expect(view.get_by_role("alert")).to_have_text(f"Der Server unter {lab.url} ist nicht zu erreichen.")
    page.context.set_offline(False)
    lab.request("DELETE", "api/projects/deutsch")
    expect(view.get_by_role("heading", name="Dieses Projekt wurde gelöscht")).to_be_visible()


PICTURES = "async () => { for (let i = 0; i < 10; i++) await new Promise(requestAnimationFrame); }"
"""What came is shown after some of them."""


def test_the_switches_of_notifications(lab: Lab, page: Page) -> None:
    """What is switched off is not told, and what is in view is told only if that is wanted."""
    page.goto(lab.lab_url())
    restored(page)
    entry = page.locator('.jp-Pipeline-list [data-name="switches"]')

    listing = re.compile(r"/api/projects(\?.*)?$")

    def toast(text: str) -> Locator:
        return page.locator(".Toastify__toast", has_text=text)

    def post(project: str, **message: object) -> None:
        assert lab.request("POST", f"api/projects/{project}/messages", message).status == 200

    def look(stage: str, status: str) -> None:
        """Have the list asked for, which else takes up to eight seconds, once the server says so."""
        if status == "WAITING_CONFIRMATION":
            lab.wait_gate("switches", stage)
        page.get_by_role("tab", name=re.compile("^File Browser")).first.click()
        with page.expect_response(listing):
            page.get_by_role("tab", name=re.compile("^Pipelines")).first.click()
        page.evaluate(PICTURES)
        expect(entry).to_have_attribute("data-at", stage)
        expect(entry).to_have_attribute("data-status", status)

    (lab.root / "broken.parquet").write_bytes(b"PAR1 and then nothing")
    post("broken", type="chat", text="Predict y in broken.parquet")
    lab.wait_gate("broken", "PARSE_INTENT")
    post("broken", type="confirm")
    post("switches", type="chat", text="Predict species of the iris data, within 2 seconds, only linear")
    look("PARSE_INTENT", "WAITING_CONFIRMATION")
    expect(toast("switches: Request waits for your confirmation.")).to_be_visible()
    expect(toast("broken: Data failed.")).to_be_visible()
    expect(page.locator('.jp-Pipeline-list [data-name="broken"]')).to_contain_text("Data failed")
    lab.request("DELETE", "api/projects/broken")
    switch(page, "Gates", False)
    switch(page, "Failures", False)
    post("switches", type="confirm")
    look("DATA_SOURCE", "WAITING_CONFIRMATION")
    post("switches", type="confirm")
    post("switches", type="command", command="cancel_run", args={})
    look("PROFILE_DATA", "FAILED")
    expect(toast("Data waits")).to_have_count(0)
    expect(toast("Profile was stopped")).to_have_count(0)
    # In view nothing is told, unless that is wanted.
    switch(page, "Gates", True)
    entry.locator(".jp-Pipeline-open").click()
    view = View.in_panel(page, "switches")
    view.root.get_by_role("button", name="Restart stage").click()
    look("PROFILE_DATA", "WAITING_CONFIRMATION")
    expect(toast("Profile waits")).to_have_count(0)
    switch(page, "Also when the project is in view", True)
    page.get_by_role("tab", name="switches", exact=True).click()
    view.confirm("PROFILE_DATA")
    look("PREPROCESS", "WAITING_CONFIRMATION")
    expect(toast("switches: Preparation waits for your confirmation.")).to_be_visible()
    # A notification of a gate that was confirmed goes, and a list that comes late brings none: the view hears at once.
    late: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        answer = route.fetch()
        listed = {project["project_id"]: project for project in answer.json()["projects"]}
        ours = listed["switches"]
        if not late and (ours["current_stage"], ours["status"]) == ("MODEL_SELECT", "WAITING_CONFIRMATION"):
            late.append((route, answer))
        else:
            route.fulfill(response=answer)

    page.route(listing, hold)
    view.confirm("PREPROCESS")
    expect(toast("Preparation waits")).to_have_count(0, timeout=7_000)  # by itself after ten seconds
    lab.wait_gate("switches", "MODEL_SELECT")
    page.get_by_role("tab", name=re.compile("^File Browser")).first.click()
    page.get_by_role("tab", name=re.compile("^Pipelines")).first.click()
    for _ in range(600):
        if late:
            break
        page.wait_for_timeout(100)
    view.confirm("MODEL_SELECT")
    view.is_at("MODEL_SELECT", "COMPLETED")
    route, answer = late[0]
    with page.expect_response(listing):
        route.fulfill(response=answer)
    page.evaluate(PICTURES)
    expect(toast("Models waits")).to_have_count(0)
    # Nor does it set back what the list beside the view shows.
    expect(entry).to_have_attribute("data-at", "TRAIN")
    page.unroute_all(behavior="ignoreErrors")
    setting(lab, "jupyter-pipeline:plugin", "{}")


def test_in_notebook_7(lab: Lab, page: Page, console: Console) -> None:
    console.allow("reading 'schema'")  # Notebook 7.6's own, which it says without the extension too
    write_notebook(
        lab.root / "seven.ipynb", [SHOW.format(name="seven") + ".chat('Predict species of the iris data')\np"]
    )
    # Run before its kernel is known, the notebook starts one more, or asks which (Select Kernel), or leaves it be.
    with page.expect_websocket(lambda socket: "/channels" in socket.url):
        page.goto(f"{lab.url}notebooks/seven.ipynb?token={TOKEN}")
    expect(page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')).to_be_visible()
    page.locator(".jp-Notebook .jp-Cell .jp-InputArea-editor").first.click()
    page.keyboard.press("Shift+Enter")
    view = View.in_cell(page, "seven")
    view.confirm("PARSE_INTENT")
    view.is_at("DATA_SOURCE", "WAITING_CONFIRMATION")
    # The button of the toolbar opens the same project beside the notebook.
    page.locator('[data-jp-item-name="jupyter-pipeline"]').first.click()
    beside = View(page.locator("#jupyter-pipeline-seven").get_by_test_id("pipeline-view"))
    beside.is_at("DATA_SOURCE", "WAITING_CONFIRMATION")
    # Two views on a page do not share their radio buttons.
    for one in (view, beside):
        expect(one.root.get_by_role("radio", checked=True)).to_have_count(1)


def test_a_server_without_the_extension_says_so(start_lab: Callable[..., Lab], page: Page, console: Console) -> None:
    console.allow("404")
    lab = start_lab(extensions={"jupyter_pipeline": False})
    page.goto(lab.lab_url())
    restored(page)
    page.get_by_role("tab", name="Pipelines").click()
    expect(page.locator(".jp-Pipeline-problem")).to_contain_text("jupyter server extension enable jupyter_pipeline")
