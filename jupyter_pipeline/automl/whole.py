"""Tables of formats that are read as a whole: JSON and NDJSON with odd rows, Excel, Arrow streams."""

import functools
import io
import json
import re
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, NamedTuple

import polars as pl

from .delimited import lines_above, unique_names
from .opening import PIECE, ReadError, unpacked
from .texts import some

MAX_IN_MEMORY_BYTES = 1 << 30
#: From the first to the last cell of a sheet, empty ones in between too: each takes 32 bytes while it is read.
MAX_CELLS = 1 << 26
#: JSON and Excel take about ten times their size in memory while they are read.
MAX_PARSED_BYTES = 256 << 20


def json_kind(text: str) -> str:
    """``ndjson`` if the first line is an object by itself and another follows."""
    lines = text.strip().splitlines()
    if not lines[0].startswith("{"):
        return "json"
    try:
        row = json.loads(lines[0])
    except (ValueError, RecursionError):
        return "json"
    several = len(lines) > 1 and lines[1].startswith("{")
    return "ndjson" if several or not any(isinstance(v, list | dict) for v in row.values()) else "json"


#: The place of a cell with a value, wherever its tag has it, and the bytes that this takes at the most: without bounds,
#: tags that have no end would take for ever.
_CELL = re.compile(rb"r=[\"']([A-Z]{1,3})(\d{1,7})[\"'][^<>/]{0,150}>(?!</)")
_CELL_BYTES = 170


class Sheet(NamedTuple):
    """A sheet of an Excel file: its name, how many rows stand above its table, all sheets with one, the names of all
    sheets, and remarks."""

    name: str
    above: int
    others: tuple[str, ...]
    names: tuple[str, ...]
    notes: tuple[str, ...]


def main_sheet(path: Path, compression: str | None, member: str | None, wanted: str | None = None) -> Sheet:
    """The sheet of an Excel file that is wanted, or the one with the largest table.

    Parameters
    ----------
    path : pathlib.Path
    compression, member : str or None
    wanted : str or None
        A sheet's name; case, spaces and punctuation do not count. What is no name of one may be its place: ``"2"``,
        ``"last"``.

    Raises
    ------
    ReadError
        If the file cannot be read, has no table, or no such sheet.
    """
    import fastexcel

    name = path.name
    data = _whole(path, compression, member, MAX_PARSED_BYTES)
    _not_too_large(data, name)
    try:
        book = fastexcel.read_excel(data)
        sheets = {
            sheet: book.load_sheet(sheet, header_row=None, n_rows=30, dtypes="string") for sheet in book.sheet_names
        }
    except Exception as error:
        raise ReadError(
            f"{name} cannot be read as an Excel file ({error}); save it again, without a password."
        ) from None
    sizes = {sheet: table.total_height * table.width for sheet, table in sheets.items() if table.width > 1}
    if not sizes:
        raise ReadError(f"{name} has no sheet with two columns or more; put the table at the top of a sheet.")
    chosen = max(sizes, key=lambda sheet: sizes[sheet])
    if wanted is not None:
        chosen = _called(wanted, list(sizes), list(sheets), name)
    above = lines_above(sheets[chosen].to_polars().rows())
    notes = []
    if others := [sheet for sheet in sizes if sheet != chosen]:
        how = ", the largest, is read" if wanted is None else " is read"
        notes.append(f"The sheet {chosen!r}{how}; there {'are' if len(others) > 1 else 'is'} also {some(others)}.")
    if above:
        notes.append(f"{above} row{'s' if above > 1 else ''} above the column names are left out.")
    return Sheet(chosen, above, tuple(sizes), tuple(sheets), tuple(notes))


def _called(wanted: str, names: list[str], every: list[str], file: str) -> str:
    """The sheet of that name or, counted with those that hold no table, at that place."""
    for fold in (str, str.casefold, lambda text: "".join(c for c in text.casefold() if c.isalnum())):
        same = [name for name in names if fold(name) == fold(wanted)]
        if len(same) == 1:
            return same[0]
    place = int(wanted) - 1 if wanted.isdecimal() and len(wanted) < 5 else -1 if wanted == "last" else None
    if place is not None and -1 <= place < len(every) and every[place] in names:
        return every[place]
    raise ReadError(f"{file} has no sheet {wanted!r} with a table; it has {some(names, 20)}.")


def _whole(path: Path, compression: str | None, member: str | None, limit: int) -> bytes:
    with unpacked(path, compression, member) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ReadError(
            f"{path.name} is larger than {limit >> 20:,} MiB, too large for a format that is read as a whole; use "
            "Parquet or CSV."
        )
    return data


