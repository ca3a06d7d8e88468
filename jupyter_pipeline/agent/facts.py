"""What one sentence says of metric, time, wishes, task, target and data, whoever asks and whenever."""

import re
from collections.abc import Iterator

from .columns import Columns
from .scan import Item
from .tokens import Token, is_data_path
from .vocabulary import BUNDLED, NEGATORS, NUMBERS, UNITS
from .words import words_of

_OVER = frozenset({"over", "than", "not", "before", "above"})
_LONGER = frozenset(
    {"longer", "older", "later", "every", "per", "least", "last", "past", "next", "after", "each", "by"}
)
_COSTLY_WORDS = words_of(
    """
    costly expensive worse bad matter matters important avoid minimise minimize fewer few reduce cost costs dont
    want afford unacceptable critical dangerous must never don't not cannot can't as all every most catch
    find no low hurt hurts worst care
    """
)
_STRONG = words_of(
    """
    optimise optimize optimising optimizing maximise maximize maximising maximizing minimise minimize
    minimising minimizing metric metrics score improve best highest lowest higher lower evaluate judge
    judged measured measure focus target care cares matters priority prioritise prioritize good high
    """
)
_HOURS = re.compile(r"h([0-5]\d)(?:m|min)?")
"""What follows the number in ``1h30``."""
MAX_SECONDS = 7 * 24 * 3600.0


def metric_of(sentence: list[Token], items: list[Item]) -> tuple[str, bool] | None:
    """The metric that a sentence asks for, and whether it says so by a word such as ``optimise``."""
    metrics = [i for i in items if i.kind == "metric"]
    costly = [i for i in items if i.kind == "costly"]
    words = {t.low for t in sentence}
    if costly and words & _COSTLY_WORDS:
        return _costlier(sentence, costly), True
    strong = bool(words & _STRONG)
    speed = [i for i in items if i.kind == "prefer" and i.value == "speed"]
    found: list[Item] = []
    for item in metrics:
        before = sentence[item.start - 1].low if item.start else ""
        if before in _OVER and (before != "than" or found):
            continue  # "recall over precision"
        if not _unwanted(sentence, item):
            found.append(item)
    if {"precision", "recall"} <= {i.value for i in found} and words & {"both", "balance", "balanced", "between"}:
        return "f1", True
    if not found:
        return None
    first = found[0]
    if first.value == "accuracy" and speed and len(metrics) == 1 and words & (_OVER | _RATHER):
        return None  # "accuracy over speed" is a preference
    return str(first.value), strong


_RATHER = words_of("rather instead to versus vs prefer preferred more less sacrifice trade expense cost")
_USELESS = words_of("misleading useless pointless meaningless irrelevant")
_UNWANTED = words_of("ignore forget drop remove skip disregard")


def _unwanted(sentence: list[Token], item: Item) -> bool:
    """``not accuracy``, ``I don't care about accuracy``, ``accuracy does not matter``."""
    before = [t.low for t in sentence[max(0, item.start - 5) : item.start]]
    if before[-2:] in (["anything", "but"], ["all", "but"], ["everything", "but"]):
        return True
    for divider in (",", "but"):
        if divider in before:
            before = before[len(before) - before[::-1].index(divider) :]
    near = before[-2:]
    if any(w in NEGATORS or w in _UNWANTED for w in near) and not {"only", "just"} & set(near):
        return True
    if near in (["instead", "of"], ["rather", "than"], ["other", "than"]):
        return True
    if near[-1:] in (["except"], ["besides"]) or "stop" in near:
        return True
    if "care" in before and any(w in NEGATORS for w in before):
        return True
    after = [t.low for t in sentence[item.end : item.end + 4]]
    after = after[: next((n for n, w in enumerate(after) if w in (",", "and", "but", "or")), None)]
    if _USELESS & set(after) or after[:1] in (["isn't"], ["shouldn't"]) or after[1:2] in (["not"], ["no"]):
        return True
    careless = {"matter", "important", "care", "relevant", "interesting"} & set(after)
    return bool(careless) and any(w in NEGATORS for w in after)


_AIMING = words_of(
    "do optimise optimize go aim aiming optimising optimizing need needs have to be for on it the too focus so"
)
_CHEAP = words_of("cheap cheaper harmless acceptable tolerable ok okay fine bearable unimportant less better")


def _costlier(sentence: list[Token], costly: list[Item]) -> str:
    """Which of two kinds of mistake is the costly one: ``false negatives are worse than false positives``."""
    words = [t.low for t in sentence]
    first = costly[0]
    other = next((i for i in costly if i.value != first.value), None)
    said_of_first = words[first.end : other.start if other else None]
    if other is not None:
        costs = [_cost(sentence[i.end : i.end + 3]) for i in (first, other)]
        if costs[0] is not None and costs[1] is not None:  # "false positives cost 10, false negatives cost 100"
            return str(first.value if costs[0] >= costs[1] else other.value)
    if other is not None and {"less", "cheaper", "better"} & set(said_of_first):
        return str(other.value)
    if "," in said_of_first:
        said_of_first = said_of_first[: said_of_first.index(",")]
    if _CHEAP & set(said_of_first) and not set(said_of_first) & NEGATORS:
        return "recall" if first.value == "precision" else "precision"
    return str(first.value)


