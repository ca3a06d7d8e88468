"""Odd but plausible tables: shapes, names, values, targets, order and groups. :mod:`odd_files` has odd files."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

ROWS = 120


@dataclass
class Odd:
    """A table: the file as a person has it, what is asked, and what is right to come of it."""

    file: str
    content: bytes
    target: str
    more: str = ""
    fails: str | None = None
    """Pattern of the sentence with which a stage fails; None if the job is done."""
    category: str | None = None
    """A column that is made a categorical one."""
    command: bool = True
    """Whether ``predict.py`` reads such a file; if not, it is given a CSV of the same rows."""


def base(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Plain columns with something to learn."""
    rng = np.random.default_rng(seed)
    age, spend = rng.integers(18, 80, rows), rng.gamma(2.0, 50.0, rows).round(2)
    city = rng.choice(["Ghent", "Lyon", "Turin"], rows)
    score = (age - 45) / 15 + (spend - 100) / 60 + (city == "Lyon") + rng.normal(0, 0.5, rows)
    return pd.DataFrame(
        {
            "age": age,
            "spend": spend,
            "city": city,
            "price": (200 + 30 * score).round(3),
            "churn": np.where(score > 0, "yes", "no"),
        }
    )


def csv(frame: pd.DataFrame, encoding: str = "utf-8", **how: Any) -> bytes:
    return frame.to_csv(index=how.pop("index", False), **how).encode(encoding)


