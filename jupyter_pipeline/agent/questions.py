"""What asks, and what orders: a question changes nothing, however much it sounds like a change.

``why not catboost?`` and ``should we drop age?`` are answered; ``can you drop age?`` is a polite order.
"""

import msgspec

from .draft import Said
from .tokens import Token
from .words import words_of

_ASKING = words_of("what what's how how's who who's where where's which why whose whats hows whos")
_STATING = words_of("is are was were does did has isn't aren't wasn't weren't doesn't didn't hasn't haven't")
_SUPPOSING = words_of("should shouldn't shall shan't ought wouldn't couldn't can't won't mustn't might may must")
_ORDERING = words_of("can could would will")
_ASKED = words_of("you we i u ya please someone anybody somebody")
_SHOWING = words_of("show compare display plot print")
_TELLING = _SHOWING | words_of("tell explain list describe remind summarise summarize status progress help")
_SHOWN = words_of("importance importances matrix curve curves leaderboard residuals shap")
_CHECKING = words_of("confirm check verify clarify ensure")
_OPENING = words_of(
    "wait please hi hello hey so and but then ok okay well also now hmm um oh yes no thanks just kindly me"
)
_DOUBTING = words_of("wonder wonders wondering curious unsure")
_TAGS = words_of("ok okay please thanks will would could can you alright cool yes yeah yep good fine deal")
_ASKED_AFTER = words_of("right correct isn't aren't don't doesn't won't is are not it we you they")
_VERBS = words_of(
    """
    use try add take drop train keep set split treat make switch go retrain optimise optimize remove exclude include
    ignore leave replace swap predict change start restart rerun redo run give increase decrease reduce raise lower
    """
)
STATISTICS = words_of(
    """
    mean average avg min minimum lowest smallest earliest range max maximum highest largest biggest latest std deviation
    spread unique distinct different cardinality frequent common kind dtype median
    """
)
"""Words for what the profile measures of a column."""
_PARTS = words_of("test testing holdout validation val train training")
_RANKED, _THINGS = (
    words_of("top important importance influential rank ranking least"),
    words_of("features columns variables feature"),
)
_OF_MEASURES = words_of(
    """
    of on for in at the a an and or , & vs versus compared to against set data rows part best all each every model
    models ? 's most score scores value values number count please pls me give show tell kept final
    chosen winning
    """
)
_PAST = words_of(
    """
    was were took went ran had did used tried saw heard thought believed said told chose lasted waited yesterday
    """
)
_WISHING = words_of(
    """
    want need should must please let let's prefer rather make instead now wish optimise optimize maximise minimise
    maximize minimize slow complex heavy expensive without no not don't actually meant target positive because since
    """
)
_NOW = {"dropped": "drop", "removed": "remove", "used": "use", "added": "add", "excluded": "exclude", "kept": "keep"}
_SUPPOSED = words_of(
    """
    what if how about why not don't we you i can should shouldn't shall would wouldn't it help be better is isn't to
    does do make sense think that could couldn't can't won't a good idea worth instead ought may might must just also
    maybe
    """
)
"""Words that begin a suggestion; what comes after them is what is suggested."""


def is_question(said: Said) -> bool:
    """Whether a sentence asks for an answer rather than for a change.

    Parameters
    ----------
    said : Said
    """
    low = [w for w in said.low if w != ","]
    while len(low) > 1 and low[0] in _OPENING and low[:2] != ["no", "?"] and not _names(said, low[0]):
        if low[0] in ("yes", "no") and low[1] == "is" and "positive" in low and low[-1] != "?":
            return False  # "no wait, yes is positive"
        low = low[1:]
    if not low:
        return False
    if (low[-1] in _SHOWN and len(low) <= 4 and said.words.isdisjoint(_VERBS)) or names_measure(said):
        return True  # "feature importance", "test AUC of lightgbm"
    first, second = low[0], low[1] if len(low) > 1 else ""
    asks = low[-1] == "?"
    if first in _ASKING:
        return asks or not _tells(first, low)
    if first in ("when", "while") and not asks:
        return False  # "when you train, use …"
    if first in _TELLING:
        return first in _SHOWING or len(low) <= 12
    if first in _ORDERING:
        if second == "i" and asks:
            return True  # "can I go back?"
        rest = [w for w in low[1:] if w not in _OPENING]
        if rest and rest[0] in _ASKED:
            rest = rest[1:]
            return bool(rest) and (rest[0] in _ASKING | _TELLING | _CHECKING or rest[:2] == ["know", "why"])
        return second != "please"
    if first in _CHECKING and (first != "confirm" or second in ("that", "if", "whether") or {"is", "are"} & set(low)):
        return True  # "confirm that the target is age"
    if first in _STATING and not _names(said, first):
        return True
    if first in _SUPPOSING:
        return second not in ("be", "not", "")
    if first in ("do", "don't", "have"):
        return second in ("you", "we", "they", "i") or (asks and second not in ("it", "not", "a"))
    if _asks_why(said, low) or _doubts(low) or low[-2:] in (["how", "much"], ["how", "many"]) or first == "rank":
        return True
    if [w for w in low if w != "?"][-1:] in (["right"], ["correct"]) and len(low) > 3 and said.low[-2 - asks] == ",":
        return True  # "the metric is recall, right"
    return asks and not _is_tagged(low) and "please" not in low


