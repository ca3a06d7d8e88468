"""The view in real Chromium, on a page of another port, against a real Jupyter server: whole jobs, and troubles."""

import io
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas
import pytest
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, expect
from sklearn.datasets import load_breast_cancer, load_iris

from .conftest import ROOT, SERVER_AWAY, TIMEOUT_MS, TOKEN, Console, Server, free_port
from .jobs import axe
from .sleep import asleep, expect_each_point_once, wait_for_events

WORK_MS = 100_000
"""So long a stage may take on a busy machine."""
STAGES = [
    "PARSE_INTENT",
    "DATA_SOURCE",
    "PROFILE_DATA",
    "PREPROCESS",
    "MODEL_SELECT",
    "TRAIN",
    "REVIEW_EDIT",
    "EXPORT",
]


class Work(Server):
    """A Jupyter server that pages of other origins may use; it can be killed and started again."""

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    root = tmp_path_factory.mktemp("view") / "root"
    root.mkdir()
    args = ["--ServerApp.allow_origin=*", "--PipelineApp.warm_workers=1"]
    server = Work(root=root, port=free_port(), base_url="/", args=args, forked=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def site(front_end: None, serve_folder: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The development page on a port of its own."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(ROOT / "labextension" / "dev" / "index.html", folder)
    (folder / "static").symlink_to(ROOT / "jupyter_pipeline" / "static", target_is_directory=True)
    return serve_folder(folder)


@pytest.fixture
def show(work: Work, site: str) -> Callable[[Page, str], Locator]:
    """Show a project in a page; the view's root."""

    def show(page: Page, project: str) -> Locator:
        page.goto(f"{site}/index.html#project={project}&base=http://127.0.0.1:{work.port}/&token={TOKEN}")
        view = page.get_by_test_id("pipeline-view")
        expect(view).to_have_attribute("data-project", project)
        expect(view).to_have_attribute("aria-busy", "false", timeout=TIMEOUT_MS)
        return view

    return show


def stage(view: Locator, stage_id: str) -> Locator:
    return view.locator(f"[data-stage={stage_id}]")


def expect_stage(view: Locator, stage_id: str, *status: str) -> None:
    expect(stage(view, stage_id)).to_have_attribute("data-status", re.compile("|".join(status)), timeout=WORK_MS)


def wait_gate(view: Locator, stage_id: str) -> None:
    expect_stage(view, stage_id, "WAITING_CONFIRMATION", "FAILED")
    expect_stage(view, stage_id, "WAITING_CONFIRMATION")
    expect(view.get_by_role("button", name="Confirm")).to_be_enabled()


def confirm(view: Locator, stage_id: str) -> None:
    wait_gate(view, stage_id)
    view.get_by_role("button", name="Confirm").click()
    expect_stage(view, stage_id, "COMPLETED")


def ask(view: Locator, text: str) -> None:
    box = view.get_by_role("textbox", name="Message")
    box.fill(text)
    box.press("Enter")


def cancer() -> FilePayload:
    frame = load_breast_cancer(as_frame=True).frame.iloc[:240, [0, 1, 4, 6, 20, -1]]
    return {"name": "cells.csv", "mimeType": "text/csv", "buffer": frame.to_csv(index=False).encode()}


def iris() -> FilePayload:
    frame = load_iris(as_frame=True).frame
    return {"name": "flowers.csv", "mimeType": "text/csv", "buffer": frame.to_csv(index=False).encode()}


def workbook() -> FilePayload:
    """The flowers, and on a smaller sheet some of them without the widths."""
    frame = load_iris(as_frame=True).frame
    out = io.BytesIO()
    with pandas.ExcelWriter(out) as writer:
        frame.to_excel(writer, sheet_name="All flowers", index=False)
        frame.iloc[::2, [0, 2, 4]].to_excel(writer, sheet_name="Lengths", index=False)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return {"name": "flowers.xlsx", "mimeType": kind, "buffer": out.getvalue()}


def attach(view: Locator, file: FilePayload) -> None:
    view.locator("input[type=file]").set_input_files(file)
    expect(view.get_by_text(file["name"]).first).to_be_visible()


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
    assert axe(page) == []
    confirm(view, "PARSE_INTENT")
    state = work.request("GET", "api/projects/by-mouse/state").json
    assert state["stages"][0]["plan_json"]["include_models"] == ["linear", "lightgbm"]
    assert state["stages"][0]["plan_json"]["exclude_models"] == ["random_forest"]

    wait_gate(view, "DATA_SOURCE")
    expect(view.get_by_role("radio", name=re.compile("cells.csv"))).to_be_checked()
    expect(view.get_by_role("combobox", name="Target")).to_have_value("target")
    expect(view.get_by_role("combobox", name="Task").locator("option:checked")).to_have_text("binary classification")
    assert axe(page) == []
    confirm(view, "DATA_SOURCE")

    wait_gate(view, "PROFILE_DATA")
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
    expect(view.get_by_text("With 1 change a restart runs again: Models, Training, Review, Export.")).to_be_visible()
    # What was changed is still there after a look at another stage.
    stage(view, "PREPROCESS").get_by_role("button").click()
    expect(view.get_by_role("combobox", name="Strategy")).to_be_visible()
    stage(view, "MODEL_SELECT").get_by_role("button").click()
    expect(view.get_by_role("spinbutton", name="Time for training, in seconds")).to_have_value("4")
    view.get_by_role("button", name="Restart stage").click()
    expect_stage(view, "TRAIN", "PENDING")
    wait_gate(view, "MODEL_SELECT")
    expect(view.get_by_role("spinbutton", name="Time for training, in seconds")).to_have_value("4")
    view.get_by_text("History").click()
    entry = view.locator(".jppl-history > li").first
    expect(entry).to_contain_text("had Models work again")
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
            expect(view.get_by_role("article").get_by_text("sheet 'Lengths': 75 rows")).to_be_visible(timeout=WORK_MS)
            expect(view.get_by_role("columnheader", name="petal width (cm)")).to_have_count(0)
            expect(sheet).to_have_value("Lengths")
        wait_gate(view, here)
        if here != "PARSE_INTENT":
            # The focus was kept inside when the confirmed gate went away.
            assert page.evaluate("document.querySelector('.jppl-root').contains(document.activeElement)")
        if here == "MODEL_SELECT":
            # A change that is refused is told in place, and changes nothing.
            view.get_by_role("spinbutton", name="Settings tried for each model").fill("5000")
            view.get_by_role("button", name="Confirm").press("Enter")
            alert = view.get_by_role("alert")
            expect(alert).to_have_attribute("data-code", "INVALID_ARGS")
            expect(alert).to_contain_text("1000")
            view.get_by_role("button", name="Undo").first.press("Enter")
            # The button is gone, and the focus is not lost with it.
            expect(view.get_by_role("heading", name="Models: your decision")).to_be_focused()
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
    assert page.evaluate("model.points") >= points
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


def test_of_two_browsers_at_one_gate_one_wins(
    new_context: Callable[..., BrowserContext], show: Callable[[Page, str], Locator], work: Work
) -> None:
    first, second = (new_context().new_page() for _ in range(2))
    one, two = show(first, "race"), show(second, "race")
    attach(one, iris())
    ask(one, "Predict target within 3 seconds, only linear")
    wait_gate(one, "PARSE_INTENT")
    wait_gate(two, "PARSE_INTENT")
    # The second browser has not heard yet of the first one's confirmation when its own button is pressed.
    late = "(apply => frame => setTimeout(() => apply.call(model, frame), 1500))(model.apply)"
    second.evaluate(f"void (model.apply = {late})")
    one.get_by_role("button", name="Confirm").click()
    expect_stage(one, "PARSE_INTENT", "COMPLETED")
    two.get_by_role("button", name="Confirm").click()
    expect(two.get_by_role("alert")).to_have_attribute("data-code", re.compile("GATE_STALE|NOT_WAITING"))
    wait_gate(one, "DATA_SOURCE")
    wait_gate(two, "DATA_SOURCE")
    expect_stage(two, "PROFILE_DATA", "PENDING")
    # Both speak, and each hears the other. Of a long conversation earlier lines are put before what one reads.
    for n in range(30):
        said = {"type": "chat", "text": f"What is the target? {n}"}
        while (answer := work.request("POST", "api/projects/race/messages", said)).status == 429:
            first.wait_for_timeout(answer.json["retry_after_ms"])  # twenty at once, then two a second
        assert answer.status == 200
    conversation = one.get_by_role("list", name="Conversation")
    expect(conversation.get_by_text("What is the target? 29")).to_be_visible()
    expect(conversation.get_by_text("Predict target within 3 seconds")).to_have_count(0)
    earlier = conversation.get_by_role("button", name="Show earlier lines")
    earlier.focus()
    read = conversation.get_by_role("listitem").nth(1).element_handle()
    before = read.bounding_box()
    earlier.press("Enter")
    expect(conversation.get_by_text("Predict target within 3 seconds")).to_have_count(1)
    after = read.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 3, "what was being read has moved"
    expect(earlier).to_have_count(0)
    expect(conversation).to_be_focused()


def test_nothing_from_data_becomes_part_of_the_page(
    page: Page, show: Callable[[Page, str], Locator], work: Work
) -> None:
    name = "<img src=x onerror=window.hacked=1>"
    # And three hundred more columns, with names of any length and direction.
    more = [f"{'עמודה ארוכה מאוד' if n % 2 else 'avery' + 'long' * 30}{n}" for n in range(300)]
    rows = "\n".join(
        f"{i % 7},{'yes' if i % 3 else 'no'},<b onclick=alert(1)>{i % 2}</b>,"
        + ",".join(str(i * (n + 1) % 11) for n in range(300))
        for i in range(60)
    )
    file: FilePayload = {
        "name": "odd.csv",
        "mimeType": "text/csv",
        "buffer": f"{name},target,<script>window.hacked=2</script>,{','.join(more)}\n{rows}\n".encode(),
    }
    view = show(page, "hostile")
    attach(view, file)
    ask(view, f"Predict target within 3 seconds, only linear {name}")
    for here in STAGES[:4]:
        wait_gate(view, here)
        for width in (1280, 700, 360):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.querySelector('.jppl-root').scrollWidth <= innerWidth"), f"{here} at {width}"
        if here != "PREPROCESS":
            confirm(view, here)
    assert page.evaluate("window.hacked") is None
    assert view.locator("img, script, b").count() == 0
    expect(view.get_by_text(name).first).to_be_visible()
    change_many_at_once(page, view, work)


def change_many_at_once(page: Page, view: Locator, work: Work) -> None:
    """The treatments of the wide table at its gate: what a search finds, ranges by mouse and keyboard, the way back."""
    page.set_viewport_size({"width": 1280, "height": 900})

    def columns() -> dict[str, str]:
        state = work.request("GET", "api/projects/hostile/state").json
        found: dict[str, str] = state["stages"][3]["plan_json"]["columns"]
        return found

    before = columns()
    latin = [column for column in before if column.startswith("avery")]
    bulk = view.get_by_role("group", name="Treatment of the selected columns")
    choice = bulk.get_by_role("combobox")
    expect(choice).to_be_disabled()
    search = view.get_by_role("searchbox", name="Find a column")
    search.fill("AVERY")
    view.get_by_role("checkbox", name=f"Select the {len(latin)} columns found").check()
    search.fill("")
    expect(bulk).to_contain_text(f"{len(latin)} columns selected")
    choice.select_option("ordinal")
    bulk.get_by_role("button", name=f"Set for {len(latin)} columns").click()
    article = view.get_by_role("article")
    expect(article).to_contain_text(f"{len(latin)} changes; Preparation is worked out again")
    bulk.get_by_role("button", name="Take back").click()
    expect(article).not_to_contain_text("changes; Preparation")
    bulk.get_by_role("button", name="Clear").click()
    every = view.get_by_role("checkbox", name=f"Select all {len(before)} columns")
    expect(every).to_be_focused()
    # From one to another with Shift; some of them not. By keyboard, from the box that has the focus on.
    names = list(before)

    def box(n: int) -> Locator:
        return view.get_by_role("checkbox", name=f"Select {names[n]}", exact=True)

    box(2).click()
    box(7).click(modifiers=["Shift"])
    expect(bulk).to_contain_text("6 columns selected")
    expect(every).to_have_js_property("indeterminate", True)
    box(4).press("Space")
    box(4).press("ArrowDown")
    expect(box(5)).to_be_focused()
    box(10).focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    expect(bulk).to_contain_text("9 columns selected")
    box(16).focus()
    page.keyboard.press("Shift+Space")
    expected = {2, 3, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16}
    expect(bulk).to_contain_text(f"{len(expected)} columns selected")
    assert axe(page) == []
    choice.select_option("drop")
    bulk.get_by_role("button", name=re.compile("^Set for")).press("Enter")
    seq = page.evaluate("model.seq")
    view.get_by_role("button", name="Apply changes").click()
    expect(article).not_to_contain_text("changes; Preparation")
    wait_gate(view, "PREPROCESS")
    assert columns() == {**before, **{names[n]: "drop" for n in expected}}
    events = work.request("GET", f"api/projects/hostile/events?since={seq}").json["events"]
    assert [e["event"]["name"] for e in events].count("WAITING_CONFIRMATION") == 1, "It was no single change."
    view.get_by_text("History").click()
    entry = view.locator(".jppl-history > li").first
    expect(entry).to_contain_text("Preparation")


GROW = """
async () => {
  document.body.innerHTML = '<div id="view" style="width: 1000px; height: 800px"></div>';
  const { mountView } = await import('./view.js');
  const frame = () => new Promise(requestAnimationFrame);
  let handlers;
  let seq = 0;
  mountView(document.getElementById('view'), {
    projectId: 'drawn',
    connect: given => ((handlers = given), { send: () => '', close: () => undefined }),
    rest: { upload: async () => ({}), predict: async () => ({ predictions: [] }), asset: async () => new Blob(['{}']) }
  });
  const tell = (name, payload) => handlers.onEvent({ seq: ++seq, ts: 1, stage: {}, event: { name, payload } });
  handlers.onStatusChange('open', {});
  handlers.onEvent({ event: { name: 'HELLO', payload: { epoch: 'e', seq: 0, server_version: '' } } });
  tell('STAGE_STATUS', { stage_id: 'TRAIN', status: 'IN_PROGRESS', attempt: 1, message: '' });
  const runs = Array.from({ length: 12 }, (_, i) => `r${i}`);
  for (const run_id of runs) {
    tell('TRAIN_RUN_STARTED', { run_id, model_id: run_id, metric_primary: 'loss', config: {} });
  }
  for (let step = 1; step <= 6000; step++) {
    runs.forEach((run_id, i) => {
      const value = Math.exp(-step / (500 + 90 * i)) + (step % 1500 === 700 ? 0.4 : 0) + i / 20;
      tell('METRIC_SCALAR', { run_id, name: 'loss', split: 'val', step, value });
    });
    if (step % 40 === 0) await frame();
  }
  // Where each column of pixels has the highest and the lowest ink.
  const ink = () => {
    const canvas = document.querySelector('.jppl-canvas:not(.jppl-canvas-labels)');
    const { width, height } = canvas;
    const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
    return Array.from({ length: width }, (_, x) => {
      const rows = [];
      for (let y = 0; y < height; y++) if (data[4 * (y * width + x) + 3] > 60) rows.push(y);
      return rows.length ? [rows[0], rows[rows.length - 1]] : [-1, -1];
    });
  };
  for (let i = 0; i < 30; i++) await frame();
  const grown = ink();
  document.body.setAttribute('data-jp-theme-name', 'another');  // everything is drawn anew
  for (let i = 0; i < 30; i++) await frame();
  const anew = ink();
  // While the axes stay as they are nothing is drawn anew.
  let cleared = 0;
  const clearRect = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    cleared += Number(this.canvas.className === 'jppl-canvas');
    return clearRect.apply(this, box);
  };
  for (let step = 6001; step <= 6012; step++) {
    runs.forEach((run_id, i) => {
      tell('METRIC_SCALAR', { run_id, name: 'loss', split: 'val', step, value: i / 20 });
    });
    await new Promise(resolve => setTimeout(resolve, 80));
  }
  return [grown, anew, cleared];
}
"""


def test_curves_that_grew_look_like_curves_drawn_at_once(page: Page, site: str, console: Console) -> None:
    """Continued frame by frame over more points than are kept, while the axes grow, with peaks that must stay."""
    console.allow("favicon.ico")
    page.goto(f"{site}/static/build.json")
    grown, anew, cleared = page.evaluate(GROW)
    assert cleared <= 1
    assert len(grown) == len(anew) > 300
    assert sum(top >= 0 for top, _ in anew) > 0.5 * len(anew)
    apart = [max(abs(a - b) for a, b in zip(*pair, strict=True)) for pair in zip(grown, anew, strict=True)]
    assert sum(d > 3 for d in apart) <= 0.02 * len(apart), apart
