"""Rules for what is said of the data: which data, target, task, positive class, columns."""

from ..protocol.names import TREATMENT_WORDS, task_name
from ..protocol.stages import StageId
from .draft import Draft, Said
from .facts import dataset_of
from .inputs import all_but_these_out, all_columns, inputs_of, passively_out
from .scan import Named
from .target import Target, target_of, without_data
from .vocabulary import FILLER, NEGATORS, ROLES, TREATMENTS
from .words import Columns, Token, words_of

DATA, INTENT, PROFILE, PREPROCESS = (
    StageId.DATA_SOURCE,
    StageId.PARSE_INTENT,
    StageId.PROFILE_DATA,
    StageId.PREPROCESS,
)
_INCLUDE, _EXCLUDE = "include_columns", "exclude_columns"
_ABOUT_DATA = ("use", "data", "dataset", "file", "switch", "load", "take", "table", "select", "choose", "with", "from")
_JOINING = ("join", "merge", "combine", "concat", "concatenate", "append", "union", "stack", "both")
_ABOUT_TARGET = ("predict", "target", "y", "label", "outcome", "classify", "estimate", "forecast", "predicting")
_AS = frozenset({"->", ":", "=", "as", "is", "be", "a", "an", "are", "into", "to", "like", "for", "with"})
_VERBS = (
    "treat", "encode", "make", "convert", "handle", "column", "columns", "feature", "features", "consider", "use",
    "mark", "set", "parse", "encoded", "variable", "field",
)  # fmt: skip


def dataset(said: Said, draft: Draft) -> None:
    """``use iris``, ``switch to customers.csv``."""
    data = dataset_of(said.tokens, draft.columns)
    if said.has(*_JOINING) and (data is not None or said.has("files", "tables", "datasets")):
        said.take(range(len(said.tokens)))
        draft.problem("One file is read, and none is joined to it: join them before, and attach the result.")
        return
    named = _known_dataset(said, draft)
    if named is not None:
        said.take(range(named[1], named[2]))
        said.take_words(*_ABOUT_DATA)
        stage = draft.first(DATA, INTENT)
        if stage is not None:
            changed = draft.set(stage, named[0], "dataset_id" if stage is DATA else "dataset")
            if changed and (draft.plan(stage) or {}).get("sheet"):
                draft.set(stage, None, "sheet")  # it is one of the data before
            draft.say(f"Data: {named[0]}", changed)
            return
    if data is None or data[1] in said.taken:
        return
    if said.denied(data[1]):
        said.take(range(data[1], data[2]))
        draft.problem(f"Say which data shall be used instead of {data[0]!r}.")
        return
    said.take(range(data[1], data[2]))
    said.take_words("data", "dataset", "file", "table")
    if named is None and draft.plan(DATA) is not None and draft.context.datasets and not _is_address(data[0]):
        known = ", ".join(d.id for d in draft.context.datasets[:10])
        draft.said.append(f"{data[0]!r} is not among the data found so far ({known}); it is looked for anew.")
    if draft.plan(INTENT) is None:
        draft.problem("Data can be named once the request was read; say it again then.")
        return
    draft.say(f"Data: {data[0]}", draft.set(INTENT, data[0], "dataset"))


def _is_address(name: str) -> bool:
    return "://" in name


def _known_dataset(said: Said, draft: Draft) -> tuple[str, int, int] | None:
    """A data set that was found for this project, by its id, its name or its name without ending."""
    if not draft.context.datasets:
        return None
    ids: dict[str, str] = {}
    for found in draft.context.datasets:
        names = (found.id, found.id.partition(":")[2], found.name, found.name.partition(".")[0])
        for name in names:
            if name and draft.columns.find(name) is None:
                ids.setdefault(name, found.id)
    lookup = Columns(ids)
    asked = said.has("data", "dataset", "file", "table") or len(said.tokens) <= 3
    asked = asked or (said.has("use", "switch", "load", "take") and not said.named)
    for i, token in enumerate(said.tokens):
        if i in said.taken or token.kind == "punct" or said.denied(i):
            continue
        if (match := lookup.at(said.tokens, i)) and (asked or token.kind in ("path", "quoted")):
            return ids[match[0]], i, i + match[1]
    return None


