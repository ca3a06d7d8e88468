"""Texts whose columns are separated by blanks: as archives, instruments, R and pandas write them; and what is none."""

import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipeline.automl.blanks import Blanks, cells_of
from jupyter_pipeline.automl.inference import read_rows
from jupyter_pipeline.automl.opening import ReadError, plain
from jupyter_pipeline.automl.reading import read, settle, sniff
from jupyter_pipeline.automl.tables import TableSpec

from .readable import load, write

HOUSING = "".join(f" {i / 100:.5f}  18.00   {i % 7}  {i}.\n" for i in range(1, 40))
MPG = "".join(
    f'{18 + i:.1f}   8   {"?" if i == 5 else 130.0}      3504.\t"chevrolet chevelle {i}"\n' for i in range(40)
)
SEEDS = "".join(f"15.26\t14.8{i % 10}\t" + ("" if i % 9 else "\t") + f"5.763\t{i}\n" for i in range(40))
NIST = (
    "NIST/ITL StRD\nDataset Name:  Longley           (Longley.dat)\n\nFile Format:   ASCII\n"
    + "               Certified Values  (lines 31 to 51)\n" * 3
    + "".join(f"               B{i}    -3482258.63459582      890420.383607373\n" for i in range(7))
    + "Reference:     Longley, J. W. (1967).\n               An Appraisal of Least Squares\n" * 10
    + "\nData:       y          x1         x2\n\n"
    + "".join(f"      {60323 + i}        {83.0 + i}     {234289 + i * 7}\n" for i in range(16))
)
R = '"mpg" "cyl" "name"\n' + "".join(f'"car {i}" {i / 4} {i % 3} "a ""b"" {i}"\n' for i in range(20))


@pytest.mark.parametrize(
    ("text", "names", "first", "last"),
    [
        (HOUSING, ["column_1", "column_4"], (0.01, 18.0, 1, 1.0), (0.39, 18.0, 4, 39.0)),
        (MPG, ["column_1", "column_5"], (18.0, 8, 130.0, 3504.0, "chevrolet chevelle 0"), None),
        (SEEDS, ["column_1", "column_4"], (15.26, 14.80, 5.763, 0), None),
        (NIST, ["y", "x2"], (60323, 83.0, 234289), (60338, 98.0, 234394)),
        (R, ["Unnamed: 0", "name"], ("car 0", 0.0, 0, 'a "b" 0'), ("car 19", 4.75, 1, 'a "b" 19')),
        ("# a b\n" + "1.0e+00 2.5\n" * 9, ["a", "b"], (1.0, 2.5), None),
        ("Sepal Length  Class\n" + "         5.1      a\n" * 9, ["Sepal Length", "Class"], (5.1, "a"), None),
        ("1,5   2,25\n2,5   3,25\n" * 9, ["column_1", "column_2"], (1.5, 2.25), (2.5, 3.25)),
        ("item size n\n" + 'bolt 5" 3\n' * 9, ["item", "n"], ("bolt", '5"', 3), None),
        ("a  b\n" + "1  x\n\n" * 9, ["a", "b"], (1, "x"), None),
    ],
)
def test_files_as_archives_and_programs_write_them(tmp_path, text, names, first, last):
    frame = load(write(tmp_path / "t.dat", text))
    assert [frame.columns[0], frame.columns[-1]] == names
    assert frame.row(0) == first
    assert last is None or frame.row(-1) == last


@pytest.mark.parametrize("index", [True, False])
def test_a_frame_as_pandas_prints_it(tmp_path, index):
    frame = pd.DataFrame({"age": [31, 45, 5] * 9, "city": ["Lyon", "Ghent", "Turin"] * 9, "x": np.arange(27) / 8})
    found = load(write(tmp_path / "t.txt", frame.to_string(index=index)))
    assert found.columns == ["Unnamed: 0"] * index + ["age", "city", "x"]
    assert found.to_pandas()[["age", "city", "x"]].equals(frame)


