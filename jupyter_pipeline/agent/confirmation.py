"""Whether a chat confirms: only where all of it does.

A sentence is matched as a whole, so that one which asks, denies, changes or sets a condition cannot confirm, whatever
words it has.
"""

import re
import unicodedata
from collections.abc import Sequence

from ..protocol.names import STAGE_NAMES, stage_name, standing
from ..protocol.stages import StageId, StageStatus
from .base import ConfirmGate
from .draft import Draft
from .tokens import Token
from .vocabulary import STAGE_WORDS
from .words import Lookup

MOST_WORDS = 20
_NAMES = Lookup(
    {stage_name(stage).lower(): stage for stage in STAGE_NAMES}
    | {" ".join(words): StageId(stage) for words, stage in STAGE_WORDS.items() if stage != "PARSE_INTENT"}
)
_RUN = frozenset({"it", "them", "these", "now", "please", ","})
_VERBS = frozenset({"train", "fit", "export", "profile", "preprocess"})
"""Names of stages that say to do it."""


def _or(phrases: str) -> str:
    return f"(?:{phrases})"


#: ``HERE`` is the stage that waits, ``NEXT`` the one after it, ``DO`` the latter as a verb.
_NEXT = r"(?:the )?(?:NEXT|DO)(?: stage| step)?"
_WHAT = _or("gate|plan|proposal|suggestion|stage|step|settings|setup|choice|choices|selection|results|HERE")
_THIS = rf"(?:it|this|that|them|these|HERE|(?:the |this |that |these |those |your )?{_WHAT}|(?:the )?stage HERE)"
_ALL = rf"(?:{_THIS}|they|all|everything|all of (?:it|this|that)|(?:it|this|that) all)"
_DEGREE = r"(?:(?:all|very|really|pretty|just|perfectly|absolutely|totally|quite) )?"
_FINE = _or("good|fine|ok|okay|right|correct|perfect|alright|all right|acceptable|good enough")
_WELL = _or("great|nice|excellent|reasonable|sensible|solid|awesome|super|amazing|wonderful")
_FOR_ME = r"(?: (?:to|for|with|by) (?:me|us)| to go| as is| as it is| as they are| like this| this way)?"
_GO = _or(
    r"go|go on|go ahead|go for it|goahead|carry on|move on|move ahead|move forward|go forward|proceed|continue"
    r"|keep going|make it so|start|start it|begin|get going|get started|next|next (?:stage|step|one)|take the next step"
    rf"|(?:start|begin|run|do|launch|go to|on to|kick off|over to|start with|begin with) {_NEXT}"
    r"|DO(?: it| them(?: all)?| all of them| this| these"
    r"| (?:the|this|these|your|those)(?: (?:chosen|selected|proposed))? (?:model|models|HERE|NEXT))?"
)
_ON = (
    rf"(?: (?:with|to) (?:the )?next (?:stage|step|one)| (?:on )?(?:with|to) {_NEXT}| with {_THIS}"
    r"| with (?:this|these|those) (?:model|models|column|columns|features|settings|data|split|target)"
    r"| as (?:it is|is|it stands|they are|proposed|planned|suggested|you proposed|you suggested)| like (?:this|that))?"
)
_YES = _or(
    r"yes|yess|yea|yeah|yep|yup|ya|aye|y|yes sir|sure|sure thing|of course|ok|okay|okey|k|kk|alright|all right|fine"
    r"|correct|perfect|absolutely|definitely|certainly"
)
"""Says yes to what was said before, whatever that is."""
_CONFIRM = _or("confirm|approve|accept")
#: What confirms by itself.
_CONFIRMS = _or(
    rf"(?:(?:got it|i see|understood) )?{_GO}{_ON}|(?:i |we )?{_CONFIRM}(?: {_THIS})?"
    rf"|(?:i |we )?agree(?: with {_THIS})?"
    rf"|(?:{_ALL} (?:is |are )?)?(?:confirmed|approved|accepted|agreed)"
    rf"|{_YES}|lgtm|good to go|ready to go|(?:i'm|i am) (?:happy|fine) with {_THIS}"
    rf"|(?:{_ALL} )?(?:looks?|sounds?|seems?) {_DEGREE}(?:{_FINE}|{_WELL}){_FOR_ME}"
    rf"|(?:(?:{_ALL} (?:is|are)|it's|that's|this's|its|thats|all|everything's) ){_DEGREE}{_FINE}{_FOR_ME}"
    r"|ship it|let's ship it"
    r"|fine (?:with|by|for) (?:me|us)|ok (?:with|by|for) (?:me|us)|good (?:with|by|for) (?:me|us)|works (?:for|with) me"
    r"|(?:this|that|it) works(?: for me)?"
)
#: What says nothing beside it, before or after it.
_BESIDE = _or(
    r"please|pls|plz|kindly|thanks|thank you|thx|ty|cheers|thanks a lot|thank you very much|many thanks|then|now|today"
    r"|great|nice|cool|good|excellent|awesome|super|wonderful|right|very good|very nice|brilliant|fantastic|wow|amazing"
    r"|lovely|(?:good|great|nice) (?:job|work)|well done|sir|team|everyone|guys|for now"
    r"|right away|asap|straight away|immediately|no (?:further |more |other )?(?:changes|questions|objections|comments)"
    r"(?: needed| needed here| from (?:me|my side))?|nothing (?:else )?to (?:change|add)|nothing else"
    r"|that's (?:all|it)|that is (?:all|it)|all set|(?:good|great|nice) plan|i have (?:seen|checked|read) "
    rf"{_ALL}"
)
#: What says nothing, but must be followed by what confirms.
_BEFORE = _or(
    r"so|well|and|just|hi|hello|hey|hi there|oh|ah|hmm|let's|lets|let us|we can|you can|you may|we may|we're ready to"
    r"|we are ready to|i want to|i want you to|i'd like to|i would like to|i'd like you to|i would like you to"
    r"|i am ready to|i'm ready to|ready to|time to|it's time to|feel free to|i am happy to|i'm happy to|go ahead and"
    r"|good morning|good afternoon|good evening"
)
_FIRST = rf"(?:(?:{_BEFORE}|{_BESIDE}) )*"
_SENTENCE = re.compile(rf"{_FIRST}{_CONFIRMS}(?:(?: (?:{_BEFORE}|{_BESIDE}))* {_CONFIRMS})*(?: {_BESIDE})*")
_COURTESY = re.compile(rf"(?:{_BEFORE}|{_BESIDE})(?: (?:{_BEFORE}|{_BESIDE}))*")
_POLITE = re.compile(
    rf"(?:please )?(?:(?:can|could|will) you|would you (?:please|kindly)) (?:(?:please|kindly|now|just|then) )*{_GO}"
    rf"{_ON}(?: {_BESIDE})*"
)
_ASSENT = re.compile(rf"{_FIRST}{_YES}(?: {_YES})*(?: {_BESIDE})*")
_SIGNS = frozenset("👍👌✅✔🙏🙂😀😃😄😊🎉🚀💯🆗")
"""Pictures that may stand beside what confirms."""
_CLAUSES = frozenset({",", "and", "but", "then"})


