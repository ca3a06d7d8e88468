"""Parts of the view in Chromium, on the recorded log of a real project (labextension/test).

A server would have to be brought there for minutes. The page is the connection: it tells the events, and keeps what the
view sends.
"""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import ROOT, Console
from .jobs import STAGES, axe

TEST = ROOT / "labextension" / "test"
EVENTS: list[dict[str, Any]] = json.loads(gzip.decompress((TEST / "binary.events.json.gz").read_bytes()))
STATE: dict[str, Any] = json.loads(gzip.decompress((TEST / "binary.state.json.gz").read_bytes()))
MOUNT = """
async ([head, assets]) => {
  document.body.innerHTML = '<main id="view" style="height: 100vh"></main>';
  document.body.style.margin = 0;
  const { mountView } = await import('./view.js');
  window.sent = []; window.asked = []; window.predicted = []; window.uploads = [];
  window.assets = assets; window.connected = 0;
  window.rest = {
    upload: (file, options) => new Promise((resolve, reject) => {
      uploads.push({ file, resolve, ...options });
      options.signal.onabort = () => reject(new DOMException('stopped', 'AbortError'));
    }),
    state: async () => assets.state,
    events: query => new Promise((resolve, reject) => {
      asked.push(query);
      window.bring = (events, next = events.at(-1).seq) => resolve({ epoch: query.epoch, events, next });
      window.refuse = reject;
    }),
    predict: rows => new Promise(answer => { predicted.push(rows); window.answer = answer; }),
    asset: async url => {
      const name = url.split('/').pop();
      if (!(name in assets)) throw new Error(`There is no ${name}.`);
      return new Blob([JSON.stringify(assets[name])]);
    }
  };
  window.mounted = mountView(document.getElementById('view'), {
    projectId: 'binary', rest,
    connect: handlers => {
      window.page = handlers;
      connected += 1;
      return { send: message => `m${sent.push(message)}`, close: () => undefined };
    },
    host: { onModel: model => (window.model = model) }
  });
  page.onStatusChange('open', {});
  const user = { username: 'me', name: 'Me' };
  const payload = { epoch: 'one', seq: head, server_version: '', user };
  page.onEvent({ ephemeral: true, ts: Date.now(), event: { name: 'HELLO', payload } });
  window.seq = 0;
  window.tell = (name, payload, ts = Date.now()) =>
    page.onEvent({ seq: ++seq, ts, stage: {}, event: { name, payload } });
}
"""


