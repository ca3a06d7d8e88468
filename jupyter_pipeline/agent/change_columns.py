"""Rules for what is said of columns: what they are for, how they become features, which are left out."""

from itertools import pairwise

from ..protocol.names import TREATMENT_WORDS
from ..protocol.stages import StageId, StageStatus
from .change_data import ALONE, VERBS, predict
from .draft import Draft, Said
from .inputs import all_but_these_out, nearly, passively_out
from .scan import Named
from .treatments import (
    COLUMNS,
    DROPPING,
    KIND_NAMES,
    OF_KIND,
    TREATED_AS,
    OfAKind,
    as_what,
    encoding_before,
    groups,
    of_a_kind,
    spoken,
)
from .vocabulary import FILLER, NEGATORS
from .words import words_of

DATA, INTENT, PROFILE, PREPROCESS = (
    StageId.DATA_SOURCE,
    StageId.PARSE_INTENT,
    StageId.PROFILE_DATA,
    StageId.PREPROCESS,
)


def treated(said: Said, draft: Draft) -> None:
    """``treat X as text``, ``one-hot encode X``, ``drop all text columns``."""
    of_kinds = False
    known = draft.plan(PREPROCESS) is not None or bool(draft.context.measured.columns)
    while (found := of_a_kind(said, draft.columns)) is not None and (known or not found.single):
        of_kinds = True
        said.take(*(range(i, i + 1) for i in found.tokens))
        _all_of_kind(draft, found)
    if of_kinds:
        said.take_words(*VERBS)
    for i, word in enumerate(said.low):  # "one-hot encode all but zip"
        if word in ("all", "everything", "rest") and i not in said.taken and encoding_before(said, i)[0] is not None:
            said.take(range(len(said.tokens)))
            draft.problem('Say of which columns, by name or by kind, as in "one-hot all categorical columns except X".')
            return
    if not draft.context.columns:
        for unknown in spoken(said.tokens, said.taken):
            said.take(unknown.tokens)
            treat(draft, unknown.names, unknown.treatment)
    for columns, end in groups(said, said.free("column")):
        treatment, role, taken = as_what(said, end)
        if treatment is None and role is None:
            treatment, taken = encoding_before(said, columns[0].start)
        if treatment is None or columns[0].start in said.taken:
            continue
        said.take(*(range(n.start, n.end) for n in columns), taken)
        names = list(dict.fromkeys(str(n.value) for n in columns))
        if NEGATORS & set(_around(said, columns[0].start, end, taken.stop)):
            _not_so(draft, names, None)
        else:
            treat(draft, names, treatment)
            if treatment == "ordinal" and said.low[taken.stop : taken.stop + 1] in ([":"], ["("]):
                said.take(range(taken.stop, len(said.tokens)))
                draft.answers.append("The order is the natural one of the values; another one cannot be given.")
        said.take_words(*VERBS)


def _around(said: Said, start: int, end: int, stop: int) -> list[str]:
    """The words before columns, and those after them up to what they are said to be."""
    return [word for word in said.low[max(0, start - 3) : start] + said.low[end:stop] if word != "without"]


