"""A project about customers who leave, as an agent is told of it at each stage."""

from typing import Any

import jsonpatch
import msgspec

from jupyter_pipeline.agent.base import AtWork, Change, Confusion, Context, Measured, Reply
from jupyter_pipeline.agent.rules import RuleAgent
from jupyter_pipeline.automl.models import MODELS
from jupyter_pipeline.protocol.events import Dataset, LeaderboardRow, ModelCandidate
from jupyter_pipeline.protocol.plans import PLAN_TYPES
from jupyter_pipeline.protocol.stages import STAGES, StageId, StageStatus

COLUMNS = {
    "age": "numeric",
    "tenure": "numeric",
    "city": "onehot",
    "hours-per-week": "numeric",
    "signup_date": "datetime",
    "customer_id": "drop",
    "notes": "text",
    "City/Town": "onehot",
    "Exited": "drop",
}
PLANS: dict[StageId, dict[str, Any]] = {
    StageId.PARSE_INTENT: {"target": "churn"},
    StageId.DATA_SOURCE: {
        "dataset_id": "upload:customers.csv",
        "target": "Exited",
        "task_type": "binary",
        "metric": "roc_auc",
        "positive_class": "1",
    },
    StageId.PROFILE_DATA: {
        "roles": {c: {"Exited": "target", "customer_id": "id"}.get(c, "feature") for c in COLUMNS},
        "treatments": {},
    },
    StageId.PREPROCESS: {
        "split": {"strategy": "stratified"},
        "columns": {c: t for c, t in COLUMNS.items() if t != "drop"},
    },
    StageId.MODEL_SELECT: {
        "models": [
            {"id": "dummy"},
            {"id": "linear"},
            {"id": "lightgbm", "params": {"learning_rate": 0.05}},
            {"id": "xgboost"},
        ],
        "time_budget_s": 300,
        "metric": "roc_auc",
        "trials": 5,
    },
    StageId.TRAIN: {"keep": "run-6-1-lightgbm", "threshold": 0.4},
    StageId.REVIEW_EDIT: {},
}
INTENT, DATA, PROFILE, PREPROCESS, SELECT, TRAIN, REVIEW, EXPORT = STAGES
TREES = ["random_forest", "extra_trees", "hist_gradient_boosting", "lightgbm", "xgboost", "catboost"]
RUNS = ("lightgbm", "xgboost", "linear")
KINDS = {"numeric": "integer", "onehot": "categorical", "text": "text", "datetime": "datetime", "drop": "id"}
MEASURED = {
    StageId.PROFILE_DATA: Measured(
        rows=1000,
        columns={
            c: {"kind": KINDS[t], "dtype": "Int64", "missing": 120 if c == "age" else 0, "n_unique": 40, "mean": 38.5}
            for c, t in COLUMNS.items()
        },
        classes={"0": 800, "1": 200},
    ),
    StageId.PREPROCESS: Measured(parts={"train": 600, "val": 200, "test": 200}),
    StageId.TRAIN: Measured(
        scores={
            f"run-6-{i}-{m}": {"val": {"roc_auc": 0.9 - i / 10, "accuracy": 0.95 - i / 10}}
            for i, m in enumerate(RUNS, start=1)
        },
        importance={"tenure": 0.12, "age": 0.05, "city": 0.01, "notes": 0.0},
        importance_of="roc_auc",
        seconds={StageId.TRAIN: 95.0},
    ),
    StageId.REVIEW_EDIT: Measured(
        scores={"run-6-1-lightgbm": {"test": {"roc_auc": 0.78, "accuracy": 0.82}}},
        intervals={"roc_auc": (0.74, 0.82)},
        confusion=Confusion(run_id="run-6-1-lightgbm", split="test", classes=("0", "1"), matrix=((140, 20), (16, 24))),
    ),
}
"""What each stage adds to what was measured."""


def plan_at(stage: StageId) -> dict[str, Any]:
    """A stage's plan as the conductor keeps it."""
    value: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(msgspec.convert(PLANS[stage], PLAN_TYPES[stage])))
    return value


def measured_at(stage: StageId) -> Measured:
    """What was measured when a stage waits for its confirmation."""
    found: dict[str, Any] = {}
    for known in (MEASURED[s] for s in STAGES[: stage.order + 1] if s in MEASURED):
        for member, value in msgspec.structs.asdict(known).items():
            if member == "scores":
                before = found.get(member, {})
                found[member] = before | {run: before.get(run, {}) | splits for run, splits in value.items()}
            elif value:
                found[member] = value
    return Measured(**found)


