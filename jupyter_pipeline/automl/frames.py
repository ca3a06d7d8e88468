"""From Polars, which reads, to pandas, which scikit-learn takes: column by column, without pyarrow."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl

_NO_NUMPY = (pl.Int128, pl.UInt128)


def to_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    """A pandas copy of a Polars frame.

    Integers with missing values become float64 (Int64 or UInt64 where float64 would not tell them apart), dates and
    times datetime64[us], everything that is no number, boolean or time becomes text (``None`` where it is missing).

    Parameters
    ----------
    frame : polars.DataFrame
        Any columns.
    """
    columns = {name: _column(frame.get_column(name)) for name in frame.columns}
    return pd.DataFrame(columns, index=pd.RangeIndex(frame.height), copy=False)


def _column(column: pl.Series) -> Any:
    dtype = column.dtype
    if dtype in (pl.Int64, pl.UInt64) and column.null_count() and _largest(column) >= 2**53:
        return pd.arrays.IntegerArray(column.fill_null(0).to_numpy(writable=True), column.is_null().to_numpy())
    if dtype.is_integer() or dtype.is_float():
        if (column.null_count() and dtype.is_integer()) or dtype in _NO_NUMPY or dtype in (pl.Float16, pl.Float32):
            column = column.cast(pl.Float64)
        return column.to_numpy()
    if dtype.is_decimal():
        return column.cast(pl.Float64).to_numpy()
    if dtype == pl.Boolean:
        return _objects(column) if column.null_count() else column.to_numpy()
    if dtype == pl.Date:
        return column.cast(pl.Datetime("us")).to_numpy().astype("datetime64[us]")
    if dtype == pl.Datetime:
        if getattr(dtype, "time_zone", None):
            column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return column.to_numpy().astype("datetime64[us]")
    if dtype == pl.Duration:
        return column.dt.total_microseconds().cast(pl.Float64).to_numpy() / 1e6
    if dtype == pl.Null:
        return np.full(len(column), None, dtype=object)
    if dtype in (pl.Categorical, pl.Enum, pl.Time):
        column = column.cast(pl.String)
    elif dtype.is_nested():
        texts = np.empty(len(column), dtype=object)
        texts[:] = [None if value is None else str(value) for value in column.to_list()]
        return texts
    return _objects(column)


def _largest(column: pl.Series) -> int:
    low, high = column.min(), column.max()
    return 0 if low is None else max(-int(low), int(high))  # type: ignore[arg-type]


def _objects(column: pl.Series) -> np.ndarray:
    values = np.empty(len(column), dtype=object)
    values[:] = column.to_list()
    return values
