"""Frames on their way to the project."""

import datetime
import decimal
import gzip
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

from jupyter_pipeline.client.errors import PipelineError
from jupyter_pipeline.client.frames import as_file, prediction_frame, read_file, rows_of, to_polars
from jupyter_pipeline.client.words import file_name, operations, plain


def many_types():
    return pd.DataFrame(
        {
            "i": [1, 2, 3],
            "f": [1.5, np.nan, np.inf],
            "s": ["a", None, "c"],
            "mixed": [1, "x", None],
            "b": [True, False, True],
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "flag": pd.array([True, None, False], dtype="boolean"),
            "cat": pd.Categorical(["x", None, "y"]),
            "day": pd.to_datetime(["2024-01-01", None, "2024-03-01"]),
            "zoned": pd.to_datetime(["2024-01-01T00:00+02:00"] * 3).tz_convert("Europe/Berlin"),
            "span": pd.to_timedelta([1, 2, None], unit="h"),
            "date": [datetime.date(2024, 1, 1), None, datetime.date(2024, 1, 3)],
            5: [1, 2, 3],
        }
    )


def test_pandas_column_by_column():
    frame = to_polars(many_types())
    assert frame.schema["i"] == pl.Int64
    assert frame["f"].to_list() == [1.5, None, float("inf")]
    assert frame["s"].to_list() == ["a", None, "c"]
    assert frame["mixed"].to_list() == ["1", "x", None]
    assert frame.schema["b"] == pl.Boolean
    assert frame["nullable"].to_list() == [1, None, 3]
    assert frame["flag"].to_list() == [True, None, False]
    assert frame["cat"].to_list() == ["x", None, "y"]
    assert frame["day"].to_list() == [datetime.datetime(2024, 1, 1), None, datetime.datetime(2024, 3, 1)]
    assert frame["zoned"][0] == datetime.datetime(2023, 12, 31, 22)
    assert frame.schema["span"] == pl.Duration("us")
    assert frame["date"].to_list()[0] == datetime.date(2024, 1, 1)
    assert frame["5"].to_list() == [1, 2, 3]


def test_a_named_index_is_kept():
    assert to_polars(pd.DataFrame({"a": [1]}, index=pd.Index(["k"], name="key"))).columns == ["key", "a"]
    assert to_polars(pd.DataFrame({"a": [1, 2]}).iloc[[1]]).columns == ["a"]


def test_an_index_that_is_a_column_too_is_kept_once():
    frame = pd.DataFrame({"key": ["k", "l"], "a": [1, 2]})
    assert to_polars(frame.set_index("key", drop=False)).to_dicts() == frame.to_dict("records")
    both = frame.set_index(["key", pd.Index([7, 8], name="place")], drop=False)
    assert to_polars(both).columns == ["place", "key", "a"]


def test_numbers_of_several_kinds_stay_numbers_and_what_no_file_holds_becomes_text():
    frame = pd.DataFrame(
        {
            "whole and not": pd.Series([1, 2.5, None], dtype=object),
            "decimals": pd.Series([decimal.Decimal("1.5"), np.int64(2), None], dtype=object),
            "with a flag": pd.Series([True, 2.5, None], dtype=object),
            "span": [*pd.interval_range(0, 2), None],
            "month": pd.period_range("2024-01", periods=3, freq="M"),
            "complex": np.array([1, 2j, 3]),
            "long": np.array([1.5, np.nan, 2], dtype=np.longdouble),
        }
    )
    with as_file(frame) as path:
        read = pl.read_parquet(path)
    assert read["whole and not"].to_list() == [1.0, 2.5, None]
    assert read["decimals"].to_list() == [1.5, 2.0, None]
    assert read["with a flag"].to_list() == ["True", "2.5", None]
    assert read["span"].to_list() == ["(0.0, 1.0]", "(1.0, 2.0]", None]
    assert read["month"].to_list() == ["2024-01", "2024-02", "2024-03"]
    assert read["complex"].to_list() == ["(1+0j)", "2j", "(3+0j)"]
    assert read["long"].to_list() == [1.5, None, 2.0]


def test_what_no_file_can_hold_becomes_text():
    halves = pd.DataFrame({"h": pd.Series(["a\ud800b", None], dtype=object)})
    halves.columns = pd.Index(["h\ud800"], dtype=object)
    with as_file(halves) as path:
        assert pl.read_parquet(path).to_dict(as_series=False) == {"h?": ["a?b", None]}
    objects = pl.DataFrame({"n": [1, 2], "o": pl.Series([1j, None], dtype=pl.Object)})
    with as_file(objects) as path:
        assert pl.read_parquet(path).to_dict(as_series=False) == {"n": [1, 2], "o": ["1j", None]}


def test_a_lazy_frame_to_predict_is_collected():
    assert rows_of(pl.LazyFrame({"a": [1, 2]}).filter(pl.col("a") > 1)) == [{"a": 2}]


