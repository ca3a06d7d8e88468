"""What is in a table: one streaming pass over all rows in bounded memory, then a closer look at a random sample.

Counts, missing values, ranges, means, deviations and skewness come from all rows. Distinct values and repeated rows
come from hashes of all rows (exact up to a size, beyond it estimated, and then said to be). Quantiles, correlations
and leakage suspects come from a uniform random sample, which is the whole table while it is small.
"""

import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import polars as pl

from .findings import alike, correlated, kind_of, repeats_one, warnings_of
from .leakage import leakage_suspects
from .sketches import Distinct, Moments, RandomRows, RepeatedRows

#: Rows that are looked at together while reading.
BATCH_ROWS = 100_000
#: Cells and rows of the sample at the most.
SAMPLE_CELLS = 5_000_000
SAMPLE_ROWS = 100_000
#: Values of a column are counted one by one while there are no more distinct ones.
COUNTED_VALUES = 1_000
#: Where no more than this share of the rows repeat an earlier one, that is a slip, which hides no key.
FEW_REPEATS = 0.1
TOP = 10
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_READING = 0.8

Progress = Callable[[str, float], None]


class _Column:
    """What is known of one column while rows go by."""

    def __init__(self, name: str, dtype: pl.DataType, seed: int) -> None:
        self.name, self.dtype, self.seed = name, dtype, seed
        self.numeric = dtype.is_numeric()
        self.temporal = dtype in (pl.Date, pl.Datetime)
        self.missing = self.nan = self.infinite = self.blank = 0
        self.moments = Moments()
        self.distinct = Distinct()
        self.counts: dict[Any, int] | None = {}
        self.first: Any = None
        self.last: Any = None
        self.ascending = self.temporal or dtype == pl.String
        self._latest: Any = None

    def statistics(self) -> list[pl.Expr]:
        """What to compute of one batch, in the order in which :meth:`add` takes it."""
        column = pl.col(self.name)
        found = [column.null_count()]
        if self.numeric:
            found += _moments(column)
        elif self.temporal:
            found += [column.min(), column.max()]
        elif self.dtype == pl.String:
            found += [(column.str.strip_chars().str.len_bytes() == 0).sum()]
        return [e.alias(f"{self.seed}:{i}") for i, e in enumerate(found)]

    def add(self, series: pl.Series, values: list[Any]) -> pl.Series:
        """Take in one batch; returns the column with NaN as missing."""
        self.missing += values[0]
        if self.ascending:
            self._follow(series.drop_nulls())
        if self.numeric:
            series = self._add_numbers(series, values[1:])
        elif self.temporal and values[1] is not None:
            self.first = values[1] if self.first is None else min(self.first, values[1])
            self.last = values[2] if self.last is None else max(self.last, values[2])
        elif self.dtype == pl.String:
            self.blank += values[1] or 0
        return series

    def _add_numbers(self, series: pl.Series, values: list[Any]) -> pl.Series:
        if self.dtype.is_float() and values[1] is not None and not math.isfinite(values[1]):
            nan = int(series.is_nan().sum())
            self.nan += nan
            self.missing += nan
            series = series.fill_nan(None)
            self.infinite += int(series.is_infinite().sum())
            finite = series.filter(series.is_finite().fill_null(False))
            values = list(finite.to_frame("x").select(_numbered(_moments(pl.col("x")))).row(0)) if len(finite) else [0]
        if values[0]:
            self.moments.add(*values)
        return series

    def _follow(self, known: pl.Series) -> None:
        """Whether rows go on in the order of this column."""
        if len(known):
            follows = self._latest is None or bool(known[0] >= self._latest)
            self.ascending, self._latest = follows and known.is_sorted(), known[-1]

    def count(self, series: pl.Series, hashes: np.ndarray) -> None:
        """Take in the distinct values of one batch."""
        if series.null_count():
            hashes = hashes[series.is_not_null().to_numpy()]
        self.distinct.add(hashes)
        if self.counts is None:
            return
        if self.distinct.count > COUNTED_VALUES:
            self.counts = None
            return
        counted = series.drop_nulls().value_counts()
        for value, n in zip(counted.to_series(0).to_list(), counted.to_series(1).to_list(), strict=True):
            self.counts[value] = self.counts.get(value, 0) + n


def _moments(column: pl.Expr) -> list[pl.Expr]:
    numbers = column.cast(pl.Float64)
    return [column.count(), numbers.mean(), numbers.var(ddof=0), numbers.skew(bias=True), numbers.min(), numbers.max()]


def _numbered(expressions: list[pl.Expr]) -> list[pl.Expr]:
    return [e.alias(str(i)) for i, e in enumerate(expressions)]


