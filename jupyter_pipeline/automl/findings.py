"""What a data scientist would notice: what a column really is, what moves together, what to beware of."""

import re
from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import polars as pl

#: Rows and columns that correlations look at, at the most.
CORRELATED_ROWS, CORRELATED_COLUMNS = 10_000, 200
_LOOKED_AT = 1_000
_WORDS = {"true", "false", "yes", "no", "t", "f", "y", "n"}
_ID_NAME = re.compile(r"(^|[_\s.-])(id|uuid|guid|key|index|idx|rownum|row_?(number|name)s?)$|^unnamed: 0$", re.I)
_ID_CAMEL = re.compile(r"[a-z](Id|ID|Uuid|UUID|Key)$")
_ID_PLAIN = re.compile(r"(^|[_\s.-])(id|uuid|guid)$", re.I)
#: Of a key hardly any value comes twice. Distinct values of large tables are estimated to within about three percent.
_NEARLY_EACH = 0.97
DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%d-%b-%Y",
)


def kind_of(
    name: str, dtype: pl.DataType, column: dict[str, Any], known: pl.Series, total: int, repeats: int = 0
) -> tuple[str, dict[str, Any]]:
    """What a column is, and what was noticed on the way.

    Parameters
    ----------
    name : str
        Its name.
    dtype : polars.DataType
        How it is stored: number, boolean, time or text.
    column : dict
        What is known of all its rows.
    known : polars.Series
        Values of the sample that are not missing.
    total : int
        Rows of the table.
    repeats : int, default=0
        How many of them repeat an earlier row as a whole, which makes no key less of one; ``known`` is without them.

    Returns
    -------
    kind : str
        See :func:`.profiling.profile`.
    more : dict
        ``date_format``, ``mean_length``, ``mean_words``, ``numeric_share``, ``sorted_key`` where they apply.
    """
    given = total - column["missing"]
    unique = column["n_unique"]
    if given == column.get("infinite", 0) or (dtype == pl.String and column.get("blank") == given):
        return "empty", {}
    if unique == 1 and not column["missing"]:
        return "constant", {}
    if dtype == pl.Boolean:
        return "boolean", {}
    if dtype in (pl.Date, pl.Datetime):
        return "datetime", {}
    nearly = given >= 20 and unique >= _NEARLY_EACH * (given - repeats)
    one_each = nearly and (unique >= given - repeats or not column["n_unique_exact"])
    one_each = one_each and known.n_unique() == len(known)
    keyed = (one_each and looks_like_id(name)) or (nearly and bool(_ID_PLAIN.search(name.strip()) or names_one(name)))
    if dtype != pl.String:  # Excel has no whole numbers but floats
        whole = dtype.is_integer() or (nearly and bool((known == known.round()).all()))
        dense = whole and column["max"] - column["min"] + 1 <= 1.05 * given
        kind = "id" if whole and ((one_each and dense) or keyed) else None
        return kind or ("integer" if dtype.is_integer() else "numeric"), {"sorted_key": bool(dense and one_each)}
    return _kind_of_text(name, column, known, one_each=one_each, keyed=keyed, given=given)


def _kind_of_text(
    name: str, column: dict[str, Any], known: pl.Series, *, one_each: bool, keyed: bool, given: int
) -> tuple[str, dict[str, Any]]:
    texts = known.str.strip_chars().head(20_000)
    texts = texts.filter(texts.str.len_bytes() > 0)
    if not len(texts):
        return "categorical", {}
    length = _mean(texts.str.len_chars())
    words = _mean(texts.str.count_matches(r"\S+"))
    more: dict[str, Any] = {"mean_length": length, "mean_words": words}
    looked_at = texts.unique(maintain_order=True).head(_LOOKED_AT)
    if column["n_unique"] <= 2 and set(looked_at.str.to_lowercase().to_list()) <= _WORDS:
        return "boolean", more
    bare = looked_at.str.replace_all(r"[,\s$€£%]", "")
    numeric = _mean(bare.cast(pl.Float64, strict=False).is_not_null())
    if numeric > 0.5 and not texts.str.contains(r"^0\d+$").any():  # postal codes and the like are meant to be texts
        more["numeric_share"] = numeric
    form = None if numeric > 0.9 else date_format(looked_at)
    if form:
        return "datetime", {**more, "date_format": form}
    coded = words < 1.2 and (numeric > 0.9 or _codes(looked_at))
    if length <= 64 and ((one_each and coded) or (keyed and words < 4)):
        return "id", more
    many = column["n_unique"] > 50 and column["n_unique"] > 0.5 * given
    if (words >= 4 and column["n_unique"] > 20) or (many and (words >= 2.5 or length > 40)):
        return "text", more
    return "categorical", more


