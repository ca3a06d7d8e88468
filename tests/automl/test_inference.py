"""Predicting by itself: files, command line, odd rows, and models that cannot be trusted."""

import datetime
import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier

from jupyter_pipeline.automl import inference
from jupyter_pipeline.automl.features import Features
from jupyter_pipeline.automl.frames import to_pandas
from jupyter_pipeline.automl.inference import Model, PredictError, encode, load_model, read_rows
from jupyter_pipeline.automl.saving import set_threshold
from jupyter_pipeline.automl.targets import Task
from jupyter_pipeline.automl.training import fit_model

from .tables import COLUMNS, parts


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``predict.py`` with a model beside it, as an export has it."""
    folder = tmp_path_factory.mktemp("bundle")
    frame, task, y, split = parts("binary")
    X, X_val = frame.iloc[split.train], frame.iloc[split.val]
    params = {"n_estimators": 30}
    fitted = fit_model("lightgbm", params, task, X, y[split.train], X_val, y[split.val], COLUMNS, "roc_auc")
    fitted.save(folder / "model", threshold=0.3)
    shutil.copy(str(inference.__file__), folder / "predict.py")
    return folder


@pytest.fixture(scope="module")
def model(bundle: Path) -> Model:
    return load_model(bundle / "model")


def rows_of(part: str = "val") -> pd.DataFrame:
    frame, _, _, split = parts("binary")
    return frame.iloc[getattr(split, part)].reset_index(drop=True)


def predict(bundle: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``predict.py`` where our package cannot be imported."""
    command = [str(bundle / "predict.py"), *arguments]
    blocked = f"import sys, runpy; sys.modules['jupyter_pipeline'] = None; sys.argv = {command!r}; "
    run = blocked + "runpy.run_path(sys.argv[0], run_name='__main__')"
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    python = [sys.executable, "-I", "-W", "error", "-c", run]
    return subprocess.run(python, capture_output=True, text=True, env=env, check=False)


def test_many_classes_are_predicted_without_a_warning(tmp_path: Path) -> None:
    task = Task("multiclass", "product", [f"P{i}" for i in range(150)])
    y = np.arange(300) % 150
    rows = pd.DataFrame({"x": np.arange(300.0)})
    fitted = fit_model("dummy", {}, task, rows, y, rows, y, {}, "log_loss")
    fitted.save(tmp_path / "model")
    shutil.copy(str(inference.__file__), tmp_path / "predict.py")
    rows.to_csv(tmp_path / "rows.csv", index=False)
    done = predict(tmp_path, str(tmp_path / "rows.csv"), "--out", str(tmp_path / "out.csv"))
    assert (done.returncode, done.stderr) == (0, "Note: The model does not use column 'x'; left out.\n")
    assert pd.read_csv(tmp_path / "out.csv").shape == (300, 151)


def test_the_command_line_says_what_training_said(bundle: Path, model: Model, tmp_path: Path) -> None:
    rows = rows_of()
    rows.to_csv(tmp_path / "rows.csv", index=False)
    done = predict(bundle, str(tmp_path / "rows.csv"), "--out", str(tmp_path / "out.csv"))
    assert done.returncode == 0, done.stderr
    out = pd.read_csv(tmp_path / "out.csv")
    predictions, probabilities = model.predict(rows)
    assert out.columns.tolist() == ["prediction", "proba_benign", "proba_malignant"]
    assert probabilities is not None
    assert np.abs(out.iloc[:, 1:].to_numpy() - probabilities).max() <= 1e-9
    assert out["prediction"].tolist() == predictions.tolist()
    assert ((out["proba_malignant"] >= 0.3) == (out["prediction"] == "malignant")).all()