def profile(
    lazy_frame: pl.LazyFrame,
    target: str | None = None,
    task_type: str | None = None,
    n_rows: int | None = None,
    on_progress: Progress | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Describe a table.

    Parameters
    ----------
    lazy_frame : polars.LazyFrame
        The table; it is read once.
    target : str, optional
        Column that is to be predicted; without it nothing is said of imbalance and leakage.
    task_type : {"binary", "multiclass", "regression"}, optional
        What kind of prediction it is.
    n_rows : int, optional
        How many rows there are, where this is known: for the progress only.
    on_progress : callable, optional
        Called with the name of the phase and how much of all is done, from 0 to 1.
    seed : int
        For the random sample.

    Returns
    -------
    dict
        JSON: ``n_rows``, ``n_cols``, ``missing_pct`` (fraction of cells), ``duplicate_rows``, ``duplicate_rows_exact``,
        ``sample_rows``, ``types_breakdown``, ``target``, ``task_type``, ``columns``, ``correlations``, ``leakage``,
        ``classes`` (all classes of the target: value, count, share; None for numbers or more than 1000 classes) and
        ``warnings``. ``columns`` has for each name ``kind`` (numeric, integer, boolean, categorical, text, datetime,
        id, constant, empty), ``dtype``, ``missing`` (null and NaN), ``missing_share``, ``n_unique``,
        ``n_unique_exact``, ``top`` (value, count or None, share), and where it applies ``min``, ``max``, ``mean``,
        ``std``, ``skew`` (of finite numbers), ``quantiles``, ``quantiles_exact``, ``histogram``, ``nan``,
        ``infinite``, ``blank``, ``mean_length``, ``mean_words``, ``date_format``, ``numeric_share``, ``sorted_key``,
        ``ascending`` (dates in the order of the rows), ``repeated_key`` (names whom several rows are about),
        ``alike`` (categories that differ in case or spaces only).
    """
    report, _ = profile_with_sample(lazy_frame, target, task_type, n_rows, on_progress, seed)
    return report


def profile_with_sample(
    lazy_frame: pl.LazyFrame,
    target: str | None = None,
    task_type: str | None = None,
    n_rows: int | None = None,
    on_progress: Progress | None = None,
    seed: int = 0,
) -> tuple[dict[str, Any], pl.DataFrame]:
    """As :func:`profile`, with the random sample of rows that was looked at."""
    tell = on_progress or (lambda phase, pct: None)
    schema = lazy_frame.collect_schema()
    names = schema.names()
    lazy = lazy_frame.select([_simple(name, schema[name]) for name in names]) if names else lazy_frame
    simple = lazy.collect_schema()
    columns = [_Column(name, pl.String() if _odd(simple[name]) else simple[name], i) for i, name in enumerate(names)]
    rows = RandomRows(max(2_000, min(SAMPLE_ROWS, SAMPLE_CELLS // max(1, len(names)))), np.random.default_rng(seed))
    repeated = RepeatedRows()
    total = 0
    tell("reading", 0.0)
    for batch in lazy.collect_batches(chunk_size=BATCH_ROWS, engine="streaming") if names else ():
        frame = _plain_columns(batch)
        frame = _look_at(frame, columns, repeated)
        rows.add(frame)
        total += frame.height
        if n_rows:
            tell("reading", _READING * min(1.0, total / n_rows))
    sample = rows.result()
    if sample.width != len(names):
        sample = pl.DataFrame(schema={column.name: column.dtype for column in columns})
    tell("columns", _READING)
    repeats, exact = repeated.result(total)
    slips = repeats if repeats <= FEW_REPEATS * total else 0
    once = sample.unique(maintain_order=True) if slips else sample
    described = {
        column.name: _describe(
            column, sample.get_column(column.name), once.get_column(column.name), total, slips, schema
        )
        for column in columns
    }
    tell("correlations", 0.86)
    pairs = correlated(sample, described, target)
    tell("leakage", 0.9)
    suspects = leakage_suspects(sample, described, target, task_type) if target and task_type else []
    missing = sum(column["missing"] for column in described.values())
    kinds = [column["kind"] for column in described.values()]
    report: dict[str, Any] = {
        "n_rows": total,
        "n_cols": len(names),
        "missing_pct": missing / (total * len(names)) if total and names else 0.0,
        "duplicate_rows": repeats,
        "duplicate_rows_exact": exact,
        "sample_rows": sample.height,
        "types_breakdown": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
        "target": target,
        "task_type": task_type,
        "columns": described,
        "correlations": pairs,
        "leakage": suspects,
    }
    report["classes"] = _classes(target, task_type, columns)
    report["warnings"] = warnings_of(report)
    tell("done", 1.0)
    return report, sample


def _look_at(frame: pl.DataFrame, columns: list[_Column], repeated: RepeatedRows) -> pl.DataFrame:
    found = frame.select([e for column in columns for e in column.statistics()]).row(0)
    taken, at = [], 0
    for column in columns:
        width = len(column.statistics())
        taken.append(column.add(frame.get_column(column.name), list(found[at : at + width])))
        at += width
    frame = pl.DataFrame(taken)
    hashed = frame.select([pl.col(column.name).hash(column.seed) for column in columns])
    fingerprint = np.zeros(frame.height, dtype=np.uint64)
    for column, series in zip(columns, taken, strict=True):
        hashes = hashed.get_column(column.name).to_numpy()
        fingerprint = (fingerprint ^ hashes) * np.uint64(0x9E3779B97F4A7C15)
        column.count(series, hashes)
    repeated.add(fingerprint)
    return frame


def _simple(name: str, dtype: pl.DataType) -> pl.Expr:
    """The column as a number, boolean, time or text, where an expression can do it."""
    column = pl.col(name)
    if dtype.is_decimal():
        return column.cast(pl.Float64)
    if dtype == pl.Duration:
        return (column.dt.total_microseconds().cast(pl.Float64) / 1e6).alias(name)
    if isinstance(dtype, pl.Categorical | pl.Enum | pl.Time):
        return column.cast(pl.String)
    return column


def _odd(dtype: pl.DataType) -> bool:
    """Whether values must be made text one by one: lists, structures, bytes, objects."""
    return dtype.is_nested() or dtype == pl.Binary or dtype == pl.Object


def _plain_columns(frame: pl.DataFrame) -> pl.DataFrame:
    odd = [name for name, dtype in frame.schema.items() if _odd(dtype)]
    texts = [
        pl.Series(
            name, [None if value is None else str(value) for value in frame.get_column(name).to_list()], pl.String
        )
        for name in odd
    ]
    return frame.with_columns(texts) if odd else frame


def _describe(
    column: _Column, values: pl.Series, once: pl.Series, total: int, repeats: int, schema: pl.Schema
) -> dict[str, Any]:
    """All that is known of a column, as JSON; ``once`` is the sample without rows that repeat an earlier one."""
    known = values.drop_nulls()
    described: dict[str, Any] = {
        "dtype": str(schema[column.name]),
        "missing": column.missing,
        "missing_share": column.missing / total if total else 0.0,
        "n_unique": min(column.distinct.count, total - column.missing),
        "n_unique_exact": column.distinct.exact,
        **_top(column, known, total),
    }
    if column.numeric:
        described |= _numbers(column, known, complete=len(values) == total)
    elif column.temporal:
        described |= {"min": plain(column.first), "max": plain(column.last)}
    elif column.dtype == pl.String:
        described["blank"] = column.blank
    kind, more = kind_of(column.name, column.dtype, described, once.drop_nulls(), total, repeats)
    if kind == "datetime" and column.ascending and (column.temporal or more["date_format"].startswith("%Y")):
        more["ascending"] = True
    if repeats_one(column.name, kind, described, total, repeats):
        more["repeated_key"] = True
    if kind == "categorical" and (ways := alike(column.counts or known.unique().to_list())):
        more["alike"] = ways[:3]
    return {"kind": kind, **described, **more}


def _top(column: _Column, known: pl.Series, total: int) -> dict[str, Any]:
    given = total - column.missing
    if column.counts is not None:
        ordered = sorted(column.counts.items(), key=lambda item: (-item[1], str(item[0])))[:TOP]
        return {"top": [{"value": plain(v), "count": n, "share": n / given} for v, n in ordered], "top_exact": True}
    counted = known.value_counts(sort=True).head(TOP)
    pairs = zip(counted.to_series(0).to_list(), counted.to_series(1).to_list(), strict=True)
    return {"top": [{"value": plain(v), "count": None, "share": n / len(known)} for v, n in pairs], "top_exact": False}


def _classes(target: str | None, task_type: str | None, columns: list[_Column]) -> list[dict[str, Any]] | None:
    """All classes of the target with their rows, the most frequent first; None for numbers or too many classes."""
    if task_type in (None, "regression"):
        return None
    for column in columns:
        if column.name == target and column.counts is not None:
            given = max(1, sum(column.counts.values()))
            ordered = sorted(column.counts.items(), key=lambda item: (-item[1], str(item[0])))
            return [{"value": plain(value), "count": n, "share": n / given} for value, n in ordered]
    return None


def _numbers(column: _Column, known: pl.Series, *, complete: bool) -> dict[str, Any]:
    moments = column.moments
    found: dict[str, Any] = {
        "min": plain(moments.low) if moments.n else None,
        "max": plain(moments.high) if moments.n else None,
        "mean": plain(moments.mean) if moments.n else None,
        "std": plain(moments.std),
        "skew": plain(moments.skew),
        "nan": column.nan,
        "infinite": column.infinite,
    }
    numbers = known.cast(pl.Float64).to_numpy()
    numbers = numbers[np.isfinite(numbers)]
    if len(numbers):
        with np.errstate(all="ignore"):
            points = np.quantile(numbers, QUANTILES)
            spread = float(np.ptp(numbers))
        found["quantiles"] = {f"p{round(100 * q):02d}": plain(float(v)) for q, v in zip(QUANTILES, points, strict=True)}
        found["quantiles_exact"] = complete
        if 0 < spread < math.inf:
            counts, edges = np.histogram(numbers, bins=_bins(numbers, spread))
            found["histogram"] = {"counts": counts.tolist(), "edges": edges.tolist()}
    return found


def _bins(numbers: np.ndarray, spread: float) -> int:
    """20, but fewer where floats between lowest and highest are too few to part them."""
    return 20 if spread > 1e-12 * float(np.abs(numbers).max()) else 1


def plain(value: Any) -> Any:
    """A value as JSON: numbers that are not finite as None, dates as ISO 8601."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value