def looks_like_id(name: str) -> bool:
    """Whether a column's name says that it identifies rows or things."""
    return bool(_ID_NAME.search(name.strip()) or _ID_CAMEL.search(name.strip()))


#: What tables hold several rows of, where a name such as ``customer_id`` says so.
_WHO = re.compile(
    r"(^|[_\s.-])(customer|cust|client|user|patient|subject|person|member|account|household|family|student|employee|"
    r"driver|session|visitor|device|player|policy|borrower|applicant|donor|participant)"
    r"([_\s.-]?(id|no|nr|num|number|key|code|uuid|guid))$",
    re.I,
)


def names_one(name: str) -> bool:
    """Whether a column's name says that it tells one person or thing from others, as ``customer_id`` does."""
    return bool(_WHO.search(name.strip()))


def repeats_one(name: str, kind: str, column: dict[str, Any], total: int, repeats: int = 0) -> bool:
    """Whether a column names persons or things that several rows are about, such as a ``patient_id`` of visits."""
    given = total - column["missing"]
    repeated = 10 <= column["n_unique"] < _NEARLY_EACH * (given - repeats) and given <= 100 * column["n_unique"]
    return kind in ("integer", "categorical") and repeated and names_one(name)


def alike(labels: Iterable[str]) -> list[list[str]]:
    """Labels that are the same but for case and spaces."""
    groups: dict[str, list[str]] = {}
    for label in labels:
        groups.setdefault(" ".join(label.casefold().split()), []).append(label)
    return [sorted(group) for group in groups.values() if len(group) > 1]


def _mean(values: pl.Series) -> float:
    return float(cast(Any, values.mean()) or 0.0)


def _codes(texts: pl.Series) -> bool:
    """Whether nearly all texts hold digits, as keys do and names do not."""
    return _mean(texts.str.contains(r"\d")) >= 0.9


def date_format(texts: pl.Series) -> str | None:
    """The format that reads at least 95 percent of texts as dates, if there is one; ``mixed`` if it takes several.

    Day and month are told apart by values above 12; where none is seen, the order stays ``%m/%d`` for slashes as
    pandas reads them.
    """
    if not len(texts) or not texts.str.contains(r"\d.*[-/.\s:].*\d").mean():
        return None
    best, most = None, 0.0
    some = np.zeros(len(texts), dtype=bool)
    for form in DATE_FORMATS:
        wide = "%H" in form
        kind: Any = pl.Datetime("us", "UTC" if "%#z" in form else None) if wide else pl.Date
        try:
            read = texts.str.strptime(kind, form, strict=False, exact=True).is_not_null()
        except pl.exceptions.PolarsError:
            continue
        some |= read.to_numpy()
        share = _mean(read)
        first_month = form.startswith("%m")
        if share > most or (first_month and share == most):
            best, most = form, share
        if most == 1.0 and form.startswith("%Y"):
            break
    if most >= 0.95:
        return best
    return "mixed" if some.mean() >= 0.95 and len(texts) >= 10 else None


def correlated(sample: pl.DataFrame, columns: dict[str, dict[str, Any]], target: str | None) -> list[dict[str, Any]]:
    """Pairs of number columns with an absolute Pearson correlation from 0.5 on in the sample, strongest first."""
    schema = sample.schema
    names = [
        name
        for name, column in columns.items()
        if column["kind"] in ("numeric", "integer", "boolean") and schema[name] != pl.String
    ]
    names = sorted(names, key=lambda name: name != target)[:CORRELATED_COLUMNS]
    if sample.height < 3 or len(names) < 2:
        return []
    numbers = _matrix(sample.head(CORRELATED_ROWS), names)
    known = np.isfinite(numbers)
    both = known.astype(np.float64)
    n = both.T @ both
    with np.errstate(all="ignore"):
        centre = np.array([np.mean(c[k]) if k.any() else 0.0 for c, k in zip(numbers.T, known.T, strict=True)])
        spread = np.array([np.std(c[k]) if k.any() else 0.0 for c, k in zip(numbers.T, known.T, strict=True)])
        scaled = np.where(known, (numbers - centre) / np.where(spread > 0, spread, 1.0), 0.0)
        # Pairwise complete: sums over the rows where both columns have a value.
        s = scaled.T @ both
        squares = (scaled**2).T @ both
        covariance = scaled.T @ scaled - s * s.T / n
        deviation = np.sqrt(np.clip(squares - s**2 / n, 0, None))
        r = covariance / (deviation * deviation.T)
    r = np.clip(np.where((n >= 3) & np.isfinite(r), r, 0.0), -1.0, 1.0)
    strong = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names)) if abs(r[i, j]) >= 0.5]
    strong = sorted(strong, key=lambda pair: -abs(r[pair]))[:100]
    return [{"a": names[i], "b": names[j], "r": float(r[i, j]), "rows": int(n[i, j])} for i, j in strong]


