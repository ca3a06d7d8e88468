"""Delimited text as people have it: encodings, titles above the names, no names, line ends, ragged lines."""

from pathlib import Path

import pytest

from jupyter_pipeline.automl.reading import read, settle, sniff

from .readable import FRAME, TEXT, load, write


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


def test_thousands_of_columns(tmp_path):
    kinds = {"i": "7", "f": "1.5", "s": "x", "$": '"$1,200"', "b": "true"}
    names = [f"{kind}{i}" for i in range(260) for kind in kinds]
    lines = ",".join(names) + "\n" + (",".join(kinds.values()) + ",") * 259 + ",".join(kinds.values()) + "\n"
    spec = settle(sniff(write(tmp_path / "t.csv", lines)))
    assert list(spec.columns) == names
    assert list(spec.columns.values()) == ["Int64", "Float64", "String", "Float64", "Boolean"] * 260
    assert read(spec).row(0) == (7, 1.5, "x", 1200.0, True) * 260


def test_duplicate_and_blank_names(tmp_path):
    spec = sniff(write(tmp_path / "t.csv", "a,a,b,,a.1,a\n1,2,3,4,5,6\n"))
    assert list(spec.columns) == ["a", "a.2", "b", "Unnamed: 3", "a.1", "a.3"]
    assert "more than once" in " ".join(spec.notes)
    assert load(Path(spec.path)).row(0) == (1, 2, 3, 4, 5, 6)


def test_a_first_row_names_groups_only_where_the_second_can_be_no_data(tmp_path):
    rows = "".join(f"{i},{i * 2},x\n" for i in range(12))
    spec = settle(sniff(write(tmp_path / "g.csv", "who,,where\nage,spend,city\n" + rows)))
    assert (list(spec.columns), spec.n_rows) == (["age", "spend", "city"], 12)
    texts = "".join(f"a{i},b{i},x\n" for i in range(12))
    for names in ("who,,where\n", ",review,opinion\n"):
        spec = settle(sniff(write(tmp_path / "h.csv", names + texts)))
        assert spec.n_rows == 12


@pytest.mark.parametrize("above", ["Customers of the north\n\n", "Made by ops,\nin 2024,,\n", "sep=,\nTitle\n"])
def test_a_title_above_the_column_names_is_left_out(tmp_path, above):
    spec = settle(sniff(write(tmp_path / "t.csv", above + "age,plan\n" + "1,x\n2,y\n" * 5)))
    assert (list(spec.columns), spec.n_rows) == (["age", "plan"], 10)
    assert any("above the column names are left out" in note for note in spec.notes)


@pytest.mark.parametrize(
    ("first", "dtype"), [(1_700_000_000_000_000_001, "Int64"), (2**63 - 20, "Float64"), (10**22, "Float64")]
)
def test_whole_numbers_of_nineteen_digits_stay_apart_where_they_can(tmp_path, first, dtype):
    """As ids of messages and accounts are; the type holds to the end of the file."""
    rows = "".join(f"{first + i},{i}\n" for i in range(30))
    spec = settle(sniff(write(tmp_path / "t.csv", "id,x\n" + rows)))
    assert spec.columns["id"] == dtype
    assert read(spec)["id"].n_unique() == (30 if dtype == "Int64" else 1)


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
