"""Delimited text: which separator, header and quotes a file uses, and what type each of its columns has."""

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from .blanks import Blanks, Found, look, names_above, plain_text, rather_than, single
from .inference import WRITTEN
from .opening import ReadError
from .units import COLUMNS_AT_ONCE, are_numbers

#: What pandas reads as missing; ``predict.py`` of a bundle is given the same list.
NULL_VALUES = (
    "", "NA", "N/A", "n/a", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None", "<NA>", "#N/A", "#N/A N/A", "#NA",
    "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN",
)  # fmt: skip
#: Marks that stand for a missing value in a column that holds numbers otherwise.
_MARKS = ("-", "--", ".", "missing", "Missing", "unknown", "Unknown", "#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "nil")
_SEPARATORS = (",", "\t", ";", "|")
_SAMPLE_ROWS = 2000
#: Where the names of the columns are looked for.
_MOST_ABOVE = 30
_INT = r"^\s*[+-]?\d{1,19}\s*$"
_FLOAT = r"^\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[iI][nN][fF](?:inity|INITY)?|nan|NaN)\s*$"
_COMMA_FLOAT = r"^\s*[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?\s*$"
_BOOL = r"^(?:true|false|True|False|TRUE|FALSE)$"
_PADDED = r"^[+-]?0\d+$"
_NUMBER = re.compile(_FLOAT)


@dataclass
class Dialect:
    """How a delimited text is written.

    Attributes
    ----------
    separator, quote : str or None
        Between cells; around cells (None: quotes mean nothing).
    header : bool
        Whether the first line that counts names the columns.
    skip_lines : int
        Lines before the header (``sep=;``).
    eol : str
        End of a line.
    decimal_comma : bool
    names : list of str
        Unique column names, in order.
    null_values : list of str
    dtypes : list of str
        Names of Polars types.
    written : list of str
        Columns of numbers with signs or separators (``$1,200``), see :mod:`.units`.
    blanks : Blanks or None
        How cells are separated by blanks; the other members then are those of the text that it makes.
    notes : list of str
        Remarks for people.
    """

    separator: str = ","
    quote: str | None = '"'
    header: bool = True
    skip_lines: int = 0
    eol: str = "\n"
    decimal_comma: bool = False
    names: list[str] = field(default_factory=list)
    null_values: list[str] = field(default_factory=lambda: list(NULL_VALUES))
    dtypes: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    blanks: Blanks | None = None
    notes: list[str] = field(default_factory=list)


def dialect_of(text: str, name: str, *, complete: bool, separator: str | None = None) -> Dialect:
    """Find out how a text is written, from its beginning.

    Parameters
    ----------
    text : str
        The first characters of the file.
    name : str
        The file's name, for messages.
    complete : bool
        Whether this is the whole file.
    separator : str or None
        To be tried first (a tab for ``.tsv``).

    Raises
    ------
    ReadError
        If it is no table of two columns or more.
    """
    found = Dialect()
    text = text.removeprefix("\ufeff")
    if "\n" not in text and "\r" in text:
        found.eol = "\r"
        text = text.replace("\r", "\n")
    lead = re.match(r"sep=(.)\r?\n", text)
    if lead:
        found.skip_lines, separator = 1, lead.group(1)
        text = text[lead.end() :]
    if not complete:
        text = text[: text.rfind("\n") + 1] or text
    found.separator, usual = _separator(text, separator)
    rows = _rows(text, found.separator, '"')
    seen = look(text) if usual < 2 else rather_than(text, found.separator, rows or [])
    if seen and not found.skip_lines:
        return _by_blanks(seen)
    ragged = len({len(row) for row in rows or [] if row}) > 1
    if (usual < 2 or ragged) and single(blank := _rows(text, " ", '"') or [], usual):
        found.separator, rows = " ", blank
    if rows is None:
        found.quote = None
        rows = _rows(text, found.separator, None)
        found.notes.append("Quotation marks do not come in pairs, so they are read as plain characters.")
    above = lines_above(rows or [])
    if above:
        found.skip_lines += above
        rows = (rows or [])[above:]
        found.notes.append(f"{above} line{'s' if above > 1 else ''} above the column names are left out.")
    rows = [row for row in rows or [] if row]
    if not rows:
        raise ReadError(f"{name} is empty; it should hold a header line and rows of data.")
    width = len(rows[0])
    if width < 2:
        if found.quote and separator is None and len(rows) > 1 and max(len(r) for r in rows) > 1:
            raise ReadError(f"{name} does not begin with a header line; its first line should name all columns.")
        raise ReadError(
            f"{name} has only one column. A table needs the column to predict and at least one more; if its cells are "
            "separated by something else than a comma, semicolon, tab or bar, or by blanks but not as many in each "
            "line, save it as CSV with commas."
        )
    _complain_of_ragged(rows, width, name, found)
    body = [row for row in rows[1:] if any(row)]
    found.header = _has_header(rows[0], body)
    if not found.header:
        body.insert(0, rows[0])
        found.notes.append("The first line looks like data, so the columns were named column_1, column_2, ….")
    found.names, renamed = unique_names(rows[0] if found.header else [f"column_{i + 1}" for i in range(width)])
    if renamed:
        found.notes.append(renamed)
    _types(found, body, width)
    return found


def _by_blanks(seen: Found) -> Dialect:
    """The dialect of a text whose cells are separated by blanks."""
    found = Dialect(separator="\t", header=False, quote='"' if seen.quote else None)
    rows = [[plain_text(cell) if seen.quote else cell.decode(errors="replace") for cell in row] for row in seen.rows]
    names = names_above(seen)
    above, start = len(seen.above) - bool(names), seen.places[0]
    if names is None and _has_header(_points(rows[:1])[0], _points(rows[1:201])):
        names, rows, start = rows[0], rows[1:], seen.places[1]
    found.blanks = Blanks(seen.width, start, seen.quote)
    if above:
        found.notes.append(f"{above} line{'s' if above > 1 else ''} above the column names are left out.")
    if names is None:
        names = [f"column_{i + 1}" for i in range(seen.width)]
        found.notes.append("No line names the columns, so they were named column_1, column_2, ….")
    found.names, renamed = unique_names(names)
    if renamed:
        found.notes.append(renamed)
    _types(found, rows, seen.width)
    return found


def _points(rows: list[list[str]]) -> list[list[str]]:
    """With decimal points: where blanks separate cells a comma does not."""
    return [[cell.replace(",", ".") for cell in row] for row in rows]


def _separator(text: str, first: str | None) -> tuple[str, int]:
    """The separator that cuts most lines into the same number of cells, two or more, and how many these are."""
    best, best_score = first or ",", (0.0, 0)
    for separator in dict.fromkeys([*([first] if first else []), *_SEPARATORS]):
        rows = _rows(text, separator, '"', limit=200) or _rows(text, separator, None, limit=200) or []
        widths = [len(row) for row in rows if row]
        if not widths:
            continue
        width, times = Counter(widths).most_common(1)[0]
        if width < 2 and widths[0] < 2:
            continue
        agree = times / len(widths) if widths[0] == width else 0.5 * times / len(widths)
        score = (round(agree, 1) + (0.1 if separator == first else 0.0), width)
        if score > best_score:
            best, best_score = separator, score
    return best, best_score[1]


def _rows(text: str, separator: str, quote: str | None, limit: int = _SAMPLE_ROWS) -> list[list[str]] | None:
    """The first rows; None if quotes do not fit."""
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=separator,
        quotechar=quote,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
    )
    try:
        rows = list(itertools.islice(reader, limit))
    except csv.Error:
        return None
    if quote and any(cell.count("\n") > 200 for row in rows for cell in row):
        return None
    return rows


