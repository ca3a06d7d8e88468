"""Features: learned from training rows alone, whatever the columns hold; kept without pickle."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from sklearn.preprocessing import TargetEncoder
from threadpoolctl import threadpool_info, threadpool_limits

from jupyter_pipeline.automl import features as features_module
from jupyter_pipeline.automl.features import Features
from jupyter_pipeline.automl.frames import to_pandas
from jupyter_pipeline.automl.inference import TRUSTED, PredictError, encode, read_rows
from jupyter_pipeline.automl.training import prepare
from jupyter_pipeline.automl.treatments import propose

from .tables import COLUMNS, parts


def same(one: object, other: object) -> bool:
    """Whether two states are equal, arrays and fitted parts included."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
    if hasattr(one, "get_params"):
        known = {k: v for k, v in vars(one).items() if k.endswith("_") and not k.startswith("_")}
        return all(same(value, vars(other)[key]) for key, value in known.items())
    return one == other


@pytest.mark.parametrize("task_type", ["binary", "multiclass", "regression"])
def test_other_validation_and_test_rows_change_nothing_that_was_learned(task_type: str) -> None:
    frame, task, y, split = parts(task_type)
    first = prepare(task, frame.iloc[split.train], y[split.train], frame.iloc[split.val], COLUMNS)
    changed = frame.copy()
    rest = np.concatenate([split.val, split.test])
    for name in ("size", "odd", "shade", "level"):
        changed[name] = changed[name].astype(float)
        changed.loc[rest, name] = 1e9
    for name in ("grade", "key", "note", "written", "answer"):
        changed.loc[rest, name] = "31/12/1999 never seen"
    changed.loc[rest, "seen"] = pd.Timestamp("1900-01-01")
    changed.loc[rest, "flag"] = True
    columns = {name: frame[name].dtype for name in frame}
    train = changed.iloc[split.train].astype(columns)
    second = prepare(task, train, y[split.train], changed.iloc[split.val], COLUMNS)
    assert same(first.features.state_, second.features.state_)
    assert (first.train == second.train).all()
    assert not (first.val == second.val).all()


@pytest.mark.parametrize("task_type", ["binary", "multiclass", "regression"])
def test_every_value_is_finite_and_state_survives_saving(task_type: str, tmp_path: Path) -> None:
    frame, task, y, split = parts(task_type)
    features = Features(COLUMNS, task.task_type)
    matrix = features.fit_transform(frame.iloc[split.train], y[split.train])
    assert matrix.dtype == np.float32
    assert matrix.shape == (len(split.train), len(features.get_feature_names_out()))
    assert np.isfinite(matrix).all()
    skops.io.dump(features.state_, tmp_path / "f.skops")
    loaded = skops.io.load(tmp_path / "f.skops", trusted=list(TRUSTED))
    assert (encode(frame, loaded) == features.transform(frame)).all()
    assert np.isfinite(features.transform(frame)).all()


def test_rows_are_encoded_one_by_one_as_all_together() -> None:
    frame, _, y, split = parts("binary")
    features = Features(COLUMNS, "binary").fit(frame.iloc[split.train], y[split.train])
    together = features.transform(frame.iloc[split.val])
    alone = np.vstack([features.transform(frame.iloc[[row]]) for row in split.val])
    assert (together == alone).all()


def test_target_encoding_of_training_rows_is_cross_fitted() -> None:
    keys = pd.DataFrame({"key": [f"k{i}" for i in range(100)]})  # every key once: nothing can be known of it
    y = np.arange(100) % 2
    features = Features({"key": "target_encode"}, "binary")
    own = features.fit_transform(keys, y)[:, 0]
    assert np.abs(own - 0.5).max() < 0.1
    assert np.corrcoef(own, y)[0, 1] < 0.2


def test_strange_columns() -> None:
    n = 30
    frame = pd.DataFrame(
        {
            "empty": np.full(n, None),
            "same": 3.0,
            "huge": np.linspace(-0.85, 0.85, n) * 2e308,
            "tiny": np.linspace(1e-300, 2e-300, n),
            "inf": [np.inf, -np.inf, *range(n - 2)],
            "blank": [""] * n,
            "unicode": ["ü", "日本", "🙂"] * 10,
            "long": ["x" * 5000 + str(i % 3) for i in range(n)],
            "mixed": [1, "1", 1.0, True, None, "x"] * 5,
            "big": np.arange(n) + 2**60,
        }
    )
    treatments = dict.fromkeys(("empty", "same", "huge", "tiny", "inf", "big"), "numeric")
    treatments |= {"blank": "onehot", "unicode": "onehot", "long": "target_encode", "mixed": "onehot"}
    features = Features(treatments, "regression")
    matrix = features.fit_transform(frame, np.arange(n, dtype=float))
    assert np.isfinite(matrix).all()
    new = pd.DataFrame({name: [None, 1e400, "?"] for name in frame}, dtype=object)
    assert np.isfinite(features.transform(new)).all()


