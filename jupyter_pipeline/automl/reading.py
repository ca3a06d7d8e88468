"""Finding out what a file holds and how it is to be read.

``sniff`` looks at the beginning of a file only, ``settle`` goes through it once, so that a type guessed there holds to
its end. Reading itself is in :mod:`.tables`.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import polars as pl

from .delimited import NULL_VALUES, Dialect, dialect_of, dtypes_of
from .opening import (
    PIECE,
    ReadError,
    compression_of,
    encoding_of,
    head,
    refuse_foreign,
    sha256,
    suffix_of,
    unpacked,
    western,
)
from .tables import (
    BUNDLED,
    UNREADABLE,
    WHOLE,
    TableSpec,
    as_stored,
    as_typed,
    bundled,
    loaded,
    read,
    scan,
    unreadable,
)  # fmt: skip
from .texts import hidden_types, remarks_on, written_note
from .units import are_numbers
from .whole import json_kind, main_sheet

__all__ = [
    "BUNDLED", "ReadError", "TableSpec", "as_stored", "read", "scan", "settle", "sha256", "sha256_of", "sniff",
    "sniff_bundled",
]  # fmt: skip

sha256_of = sha256

_WIDER = {"Int64": "Float64", "Float64": "String", "Boolean": "String"}
_MAX_WIDENED = 6


def sniff(path: str | Path, sheet: str | None = None) -> TableSpec:
    """Find out how a file is to be read, from its beginning.

    Parameters
    ----------
    path : str or pathlib.Path
        CSV, TSV, text whose columns are separated by blanks, Parquet, Feather or Arrow, JSON, NDJSON or Excel; the
        texts also compressed (gz, zst, bz2, xz, or zip with one member) and in other encodings than UTF-8.
    sheet : str or None
        Which sheet of an Excel file, by its name or place; None for the one with the largest table. Other files have
        none.

    Raises
    ------
    ReadError
        If it is no table of two columns or more, or has no such sheet.
    """
    path = Path(path)
    compression, member = compression_of(path)
    start, complete = head(path, compression, member)
    refuse_foreign(path, start)
    suffix = suffix_of(path, member)
    spec = TableSpec(str(path), "", compression, member, encoding="")
    if start.startswith(b"PAR1"):
        return _with_schema(replace(spec, format="parquet"))
    if start.startswith(b"ARROW1"):
        return _with_schema(replace(spec, format="ipc"))
    if start.startswith(b"\xff\xff\xff\xff") and suffix in (".arrow", ".arrows", ".ipc", ".feather"):
        return _with_schema(replace(spec, format="ipc_stream"))
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        found = main_sheet(path, compression, member, sheet)
        options = {
            "sheet": found.name,
            "sheets": list(found.others),
            "sheet_names": list(found.names),
            "above": found.above,
            "null_values": list(NULL_VALUES),
        }
        return _with_schema(replace(spec, format="excel", options=options, notes=found.notes))
    if suffix in (
        ".parquet",
        ".pq",
        ".feather",
        ".arrow",
        ".ipc",
        ".arrows",
        ".xlsx",
        ".xls",
        ".xlsb",
        ".xlsm",
        ".ods",
    ):
        raise ReadError(f"{path.name} is damaged: its content is not what its name says. Save or download it again.")
    encoding = encoding_of(path, start, complete)
    spec = replace(spec, encoding=encoding)
    text = start.decode(encoding, errors="replace").removeprefix("\ufeff")
    first = text.lstrip()[:1]
    if suffix in (".json", ".ndjson", ".jsonl") or (first in ("{", "[") and suffix not in (".csv", ".tsv")):
        if first not in ("{", "["):
            raise ReadError(f"{path.name} is no JSON table; it should be a list of objects, one for each row.")
        return _with_schema(replace(spec, format=json_kind(text)))
    dialect = dialect_of(text, path.name, complete=complete, separator="\t" if suffix in (".tsv", ".tab") else None)
    return _of_dialect(spec, dialect)


def _of_dialect(spec: TableSpec, dialect: Dialect) -> TableSpec:
    options: dict[str, Any] = {
        "separator": dialect.separator,
        "quote": dialect.quote,
        "header": dialect.header,
        "skip_lines": dialect.skip_lines,
        "eol": dialect.eol,
        "decimal_comma": dialect.decimal_comma,
        "ragged": False,
        "drop_empty": False,
        "null_values": dialect.null_values,
        "written": dialect.written,
    }
    if dialect.blanks is not None:
        options["blanks"] = asdict(dialect.blanks)
    columns = dict(zip(dialect.names, dialect.dtypes, strict=True))
    return replace(spec, format="csv", options=options, columns=columns, notes=tuple(dialect.notes))


def _with_schema(spec: TableSpec) -> TableSpec:
    """With the columns that the file itself names."""
    try:
        if spec.format in WHOLE:
            frame, note = loaded(spec)
            schema = frame.schema
            spec = replace(spec, notes=(*spec.notes, note)) if note else spec
        else:
            schema = as_typed(spec).collect_schema()
    except UNREADABLE as error:
        raise unreadable(spec, error) from None
    columns = {name: str(dtype) for name, dtype in schema.items()}
    if len(columns) < 2:
        raise ReadError(
            f"{Path(spec.path).name} has {'only one column' if columns else 'no columns'}; a table needs the column to "
            "predict and at least one more."
        )
    return replace(spec, columns=columns)


def sniff_bundled(name: str) -> TableSpec:
    """A data set that comes with scikit-learn, by its name in :data:`BUNDLED`.

    Raises
    ------
    ReadError
        If there is none of that name.
    """
    if name not in BUNDLED:
        raise ReadError(f"There is no bundled data set {name!r}; there are {', '.join(BUNDLED)}.")
    frame = bundled(name)
    return TableSpec(name, "sklearn", columns={c: str(d) for c, d in frame.schema.items()}, n_rows=frame.height)


def settle(spec: TableSpec) -> TableSpec:
    """Go through the whole file once: count its rows, and widen types that did not hold to its end.

    Raises
    ------
    ReadError
        If the file is damaged, or holds no rows.
    """
    if spec.format == "sklearn":
        frame = bundled(spec.path)
        digest = hashlib.sha256(json.dumps(frame.columns).encode())
        digest.update(frame.hash_rows(seed=0).to_numpy().tobytes())
        return replace(spec, n_rows=frame.height, sha256=digest.hexdigest())
    spec = replace(spec, sha256=sha256(Path(spec.path)))
    for attempt in itertools.count():
        try:
            found = _with_units(spec) if spec.format == "csv" else _with_held(spec)
            n_rows, n_empty = _counted(found)
            break
        except UNREADABLE as error:
            wider = _widened(spec, str(error), attempt)
            if wider is None:
                raise unreadable(spec, error) from None
            spec = wider
    spec = found
    if n_empty and spec.format == "csv":
        spec = replace(
            spec,
            options={**spec.options, "drop_empty": True},
            notes=(*spec.notes, f"{n_empty:,} empty lines are left out."),
        )
        n_rows -= n_empty
    if not n_rows:
        raise ReadError(f"{Path(spec.path).name} has a header but no rows; it should hold rows of data.")
    return replace(spec, n_rows=n_rows)


def _with_held(spec: TableSpec) -> TableSpec:
    """With columns of texts as what they hold, in formats that have types."""
    texts = [name for name, dtype in spec.columns.items() if dtype == "String"]
    if not texts:
        return spec
    held = hidden_types(as_typed(spec), texts, whole=spec.format in WHOLE)
    if spec.format == "excel":
        spec = replace(spec, options={**spec.options, "null_values": held["nulls"]})
    if not held["types"]:
        return spec
    options = {**spec.options, "held": held, "decimal_comma": held["decimal_comma"]}
    notes = (*spec.notes, *remarks_on(held))
    return replace(spec, columns={**spec.columns, **held["types"]}, options=options, notes=notes)


def _with_units(spec: TableSpec) -> TableSpec:
    """With those columns as numbers whose every cell, to the end of the file, is a number with signs or separators."""
    candidates = list(spec.options.get("written", ()))
    if not candidates:
        return spec
    texts = as_typed(_as_texts(spec, candidates))
    comma = spec.options["decimal_comma"]
    found = are_numbers(texts, candidates, list(spec.null_values), decimal_comma=comma)
    columns = {name: "String" if name in candidates and name not in found else t for name, t in spec.columns.items()}
    notes = list(spec.notes)
    if found:
        notes.append(written_note(found))
    return replace(spec, columns=columns, options={**spec.options, "written": found}, notes=tuple(notes))


def _as_texts(spec: TableSpec, names: Iterable[str]) -> TableSpec:
    """The table with some columns as they are written."""
    columns = {**spec.columns, **dict.fromkeys(names, "String")}
    written = [name for name in spec.options.get("written", ()) if columns[name] != "String"]
    return replace(spec, columns=columns, options={**spec.options, "written": written})


def _counted(spec: TableSpec) -> tuple[int, int]:
    """Rows, and rows without any value."""
    lazy = as_typed(spec)
    if spec.format != "csv":
        return int(lazy.select(pl.len()).collect(engine="streaming").item()), 0
    row = lazy.select(pl.len().alias("n"), pl.all_horizontal(pl.all().is_null()).sum().alias("empty"))
    n, empty = row.collect(engine="streaming").row(0)
    return int(n), int(empty)


def _widened(spec: TableSpec, error: str, attempt: int) -> TableSpec | None:
    """A spec that takes account of what reading stumbled over; None if nothing can be done."""
    if spec.format == "ndjson":
        after = {"head": "all", "all": "python"}.get(spec.options.get("infer", "head"))
        return _with_schema(replace(spec, options={"infer": after})) if after else None
    if spec.format != "csv" or attempt > _MAX_WIDENED + 6:
        return None
    options, names = spec.options, list(spec.columns)
    if "utf-8" in error and spec.encoding == "utf-8":
        with_western = replace(spec, encoding=_western_of(spec))
        return replace(with_western, notes=(*spec.notes, f"The text is read as {with_western.encoding}."))
    if "more fields" in error and not options["ragged"]:
        note = "Some lines have more cells than the header; what they have too much is left out."
        return replace(spec, options={**options, "ragged": True}, notes=(*spec.notes, note))
    place = re.search(r"as dtype `(\w+)` at column .*? \(column number (\d+)\)", error, re.DOTALL)
    if place and place.group(1) != "str":
        name = names[int(place.group(2)) - 1]
        if attempt < _MAX_WIDENED and spec.columns[name] in _WIDER:
            wider = _WIDER[spec.columns[name]]
            if wider == "String" and spec.columns[name] == "Float64":  # perhaps of numbers such as 1,200
                return _perhaps_written(spec, [name])
            return replace(spec, columns={**spec.columns, name: wider})
        texts = as_typed(_as_texts(spec, names))
        found = dtypes_of(texts, options["null_values"], decimal_comma=options["decimal_comma"])
        spec = replace(spec, columns=dict(zip(names, found, strict=True)))
        return _perhaps_written(spec, [name for name, dtype in spec.columns.items() if dtype == "String"])
    if options["quote"] and (place or "malformed" in error):
        note = "Quotation marks do not come in pairs, so they are read as plain characters."
        return replace(spec, options={**options, "quote": None}, notes=(*spec.notes, note))
    return None


def _perhaps_written(spec: TableSpec, names: list[str]) -> TableSpec:
    """Columns that are texts, unless :func:`_with_units` finds all of them to be numbers with signs."""
    written = list(dict.fromkeys([*spec.options.get("written", ()), *names]))
    columns = {**spec.columns, **dict.fromkeys(written, "Float64")}
    return replace(spec, columns=columns, options={**spec.options, "written": written})


def _western_of(spec: TableSpec) -> str:
    """cp1252 unless some byte of the file is none of it."""
    with unpacked(Path(spec.path), spec.compression, spec.member) as file:
        while piece := file.read(PIECE):
            if western(piece) == "latin-1":
                return "latin-1"
    return "cp1252"
