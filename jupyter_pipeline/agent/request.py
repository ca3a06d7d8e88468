"""What a request in plain English says: task, target, metric, time, models, wishes and data.

Rules, not a language model: each takes what it knows out of a sentence, and the clauses in which nothing was known
are told to the person. The work is linear in the length of the text.
"""

import difflib
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET

from ..protocol.names import REGRESSION_METRICS, metric_words, model_names, task_name, treated_words
from ..protocol.plans import IntentPlan
from ..protocol.stages import StageId, StageStatus
from .base import Context
from .change_columns import treated, wished
from .change_kinds import kinds
from .columns import Columns, akin, by_pattern, columns_of, with_names
from .conditions import without_courtesy
from .denial import meant_of
from .draft import Draft, Said
from .facts import budget_of, dataset_of, metric_of, preference_of
from .inputs import all_columns, inputs_of
from .questions import is_question
from .replacing import replaced
from .request_facts import Facts
from .scan import Named, models_of, scan, weigh
from .sheets import sheet_of
from .spelling import corrected
from .target import Target, column_target, target_of, without_data
from .thoughts import thought_over
from .tokens import Token, sentences, tokenise
from .unread import MAX_MISSED, for_later, miss, missed, promises, wishes
from .vocabulary import NEGATORS
from .words import Lookup, squash

