"""Rules for what a column is and is not: ``city shouldn't be text, one-hot it``, ``age isn't numeric``."""

from typing import NamedTuple

from ..protocol.names import TREATMENT_WORDS
from ..protocol.stages import StageId
from .change_columns import role_of, treat, wished
from .draft import Draft, Said
from .treatments import IN_PROFILE, groups
from .vocabulary import NEGATORS, ROLES, TREATMENTS
from .words import words_of

_NEGATORS = NEGATORS | {"stop", "avoid", "than", "instead"}
_IT = words_of("it it's its them they they're these those that that's this")
_ENCODING = words_of("encode encoded encoding hot onehot dummies")
_LINKS = words_of(
    """
    as is are isn't aren't be was it's they're that's not no never than of but it them make makes leave keep -> : = like
    should shouldn't must mustn't can't cannot won't
    """
)
_BETWEEN = words_of("a an the really actually just only rather treated encoded handled considered be of")
_VERBS = words_of("treat make encode use one target it it's they they're them label convert consider then keep")
#: What a column becomes that is said not to be something, where that leaves one thing that makes sense.
_OTHERWISE = {"numeric": "onehot", "text": "onehot", "ordinal": "onehot"}


class _Mention(NamedTuple):
    """A treatment or role that a sentence names, with whether it is denied and of which columns it is said."""

    value: str
    is_role: bool
    denied: bool
    names: tuple[str, ...]
    tokens: range
    by_it: bool
    taken: frozenset[int]
    """With the columns, and what links them to it."""


class _Subject(NamedTuple):
    names: tuple[str, ...]
    tokens: range


def kinds(said: Said, draft: Draft) -> None:
    """``X isn't text, it's categorical``, ``treat it as a date``; where nothing is denied, see :func:`columns`."""
    mentions = _mentions(said, draft)
    denied = [m for m in mentions if m.denied and not m.is_role]
    wanted = [m for m in mentions if not m.denied]
    if not denied and not any(m.by_it for m in wanted) and not (wanted and any(m.denied for m in mentions)):
        return
    if not wanted and any(_dropped(said, m.tokens.stop) for m in denied):
        return  # "it isn't a date, drop it"
    said.take(*(range(i, i + 1) for m in mentions for i in m.taken))
    done: set[str] = set()
    for mention in wanted:
        names = [name for name in mention.names if name not in done]
        last = {name: m for name in names for m in wanted if name in m.names}
        for m in dict.fromkeys(last.values()):
            some = [name for name in names if last[name] is m]
            (role_of if m.is_role else treat)(draft, some, m.value)
        done.update(names)
    for mention in denied:
        for name in mention.names:
            if name not in done:
                _other_than(draft, name, mention.value)
                done.add(name)


def _dropped(said: Said, after: int) -> bool:
    drops = (item for item in said.items if item.kind == "cue" and item.value == "avoid" and item.start >= after)
    return any(_IT & set(said.low[item.start + 1 : item.end + 1]) for item in drops)


def _other_than(draft: Draft, name: str, value: str) -> None:
    """A column that is not to be treated so, and nothing is said of how instead."""
    plan = draft.plan(StageId.PREPROCESS)
    now = plan["columns"].get(name) if plan is not None else wished(draft).get(name, value)
    kind = draft.context.measured.columns.get(name, {}).get("kind")
    if now is None:
        treat(draft, [name], value)  # which says why that cannot be
    elif plan is None and name not in wished(draft) and kind not in (None, *IN_PROFILE[value]):
        draft.say(f"{name}: {kind}", changed=False)
    elif now != value:
        draft.say(f"{name}: treated as {TREATMENT_WORDS[now]}", changed=False)
    elif value in _OTHERWISE and (plan is not None or kind is not None or value == "numeric"):
        treat(draft, [name], _OTHERWISE[value])
    else:
        is_so = f"{name} is treated as {TREATMENT_WORDS[value]}. " if plan is not None else ""
        ways = [
            words for way, words in TREATMENT_WORDS.items() if way in ("numeric", "onehot", "text") and way != value
        ]
        draft.problem(
            f"{is_so}Say what {'it' if is_so else name} shall be instead, for example "
            + " or ".join(f'"treat {name} as {words}"' for words in ways)
            + "."
        )


