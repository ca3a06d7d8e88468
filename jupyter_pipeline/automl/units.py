"""Numbers as people write them in tables: ``$1,234.50``, ``12 %``, ``(300)``, ``1.234,50 €``.

The rule is that of :func:`.inference.written_number`, by which an exported bundle reads them, as expressions of Polars.
"""

import polars as pl

from .inference import CURRENCIES, GROUPS, NEGATIVE, WRITTEN

#: Columns that a query is about: what Polars takes to plan one grows faster than their number.
COLUMNS_AT_ONCE = 500
#: A bare ``1.234`` in a file with decimal commas may be either; such columns are left as they are.
_EITHER = r"^\s*[+-]?\d{1,3}\.\d{3}\s*$"


def number_of(name: str, *, decimal_comma: bool) -> pl.Expr:
    """The column's numbers; what is no number becomes missing."""
    text = pl.col(name)
    digits = text.str.extract(WRITTEN[decimal_comma].pattern, 1).str.replace_all(GROUPS[decimal_comma], "")
    number = digits.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    number = pl.when(text.str.contains(NEGATIVE)).then(-number).otherwise(number)
    return pl.when(text.str.contains("%", literal=True)).then(number / 100).otherwise(number).alias(name)


def are_numbers(texts: pl.LazyFrame, names: list[str], null_values: list[str], *, decimal_comma: bool) -> list[str]:
    """Which columns of texts hold numbers only, and in one unit.

    Parameters
    ----------
    texts : polars.LazyFrame
        All columns String; read once, streaming.
    names : list of str
        Columns to look at.
    null_values : list of str
        Cells that do not count.
    decimal_comma : bool
    """
    found: list[str] = []
    for start in range(0, len(names), COLUMNS_AT_ONCE):
        found += _are_numbers(texts, names[start : start + COLUMNS_AT_ONCE], null_values, decimal_comma)
    return found


def _are_numbers(texts: pl.LazyFrame, names: list[str], null_values: list[str], decimal_comma: bool) -> list[str]:
    checks = []
    for i, name in enumerate(names):
        cells = pl.col(name).filter(~pl.col(name).is_in(null_values))
        unit = cells.str.extract(rf"(?i)({CURRENCIES})", 1).str.to_uppercase()
        checks += [
            cells.len().alias(f"{i}n"),
            cells.str.contains(WRITTEN[decimal_comma].pattern).all().alias(f"{i}written"),
            unit.drop_nulls().n_unique().alias(f"{i}units"),
            cells.str.contains("%", literal=True).mean().alias(f"{i}percent"),
            cells.str.contains(_EITHER).any().alias(f"{i}either"),
            cells.str.contains(r"[,.]").any().alias(f"{i}pointed"),
            cells.str.len_chars().n_unique().alias(f"{i}lengths"),
            cells.str.contains(r"^\s*[+-]?0\d+\s*$").any().alias(f"{i}padded"),
        ]
    row = texts.select(checks).collect(engine="streaming").row(0, named=True)
    return [
        name
        for i, name in enumerate(names)
        if row[f"{i}n"]
        and row[f"{i}written"]
        and row[f"{i}units"] <= 1
        and row[f"{i}percent"] in (0.0, 1.0)
        and not (row[f"{i}units"] and row[f"{i}percent"])
        and not (decimal_comma and row[f"{i}either"])
        and not row[f"{i}padded"]
        # "555 123 456" in every row is no amount
        and (row[f"{i}units"] or row[f"{i}percent"] or row[f"{i}pointed"] or row[f"{i}lengths"] > 1)
    ]
