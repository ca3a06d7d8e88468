"""Texts whose columns are separated by one or more blanks, as many archives and instruments write them (.dat, .txt).

Nothing says where an empty cell would be, so only files are read so in which all lines have as many cells, from the
first to the last one; a line with another number of them is named, never shifted.
"""

import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .opening import ReadError

_CELL = re.compile(rb'(?<!\S)(?:"(?:[^"]|"")*"(?!\S)|[^\s"]\S*)')
#: Cells that are numbers, also with a decimal comma, or marks of a missing one.
_NUMBER = re.compile(rb"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?$")
_MISSING = {b"", b"?", b"NA", b"N/A", b"n/a", b"NaN", b"nan", b"NULL", b"null", b".", b"-"}
#: Two numbers with a gap between them such as aligned columns have; nobody writes thousands so.
_GAP = re.compile(rb"[\d.] {2,}[+-]?[\d.]")
_LINE_END = re.compile(r"\r\n|\r|\n")
#: What stands before names of columns that are written as a remark.
_REMARK = re.compile(rb"^(?:[#%!;]+|//|\w+:(?=\s))\s*")
#: What stands above the rows in files that tell much more before.
_DATA = re.compile(rb"(?i)^\s*data\s*:")
#: Lines of text that may stand above the columns, and so many rows there must be below.
_MOST_ABOVE, _ROWS_BELOW = 100, 5
_SAMPLE_LINES = 2000
_LONGEST_LINE = 64 << 20
_IS_BLANK = np.isin(np.arange(256), list(b" \t\n\r\x0b\x0c"))


