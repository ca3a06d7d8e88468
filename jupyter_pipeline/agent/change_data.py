"""Rules for what is said of the data: which data, target, task, positive class, columns."""

from ..protocol.names import task_name
from ..protocol.stages import StageId
from .columns import Columns
from .draft import Draft, Said
from .facts import dataset_of
from .inputs import all_columns, inputs_of
from .target import Target, target_of, without_data
from .tokens import Token
from .vocabulary import FILLER, NEGATORS
from .words import words_of

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
VERBS = (
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
    if (
        found is None
        or not (said.has(*_ABOUT_TARGET) or asks_to_predict(said, draft))
        or said.taken.issuperset(found.tokens)
    ):
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


def asks_to_predict(said: Said, draft: Draft) -> bool:
    """``Which customers will churn?``: the request itself, where only the data were named before."""
    plan = draft.plan(INTENT)
    begun = draft.context.current_stage is INTENT and plan is not None and plan.get("target") is None
    return begun and said.low[:1] == ["which"] and target_of(said.tokens, draft.columns) is not None


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
    items = [i for i in items if not _of_column(said, draft, i.start)]
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


_LINKS = words_of("is are was were be as a an the both all only just should just really actually")


def _of_column(said: Said, draft: Draft, at: int) -> bool:
    """``religion and degree are yes/no``: said of other columns than the target."""
    before = [n for n in said.named if n.kind == "column" and n.end <= at]
    target = (draft.plan(DATA) or draft.plan(INTENT) or {}).get("target")
    return bool(before) and before[-1].value != target and set(said.low[before[-1].end : at]) <= _LINKS


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
_NO_VALUE = words_of(
    """
    on for of in by matters matter counts important most more only other use treat make consider take set with and
    please it this
    """
)
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
        said.take_words(*VERBS)
        cleared = [draft.set(INTENT, [], member) for member in (_INCLUDE, _EXCLUDE) if plan.get(member)]
        draft.say("Columns to predict from: all", any(cleared))
        return
    target = (draft.context.plans.get(DATA) or draft.context.plans.get(INTENT) or {}).get("target")
    if (other := _other_target(said, draft, target)) is not None:
        said.take(range(len(said.tokens)))
        predict(draft, other)
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
            said.take_words(*VERBS)
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
    said.take_words(*VERBS)


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


ALONE = FILLER | {",", "actually", "sorry", "rather", "instead", "no"}
"""Words that leave what they stand beside alone."""
_BESIDE_TARGET = ALONE | {"not", "of", "than", "use"}


def predict(draft: Draft, name: str) -> None:
    """Another target."""
    changed = draft.set(DATA, name, "target")
    if changed:
        draft.set(DATA, None, "positive_class")
    draft.say(f"Target: {name}", changed)