def confirms(tokens: Sequence[Token], draft: Draft) -> bool:
    """Whether a sentence, or a clause, does nothing but confirm."""
    words = _words(tokens, draft)
    if words is None:
        return False
    if words.endswith(" ?"):
        return _POLITE.fullmatch(words.removesuffix(" ?")) is not None
    return (_SENTENCE.fullmatch(words) or _POLITE.fullmatch(words)) is not None


def without(tokens: list[Token], draft: Draft) -> list[Token]:
    """A sentence without the clauses at its beginning and end that only confirm: ``looks good, but drop age``."""
    if not tokens or tokens[0].low in ("stop", "halt", "end"):
        return tokens  # "stop, that's good enough"
    start, end = 0, len(tokens)
    for i in [i for i, token in enumerate(tokens) if token.low in _CLAUSES and token.kind != "quoted"]:
        if i > start and confirms(tokens[start:i], draft):
            start = i + 1
    for i in range(len(tokens) - 1, start, -1):
        if tokens[i].low in _CLAUSES and tokens[i].kind != "quoted" and confirms(tokens[i + 1 : end], draft):
            end = i
    draft.confirmed = draft.confirmed or end - start < len(tokens)
    if start < end and confirms(tokens[start:end], draft):
        draft.confirmed, start = True, end
    return tokens[start:end]


def confirm(text: str, parts: list[list[Token]], draft: Draft) -> list[list[Token]]:
    """Confirm, if that is all that the sentences of a chat say; else those of them that say something else."""
    rest = [tokens for tokens in parts if not confirms(tokens, draft)]
    if len(rest) == len(parts) or any(unicodedata.category(c) == "So" and c not in _SIGNS for c in text):
        return parts
    if rest := [tokens for tokens in rest if not is_courtesy(tokens, draft)]:
        draft.confirmed = True
        return rest
    context = draft.context
    if context.status is not StageStatus.WAITING_CONFIRMATION:
        stands = standing(context.current_stage, context.status)
        draft.problem(f"Nothing waits for a confirmation: the stage {stands}.")
    elif context.only_answered and all(_ASSENT.fullmatch(_words(tokens, draft) or "") for tokens in parts):
        draft.answers.append('Say "go on" to confirm what is proposed as it is, or say in full what shall be changed.')
    else:
        draft.said.append(f"The stage {stage_name(context.current_stage)} is confirmed.")
        draft.others.append(ConfirmGate())
    return []


def is_courtesy(tokens: Sequence[Token], draft: Draft) -> bool:
    """Whether a sentence says nothing but ``thanks``, ``great`` and the like."""
    return _COURTESY.fullmatch(_words(tokens, draft) or "") is not None


def _words(tokens: Sequence[Token], draft: Draft) -> str | None:
    """The words of a sentence, with marks for the stages that it names; None where it is more than words."""
    here = draft.context.current_stage
    words: list[str] = []
    i = 0
    while i < len(tokens) and len(words) <= MOST_WORDS:
        token, named = tokens[i], None
        if token.text == "?" and i + 1 == len(tokens):
            words.append("?")
        elif token.kind == "word":
            named = _NAMES.at(list(tokens), i)
            stays = "with" in (t.low for t in tokens[max(0, i - 2) : i]) and here is not StageId.MODEL_SELECT
            if named is not None and named[0] in ((here.next,) if stays else (here, here.next)):
                verb = token.low in _VERBS and named[1] == 1
                words.append("HERE" if named[0] is here else "DO" if verb else "NEXT")
            else:
                named = None
                runs = token.low == "run" and here.next is StageId.TRAIN
                runs = runs and (i + 1 == len(tokens) or tokens[i + 1].low in _RUN)
                words.append("DO" if runs else token.low)
        elif token.low not in (",", ":"):
            return None
        i += named[1] if named else 1
    whole = len(words) <= MOST_WORDS and not (len(tokens) == 1 and tokens[0].text in draft.columns.names)
    return " ".join(words) if whole else None
