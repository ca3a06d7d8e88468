"""MODEL_SELECT: which models suit the task, the wishes and the time, and what they are expected to cost."""

import importlib.util
import json
from typing import Any

from msgspec import UNSET

from ..automl.metrics import resolve
from ..automl.models import ENSEMBLE, MODELS, ModelInfo, ParameterError, check_choices, name_of, turn
from ..protocol.events import ModelCandidate, ModelCandidates, ModelSelected
from ..protocol.names import metric_name, metric_words, task_name
from ..protocol.plans import DataPlan, IntentPlan, ModelChoice, ModelPlan, PreprocessPlan
from ..protocol.stages import StageId
from .base import Result, StageContext, StageError
from .rows import load_split, write_json

_TREES = ("random_forest", "extra_trees", "hist_gradient_boosting", "lightgbm", "xgboost", "catboost")
_BOOSTING = ("hist_gradient_boosting", "lightgbm", "xgboost", "catboost")
#: What people call models and families beside their ids.
_ALIASES: dict[str, tuple[str, ...]] = {
    "baseline": ("dummy",),
    "logistic_regression": ("linear",),
    "linear_regression": ("linear",),
    "linear_model": ("linear",),
    "linear_models": ("linear",),
    "ridge": ("linear",),
    "logistic": ("linear",),
    "forest": ("random_forest", "extra_trees"),
    "forests": ("random_forest", "extra_trees"),
    "rf": ("random_forest",),
    "hgb": ("hist_gradient_boosting",),
    "histogram_gradient_boosting": ("hist_gradient_boosting",),
    "lgbm": ("lightgbm",),
    "xgb": ("xgboost",),
    "boosting": _BOOSTING,
    "gradient_boosting": _BOOSTING,
    "trees": _TREES,
    "tree": _TREES,
    "tree_models": _TREES,
    "ensembles": _TREES,
    "weighted_ensemble": (ENSEMBLE,),
    "blending": (ENSEMBLE,),
    "stacking": (ENSEMBLE,),
}
_TRIALS = {"speed": 1, "balanced": 2, "interpretability": 2, "accuracy": 8}
_ORDER = {
    "speed": ("dummy", "linear", "lightgbm"),
    "interpretability": ("linear", "dummy"),
    "balanced": ("dummy", "linear", "random_forest", "lightgbm", "xgboost", "catboost", ENSEMBLE),
    "accuracy": tuple(MODELS),
}
#: In less time than this boosting on many rows comes to nothing.
_WORTH_S = 5.0
#: With less time an ensemble is not proposed.
_ENSEMBLE_FROM_S = 10.0
_MODULES = {"lightgbm": "lightgbm", "xgboost": "xgboost", "catboost": "catboost"}


def run(ctx: StageContext) -> Result:
    """Propose models.

    Writes ``models.json`` into ``out_dir``: all candidates with their expected cost in seconds, an estimate.

    Parameters
    ----------
    ctx : StageContext
        The job; ``params`` may hold any member of ModelPlan.

    Returns
    -------
    Result
        With a ModelPlan.

    Raises
    ------
    StageError
        If no model is left, or parameters asked for are not possible.
    """
    intent: IntentPlan = ctx.approved(StageId.PARSE_INTENT)
    data: DataPlan = ctx.approved(StageId.DATA_SOURCE)
    treatments: PreprocessPlan = ctx.approved(StageId.PREPROCESS)
    n_rows = len(load_split(ctx)["train"])
    n_classes = _n_classes(ctx) if data.task_type == "multiclass" else 2
    n_features = _n_features(ctx, treatments, n_classes)
    candidates = [info for info in MODELS.values() if _installed(info)]
    cost = {info.id: info.cost_s(n_rows, n_features, n_classes, ctx.job.threads) for info in candidates}
    wanted, excluded = _named(ctx, intent.include_models), _named(ctx, intent.exclude_models)
    whys = {info.id: _why(info, intent, wanted) for info in candidates}
    proposed = _choose(ctx, intent, wanted, excluded, cost)
    asked = ctx.job.params.get("models") or ()
    ids = [choice.get("id") for choice in asked if isinstance(choice, dict)] or proposed
    ctx.emit(
        ModelCandidates(
            models=tuple(
                ModelCandidate(
                    id=info.id,
                    name=info.name,
                    family=info.family,
                    why=whys[info.id],
                    requirements=info.requirements,
                    cost_s=round(cost[info.id], 2),
                    params=info.defaults,
                    left_out=UNSET if info.id in ids else _left_out(ctx, info.id, intent, wanted, excluded, cost),
                )
                for info in candidates
            )
        )
    )
    if not proposed:
        raise StageError("All models are excluded; allow at least one of " + ", ".join(map(name_of, MODELS)) + ".")
    plan: ModelPlan = ctx.with_params(
        ModelPlan(
            models=tuple(ModelChoice(id=model_id) for model_id in proposed),
            time_budget_s=intent.time_budget_s,
            metric=resolve(data.metric, data.task_type),  # type: ignore[arg-type]
            trials=_TRIALS[intent.prefer],
        )
    )
    plan = _checked(plan, data)
    for choice in plan.models:
        ctx.emit(ModelSelected(model_id=choice.id))
    described = [
        {"id": i.id, "name": i.name, "family": i.family, "why": whys[i.id], "cost_s": cost[i.id], "params": i.defaults}
        for i in candidates
    ]
    note = "cost_s is an estimate of the seconds to fit once with default parameters on this many rows."
    value = {"n_train_rows": n_rows, "n_features": n_features, "note": note, "models": described}
    ctx.asset(write_json(ctx.out_dir / "models.json", value), "data", "Model candidates")
    names = ", ".join(MODELS[choice.id].name for choice in plan.models)
    total = sum(cost.get(choice.id, 0.0) for choice in plan.models)
    return Result(
        plan=plan,
        summary=(
            f"{names}: judged by {metric_words(plan.metric)} on the validation rows, up to {plan.trials} "
            f"setting{'s' if plan.trials > 1 else ''} each within {plan.time_budget_s:g} s (about "
            f"{max(1, round(total))} s expected for the default settings)."
        ),
        next_actions=(
            "Confirm to start training.",
            "Add or drop models, or set their parameters.",
            "Change the time budget, the metric or the number of trials.",
        ),
    )


