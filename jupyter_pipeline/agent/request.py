"""What a request in plain English says: task, target, metric, time, models, wishes and data.

Rules, not a language model: each takes the words that it knows out of the text, and what no rule took is told
to the person. Every pattern is linear in the length of the text.
"""

import re
from collections.abc import Iterable

from ..protocol.plans import IntentPlan
from .lexicon import BUNDLED, FAMILIES, METRICS, MODELS, NUMBERS

_NAME = r"(?:`([^`\n]{1,120})`|\"([^\"\n]{1,120})\"|'([^'\n]{1,120})'|([\w][\w.%-]{0,119}))"
_URL = re.compile(r"(?:https?|s3|gs|ftp)://[^\s\"'<>]{1,500}[^\s\"'<>.,;:!?)]")
_EXTENSION = r"(?:csv|tsv|txt|parquet|pq|feather|arrow|ipc|jsonl|ndjson|json|xlsx|xls)(?:\.(?:gz|zst|bz2|xz|zip))?"
_FILE = re.compile(rf"(?<![\w/])[\w./~-]{{1,200}}\.{_EXTENSION}\b", re.IGNORECASE)
_TARGET = (
    re.compile(rf"\btarget(?: column| variable)?(?: is| =|:|=)? {_NAME}", re.IGNORECASE),
    re.compile(rf"\b(?:column|label|outcome) {_NAME} is the target", re.IGNORECASE),
    re.compile(rf"\b(?:predict|predicting|forecast|estimate|model|classify|explain)(?: the| a| an| each| every)?"
               rf"(?: column| value of| price of| probability of| likelihood of)? {_NAME}", re.IGNORECASE),
)  # fmt: skip
_NO_TARGETS = frozenset(
    ["whether", "if", "who", "which", "what", "how", "the", "a", "an", "it", "its", "them", "this", "that", "rows", "data", "with", "from", "in", "for", "using", "and", "customer", "customers", "by", "on", "well", "model", "models", "better", "accurately", "something", "everything", "me", "us", "will"]
)
_NUMBER = "|".join(sorted((re.escape(n) for n in NUMBERS), key=len, reverse=True))
_TIME = re.compile(
    rf"(?:\b(?:under|within|in|less than|at most|up to|no more than|max(?:imum)?|about|for|take|spend|budget(?: of)?|"
    rf"below|not longer than)\s+)*(?<![\w.])(\d{{1,6}}(?:\.\d{{1,3}})?|{_NUMBER})[\s-]?"
    r"(seconds?|secs?|s|minutes?|mins?|min|m|hours?|hrs?|hr|h)\b",
    re.IGNORECASE,
)
_BINARY = re.compile(r"\b(?:binary|whether|yes or no|yes/no|true or false|churns?|fraud)\b", re.IGNORECASE)
_MULTICLASS = re.compile(r"\b(?:multi-?class|which (?:class|category|kind|type|species))\b", re.IGNORECASE)
_REGRESSION = re.compile(r"\b(?:regression|regress|how (?:much|many|long|far|old)|forecast)\b", re.IGNORECASE)
_SPEED = re.compile(r"\b(?:speed|fast|faster|quick|quickly|rapid|low latency)\b", re.IGNORECASE)
_ACCURATE = re.compile(
    r"\b(?:accuracy over speed|quality over speed|as accurate(?:ly)? as possible|best possible|most accurate|"
    r"accuracy (?:first|matters most)|rather than speed|not speed)\b",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"\b(?:interpretab\w{1,8}|explainab\w{1,8}|explain|understandable|transparent)\b", re.IGNORECASE)
_NOT_BEFORE = re.compile(
    r"\b(?:no|not|never|without|except|exclude|excluding|avoid|drop|skip|instead of|rather than|don'?t use|do not use|"
    r"leave out|remove|any)(?:\s+(?:use|any|the|a|an))?\s*$",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.;!?\n]+(?=\s|$)|,\s+")
_MODEL_NAMES = re.compile(
    "|".join(rf"\b{re.escape(n)}\b" for n in sorted(MODELS, key=len, reverse=True)), re.IGNORECASE
)
_BUNDLED_NAMES = re.compile("|".join(rf"\b{re.escape(n)}\b" for n in BUNDLED), re.IGNORECASE)
_KNOWN_WORDS = re.compile(
    r"\b(?:please|predict\w*|model\w*|use|using|only|optimi[sz]e|maximi[sz]e|minimi[sz]e|target|column|data(?:set)?|"
    r"file|from|keep|under|within|classif\w*|regress\w*|estimate|forecast|train|build|metric|score)\b",
    re.IGNORECASE,
)


