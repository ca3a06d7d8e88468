"""Tables in many formats are read as they were written; what is no table gets a sentence that helps."""

import bz2
import gzip
import json
import lzma
import math
import pickle
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipeline.automl import opening, whole
from jupyter_pipeline.automl.inference import WRITTEN, to_numbers, written_number
from jupyter_pipeline.automl.reading import (
    BUNDLED,
    ReadError,
    TableSpec,
    as_stored,
    read,
    scan,
    settle,
    sha256,
    sniff,
    sniff_bundled,
)
from jupyter_pipeline.automl.units import number_of

FRAME = pl.DataFrame(
    {
        "n": [1, 2, None, 4],
        "x": [0.5, 1.25, 2.0, None],
        "name": ["a", "b, c", 'say "d"', "ä"],
        "yes": [True, False, True, None],
    }
)
TEXT = FRAME.write_csv()


def load(path: Path) -> pl.DataFrame:
    spec = settle(sniff(path))
    again = TableSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    assert spec.sha256 == sha256(path)
    frame = read(again)
    assert frame.height == spec.n_rows
    assert frame.columns == list(spec.columns)
    assert scan(again).collect().equals(frame)
    return frame


def write(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def write_parquet(path: Path) -> None:
    FRAME.write_parquet(path)


def write_excel(path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(FRAME.columns)
    for row in FRAME.rows():
        book.active.append(row)
    book.save(path)


@pytest.mark.parametrize(
    ("name", "writer"),
    [
        ("t.parquet", FRAME.write_parquet),
        ("t.feather", FRAME.write_ipc),
        ("t.arrow", FRAME.write_ipc),
        ("t.arrows", FRAME.write_ipc_stream),
        ("t.json", FRAME.write_json),
        ("t.ndjson", FRAME.write_ndjson),
        ("t.jsonl", FRAME.write_ndjson),
        ("t.csv", FRAME.write_csv),
        ("t.tsv", lambda path: FRAME.write_csv(path, separator="\t")),
        ("t.txt", lambda path: FRAME.write_csv(path, separator="|")),
        ("odd.ending", lambda path: FRAME.write_csv(path, separator=";")),
        ("t.xlsx", write_excel),
    ],
)
def test_formats(tmp_path, name, writer):
    writer(tmp_path / name)
    assert load(tmp_path / name).equals(FRAME)


def pack_zip(data: bytes, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("folder/t.csv", data)
        archive.writestr("__MACOSX/folder/._t.csv", b"\0\0")
        archive.writestr("readme.md", b"what it is")


@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        ("gz", lambda data, path: path.write_bytes(gzip.compress(data))),
        ("bz2", lambda data, path: path.write_bytes(bz2.compress(data))),
        ("xz", lambda data, path: path.write_bytes(lzma.compress(data))),
        ("zip", pack_zip),
        ("zst", lambda data, path: path.write_bytes(pytest.importorskip("zstandard").compress(data))),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_compressed(tmp_path, ending, pack, encoding):
    path = tmp_path / f"t.csv.{ending}"
    pack(TEXT.encode(encoding), path)
    assert load(path).equals(FRAME)


def test_compressed_ndjson_and_parquet(tmp_path):
    path = write(tmp_path / "t.ndjson.gz", gzip.compress(FRAME.write_ndjson().encode()))
    assert load(path).equals(FRAME)
    FRAME.write_parquet(tmp_path / "t.parquet")
    path = write(tmp_path / "t.parquet.gz", gzip.compress((tmp_path / "t.parquet").read_bytes()))
    assert load(path).equals(FRAME)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
def test_encodings(tmp_path, encoding):
    assert load(write(tmp_path / "t.csv", TEXT.encode(encoding))).equals(FRAME)


def test_western_text_far_down_the_file(tmp_path):
    lines = "a,b\n" + "1,plain\n" * 200_000
    frame = load(write(tmp_path / "t.csv", lines.encode() + "2,é\n".encode("latin-1")))
    assert frame["b"][-1] == "é"


def test_types_that_change_far_down_the_file(tmp_path):
    lines = "a,b,c\n" + "1,1,true\n" * 200_000 + "2.5,x,maybe\n"
    path = write(tmp_path / "t.csv", lines)
    assert list(sniff(path).columns.values()) == ["Int64", "Int64", "Boolean"]
    assert list(settle(sniff(path)).columns.values()) == ["Float64", "String", "String"]
    assert load(path).row(-1) == (2.5, "x", "maybe")


def test_many_types_that_change_are_found_in_one_pass(tmp_path):
    names = [f"c{i}" for i in range(30)]
    lines = ",".join(names) + "\n" + (",".join("1" * 30) + "\n") * 20_000 + ",".join(["x"] * 30) + "\n"
    spec = settle(sniff(write(tmp_path / "t.csv", lines)))
    assert set(spec.columns.values()) == {"String"}
    assert spec.n_rows == 20_001


def test_ndjson_types_that_change_far_down(tmp_path):
    lines = '{"a": 1, "b": "x"}\n' * 12_000 + '{"a": 2.5, "b": "y", "late": true}\n{"a": NaN, "b": "z"}\n'
    frame = load(write(tmp_path / "t.ndjson", lines))
    assert frame["a"][-2:].to_list() == [2.5, None]
    assert frame["late"][-2] is True


@pytest.mark.parametrize(
    "value",
    [
        [{"a": 1, "b": "x"}, {"a": None, "b": "y"}],
        {"data": [{"a": 1, "b": "x"}, {"b": "y"}], "count": 2},
        {"a": [1, None], "b": ["x", "y"]},
        {"a": {"0": 1, "1": None}, "b": {"0": "x", "1": "y"}},
    ],
)
def test_shapes_of_json(tmp_path, value):
    frame = load(write(tmp_path / "t.json", json.dumps(value, indent=1)))
    assert frame.to_dict(as_series=False) == {"a": [1, None], "b": ["x", "y"]}


def test_nan_in_json(tmp_path):
    frame = load(write(tmp_path / "t.json", '[{"a": NaN, "b": 1}, {"a": 2.5, "b": Infinity}]'))
    assert frame.to_dict(as_series=False) == {"a": [None, 2.5], "b": [1.0, None]}


def test_nan_and_infinity_are_missing_but_can_be_counted(tmp_path):
    path = write(tmp_path / "t.csv", "a,b\nNaN,1\ninf,2\n-Infinity,3\n1.5,4\n")
    assert load(path)["a"].to_list() == [None, None, None, 1.5]
    kept = scan(sniff(path), finite=False).collect()["a"].to_list()
    assert kept[0] is None
    assert kept[1:3] == [math.inf, -math.inf]


def test_duplicate_and_blank_names(tmp_path):
    spec = sniff(write(tmp_path / "t.csv", "a,a,b,,a.1,a\n1,2,3,4,5,6\n"))
    assert list(spec.columns) == ["a", "a.2", "b", "Unnamed: 3", "a.1", "a.3"]
    assert "more than once" in " ".join(spec.notes)
    assert load(Path(spec.path)).row(0) == (1, 2, 3, 4, 5, 6)


def test_formats_that_are_read_as_a_whole_have_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(whole, "MAX_PARSED_BYTES", 20_000)
    path = write(tmp_path / "t.json.gz", gzip.compress(json.dumps([{"a": i, "b": 0} for i in range(2_000)]).encode()))
    assert path.stat().st_size < 20_000
    with pytest.raises(ReadError, match="too large for a format that is read as a whole; use Parquet or CSV"):
        load(path)
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/workbook.xml", "<workbook/>")
        book.writestr("xl/worksheets/sheet1.xml", " " * 1_000_000)
    with pytest.raises(ReadError, match="too much for Excel"):
        sniff(tmp_path / "t.xlsx")


def test_duplicate_names_in_excel(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "notes"
    book.active.append(["only text here"])
    sheet = book.create_sheet("data")
    for row in (["a", "b", "a"], [1, 2, 3]):
        sheet.append(row)
    book.save(tmp_path / "t.xlsx")
    spec = sniff(tmp_path / "t.xlsx")
    assert spec.options["sheet"] == "data"
    assert list(spec.columns) == ["a", "b", "a.1"]
    assert load(tmp_path / "t.xlsx").row(0) == (1, 2, 3)


def test_numbers_with_leading_zeros_stay_text(tmp_path):
    frame = load(write(tmp_path / "t.csv", "zip,n\n01234,1\n98765,2\n"))
    assert frame["zip"].to_list() == ["01234", "98765"]


def test_the_largest_sheet_is_read_and_a_title_above_is_left_out(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "README"
    for row in (("about", "info"), ("made by", "ops")):
        book.active.append(row)
    sheet = book.create_sheet("Customers")
    for row in (("Customers of the north",), (), ("age", "plan"), *((i, f"p{i % 3}") for i in range(20))):
        sheet.append(row)
    book.save(tmp_path / "t.xlsx")
    spec = settle(sniff(tmp_path / "t.xlsx"))
    assert (spec.columns, spec.n_rows) == ({"age": "Float64", "plan": "String"}, 20)
    assert "The sheet 'Customers', the largest, is read; there is also 'README'." in spec.notes
    assert read(spec).row(0) == (0.0, "p0")
    assert (spec.sheet, spec.sheets) == ("Customers", ("README", "Customers"))
    other = settle(sniff(tmp_path / "t.xlsx", "readme"))
    assert (other.sheet, list(other.columns), read(other).rows()) == ("README", ["about", "info"], [("made by", "ops")])
    with pytest.raises(ReadError, match="has no sheet 'Costs' with a table; it has 'README', 'Customers'"):
        sniff(tmp_path / "t.xlsx", "Costs")


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


@pytest.mark.parametrize("above", ["Customers of the north\n\n", "Made by ops,\nin 2024,,\n", "sep=,\nTitle\n"])
def test_a_title_above_the_column_names_is_left_out(tmp_path, above):
    spec = settle(sniff(write(tmp_path / "t.csv", above + "age,plan\n" + "1,x\n2,y\n" * 5)))
    assert (list(spec.columns), spec.n_rows) == (["age", "plan"], 10)
    assert any("above the column names are left out" in note for note in spec.notes)


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


@pytest.mark.parametrize("text", ["1,0.5,x\n2,0.7,y\n3,0.1,x\n", "5.1,3.5,a\n4.9,3.0,b\n"])
def test_no_header(tmp_path, text):
    spec = sniff(write(tmp_path / "t.csv", text))
    assert next(iter(spec.columns)) == "column_1"
    assert load(Path(spec.path)).height == text.count("\n")


@pytest.mark.parametrize("header", ["country,2019,2020", "0,1,2", "id,x,y"])
def test_headers_that_look_like_data(tmp_path, header):
    spec = sniff(write(tmp_path / "t.csv", header + "\n1,2,3\n4,5,6\n"))
    assert list(spec.columns) == header.split(",")


def test_line_ends_and_quoted_line_breaks(tmp_path):
    assert load(write(tmp_path / "a.csv", "a,b\r1,2\r3,4\r")).rows() == [(1, 2), (3, 4)]
    assert load(write(tmp_path / "b.csv", 'a,b\r\n1,"x\r\ny"\r\n3,z\r\n\r\n')).rows() == [(1, "x\r\ny"), (3, "z")]
    assert load(write(tmp_path / "c.csv", "sep=;\na;b\n1;2\n")).rows() == [(1, 2)]


def test_ragged_lines(tmp_path):
    spec = settle(sniff(write(tmp_path / "t.csv", "a,b\n" + "1,2\n" * 20 + "3,4,5\n6\n")))
    assert read(spec).rows()[-2:] == [(3, 4), (6, None)]
    assert any("more cells" in note for note in spec.notes)


def test_stray_quotes(tmp_path):
    frame = load(write(tmp_path / "t.csv", 'a,b\n1,x\n2,"y\n' + "3,z\n" * 300))
    assert frame.height == 302


def test_blank_lines_are_left_out(tmp_path):
    spec = settle(sniff(write(tmp_path / "t.csv", "a,b\n1,2\n\n3,4\n\n")))
    assert read(spec).rows() == [(1, 2), (3, 4)]
    assert any("empty lines" in note for note in spec.notes)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("t.csv", b"", "empty"),
        ("t.csv", b"\n\n  \n", "empty"),
        ("t.csv", b"a,b\n", "no rows"),
        ("t.csv", b"a\n1\n2\n", "only one column"),
        ("t.csv", bytes(range(256)) * 20, "binary"),
        ("t.parquet", b"PAR1 garbage", "cannot be read"),
        ("t.parquet", b"garbage", "damaged"),
        ("t.xlsx", b"PK\x03\x04 garbage", "damaged"),
        ("t.arrow", b"ARROW1 garbage", "cannot be read"),
        ("t.json", b'{"a": ', "JSON"),
        ("t.json", b"[1, 2, 3]", "list of objects"),
        ("t.json", b"plain words", "list of objects"),
        ("t.ndjson", b'{"a": 1, "b": 2}\n{"a": \n', "JSON"),
        ("t.csv.gz", gzip.compress(TEXT.encode() * 1000, mtime=0)[:60], "damaged"),
        ("t.csv", b"<!DOCTYPE html><html></html>", "web page"),
        ("t.csv", b"%PDF-1.7 ...", "PDF"),
        ("t.csv", b"name,age\n" + b"x,1,2,3\n" * 10, "header"),
        ("t.csv", b"a,b\n" + b"row,1,2\n" * 10, "first column"),
    ],
)
def test_what_is_no_table(tmp_path, name, data, says):
    path = write(tmp_path / name, data)
    with pytest.raises(ReadError, match=says) as caught:
        read(settle(sniff(path)))
    assert name in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_pickles_are_never_opened(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    for name in ("t.pkl", "t.csv", "t.parquet"):
        path = write(tmp_path / name, pickle.dumps(Bomb()))
        with pytest.raises(ReadError, match="pickle"):
            sniff(path)
    assert not (tmp_path / "ran").exists()


def test_zip_archives_with_several_tables(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("a.csv", TEXT)
        archive.writestr("b.csv", TEXT)
    with pytest.raises(ReadError, match="exactly one table"):
        sniff(tmp_path / "t.zip")


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(ReadError, match="no file"):
        sniff(tmp_path / "t.csv")
    with pytest.raises(ReadError, match="folder"):
        sniff(tmp_path)
    path = write(tmp_path / "t.csv", TEXT)
    spec = sniff(path)
    path.unlink()
    with pytest.raises(ReadError, match="any more"):
        read(spec)


def test_a_file_that_changed_is_read_again(tmp_path):
    path = write(tmp_path / "t.csv.gz", gzip.compress(b"a,b\n1,2\n"))
    assert load(path).rows() == [(1, 2)]
    write(path, gzip.compress(b"a,b\n1,2\n30,40\n"))
    assert load(path).rows() == [(1, 2), (30, 40)]
    opening.forget()
    assert load(path).rows() == [(1, 2), (30, 40)]


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled(name):
    spec = settle(sniff_bundled(name))
    frame = read(spec)
    assert frame.columns[-1] == "target"
    assert frame.height == spec.n_rows
    assert settle(sniff_bundled(name)).sha256 == spec.sha256
    with pytest.raises(ReadError, match="iris"):
        sniff_bundled("titanic")


def test_a_zip_whose_file_names_are_damaged_is_said_to_be(tmp_path):
    """The flag for UTF-8 with bytes that are none, in the file's own header: zipfile fails with UnicodeDecodeError."""
    path = tmp_path / "t.csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rows.csv", TEXT)
    data = bytearray(path.read_bytes())
    data[7] |= 0x08
    data[30] = 0x80
    path.write_bytes(data)
    with pytest.raises(ReadError, match="damaged"):
        sniff(path)