@pytest.mark.parametrize("kind", ["crlf", "bom", "utf-16", "cp1252", "gz"])
def test_line_ends_encodings_and_compression(tmp_path, kind):
    text = "n   ort\n" + "1   Köln\n 20  Genf\n" * 400
    data = {
        "crlf": text.replace("\n", "\r\n").encode(),
        "bom": text.encode("utf-8-sig"),
        "utf-16": text.encode("utf-16"),
        "cp1252": text.encode("cp1252"),
        "gz": gzip.compress(text.encode()),
    }[kind]
    frame = load(write(tmp_path / ("t.txt" + ".gz" * (kind == "gz")), data))
    assert (frame.columns, frame.height, frame.row(-1)) == (["n", "ort"], 800, (20, "Genf"))


def test_one_blank_may_stand_for_an_empty_cell(tmp_path):
    frame = pd.DataFrame({"a": [1, 2, 3] * 5, "b": ["x", None, "y z"] * 5, "c": [0.5, None, 2.0] * 5})
    found = load(write(tmp_path / "t.txt", frame.to_csv(sep=" ", index=False)))
    assert found.rows()[:3] == [(1, "x", 0.5), (2, None, None), (3, "y z", 2.0)]


@pytest.mark.parametrize(
    "rows",
    [
        [(1, None, 0.5), (2, 3.5, 2.0), (3, 4.5, 1.0)],  # the first row lacks a cell
        [(1, None, 0.5), (2, 3.5, None), (3, None, 1.0)],  # each row lacks one
        [(1, 2.5, "a, b"), (2, 3.5, "c"), (3, None, "d, e, f")],  # texts with another separator
    ],
)
def test_rows_that_lack_a_cell_are_not_shifted(tmp_path, rows):
    frame = pd.DataFrame(rows * 4, columns=["first", "second", "third"])
    found = load(write(tmp_path / "t.txt", frame.to_csv(sep=" ", index=False)))
    assert found.rows() == rows * 4
    assert found.columns == ["first", "second", "third"]


def test_names_with_commas_in_them_separate_nothing(tmp_path):
    text = "judge dmnr famr\n" + "AARONSON,L.H. 5.7 7.9\nBURNS,E.B.JR. 6.8 8.9\nDALY 5.5 6.0\n" * 5
    assert load(write(tmp_path / "t.txt", text)).row(0) == ("AARONSON,L.H.", 5.7, 7.9)


@pytest.mark.parametrize("line", ["1 2", "1 2 3 4", 'x "y 3'])
def test_a_line_with_other_cells_is_named_and_never_shifted(tmp_path, line):
    path = write(tmp_path / "t.txt", "a b c\n" + "1 2 3\n" * 3000 + line + "\n4 5 6\n")
    with pytest.raises(ReadError, match=r"Line 3,002 of t\.txt has"):
        settle(sniff(path))


@pytest.mark.parametrize(
    "text",
    [
        "name\n" + "John Smith\nJane Doe\n" * 9,
        "New York\nLos Angeles\n" * 9,
        "It was the best of times\nit was the worst of times\nin 1789\n" * 9,
        "a b c\n1 2 3\n4 5\n" + "1 2 3\n" * 9,
        "a b c\n" + "1 2 3\n" * 9 + "in all 27\nand no more\n",
        "time\n" + "2024-01-01 10:00:00\n" * 9,
        "1\n2\n" * 9,
    ],
)
def test_lists_prose_and_broken_lines_are_no_such_table(tmp_path, text):
    with pytest.raises(ReadError, match="only one column"):
        sniff(write(tmp_path / "t.txt", text))


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("a, b,  c\n" + "1,  2,   3\n" * 9, (1, 2, 3)),
        ("name\tage\n" + "Bob  Ray\t4\n" * 9, ("Bob  Ray", 4)),
        ("n\tm\n" + "12  34\t5\n" * 9 + "1\t2\n", ("12  34", 5)),
        ("a;b\n" + "1  2;x y\n" * 9, ("1  2", "x y")),
        ("a\tb\tc\n" + "1\t2\t\n1\t2\n" * 9, (1, 2, None)),
        ("a,b\n" + "1 200,x  3\n" * 9, ("1 200", "x  3")),
    ],
)
def test_blanks_inside_the_cells_of_other_tables_stay(tmp_path, text, row):
    assert load(write(tmp_path / "t.txt", text)).row(0) == row