@pytest.mark.parametrize("odd", [999_999_999.0, 1e12, -3.4028235e38])
def test_one_odd_number_leaves_the_others_apart(odd: float) -> None:
    values = np.random.default_rng(0).random(1000)
    values[3] = odd
    features = Features({"x": "numeric"}, "regression")
    matrix = features.fit_transform(pd.DataFrame({"x": values}), values)
    assert (matrix[:, 0].argsort() == values.argsort()).all()
    assert len(np.unique(matrix)) == 1000
    assert len(np.unique(np.delete(matrix[:, 0], 3).round(4))) > 900


def test_a_missing_truth_value_is_missing_as_text_too() -> None:
    rows = pd.DataFrame({"x": [True, False, None, True] * 20}, dtype=object)
    features = Features({"x": "onehot"}, "regression", missing=("", "NA"))
    matrix = features.fit_transform(rows, np.arange(80.0))
    texts = pd.DataFrame({"x": ["true", "False", "NA", "1"] * 20}, dtype=object)
    assert np.array_equal(features.transform(texts), matrix)


def test_text_without_terms_gives_no_feature() -> None:
    frame = pd.DataFrame({"note": ["", None, " "] * 4, "x": range(12)})
    features = Features({"note": "text", "x": "numeric"}, "regression").fit(frame, np.arange(12.0))
    assert features.get_feature_names_out().tolist() == ["x"]


def test_missing_columns_are_named() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0], "c": [1.0, 2.0]})
    features = Features({"a": "numeric", "b": "numeric", "c": "numeric"}, "regression").fit(frame, [0.0, 1.0])
    with pytest.raises(PredictError, match=r"lack columns 'a', 'c'\. The model needs columns 'a', 'b', 'c'"):
        features.transform(frame[["b"]])


def test_polars_becomes_pandas_without_pyarrow() -> None:
    table = pl.DataFrame(
        {
            "i": [1, None],
            "b": [True, None],
            "s": ["x", None],
            "d": pl.Series(["2020-01-02", None]).str.to_date(),
            "l": [[1, 2], None],
            "c": pl.Series(["u", None], dtype=pl.Categorical),
            "n": pl.Series([None, None], dtype=pl.Null),
            "t": pl.Series([1_000_000, None]).cast(pl.Duration("us")),
        }
    )
    frame = to_pandas(table)
    assert frame.isna().iloc[1].all()
    assert frame["i"].dtype == np.float64
    assert frame["d"][0] == pd.Timestamp("2020-01-02")
    assert frame.loc[0, ["b", "s", "l", "c", "t"]].tolist() == [True, "x", "[1, 2]", "u", 1.0]


@pytest.mark.parametrize("dtype", [pl.Float16, pl.Int128, pl.UInt128])
def test_numbers_of_a_width_that_nothing_computes_with_become_floats(dtype: type[pl.DataType]) -> None:
    values = [60_000, 60_000, 1] if dtype == pl.Float16 else [2**100, 2**100, 1]
    column = to_pandas(pl.DataFrame({"x": pl.Series(values, dtype=dtype)}))["x"]
    assert column.dtype == np.float64
    assert column.sum() == pytest.approx(sum(values), rel=1e-3)


@pytest.mark.parametrize(
    ("values", "kind", "treatment"),
    [
        ([1.0, 2.0, None] * 20, None, "numeric"),
        ([True, False] * 20, None, "boolean"),
        (["yes", "no"] * 20, "boolean", "boolean"),
        (["a", "b", "c"] * 20, "categorical", "onehot"),
        ([f"name {i}" for i in range(35)], "categorical", "drop"),
        ([f"city {i}" for i in range(60)] * 4, "categorical", "target_encode"),
        ([f"a long text about things, number {i}" for i in range(80)], "text", "text"),
        ([f"another long text without a profile {i}" for i in range(80)], None, "text"),
        (pd.date_range("2020", periods=20), None, "datetime"),
        (["01/02/2020", "03/02/2020"] * 10, "datetime", "datetime"),
        ([None] * 20, "empty", "drop"),
        (["x"] * 20, "constant", "drop"),
        (["x", None] * 20, "categorical", "onehot"),
    ],
)
def test_proposals(values: list[object], kind: str | None, treatment: str) -> None:
    assert propose(pd.Series(values), kind).treatment == treatment