def made(write: Callable[[io.BytesIO], Any]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


TABLES: dict[str, Callable[[], Odd]] = {}


def table(make: Callable[[], Odd]) -> Callable[[], Odd]:
    TABLES[make.__name__] = make
    return make


# -- shapes -------------------------------------------------------------------------------------------------


@table
def missing_columns() -> Odd:
    f = base().assign(empty=np.nan, also=None)
    return Odd("missing.csv", csv(f), "churn")


@table
def all_features_missing() -> Odd:
    f = base()[["churn"]].assign(a=np.nan, b=np.nan)
    return Odd("nothing.csv", csv(f), "churn", fails=r"no column can be learned from")


@table
def constant_target() -> Odd:
    return Odd("constant.csv", csv(base().assign(churn="no")), "churn", fails=r"in every row")


@table
def one_column() -> Odd:
    return Odd("one.csv", csv(base()[["price"]]), "price", fails=r"one column")


@table
def three_rows() -> Odd:
    return Odd("three.csv", csv(base(3)), "churn", fails=r"3 rows; at least 10")


@table
def header_only() -> Odd:
    return Odd("header.csv", csv(base(0)), "churn", fails=r"no rows")


@table
def empty_file() -> Odd:
    return Odd("empty.csv", b"", "churn", fails=r"empty")


@table
def twelve_rows() -> Odd:
    return Odd("twelve.csv", csv(base(12)), "churn")


@table
def wide() -> Odd:
    rng = np.random.default_rng(0)
    f = pd.DataFrame(rng.normal(size=(60, 500)).round(4), columns=[f"gene {i}" for i in range(500)])
    return Odd("wide.csv", csv(f.assign(ill=(f["gene 3"] > 0).astype(int))), "ill")


@table
def duplicated_rows() -> Odd:
    return Odd("twice.csv", csv(pd.concat([base(40)] * 4)), "churn")


@table
def sparse() -> Odd:
    rng = np.random.default_rng(0)
    f = pd.DataFrame(np.where(rng.random((150, 40)) < 0.05, rng.integers(1, 9, (150, 40)), 0)).add_prefix("w")
    return Odd("sparse.csv", csv(f.assign(spam=(f["w0"] + f["w1"] + f["w2"] + f["w3"] + f["w4"] > 0))), "spam")


# -- names --------------------------------------------------------------------------------------------------


@table
def duplicated_names() -> Odd:
    f = base()
    f.columns = ["x", "x", "x", "price", "churn"]
    return Odd("names.csv", csv(f), "churn")


@table
def unicode_names() -> Odd:
    f = base().rename(columns={"age": "Возраст", "spend": "支出", "city": "città 🏙", "churn": "résilié"})
    return Odd("été 2024.csv", csv(f), "résilié")


@table
def empty_and_long_names() -> Odd:
    f = base().rename(columns={"age": "", "spend": "s" * 1500, "city": "   "})
    return Odd("long.csv", csv(f), "churn")


@table
def hostile_names() -> Odd:
    f = base().rename(
        columns={"age": "__class__", "spend": "<script>alert(1)</script>", "city": "a.b/c~d", "price": "=1+1"}
    )
    f["constructor"] = f["__class__"] * 2 + np.arange(len(f)) % 7
    f["prediction"] = np.arange(len(f)) % 5
    f["proba_yes"] = np.arange(len(f)) % 3
    f['it\'s "quoted", {x} [y]\\n'] = np.arange(len(f)) % 4
    return Odd("a&b #1 %41.csv", csv(f), "churn")


@table
def target_with_spaces() -> Odd:
    f = base().rename(columns={"churn": "Did the customer leave?"})
    return Odd("spaces.csv", csv(f), "`Did the customer leave?`")


@table
def number_names() -> Odd:
    f = base()
    f.columns = ["0", "1", "2", "3", "4"]
    return Odd("numbers.csv", csv(f), "`4`")


@table
def no_header() -> Odd:
    return Odd(
        "bare.csv", csv(base()[["age", "spend", "price", "churn"]], header=False), "the last column", command=False
    )


# -- values -------------------------------------------------------------------------------------------------


@table
def mixed_types() -> Odd:
    f = base()
    f["age"] = f["age"].astype(object)
    f.loc[f.index % 9 == 0, "age"] = "unknown"
    f["spend"] = [v if i % 3 else f"{v} approx" for i, v in enumerate(f["spend"])]
    return Odd("mixed.csv", csv(f), "churn")


@table
def currencies() -> Odd:
    f = base()
    f["spend"] = [f"${v * 100:,.2f}" for v in f["spend"]]
    f["price"] = [f"€ {v * 1000:,.0f}" for v in f["price"]]
    f["share"] = [f"{v:.1f} %" for v in f["age"]]
    f["loss"] = [f"({v})" for v in f["age"]]
    return Odd("money.csv", csv(f), "price")


@table
def european_decimals() -> Odd:
    f = base()
    f["spend"] = [f"{v * 100:,.2f}".translate(str.maketrans(",.", ".,")) for v in f["spend"]]
    return Odd("komma.csv", csv(f, sep=";", decimal=","), "price")


@table
def booleans() -> Odd:
    f = base()
    n = np.arange(len(f))
    yes = f["age"] > 45
    for name, (a, b) in {
        "tf": ("TRUE", "FALSE"), "yn": ("Y", "N"), "jn": ("Ja", "Nein"), "oo": ("on", "off"), "01": (1, 0),
        "ft": ("T", "F"), "mixed": ("true", "False"),
    }.items():  # fmt: skip
        f[name] = np.where(yes ^ (n % 5 == 0), a, b)
    f["churn"] = f["churn"].map({"yes": True, "no": False})
    return Odd("flags.csv", csv(f), "churn")


@table
def dates() -> Odd:
    f = base()
    days = pd.Timestamp("2021-03-01") + pd.to_timedelta(np.arange(len(f)) * 37 % 900, unit="D")
    f["iso"] = days.strftime("%Y-%m-%dT%H:%M:%SZ")
    f["german"] = days.strftime("%d.%m.%Y")
    f["american"] = days.strftime("%m/%d/%Y %I:%M %p")
    f["zones"] = [d.isoformat() + z for d, z in zip(days, ["+02:00", "-05:00", "Z", "+05:30"] * 30, strict=True)]
    f["words"] = days.strftime("%d %b %Y")
    f["compact"] = days.strftime("%Y%m%d")
    f["time"] = [f"{i % 24:02}:{i % 60:02}" for i in range(len(f))]
    f["odd"] = ["0000-00-00" if i % 10 == 0 else d for i, d in enumerate(days.strftime("%Y-%m-%d"))]
    return Odd("dates.csv", csv(f), "churn")


@table
def durations() -> Odd:
    f = base()
    f["took"] = pd.to_timedelta(f["age"] * 61, unit="s").astype(str)
    f["iso"] = [f"PT{v}M" for v in f["age"]]
    f["clock"] = [f"{v // 60:02}:{v % 60:02}:00" for v in f["age"] * 7]
    return Odd("took.csv", csv(f), "price")


@table
def huge_integers() -> Odd:
    f = base()
    f["account"] = [2**53 + 1 + 2 * (v % 4) for v in f["age"]]
    f["hash"] = [2**63 + 11 * int(v) for v in f["age"]]
    f["bigger"] = [str(10**25 + int(v)) for v in f["age"]]
    return Odd("big.csv", csv(f), "churn")


@table
def huge_integers_as_categories() -> Odd:
    f = base(200)
    f["account"] = [2**53 + 1 + i for i in np.arange(200) % 6]
    f["churn"] = np.where((np.arange(200) % 6 < 3), "yes", "no")
    return Odd("accounts.csv", csv(f[["account", "age", "churn"]]), "churn", category="account")


@table
def huge_class_names() -> Odd:
    f = base(150)
    f["id class"] = np.where(f["churn"] == "yes", 2**53 + 1, np.where(f["age"] > 50, 2**53 + 2, 2**53 + 3))
    return Odd("classes.csv", csv(f.drop(columns="churn")), "`id class`", "It is multiclass.")


@table
def infinities() -> Odd:
    f = base()
    f.loc[::7, "spend"] = np.inf
    f.loc[::11, "spend"] = -np.inf
    f["price"] = f["price"].where(f.index % 13 != 0, np.inf)
    return Odd("infinite.csv", csv(f), "price")


@table
def magnitudes() -> Odd:
    f = base()
    f["tiny"], f["vast"] = f["age"] * 1e-300, f["spend"] * 1e300
    f["nodata"] = np.where(f.index % 9 == 0, -3.4028234663852886e38, f["age"] / 7)
    f["price"] = f["price"] * 1e-12
    return Odd("tiny.csv", csv(f), "price")


@table
def vast_target() -> Odd:
    f = base()
    f["price"] = f["price"] * 1e200
    return Odd("vast.csv", csv(f), "price", fails=r"no error can be measured")


@table
def large_offset() -> Odd:
    f = base(300)
    f["when"] = 1_700_000_000 + (f.pop("price") - 200) / 10
    return Odd("offset.csv", csv(f), "when", "It is a regression.")


@table
def numbers_with_units() -> Odd:
    f = base()
    f["weight"] = [f"{v} kg" for v in f["age"]]
    f["size"] = [f"{v}x{v + 3} cm" for v in f["age"]]
    return Odd("units.csv", csv(f), "price")


# -- targets ------------------------------------------------------------------------------------------------


@table
def single_row_class() -> Odd:
    f = base()
    f.loc[0, "churn"] = "perhaps"
    return Odd("rare.csv", csv(f), "churn")


@table
def two_hundred_classes() -> Odd:
    rng = np.random.default_rng(0)
    k = np.arange(1600) % 200
    f = pd.DataFrame(
        {
            "x": k + rng.normal(0, 0.3, 1600),
            "y": k % 13,
            "z": [f"s{v}" for v in k % 50],
            "product": [f"P{v:03}" for v in k],
        }
    )
    return Odd("products.csv", csv(f), "product")


@table
def middle_target() -> Odd:
    f = base()[["age", "churn", "spend", "city"]]
    f["churn"] = f["churn"].where(f.index % 6 != 0)
    return Odd("middle.csv", csv(f, na_rep="N/A"), "churn")


@table
def negative_classes() -> Odd:
    f = base()
    f["churn"] = np.where(f["churn"] == "yes", 1, -1)
    return Odd("negative.csv", csv(f), "churn")


@table
def classes_like_numbers() -> Odd:
    f = base()
    f["grade"] = np.where(f["price"] > 220, "01", np.where(f["price"] > 190, "1", "1.0"))
    return Odd("grades.csv", csv(f.drop(columns=["price", "churn"])), "grade", "It is multiclass.")


@table
def rare_positive() -> Odd:
    f = base(400)
    f["fraud"] = (f["price"].rank(ascending=False) <= 6).astype(int)
    return Odd("fraud.csv", csv(f.drop(columns=["price", "churn"])), "fraud")


@table
def count_target() -> Odd:
    f = base()
    f["visits"] = (f["price"] / 40).clip(0).round().astype(int)
    return Odd("visits.csv", csv(f.drop(columns=["price", "churn"])), "visits", "It is a regression.")


@table
def leaking() -> Odd:
    f = base()
    f["churn_code"] = (f["churn"] == "yes").astype(int)
    f["price_eur"] = f["price"] * 0.9
    return Odd("leak.csv", csv(f), "churn")


@table
def missing_target_name() -> Odd:
    return Odd("other.csv", csv(base()), "`weather`", fails=r"no column")


@table
def target_of_dates() -> Odd:
    f = base()
    f["next"] = (pd.Timestamp("2024-01-01") + pd.to_timedelta(f["age"], unit="D")).dt.strftime("%Y-%m-%d")
    return Odd("next.csv", csv(f), "next", fails=r"holds dates")


@table
def target_of_texts() -> Odd:
    f = base().assign(note=[f"called on {i} about {i * 7 % 31}" for i in range(ROWS)])
    return Odd("notes.csv", csv(f), "note", fails=r"too many")


# -- order and groups ---------------------------------------------------------------------------------------


@table
def index_columns() -> Odd:
    f = base().reset_index(names="Unnamed: 0")
    return Odd("index.csv", csv(f, index=True), "churn")


@table
def groups() -> Odd:
    f = base(240)
    f.insert(0, "customer_id", np.arange(240) // 4)
    return Odd("groups.csv", csv(f), "churn")


@table
def time_order() -> Odd:
    f = base(240)
    f.insert(0, "timestamp", pd.date_range("2023-01-01", periods=240, freq="h"))
    return Odd("series.csv", csv(f), "price")


@table
def text_only() -> Odd:
    rng = np.random.default_rng(0)
    good, bad = ["great", "lovely", "fine", "superb"], ["awful", "broken", "poor", "rude"]
    rows = [
        (" ".join(rng.choice(words, 4)) + f" {rng.choice(['room', 'meal', 'staff'])} number {i}", label)
        for i in range(100)
        for words, label in ((good, "good"), (bad, "bad"))
    ]
    return Odd("reviews.csv", csv(pd.DataFrame(rows, columns=["review", "opinion"])), "opinion")


@table
def ids_only() -> Odd:
    rng = np.random.default_rng(1)
    f = pd.DataFrame(
        {"customer_id": np.arange(120) + 10_000, "uuid": [f"{rng.integers(2**60):015x}" for _ in range(120)]}
    )
    f["churn"] = rng.choice(["yes", "no"], 120)
    return Odd("ids.csv", csv(f), "churn", fails=r"no column can be learned from")
