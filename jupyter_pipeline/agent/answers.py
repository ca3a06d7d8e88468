"""Answers to questions, from what the project knows; and what can be asked at each stage."""

from typing import Any

from ..protocol.stages import StageId, StageStatus
from .base import Context
from .draft import Said
from .known import known_answers, meanings
from .request import say_seconds
from .scan import models_of
from .vocabulary import BOOSTING, model_names
from .words import words_of

_ASKING = words_of(
    """
    what what's how's who's where's which why how who where when whose is are do does did has have was were
    """
)
_TELLING = words_of(
    """
    show tell explain list describe remind summarise summarize status progress help
    """
)
_POLITE = words_of(
    """
    please can could would will you me hi hello hey so and then ok well also now
    """
)
_REQUESTS = (
    "what if",
    "what about",
    "how about",
    "why don't",
    "why not",
    "do not",
    "do it",
    "do a",
    "have a",
    "do use",
)
_WHAT_NOW = ("what can i", "what now", "what next", "what should i", "what could i", "what do i", "what else", "help")
_HOW_GOOD = ("test", "score", "scores", "good", "accurate", "performance", "result", "results", "interval")
_KEPT = ("chose", "choose", "chosen", "kept", "keep", "final", "picked", "selected")
_PICTURES = (
    "Curves, confusion matrix, residuals and the importance of columns are shown with the results of each run, and are "
    "among the artifacts."
)
_UNREAD = "The test rows have not been read yet: REVIEW_EDIT evaluates the model that is kept on them, once."
_STAGE_WORDS = {
    StageId.PARSE_INTENT: "reading the request",
    StageId.DATA_SOURCE: "choosing the data",
    StageId.PROFILE_DATA: "profiling the data",
    StageId.PREPROCESS: "splitting and preparing the data",
    StageId.MODEL_SELECT: "choosing models",
    StageId.TRAIN: "training",
    StageId.REVIEW_EDIT: "the review",
    StageId.EXPORT: "the export",
}


def is_question(said: Said) -> bool:
    """Whether a sentence asks for an answer rather than for a change."""
    if not said.low:
        return False
    text = " ".join(said.low)
    if text.startswith(_REQUESTS):
        return False
    first = next((w for w in said.low if w not in _POLITE), "")
    if first in ("is", "are", "do", "does", "did", "has", "have", "was", "were"):
        return said.low[-1] == "?"
    if first == "show" or (first in _TELLING and len(said.low) <= 12):
        return True
    if first in _ASKING:
        return True
    return said.low[-1] == "?" and len(said.low) <= 4 and first == said.low[0] and not said.named


