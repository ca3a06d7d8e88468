"""Which treatment suits a column, by what its training rows hold, and why: a proposal that people can change."""

from dataclasses import dataclass

import pandas as pd

from .features import dtype_of

#: Up to so many categories each one becomes a feature of its own.
ONEHOT_UP_TO = 20

WORDS = {
    "numeric": "Fill missing numbers with the median (and mark them), then scale.",
    "onehot": "One feature for each category; rare ones together, unknown ones count as rare.",
    "ordinal": "Rank the categories in their natural order.",
    "target_encode": "Replace each category by the mean target of its rows, learned on other rows than it is used on.",
    "text": "Weigh parts of words (tf-idf) and condense them to a few features.",
    "datetime": "Split dates into time line, year, month, day, weekday and hour.",
    "boolean": "False becomes 0, true 1, missing the share of true.",
    "drop": "Left out.",
}


@dataclass(frozen=True)
class Proposal:
    """A treatment, why it is proposed, and about how many features it gives."""

    treatment: str
    why: str
    n_features: int


def propose(column: pd.Series, kind: str | None = None) -> Proposal:
    """A treatment for a column.

    Parameters
    ----------
    column : pandas.Series
        Raw values of training rows.
    kind : str or None
        What the profile says the column is (numeric, integer, boolean, categorical, text, datetime, id, constant,
        empty); None to find out from the values.

    Returns
    -------
    Proposal
    """
    known = column.dropna()
    n, distinct = len(known), int(known.nunique())
    if n == 0:
        return Proposal("drop", "It is empty in the training rows.", 0)
    if distinct == 1 and n == len(column):
        return Proposal("drop", "It has one value only in the training rows.", 0)
    dtype = dtype_of(column)
    if dtype == "boolean" or kind == "boolean":
        return Proposal("boolean", "It is true or false.", 1)
    if dtype == "datetime" or kind == "datetime":
        return Proposal("datetime", "It holds dates or times.", 8)
    if dtype in ("number", "integer"):
        return Proposal("numeric", f"It holds numbers, {distinct:,} different ones.", 1 + int(n < len(column)))
    if kind == "text" or (kind in (None, "id") and distinct > 50 and distinct > 0.5 * n and _long(known)):
        return Proposal("text", f"It holds texts, {distinct:,} different ones.", 20)
    if distinct <= ONEHOT_UP_TO:
        return Proposal("onehot", f"It has {distinct} categories.", distinct)
    if distinct > 0.9 * n and n > 50:
        return Proposal("text", f"Nearly every row has another value ({distinct:,}), so parts of words are used.", 20)
    if distinct > 0.9 * n:
        return Proposal("drop", f"Nearly every one of {n} rows has another value; nothing can be learned of it.", 0)
    return Proposal("target_encode", f"It has {distinct:,} categories, too many for a feature each.", 1)


def _long(known: pd.Series) -> bool:
    texts = known.head(1000).astype(str)
    return bool(texts.str.len().mean() > 40 or texts.str.count(" ").mean() >= 2.5)
