"""How a sentence says that columns become features: ``treat X as text``, ``one-hot all categoricals``."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from .columns import Columns
from .draft import Said
from .inputs import listed
from .scan import Named
from .tokens import Token
from .vocabulary import FILLER, NEGATORS, ROLES, TREATMENTS
from .words import Lookup, words_of

_AS = frozenset({"->", ":", "=", "as", "is", "be", "a", "an", "are", "into", "to", "like", "for", "with"})
COLUMNS = words_of("column columns col cols feature features variable variables field fields")
DROPPING = words_of("drop remove exclude ignore skip without no rm delete omit discard")
TREATING = words_of("treat make encode convert use turn handle apply consider mark set")
KIND_WORDS = {
    **dict.fromkeys(("text", "texts", "string", "strings", "textual"), "text"),
    **dict.fromkeys(("date", "dates", "datetime", "datetimes", "timestamps", "timestamp"), "date"),
    **dict.fromkeys(
        ("categorical", "categoricals", "categories", "category", "nominal", "categoric", "cat", "cats"), "categorical"
    ),
    **dict.fromkeys(
        ("numeric", "numerics", "numerical", "numericals", "number", "numbers", "integer", "integers", "float",
         "floats"),
        "numeric",
    ),
    **dict.fromkeys(("boolean", "booleans", "bool", "bools", "binary"), "boolean"),
    **dict.fromkeys(("ordinal", "ordinals"), "ordinal"),
    **dict.fromkeys(("id", "ids", "identifier", "identifiers"), "id"),
}  # fmt: skip
"""Words for all columns of a kind."""
TREATED_AS = {
    "text": ("text",),
    "date": ("datetime",),
    "categorical": ("onehot", "ordinal", "target_encode"),
    "numeric": ("numeric",),
    "boolean": ("boolean",),
    "ordinal": ("ordinal",),
    "all": ("numeric", "onehot", "ordinal", "target_encode", "text", "datetime", "boolean"),
}
"""The treatments that a kind of column has at PREPROCESS."""
KIND_NAMES = {"date": "a date", "id": "an id"} | {
    kind: kind for kind in ("text", "categorical", "numeric", "boolean", "ordinal")
}
_PROFILED = {
    "text": ("text",),
    "date": ("datetime",),
    "categorical": ("categorical",),
    "numeric": ("numeric", "integer"),
    "boolean": ("boolean",),
}
OF_KIND = {f"{kind} columns": kinds for kind, kinds in _PROFILED.items()}
"""What stands in a plan for all columns of a kind, and what the profile calls these."""
IN_PROFILE = {treatment: _PROFILED[kind] for kind in _PROFILED for treatment in TREATED_AS[kind]}
"""What the profile calls the columns that have a treatment by themselves."""
_ENCODING = frozenset({"encode", "encoding", "encoded", "hot", "onehot", "dummies"})
_KINDS_ALONE = ("categorical", "numeric", "text", "ordinal", "boolean", "numerical", "nominal")
_ORDERED = Lookup(dict.fromkeys(("order", "an order", "a natural order", "natural order", "a clear order"), True))
_EVERY = words_of("all every each any")
_BEFORE = words_of("for of on to the all every each any my our column columns")
_BUT = words_of("except but besides excluding")


class OfAKind(NamedTuple):
    """All columns of a kind, what is said of them (``drop``, ``keep`` and ``only`` too), those that are excepted, and
    its tokens."""

    kind: str
    treatment: str
    apart: tuple[str, ...]
    tokens: frozenset[int]
    single: bool = False
    """``drop the date``"""
    denied: bool = False
    """``don't drop the text columns``"""


def groups(said: Said, named: list[Named]) -> list[tuple[list[Named], int]]:
    """Columns that one ``as …`` speaks of, and where they end."""
    groups: list[tuple[list[Named], int]] = []
    for column in named:
        if groups:
            between = said.low[groups[-1][1] : column.start]
            if all(w in (",", "and", "or", "&", "the", "column", "columns", "also") for w in between):
                groups[-1][0].append(column)
                groups[-1] = (groups[-1][0], column.end)
                continue
        groups.append(([column], column.end))
    return groups


