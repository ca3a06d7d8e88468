"""Sheets of an Excel file as people name them: in a request, where they are not known yet, and in a chat."""

from collections.abc import Sequence
from typing import Literal

from ..protocol.stages import StageId
from .change_data import dataset
from .columns import Columns
from .draft import Draft, Said
from .parameters import assigned
from .tokens import Token
from .words import squash, words_of

DATA, INTENT = StageId.DATA_SOURCE, StageId.PARSE_INTENT
_SHEET = words_of("sheet sheets worksheet worksheets tab tabs")
_CODE = words_of("sheet_name sheetname")
_CALLED = words_of("called named is name : = the number no nr .")
_ENDS = words_of(
    """
    of in from and with instead please to for as by using or but then not rather where which that has because now
    """
)
_BEFORE = words_of(
    """
    use take read load switch choose select open the from in on of with using a to our my this that is it's its data
    """
)
_NO_NAME = words_of(
    "excel google spread other another different which what any each every all same whole wrong right both"
)
_PLACES = {"first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "last": "last"}
"""The places of sheets, as the reading of Excel files has them."""
_SEVERAL = words_of("both all each every together combine merge concat join stack")
_BESIDE = words_of("the one please no i mean meant it's , that's tab it is sorry")
_CHOOSING = ("use", "take", "read", "load", "switch", "choose", "select", "open", "try", "instead", "prefer")


def sheet_of(sentence: list[Token]) -> tuple[str, int, int] | None:
    """The sheet that a sentence names, by its name or its place, and its tokens; None if it names none.

    Parameters
    ----------
    sentence : list of Token
    """
    for i, token in enumerate(sentence):
        if token.kind == "word" and token.low in _CODE and assigned(sentence, i):
            value = sentence[i + 2]
            zero = value.kind == "number" and value.low.isdigit()  # as in pandas, from 0
            return str(int(value.low) + 1) if zero else value.text, i, i + 3
        if token.kind != "word" or token.low not in _SHEET:
            continue
        at = i + 1
        while at < len(sentence) and sentence[at].low in _CALLED:
            at += 1
        if at < len(sentence) and sentence[at].kind == "quoted":
            return sentence[at].text, i, at + 1
        if i and sentence[i - 1].kind == "quoted":
            return sentence[i - 1].text, i - 1, i + 1
        if found := _words_after(sentence, i, at) or _words_before(sentence, i):
            return found
    return None


def _words_after(sentence: list[Token], start: int, at: int) -> tuple[str, int, int] | None:
    """``the sheet Sales 2024``."""
    end = at
    while end < min(len(sentence), at + 5) and sentence[end].kind in ("word", "number"):
        if sentence[end].low in _ENDS:
            break
        end += 1
    return (" ".join(t.text for t in sentence[at:end]), start, end) if end > at else None


def _words_before(sentence: list[Token], end: int) -> tuple[str, int, int] | None:
    """``the Sales 2024 sheet``."""
    at = end
    while at and end - at < 4 and sentence[at - 1].kind in ("word", "number"):
        if sentence[at - 1].low in _BEFORE | _ENDS:
            break
        at -= 1
    words = sentence[at:end]
    if words and words[-1].low in _PLACES:
        return _PLACES[words[-1].low], end - 1, end + 1
    if not words or words[-1].low in _NO_NAME:
        return None
    return " ".join(t.text for t in words), at, end + 1


def sheet(said: Said, draft: Draft) -> None:
    """``use the sheet Sales 2024``, ``the second sheet``, ``the other tab``."""
    about = any(t.low in _SHEET | _CODE and t.kind == "word" for t in said.tokens)
    if about and any(t.kind in ("path", "url") for t in said.tokens):
        dataset(said, draft)  # "book.xlsx, sheet Q1"
    known = _sheets(draft, "sheets")
    found = _known(said, draft, known, about=about) if known else None
    if found is None and about and said.has(*_SEVERAL):
        said.take(range(len(said.tokens)))
        draft.problem(f"One sheet is read at a time: {_some(known)}." if known else "One sheet is read at a time.")
        return
    if found is None and about:
        named = sheet_of(said.tokens)
        found = named and (named[0], range(named[1], named[2]))
    if found is None:
        if about and known:
            said.take_named(*_SHEET)
            draft.problem(f"Say which sheet: there are {_some(known)}.")
        return
    name, tokens = found
    said.take(tokens)
    said.take_words(*_SHEET, *_CODE, *_CHOOSING, "data", "excel", "file")
    every = _sheets(draft, "sheet_names") or known
    at = int(name) - 1 if name.isdigit() else -1 if name == "last" else None
    if known and at is not None and name not in known and -1 <= at < len(every):
        if every[at] not in known:
            draft.problem(f"The sheet {every[at]!r} holds no table; sheets with one are {_some(known)}.")
            return
        name = every[at]
    stage = draft.first(DATA, INTENT)
    if stage is None:
        draft.problem("A sheet can be named once the request was read; say it again then.")
    elif stage is DATA and not known:
        draft.problem(f"The data have no sheets, so there is no {name!r}; only Excel files have some.")
    elif stage is DATA and name not in known:
        draft.problem(f"There is no sheet {name!r}; the sheets are {_some(known)}.")
    else:
        draft.say(f"Sheet: {name}", draft.set(stage, name, "sheet"))


def _some(names: list[str]) -> str:
    return ", ".join(map(repr, names[:12]))


def _sheets(draft: Draft, which: Literal["sheets", "sheet_names"]) -> list[str]:
    """The sheets of the data that were chosen: those that hold a table, or the names of all."""
    chosen = (draft.plan(DATA) or {}).get("dataset_id")
    meta = next((d.meta for d in draft.context.datasets if d.id == chosen), {})
    return [str(name) for name in meta.get(which) or ()]


def _known(said: Said, draft: Draft, known: Sequence[str], *, about: bool) -> tuple[str, range] | None:
    """One of the sheets that there are, by its name or its place."""
    names = Columns(known)
    for i in range(len(said.tokens)):
        match = names.at(said.tokens, i) if i not in said.taken else None
        if match is None:
            continue
        clear = draft.columns.find(match[0]) is None and (len(squash(match[0])) > 2 or said.tokens[i].kind == "quoted")
        alone = set(said.low[:i] + said.low[i + match[1] :]) <= _BESIDE
        if about or (clear and (said.has(*_CHOOSING) or alone)):
            return match[0], range(i, i + match[1])
    if not about:
        return None
    for i, token in enumerate(said.tokens):  # "the second of the sheets"
        if token.low in _PLACES and set(said.low[i + 1 : i + 4]) & _SHEET:
            return _PLACES[token.low], range(i, i + 1)
    others = [name for name in known if name != (draft.plan(DATA) or {}).get("sheet")]
    if said.has("other", "another", "different") and len(others) == 1:
        return others[0], range(0)
    return None
