"""The target column as numbers: what classes there are, which one is positive, which rows have no target."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .inference import distinct_texts, text_of, to_numbers

#: Sums of squares of larger values are no numbers any more.
_MOST = 1e140


class TargetError(ValueError):
    """The target column does not fit the task; the message says what would be right."""


@dataclass(frozen=True)
class Task:
    """What is predicted.

    Attributes
    ----------
    task_type : {"binary", "multiclass", "regression"}
    target : str
        Name of the column.
    classes : list or None
        Labels in the order of their codes; in a binary task the second is positive. None for regression.
    """

    task_type: str
    target: str
    classes: list[Any] | None = None

    @property
    def positive_class(self) -> Any:
        """The positive label of a binary task, else None."""
        return self.classes[1] if self.task_type == "binary" and self.classes else None

    @property
    def n_classes(self) -> int:
        """How many classes there are; 0 for regression."""
        return len(self.classes or ())


def plain(value: Any) -> Any:
    """A label as a plain value of JSON: whole floats become int; ``None`` where it is missing."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        if not np.isfinite(value):
            return None
        return int(value) if float(value).is_integer() else float(value)
    return text_of(value) or None


def encode_target(
    column: pd.Series, task_type: str, target: str, positive_class: str | None = None
) -> tuple[Task, np.ndarray, np.ndarray]:
    """Turn the target into numbers.

    Parameters
    ----------
    column : pandas.Series of n rows
        The raw target.
    task_type : {"binary", "multiclass", "regression"}
    target : str
        Its name.
    positive_class : str or None
        The positive label of a binary task as text; None takes the later one in sorted order.

    Returns
    -------
    task : Task
    y : numpy.ndarray of shape (n,)
        Codes (int64, -1 where missing) or values (float64, NaN where missing).
    known : numpy.ndarray of bool, shape (n,)
        Rows that have a target.

    Raises
    ------
    TargetError
        If the column does not fit the task.
    """
    if task_type == "regression":
        y = to_numbers(column)
        known = ~np.isnan(y)
        given = int(pd.Series(column).notna().sum())
        if known.sum() < given / 2 or not known.any():
            raise TargetError(
                f"The target {target!r} holds {given - int(known.sum())} values that are no numbers, so it cannot be "
                "predicted as a number; choose classification or another target."
            )
        if (largest := np.abs(y[known]).max()) > _MOST:
            raise TargetError(
                f"The target {target!r} has values as large as {largest:.1e}, with which no error can be measured; "
                "remove them if they stand for missing values, else divide all values, or take logarithms."
            )
        if np.ptp(y[known]) == 0:
            raise TargetError(f"The target {target!r} is the same in every row; there is nothing to learn.")
        return Task(task_type, target), y, known
    codes, labels = _labels(column)
    known = np.array([label is not None for label in [*labels, None]])[codes]
    classes = _in_order(list(dict.fromkeys(label for label in labels if label is not None)))
    if len(classes) < 2:
        raise TargetError(
            f"The target {target!r} has {len(classes)} class{'' if len(classes) == 1 else 'es'} in the rows that have "
            "a value; at least two are needed."
        )
    if task_type == "binary":
        if len(classes) > 2:
            raise TargetError(
                f"The target {target!r} has {len(classes)} classes, a binary task has two; choose multiclass."
            )
        if positive_class is not None:
            positive = [c for c in classes if str(c) == positive_class]
            positive = positive or [c for c in classes if str(c).lower() == positive_class.lower()]
            if not positive:
                raise TargetError(f"The positive class {positive_class!r} is not in the target; it has {classes}.")
            classes = [c for c in classes if c is not positive[0]] + positive[:1]
    code = {(type(c), c): i for i, c in enumerate(classes)}
    table = np.array([*(code.get((type(label), label), -1) for label in labels), -1], dtype=np.int64)
    return Task(task_type, target, classes), table[codes], known


def units_of(y: np.ndarray) -> tuple[float, float]:
    """The median of a target, and how far from it values usually are: the units in which trees learn it.

    Boosters keep targets as float32, which has seven digits: of times in seconds since 1970 those that count are lost.
    Forests take differences of squares, which lose them too; and values as small as 1e-12 are nothing to any of them.
    """
    middle = float(np.median(y))
    away = np.abs(y - middle)
    usual = float(np.median(away[away > 0])) if away.any() else 1.0
    # Squares of the largest are still numbers in float32.
    return middle, max(usual, float(away.max()) / 1e15)


def _labels(column: pd.Series) -> tuple[np.ndarray, list[Any]]:
    """A code for each row, -1 where it is missing, and the labels that they stand for (None: missing too)."""
    found: tuple[np.ndarray, Any] | None = distinct_texts(column)
    if found is None and isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufb":
        codes, values = pd.factorize(column)
        found = codes, values.tolist()
    if found is None:  # of several types: equal ones, such as 1 and True, are told apart
        found = np.arange(len(column)), column.tolist()
    return found[0], [plain(value) for value in found[1]]


def _in_order(values: list[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=lambda value: (type(value).__name__, str(value)))