def names_measure(said: Said) -> bool:
    """Whether a sentence is nothing but the name of something that is measured: ``min and max of age``.

    Parameters
    ----------
    said : Said
    """
    named: set[int] = set()
    for item in said.items:
        if item.kind in ("metric", "models", "column"):
            named.update(range(item.start, item.end))
    rest = {word for i, word in enumerate(said.low) if i not in named and said.tokens[i].kind != "number"}
    if not rest <= _OF_MEASURES | STATISTICS | _PARTS | _RANKED | _THINGS:
        return False
    kinds = {item.kind for item in said.items}
    if "column" in kinds:
        return bool(rest & STATISTICS) and "metric" not in kinds
    if kinds == {"models"}:
        return bool(rest & {"vs", "versus"})
    if "metric" in kinds:
        return bool(rest & _PARTS) or ("models" in kinds and bool(rest & {"of", "on", "'s", "vs", "versus"}))
    return bool(rest & _RANKED and rest & _THINGS)


def is_metric(said: Said) -> bool:
    """Whether a question is nothing but a metric: ``accuracy?``

    Parameters
    ----------
    said : Said
    """
    named = {i for item in said.items if item.kind == "metric" for i in range(item.start, item.end)}
    return bool(named) and {word for i, word in enumerate(said.low) if i not in named} <= {"?", "and", ",", "the", "or"}


def is_report(said: Said) -> bool:
    """Whether a sentence tells what was, or what somebody said, without asking for anything: ``it took ten minutes``.

    Parameters
    ----------
    said : Said
    """
    told = {w for i, w in enumerate(said.low) if w in _PAST and said.low[i - 1 : i] not in (["be"], ["is"], ["are"])}
    return bool(told) and said.words.isdisjoint(_VERBS | _WISHING)


def suggested(said: Said) -> list[Token]:
    """What a question suggests to do, as an order; nothing if it suggests nothing.

    Parameters
    ----------
    said : Said
        A question.
    """
    tokens = [t for t in said.tokens if t.text != "?"]
    low = [t.low for t in tokens]
    at = next((i for i, w in enumerate(low) if w not in _OPENING and w != ","), len(low))
    first, second = ([*low[at : at + 2], "", ""])[:2]
    if first == "rank" or low[-2:] in (["how", "much"], ["how", "many"]):
        return []
    happens = next((i for i in range(at, len(low) - 2) if low[i : i + 2] == ["happen", "if"]), None)
    if first == "what" and happens is not None:  # "what would happen if we drop age?"
        at = happens + 2
    supposes = happens is not None or (
        (first in ("what", "how") and second in ("if", "about"))
        or (first == "why" and second in ("not", "don't"))
        or (first in ("is", "isn't", "does", "do", "don't", "would", "will") and second in ("it", "you"))
        or first in _SUPPOSING
        or (first in _ORDERING and second == "i")
        or (first not in _ASKING | _STATING | _TELLING | _ORDERING | {"have"} and "why" not in low and not _doubts(low))
    )
    if not supposes:
        return []
    while (
        at < len(tokens)
        and low[at] in _SUPPOSED | _OPENING | _CHECKING | {",", "true"}
        and not (low[at] in ("not", "don't") and (at == 0 or low[at - 1] != "why"))
    ):
        at += 1
    rest = [msgspec.structs.replace(t, low=_NOW.get(t.low, t.low)) for t in tokens[at:]]  # "if I dropped age"
    comma = max((i for i, t in enumerate(rest) if t.low == ","), default=len(rest))
    if {t.low for t in rest[comma + 1 :]} <= _ASKED_AFTER:  # "use ten minutes, right?"
        rest = rest[:comma]
    models = [n for n in said.named if n.kind == "models"]
    if rest and models and rest[0].low not in _VERBS and all(n.polarity == "named" for n in models):
        return [msgspec.structs.replace(rest[0], kind="word", text="add", low="add", end=rest[0].at), *rest]
    return rest


def in_words(said: Said, order: list[Token]) -> str:
    """An order that a question suggests, as it can be said."""
    words = said.text[order[0].at : order[-1].end].strip()
    if order[0].text.lower() in _NOW and order[0].end > order[0].at:
        words = f"{order[0].low}{words[len(order[0].text) :]}"  # "dropped age"
    return f"{order[0].text} {words}" if order[0].end == order[0].at else words


def _tells(first: str, low: list[str]) -> bool:
    """``what I want is …``, ``what matters is …``: no question, though it begins as one."""
    return first == "what" and (
        (low[1:2] in (["i"], ["we"]) and low[2:3] in (["want"], ["need"], ["meant"], ["mean"], ["like"]))
        or (low[1:2] in (["matters"], ["counts"]) and "is" in low)
    )


def _names(said: Said, word: str) -> bool:
    """Whether a word is the beginning of a column's name."""
    at = said.low.index(word)
    return any(n.kind == "column" and n.start == at for n in said.named)


def _asks_why(said: Said, low: list[str]) -> bool:
    """``tell me why you left out catboost``, ``catboost is missing, why``; not ``that's why``."""
    if "why" not in low:
        return False
    if low[-1] == "why" or low[-2:] == ["why", "?"]:
        return True
    at = said.low.index("why")
    if said.low[at - 1 : at] and said.low[at - 1] in ("that's", "here's", "is", "which", "reason", "this", "thats"):
        return False
    return not any(n.start < at for n in said.named)


def _doubts(low: list[str]) -> bool:
    """``I wonder if catboost …``, ``not sure whether …``, ``any reason to leave out catboost``."""
    opening = low[:5]
    sure = "sure" in opening and "not" in opening and bool({"if", "whether", "why", "about", "what"} & set(low))
    any_reason = low[:2] in (["any", "reason"], ["any", "idea"], ["any", "chance"])
    return bool(_DOUBTING & set(opening)) or sure or any_reason


def _is_tagged(low: list[str]) -> bool:
    """``use catboost, ok?``"""
    words = low[:-1]
    end = len(words)
    while end and words[end - 1] in _TAGS:
        end -= 1
    return 0 < end < len(words)
