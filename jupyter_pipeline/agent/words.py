"""Sentences as tokens: words, numbers, quoted names, paths and addresses, in time linear in the text's length."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal, TypeVar

import msgspec

Kind = Literal["word", "number", "quoted", "path", "url", "punct"]
V = TypeVar("V")

DATA_SUFFIXES = (
    ".csv",
    ".tsv",
    ".txt",
    ".tab",
    ".dat",
    ".data",
    ".psv",
    ".parquet",
    ".pq",
    ".feather",
    ".arrow",
    ".ipc",
    ".json",
    ".jsonl",
    ".ndjson",
    ".xlsx",
    ".xls",
    ".xlsm",
    ".ods",
)
PACKED_SUFFIXES = (".gz", ".bz2", ".xz", ".zst", ".zip")
SENTENCE_ENDS = frozenset(".!?;\n")
MAX_SENTENCE = 120
"""Tokens in a sentence; a longer one is cut, which bounds what any look-ahead can cost."""

# Every repetition that can fail after it began is bounded, so the whole is linear in the text.
_PIECE = re.compile(
    r"""
      `(?P<q1>[^`\n]{1,120})` | "(?P<q2>[^"\n]{1,120})" | “(?P<q3>[^”\n]{1,120})”
    | (?<!\w)'(?P<q4>[^'\n]{1,120})'(?!\w)
    | (?P<url>(?:https?|ftp|s3|gs|gcs|az|abfss?|hf|file|memory)://[^\s<>"'`]{1,1000})
    | (?P<id>\b(?:sklearn|upload|workspace):[^\s<>"'`,;]{1,300})
    | (?P<big>(?<!\w)\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,9})?(?!\w))
    | (?P<dots>(?<![\w.,])[1-9]\d{0,2}(?:[. ]\d{3}){1,5}
        (?=\s(?:trees|rows|trials|iterations|estimators|rounds|leaves|seconds|secs?)\b))
    | (?P<comma>(?<![\w.,])(?:0,\d{1,9}(?![\w,])|\d{1,9},\d{1,2}(?=\s?(?:%|percent|[smh]\b|hours?|hrs?|min|sec))))
    | (?P<chunk>(?:(?!--?>|\u2192)[^\s,;!?()\[\]{}"“”`<>=:|]|:(?=[\\/]))++)
    | (?P<arrow>-{1,2}>|={1,2}>|\u2192)
    | (?P<punct>[,;!?:=\n])
    """,
    re.VERBOSE,
)
_PART = re.compile(
    r"(?P<number>(?<![^\W\d])(?:\d{1,15}(?:\.\d{1,15})?|\.\d{1,15})(?:e[-+]?\d{1,3})?(?![\d_])%?)"
    r"|(?P<word>\w+(?:['\u2019]\w{1,3}(?!\w))?)|(?P<punct>[./+%&])",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"[(\[{][^()\[\]{}]{0,40}[)\]}]$")
_NO_OWNERS = frozenset(
    [
        "it",
        "that",
        "this",
        "what",
        "who",
        "how",
        "where",
        "when",
        "why",
        "here",
        "there",
        "let",
        "he",
        "she",
        "everything",
        "all",
    ]
)
_SHORT_FORMS = frozenset(("max", "approx", "ca", "incl", "excl", "resp", "vs"))
_PUNCTUATED = re.compile(r"[?!;:,\n]|\.(?:\s|$)")
_APART = frozenset("()[]{}<>|")
_DASHES = frozenset(("-", "--", "\u2013", "\u2014"))


class Token(msgspec.Struct, frozen=True):
    """A piece of a sentence; ``low`` is its text in lower case, for look-ups, and ``at`` its place in the text.

    ``apart`` says that a bracket or the like stands before it, which is no token.
    """

    kind: Kind
    text: str
    low: str
    at: int
    end: int
    apart: bool = False


def is_data_path(text: str) -> bool:
    """Whether a name ends as data files do."""
    low = text.lower()
    for suffix in PACKED_SUFFIXES:
        low = low.removesuffix(suffix)
    return low.endswith(DATA_SUFFIXES) and len(low) > 4


def tokenise(text: str) -> list[Token]:
    """The tokens of a text."""
    tokens: list[Token] = []
    for match in _PIECE.finditer(text):
        group, piece, at = match.lastgroup or "", match[0], match.start()
        if group.startswith("q"):
            inner = match[group].strip()
            if inner:
                kind: Kind = "path" if is_data_path(inner) else "quoted"
                tokens.append(Token(kind, inner, inner.lower(), at, match.end()))
        elif group in ("url", "id"):
            address = piece.rstrip(".,;:!?)]}")
            tokens.append(Token("url" if group == "url" else "path", address, address, at, at + len(address)))
            if piece != address:
                tokens.append(_punct(piece[len(address)], at + len(address)))
        elif group == "big":
            tokens.append(Token("number", piece, piece.replace(",", ""), at, match.end()))
        elif group == "dots":  # 1.000 trees
            tokens.append(Token("number", piece, re.sub("[. ]", "", piece), at, match.end()))
        elif group == "comma":  # 1,5 hours
            tokens.append(Token("number", piece, piece.replace(",", "."), at, match.end()))
        elif group == "arrow":
            tokens.append(Token("punct", piece, "->", at, match.end()))
        elif group == "punct":
            tokens.append(_punct(piece, at))
        else:
            _chunk(piece, at, tokens)
    ends = [0, *(token.end for token in tokens)]
    return [
        msgspec.structs.replace(token, apart=True) if not _APART.isdisjoint(text[end : token.at]) else token
        for end, token in zip(ends, tokens, strict=False)
    ]


def _punct(text: str, at: int) -> Token:
    return Token("punct", text, text, at, at + 1)


def _chunk(piece: str, at: int, tokens: list[Token]) -> None:
    """Tokens of a piece without white space: a path, or words and numbers."""
    if piece == "~":  # "y ~ x"
        tokens.append(_punct(piece, at))
        return
    if piece in _DASHES:
        tokens.append(Token("punct", piece, ",", at, at + len(piece)))
        return
    if len(piece) > 1 and piece[0] in "+-" and piece[1].isalpha():  # "+catboost -xgboost"
        tokens.append(Token("word", piece[0], "plus" if piece[0] == "+" else "minus", at, at + 1))
        piece, at = piece[1:], at + 1
    bare = piece.rstrip(".'\u2019")
    if is_data_path(bare):
        tokens.append(Token("path", bare, bare.lower(), at, at + len(bare)))
        if len(bare) < len(piece):
            tokens.append(_punct(".", at + len(bare)))
        return
    for part in _PART.finditer(piece):
        start, end = at + part.start(), at + part.end()
        if part.lastgroup == "punct":
            if part[0] != "." or part.end() == len(piece):
                if part[0] != "." or not _shortened(tokens):
                    tokens.append(_punct(part[0], start))
            elif tokens and tokens[-1].kind == "word" and piece[part.end()].isupper():
                tokens.append(_punct(".", start))
        elif part.lastgroup == "number":
            number = part[0].rstrip("%")
            sign = piece[: part.start()] if part.start() == 1 and piece[0] in "-\u2212" else ""
            low = f"-{number}" if sign else number
            tokens.append(Token("number", sign + part[0], low, start - len(sign), start + len(number)))
            if part[0].endswith("%"):
                tokens.append(Token("word", "%", "%", end - 1, end))
        else:
            low = part[0].lower().replace("\u2019", "'")
            whose = 2 if low.endswith("'s") and low[:-2] not in _NO_OWNERS else 0  # "xgboost's depth"
            tokens.append(Token("word", part[0][: len(low) - whose], low[: len(low) - whose], start, end - whose))
            if whose:
                tokens.append(Token("word", part[0][-2:], "'s", end - 2, end))


def _shortened(tokens: list[Token]) -> bool:
    """Whether a point ends a short form, and no sentence: ``max. 10 minutes``."""
    if tokens and tokens[-1].low in ("no", "nr"):  # "sheet no. 3"
        return len(tokens) > 1 and tokens[-2].low in ("sheet", "worksheet", "tab", "column")
    return bool(tokens) and tokens[-1].low in _SHORT_FORMS


def sentences(tokens: Iterable[Token]) -> list[list[Token]]:
    """Tokens by sentence, without what ends them, save for a question mark."""
    found: list[list[Token]] = []
    current: list[Token] = []
    for token in tokens:
        ends = token.kind == "punct" and token.text in SENTENCE_ENDS
        if not ends or token.text == "?":
            current.append(token)
        if (ends or len(current) >= MAX_SENTENCE) and current:
            found.append(current)
            current = []
    if current:
        found.append(current)
    return found


_ASKING = ("what", "what's", "why", "how", "which", "who", "where")


def with_questions(parts: Iterable[list[Token]]) -> list[list[Token]]:
    """Sentences, of which one that orders and then asks is two: ``use AUC, and what does it mean?``"""
    found: list[list[Token]] = []
    for part in parts:
        at = next((i for i, t in enumerate(part) if i > 1 and t.low in _ASKING and part[i - 1].low in (",", "and")), 0)
        wants = any(t.low in _WANTING for t in part[:at]) and part[0].low not in (*_ASKING, "predict", "tell")
        asks = at and part[-1].text == "?" and wants and part[0].low not in ("can", "could", "is")
        end = at - 1 - (part[at - 2].low == ",") if asks else 0
        found.extend([part[:end], part[at:]] if end > 0 else [part])
    return found


def with_lists(parts: Iterable[list[Token]], columns: "Columns") -> list[list[Token]]:
    """Sentences, of which one that has only columns goes on with the list before it: ``drop age; city; notes``."""
    found: list[list[Token]] = []
    for part in parts:
        if found and _all_columns(part, columns) and len(found[-1]) > 1 and _ends_with_column(found[-1], columns):
            found[-1] = [*found[-1], Token("punct", ",", ",", part[0].at, part[0].at), *part]
        else:
            found.append(part)
    return found


def _all_columns(part: list[Token], columns: "Columns") -> bool:
    i = 0
    while i < len(part):
        name = columns.at(part, i)
        if name is None and (part[i].low not in (",", "and") or i == 0):
            return False
        i += name[1] if name is not None else 1
    return True


def _ends_with_column(part: list[Token], columns: "Columns") -> bool:
    starts = range(max(0, len(part) - 8), len(part))
    return any((name := columns.at(part, i)) is not None and i + name[1] == len(part) for i in starts)


def words_of(text: str) -> frozenset[str]:
    """A set of words, written as a text."""
    return frozenset(text.split())


def with_names(text: str, tokens: list[Token], names: Iterable[str]) -> list[Token]:
    """Tokens in which a column's name that has a sentence's punctuation is one: ``No. of rooms``, ``Active?``.

    A question mark that ends the text is the sentence's.
    """
    low = text.lower()
    if len(low) != len(text):
        return tokens
    end = len(text.rstrip())
    spans: list[tuple[int, int]] = []
    for name in filter(_PUNCTUATED.search, names):
        at = low.find(name.lower())
        while at >= 0:
            stop = at + len(name)
            apart = not (low[at - 1 : at].isalnum() or low[stop : stop + 1].isalnum())
            if apart and not (name.endswith("?") and stop == end):
                spans.append((at, -stop))
            at = low.find(name.lower(), stop)
    found: list[Token] = []
    spans.sort(reverse=True)
    for token in tokens:
        while spans and token.at >= -spans[-1][1]:
            spans.pop()
        if not spans or token.at < spans[-1][0]:
            found.append(token)
        elif not found or found[-1].at != spans[-1][0]:
            start, stop = spans[-1][0], -spans[-1][1]
            found.append(Token("quoted", text[start:stop], low[start:stop], start, stop))
    return found


_BEGIN, _END = words_of("start starts starting begin begins beginning"), words_of("end ends ending")
_SUCH = words_of("all the every each column columns everything features variables that which whose names name any")


def by_pattern(tokens: list[Token], names: Sequence[str]) -> list[Token]:
    """Tokens with the columns in the place of what they are chosen by: ``all columns starting with Years``.

    ``the error columns`` are those with this word in their names. Nothing is put in the place of what no column's name
    begins or ends with, and only the first such words are read.
    """
    for i in range(1, len(tokens)):
        part, found = squash(tokens[i - 1].text), []
        if tokens[i].low in _OF_COLUMNS and tokens[i - 1].kind == "word" and tokens[i - 1].low not in _OF_KINDS:
            found = [name for name in names if part in parts_of(name)]
        if len(found) > 1 and part not in map(squash, names):  # "the error columns"
            return _put_in(tokens, i - 1, i + 1, found)
    for i in range(len(tokens) - 2):
        begins, joint = tokens[i].low in _BEGIN, tokens[i + 1].low
        if not (begins or tokens[i].low in _END) or joint not in ("with", "in", "by"):
            continue
        part = squash(tokens[i + 2].text)
        found = [n for n in names if part and (squash(n).startswith(part) if begins else squash(n).endswith(part))]
        return _put_in(tokens, i, i + 3, found) if found else tokens
    return tokens


def _put_in(tokens: list[Token], start: int, stop: int, names: Sequence[str]) -> list[Token]:
    """Tokens with columns in the place of some, and of the likes of ``all the columns`` before these."""
    while start and tokens[start - 1].low in _SUCH:
        start -= 1
    at, end = tokens[start].at, tokens[stop - 1].end
    such = [Token("quoted", name, name.lower(), at, end) for name in names]
    comma = Token("punct", ",", ",", at, end)
    return [*tokens[:start], *[token for name in such for token in (name, comma)][:-1], *tokens[stop:]]


def parts_of(name: str) -> set[str]:
    """The words of a column's name: ``customer_id``, ``CustomerId``."""
    return {part.lower() for part in _PARTS.findall(name)}


_PARTS = re.compile(r"[^\W\d_]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])|\d+")
_OF_COLUMNS = words_of("columns features variables fields cols")
_OF_KINDS = words_of(
    """
    numeric numerical number categorical text string date datetime time boolean binary ordinal id identifier all the
    these those other following same two three
    """
)


@lru_cache(maxsize=8192)
def squash(text: str) -> str:
    """A name without case, spaces and punctuation, so that ``hours-per-week`` is also ``Hours per week``."""
    return "".join(c for c in text.casefold() if c.isalnum())


class Lookup(Mapping[tuple[str, ...], V]):
    """Phrases of one or more words, the longest found first."""

    def __init__(self, phrases: Mapping[str, V]) -> None:
        self._by_words = {tuple(p.split()): v for p, v in phrases.items()}
        self._longest: dict[str, int] = {}
        for words in self._by_words:
            self._longest[words[0]] = max(self._longest.get(words[0], 0), len(words))
        self.firsts = frozenset(self._longest)
        """The words that a phrase can begin with."""

    def __getitem__(self, key: tuple[str, ...]) -> V:
        return self._by_words[key]

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._by_words)

    def __len__(self) -> int:
        return len(self._by_words)

    def at(self, sentence: list[Token], i: int) -> tuple[V, int] | None:
        """The value of the longest phrase that begins at a token, and how many tokens it has."""
        longest = self._longest.get(sentence[i].low, 0)
        if not longest:
            return None
        words = tuple(t.low for t in sentence[i : i + longest])
        for n in range(len(words), 0, -1):
            if words[:n] in self._by_words:
                return self._by_words[words[:n]], n
        return None


_SECOND_THOUGHTS = Lookup(
    dict.fromkeys(
        (
            "no wait",
            "no , wait",
            "wait no ,",
            "wait , no ,",
            "no sorry",
            "no , sorry",
            "scratch that",
            "correction",
            "sorry i meant",
            "sorry , i meant",
            "no i meant",
            "no , i meant",
            "i meant",
        ),
        True,
    )
)


_WANTING = words_of(
    """
    drop remove exclude ignore delete use add keep include take try predict treat optimise optimize set seed threshold
    without forget leave need want train restart split group stop
    """
)
_KEEPING, _IT = words_of("keep leave retain"), words_of("it them that those this")
_THINKING = words_of("actually no oh wait hmm sorry well but please in as is on second thought , let's")


def thought_over(sentences: Iterable[list[Token]]) -> list[list[Token]]:
    """Sentences as they are meant; one that begins with a second thought takes back the one before it."""
    found: list[list[Token]] = []
    for sentence in sentences:
        again = sentence[0].kind == "word" and _SECOND_THOUGHTS.at(sentence, 0) is not None
        words = {t.low for t in sentence}
        kept = bool(_KEEPING & words and _IT & words) and words <= _KEEPING | _IT | _THINKING  # "actually keep it"
        before = found.pop() if found and (again or kept) else []
        if not kept and (wish := meant([*before, *sentence] if again else sentence)):
            found.append(wish)
    return found


def meant(sentence: list[Token]) -> list[Token]:
    """A sentence from its last second thought on: ``drop age, no wait, drop tenure``."""
    start = 0
    for i, token in enumerate(sentence):
        if token.kind == "word" and (thought := _SECOND_THOUGHTS.at(sentence, i)):
            start = i + thought[1]
            start += start < len(sentence) and sentence[start].low in ",:"
    rest = sentence[start:]
    if start and rest and len(rest) <= 4 and sentence[0].low in _WANTING and not any(t.low in _WANTING for t in rest):
        return [sentence[0], *rest]  # "drop age, no wait, tenure"
    return rest


_PLACES = dict(
    zip(
        ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
        range(1, 11),
        strict=True,
    )
)
ORDINALS = {str(place): name for name, place in _PLACES.items()}
_PLACES["last"] = -1


def place_of(words: Sequence[str]) -> int | None:
    """The place of a column that is named by it, from 1, -1 for the last one: ``column 3``, ``third column``."""
    if len(words) != 2:
        return None
    first, second = (word.lower() for word in words)
    if first in ("column", "col") and second.isdigit() and 0 < int(second) < 100_000:
        return int(second)
    return _PLACES.get(first) if second in ("column", "col") else None


def akin(text: str, names: Iterable[str]) -> str | None:
    """The only name with which a word shares its stem: ``survival`` and ``Survived``."""
    key = squash(text)
    found = []
    for name in names:
        other = squash(name)
        same = next((n for n, (a, b) in enumerate(zip(key, other, strict=False)) if a != b), min(len(key), len(other)))
        if same >= _STEM and max(len(key), len(other)) - same <= _ENDING:
            found.append(name)
    return found[0] if len(found) == 1 else None


_STEM, _ENDING = 5, 3


class Columns:
    """Column names as people write them.

    Parameters
    ----------
    names : iterable of str
        The columns of the data; other names can be looked up in the same way.
    by_place : bool, default=False
        Whether ``column 3`` and ``the last column`` name one.
    """

    def __init__(self, names: Iterable[str], *, by_place: bool = False) -> None:
        self.names = tuple(names)
        self._by_place = by_place
        self._exact = {n: n for n in self.names}
        self._squashed: dict[str, str] = {}
        for name in self.names:
            self._squashed.setdefault(squash(name), name)
        short: dict[str, list[str]] = {}
        for name in self.names:  # "weight" for "weight (kg)"
            short.setdefault(squash(_IN_BRACKETS.sub("", name.rstrip())), []).append(name)
        self._squashed = {**{key: names[0] for key, names in short.items() if len(names) == 1}, **self._squashed}
        self._squashed.pop("", None)
        self._beginnings = {name[:n] for name in self._squashed if len(name) <= 200 for n in range(1, len(name) + 1)}

    def find(self, text: str, *, loose: bool = False) -> str | None:
        """The column that a text names; ``loose`` forgives an ending (``prices`` for ``price``)."""
        if text in self._exact:
            return text
        key = squash(text)
        if key in self._squashed:
            return self._squashed[key]
        if (placed := self.placed(text.split())) is not None:
            return placed
        if not loose:
            return None
        for ending in ("s", "es", "d", "ed", "ing", "e", "ned", "ning"):
            if key.endswith(ending) and len(key) - len(ending) >= 3 and key[: -len(ending)] in self._squashed:
                return self._squashed[key[: -len(ending)]]
            if len(key) >= 3 and key + ending in self._squashed:
                return self._squashed[key + ending]
        return None

    def __contains__(self, key: object) -> bool:
        """Whether a squashed name is a column's."""
        return key in self._squashed

    def placed(self, words: Sequence[str]) -> str | None:
        """The column that is named by its place, if there are so many."""
        place = place_of(words) if self._by_place and self.names else None
        if place is None or place > len(self.names) or words[1] in self._exact:
            return None
        return self.names[place - 1 if place > 0 else place]

    def at(self, sentence: list[Token], i: int) -> tuple[str, int] | None:
        """The column with the most words that begins at a token, and how many tokens it has."""
        first = sentence[i]
        two = [t.text for t in sentence[i : i + 2]]
        if squash("".join(two)) not in self._squashed and (placed := self.placed(two)) is not None:
            return placed, 2
        if first.kind in ("quoted", "path"):
            name = self.find(first.text)
            return (name, 1) if name is not None else None
        if first.kind == "punct":
            return None
        joined, found = "", None
        for n, token in enumerate(sentence[i : i + 8], start=1):
            if token.kind not in ("word", "number") and token.text not in "./+%&" and token.text not in _DASHES:
                break
            joined += squash(token.text)
            if joined and joined not in self._beginnings:
                break
            if joined and token.kind != "punct" and joined in self._squashed:
                found = self._squashed[joined], n
        return found
