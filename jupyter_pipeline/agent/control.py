"""Rules for what is said of the work itself: go on, stop, finish, take back, run again."""

from collections.abc import Mapping
from typing import Any

from ..protocol.names import member_words, metric_words, model_names, stage_name, standing, task_name
from ..protocol.stages import StageId, StageStatus
from .base import Cancel, ConfirmGate
from .draft import Draft, Said
from .request import say_seconds
from .vocabulary import FILLER, NEGATORS, NUMBERS, STAGE_WORDS
from .words import words_of

_CONFIRM = words_of(
    """
    confirm confirmed approve approved accept accepted continue proceed yes ok okay yep yeah sure fine good
    great lgtm perfect agreed next go ahead correct right looks nice
    """
)
_COURTESY = FILLER | words_of(
    """
    on the plan it all this that that's it's stage step with to forward looks sounds is gate
    """
)
_CANCEL = words_of("stop cancel abort kill halt terminate interrupt quit cancelled")
_FINISH = words_of("finish wrap enough conclude finalise finalize")
_NOW = words_of("now immediately once kill force instantly")
_AGAIN = words_of(
    """
    restart rerun redo repeat retrain refit reset again restarting retry re-run
    """
)
_WORK = words_of(
    """
    it this that the run running training train work everything job stage step all please now
    """
)


def confirm(said: Said, draft: Draft, alone: bool) -> None:
    """``go on``, ``looks good``, where that is all that was said."""
    ahead = _ahead(said, draft)
    content = [
        w for i, (w, t) in enumerate(zip(said.low, said.tokens, strict=True)) if t.kind != "punct" and i not in ahead
    ]
    meant = [w for w in content if w in _CONFIRM]
    meant = meant or [said.low[i] for i in ahead] or [w for w in content if content == ["start"]]
    if (
        not meant
        or any(w not in _CONFIRM and w not in _COURTESY for w in content)
        or any(w in NEGATORS for w in content)
    ):
        return
    if (
        set(meant) <= {"good", "great", "nice", "right", "fine"}
        and len(content) > 3
        and not said.has("looks", "sounds")
    ):
        return
    said.take(range(len(said.tokens)))
    if not alone:
        draft.said.append("Confirm when you have seen what this comes to.")
    elif draft.context.status is StageStatus.WAITING_CONFIRMATION:
        draft.said.append(f"The stage {stage_name(draft.context.current_stage)} is confirmed.")
        draft.others.append(ConfirmGate())
    else:
        draft.problem(f"Nothing waits for a confirmation: the stage {_stands(draft)}.")


def _stands(draft: Draft) -> str:
    return standing(draft.context.current_stage, draft.context.status)


def _ahead(said: Said, draft: Draft) -> set[int]:
    """Tokens that name the stage after the one that waits: ``start training``, ``export it``."""
    here = draft.context.current_stage
    if draft.context.status is not StageStatus.WAITING_CONFIRMATION or here.next is None or said.named:
        return set()
    found: set[int] = set()
    for i, token in enumerate(said.tokens):
        stage = STAGE_WORDS.at(said.tokens, i) if token.kind == "word" else None
        if stage is not None and stage[0] == here.next:
            found.update(range(i, i + stage[1]))
    return found


def cancel(said: Said, draft: Draft) -> None:
    """``stop``, ``cancel the run``, ``finish with the best so far``, ``stop now``."""
    opening = [w for w in said.low[:6] if w not in _COURTESY or w in _CANCEL | _FINISH][:2]
    finish = bool(_FINISH & set(opening)) or (
        said.has("so", "best") and said.has("far") and said.has("keep", "use", "stop")
    )
    stop = bool(_CANCEL & set(opening))
    if not (finish or stop) or any(w in NEGATORS for w in said.low[:3]) or said.named or said.has("using", "early"):
        return
    if stop and len(said.rest()) > 2 and not finish:
        return
    said.take(range(len(said.tokens)))
    if said.has("if", "when", "unless", "until") or any(t.kind == "number" for t in said.tokens):
        draft.problem(
            'Work is not stopped later by itself: say "stop" or "finish with the best so far" when it is time.'
        )
        return
    if draft.context.status is not StageStatus.IN_PROGRESS:
        draft.problem(f"Nothing is running that could be stopped: the stage {_stands(draft)}.")
        return
    finish = finish or said.has("best") or (said.has("after") and said.has("this", "current"))
    if finish and draft.context.current_stage is StageId.TRAIN:
        draft.said.append("Ending the training with the best model so far.")
        draft.others.append(Cancel(mode="finish"))
    elif _NOW & set(said.low):
        draft.said.append(f"Ending the stage {stage_name(draft.context.current_stage)} at once.")
        draft.others.append(Cancel(mode="now"))
    else:
        draft.said.append(f"Stopping the stage {stage_name(draft.context.current_stage)}.")
        draft.others.append(Cancel(mode="stop"))


