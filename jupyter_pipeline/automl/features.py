"""Learn from the training rows how raw columns become features, column by column.

What is learned is kept as plain arrays (and scikit-learn's text parts), which :func:`.inference.encode` applies, in
training as well as in an exported bundle. Categories are encoded as scikit-learn's encoders do it and kept
as a table; the last row of a table stands for categories that training did not see.
"""

import json
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import KFold
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from .inference import date_parts, encode, to_numbers, to_seconds, to_texts

MAX_ONEHOT = 40
#: Categories are compared by their first characters, so that a table of them stays small.
MAX_CHARS = 200
#: Cells that target encoding may add in all: with many rows, columns and classes only the commonest classes are told.
MAX_TARGET_CELLS = 50_000_000
_TEXT_PARTS = 20
_TEXT_TERMS = 2000
_TEXT_ROWS = 50_000
_DATE_PARTS = ("year", "month", "day", "weekday", "hour")
_CIRCLES = ("month", "weekday", "hour")


def dtype_of(column: pd.Series) -> str:
    """What a column holds: ``number``, ``integer`` (whole numbers, some too large for float64), ``boolean``,
    ``datetime`` or ``string``."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return "boolean"
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "datetime"
    if pd.api.types.is_numeric_dtype(column.dtype):
        large = pd.api.types.is_integer_dtype(column.dtype) and len(column) and _largest(column) >= 2**53
        return "integer" if large else "number"
    if isinstance(column.dtype, pd.StringDtype):
        return "string"
    known = column.dropna()
    return "boolean" if len(known) and all(isinstance(value, bool) for value in known) else "string"


def _largest(column: pd.Series) -> int:
    low, high = column.min(), column.max()
    return 0 if low is pd.NA else max(-int(low), int(high))


def day_comes_first(column: pd.Series) -> bool:
    """Whether texts such as ``03/04/2021`` mean the third of April, by those whose day is above 12.

    Where there is none of these, dots say so (``03.04.2021``), and slashes and hyphens that the month comes first.
    """
    if dtype_of(column) != "string":
        return False
    found = column.dropna().astype(str).str.extract(r"^\s*(\d{1,2})([./-])(\d{1,2})[./-]\d{2,4}").dropna()
    first, second = ((found[place].astype(int) > 12).sum() for place in (0, 2))
    return bool(first > second or (first == second and (found[1] == ".").any()))


class Features(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn raw columns into a matrix for estimators.

    Parameters
    ----------
    columns : dict of str to str
        Treatment of each column: ``numeric``, ``onehot``, ``ordinal``, ``target_encode``, ``text``, ``datetime``,
        ``boolean`` or ``drop``.
    task_type : {"binary", "multiclass", "regression"}
        For target encoding.
    seed : int, default=0
        For cross-fitting and for reducing text.
    missing : tuple of str, default=()
        Texts that count as missing beside the empty one.
    decimal_comma : bool, default=False
        Whether texts to predict later write numbers with a comma; the rows to learn from hold numbers.

    Attributes
    ----------
    state_ : dict
        What was learned; :func:`.inference.encode` applies it.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"size": [1.0, 2.0, None, 4.0], "colour": ["red", "blue", "red", "blue"]})
    >>> features = Features({"size": "numeric", "colour": "onehot"}, "binary")
    >>> features.fit_transform(frame, [0, 1, 0, 1]).shape
    (4, 4)
    """

    def __init__(
        self,
        columns: dict[str, str],
        task_type: str,
        seed: int = 0,
        missing: tuple[str, ...] = (),
        decimal_comma: bool = False,
    ) -> None:
        self.columns = columns
        self.task_type = task_type
        self.seed = seed
        self.missing = missing
        self.decimal_comma = decimal_comma
        self._stored: bytes | None = None

    def fit(self, X: pd.DataFrame, y: Any = None) -> "Features":
        """Learn from training rows; see :meth:`fit_transform`."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: pd.DataFrame, y: Any = None) -> np.ndarray:
        """Learn from training rows and encode them; target encoding is cross-fitted.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_rows, n_columns)
            Training rows only.
        y : array-like of shape (n_rows,)
            Class codes or values.

        Returns
        -------
        numpy.ndarray of shape (n_rows, n_features), float32
        """
        target = None if y is None else np.asarray(y)
        states: list[dict[str, Any]] = []
        crossed: dict[int, np.ndarray] = {}
        for name, treatment in self.columns.items():
            if treatment == "drop":
                continue
            state, own = self._learn(X[name], name, treatment, target)
            if state is None:
                continue
            if own is not None:
                crossed[len(states)] = own
            states.append(state)
        self.state_: dict[str, Any] = {
            "missing": list(self.missing),
            "decimal_comma": self.decimal_comma,
            "columns": states,
        }
        self._stored = None
        matrix = encode(X, self.state_)
        if crossed:
            place = 0
            for i, state in enumerate(states):
                width = len(state["names"])
                if i in crossed:
                    matrix[:, place : place + width] = crossed[i]
                place += width
        return matrix

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Encode rows by what was learned."""
        check_is_fitted(self, "state_")
        return encode(X, self.state_)

    def stored(self) -> bytes:
        """What was learned, for a file; made once, as all models of a training hold the same."""
        import skops.io

        check_is_fitted(self, "state_")
        if self._stored is None:
            self._stored = bytes(skops.io.dumps(_packed(self.state_)))
        return self._stored

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the features, such as ``colour=red``."""
        check_is_fitted(self, "state_")
        names = [name for state in self.state_["columns"] for name in state["names"]]
        return np.array(names or ["constant"], dtype=object)

    def _learn(
        self, column: pd.Series, name: str, treatment: str, y: np.ndarray | None
    ) -> tuple[dict[str, Any] | None, np.ndarray | None]:
        base = {"name": name, "treatment": treatment, "dtype": dtype_of(column)}
        if treatment == "numeric":
            return _learn_numbers(column, base), None
        if treatment == "datetime":
            return _learn_dates(column, base), None
        texts = to_texts(column, base["dtype"], tuple(self.missing))
        if treatment == "text":
            return _learn_text(texts, base, self.seed), None
        return self._learn_categories(texts, base, y)

    def _learn_categories(
        self, texts: np.ndarray, base: dict[str, Any], y: np.ndarray | None
    ) -> tuple[dict[str, Any] | None, np.ndarray | None]:
        longest = MAX_CHARS if max(map(len, texts), default=0) > MAX_CHARS else 0
        if longest:
            texts = np.array([text[:longest] for text in texts], dtype=object)
        codes, categories = pd.factorize(texts, sort=True)
        if len(categories) == 0:
            return None, None
        own: np.ndarray | None = None
        every = np.arange(len(categories) + 1)[:, None]  # the last one was never seen
        if base["treatment"] == "onehot":
            table, names = _onehot(codes, categories, every, base["name"])
        elif base["treatment"] == "target_encode":
            told, table, own = self._target_encode(codes, every, y)
            labels = [""] if self.task_type != "multiclass" else [f"[{label}]" for label in told]
            names = [f"mean target of {base['name']}{label}" for label in labels]
        else:
            table = _ranks(categories, codes)
            names = [base["name"]]
        state = {**base, "kind": "table", "categories": categories.astype(str), "longest": longest}
        return {**state, "table": np.asarray(table, dtype=np.float32), "names": names}, own

    def _target_encode(
        self, codes: np.ndarray, every: np.ndarray, y: np.ndarray | None
    ) -> tuple[list[int], np.ndarray, np.ndarray]:
        """Classes that are told (one entry for other tasks), a table by category, and cross-fitted training rows."""
        if y is None:
            raise ValueError("target_encode needs y.")
        told = self._classes_told(y) if self.task_type == "multiclass" else [1]
        table, own = (np.empty((len(part), len(told)), dtype=np.float32) for part in (every, codes))
        folds = list(KFold(max(2, min(5, len(codes))), shuffle=True, random_state=self.seed).split(codes))
        for i, label in enumerate(told):
            if self.task_type == "regression":
                target = (y - y.mean()) / (y.std() or 1.0)
            else:
                target = (y == label).astype(np.float64)
            table[:, i] = _means(codes, target, len(every))
            for rest, fold in folds:
                own[fold, i] = _means(codes[rest], target[rest], len(every))[codes[fold]]
        return told, table, own

    def _classes_told(self, y: np.ndarray) -> list[int]:
        """The classes whose shares make the features: all, unless these would take too much memory."""
        labels, counts = np.unique(y, return_counts=True)
        columns = sum(treatment == "target_encode" for treatment in self.columns.values())
        most = max(2, MAX_TARGET_CELLS // (len(y) * columns))
        commonest = np.argsort(-counts, kind="stable")[:most]
        return [int(label) for label in np.sort(labels[commonest])]


def _packed(state: dict[str, Any]) -> dict[str, Any]:
    """What was learned, for a file that :func:`.inference.load_model` reads.

    What JSON can hold of all columns is one text: skops takes 2 ms for the many small parts of a single column.
    """
    plain: list[dict[str, Any]] = []
    rest: dict[str, dict[str, Any]] = {}
    for i, column in enumerate(state["columns"]):
        others = {key: column[key] for key in ("categories", "table", "vectorizer", "svd") if key in column}
        own = {key: value for key, value in column.items() if key not in others}
        plain.append({key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in own.items()})
        if others:
            rest[str(i)] = others
    return {**state, "columns": json.dumps(plain), "rest": rest}


def _means(codes: np.ndarray, target: np.ndarray, n_codes: int) -> np.ndarray:
    """The mean target of each code, drawn to that of all rows where it rests on few rows or these differ much.

    It is scikit-learn's ``TargetEncoder(smooth="auto")``, without what each call of that takes: with 200 classes and
    five folds there are 1,200.
    """
    counts = np.bincount(codes, minlength=n_codes)
    mean, variance = target.mean(), target.var()
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.bincount(codes, target, n_codes) / counts
        apart = np.bincount(codes, (target - means[codes]) ** 2, n_codes) / counts
        weight = variance * counts / (variance * counts + apart)
        return np.asarray(np.where(np.isnan(weight), mean, weight * means + (1 - weight) * mean))


def _learn_numbers(column: pd.Series, base: dict[str, Any]) -> dict[str, Any] | None:
    values = to_numbers(column, base["dtype"])[:, None]
    known = ~np.isnan(values[:, 0])
    if not known.any():
        return None
    return _scaled({**base, "kind": "number", "names": [base["name"]]}, values, known)


def _scaled(state: dict[str, Any], values: np.ndarray, known: np.ndarray) -> dict[str, Any]:
    """With what missing values are filled by, the median, and how far from it values usually are.

    Both hold whatever few odd values there are, such as -3.4e38 for "no data": by mean and standard deviation all
    others would become the same number in float32.
    """
    fill = np.median(values[known], axis=0)
    scale = np.array([_usual_distance(part, middle) for part, middle in zip(values[known].T, fill, strict=True)])
    indicator = bool((~known).any())
    names = state["names"] + ([f"{state['name']} is missing"] if indicator else [])
    return {**state, "fill": fill, "scale": scale, "indicator": indicator, "names": names}


def _usual_distance(values: np.ndarray, middle: float) -> float:
    with np.errstate(over="ignore"):  # values near the end of the floats
        away = np.abs(values - middle)
    away = away[away > 1e-12 * abs(middle)]  # what is nearer is noise of the last digits
    usual = float(np.median(away)) if len(away) else 1.0
    return usual if np.isfinite(usual) else float(np.finfo(np.float64).max)


def _learn_dates(column: pd.Series, base: dict[str, Any]) -> dict[str, Any] | None:
    day_first = day_comes_first(column)
    parts = date_parts(to_seconds(column, day_first))
    known = ~np.isnan(parts["days"])
    if not known.any():
        return None
    chosen = ["days"]
    for part in _DATE_PARTS:
        if np.ptp(parts[part][known]) > 0:
            chosen.append(part)
            if part in _CIRCLES:
                chosen += [f"{part}_sin", f"{part}_cos"]
    values = np.column_stack([parts[part] for part in chosen])
    names = [f"{base['name']} {part.replace('_', ' ')}" for part in chosen]
    return _scaled({**base, "kind": "datetime", "parts": chosen, "day_first": day_first, "names": names}, values, known)


def _learn_text(texts: np.ndarray, base: dict[str, Any], seed: int) -> dict[str, Any] | None:
    vectorizer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 4), max_features=_TEXT_TERMS, sublinear_tf=True, dtype=np.float32
    )
    sample = texts
    if len(texts) > _TEXT_ROWS:
        sample = texts[np.sort(np.random.default_rng(seed).choice(len(texts), _TEXT_ROWS, replace=False))]
    try:
        matrix = vectorizer.fit_transform(sample)
    except ValueError:  # no text has a term
        return None
    svd = None
    if min(matrix.shape) > _TEXT_PARTS:
        svd = TruncatedSVD(n_components=_TEXT_PARTS, random_state=seed)
        with threadpool_limits(1):  # its last digits depend on how many there are
            dense = svd.fit_transform(matrix)
    else:
        dense = matrix.toarray()
    scale = float(np.sqrt(dense.var(axis=0).sum())) or 1.0
    names = [f"{base['name']} text {i + 1}" for i in range(dense.shape[1])]
    return {**base, "kind": "text", "vectorizer": vectorizer, "svd": svd, "scale": scale, "names": names}


def _onehot(codes: np.ndarray, categories: np.ndarray, every: np.ndarray, name: str) -> tuple[np.ndarray, list[str]]:
    rare = max(1, min(20, round(len(codes) * 0.002)))
    encoder = OneHotEncoder(
        sparse_output=False, handle_unknown="infrequent_if_exist", max_categories=MAX_ONEHOT, min_frequency=rare
    ).fit(codes[:, None])
    names = []
    for feature in encoder.get_feature_names_out(["c"]):
        code = feature.removeprefix("c_")
        known = str(categories[int(code)]) if code.isdigit() else "rare"
        names.append(f"{name}={known or 'missing'}")
    return encoder.transform(every), names


def _ranks(categories: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Ranks from 0 to 1 in natural order; missing and unknown values stand at the mean rank of the rows."""
    present = [i for i, text in enumerate(categories) if text]
    order = sorted(present, key=lambda i: _natural(str(categories[i])))
    ranks = np.full(len(categories) + 1, np.nan)
    ranks[order] = np.arange(len(order)) / max(1, len(order) - 1)
    of_rows = ranks[codes]
    seen = of_rows[~np.isnan(of_rows)]
    return np.where(np.isnan(ranks), seen.mean() if len(seen) else 0.0, ranks)[:, None]


def _natural(text: str) -> tuple[int, float, str]:
    try:
        return (0, float(text), text)
    except ValueError:
        return (1, 0.0, text.casefold())
