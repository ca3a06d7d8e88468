"""Answers to questions, from what the project knows; and what can be asked at each stage."""

from typing import Any

from ..protocol.names import (
    TREATMENT_WORDS,
    member_words,
    model_name,
    model_names,
    number,
    stage_name,
    standing,
    task_name,
)
from ..protocol.stages import StageId, StageStatus
from .about_models import metric_of, of_models, parameters_of, scored_by
from .about_results import UNREAD, measured_answer
from .base import Context
from .draft import Said
from .known import known_answers, meanings, terms
from .parameters import SPOKEN
from .remaining import asks_time_left, time_left
from .request import say_seconds
from .vocabulary import BOOSTING, ENSEMBLE

_WHAT_NOW = ("what can i", "what now", "what next", "what should i", "what could i", "what do i", "what else", "help")
_HOW_GOOD = (
    "trust",
    "reliable",
    "deploy",
    "usable",
    "test",
    "score",
    "scores",
    "good",
    "accurate",
    "performance",
    "result",
    "results",
    "interval",
)
_PARAMETERS = ("parameter", "parameters", "hyperparameters", "hyperparameter", "params", "hyperparams")
_WORRY = ("worry", "worried", "worrying", "warnings", "warning", "suspicious", "problems", "leak", "leaks", "leakage")
_COUNTING = ("importance", "important", "matter", "matters", "drives", "drive", "influence")
_KEPT = ("chose", "choose", "chosen", "kept", "keep", "final", "picked", "selected")
_PICTURES = (
    "Curves, confusion matrix, residuals and the importance of columns are shown with the results of each run, and are "
    "among the artifacts."
)
_WHERE = (
    "The view shows the results of each stage, and its artifacts. From the stage Review on there are the report and "
    "the notebook, and the code in the project's folder code; the bundle is written into its folder exports at the end."
)
_MISSING = (
    "How much of each column is missing stands in the table Missing values of the stage Profile, in the view and among "
    "the artifacts."
)
_TAKEN_OUT = ("removed", "dropped", "deleted", "excluded", "lost", "filtered", "discarded", "left", "remove", "drop")
_NO_ROWS = "No rows are taken out, but those without a value of the target, which are counted at the stage Preparation."
_IMPORTANCE = (
    "What counts most in it is shown by the importance of columns, with its run in the view; the stage Review says it "
    "in words."
)


def answer(said: Said, context: Context) -> str:
    """What the project knows of what was asked."""
    if asks_time_left(said, context):
        return " ".join([time_left(context), *([] if context.at_work else [_time(context)])])
    text = " ".join(said.low)
    if explained := _explained(said) or measured_answer(said, context):
        return explained
    if any(text.startswith(w) or f" {w}" in text for w in _WHAT_NOW):
        return help_text(context)
    if said.has(*_PARAMETERS) or (
        (said.has("what", "which") or said.low[:2] == ["how", "many"])
        and any(SPOKEN.at(said.tokens, i) for i in _beside_models(said))
    ):
        return parameters_of(said, context)
    if said.has("where", "where's") and said.has("report", "notebook", "code", "bundle", "model", "results", "files"):
        return _WHERE
    found = known_answers(said)
    reviewed = context.current_stage.order >= StageId.REVIEW_EDIT.order
    if context.summary and reviewed and said.has(*_HOW_GOOD, *_COUNTING):
        found.append(context.summary)
    elif said.has("test") and not reviewed and said.has(*_HOW_GOOD[5:]):
        return f"{UNREAD} {_best(context)}".strip() if context.leaderboard else UNREAD
    if said.has("missing", "nan", "nans", "nulls", "empty") and said.has("which", "many", "where", "much"):
        return _MISSING
    if said.has("changed") and said.has("what", "which", "did"):
        return _changed(context)
    if said.has("columns", "features", "column") and said.has(*_TAKEN_OUT[:-2]) and not said.free("column"):
        return _left_out(context)
    if context.at_work is not None and said.has("running", "now", "current", "currently") and said.has("model", "run"):
        return status(context)
    if said.has("false") and said.has("positives", "negatives") and said.has("many", "number"):
        return _PICTURES
    if said.has("rows", "records", "observations") and said.has(*_TAKEN_OUT):
        return f"{_NO_ROWS} {context.summary}".strip()
    models = of_models(said, context)
    columns = list(dict.fromkeys(str(n.value) for n in said.named if n.kind == "column"))
    if columns:
        found += [_column(context, name) for name in columns[:5]]
        if said.has("why", "how", "what") and not models:
            return " ".join(found)
    if models:
        found.append(models)
    elif said.has("why") and said.has("fail", "failed", "fails", "failing", "error", "crash", "crashed", "stopped"):
        return status(context)
    elif (
        said.has("why", "how") and said.has("split", "divided", "stratified") and context.plans.get(StageId.PREPROCESS)
    ):
        found += [_split(context), _WHY_SPLIT[context.plans[StageId.PREPROCESS]["split"]["strategy"]]]
    elif said.has("why") and not said.has("target", "metric"):
        found.append(_why(context))
    if (said.has("explain", "describe") and said.has("model", "it")) or said.has(
        "best", "winning", "leader", "leaderboard", "winner", "score", "scores", "results", "result", "top"
    ):
        found.append(_best(context))
        if said.has("explain", "why", "how", "understand", "interpret", "describe"):
            found.append(_best_explained(context))
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
    elif said.has("columns", "features", "column", "variables") and not said.has(*_WORRY):
        found.append(_columns(context))
    if said.has(*_WORRY):
        found.append(context.summary)
    if said.has("long", "longer", "time", "budget", "minutes", "remaining", "eta"):
        found.append(_time(context))
    if said.has("data", "dataset", "file") and not said.has("split"):
        found.append(_data(context))
    if said.has("sheet", "sheets", "worksheets", "tabs"):
        found.append(_sheets(context))
    if said.has("split", "test", "validation", "seed"):
        found.append(_split(context))
    if said.has("threshold", "cutoff"):
        found.append(_threshold(context))
    if said.has("trials", "settings"):
        found.append(_trials(context))
    found = [f for f in dict.fromkeys(found) if f]
    return " ".join(found) if found else status(context)