def _choose(
    ctx: StageContext,
    intent: IntentPlan,
    wanted: tuple[str, ...],
    excluded: tuple[str, ...],
    cost: dict[str, float],
) -> list[str]:
    """Ids of the models, in the order in which they are shown; none if all are excluded."""
    if ENSEMBLE in wanted and not set(wanted) - {ENSEMBLE, "dummy"}:
        # To want an ensemble is to want it of the usual models.
        usual = _choose(ctx, intent, (), excluded, {m: c for m, c in cost.items() if m != ENSEMBLE})
        return [*usual, ENSEMBLE] if usual else []
    if wanted:
        ids = [m for m in ("dummy", *wanted) if m in cost and m not in excluded]
        lacking = [m for m in wanted if m not in cost]
        if lacking:
            ctx.log(f"Not installed here, so left out: {', '.join(map(name_of, lacking))}.", "warning")
        ids = sorted(dict.fromkeys(ids), key=lambda m: m == ENSEMBLE)
        if ids and ids != ["dummy"]:
            return ids
        ctx.log("None of the models asked for can be trained here; the usual ones are proposed.", "warning")
    order = _considered(intent, excluded, cost)
    if not set(order) - {ENSEMBLE}:
        return []
    single = [m for m in order if m != ENSEMBLE]
    chosen, unfinished, too_long = within_time(single, cost, intent.time_budget_s)
    if unfinished:
        ctx.log(
            f"{name_of(unfinished)} would hardly be done within {intent.time_budget_s:g} s; it is trained as long as "
            "there is time, and its best iteration until then counts."
        )
    if too_long:
        ctx.log(
            f"Left out because they would hardly be done within {intent.time_budget_s:g} s: "
            f"{', '.join(map(name_of, too_long))}. Add them, or allow more time.",
        )
    if ENSEMBLE in order and len([m for m in chosen if m != "dummy"]) > 1 and intent.time_budget_s >= _ENSEMBLE_FROM_S:
        chosen.append(ENSEMBLE)
    return sorted((m for m in order if m in chosen), key=lambda m: m == ENSEMBLE)


def _considered(intent: IntentPlan, excluded: tuple[str, ...], cost: dict[str, float]) -> list[str]:
    """Models that suit what matters most, before time is looked at."""
    order = [m for m in _ORDER[intent.prefer] if m in cost and m not in excluded]
    usual, left = ([m for m in models if m not in ("dummy", ENSEMBLE)] for models in (_ORDER[intent.prefer], order))
    if len(left) < min(2, len(usual)):  # exclusions took most of them
        order += [m for m in MODELS if m in cost and m not in excluded and m not in order and m != ENSEMBLE]
    return order