def answer(said: Said, context: Context) -> str:
    """What the project knows of what was asked."""
    text = " ".join(said.low)
    if any(text.startswith(w) or f" {w}" in text for w in _WHAT_NOW):
        return help_text(context)
    found = known_answers(said)
    if said.has("mean", "means", "meaning", "define", "definition"):
        found += meanings(said)
    reviewed = context.current_stage.order >= StageId.REVIEW_EDIT.order
    if context.summary and reviewed and said.has(*_HOW_GOOD):
        found.append(context.summary)
    elif said.has("test") and not reviewed and said.has(*_HOW_GOOD[1:]):
        return f"{_UNREAD} {_best(context)}".strip() if context.leaderboard else _UNREAD
    models, _, _ = models_of([n for n in said.named if n.kind == "models"])
    columns = list(dict.fromkeys(str(n.value) for n in said.named if n.kind == "column"))
    if columns:
        found += [_column(context, name) for name in columns[:5]]
        if said.has("why", "how", "what"):
            return " ".join(found)
    if said.has("why") and not (said.has("target", "metric") and not models):
        found.append(_why(context, models))
    elif models:
        found += [_model(context, m) for m in models[:3]]
    if said.has("best", "winning", "leader", "leaderboard", "winner", "score", "scores", "results", "result", "top"):
        found.append(_best(context))
    if said.has("metric", "optimise", "optimize", "judged", "optimising", "optimizing") or (
        any(i.kind == "metric" for i in said.items) and not said.has("best", "why")
    ):
        found.append(_metric(context))
    if said.has("target", "predict", "predicting", "predicted"):
        found.append(_target(context))
    if said.has("model", "one", "run") and said.has(*_KEPT) and context.plans.get(StageId.TRAIN):
        found.append(_kept(context))
    elif (
        said.has("models", "candidates", "model") and not said.has(*_HOW_GOOD, "best", "winning", "why") and not models
    ):
        found.append(_models(context))
    if said.has(
        "importance",
        "matrix",
        "curve",
        "curves",
        "plot",
        "plots",
        "figures",
        "shap",
        "residuals",
        "matter",
        "important",
    ):
        found.append(_PICTURES)
    elif said.has("columns", "features", "column", "variables"):
        found.append(_columns(context))
    if said.has("long", "time", "budget", "minutes"):
        found.append(_time(context))
    if said.has("data", "dataset", "file") and not said.has("split"):
        found.append(_data(context))
    if said.has("split", "test", "validation", "seed"):
        found.append(_split(context))
    if said.has("threshold", "cutoff"):
        found.append(_threshold(context))
    if said.has("trials", "settings"):
        found.append(_trials(context))
    found = [f for f in dict.fromkeys(found) if f]
    return " ".join(found) if found else status(context)


def status(context: Context) -> str:
    """How the project stands, in a sentence or two."""
    doing = _STAGE_WORDS[context.current_stage]
    states = {
        StageStatus.PENDING: f"{context.current_stage} ({doing}) has not begun.",
        StageStatus.IN_PROGRESS: f"{context.current_stage} ({doing}) is running.",
        StageStatus.WAITING_CONFIRMATION: f"{context.current_stage} ({doing}) waits for your confirmation.",
        StageStatus.COMPLETED: f"{context.current_stage} ({doing}) is done.",
        StageStatus.FAILED: f"{context.current_stage} ({doing}) has failed or was stopped; say what to change, or "
        f'"restart".',
        StageStatus.SKIPPED: f"{context.current_stage} ({doing}) was skipped.",
    }
    more = context.summary or (_best(context) if context.leaderboard else "")
    return f"{states[context.status]} {more}".strip()


def _best(context: Context) -> str:
    good = [r for r in context.leaderboard if r.status == "success"]
    if not good:
        return "No run has finished yet."
    row = next((r for r in good if r.run_id == context.best_run), good[0])
    value = "no value" if row.metric is None else f"{row.metric:#.4g}"
    many = f" of {len(good)} finished runs" if len(good) > 1 else ""
    name, metric = model_names([row.model]), _metric_name(context)
    return f"The best{many} is {name} ({row.run_id}) with {metric} {value} on the validation rows."


def _metric_name(context: Context) -> str:
    for stage in (StageId.MODEL_SELECT, StageId.DATA_SOURCE, StageId.PARSE_INTENT):
        if name := context.plans.get(stage, {}).get("metric"):
            return str(name)
    return "the metric"


def _metric(context: Context) -> str:
    name = _metric_name(context)
    if name in ("auto", "the metric"):
        return "No metric is set; the task decides."
    return f"Models are judged by {name} on the validation rows."


def _target(context: Context) -> str:
    data = context.plans.get(StageId.DATA_SOURCE) or {}
    if data:
        return f"The target is {data['target']}, a {data['task_type']} task."
    target = context.plans.get(StageId.PARSE_INTENT, {}).get("target")
    return f"The target is {target}, as far as the request says." if target else "No target was named yet."


