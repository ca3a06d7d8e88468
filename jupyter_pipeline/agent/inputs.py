"""Which columns a sentence wants a target predicted from, and which left out, also where columns are not known yet."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from .columns import Columns, parts_of
from .known import WISHES
from .scan import Named
from .target import PREDICT
from .tokens import Token
from .vocabulary import FILLER, NEGATORS, PHRASES, ROLES, TREATMENTS
from .words import Lookup, squash, words_of

_JOINTS = words_of(", and or & + nor")
_COLUMNS = words_of(
    "column columns col cols feature features variable variables field fields input inputs predictor predictors"
)
_BEFORE_NAMES = _COLUMNS | words_of("the a an my our its only just following these those any both of : = are is")
_AFTER_NAMES = words_of(
    "should must can to for in but because as since when please with then if on only they it is are thanks thx"
)
_USING = Lookup(
    dict.fromkeys(
        (
            "using", "use", "from", "with", "given", "based on", "based only on", "on the basis of", "by means of", "~",
            "only", "just", "knowing", "trained on", "features :", "inputs :", "predictors :", "columns :",
            "features =",
            "features are", "inputs are", "predictors are", "features should be", "inputs should be",
            "predictors should be", "train on", "learn from",
            "use only", "only use", "just use", "keep only", "only keep", "just keep", "take only", "only take",
            "consider only", "only consider",
        ),
        True,
    )
)  # fmt: skip
_WITHOUT = Lookup(
    dict.fromkeys(
        (
            "ignore", "ignoring", "drop", "dropping", "exclude", "excluding", "without", "without using", "leave out",
            "leaving out", "don't use", "dont use", "do not use", "not using", "never use", "remove", "removing",
            "skip", "omit", "disregard", "discard", "forget about", "don't include", "do not include", "dont include",
            "without including", "don't consider", "do not consider",  "columns except", "features except",
            "columns but", "features but", "everything except", "everything but",
        ),
        True,
    )
)  # fmt: skip
_ALL_COLUMNS = Lookup(
    {
        f"{every} {what}": True
        for every in ("all", "all the", "all of the", "every", "all available", "all the available")
        for what in _COLUMNS
    }
)
_OF_WHICH = words_of("with without whose where having")
_MISSING = words_of("missing null empty nan")
_DIVIDING = words_of("split group stratify order sort")
_IT = words_of("it them those these that this")
_EVERY = words_of("all everything columns features")
_LEFT_OUT = words_of(
    """
    ignored dropped removed excluded discarded omitted deleted useless irrelevant redundant junk garbage noise trash
    rubbish pointless meaningless worthless
    """
)
_TAKEN_IN = words_of("used considered included useful relevant")
_OUT = words_of("leave take throw kick leaving taking")
_OTHERWISE = words_of("split group grouped stratify stratified order sort id key index weight weights treat encode by")
_LONGEST = 3
_SURE = 0.87


class Inputs(NamedTuple):
    """Columns to use and nothing beside them, columns to leave out, others to keep, and the tokens that say so."""

    used: list[str]
    left_out: list[str]
    kept: list[str]
    taken: set[int]


def inputs_of(sentence: list[Token], columns: Columns, named: list[Named], skip: Iterable[int] = ()) -> Inputs:
    """The columns that a sentence wants used, or left out.

    Parameters
    ----------
    sentence : list of Token
    columns : Columns
        The columns of the data; where they are not known, the names are taken as they are written.
    named : list of Named
        What the sentence names.
    skip : iterable of int
        Tokens that mean something else already, such as the target's.
    """
    found = Inputs([], [], [], set())
    elsewhere = set(skip) | _of_rows(sentence, {n.start for n in named})
    free = [n for n in named if n.kind == "column" and n.start not in elsewhere]
    _after_leads(sentence, columns, {n.start: n for n in free}, elsewhere, found)
    for group in _groups(sentence, [n for n in free if n.start not in found.taken]):
        _by_polarity(sentence, group, columns, found)
    return found


def nearly(text: str, names: Sequence[str]) -> str | None:
    """The only column that is written almost so, or that has the name as a word of its own (``id``: customer_id)."""
    return _nearly(text, tuple(names))


@lru_cache(maxsize=256)
def _nearly(text: str, names: tuple[str, ...]) -> str | None:
    close = difflib.get_close_matches(squash(text), [squash(name) for name in names], 2, _SURE)
    sure = [name for name in names if squash(name) in close]
    parts = [name for name in names if squash(text) in parts_of(name)]
    return next((found[0] for found in (sure, parts) if len(found) == 1), None)


def all_columns(sentence: list[Token]) -> range | None:
    """``use all columns``, with nothing excepted; the tokens that say so."""
    for i in range(len(sentence)):
        every = _ALL_COLUMNS.at(sentence, i)
        if every is not None and not {t.low for t in sentence} & (NEGATORS | {"except", "but", "besides"}):
            return range(i, i + every[1])
    return None


def _of_rows(sentence: list[Token], named: set[int]) -> set[int]:
    """Clauses about rows: the column of ``drop rows where age is missing`` is not to be dropped, nor are those of
    ``exclude people without age``, ``ignore missing ages`` and ``not for children with age below 10``."""
    rows: set[int] = set()
    for i, token in enumerate(sentence):
        wish = WISHES.at(sentence, i) if token.kind == "word" else None
        if wish is not None and wish[0].whole:
            end = next((n for n in range(i, len(sentence)) if sentence[n].low in (",", "but")), len(sentence))
            rows.update(range(i, end))
        if _WITHOUT.at(sentence, i) is None and token.low != "not":
            continue
        end = next((n for n in range(i, len(sentence)) if sentence[n].low in (",", "but", "and")), len(sentence))
        what = next((n for n in range(i + 1, end) if sentence[n].low in _OF_WHICH), end)
        columns = {n for n in named if i < n < end}
        after = min(columns) > what if columns else not named and sentence[what:end] and sentence[what].low != "with"
        if what > i + 1 and after and not _COLUMNS & {t.low for t in sentence[i:what]}:
            rows.update(range(i, end))
        rows.update(n for n in columns if sentence[n - 1].low in _MISSING)
    return rows


def _groups(sentence: list[Token], named: list[Named]) -> list[list[Named]]:
    """Columns that are joined, and of which the same is said."""
    groups: list[list[Named]] = []
    for n in named:
        before = groups[-1][-1] if groups else None
        between = [t.low for t in sentence[before.end : n.start]] if before else []
        if before and before.polarity == n.polarity and all(w in _JOINTS | _BEFORE_NAMES for w in between):
            groups[-1].append(n)
        else:
            groups.append([n])
    return groups


def _by_polarity(sentence: list[Token], group: list[Named], columns: Columns, found: Inputs) -> None:
    """Columns of the data that no list has: ``age should not be used``, ``age and plan only``, ``keep age``."""
    start, end, polarity = group[0].start, group[-1].end, group[0].polarity
    before = start
    while before and sentence[before - 1].low in _BEFORE_NAMES:
        before -= 1
    part = before > 1 and sentence[before - 1].low in ("from", "of", "in") and polarity == "avoid"
    untouched = sentence[before - 1].low == "touch" or [t.low for t in sentence[end : end + 1]] == ["alone"]
    if part or untouched or _said_otherwise(sentence, start, end):  # "remove the titles from name"
        return
    names = [str(n.value) for n in group]
    if polarity == "avoid" and all_but_these_out([t.low for t in sentence], start, end):
        found.used.extend(names)
        found.taken.update(range(start, end))
        return
    if polarity != "avoid" and (pronoun := _with_it(sentence, end, columns)):
        found.left_out.extend(names)
        found.taken.update(pronoun)
    elif polarity != "only" and (passive := passively_out([t.low for t in sentence], end)):
        found.left_out.extend(names)
        found.taken.update(range(end, end + passive))
    elif polarity == "add":
        found.kept.extend(names)
        return
    elif polarity in ("avoid", "only"):
        (found.left_out if polarity == "avoid" else found.used).extend(names)
    else:
        return
    found.taken.update(range(start, end))


def passively_out(low: list[str], end: int) -> int:
    """``age should be ignored``, ``age must not be used``: how many words after a column say so, 0 where none do."""
    after = low[end : end + 6]
    after = after[: next((n for n, word in enumerate(after) if word in (",", "but", "and")), None)]
    said = " ".join(after)
    denied = bool(NEGATORS & set(after))
    out = bool(_LEFT_OUT & set(after)) or "left out" in said or said.startswith(("can go", "should go"))
    used = bool(_TAKEN_IN & set(after))
    linked = bool({"be", "is", "are", "can", "should", "shouldn't", "isn't", "aren't"} & set(after))
    return len(after) if linked and ((out and not denied) or (used and denied)) else 0


def all_but_these_out(low: list[str], start: int, end: int) -> bool:
    """``everything but age and plan can go``."""
    before = low[max(0, start - 3) : start]
    every = bool(_EVERY & set(before)) and bool({"but", "except", "besides"} & set(before))
    return every and passively_out(low, end) > 0


def _with_it(sentence: list[Token], end: int, columns: Columns) -> range | None:
    """``... are just names, so ignore those``: what is said of columns that end here, before others are named."""
    for i in range(end, len(sentence) - 1):
        if columns.at(sentence, i) is not None:
            return None
        lead = _WITHOUT.at(sentence, i)
        at = i + lead[1] if lead is not None else i + (sentence[i].low in _OUT)
        out = lead is not None or [t.low for t in sentence[at + 1 : at + 2]] == ["out"]
        if at > i and out and at < len(sentence) and sentence[at].low in _IT:
            return range(i, at + 1 + (lead is None))
    return None


def _said_otherwise(sentence: list[Token], start: int, end: int) -> bool:
    """``split by date``, ``treat zip as text``: columns of which something else is said."""
    before = {t.low for t in sentence[max(0, start - 2) : start]}
    clause = [t.low for t in sentence[:start]]
    clause = clause[max((i + 1 for i, word in enumerate(clause) if word in (",", "and", "but")), default=0) :]
    after = [t.low for t in sentence[end : end + 4]]
    kinds = range(end, min(end + 4, len(sentence)))
    is_kind = any(TREATMENTS.at(sentence, at) or ROLES.at(sentence, at) for at in kinds)
    kind = (after[:1] in (["as"], ["->"], [":"], ["="]) and not _COLUMNS & set(after[1:2])) or (
        after[:1] in (["is"], ["isn't"], ["are"], ["should"], ["shouldn't"]) and is_kind
    )
    divides = bool(_DIVIDING & set(clause))  # "split by time using date"
    return (
        divides or bool(before & _OTHERWISE) or kind or bool(after[:1] in (["to"], ["for"]) and _OTHERWISE & set(after))
    )


def _name(sentence: list[Token], at: int) -> tuple[str, int] | None:
    """Words that can be a column's name, and where they end."""
    end = at
    while end < len(sentence) and _is_name(sentence, end, first=end == at):
        end += 1
        if sentence[end - 1].kind == "quoted":
            break
    if not 0 < end - at <= _LONGEST:
        return None
    return " ".join(t.text for t in sentence[at:end]), end


