"""Sheets of an Excel file as people name them: in a request, where they are not known yet, and in a chat."""

from collections.abc import Sequence

from ..protocol.stages import StageId
from .change_data import dataset
from .draft import Draft, Said
from .words import Columns, Token, squash, words_of

DATA, INTENT = StageId.DATA_SOURCE, StageId.PARSE_INTENT
_SHEET = words_of("sheet sheets worksheet worksheets tab tabs")
_CALLED = words_of("called named is name : = the number")
_ENDS = words_of(
    """
    of in from and with instead please to for as by using or but then not rather where which that has because now
    """
)
_BEFORE = words_of("use take read load switch choose select open the from in on of with using a to our my this that")
_NO_NAME = words_of("excel google spread other another different which what any each every all same whole wrong right")
_PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}
_CHOOSING = ("use", "take", "read", "load", "switch", "choose", "select", "open", "try", "instead", "prefer")


def sheet_of(sentence: list[Token]) -> tuple[str, int, int] | None:
    """The sheet that a sentence names, and its tokens; None if it names none.

    Parameters
    ----------
    sentence : list of Token
    """
    for i, token in enumerate(sentence):
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
    if not words or words[-1].low in _NO_NAME | set(_PLACES):
        return None
    return " ".join(t.text for t in words), at, end + 1


def sheet(said: Said, draft: Draft) -> None:
    """``use the sheet Sales 2024``, ``the second sheet``, ``the other tab``."""
    about = any(t.low in _SHEET and t.kind == "word" for t in said.tokens)
    if about and any(t.kind in ("path", "url") for t in said.tokens):
        dataset(said, draft)  # "book.xlsx, sheet Q1"
    known = _sheets(draft)
    found = _known(said, draft, known, about=about) if known else None
    if found is None and about:
        named = sheet_of(said.tokens)
        found = named and (named[0], range(named[1], named[2]))
    if found is None:
        if about and known:
            said.take_named(*_SHEET)
            draft.problem(f"Say which sheet: there are {', '.join(map(repr, known[:12]))}.")
        return
    name, tokens = found
    said.take(tokens)
    said.take_words(*_SHEET, *_CHOOSING, "data", "excel", "file")
    stage = draft.first(DATA, INTENT)
    if stage is None:
        draft.problem("A sheet can be named once the request was read; say it again then.")
    elif stage is DATA and not known:
        draft.problem(f"The data have no sheets, so there is no {name!r}; only Excel files have some.")
    elif stage is DATA and name not in known:
        draft.problem(f"There is no sheet {name!r}; the sheets are {', '.join(map(repr, known[:12]))}.")
    else:
        draft.say(f"Sheet: {name}", draft.set(stage, name, "sheet"))


def _sheets(draft: Draft) -> list[str]:
    """The sheets of the data that were chosen."""
    chosen = (draft.plan(DATA) or {}).get("dataset_id")
    meta = next((d.meta for d in draft.context.datasets if d.id == chosen), {})
    return [str(name) for name in meta.get("sheets") or ()]


def _known(said: Said, draft: Draft, known: Sequence[str], *, about: bool) -> tuple[str, range] | None:
    """One of the sheets that there are, by its name or its place."""
    names = Columns(known)
    for i in range(len(said.tokens)):
        match = names.at(said.tokens, i) if i not in said.taken else None
        if match is None:
            continue
        clear = draft.columns.find(match[0]) is None and (len(squash(match[0])) > 2 or said.tokens[i].kind == "quoted")
        if about or (clear and said.has(*_CHOOSING)):
            return match[0], range(i, i + match[1])
    if not about:
        return None
    for i, token in enumerate(said.tokens):
        near = set(said.low[max(0, i - 2) : i + 3]) & _SHEET
        place = _PLACES.get(token.low)
        if token.kind == "number" and token.low.isdigit() and said.low[i - 1 : i] and said.low[i - 1] in _SHEET:
            place = int(token.low) - 1
        if near and place is not None and -1 <= place < len(known):
            return known[place], range(i, i + 1)
    others = [name for name in known if name != (draft.plan(DATA) or {}).get("sheet")]
    if said.has("other", "another", "different") and len(others) == 1:
        return others[0], range(0)
    return None