def _cost(after: list[Token]) -> float | None:
    return next((float(t.low) for t in after if t.kind == "number"), None)


def preference_of(sentence: list[Token], items: list[Item]) -> str | None:
    """``accuracy``, ``speed`` or ``interpretability``, None if the sentence does not say."""
    found: list[str] = []
    for item in items:
        before = [t.low for t in sentence[max(0, item.start - 2) : item.start]]
        value = item.value if item.kind == "prefer" else None
        if item.kind == "metric" and item.value == "accuracy" and not _unwanted(sentence, item):
            value = "accuracy?"
        if item.kind == "black box":
            if any(b in NEGATORS or b == "avoid" for b in before):
                found.append("interpretability")
            continue
        if value is None:
            continue
        if found and before[-1:] and (before[-1] in _OVER or before[-2:] in (["instead", "of"], ["rather", "than"])):
            continue
        wide = [t.low for t in sentence[max(0, item.start - 5) : item.start]]
        careless = "care" in wide[-3:] and any(w in NEGATORS for w in wide)
        clause = wide[max((n + 1 for n, w in enumerate(wide) if w in (",", "but", "and")), default=0) :]
        denied = next((n for n, w in enumerate(clause) if w in NEGATORS), None)
        if denied is not None and set(clause[denied + 1 :]) <= _AIMING:
            continue  # "don't optimise for speed"
        negated = (
            careless or any(b in NEGATORS for b in before) or before[-2:] in (["rather", "than"], ["instead", "of"])
        )
        after = [t.low for t in sentence[item.end : item.end + 5]]
        after = after[: next((n for n, w in enumerate(after) if w in (",", "but", "and")), None)]
        if item.kind == "prefer" and {"important", "priority", "relevant"} & set(after) and NEGATORS & set(after):
            if value == "speed":
                found.append("accuracy")  # "speed isn't important"
            continue
        if negated or "over" in before[-1:]:
            continue
        found.append(value)
    words = {t.low for t in sentence}
    if "matter" in words and words & NEGATORS:  # "speed does not matter"
        return "accuracy" if found == ["speed"] else None
    sure = [f for f in found if not f.endswith("?")]
    if found and found[0] == "accuracy?":
        others = any(i.kind == "prefer" for i in items)
        return "accuracy" if others and words & {"over", "than", "not", "before"} else (sure[0] if sure else None)
    return sure[0] if sure else None


def durations(sentence: list[Token]) -> Iterator[tuple[float, int, int]]:
    """Spans of time that a sentence names, in seconds, with the tokens that they take."""
    i = 0 if any(t.low in UNITS.firsts or _HOURS.fullmatch(t.low) for t in sentence) else len(sentence)
    while i < len(sentence):
        found = span_of_time(sentence, i)
        if found is None:
            i += 1
            continue
        seconds, size, end = found
        start = i
        while True:  # "1 hour and 30 minutes"
            at = end + (end < len(sentence) and sentence[end].low == "and")
            more_of_it = span_of_time(sentence, at) if at < len(sentence) and sentence[at].kind == "number" else None
            if more_of_it is None or more_of_it[1] >= size:
                break
            seconds, size, end = seconds + more_of_it[0], more_of_it[1], more_of_it[2]
        tail = [t.low for t in sentence[end : end + 3]]
        if tail == ["and", "a", "half"]:
            seconds, end = seconds + size / 2, end + 3
        before = {t.low for t in sentence[max(0, start - 2) : start]}
        before = set() if sentence[start - 1].low == "," else before  # "train longer, ten minutes"
        wide = {t.low for t in sentence[max(0, start - 5) : start]}
        more = before == {"more", "than"} and not wide & NEGATORS
        at_most = before == {"longer", "than"} and bool(wide & NEGATORS)  # "don't take longer than"
        trains = "least" in before and {"train", "training", "run", "running", "budget"} & {t.low for t in sentence}
        if 0 < seconds <= MAX_SECONDS and (at_most or trains or not before & _LONGER) and not more:
            yield seconds, start, end
        i = end


def span_of_time(sentence: list[Token], i: int) -> tuple[float, float, int] | None:
    """Seconds of ``90 s`` or ``1h30``, those of its unit, and where it ends."""
    clock = [t.low for t in sentence[i : i + 3]]
    if clock[1:2] == [":"] and sentence[i].kind == sentence[i + 2 : i + 3][-1].kind == "number":
        unit = UNITS.at(sentence, i + 3) if i + 3 < len(sentence) else None
        seconds = (float(clock[0]) + float(clock[2]) / 60) * unit[0] if unit else 0.0
        return (seconds, 60.0, i + 3 + unit[1]) if unit and unit[0] >= 60 else None  # "1:30 h"
    if i > 1 and sentence[i - 1].low == ":" and sentence[i - 2].kind == "number":
        return None
    number, n = _number(sentence, i)
    if number is None or i + n >= len(sentence):
        return None
    if unit := UNITS.at(sentence, i + n):
        return number * unit[0], unit[0], i + n + unit[1]
    if both := _HOURS.fullmatch(sentence[i + n].low):
        return number * 3600 + int(both[1]) * 60.0, 60.0, i + n + 1
    return None


