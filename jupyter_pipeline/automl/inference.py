"""Predict rows with a saved model: ``python predict.py rows.csv --out predictions.csv``.

This file stands alone. Training turns columns into features and predicts by the functions below, and an exported
bundle carries this file as its ``predict.py``, so both come to the same numbers. A model folder holds ``model.json``
(what the model is), ``features.skops`` (what was learned of the columns) and the estimator's own file; no pickle.
"""

import argparse
import bz2
import contextlib
import csv
import decimal
import gzip
import json
import lzma
import re
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

FORMAT = 5
#: Formats that can be read; before 3 no estimator had units of its own, before 4 each column's state was by itself,
#: before 5 trees of very many classes were stored with all zeros.
_READ = (2, 3, 4, FORMAT)
#: Types beside those that skops trusts by itself which a saved model of ours may hold.
TRUSTED = (
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn._loss.loss.HalfSquaredError",
)
CURRENCIES = (
    r"[$€£¥₹₽₩₺₪₫₱฿]|US\$|A\$|C\$|R\$|USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR"
    r"|kr|Rs\.?"
)


_MINUS, _APOSTROPHES = "-\u2212", "'\u2019"


def _written(group: str, point: str) -> "re.Pattern[str]":
    n, signs, unit = "[0-9]", f"[{_MINUS}+]?", f"(?:{CURRENCIES})"
    digits = rf"{n}{{1,3}}(?:[{group}{_APOSTROPHES}\s]{n}{{3}})+(?:{point}{n}*)?|{n}+(?:{point}{n}*)?|{point}{n}+"
    return re.compile(rf"(?i)^\s*\(?\s*{signs}\s*{unit}?\s*{signs}({digits})\s*(?:{unit}|%)?\s*\)?\s*$")


#: Numbers with a currency, a percent sign or separators of thousands; by whether decimals follow a comma.
WRITTEN = {False: _written(",", r"\."), True: _written(r"\.", ",")}
#: What is between their digits beside the sign of the decimals, and what makes them negative.
GROUPS = {False: rf"[,{_APOSTROPHES}\s]", True: rf"[.{_APOSTROPHES}\s]"}
NEGATIVE = f"[{_MINUS}(]"
#: Durations as pandas and ISO 8601 write them.
_DURATION = re.compile(
    r"-?(\d{1,6} days?( [+-]?\d\d:\d\d:\d\d(\.\d{1,9})?)?|P(\d{1,6}D)?(T(\d{1,6}H)?(\d{1,6}M)?(\d{1,6}S)?)?)$"
)
_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,40}\s*$")
_PACKED: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_EXCEL = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
#: What columns of numbers hold; ``integer``: whole ones so large that float64 does not tell them apart.
_NUMBERS = ("number", "integer")
_TRUE = {"true", "1", "1.0", "t", "yes"}
_FALSE = {"false", "0", "0.0", "f", "no"}
_DAY = 24 * 3600.0
_FEW_CELLS = 200_000
#: Features end here, so that differences between them are still numbers in float32.
_MOST = 1e38


class PredictError(ValueError):
    """The rows or the model folder cannot be used; the message says what would be right."""


# -- values ------------------------------------------------------------------------------------------------


def text_of(value: Any, *, dtype: str = "string") -> str:
    """A single value as the text by which categories are compared; missing values and infinity are ``""``."""
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)) if dtype == "string" else str(bool(value)).lower()
    if isinstance(value, int | np.integer):
        return str(int(value)) if dtype != "boolean" else str(bool(value)).lower()
    if isinstance(value, float | np.floating):
        number = float(value)
        if not np.isfinite(number):
            return ""
        if dtype == "boolean":
            return str(bool(number)).lower()
        return str(int(number)) if number.is_integer() and (abs(number) < 1e15 or dtype == "integer") else repr(number)
    if isinstance(value, str):
        if dtype == "boolean":
            low = value.strip().lower()
            return "true" if low in _TRUE else "false" if low in _FALSE else low
        if dtype == "integer" and _WHOLE.match(value):
            return str(int(value))
        if dtype in _NUMBERS:
            try:
                return text_of(float(value), dtype=dtype) if value else ""
            except ValueError:
                return value
        return value
    if isinstance(value, decimal.Decimal):
        return text_of(float(value), dtype=dtype)
    if hasattr(value, "total_seconds"):  # durations are numbers of seconds in training
        return text_of(float(value.total_seconds()), dtype=dtype)
    return value.isoformat() if hasattr(value, "isoformat") else str(_listed(value))


