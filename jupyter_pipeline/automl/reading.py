"""Reading tables: what a file holds, how it is read again in the same way, and reading it, all of it or lazily.

A :class:`TableSpec` says all that is needed to read a table again and goes into JSON. ``sniff`` looks at the
beginning of a file only, ``settle`` goes through it once, so that a type guessed there holds to its end.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from .delimited import NULL_VALUES, Dialect, dialect_of, dtypes_of
from .opening import (
    PIECE,
    SUPPORTED,
    ReadError,
    compression_of,
    encoding_of,
    head,
    plain,
    refuse_foreign,
    sha256,
    suffix_of,
    unpacked,
    western,
)
from .texts import hidden_types, remarks_on, with_types, written_note
from .units import are_numbers, number_of
from .whole import json_kind, load, main_sheet

__all__ = [
    "BUNDLED", "ReadError", "TableSpec", "as_stored", "read", "scan", "settle", "sha256", "sha256_of", "sniff",
    "sniff_bundled",
]  # fmt: skip

sha256_of = sha256

BUNDLED = ("iris", "wine", "breast_cancer", "diabetes", "digits")
_DTYPES: dict[str, type[pl.DataType]] = {
    "Int64": pl.Int64,
    "Float64": pl.Float64,
    "Boolean": pl.Boolean,
    "String": pl.String,
}
_WIDER = {"Int64": "Float64", "Float64": "String", "Boolean": "String"}
_MAX_WIDENED = 6
#: Formats that are read as a whole.
_WHOLE = ("json", "excel", "ipc_stream")
#: What polars raises over a file: on damaged ones its Rust code may panic, which is no Exception.
_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


@dataclass(frozen=True)
class TableSpec:
    """How to read a table.

    Attributes
    ----------
    path : str
        The file, or the name of a bundled data set.
    format : {"csv", "parquet", "ipc", "ipc_stream", "json", "ndjson", "excel", "sklearn"}
    compression, member : str or None
        How the file is compressed, and which member of a zip archive is meant.
    encoding : str
        Of a text file.
    options : dict
        For ``csv`` separator, quote, header, skip_lines, eol, decimal_comma, ragged, null_values, drop_empty, written
        (columns of numbers with signs, as ``$1,200``); for ``excel`` sheet, sheets (all that hold a table), above (rows
        above the column names), null_values; for all but ``csv`` held, see :mod:`.texts`. JSON types only.
    columns : dict of str
        Name and type of each column, in order. Names are unique.
    notes : tuple of str
        Remarks for people: what was renamed, guessed or left out.
    n_rows : int or None
        Rows of data, None before :func:`settle`.
    sha256 : str
        Of the file, empty before :func:`settle`.
    """

    path: str
    format: str
    compression: str | None = None
    member: str | None = None
    encoding: str = "utf-8"
    options: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    n_rows: int | None = None
    sha256: str = ""

    @property
    def sheet(self) -> str | None:
        """The sheet of an Excel file; None for other files."""
        return self.options.get("sheet")

    @property
    def sheets(self) -> tuple[str, ...]:
        """The sheets of an Excel file that hold a table; empty for other files."""
        return tuple(self.options.get("sheets", ()))

    @property
    def null_values(self) -> tuple[str, ...]:
        """Texts that count as missing (delimited text)."""
        return tuple(self.options.get("null_values", ()))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; ``columns`` becomes a list of ``{"name", "dtype"}``."""
        columns = [{"name": name, "dtype": dtype} for name, dtype in self.columns.items()]
        return {**asdict(self), "columns": columns, "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "TableSpec":
        """From the JSON form."""
        known = {key: data[key] for key in cls.__dataclass_fields__ if key in data}
        known["columns"] = {column["name"]: column["dtype"] for column in data.get("columns", [])}
        known["notes"] = tuple(data.get("notes", ()))
        return cls(**known)


def sniff(path: str | Path, sheet: str | None = None) -> TableSpec:
    """Find out how a file is to be read, from its beginning.

    Parameters
    ----------
    path : str or pathlib.Path
        CSV, TSV, Parquet, Feather or Arrow, JSON, NDJSON or Excel; the texts also compressed
        (gz, zst, bz2, xz, or zip with one member) and in other encodings than UTF-8.
    sheet : str or None
        Which sheet of an Excel file; None for the one with the largest table. Other files have none.

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
        options = {"sheet": found.name, "sheets": list(found.others), "above": found.above}
        options["null_values"] = list(NULL_VALUES)
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
    options = {
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
    columns = dict(zip(dialect.names, dialect.dtypes, strict=True))
    return replace(spec, format="csv", options=options, columns=columns, notes=tuple(dialect.notes))


def _with_schema(spec: TableSpec) -> TableSpec:
    """With the columns that the file itself names."""
    try:
        if spec.format in _WHOLE:
            frame, note = _loaded(spec)
            schema = frame.schema
            spec = replace(spec, notes=(*spec.notes, note)) if note else spec
        else:
            schema = _lazy(spec).collect_schema()
    except _UNREADABLE as error:
        raise _unreadable(spec, error) from None
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
    frame = _bundled(name)
    return TableSpec(name, "sklearn", columns={c: str(d) for c, d in frame.schema.items()}, n_rows=frame.height)


@lru_cache(maxsize=5)
def _bundled(name: str) -> pl.DataFrame:
    from sklearn import datasets

    data = getattr(datasets, f"load_{name}")()
    frame = pl.DataFrame({str(c): data.data[:, i] for i, c in enumerate(data.feature_names)})
    target = pl.Series("target", data.target)
    if name in ("iris", "wine", "breast_cancer"):
        target = pl.Series("target", [str(data.target_names[i]) for i in data.target])
    return frame.with_columns(target)


def scan(spec: TableSpec, *, finite: bool = True) -> pl.LazyFrame:
    """The table, lazily: nothing is read before it is collected.

    Parameters
    ----------
    spec : TableSpec
    finite : bool, default=True
        Make NaN and infinity missing values; False keeps them, to be counted.

    Raises
    ------
    ReadError
        If the file is gone or damaged. What is found while collecting comes as a Polars error.
    """
    lazy = _lazy(spec)
    if not finite:
        return lazy
    floats = [name for name, dtype in spec.columns.items() if dtype in ("Float64", "Float32")]
    return lazy.with_columns(pl.when(pl.col(floats).is_finite()).then(pl.col(floats))) if floats else lazy


def read(spec: TableSpec, n_rows: int | None = None) -> pl.DataFrame:
    """The table in memory.

    Parameters
    ----------
    spec : TableSpec
    n_rows : int or None
        The first rows only.

    Returns
    -------
    polars.DataFrame
        Columns as in ``spec.columns``; NaN and infinity are missing values.

    Raises
    ------
    ReadError
        If the file cannot be read so; it may have changed.

    Examples
    --------
    >>> read(sniff_bundled("iris"), n_rows=1).columns[-1]
    'target'
    """
    try:
        lazy = scan(spec)
        return (lazy if n_rows is None else lazy.head(n_rows)).collect(engine="streaming")
    except _UNREADABLE as error:
        raise _unreadable(spec, error) from None


def settle(spec: TableSpec) -> TableSpec:
    """Go through the whole file once: count its rows, and widen types that did not hold to its end.

    Raises
    ------
    ReadError
        If the file is damaged, or holds no rows.
    """
    if spec.format == "sklearn":
        frame = _bundled(spec.path)
        digest = hashlib.sha256(json.dumps(frame.columns).encode())
        digest.update(frame.hash_rows(seed=0).to_numpy().tobytes())
        return replace(spec, n_rows=frame.height, sha256=digest.hexdigest())
    spec = replace(spec, sha256=sha256(Path(spec.path)))
    for attempt in itertools.count():
        try:
            found = _with_units(spec) if spec.format == "csv" else _with_held(spec)
            n_rows, n_empty = _counted(found)
            break
        except _UNREADABLE as error:
            wider = _widened(spec, str(error), attempt)
            if wider is None:
                raise _unreadable(spec, error) from None
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
    held = hidden_types(_lazy(spec), texts, whole=spec.format in _WHOLE)
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
    texts = _lazy(_as_texts(spec, candidates))
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
    lazy = _lazy(spec)
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
        texts = _lazy(_as_texts(spec, names))
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


def _unreadable(spec: TableSpec, error: BaseException) -> ReadError:
    name = Path(spec.path).name
    if isinstance(error, FileNotFoundError):
        return ReadError(f"There is no file {name} any more; attach it again.")
    why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    what = {"csv": "delimited text", "ipc": "Arrow", "ipc_stream": "Arrow", "ndjson": "NDJSON", "json": "JSON"}
    kind = what.get(spec.format, spec.format.capitalize())
    return ReadError(f"{name} cannot be read as {kind} ({why}); save it again as one of {SUPPORTED}.")


def as_stored(spec: TableSpec, name: str) -> TableSpec:
    """With a column of texts as texts again, where it was read as numbers or truth values; not so in Excel."""
    held = spec.options.get("held")
    if held is None or held["types"].get(name, "String") == "String" or spec.format == "excel":
        return spec  # Excel's cells are numbers beside a text such as "n/a"
    again = {**held, "types": {**held["types"], name: "String"}, "written": [n for n in held["written"] if n != name]}
    before = remarks_on(held)
    notes = (*(note for note in spec.notes if note not in before), *remarks_on(again))
    return replace(spec, columns={**spec.columns, name: "String"}, options={**spec.options, "held": again}, notes=notes)


def _lazy(spec: TableSpec) -> pl.LazyFrame:
    """The table with unique names, and with the types that were found."""
    lazy = _stored(spec)
    if held := spec.options.get("held"):
        lazy = with_types(lazy, held)
    if spec.format == "excel" and (texts := [name for name, dtype in spec.columns.items() if dtype == "String"]):
        lazy = lazy.with_columns(pl.when(~pl.col(name).is_in(spec.null_values)).then(pl.col(name)) for name in texts)
    return lazy


def _stored(spec: TableSpec) -> pl.LazyFrame:
    """The table as the file has it."""
    if spec.format == "sklearn":
        return _bundled(spec.path).lazy()
    if not Path(spec.path).is_file():
        raise ReadError(f"There is no file {Path(spec.path).name} any more; attach it again.")
    if spec.format in _WHOLE:
        return _loaded(spec)[0].lazy()
    source: Any = plain(Path(spec.path), spec.compression, spec.member, spec.encoding)
    if spec.format == "parquet":
        return pl.scan_parquet(source, glob=False)
    if spec.format == "ipc":
        return pl.scan_ipc(source, glob=False)
    if spec.format == "ndjson":
        return _ndjson(spec, source)
    options = spec.options
    names, written = list(spec.columns), set(options.get("written", ()))
    lazy = pl.scan_csv(
        source,
        has_header=options["header"],
        skip_lines=options["skip_lines"],
        with_column_names=lambda _: names,
        schema_overrides={
            name: _DTYPES["String" if name in written else dtype] for name, dtype in spec.columns.items()
        },
        separator=options["separator"],
        quote_char=options["quote"],
        eol_char=options["eol"],
        decimal_comma=options["decimal_comma"],
        truncate_ragged_lines=options["ragged"],
        null_values=options["null_values"],
        glob=False,
    )
    if options["drop_empty"]:
        lazy = lazy.filter(~pl.all_horizontal(pl.all().is_null()))
    numbers = [number_of(name, decimal_comma=options["decimal_comma"]) for name in written]
    return lazy.with_columns(numbers) if numbers else lazy


def _ndjson(spec: TableSpec, source: Any) -> pl.LazyFrame:
    try:
        lazy = pl.scan_ndjson(source, infer_schema_length=None)
        lazy.collect_schema()
        return lazy
    except pl.exceptions.PolarsError:
        return _loaded(spec)[0].lazy()


def _loaded(spec: TableSpec) -> tuple[pl.DataFrame, str | None]:
    """A table of a format that is read as a whole, and a remark; read anew when the file changes."""
    stat = Path(spec.path).stat()
    sheet, above = str(spec.options.get("sheet", "")), int(spec.options.get("above", 0))
    how = (spec.format, spec.compression, spec.member, spec.encoding, sheet, above)
    return load(spec.path, stat.st_mtime_ns, stat.st_size, *how)
