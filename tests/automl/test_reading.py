"""Tables in many formats are read as they were written; what is no table gets a sentence that helps."""

import bz2
import gzip
import json
import lzma
import pickle
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import polars as pl
import pytest

from jupyter_pipeline.automl import opening, whole
from jupyter_pipeline.automl.reading import BUNDLED, ReadError, read, settle, sniff, sniff_bundled

from .readable import FRAME, TEXT, load, write


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


def test_numbers_that_are_not_finite_are_missing_whatever_their_width(tmp_path):
    values = [1.0, float("inf"), float("nan"), None]
    table = pl.DataFrame({str(dtype): pl.Series(values, dtype=dtype) for dtype in (pl.Float16, pl.Float32, pl.Float64)})
    table.write_parquet(tmp_path / "t.parquet")
    assert all(column.to_list() == [1.0, None, None, None] for column in load(tmp_path / "t.parquet"))


def test_a_file_that_unpacks_to_more_than_there_is_room_for_is_refused(tmp_path):
    path = write(tmp_path / "t.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 500_000))
    with (
        opening.unpacking_at_most(1_000_000),
        pytest.raises(
            ReadError, match=r"t\.csv\.gz unpacks to more than 1,000,000 bytes, which is all that the project"
        ),
    ):
        load(path)
    with opening.unpacking_at_most(3_000_000):
        assert load(path).height == 500_000


def test_halves_of_characters_in_json(tmp_path):
    path = write(tmp_path / "t.json", r'[{"a": "cut \ud83d", "b": 1}, {"a": "\ud83d\ude00", "b": 2}]')
    assert read(settle(sniff(path))).rows() == [("cut ?", 1), ("\U0001f600", 2)]
    assert "Halves of characters are read as question marks." in sniff(path).notes


def test_a_cell_far_away_in_excel_is_named(tmp_path):
    """What lies between would take 512 GiB; without them the whole process was aborted."""
    book = openpyxl.Workbook()
    for row in (["a", "b"], [1, 2], [3, 4]):
        book.active.append(row)
    path = tmp_path / "t.xlsx"
    book.active["XFD1048576"].number_format = "0.00"  # without a value it is nowhere
    book.save(path)
    assert load(path).rows() == [(1, 2), (3, 4)]
    book.active["XFD1048576"] = 5
    book.save(path)
    with pytest.raises(ReadError, match="goes to column XFD and row 1,048,576, too large to be read; delete cells"):
        sniff(path)
    data = bytearray(path.read_bytes())
    data[data.find(b"PK\x01\x02") + 8] |= 1  # "encrypted", which other readers pass over
    with pytest.raises(ReadError, match=r"t\.xlsx is damaged"):
        sniff(write(path, bytes(data)))


def test_an_excel_sheet_of_tags_without_an_end_is_soon_looked_through(tmp_path):
    """Each of them was looked at to the end of the sheet."""
    path = tmp_path / "t.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", '<c r="A1" ' * 300_000 + "<c " * 300_000)
    with pytest.raises(ReadError):
        sniff(path)


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


def test_names_of_groups_of_columns_in_merged_cells_are_left_out(tmp_path):
    """As pandas writes columns of two levels: a row of groups, a row of names, an empty row."""
    groups = [("who", "age"), ("who", "spend"), ("where", "city")]
    frame = pd.DataFrame([[20 + i, 1.5 * i, "Ghent"] for i in range(12)], columns=pd.MultiIndex.from_tuples(groups))
    frame.to_excel(tmp_path / "merged.xlsx")
    spec = settle(sniff(tmp_path / "merged.xlsx"))
    assert list(spec.columns) == ["Unnamed: 0", "age", "spend", "city"]
    assert "1 row above the column names are left out." in spec.notes
    table = read(spec).drop_nulls("age")
    assert table["spend"].to_list() == [1.5 * i for i in range(12)]


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
    assert [sniff(tmp_path / "t.xlsx", place).sheet for place in ("1", "2", "last")] == [
        "README",
        "Customers",
        "Customers",
    ]
    with pytest.raises(ReadError, match="has no sheet '3' with a table"):  # there are two
        sniff(tmp_path / "t.xlsx", "3")
    with pytest.raises(ReadError, match="has no sheet 'Costs' with a table; it has 'README', 'Customers'"):
        sniff(tmp_path / "t.xlsx", "Costs")


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
        ("t.json", b"[" * 100_000 + b"]" * 100_000, "recursion"),
        ("t.json", b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b', "b": 1}', "recursion"),
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