def _listed(value: Any) -> Any:
    """What Parquet files hold in one cell, as lists and not as arrays, which are written otherwise."""
    if isinstance(value, np.ndarray | list):
        return [_listed(item) for item in value]
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def to_texts(column: pd.Series, dtype: str, missing: tuple[str, ...] = ()) -> np.ndarray:
    """The column as an array of texts, ``""`` where a value is missing.

    Parameters
    ----------
    column : pandas.Series
        Raw values.
    dtype : {"number", "integer", "boolean", "datetime", "string"}
        What the column held in training; texts are made comparable with those of training by it.
    missing : tuple of str
        Texts that count as missing.
    """
    if dtype == "datetime":
        seconds = to_seconds(column)
        days = ["" if np.isnan(s) else pd.Timestamp(round(s * 1e6), unit="us").isoformat() for s in seconds]
        return np.array(days, dtype=object)
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        codes, values = pd.factorize(column.to_numpy(dtype=np.float64, na_value=np.nan))
        if not pd.api.types.is_integer_dtype(column.dtype) or (len(values) and np.abs(values).max() < 2**53):
            table = np.array([*(text_of(value, dtype=dtype) for value in values), ""], dtype=object)
            return np.asarray(table[codes])
    found = distinct_texts(column)  # most columns repeat their values: each is looked at once
    values_list = column.astype(object).tolist() if found is None else [*found[1], None]
    texts = [text_of(value, dtype=dtype) for value in values_list]
    if missing:
        gone = set(missing)
        texts = [
            "" if text in gone or (isinstance(value, str) and value in gone) else text  # "NA" is "na" among booleans
            for value, text in zip(values_list, texts, strict=True)
        ]
    result = np.empty(len(texts), dtype=object)
    result[:] = texts
    return result if found is None else np.asarray(result[found[0]])


def holds_texts(column: pd.Series) -> bool:
    """Whether a column's type is one that texts come in."""
    return bool(column.dtype == object) or isinstance(column.dtype, pd.StringDtype)


def distinct_texts(column: pd.Series) -> tuple[np.ndarray, list[str]] | None:
    """A code for each row (-1 where it is missing) and the texts that they stand for; None if not all are texts."""
    if not holds_texts(column) or pd.api.types.infer_dtype(column, skipna=True) != "string":
        return None
    codes, values = pd.factorize(column)
    return codes, values.tolist()


def to_numbers(column: pd.Series, dtype: str = "number") -> np.ndarray:
    """The column as float64; what is missing, infinite or no number is NaN."""
    if pd.api.types.is_bool_dtype(column.dtype) or dtype == "boolean":
        texts = to_texts(column, "boolean")
        return np.where(texts == "true", 1.0, np.where(texts == "false", 0.0, np.nan))
    if dtype == "datetime" or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return to_seconds(column)
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan).copy()
    elif pd.api.types.is_timedelta64_dtype(column.dtype):
        values = column.dt.total_seconds().to_numpy(dtype=np.float64).copy()
    else:
        parsed = pd.to_numeric(pd.Series(column.astype(object).tolist(), dtype=object), errors="coerce")
        values = parsed.to_numpy(dtype=np.float64, na_value=np.nan).copy()
    values[~np.isfinite(values)] = np.nan
    return np.asarray(values)