def _left_out(
    ctx: StageContext,
    model_id: str,
    intent: IntentPlan,
    wanted: tuple[str, ...],
    excluded: tuple[str, ...],
    cost: dict[str, float],
) -> str:
    """Why a model is not among those proposed."""
    if "models" in ctx.job.params:
        return "You chose other models."
    if model_id in excluded:
        return "The request does not want it."
    if set(wanted) & set(cost):
        return "The request names other models."
    if model_id == ENSEMBLE and model_id in _ORDER[intent.prefer]:
        return f"It takes two models beside the baseline, and {_ENSEMBLE_FROM_S:g} seconds or more."
    if model_id in _considered(intent, excluded, cost):
        return f"It would hardly be done within {intent.time_budget_s:g} s beside the others."
    return {
        "speed": "Speed matters most, and it is not among the quickest.",
        "interpretability": "A model that can be explained matters most, and this one is harder to explain.",
    }.get(intent.prefer, "Those proposed have one much like it, so it would add little.")


def within_time(order: list[str], cost: dict[str, float], budget_s: float) -> tuple[list[str], str | None, list[str]]:
    """Which models there is time for, in the order in which they are trained.

    Returns
    -------
    chosen : list of str
    unfinished : str or None
        The one of them that is there to use the time that would be left: boosting keeps the best iteration it had.
    too_long : list of str
    """
    left = 0.8 * budget_s
    chosen: list[str] = []
    too_long: list[str] = []
    for model_id in sorted(order, key=lambda m: turn(m, cost[m])):
        real = [m for m in chosen if m != "dummy"]
        if cost[model_id] <= left or not real:
            chosen.append(model_id)
            left -= cost[model_id]
        else:
            too_long.append(model_id)
    boosting = [m for m in too_long if m in _BOOSTING]
    if not boosting or any(m in _TREES for m in chosen) or left < max(_WORTH_S, 0.3 * budget_s):
        return chosen, None, too_long
    return [*chosen, boosting[0]], boosting[0], [m for m in too_long if m != boosting[0]]


def _named(ctx: StageContext, names: tuple[str, ...]) -> tuple[str, ...]:
    """Ids of models that are meant; names of what is not offered are said and passed over."""
    found: list[str] = []
    for name in names:
        key = name.strip().lower().replace(" ", "_").replace("-", "_")
        if key in MODELS:
            found.append(key)
        elif key in _ALIASES:
            found += _ALIASES[key]
        elif "neural" not in key and key not in ("mlp", "deep_learning", "nn"):
            ctx.log(f"There is no model {name!r} here; there are {', '.join(map(name_of, MODELS))}.", "warning")
    return tuple(dict.fromkeys(found))


def _checked(plan: ModelPlan, data: DataPlan) -> ModelPlan:
    if resolve(plan.metric, data.task_type) != plan.metric:
        raise StageError(
            f"The metric {metric_name(plan.metric)} does not suit a {task_name(data.task_type)}; choose another one."
        )
    try:
        check_choices([(choice.id, choice.params) for choice in plan.models], plan.trials)
    except ParameterError as error:
        raise StageError(str(error)) from None
    return plan


def _installed(info: ModelInfo) -> bool:
    return info.id not in _MODULES or importlib.util.find_spec(_MODULES[info.id]) is not None


def _why(info: ModelInfo, intent: IntentPlan, wanted: tuple[str, ...]) -> str:
    words = info.why
    if info.id in wanted:
        words += " You asked for it."
    elif intent.prefer == "interpretability" and info.id == "linear":
        words += " It comes first because you want to understand the model."
    elif intent.prefer == "speed" and info.id in _ORDER["speed"]:
        words += " It is among the quickest."
    return words


def _n_classes(ctx: StageContext) -> int:
    """Of the target, by the profile."""
    try:
        return int(json.loads((ctx.result_dir(StageId.PROFILE_DATA) / "target.json").read_text("utf-8"))["n_unique"])
    except (OSError, ValueError, KeyError):
        return 5


def _n_features(ctx: StageContext, plan: PreprocessPlan, n_classes: int) -> int:
    try:
        described: dict[str, Any] = json.loads(
            (ctx.result_dir(StageId.PREPROCESS) / "preprocess.json").read_text("utf-8")
        )["columns"]
    except (OSError, ValueError, KeyError):
        described = {}
    usual = {"drop": 0, "text": 20, "datetime": 8, "onehot": 10}
    total = 0
    for name, treatment in plan.columns.items():
        known = described.get(name, {})
        same = known.get("treatment") == treatment
        width = int(known["n_features"]) if same else usual.get(treatment, 1)
        total += width * n_classes if treatment == "target_encode" and n_classes > 2 else width
    return max(1, total)
