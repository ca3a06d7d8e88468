"""How good the model is for some of the rows: of the target's classes that was measured, of no other group.

A figure of all rows is never the answer to a question about some: ``what is the accuracy for women?``
"""

from collections.abc import Iterator

from ..protocol.names import metric_name, model_name, number
from ..protocol.stages import StageId
from .base import Confusion, Context
from .columns import akin
from .draft import Said, piece
from .treatments import KIND_WORDS
from .vocabulary import FILLER, NEGATORS
from .words import squash, words_of

_OF_SOME = words_of("for among amongst within where when by per from over under above below between across")
"""Words after which the name of some rows comes."""
_OF_ANY = words_of("of in on")
"""Words after which also other things come: ``in percent``, ``of the forecasts``."""
_PEOPLE = words_of(
    """
    women woman men man female females male males girls boys girl boy elderly seniors adults children minors teenagers
    minorities minority foreigners immigrants older younger
    """
)
_ENDS = words_of(", ? ! . ; but then compared vs")
_NO_GROUP = FILLER | words_of(
    """
    , ? ! . ; : 's and or % rows records samples observations examples instances cases data set sets part split dataset
    customers clients users people persons patients everyone everybody population whole overall total average general
    practice production reality unseen holdout test testing validation val valid train training now far end model kept
    best final chosen winning run runs stage predicting prediction predictions predict classifying telling it them
    what which who how much many good accurate accuracy score scores result results performance error errors metric
    metrics threshold percent percentage share number default own terms comparison baseline chance guessing real life
    cross weighted macro micro left right most same way using use than considering account detail words sure fact
    finding detecting catching spotting recognising recognizing identifying review leaderboard report confidence
    interval least only just really still actually yet out be doing performing looking today currently time speed
    purpose purposes reporting
    """
)
_SCORING = words_of("score scores scored accurate performance perform performs performing")
_WRONG = words_of(
    "errors error errs err wrong incorrect misclassified misclassifications mistakes mistake confuse confuses"
)
_PREDICTING = words_of("prediction predictions predicting predict classifying forecasting forecast forecasts")
_WELL = words_of(
    "good well bad badly poorly work works worse better best worst reliable hardest easiest weakest strongest"
)
_CLASSES = words_of("class classes category categories label labels")
_EACH = words_of("per by each every which all between individual single classwise what")
_BEFORE_LABELS = _CLASSES | words_of("for of on = :")
_NOT_ABOUT = words_of(
    "why should change use optimise optimize add drop set maximise maximize minimise minimize mean means instead "
    "threshold trained missing matters matter important counts please rather want need must"
)
_MOST = 12


def asks_of_groups(said: Said, context: Context) -> bool:
    """Whether a sentence is the name of a figure of some rows: ``recall for women``, ``accuracy by city``."""
    first = next((i for i, word in enumerate(said.low) if word not in _BEFORE_FIGURES), len(said.low))
    starts = [i.start for i in said.items if i.kind in ("metric", "prefer")]
    named = first in starts or (first < len(said.low) and said.low[first] in _SCORING)
    return named and (bool(of_groups(said, context)) or _of_target(said, context))


def _of_target(said: Said, context: Context) -> bool:
    """``recall for customers who exited``"""
    after = next((i for i, word in enumerate(said.low) if word in _OF_SOME | _OF_ANY), len(said.low))
    there = bool(context.measured.scores) and said.words.isdisjoint(_NOT_ABOUT)
    return there and any(akin(word, [_target(context)]) for word in said.low[after:])


_BEFORE_FIGURES = words_of("the and , so ok test validation training what about its per class per-class -")


def of_groups(said: Said, context: Context) -> str:
    """How good the model is for the rows that a question is about; empty where it is about all."""
    metrics = list(dict.fromkeys(str(i.value) for i in said.items if i.kind == "metric"))
    scoring = bool(metrics) or said.has(*_SCORING, *_WRONG) or (said.has(*_WELL) and said.has("how", "does", "is"))
    if not scoring or not context.measured.scores or _beside(said) & _NOT_ABOUT:
        return ""
    found = context.measured.confusion
    target = _target(context)
    labels = found.classes if found is not None else tuple(context.measured.classes)
    spans = dict(_labels(said, labels))
    group = group_of(said, context, {i for span in spans.values() for i in span})
    each = said.has("classwise") or any(
        word in _CLASSES and _EACH & set(said.low[max(0, i - 2) : i]) for i, word in enumerate(said.low)
    )
    if group:
        return _unmeasured(context, group, labels, target)
    if not (spans or each) or not labels:
        return ""
    if found is None:
        return f"Of the classes of {target} nothing was measured by itself; figures are over all of them."
    shown = tuple(spans) or labels
    rows = [_of_class(found, label) for label in shown[:_MOST]]
    others = [] if len(shown) <= _MOST else [f"{len(shown) - _MOST} more classes are in the confusion matrix."]
    kept = next((r for r in context.leaderboard if r.run_id == found.run_id), None)
    model = f"{model_name(kept.model)}, " if kept is not None else ""
    part = "test" if found.split == "test" else "validation"
    other = [metric_name(m) for m in metrics if m not in ("accuracy", "recall", "precision", "balanced_accuracy")]
    if other:
        others.append(f"{', '.join(other)} was not measured for one class; recall and precision were.")
    return f"{model}on the {sum(map(sum, found.matrix)):,} {part} rows. {' '.join([*rows, *others])}"


