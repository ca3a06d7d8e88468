"""Columns of texts that hold numbers or truth values only, in files whose format has types of its own.

In a CSV every cell is a text, so what the cells hold tells the type. JSON, Parquet, Feather and Excel have types, but
numbers are written into them as texts all the same, or beside texts such as ``n/a``; those are read as in a CSV.
"""

from typing import Any

import polars as pl

from .delimited import NULL_VALUES, dtypes_of, marks_of
from .units import are_numbers, number_of

#: Columns are looked at this far before a look at all their rows is worth its time.
_FIRST_ROWS = 2_000
#: A comma with one or two digits behind it (or more than three) divides decimals; before three it may divide thousands.
_DECIMALS = r",(\d{1,2}|\d{4,})\D*$"


def hidden_types(lazy: pl.LazyFrame, names: list[str], *, whole: bool) -> dict[str, Any]:
    """What columns of texts hold, if it is something else.

    Parameters
    ----------
    lazy : polars.LazyFrame
        The table as it is stored.
    names : list of str
        Its columns of texts.
    whole : bool
        Whether it is in memory, so that looking at all of it costs little.

    Returns
    -------
    dict
        JSON for :func:`with_types`: ``types`` (``Int64``, ``Float64`` or ``Boolean`` of each column that is none of
        texts), ``written`` (those among them with currency, percent signs or separators), ``decimal_comma``, and
        ``nulls``, the texts that are missing values in these columns.
    """
    lazy = lazy.select(names)
    first = (lazy if whole else lazy.head(_FIRST_ROWS)).collect(engine="streaming")
    nulls = [*NULL_VALUES, *marks_of(first, list(NULL_VALUES))]
    comma = _decimal_comma(first, nulls)
    types, written = _held(first.lazy(), names, nulls, comma)
    if types and not whole:
        types, written = _held(lazy, list(types), nulls, comma)
    return {"types": types, "written": written, "decimal_comma": comma, "nulls": nulls}


def _held(lazy: pl.LazyFrame, names: list[str], nulls: list[str], comma: bool) -> tuple[dict[str, str], list[str]]:
    lazy = lazy.select(names)
    types = dict(zip(names, dtypes_of(lazy, nulls), strict=True))
    rest = [name for name, dtype in types.items() if dtype == "String"]
    written = are_numbers(lazy, rest, nulls, decimal_comma=comma)
    types |= dict.fromkeys(written, "Float64")
    return {name: dtype for name, dtype in types.items() if dtype != "String"}, written


def _decimal_comma(texts: pl.DataFrame, nulls: list[str]) -> bool:
    for column in texts.iter_columns():
        cells = column.filter(~column.is_in(nulls))
        if len(cells) and cells.str.contains(_DECIMALS).any():
            found = are_numbers(texts.lazy(), [column.name], nulls, decimal_comma=True)
            if found and not are_numbers(texts.lazy(), [column.name], nulls, decimal_comma=False):
                return True
    return False


def with_types(lazy: pl.LazyFrame, held: dict[str, Any]) -> pl.LazyFrame:
    """The table with the types that :func:`hidden_types` found."""
    columns = []
    for name, dtype in held["types"].items():
        text = pl.col(name)
        known = pl.when(~text.is_in(held["nulls"])).then(text)
        if name in held["written"]:
            columns.append(number_of(name, decimal_comma=held["decimal_comma"]))
        elif dtype == "String":
            columns.append(known.alias(name))
        elif dtype == "Boolean":
            columns.append((known.str.to_lowercase() == "true").alias(name))
        else:
            number = known.str.strip_chars().str.strip_prefix("+")
            columns.append(number.cast(pl.Int64 if dtype == "Int64" else pl.Float64, strict=False).alias(name))
    return lazy.with_columns(columns)


def remarks_on(held: dict[str, Any]) -> list[str]:
    """What was read as something else than it is stored as, in sentences."""
    numbers = [name for name, dtype in held["types"].items() if dtype in ("Int64", "Float64")]
    plain = [name for name in numbers if name not in held["written"]]
    truth = [name for name, dtype in held["types"].items() if dtype == "Boolean"]
    notes = []
    if plain:
        notes.append(
            f"Read as numbers, though they are stored as texts: {some(plain)}. If they are codes, treat them as "
            "categorical."
        )
    if held["written"]:
        notes.append(written_note(held["written"]))
    if truth:
        notes.append(f"Read as truth values, though they are stored as texts: {some(truth)}.")
    return notes


def written_note(names: list[str]) -> str:
    """That numbers with signs are read as numbers."""
    return f"Read as numbers, without currency, percent sign (as shares) and separators of thousands: {some(names)}."


def some(names: list[str], most: int = 5) -> str:
    """The first few names, for people."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more
