"""The agent that needs no model: rules that turn everyday sentences into changes of the plans.

It is what answers offline and by default. A sentence becomes a patch of the plan that owns the matter, at the
least far-back stage that has one, because everything after a changed stage runs again.
"""

import re
from collections.abc import Callable
from typing import Any

from ..protocol.stages import StageId
from .base import Cancel, Change, ConfirmGate, Context, Reply, Restart
from .request import find_dataset, find_metric, find_models, find_preference, find_seconds, names_models

_RATE_MODELS = {"lightgbm": 0.1, "xgboost": 0.1, "catboost": 0.1, "hist_gradient_boosting": 0.1, "linear": 0.01}
"""Models with a learning rate, and the rate that is assumed where neither plan nor candidates name one."""
_TREATMENTS = {
    "text": "text", "free text": "text", "categorical": "onehot", "category": "onehot", "one-hot": "onehot",
    "onehot": "onehot", "ordinal": "ordinal", "numeric": "numeric", "number": "numeric", "a number": "numeric",
    "date": "datetime", "datetime": "datetime", "a date": "datetime", "boolean": "boolean",
    "target encoded": "target_encode", "target encoding": "target_encode",
}  # fmt: skip
_BUNDLE = {"report": "report", "notebook": "notebook", "training code": "training_code", "code": "training_code",
           "event log": "event_log", "log": "event_log"}  # fmt: skip

Found = tuple[str, tuple[Change | Restart | Cancel | ConfirmGate, ...]]


class RuleAgent:
    """Answers chats by rules; pure, quick, and the same every time."""

    def respond(self, text: str, context: Context) -> Reply:
        """Read what was said and answer with what it changes, or with what can be asked."""
        text = text[:20_000]
        said: list[str] = []
        actions: list[Change | Restart | Cancel | ConfirmGate] = []
        for rule in _RULES:
            found = rule(text, context)
            if found is None:
                continue
            said.append(found[0])
            actions += found[1]
            if rule in _ALONE:
                break
        if not said:
            return Reply(text=_help(context))
        return Reply(text=" ".join(said), actions=tuple(actions))


# -- each rule: the answer and the actions, or None if it does not know the sentence ------------------------


def _question(text: str, context: Context) -> Found | None:
    if not re.search(r"^\s*(?:status|what|which|how|why|where|who)\b|\bstatus\b", text, re.IGNORECASE):
        return None
    if re.search(r"\b(?:can|could|would|please|use|retrain)\b", text, re.IGNORECASE):
        return None
    return _standing(context), ()


def _standing(context: Context) -> str:
    text = f"{context.current_stage} is {context.status}."
    metric = context.plans.get(StageId.MODEL_SELECT, {}).get("metric")
    best = next((r for r in context.leaderboard if r.run_id == context.best_run), None)
    if best is not None and best.metric is not None:
        text += f" Best so far: {best.model} with {metric or 'the metric'} {best.metric:.4f} on the validation rows."
    elif metric:
        text += f" Models are judged by {metric}."
    return text


def _confirm(text: str, context: Context) -> Found | None:
    pattern = r"^\s*(?:yes|ok|okay|confirm(?:ed)?|approved?|go on|go ahead|continue|next|looks? good|proceed)"
    if re.search(pattern + r"(?:[\s,]+(?:please|go on|go ahead|continue|confirm|it|looks? good))*[\s.!]*$", text, re.I):
        return "Confirmed as you said.", (ConfirmGate(),)
    return None


def _cancel(text: str, context: Context) -> Found | None:
    if not re.search(r"\b(?:stop|cancel|abort|finish)\b", text, re.IGNORECASE):
        return None
    if re.search(r"\b(?:best|finish)\b", text, re.IGNORECASE):
        return "Finishing with the best model so far.", (Cancel(mode="finish"),)
    return "Stopping what runs.", (Cancel(mode="stop"),)


