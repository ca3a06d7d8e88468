"""Finds the known phrases of a sentence, and for each thing that is named whether it is wanted."""

from typing import Any, Literal

import msgspec

from .columns import Columns
from .tokens import Token
from .vocabulary import ALL_MODELS, NEGATORS, PHRASES, TREATMENTS

Polarity = Literal["named", "use", "add", "only", "avoid"]
_ABOUT_COLUMNS = frozenset({"column", "columns", "feature", "features", "variable", "variables", "field"})
_OF_COLUMNS = frozenset({"drop", "remove", "exclude", "ignore", "treat", "predict"})
_OF_TIME = frozenset(
    {"more", "less", "enough", "much", "extra", "double", "half", "twice", "limit", "budget", "longer"}
)
_STATING = frozenset({"have", "has", "had", "contain", "contains", "is", "are"})
_TOO_MUCH = frozenset({"slow", "complex", "heavy", "opaque", "expensive", "complicated"})
ALL_OF_THEM = frozenset({"all", "everything", "anything", "every"})
_NEXT_CLAUSE = frozenset({",", "and", "but", "then"})


class Item(msgspec.Struct, frozen=True):
    """A known phrase in a sentence: tokens ``start`` to ``end`` (exclusive)."""

    kind: str
    value: Any
    start: int
    end: int


class Named(msgspec.Struct, frozen=True):
    """Something that a sentence names: models (``value`` a tuple), columns, and whether it is wanted."""

    kind: str
    value: Any
    polarity: Polarity
    start: int
    end: int
    replaces: bool = False
    """It stands in the place of what the sentence does not want."""


def scan(sentence: list[Token], columns: Columns, skip: range = range(0)) -> list[Item]:
    """The known phrases of a sentence, from left to right, the longest first; columns before other phrases.

    Parameters
    ----------
    sentence : list of Token
    columns : Columns
        The columns of the data, if they are known.
    skip : range
        Tokens that mean something else already.
    """
    items: list[Item] = []
    i = 0
    while i < len(sentence):
        if i in skip:
            i += 1
            continue
        phrase = PHRASES.at(sentence, i) if sentence[i].kind in ("word", "number") else None
        column = columns.at(sentence, i)
        if column is not None and column[1] == 1 and sentence[i].low == "time" and _is_budget(sentence, i):
            column = None
        treated = TREATMENTS.at(sentence, i) if column is not None and sentence[i].kind == "word" else None
        if column is not None and treated is not None and treated[1] > column[1] and phrase is None:
            column = None  # the "target" of "target encode"
        if column is not None and column[1] == 1 and sentence[i].low in _EVERY and _of_all(sentence, i):
            column = None
        listed = bool(items) and items[-1].kind == "column" and _joins(sentence, items[-1].end, i)
        if column is not None and listed and _ends_list(sentence, i + column[1]):
            items.append(Item("column", column[0], i, i + column[1]))  # "encode model and test"
            i += column[1]
        elif column is not None and (phrase is None or _is_column(sentence, i, column[1], phrase[1], phrase[0].kind)):
            items.append(Item("column", column[0], i, i + column[1]))
            i += column[1]
        elif phrase is not None:
            items.append(Item(phrase[0].kind, phrase[0].value, i, i + phrase[1]))
            i += phrase[1]
        else:
            i += 1
    return items


_EVERY = frozenset({"all", "every", "each", "any"})


def _of_all(sentence: list[Token], i: int) -> bool:
    """``all columns``: no column of that name."""
    after = [t.low for t in sentence[i + 1 : i + 3]]
    after = after[1:] if after[:1] == ["the"] else after
    quoted = sentence[i].kind == "quoted" or (i > 0 and sentence[i - 1].low in ("column", "feature"))
    return not quoted and bool(after) and after[0] in ("columns", "features", "variables", "others")


def _joins(sentence: list[Token], start: int, end: int) -> bool:
    return 0 < end - start <= 2 and all(t.low in (",", "and", "or", "&") for t in sentence[start:end])


def _ends_list(sentence: list[Token], at: int) -> bool:
    return at == len(sentence) or sentence[at].low in (",", "and", "or", "&", "as", "?", "columns")


