"""Slips of the keyboard in the words that matter most: ``predcit``, ``optimse``, ``lightbgm``."""

import re

import msgspec

from .columns import ORDINALS, Columns
from .parameters import FOREIGN, SPOKEN, assigned
from .tokens import Token
from .vocabulary import FILLER
from .words import squash, words_of

#: Words that are put right; none of them is one slip away from another word that people use in requests.
_WORDS = words_of(
    """
    predict predicting prediction forecast classify classification regression optimise optimize maximise maximize
    minimise minimize recall precision accuracy xgboost lightgbm catboost logistic minutes seconds without instead
    exclude threshold validation stratified interpretable explainable quickly ensemble target whether categorical
    proceed continue approve training
    second third fourth worksheet
    numeric forest random column columns ignore remove include restart cancel confirm regularisation regularization
    """
)
_COUNTED = words_of("trees rows trials iterations estimators rounds leaves boosting")
_NUMBERED = words_of("sheet worksheet tab column")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _slips(word: str) -> set[str]:
    """The word with two letters exchanged, one left out, or one too many; not with an ending."""
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    lost = {a + b[1:] for a, b in cuts if b}
    more = {a + letter + b for a, b in cuts if b for letter in _LETTERS}
    other = {a + letter + b[1:] for a, b in cuts if a and len(b) > 1 for letter in _LETTERS} if len(word) > 6 else set()
    return swapped | lost | more | other


_MEANT: dict[str, str] = {}
for _word in sorted(_WORDS):
    for _slip in _slips(_word):
        _MEANT.setdefault(_slip, _word)
# What is a word itself, or an ending of one.
for _known in (
    *_WORDS,
    *words_of("predicts optimiser optimizer maximiser minimiser explainably minute second precisions targeted targets"),
    *words_of("recalls regressing classified classifying forecasts forecaster predicted predictor ensembles decision"),
    *words_of("accurate excluded excludes excluding validations interpretably minted recalled tagged targe"),
    *words_of("forests numerics ignored ignores removed removes remover included includes restarts cancels"),
    *words_of("confirms conform columned volumes proceeds continued continues approved approves trainings raining"),
    *words_of("draining trailing straining thirds forth fourths worksheets"),
):
    _MEANT.pop(_known, None)


for _short in words_of(
    "don't doesn't didn't isn't aren't wasn't weren't can't couldn't won't wouldn't shouldn't let's"
):
    _MEANT[_short.replace("'", "")] = _short


_NAMES = {squash(name): name for name in sorted(SPOKEN.firsts) if "_" in name}
_NAMES = {**{slip: name for squashed, name in _NAMES.items() for slip in _slips(squashed)}, **_NAMES}


def _parameter(tokens: list[Token], i: int, columns: Columns) -> str | None:
    """The parameter's own name where a token is one, perhaps with a slip: ``learningrate=0.1``, ``n_estimator 500``."""
    token = tokens[i]
    if token.kind not in ("word", "quoted") or not ("_" in token.low or assigned(tokens, i)):
        return None
    if token.low in FOREIGN or squash(token.text) in columns:
        return None
    return token.low if token.low in SPOKEN.firsts else _NAMES.get(squash(token.low))


_UP_TO_19 = """
    one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
    nineteen
"""
_SMALL = {word: value for value, word in enumerate(_UP_TO_19.split(), 1)}
_FROM_20 = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 10 * value for value, word in enumerate(_FROM_20.split(), 2)}
_LARGE = {"hundred": 100, "thousand": 1000}


def _spoken(tokens: list[Token], i: int) -> tuple[int, int] | None:
    """The number in words that begins at a token, and how many tokens it has: ``two hundred and fifty``."""
    total = part = 0
    at, last = i, ""
    while at < len(tokens) and tokens[at].kind == "word":
        low = tokens[at].low
        if low in _SMALL and last in ("", "hundred", "thousand", "and", *(("tens",) if _SMALL[low] < 10 else ())):
            part, last = part + _SMALL[low], "small"
        elif low in _TENS and last in ("", "hundred", "thousand", "and"):
            part, last = part + _TENS[low], "tens"
        elif low in _LARGE and last not in ("and", low):
            part = max(part, 1) * _LARGE[low]
            total, part, last = (total + part, 0, low) if low == "thousand" else (total, part, low)
        elif low == "and" and last in _LARGE and at + 1 < len(tokens) and tokens[at + 1].low in {**_SMALL, **_TENS}:
            last = "and"
        else:
            break
        at += 1
    return (total + part, at - i) if at > i else None


def _in_figures(tokens: list[Token], columns: Columns) -> list[Token]:
    """Tokens with figures for numbers in words; small ones, which other sentences have too, only as values."""
    found: list[Token] = []
    i = 0
    while i < len(tokens):
        vague = bool(found) and found[-1].low in ("few", "several", "many", "couple")  # "a few hundred trees"
        spoken = _spoken(tokens, i) if columns.at(tokens, i) is None and not vague else None
        if spoken is None:
            found.append(tokens[i])
            i += 1
            continue
        value, n = spoken
        following = tokens[i + n].low if i + n < len(tokens) else ""
        is_value = following in ("%", "percent", "fold") or (found and found[-1].low in ("=", ":", "to", "seed"))
        is_value = is_value or any(  # "max depth three"
            (name := SPOKEN.at(found, n)) is not None and n + name[1] == len(found)
            for n in range(max(0, len(found) - 3), len(found))
        )
        if value > 10 or (value > 1 and is_value):
            if found and found[-1].low == "a" and tokens[i].low in _LARGE:
                found.pop()
            first, last = tokens[i], tokens[i + n - 1]
            found.append(Token("number", " ".join(t.text for t in tokens[i : i + n]), str(value), first.at, last.end))
        else:
            found.extend(tokens[i : i + n])
        i += n
    return found


