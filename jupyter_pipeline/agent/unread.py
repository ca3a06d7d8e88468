"""What a request says that it does not decide: what is for a later gate, cannot be done, or was not understood."""

from ..protocol.names import stage_name
from .known import WISHES
from .parameters import FOREIGN, OF_LINEAR, SPOKEN, assigned
from .request_facts import Facts
from .scan import Item, says_why
from .tokens import Token
from .vocabulary import FILLER, NEGATORS, UNITS

MAX_MISSED = 20
_KNOWN = FILLER | {
    "sklearn",
    "scikit",
    "rest",
    "others",
    "max",
    "maximum",
    "runtime",
    "metric",
    "score",
    "budget",
    "target",
    "optimise",
    "optimize",
    "classify",
    "predict",
    "regression",
}
_TRIALS = ("trials", "trial")
_LATER = {
    "PREPROCESS": ("split", "stratify", "stratified", "group", "grouped", "test", "validation", "seed", "together"),
    "MODEL_SELECT": (
        "trials",
        "trial",
        "parameters",
        "hyperparameters",
        "depth",
        "trees",
        "estimators",
        "tune",
        "tuning",
        "rate",
        "lr",
        "leaves",
        "models",
    ),
    "DATA_SOURCE": ("positive", "pos"),
    "TRAIN": ("threshold", "cutoff"),
}
"""Words of what is decided at a later gate."""
_AT_PROFILE = " (columns: say it at the stage Profile)"
_AT_MODELS, _AT_SPLIT = " (say it at the stage Models)", " (say it at the stage Preparation)"
_OF_SPLIT = ("seed", "size", "state", "fraction")
"""What the name of something ends with that is decided with the split: ``random_state=42``."""
_ALL_ROWS = " (all rows are used; to take some, change the data file)"
_ROWS_FOLLOW = frozenset({"where", "for"})
_COLUMNS_FOLLOW = frozenset({"without", "excluding", "ignoring", "from", "using", "except"})


def for_later(text: str, sentence: list[Token], taken: set[int], facts: Facts) -> None:
    """What stands in a clause that was understood otherwise, and is decided at a later gate."""
    _assignments(text, sentence, taken, facts)
    for i, token in enumerate(sentence):
        if token.low in _TRIALS and i and sentence[i - 1].kind == "number" and taken & {i - 3, i - 2}:
            taken.update((i - 1, i))
            facts.missed.append(f"{sentence[i - 1].text} {token.text} (say it at the stage Models)")
        counted = sentence[i - 1] if i else token
        several = counted.kind == "number" or counted.low in _SEVERAL
        if i and several and token.low in ("trees", "models", "algorithms") and taken & {i - 3, i - 2}:
            taken.update((i - 1, i))
            facts.missed.append(f"{counted.text} {token.text} (say it at the stage Models)")
        if token.kind == "number" and i not in taken and (some := _part_to_test(sentence, i)):
            taken.update(range(i, i + some))
            miss(text, sentence, list(range(i, i + some)), _AT_SPLIT, facts)
        elif token.kind == "number" and i not in taken and (some := _part_of_rows(sentence, i)):
            taken.update(range(i, i + some))
            miss(text, sentence, list(range(i, i + some)), _ALL_ROWS, facts)
        positive = token.low == "positive" and {t.low for t in sentence[i + 1 : i + 2]} & {"class", "label"}
        if positive and i not in taken and taken & {i - 2, i - 1}:  # else the clause is told as a whole
            end = next((n for n in range(i, len(sentence)) if sentence[n].low in (",", "and", "but")), len(sentence))
            taken.update(range(i, end))
            miss(text, sentence, list(range(i, end)), f" (say it at the stage {stage_name('DATA_SOURCE')})", facts)


