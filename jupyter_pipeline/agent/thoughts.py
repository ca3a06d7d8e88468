"""Sentences as they are meant: second thoughts, and questions after an order."""

from collections.abc import Iterable

from .tokens import Token
from .words import Lookup, words_of

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
            "or rather",
            "not that one ,",
            "not this one ,",
            "not that ,",
            "not those ,",
            "no , not that one ,",
            "no not that one ,",
            "no , not that ,",
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
        kept = is_kept(sentence)  # "actually keep it"
        before = found.pop() if found and (again or kept) else []
        if not kept and (wish := meant([*before, *sentence] if again else sentence)):
            found.append(wish)
    return found


_CALLED_OFF = frozenset(("never mind", "nevermind", "forget it", "forget that", "forget what i said"))


def called_off(sentence: list[Token]) -> bool:
    """Whether a sentence only takes back what was said: ``never mind``."""
    return " ".join(t.low for t in sentence if t.low not in ("oh", "ok", "sorry", ",", "please")) in _CALLED_OFF


def is_kept(sentence: list[Token]) -> bool:
    """Whether a sentence only says to leave things as they are: ``actually, keep it``."""
    if called_off(sentence):
        return True
    words = {t.low for t in sentence}
    return bool(_KEEPING & words and _IT & words) and words <= _KEEPING | _IT | _THINKING


def meant(sentence: list[Token]) -> list[Token]:
    """A sentence from its last second thought on: ``drop age, no wait, drop tenure``."""
    start = 0
    for i, token in enumerate(sentence):
        if token.kind == "word" and (thought := _SECOND_THOUGHTS.at(sentence, i)):
            start = i + thought[1]
            start += start < len(sentence) and sentence[start].low in ",:"
    rest = sentence[start:]
    if start and is_kept(rest):
        return []  # "drop age, no wait, keep it"
    if start and rest and len(rest) <= 4 and sentence[0].low in _WANTING and not any(t.low in _WANTING for t in rest):
        return [sentence[0], *rest]  # "drop age, no wait, tenure"
    return rest