def as_what(said: Said, end: int) -> tuple[str | None, str | None, range]:
    """The treatment or role that follows columns, and its tokens."""
    at = end
    linked = False
    if said.low[end : end + 1] in (["has"], ["have"]) and (
        ordered := _ORDERED.at(said.tokens, min(end + 1, len(said.tokens) - 1))
    ):
        return "ordinal", None, range(end, end + 1 + ordered[1])
    while at < len(said.tokens) and at < end + 6:
        low = said.low[at]
        if low in _AS:
            linked = True
        elif linked and said.low[at : at + 3] == ["0", "/", "1"]:
            return "boolean", None, range(end, at + 3)
        elif linked or low in _KINDS_ALONE or _encodes(said, at):
            treatment = TREATMENTS.at(said.tokens, at)
            role = ROLES.at(said.tokens, at)
            if treatment and (not role or treatment[1] >= role[1]):
                return treatment[0], None, range(end, at + treatment[1])
            if role:
                return None, role[0], range(end, at + role[1])
            if low in ("free", "really", "actually", "just", "only", "not"):
                at += 1
                continue
            break
        elif low not in ("column", "columns", "should", "really", "actually", "it", "them", "both"):
            break
        at += 1
    return None, None, range(end, end)


def _encodes(said: Said, at: int) -> bool:
    """``cabin target-encoded``."""
    found = TREATMENTS.at(said.tokens, at) if said.tokens[at].kind == "word" else None
    return found is not None and bool(_ENCODING & set(said.low[at : at + found[1]]))


def encoding_before(said: Said, start: int) -> tuple[str | None, range]:
    """The treatment before a column, and its tokens: ``one-hot encode city``, ``target encoding for city``."""
    end = start
    while end and said.low[end - 1] in _BEFORE:
        end -= 1
    for at in range(max(0, end - 3), end):
        found = TREATMENTS.at(said.tokens, at) if said.tokens[at].kind == "word" else None
        if found and at + found[1] == end and (_ENCODING & set(said.low[at:end]) or said.low[end] == "for"):
            return found[0], range(at, start)
    return None, range(start, start)


def of_a_kind(said: Said, columns: Columns) -> OfAKind | None:
    """``drop the text columns``, ``one-hot all categoricals but zip``: what is said of all columns of a kind."""
    low = said.low
    inside = {i for n in said.named if n.kind == "column" for i in range(n.start, n.end)} | said.taken
    for i, word in enumerate(low):
        kind = None if i in inside else "all" if _is_all(low, i) else KIND_WORDS.get(word)
        end = i + 1 + (low[i + 1 : i + 2] != [] and low[i + 1] in COLUMNS and i + 1 not in inside)
        stop = _end_of_kinds(low, end, inside)
        begin = i
        while begin and low[begin - 1] in _BEFORE:
            begin -= 1
        treatment, before = encoding_before(said, i)
        plural = (
            kind == "all"
            or end > i + 1
            or (stop > end and (low[stop - 1] in COLUMNS or low[stop - 1].endswith("s")))
            or (
                word.endswith("s") and (begin < i or low[max(0, i - 1)] in DROPPING | TREATING or treatment is not None)
            )
        )
        single = (
            bool(columns.names)
            and not plural
            and low[i - 1 : i] == ["the"]
            and low[end:] in ([], ["?"])
            and (DROPPING | NEGATORS | {"rid"}) & set(low)
        )
        if kind is None or not (plural or single) or low[i - 1 : i] == ["as"]:
            continue
        role, after = None, range(end, end)
        if treatment is None:
            treatment, role, after = as_what(said, stop)
        clause = range(max((n + 1 for n in range(i) if low[n] in (",", "but", "then")), default=0), after.stop)
        words = set(low[clause.start : clause.stop])
        without = {"no", "without"}
        if role is not None:
            return None
        if NEGATORS & words - without and (treatment or DROPPING & words - without):
            return OfAKind(kind, treatment or "drop", (), frozenset(range(clause.start, after.stop)), denied=True)
        if kind == "all" and (treatment is None or treatment == "drop"):
            continue  # which is for others to read
        dropping = bool(words & DROPPING) or "avoid" in _polarities(said, clause)
        if treatment is None and dropping:
            treatment = "drop"
        elif treatment is None and "avoid" not in _polarities(said, clause) and words & _KEEPING:
            treatment = "keep"
        if low[i - 1 : i] == ["non"]:  # "drop all non-numeric columns"
            treatment = "only" if treatment == "drop" else None
        if treatment in (None, "keep") and "only" in (*low[max(0, begin - 1) : begin], *low[end : end + 1]):
            treatment = "only"
        if treatment is None:
            continue
        butted = next((n for n in range(after.stop, len(low)) if low[n] in (*_BUT, "not")), None)
        apart = _apart(said, butted) if butted is not None and butted <= after.stop + 1 else []
        tokens = {*range(before.start if treatment != "drop" and before else clause.start, after.stop), *range(i, end)}
        tokens -= inside
        tokens -= set(range(end, stop))  # which is read next
        tokens.update(n for named in apart for n in range(butted or 0, named.end))
        others = tuple(dict.fromkeys(str(n.value) for n in apart))
        return OfAKind(kind, treatment, others, frozenset(tokens), single=bool(single))
    return None


_KEEPING = words_of("keep use include retain consider")