def _models(context: Context) -> str:
    plan = context.plans.get(StageId.MODEL_SELECT)
    if plan is None:
        return "Models are proposed at MODEL_SELECT."
    chosen = [c["id"] for c in plan["models"]]
    others = [m.id for m in context.models if m.id not in chosen]
    return f"To be trained: {model_names(chosen)}." + (f" There are also {model_names(others)}." if others else "")


def _model(context: Context, model: str) -> str:
    row = next((r for r in context.leaderboard if r.model == model and r.status == "success"), None)
    known = next((m for m in context.models if m.id == model), None)
    name = model_names([model])
    text = f"{name}: {known.why}" if known else f"{name} is a model that can be trained."
    if row is not None and row.metric is not None:
        text += f" It came to {_metric_name(context)} {row.metric:#.4g} on the validation rows ({row.run_id})."
    return text


def _why(context: Context, models: list[str]) -> str:
    if models:
        return "\n".join(_model(context, m) for m in models[:3])
    good = [r for r in context.leaderboard if r.status == "success" and r.metric is not None]
    if good:
        rows = ", ".join(f"{model_names([r.model])} {r.metric:#.4g}" for r in good[:5])
        return f"Models are ranked by {_metric_name(context)} on the validation rows: {rows}."
    plan = context.plans.get(StageId.MODEL_SELECT)
    whys = {m.id: m.why for m in context.models}
    if plan is not None:
        chosen = [c["id"] for c in plan["models"] if c["id"] in whys]
        return "\n".join(f"{model_names([m])}: {whys[m]}" for m in chosen) or _models(context)
    return f"{_target(context)} {_metric(context)}"


def _columns(context: Context) -> str:
    treated: dict[str, Any] = context.plans.get(StageId.PREPROCESS, {}).get("columns", {})
    roles: dict[str, Any] = context.plans.get(StageId.PROFILE_DATA, {}).get("roles", {})
    shown = treated or roles
    if shown:
        some = ", ".join(f"{c} ({t})" for c, t in list(shown.items())[:20])
        return f"{len(shown)} columns: {some}{', …' if len(shown) > 20 else ''}."
    if context.columns:
        return f"The columns are {', '.join(context.columns[:20])}{', …' if len(context.columns) > 20 else ''}."
    return "The columns are known once DATA_SOURCE has looked at the data."


def _column(context: Context, name: str) -> str:
    role = context.plans.get(StageId.PROFILE_DATA, {}).get("roles", {}).get(name)
    treatment = context.plans.get(StageId.PREPROCESS, {}).get("columns", {}).get(name)
    known = [f"role {role}" if role else "", f"treated as {treatment}" if treatment else ""]
    said = ", ".join(k for k in known if k) or "what it is for is proposed at PROFILE_DATA"
    return f"{name}: {said}."


def _kept(context: Context) -> str:
    keep = context.plans[StageId.TRAIN]["keep"]
    row = next((r for r in context.leaderboard if r.run_id == keep), None)
    if row is None:
        return f"The model that is kept is that of {keep}."
    value = "" if row.metric is None else f", with {_metric_name(context)} {row.metric:#.4g} on the validation rows"
    return f"The model that is kept is {model_names([row.model])} ({keep}){value}."


def _trials(context: Context) -> str:
    plan = context.plans.get(StageId.MODEL_SELECT)
    return f"Up to {plan['trials']} settings of each model are tried." if plan else ""


def _time(context: Context) -> str:
    for stage in (StageId.MODEL_SELECT, StageId.PARSE_INTENT):
        if seconds := context.plans.get(stage, {}).get("time_budget_s"):
            return f"Training may take {say_seconds(float(seconds))}."
    return "No time budget was set yet."


def _data(context: Context) -> str:
    data = context.plans.get(StageId.DATA_SOURCE)
    others = ", ".join(d.id for d in context.datasets[:10])
    if data is None:
        return f"Data found so far: {others}." if others else "No data were chosen yet."
    return f"The data are {data['dataset_id']}." + (f" Found: {others}." if others else "")