def lines_above(rows: Sequence[Sequence[str | None]]) -> int:
    """How many rows stand above the names of the columns: a title, remarks, empty lines, names of groups of columns."""
    cells = [[(cell or "").strip() for cell in row] for row in rows[:_MOST_ABOVE]]
    filled = [sum(map(bool, row)) for row in cells]
    above = next((i for i, n in enumerate(filled) if n > 1), 0)
    above += _names_groups(cells[above:])
    if not above:
        return 0
    names = cells[above]
    while names and not names[-1]:
        names.pop()
    own = all(names[1:]) and len(set(names)) == len(names) and not any(_NUMBER.match(name) for name in names)
    below = filled[above + 1 :]
    return above if own and len(names) > 1 and below and max(below) >= len(names) - 1 else 0


def _names_groups(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names groups of columns, by merged cells, and the second the columns themselves."""
    if len(rows) < 3 or len(rows[0]) != len(rows[1]):
        return False
    merged = any(name and not group for group, name in zip(rows[0][1:], rows[1][1:], strict=True))
    return merged and any(
        name and not _NUMBER.match(name) and (cells := [row[i] for row in rows[2:] if len(row) > i and row[i]])
        and all(map(_NUMBER.match, cells))
        for i, name in enumerate(rows[1])
    )  # fmt: skip


def _complain_of_ragged(rows: list[list[str]], width: int, name: str, found: Dialect) -> None:
    longer = sum(len(row) > width for row in rows[1:])
    if longer and longer == len(rows) - 1 and all(len(row) == width + 1 for row in rows[1:]):
        if any(row[-1] for row in rows[1:]):
            raise ReadError(
                f"In {name} every row has one cell more than the header has names; give the first column a name too."
            )
        return
    if longer > 0.5 * len(rows):
        raise ReadError(
            f"{name} does not begin with a header line: the first line has {width} cells, most others have more. "
            "Remove the lines above the column names."
        )
    shorter = sum(len(row) < width for row in rows[1:])
    if shorter > 0.02 * len(rows):
        found.notes.append("Some lines have fewer cells than the header; what they lack counts as missing.")


def _has_header(first: list[str], body: list[list[str]]) -> bool:
    numbers = [bool(_NUMBER.match(cell)) for cell in first]
    if not any(numbers) or not body:
        return True
    if len(set(first)) == len(first) and all(
        re.fullmatch(r"(19|20)\d\d", c.strip()) or c.strip() == str(i)
        for i, (c, n) in enumerate(zip(first, numbers, strict=True))
        if n
    ):
        return True
    for i, is_number in enumerate(numbers):
        cells = [row[i] for row in body[:200] if len(row) > i and row[i] not in NULL_VALUES]
        if not is_number and first[i].strip() and cells and all(_NUMBER.match(c) for c in cells):
            return True
    return False


def unique_names(names: Iterable[str | None]) -> tuple[list[str], str | None]:
    """Column names made unique the way pandas does: ``a, a`` becomes ``a, a.1``, a blank one ``Unnamed: 0``.

    Returns
    -------
    names : list of str
    note : str or None
        What was renamed, for people.
    """
    given = [str(n) if n is not None and str(n) != "" else f"Unnamed: {i}" for i, n in enumerate(names)]
    taken, counts, result, renamed = set(given), Counter[str](), [], []
    seen: set[str] = set()
    for name in given:
        new = name
        while new in seen or (new != name and new in taken):
            counts[name] += 1
            new = f"{name}.{counts[name]}"
        if new != name:
            renamed.append(f"{name!r} as {new!r}")
        seen.add(new)
        result.append(new)
    if not renamed:
        return result, None
    more = f" and {len(renamed) - 5} more" if len(renamed) > 5 else ""
    return result, f"Column names come more than once; the later ones are read {', '.join(renamed[:5])}{more}."


def _types(found: Dialect, body: list[list[str]], width: int) -> None:
    """Fill in types, missing marks and the decimal comma, from the first rows."""
    texts = pl.DataFrame(
        {f"{i}": [row[i] if len(row) > i else "" for row in body] for i in range(width)},
        schema=dict.fromkeys((f"{i}" for i in range(width)), pl.String),
    )
    found.null_values += marks_of(texts, found.null_values)
    if found.separator != ",":
        found.decimal_comma = _decimal_comma(texts, found.null_values)
    found.dtypes = dtypes_of(texts.lazy(), found.null_values, decimal_comma=found.decimal_comma)
    rest = [f"{i}" for i, dtype in enumerate(found.dtypes) if dtype == "String"]
    for i in map(int, are_numbers(texts.lazy(), rest, found.null_values, decimal_comma=found.decimal_comma)):
        found.dtypes[i] = "Float64"
        found.written.append(found.names[i])


def marks_of(texts: pl.DataFrame, nulls: list[str]) -> list[str]:
    """Marks for missing values beside the usual ones."""
    marks = (
        ["?"]
        if texts.height and texts.select(pl.any_horizontal((pl.all().str.strip_chars() == "?").any())).item()
        else []
    )
    spaced = [" ?"] if marks and texts.select(pl.any_horizontal((pl.all() == " ?").any())).item() else []
    known = {*nulls, *marks, *spaced}
    for column in texts.iter_columns():
        cells = column.filter(~column.is_in(list(known)))
        odd = cells.filter(~cells.str.contains(_FLOAT) & ~cells.str.contains(WRITTEN[False].pattern))
        kinds = set(odd.unique().to_list()) if 0 < len(odd) < 0.5 * len(cells) else set()
        if kinds and kinds <= set(_MARKS):
            marks += sorted(kinds - set(marks))
    return marks + spaced


def _decimal_comma(texts: pl.DataFrame, nulls: list[str]) -> bool:
    for column in texts.iter_columns():
        cells = column.filter(~column.is_in(nulls))
        if not len(cells) or not cells.str.contains(",", literal=True).any():
            continue
        if cells.str.contains(_COMMA_FLOAT).all():
            return True
        # "1.234,50 €": the comma comes last, with one or two digits behind it.
        if cells.str.contains(WRITTEN[True].pattern).all() and cells.str.contains(r"\d,\d{1,2}\D*$").any():
            return True
    return False


def dtypes_of(texts: pl.LazyFrame, null_values: list[str], *, decimal_comma: bool = False) -> list[str]:
    """The narrowest type that holds every cell of each column.

    Parameters
    ----------
    texts : polars.LazyFrame
        All columns String; read once, streaming.
    null_values : list of str
        Cells that do not count.
    decimal_comma : bool

    Returns
    -------
    list of str
        ``Int64``, ``Float64``, ``Boolean`` or ``String`` for each column. Numbers that are written with leading
        zeros are codes, and stay String.
    """
    names = texts.collect_schema().names()
    number = _COMMA_FLOAT if decimal_comma else _FLOAT
    result = []
    for start in range(0, len(names), COLUMNS_AT_ONCE):
        result += _dtypes(texts, names[start : start + COLUMNS_AT_ONCE], null_values, number)
    return result


def _dtypes(texts: pl.LazyFrame, names: list[str], null_values: list[str], number: str) -> list[str]:
    checks = []
    for i, name in enumerate(names):
        cells = pl.col(name).filter(~pl.col(name).is_in(null_values))
        checks += [
            cells.len().alias(f"{i}n"),
            cells.str.contains(_INT).all().alias(f"{i}i"),
            cells.str.contains(number).all().alias(f"{i}f"),
            cells.str.contains(_BOOL).all().alias(f"{i}b"),
            cells.str.contains(_PADDED).any().alias(f"{i}p"),
        ]
    row = texts.select(checks).collect(engine="streaming").row(0, named=True)
    result = []
    for i in range(len(names)):
        if not row[f"{i}n"] or row[f"{i}p"]:
            result.append("String")
        elif row[f"{i}b"]:
            result.append("Boolean")
        elif row[f"{i}i"]:
            result.append("Int64")
        else:
            result.append("Float64" if row[f"{i}f"] else "String")
    return result