def _beside(said: Said) -> set[str]:
    inside = {i for item in said.items if item.kind in ("metric", "column") for i in range(item.start, item.end)}
    return {word for i, word in enumerate(said.low) if i not in inside}


def _labels(said: Said, labels: tuple[str, ...]) -> Iterator[tuple[str, range]]:
    """The classes that are named, with where; words such as ``no``, and numbers, only after ``for`` or by ``class``."""
    known = {squash(label): label for label in labels}
    i = 0
    while i < len(said.tokens):
        for n in range(min(6, len(said.tokens) - i), 0, -1):
            label = known.get("".join(squash(t.text) for t in said.tokens[i : i + n]))
            if label is None or (n > 1 and (said.low[i] in _ENDS or said.low[i + n - 1] in _ENDS)):
                continue
            before = said.low[i - 1] if i else ""
            joined = before in ("and", ",", "or") and i > 1 and squash(said.tokens[i - 2].text) in known
            plain = n == 1 and said.tokens[i].kind != "quoted"
            common = plain and (said.tokens[i].kind == "number" or said.low[i] in FILLER | NEGATORS | {"yes", "true"})
            called = said.low[i + n : i + n + 1] and said.low[i + n] in _CLASSES
            if not common or before in _BEFORE_LABELS or joined or called:
                yield label, range(i, i + n)
                i += n - 1
                break
        i += 1


def group_of(said: Said, context: Context, known: set[int], *, by_columns: bool = True) -> str:
    """The words for some rows that are no class of the target: ``for customers over 60``, ``by city``.

    Parameters
    ----------
    said : Said
    context : Context
    known : set of int
        Tokens that stand for something else.
    by_columns : bool, default=True
        Whether a column after ``for`` or ``by`` stands for its groups.
    """
    targets = [_target(context), str(context.plans.get(StageId.PARSE_INTENT, {}).get("target", ""))]
    known, columns = set(known), set[int]()
    for item in said.items:
        span = range(item.start, item.end)
        if item.kind == "column" and item.value != targets[0]:
            columns.update(span)
        elif item.kind in ("metric", "models", "task", "column", "prefer"):
            known.update(span)
    values: set[str] | None = None
    for start, word in enumerate(said.low):
        if start in known or word not in _OF_SOME | _OF_ANY:
            continue
        end = next((i for i in range(start + 1, len(said.low)) if said.low[i] in _ENDS), len(said.low))
        here = range(start + 1, end)
        if _PREDICTING & {said.low[i] for i in here}:
            continue
        other = [i for i in here if i not in known and i not in columns and _says_more(said, i, targets)]
        if word in _OF_ANY:
            if values is None:
                values = _values(context)
            other = [i for i in other if said.low[i] in _PEOPLE or squash(said.tokens[i].text) in values or
                     (said.tokens[i].text[:1].isupper() and said.tokens[i].kind == "word")]  # fmt: skip
        elif word in ("for", "when", "by", "per"):
            other = [i for i in other if said.tokens[i].kind != "number" or (i - 1 > start)]
        if other or (by_columns and columns & set(here)):
            return piece(said.text, said.tokens[start:end])
    return ""


def _says_more(said: Said, i: int, targets: list[str]) -> bool:
    """Whether a word is none of those that are about all rows, nor about the target."""
    word = said.low[i]
    return not (
        word in _NO_GROUP or word in _CLASSES or word in _OF_SOME | _OF_ANY | KIND_WORDS.keys() or akin(word, targets)
    )


def _values(context: Context) -> set[str]:
    """What the profile found in columns of few values."""
    return {
        squash(str(value["value"])) for facts in context.measured.columns.values() for value in facts.get("top") or ()
    }


def _target(context: Context) -> str:
    return str(context.plans.get(StageId.DATA_SOURCE, {}).get("target", ""))


def uncounted(group: str) -> str:
    """That nothing is known of some rows."""
    return f'Of the rows "{group}" nothing was counted or measured by itself; figures are over all rows.'


def _unmeasured(context: Context, group: str, labels: tuple[str, ...], target: str) -> str:
    """That nothing was measured for a group, and what was."""
    parts = {part: None for scores in context.measured.scores.values() for part in scores if part != "train"}
    rows = " and ".join("test" if part == "test" else "validation" for part in sorted(parts)) or "validation"
    there = f"Figures are over all {rows} rows"
    if context.measured.confusion is not None:
        some = ", ".join(labels[:_MOST]) + (", …" if len(labels) > _MOST else "")
        there += f", and for each class of {target} ({some})"
    by = "The rows can be predicted in code, p.predict(rows), and compared with what they are, group by group."
    return f'How good it is "{group}" was not measured. {there}. {by}'


def _of_class(found: Confusion, label: str) -> str:
    """Recall and precision of a class, with the rows they are of."""
    at = found.classes.index(label)
    right, true, called = found.matrix[at][at], sum(found.matrix[at]), sum(row[at] for row in found.matrix)
    if not true:
        return f"{label}: no row is of this class, {called:,} are called so."
    precision = f"precision {number(right / called)} (of {called:,} called so)" if called else "none is called so"
    return f"{label}: {right:,} of {true:,} are called so, recall {number(right / true)}; {precision}."
