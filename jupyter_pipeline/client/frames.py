"""Data frames on their way out and in: Parquet files to upload, JSON rows to predict."""

import contextlib
import datetime
import decimal
import math
import numbers
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import PipelineError

if TYPE_CHECKING:
    import pandas
    import polars


@contextlib.contextmanager
def as_file(data: Any) -> Iterator[Path]:
    """A data file: the one named, or a frame written as Parquet for as long as the context lasts.

    Parameters
    ----------
    data : pandas.DataFrame, polars.DataFrame, polars.LazyFrame or path
        What to give to a project.

    Raises
    ------
    PipelineError
        If it is none of these, or there is nothing in it.
    """
    if isinstance(data, str | Path):
        if "://" in str(data):
            raise PipelineError(
                f"{str(data)!r} is an address; say it in the request: p.chat('Predict ... from {data}')."
            )
        path = Path(data).expanduser()
        if not path.is_file():
            what = "is a folder, not a file" if path.is_dir() else "does not exist"
            raise PipelineError(f"{str(data)!r} {what}; attach a data file or a pandas or Polars frame.")
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="jupyter_pipeline-") as folder:
        path = Path(folder) / "data.parquet"
        _write(data, path)
        yield path


def _write(data: Any, path: Path) -> None:
    lazy = _is(data, "polars", "LazyFrame")
    frame: Any = data if lazy else to_polars(data)
    if not lazy and (frame.width == 0 or frame.height == 0):
        raise PipelineError(f"The frame is empty ({frame.height} rows, {frame.width} columns).")
    import polars

    try:
        frame.sink_parquet(path) if lazy else frame.write_parquet(path)
    except (polars.exceptions.PolarsError, OSError) as error:
        why = str(error).partition("\n\n")[0]  # what follows is the plan of a lazy frame
        raise PipelineError(f"The frame could not be written as Parquet: {why}") from error


def to_polars(data: Any) -> "polars.DataFrame":
    """A frame as a Polars frame; a pandas frame's index is kept where it has a name, and Python objects become text."""
    if _is(data, "polars", "LazyFrame"):
        data = data.collect()
    if _is(data, "polars", "DataFrame"):
        objects = [name for name, dtype in data.schema.items() if str(dtype) == "Object"]
        return data.with_columns([_texts(name, data[name].to_list()) for name in objects])  # type: ignore[no-any-return]
    if not _is(data, "pandas", "DataFrame"):
        raise PipelineError(
            f"A value of type {type(data).__name__} cannot be read as data; give a pandas or Polars frame, or the path "
            "of a data file."
        )
    import polars

    # As after set_index("id", drop=False): what is a column already is not kept twice.
    if twice := [name for name in data.index.names if name is not None and name in data.columns]:
        data = data.reset_index(level=twice, drop=True)
    if any(name is not None for name in data.index.names):
        data = data.reset_index(allow_duplicates=True)
    names = [_text(name) for name in data.columns]
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise PipelineError(f"Column names must differ from each other; twice there: {', '.join(twice)}.")
    return polars.DataFrame([_series(name, data.iloc[:, i]) for i, name in enumerate(names)])


def read_file(path: Path) -> "polars.DataFrame | pandas.DataFrame":
    """The rows of a file, as the ``predict.py`` of a bundle reads them; Parquet, Arrow and Excel by Polars."""
    import polars

    from ..automl.inference import PredictError, read_rows

    binary: dict[str, Any] = {
        ".parquet": polars.read_parquet,
        ".pq": polars.read_parquet,
        ".feather": polars.read_ipc,
        ".arrow": polars.read_ipc,
        **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), _largest_sheet),
    }
    try:
        return binary.get(path.suffix.lower(), read_rows)(path)
    except (PredictError, OSError, polars.exceptions.PolarsError) as error:
        raise PipelineError(f"{path} could not be read: {error}") from error


def _largest_sheet(path: Path) -> "polars.DataFrame":
    import polars
    from fastexcel import FastExcelError

    try:
        sheets = polars.read_excel(path, sheet_id=0, raise_if_empty=False)
    except FastExcelError as error:
        raise OSError(f"it is no Excel file ({error})") from None
    return max(sheets.values(), key=lambda sheet: sheet.height * sheet.width)


def rows_of(data: Any) -> list[dict[str, Any]]:
    """A frame's rows as JSON values: missing and not finite become null, dates ISO 8601 text."""
    frame = to_polars(data)
    return [{key: _json(value) for key, value in row.items()} for row in frame.iter_rows(named=True)]


def prediction_frame(answer: dict[str, Any], index: Any = None) -> "pandas.DataFrame":
    """The answer to a prediction request as a frame: ``prediction`` and ``proba_<class>`` for each class."""
    import pandas

    columns: dict[str, Any] = {"prediction": answer["predictions"]}
    proba = answer.get("probabilities")
    if proba:
        for i, name in enumerate(proba["classes"]):
            columns[f"proba_{name}"] = [row[i] for row in proba["values"]]
    return pandas.DataFrame(columns, index=index)


def _is(value: Any, package: str, name: str) -> bool:
    """Whether a value is of a package's class, without importing the package."""
    return any(cls.__name__ == name and cls.__module__.partition(".")[0] == package for cls in type(value).__mro__)


def _series(name: str, column: Any) -> "polars.Series":
    import polars

    kind = str(column.dtype)
    if kind.startswith("datetime64"):
        text = column.dt.tz_convert("UTC").dt.tz_localize(None) if getattr(column.dt, "tz", None) else column
        values = text.to_numpy().astype("datetime64[us]")
        return polars.Series(name, values, dtype=polars.Datetime("us"))
    if kind.startswith("timedelta64"):
        return polars.Series(name, column.to_numpy().astype("timedelta64[us]"), dtype=polars.Duration("us"))
    if column.dtype.kind in "biuf" and not hasattr(column.dtype, "na_value"):
        wide = column.dtype.itemsize > 8  # long double
        series = polars.Series(name, column.to_numpy(float) if wide else column.to_numpy())
        return series.fill_nan(None) if series.dtype.is_float() else series
    missing = column.isna().to_numpy()
    values = [None if gone else value for value, gone in zip(column.tolist(), missing, strict=True)]
    with contextlib.suppress(TypeError, UnicodeEncodeError, polars.exceptions.PolarsError):
        series = polars.Series(name, values, strict=True)
        if series.dtype != polars.Object:  # as of intervals, periods, complex numbers: no file holds those
            return series
    if all(value is None or _is_number(value) for value in values):  # 1 and 2.5, which are no text
        return polars.Series(name, [None if value is None else float(value) for value in values])
    return _texts(name, values)


def _texts(name: str, values: list[Any]) -> "polars.Series":
    import polars

    return polars.Series(name, [None if value is None else _text(value) for value in values], dtype=polars.String)


def _text(value: Any) -> str:
    """A value as text; halves of characters, which no file holds, become question marks."""
    return str(value).encode("utf-8", "replace").decode()


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real | decimal.Decimal) and not isinstance(value, bool)


def _json(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, decimal.Decimal):
        return float(value)
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)