def _is_name(sentence: list[Token], at: int, *, first: bool) -> bool:
    token = sentence[at]
    if token.kind == "quoted":
        return first
    if token.kind not in ("word", "number") or (first and token.kind == "number"):
        return False
    if token.low.endswith(_SHORTENED) or token.low == "%":  # "that'd be unfair"
        return False
    if token.low in FILLER | NEGATORS | _JOINTS | _COLUMNS | _AFTER_NAMES | _NO_NAMES:
        return False
    return PHRASES.at(sentence, at) is None and WISHES.at(sentence, at) is None and _USING.at(sentence, at) is None


_SHORTENED = ("'d", "'ll", "'re", "'ve")
_NO_NAMES = PREDICT | words_of(
    """
    optimise optimize maximise maximize minimise minimize target metric score budget runtime
    pls plz kindly thx ty asap
    judged measured evaluated scored defaults numeric categorical missing nulls nans limit cloud profile customers users
    clients patients passengers people rows records
    everything anything nothing rest others sklearn scikit pandas python jupyter colab scratch one two three hurry out
    """
)


def _after_leads(
    sentence: list[Token], columns: Columns, known: dict[int, Named], elsewhere: set[int], found: Inputs
) -> None:
    """Names after ``using only``, ``ignore`` and the like; where columns are known, with those at least one is near."""
    i = 0
    while i < len(sentence):
        formula = sentence[i].low == "~"
        lead = None if i in elsewhere and not formula else (_WITHOUT.at(sentence, i) or _USING.at(sentence, i))
        if lead is None and sentence[i].low in _OUT and i not in elsewhere:
            lead = True, 1  # "leave zip out"
        if lead is None or i in known:
            i += 1
            continue
        out, at = _WITHOUT.at(sentence, i) is not None, i + lead[1]
        here = listed(sentence, at, elsewhere, columns, known)
        end, names = here.end, here.names
        if sentence[i].low in _OUT and not out:
            out = bool(names) and [t.low for t in sentence[end : end + 1]] == ["out"]
            names = names if out else []
            end += out
        excepted = sentence[at - 1].low in ("except", "but") and _is_of_left_out(sentence, at - 1)
        out = out and not excepted  # "drop everything except age"
        polarities = {n.polarity for start, n in known.items() if at <= start < end}
        out = "avoid" in polarities if polarities else out
        out = out or (sentence[i].low == "with" and i > 0 and _is_of_left_out(sentence, i))
        words = {t.low for t in sentence[max(0, i - 1) : at]} | _led(sentence, at)
        sure = (
            out or excepted or formula or bool(words & ({"only", "just"} | _COLUMNS)) or (len(names) > 1 and here.plain)
        )
        if columns.names:
            alone = "nothing" in [t.low for t in sentence[end : end + 2]]  # "use age and nothing else"
            near = bool(polarities) or any(nearly(name, columns.names) for name in names)
            sure = near and (sure or (bool(polarities) and (sentence[i].low not in ("with", "use") or alone)))
        within = "avoid" in polarities and sentence[i].low == "from"  # "remove the titles from name"
        if names and sure and not within and "add" not in polarities and not _said_otherwise(sentence, at, end):
            stays = out and sentence[i].low in _EVERY and passively_out([t.low for t in sentence], end)
            (found.left_out if out and not stays else found.used).extend(names)
            found.taken.update(range(i, end))
            i = end
        else:
            i += 1


