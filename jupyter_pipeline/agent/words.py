"""Words and phrases to look up."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar

from .tokens import Token

V = TypeVar("V")


def words_of(text: str) -> frozenset[str]:
    """A set of words, written as a text."""
    return frozenset(text.split())


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
