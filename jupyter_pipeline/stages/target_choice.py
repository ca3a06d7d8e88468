"""What to predict: which column is meant, what kind of task that makes, by which metric and which class is positive."""

import difflib
import re
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
import polars as pl

from ..agent.columns import akin, place_of
from ..automl import metrics
from ..automl.datasets import Candidate
from ..automl.findings import alike
from ..automl.frames import to_pandas
from ..automl.inference import to_seconds
from ..automl.reading import ReadError, TableSpec, scan
from ..automl.targets import TargetError, encode_target, plain
from ..protocol.names import metric_name, task_name
from ..protocol.plans import Metric, TaskType
from .base import StageError

#: What people call the target of a bundled set, whose column is named ``target``.
TARGET_ALIASES = {
    "iris": ("species", "class", "variety", "flower"),
    "wine": ("class", "cultivar", "grower"),
    "breast_cancer": ("diagnosis", "class", "malignant", "benign", "cancer"),
    "diabetes": ("progression", "disease_progression", "y"),
    "digits": ("digit", "label", "class"),
}
_TELL_NOTHING = ("class", "label", "y")
MIN_ROWS = 10
#: A number column with no more distinct whole values than this is taken for classes.
MAX_NUMBER_CLASSES = 10
MAX_CLASSES = 200
_LIKELY = (
    *("target", "label", "class", "y", "outcome", "response", "survived", "churn", "churned", "default", "species"),
    *("diagnosis", "price", "saleprice", "medv", "quality", "income", "is_fraud", "fraud", "exited", "converted"),
)
_POSITIVE = (
    "1",
    "true",
    "yes",
    "y",
    "t",
    "positive",
    "pos",
    "malignant",
    "churn",
    "churned",
    "fraud",
    "bad",
    "default",
)
_NEGATIVE = ("0", "false", "no", "n", "f", "negative", "neg", "benign", "good")


def bundled_by_target(target: str | None) -> str | None:
    """The bundled set that a target's name alone tells (``species``: iris), or None."""
    wanted = _folded(target or "")
    for name, aliases in TARGET_ALIASES.items():
        if wanted in {_folded(alias) for alias in aliases if alias not in _TELL_NOTHING}:
            return name
    return None


def has_column(candidate: Candidate, target: str | None) -> bool:
    """Whether a data set has a column that a name means, as far as its columns were looked at."""
    if target is None or not candidate.columns:
        return False
    kind = "sklearn" if candidate.source == "bundled" else "csv"
    return names_column(TableSpec(candidate.place, kind, columns=dict.fromkeys(candidate.columns, "")), target)


def names_column(spec: TableSpec, asked: str) -> bool:
    """Whether a name means one of a table's columns."""
    try:
        column_meant(spec, asked)
    except StageError:
        return False
    return True


