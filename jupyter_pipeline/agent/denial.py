"""What a sentence names only to say that it is not meant: ``seed 7, not 42``, ``tenure and not age as the target``.

Models and columns that are unwanted by themselves (``without xgboost``) are for :mod:`~jupyter_pipeline.agent.scan`.
"""

from typing import NamedTuple

from .columns import Columns
from .tokens import Token
from .vocabulary import FILLER, NEGATORS, NUMBERS, ROLES, STRATEGIES, TREATMENTS, UNITS
from .words import words_of

_OF_NUMBERS = words_of(
    """
    the a an of to at by in on for with seed random state random_state threshold cutoff depth max learning rate test
    validation val trials tries settings trees estimators budget time positive class label is be split size fraction
    sample rows iterations rounds leaves only just
    """
)
_VERBS = words_of("use using take want set need make give run try do have like choose pick split put keep let")
_AFTER = words_of(
    "% percent rows trials tries settings trees estimators iterations rounds leaves test validation val split"
)
_ARTICLES = words_of("the a an my our column columns variable feature")
_LEADS = (("not",), ("never",), ("nor",), ("neither",), ("rather", "than"), ("instead", "of"))
MARKS = words_of("target label outcome response")
_PREDICTING = words_of("predict predicting forecast forecasting estimate estimating classify classifying")
_TREATING = words_of("treat encode parse mark make convert handle consider")
_AS = words_of("as is are be into should must")
_WITH = words_of("use using with from drop dropping remove ignore exclude keep without by whether if who which")
#: What is not to be done leaves things as they are, whatever it would have been.
_DOING = words_of(
    """
    increase decrease raise lower reduce change shorten extend halve double split group divide partition restart rerun
    retrain switch modify touch move update swap replace substitute exchange undo revert shrink grow go shuffle
    start begin stop cancel abort kill halt terminate interrupt quit finish conclude redo repeat
    """
)
_AS_IS = (" as it is", " as is", " as they are", " alone", " unchanged", " untouched", " as before", " the way it is")
_CLAUSE_ENDS = words_of(", but then")


class Meant(NamedTuple):
    """A sentence without what it denies; ``left`` has the clauses that leave something as it is, and ``denied`` says
    whether anything else was."""

    tokens: list[Token]
    left: list[list[Token]]
    denied: bool


def meant_of(sentence: list[Token], columns: Columns) -> Meant:
    """What a sentence means when what it denies is taken out."""
    if not any(t.low in NEGATORS or t.low in ("than", "instead", "stop", "leave", "keep", "let") for t in sentence):
        return Meant(sentence, [], False)
    left = [] if any(t.low == "stratify" for t in sentence) else _left_as_is(sentence, columns)
    skipped = {i for span in left for i in span}
    spans = [*_roles(sentence, columns), *_numbers(sentence), *_strategies(sentence), *_as_what(sentence)]
    gone = {i for span in spans for i in span if i not in skipped}
    kept = [token for i, token in enumerate(sentence) if i not in gone | skipped]
    while kept and kept[0].low in ("but", ",", "and", "then"):
        del kept[0]
    return Meant(kept, [[sentence[i] for i in span] for span in left], bool(gone))


def _led(sentence: list[Token], i: int) -> int:
    """How many words say that what follows is not meant: ``not``, ``rather than``; 0 where none do."""
    low = tuple(t.low for t in sentence[i : i + 2])
    n = next((len(lead) for lead in _LEADS if low[: len(lead)] == lead), 0)
    return n + (n > 0 and sentence[i + n : i + n + 1] != [] and sentence[i + n].low == "be")


def _with_joints(sentence: list[Token], start: int, end: int) -> range:
    """What is denied, with the ``and`` before or the ``but`` after it."""
    after = end < len(sentence) and sentence[end].low in ("but", ",")
    before = start > 0 and sentence[start - 1].low in ("and", ",", "but")
    end += after
    if before and (not after or sentence[end - 1].low == sentence[start - 1].low == ","):
        start -= 1
        start -= start > 0 and sentence[start - 1].low == ","
    return range(start, end)