def _written_out(tokens: list[Token]) -> list[Token]:
    found: list[Token] = []
    i = 0
    while i < len(tokens):
        low = [t.low for t in tokens[i : i + 3]]
        close = i + 1 < len(tokens) and tokens[i + 1].at == tokens[i].end
        if tokens[i].kind == "number" and close and low[1] in ("st", "nd", "rd", "th") and low[0] in ORDINALS:
            name, end = ORDINALS[low[0]], tokens[i + 1].end  # "2nd"
            found.append(Token("word", tokens[i].text + tokens[i + 1].text, name, tokens[i].at, end))
            i += 2
        elif tokens[i].kind == "number" and close and low[1] == "k" and low[2:] and low[2] in _COUNTED:  # "10k rows"
            thousands = f"{float(low[0]) * 1000:g}"
            found.append(Token("number", tokens[i].text + "k", thousands, tokens[i].at, tokens[i + 1].end))
            i += 2
        elif (
            low[0] in ("no", "nr")
            and low[1:]
            and tokens[i + 1].kind == "number"
            and found
            and found[-1].low in _NUMBERED
        ):
            i += 1  # "sheet no. 3"
        elif low[0] == "fold" and low[1:2] != ["cross"] and found and found[-1].kind == "number":  # "5-fold"
            found.append(msgspec.structs.replace(tokens[i], low="folds"))
            i += 1
        elif low[:2] == ["w", "/"] and close:
            out = low[2:] == ["o"] and tokens[i + 2].at == tokens[i + 1].end
            last = tokens[i + (2 if out else 1)]
            found.append(msgspec.structs.replace(tokens[i], low="without" if out else "with", end=last.end))
            i += 3 if out else 2
        else:
            found.append(tokens[i])
            i += 1
    return found


def _as_columns(tokens: list[Token], columns: Columns) -> list[Token]:
    """Tokens with the columns that are meant where a name of several words has a slip: ``montly charges``."""
    names: dict[tuple[str, int], list[str]] = {}
    few = len(tokens) * len(columns.names) <= _COMPARED
    for name in columns.names if few else ():
        squashed = squash(name)
        if len(squashed) > 7 and _PARTED.search(name):
            names.setdefault((squashed[0], len(squashed)), []).append(name)
    found: list[Token] = []
    i = 0
    while i < len(tokens):
        meant, n = _slipped(tokens, i, names, columns) if names else (None, 1)
        if meant is not None:
            found.append(Token("quoted", meant, meant.lower(), tokens[i].at, tokens[i + n - 1].end))
        else:
            found.append(tokens[i])
        i += n
    return found


_COMPARED = 1_000_000
"""Words times columns up to which slips are looked for: that takes about a second, and 20,000 characters about 5,000
columns took 19 of them, in which nobody could cancel what the project does."""
_PARTED = re.compile(r"[^\W_][\W_]+[^\W_]")


def _slipped(
    tokens: list[Token], i: int, names: dict[tuple[str, int], list[str]], columns: Columns
) -> tuple[str | None, int]:
    """The only column that is meant by words with a slip, and how many words they are."""
    joined = ""
    for n, token in enumerate(tokens[i : i + 5], start=1):
        if token.kind != "word":
            break
        joined += squash(token.text)
        if joined in columns:
            break
        near = [name for more in (-1, 0, 1) for name in names.get((joined[:1], len(joined) + more), ())]
        meant = [name for name in near if _one_slip(joined, squash(name)) and _one_word(tokens[i : i + n], name)]
        if len(meant) == 1:
            return meant[0], n
    return None, 1


def _one_word(tokens: list[Token], name: str) -> bool:
    """Whether only one word is another than in a name, and is none by itself: not ``customer is`` for customer_id."""
    words = [word.casefold() for word in _WORDS_OF.findall(name)]
    if len(tokens) == 1:
        return True
    others = [t.low for t, word in zip(tokens, words, strict=False) if t.low != word]
    return len(words) == len(tokens) and len(others) == 1 and len(others[0]) > 2 and others[0] not in FILLER


_WORDS_OF = re.compile(r"[^\W_]+")


def _one_slip(a: str, b: str) -> bool:
    """Whether one letter is lost, added or another, or two are exchanged."""
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    end = next((i for i, (x, y) in enumerate(zip(a[::-1], b[::-1], strict=False)) if x != y), min(len(a), len(b)))
    rest = a[start : len(a) - end], b[start : len(b) - end]
    return max(map(len, rest)) <= 1 or (len(rest[0]) == 2 and rest[0] == rest[1][::-1])


def corrected(tokens: list[Token], columns: Columns) -> list[Token]:
    """Tokens with slips put right in what is looked up, not in what the person is told; columns stay as they are.

    ``w/`` is ``with`` and ``w/o`` is ``without``, ``2nd`` is ``second``, and ``10k`` is 10,000.
    """
    tokens = _as_columns(_written_out(_in_figures(tokens, columns)), columns)
    names = {i: name for i in range(len(tokens)) if (name := _parameter(tokens, i, columns)) is not None}
    tokens = [
        msgspec.structs.replace(token, kind="word", low=names[i]) if i in names else token
        for i, token in enumerate(tokens)
    ]
    return [
        msgspec.structs.replace(token, low=_MEANT[token.low])
        if token.kind == "word" and token.low in _MEANT and squash(token.text) not in columns
        else token
        for token in tokens
    ]