def column_meant(spec: TableSpec, asked: str) -> tuple[str, str | None]:
    """The column that a name means, and a remark where it is not written so.

    Parameters
    ----------
    spec : TableSpec
    asked : str
        What the person called it.

    Raises
    ------
    StageError
        Naming close matches, if there is no such column or it is not clear which.
    """
    names = list(spec.columns)
    if asked in names:
        return asked, None
    for fold in (lambda text: text.strip().lower(), _folded):
        same = [name for name in names if fold(name) == fold(asked) and fold(asked)]
        if len(same) == 1:
            return same[0], f"{asked!r} is taken for the column {same[0]!r}."
        if same:
            raise StageError(f"{asked!r} could be {' or '.join(map(repr, same))}; write the column's name exactly.")
    words = asked.split()
    place = place_of(words)
    if place is not None and words[1] in names:  # as NumPy's arrays come, whose columns are called 0, 1, 2
        return words[1], f"{asked!r} is the column {words[1]!r}."
    if place is not None and place <= len(names):
        name = names[place - 1 if place > 0 else place]
        return name, f"{asked!r} is the column {name!r}."
    if spec.format == "sklearn" and _folded(asked) in map(_folded, TARGET_ALIASES.get(spec.path, ())):
        return "target", f"In this data set {asked!r} is the column 'target'."
    folded: dict[str, str] = {}
    for name in names:
        folded.setdefault(_folded(name), name)
    close = [folded[key] for key in difflib.get_close_matches(_folded(asked), list(folded), 5, 0.6)]
    sure = [folded[key] for key in difflib.get_close_matches(_folded(asked), list(folded), 2, 0.87)]
    sure = sure or ([stem] if (stem := akin(asked, names)) is not None else [])
    if len(sure) == 1:
        return sure[0], f"There is no column {asked!r}; the column {sure[0]!r} is taken for it."
    inside = [name for name in names if len(_folded(asked)) > 2 and _folded(asked) in _folded(name)]
    # "The species of the penguins" asks for the penguins species: the words before a column's name say whose it is.
    ends = {_folded(" ".join(words[at:])) for at in range(1, len(words))}
    last = [name for name in names if _folded(name) in ends]
    for found in (inside, last):
        if len(found) == 1 and not sure:
            return found[0], f"There is no column {asked!r}; the column {found[0]!r} is taken for it."
    likely = list(dict.fromkeys([*close, *inside]))[:5]
    hint = f"did you mean {' or '.join(map(repr, likely))}?" if likely else f"the columns are {_some(names)}."
    raise StageError(f"There is no column {asked!r} in the data; {hint}")


def likely_target(spec: TableSpec, sample: pl.DataFrame) -> tuple[str, str]:
    """A column that is probably to be predicted, and why; for when nobody said."""
    plain_names = [name for name in spec.columns if _predictable(sample.get_column(name))] or list(spec.columns)
    by_fold: dict[str, str] = {}
    for name in plain_names:
        by_fold.setdefault(_folded(name), name)
    for likely in map(_folded, _LIKELY):
        if likely in by_fold:
            return by_fold[likely], "its name says so"
    for name in reversed(plain_names):
        if re.search(r"(^|[_\W])(target|label|class|outcome)([_\W]|$)", name.lower()):
            return name, "its name says so"
    names = [name for name in plain_names if sample.get_column(name).drop_nulls().n_unique() > 1] or plain_names
    usable = [name for name in names if not _is_identifier(name, sample.get_column(name))] or names
    last = usable[-1]
    binary = [name for name in usable if sample.get_column(name).drop_nulls().n_unique() == 2]
    if last not in binary and len(binary) == 1:
        return binary[0], "it is the only column with two values"
    return last, "it is the last column" + (" and has two values" if last in binary else "")


def target_values(spec: TableSpec, target: str) -> pl.Series:
    """The target's values, all rows.

    Raises
    ------
    StageError
        If there is nothing to learn from: all missing, too few rows, or one value only.
    """
    try:
        values = scan(spec).select(target).collect(engine="streaming").get_column(target)
    except (ReadError, pl.exceptions.PolarsError, OSError) as error:
        raise StageError(f"The data cannot be read any more ({error}); attach them again.") from error
    if not _predictable(values):
        raise StageError(
            f"The target {target!r} holds values of type {values.dtype}, which cannot be predicted; choose a column of "
            "numbers, texts or truth values."
        )
    known = len(values) - values.null_count()
    if not known:
        raise StageError(f"Every value of the target {target!r} is missing; choose another target or other data.")
    if known < MIN_ROWS:
        have = "row has" if known == 1 else "rows have"
        raise StageError(
            f"Only {known} {have} a value of the target {target!r}; at least {MIN_ROWS} are needed to train and test."
        )
    if values.drop_nulls().n_unique() == 1:
        raise StageError(
            f"The target {target!r} is {values.drop_nulls()[0]!r} in every row, so there is nothing to learn; choose "
            "another target."
        )
    return values