def context_at(stage: StageId, status: StageStatus = StageStatus.WAITING_CONFIRMATION, task: str = "binary") -> Context:
    """The project when it is at a stage."""
    waiting = status is StageStatus.WAITING_CONFIRMATION
    plans = {s: plan_at(s) for s in STAGES[: stage.order + 1] if s in PLANS and (s is not stage or waiting)}
    trained = stage.order >= StageId.TRAIN.order
    return Context(
        current_stage=stage,
        status=status,
        plans=plans,
        columns=tuple(COLUMNS) if stage.order else (),
        models=tuple(
            ModelCandidate(id=m.id, name=m.name, family=m.family, why=m.why, params=m.defaults) for m in MODELS.values()
        )
        if stage.order >= StageId.MODEL_SELECT.order
        else (),
        datasets=(
            Dataset(id="upload:customers.csv", name="customers.csv", source="upload", desc=""),
            Dataset(id="workspace:data/other.parquet", name="other.parquet", source="workspace", desc=""),
            Dataset(id="sklearn:iris", name="iris", source="bundled", desc=""),
            Dataset(
                id="upload:book.xlsx",
                name="book.xlsx",
                source="upload",
                desc="",
                meta={"sheets": ["Summary", "Sales 2024", "Q1-2025"]},
            ),
        )
        if stage.order
        else (),
        leaderboard=tuple(
            LeaderboardRow(
                run_id=f"run-6-{i}-{m}", model=m, params={}, metric=0.9 - i / 10, runtime_s=1.0, status="success"
            )
            for i, m in enumerate(RUNS, start=1)
        )
        if trained
        else (),
        best_run="run-6-1-lightgbm" if trained else None,
        task_type=task if stage.order else None,
        measured=measured_at(stage if waiting or not stage.order else STAGES[stage.order - 1]),
        at_work=AtWork(seconds=19.4, model="xgboost", eta_s=5.8, begun=frozenset({"dummy", "linear", "xgboost"}))
        if status is StageStatus.IN_PROGRESS and stage is StageId.TRAIN
        else AtWork(seconds=19.4)
        if status is StageStatus.IN_PROGRESS
        else None,
    )


def applied(reply: Reply, context: Context) -> dict[StageId, dict[str, Any]]:
    """The plans after a reply's changes; every one must be a valid plan in its canonical form."""
    plans = dict(context.plans)
    for action in reply.actions:
        if isinstance(action, Change):
            assert action.patch
            assert action.stage_id.order <= context.current_stage.order
            new = jsonpatch.apply_patch(plans[action.stage_id], list(action.patch))
            assert new != plans[action.stage_id]
            msgspec.convert(new, PLAN_TYPES[action.stage_id])
            plans[action.stage_id] = new
    return plans


def ask(
    text: str, stage: StageId, status: StageStatus = StageStatus.WAITING_CONFIRMATION, task: str = "binary"
) -> tuple[Reply, dict[StageId, dict[str, Any]]]:
    """The reply, and the plans after its changes."""
    context = context_at(stage, status, task)
    before = msgspec.json.encode(context)
    reply = RuleAgent().respond(text, context)
    assert msgspec.json.encode(context) == before
    assert reply.text
    return reply, applied(reply, context)


def changes(text: str, stage: StageId, expected: dict[str, Any]) -> None:
    """A sentence changes these members of plans, by their paths, and does nothing else; of an object those named."""
    reply, _ = ask(text, stage)
    done: dict[str, Any] = {}
    for action in reply.actions:
        assert isinstance(action, Change)
        done |= {op["path"]: op["value"] for op in action.patch}
    assert done.keys() == expected.keys()
    for path, value in expected.items():
        found = done[path]
        assert ({name: found[name] for name in value} if isinstance(value, dict) else found) == value


def ids(plans: dict[StageId, dict[str, Any]]) -> list[str]:
    """The models of MODEL_SELECT's plan."""
    return [m["id"] for m in plans[SELECT]["models"]]


def sentences(block: str) -> list[str]:
    """The sentences of a block, one after each bar or line."""
    found = [s.strip().replace("\\n", "\n") for line in block.splitlines() for s in line.split(" | ")]
    return [s for s in found if s]


def params(plans: dict[StageId, dict[str, Any]], model: str) -> dict[str, Any]:
    """The parameters of a model in MODEL_SELECT's plan."""
    found: dict[str, Any] = next(m["params"] for m in plans[SELECT]["models"] if m["id"] == model)
    return found
