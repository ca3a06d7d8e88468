"""Divide rows into training, validation and test rows, before anything is learned of them."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from .features import day_comes_first, dtype_of
from .inference import to_seconds, to_texts


class SplitError(ValueError):
    """The rows cannot be divided so; the message says what would be right."""


@dataclass(frozen=True)
class Split:
    """Row numbers of the three parts, ascending (int64), and what is to be known about them.

    Attributes
    ----------
    train, val, test : numpy.ndarray
        Row numbers in the raw table.
    dropped : int
        Rows without a target; they are in no part.
    stratified : bool
        Whether each class has its share in each part.
    notes : tuple of str
        Remarks for people.
    """

    train: np.ndarray
    val: np.ndarray
    test: np.ndarray
    dropped: int = 0
    stratified: bool = False
    notes: tuple[str, ...] = field(default=())


def keys_of(column: pd.Series, strategy: str) -> np.ndarray:
    """What the rows are divided by.

    Parameters
    ----------
    column : pandas.Series of n rows
        The raw column.
    strategy : {"time", "group"}

    Returns
    -------
    numpy.ndarray of shape (n,)
        The ``keys`` of :func:`split_rows`: for ``time`` numbers as they are and dates as seconds, for ``group`` texts.
    """
    if strategy == "group":
        return to_texts(column, dtype_of(column))
    if pd.api.types.is_numeric_dtype(column.dtype):
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return to_seconds(column, day_comes_first(column))


def split_rows(
    y: np.ndarray,
    known: np.ndarray,
    *,
    strategy: str = "random",
    val_fraction: float = 0.2,
    test_fraction: float = 0.2,
    seed: int = 0,
    keys: np.ndarray | None = None,
) -> Split:
    """Divide rows.

    Parameters
    ----------
    y : numpy.ndarray of shape (n,)
        Target, class codes for ``stratified``.
    known : numpy.ndarray of bool, shape (n,)
        Rows that have a target; the others are left out and counted.
    strategy : {"random", "stratified", "time", "group"}
        ``time``: the last rows in order of ``keys`` are the test rows, those before them validation rows; rows of the
        same time stay together where that changes the parts' sizes by less than half.
        ``group``: rows with the same key stay together.
    val_fraction, test_fraction : float
        Shares of all rows that have a target.
    seed : int
        For the random draws.
    keys : numpy.ndarray of shape (n,) or None
        From :func:`keys_of`: numbers (NaN where unknown; such rows count as the oldest) for ``time``, labels for
        ``group``.

    Raises
    ------
    SplitError
        If there are too few rows or groups, or the fractions leave no training rows.
    """
    rows = np.flatnonzero(known)
    n = len(rows)
    if n < 3:
        raise SplitError(
            f"There are {n} rows with a target; at least 3 are needed, one each to train, to validate and to test."
        )
    if val_fraction + test_fraction >= 1:
        raise SplitError("The fractions for validation and test leave no rows to train with.")
    n_val, n_test = _counts(n, val_fraction, test_fraction)
    rng = np.random.default_rng(seed)
    notes: list[str] = []
    stratified = False
    if strategy == "time":
        if keys is None:
            raise SplitError("A split by time needs the name of the time column.")
        parts = _by_time(rows, keys, n_val, n_test, notes)
    elif strategy == "group":
        if keys is None:
            raise SplitError("A split by group needs the name of the group column.")
        parts = _by_group(rows, keys, n_val, n_test, rng, notes)
    elif strategy == "stratified":
        parts = _stratified(rows, y, val_fraction, test_fraction, n_val, n_test, rng, notes)
        stratified = True
    else:
        order = rng.permutation(rows)
        parts = order[n_val + n_test :], order[:n_val], order[n_val : n_val + n_test]
    train, val, test = (np.sort(part).astype(np.int64) for part in parts)
    if n < 50:
        notes.append(f"{n} rows are few: scores on {len(val)} validation and {len(test)} test rows say little.")
    return Split(train, val, test, int(len(known) - n), stratified, tuple(notes))


def _counts(n: int, val_fraction: float, test_fraction: float) -> tuple[int, int]:
    n_val, n_test = max(1, round(n * val_fraction)), max(1, round(n * test_fraction))
    while n_val + n_test >= n:
        n_val, n_test = (n_val - 1, n_test) if n_val >= n_test else (n_val, n_test - 1)
    return n_val, n_test


Parts = tuple[np.ndarray, np.ndarray, np.ndarray]


def _by_time(rows: np.ndarray, keys: np.ndarray, n_val: int, n_test: int, notes: list[str]) -> Parts:
    times = keys[rows].astype(np.float64)
    unknown = np.isnan(times)
    if unknown.all():
        raise SplitError("The time column holds no dates that can be read; choose another one or a random split.")
    if unknown.any():
        notes.append(f"{int(unknown.sum())} rows without a time are taken as the oldest.")
    times = np.where(unknown, -np.inf, times)
    sorting = np.lexsort((rows, times))
    order, times, n = rows[sorting], times[sorting], len(rows)
    most = (min(n_val, n_test) - 1) // 2
    val, test = (_between_times(times, start, most) for start in (n - n_val - n_test, n - n_test))
    if times[val - 1] == times[val] or times[test - 1] == times[test]:
        notes.append("Some rows of one part have the same time as rows of the next one, since many rows share a time.")
    return order[:val], order[val:test], order[test:]


def _between_times(times: np.ndarray, start: int, most: int) -> int:
    """The place nearest to ``start`` where the time changes; itself if that is more than so many rows away."""
    changes = np.flatnonzero(times[1:] != times[:-1]) + 1
    near = changes[np.abs(changes - start) <= most]
    return int(near[np.argmin(np.abs(near - start))]) if len(near) else start


def _by_group(
    rows: np.ndarray, keys: np.ndarray, n_val: int, n_test: int, rng: np.random.Generator, notes: list[str]
) -> Parts:
    groups, codes = np.unique(keys[rows].astype(str), return_inverse=True)
    if len(groups) < 3:
        raise SplitError(
            f"The group column has {len(groups)} group{'' if len(groups) == 1 else 's'}; a split by group needs at "
            "least 3, one each to train, to validate and to test."
        )
    sizes = np.bincount(codes)
    part_of = np.zeros(len(groups), dtype=np.int64)
    waiting = rng.permutation(len(groups)).tolist()
    for part, wanted in ((2, n_test), (1, n_val)):
        filled = 0
        kept: list[int] = []
        for place, group in enumerate(waiting):
            enough_left = len(kept) + len(waiting) - place - 1 >= part  # each later part needs a group
            closer = abs(filled + int(sizes[group]) - wanted) <= abs(filled - wanted)
            last_chance = filled == 0 and place == len(waiting) - 1
            if enough_left and (closer or last_chance):
                part_of[group] = part
                filled += int(sizes[group])
            else:
                kept.append(group)
        if not filled:
            smallest = min(waiting, key=lambda g: (sizes[g], g))
            part_of[smallest] = part
            kept.remove(smallest)
        waiting = kept
    parts = part_of[codes]
    if abs(int((parts == 2).sum()) - n_test) > 0.5 * n_test:
        notes.append("The groups differ so much in size that the parts are not as large as asked for.")
    return rows[parts == 0], rows[parts == 1], rows[parts == 2]


def _stratified(
    rows: np.ndarray,
    y: np.ndarray,
    val_fraction: float,
    test_fraction: float,
    n_val: int,
    n_test: int,
    rng: np.random.Generator,
    notes: list[str],
) -> Parts:
    train: list[np.ndarray] = []
    val: list[np.ndarray] = []
    test: list[np.ndarray] = []
    rare: list[int] = []
    classes = np.unique(y[rows])
    counts = np.array([(y[rows] == c).sum() for c in classes])
    val_counts = _shares(counts, val_fraction, n_val)
    test_counts = _shares(counts, test_fraction, n_test)
    for label, count, n_v, n_t in zip(classes, counts, val_counts, test_counts, strict=True):
        members = rng.permutation(rows[y[rows] == label])
        if count == 1:
            rare.append(int(label))
            train.append(members)
            continue
        if count >= 3:
            n_v, n_t = max(1, int(n_v)), max(1, int(n_t))
        else:
            n_v, n_t = 1, 0
        while n_v + n_t >= count:
            n_v, n_t = (n_v - 1, n_t) if n_v > n_t else (n_v, n_t - 1)
        val.append(members[:n_v])
        test.append(members[n_v : n_v + n_t])
        train.append(members[n_v + n_t :])
    if rare:
        notes.append(
            f"{len(rare)} class{'' if len(rare) == 1 else 'es'} of one row only: the row is a training row, and "
            "nothing is known of how well that class is predicted."
        )
    empty = np.zeros(0, dtype=np.int64)
    parts = [np.concatenate(part) if part else empty for part in (train, val, test)]
    for place in (1, 2):
        if not len(parts[place]) and len(parts[0]) > 1:
            parts[place], parts[0] = parts[0][-1:], parts[0][:-1]
    if not all(len(part) for part in parts):
        raise SplitError("There are too few rows of each class for three parts; choose a random split.")
    return parts[0], parts[1], parts[2]


def _shares(counts: np.ndarray, fraction: float, total: int) -> np.ndarray:
    exact = counts * fraction
    base = np.floor(exact).astype(np.int64)
    missing = max(0, min(total - int(base.sum()), len(counts)))
    base[np.argsort(-(exact - base), kind="stable")[:missing]] += 1
    return base
