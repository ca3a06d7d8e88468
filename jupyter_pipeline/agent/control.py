"""Rules for what is said of the work itself: go on, stop, finish, take back, run again."""

from collections.abc import Mapping
from typing import Any

from ..protocol.names import member_words, metric_words, model_names, stage_name, standing, task_name
from ..protocol.stages import StageId, StageStatus
from .base import Cancel
from .conditions import not_later
from .draft import Draft, Said, piece
from .last_run import HOW_TO
from .request import say_seconds
from .vocabulary import FILLER, NUMBERS, STAGE_WORDS
from .words import words_of

_COURTESY = FILLER | words_of(
    """
    on the plan it all this that that's thats it's its stage step with to forward looks sounds is gate
    """
)
_CANCEL = words_of("stop cancel abort kill halt terminate interrupt quit cancelled")
_FINISH = words_of("finish wrap enough conclude finalise finalize")
_ENDING = words_of(
    """
    after current best so far keep use result results score before current in seconds minutes hours second minute hour
    that's thats that off up here point model models trial trials one first next asap what whatever there soon as
    possible quickly pls plz ever
    """
)
_NOW = words_of("now immediately once kill force instantly")
_AGAIN = words_of(
    """
    restart rerun redo repeat retrain refit reset restarting retry re-run
    """
)
_DOING_AGAIN = ("run", "do", "train", "start", "try", "fit", "once", "go", "begin", "all", "training", "profile")
_WORK = words_of(
    """
    it this that the run running training train work everything job stage step all please now
    """
)


def _stands(draft: Draft) -> str:
    return standing(draft.context.current_stage, draft.context.status)


def cancel(said: Said, draft: Draft) -> None:
    """``stop``, ``cancel the run``, ``finish with the best so far``, ``stop now``."""
    if said.taken:
        return  # "one model is enough"
    opening = [w for w in said.low[:6] if w != "," and (w not in _COURTESY or w in _CANCEL | _FINISH)][:2]
    finish = bool(_FINISH & set(opening)) or (
        said.has("so", "best") and said.has("far") and said.has("keep", "use", "stop")
    )
    stop = bool(_CANCEL & set(opening))
    best = said.has("best") and said.has("give", "take", "keep") and said.has("got", "have", "you've", "there")
    if best and draft.context.status is StageStatus.IN_PROGRESS and draft.context.current_stage is StageId.TRAIN:
        said.take(range(len(said.tokens)))
        draft.said.append(_FINISHING)
        draft.others.append(Cancel(mode="finish"))
        return
    content = [t.low for t in said.tokens if t.kind == "word"]
    models = [n for n in said.free("models") if n.polarity in ("named", "only")]
    if stop and models and said.low[0] in _CANCEL and not said.has("using"):
        said.take(range(len(said.tokens)))
        draft.problem(
            "One run is ended by its button in the view, or by p.cancel_run(run_id=...); here, "
            f'"without {model_names(models[0].value)}" trains again without it.'
        )
        return
    if not (finish or stop):
        return
    if any(w not in _COURTESY | _CANCEL | _FINISH | _NOW | _WORK | _ENDING for w in content):
        return
    if said.has("good") and not stop and said.words.isdisjoint(_FINISH - {"enough"}):
        return  # "good enough"
    said.take(range(len(said.tokens)))
    if said.low[-1:] == ["?"] and not said.has("you", "please"):
        draft.problem('To end what runs, say "stop" or "finish with the best so far".')
        return
    if said.low[0] == "let" and said.low[-1] in _FINISH and not said.has("best"):  # "let the current run finish"
        draft.problem(HOW_TO)
        return
    if any(t.kind == "number" for t in said.tokens) or said.has("after", "next") or (finish and said.has("first")):
        draft.problem(not_later(piece(said.text, said.tokens)))
        return
    if draft.context.status is not StageStatus.IN_PROGRESS:
        draft.problem(f"Nothing is running that could be stopped: the stage {_stands(draft)}.")
        return
    finish = finish or said.has("best")
    if finish and draft.context.current_stage is StageId.TRAIN:
        draft.said.append(_FINISHING)
        draft.others.append(Cancel(mode="finish"))
    elif _NOW & set(said.low):
        draft.said.append(f"Ending the stage {stage_name(draft.context.current_stage)} at once.")
        draft.others.append(Cancel(mode="now"))
    else:
        draft.said.append(f"Stopping the stage {stage_name(draft.context.current_stage)}.")
        draft.others.append(Cancel(mode="stop"))