def test_as_file_writes_parquet_and_cleans_up():
    frame = pl.DataFrame({"a": [1, 2]})
    for data in (frame, frame.lazy(), pd.DataFrame({"a": [1, 2]})):
        with as_file(data) as path:
            assert pl.read_parquet(path)["a"].to_list() == [1, 2]
        assert not path.exists()


def test_what_cannot_be_attached(tmp_path):
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    for data, words in (
        (twice, "twice"),
        (twice.set_index(pd.MultiIndex.from_tuples([(1, 2)], names=["i", "i"])), "twice there: a, i"),
        ([1, 2], "list cannot be read as data"),
        ("https://example.org/a.csv", "say it in the request"),
        (pl.LazyFrame({"a": [1]}).select("no such column"), "no such column"),
        (pl.scan_csv(tmp_path / "no.csv"), "could not be written as Parquet: No such file"),
        (pd.DataFrame(), "empty"),
        (tmp_path / "no.csv", "does not exist"),
        (tmp_path, "folder"),
    ):
        with pytest.raises(PipelineError, match=words), as_file(data):
            pass


def test_rows_are_json_values():
    rows = rows_of(many_types())
    assert rows[1]["f"] is None
    assert rows[2]["f"] is None
    assert rows[0]["day"] == "2024-01-01T00:00:00"
    assert rows[0]["span"] == 3600.0


def test_predictions_as_a_frame():
    answer = {"predictions": ["a", "b"], "probabilities": {"classes": ["a", "b"], "values": [[0.9, 0.1], [0.2, 0.8]]}}
    frame = prediction_frame(answer, pd.Index([7, 8]))
    assert frame.columns.tolist() == ["prediction", "proba_a", "proba_b"]
    assert frame.loc[8, "proba_b"] == 0.8
    assert prediction_frame({"predictions": [1.0]}).columns.tolist() == ["prediction"]


def test_members_become_a_patch():
    assert operations({"time_budget_s": 60, "columns": {"a/b": "drop", "c~d": "text"}, "models": []}) == [
        {"op": "add", "path": "/time_budget_s", "value": 60},
        {"op": "add", "path": "/columns/a~1b", "value": "drop"},
        {"op": "add", "path": "/columns/c~0d", "value": "text"},
        {"op": "add", "path": "/models", "value": []},
    ]


def test_values_of_numpy_are_sent_as_python_s():
    value = {
        "a": (np.int64(1), np.float32(0.5)),
        "b": {"c": np.array(["x"])},
        "d": {np.bool_(True)},
        "e": None,
        "f": "g",
    }
    assert json.dumps(plain(value)) == '{"a": [1, 0.5], "b": {"c": ["x"]}, "d": [true], "e": null, "f": "g"}'


def test_upload_names(tmp_path):
    assert file_name(None, tmp_path / "data.parquet") == "data.parquet"
    assert file_name("customers", tmp_path / "data.parquet") == "customers.parquet"
    assert file_name("x.csv", tmp_path / "y.csv") == "x.csv"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("semi.csv", "x;x;note\n1,5;01;été\n2,5;02;\n".encode("cp1252")),
        ("packed.csv.gz", gzip.compress('x,x,note\n"1,5",01,été\n"2,5",02,\n'.encode())),
        ("tabs.txt", "\ufeffx\tx\tnote\n1,5\t01\tété\n2,5\t02\t\n".encode()),
    ],
    ids=["semicolons", "packed", "tabs"],
)
def test_a_file_to_predict_is_read_as_a_bundle_reads_it(tmp_path, name, data):
    """Names that come twice get numbers as in training, and cells stay as they are written."""
    (tmp_path / name).write_bytes(data)
    rows = rows_of(read_file(tmp_path / name))
    assert rows == [{"x": "1,5", "x.1": "01", "note": "été"}, {"x": "2,5", "x.1": "02", "note": None}]


def test_a_workbook_to_predict_is_read_from_its_largest_sheet(tmp_path):
    with pd.ExcelWriter(tmp_path / "rows.xlsx") as book:
        pd.DataFrame({"About": ["these rows"]}).to_excel(book, sheet_name="About", index=False)
        pd.DataFrame({"x": [1.5, None], "note": ["été", "01"]}).to_excel(book, sheet_name="Rows", index=False)
    assert rows_of(read_file(tmp_path / "rows.xlsx")) == [{"x": 1.5, "note": "été"}, {"x": None, "note": "01"}]
    (tmp_path / "no.xlsx").write_text("a,b\n1,2\n")
    with pytest.raises(PipelineError, match=r"no\.xlsx could not be read: it is no Excel file"):
        read_file(tmp_path / "no.xlsx")


def test_a_file_to_predict_that_is_not_there(tmp_path):
    with pytest.raises(PipelineError, match="There is no file"):
        read_file(tmp_path / "rows.csv")