def _matrix(sample: pl.DataFrame, names: list[str]) -> np.ndarray:
    return np.column_stack([sample.get_column(name).cast(pl.Float64).to_numpy() for name in names])


def warnings_of(report: dict[str, Any]) -> list[str]:
    """Warnings in words, the gravest first."""
    columns, target, n_rows = report["columns"], report["target"], report["n_rows"]
    said = [leak(suspect, target) for suspect in report["leakage"]]
    said += _of_target(report) if target in columns else []
    if n_rows < 100:
        said.append(
            f"There {'is' if n_rows == 1 else 'are'} only {n_rows} row{'s' if n_rows != 1 else ''}: "
            "scores will depend much on which rows are tested."
        )
    if n_rows and len(columns) - 1 > n_rows / 5 and len(columns) > 10:
        said.append(
            f"{len(columns)} columns for {n_rows} rows: models can learn the rows by heart; prefer simple ones."
        )
    said += _of_rows(report)
    for sentence, test in _COLUMN_WARNINGS:
        hit = [name for name, column in columns.items() if name != target and test(name, column, n_rows)]
        if hit:
            said.append(
                sentence.format(
                    names=named(hit),
                    verb="is" if len(hit) == 1 else "are",
                    what="an identifier" if len(hit) == 1 else "identifiers",
                )
            )
    if written := {name: c["alike"][0] for name, c in columns.items() if c.get("alike") and name != target}:
        shown = "; ".join(f"{name!r} ({', '.join(map(repr, ways[:3]))})" for name, ways in list(written.items())[:5])
        more = f" and {len(written) - 5} more columns" if len(written) > 5 else ""
        said.append(
            f"Categories that differ in case or spaces only: {shown}{more}. A model takes each way of writing for a "
            "category of its own; make them the same in the data."
        )
    strong = [p for p in report["correlations"] if abs(p["r"]) >= 0.95 and target not in (p["a"], p["b"])]
    if strong:
        pairs = "; ".join(f"{p['a']!r} and {p['b']!r} (r = {p['r']:.3f})" for p in strong[:5])
        more = f" and {len(strong) - 5} more pairs" if len(strong) > 5 else ""
        said.append(
            f"Nearly the same information twice: {pairs}{more}. Linear coefficients and importances of such "
            "columns should not be read one by one."
        )
    return said