def _left_as_is(sentence: list[Token], columns: Columns) -> list[range]:
    """Clauses that say what is not to be done: ``don't increase the learning rate``, ``never split by time``."""
    found: list[range] = []
    start = 0
    for end in range(len(sentence) + 1):
        if end < len(sentence) and sentence[end].low not in _CLAUSE_ENDS:
            continue
        if sentence[start:end] and _says_as_is([t.low for t in sentence[start:end]]):
            found.append(range(start, end))
        for i in range(start, end - 1):
            needless = sentence[i].low == "no" and sentence[i + 1].low in ("need", "reason", "point")
            at = i + 1 + needless
            at += at + 1 < end and sentence[at].low in ("to", "in")
            doing = at < end and sentence[at].low in _DOING and columns.at(sentence, at) is None
            if doing and (needless or (sentence[i].low in NEGATORS and sentence[i].low not in ("no", "without"))):
                first = i - (i > start and sentence[i - 1].low in ("do", "please", "must", "should"))
                found.append(range(first, end))
                break
        start = end + 1
    return found


def _says_as_is(low: list[str]) -> bool:
    """``leave age as it is``, ``keep the split unchanged``."""
    said = " ".join(low)
    return bool({"leave", "keep", "let"} & set(low[:3])) and any(said.endswith(words) for words in _AS_IS)


# -- numbers -------------------------------------------------------------------------------------------------


def _numbers(sentence: list[Token]) -> list[range]:
    """Numbers that are not meant, with what they count: ``not 30 trials``, ``don't use 20% test rows``."""
    found: list[range] = []
    i = 0
    while i < len(sentence):
        n = _led(sentence, i) or (sentence[i].low in NEGATORS)
        end = _number_after(sentence, i + n) if n else None
        if end is None:
            i += 1
            continue
        span = _with_joints(sentence, i, end)
        if span.start and sentence[span.start - 1].kind == "number":  # "20 and not 30 trials": the trials are meant
            span = range(span.start, next(j for j in span if j >= i and _is_number(sentence, j)) + 1)
        found.append(span)
        i = end
    return found


def _number_after(sentence: list[Token], at: int) -> int | None:
    """Where a number ends, with its unit, that follows a negation; None if none does."""
    at += at < len(sentence) and sentence[at].low in _VERBS
    while at < len(sentence) and sentence[at].low in _OF_NUMBERS and not _is_number(sentence, at):
        at += 1
    if at >= len(sentence) or not _is_number(sentence, at):
        return None
    at += 1
    while at < len(sentence) and (
        sentence[at].low in _AFTER
        or sentence[at].text == "/"
        or sentence[at].low in UNITS.firsts
        or (sentence[at].kind == "number" and sentence[at - 1].text == "/")
    ):
        at += 1
    return at


def _is_number(sentence: list[Token], at: int) -> bool:
    if sentence[at].kind == "number":
        return True
    spoken = NUMBERS.at(sentence, at) if sentence[at].kind == "word" else None
    return spoken is not None and spoken[1] == 1 and spoken[0] >= 2 and sentence[at].low not in ("several", "few")


# -- strategies and treatments -------------------------------------------------------------------------------


def _strategies(sentence: list[Token]) -> list[range]:
    """``stratified, not random``: where another one is named."""
    found = []
    named = {i for i, t in enumerate(sentence) if t.low in STRATEGIES}
    for i in range(len(sentence)):
        at = i + _led(sentence, i)
        at += at > i and at < len(sentence) and sentence[at].low in ("by", "at", "a")
        if at > i and at in named and len(named) > 1:
            found.append(_with_joints(sentence, i, at + 1))
            named.discard(at)
    return found


def _as_what(sentence: list[Token]) -> list[range]:
    """``treat age as text, not as categorical``."""
    found = []
    for i in range(1, len(sentence)):
        at = i + _led(sentence, i)
        if at > i and at + 1 < len(sentence) and sentence[at].low in ("as", "a", "an"):
            known = TREATMENTS.at(sentence, at + 1) or ROLES.at(sentence, at + 1)
            end = at + 1 + (known[1] if known else 0)
            others = [n for n in (*range(i), *range(end, len(sentence))) if _is_kind(sentence, n)]
            if known and others and any(t.low in _AS for t in sentence[:i]):
                found.append(_with_joints(sentence, i, at + 1 + known[1]))
    return found


def _is_kind(sentence: list[Token], at: int) -> bool:
    return TREATMENTS.at(sentence, at) is not None or ROLES.at(sentence, at) is not None


# -- what a column is or is not ------------------------------------------------------------------------------