def to_seconds(column: pd.Series, day_first: bool = False) -> np.ndarray:
    """Dates and times as seconds since 1970 (UTC where they name no zone); what is no date is NaN."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        times = column
    elif pd.api.types.is_numeric_dtype(column.dtype):
        times = pd.to_datetime(pd.Series(np.full(len(column), None, dtype=object)), utc=True, errors="coerce")
    else:
        values = pd.Series(column.astype(object).tolist(), dtype=object)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            times = pd.to_datetime(values, format="ISO8601", utc=True, errors="coerce")
            rest = times.isna() & values.notna() & (values != "")
            if rest.any():
                others = pd.to_datetime(values[rest], format="mixed", utc=True, errors="coerce", dayfirst=day_first)
                times = times.astype("datetime64[us, UTC]")
                times[rest] = others.astype("datetime64[us, UTC]")
    if getattr(times.dtype, "tz", None) is not None:
        times = times.dt.tz_convert("UTC").dt.tz_localize(None)
    micros = times.to_numpy(dtype="datetime64[us]")
    seconds = micros.astype(np.int64).astype(np.float64) / 1e6
    seconds[np.isnat(micros)] = np.nan
    return np.asarray(seconds)


# -- features ----------------------------------------------------------------------------------------------


def date_parts(seconds: np.ndarray) -> dict[str, np.ndarray]:
    """What a model can use of dates: the time line, and the circles of year, week and day."""
    known = ~np.isnan(seconds)
    micros = (np.where(known, seconds, 0.0) * 1e6).round().astype(np.int64).astype("datetime64[us]")
    days = micros.astype("datetime64[D]")
    months = micros.astype("datetime64[M]")
    year = micros.astype("datetime64[Y]").astype(np.int64) + 1970.0
    month = months.astype(np.int64) % 12 + 1.0
    day = (days - months.astype("datetime64[D]")).astype(np.int64) + 1.0
    weekday = (days.astype(np.int64) + 3) % 7 + 0.0
    hour = (micros - days.astype("datetime64[us]")).astype(np.int64) / 3.6e9
    circles = {"month": (month - 1) / 12, "weekday": weekday / 7, "hour": hour / 24}
    parts = {"days": micros.astype(np.int64) / (_DAY * 1e6), "year": year, "month": month, "day": day}
    parts |= {"weekday": weekday, "hour": hour}
    for name, turn in circles.items():
        parts[f"{name}_sin"] = np.sin(2 * np.pi * turn)
        parts[f"{name}_cos"] = np.cos(2 * np.pi * turn)
    return {name: np.where(known, part, np.nan) for name, part in parts.items()}


def _looked_up(column: pd.Series, state: dict[str, Any], missing: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A column's texts, and the number of the category that each is; -1 for one that was not in the training rows."""
    texts = to_texts(column, state["dtype"], missing)
    if state["longest"]:
        texts = np.array([text[: state["longest"]] for text in texts], dtype=object)
    return texts, pd.Index(state["categories"].astype(object)).get_indexer(pd.Index(texts, dtype=object))


def _encode_column(column: pd.Series, state: dict[str, Any], missing: tuple[str, ...]) -> np.ndarray:
    """The features of one column, shape (n_rows, number of the column's features), float32."""
    kind, dtype = state["kind"], state["dtype"]
    if kind == "table":
        _, found = _looked_up(column, state, missing)
        return np.asarray(state["table"][found])  # -1, unknown, is the table's last row
    if kind == "text":
        texts = to_texts(column, dtype, missing)
        matrix = state["vectorizer"].transform(texts)
        dense = matrix.toarray() if state["svd"] is None else state["svd"].transform(matrix)
        return np.asarray(dense / state["scale"], dtype=np.float32)
    if kind == "datetime":
        parts = date_parts(to_seconds(column, state["day_first"]))
        values = np.column_stack([parts[name] for name in state["parts"]])
    else:
        values = to_numbers(column, dtype)[:, None]
    gone = np.isnan(values)
    with np.errstate(over="ignore"):  # cut below
        values = (np.where(gone, state["fill"], values) - state["fill"]) / state["scale"]
    if state["indicator"]:
        values = np.column_stack([values, gone[:, :1]])
    return np.asarray(np.clip(values, -_MOST, _MOST), dtype=np.float32)