def _restart(text: str, context: Context) -> Found | None:
    match = re.search(r"\b(?:restart|rerun|re-run|run|redo|repeat|start)\b([^.]{0,60})\b(?:again|over)?", text, re.I)
    if match is None or not re.search(r"\b(?:restart|rerun|re-run|redo|repeat|again|over)\b", text, re.IGNORECASE):
        return None
    words = {"intent": StageId.PARSE_INTENT, "request": StageId.PARSE_INTENT, "data": StageId.DATA_SOURCE,
             "profil": StageId.PROFILE_DATA, "preprocess": StageId.PREPROCESS, "split": StageId.PREPROCESS,
             "model": StageId.MODEL_SELECT, "train": StageId.TRAIN, "review": StageId.REVIEW_EDIT,
             "report": StageId.REVIEW_EDIT, "export": StageId.EXPORT}  # fmt: skip
    stage = next((s for s in StageId if s.value.lower() in text.lower()), None)
    stage = stage or next((s for word, s in words.items() if word in text.lower()), context.current_stage)
    return f"{stage} is started again.", (Restart(stage_id=stage),)


def _models(text: str, context: Context) -> Found | None:
    wanted, unwanted = find_models(text)
    if not wanted and not unwanted:
        if names_models(text):
            return "Neural networks are never proposed here, so there is nothing to leave out.", ()
        return None
    if _keep(text, context) is not None:
        return None
    plan = context.plans.get(StageId.MODEL_SELECT)
    if plan is None:
        return _model_wishes(wanted, unwanted, context)
    known = {m.id for m in context.models}
    missing = [m for m in wanted if known and m not in known]
    choices = list(plan["models"])
    ids = [c["id"] for c in choices]
    replace = bool(unwanted) or re.search(r"\bonly\b|\bjust\b|\binstead\b", text, re.IGNORECASE) is not None
    only = re.search(r"\bonly\b|\bjust\b", text, re.IGNORECASE) is not None
    new = [c for c in choices if c["id"] not in unwanted and (not only or c["id"] in wanted)]
    new += [{"id": m, "params": {}} for m in wanted if m not in ids and m not in missing]
    if not new:
        return "That would leave no model to train; name at least one that should stay.", ()
    added = [c["id"] for c in new if c["id"] not in ids]
    dropped = [i for i in ids if i not in {c["id"] for c in new}]
    if not added and not dropped:
        there = ", ".join(wanted) if wanted else "those models"
        return (f"Nothing to change: {there} {'is' if len(wanted) == 1 else 'are'} as you say already.", ()) if (
            wanted or replace) else None  # fmt: skip
    text_parts = ([f"added {', '.join(added)}"] if added else []) + (
        [f"dropped {', '.join(dropped)}"] if dropped else []
    )
    return f"Models: {' and '.join(text_parts)}.", (_set(StageId.MODEL_SELECT, "models", new),)


def _model_wishes(wanted: tuple[str, ...], unwanted: tuple[str, ...], context: Context) -> Found | None:
    plan = context.plans.get(StageId.PARSE_INTENT)
    if plan is None:
        return None
    patch = []
    if wanted:
        patch.append(_op("include_models", [*dict.fromkeys([*plan["include_models"], *wanted])]))
    if unwanted:
        patch.append(_op("exclude_models", [*dict.fromkeys([*plan["exclude_models"], *unwanted])]))
    words = ([f"{', '.join(wanted)} wanted"] if wanted else []) + ([f"{', '.join(unwanted)} not"] if unwanted else [])
    return f"Noted for the choice of models: {'; '.join(words)}.", (
        Change(stage_id=StageId.PARSE_INTENT, patch=tuple(patch)),
    )