def _not_too_large(data: bytes, name: str) -> None:
    """Refuse a workbook whose sheets unpack to far more than the file has, or have a cell far away from the others:
    memory that cannot be had ends the whole process."""
    if not data.startswith(b"PK"):  # of before 2007
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(info.file_size for info in archive.infolist())
            if size > 8 * MAX_PARSED_BYTES:
                raise ReadError(f"{name} unpacks to {size >> 20:,} MiB, too much for Excel; use Parquet or CSV.")
            for info in archive.infolist():
                if info.filename.endswith(".xml"):  # a book says where its sheets are
                    with archive.open(info) as sheet:
                        _not_too_far(sheet, name)
    except ReadError:
        raise
    except Exception as error:  # zipfile has no error of its own for most of what can be damaged
        raise ReadError(f"{name} is damaged ({error}); save it again.") from None


def _not_too_far(sheet: IO[bytes], name: str) -> None:
    columns: set[bytes] = set()
    found: set[bytes] = set()
    rest = b""
    while piece := sheet.read(PIECE):
        cells = _CELL.findall(rest + piece)
        columns.update(column for column, _ in cells)
        found.update(row for _, row in cells)
        rest = piece[-_CELL_BYTES:]
    rows = [int(row) for row in found]
    places = [functools.reduce(lambda place, letter: 26 * place + letter - 64, column, 0) for column in columns]
    if places and (max(places) - min(places) + 1) * (max(rows) - min(rows) + 1) > MAX_CELLS:
        last = max(zip(places, columns, strict=True))[1].decode()
        raise ReadError(
            f"{name} has a sheet that goes to column {last} and row {max(rows):,}, too large to be read; delete cells "
            "that are far away from the table, or save it as CSV."
        )


@lru_cache(maxsize=2)
def load(
    place: str,
    _changed: int,
    _size: int,
    kind: str,
    compression: str | None,
    member: str | None,
    encoding: str,
    sheet: str,
    above: int = 0,
) -> tuple[pl.DataFrame, str | None]:
    """A table of a format that is read as a whole, and a remark about its column names."""
    path = Path(place)
    limit = MAX_IN_MEMORY_BYTES if kind == "ipc_stream" else MAX_PARSED_BYTES
    data = _whole(path, compression, member, limit)
    if kind == "excel":
        return _excel_table(data, sheet, above)
    if kind == "ipc_stream":
        return pl.read_ipc_stream(data), None
    text = data.decode(encoding, errors="replace").removeprefix("\ufeff")
    try:
        if kind == "ndjson":
            values: Any = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            values = json.loads(text)
    except ValueError as error:
        raise ReadError(f"{path.name} is no valid JSON ({error}); it may not have been copied completely.") from None
    try:
        return _json_table(values, path.name), None
    except UnicodeEncodeError:
        # Halves of characters beyond U+FFFF, as programs write that cut texts after so many UTF-16 units.
        whole = json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")
        return _json_table(json.loads(whole), path.name), "Halves of characters are read as question marks."


def _json_table(values: Any, name: str) -> pl.DataFrame:
    """The rows of a JSON document: a list of objects, an object of columns, or an object with one such list in it."""
    if isinstance(values, dict):
        columns = list(values.values())
        if columns and all(isinstance(c, list) and len(c) == len(columns[0]) for c in columns) and len(columns) > 1:
            return pl.DataFrame(values, strict=False)
        lists = [c for c in columns if isinstance(c, list) and c and all(isinstance(row, dict) for row in c)]
        if len(lists) == 1:
            values = lists[0]
        elif columns and all(isinstance(c, dict) for c in columns):  # what pandas writes: {column: {row: value}}
            rows = dict.fromkeys(row for c in columns for row in c)
            values = [{name: cells.get(row) for name, cells in values.items()} for row in rows]
    if not isinstance(values, list) or not values or not all(isinstance(row, dict) for row in values):
        raise ReadError(f"{name} is no JSON table; it should be a list of objects, one for each row.")
    names = dict.fromkeys(key for row in values for key in row)
    return pl.DataFrame({key: pl.Series(key, [row.get(key) for row in values], strict=False) for key in names})


def _excel_table(data: bytes, sheet: str, above: int) -> tuple[pl.DataFrame, str | None]:
    import fastexcel

    book = fastexcel.read_excel(data)
    table = book.load_sheet(sheet, header_row=above)
    frame = table.to_polars()
    first = book.load_sheet(sheet, header_row=None, skip_rows=above, n_rows=1).to_polars()
    if first.width != frame.width or not first.height:
        return frame, None
    names, note = unique_names(first.row(0))
    return frame.rename(dict(zip(frame.columns, names, strict=True))), note