def _is_budget(sentence: list[Token], i: int) -> bool:
    """``more time``, ``no time limit``: no column of that name."""
    near = {t.low for t in (*sentence[max(0, i - 2) : i], *sentence[i + 1 : i + 2])}
    return sentence[i].kind == "word" and bool(near & _OF_TIME)


def _is_column(sentence: list[Token], i: int, n: int, phrase_n: int, kind: str) -> bool:
    """Whether words that are both a column and a phrase are meant as the column."""
    if sentence[i].kind == "quoted" or n > phrase_n:
        return True
    if n < phrase_n:
        return False
    before, after = sentence[max(0, i - 1) : i], sentence[i + n : i + n + 1]
    if (
        kind == "cue"
        and before
        and before[0].low in _OF_COLUMNS
        and (not after or after[0].low in _NEXT_CLAUSE | {"as"})
    ):
        return True  # "drop test"
    near = {t.low for t in (*sentence[max(0, i - 1) : i], *sentence[i + n : i + n + 1])}
    return bool(near & _ABOUT_COLUMNS) or "_" in sentence[i].text or kind not in ("cue", "metric", "models", "prefer")


def weigh(sentence: list[Token], items: list[Item]) -> list[Named]:
    """What a sentence names, with whether it is wanted.

    A cue (``use``, ``without``, ``instead of``) holds for what follows, through ``and`` and commas, until the next.
    """
    found: list[Named] = []
    polarity: Polarity = "named"
    replacing = False
    negated_at = -9
    after_reason = dropping = contrary = False
    by_start = {item.start: item for item in items}
    by_end = {item.end: item.value for item in items if item.kind == "cue"}
    skip_to = 0
    low = {t.low for t in sentence}
    swapping = bool(low & {"swap", "exchange"}) and low.isdisjoint({"by", "for", "with", "to"})
    for i, token in enumerate(sentence):
        if i < skip_to:
            continue
        item = by_start.get(i)
        if item is not None:
            skip_to = item.end
        if item is None:
            if token.low in ("but", "besides") and i and sentence[i - 1].low in ALL_OF_THEM:
                polarity = "use" if polarity == "avoid" else "avoid"  # "everything but age"
            elif token.low == "but" and contrary:
                polarity, contrary = "avoid", False
            elif (token.low in ("but", "while") and polarity == "avoid") or (
                token.low == "," and polarity == "avoid" and _is_of_it(sentence, i)
            ):
                polarity = "named"
            elif token.low == "but" and found and found[-1].value == ALL_MODELS and found[-1].end == i:
                polarity = "avoid"  # "all models but catboost"
            elif token.low == "over" and found and found[-1].kind == "models" and found[-1].end == i:
                found[-1] = msgspec.structs.replace(found[-1], polarity="use", replaces=True)  # "X over Y"
                polarity = "avoid"
            elif token.low in ("by", "for", "to", "and") and replacing and found and i - found[-1].end < 3:
                if token.low != "and" or (swapping and found[-1].kind == "models"):  # "swap X and Y"
                    polarity, replacing = "use", False
            elif token.low in ("because", "since") or (found and says_why(sentence, i)):
                after_reason = True
            elif _is_too_much(sentence, i) and found:
                found = [n if n.kind != "models" else msgspec.structs.replace(n, polarity="avoid") for n in found]
            continue
        if item.kind in ("metric", "prefer") and polarity == "avoid":
            polarity = "named"  # "F1 rather than accuracy for churn"
        elif item.kind == "cue" and token.low == "no" and sentence[i + 1 : i + 2] and sentence[i + 1].low == ",":
            continue  # "no, use catboost"
        elif item.kind == "cue" and token.low == "no" and i and sentence[i - 1].low in _STATING:
            after_reason = True  # "20% of the rows have no city"
            continue
        elif item.kind == "cue":
            joints = {t.low for t in sentence[found[-1].end : i]} if found else set()
            other = token.low == "not" or sentence[item.start].low in ("instead", "rather")
            if other and dropping and found and joints <= {",", "but", "and"}:
                polarity, dropping = "add", False  # "drop city, not age", "drop city instead of age"
                continue
            if token.low == "not" and dropping and i and by_end.get(i) == "avoid":
                polarity, contrary = "add", True  # "drop not age but city"
                continue
            dropping = item.value == "avoid" and token.low not in NEGATORS
            too = item.value == "add" and token.low in ("too", "also", "as", "additionally", "added")
            if i and sentence[i - 1].low in _NEXT_CLAUSE:
                after_reason = False
            if too and found and found[-1].end == i and found[-1].polarity in ("named", "use"):
                found[-1] = msgspec.structs.replace(found[-1], polarity="add")  # "with catboost too"
            polarity, replacing, negated_at = _cue(item, sentence, polarity, replacing, negated_at, found, i)
        elif item.kind == "instead":
            found = [_instead(n) for n in found]
            if not found:
                polarity = "use"
        elif item.kind in ("models", "absent", "column", "black box"):
            meant: Polarity = "avoid" if replacing else polarity
            if not after_reason:
                found.append(Named(item.kind, item.value, meant, item.start, item.end))
            following = sentence[item.end].low if item.end < len(sentence) else ""
            after = sentence[item.end + 1].low if item.end + 1 < len(sentence) else ""
            if following == "only" or (following in ("models", "ones", "please") and after == "only"):
                found = _only(sentence, found)
    return _paired(sentence, _in_or_out(sentence, _by_colon(sentence, items, found)))