def _split(context: Context) -> str:
    plan = context.plans.get(StageId.PREPROCESS)
    if plan is None:
        return "The split is decided at PREPROCESS."
    s = plan["split"]
    by = f" by {s['column']}" if s["column"] else ""
    parts = f"{s['val_fraction']:.0%} validation, {s['test_fraction']:.0%} test"
    return f"Split: {s['strategy']}{by}, {parts}, seed {s['seed']}."


def _threshold(context: Context) -> str:
    value = context.plans.get(StageId.TRAIN, {}).get("threshold")
    return f"The threshold is {value:g}." if value is not None else "No threshold is set; the default holds."


def examples(context: Context) -> list[str]:
    """Sentences that can be said at this stage, with the project's own columns and models."""
    stage = context.current_stage
    if context.status is StageStatus.IN_PROGRESS and stage is StageId.TRAIN:
        return ["finish with the best so far", "stop", *_for_models(context)]
    roles = context.plans.get(StageId.PROFILE_DATA, {}).get("roles", {})
    treated = context.plans.get(StageId.PREPROCESS, {}).get("columns", {})
    free = [c for c, r in roles.items() if r == "feature"] or list(treated)
    target = context.plans.get(StageId.DATA_SOURCE, {}).get("target")
    columns = [c for c in free or context.columns if c != target]
    column = f"`{columns[0]}`" if columns else None
    metric = "minimise MAE" if context.task_type == "regression" else "optimise recall"
    good = [r.model for r in context.leaderboard if r.status == "success"]
    if stage is StageId.PARSE_INTENT:
        return [metric, "keep it under two minutes", "without xgboost"]
    if stage is StageId.DATA_SOURCE:
        data = [f"use {d.id}" for d in context.datasets[1:2]]
        chosen = context.plans.get(StageId.DATA_SOURCE, {})
        sheets = next((d.meta.get("sheets", ()) for d in context.datasets if d.id == chosen.get("dataset_id")), ())
        data += [f'use the sheet "{sheet}"' for sheet in sheets if sheet != chosen.get("sheet")][:1]
        return [*([f"the target is {column}"] if column else []), *data, metric]
    if stage is StageId.PROFILE_DATA:
        return [*([f"drop {column}", f"the target is {column}"] if column else []), metric]
    if stage is StageId.PREPROCESS:
        return [*([f"drop {column}", f"treat {column} as categorical"] if column else []), "25% test rows", "seed 7"]
    if stage is StageId.MODEL_SELECT:
        return [*_for_models(context), "20 trials", "three minutes"]
    if stage is StageId.TRAIN:
        binary = ["threshold 0.3"] if context.task_type == "binary" else []
        return [*([f"keep {model_names([good[-1]])}"] if good else []), *binary, *_for_models(context)[:2]]
    if stage is StageId.REVIEW_EDIT:
        return ["leave the notebook out", *_for_models(context)[:2]]
    return _for_models(context)


def _for_models(context: Context) -> list[str]:
    chosen = [c["id"] for c in context.plans.get(StageId.MODEL_SELECT, {}).get("models", [])]
    other = next((m.id for m in context.models if m.id not in chosen), None)
    said = []
    real = [m for m in chosen if m != "dummy"]
    if other and real:
        said.append(f"use {model_names([other])} instead of {model_names([real[-1]])}")
    elif len(chosen) > 1 and real:
        said.append(f"without {model_names([real[-1]])}")
    if set(chosen) & set(BOOSTING):
        said.append("higher learning rate")
    return [*said, "optimize for accuracy over speed"]


def help_text(context: Context) -> str:
    """What can be asked here, in the project's own words."""
    said = ", ".join(f'"{e}"' for e in examples(context))
    go_on = ' or "go on"' if context.status is StageStatus.WAITING_CONFIRMATION else ""
    return f'At {context.current_stage} you can say, for example, {said}; also "status?"{go_on}.'