def _explained(said: Said) -> str:
    """What terms and metrics mean: ``what does AUC mean?``, ``what is leakage?``; not ``what is the threshold?``."""
    what = 2 if said.low[:2] in (["what", "is"], ["what", "are"]) else 1 if said.low[:1] == ["what's"] else 0
    named = terms(said)
    spans = {*named, *(range(item.start, item.end) for item in said.items if item.kind == "metric")}
    beside = [word for i, word in enumerate(said.low) if i >= what and not any(i in span for span in spans)]
    asks = bool({"mean", "means", "meaning", "define", "definition"} & set(beside))
    asks_term = said.low[:1] in (["explain"], ["define"])
    joined = sum(word in ("and", "or", ",") for word in beside)
    # Not "what is accuracy of xgboost?" and "what is test accuracy?", which ask for values.
    asks = (
        asks
        or (asks_term and len(beside) < 3)
        or (what > 0 and set(beside) <= _BESIDE_TERMS and 0 < len(spans) <= 1 + joined)
    )
    differs = what > 0 and "difference" in beside
    if not (asks or differs) or said.free("column") or (differs and said.free("models")):
        return ""
    return " ".join(dict.fromkeys([*meanings(said), *named.values()]))


_BESIDE_TERMS = {"a", "an", "good", "bad", "high", "low", "and", "or", ",", "?"}


def _beside_models(said: Said) -> list[int]:
    """The tokens that name no model: the trees of ``extra trees`` are no parameter."""
    named = {i for n in said.named if n.kind == "models" for i in range(n.start, n.end)}
    return [i for i in range(len(said.tokens)) if i not in named]


def status(context: Context) -> str:
    """How the project stands, in a sentence or two."""
    stands = f"The stage {standing(context.current_stage, context.status)}"
    if context.status is StageStatus.FAILED:
        stands += '; say what to change, or "restart"'
    if context.at_work is not None:
        return f"{stands}. {time_left(context)}{f' {_best(context)}' if context.leaderboard else ''}"
    more = context.summary or (_best(context) if context.leaderboard else "")
    return f"{stands}. {more}".strip()


def _best(context: Context) -> str:
    good = [r for r in context.leaderboard if r.status == "success"]
    if not good:
        return "No run has finished yet."
    row = next((r for r in good if r.run_id == context.best_run), good[0])
    value = "no value" if row.metric is None else number(row.metric)
    many = f" of {len(good)} finished runs" if len(good) > 1 else ""
    name, metric = model_name(row.model), scored_by(context)
    return f"The best{many} is {name} ({row.run_id}) with {metric} {value} on the validation rows."


def _best_explained(context: Context) -> str:
    row = next((r for r in context.leaderboard if r.run_id == context.best_run), None)
    why = next((m.why for m in context.models if row is not None and m.id == row.model), "")
    return f"{model_name(row.model)}: {why} {_IMPORTANCE}" if row is not None and why else ""


