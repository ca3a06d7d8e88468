"""Rules for what is said of columns: what they are for, how they become features, which are left out."""

from ..protocol.names import TREATMENT_WORDS
from ..protocol.stages import StageId
from .change_data import ALONE, VERBS, predict
from .draft import Draft, Said
from .inputs import all_but_these_out, passively_out
from .scan import Named
from .vocabulary import NEGATORS, ROLES, TREATMENTS
from .words import words_of

DATA, PROFILE, PREPROCESS = StageId.DATA_SOURCE, StageId.PROFILE_DATA, StageId.PREPROCESS
_AS = frozenset({"->", ":", "=", "as", "is", "be", "a", "an", "are", "into", "to", "like", "for", "with"})


def columns(said: Said, draft: Draft) -> None:
    """``drop X``, ``treat X as text``, ``X is an id``, ``keep X``."""
    named = said.free("column")
    if not named:
        if not _of_a_kind(said, draft):
            _unknown_column(said, draft)
        return
    for i, (columns, end) in enumerate(groups(said, named)):
        if columns[0].start in said.taken:  # "use time as the time column"
            continue
        treatment, role, taken = _as_what(said, end)
        if treatment is None and role is None:
            treatment, taken = _encoding_before(said, columns[0].start)
        said.take(*(range(n.start, n.end) for n in columns), taken)
        names = list(dict.fromkeys(str(n.value) for n in columns))
        around = said.low[max(0, columns[0].start - 3) : columns[0].start] + said.low[end : taken.stop]
        if (treatment is not None or role is not None) and NEGATORS & set(around) - {"without"}:
            _not_so(draft, names, role)
        elif treatment is not None:
            treat(draft, names, treatment)
        elif role == "feature" and any(n.polarity == "only" for n in columns):
            _only(draft, names)
        elif role is not None:
            role_of(draft, names, role)
        else:
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
            elif not drop and not keep and not only and i == 0:
                some = names[0]
                draft.problem(
                    f'Say what to do with {some}: "drop {some}", "treat {some} as categorical" or "predict {some}".'
                )
    said.take_words(*VERBS)


def _alone(said: Said, columns: list[Named]) -> bool:
    """Whether one column is all that a sentence says."""
    rest = {w for i, w in enumerate(said.low) if not columns[0].start <= i < columns[-1].end}
    return len(columns) == 1 and rest <= ALONE and said.low[0] != "and"  # which goes on with what was said before


_KIND_WORDS = {
    **dict.fromkeys(("text", "texts", "string", "strings"), "text"),
    **dict.fromkeys(("date", "dates", "datetime", "datetimes", "timestamps"), "datetime"),
    **dict.fromkeys(("categorical", "categories", "category", "nominal"), "onehot"),
    **dict.fromkeys(("numeric", "numerical", "number", "numbers", "integer", "integers", "float", "floats"), "numeric"),
    **dict.fromkeys(("boolean", "booleans", "bool", "bools", "binary"), "boolean"),
    **dict.fromkeys(("ordinal", "ordinals"), "ordinal"),
    **dict.fromkeys(("id", "ids", "identifier", "identifiers"), "id"),
}
_COLUMNS = words_of("column columns col cols feature features variable variables")
_DROPPING = words_of("drop remove exclude ignore skip without no rm delete omit")
_NAMED_ONE_BY_ONE = (
    'Columns are chosen by name, or by how they are treated, as in "drop the text columns"; the profile\'s warnings '
    "name those that are nearly empty, constant, or say the same twice."
)


def _of_a_kind(said: Said, draft: Draft) -> bool:
    """``drop the text columns``, ``treat all categorical columns as ordinal``; whether columns were spoken of so."""
    at = next((i for i, w in enumerate(said.low) if w in _KIND_WORDS and i not in said.taken), None)
    told = said.words & (_DROPPING | {"treat", "make", "encode", "convert"})
    plural = said.has(*_COLUMNS) or (
        at is not None and said.low[at].endswith("s") and at and said.low[at - 1] in _EVERY
    )
    if not told or not plural:
        return False
    if at is None:
        if said.has(*_CHOSEN_BY) and said.has(*_COLUMNS):
            said.take(range(len(said.tokens)))
            draft.problem(_NAMED_ONE_BY_ONE)
        return said.has(*_CHOSEN_BY)
    kind = _KIND_WORDS[said.low[at]]
    after = at + 1 + (said.low[at + 1 : at + 2] != [] and said.low[at + 1] in _COLUMNS)
    treatment, role, taken = _as_what(said, after)
    dropping = bool(said.words & _DROPPING)
    if role is not None or (treatment is None and not dropping) or NEGATORS & (said.words - {"no", "without"}):
        return False
    said.take(range(at, after), taken)
    said.take_named(*_DROPPING, *_COLUMNS, *VERBS)
    if kind == "id":
        roles = (draft.plan(PROFILE) or {}).get("roles", {})
        ids = [name for name, is_for in roles.items() if is_for == "id"]
        draft.say(f"Columns that are an id are no features ({', '.join(ids) or 'there is none'})", changed=False)
        return True
    plan = draft.plan(PREPROCESS)
    if plan is None:
        draft.problem("How columns are treated is decided at the stage Preparation; say it again there, or name them.")
        return True
    names = [name for name, treated in plan["columns"].items() if treated == kind]
    if names:
        treat(draft, names, "drop" if treatment is None else treatment)
    else:
        draft.problem(f"No column is treated as {TREATMENT_WORDS[kind]}.")
    return True