class Recorded:
    """The view of the recorded project as it was after one of its events."""

    def __init__(self, page: Page, site: str) -> None:
        self.page = page
        self.site = site
        self.root: Locator = page.get_by_test_id("pipeline-view")

    def show(self, until: int, assets: dict[str, Any] | None = None, log: list[dict[str, Any]] = EVENTS) -> Locator:
        events = log[:until]
        self.page.goto(f"{self.site}/index.html")
        self.page.evaluate(MOUNT, [until, assets or {}])
        self.page.evaluate("events => { events.forEach(page.onEvent); window.seq = events.length; }", events)
        expect(self.root).to_have_attribute("aria-busy", "false")
        return self.root

    def tell(self, name: str, **payload: Any) -> None:
        self.page.evaluate("([name, payload]) => tell(name, payload)", [name, payload])

    @property
    def sent(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.evaluate("sent")
        return found


@pytest.fixture(scope="module")
def site(front_end: None, serve_folder: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty page beside the modules."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "index.html").write_text(
        "<!doctype html><html lang=en><meta charset=utf-8><title>A page</title><link rel=icon href='data:,'>"
    )
    for module in (ROOT / "jupyter_pipeline" / "static").glob("*.js"):
        (folder / module.name).symlink_to(module)
    return serve_folder(folder)


@pytest.fixture
def recorded(page: Page, site: str) -> Recorded:
    return Recorded(page, site)


def gate(stage: str) -> int:
    """How many events there are when a stage's gate is open."""
    return next(
        e["seq"]
        for e in EVENTS
        if e["event"]["name"] == "WAITING_CONFIRMATION" and e["event"]["payload"]["stage_id"] == stage
    )


def test_the_name_of_a_column_with_spaces_can_be_typed(recorded: Recorded) -> None:
    view = recorded.show(gate("PARSE_INTENT"))
    target = view.get_by_role("combobox", name="Target")
    target.press_sequentially("mean radius ")
    expect(target).to_have_value("mean radius ")
    view.get_by_role("button", name="Confirm").click()
    assert recorded.sent[-1]["args"]["patch"] == [{"op": "replace", "path": "/target", "value": "mean radius"}]


def test_what_a_box_cannot_have_is_said_at_the_box_and_not_sent(recorded: Recorded) -> None:
    view = recorded.show(gate("MODEL_SELECT"))
    trials = view.get_by_role("spinbutton", name="Settings tried for each model")
    refused = {"0": "rangeUnderflow", "5000": "rangeOverflow", "1.5": "stepMismatch", "": "valueMissing"}
    for typed, wrong in refused.items():
        trials.fill(typed)
        view.get_by_role("button", name="Confirm").click()
        expect(trials).to_be_focused()
        assert trials.evaluate("(box, wrong) => box.validity[wrong]", wrong)
        assert recorded.sent == []
    trials.fill("7")
    view.get_by_role("button", name="Confirm").click()
    assert recorded.sent[-1]["args"]["patch"] == [{"op": "replace", "path": "/trials", "value": 7}]


def test_another_target_has_none_of_the_old_ones_classes(recorded: Recorded) -> None:
    view = recorded.show(gate("DATA_SOURCE"), SAMPLE)
    target, positive, task, metric = (
        view.get_by_role("combobox", name=name) for name in ("Target", "Positive class", "Task", "Judged by")
    )
    was = positive.input_value()
    assert was in ("malignant", "benign")
    target.select_option("remark")
    expect(positive.locator("option")).to_have_text(["decided from the data", "fine"])
    expect(positive).to_have_value("")
    expect(view.get_by_text("worked out again for the other target")).to_be_visible()
    # Back again it is as it was; and for another task the metric is not one that says nothing of it.
    target.select_option("target")
    expect(positive).to_have_value(was)
    expect(view.get_by_role("button", name="Undo")).to_have_count(0)
    task.select_option("regression")
    expect(metric.locator("option:checked")).to_have_text("decided by the task")
    task.select_option("multiclass")
    expect(metric.locator("option:checked")).to_have_text("Recall")
    task.select_option("regression")
    target.select_option("mean radius")
    view.get_by_role("button", name="Confirm").click()
    patch = recorded.sent[-1]["args"]["patch"]
    assert {op["path"]: op["value"] for op in patch} == {
        "/target": "mean radius",
        "/positive_class": None,
        "/task_type": "regression",
        "/metric": "auto",
    }


def test_of_data_that_failed_no_rows_are_asked_for(recorded: Recorded) -> None:
    view = recorded.show(gate("DATA_SOURCE"), SAMPLE)
    expect(view.get_by_text("First rows")).to_be_visible()
    recorded.tell("DATASET_SAMPLE_READY", asset_url="/assets/data_source-3.sample.json", columns=["a", "b"], n_rows=2)
    recorded.tell("STAGE_STATUS", stage_id="DATA_SOURCE", status="FAILED", message="They cannot be used.")
    expect(view.get_by_role("article").get_by_text("They cannot be used.")).to_be_visible()
    expect(view.get_by_text("data_source-3.sample.json")).to_have_count(0)
    expect(view.get_by_role("combobox", name="Target").locator("option")).to_have_text(["a", "b"])


def test_after_a_restart_the_view_goes_on_with_the_project(recorded: Recorded) -> None:
    view = recorded.show(len(EVENTS))
    view.locator("[data-stage=MODEL_SELECT] button").click()
    for stage in ("TRAIN", "REVIEW_EDIT", "EXPORT"):
        recorded.tell("STAGE_STATUS", stage_id=stage, status="PENDING", message="")
    recorded.tell("STAGE_STATUS", stage_id="MODEL_SELECT", status="IN_PROGRESS", attempt=2, message="")
    expect(view.get_by_role("heading", name="Models is running")).to_be_visible()
    recorded.tell("STAGE_STATUS", stage_id="MODEL_SELECT", status="COMPLETED", message="")
    recorded.tell("STAGE_STATUS", stage_id="TRAIN", status="IN_PROGRESS", attempt=2, message="")
    expect(view.get_by_role("heading", name="Training is running")).to_be_visible()


SAMPLE = {
    "data_source-2.sample.json": {
        "columns": [
            {"name": "mean radius", "dtype": "Float64"},
            {"name": "mean texture", "dtype": "Int64"},
            {"name": "remark", "dtype": "String"},
            {"name": "target", "dtype": "String"},
        ],
        "rows": [
            {"mean radius": 17.990123456789, "mean texture": 20231231, "remark": "fine", "target": "malignant"},
            {"mean radius": None, "mean texture": 7, "remark": None, "target": "benign"},
        ],
    }
}


def test_a_prediction_is_of_the_row_as_it_is(recorded: Recorded) -> None:
    view = recorded.show(len(EVENTS), SAMPLE)
    predict = view.get_by_role("button", name="Predict", exact=True)
    predict.focus()
    predict.press("Enter")
    rows = recorded.page.evaluate("predicted[0]")
    assert rows == [{"mean radius": 17.990123456789, "mean texture": 20231231, "remark": "fine"}]
    chances = "{ classes: ['benign', 'malignant'], values: [[0.8, 0.2]] }"
    recorded.page.evaluate(f"answer({{ predictions: ['malignant'], probabilities: {chances} }})")
    # Why it is not the likeliest.
    expect(view.get_by_role("status")).to_contain_text("“malignant” from a probability of 0.119.")
    expect(predict).to_be_focused()
    # It is not shown beside another row.
    box = view.get_by_role("spinbutton", name="mean texture")
    expect(box).to_have_value("20231231")
    box.fill("20")
    expect(view.get_by_role("status")).not_to_contain_text("malignant")
    predict.click()
    assert recorded.page.evaluate("predicted[1][0]['mean texture']") == 20
    note = "No value of column 'remark' was in the training rows, such as 'fine'."
    recorded.page.evaluate("note => answer({ predictions: ['benign'], notes: { remark: note } })", note)
    expect(view.get_by_role("status")).to_contain_text(note)


def test_what_is_refused_before_anything_was_asked_is_said(recorded: Recorded) -> None:
    view = recorded.show(0)
    view.get_by_role("button", name="Predict the species of the iris data.").click()
    assert recorded.sent == [{"type": "chat", "text": "Predict the species of the iris data."}]
    recorded.page.evaluate(
        "page.onError({ type: 'error', code: 'FORBIDDEN', id: 'm1', message: 'You may look at this project only.' })"
    )
    expect(view.get_by_role("alert")).to_contain_text("You may look at this project only.")


def test_a_screen_reader_hears_of_everything_that_happens_at_once(recorded: Recorded) -> None:
    until = gate("DATA_SOURCE")
    view = recorded.show(until - 1)
    heard = view.locator("[aria-live=polite].jppl-visually-hidden").first
    recorded.page.evaluate(
        """event => {
          page.onEvent(event);
          window.seq = event.seq;
          tell('LOG_LINE', { run_id: 'chat', level: 'info', text: 'The target is target.', source: 'assistant' });
        }""",
        EVENTS[until - 1],
    )
    expect(heard).to_contain_text("The target is target.")
    expect(heard).to_contain_text("Data waits for your decision.")


def test_assets_that_could_not_be_had_come_with_the_connection(recorded: Recorded) -> None:
    view = recorded.show(gate("DATA_SOURCE"))
    expect(view.get_by_text("There is no data_source-2.sample.json.")).to_be_visible()
    recorded.page.evaluate("sample => Object.assign(assets, sample)", SAMPLE)
    recorded.page.evaluate("page.onStatusChange('reconnecting', {})")
    expect(view.get_by_text("Not connected")).to_be_visible()
    recorded.page.evaluate("page.onStatusChange('open', {})")
    expect(view.get_by_role("columnheader", name="mean radius")).to_be_visible()


def test_what_a_threshold_does_is_told_beside_it(recorded: Recorded) -> None:
    """By the curve of the run that is kept; of one that was not drawn nothing is told."""
    url = next(
        e["event"]["payload"]["data_url"]
        for e in EVENTS
        if e["event"]["name"] == "PRECISION_RECALL_CURVE_READY" and e["event"]["payload"]["run_id"] == "run-6-2-linear"
    )
    curve = {"precision": [0.4, 0.75, 0.9, 1.0], "recall": [1.0, 0.8, 0.35, 0.0], "threshold": [0.05, 0.2, 0.6, None]}
    view = recorded.show(gate("TRAIN"), {url.split("/")[-1]: {"curves": [curve]}})
    found, right = (
        "On the validation rows about {} % of the “malignant” are found",
        "about {} % of the rows called so are",
    )
    told = f"{found}, and {right} right."
    expect(view.get_by_text(told.format(80, 75))).to_be_visible()
    view.get_by_role("slider", name="Threshold").fill("0.5")
    expect(view.get_by_text(told.format(35, 90))).to_be_visible()
    view.get_by_role("slider", name="Threshold").fill("0.95")
    expect(view.get_by_text("On the validation rows no row is rightly called “malignant” then.")).to_be_visible()
    assert axe(recorded.page) == []
    view = recorded.show(gate("TRAIN"))
    expect(view.get_by_role("slider", name="Threshold")).to_be_visible()
    expect(view.get_by_text("On the validation rows about")).to_have_count(0)


PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
"""A PNG of one dot."""


def test_a_picture_that_could_not_be_had_comes_with_the_connection(recorded: Recorded) -> None:
    """A figure that has no numbers beside it is a picture alone."""
    view = recorded.show(gate("TRAIN"))
    recorded.tell("ROC_CURVE_READY", run_id=recorded.page.evaluate("model.bestRun"), asset_url="/assets/roc.png")
    figure = view.get_by_role("figure", name="ROC curve")
    expect(figure).to_contain_text("There is no roc.png.")
    # It can be asked for again, and comes by itself once a connection was opened since.
    figure.get_by_role("button", name="Try again").click()
    expect(figure).to_contain_text("There is no roc.png.")
    recorded.page.evaluate("page.onStatusChange('reconnecting', {})")
    expect(figure).to_contain_text("This could not be loaded; it comes when the connection is back.")
    recorded.page.evaluate(
        """text => {
          const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
          const { asset } = rest;
          rest.asset = async url => (url.endsWith('roc.png') ? new Blob([bytes], { type: 'image/png' }) : asset(url));
        }""",
        PICTURE,
    )
    recorded.page.evaluate("page.onStatusChange('open', {})")
    picture = figure.get_by_role("img", name="ROC curve")
    expect(picture).to_be_visible()
    assert picture.evaluate("e => e.decode().then(() => e.naturalWidth)") == 1


def test_what_could_not_be_sent_is_given_back_to_whoever_wrote_it(recorded: Recorded) -> None:
    """Also where it was written in an earlier page, which no part of this one remembers."""
    view = recorded.show(gate("DATA_SOURCE"))
    box = view.get_by_role("textbox", name="Message")
    box.fill("being written")
    recorded.page.evaluate(
        """['drop age', 'optimise recall'].forEach((text, i) => page.onError({
          type: 'error', code: 'DELETED', id: `old-${i}`, message: 'That was for a project that is gone.',
          original_message: { type: 'chat', text, id: `old-${i}` }
        }))"""
    )
    expect(box).to_have_value("being written\ndrop age\noptimise recall")
    expect(view.get_by_role("alert")).to_have_text("That was for a project that is gone.")
    assert recorded.sent == []


def test_a_second_click_does_not_send_twice(recorded: Recorded) -> None:
    chats = lambda: [m["text"] for m in recorded.sent if m["type"] == "chat"]  # noqa: E731
    # Two presses before there is an answer.
    view = recorded.show(0)
    example = view.get_by_role("button", name="Predict the species of the iris data.")
    other = view.get_by_role("button", name=re.compile("^Predict the price"))
    for button in (example, other):
        button.focus()
        button.press("Enter")
    assert chats() == ["Predict the species of the iris data."]
    # A double click with the answer between: it could be on another stage's button by now.
    view = recorded.show(len(EVENTS))
    recorded.tell("EDIT_SUGGESTIONS", suggestions=[{"title": "More", "why": "", "chat": "use twice the time"}])
    recorded.page.evaluate(
        """addEventListener('click', event => {
          const { text } = sent.at(-1) ?? {};
          if (text) tell('LOG_LINE', { run_id: 'chat', level: 'info', source: 'user', text });
        })"""
    )
    try_it = view.get_by_role("button", name="Try it")
    try_it.dblclick()
    assert chats() == ["use twice the time"]
    # Meant, it is sent again.
    recorded.page.wait_for_timeout(700)
    try_it.click()
    assert chats() == ["use twice the time"] * 2
    view = recorded.show(len(EVENTS), SAMPLE)
    predict = view.get_by_role("button", name="Predict", exact=True)
    recorded.page.evaluate(
        "() => { rest.predict = async rows => { predicted.push(rows); return { predictions: ['benign'] }; }; }"
    )
    predict.dblclick()
    expect(view.get_by_role("status").filter(has_text="benign")).to_be_visible()
    assert recorded.page.evaluate("predicted.length") == 1
    view = recorded.show(gate("DATA_SOURCE"))
    view.get_by_role("textbox", name="Message").fill("Why?")
    view.get_by_role("button", name="Send").dblclick()
    assert chats() == ["Why?"]
    # Of a gate that opens where the first click has confirmed another.
    view = recorded.show(gate("PROFILE_DATA"))
    recorded.page.evaluate(
        """events => addEventListener('click', () => {
          if (sent.at(-1)?.type === 'confirm') events.splice(0).forEach(page.onEvent);
        })""",
        EVENTS[gate("PROFILE_DATA") : gate("PREPROCESS")],
    )
    view.get_by_role("button", name="Confirm").dblclick()
    expect(view.get_by_role("heading", name="Preparation: your decision")).to_be_visible()
    assert [m["type"] for m in recorded.sent] == ["confirm"]
    # A run that is to be skipped.
    view = recorded.show(next(e["seq"] for e in EVENTS if e["event"]["name"] == "TRAIN_RUN_STARTED"))
    skip = view.get_by_role("button", name=re.compile("^Skip "))
    for _ in range(2):
        skip.focus()
        skip.press("Enter")
    assert len(recorded.sent) == 1


def test_changes_that_were_not_sent_are_there_when_the_page_is_loaded_again(recorded: Recorded) -> None:
    view = recorded.show(gate("PREPROCESS"))
    seed = view.get_by_role("spinbutton", name="Seed")
    one_change = view.get_by_text(re.compile("^1 change"))
    note = view.get_by_text("What you had changed before the page was loaded again is in the form.")
    expect(note).to_have_count(0)
    seed.fill("7")
    expect(one_change).to_be_visible()
    view = recorded.show(gate("PREPROCESS"))
    expect(seed).to_have_value("7")
    expect(one_change).to_be_visible()
    expect(note).to_be_visible()
    assert axe(recorded.page) == []
    # It goes on as if nothing had been between: the changes are sent.
    view.get_by_role("button", name="Apply changes").click()
    assert recorded.sent[-1]["args"]["patch"] == [{"op": "replace", "path": "/split/seed", "value": 7}]
    # By the next time somebody has confirmed that gate: they are of no use, and that is said once.
    gone = view.get_by_text("Changes that were not sent before the page was loaded again are gone")
    recorded.show(gate("MODEL_SELECT"))
    expect(gone).to_contain_text("Preparation")
    gone.locator("..").get_by_role("button", name="Close").click()
    expect(gone).to_have_count(0)
    view.locator("[data-stage=PREPROCESS] button").click()
    expect(seed).to_have_value("0")
    recorded.show(gate("MODEL_SELECT"))
    expect(gone).to_have_count(0)


def test_changes_that_were_undone_do_not_come_back(recorded: Recorded) -> None:
    view = recorded.show(gate("PREPROCESS"))
    view.get_by_role("spinbutton", name="Seed").fill("7")
    view.get_by_role("button", name="Undo").click()
    view = recorded.show(gate("PREPROCESS"))
    expect(view.get_by_role("spinbutton", name="Seed")).to_have_value("0")
    expect(view.get_by_text(re.compile("^1 change"))).to_have_count(0)


def test_a_model_that_is_taken_out_and_put_back_is_as_it_was(recorded: Recorded) -> None:
    view = recorded.show(gate("MODEL_SELECT") - 3)
    plan = {
        "models": [{"id": "dummy", "params": {}}, {"id": "linear", "params": {"l2": 0.5}}],
        "time_budget_s": 8.0, "metric": "recall", "trials": 2,
    }  # fmt: skip
    recorded.tell("PLAN_PROPOSED", stage_id="MODEL_SELECT", plan_json=plan, patch=[], reruns=[])
    recorded.tell("STAGE_STATUS", stage_id="MODEL_SELECT", status="WAITING_CONFIRMATION", message="")
    recorded.tell("WAITING_CONFIRMATION", stage_id="MODEL_SELECT", gate_id="g", summary="")
    box = view.get_by_role("checkbox", name=re.compile("^Linear"))
    box.uncheck()
    expect(view.get_by_text(re.compile("^1 change"))).to_be_visible()
    box.check()
    expect(view.get_by_text(re.compile("^1 change"))).to_have_count(0)


def test_at_a_gate_the_view_says_what_it_does_not_show(recorded: Recorded) -> None:
    """What is proposed stands in the form, and what a restart means is said to whoever is about to do it."""
    view = recorded.show(gate("PREPROCESS") - 1)
    summary = "360 rows to train.\n12 rows without a target are left out.\nA class is rare."
    recorded.tell("WAITING_CONFIRMATION", stage_id="PREPROCESS", gate_id="g", summary=summary)
    for remark in summary.split("\n")[1:]:
        expect(view.get_by_text(remark, exact=True)).to_be_visible()
    expect(view.get_by_text("360 rows to train.")).to_have_count(1)  # to a screen reader it is said
    expect(view.locator("article").get_by_text("360 rows to train.")).to_have_count(0)
    restart = view.get_by_role("button", name="Restart stage")
    means = "A restart runs Preparation again. Kept: Request, Data, Profile."
    expect(view.get_by_text(means)).to_be_hidden()
    expect(restart).to_have_accessible_description(means)
    restart.focus()
    expect(view.get_by_text(means)).to_be_visible()
    assert axe(recorded.page) == []


def test_every_data_set_that_was_found_can_be_chosen(recorded: Recorded) -> None:
    view = recorded.show(gate("DATA_SOURCE"))
    many = [
        {"id": f"workspace:{n}.csv", "name": f"{n}.csv", "source": "workspace", "desc": "", "meta": {}}
        for n in range(40)
    ]
    recorded.tell("DATASET_CANDIDATES", datasets=many)
    expect(view.get_by_role("radio")).to_have_count(12)
    view.get_by_text("28 more data sets").click()
    view.get_by_role("radio", name="36.csv").press("Space")
    view.get_by_role("radio", name="36.csv").press("ArrowDown")
    expect(view.get_by_role("radio", name="37.csv")).to_be_checked()
    expect(view.get_by_role("radio", name="37.csv")).to_be_focused()
    expect(view.get_by_text(re.compile("^1 change"))).to_be_visible()


def test_the_focus_stays_where_one_writes(recorded: Recorded) -> None:
    view = recorded.show(gate("DATA_SOURCE"))
    view.get_by_role("textbox", name="Message").fill("Why?")
    send = view.get_by_role("button", name="Send")
    send.focus()
    send.press("Enter")
    assert recorded.sent[-1] == {"type": "chat", "text": "Why?"}
    recorded.page.wait_for_timeout(100)
    assert recorded.page.evaluate("document.activeElement.closest('form') !== null")


def test_a_file_that_is_attached_again_takes_the_place_of_the_one_before(recorded: Recorded) -> None:
    view = recorded.show(gate("DATA_SOURCE"))
    for text in (b"a\n1\n", b"a\n2\n"):
        view.locator("input[type=file]").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": text})
    recorded.page.wait_for_function("uploads.length === 2")
    assert recorded.page.evaluate("uploads.map(u => u.signal.aborted)") == [True, False]
    recorded.page.evaluate("uploads[1].onProgress(0.5)")
    expect(view.get_by_role("progressbar", name="Uploading a.csv")).to_have_attribute("aria-valuenow", "50")
    recorded.page.evaluate("uploads[1].resolve({})")
    expect(view.get_by_text("is attached.")).to_have_count(1)


def test_whoever_has_logged_in_again_is_let_in(recorded: Recorded) -> None:
    view = recorded.show(gate("DATA_SOURCE"))
    recorded.page.evaluate("page.onStatusChange('denied', { reason: 'The server asks who you are.' })")
    expect(view.get_by_role("alert")).to_contain_text("The server asks who you are.")
    view.get_by_role("button", name="Try again").click()
    assert recorded.page.evaluate("connected") == 2
    recorded.page.evaluate("page.onStatusChange('open', {})")
    expect(view.get_by_role("heading", name="Data: your decision")).to_be_visible()


def test_changes_of_a_project_that_is_gone_are_gone_with_it(recorded: Recorded) -> None:
    view = recorded.show(gate("PREPROCESS"))
    view.get_by_role("spinbutton", name="Seed").fill("7")
    expect(view.get_by_text(re.compile("^1 change"))).to_be_visible()
    recorded.page.evaluate(
        """events => {
          page.onEvent({ ephemeral: true, event: { name: 'HELLO', payload: { epoch: 'two', seq: events.length } } });
          events.forEach(page.onEvent);
        }""",
        EVENTS[: gate("PREPROCESS")],
    )
    expect(view.get_by_role("spinbutton", name="Seed")).to_have_value("0")
    expect(view.get_by_text(re.compile("^1 change"))).to_have_count(0)


@pytest.mark.parametrize("stage", STAGES)
def test_on_a_narrow_screen_nothing_is_out_of_sight(recorded: Recorded, stage: str) -> None:
    view = recorded.show(len(EVENTS) if stage == "EXPORT" else gate(stage), SAMPLE)
    for width in (320, 400, 640):
        recorded.page.set_viewport_size({"width": width, "height": 640})
        # What is drawn follows within a picture or two.
        recorded.page.wait_for_function("e => e.scrollWidth <= e.clientWidth", arg=view.element_handle())
        out = view.evaluate(
            """root => [...root.querySelectorAll('button, input, select, textarea')].filter(e => {
              const { left, right, width } = e.getBoundingClientRect();
              return width > 1 && !e.closest('.jppl-scroll') && (left < 0 || right > innerWidth);
            }).map(e => e.outerHTML.slice(0, 120))"""
        )
        assert out == [], f"{stage} at {width}"
        assert axe(recorded.page) == [], f"{stage} at {width}"


AXES = """
async () => {
  const frame = () => new Promise(requestAnimationFrame);
  const root = document.querySelector('.jppl-root');
  const chart = document.querySelector('.jppl-large canvas:not(.jppl-canvas)');
  const { clearRect, fillText } = CanvasRenderingContext2D.prototype;
  let texts = [];
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    texts = this.canvas === chart ? [] : texts;
    return clearRect.apply(this, box);
  };
  CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    if (this.canvas === chart) texts.push(text);
    return fillText.call(this, text, ...place);
  };
  const [run] = model.runningRuns();
  const seen = [];
  for (let i = 1; i < 6; i++) {
    tell('METRIC_SCALAR', { run_id: run.runId, name: run.metric, split: 'val', step: 1000 * i, value: 10 * i });
    root.style.width = `${900 - 100 * i}px`;  // whose charts hear of it before it is their turn to draw
    for (let n = 0; n < 4; n++) await frame();
    const [now] = [texts];
    root.style.width = `${901 - 100 * i}px`;  // drawn anew, and nothing has grown
    for (let n = 0; n < 4; n++) await frame();
    seen.push([now, texts]);
  }
  return seen;
}
"""


def test_axes_are_those_of_curves_that_grew_as_the_room_for_them_changed(recorded: Recorded) -> None:
    first = next(e["seq"] for e in EVENTS if e["event"]["name"] == "METRIC_SCALAR")
    view = recorded.show(first + 60)
    expect(view.get_by_role("figure").first).to_be_visible()
    seen = recorded.page.evaluate(AXES)
    assert len({tuple(texts) for texts, _ in seen}) == len(seen)
    for texts, drawn_anew in seen:
        assert texts == drawn_anew


def test_the_loss_has_a_chart_of_its_own_only_where_another_metric_decides(recorded: Recorded) -> None:
    view = recorded.show(gate("TRAIN"))
    loss = view.get_by_role("figure", name="Loss", exact=True)
    expect(view.get_by_role("figure", name="Recall", exact=True)).to_be_visible()
    expect(loss).to_be_visible()
    by_loss = json.loads(json.dumps(EVENTS).replace('"recall"', '"log_loss"'))
    view = recorded.show(gate("TRAIN"), log=by_loss)
    expect(view.get_by_role("figure", name=re.compile("^Log loss"))).to_be_visible()
    expect(loss).to_have_count(0)


ROOM = """
async width => {
  document.querySelector('.jppl-root').style.width = `${width}px`;
  const list = document.querySelector('.jppl-lines');
  list.getBoundingClientRect();
  list.dispatchEvent(new Event('scroll'));  // as the browser does where it laid out, before its observers hear of it
  for (let n = 0; n < 4; n++) await new Promise(requestAnimationFrame);
  return list.scrollHeight - list.clientHeight - list.scrollTop;
}
"""


def test_the_end_of_the_conversation_stays_in_sight_when_its_room_changes(recorded: Recorded) -> None:
    view = recorded.show(gate("TRAIN"))
    answer = "\n".join(f"Model {n}: it says in a sentence of some length why it may be good." for n in range(30))
    recorded.tell("LOG_LINE", run_id="chat", source="assistant", text=answer, level="info")
    expect(view.get_by_role("list", name="Conversation")).to_contain_text("Model 29")
    for width in (600, 360, 1200, 420, 900):
        assert recorded.page.evaluate(ROOM, width) < 2, f"at {width}"
    # Who reads what was said before is left there.
    conversation = view.get_by_role("list", name="Conversation")
    conversation.evaluate("e => e.scrollTo(0, 0)")
    recorded.page.wait_for_timeout(100)
    assert recorded.page.evaluate(ROOM, 500) > 24


def test_of_a_long_log_the_gate_is_there_before_it_is_read(recorded: Recorded) -> None:
    """What the server says of the project is shown first, and what was begun there goes on when the log is read."""
    head, n = 40_000, gate("PREPROCESS")
    waits = EVENTS[n - 1]["event"]["payload"]
    proposed = next(e["event"]["payload"] for e in reversed(EVENTS[:n]) if e["event"]["name"] == "PLAN_PROPOSED")
    later = {"status": "PENDING", "plan_json": None, "plan_id": "", "attempt": 0, "started_ts": None, "ended_ts": None}
    stages = [stage | later if stage["index"] > 3 else stage for stage in STATE["stages"]]
    stages[3] |= {"status": "WAITING_CONFIRMATION", "approved": False}
    stages[3] |= {key: proposed[key] for key in ("plan_json", "plan_id")}
    opened = {key: waits[key] for key in ("stage_id", "gate_id", "summary")}
    nothing: dict[str, Any] = {"runs": [], "leaderboard": [], "best_model": None, "export": None, "artifacts": []}
    state = STATE | nothing | {"epoch": "one", "seq": head, "stages": stages, "waiting_confirmation": opened}
    state["current_stage"] = "PREPROCESS"
    recorded.page.goto(f"{recorded.site}/index.html")
    recorded.page.evaluate(MOUNT, [head, {"state": state}])
    view = recorded.root
    expect(view.get_by_role("heading", name="Preparation: your decision")).to_be_visible()
    expect(view.get_by_text("The history is still being read: 0 of 40,000 events.")).to_be_visible()
    expect(view).to_have_attribute("aria-busy", "false")  # for what is shown can be worked with
    expect(view.get_by_role("button", name="Confirm")).to_be_enabled()
    assert axe(recorded.page) == []
    assert recorded.sent == [{"type": "resume", "since": head, "epoch": "one"}]
    seed = view.get_by_role("spinbutton", name="Seed")
    seed.fill("7")
    recorded.page.evaluate("events => bring(events)", EVENTS[:n])
    expect(view.get_by_text(f"The history is still being read: {n} of 40,000 events.")).to_be_visible()
    # A page that cannot be had is asked for again.
    recorded.page.evaluate("refuse(Object.assign(new Error('too many'), { retryAfterMs: 50 }))")
    recorded.page.wait_for_function("asked.length === 3")
    assert recorded.page.evaluate("asked.map(query => query.since)") == [0, n, n]
    recorded.page.evaluate("bring([], 40_000)")
    expect(view.get_by_text("The history is still being read")).to_have_count(0)
    expect(view.get_by_role("list", name="Conversation").get_by_role("listitem").first).to_be_visible()
    expect(seed).to_have_value("7")
    expect(seed).to_be_focused()
    view.get_by_role("button", name="Apply changes").click()
    assert recorded.sent[-1]["args"]["patch"] == [{"op": "replace", "path": "/split/seed", "value": 7}]


def test_a_wheel_over_a_number_does_not_change_it(recorded: Recorded) -> None:
    view = recorded.show(gate("PREPROCESS"))
    box = view.get_by_role("spinbutton", name="Test, in %")
    box.click()
    recorded.page.mouse.wheel(0, 400)
    recorded.page.wait_for_timeout(300)
    expect(box).to_have_value("20")


def test_who_wants_no_motion_sees_none(recorded: Recorded) -> None:
    """A stage at work, how far it is unknown: it turns and slides, but not for everybody."""
    view = recorded.show(gate("DATA_SOURCE") + 3)
    expect(view.locator('[data-stage="PROFILE_DATA"]')).to_have_attribute("data-status", "IN_PROGRESS")
    moving = "document.getAnimations().filter(a => a.playState === 'running').length"
    recorded.page.wait_for_function(f"{moving} > 0")
    recorded.page.emulate_media(reduced_motion="reduce")
    recorded.page.wait_for_function(f"{moving} === 0")


def test_a_widget_that_no_kernel_answers_shows_what_was_saved(recorded: Recorded) -> None:
    """As on a page that was made of a notebook with the state of its widgets: what it asks nobody hears."""
    recorded.page.goto(f"{recorded.site}/index.html")
    recorded.page.evaluate(
        """async () => {
          const state = { project_id: 'kept', epoch: '', snapshot: '<b>Data waits for you</b>' };
          window.heard = {};
          const on = (name, callback) => (heard[name] = callback);
          const model = { get: name => state[name], on, off: () => 0, send: ({ client }) => (window.client = client) };
          await (await import('./widget.js')).default.render({ model, el: document.body });
        }"""
    )
    saved = recorded.page.get_by_text("Data waits for you")
    expect(saved).to_be_visible()
    expect(recorded.root).to_be_hidden()
    # Where one does, it is live.
    payload = {"epoch": "e", "seq": 0, "resumed": False, "server_version": ""}
    hello = {"kind": "hello", "frame": {"ephemeral": True, "seq": 0, "event": {"name": "HELLO", "payload": payload}}}
    recorded.page.evaluate("hello => heard['msg:custom']({ client, ...hello }, [])", hello)
    expect(recorded.root.get_by_role("textbox", name="Message")).to_be_visible()
    expect(saved).to_have_count(0)


def test_what_is_closed_leaves_nothing_behind(recorded: Recorded, page: Page, console: Console) -> None:
    """Mounted and disposed again and again, the page has no more listeners and elements than before."""
    recorded.show(gate("TRAIN"))
    devtools = page.context.new_cdp_session(page)

    def counted() -> dict[str, int]:
        devtools.send("HeapProfiler.collectGarbage")
        found = devtools.send("Memory.getDOMCounters")
        return {"nodes": found["nodes"], "listeners": found["jsEventListeners"]}

    def again(times: int) -> dict[str, int]:
        for _ in range(times):
            page.evaluate("mounted.dispose()")
            page.evaluate(MOUNT, [gate("TRAIN"), {}])
            page.evaluate("events => { events.forEach(page.onEvent); }", EVENTS[: gate("TRAIN")])
            page.wait_for_timeout(60)
        return counted()

    first = again(20)  # one that was closed is kept by the browser, but not yet after a few
    then = again(20)
    print(first, then)
    assert then["listeners"] <= first["listeners"] + 10
    assert then["nodes"] <= first["nodes"] * 1.2