def _metric(context: Context) -> str:
    name = metric_of(context)
    if name == "the metric":
        return "No metric is set; the task decides."
    return f"Models are judged by {name} on the validation rows."


def _target(context: Context) -> str:
    data = context.plans.get(StageId.DATA_SOURCE) or {}
    if data:
        return f"The target is {data['target']}, a {task_name(data['task_type'])} task."
    target = context.plans.get(StageId.PARSE_INTENT, {}).get("target")
    return f"The target is {target}, as far as the request says." if target else "No target was named yet."


def _models(context: Context) -> str:
    plan = context.plans.get(StageId.MODEL_SELECT)
    if plan is None:
        return "Models are proposed at the stage Models."
    chosen = [c["id"] for c in plan["models"]]
    others = [m.id for m in context.models if m.id not in chosen]
    return f"To be trained: {model_names(chosen)}." + (f" There are also {model_names(others)}." if others else "")


def _why(context: Context) -> str:
    good = [r for r in context.leaderboard if r.status == "success" and r.metric is not None]
    if good:
        rows = ", ".join(f"{model_name(r.model)} {number(r.metric)}" for r in good[:5])
        values = [r.metric for r in good if r.metric is not None]
        led = good[0].model == ENSEMBLE and sorted(values) not in (values, values[::-1])
        first = ", an ensemble of several before all others" if led else ""
        return f"Models are ranked by {scored_by(context)} on the validation rows{first}: {rows}."
    plan = context.plans.get(StageId.MODEL_SELECT)
    whys = {m.id: m.why for m in context.models}
    if plan is not None:
        chosen = [c["id"] for c in plan["models"] if c["id"] in whys]
        return "\n".join(f"{model_name(m)}: {whys[m]}" for m in chosen) or _models(context)
    return f"{_target(context)} {_metric(context)}"


def _changed(context: Context) -> str:
    """What a person changed of what the open gate proposed."""
    plan, proposed = context.plans.get(context.current_stage, {}), context.proposed
    members = [m for m, value in plan.items() if proposed is not None and proposed.get(m, value) != value]
    if not members:
        return f"Nothing of what the stage {stage_name(context.current_stage)} proposes was changed."
    shown = [f"{member_words(m)}{_entries((context.proposed or {}).get(m), plan[m])}" for m in members]
    return f'Changed of what was proposed: {"; ".join(shown)}. "undo" takes that back.'