def _is_of_it(sentence: list[Token], comma: int) -> bool:
    """``not that one, age``: what is denied is no more than what was spoken of before."""
    low = [t.low for t in sentence[max(0, comma - 3) : comma]]
    low = low[:-1] if low[-1:] in (["one"], ["ones"]) else low
    return low[-2:-1] in (["not"], ["no"]) and low[-1] in ("it", "that", "this", "them", "those", "these")


def _is_too_much(sentence: list[Token], i: int) -> bool:
    """``is too slow``, ``is overkill``."""
    before = sentence[i - 1].low if i else ""
    return (sentence[i].low in _TOO_MUCH and before in ("too", "so", "very")) or (
        sentence[i].low == "overkill" and before in ("is", "are", "be", "total", "pure")
    )


def _only(sentence: list[Token], found: list[Named]) -> list[Named]:
    """``age and tenure only``: it is said of all that are joined."""
    last = found[-1]
    if last.polarity == "avoid" and last.kind == "models" and last.start and sentence[last.start - 1].low == ",":
        return [*found[:-1], msgspec.structs.replace(last, polarity="only")]  # "without xgboost, lightgbm only"
    first = len(found) - 1
    while first > 0 and all(
        t.low in ("and", ",", "&", "or") for t in sentence[found[first - 1].end : found[first].start]
    ):
        first -= 1
    only = [n if n.polarity == "avoid" else msgspec.structs.replace(n, polarity="only") for n in found[first:]]
    return [*found[:first], *only]


def _by_colon(sentence: list[Token], items: list[Item], found: list[Named]) -> list[Named]:
    """``age: drop, tenure: keep``: each has the word after it."""
    cues = {i.start: i.value for i in items if i.kind == "cue"}
    meant = []
    for n in found:
        said = cues.get(n.end + 1) if sentence[n.end : n.end + 1] and sentence[n.end].low in (":", "=", "->") else None
        meant.append(n if said in (None, "replace") else msgspec.structs.replace(n, polarity=said))
    return meant


_LINKS = frozenset({":", "=", "->"})


def _in_or_out(sentence: list[Token], found: list[Named]) -> list[Named]:
    """``take xgboost out``, ``leave age and city in``: the word after what is named decides."""
    meant = list(found)
    polarity: Polarity | None = None
    for n in range(len(found) - 1, -1, -1):
        linked = found[n].end + (
            sentence[found[n].end : found[n].end + 1] != [] and sentence[found[n].end].low in _LINKS
        )
        following = [t.low for t in sentence[linked : linked + 2]]
        joined = n + 1 < len(found) and all(
            t.low in ("and", ",", "&", "or") for t in sentence[found[n].end : found[n + 1].start]
        )
        if following[:1] == ["out"] and following[1:] != ["of"]:
            clause = [t.low for t in sentence[: found[n].start]]
            clause = clause[max((i + 1 for i, w in enumerate(clause) if w in _NEXT_CLAUSE), default=0) :]
            polarity = "add" if NEGATORS & set(clause) else "avoid"  # "do not leave age out"
        elif following[:1] in (["in"], ["back"]) and (len(following) == 1 or following[1] in _NEXT_CLAUSE):
            polarity = "add"
        elif not joined or found[n].polarity != found[n + 1].polarity:
            polarity = None
        if polarity is not None:
            meant[n] = msgspec.structs.replace(found[n], polarity=polarity)
    return meant