def target(said: Said, draft: Draft) -> None:
    """``the target is price``, ``predict churn instead``."""
    found, _ = without_data(target_of(said.tokens, draft.columns))
    if found is None or not said.has(*_ABOUT_TARGET) or said.taken.issuperset(found.tokens):
        return
    following = said.tokens[found.end : found.end + 2]
    if (
        draft.plan(StageId.TRAIN) is not None
        and following
        and (following[0].kind == "number" or following[0].low == "=")
    ):
        said.take(range(len(said.tokens)))
        draft.problem("Rows are predicted in the view, or by p.predict(frame), with the model that is kept.")
        return
    if not found.known and draft.context.columns and not _other_data(draft):
        if found.name and said.has("target", "predict", "label"):
            said.take(found.tokens)
            some = ", ".join(draft.context.columns[:12])
            draft.problem(f"There is no column {found.name!r} to predict; the columns are {some}.")
        return
    if found.name is None:
        return
    said.take(found.tokens)
    said.take_words("instead", "target", "predict")
    stage = draft.first(DATA, INTENT)
    if stage is None:
        draft.problem("The target can be set once the request was read; say it again then.")
        return
    old = (draft.plan(stage) or {}).get("target")
    said.take(*(range(n.start, n.end) for n in said.named if n.kind == "column" and n.value == old != found.name))
    changed = draft.set(stage, found.name, "target")
    if changed and stage is DATA and draft.set(DATA, None, "positive_class"):
        pass  # it named a class of the old target
    draft.say(f"Target: {found.name}", changed)
    _task_of(found, draft)


def _other_data(draft: Draft) -> bool:
    """Whether other data are asked for beside it, whose columns are not known yet: ``sheet 2, and predict price``."""
    plan, before = draft.plan(DATA) or {}, draft.context.plans.get(DATA, {})
    return any(plan.get(member) != before.get(member) for member in ("dataset_id", "sheet"))


def _task_of(found: Target, draft: Draft) -> None:
    stage = draft.first(DATA, INTENT)
    if found.task != "auto" and stage is INTENT:
        draft.set(stage, found.task, "task_type")


def task(said: Said, draft: Draft) -> None:
    """``this is a regression``, ``treat it as multiclass``, ``it is a classification problem``."""
    items = [i for i in said.rest() if i.kind == "task" and i.value != "detection"]
    items.sort(key=lambda i: i.value == "classification")  # which says less
    items = [i for i in items if not {"whether", "if", "how", "probability", "chance"} & set(said.low[i.start : i.end])]
    items = [i for i in items if not any(w in NEGATORS for w in said.low[max(0, i.start - 2) : i.start])]
    items = [i for i in items if said.low[i.start] != "yes" or i.end - i.start < len(said.tokens)]
    if not items or said.free("column"):
        return
    said.take(*(range(i.start, i.end) for i in items))
    said.take_words("task", "problem", "treat")
    stage = draft.first(DATA, INTENT)
    if stage is None:
        draft.problem("The task can be set once the request was read; say it again then.")
        return
    wanted = str(items[0].value)
    if wanted == "classification" and stage is DATA:
        old = str((draft.plan(DATA) or {})["task_type"])
        wanted = "multiclass" if old == "regression" else old  # which becomes binary where there are two values
    draft.say(f"Task: {task_name(items[0].value)}", draft.set(stage, wanted, "task_type"))


def positive_class(said: Said, draft: Draft) -> None:
    """``the positive class is yes``, ``treat 'yes' as positive``."""
    at = next((i for i, w in enumerate(said.low) if w in ("positive", "pos")), None)
    if at is None or said.has("false", "true", "rate", "predictive"):
        return
    value = _value_after(said.tokens, at + 1)
    value = value or (None if said.has(*_OTHER_CLASS) else _value_before(said.tokens, at))
    if value is None:
        if said.has(*_OTHER_CLASS) and said.has("class", "label"):
            said.take(range(len(said.tokens)))
            draft.problem("Say which class is positive, by its value: the positive class is VALUE.")
        return
    said.take(_clause(said, at))
    if draft.plan(DATA) is None:
        draft.problem("The positive class is decided at the stage Data; say it again there.")
        return
    if draft.context.task_type not in (None, "binary"):
        draft.problem(
            f"A positive class has a meaning for binary tasks only; this one is {task_name(draft.context.task_type)}."
        )
        return
    draft.say(f"Positive class: {value}", draft.set(DATA, value, "positive_class"))


def _clause(said: Said, at: int) -> range:
    """The tokens of the clause that a token is in."""
    ends = [i for i, w in enumerate(said.low) if w in (",", "and", "but")]
    return range(
        max((i + 1 for i in ends if i < at), default=0), min((i for i in ends if i > at), default=len(said.low))
    )


_SKIP = words_of(
    """
    class one label is = : should ought must shall be to the as value a outcome means mean denotes indicates counts
    stands for equals
    """
)
_NO_VALUE = words_of("other use treat make consider take set with and please it this")
_OTHER_CLASS = ("swap", "switch", "flip", "invert", "reverse", "exchange", "other", "opposite", "change")


def _value_after(tokens: list[Token], at: int) -> str | None:
    linked = False
    while at < len(tokens) and tokens[at].low in _SKIP:
        linked = True
        at += 1
    if at >= len(tokens) or (tokens[at].kind == "word" and tokens[at].low in _NO_VALUE | set(_OTHER_CLASS)):
        return None
    return tokens[at].text if linked or tokens[at].kind == "quoted" else None