def _assignments(text: str, sentence: list[Token], taken: set[int], facts: Facts) -> None:
    """``max_depth=6``, ``random_state=42``: what has a value in the manner of code."""
    for i in range(len(sentence)):
        spoken = SPOKEN.at(sentence, i) if sentence[i].kind == "word" and i not in taken else None
        at = i + spoken[1] if spoken is not None else 0
        if spoken is not None and spoken[0] != "trees" and at < len(sentence) and sentence[at].kind == "number":
            taken.update(range(i, at + 1))  # "max depth 3"
            miss(text, sentence, list(range(i, at + 1)), _AT_MODELS, facts)
            continue
        if not assigned(sentence, i) or not {i, i + 2}.isdisjoint(taken):
            continue
        name, number = sentence[i].low, sentence[i + 2].kind == "number"
        of_split = name.endswith(_OF_SPLIT) and number
        of_models = name in SPOKEN.firsts | FOREIGN or (number and (name in OF_LINEAR or "_" in name))
        if of_split or of_models:
            taken.update(range(i, i + 3))
            miss(text, sentence, [i, i + 1, i + 2], _AT_SPLIT if of_split else _AT_MODELS, facts)


_TESTING = frozenset({"test", "testing", "holdout", "validation", "validate"})
_HOLDING = frozenset({"hold", "holding", "holdout", "test", "testing", "validate"})


def _part_to_test(sentence: list[Token], i: int) -> int:
    """How many tokens ``30% of the rows for testing`` has, of ``hold out 30%`` those of the share; 0 where none is."""
    low = [t.low for t in sentence[i + 1 : i + 9]]
    low = low[: next((n for n, word in enumerate(low) if word in (",", "and", "but")), len(low))]
    if low[:1] not in (["%"], ["percent"]):
        return 0
    last = max((n for n, word in enumerate(low) if word in _TESTING), default=None)
    if last is not None and {"for", "as", "to"} & set(low[:last]):
        return last + 2 + (low[last + 1 : last + 2] in (["set"], ["data"], ["rows"]))
    held = _HOLDING & {t.low for t in sentence[max(0, i - 3) : i]}
    return _part_of_rows(sentence, i) or 2 if held else 0


def _part_of_rows(sentence: list[Token], i: int) -> int:
    """How many tokens ``1000 rows`` and ``80% of the data`` have; 0 where a number is none of these."""
    low = [t.low for t in sentence[i + 1 : i + 5]]
    if low[:1] in (["rows"], ["records"], ["samples"]):
        return 2
    rest = [w for w in low if w not in ("%", "percent", "of", "the", "my", "all")]
    part = low[:1] in (["%"], ["percent"]) and low[1:2] == ["of"] and rest[:1] in (["data"], ["rows"], ["records"])
    return low.index(rest[0]) + 2 if part else 0


_SEVERAL = frozenset({"two", "three", "four", "five", "several", "few"})
_AS_YOU_LIKE = FILLER | frozenset(
    [
        "use",
        "take",
        "pick",
        "choose",
        "whatever",
        "works",
        "best",
        "fits",
        "think",
        "decide",
        "choice",
        "your",
        "you",
        "like",
        "suits",
        "is",
        "find",
    ]
)


def missed(text: str, sentence: list[Token], taken: set[int], facts: Facts) -> None:
    """Clauses in which nothing was known and that are more than courtesy."""
    clause: list[int] = []
    for i in range(len(sentence) + 1):
        token = sentence[i] if i < len(sentence) else None
        ends = (
            token is None
            or token.low == ","
            or (token.low == "/" and sentence[i - 1].kind != "number")
            or (token.low in ("and", "but", "then", "also") and token.kind == "word")
        )
        if not ends:
            clause.append(i)
            continue
        opening = [sentence[n].low for n in clause[:2]]
        if len(opening) == 2 and opening[0] in ("i", "we") and opening[1] in ("have", "am", "are", "work", "got"):
            clause = []  # what the person has, not what they want
            continue
        if clause and {sentence[n].low for n in clause} <= _AS_YOU_LIKE:
            clause = []  # "use whatever works best"
            continue
        content = [n for n in clause if sentence[n].kind != "punct" and sentence[n].low not in _KNOWN]
        if clause and facts.left_out and says_why(sentence, clause[0]) and taken & set(range(clause[0])):
            clause = []  # "..., they are redundant"
            continue
        if content and not taken & set(clause):
            miss(text, sentence, clause, _where(sentence, clause), facts)
        elif content and (rest := _left_over(sentence, clause, taken)):
            rows = sentence[rest[0]].low in _ROWS_FOLLOW
            of_models = "models" in (sentence[n].low for n in rest)
            miss(text, sentence, rest, _ALL_ROWS if rows else _AT_MODELS if of_models else _AT_PROFILE, facts)
        clause = []


