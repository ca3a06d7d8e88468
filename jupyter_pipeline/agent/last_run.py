"""``stop after the current model``: the run at work comes to its own end, and no further one is begun."""

import re

from ..protocol.names import model_name
from ..protocol.stages import StageId, StageStatus
from .base import Cancel
from .draft import Draft, Said

_BE = r"(?:it is|it's|its|is|you are|you're|we are|we're|that is|that's|which is)"
_DOES = r"(?:on|at|at work|in progress|running|training|fitting|doing|working on|busy with|currently running)"
_KIND = r"(?:model|run|one|trial|fit|training run)"
#: The run at work, as people call it; ``MODEL`` stands for the name of its model.
_ONE = (
    rf"(?:the )?(?:(?:this|that|current|currently running|running|present|MODEL) {_KIND}|MODEL"
    rf"|(?:what|one|{_KIND}) {_BE} {_DOES})(?: (?:{_BE} )?(?:{_DOES}|now|right now))*"
)
_WORK = r"(?: (?:it|the training|training|everything|there|here|with the training|with training|to the next stage))?"
_STOP = rf"(?:stop|end|finish|quit|halt|cease|conclude|wrap up|call it a day|be done|that's it|move on){_WORK}"
_END = rf"(?:{_STOP}|(?:go on|continue|proceed){_WORK})"
_OVER = r"(?:finish|finishes|finished|complete|completes|completed|end|ends|ended|done|over|ready|run out)"
_ENDS = rf"(?:is |has |gets |be )?{_OVER}"
_IS_OVER = rf"(?: {_ENDS})?"
_MORE = r"(?:more|further|other|another|new|additional)"
_WHEN = r"(?:right )?(?:after|once|when|as soon as)"
_AND = r"(?: ,)?(?: and| but)?(?: then)?(?: please)?"
_THEN = rf"(?= , | and | but | then ){_AND}"
_LATER = rf"(?:after|than|beyond|following) (?:{_ONE}|this|that|it){_IS_OVER}"
_LAST_RUN = re.compile(
    "|".join(
        (
            rf"(?:let (?:it |the training |training )?)?(?:{_STOP}|(?:cancel|abort|kill){_WORK}) {_WHEN}"
            rf" (?:{_ONE}|this|current|the current){_IS_OVER}",
            rf"{_OVER} {_ONE} first",
            rf"{_WHEN} {_ONE}{_IS_OVER}{_AND} (?:{_STOP}|no {_MORE} {_KIND}s?|nothing {_MORE})",
            # Not "let this run continue", and not "this one, stop".
            rf"(?:(?:let it |let you )?{_OVER} {_ONE}|(?:let )?{_ONE} {_ENDS}|(?:only|just|wait for|wait until) {_ONE}"
            rf"{_IS_OVER}){_THEN} {_END}",
            rf"(?:let (?:it |you )?|only |just |wait (?:for |until ))?(?:{_OVER} )?{_ONE}{_IS_OVER}{_AND}"
            rf" no {_MORE}(?: {_KIND}s?)?",
            rf"(?:no|don't|do not|not|never)(?: (?:begin|start|train|run|try|fit|do|launch))?(?: any| a)? {_MORE}"
            rf"(?: {_KIND}s?)? {_LATER}",
            r"(?:no|don't|do not|not|never)(?: (?:begin|start|train|run|try|fit|do|launch))?(?: any| a)?"
            rf" (?:more|further|another|new|additional) {_KIND}s?",
            rf"(?:begin |start |train |run |try )?nothing (?:else |{_MORE} )?{_LATER}",
            rf"(?:make |let )?{_ONE} (?:is |be |shall be |should be )?the last(?: {_KIND})?",
        )
    )
)
HOW_TO = 'To let the run at work be the last one, say "no more models after this one".'
_BEFORE = re.compile(
    r"(?:(?:please|now|and|ok|okay|so|just|can you|could you|would you|i want you to|you can|let's)(?: ,)? )*"
)
_BESIDE = re.compile(r"(?:(?: ,)? (?:please|thanks|thank you|now|for now|okay|ok|then))*$")


def last_run(said: Said, draft: Draft) -> bool:
    """Let the run at work be the last one, where a sentence says so and nothing else; whether it does."""
    here = draft.context
    if here.status is not StageStatus.IN_PROGRESS or here.current_stage is not StageId.TRAIN:
        return False
    name = here.at_work.model if here.at_work is not None else None
    words = list(said.low)
    for model in said.free("models"):
        if model.value == (name,):
            words[model.start : model.end] = ["MODEL", *[""] * (model.end - model.start - 1)]
    text = " ".join(word for word in words if word not in ("?", "!", ".", ""))
    if not _LAST_RUN.fullmatch(_BESIDE.sub("", text[_BEFORE.match(text).end() :])):  # type: ignore[union-attr]
        return False
    if said.low[-1:] == ["?"] and not said.has("you", "please"):
        draft.problem(HOW_TO)
        return True
    last = f"that of {model_name(name)} is the last one, and then" if name is not None else "then"
    draft.said.append(f"No further run is begun: {last} training ends with the best model so far.")
    draft.others.append(Cancel(mode="after_run"))
    return True
