"""What a gate proposes, in words and tables instead of JSON."""

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from ..protocol.names import PREFERENCE_NAMES, STRATEGY_NAMES, member_name, metric_name, named, task_name
from ..protocol.stages import StageId
from .model import Gate, Model
from .style import CELL, HEAD, TABLE

MAX_NAMES = 30
"""Names in one line; of more it says how many there are."""

BUNDLE = {
    "report": "the report",
    "notebook": "the executed notebook",
    "training_code": "the training code",
    "event_log": "the event log",
}
ROLES = {"feature": "Features", "target": "Target", "id": "Identifiers", "time": "Time", "group": "Groups"}
TREATMENTS = {
    "numeric": "As numbers",
    "onehot": "One column for each category",
    "ordinal": "As ordered categories",
    "target_encode": "Encoded by the target",
    "text": "As text",
    "datetime": "As dates",
    "boolean": "As yes or no",
    "drop": "Left out",
}

Facts = list[tuple[str, str]]


def facts(gate: Gate, model: Model) -> Facts:
    """The proposal as labels and values, plain text."""
    special: dict[StageId, Callable[[dict[str, Any], Model], Facts]] = {
        StageId.PROFILE_DATA: _profile,
        StageId.PREPROCESS: _preprocess,
        StageId.MODEL_SELECT: _models,
        StageId.REVIEW_EDIT: _review,
    }
    return special.get(gate.stage_id, _members)(gate.plan, model)


def table(rows: Facts) -> str:
    """Labels and values as an HTML table."""
    body = "".join(
        f'<tr><th style="{HEAD};white-space:nowrap">{escape(label)}</th><td style="{CELL}">{escape(value)}</td></tr>'
        for label, value in rows
    )
    return f'<table style="{TABLE}">{body}</table>'


def duration(seconds: float) -> str:
    """A time span for people."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 7200:
        return f"{seconds / 60:.3g} min"
    return f"{seconds / 3600:.3g} h"


def _members(plan: dict[str, Any], model: Model) -> Facts:
    rows: Facts = []
    for key, value in plan.items():
        if value is None or value in ([], {}, ""):
            continue
        rows.append((member_name(key), _value(key, value, model)))
    return rows


def _value(key: str, value: Any, model: Model) -> str:
    if key == "task_type":
        return task_name(str(value))
    if key == "metric":
        return metric_name(str(value))
    if key == "prefer":
        return named(PREFERENCE_NAMES, str(value))
    if key == "time_budget_s":
        return f"at most {duration(float(value))}"
    if key == "dataset_id":
        dataset = model.datasets.get(str(value))
        return f"{dataset['name']} ({dataset['source']})" if dataset else str(value)
    if key in ("include_models", "exclude_models"):
        return _names(model.name_of(model_id) for model_id in value)
    if key == "keep":
        run = model.runs.get(str(value))
        return f"{model.name_of(run.model_id)} ({value})" if run else str(value)
    if key == "data_sha256":
        return f"{str(value)[:12]}… (SHA-256)"
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} = {_plain(member)}" for key, member in value.items())
    if isinstance(value, list | tuple):
        return _names(_plain(member) for member in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _names(names: Iterable[str]) -> str:
    found = list(names)
    more = f" and {len(found) - MAX_NAMES} more" if len(found) > MAX_NAMES else ""
    return ", ".join(found[:MAX_NAMES]) + more


def _grouped(members: dict[str, str], labels: dict[str, str]) -> Facts:
    kinds = [*labels, *(kind for kind in dict.fromkeys(members.values()) if kind not in labels)]
    rows: Facts = []
    for kind in kinds:
        names = [name for name, value in members.items() if value == kind]
        if names:
            label = labels.get(kind, kind)
            rows.append((label if len(names) == 1 else f"{label} ({len(names)})", _names(names)))
    return rows


def _profile(plan: dict[str, Any], model: Model) -> Facts:
    seen = [("Warning", text) for text in model.warnings]
    return [*_grouped(plan.get("roles", {}), ROLES | {"ignore": "Left out"}), *seen]


def _preprocess(plan: dict[str, Any], model: Model) -> Facts:
    split = plan.get("split", {})
    val, test = float(split.get("val_fraction", 0)), float(split.get("test_fraction", 0))
    by = f" by {split['column']}" if split.get("column") else ""
    strategy = named(STRATEGY_NAMES, str(split.get("strategy", "")))
    shares = f"{1 - val - test:.0%} training, {val:.0%} validation, {test:.0%} test"
    return [
        ("Split", f"{strategy}{by}: {shares} (seed {split.get('seed', 0)})"),
        *_grouped(plan.get("columns", {}), TREATMENTS),
    ]


def _models(plan: dict[str, Any], model: Model) -> Facts:
    rows: Facts = [
        (model.name_of(choice["id"]), _plain(choice.get("params") or {}) or "default parameters")
        for choice in plan.get("models", [])
    ]
    rest = {key: value for key, value in plan.items() if key != "models"}
    return [*rows, *_members(rest, model)]


def _review(plan: dict[str, Any], model: Model) -> Facts:
    inside = [words for key, words in BUNDLE.items() if plan.get(key)]
    without = [words for key, words in BUNDLE.items() if plan.get(key) is False]
    rows: Facts = [("In the bundle", ", ".join(["the model and predict.py", *inside]))]
    if without:
        rows.append(("Left out", ", ".join(without)))
    return rows + _members({key: value for key, value in plan.items() if key not in BUNDLE}, model)