def named(names: list[str], most: int = 5) -> str:
    """Names in words, the first few of them."""
    shown = ", ".join(repr(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _of_target(report: dict[str, Any]) -> list[str]:
    target, task_type = report["target"], report["task_type"]
    column = report["columns"][target]
    said = []
    if column["kind"] == "empty":
        return [f"The target {target!r} has no value in any row."]
    if column["n_unique"] == 1:
        return [f"The target {target!r} is the same in every row; there is nothing to learn."]
    if column["missing"]:
        said.append(
            f"The target {target!r} is missing in {_count(column['missing'], report['n_rows'])}; "
            "those rows cannot be used."
        )
    if task_type == "regression":
        if column.get("infinite"):
            said.append(f"The target {target!r} is infinite in {_count(column['infinite'], report['n_rows'])}.")
        skew, low = column.get("skew"), column.get("min")
        if skew is not None and abs(skew) > 2:
            hint = (
                "; to predict its logarithm, which may help, put that into the data as a column and leave this one out"
            )
            hint = hint if low is not None and low >= 0 and skew > 0 else ""
            said.append(
                f"The target {target!r} is very skewed ({skew:.1f}): few rows weigh most in RMSE, less in MAE{hint}."
            )
    elif task_type and report["classes"]:
        given = report["n_rows"] - column["missing"]
        shares = report["classes"]
        least = shares[-1]
        if least["count"] < 10:
            said.append(
                f"The class {least['value']!r} of the target has only {least['count']} "
                f"row{'s' if least['count'] != 1 else ''}; it can hardly be learned or tested."
            )
        if least["share"] * column["n_unique"] < 0.2:
            said.append(
                f"The target is imbalanced: {least['value']!r} is {least['share']:.2%} of {given} rows and "
                f"{shares[0]['value']!r} {shares[0]['share']:.1%}. Accuracy misleads here; look at average "
                "precision, recall or balanced accuracy."
            )
    if task_type in ("binary", "multiclass") and column["n_unique"] > 50:
        said.append(f"The target has {column['n_unique']} classes; many of them will have few rows.")
    return said


def leak(suspect: dict[str, Any], target: str) -> str:
    """That a column nearly tells the target alone, in words."""
    measure = {"roc_auc": "an AUC of", "accuracy_above_chance": "accuracy above chance of", "r2": "an R² of"}
    how = "Whether it is missing tells" if suspect["missing_only"] else "It alone tells"
    return (
        f"Possible leakage: {suspect['column']!r}. {how} {target!r} with {measure[suspect['measure']]} "
        f"{suspect['score']:.3f} on {suspect['rows']} sampled rows. If it is not known at the time of predicting, "
        "ignore it."
    )


def _of_rows(report: dict[str, Any]) -> list[str]:
    if not report["duplicate_rows"]:
        return []
    about = "" if report["duplicate_rows_exact"] else "About "
    count = _count(report["duplicate_rows"], report["n_rows"])
    verb = "repeats" if report["duplicate_rows"] == 1 else "repeat"
    return [f"{about}{count} {verb} an earlier row. The same row in training and test makes scores look too good."]


def _count(n: int, total: int) -> str:
    share = n / total if total else 0.0
    percent = f"{share:.1%}" if share >= 0.001 else "less than 0.1%"
    return f"{n} row{'s' if n != 1 else ''} ({percent})"


_COLUMN_WARNINGS: tuple[tuple[str, Any], ...] = (
    ("No value at all: {names}; ignored.", lambda name, c, n: c["kind"] == "empty"),
    ("The same value in every row: {names}; ignored.", lambda name, c, n: c["kind"] == "constant"),
    ("{names} {verb} {what}, different in each row or nearly so; a model would learn rows by heart, so not used.",
     lambda name, c, n: c["kind"] == "id"),
    ("Several rows have the same {names}: unless those stay in one part of the split, test rows are known from "
     "training.",
     lambda name, c, n: c.get("repeated_key", False)),
    ("More than half missing: {names}.", lambda name, c, n: c["kind"] != "empty" and c["missing_share"] > 0.5),
    ("One value, else missing: {names}; only whether it is there can tell something.",
     lambda name, c, n: c["n_unique"] == 1 and c["missing"] > 0),
    ("Infinite values: {names}; they are treated as missing.", lambda name, c, n: c.get("infinite", 0) > 0),
    ("NaN beside other values: {names}; counted as missing.",
     lambda name, c, n: c.get("nan", 0) > 0 and c["kind"] != "empty"),
    ("Empty texts: {names}; they are treated as missing.",
     lambda name, c, n: c.get("blank", 0) > 0 and c["kind"] != "empty"),
    ("Numbers stored as text with something else between them: {names}. Look for words such as 'unknown', "
     "or for units and separators.",
     lambda name, c, n: c["kind"] == "categorical" and c.get("numeric_share", 0) > 0.5),
    ("Many different categories: {names}; rare ones will not be known from training.",
     lambda name, c, n: c["kind"] == "categorical" and c["n_unique"] > 100),
    ("{names} {verb} named like a key but repeated over rows. If rows of one key belong together (a customer, a "
     "patient), give the role 'group' so that they are not split over training and test.",
     lambda name, c, n: looks_like_id(name) and c["kind"] in ("integer", "categorical") and c["n_unique"] > 1
     and not c.get("repeated_key", False)),
    ("Very skewed: {names}; linear models may want a logarithm, trees do not mind.",
     lambda name, c, n: c["kind"] in ("numeric", "integer") and c["n_unique"] > 10 and c.get("skew") is not None
     and abs(c["skew"]) > 5),
    ("Nearly one value only (99% of rows or more): {names}.",
     lambda name, c, n: c["n_unique"] > 1 and bool(c["top"]) and c["top"][0]["share"] >= 0.99 and n >= 100),
    ("Dates: {names}. If the model is to predict the future, see that the last rows are tested, by a split by time; "
     "the role 'time' asks for one.", lambda name, c, n: c["kind"] == "datetime"),
)  # fmt: skip