def _is_of_left_out(sentence: list[Token], at: int) -> bool:
    """``drop the columns with age in them``, ``drop everything except age``."""
    if sentence[at - 1].low not in _COLUMNS | _EVERY:
        return False
    begins = max((i + 1 for i in range(at) if sentence[i].low in (",", "but", "and")), default=0)
    return any(_WITHOUT.at(sentence, i) is not None for i in range(begins, at - 1))


class _Listed(NamedTuple):
    names: list[str]
    end: int
    plain: bool
    """Whether each is one word."""


_UNKNOWN = Columns(())


def listed(
    sentence: list[Token],
    at: int,
    elsewhere: set[int],
    columns: Columns = _UNKNOWN,
    known: Mapping[int, Named] = MappingProxyType({}),
) -> _Listed:
    """The names that are listed from a token on; ``known`` has the columns of the data that the sentence names."""
    names: list[str] = []
    end, plain = at, True
    while at < len(sentence):
        while at < len(sentence) and sentence[at].low in _BEFORE_NAMES and at not in known:
            at += 1
        if at in elsewhere or at >= len(sentence):
            break
        name = (str(known[at].value), known[at].end) if at in known else _name(sentence, at)
        if name is None or any(start in range(at + 1, name[1]) for start in known):
            break
        spoken, at = name[0], name[1]
        while at < len(sentence) and sentence[at].low in _COLUMNS and at not in known:
            at += 1
        following = sentence[at].low if at < len(sentence) else ","
        ends = following in _JOINTS | _AFTER_NAMES or following in ("out", "from", "predict")
        if not ends and not names and columns.find(spoken) is None:
            break
        names.append(spoken)
        plain, end = plain and " " not in spoken, at
        while at < len(sentence) and sentence[at].low in _JOINTS:
            at += 1
        if at == end and at not in known:  # "inputs: sex age fare"
            break
    return _Listed(list(dict.fromkeys(names)), end, plain)


def _led(sentence: list[Token], at: int) -> set[str]:
    """The words before a name that are no part of it."""
    end = at
    while end < len(sentence) and sentence[end].low in _BEFORE_NAMES:
        end += 1
    return {t.low for t in sentence[at:end]}