def _cue(
    item: Item,
    sentence: list[Token],
    polarity: Polarity,
    replacing: bool,
    negated_at: int,
    found: list[Named],
    i: int,
) -> tuple[Polarity, bool, int]:
    """What a cue makes of the polarity, of a replacement in progress, and of the last negation."""
    first = sentence[item.start].low
    # What is named since then has had its negation: "don't use age, use city".
    negated = 0 <= i - negated_at <= 3 and not (found and found[-1].start >= negated_at)
    if item.value == "replace":
        return "avoid", True, negated_at
    if item.value == "avoid":
        if first in ("except", "excluding") and polarity == "avoid":
            return "use", False, -9
        if negated and first not in NEGATORS:
            return "add", False, -9  # "do not drop", "never exclude"
        holds = item.end if first in NEGATORS or first == "do" else -9
        return "avoid", replacing and not found, holds
    if item.value == "only" and polarity == "avoid" and negated:
        return "add", False, -9  # "not only"
    if first in ("with", "too", "plus", "also", "as") and replacing and found:
        return "use", False, -9
    if negated:
        return "avoid", False, negated_at  # "do not use", "no need to include"
    if first in ("too", "also", "as") and polarity == "avoid":
        return "avoid", replacing, negated_at
    value: Polarity = item.value
    if first in ("keep", "retain") and polarity == "only" and sentence[i - 1].low in ("only", "just"):
        return polarity, False, -9  # "only keep age"
    if value == "use" and polarity in ("add", "only") and sentence[i - 1].low in ("also", "only", "just", "to"):
        return polarity, False, -9
    return value, False, -9


def says_why(sentence: list[Token], i: int) -> bool:
    """``it's the same as X``, ``they are in Y``: what it names is no wish."""
    if i == 0 or sentence[i - 1].low not in (",", "as", "-"):
        return False
    following = sentence[i + 1].low if i + 1 < len(sentence) else ""
    return sentence[i].low in ("it's", "they're", "that's") or (
        sentence[i].low in ("it", "they", "that", "this", "these") and following in ("is", "are", "was", "were", "has")
    )


def _instead(named: Named) -> Named:
    return msgspec.structs.replace(named, polarity="use") if named.polarity in ("named", "add") else named


def _paired(sentence: list[Token], found: list[Named]) -> list[Named]:
    """Marks what takes the place of something unwanted: ``X instead of Y``, ``replace Y with X``."""
    words = " ".join(t.low for t in sentence)
    swapping = any(p in words for p in ("instead of", "rather than", "in place of", "replace", "swap", "substitut"))
    if not swapping:
        return found
    return [n if n.polarity == "avoid" else msgspec.structs.replace(n, polarity="use", replaces=True) for n in found]


def models_of(found: list[Named]) -> tuple[list[str], list[str], bool]:
    """Models wanted, models unwanted, and whether nothing but those wanted will do."""
    wanted: dict[str, int] = {}
    unwanted: dict[str, int] = {}
    exclusive = False
    for named in found:
        if named.kind == "models":
            side = unwanted if named.polarity == "avoid" else wanted
            for model in named.value:
                side[model] = min(side.get(model, 99), len(named.value))
            exclusive = exclusive or named.polarity == "only"
    # A model named by itself outweighs the family that it is in.
    use = [m for m, n in wanted.items() if n < unwanted.get(m, 99)]
    avoid = [m for m, n in unwanted.items() if n <= wanted.get(m, 99)]
    return use, [] if set(avoid) >= set(ALL_MODELS) else avoid, exclusive