def _all_of_kind(draft: Draft, found: OfAKind) -> None:
    """What is said of all columns of a kind."""
    if found.kind == "id":
        roles = (draft.plan(PROFILE) or {}).get("roles", {})
        ids = [name for name, is_for in roles.items() if is_for == "id"]
        draft.say(f"Columns that are an id are no features ({', '.join(ids) or 'there is none'})", changed=False)
        return
    if found.denied and found.treatment == "drop":
        draft.say(f"The {found.kind} columns are not left out by this", changed=True)
        return
    if found.denied:
        draft.problem(f"Say what the {found.kind} columns shall be instead.")
        return
    key, here, profile = f"{found.kind} columns", draft.plan(PREPROCESS), draft.plan(PROFILE)
    if here is not None:
        names = [name for name, treatment in here["columns"].items() if treatment in TREATED_AS[found.kind]]
    elif profile is not None and draft.context.measured.columns and key in OF_KIND:
        facts = draft.context.measured.columns
        features = [name for name, role in profile["roles"].items() if role == "feature"]
        names = [name for name in features if facts.get(name, {}).get("kind") in OF_KIND[key]]
    elif profile is not None and found.kind == "all":
        names = [name for name, role in profile["roles"].items() if role == "feature"]
    elif (
        profile is None
        and draft.plan(INTENT) is not None
        and key in OF_KIND
        and not (found.apart or found.single or found.treatment in ("only", "keep"))
    ):
        treat(draft, [key], found.treatment)
        return
    else:
        draft.problem("How columns are treated is decided at the stage Preparation; say it again there, or name them.")
        return
    rest = [name for name in names if name not in found.apart]
    if found.single and len(rest) > 1:
        draft.problem(f'Which one: {", ".join(rest)}? Name it, or say "the {found.kind} columns".')
    elif rest and found.treatment == "only":
        _only(draft, rest)
    elif rest and found.treatment == "keep":
        _keep(draft, rest)
    elif rest:
        treat(draft, rest, found.treatment)
    else:
        others = " other" if names else ""
        draft.problem(f"There is no{others} column that is {KIND_NAMES[found.kind]}.")


_CHOSEN_BY = words_of("with where that which correlated missing constant empty duplicate duplicated useless irrelevant")
_NAMED_ONE_BY_ONE = (
    'Columns are chosen by name, by their kind, or by what is missing, as in "drop the text columns" and "drop columns '
    "with more than 50% missing\"; the profile's warnings name those that are constant, or say the same twice."
)


def _by_facts(said: Said, draft: Draft) -> bool:
    """``drop columns with more than half missing``; whether columns were spoken of by what they are like."""
    if not (said.has(*DROPPING) and said.has(*COLUMNS) and said.has(*_CHOSEN_BY)) or said.taken:
        return False
    said.take(range(len(said.tokens)))
    facts, rows = draft.context.measured.columns, draft.context.measured.rows
    roles = (draft.plan(PROFILE) or {}).get("roles", {})
    without = any(a == "without" and b in ("missing", "any") for a, b in pairwise(said.low))
    gaps = (
        not without
        and said.has("missing", "empty", "nan", "nans", "nulls")
        and said.words.isdisjoint({"not", "don't", "less", "no"})
    )
    share = next((float(t.low) for t in said.tokens if t.kind == "number"), 50.0 if said.has("half", "mostly") else 0.0)
    if not (gaps and facts and rows and roles) or (
        share > 1 and "%" not in said.words and not said.has("half", "mostly")
    ):
        draft.problem(_NAMED_ONE_BY_ONE)
        return True
    least = share / 100 if share > 1 else share
    names = [name for name, role in roles.items() if role == "feature" and facts[name]["missing"] > least * rows]
    if names:
        treat(draft, names, "drop")
    else:
        draft.problem(f"No feature has more than {least:.0%} of its values missing.")
    return True