def _number(sentence: list[Token], i: int) -> tuple[float | None, int]:
    token = sentence[i]
    if token.kind == "number":
        number, n = float(token.low), 1
    elif token.kind == "word" and (found := NUMBERS.at(sentence, i)):
        number, n = found
    else:
        return None, 0
    if [t.low for t in sentence[i + n : i + n + 3]] == ["and", "a", "half"]:
        return number + 0.5, n + 3
    return number, n


def budget_of(sentence: list[Token], skip: range = range(0)) -> tuple[float, int, int] | None:
    """The time budget that a sentence sets, in seconds, and its tokens; None if there is none."""
    for seconds, start, end in durations(sentence):
        if start not in skip:
            return seconds, start, end
    for i, token in enumerate(sentence[:-2]):
        number = sentence[i + 2]
        if token.low in _TIME_NAMES and sentence[i + 1].text in "=:" and number.kind == "number" and i not in skip:
            seconds = float(number.low)
            return (seconds, i, i + 3) if 0 < seconds <= MAX_SECONDS else None
        if token.low in _TIME_NAMES | {"in", "within", "under", "max"} and (clock := _clock(sentence, i + 1)):
            return clock[0], i, clock[1]
    at = next((i for i, t in enumerate(sentence) if t.low == "overnight"), None)
    return None if at is None else (8 * 3600.0, at, at + 1)


def _clock(sentence: list[Token], start: int) -> tuple[float, int] | None:
    """``00:02:00`` in seconds (hours, minutes, seconds; or minutes, seconds), and where it ends."""
    parts: list[float] = []
    at = start
    while at < len(sentence) and sentence[at].kind == "number" and len(parts) < 3:
        parts.append(float(sentence[at].low))
        if at + 1 < len(sentence) and sentence[at + 1].text == ":" and sentence[at + 1].at == sentence[at].end:
            at += 2
        else:
            at += 1
            break
    seconds = sum(part * 60.0**i for i, part in enumerate(reversed(parts)))
    return (seconds, at) if len(parts) > 1 and 0 < seconds <= MAX_SECONDS else None


_TIME_NAMES = frozenset({"time", "budget", "seconds", "time_budget", "time_budget_s", "timeout", "max_time", "limit"})
_DATA_WORDS = frozenset({"data", "dataset", "datasets", "set", "table", "file", "sample"})
_BEFORE_DATA = frozenset({"use", "on", "with", "from", "load", "using", "take", "to", "sklearn", "scikit", "'s"})
_GOES_ON = words_of(
    """
    with within using in under by and but optimise optimize maximise maximize minimise minimize please keep use no
    without as for quickly fast
    """
)
_CALLED = frozenset({"called", "named", "is", "in", ":"})


def _ends_phrase(sentence: list[Token], end: int) -> bool:
    """Whether a noun ends here: ``in diabetes`` may be data, ``in diabetes patients`` is not."""
    return end == len(sentence) or sentence[end].kind == "punct" or sentence[end].low in _GOES_ON


def dataset_of(sentence: list[Token], columns: Columns) -> tuple[str, int, int] | None:
    """The data that a sentence names (an address, a file, a bundled set), and its tokens."""
    for i, token in enumerate(sentence):
        if token.kind in ("url", "path") or (token.kind == "quoted" and is_data_path(token.text)):
            return token.text, i, i + 1
    for i, token in enumerate(sentence):
        bundled = BUNDLED.at(sentence, i) if token.kind == "word" else None
        if bundled is None:
            continue
        end = i + bundled[1]
        after = {t.low for t in sentence[end : end + 2]}
        before = sentence[i - 1].low if i else ""
        before = sentence[i - 2].low if before in ("the", "bundled", "sklearn") and i > 1 else before
        alone = len(sentence) == bundled[1]
        strong = after & _DATA_WORDS or before in _BEFORE_DATA or alone or token.low == "iris"
        strong = strong or (token.low == "digits" and sentence[-1].low in ("classification", "classifier"))
        strong = strong or (before in ("in", "inside") and _ends_phrase(sentence, end))
        if strong and columns.find(token.text) is None:
            return bundled[0], i, end
        if "california" in before:
            continue
    for i, token in enumerate(sentence[:-1]):
        if token.low in ("dataset", "file", "table", "data", "set"):
            at = i + 2 if sentence[i + 1].low in _CALLED and i + 2 < len(sentence) else i + 1
            named = sentence[at]
            called = at == i + 2 and sentence[i + 1].low in ("called", "named")
            if named.kind == "quoted" or (called and named.kind == "word"):
                return named.text, i, at + 1
    return None