@dataclass(frozen=True)
class Blanks:
    """How a text is written whose columns are separated by blanks.

    Attributes
    ----------
    width : int
        Cells in each line.
    skip_lines : int
        Lines above the data: titles, remarks, names.
    quote : bool
        Whether quotation marks hold a cell together.
    """

    width: int
    skip_lines: int
    quote: bool

    def __call__(self, pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
        """The data's lines with tabs between their cells, piece by piece; ReadError where a line has other cells."""
        rest, number = b"", 0
        for piece in _and_last(pieces):
            if piece is not None:
                rest = (rest + piece).removeprefix(BOM_UTF8) if not number else rest + piece
                cut = rest.rfind(b"\n") + 1 or rest.rfind(b"\r", 0, -1) + 1
                if not cut and len(rest) > _LONGEST_LINE:
                    raise ReadError(f"{name} has a line of more than {_LONGEST_LINE >> 20} MiB; it is no table.")
                whole, rest = rest[:cut], rest[cut:]
            else:
                whole = rest
            if number >= self.skip_lines and (same := _at_once(whole, self.width, self.quote)) is not None:
                number += whole.count(b"\n") or whole.count(b"\r")
                yield same
                continue
            made = []
            for line in whole.splitlines():
                number += 1
                if number <= self.skip_lines:
                    continue
                cells = cells_of(line, self.quote)
                if cells is None or len(cells) != self.width:
                    if cells == []:
                        continue
                    raise ReadError(
                        f"Line {number:,} of {name} has {_many(cells)}, those above have {self.width}. Where columns "
                        "are separated by blanks, a missing value needs a mark such as NA; or save it as CSV."
                    )
                made.append(b"\t".join(cells))
            if made:
                made.append(b"")
                yield b"\n".join(made)


def _at_once(whole: bytes, width: int, quote: bool) -> bytes | None:
    """What :func:`cells_of` makes of many lines, ten times as fast; None where it takes a look at each line."""
    text = np.frombuffer(whole + b"\n", dtype=np.uint8).copy()
    blank = _IS_BLANK[text]
    if quote and (marks := np.flatnonzero(text == ord('"'))).size:
        opening, closing = marks[::2], marks[1::2]
        before, after = np.r_[np.uint8(10), text[:-1]], np.r_[text[1:], np.uint8(10)]
        outside = _IS_BLANK[before[opening]] | (before[opening] == ord('"'))
        if len(marks) % 2 or not (outside.all() and (_IS_BLANK[after[closing]] | (after[closing] == ord('"'))).all()):
            return None
        inside = np.cumsum(text == ord('"')) % 2 == 1
        if inside[(text == 10) | (text == 13)].any():
            return None
        blank &= ~inside
    ends = np.flatnonzero(~blank[:-1] & blank[1:]) + 1
    lines = np.searchsorted(ends, np.flatnonzero((text == 10) | (text == 13)), side="right")
    counts = np.diff(lines, prepend=0)
    if not ((counts == 0) | (counts == width)).all():
        return None
    text[ends] = ord("\t")
    text[ends[width - 1 :: width]] = ord("\n")
    blank[ends] = False
    return text[~blank].tobytes()


def _and_last(pieces: Iterator[bytes]) -> Iterator[bytes | None]:
    yield from pieces
    yield None


def _many(cells: Sequence[bytes] | None) -> str:
    if cells is None:
        return "quotation marks that do not come in pairs"
    return "one cell" if len(cells) == 1 else f"{len(cells)} cells"


def cells_of(line: bytes, quote: bool) -> list[bytes] | None:
    """A line's cells, as a file with tabs would have them; None if quotation marks do not fit."""
    if not quote or b'"' not in line:
        return line.split()
    if _CELL.sub(b"", line).strip():
        return None
    return [
        b'"' + cell.replace(b'"', b'""') + b'"' if b'"' in cell and not cell.startswith(b'"') else cell
        for cell in _CELL.findall(line)
    ]


def plain_text(cell: bytes) -> str:
    """A cell's text without the marks around it."""
    text = cell.decode(errors="replace")
    return text[1:-1].replace('""', '"') if len(text) > 1 and text.startswith('"') and text.endswith('"') else text


@dataclass(frozen=True)
class Found:
    """What the beginning of such a text shows.

    Attributes
    ----------
    above : list of bytes
        The lines above those with as many cells, without empty ones.
    rows : list of list of bytes
        The cells of those.
    before : int
        How many lines of the file are above the first of ``rows``.
    places : list of int
        Lines of the file in which ``rows`` are.
    quote : bool
    """

    above: list[bytes]
    rows: list[list[bytes]]
    places: list[int]
    quote: bool

    @property
    def width(self) -> int:
        """Cells in each row."""
        return len(self.rows[0])


def look(text: str) -> Found | None:
    """The rows at the end of a text's beginning that have as many cells each; None if it is no such table."""
    lines = _lines(text)
    every = [cells_of(line, True) for line in lines]
    quote = None not in every
    split = [cells_of(line, quote) or [] for line in lines]
    places = [i for i, cells in enumerate(split) if cells]
    if not places or (width := len(split[places[-1]])) < 2:
        return None
    first = next((k + 1 for k in range(len(places) - 1, -1, -1) if len(split[places[k]]) != width), 0)
    rows = [split[i] for i in places[first:]]
    if first > _MOST_ABOVE or len(rows) < (_ROWS_BELOW if first > 1 else 2):
        return None
    found = Found([lines[i] for i in places[:first]], rows, places[first:], quote)
    if first:
        # Lines above that are rows without a cell, or names of more columns than there are cells, tell that cells are
        # empty, and so that blanks say nothing of where they are.
        named = names_above(found) is not None
        odd = any(_like_a_row(split[i]) for i in places[: first - named])
        if (odd and not _DATA.match(found.above[-1])) or not (named or _are_names(rows[0])):
            return None
    return found if numeric(rows[1:]) or _aligned([lines[i] for i in found.places]) else None


def _lines(text: str) -> list[bytes]:
    most = _SAMPLE_LINES + _MOST_ABOVE
    return [line.encode() for line in _LINE_END.split(text, maxsplit=most)[:most]]


def _like_a_row(cells: Sequence[bytes]) -> bool:
    """Whether a line above may be a row that lacks a cell, or has one too many, rather than words."""
    return 2 * sum(bool(_NUMBER.match(cell)) for cell in cells) >= len(cells)


def single(rows: Sequence[Sequence[str]], other: int) -> bool:
    """Whether one blank separates cells, of which some are empty: as many in each row, more than the ``other``
    separator makes, and numbers in a column."""
    body = [[cell.encode() for cell in row] for row in rows if row]
    width = len(body[0]) if body else 0
    if width < max(2, other + 1) or len(body) < _ROWS_BELOW or any(len(row) != width for row in body):
        return False
    return all(map(any, zip(*body, strict=True))) and bool(numeric(body[1:]))


def numeric(rows: Sequence[Sequence[bytes]]) -> int:
    """How many columns hold numbers and marks of missing ones only."""
    columns = ([cell for cell in column if cell not in _MISSING] for column in zip(*rows, strict=True))
    return sum(bool(cells) and all(map(_NUMBER.match, cells)) for cells in columns)


def _aligned(lines: Sequence[bytes]) -> bool:
    """Whether all cells of each column begin, or end, at the same place, with a gap somewhere in each line."""
    if len(lines) < _ROWS_BELOW or not all(re.search(rb"\S\s{2,}\S", line) for line in lines):
        return False
    spans = [[match.span() for match in re.finditer(rb"\S+", line)] for line in lines]
    return all(
        len({begin for begin, _ in column}) == 1 or len({end for _, end in column}) == 1
        for column in zip(*spans, strict=True)
    )


def rather_than(text: str, separator: str, rows: Sequence[Sequence[str]]) -> Found | None:
    """The table, if blanks separate the cells of a text although another separator cuts it into columns too.

    Where numbers stand in aligned columns, with a tab before the last one or with decimal commas; and where the other
    separator makes lines of different lengths: a comma in texts, one tab or more of them.
    """
    widths = Counter(len(row) for row in rows if row)
    ragged = len(widths) > 1
    if not ragged and not _GAP.search(text[:4096].encode()):
        return None
    found = look(text)
    if found is None or len(found.above) > 1 or 2 * numeric(found.rows[1:]) < found.width:
        return None
    if ragged:
        return (
            found
            if found.width > widths.most_common(1)[0][0] or (separator == "\t" and found.width in widths)
            else None
        )
    lines = _lines(text)
    return found if all(_GAP.search(lines[i]) for i in found.places) else None


def names_above(found: Found) -> list[str] | None:
    """Names of the columns in the last line above the rows: as a remark, with blanks in them, or one less than cells.

    R writes the names of rows without a name above them; that column gets an empty one.
    """
    if not found.above:
        return None
    line = found.above[-1]
    bare = _REMARK.sub(b"", line.strip())
    wide = [part for part in re.split(rb"\s{2,}|\t", bare) if part]
    for cells in (cells_of(bare, found.quote) or [], wide):
        if len(cells) == found.width and _are_names(cells):
            return [plain_text(cell) for cell in cells]
    cells = cells_of(line, found.quote) or []
    keys = {row[0] for row in found.rows}
    told = len(cells) > 1 or cells[0].startswith(b'"')
    if len(found.above) == 1 and len(cells) == found.width - 1 and told and len(keys) == len(found.rows):
        return ["", *map(plain_text, cells)] if _are_names(cells) else None
    return None


def _are_names(cells: Sequence[bytes]) -> bool:
    return len(set(cells)) == len(cells) and not any(map(_NUMBER.match, cells))
