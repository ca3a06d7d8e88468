"""Column names as people write them, and sentences in which they are."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from .tokens import DASHES, Token
from .words import squash, words_of

_IN_BRACKETS = re.compile(r"[(\[{][^()\[\]{}]{0,40}[)\]}]$")
_PUNCTUATED = re.compile(r"[?!;:,\n]|\.(?:\s|$)")


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
    with_part: dict[str, list[str]] = {}
    for i in range(1, len(tokens)):
        part, found = squash(tokens[i - 1].text), []
        if tokens[i].low in _OF_COLUMNS and tokens[i - 1].kind == "word" and tokens[i - 1].low not in _OF_KINDS:
            if part not in with_part:
                with_part[part] = [name for name in names if part in parts_of(name)]
            found = with_part[part]
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
        if key.endswith("ies") and f"{key[:-3]}y" in self._squashed:
            return self._squashed[f"{key[:-3]}y"]
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
            if token.kind not in ("word", "number") and token.text not in "./+%&" and token.text not in DASHES:
                break
            joined += squash(token.text)
            if joined and joined not in self._beginnings:
                break
            if joined and token.kind != "punct" and joined in self._squashed:
                found = self._squashed[joined], n
        return found


@lru_cache(maxsize=4)
def columns_of(names: tuple[str, ...], *, by_place: bool = False) -> Columns:
    """Looked up once for many sentences: of thousands of columns that takes many milliseconds."""
    return Columns(names, by_place=by_place)