@pytest.mark.parametrize(
    "ending",
    [
        *("tsv", "csv.gz", "semicolon.csv", "utf-16.csv", "parquet", "feather", "xlsx"),
        *("json", "ndjson", "ndjson.gz", "columns.json", "lists.json"),
    ],
)
def test_other_files_say_the_same(ending: str, model: Model, tmp_path: Path) -> None:
    rows = rows_of()
    file = tmp_path / f"rows.{ending}"
    if ending == "parquet":
        rows.to_parquet(file)
    elif ending == "feather":
        rows.to_feather(file)
    elif ending == "xlsx":
        with pd.ExcelWriter(file) as book:
            pd.DataFrame({"note": ["The rows are on the next sheet."]}).to_excel(book, sheet_name="About", index=False)
            rows.to_excel(book, sheet_name="Rows", index=False)
    elif "json" in ending:
        plain = rows.replace(np.inf, np.nan).astype(object).where(rows.notna(), None)
        plain["seen"] = [None if pd.isna(v) else v.isoformat() for v in rows["seen"]]
        records = [{k: None if isinstance(v, float) and np.isnan(v) else v for k, v in r.items()}
                   for r in plain.to_dict("records")]  # fmt: skip
        lists = {name: [record[name] for record in records] for name in rows}
        written = {
            "json": json.dumps(records),
            "columns.json": json.dumps({name: dict(enumerate(values)) for name, values in lists.items()}),
            "lists.json": json.dumps(lists),
        }
        lines = "\n".join(json.dumps(r) for r in records)
        text = written.get(ending, lines).encode()
        file.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
    else:
        separator = {"tsv": "\t", "semicolon.csv": ";"}.get(ending, ",")
        rows.to_csv(file, index=False, sep=separator, encoding="utf-16" if ending == "utf-16.csv" else None)
    assert np.abs(model.raw(read_rows(file)) - model.raw(rows)).max() <= 1e-9


def test_odd_rows(model: Model) -> None:
    rows = rows_of()
    strange = pd.DataFrame(
        [
            {"size": None, "odd": "inf", "grade": "unheard of", "key": "new", "note": None, "seen": "no date"},
            {"size": "twelve", "odd": -np.inf, "grade": None, "level": 1e300, "written": 3, "flag": "maybe"},
            {},
        ],
        columns=list(rows),
        dtype=object,
    )
    predictions, probabilities = model.predict(strange)
    assert len(predictions) == 3
    assert np.isfinite(probabilities).all()  # type: ignore[arg-type]
    notes = model.remarks(strange.assign(extra=1))
    assert any("'extra'" in note for note in notes)
    assert notes[1:] == [
        "Column 'size' holds values that are no finite numbers, such as 'twelve': taken as missing.",
        "No value of column 'grade' was in the training rows, such as 'unheard of'.",
        "No value of column 'level' was in the training rows, such as '1e+300'.",
        "No value of column 'key' was in the training rows, such as 'new'.",
        "Column 'seen' holds values that are no dates, such as 'no date': taken as missing.",
        "No value of column 'flag' was in the training rows, such as 'maybe'.",
    ]


def test_columns_in_another_order_and_too_many(model: Model) -> None:
    rows = rows_of()
    other = rows[list(rows)[::-1]].assign(unused="x")
    assert (model.raw(other) == model.raw(rows)).all()
    rows = rows.replace(np.inf, np.nan)
    assert (model.raw(rows.convert_dtypes()) == model.raw(rows)).all()


def test_values_of_other_types_are_the_same_values(model: Model) -> None:
    rows = rows_of()
    texts = rows.assign(level=rows["level"].astype(str), flag=rows["flag"].astype(str), size=rows["size"].astype(str))
    assert (model.raw(texts) == model.raw(rows)).all()
    numbers = rows.assign(level=rows["level"].astype(float), flag=rows["flag"].astype(int))
    assert (model.raw(numbers) == model.raw(rows)).all()


def test_no_rows_and_missing_columns(bundle: Path, model: Model, tmp_path: Path) -> None:
    rows = rows_of()
    assert len(model.output(rows.head(0))) == 0
    rows.drop(columns=["size", "key"]).to_csv(tmp_path / "short.csv", index=False)
    done = predict(bundle, str(tmp_path / "short.csv"))
    assert done.returncode == 2
    assert "lack columns 'size', 'key'" in done.stderr
    assert "Traceback" not in done.stderr
    gone = predict(bundle, str(tmp_path / "nowhere.csv"))
    assert gone.returncode == 2
    assert "There is no file" in gone.stderr
    for name, text in (("empty.csv", ""), ("rows.json", "[1, 2]"), ("cut.json.gz", "no gzip")):
        (tmp_path / name).write_text(text)
        done = predict(bundle, str(tmp_path / name))
        assert done.returncode == 2
        assert done.stderr.startswith(f"Error: {name} cannot be read"), done.stderr


def test_what_a_file_takes_beside_the_requirements_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pd.DataFrame({"a": [1]})
    rows.to_parquet(tmp_path / "rows.parquet")
    rows.to_excel(tmp_path / "rows.xlsx")
    for package in ("pyarrow", "fastparquet", "openpyxl"):
        monkeypatch.setitem(sys.modules, package, None)
    for name, package in (("rows.parquet", "pyarrow"), ("rows.xlsx", "openpyxl")):
        with pytest.raises(PredictError, match=f"{name} cannot be read here: .*{package}.* or save the rows as CSV"):
            read_rows(tmp_path / name)


