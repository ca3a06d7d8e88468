"""Conditions in a chat: nothing is done later or only in some case, so what sets a condition is not done at all.

``if you can`` is courtesy, and ``predict if a customer leaves`` names a target.
"""

from .tokens import Token
from .words import Lookup, words_of

_CONDITIONS: Lookup[bool] = Lookup(
    dict.fromkeys(
        ("if", "unless", "until", "till", "provided", "providing", "assuming", "otherwise", "as soon as", "as long as",
         "in case", "depending on", "only when", "only after", "next time", "later", "tomorrow"), True,
    )
    | dict.fromkeys(("when", "once", "after"), False)
)  # fmt: skip
"""False where it is one only with a verb after it: ``once the training is done``, not ``once more``."""
_VERBS = words_of(
    "is are was were has have had gets got becomes reaches exceeds done ready fixed dropped finished it's"
)
_NOT_AFTER = words_of(
    """
    predict predicts predicting tell know see say check find classify detect decide determine forecast estimate what
    ask flag identify wonder even as target label outcome
    """
)
_COURTESY: Lookup[bool] = Lookup(
    dict.fromkeys(
        (
            f"if {who} {does}"
            for who in ("you", "we", "i", "u")
            for does in ("can", "could", "may", "want", "want to", "wish", "like", "please", "will", "would",
                         "don't mind", "do not mind", "have time", "would like")
        ), True,
    )
    | dict.fromkeys(
        (
            f"if {it} {fine}{with_you}"
            for it in ("it's", "that's", "it is", "that is", "this is", "thats")
            for fine in ("ok", "okay", "fine", "possible", "alright")
            for with_you in ("", " with you", " for you", " by you")
        ), True,
    )
    | dict.fromkeys(("if possible", "if needed", "if necessary", "as long as you want", "as long as you need",
                     "as long as you like", "as long as it takes", "as soon as possible", "as soon as you can"), True)
)  # fmt: skip


def without_courtesy(sentence: list[Token]) -> list[Token]:
    """A sentence without ``if you can`` and the like."""
    kept: list[Token] = []
    i = 0
    while i < len(sentence):
        found = _COURTESY.at(sentence, i) if sentence[i].kind == "word" else None
        if found is None or (kept[-1:] and kept[-1].low in _NOT_AFTER):
            kept.append(sentence[i])
        i += found[1] if found else 1
    while kept and kept[0].low == ",":
        del kept[0]
    return kept


def condition_of(sentence: list[Token]) -> tuple[int, int] | None:
    """The tokens of the condition that a sentence sets; None if it sets none."""
    for i, token in enumerate(sentence):
        found = _CONDITIONS.at(sentence, i) if token.kind == "word" else None
        if found is None or (i and sentence[i - 1].low in _NOT_AFTER):
            continue
        end = next((n for n in range(i + 1, len(sentence)) if sentence[n].low == ","), len(sentence))
        clause = {t.low for t in sentence[i + 1 : end]}
        if found[0] or _VERBS & clause or (token.low == "after" and any(w.endswith("ing") for w in clause)):
            return i, end
    return None


def not_later(condition: str) -> str:
    """What is said to a condition, or to what shall be done later."""
    return f'Nothing is done later by itself, or only in some case ("{condition}"): say it when it is so.'