def _learning_rate(text: str, context: Context) -> Found | None:
    match = re.search(r"\blearning[ -]rate\b", text, re.IGNORECASE)
    plan = context.plans.get(StageId.MODEL_SELECT)
    if match is None:
        return None
    if plan is None:
        return "Learning rates can be set once models are chosen (MODEL_SELECT).", ()
    defaults = {m.id: m.params for m in context.models}
    number = re.search(r"learning[ -]rate\s*(?:of|to|=|:)?\s*(\d{0,3}\.?\d{1,6})\b", text, re.IGNORECASE)
    factor = 0.5 if re.search(r"\b(?:lower|smaller|reduce|decrease|slower|halve)\b", text, re.IGNORECASE) else 2.0
    named = find_models(text)[0]
    new, said = [], []
    for choice in plan["models"]:
        if choice["id"] in _RATE_MODELS and (not named or choice["id"] in named):
            usual = defaults.get(choice["id"], {}).get("learning_rate", _RATE_MODELS[choice["id"]])
            old = choice["params"].get("learning_rate", usual)
            rate = float(number.group(1)) if number else round(float(old) * factor, 6)
            if rate > 0:
                choice = {**choice, "params": {**choice["params"], "learning_rate": rate}}
                said.append(f"{choice['id']} {old:g} to {rate:g}")
        new.append(choice)
    if not said:
        return "None of the chosen models has a learning rate; add lightgbm, xgboost or catboost first.", ()
    return f"Learning rate: {', '.join(said)}.", (_set(StageId.MODEL_SELECT, "models", new),)


def _wish(text: str, context: Context) -> Found | None:
    preference = find_preference(text)
    if preference is None:
        return None
    plan = context.plans.get(StageId.MODEL_SELECT)
    if plan is None:
        if StageId.PARSE_INTENT not in context.plans:
            return None
        return f"Preference: {preference}.", (_set(StageId.PARSE_INTENT, "prefer", preference),)
    chosen = {c["id"]: c for c in plan["models"]}
    every = [m.id for m in context.models] or list(chosen)
    if preference == "accuracy":
        models = [chosen.get(m, {"id": m, "params": {}}) for m in every]
        budget = min(float(plan["time_budget_s"]) * 2, 7 * 24 * 3600.0)
        trials = min(max(int(plan["trials"]) * 3, 5), 1000)
        said = f"Accuracy over speed: all candidates, {trials} trials each at the most, {budget:g} seconds."
    elif preference == "speed":
        quick = [m for m in every if m in ("linear", "lightgbm", "dummy", "hist_gradient_boosting")]
        models = [chosen.get(m, {"id": m, "params": {}}) for m in quick] or plan["models"]
        budget, trials = max(float(plan["time_budget_s"]) / 2, 5.0), 1
        said = f"Speed over accuracy: {', '.join(m['id'] for m in models)}, one trial each, {budget:g} seconds."
    else:
        plain = [m for m in every if m in ("linear", "dummy")]
        models = [chosen.get(m, {"id": m, "params": {}}) for m in plain] or plan["models"]
        budget, trials = float(plan["time_budget_s"]), int(plan["trials"])
        said = f"Interpretable models only: {', '.join(m['id'] for m in models)}."
    patch = (_op("models", models), _op("time_budget_s", budget), _op("trials", trials))
    return said, (Change(stage_id=StageId.MODEL_SELECT, patch=patch),)


def _metric(text: str, context: Context) -> Found | None:
    metric = find_metric(text)
    if metric is None or (find_preference(text) is not None and metric == "accuracy"):
        return None
    for stage in (StageId.MODEL_SELECT, StageId.DATA_SOURCE, StageId.PARSE_INTENT):
        if stage in context.plans:
            return f"Metric: {metric}.", (_set(stage, "metric", metric),)
    return None


def _budget(text: str, context: Context) -> Found | None:
    seconds = find_seconds(text)
    if seconds is None:
        return None
    for stage in (StageId.MODEL_SELECT, StageId.PARSE_INTENT):
        if stage in context.plans:
            return f"Time budget: {seconds:g} seconds.", (_set(stage, "time_budget_s", seconds),)
    return None


def _trials(text: str, context: Context) -> Found | None:
    match = re.search(r"\b(\d{1,4}) (?:trials?|settings?|combinations?|tries)\b", text, re.IGNORECASE)
    if match is None or StageId.MODEL_SELECT not in context.plans or not 1 <= int(match.group(1)) <= 1000:
        return None
    return f"Up to {match.group(1)} trials of each model.", (_set(StageId.MODEL_SELECT, "trials", int(match.group(1))),)