def columns(said: Said, draft: Draft) -> None:
    """``drop X``, ``X is an id``, ``keep X``."""
    named = said.free("column")
    if not named:
        if not _by_facts(said, draft):
            _unknown_column(said, draft)
        return
    before = any(n.kind == "column" and n.start in said.taken for n in said.named)
    for i, (columns, end) in enumerate(groups(said, named)):
        if columns[0].start in said.taken:  # "use time as the time column"
            continue
        _, role, taken = as_what(said, end)
        said.take(*(range(n.start, n.end) for n in columns), taken)
        names = list(dict.fromkeys(str(n.value) for n in columns))
        if role is not None and NEGATORS & set(_around(said, columns[0].start, end, taken.stop)):
            _not_so(draft, names, role)
        elif role == "feature" and any(n.polarity == "only" for n in columns):
            _only(draft, names)
        elif role is not None:
            role_of(draft, names, role)
        else:
            target = draft.context.current_stage is DATA and said.has("target") and columns[0].polarity == "use"
            if target and _alone(said, columns):
                predict(draft, names[0])
                continue
            if all_but_these_out(said.low, columns[0].start, end):
                _only(draft, names)
                continue
            drop = [str(n.value) for n in columns if n.polarity == "avoid"]
            if len(drop) == len(columns) and any(i.kind == "cue" and i.value == "replace" for i in said.items):
                drop = []  # "swap age and tenure"
            keep = [str(n.value) for n in columns if n.polarity in ("use", "add")]
            only = [str(n.value) for n in columns if n.polarity == "only"]
            if last_word := _it(said, end):
                drop, keep = (names, []) if last_word == "avoid" else ([], names)
            elif not drop and not keep and not only and passively_out(said.low, end):
                drop = names
            if not keep and not drop and not only and said.has("back") and said.has("put", "bring", "add", "take"):
                keep = names
            if keep and not drop and said.has("everything", "all", "others") and said.has("except", "but", "besides"):
                keep, only = [], keep  # "remove everything except age"
            if drop:
                treat(draft, drop, "drop")
            if keep:
                _keep(draft, keep)
            if only:
                _only(draft, only)
            if names == [(draft.plan(DATA) or {}).get("target")] and said.has("still", "stays", "remains", "keep"):
                draft.say(f"Target: {names[0]}", changed=False)
            elif not drop and not keep and not only and _alone(said, columns) and draft.context.current_stage is DATA:
                predict(draft, names[0])  # which is what is asked there: "no, I meant Fare"
            elif not drop and not keep and not only and _is_fine(said, end):
                draft.said.append(f"{', '.join(names)}: as it is.")
            elif not drop and not keep and not only and i == 0 and not (before or _is_everyday(said, columns)):
                some = names[0]
                draft.problem(
                    f'Say what to do with {some}: "drop {some}", "treat {some} as categorical" or "predict {some}".'
                )
    said.take_words(*VERBS)


def _alone(said: Said, columns: list[Named]) -> bool:
    """Whether one column is all that a sentence says."""
    rest = {w for i, w in enumerate(said.low) if not columns[0].start <= i < columns[-1].end}
    if said.has("target"):  # "wrong target, I want tenure"
        rest -= {"target", "wrong", "not", "right"}
    return len(columns) == 1 and rest <= ALONE and said.low[0] != "and"  # which goes on with what was said before


def _not_so(draft: Draft, names: list[str], role: str | None) -> None:
    """``don't treat age as categorical``, ``age is not an id``."""
    if role == "feature":
        treat(draft, names, "drop")
        return
    roles = (draft.plan(PROFILE) or {}).get("roles", {})
    if role is not None and any(roles.get(name) == role for name in names):
        role_of(draft, [name for name in names if roles.get(name) == role], "feature")
        return
    if role is not None and all(name in roles for name in names):
        draft.say("; ".join(f"{name}: {roles[name]}" for name in names), changed=False)
        return
    one = names[0]
    how = (
        f'"use {one} as a feature" or "drop {one}"' if role else f'"treat {one} as numeric", as categorical or as text'
    )
    draft.problem(f"Say what {', '.join(names)} shall be instead, for example {how}.")


def _is_fine(said: Said, end: int) -> bool:
    """``age is fine``."""
    low = said.low[end : end + 3]
    return low[:1] in (["is"], ["are"], ["looks"], ["seems"]) and bool(_FINE & set(low[1:]))


_FINE = words_of("fine ok okay good correct right alright")
_EVERYDAY = words_of("time score rate date test target train seed value values type class count day label size")


def _is_everyday(said: Said, columns: list[Named]) -> bool:
    """Whether a word that is a column's name too belongs to something that was understood: ``time 2 minutes``."""
    word = said.low[columns[0].start]
    single = (
        len(columns) == 1 and columns[0].end == columns[0].start + 1 and said.tokens[columns[0].start].kind == "word"
    )
    return single and word in _EVERYDAY and bool(said.understood - set(range(columns[0].start, columns[0].end)))