def _value_before(tokens: list[Token], at: int) -> str | None:
    at -= 1
    while at >= 0 and tokens[at].low in _SKIP:
        at -= 1
    return tokens[at].text if at >= 0 and tokens[at].low not in _NO_VALUE else None


def inputs(said: Said, draft: Draft) -> None:
    """``use only age and plan``, ``ignore the id``, before the stage that decides what each column is for."""
    plan = draft.plan(INTENT)
    if plan is None or draft.plan(PROFILE) is not None or (said.free("column") and said.has("predict")):
        return
    if every := all_columns(said.tokens):
        said.take(every)
        said.take_words(*_VERBS)
        cleared = [draft.set(INTENT, [], member) for member in (_INCLUDE, _EXCLUDE) if plan.get(member)]
        draft.say("Columns to predict from: all", any(cleared))
        return
    target = (draft.context.plans.get(DATA) or draft.context.plans.get(INTENT) or {}).get("target")
    if (other := _other_target(said, draft, target)) is not None:
        said.take(range(len(said.tokens)))
        _predict(draft, other)
        return
    skip = {i for i in range(len(said.tokens)) if i in said.taken}
    found = inputs_of(said.tokens, draft.columns, [n for n in said.named if n.start not in skip])
    if not found.taken - skip and not found.kept:
        return
    said.take(*(range(i, i + 1) for i in found.taken))
    said.take(*(range(n.start, n.end) for n in said.named if n.kind == "column" and n.value in found.kept))
    if target in (*found.used, *found.left_out):  # "drop churn", "forget about churn, predict price"
        if target == (draft.plan(DATA) or plan).get("target"):
            draft.say(f"Target: {target}", changed=False)
        for names in (found.used, found.left_out):
            names[:] = [name for name in names if name != target]
        if not (found.used or found.left_out or found.kept):
            said.take_words(*_VERBS)
            return
    used, left_out = list(plan.get(_INCLUDE, [])), list(plan.get(_EXCLUDE, []))
    used = list(dict.fromkeys([*(found.used or used), *(found.kept if used else [])]))
    used = [name for name in used if name not in found.left_out]
    left_out = [name for name in left_out if name not in (*found.used, *found.kept)]
    left_out = list(dict.fromkeys([*left_out, *found.left_out]))
    changed = False
    for member, names in ((_INCLUDE, used), (_EXCLUDE, left_out)):
        if names != list(plan.get(member, [])):
            changed = draft.set(INTENT, names, member) or changed
    parts = [f"Columns to predict from: {', '.join(used) or 'all'}"] if found.used or found.kept else []
    parts += [f"Columns left out: {', '.join(left_out)}"] if found.left_out else []
    draft.say("; ".join(parts), changed)
    said.take_words(*_VERBS)


def _other_target(said: Said, draft: Draft, target: str | None) -> str | None:
    """What is to be predicted instead of another column: ``not churn, age``, ``use age instead of churn``."""
    named = said.free("column")
    inside = {i for n in named for i in range(n.start, n.end)}
    beside = {w for i, w in enumerate(said.low) if i not in inside}
    if draft.plan(DATA) is None or len(named) != 2 or not beside <= _BESIDE_TARGET or {"and", "or"} & beside:
        return None
    low = said.low
    denied = [n for n in named if low[max(0, n.start - 1) : n.start] in (["not"], ["than"], ["of"])]
    if len(denied) != 1 or ("use" in beside and denied[0].value != target):
        return None
    return next(str(n.value) for n in named if n is not denied[0])


def _predict(draft: Draft, name: str) -> None:
    changed = draft.set(DATA, name, "target")
    if changed:
        draft.set(DATA, None, "positive_class")
    draft.say(f"Target: {name}", changed)


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
                _predict(draft, names[0])  # which is what is asked there: "no, I meant Fare"
            elif not drop and not keep and not only and i == 0:
                some = names[0]
                draft.problem(
                    f'Say what to do with {some}: "drop {some}", "treat {some} as categorical" or "predict {some}".'
                )
    said.take_words(*_VERBS)


def _alone(said: Said, columns: list[Named]) -> bool:
    """Whether one column is all that a sentence says."""
    rest = {w for i, w in enumerate(said.low) if not columns[0].start <= i < columns[-1].end}
    return len(columns) == 1 and rest <= _ALONE and said.low[0] != "and"  # which goes on with what was said before


_ALONE = FILLER | {",", "actually", "sorry", "rather", "instead", "no"}
_BESIDE_TARGET = _ALONE | {"not", "of", "than", "use"}


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
    said.take_named(*_DROPPING, *_COLUMNS, *_VERBS)
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
        elif linked or low in _KINDS_ALONE or _encodes(said, at):
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


_KINDS_ALONE = ("categorical", "numeric", "text", "ordinal", "boolean", "numerical", "nominal")


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