def _column(text: str, context: Context) -> Found | None:
    names = [c for c in context.columns if re.search(rf"(?<!\w){re.escape(c)}(?!\w)", text, re.IGNORECASE)]
    if not names:
        return None
    if re.search(r"\btarget\b|\bpredict\b", text, re.IGNORECASE) and StageId.DATA_SOURCE in context.plans:
        return f"Target: {names[0]}.", (_set(StageId.DATA_SOURCE, "target", names[0]),)
    split = re.search(r"\bsplit\b.{0,40}\bby\b|\bby (time|date|group)\b", text, re.IGNORECASE)
    if split and StageId.PREPROCESS in context.plans:
        kind = "group" if re.search(r"\bgroup\b", text, re.IGNORECASE) else "time"
        new = {**context.plans[StageId.PREPROCESS]["split"], "strategy": kind, "column": names[0]}
        return f"Split by {kind}, column {names[0]}.", (_set(StageId.PREPROCESS, "split", new),)
    dropping = re.search(r"\b(?:drop|ignore|remove|leave out|exclude|without|don'?t use)\b", text, re.IGNORECASE)
    if dropping:
        return _columns_to(names, "drop", "ignore", context, f"Left out: {', '.join(names)}.")
    kind = next((t for w, t in _TREATMENTS.items() if re.search(rf"\bas {re.escape(w)}\b", text, re.I)), "")
    if kind:
        return _columns_to(names, kind, "feature", context, f"{', '.join(names)}: treated as {kind}.")
    if re.search(r"\b(?:keep|use|include)\b", text, re.IGNORECASE) and not find_models(text)[0]:
        return _columns_to(names, "", "feature", context, f"Kept as features: {', '.join(names)}.")
    return None


def _columns_to(names: list[str], treatment: str, role: str, context: Context, said: str) -> Found | None:
    plan = context.plans.get(StageId.PREPROCESS)
    if plan is not None and treatment:
        known = [n for n in names if n in plan["columns"]]
        if known:
            return said, (_change(StageId.PREPROCESS, [_op(f"columns/{_escape(n)}", treatment) for n in known]),)
    plan = context.plans.get(StageId.PROFILE_DATA)
    if plan is not None:
        known = [n for n in names if n in plan["roles"] and plan["roles"][n] != "target"]
        if known:
            return said, (_change(StageId.PROFILE_DATA, [_op(f"roles/{_escape(n)}", role) for n in known]),)
    return None


def _split(text: str, context: Context) -> Found | None:
    plan = context.plans.get(StageId.PREPROCESS)
    if plan is None:
        return None
    patch, said = [], []
    for part, word in (("test_fraction", "test"), ("val_fraction", "validation")):
        match = re.search(
            rf"(\d{{1,2}}) ?(?:%|percent)[^.%]{{0,20}}\b{word}|\b{word}[^.%]{{0,30}}?(\d{{1,2}}) ?(?:%|percent)",
            text,
            re.I,
        )
        if match:
            fraction = int(match.group(1) or match.group(2)) / 100
            if 0 < fraction <= 0.45:
                patch.append(_op(f"split/{part}", fraction))
                said.append(f"{word} rows {fraction:.0%}")
    if match := re.search(r"\bseed\s*(?:of|to|=|:)?\s*(\d{1,9})\b", text, re.IGNORECASE):
        patch.append(_op("split/seed", int(match.group(1))))
        said.append(f"seed {match.group(1)}")
    return (f"Split: {', '.join(said)}.", (_change(StageId.PREPROCESS, patch),)) if patch else None


def _keep(text: str, context: Context) -> Found | None:
    if StageId.TRAIN not in context.plans or not re.search(r"\b(?:keep|choose|pick|take)\b", text, re.IGNORECASE):
        return None
    good = [r for r in context.leaderboard if r.status == "success"]
    named = next((r for r in good if re.search(rf"(?<!\w){re.escape(r.run_id)}(?!\w)", text)), None)
    wanted = find_models(text)[0]
    row = named or next((r for r in good if r.model in wanted), None)
    if row is None:
        return None
    return f"Kept: {row.model} ({row.run_id}).", (_set(StageId.TRAIN, "keep", row.run_id),)