def miss(text: str, sentence: list[Token], clause: list[int], where: str, facts: Facts) -> None:
    """Tell some words, with where they can be said."""
    piece = text[sentence[clause[0]].at : sentence[clause[-1]].end].strip(" .,;:!?-\n\t")
    if any(c.isalnum() for c in piece) and len(facts.missed) < MAX_MISSED:
        facts.missed.append(piece[:200] + where)


def _left_over(sentence: list[Token], clause: list[int], taken: set[int]) -> list[int]:
    """The end of a clause that names rows to take, or columns where those are not known yet."""
    for n, i in enumerate(clause):
        rest = clause[n:]
        only = sentence[rest[-1]].low == "only" or (i > 0 and sentence[i - 1].low in ("only", "just"))
        rows = sentence[i].low == "where" or (sentence[i].low == "for" and only)
        if (rows or sentence[i].low in _COLUMNS_FOLLOW) and i not in taken and not taken & set(rest[1:]):
            words = [t for t in (sentence[m] for m in rest[1:]) if t.kind in ("word", "quoted") and t.low not in _KNOWN]
            return rest if words else []
    return []


def wishes(text: str, sentence: list[Token], taken: set[int], facts: Facts) -> None:
    """What is done without being asked, or not done at all: ``with 5-fold cross validation``."""
    for i, token in enumerate(sentence):
        found = WISHES.at(sentence, i) if token.kind == "word" and i not in taken else None
        if found is None:
            continue
        wish, n = found
        place = range(i - 1 if i and sentence[i - 1].kind == "number" else i, i + n)
        taken.update(place)
        if wish.done:
            facts.notes.append(f"{wish.answer[0].lower()}{wish.answer[1:].removesuffix('.')}")
        else:
            miss(text, sentence, list(place), f" ({wish.answer.removesuffix('.')})", facts)


_BOUNDS = frozenset({"least", "above", "over", "minimum", "below", "under", "most"})
_NO_PROMISE = " (a score cannot be promised; a threshold can be set after training)"


def promises(text: str, sentence: list[Token], items: list[Item], taken: set[int], facts: Facts) -> None:
    """``precision of at least 80%``: a score cannot be ordered."""
    for item in items:
        ahead = range(item.end, min(item.end + 5, len(sentence)))
        end = next((n for n in ahead if sentence[n].kind == "number" or sentence[n].low == ","), None)
        if end is not None and (sentence[end].low == "," or UNITS.at(sentence, min(end + 1, len(sentence) - 1))):
            end = None  # "recall, under 2 minutes"
        before = item.start - 1 - (item.start > 1 and sentence[item.start - 1].low == "%")
        if item.kind == "metric" and before >= 0 and sentence[before].kind == "number" and before not in taken:
            taken.update(range(before, item.end))  # "99% accuracy"
            miss(text, sentence, list(range(before, item.end)), _NO_PROMISE, facts)
            continue
        between = end is not None and any(item.end <= other.start < end for other in items if other.kind == "metric")
        if item.kind != "metric" or end is None or between:
            continue
        if {t.low for t in sentence[item.end : end]} & _BOUNDS or sentence[end].apart:  # "f1 > 0.8"
            end += sentence[end + 1 : end + 2] != [] and sentence[end + 1].low == "%"
            place = list(range(item.start, end + 1))
            taken.update(place)
            miss(text, sentence, place, _NO_PROMISE, facts)


def _where(sentence: list[Token], clause: list[int]) -> str:
    """At which gate a clause can be said again, where that is known."""
    words = {sentence[i].low for i in clause}
    stage = next((stage for stage, known in _LATER.items() if words & set(known)), None)
    if stage == "PREPROCESS" and not words & {
        "split",
        "stratify",
        "stratified",
        "group",
        "grouped",
        "seed",
        "together",
    }:
        stage = stage if any(sentence[i].kind == "number" for i in clause) else None
    if stage is None and (words & {"drop", "ignore", "exclude"} or (words & {"use", "include"} and words & NEGATORS)):
        return _AT_PROFILE
    return f" (say it at the stage {stage_name(stage)})" if stage else ""
