"""``how much longer?``: what is known of the time that is left, from what was measured."""

from ..protocol.names import model_name, model_names, stage_name, standing
from ..protocol.stages import StageId, StageStatus
from .base import AtWork, Context
from .draft import Said

_WORK_OVER = (
    "done",
    "ready",
    "finished",
    "finish",
    "finishes",
    "over",
    "end",
    "ends",
    "complete",
    "completed",
    "there",
)
_TIMES = ("time", "minutes", "minute", "seconds", "hours", "hour")
_OPENING = {"what's", "what", "any", "the", "give", "tell", "show", "current"}
_OF_TIME = {"how", "much", "is", "are", "will", "do", "does", "time", "remaining"}
_THERE = {"is", "still", "left", "remains", "remaining", "there", "of", "it", "this", "the", "training", "work"}
_ASKING = ("will", "is", "does", "do", "can", "would")
_TAKING = ("take", "takes", "taking", "last", "need", "needs", "run", "going", "be")


def asks_time_left(said: Said, context: Context) -> bool:
    """Whether a sentence asks how long it will take: ``how much longer?``, ``ETA?``, ``when will it be done?``"""
    low = [w for w in said.low if w not in ("?", "!", "please", ",")]
    if (
        not low
        or len(low) > 14
        or said.has("why", "did", "took", "was")
        or any(t.kind == "number" for t in said.tokens)
    ):
        return False
    working = context.status is StageStatus.IN_PROGRESS
    if low[-1] == "eta" and (len(low) == 1 or low[0] in _OPENING):  # not "the eta is too high", which is a parameter
        return working or len(low) > 1 or said.low[-1] == "?"
    if low[0] in ("how", "much") and "longer" in low:
        return True
    of_time = said.has(*_TIMES) or (low[:2] == ["how", "much"] and set(low[2:]) <= _THERE)
    if low[0] in _OPENING | _OF_TIME and of_time and said.has("left", "remaining", "remains") and not said.has("out"):
        return not said.free("column")  # nor "use the time left for xgboost"
    if low[0] == "when" and low[1:2] != [] and low[1] in _ASKING and said.has(*_WORK_OVER):
        return True  # not "when this one is done, stop"
    if not working:
        return False
    if low[0] in ("is", "are", "will") and said.has("almost", "nearly", "soon", "yet", "long") and len(low) < 8:
        return said.has(*_WORK_OVER, "long")
    return (low[:2] == ["how", "long"] and said.has(*_TAKING)) or (low[:2] == ["how", "far"] and len(low) < 7)


def time_left(context: Context) -> str:
    """What is known of the time that is left."""
    work = context.at_work
    if work is None:
        return f"The stage {standing(context.current_stage, context.status)}."
    if context.current_stage is not StageId.TRAIN:
        far = f" {work.pct:.0%} of it are done." if work.pct is not None else ""
        name = stage_name(context.current_stage)
        return f"The stage {name} began {_s(work.seconds)} ago.{far} How long it takes is not known beforehand."
    if work.finishing and not work.last_run:
        return "Training ends with the best model so far, as soon as what is at work can be stopped and is evaluated."
    if work.last_run:
        return f"No further run is begun: training ends with the one at work.{_run(work, None)}"
    plan = context.plans.get(StageId.MODEL_SELECT, {})
    budget = float(plan.get("time_budget_s") or 0.0)
    left = budget - work.seconds
    began = f"the time budget of {_s(budget)} began {_s(work.seconds)} ago"
    said = f"At most about {_s(left)}: {began}." if left >= 1 else f"It is about to end: {began}."
    chosen = [choice["id"] for choice in plan.get("models", [])]
    to_come = [model for model in chosen if model not in work.begun]
    more = f" To be trained after it while there is time: {model_names(to_come)}." if to_come and left >= 1 else ""
    return f"{said}{_run(work, left)}{more}"


def _run(work: AtWork, left: float | None) -> str:
    """What the run at work says of itself, where so many seconds of the time budget are left."""
    if work.model is None:
        return ""
    name = model_name(work.model)
    if work.eta_s is None:
        return f" The run at work is {name}."
    if work.eta_s < 1:
        return f" The run at work, {name}, is almost done."
    if left is not None and work.eta_s > left:
        return f" The run at work, {name}, would need about {_s(work.eta_s)} more, and ends with the time that it has."
    return f" The run at work, {name}, needs about {_s(work.eta_s)} more, or less where it ends early."


def _s(seconds: float) -> str:
    """A span of time, not more exact than it can be."""
    whole = max(1, round(seconds))
    minutes, rest = divmod(whole, 60)
    if whole < 120:
        return f"{whole} s"
    return f"{minutes} min" + (f" {rest} s" if rest and minutes < 10 else "")
