"""What the display shows, from events as they come over the wire."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from jupyter_pipeline.client import render, tables
from jupyter_pipeline.client.curves import MAX_POINTS, lines_of, panel
from jupyter_pipeline.client.errors import PipelineError, project_deleted
from jupyter_pipeline.client.model import Model, Run
from jupyter_pipeline.client.session import Session
from jupyter_pipeline.protocol.events import (
    BestMetric,
    BestModelUpdated,
    Dataset,
    DatasetCandidates,
    FinalMetric,
    FinalMetrics,
    LeaderboardRow,
    LeaderboardUpdated,
    LogLine,
    MetricScalar,
    ModelCandidate,
    ModelCandidates,
    PlanProposed,
    ProfileSummary,
    StageStatusEvent,
    TrainProgress,
    TrainRunFinished,
    TrainRunStarted,
    User,
    WaitingConfirmation,
)
from jupyter_pipeline.protocol.frames import Event, encode_event, stage_ref
from jupyter_pipeline.protocol.stages import StageId, StageStatus

from .github import sanitised

RECORDED = Path(__file__).parents[2] / "labextension" / "test" / "binary.events.json.gz"
EVIL = "<script>alert('x')</script>"


class Feed:
    """Numbers events, encodes them as the server does, and lets a model hear them."""

    def __init__(self):
        self.model = Model()
        self.model.hello("e1", 0, {})
        self.model.status("connected")
        self.stage = stage_ref(StageId.PARSE_INTENT, StageStatus.PENDING)
        self.seq = 0

    def __call__(self, payload):
        self.seq += 1
        event = Event(seq=self.seq, ts=1, stage=self.stage, payload=payload)
        self.model.event(json.loads(encode_event("demo", event)))
        return event

    def status(self, stage, status, message="", **more):
        self(StageStatusEvent(stage_id=stage, status=status, message=message, **more))

    def gate(self, stage, plan, summary="What is proposed."):
        self(PlanProposed(stage_id=stage, plan_json=plan, plan_id=f"p{self.seq}"))
        self.status(stage, StageStatus.WAITING_CONFIRMATION, summary)
        self(
            WaitingConfirmation(
                stage_id=stage, summary=summary, next_actions=("confirm",), gate_id=f"g{self.seq}", digest="d"
            )
        )


@pytest.fixture
def feed():
    return Feed()


class _Checker(HTMLParser):
    VOID = {"br", "img"}

    def __init__(self):
        super().__init__()
        self.open = []
        self.tags = set()
        self.text = []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        self.text.append(dict(attrs).get("alt", ""))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(html):
    checker = _Checker()
    checker.feed(html)
    assert checker.open == []
    # What GitHub leaves as it is; of other elements it shows the words alone.
    assert checker.tags <= {"div", "span", "b", "code", "table", "thead", "tbody", "tr", "th", "td", "br", "img"}
    return " ".join("".join(checker.text).split())


def pictures(html):
    """The curves, as SVG."""
    return [base64.b64decode(found).decode() for found in re.findall('data:image/svg[+]xml;base64,([^"]+)"', html)]


PLANS = {
    StageId.PARSE_INTENT: {
        "task_type": "binary",
        "target": EVIL,
        "metric": "recall",
        "time_budget_s": 120.0,
        "prefer": "balanced",
        "dataset": None,
        "include_models": ["random_forest"],
        "exclude_models": ["mlp"],
        "not_understood": ["make it pretty"],
    },
    StageId.DATA_SOURCE: {
        "dataset_id": "upload-1",
        "target": "churn",
        "task_type": "binary",
        "metric": "recall",
        "positive_class": "yes",
        "data_sha256": "ab" * 32,
    },
    StageId.PROFILE_DATA: {"roles": {"churn": "target", "id": "id", EVIL: "feature", "age": "feature", "z": "ignore"}},
    StageId.PREPROCESS: {
        "split": {"strategy": "stratified", "column": None, "val_fraction": 0.2, "test_fraction": 0.2, "seed": 0},
        "columns": {"age": "numeric", EVIL: "onehot", "zip": "drop"},
    },
    StageId.MODEL_SELECT: {
        "models": [{"id": "lightgbm", "params": {"learning_rate": 0.05}}, {"id": "linear", "params": {}}],
        "time_budget_s": 600.0,
        "metric": "recall",
        "trials": 1,
    },
    StageId.TRAIN: {"keep": "run-1-1-linear", "threshold": 0.37},
    StageId.REVIEW_EDIT: {
        "report": True,
        "notebook": True,
        "training_code": True,
        "event_log": False,
        "sample_rows": 5,
    },
}
NAMES = ModelCandidates(
    models=(
        ModelCandidate(id="linear", name="Linear model", family="linear", why=""),
        ModelCandidate(id="lightgbm", name="LightGBM", family="gradient boosting", why=""),
    )
)
SAYS = {
    StageId.PARSE_INTENT: [
        "binary classification",
        "at most 2 min",
        "Not understood",
        "make it pretty",
        "Random forest",
        "mlp",
    ],
    StageId.DATA_SOURCE: ["customers.csv (upload)", "yes", "abababababab"],
    StageId.PROFILE_DATA: ["Features (2)", "Identifiers", "Left out", f"{EVIL} tells all", "Beware of the dog"],
    StageId.PREPROCESS: [
        "at random, each class with its share: 60% training, 20% validation, 20% test",
        "As numbers",
        "Left out",
    ],
    StageId.MODEL_SELECT: ["LightGBM", "learning_rate = 0.05", "default parameters", "at most 10 min"],
    StageId.TRAIN: ["Linear model (run-1-1-linear)", "0.37"],
    StageId.REVIEW_EDIT: ["the model and predict.py, the report", "the event log"],
}


@pytest.mark.parametrize("stage", list(PLANS))
def test_gates_are_readable(feed, stage):
    feed(DatasetCandidates(datasets=(Dataset(id="upload-1", name="customers.csv", source="upload", desc=""),)))
    feed(NAMES)
    feed(TrainRunStarted(run_id="run-1-1-linear", model_id="linear", metric_primary="recall", config={}))
    warnings = (f"{EVIL} tells all", "Beware of the dog")
    feed(ProfileSummary(n_rows=9, n_cols=5, missing_pct=0.0, types_breakdown={"numeric": 5}, warnings=warnings))
    feed.gate(stage, PLANS[stage])
    said = read(render.page("churn", feed.model))
    for words in SAYS[stage]:
        assert words in said
    assert "waits for you" in said
    assert stage.value not in said
    assert "{" not in said
    assert "null" not in said
    assert "None" not in said
    text = render.text("churn", feed.model)
    assert SAYS[stage][0] in text
    for shown in (said, text):
        assert ("Beware of the dog" in shown) == (stage is StageId.PROFILE_DATA)


def train(feed, model="linear", n=200, attempt=1):
    run_id = f"run-{attempt}-1-{model}"
    feed(TrainRunStarted(run_id=run_id, model_id=model, metric_primary="recall", config={}))
    for step in range(1, n + 1):
        feed(MetricScalar(run_id=run_id, name="recall", split="train", step=step, value=step / n))
        feed(MetricScalar(run_id=run_id, name="recall", split="val", step=step, value=None if step == 1 else 0.5))
    feed(TrainProgress(run_id=run_id, epoch=1, epochs=1, step=1, steps=10, pct=0.4, eta_s=12.0, phase="fit"))
    return run_id


def test_training_curves_and_leaderboard(feed):
    feed(NAMES)
    feed.status(StageId.TRAIN, StageStatus.IN_PROGRESS, "Training.")
    run_id = train(feed)
    page = render.page("churn", feed.model)
    said = read(page)
    assert "Linear model: fits, 40%, about 12 s to go" in said
    assert "val 0.5000" in said
    assert "train 1.0000" in said
    (picture,) = pictures(page)
    lines = re.findall('points="([^"]+)"', picture)
    assert len(lines) == 2
    assert all(len(points.split()) <= MAX_POINTS for points in lines)
    assert len(page) < 12_000
    feed(
        TrainRunFinished(
            run_id=run_id,
            status="success",
            final_metrics=FinalMetrics(
                task_type="binary", primary="recall", metrics=(FinalMetric(name="recall", split="val", value=0.5),)
            ),
        )
    )
    row = LeaderboardRow(run_id=run_id, model=EVIL, params={}, metric=0.5, runtime_s=3.0, status="success")
    feed(LeaderboardUpdated(rows=(row,)))
    feed(BestModelUpdated(run_id=run_id, model_id="linear", metric=BestMetric(name="recall", split="val", value=0.5)))
    said = read(render.page("churn", feed.model))
    assert "Recall (validation)" in said
    assert f"★ {EVIL}" in said
    board = tables.leaderboard(feed.model)
    assert board.columns.tolist() == ["run_id", "model", "metric", "runtime_s", "status", "params"]
    assert "Recall (validation)" in board.to_html()
    failed = LeaderboardRow(
        run_id="r2", model="xgboost", params={}, metric=None, runtime_s=1.0, status="failed", reason="no memory"
    )
    feed(LeaderboardUpdated(rows=(row, failed)))
    assert tables.leaderboard(feed.model)["reason"].fillna("").tolist() == ["", "no memory"]
    # What goes on by itself after its process was lost has what was finished; a restart begins with an empty board.
    feed.status(StageId.TRAIN, StageStatus.IN_PROGRESS, "Trying once more.", retry=True)
    assert [done["run_id"] for done in feed.model.leaderboard] == [row.run_id]
    assert f"★ {EVIL}" in read(render.page("churn", feed.model))
    by = User(username="ada", name="Ada")
    feed.status(StageId.TRAIN, StageStatus.IN_PROGRESS, "TRAIN runs again.", by=by)
    assert "★" not in read(render.page("churn", feed.model))
    feed(LeaderboardUpdated(rows=(row,)))
    assert f"★ {EVIL}" in read(render.page("churn", feed.model))
    assert pictures(render.page("churn", feed.model))


@pytest.mark.parametrize("pictures", [True, False])
def test_what_github_leaves_of_the_page_says_the_same(pictures):
    """A whole job as it was recorded: at each gate, and at the end."""
    model = Model()
    model.hello("e", 0, {})
    tables = []
    for event in json.loads(gzip.decompress(RECORDED.read_bytes())):
        model.event(event)
        if event["event"]["name"] in ("WAITING_CONFIRMATION", "EXPORT_READY"):
            page = render.page("binary", model)
            left = sanitised(page, pictures)
            assert "style" not in left
            assert read(left) == read(page)
            tables.append([re.sub("<[^>]+>", " ", row).split() for row in re.findall("<tr>(.*?)</tr>", left)])
    assert len(tables) == 8
    assert ["Recall", "0.9655"] in tables[-1]
    assert ["★", "Linear", "model", "1.0000", "4.03", "s", "done", "run-6-2-linear"] in tables[-1]


def test_results_are_those_of_the_model_that_is_kept(feed):
    feed.status(StageId.TRAIN, StageStatus.IN_PROGRESS, "Training.")
    train(feed)
    accuracy = FinalMetric(name="accuracy", split="test", value=0.75)
    tested = FinalMetrics(task_type="binary", primary="recall", metrics=(accuracy,))
    feed.status(StageId.REVIEW_EDIT, StageStatus.IN_PROGRESS, "Evaluating.")
    assert "test rows" not in read(render.page("churn", feed.model))
    feed(TrainRunStarted(run_id="final-7", model_id="linear", metric_primary="recall", config={}))
    feed(TrainRunFinished(run_id="final-7", status="success", final_metrics=tested))
    assert "Results on the test rowsAccuracy0.7500" in read(render.page("churn", feed.model))
    feed.status(StageId.REVIEW_EDIT, StageStatus.PENDING, "")
    assert "test rows" not in read(render.page("churn", feed.model))
    again = {"attempt": 7, "reused": True}
    feed.status(StageId.REVIEW_EDIT, StageStatus.IN_PROGRESS, "Its earlier result serves again.", **again)
    assert "Results on the test rowsAccuracy0.7500" in read(render.page("churn", feed.model))


def test_what_somebody_stopped_has_not_failed(feed):
    session = Session.__new__(Session)
    session.project_id, session.model = "churn", feed.model
    feed.status(StageId.TRAIN, StageStatus.IN_PROGRESS, "Training.")
    user = User("ada", "Ada")
    feed(StageStatusEvent(stage_id=StageId.TRAIN, status=StageStatus.FAILED, message="Cancelled by Ada.", by=user))
    assert repr(session) == "<Pipeline 'churn': Training was stopped>"
    with pytest.raises(PipelineError, match=r"^The stage Training was stopped\. Cancelled by Ada\.$"):
        session._arrived("TRAIN")
    feed.status(StageId.TRAIN, StageStatus.FAILED, "No model could be trained.")
    assert repr(session) == "<Pipeline 'churn': Training has failed>"
    with pytest.raises(PipelineError, match=r"^The stage Training failed: No model could be trained\.$"):
        session._arrived("TRAIN")


def test_curves_of_odd_values():
    run = Run("r", "m", "rmse")
    assert lines_of(run) == {}
    run.series[("rmse", "val")] = ([1], [2.0])
    assert "<circle" in pictures(panel(run, lines_of(run), 1.9, 2.1, best=False))[0]
    run.series[("rmse", "val")] = ([1, 2], [float("nan"), None])
    assert lines_of(run) == {}


def test_how_things_stand(feed):
    assert "What should be predicted?" in read(render.page("churn", feed.model))
    feed(LogLine(run_id="chat", level="info", text=EVIL, source="user"))
    feed.status(StageId.PARSE_INTENT, StageStatus.IN_PROGRESS, "Reading the request.")
    said = read(render.page("churn", feed.model))
    assert "Reading the request." in said
    assert f"You: {EVIL}" in said
    feed(LogLine(run_id="chat", level="info", text="and so on " * 2000, source="user"))
    assert len(render.page("churn", feed.model)) < 12_000
    feed.status(StageId.PARSE_INTENT, StageStatus.FAILED, f"No target {EVIL}.")
    assert f"No target {EVIL}." in read(render.page("churn", feed.model))
    feed.model.status("reconnecting")
    assert "Nothing is lost" in read(render.page("churn", feed.model))


def test_a_project_that_was_deleted_waits_for_nobody(feed):
    feed.gate(StageId.PARSE_INTENT, PLANS[StageId.PARSE_INTENT])
    gone = project_deleted("churn")
    feed.model.status("closed", str(gone), gone.code)
    for said in (read(render.page("churn", feed.model)), render.text("churn", feed.model)):
        assert "This project was deleted" in said
        assert "waits for you" not in said
        assert "at most 2 min" not in said


def test_heard_twice_counts_once(feed):
    feed.status(StageId.TRAIN, StageStatus.IN_PROGRESS)
    train(feed, n=3)
    frame = {"seq": 3, "event": {"name": "METRIC_SCALAR", "payload": {"run_id": "run-1-1-linear"}}}
    feed.model.event(frame)
    assert len(feed.model.runs["run-1-1-linear"].series[("recall", "val")][0]) == 3
    # Another log under the same name: all is forgotten.
    feed.model.hello("e2", 0, {})
    assert feed.model.seq == 0
    assert feed.model.runs == {}


def test_what_is_closed_stays_closed(feed):
    """Whatever the thread of the connection still has to say."""
    feed.model.status("closed", "The project was deleted.", "NOT_FOUND")
    feed.model.status("reconnecting")
    assert (feed.model.connection, feed.model.reason) == ("closed", "The project was deleted.")