_FINISHING = "Ending the training with the best model so far."
_UNDO = words_of("undo revert")


def undo(said: Said, draft: Draft) -> None:
    """``undo that``, ``take it back``, ``back to what was proposed``: the open gate's plan as the stage proposed it;
    where it is that already, what was changed last: plans before stages ran again, or a plan that was then confirmed.
    """
    back = said.has("back") and said.has("proposed", "proposal", "original", "take", "roll", "put") and not said.named
    if not (said.has(*_UNDO) or back):
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
    if "treatments" in plan:
        earlier = {"treatments": {}, **earlier}  # which plans of earlier versions lack
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


def _says_more(said: Said, *, back: bool) -> bool:
    """Whether a sentence has words that no rule knows, as in ``reset the parameters``; a reason is none of them."""
    ends = ("because", "since", "as", ",", *(() if back else ("with", "and")))
    end = next((i for i, word in enumerate(said.low) if word in ends), len(said.low))
    stages: set[int] = set()
    for i in range(end):
        if said.tokens[i].kind == "word" and (found := STAGE_WORDS.at(said.tokens, i)):
            stages.update(range(i, i + found[1]))
    known = _COURTESY | _AGAIN | _WORK | set(_DOING_AGAIN) | _OVER
    rest = [i for i in range(end) if i not in said.taken | stages and said.tokens[i].kind == "word"]
    return any(said.low[i] not in known for i in rest)


_OVER = words_of("""again over scratch beginning back re fresh new whole next once more another time times twice
    go return step steps stages one two three four five further""")


def restart(said: Said, draft: Draft) -> None:
    """``restart training``, ``retrain``, ``redo the profile``, ``go back to preprocessing``, ``start over``."""
    back = said.has("back") and (said.has("go", "return", "step") or said.low[:2] == ["back", "to"])
    over = said.has("start") and said.has("over", "scratch", "beginning")
    anew = any(w in _AGAIN and i not in said.taken for i, w in enumerate(said.low)) or (
        said.has("re") and said.has("run")
    )
    anew = anew or (said.has("again") and (said.has(*_DOING_AGAIN) or len(said.tokens) == 1))
    if not (back or over or anew) or len(said.taken) == len(said.tokens):
        return
    if _says_more(said, back=back):
        if back and draft.changes:  # "go back to the columns and drop age", which goes back there
            stages = ((i, STAGE_WORDS.at(said.tokens, i)) for i in range(len(said.tokens)) if i not in said.taken)
            said.take(*(range(i, i + found[1]) for i, found in stages if found is not None))
            said.take_words("go", "back", "to")
        return
    if said.has("new", "other", "different", "more", "fresh") and said.has("data", "dataset", "file", "rows"):
        said.take(range(len(said.tokens)))
        draft.problem(
            "Attach the other data, or name their file at the stage Data; then the stages after it run again."
        )
        return
    if said.low[-1:] == ["?"] and not said.has("you", "please"):
        said.take(range(len(said.tokens)))
        draft.problem("To run a stage again, say so without asking.")
        return
    stage = None
    for i, token in enumerate(said.tokens):
        found = STAGE_WORDS.at(said.tokens, i) if token.kind == "word" and i not in said.taken else None
        if found is not None and not (over and found[0] == "PARSE_INTENT"):
            stage = stage or StageId(found[0])
            said.take(range(i, i + found[1]))
    stage = StageId.PARSE_INTENT if stage is None and over else stage
    said.take_named(*_AGAIN, "again", "start", "over", "scratch", "beginning", "back")
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