_UNDO = words_of("undo revert")


def undo(said: Said, draft: Draft) -> None:
    """``undo that``, ``take it back``, ``back to what was proposed``: the open gate's plan as the stage proposed it;
    where it is that already, what was changed last: plans before stages ran again, or a plan that was then confirmed.
    """
    back = said.has("back") and said.has("proposed", "proposal", "original", "take", "roll", "put") and not said.named
    if not (said.has(*_UNDO) or back) or any(w in NEGATORS for w in said.low[:2]):
        return
    said.take(range(len(said.tokens)))
    here, proposed = draft.context.current_stage, draft.context.proposed or {}
    changed = _taken_back(draft, here, proposed)
    if changed:
        draft.say(f"Back to what the stage {stage_name(here)} proposed: {', '.join(changed)}")
        return
    earlier = {s: p for s, p in draft.context.before.items() if s.order <= here.order and draft.plan(s) is not None}
    confirmed = max(draft.context.changed, default=None, key=lambda stage: stage.order)
    if confirmed is not None and all(confirmed.order >= stage.order for stage in earlier):
        earlier = {confirmed: draft.context.changed[confirmed]}  # confirmed after those stages ran again
    for stage, plan in earlier.items():
        changed = _taken_back(draft, stage, plan)
        if not changed and draft.context.status is not StageStatus.WAITING_CONFIRMATION and stage is here:
            draft.keep(stage)  # what was asked has not come to a plan
            changed = ["what was asked of it last"]
        if changed:
            draft.say(f"Taken back at the stage {stage_name(stage)}: {', '.join(changed)}")
    if not draft.changes:
        draft.problem(
            "There is nothing to take back: what you see is what was proposed, and no change made a stage run again "
            "since; say what it should be instead."
        )


_FOUND = ("not_understood", "data_sha256")
"""Members that say what was found, and are not set."""


def _taken_back(draft: Draft, stage: StageId, earlier: Mapping[str, Any]) -> list[str]:
    """Set a plan's members back; which, in words."""
    plan = draft.plan(stage) or {}
    changed = [m for m in earlier if m in plan and m not in _FOUND and plan[m] != earlier[m]]
    for member in changed:
        draft.set(stage, earlier[member], member)
    return [f"{member_words(m)}{_shown(m, earlier[m])}" for m in changed]


def _shown(member: str, value: Any) -> str:
    """A value for the answer, where it is short."""
    if member == "models":
        return f" ({model_names(choice['id'] for choice in value)})"
    if member == "metric":
        return f" ({metric_words(str(value))})"
    if member == "task_type":
        return f" ({task_name(str(value))})"
    if member == "time_budget_s":
        return f" ({say_seconds(float(value))})"
    return f" ({value})" if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


_SEVERAL = ("two", "three", "four", "five")


def restart(said: Said, draft: Draft) -> None:
    """``restart training``, ``retrain``, ``redo the profile``, ``go back to preprocessing``, ``start over``."""
    back = said.has("back") and said.has("go", "return", "step")
    over = said.has("start") and said.has("over", "scratch", "beginning")
    anew = any(w in _AGAIN and i not in said.taken for i, w in enumerate(said.low)) or (
        said.has("re") and said.has("run")
    )
    if not (back or over or anew) or any(w in NEGATORS for w in said.low[:3]):
        return
    stage = StageId.PARSE_INTENT if over else None
    for i, token in enumerate(said.tokens):
        found = STAGE_WORDS.at(said.tokens, i) if token.kind == "word" and i not in said.taken else None
        if found is not None and not over:
            stage = stage or StageId(found[0])
            said.take(range(i, i + found[1]))
    said.take_named(*_AGAIN, "start", "over", "scratch", "beginning", "back")
    said.take_words(*_WORK, "go", "from", "run", "to")
    if stage is None:
        if back:
            number = next((NUMBERS.at(said.tokens, i) for i, w in enumerate(said.low) if w in _SEVERAL), None)
            steps = int(number[0]) if number and said.has("steps", "stages") else 1
            stage = list(StageId)[max(draft.context.current_stage.order - steps, 0)]
        else:
            stage = StageId.TRAIN if said.has("retrain", "refit") else draft.context.current_stage
    if stage.order > draft.context.current_stage.order and draft.changes:
        return  # "retrain with …": training comes in its turn
    if stage.order > draft.context.current_stage.order:
        draft.problem(
            f"The stage {stage_name(stage)} has not been reached: the project is at the stage "
            f"{stage_name(draft.context.current_stage)}."
        )
        return
    draft.restart = stage if draft.restart is None else min(stage, draft.restart, key=lambda s: s.order)