def test_one_line_for_each_row_of_a_file_with_one_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, None, 4.0] * 10})
    y = np.arange(40.0)
    from jupyter_pipeline.automl.targets import Task

    fitted = fit_model("linear", {}, Task("regression", "t"), frame, y, frame, y, {"x": "numeric"}, "rmse")
    fitted.save(tmp_path / "model")
    (tmp_path / "rows.csv").write_text("x\n1\n\n4\n")
    assert len(load_model(tmp_path / "model").output(read_rows(tmp_path / "rows.csv"))) == 3


@pytest.mark.parametrize("names", [["Total sales\n(EUR)", "c"], [' a\n"b" ', "d,;\t"], ["c", "Total sales\n(EUR)"]])
def test_names_with_line_breaks(tmp_path: Path, names: list[str]) -> None:
    pd.DataFrame([[1.5, "x y"]], columns=names).to_csv(tmp_path / "rows.csv", index=False)
    rows = read_rows(tmp_path / "rows.csv")
    assert rows.columns.tolist() == names
    assert rows.to_numpy().tolist() == [["1.5", "x y"]]


def test_other_encodings_and_words_for_missing(tmp_path: Path) -> None:
    (tmp_path / "western.csv").write_bytes("café,x\nNA,1\n,2\n".encode("cp1252"))
    rows = read_rows(tmp_path / "western.csv")
    assert rows.columns.tolist() == ["café", "x"]
    assert rows["café"].tolist()[0] == "NA"  # a text of its own unless training counted it as missing
    assert rows["café"].isna().tolist() == [False, True]


def test_numbers_with_a_decimal_comma() -> None:
    from jupyter_pipeline.automl.features import Features

    frame = pd.DataFrame({"x": [1.5, 2.5, 1000.25]})
    features = Features({"x": "numeric"}, "regression", decimal_comma=True).fit(frame, [0.0, 1.0, 2.0])
    for dtype in (object, "string", None):  # None: what this pandas makes of texts, as when it reads a CSV
        texts = pd.DataFrame({"x": ["1,5", "2,5", "1.000,25"]}, dtype=dtype)
        assert (features.transform(texts) == features.transform(frame)).all()


def test_numbers_with_currency_percent_and_thousands() -> None:
    from jupyter_pipeline.automl.features import Features

    frame = pd.DataFrame({"x": [1234.5, 0.12, -5.0, np.nan]})
    features = Features({"x": "numeric"}, "regression").fit(frame, [0.0, 1.0, 2.0, 3.0])
    for dtype in (object, None):
        texts = pd.DataFrame({"x": ["$1,234.50", "12 %", "(5)", "call us"]}, dtype=dtype)
        assert (features.transform(texts) == features.transform(frame)).all()


def test_texts_in_a_column_of_numbers_are_told(bundle: Path) -> None:
    model, rows = load_model(bundle / "model"), rows_of()
    number = next(c["name"] for c in model.columns if c["dtype"] == "number")
    told = rows.assign(**{number: ["abc", *rows[number].astype(str).tolist()[1:]]})
    what = f"Column {number!r} holds values that are no finite numbers, such as 'abc': taken as missing."
    assert model.remarks(told) == [what]
    assert model.remarks(rows) == []


def test_the_threshold_can_be_changed(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle / "model", tmp_path / "model")
    set_threshold(tmp_path / "model", 1.1)
    assert set(load_model(tmp_path / "model").predict(rows_of())[0]) == {"benign"}


class Hostile:
    """A type that no model holds."""


def test_a_model_with_foreign_types_is_refused(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle / "model", tmp_path / "model")
    skops.io.dump({"columns": [Hostile()]}, tmp_path / "model" / "features.skops")
    with pytest.raises(PredictError, match="not loaded"):
        load_model(tmp_path / "model")


@pytest.mark.parametrize("damage", ["model.json", "lightgbm.txt", "features.skops"])
def test_a_model_that_is_not_whole(bundle: Path, tmp_path: Path, damage: str) -> None:
    shutil.copytree(bundle / "model", tmp_path / "model")
    (tmp_path / "model" / damage).unlink()
    with pytest.raises(PredictError, match=damage):
        load_model(tmp_path / "model")


def test_a_model_of_another_format(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle / "model", tmp_path / "model")
    spec: dict[str, Any] = json.loads((tmp_path / "model" / "model.json").read_text())
    (tmp_path / "model" / "model.json").write_text(json.dumps({**spec, "format": 99}))
    with pytest.raises(PredictError, match="format 99"):
        load_model(tmp_path / "model")