@pytest.mark.parametrize("treatment", ["onehot", "ordinal", "target_encode", "text"])
@pytest.mark.parametrize("gaps", [False, True])
def test_whole_numbers_too_large_for_floats_stay_apart_in_memory_and_in_a_csv(
    treatment: str, gaps: bool, tmp_path: Path
) -> None:
    """Account numbers, say; those that are small in such a column too."""
    numbers: list[int | None] = [2**53 + 1 + i for i in range(5)] + [-(2**60) - 1, 7, 10**15]
    table = pl.DataFrame({"account": (numbers * 10 + [None if gaps else 7] * 4)}, schema={"account": pl.Int64})
    frame = to_pandas(table)
    features = Features({"account": treatment}, "regression")
    y = np.array([float(str(value or 0)[-3:]) for value in table["account"]])
    matrix = features.fit_transform(frame, y)
    if treatment != "target_encode":
        assert len(np.unique(matrix[: len(numbers)], axis=0)) == len(numbers)
    else:
        matrix = features.transform(frame)
    table.write_csv(tmp_path / "rows.csv")
    frame.to_csv(tmp_path / "pandas.csv", index=False)
    for name in ("rows.csv", "pandas.csv"):
        assert (features.transform(read_rows(tmp_path / name)) == matrix).all(), name
    rows = pd.DataFrame({"account": table["account"].to_list()}, dtype=object)
    assert (features.transform(rows) == matrix).all(), "as JSON brings them"
    assert propose(frame["account"]).treatment == "numeric"


def test_target_encoding_of_many_classes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """All classes are told while that takes little memory, then the commonest."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.choice([f"c{i}" for i in range(60)], 2000) for name in ("a", "b", "c")})
    y = np.concatenate([np.arange(300), rng.choice(4, 1700)])
    columns = {"a": "target_encode", "b": "target_encode", "c": "ordinal"}
    whole = Features(columns, "multiclass").fit_transform(frame, y)
    assert whole.shape == (2000, 601)
    monkeypatch.setattr(features_module, "MAX_TARGET_CELLS", 2000 * 2 * 4)
    bounded = Features(columns, "multiclass")
    matrix = bounded.fit_transform(frame, y)
    names = list(bounded.get_feature_names_out())
    assert names[:5] == [*(f"mean target of a[{i}]" for i in range(4)), "mean target of b[0]"]
    assert (matrix[:, :4] == whole[:, :4]).all()
    assert matrix.shape == (2000, 9)


def test_text_is_reduced_by_one_thread_whatever_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last digits of the reduction depend on the number, and rows of a bundle must come to the same."""
    seen: list[int] = []

    class Watched(features_module.TruncatedSVD):  # type: ignore[misc]
        def fit_transform(self, X: np.ndarray, y: None = None) -> np.ndarray:
            seen.extend(pool["num_threads"] for pool in threadpool_info())
            return super().fit_transform(X, y)

    monkeypatch.setattr(features_module, "TruncatedSVD", Watched)
    with threadpool_limits(2):
        frame = pd.DataFrame({"note": [f"word{i % 37} and word{i % 11}" for i in range(200)]})
        Features({"note": "text"}, "regression").fit(frame)
    assert seen
    assert set(seen) == {1}


@pytest.mark.parametrize("task_type", ["binary", "regression"])
def test_target_encoding_is_that_of_scikit_learn(task_type: str) -> None:
    """Smoothed by how much is known of a category; a category that was not seen, and a single row, are the mean."""
    rng = np.random.default_rng(1)
    texts = np.array([f"c{v}" for v in rng.geometric(0.2, 500)], dtype=object)
    y = rng.integers(0, 2, 500) if task_type == "binary" else rng.normal(5, 2, 500) + np.array([len(t) for t in texts])
    frame = pd.DataFrame({"a": texts})
    features = Features({"a": "target_encode"}, task_type)
    features.fit(frame, y)
    rows = pd.DataFrame({"a": [*sorted(set(texts)), "never seen"]})
    target = y.astype(float) if task_type == "binary" else (y - y.mean()) / y.std()
    theirs = TargetEncoder(target_type="continuous").fit(frame, target).transform(rows)
    assert features.transform(rows) == pytest.approx(theirs.astype(np.float32), abs=1e-6)