def _threshold(text: str, context: Context) -> Found | None:
    match = re.search(r"\bthreshold\s*(?:of|to|=|:|at)?\s*(0?\.\d{1,6}|0|1(?:\.0)?)\b", text, re.IGNORECASE)
    if match is None or StageId.TRAIN not in context.plans:
        return None
    value = float(match.group(1))
    return f"Threshold: {value:g}.", (_set(StageId.TRAIN, "threshold", value),)


def _dataset(text: str, context: Context) -> Found | None:
    if StageId.DATA_SOURCE in context.plans:
        for dataset in context.datasets:
            if dataset.id in text or dataset.name in text:
                return f"Data: {dataset.name}.", (_set(StageId.DATA_SOURCE, "dataset_id", dataset.id),)
    hint = find_dataset(text)
    if hint is None:
        return None
    if StageId.DATA_SOURCE in context.plans and hint in {d.id for d in context.datasets}:
        return f"Data: {hint}.", (_set(StageId.DATA_SOURCE, "dataset_id", hint),)
    if StageId.PARSE_INTENT in context.plans:
        return f"Data: {hint}.", (_set(StageId.PARSE_INTENT, "dataset", hint),)
    return None


def _bundle(text: str, context: Context) -> Found | None:
    if StageId.REVIEW_EDIT not in context.plans or not re.search(
        r"\b(?:bundle|leave|include|without|add)\b", text, re.I
    ):
        return None
    out = re.search(r"\b(?:leave|without|no|drop)\b", text, re.IGNORECASE) is not None
    found = list(dict.fromkeys(m for w, m in _BUNDLE.items() if re.search(rf"\b{w}\b", text, re.IGNORECASE)))
    if not found:
        return None
    said = f"Bundle {'without' if out else 'with'} {', '.join(found)}."
    return said, (_change(StageId.REVIEW_EDIT, [_op(m, not out) for m in found]),)


Rule = Callable[[str, Context], Found | None]
_ALONE: frozenset[Rule] = frozenset({_question, _confirm, _cancel, _restart, _learning_rate, _bundle})
_RULES: tuple[Rule, ...] = (
    _question, _confirm, _bundle, _learning_rate, _keep, _models, _wish, _metric, _budget, _trials, _column,
    _split, _threshold, _dataset, _cancel, _restart,
)  # fmt: skip


def _op(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": f"/{path}", "value": value}


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _change(stage_id: StageId, patch: list[dict[str, Any]]) -> Change:
    return Change(stage_id=stage_id, patch=tuple(patch))


def _set(stage_id: StageId, member: str, value: Any) -> Change:
    return Change(stage_id=stage_id, patch=(_op(member, value),))


def _help(context: Context) -> str:
    """What can be asked here, in the project's own words."""
    plan = context.plans.get(StageId.PROFILE_DATA, {})
    columns = [c for c, r in plan.get("roles", {}).items() if r == "feature"] or list(context.columns)
    column = columns[0] if columns else "age"
    models = [m["id"] for m in context.plans.get(StageId.MODEL_SELECT, {}).get("models", [])]
    best = context.leaderboard[0].model if context.leaderboard else "lightgbm"
    examples = {
        StageId.PARSE_INTENT: ['"optimise recall"', '"keep it under two minutes"', '"without xgboost"'],
        StageId.DATA_SOURCE: [f'"the target is {column}"', '"optimise recall"', '"use iris"'],
        StageId.PROFILE_DATA: [f'"drop {column}"', f'"the target is {column}"'],
        StageId.PREPROCESS: [f'"drop {column}"', f'"treat {column} as categorical"', '"25% test rows"'],
        StageId.MODEL_SELECT: [f'"use random forest instead of {models[0] if models else "xgboost"}"',
                               '"higher learning rate"', '"20 trials"'],
        StageId.TRAIN: [f'"keep {best}"', '"threshold 0.3"', '"finish with the best so far"'],
        StageId.REVIEW_EDIT: ['"leave the notebook out"', '"optimize for accuracy over speed"'],
        StageId.EXPORT: ['"retrain with higher learning rate"', '"use random forest instead of xgboost"'],
    }[context.current_stage]  # fmt: skip
    return (
        f"I did not understand that. At {context.current_stage} you can say, for example, {', '.join(examples)}; "
        'or "status", "go on", "stop".'
    )