def _end_of_kinds(low: list[str], end: int, inside: set[int]) -> int:
    """Where a list of kinds ends: ``text and date columns``."""
    while (
        end + 1 < len(low)
        and low[end] in ("and", "or", ",", "&")
        and low[end + 1] in KIND_WORDS
        and end + 1 not in inside
    ):
        end += 2
        end += end < len(low) and low[end] in COLUMNS
    return end


def _is_all(low: list[str], i: int) -> bool:
    """``all columns``, ``everything``."""
    return (
        low[i] == "everything"
        or (low[i] in COLUMNS and low[i - 1 : i] in (["all"], ["every"]))
        or (low[i] in COLUMNS and low[max(0, i - 2) : i] == ["all", "the"])
    )


def _polarities(said: Said, clause: range) -> set[str]:
    """What the cues of a clause say."""
    return {str(item.value) for item in said.items if item.kind == "cue" and item.start in clause}


def _apart(said: Said, at: int) -> list[Named]:
    """The columns that ``except`` or the like excepts."""
    found: list[Named] = []
    for named in said.free("column"):
        if named.start <= at:
            continue
        between = said.low[found[-1].end if found else at + 1 : named.start]
        if not all(word in (",", "and", "or", "&", "the", "for", "column") for word in between):
            break
        found.append(named)
    if found and as_what(said, found[-1].end)[0] is not None:  # "all categoricals, but treat zip as text"
        return []
    return found


class Spoken(NamedTuple):
    """Columns that are not known yet, by the names that they are given, with their treatment and its tokens."""

    names: list[str]
    treatment: str
    tokens: range


def spoken(sentence: list[Token], skip: Iterable[int]) -> list[Spoken]:
    """``one-hot encode city``, ``treat zip as categorical``, where no columns are known."""
    found: list[Spoken] = []
    taken, i = set(skip), 0
    while i < len(sentence):
        known = TREATMENTS.at(sentence, i) if sentence[i].kind == "word" and i not in taken else None
        encodes = known is not None and _ENCODING & {t.low for t in sentence[i : i + known[1]]}
        lead = sentence[i].low in ("treat", "encode", "handle", "parse", "convert", "make") and known is None
        if _denied(sentence, i) or not (encodes or lead):
            i += 1
            continue
        at = i + (known[1] if known is not None and encodes else 1)
        other = at + _led(sentence, at) if encodes else at
        if other > at and (instead := TREATMENTS.at(sentence, other)) is not None:
            at = other + instead[1]  # "use target encoding instead of one-hot for city"
        while at < len(sentence) and sentence[at].low in _BEFORE:
            at += 1
        names = listed(sentence, at, taken)
        end, treatment = names.end, known[0] if known is not None and encodes else None
        made = next((e for e in range(at + 1, min(at + 4, len(sentence))) if TREATMENTS.at(sentence, e)), None)
        straight = TREATMENTS.at(sentence, made) if made is not None and sentence[i].low == "make" else None
        if (
            made is not None and straight is not None and {t.low for t in sentence[at:made]}.isdisjoint(FILLER)
        ):  # "make city boolean"
            names = names._replace(names=[" ".join(t.text for t in sentence[at:made])])
            treatment, end = straight[0], made + straight[1]
        elif (
            names.names and treatment is None and end + 1 < len(sentence) and sentence[end].low in ("as", "with", "to")
        ):
            article = sentence[end + 1].low in ("a", "an")
            said = TREATMENTS.at(sentence, end + 1 + article) if end + 1 + article < len(sentence) else None
            treatment, end = (said[0], end + 1 + article + said[1]) if said is not None else (None, end)
        if names.names and treatment is not None:
            found.append(Spoken(names.names, treatment, range(i, end)))
            i = end
            if lead and i < len(sentence) and sentence[i].low in ("and", ",") and _goes_on(sentence, i + 1, taken):
                taken.discard(i)
                sentence = [*sentence[:i], msgspec.structs.replace(sentence[i], low="treat"), *sentence[i + 1 :]]
        else:
            i += 1
    return found


def _goes_on(sentence: list[Token], at: int, taken: set[int]) -> bool:
    """``treat age as ordinal and city as text``: whether the same is said of others."""
    end = listed(sentence, at, taken).end
    return end > at and end < len(sentence) and sentence[end].low == "as"


def _led(sentence: list[Token], at: int) -> int:
    low = [t.low for t in sentence[at : at + 2]]
    return 2 if low in (["instead", "of"], ["rather", "than"]) else int(low[:1] == ["not"])


def _denied(sentence: list[Token], at: int) -> bool:
    before = [t.low for t in sentence[max(0, at - 2) : at]]
    return any(word in NEGATORS for word in before) or before in (["instead", "of"], ["rather", "than"])