def test_models_of_earlier_formats_say_the_same(bundle: Path, tmp_path: Path) -> None:
    """Projects hold them; what was learned of the columns was kept as it is in memory."""
    new = load_model(bundle / "model")
    shutil.copytree(bundle / "model", tmp_path / "model")
    spec: dict[str, Any] = json.loads((tmp_path / "model" / "model.json").read_text())
    for form in (2, 3):
        (tmp_path / "model" / "model.json").write_text(json.dumps({**spec, "format": form}))
        skops.io.dump(new.features, tmp_path / "model" / "features.skops")
        assert (load_model(tmp_path / "model").raw(rows_of()) == new.raw(rows_of())).all()


def test_predict_needs_little(bundle: Path) -> None:
    spec = json.loads((bundle / "model" / "model.json").read_text())
    assert set(spec["requirements"]) == {"numpy", "pandas", "scikit-learn", "skops", "lightgbm"}


def test_durations_are_seconds_however_they_are_stored() -> None:
    spans = [datetime.timedelta(days=1, hours=2), None, datetime.timedelta(minutes=-5)]
    learned = to_pandas(pl.DataFrame({"span": pl.Series(spans, dtype=pl.Duration)}))["span"]
    rows = pd.DataFrame({"span": pd.to_timedelta(pd.Series(spans))})
    features = Features({"span": "numeric"}, "regression")
    matrix = features.fit_transform(learned.to_frame("span"), [0.0, 1.0, 2.0])
    assert (encode(rows, features.state_) == matrix).all()
    for texts in (["1 days 02:00:00", "", "-1 days +23:55:00"], ["P1DT2H", None, "-PT5M"]):
        assert (encode(pd.DataFrame({"span": texts}), features.state_) == matrix).all()


def test_a_forest_says_the_same_of_the_same_rows_whatever_its_threads() -> None:
    """Else a bundle could not come to the reported numbers: equal rows would change places."""
    rng = np.random.default_rng(0)
    rows = rng.random((60_000, 5), dtype=np.float32)
    y = (rows.sum(axis=1) + rng.normal(size=len(rows)) > 2.5).astype(int)
    forest = RandomForestClassifier(20, min_samples_leaf=2, n_jobs=4, random_state=0).fit(rows[:2000], y[:2000])
    assert rows.size > inference._FEW_CELLS
    said = [inference.predict_matrix("skops", forest, rows, "binary", 2, None) for _ in range(6)]
    assert forest.n_jobs == 4
    forest.n_jobs = None
    alone = inference.predict_matrix("skops", forest, rows, "binary", 2, None)
    assert all(np.array_equal(one, alone) for one in said)
    forest.n_jobs = 4
    few = inference.predict_matrix("skops", forest, rows[:3], "binary", 2, None)
    assert np.array_equal(few, alone[:3])


def test_what_parquet_holds_beside_texts_and_numbers_says_the_same_from_a_file_and_from_polars(tmp_path: Path) -> None:
    """Training reads by Polars, ``predict.py`` by pandas, which has other types for some."""
    n = 60
    table = pl.DataFrame(
        {
            "amount": pl.Series([f"{i % 7}.50" for i in range(n)]).cast(pl.Decimal(8, 2)),
            "list": [[i % 5, 1] for i in range(n)],
            "nested": [[[i % 3], [1, 2]] for i in range(n)],
            "struct": [{"a": i % 4, "b": ["x", None]} for i in range(n)],
            "took": [datetime.timedelta(minutes=i % 6) for i in range(n)],
            "clock": [datetime.time(i % 8, 30) for i in range(n)],
            "day": [datetime.date(2024, 1, 1 + i % 9) for i in range(n)],
            "bytes": [bytes([i % 5]) for i in range(n)],
            "kind": pl.Series(["a", "b", None] * 20).cast(pl.Categorical),
            "flag": [True, False, None] * 20,
            "account": [2**53 + 1 + i % 4 for i in range(n)],
            "gaps": [None if i % 5 == 0 else i % 4 for i in range(n)],
        }
    )
    table.write_parquet(tmp_path / "rows.parquet")
    frame = to_pandas(table)
    features = Features(dict.fromkeys(table.columns, "onehot"), "regression")
    matrix = features.fit_transform(frame, np.arange(n))
    assert (features.transform(read_rows(tmp_path / "rows.parquet")) == matrix).all()
    frame.to_csv(tmp_path / "rows.csv", index=False)
    assert (features.transform(read_rows(tmp_path / "rows.csv")) == matrix).all()
