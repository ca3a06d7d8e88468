"""What the cells of a table hold: numbers with signs and separators, marks for what is missing, codes."""

import json
import math
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipeline.automl.inference import WRITTEN, to_numbers, written_number
from jupyter_pipeline.automl.reading import TableSpec, as_stored, read, scan, settle, sniff
from jupyter_pipeline.automl.units import number_of

from .readable import load, write


def test_nan_and_infinity_are_missing_but_can_be_counted(tmp_path):
    path = write(tmp_path / "t.csv", "a,b\nNaN,1\ninf,2\n-Infinity,3\n1.5,4\n")
    assert load(path)["a"].to_list() == [None, None, None, 1.5]
    kept = scan(sniff(path), finite=False).collect()["a"].to_list()
    assert kept[0] is None
    assert kept[1:3] == [math.inf, -math.inf]


def test_numbers_with_leading_zeros_stay_text(tmp_path):
    frame = load(write(tmp_path / "t.csv", "zip,n\n01234,1\n98765,2\n"))
    assert frame["zip"].to_list() == ["01234", "98765"]


def test_texts_in_excel_are_read_as_in_a_csv(tmp_path):
    book = openpyxl.Workbook()
    rows = [
        ("n", "price", "share", "code", "kind", "yes"),
        (1, "$1,200.50", "5%", "0123", "a", "TRUE"),
        ("n/a", "$7", "2.5 %", "4567", "N/A", "FALSE"),
        (3.5, "-", "10%", "8901", "b", None),
        (4, "$9", "0%", "0001", "c", "TRUE"),
    ]
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    frame = load(tmp_path / "t.xlsx")
    assert frame["n"].to_list() == [1.0, None, 3.5, 4.0]
    assert frame["price"].to_list() == [1200.5, 7.0, None, 9.0]
    assert frame["share"].to_list() == [0.05, 0.025, 0.1, 0.0]
    assert frame["code"].to_list() == ["0123", "4567", "8901", "0001"]
    assert frame["kind"].to_list() == ["a", None, "b", "c"]
    assert frame["yes"].to_list() == [True, False, None, True]


def write_stream(frame: pl.DataFrame, path: Path) -> None:
    frame.write_ipc_stream(path)


@pytest.mark.parametrize(
    ("name", "write_as"),
    [
        ("t.json", pl.DataFrame.write_json),
        ("t.ndjson", pl.DataFrame.write_ndjson),
        ("t.parquet", pl.DataFrame.write_parquet),
        ("t.feather", pl.DataFrame.write_ipc),
        ("t.arrow", write_stream),
    ],
)
def test_texts_in_formats_with_types_are_read_as_in_a_csv(tmp_path, name, write_as):
    n = range(5_000)
    texts = {
        "whole": [str(i) for i in n],
        "price": [f"${i * 1000:,}" for i in n],
        "share": ["n/a" if i == 3 else f"{i}%" for i in n],
        "code": [f"{i:05}" for i in n],
        "yes": ["TRUE" if i % 2 else "false" for i in n],
        "late": [str(i) if i < 4_999 else "many" for i in n],
        "kind": ["NA" if i % 2 else "DE" for i in n],
    }
    write_as(pl.DataFrame(texts), tmp_path / name)
    spec = settle(sniff(tmp_path / name))
    frame = load(tmp_path / name)
    assert dict(frame.schema) == {
        "whole": pl.Int64, "price": pl.Float64, "share": pl.Float64, "code": pl.String, "yes": pl.Boolean,
        "late": pl.String, "kind": pl.String,
    }  # fmt: skip
    assert frame.row(3) == (3, 3000.0, None, "00003", True, "3", "NA")
    assert any("though they are stored as texts: 'whole'. If they are codes" in note for note in spec.notes)
    assert any("without currency" in note and "'price', 'share'" in note for note in spec.notes)
    again = as_stored(spec, "whole")
    assert read(again)["whole"][:2].to_list() == ["0", "1"]
    assert not any("'whole'" in note for note in again.notes)


def test_decimal_commas_in_json(tmp_path):
    rows = [{"a": f"1.{i:03},50 €", "b": f"{i},5", "c": f"{i}.25", "d": f"1,{i:03}"} for i in range(30)]
    write(tmp_path / "t.json", json.dumps(rows))
    spec = settle(sniff(tmp_path / "t.json"))
    assert spec.options["decimal_comma"]
    assert read(spec).row(3)[:3] == (1003.5, 3.5, 3.25)
    write(tmp_path / "t.json", json.dumps([{"d": row["d"], "c": row["c"]} for row in rows]))
    assert load(tmp_path / "t.json").row(3) == (1003.0, 3.25)