def find_models(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The models that a text asks for, and those that it does not want, as ids in the order of their naming.

    A name after ``no``, ``without``, ``instead of`` and the like is unwanted, and so are those joined to it.
    """
    names = {**{name: (model,) for name, model in MODELS.items()}, **FAMILIES}
    pattern = "|".join(re.escape(n) for n in sorted(names, key=len, reverse=True))
    wanted: list[str] = []
    unwanted: list[str] = []
    last_end, negated = -1, False
    for match in re.finditer(rf"\b(?:{pattern})\b", text, re.IGNORECASE):
        before = text[max(0, match.start() - 40) : match.start()]
        between = text[last_end : match.start()].strip(" ,").lower() if last_end >= 0 else "start"
        if between not in ("", "and", "or", "nor", "&"):
            negated = _NOT_BEFORE.search(before) is not None
        last_end = match.end()
        (unwanted if negated else wanted).extend(names[match.group().lower()])
    return tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(unwanted))


def names_models(text: str) -> bool:
    """Whether a text names any model or group of models, also such as there is none of here."""
    lower = text.lower()
    return any(re.search(rf"\b{re.escape(n)}\b", lower) for n in (*MODELS, *FAMILIES))


def find_metric(text: str) -> str | None:
    """The metric that a text asks for, None if it names none."""
    lower = text.lower()
    found: list[tuple[int, int, str]] = []
    for words, metric in METRICS.items():
        match = re.search(rf"(?<!\w){re.escape(words)}(?!\w)", lower)
        if match:
            found.append((match.start(), -len(words), metric))
    if not found:
        return None
    over = re.search(r"\b(?:over|not|rather than|instead of)\s+[\w-]{1,40}", lower)
    usable = [f for f in sorted(found) if not (over and over.start() < f[0] < over.end())] or sorted(found)
    return usable[0][2]


def find_seconds(text: str) -> float | None:
    """A span of time that a text names, in seconds, None if there is none."""
    match = _TIME.search(text)
    if match is None:
        return None
    words = match.group(1).lower()
    number = NUMBERS[words] if words in NUMBERS else float(words)
    unit = match.group(2).lower()[0]
    seconds = number * {"s": 1.0, "m": 60.0, "h": 3600.0}[unit]
    return seconds if 0 < seconds <= 7 * 24 * 3600 else None


def find_dataset(text: str) -> str | None:
    """The data that a text names: a URL, a file, or a bundled set."""
    if match := _URL.search(text) or _FILE.search(text):
        return match.group()
    lower = text.lower()
    for words, dataset in BUNDLED.items():
        if re.search(rf"\b{re.escape(words)}\b", lower):
            return dataset
    return None


def find_target(text: str, columns: Iterable[str] = ()) -> str | None:
    """The column that a text wants predicted; a name of ``columns`` wins over any other word."""
    for column in sorted(columns, key=len, reverse=True):
        if re.search(rf"(?<!\w){re.escape(column)}(?!\w)", text, re.IGNORECASE):
            return column
    plain = re.sub(r"  +", " ", _BUNDLED_NAMES.sub(" ", _URL.sub(" ", text)))
    for pattern in _TARGET:
        for match in pattern.finditer(plain):
            quoted = next((g for g in match.groups()[:3] if g), None)
            word = (match.group(4) or "").rstrip(".-")
            if quoted:
                return quoted
            if word and word.lower() not in _NO_TARGETS and not _FILE.fullmatch(word):
                return word
    return None


def find_task(text: str) -> str:
    """``binary``, ``multiclass``, ``regression``, or ``auto`` where the text does not say."""
    text = _MODEL_NAMES.sub(" ", text)
    if _MULTICLASS.search(text):
        return "multiclass"
    if _REGRESSION.search(text):
        return "regression"
    return "binary" if _BINARY.search(text) else "auto"


def find_preference(text: str) -> str | None:
    """``accuracy``, ``speed`` or ``interpretability``, None if the text does not say."""
    if _ACCURATE.search(text):
        return "accuracy"
    if _PLAIN.search(text):
        return "interpretability"
    return "speed" if _SPEED.search(text) else None


def parse_request(text: str, columns: Iterable[str] = ()) -> IntentPlan:
    """What a request says.

    Parameters
    ----------
    text : str
        The request, in English.
    columns : iterable of str, optional
        Columns of the data, where they are known already.

    Returns
    -------
    IntentPlan
        What was understood; ``not_understood`` has the clauses of which nothing was.
    """
    wanted, unwanted = find_models(text)
    preference = find_preference(text)
    metric = find_metric(_ACCURATE.sub(" ", text))
    return IntentPlan(
        task_type=find_task(text),  # type: ignore[arg-type]
        target=find_target(text, columns),
        metric=metric or "auto",  # type: ignore[arg-type]
        time_budget_s=find_seconds(text) or (60.0 if preference == "speed" else 300.0),
        prefer=preference or "balanced",  # type: ignore[arg-type]
        dataset=find_dataset(text),
        include_models=wanted,
        exclude_models=unwanted,
        not_understood=tuple(_not_understood(text)),
    )


def _not_understood(text: str) -> list[str]:
    """Clauses of which no rule knew a word."""
    found = []
    for clause in _CLAUSE.split(text[:20_000]):
        words = clause.strip()
        if not re.search(r"\w", words):
            continue
        known = (
            _KNOWN_WORDS.search(words)
            or find_metric(words)
            or names_models(words)
            or find_seconds(words)
            or find_dataset(words)
            or find_preference(words)
            or find_task(words) != "auto"
        )
        if not known:
            found.append(words[:200])
    return found[:20]