def _mentions(said: Said, draft: Draft) -> list[_Mention]:
    found: list[_Mention] = []
    subjects = [
        _Subject(tuple(str(n.value) for n in columns), range(columns[0].start, end))
        for columns, end in groups(said, said.free("column"))
    ]
    topic = _Subject(tuple(draft.topic), range(0))
    inside = {i for subject in subjects for i in subject.tokens}
    for clause in _clauses(said, inside):
        here = [subject for subject in subjects if subject.tokens.start in clause]
        last: _Mention | None = None
        i = clause.start
        while i < clause.stop:
            kind = None if i in inside | said.taken else _kind_at(said, clause, i, inside)
            if kind is None:
                i += 1
                continue
            end = i + kind[1]
            earlier = [subject for subject in here if subject.tokens.stop <= i]
            later = [subject for subject in subjects if subject.tokens.start >= i]
            own = earlier[-1] if earlier else later[0] if later and later[0] in here else None
            it = own is None and bool(_IT & set(said.low[clause.start : min(clause.stop, end + 1)]))
            of = own or (topic if topic.names and (it or topic.tokens) else later[0] if later else None)
            begins = clause.start if last is None else last.tokens.stop
            negator = next((n for n in range(i - 1, begins - 1, -1) if said.low[n] in _NEGATORS), None)
            both = last is not None and bool({"or", "nor"} & set(said.low[begins:i]))
            denied = negator is not None or (both and last is not None and last.denied)
            if of is not None and of.names:
                taken = {*range(i if negator is None else negator, end), *of.tokens}
                taken.update(range(clause.start, end) if own is None else ())
                last = _Mention(kind[0], kind[2], denied, of.names, range(i, end), it, frozenset(taken))
                found.append(last)
            i = end
        if last is None and found and here and (like := _likewise(said, clause, here[-1], found[-1])):
            found.append(like)
        topic = here[-1] if here else topic
    draft.topic = list(topic.names) if subjects else []
    return found


def _likewise(said: Said, clause: range, of: _Subject, before: _Mention) -> _Mention | None:
    """``city is not text, notes is``: what is said of the columns before, of others."""
    after = [word for word in said.low[of.tokens.stop : clause.stop] if word not in _ALSO]
    is_so, denied = after in _IS, after in _IS_NOT
    if not (is_so or denied):
        return None
    tokens = range(of.tokens.start, clause.stop)
    return _Mention(before.value, before.is_role, denied, of.names, tokens, True, frozenset(tokens))


_ALSO = words_of("though however too also either")
_IS = [["is"], ["are"], ["should", "be"], ["does"], ["should"], ["must", "be"]]
_IS_NOT = (
    [["isn't"], ["aren't"], ["is", "not"], ["are", "not"], ["shouldn't"], ["shouldn't", "be"], ["should", "not"],
     ["should", "not", "be"], ["doesn't"]]
)  # fmt: skip


def _kind_at(said: Said, clause: range, i: int, inside: set[int]) -> tuple[str, int, bool] | None:
    """The treatment or role that is named at a token, how many words it has, and whether it is a role."""
    if said.tokens[i].kind != "word":
        return None
    treatment, role = TREATMENTS.at(said.tokens, i), ROLES.at(said.tokens, i)
    is_role = role is not None and (treatment is None or role[1] > treatment[1])
    kind = role if is_role else treatment
    return (*kind, is_role) if kind is not None and _linked(said.low, clause, i, i + kind[1], inside) else None


def _linked(low: list[str], clause: range, start: int, end: int, inside: set[int]) -> bool:
    """Whether words name what a column is, and are no others that are written so: ``split by time``."""
    if _ENCODING & set(low[start:end]) or (low[end : end + 1] in (["for"], ["on"]) and not inside.isdisjoint(clause)):
        return True
    if low[end : end + 1] and low[end] in ("column", "columns", "features", "variables"):
        return False
    at = start - 1
    while at >= clause.start and low[at] in _BETWEEN:
        at -= 1
    return (at >= clause.start and (low[at] in _LINKS or at in inside)) or low[at : at + 1] == ["but"]


def _clauses(said: Said, inside: set[int]) -> list[range]:
    """Parts of a sentence that say one thing each; a comma between columns ends none."""
    ends = []
    for i, word in enumerate(said.low):
        verb = word == "and" and said.low[i + 1 : i + 2] != [] and said.low[i + 1] in _VERBS
        if i not in inside and (word in (",", "but", "then") or verb):
            ends.append(i)
    starts = [0, *(end + 1 for end in ends)]
    return [range(start, end) for start, end in zip(starts, [*ends, len(said.low)], strict=True)]