def test_marks_for_missing_values(tmp_path):
    spec = sniff(write(tmp_path / "t.csv", "a,b,c\n1,x,?\n-,y,u\n3,-,v\n4,z,w\n"))
    frame = load(Path(spec.path))
    assert frame["a"].to_list() == [1, None, 3, 4]
    assert frame["c"].to_list() == [None, "u", "v", "w"]
    assert {"?", "-"} <= set(spec.null_values)


def test_spaces_after_commas(tmp_path):
    frame = load(write(tmp_path / "t.csv", "a, b\n1, 2.5\n3, ?\n4, 1\n"))
    assert frame[" b"].to_list() == [2.5, None, 1.0]


def test_decimal_commas(tmp_path):
    frame = load(write(tmp_path / "t.csv", "a;b\n1,5;x\n2,25;y\n"))
    assert frame["a"].to_list() == [1.5, 2.25]


def test_numbers_with_signs_and_separators(tmp_path):
    rows = '"$1,234.50",12%,"1,200",x1\n$99,7.5 %,"1,000,000",2\n($5.25),-3%,-7,3\n'
    path = write(tmp_path / "t.csv", "price,share,count,code\n" + rows)
    spec = settle(sniff(path))
    assert spec.columns == {"price": "Float64", "share": "Float64", "count": "Float64", "code": "String"}
    assert read(spec).select("price", "share", "count").rows() == [
        (1234.5, 0.12, 1200.0),
        (99.0, 0.075, 1e6),
        (-5.25, -0.03, -7.0),
    ]
    assert "Read as numbers, without currency" in spec.notes[-1]
    assert read(TableSpec.from_dict(json.loads(json.dumps(spec.to_dict())))).equals(read(spec))


def test_numbers_with_signs_and_decimal_commas(tmp_path):
    frame = load(write(tmp_path / "t.csv", "a;b;c\n1.234,50 €;x;1,5\n-12,00 €;y;2,25\n"))
    assert frame.rows() == [(1234.5, "x", 1.5), (-12.0, "y", 2.25)]


@pytest.mark.parametrize(
    "cells",
    [
        ["$5", "€5", "$7"],
        ["5%", "5", "6%"],
        ["555 123 456", "555 123 457", "555 999 000"],
        ["1,23", "4,5", "1"],
        ["$5", "call us", "$6"],
        ["01,234", "1,234", "x"],
    ],
)
def test_what_is_no_number_with_a_sign(tmp_path, cells):
    path = write(tmp_path / "t.csv", "a,b\n" + "".join(f'"{cell}",{i}\n' for i, cell in enumerate(cells)))
    assert settle(sniff(path)).columns["a"] == "String"


def test_separators_of_thousands_far_down(tmp_path):
    """The beginning says whole numbers, the end does not."""
    rows = "".join(f"{i},k{i}\n" for i in range(30_000))
    spec = settle(sniff(write(tmp_path / "t.csv", "n,k\n" + rows + '"1,234,567",x\n')))
    assert spec.columns["n"] == "Float64"
    assert read(spec)["n"][-1] == 1234567.0
    spec = settle(sniff(write(tmp_path / "u.csv", "n,k\n" + rows + '"1,234,567",x\nabc,y\n')))
    assert spec.columns["n"] == "String"
    assert spec.options["written"] == []


@settings(max_examples=200, deadline=None)
@given(
    st.from_regex(r"\A[$€ (+-]{0,3}[0-9]{1,4}([,. '][0-9]{1,4}){0,3}[ %€)]{0,3}\Z") | st.text(max_size=12),
    st.booleans(),
)
def test_a_bundle_reads_numbers_with_signs_as_training_does(text, comma):
    row = pl.DataFrame({"x": [text]}).select(number_of("x", decimal_comma=comma)).item()
    if WRITTEN[comma].match(text) and text.strip() and np.isnan(to_numbers(pd.Series([text], dtype=object))[0]):
        assert row == written_number(text, decimal_comma=comma)
    elif row is not None and not comma:
        assert row == float(text)