def task_of(values: pl.Series, asked: str) -> tuple[TaskType, str]:
    """The kind of task that a target makes, and why.

    Parameters
    ----------
    values : polars.Series
        The target.
    asked : str
        What the person wants: ``auto`` or a kind of task, of which ``classification`` leaves open how many classes;
        what was asked for goes before what the values look like.

    Raises
    ------
    StageError
        If the target is not fit for it.
    """
    name, known = values.name, values.drop_nulls()
    distinct, dtype = known.n_unique(), values.dtype
    numeric = dtype.is_numeric()
    if asked == "regression":
        if not numeric:
            _encoded(values, "regression", None)
        two = "; it has two values, so classification would be usual" if distinct == 2 else ""
        return "regression", f"as asked{two}"
    if asked == "binary":
        if distinct != 2:
            raise StageError(
                f"The target {name!r} has {distinct} distinct values, a binary task has two; choose "
                f"{'regression' if numeric and distinct > MAX_NUMBER_CLASSES else 'multiclass'} or another target."
            )
        return "binary", "as asked"
    if asked == "multiclass" and distinct == 2:
        return "binary", f"asked was multiclass, but {name!r} has two values"
    if distinct == 2:
        return "binary", "as asked; it has two values" if asked == "classification" else "it has two values"
    if numeric and asked == "auto":
        whole = not dtype.is_float() or bool((known == known.round()).all())
        if whole and distinct <= MAX_NUMBER_CLASSES and len(known) >= 3 * distinct:
            return "multiclass", f"it has only {distinct} distinct whole values"
        few = distinct <= 100 and distinct < 0.2 * len(known)
        unless = '; if these are classes, say "it is multiclass"' if few else ""
        return "regression", f"it is a number with {distinct:,} distinct values{unless}"
    if asked == "auto" and distinct > MAX_NUMBER_CLASSES and _dates(known):
        raise StageError(
            f"The target {name!r} holds dates, which cannot be predicted; choose another target, such as the number of "
            "days from a date that is known."
        )
    if distinct > MAX_CLASSES or (distinct > 20 and distinct > 0.5 * len(known)):
        raise StageError(_too_many(known, distinct, numeric))
    if asked == "classification":
        many = f"; its {distinct} different values are as many classes" if distinct > MAX_NUMBER_CLASSES else ""
        return "multiclass", f"as asked{many}"
    return "multiclass", "as asked" if asked == "multiclass" else f"it has {distinct} classes"


def _too_many(known: pl.Series, distinct: int, numeric: bool) -> str:
    """That values are too many to be classes, and what would be right."""
    said = f"The target {known.name!r} has {distinct:,} different values in {len(known):,} rows, too many to be classes"
    if numeric:
        return f'{said}; choose regression ("it is a regression"), which predicts the number, or another target.'
    if distinct > 0.5 * len(known):
        return f"{said}: there are hardly two rows of each; choose another target."
    counts = known.value_counts().get_column("count").sort(descending=True)
    share = int(counts.head(_KEPT).sum()) / len(known)
    return (
        f"{said}: {MAX_CLASSES} are the most. Choose another target; or add a column to the data that keeps frequent "
        f'values (the {_KEPT} most frequent are {share:.0%} of the rows) and has "other" in place of the rest, attach '
        "them again, and predict that column."
    )


_KEPT = 50
"""Classes of which it is said how many rows they are, where all are too many."""


def metric_of(asked: str, task_type: TaskType) -> Metric:
    """The metric that decides; ``auto`` becomes the task's usual one.

    Raises
    ------
    StageError
        If the metric asked for belongs to another kind of task.
    """
    if asked == "auto":
        return cast(Metric, metrics.resolve(asked, task_type))
    fit = metrics.names_for(task_type)
    if asked not in fit:
        raise StageError(
            f"The metric {metric_name(asked)} has no meaning for a {task_name(task_type)}; it can be "
            f"{', '.join(map(metric_name, fit))}."
        )
    return cast(Metric, asked)