def _it(said: Said, end: int) -> str | None:
    """``tenure leaks, drop it``, ``drop age, actually keep it``: what is said last of columns named just before."""
    last: str | None = None
    for item in said.items:
        if item.kind == "column" and item.start >= end:
            break
        it = set(said.low[item.end : item.end + 1]) & {"it", "them", "that", "those", "this", "both"}
        if item.kind == "cue" and item.value in ("avoid", "use", "add") and item.start >= end and it:
            said.take(range(item.start, item.end + 1))
            last = item.value
    return last


def _only(draft: Draft, names: list[str]) -> None:
    """Columns beside which none is a feature."""
    here, profile = draft.plan(PREPROCESS), draft.plan(PROFILE)
    if here is not None:
        others = [name for name, treatment in here["columns"].items() if treatment != "drop"]
    elif profile is not None:
        others = [name for name, role in profile["roles"].items() if role == "feature"]
    else:
        draft.problem(_why_not(draft, names, "keep"))
        return
    lacking = [name for name in names if name not in others]
    if lacking:
        _keep(draft, lacking)
    if rest := [name for name in others if name not in names]:
        treat(draft, rest, "drop")
    elif not lacking:
        draft.say(f"Only {', '.join(names)}", changed=False)


_MOST = 40
"""Columns that an answer names."""


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more


def treat(draft: Draft, names: list[str], treatment: str) -> None:
    """A treatment, at PREPROCESS if it has the columns; before that, it is kept until then."""
    here = (draft.plan(PREPROCESS) or {}).get("columns", {})
    done = [name for name in names if name in here]
    changed = False
    for name in done:
        changed = draft.set(PREPROCESS, treatment, "columns", name) or changed
    before = [name for name in names if name not in here and _known_before(draft, name, treatment)]
    known = {*done, *before}
    if treatment == "drop" and draft.plan(PROFILE) is not None:
        for name in before:
            changed = draft.set(PROFILE, "ignore", "roles", name) or changed
        done, before = [name for name in names if name in known], []
    if done and treatment == "drop":
        draft.say(f"Left out: {_some(done)}", changed)
    elif done:
        draft.say(f"{_some(done)}: treated as {TREATMENT_WORDS[treatment]}", changed)
    if before:
        _treat_later(draft, before, treatment)
    if wrong := [name for name in names if name not in known]:
        draft.problem(_why_not(draft, wrong, treatment))


def _known_before(draft: Draft, name: str, treatment: str) -> bool:
    """Whether it can be said of a column before PREPROCESS how that shall treat it."""
    if draft.plan(PREPROCESS) is not None or (draft.context.current_stage is PREPROCESS and _at_work(draft)):
        return treatment == "drop" and (draft.plan(PROFILE) or {}).get("roles", {}).get(name) not in (None, "target")
    if (profile := draft.plan(PROFILE)) is not None:
        role = profile["roles"].get(name)
        return role not in (None, "target") and (treatment == "drop" or role not in ("time", "group"))
    plan = draft.plan(INTENT)
    target = (draft.plan(DATA) or plan or {}).get("target")
    return plan is not None and name != target and (treatment != "drop" or name in OF_KIND)


def _at_work(draft: Draft) -> bool:
    return draft.context.status is StageStatus.IN_PROGRESS


def wished(draft: Draft) -> dict[str, str]:
    """What was said of treatments before PREPROCESS, which decides them."""
    plan = draft.plan(PROFILE) or draft.plan(INTENT) or {}
    return dict(plan.get("treatments", {}))


def _treat_later(draft: Draft, names: list[str], treatment: str | None) -> None:
    """Keep a treatment until PREPROCESS proposes treatments; with None that is left to it."""
    profile, wishes = draft.plan(PROFILE), wished(draft)
    roles = {} if profile is None or treatment is None else profile["roles"]
    if lacking := [name for name in names if roles.get(name, "feature") != "feature"]:
        role_of(draft, lacking, "feature")
    for name in names:
        wishes.pop(name, None)
    if treatment is not None:
        wishes |= dict.fromkeys(names, treatment)
    stage = INTENT if profile is None else PROFILE
    changed = draft.set(stage, wishes, "treatments")
    words = "as the stage Preparation proposes" if treatment is None else TREATMENT_WORDS[treatment]
    if treatment == "drop":
        draft.say(f"Left out: {_some(names)}", changed)
    else:
        draft.say(f"{_some(names)}: to be treated as {words} at the stage Preparation", changed)