def _roles(sentence: list[Token], columns: Columns) -> list[range]:
    """Columns that are not what the sentence says of another: ``tenure and not age as the target``, ``treat age, not
    city, as text``, ``don't predict age``, ``age is not the target``."""
    if not any(t.low in MARKS | _PREDICTING | _AS | _TREATING for t in sentence):
        return []
    found: list[range] = []
    for i in range(len(sentence)):
        if found and i in found[-1]:
            continue
        negated = sentence[i].low in NEGATORS | {"avoid", "stop"}
        if negated and (span := _not_as_target(sentence, i, columns)):
            found.append(span)
        elif (n := _led(sentence, i)) and (end := _column_after(sentence, i + n, columns)):
            if _is_other(sentence, i, end):
                found.append(_beside(sentence, i, end, columns))
        elif (end := _column_after(sentence, i, columns)) and (stop := _is_no_target(sentence, end)):
            found.append(_with_joints(sentence, i, stop))
    return found


def _not_as_target(sentence: list[Token], i: int, columns: Columns) -> range | None:
    """``don't use age as the target``, ``don't predict age``; it says nothing of ``age`` as a feature."""
    at = i + 1
    if at < len(sentence) and sentence[at].low in _PREDICTING:
        end = _column_after(sentence, at + 1, columns)
        start = i - (i > 0 and sentence[i - 1].low == "do")
        return _with_joints(sentence, start, end) if end else None
    at += at < len(sentence) and sentence[at].low in _VERBS
    end = _column_after(sentence, at, columns) if at > i + 1 else None
    tail = [t.low for t in sentence[end : end + 4]] if end else []
    if end is None or tail[:1] not in (["as"], ["for"], ["to"], ["the"], ["our"]) or not MARKS & set(tail):
        return None
    stop = end + next(n for n, word in enumerate(tail) if word in MARKS) + 1
    return _with_joints(sentence, i - (i > 0 and sentence[i - 1].low == "do"), stop)


def _is_other(sentence: list[Token], start: int, end: int) -> bool:
    """Whether what is not meant stands beside what is: ``predict tenure, not age``; not ``use age, not tenure``."""
    before = [t.low for t in sentence[:start]]
    after = [t.low for t in sentence[end : end + 7]]
    if before[-1:] == ["is"] and MARKS & set(before[-3:]) and {"but", ","} & set(after):
        return False  # "the target is not X but Y" is read as it stands
    said = after[1:] if after[:1] == [","] else after
    feature = {"feature", "features", "predictor", "predictors", "input", "inputs"} & set(said)
    if said[:1] and said[0] in _AS and not feature:
        return True
    if MARKS & set(after) and {"as", "for", "is", "to"} & set(after):
        return True
    if _TREATING & set(before):
        return True
    return not _WITH & set(before) and (bool((MARKS | _PREDICTING) & set(before)) or "predict" in after)


def _beside(sentence: list[Token], start: int, end: int, columns: Columns) -> range:
    """What is denied, with the ``as the target`` after it where that is said of nothing else."""
    span = _with_joints(sentence, start, end)
    led = any(at + n[1] == span.start for at in range(span.start) if (n := columns.at(sentence, at)) is not None)
    tail = [t.low for t in sentence[span.stop : span.stop + 3]]
    mark = next((n for n, word in enumerate(tail) if word in MARKS), None)
    if led or not span.start or mark is None or tail[0] not in ("as", "for") or sentence[span.stop - 1].low == "but":
        return span
    return range(span.start, span.stop + mark + 1)


def _is_no_target(sentence: list[Token], at: int) -> int | None:
    """Where ``is not the target`` ends, after a column; None where that is not said."""
    low = [t.low for t in sentence[at : at + 6]]
    denied = low[:1] in (["isn't"], ["aren't"], ["shouldn't"], ["cannot"], ["can't"], ["mustn't"], ["won't"]) or (
        low[:1] and low[0] in ("is", "are", "should", "must", "can", "will") and low[1:2] in (["not"], ["no"])
    )
    end = next((n for n, word in enumerate(low) if word in MARKS), None)
    return at + end + 1 if denied and end is not None and "," not in low[:end] else None


def _column_after(sentence: list[Token], at: int, columns: Columns) -> int | None:
    """Where a column ends that begins at a token, past articles; None if there is none."""
    while at < len(sentence) and sentence[at].low in _ARTICLES and columns.at(sentence, at) is None:
        at += 1
    if at >= len(sentence):
        return None
    if found := columns.at(sentence, at):
        return at + found[1]
    ends = at + 1 == len(sentence) or sentence[at + 1].low in (",", "and", "but", "as")
    plain = sentence[at].kind == "quoted" or (sentence[at].kind == "word" and sentence[at].low not in FILLER | _VERBS)
    return at + 1 if not columns.names and ends and plain else None