def positive_meant(values: pl.Series, asked: Any) -> str:
    """The positive class that the person named, as the data write it, or a likely one.

    Raises
    ------
    StageError
        If the target has no such class.
    """
    if asked is None:
        return positive_of(values)
    labels = [str(plain(value)) for value in values.drop_nulls().unique().sort().to_list()]
    same = [label for label in labels if label == str(asked)]
    same = same or [label for label in labels if label.strip().lower() == str(asked).strip().lower()]
    if not same:
        raise StageError(
            f"The target {values.name!r} has no class {str(asked)!r}; it has {' and '.join(map(repr, labels))}."
        )
    return same[0]


def positive_of(values: pl.Series) -> str:
    """The class of a binary target that is probably of interest: one that says yes, else the rarer one."""
    counts: dict[str, int] = {}
    for value, count in values.drop_nulls().value_counts().iter_rows():
        counts[str(plain(value))] = int(count)
    labels = list(counts)
    for words, pick in ((_POSITIVE, 0), (_NEGATIVE, 1)):
        found = [label for label in labels if label.strip().lower() in words]
        if len(found) == 1:
            return found[0] if pick == 0 else next(label for label in labels if label != found[0])
    return min(labels, key=lambda label: (counts[label], label))


def check_target(values: pl.Series, task_type: TaskType, positive: str | None, metric: Metric) -> list[str]:
    """Make sure that training will take the target, and the metric measure it; remarks about it.

    Raises
    ------
    StageError
        If it will not.
    """
    _encoded(values, task_type, positive)
    if metric == "mape" and values.dtype.is_numeric() and (zeros := int((values == 0).sum())):
        raise StageError(
            f"{metric_name(metric)} divides by the target, and {values.name!r} is 0 in {zeros:,} "
            f"row{'' if zeros == 1 else 's'}; choose another metric, such as {metric_name('mae')}."
        )
    notes = []
    missing = values.null_count()
    if missing:
        notes.append(f"{missing:,} of {len(values):,} rows have no value of the target and are left out.")
    if task_type != "regression":
        counts = values.drop_nulls().value_counts().sort("count")
        if same_names := alike([str(plain(v)) for v in counts.get_column(values.name).to_list()]):
            same = "; ".join(" and ".join(map(repr, names)) for names in same_names[:3])
            notes.append(f"Classes that differ in case or spaces only are different classes here: {same}.")
        rare = counts.filter(pl.col("count") < 5)
        if rare.height:
            some = _some([str(plain(v)) for v in rare.get_column(values.name).to_list()], 5)
            notes.append(f"Very rare: {some} (fewer than five rows each).")
        single = counts.filter(pl.col("count") == 1).height
        if single:
            notes.append(
                f"{single} class{' has' if single == 1 else 'es have'} one row only, which is trained on and cannot be "
                "tested; to learn such classes more rows are needed."
            )
    return notes


def _encoded(values: pl.Series, task_type: str, positive: str | None) -> None:
    try:
        encode_target(to_pandas(values.to_frame())[values.name], task_type, values.name, positive)
    except TargetError as error:
        raise StageError(str(error)) from None


def _predictable(values: pl.Series) -> bool:
    dtype = values.dtype
    return not (dtype.is_nested() or dtype.is_temporal() or dtype in (pl.Binary, pl.Object))


def _dates(values: pl.Series) -> bool:
    """Whether texts are dates."""
    if values.dtype != pl.String:
        return False
    texts = values.unique()
    form = r"^\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]|$)"
    if int(texts.str.contains(form).sum()) < 0.9 * len(texts):
        return False
    return not np.isnan(to_seconds(pd.Series(texts.to_list(), dtype=object))).all()


def _is_identifier(name: str, values: pl.Series) -> bool:
    if re.search(r"(^|[_\W])(id|uuid|guid|index|key)([_\W]|$)", name.lower()) or name.startswith("Unnamed:"):
        return True
    return values.dtype == pl.String and values.n_unique() > 0.9 * len(values) > 9


def _folded(name: Any) -> str:
    return re.sub(r"[\W_]+", "", str(name).lower())


def _some(names: Sequence[str], limit: int = 20) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