def _seconds_of(text: str) -> float:
    """A duration in seconds; NaN if it is none."""
    span = pd.to_timedelta(text, errors="coerce")
    return float("nan") if span is pd.NaT else float(span.total_seconds())


def written_number(text: str, *, decimal_comma: bool = False) -> float:
    """The number that a text such as ``$1,234.50``, ``12 %`` or ``(300)`` stands for; NaN if it is none.

    Percentages become shares, and durations (``1 days 02:00:00``, ``PT1H``) seconds. What is a number without further
    ado (``1.5``) is taken as that also where decimals follow a comma, since rows to predict may come from elsewhere
    than the training data.
    """
    with contextlib.suppress(ValueError):
        if "_" not in text:
            return float(text)
    found = WRITTEN[decimal_comma].match(text)
    if found is None:
        return _seconds_of(text) if _DURATION.match(text) else float("nan")
    number = float(re.sub(GROUPS[decimal_comma], "", found.group(1)).replace(",", "."))
    number = -number if re.search(NEGATIVE, text) else number
    return number / 100 if "%" in text else number


def _numbers_written(column: pd.Series, decimal_comma: bool) -> pd.Series:
    """The column with texts such as ``$5`` as the numbers that they stand for."""
    odd = np.isnan(to_numbers(column)) & column.notna().to_numpy()
    if not odd.any():
        return column
    values = column.astype(object).tolist()
    known: dict[str, float] = {}
    for i in np.flatnonzero(odd):
        text = str(values[i])
        if text not in known:
            known[text] = written_number(text, decimal_comma=decimal_comma)
        if not np.isnan(known[text]):
            values[i] = known[text]
    return pd.Series(values, index=column.index, dtype=object)


def encode(frame: pd.DataFrame, features: dict[str, Any]) -> np.ndarray:
    """Turn raw columns into the matrix that estimators take.

    Parameters
    ----------
    frame : pandas.DataFrame
        Raw rows; columns that the model does not know are left out.
    features : dict
        What was learned of the training rows (``features.skops``).

    Returns
    -------
    numpy.ndarray of shape (n_rows, n_features), float32

    Raises
    ------
    PredictError
        If columns are missing; they are named.
    """
    by_name: dict[str, int] = {}
    for i, name in enumerate(frame.columns):
        by_name.setdefault(str(name), i)
    wanted = [state["name"] for state in features["columns"]]
    lacking = [name for name in wanted if name not in by_name]
    if lacking:
        raise PredictError(
            f"The rows lack {_named(lacking)}. The model needs {_named(wanted)}; "
            "a column may be empty, but it must be there."
        )
    missing = tuple(features["missing"])
    blocks = []
    for state in features["columns"]:
        column = frame.iloc[:, by_name[state["name"]]]
        if state["dtype"] in _NUMBERS and holds_texts(column):
            column = _numbers_written(column, bool(features.get("decimal_comma")))
        blocks.append(_encode_column(column, state, missing))
    if not blocks:
        return np.zeros((len(frame), 1), dtype=np.float32)
    return np.ascontiguousarray(np.hstack(blocks))