_EVERY = words_of("all the every drop remove ignore without no skip exclude")
_CHOSEN_BY = words_of("with where that which correlated missing constant empty duplicate duplicated useless irrelevant")


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


def groups(said: Said, named: list[Named]) -> list[tuple[list[Named], int]]:
    """Columns that one ``as …`` speaks of, and where they end."""
    groups: list[tuple[list[Named], int]] = []
    for column in named:
        if groups:
            between = said.low[groups[-1][1] : column.start]
            if all(w in (",", "and", "or", "&", "the", "column", "columns", "also") for w in between):
                groups[-1][0].append(column)
                groups[-1] = (groups[-1][0], column.end)
                continue
        groups.append(([column], column.end))
    return groups


def _as_what(said: Said, end: int) -> tuple[str | None, str | None, range]:
    """The treatment or role that follows columns, and its tokens."""
    at = end
    linked = False
    while at < len(said.tokens) and at < end + 6:
        low = said.low[at]
        if low in _AS:
            linked = True
        elif linked and said.low[at : at + 3] == ["0", "/", "1"]:
            return "boolean", None, range(end, at + 3)
        elif linked or low in _KINDSALONE or _encodes(said, at):
            treatment = TREATMENTS.at(said.tokens, at)
            role = ROLES.at(said.tokens, at)
            if treatment and (not role or treatment[1] >= role[1]):
                return treatment[0], None, range(end, at + treatment[1])
            if role:
                return None, role[0], range(end, at + role[1])
            if low in ("free", "really", "actually", "just", "only", "not"):
                at += 1
                continue
            break
        elif low not in ("column", "columns", "should", "really", "actually", "it", "them", "both"):
            break
        at += 1
    return None, None, range(end, end)


_ENCODING = frozenset({"encode", "encoding", "encoded", "hot", "onehot"})


def _encodes(said: Said, at: int) -> bool:
    """``cabin target-encoded``."""
    found = TREATMENTS.at(said.tokens, at) if said.tokens[at].kind == "word" else None
    return found is not None and bool(_ENCODING & set(said.low[at : at + found[1]]))


_KINDSALONE = ("categorical", "numeric", "text", "ordinal", "boolean", "numerical", "nominal")


def _encoding_before(said: Said, start: int) -> tuple[str | None, range]:
    """The treatment before a column, and its tokens: ``one-hot encode city``, ``target encoding for city``."""
    end = start
    while end and said.low[end - 1] in ("for", "of", "on", "to", "the", "column", "columns"):
        end -= 1
    for at in range(max(0, end - 3), end):
        found = TREATMENTS.at(said.tokens, at) if said.tokens[at].kind == "word" else None
        if found and at + found[1] == end and (_ENCODING & set(said.low[at:end]) or said.low[end] == "for"):
            return found[0], range(at, start)
    return None, range(start, start)


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


def treat(draft: Draft, names: list[str], treatment: str) -> None:
    """A treatment, at PREPROCESS if it has the column, else as a role at PROFILE_DATA."""
    done, wrong = [], []
    changed = False
    for name in names:
        here = draft.plan(PREPROCESS)
        before = draft.plan(PROFILE)
        if here is not None and name in here["columns"]:
            changed = draft.set(PREPROCESS, treatment, "columns", name) or changed
            done.append(name)
        elif before is not None and treatment == "drop" and before["roles"].get(name) not in (None, "target"):
            changed = draft.set(PROFILE, "ignore", "roles", name) or changed
            done.append(name)
        else:
            wrong.append(name)
    if done:
        text = (
            f"Left out: {', '.join(done)}"
            if treatment == "drop"
            else f"{', '.join(done)}: treated as {TREATMENT_WORDS[treatment]}"
        )
        draft.say(text, changed)
    if wrong:
        draft.problem(_why_not(draft, wrong, treatment))


def _why_not(draft: Draft, names: list[str], treatment: str) -> str:
    said = ", ".join(names)
    profile, preprocess = draft.plan(PROFILE), draft.plan(PREPROCESS)
    roles = (profile or {}).get("roles", {})
    if any(roles.get(n) == "target" for n in names):
        return f"{said} is the target, so it cannot be a feature or be left out; name another target first."
    if preprocess is not None:
        return f'{said} is no feature now; say "use {names[0]} as a feature" first.'
    if profile is not None and treatment != "drop":
        becomes = "becomes" if len(names) == 1 else "become"
        return f"How {said} {becomes} features is decided at the stage Preparation; say it again there."
    return f"Columns are decided at the stages Profile and Preparation; say what to do with {said} there."


def role_of(draft: Draft, names: list[str], role: str) -> None:
    """What columns are for, at PROFILE_DATA."""
    plan = draft.plan(PROFILE)
    if plan is None:
        draft.problem(f"What a column is for is decided at the stage Profile; say it of {', '.join(names)} there.")
        return
    good = [n for n in names if plan["roles"].get(n) not in (None, "target")]
    changed = False
    for name in good:
        changed = draft.set(PROFILE, role, "roles", name) or changed
    if good:
        draft.say(f"{', '.join(good)}: {role}", changed)
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
    """``drop the column xyz``, where there is no such column."""
    for i, token in enumerate(said.tokens[:-1]):
        after = said.tokens[i + 1]
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
