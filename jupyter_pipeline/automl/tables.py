"""A table in a file: all that is needed to read it again in the same way, and reading it, all of it or lazily.

A :class:`TableSpec` goes into JSON; :mod:`.reading` finds it out.
"""

from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from .blanks import Blanks
from .opening import SUPPORTED, ReadError, plain
from .texts import remarks_on, with_types
from .units import number_of
from .whole import load

BUNDLED = ("iris", "wine", "breast_cancer", "diabetes", "digits")
_DTYPES: dict[str, type[pl.DataType]] = {
    "Int64": pl.Int64,
    "Float64": pl.Float64,
    "Boolean": pl.Boolean,
    "String": pl.String,
}
#: Formats that are read as a whole.
WHOLE = ("json", "excel", "ipc_stream")
#: What polars raises over a file: on damaged ones its Rust code may panic, which is no Exception. And what Python does
#: over JSON that is nested too deeply.
UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, RecursionError)


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
        (columns of numbers with signs, as ``$1,200``), blanks (where these separate cells: see :class:`.blanks.Blanks`,
        the others are those of the text that it makes); for ``excel`` sheet, sheets (all that hold a table),
        sheet_names (all), above (rows above the column names), null_values; for all but ``csv`` held, see
        :mod:`.texts`. JSON types only.
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
    def sheet_names(self) -> tuple[str, ...]:
        """The names of all sheets of an Excel file; empty for other files."""
        return tuple(self.options.get("sheet_names", ()))

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


@lru_cache(maxsize=5)
def bundled(name: str) -> pl.DataFrame:
    """A data set of scikit-learn, by its name in :data:`BUNDLED`."""
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
    lazy = as_typed(spec)
    if not finite:
        return lazy
    floats = [name for name, dtype in spec.columns.items() if dtype in ("Float64", "Float32", "Float16")]
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
    except UNREADABLE as error:
        raise unreadable(spec, error) from None


def unreadable(spec: TableSpec, error: BaseException) -> ReadError:
    """What people are told of a file that Polars cannot read."""
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


def as_typed(spec: TableSpec) -> pl.LazyFrame:
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
        return bundled(spec.path).lazy()
    if not Path(spec.path).is_file():
        raise ReadError(f"There is no file {Path(spec.path).name} any more; attach it again.")
    if spec.format in WHOLE:
        return loaded(spec)[0].lazy()
    blanks = Blanks(**found) if (found := spec.options.get("blanks")) else None
    source: Any = plain(Path(spec.path), spec.compression, spec.member, spec.encoding, blanks)
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
        return loaded(spec)[0].lazy()


def loaded(spec: TableSpec) -> tuple[pl.DataFrame, str | None]:
    """A table of a format that is read as a whole, and a remark; read anew when the file changes."""
    stat = Path(spec.path).stat()
    sheet, above = str(spec.options.get("sheet", "")), int(spec.options.get("above", 0))
    how = (spec.format, spec.compression, spec.member, spec.encoding, sheet, above)
    return load(spec.path, stat.st_mtime_ns, stat.st_size, *how)