def _named(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return ("column " if len(names) == 1 else "columns ") + shown


# -- estimators --------------------------------------------------------------------------------------------


#: What an estimator's zero and its one are in the units of the target (regression).
Units = tuple[float, float]


class Member(NamedTuple):
    """A model of an ensemble: whose estimator it is, how many of its iterations count (None for all), its units (None
    for those of the target), its weight."""

    kind: str
    estimator: Any
    iterations: int | None
    units: Units | None
    weight: float


def predict_matrix(
    kind: str,
    estimator: Any,
    matrix: np.ndarray,
    task_type: str,
    n_classes: int,
    iterations: int | None,
    units: Units | None = None,
) -> np.ndarray:
    """What an estimator says of encoded rows.

    Parameters
    ----------
    kind : {"skops", "lightgbm", "xgboost", "catboost", "ensemble"}
        Whose estimator it is.
    estimator : object
        A scikit-learn estimator, the library's booster, or the list of an ensemble's members.
    matrix : numpy.ndarray of shape (n_rows, n_features)
        From :func:`encode`.
    task_type : {"binary", "multiclass", "regression"}
    n_classes : int
        How many classes the target has; 0 for regression.
    iterations : int or None
        How many of a booster's iterations count; None for all.
    units : (float, float) or None
        What the estimator's zero and one are in the units of the target; None where it predicts in these.

    Returns
    -------
    numpy.ndarray
        float64: values of shape (n_rows,) for regression, else probabilities of shape (n_rows, n_classes).
    """
    if kind == "ensemble":
        parts = [
            one.weight
            * predict_matrix(one.kind, one.estimator, matrix, task_type, n_classes, one.iterations, one.units)
            for one in estimator
        ]
        return np.asarray(np.sum(parts, axis=0))
    few = matrix.size < _FEW_CELLS  # then threads cost more than they bring
    if kind == "lightgbm":
        raw = estimator.predict(matrix, num_iteration=iterations or -1, num_threads=1 if few else 0)
    elif kind == "xgboost":
        import xgboost

        estimator.set_param({"nthread": 1 if few else 0})
        rows = xgboost.DMatrix(matrix, nthread=1 if few else None)
        raw = estimator.predict(rows, iteration_range=(0, iterations or 0))
    elif kind == "catboost":
        how = "RawFormulaVal" if task_type == "regression" else "Probability"
        raw = estimator.predict(matrix, prediction_type=how, ntree_end=iterations or 0, thread_count=1 if few else -1)
    else:
        predict = estimator.predict if task_type == "regression" else estimator.predict_proba
        threads = getattr(estimator, "n_jobs", None)
        raw = _by_rows(estimator, predict, matrix, 1 if few else threads) if threads else predict(matrix)
    values = np.asarray(raw, dtype=np.float64)
    if task_type == "regression":
        return in_units(values.reshape(-1), units)
    if values.ndim == 1:
        values = np.column_stack([1.0 - values, values])
    if values.shape[1] < n_classes:  # the training rows lacked a class
        every = np.zeros((len(values), n_classes))
        every[:, np.asarray(estimator.classes_, dtype=np.int64)] = values
        values = every
    values = np.clip(values, 0.0, 1.0)
    return np.asarray(values / values.sum(axis=1, keepdims=True), dtype=np.float64)


def in_units(values: np.ndarray, units: Units | None) -> np.ndarray:
    """An estimator's values in the units of the target."""
    return values if units is None else np.asarray(values * units[1] + units[0])


def _by_rows(forest: Any, predict: Any, matrix: np.ndarray, threads: int) -> np.ndarray:
    """A forest's predictions, each thread those of some rows.

    Its own threads take some trees each, and add them up as they come: the sums differ from call to call in their last
    digits, and with them which of two equal rows comes first.
    """
    threads = max(1, min(threads, len(matrix)))
    own, forest.n_jobs = forest.n_jobs, None
    try:
        with ThreadPoolExecutor(threads) as pool:
            return np.concatenate(list(pool.map(predict, np.array_split(matrix, threads))))
    finally:
        forest.n_jobs = own


def decide(probabilities: np.ndarray, threshold: float | None) -> np.ndarray:
    """Codes of the predicted classes; in a binary task class 1 from the threshold on."""
    if probabilities.shape[1] == 2:
        return (probabilities[:, 1] >= (0.5 if threshold is None else threshold)).astype(np.int64)
    return np.asarray(probabilities.argmax(axis=1))


class Model:
    """A model as it was saved.

    Attributes
    ----------
    spec : dict
        ``model.json``.
    task_type, target, columns, classes, positive_class : as in ``spec``
    threshold : float or None
        From what probability a row is of the positive class (binary tasks); None for 0.5. May be set.
    """

    def __init__(self, spec: dict[str, Any], features: dict[str, Any], estimator: Any) -> None:
        self.spec = spec
        self.features = features
        self.estimator = estimator
        self.task_type: str = spec["task_type"]
        self.target: str = spec["target"]
        self.columns: list[dict[str, str]] = spec["columns"]
        self.classes: list[Any] | None = spec["classes"]
        self.positive_class: Any = spec["positive_class"]
        self.threshold: float | None = spec["threshold"]

    def raw(self, frame: pd.DataFrame) -> np.ndarray:
        """Values of shape (n_rows,) for regression, else probabilities of shape (n_rows, n_classes)."""
        if len(frame) == 0:
            return np.zeros(0 if self.classes is None else (0, len(self.classes)))
        return self.raw_of(self.matrix(frame))

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        """Rows as the estimator takes them."""
        return encode(frame, self.features)

    def raw_of(self, matrix: np.ndarray) -> np.ndarray:
        """As :meth:`raw`, of encoded rows."""
        about = self.spec["estimator"]
        how = about.get("iterations"), _units_of(about)
        return predict_matrix(about["kind"], self.estimator, matrix, self.task_type, len(self.classes or ()), *how)

    def predict(self, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray | None]:
        """Predict rows.

        Parameters
        ----------
        frame : pandas.DataFrame of n rows
            Raw columns as in training, in any order; those that the model does not use are left out.

        Returns
        -------
        predictions : numpy.ndarray of shape (n,)
            Numbers, or classes as they were in the data.
        probabilities : numpy.ndarray of shape (n, n_classes) or None
            In the order of ``classes``; None for regression.

        Raises
        ------
        PredictError
            If columns are missing.
        """
        raw = self.raw(frame)
        if self.classes is None:
            return raw, None
        labels = np.empty(len(self.classes), dtype=object)
        labels[:] = self.classes
        return labels[decide(raw, self.threshold)], raw

    def output(self, frame: pd.DataFrame) -> pd.DataFrame:
        """One line for each row, in order: ``prediction`` and, for classes, ``proba_<class>``."""
        predictions, probabilities = self.predict(frame)
        columns = {"prediction": predictions}
        if probabilities is not None:
            columns |= {f"proba_{label}": probabilities[:, i] for i, label in enumerate(self.classes or ())}
        return pd.DataFrame(columns)

    def remarks(self, frame: pd.DataFrame) -> list[str]:
        """What of the rows was left out, taken as missing or not known, in sentences."""
        known = {column["name"] for column in self.columns}
        extra = [str(name) for name in frame.columns if str(name) not in known and str(name) != self.target]
        notes = [f"The model does not use {_named(extra)}; left out."] if extra else []
        return notes + list(self.odd_values(frame).values())

    def odd_values(self, frame: pd.DataFrame) -> dict[str, str]:
        """Columns with values of which the model can make nothing, each with a sentence that says so."""
        notes: dict[str, str] = {}
        missing = tuple(self.features["missing"])
        for state in self.features["columns"]:
            name, dtype = state["name"], state["dtype"]
            column = frame[name] if name in frame.columns else None
            if not isinstance(column, pd.Series) or state["kind"] == "text":
                continue
            if state["kind"] == "table":
                texts, found = _looked_up(column, state, missing)
                given = texts != ""
                if given.any() and (found[given] < 0).all():
                    notes[name] = f"No value of column {name!r} was in the training rows, such as {texts[given][0]!r}."
                continue
            if dtype in _NUMBERS and holds_texts(column):
                column = _numbers_written(column, bool(self.features.get("decimal_comma")))
            dates = state["kind"] == "datetime"
            values = to_seconds(column, state["day_first"]) if dates else to_numbers(column, dtype)
            texts = to_texts(column[np.isnan(values) & column.notna().to_numpy()], "string", missing)
            if len(texts := texts[texts != ""]):
                what = "no dates" if dates else "neither true nor false" if dtype == "boolean" else "no finite numbers"
                notes[name] = f"Column {name!r} holds values that are {what}, such as {texts[0]!r}: taken as missing."
        return notes


def load_model(folder: str | Path) -> Model:
    """Load a model folder.

    Parameters
    ----------
    folder : str or pathlib.Path
        With ``model.json`` and the files that it names.

    Raises
    ------
    PredictError
        If the folder holds no such model, or one that cannot be loaded safely.
    """
    folder = Path(folder)
    try:
        spec = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PredictError(f"There is no model in {folder}: model.json cannot be read ({error}).") from None
    if spec.get("format") not in _READ:
        raise PredictError(
            f"The model in {folder} has format {spec.get('format')}; this program reads {FORMAT}. Train it again."
        )
    features = _unpacked(_load_skops(folder / spec["features"]))
    return Model(spec, features, _load_estimator(folder, spec["estimator"], spec["task_type"]))


def _unpacked(stored: dict[str, Any]) -> dict[str, Any]:
    """What was learned of the columns, from a file: most of it is one text in JSON."""
    if not isinstance(stored["columns"], str):
        return stored
    rest, columns = stored.pop("rest"), json.loads(stored["columns"])
    for i, column in enumerate(columns):
        column |= rest.get(str(i), {})
        column |= {key: np.array(column[key]) for key in ("fill", "scale") if isinstance(column.get(key), list)}
    return {**stored, "columns": columns}


def _load_estimator(folder: Path, spec: dict[str, Any], task_type: str) -> Any:
    kind = spec["kind"]
    if kind == "ensemble":
        return [
            Member(
                one["kind"], _load_estimator(folder, one, task_type), one["iterations"], _units_of(one), one["weight"]
            )
            for one in spec["members"]
        ]
    file = folder / spec["file"]
    if not file.is_file():
        raise PredictError(f"The model in {folder} is not complete: {file.name} is missing.")
    estimator: Any
    if kind == "lightgbm":
        import lightgbm

        estimator = lightgbm.Booster(model_file=str(file))
    elif kind == "xgboost":
        import xgboost

        estimator = xgboost.Booster(model_file=str(file))
    elif kind == "catboost":
        import catboost

        estimator = catboost.CatBoostRegressor() if task_type == "regression" else catboost.CatBoostClassifier()
        estimator.load_model(str(file))
    else:
        estimator = _load_skops(file)
        for one in getattr(estimator, "estimators_", ()):
            if isinstance(stored := getattr(one, "tree_", None), dict):
                one.tree_ = _tree(**stored)
    return estimator


def _tree(arguments: list[Any], places: np.ndarray, shares: np.ndarray, **state: Any) -> Any:
    """A tree of very many classes: what its nodes hold is stored without the zeros."""
    from sklearn.tree._tree import Tree

    tree = Tree(*arguments)
    values = np.zeros((state["node_count"], tree.n_outputs, tree.max_n_classes))
    values.ravel()[places] = shares
    tree.__setstate__({**state, "values": values})
    return tree


def _units_of(about: dict[str, Any]) -> Units | None:
    units = about.get("units")
    return None if units is None else (float(units[0]), float(units[1]))


def _load_skops(file: Path) -> Any:
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return skops.io.load(file, trusted=list(TRUSTED))
    except UntrustedTypesFoundException as error:
        raise PredictError(f"{file.name} holds types that no model of ours has, so it is not loaded: {error}") from None
    except OSError as error:
        raise PredictError(f"{file.name} cannot be read: {error}") from None


# -- rows --------------------------------------------------------------------------------------------------


def read_rows(file: str | Path, separator: str | None = None) -> pd.DataFrame:
    """Read rows to predict; CSV cells stay texts, so that nothing is guessed.

    Parameters
    ----------
    file : str or pathlib.Path
        CSV, TSV or text with blanks between its columns, JSON or NDJSON (all of them also compressed); Parquet or
        Feather where pyarrow is installed; Excel, of which the largest sheet is read, where openpyxl is (of older
        formats what pandas asks for).
    separator : str or None
        Between the cells of a CSV; None to find it in the first line.
    """
    file = Path(file)
    if not file.is_file():
        raise PredictError(f"There is no file {file}.")
    name = file.name.lower()
    packed = next((ending for ending in _PACKED if name.endswith(ending)), "")
    try:
        if name.endswith((".parquet", ".pq")):
            return pd.read_parquet(file)
        if name.endswith((".feather", ".arrow")):
            return pd.read_feather(file)
        if name.endswith(_EXCEL):
            sheets = pd.read_excel(file, sheet_name=None, dtype=object, keep_default_na=False, na_values=[""])
            return max(sheets.values(), key=lambda sheet: sheet.size)
        if name.removesuffix(packed).endswith((".json", ".ndjson", ".jsonl")):
            with _PACKED[packed](file) if packed else file.open("rb") as source:
                return _json_rows(source.read().decode("utf-8-sig"))
        return _read_csv(file, separator)
    except ImportError as error:
        why = str(error).splitlines()[0]
        raise PredictError(
            f"{file.name} cannot be read here: {why} Install what is missing, or save the rows as CSV."
        ) from None
    except (ValueError, OSError, EOFError, lzma.LZMAError) as error:
        raise PredictError(f"{file.name} cannot be read: {error}") from None


def _json_rows(text: str) -> pd.DataFrame:
    """A list of objects, one object, an object for each line, or columns as pandas writes them."""
    try:
        rows = json.loads(text)
    except ValueError:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(rows, dict) and rows:
        columns = list(rows.values())
        if all(isinstance(column, dict) for column in columns):  # {column: {row: value}}
            keys = dict.fromkeys(key for column in columns for key in column)
            return pd.DataFrame({name: [cells.get(key) for key in keys] for name, cells in rows.items()}, dtype=object)
        if all(isinstance(column, list) and len(column) == len(columns[0]) for column in columns):
            return pd.DataFrame(rows, dtype=object)
        rows = [rows]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it is no table; it should be a list of objects, one for each row.")
    return pd.DataFrame(rows, dtype=object)


#: Over so many lines the names of a CSV may go.
_HEAD_LINES = 50


def _read_csv(file: Path, separator: str | None) -> pd.DataFrame:
    with file.open("rb") as source:
        marked = source.read(2) in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1252", "latin-1"):
        options: dict[str, Any] = {"dtype": str, "encoding": encoding, "keep_default_na": False, "na_values": [""]}
        try:
            head = pd.read_csv(file, header=None, nrows=_HEAD_LINES, sep="\x01", quoting=csv.QUOTE_NONE, **options)
            first = ""
            for line in [] if head.empty else head.iloc[:, 0]:
                first += str(line)
                if first.count('"') % 2 == 0:  # else a name has a line break
                    break
            sep = separator or max(",;\t|", key=first.count)
            if separator is None and sep not in first and len(first.split()) > 1:  # columns with blanks between them
                rows = pd.read_csv(file, sep=r"\s+", low_memory=False, **options)
                # R names no column above the names of rows; it is called as in training.
                return rows if isinstance(rows.index, pd.RangeIndex) else rows.reset_index(names="Unnamed: 0")
            several = sep in first
            return pd.read_csv(file, sep=sep, index_col=False, skip_blank_lines=several, low_memory=False, **options)
        except UnicodeDecodeError:
            continue
    raise PredictError(f"{file.name} is no text in UTF-8, UTF-16 or Latin-1.")


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="predict.py", description="Predict the rows of a file with the model beside.")
    parser.add_argument(
        "rows", help="CSV, TSV, JSON, NDJSON, Parquet, Feather or Excel with the training data's columns"
    )
    parser.add_argument("--out", help="CSV to write, one line for each row, in order (default: standard output)")
    parser.add_argument("--model", default=str(Path(__file__).resolve().parent / "model"), help="the model's folder")
    parser.add_argument("--sep", help="separator of the CSV (default: found in its first line)")
    options = parser.parse_args(arguments)
    try:
        model = load_model(options.model)
        rows = read_rows(options.rows, options.sep)
        result = model.output(rows)
        for remark in model.remarks(rows):
            print(f"Note: {remark}", file=sys.stderr)
        result.to_csv(options.out or sys.stdout, index=False, lineterminator="\n")
    except (PredictError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