WORDS = st.text("ab cd", min_size=1, max_size=8).filter(lambda text: text.strip() == text)
NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(-(10**9), 10**9), NUMBERS, WORDS), min_size=2, max_size=30),
    data=st.data(),
    header=st.booleans(),
)
def test_what_is_written_is_read(tmp_path_factory, rows, data, header):
    """Whatever the gaps, the blanks at both ends, and empty lines."""
    gap = st.text(" ", min_size=1, max_size=5)
    ends = st.text(" ", max_size=3)
    lines = [["n", "x", "word"]] * header + [[str(n), repr(x), f'"{word}"'] for n, x, word in rows]
    text = ""
    for cells in lines:
        a, b, left, right = (data.draw(part) for part in (gap, gap, ends, ends))
        text += left + cells[0] + a + cells[1] + b + cells[2] + right + "\n" + data.draw(st.sampled_from(["", "\n"]))
    path = write(tmp_path_factory.mktemp("blanks") / "t.txt", text)
    spec = settle(sniff(path))
    assert read(spec).rows() == rows
    assert list(spec.columns) == (["n", "x", "word"] if header else ["column_1", "column_2", "column_3"])
    if header:
        assert read_rows(path)["word"].tolist() == [word for _, _, word in rows]
    assert read(TableSpec.from_dict(spec.to_dict())).rows() == rows


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 10**6), WORDS, WORDS), min_size=2, max_size=30),
    separator=st.sampled_from([",", "\t", ";", "|"]),
)
def test_tables_with_another_separator_are_read_by_it(tmp_path_factory, rows, separator):
    frame = pl.DataFrame(rows, schema=["n", "one two", "b"], orient="row")
    path = tmp_path_factory.mktemp("others") / "t.txt"
    frame.write_csv(path, separator=separator)
    assert "blanks" not in sniff(path).options
    assert load(path).equals(frame)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.text('ab" \t\r1', max_size=12), max_size=6), st.integers(2, 3), st.booleans(), st.integers(1, 30))
def test_many_lines_at_once_are_read_as_each_by_itself(lines, width, quote, size):
    """Whatever pieces they come in."""
    text = "\n".join(lines).encode()
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    found = []
    for parts in (pieces, [text], [line + b"\n" for line in text.splitlines()]):
        try:
            found.append(b"".join(Blanks(width, 0, quote)(iter(parts), "t")))
        except ReadError:
            found.append(b"refused")
    split = [cells_of(line, quote) for line in text.splitlines()]
    wrong = any(cells is None or len(cells) not in (0, width) for cells in split)
    assert set(found) == {b"refused" if wrong else b"".join(b"\t".join(c) + b"\n" for c in split if c)}


def test_a_large_file_is_never_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "t.dat"
    path.write_text("a  b   c\n" + "  12345  0.25   word\n" * 2_000_000)
    spec = sniff(path)
    tracemalloc.start()
    try:
        copy: Any = plain(path, None, None, "utf-8", Blanks(**spec.options["blanks"]))
        assert tracemalloc.get_traced_memory()[1] < 24 << 20
    finally:
        tracemalloc.stop()
    assert copy.seek(0, 2) == 2_000_000 * len("12345\t0.25\tword\n")
    assert settle(spec).n_rows == 2_000_000


@pytest.mark.parametrize("text", [R, "n   ort\n" + "1   Genf\n" * 9])
def test_rows_to_predict_are_read_so_too(tmp_path, text):
    path = write(tmp_path / "t.txt", text)
    table, rows = load(path), read_rows(path)
    assert list(rows.columns) == table.columns
    assert rows.iloc[0].tolist() == [str(v) for v in table.row(0)]
