"""``seed 42 -> 7``, ``the metric from accuracy to recall``: what it is now is taken out of a sentence.

Of models such a sentence says which take the place of which, and becomes ``replace X by Y``.
"""

import msgspec

from .columns import Columns
from .denial import MARKS
from .tokens import Token
from .vocabulary import BUNDLED, NEGATORS, NUMBERS, PHRASES, ROLES, STRATEGIES, TREATMENTS, UNITS
from .words import words_of

_JOINTS = words_of("-> to into")
_ARTICLES = words_of("a an the about just")
_CHANGING = words_of("change switch convert turn")
_AND = words_of("and & + ,")
_OF_NUMBERS = words_of("% percent / :") | UNITS.firsts
_OF_COLUMNS = MARKS | _CHANGING | words_of("predict group grouped time replace")
_KINDS = {"models": "models", "absent": "models", "metric": "metric", "task": "task", "prefer": "prefer"}
_LONGEST = 6
"""Tokens that what is replaced can have."""


def replaced(sentence: list[Token], columns: Columns) -> list[Token]:
    """A sentence without what stands before an arrow, or between ``from`` and ``to``, and is to be so no more.

    Parameters
    ----------
    sentence : list of Token
    columns : Columns
        The columns of the data, if they are known.
    """
    if not any(t.low in _JOINTS for t in sentence):
        return sentence
    found: list[Token] = []
    done = 0  # what is before it is in ``found``, or was replaced
    other = 0  # what is before it takes the place of something else
    for i, token in enumerate(sentence):
        if token.low not in _JOINTS or token.kind == "quoted" or i < done:
            continue
        at = i + 1
        while at < len(sentence) and sentence[at].low in _ARTICLES:
            at += 1
        after = _kinds(sentence, at, columns)
        start, kind = _before(sentence, done, i, after, columns) if after else (None, "")
        if start is None:
            continue
        first = start
        while first > done and sentence[first - 1].low in _ARTICLES:
            first -= 1
        led = first > done and sentence[first - 1].low in ("from", *_CHANGING)
        if token.low != "->" and not led:
            continue
        if kind != "models":
            first -= first > done and sentence[first - 1].low == "from"
            found += _with_denial(sentence[done:first])
            done = i + (token.low == "->")
            continue
        first = first - 1 if led else _of_several(sentence, max(done, other), first, columns)
        said = sentence[first]
        found += sentence[done:first]
        found.append(msgspec.structs.replace(said, kind="word", text="replace", low="replace", end=said.at))
        found += sentence[first + led : i]
        found.append(msgspec.structs.replace(token, kind="word", text="by", low="by"))
        done, other = i + 1, after[kind]
    return found + sentence[done:]


def _with_denial(tokens: list[Token]) -> list[Token]:
    """``don't accuracy -> recall`` is ``don't change …``."""
    at = next((i for i in range(len(tokens) - 1, -1, -1) if tokens[i].low in NEGATORS | {",", "but"}), None)
    if at is None or tokens[at].low not in NEGATORS or any(t.low in _CHANGING for t in tokens[at:]):
        return tokens
    change = msgspec.structs.replace(tokens[at], text="change", low="change", at=tokens[at].end)
    return [*tokens[: at + 1], change, *tokens[at + 1 :]]


def _before(
    sentence: list[Token], done: int, end: int, after: dict[str, int], columns: Columns
) -> tuple[int | None, str]:
    """Where that begins which is replaced, and what kind of thing it is; None where it is no such thing."""
    for start in range(max(done, end - _LONGEST), end):
        kinds = {kind for kind, stop in _kinds(sentence, start, columns).items() if stop == end}
        if "column" in kinds and ("column" not in after or _OF_COLUMNS.isdisjoint(t.low for t in sentence)):
            return None, ""  # "age -> id" says what it is
        if common := kinds & after.keys():
            return start, "models" if "models" in common else min(common)
    return None, ""


def _kinds(sentence: list[Token], at: int, columns: Columns) -> dict[str, int]:
    """What a token can be the beginning of, and where that ends."""
    if at >= len(sentence):
        return {}
    token, found = sentence[at], {}
    if (column := columns.at(sentence, at)) is not None:
        found["column"] = at + column[1]
    elif not columns.names and token.kind in ("word", "quoted") and not MARKS.isdisjoint(t.low for t in sentence):
        found["column"] = at + 1
    if token.kind in ("path", "url") or (BUNDLED.at(sentence, at) is not None):
        found["data"] = at + (BUNDLED.at(sentence, at) or ("", 1))[1]
    if token.kind == "number":
        found["number"] = _end_of_number(sentence, at + 1)
    if {"positive", "class"} <= {t.low for t in sentence} and token.kind in ("word", "quoted", "number"):
        found["value"] = at + 1
    if token.kind != "word":
        return found
    spoken = NUMBERS.at(sentence, at)
    if spoken is not None and spoken[0] >= 1 and token.low not in ("a", "an"):
        found["number"] = _end_of_number(sentence, at + spoken[1])
    phrase = PHRASES.at(sentence, at)
    if phrase is not None and phrase[0].kind in _KINDS:
        found[_KINDS[phrase[0].kind]] = at + phrase[1]
    for lookup in (TREATMENTS, ROLES):
        if (known := lookup.at(sentence, at)) is not None:
            found["treatment"] = max(found.get("treatment", 0), at + known[1])
    if token.low in STRATEGIES:
        found["strategy"] = at + 1
    return found


def _end_of_number(sentence: list[Token], at: int) -> int:
    """Past its unit, and past the parts of ``70/15/15``."""
    while at < len(sentence) and (sentence[at].low in _OF_NUMBERS or sentence[at].kind == "number"):
        at += 1
    return at


def _of_several(sentence: list[Token], done: int, start: int, columns: Columns) -> int:
    """Where a list of models begins that ends with the one at ``start``: ``xgboost, lightgbm -> random forest``."""
    first = start
    while first - 1 > done and sentence[first - 1].low in _AND:
        end = first - 1
        ends = [n for n in range(max(done, end - 4), end) if _kinds(sentence, n, columns).get("models") == end]
        if not ends:
            break
        first = ends[0]
    cue = PHRASES.at(sentence, first - 1) if first > done else None
    return start if cue is not None and cue[0].kind == "cue" else first
