"""The view in real Chromium, on a page of another port, against a real Jupyter server: whole jobs, and troubles."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import FilePayload, Locator, Page, expect

from .conftest import SERVER_AWAY, TIMEOUT_MS, Console, Work
from .jobs import STAGES, axe
from .pages import WORK_MS, ask, attach, cancer, confirm, expect_stage, stage, wait_gate, workbook
from .sleep import asleep, expect_each_point_once, wait_for_events


def test_a_whole_job_by_mouse(page: Page, show: Callable[[Page, str], Locator], work: Work, tmp_path: Path) -> None:
    view = show(page, "by-mouse")
    expect(view.get_by_role("heading", name="What should be predicted?")).to_be_visible()
    assert axe(page) == []
    attach(view, cancer())
    ask(view, "Predict target. Optimise recall, within 6 seconds, only linear and lightgbm.")

    wait_gate(view, "PARSE_INTENT")
    view.get_by_role("spinbutton", name="Time for training, in seconds").fill("5")
    expect(view.get_by_text("1 change, confirmed together with the plan.")).to_be_visible()
    # Models go by their names; one that is wanted is not among those that are not.
    wanted, unwanted = (view.get_by_role("group", name=f"Models {word}") for word in ("wanted", "not wanted"))
    expect(wanted.get_by_role("listitem")).to_have_text(["Linear model", "LightGBM"])
    wanted.get_by_role("combobox").select_option(label="Random forest")
    expect(wanted.get_by_role("listitem")).to_have_count(3)
    unwanted.get_by_role("combobox").select_option(label="Random forest")
    expect(wanted.get_by_role("listitem")).to_have_text(["Linear model", "LightGBM"])
    unwanted.get_by_role("combobox").select_option(label="Extra trees")
    unwanted.get_by_role("button", name="Take Extra trees out").press("Enter")
    expect(unwanted.get_by_role("combobox")).to_be_focused()
    expect(view.get_by_text("2 changes, confirmed together with the plan.")).to_be_visible()
    # So do columns that are left out, by any name: the data say whether they have them.
    columns = view.get_by_role("group", name="Columns left out")
    for name in ("worst radius", "nonsense"):
        columns.get_by_role("combobox").fill(name)
        columns.get_by_role("combobox").press("Enter")
    expect(columns.get_by_role("listitem")).to_have_text(["worst radius", "nonsense"])
    columns.get_by_role("button", name="Take nonsense out").click()
    expect(columns.get_by_role("combobox")).to_be_focused()
    assert axe(page) == []
    confirm(view, "PARSE_INTENT")
    state = work.request("GET", "api/projects/by-mouse/state").json
    assert state["stages"][0]["plan_json"]["include_models"] == ["linear", "lightgbm"]
    assert state["stages"][0]["plan_json"]["exclude_models"] == ["random_forest"]
    assert state["stages"][0]["plan_json"]["exclude_columns"] == ["worst radius"]

    wait_gate(view, "DATA_SOURCE")
    expect(view.get_by_role("radio", name=re.compile("cells.csv"))).to_be_checked()
    expect(view.get_by_role("combobox", name="Target")).to_have_value("target")
    expect(view.get_by_role("combobox", name="Task").locator("option:checked")).to_have_text("binary classification")
    assert axe(page) == []
    confirm(view, "DATA_SOURCE")

    wait_gate(view, "PROFILE_DATA")
    expect(view.get_by_role("combobox", name="Role of worst radius")).to_have_value("ignore")
    view.get_by_role("combobox", name="Role of mean texture").select_option("ignore")
    confirm(view, "PROFILE_DATA")

    wait_gate(view, "PREPROCESS")
    expect(view.get_by_role("combobox", name="Treatment of mean texture")).to_have_count(0)
    view.get_by_role("spinbutton", name="Test, in %").fill("25")
    expect(view.get_by_role("button", name="Confirm")).to_be_disabled()
    view.get_by_role("button", name="Apply changes").click()
    expect(view.get_by_text(re.compile("60 to test")).first).to_be_visible(timeout=WORK_MS)
    assert axe(page) == []
    confirm(view, "PREPROCESS")

    wait_gate(view, "MODEL_SELECT")
    view.get_by_role("checkbox", name=re.compile("^Random forest")).check()
    view.get_by_role("button", name="Apply changes").click()
    expect(view.get_by_role("button", name="Apply changes")).to_have_count(0)
    view.get_by_role("checkbox", name=re.compile("^Random forest")).uncheck()
    confirm(view, "MODEL_SELECT")

    expect(view.get_by_role("figure", name="recall").first).to_be_visible(timeout=WORK_MS)
    expect(view.get_by_role("table", name="Leaderboard")).to_be_visible(timeout=WORK_MS)
    wait_gate(view, "TRAIN")
    board = view.get_by_role("table", name="Leaderboard")
    expect(board.get_by_text("best")).to_have_count(1)
    board.get_by_role("button", name=re.compile("Recall, validation")).click()
    expect(board.get_by_role("columnheader", name=re.compile("Recall, validation"))).to_have_attribute(
        "aria-sort", "descending"
    )
    assert axe(page) == []
    confirm(view, "TRAIN")

    wait_gate(view, "REVIEW_EDIT")
    expect(view.get_by_role("figure", name="Confusion matrix")).to_be_visible()
    view.get_by_role("checkbox", name="The event log").uncheck()
    confirm(view, "REVIEW_EDIT")

    expect_stage(view, "EXPORT", "COMPLETED")
    expect(view.get_by_role("heading", name="Everything is done")).to_be_visible()
    with page.expect_download() as download:
        view.get_by_role("button", name="Download the bundle").click()
    download.value.save_as(tmp_path / "bundle.zip")
    assert (tmp_path / "bundle.zip").read_bytes()[:2] == b"PK"
    view.get_by_role("button", name="Predict", exact=True).click()
    expect(view.get_by_role("status").get_by_text("target")).to_be_visible(timeout=WORK_MS)
    assert axe(page) == []

    # From the finished project back to an earlier stage, with a change.
    stage(view, "MODEL_SELECT").get_by_role("button").click()
    expect(view.get_by_text("Only if that comes out differently: Training, Review, Export.")).to_be_visible()
    view.get_by_role("spinbutton", name="Time for training, in seconds").fill("4")
    expect(view.get_by_text("With the changes a restart runs Models, Training, Review, Export again.")).to_be_visible()
    # What was changed is still there after a look at another stage.
    stage(view, "PREPROCESS").get_by_role("button").click()
    expect(view.get_by_role("combobox", name="Strategy")).to_be_visible()
    stage(view, "MODEL_SELECT").get_by_role("button").click()
    expect(view.get_by_role("spinbutton", name="Time for training, in seconds")).to_have_value("4")
    view.get_by_role("button", name="Restart stage").dblclick()  # it is asked once
    expect_stage(view, "TRAIN", "PENDING")
    wait_gate(view, "MODEL_SELECT")
    expect(view.get_by_role("spinbutton", name="Time for training, in seconds")).to_have_value("4")
    view.get_by_text("History").click()
    entry = view.locator(".jppl-history > li").first
    expect(entry).to_contain_text("ran Models again")
    expect(view.locator(".jppl-history > li", has_text="ran Models again")).to_have_count(1)
    expect(entry).not_to_contain_text("Somebody")
    # Deleted by keyboard, once it was said what is lost.
    view.get_by_role("button", name="Delete this project").focus()
    page.keyboard.press("Enter")
    question = view.get_by_role("group", name="Delete the project by-mouse?")
    expect(question).to_contain_text("1 attached data file (cells.csv)")
    assert axe(page) == []
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    page.keyboard.press("Enter")  # the focus is where it was
    question.get_by_role("button", name="Delete for good").press("Enter")
    expect(view.get_by_role("heading", name="This project was deleted")).to_be_visible()


def test_a_job_by_keyboard_alone(page: Page, show: Callable[[Page, str], Locator]) -> None:
    view = show(page, "by-keyboard")
    attach(view, {"name": "two.csv", "mimeType": "text/csv", "buffer": b"a,b,target\n1,2,yes\n3,4,no\n"})
    view.get_by_role("textbox", name="Message").focus()
    page.keyboard.type("Predict target within 3 seconds, only linear")
    page.keyboard.press("Enter")
    for here in STAGES[:-1]:
        if here == "DATA_SOURCE":
            # Nothing can be learned of two rows: that is said, other data are attached, and it goes on with them.
            expect_stage(view, here, "FAILED")
            expect(view.get_by_role("article").get_by_text("at least 10 are needed")).to_be_visible()
            attach(view, workbook())
            expect(view.get_by_role("list", name="Attached data")).to_contain_text("flowers.xlsx")
            view.get_by_role("button", name="Restart stage").press("Enter")
            wait_gate(view, here)
            # Of a workbook another sheet than the largest.
            sheet = view.get_by_role("combobox", name="Sheet")
            expect(sheet).to_have_value("All flowers")
            expect(view.get_by_role("columnheader", name="petal width (cm)")).to_be_visible()
            sheet.press("ArrowDown")
            expect(sheet).to_have_value("Lengths")
            expect(view.get_by_text("Target, task and metric are worked out again for the other data.")).to_be_visible()
            assert axe(page) == []
            view.get_by_role("button", name="Apply changes").press("Enter")
            expect(view.get_by_text("of 75", exact=True)).to_be_visible(timeout=WORK_MS)
            expect(view.get_by_role("columnheader", name="petal width (cm)")).to_have_count(0)
            expect(sheet).to_have_value("Lengths")
        wait_gate(view, here)
        if here != "PARSE_INTENT":
            # The focus was kept inside when the confirmed gate went away.
            page.wait_for_function("document.querySelector('.jppl-root').contains(document.activeElement)")
        if here == "PREPROCESS":
            # A change that is refused is told in place, by the labels that stand there, and changes nothing.
            test = view.get_by_role("spinbutton", name="Test, in %")
            test.fill("45")
            view.get_by_role("spinbutton", name="Validation, in %").fill("45")
            view.get_by_role("button", name="Apply changes").press("Enter")
            alert = view.get_by_role("alert")
            expect(alert).to_contain_text("lower Validation or Test")
            expect(alert).to_have_attribute("data-code", "INVALID_ARGS")
            view.get_by_role("button", name="Undo").first.press("Enter")
            expect(alert).to_have_count(0)
            expect(test).not_to_have_value("45")
            # The button is gone, and the focus is not lost with it.
            expect(view.get_by_role("heading", name="Preparation: your decision")).to_be_focused()
        for _ in range(200):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == "Confirm":
                break
        page.keyboard.press("Enter")
        expect_stage(view, here, "COMPLETED")
    expect_stage(view, "EXPORT", "COMPLETED")


def train(view: Locator, seconds: int, file: FilePayload) -> None:
    """Bring a project to its training."""
    attach(view, file)
    ask(view, f"Predict target within {seconds} seconds, only lightgbm, xgboost, catboost and random forest")
    for here in STAGES[:5]:
        confirm(view, here)
    expect(view.get_by_role("button", name=re.compile("^Skip ")).first).to_be_visible(timeout=WORK_MS)


def test_a_reload_and_a_killed_server_in_the_middle_of_training_lose_nothing(
    page: Page, show: Callable[[Page, str], Locator], work: Work, console: Console
) -> None:
    view = show(page, "middle")
    train(view, 60, cancer())
    expect(view.get_by_role("figure").first).to_be_visible(timeout=WORK_MS)
    view.get_by_role("textbox", name="Message").fill("half a sentence")
    page.wait_for_function("model.points > 20")
    points = page.evaluate("model.points")
    page.reload()
    view = page.get_by_test_id("pipeline-view")
    expect(view).to_have_attribute("aria-busy", "false", timeout=TIMEOUT_MS)
    page.wait_for_function("points => model.points >= points", arg=points)
    expect(view.get_by_role("figure").first).to_be_visible()
    expect(view.get_by_role("textbox", name="Message")).to_have_value("half a sentence")
    # The tab sleeps while the training goes on; awake again it has all that happened, each point once.
    view.get_by_role("textbox", name="Message").fill("another half")
    with asleep(page):
        seq = wait_for_events(work, "middle", 30)
    page.wait_for_function(f"model.seq >= {seq}")
    expect_each_point_once(page, work, "middle")
    expect(view.get_by_role("textbox", name="Message")).to_have_value("another half")
    console.allow(*SERVER_AWAY)
    work.kill()
    expect(view.get_by_text(re.compile("Not connected"))).to_be_visible()
    ask(view, "What is the best model?")
    expect(view.get_by_text(re.compile("1 message waits"))).to_be_visible()
    conversation = view.get_by_role("list", name="Conversation")
    expect(conversation.get_by_role("listitem").last).to_contain_text("waits for the connection")
    expect(conversation.get_by_role("listitem").last).to_contain_text("What is the best model?")
    assert axe(page) == []
    with asleep(page):
        work.start()
        seq = wait_for_events(work, "middle", 1)
    expect(view.get_by_text("live", exact=True)).to_be_visible(timeout=WORK_MS)
    expect(view.get_by_text("What is the best model?")).to_have_count(1)
    page.wait_for_function(f"model.seq >= {seq}")
    expect_each_point_once(page, work, "middle")
    expect_stage(view, "TRAIN", "IN_PROGRESS", "WAITING_CONFIRMATION")
    if stage(view, "TRAIN").get_attribute("data-status") == "IN_PROGRESS":
        view.get_by_role("button", name="Finish with the best so far").click(timeout=WORK_MS)
    wait_gate(view, "TRAIN")