def _why_not(draft: Draft, names: list[str], treatment: str) -> str:
    said = ", ".join(names)
    profile, preprocess = draft.plan(PROFILE), draft.plan(PREPROCESS)
    roles = (profile or {}).get("roles", {})
    if any(roles.get(n) == "target" for n in names) or (draft.plan(DATA) or {}).get("target") in names:
        return f"{said} is the target, so it cannot be a feature or be left out; name another target first."
    if preprocess is not None or any(roles.get(n) in ("time", "group") for n in names):
        return f'{said} is no feature now; say "use {names[0]} as a feature" first.'
    if profile is not None and treatment != "drop":
        becomes = "becomes" if len(names) == 1 else "become"
        return f"The stage Preparation is working out how {said} {becomes} features; say it again when it has."
    return f"Columns are decided at the stages Profile and Preparation; say what to do with {said} there."


def role_of(draft: Draft, names: list[str], role: str) -> None:
    """What columns are for, at PROFILE_DATA."""
    plan = draft.plan(PROFILE)
    if plan is None:
        draft.problem(f"What a column is for is decided at the stage Profile; say it of {_some(names)} there.")
        return
    good = [n for n in names if plan["roles"].get(n) not in (None, "target")]
    changed = False
    for name in good:
        changed = draft.set(PROFILE, role, "roles", name) or changed
    if good:
        draft.say(f"{_some(good)}: {role}", changed)
    if len(good) < len(names):
        draft.problem(f"{', '.join(n for n in names if n not in good)} is the target; name another target first.")


def _keep(draft: Draft, names: list[str]) -> None:
    """Columns that were left out become features again."""
    here, profile = draft.plan(PREPROCESS), draft.plan(PROFILE)
    for name in names:
        if here is not None and name in here["columns"]:
            if here["columns"][name] == "drop":
                ways = f'"treat {name} as numeric", as categorical, as text or as a date'
                draft.problem(f"Say how {name} becomes a feature: {ways}.")
            else:
                draft.said.append(f"{name} is a feature already ({TREATMENT_WORDS[here['columns'][name]]}).")
        elif profile is not None and name in profile["roles"]:
            role_of(draft, [name], "feature")
        else:
            draft.problem(_why_not(draft, [name], "keep"))


def _unknown_column(said: Said, draft: Draft) -> None:
    """``drop the column xyz``, where there is no such column; or nearly one: ``drop rowname``."""
    free = [t for i, t in enumerate(said.tokens) if i not in said.taken and t.kind == "word" and t.low not in FILLER]
    of_one = len(free) == 2 and free[0].low in DROPPING | {"keep", "predict"} and len(free[1].low) > 3
    if of_one and (near := nearly(free[1].text, draft.context.columns)) is not None:
        said.take(range(len(said.tokens)))
        draft.problem(f'There is no column {free[1].text!r}; say "{free[0].text} {near}", if that is meant.')
        return
    there = {name.casefold() for name in draft.context.columns}
    for i, token in enumerate(said.tokens[:-1]):
        after = said.tokens[i + 1]
        if after.text.casefold() in there:  # it was understood, as by what a split is made
            continue
        if token.low == "column" and i not in said.taken and after.kind in ("word", "quoted") and draft.context.columns:
            said.take(range(len(said.tokens)))
            draft.problem(
                f"There is no column {after.text!r}; the columns are {', '.join(draft.context.columns[:12])}."
            )
            return
        if token.low in ("drop", "ignore") and after.kind == "quoted" and i + 1 not in said.taken:
            said.take(range(len(said.tokens)))
            draft.problem(
                f"There is no column {after.text!r}; the columns are {', '.join(draft.context.columns[:12])}."
            )
            return