def _entries(old: Any, new: Any) -> str:
    """What differs in a member that has an entry for each of many things, as columns."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return ""
    other = [f"{name} {value}" for name, value in new.items() if old.get(name) != value]
    return f" ({', '.join(other[:10])}{', …' if len(other) > 10 else ''})"


def _left_out(context: Context) -> str:
    roles = context.plans.get(StageId.PROFILE_DATA, {}).get("roles", {})
    treated = context.plans.get(StageId.PREPROCESS, {}).get("columns", {})
    out = [c for c, role in roles.items() if role in ("id", "ignore")] + [c for c, t in treated.items() if t == "drop"]
    if not roles:
        return "Which columns are left out is proposed at the stage Profile."
    return f"Left out: {', '.join(dict.fromkeys(out)) or 'no column'}."


def _columns(context: Context) -> str:
    treated: dict[str, Any] = context.plans.get(StageId.PREPROCESS, {}).get("columns", {})
    roles: dict[str, Any] = context.plans.get(StageId.PROFILE_DATA, {}).get("roles", {})
    shown = treated or roles
    if shown:
        some = ", ".join(f"{c} ({TREATMENT_WORDS.get(t, t)})" for c, t in list(shown.items())[:20])
        return f"{len(shown)} columns: {some}{', …' if len(shown) > 20 else ''}."
    if context.columns:
        return f"The columns are {', '.join(context.columns[:20])}{', …' if len(context.columns) > 20 else ''}."
    return "The columns are known once the stage Data has looked at the data."


def _column(context: Context, name: str) -> str:
    role = context.plans.get(StageId.PROFILE_DATA, {}).get("roles", {}).get(name)
    treatment = context.plans.get(StageId.PREPROCESS, {}).get("columns", {}).get(name)
    known = [
        f"role {role}" if role else "",
        f"treated as {TREATMENT_WORDS.get(treatment, treatment)}" if treatment else "",
    ]
    said = ", ".join(k for k in known if k) or "what it is for is proposed at the stage Profile"
    found = ""
    if facts := context.measured.columns.get(name):
        gaps = f"{facts['missing']:,} missing" if facts["missing"] else "none missing"
        found = f" In the data: {facts['kind']}, {facts['n_unique']:,} different values, {gaps}."
    meant = _MEANT_BY.get(role or "", "") if role != "feature" else _MEANT_BY.get(treatment or "", "")
    return f"{name}: {said}.{meant}{found}"


_MEANT_BY = {
    "id": " It identifies rows, and a model would only learn them by heart.",
    "ignore": " It is no feature: it was said so, or it is empty or the same in every row.",
    "group": " It says which rows belong together, and is no feature, so that none of them is trained and tested on.",
    "time": " It orders the rows, and is no feature.",
    "target": " It is what is predicted.",
    "numeric": " It holds numbers; missing ones become the median of the training rows.",
    "onehot": " It has few different values, each of which becomes a feature.",
    "ordinal": " Its values have an order.",
    "target_encode": " It has many different values, each of which becomes the target's mean in the training rows.",
    "text": " It has so many different values that their words and letters become the features.",
    "datetime": " It holds dates, of which year, month, day and the like become features.",
    "boolean": " It has two values.",
    "drop": " It becomes no feature.",
}


def _kept(context: Context) -> str:
    keep = context.plans[StageId.TRAIN]["keep"]
    row = next((r for r in context.leaderboard if r.run_id == keep), None)
    if row is None:
        return f"The model that is kept is that of {keep}."
    value = "" if row.metric is None else f", with {scored_by(context)} {number(row.metric)} on the validation rows"
    return f"The model that is kept is {model_name(row.model)} ({keep}){value}."


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


def _sheets(context: Context) -> str:
    chosen = context.plans.get(StageId.DATA_SOURCE, {})
    sheets = next((d.meta.get("sheets", ()) for d in context.datasets if d.id == chosen.get("dataset_id")), ())
    if not sheets:
        return "The data have no sheets; only Excel files have some."
    return f"The sheet is {chosen['sheet']!r}; those with a table are {', '.join(map(repr, sheets[:12]))}."


def _split(context: Context) -> str:
    plan = context.plans.get(StageId.PREPROCESS)
    if plan is None:
        return "The split is decided at the stage Preparation."
    s = plan["split"]
    by = f" by {s['column']}" if s["column"] else ""
    parts = f"{s['val_fraction']:.0%} validation, {s['test_fraction']:.0%} test"
    return f"Split: {s['strategy']}{by}, {parts}, seed {s['seed']}."


_WHY_SPLIT = {
    "time": "The latest rows are kept to validate and test, as if they were the future; an order of the rows by their "
    "only date, or a column with the role time, has them divided so.",
    "group": "Rows of one group stay together, so that no model is tested on what it knows from training.",
    "stratified": "Each part has the same share of every class.",
    "random": "Rows are drawn at random, as nothing says that they belong together or come one after the other.",
}


def _threshold(context: Context) -> str:
    value = context.plans.get(StageId.TRAIN, {}).get("threshold")
    return f"The threshold is {value:g}." if value is not None else "No threshold is set; the default holds."


def examples(context: Context) -> list[str]:
    """Sentences that can be said at this stage, with the project's own columns and models."""
    stage = context.current_stage
    if context.status is StageStatus.IN_PROGRESS and stage is StageId.TRAIN:
        return ["finish with the best so far", "no more models after this one", "stop", *_for_models(context)]
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
        return [*([f"keep {model_name(good[-1])}"] if good else []), *binary, *_for_models(context)[:2]]
    if stage is StageId.REVIEW_EDIT:
        return ["leave the notebook out", *_for_models(context)[:2]]
    return _for_models(context)


def _for_models(context: Context) -> list[str]:
    chosen = [c["id"] for c in context.plans.get(StageId.MODEL_SELECT, {}).get("models", [])]
    other = next((m.id for m in context.models if m.id not in chosen), None)
    said = []
    real = [m for m in chosen if m != "dummy"]
    if other and real:
        said.append(f"use {model_name(other)} instead of {model_name(real[-1])}")
    elif len(chosen) > 1 and real:
        said.append(f"without {model_name(real[-1])}")
    if set(chosen) & set(BOOSTING):
        said.append("higher learning rate")
    return [*said, "optimize for accuracy over speed"]


def help_text(context: Context) -> str:
    """What can be asked here, in the project's own words."""
    said = ", ".join(f'"{e}"' for e in examples(context))
    go_on = ' or "go on"' if context.status is StageStatus.WAITING_CONFIRMATION else ""
    return f'At the stage {stage_name(context.current_stage)} you can say, for example, {said}; also "status?"{go_on}.'