_DRIVERS = frozenset({"drives", "drive", "affects", "affect", "influences", "influence", "causes", "explains", "makes"})
_NOT_ALONE = frozenset(
    {"by", "group", "split", "treat", "seed", "id", "as", "use", "keep", "and", "or", "with", "from"}
)
_LEAVING_OUT = frozenset({"ignore", "drop", "skip", "exclude", "remove", "without", "disregard"})
_CLASSES = {"two": "binary", "2": "binary", "binary": "binary"}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it was understood: the plan, and in words what each part of it comes from."""

    plan: IntentPlan
    understood: tuple[str, ...]


def parse_request(text: str, columns: Iterable[str] = ()) -> IntentPlan:
    """What a request says.

    Parameters
    ----------
    text : str
        The request, in English.
    columns : iterable of str, optional
        Columns of the data, where they are known already.

    Returns
    -------
    IntentPlan
        What was understood; ``not_understood`` has the clauses of which nothing was.

    Examples
    --------
    >>> plan = parse_request("Predict churn. Optimise recall, keep it under two minutes, no neural networks.")
    >>> plan.target, plan.metric, plan.time_budget_s, plan.not_understood
    ('churn', 'recall', 120.0, ())
    """
    return read_request(text, columns).plan


def read_request(text: str, columns: Iterable[str] = ()) -> Request:
    """What a request says, with an explanation of each part; see :func:`parse_request`."""
    known = columns_of(tuple(columns), by_place=True)
    facts = Facts()
    tokens = by_pattern(with_names(text, corrected(tokenise(text), known), known.names), known.names)
    for sentence in thought_over(sentences(tokens)):
        said = replaced(without_courtesy(_patience(sentence, facts)), known)
        wish = meant_of(said, known)
        _read(text, said if wish.left else wish.tokens, known, facts)
    return _conclude(facts, known)


def _read(text: str, sentence: list[Token], columns: Columns, facts: Facts) -> None:
    taken: set[int] = set()
    target = target_of(sentence, columns)
    if (target is None or target.name is None) and (facts.target is None or facts.target.name is None):
        target = column_target(sentence, columns) or target
    target, bundled = without_data(target)
    facts.dataset = facts.dataset or bundled
    skip = range(0)
    if target is not None and facts.target is None and not (target.name or "").startswith("http"):
        facts.target, skip = target, target.tokens
        taken.update(skip)
    elif target is not None:
        skip = target.tokens
        taken.update(skip)
        first = facts.target is None or facts.target.name is None or (target.known and not facts.target.known)
        if target.name and (first or {"actually", "instead"} & {t.low for t in sentence}):
            facts.target = target
    items = scan(sentence, columns, skip)
    taken.update(i for item in items if item.kind not in ("cue", "column") for i in range(item.start, item.end))
    _task(sentence, items, target, facts)
    if data := dataset_of(sentence, columns):
        if not set(range(data[1], data[2])) <= set(skip):
            facts.dataset = facts.dataset or data[0]
        taken.update(range(data[1], data[2]))
    if sheet := sheet_of(sentence):
        facts.sheet = facts.sheet or sheet[0]
        taken.update(range(sheet[1], sheet[2]))
    budget = budget_of(sentence, skip)
    if budget and target is not None and _is_horizon(sentence, target, budget):
        taken.update(range(target.end, budget[2]))
        miss(text, sentence, list(range(target.end, budget[2])), _HORIZON, facts)
    elif budget:
        facts.seconds = facts.seconds or budget[0]
        taken.update(range(budget[1], budget[2]))
    if metric := metric_of(sentence, items):
        facts.metrics.append(metric)
    facts.prefer = facts.prefer or preference_of(sentence, items)
    words = {t.low for t in sentence}
    named = [n for n in weigh(sentence, items) if not _counted(sentence, n)]
    facts.named += [n for n in named if n.kind in ("models", "absent")]
    if target is None and not words & (_NOT_ALONE | _LEAVING_OUT):
        facts.alone |= {str(n.value) for n in named if n.kind == "column" and n.polarity == "named"}
    if target is None and words & _DRIVERS:
        facts.alone |= {name for t in sentence if (name := columns.find(t.text, loose=True)) is not None}
    of_columns = _treatments(text, sentence, columns, skip, facts)
    taken |= of_columns
    _inputs(sentence, named, columns, of_columns.union(skip), taken, facts)
    for_later(text, sentence, taken, facts)
    wishes(text, sentence, taken, facts)
    promises(text, sentence, items, taken, facts)
    missed(text, sentence, taken, facts)


_ASKED_OF = frozenset({"whether", "if", "who", "which", "how", "when", "will", "is", "does"})
_NO_HASTE = Lookup(
    dict.fromkeys(
        (
            "take your time", "as long as you need", "as long as you like", "as long as you want",
            "as long as it takes", "how long it takes", "how long it runs", "time is not an issue",
            "time is no issue", "time is not a problem", "time is no problem", "time doesn't matter",
            "time does not matter", "no rush", "no hurry", "no need to hurry", "no need to rush",
            "there is no time limit", "no time limit", "all night", "all day", "plenty of time", "lots of time",
            "all the time in the world",
        ),
        True,
    )
)  # fmt: skip


def _patience(sentence: list[Token], facts: Facts) -> list[Token]:
    """A sentence without what says that there is no haste, which sets an hour where no time is named."""
    for i in range(len(sentence)):
        found = _NO_HASTE.at(sentence, i) if sentence[i].kind == "word" else None
        if found is None:
            continue
        start, before = i, [t.low for t in sentence[max(0, i - 6) : i]]
        if sentence[i].low == "how":
            if not ({"care", "matter", "mind", "matters"} & set(before) and NEGATORS & set(before)):
                continue
            start = i - len(before) + next(n for n, word in enumerate(before) if word in NEGATORS)
        start -= start > 0 and sentence[start - 1].low == "take"
        facts.patient = True
        return _patience([*sentence[:start], *sentence[i + found[1] :]], facts)
    return sentence


def _treatments(text: str, sentence: list[Token], columns: Columns, skip: range, facts: Facts) -> set[int]:
    """``one-hot encode city``, ``drop all text columns``; the tokens that say so."""
    plan = {"target": facts.target.name if facts.target else None, "treatments": facts.treatments}
    stage = StageId.PARSE_INTENT
    draft = Draft(
        Context(current_stage=stage, status=StageStatus.IN_PROGRESS, plans={stage: plan}, columns=columns.names)
    )
    said = Said.of(text, sentence, columns)
    if is_question(said):
        return set()  # "why is age numeric?"
    said.taken.update(skip)
    kinds(said, draft)
    treated(said, draft)
    if draft.problems:
        return set()
    facts.treatments = wished(draft)
    return said.understood


def _inputs(
    sentence: list[Token], named: list[Named], columns: Columns, skip: set[int], taken: set[int], facts: Facts
) -> None:
    """``from age and plan``, ``ignore the id``; of an earlier sentence what is said later is taken back."""
    found = inputs_of(sentence, columns, named, skip)
    target = facts.target.name if facts.target else None
    used = [name for name in found.used if name != target]
    left_out = [name for name in found.left_out if name != target]
    taken.update(found.taken)
    taken.update(all_columns(sentence) or ())
    if kept := [n for n in named if n.kind == "column" and n.value in found.kept and n.value in facts.left_out]:
        taken.update(i for n in kept for i in range(n.start, n.end))  # "actually keep age"
        facts.left_out = [name for name in facts.left_out if name not in found.kept]
    words = {t.low for t in sentence}
    rest = [n for n in named if n.kind == "column" and n.polarity != "avoid" and n.start not in taken]
    if (
        rest
        and words & {"from", "using", "with", "only", "use"}
        and not words & {"split", "group", "as", "by", "treat"}
    ):
        taken.update(i for n in rest for i in range(n.start, n.end))
        names = ", ".join(dict.fromkeys(str(n.value) for n in rest))
        facts.missed.append(f"{names} (say at the stage Profile whether columns are used)")
    facts.used = list(dict.fromkeys(name for name in (*facts.used, *used) if name not in left_out))
    facts.left_out = list(dict.fromkeys(name for name in (*facts.left_out, *left_out) if name not in used))


def _counted(sentence: list[Token], named: Named) -> bool:
    """``500 trees``: a parameter, and no kind of model."""
    before = sentence[named.start - 1] if named.start else None
    return before is not None and before.kind == "number" and sentence[named.end - 1].low in ("tree", "trees")


_HORIZON = ' (taken for what is predicted; to train as long, say "train for ...")'


def _is_horizon(sentence: list[Token], target: Target, budget: tuple[float, int, int]) -> bool:
    """``whether a machine fails within 24 hours``: hours that belong to the question."""
    asks = bool({t.low for t in sentence[target.start : target.start + 2]} & _ASKED_OF)
    near = [t.low for t in sentence[target.end : budget[1]]]
    return asks and budget[0] >= 3600 and near in (["within"], ["in"], ["within", "the", "next"])


def _task(sentence: list[Token], items: list[Any], target: Target | None, facts: Facts) -> None:
    low = [t.low for t in sentence]
    named = [i for i in items if i.kind == "task" and not _denied(low, i.start)]
    if target is not None:  # "predict churn, if that's possible"; "which of my customers will churn"
        named = [i for i in named if low[i.start] != "if" or i.start in target.tokens]
        which = [i for i in named if low[i.start : i.end] == ["which", "of"]]
        told = {"tell", "show", "say"}  # "and tell me which of sex and age matters"
        named = [i for i in named if i not in which or not (target.task == "binary" or told & set(low[: i.start]))]
    tasks = [i.value for i in named if i.value not in ("classification", "detection")]
    for n, word in enumerate(low[:-1]):
        if low[n + 1] in ("classes", "categories", "groups") and (word.isdigit() or word in _CLASSES):
            tasks.append(_CLASSES.get(word, "multiclass"))
        elif low[n + 1] in ("classes", "categories") and word in ("three", "four", "five", "six", "ten", "several"):
            tasks.append("multiclass")
    if target is not None and target.task != "auto":
        tasks.append(target.task)
    if "binary" in tasks and any(w in low for w in ("if", "whether")) and len(tasks) > 1:
        explicit = [t for t in tasks if t != "binary"]
        if target is None and explicit:
            tasks = explicit  # "if you can, do a regression"
    if tasks and facts.task == "auto":
        conditional = low.count("if") and target is None and tasks == ["binary"] and "whether" not in low
        facts.task = "auto" if conditional else tasks[0]
    elif facts.task == "auto" and any(i.value == "classification" for i in named):
        facts.task = "classification"  # the data say of how many classes


def _denied(low: list[str], at: int) -> bool:
    """``not a regression``."""
    before = low[max(0, at - 2) : at]
    return any(word in NEGATORS for word in before) and "," not in before


def _conclude(facts: Facts, columns: Columns) -> Request:
    understood: list[str] = []
    wanted, unwanted, _ = models_of(facts.named)
    missed = list(facts.missed)
    for named in facts.named:
        if named.kind != "absent":
            continue
        if named.polarity == "avoid":
            understood.append(f"no {named.value}: there are none among the models")
        else:
            missed.append(f"{named.value} (not among the models)")
    target = facts.target.name if facts.target else None
    if facts.target is not None and target and not facts.target.known and columns.names:
        near = difflib.get_close_matches(
            squash(target), names := {squash(n): n for n in columns.names}, n=2, cutoff=0.8
        )
        if len(near) == 1:  # "predict speceis"
            target = names[near[0]]
        elif not near:
            target = akin(target, columns.names) or target  # "predict survival"
    if len(facts.alone) == 1 and (facts.target is None or not facts.target.known):
        target = next(iter(facts.alone))
        missed = [clause for clause in missed if target.lower() not in clause.lower()]
    if target:
        understood.append(f"predict {target}")
    metric = next((m for m, strong in facts.metrics if strong), facts.metrics[0][0] if facts.metrics else "auto")
    others = [m for m, _ in facts.metrics if m != metric]
    task = facts.task
    if metric in REGRESSION_METRICS and task == "auto":
        task = "regression"
    if task != "auto":
        understood.append(f"task {task_name(task)}")
    if metric != "auto":
        also = (
            f" (one metric decides; {', '.join(map(metric_words, dict.fromkeys(others)))} will be reported too)"
            if others
            else ""
        )
        understood.append(f"metric {metric_words(metric)}{also}")
    seconds = facts.seconds
    if seconds is None and facts.patient:
        seconds = 3600.0
        understood.append("no haste: one hour of training")
    elif seconds is None and facts.prefer == "speed":
        seconds = 60.0
    if seconds is not None:
        understood.append(f"at most {say_seconds(seconds)} of training")
    if facts.prefer:
        understood.append(f"{facts.prefer} matters most")
    if facts.dataset:
        understood.append(f"data {facts.dataset}")
    if facts.sheet:
        understood.append(f"sheet {facts.sheet}")
    if wanted:
        understood.append(f"models {model_names(wanted)}")
    if unwanted:
        understood.append(f"without {model_names(unwanted)}")
    if facts.used:
        understood.append(f"predicted from {', '.join(facts.used)} alone")
    if facts.left_out:
        understood.append(f"without the column{'s' if len(facts.left_out) > 1 else ''} {', '.join(facts.left_out)}")
    if facts.treatments:
        understood.append(f"treated so: {treated_words(facts.treatments)}")
    understood += dict.fromkeys(facts.notes)
    plan = IntentPlan(
        task_type=task,  # type: ignore[arg-type]
        target=target,
        metric=metric,  # type: ignore[arg-type]
        time_budget_s=seconds or 300.0,
        prefer=facts.prefer or "balanced",  # type: ignore[arg-type]
        dataset=facts.dataset,
        sheet=facts.sheet,
        include_models=tuple(wanted),
        exclude_models=tuple(unwanted),
        include_columns=tuple(facts.used) or UNSET,
        exclude_columns=tuple(facts.left_out) or UNSET,
        treatments=facts.treatments or UNSET,  # type: ignore[arg-type]
        not_understood=tuple(dict.fromkeys(missed))[:MAX_MISSED],
    )
    return Request(plan=plan, understood=tuple(understood))


def say_seconds(seconds: float) -> str:
    """A span of time for people."""
    for unit, name in ((3600.0, "hour"), (60.0, "minute")):
        if seconds >= unit and (seconds / unit * 4).is_integer():
            count = seconds / unit
            return f"{count:g} {name}{'' if count == 1 else 's'}"
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"
