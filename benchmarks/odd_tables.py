"""Odd but plausible tables, as people have them, each through all eight stages of one running Jupyter server.

Run: ``pip install -e ".[test,bench]"`` and ``python benchmarks/odd_tables.py [NAME ...]``. A table either comes to a
bundle, whose ``predict.py`` is run on the person's own file, as is ``Pipeline.predict``, and both must come to the test
metrics that were reported; or a stage fails with the sentence that is expected here. Nothing may stand in the server's
log but its everyday lines, and at the end the server must be alive. Prints a line for each table; the exit status says
whether all went well.
"""

import argparse
import bz2
import datetime as dt
import gzip
import io
import json
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from server_process import TOKEN, Server, running

from jupyter_pipeline import Pipeline
from jupyter_pipeline.automl.evaluation import evaluate
from jupyter_pipeline.automl.frames import to_pandas
from jupyter_pipeline.automl.reading import TableSpec, read
from jupyter_pipeline.automl.targets import encode_target
from jupyter_pipeline.client.errors import PipelineError

LIMITS = "Use linear, lightgbm and random forest, within 3 seconds."
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


# -- files --------------------------------------------------------------------------------------------------


@table
def semicolons() -> Odd:
    return Odd("semi.csv", csv(base(), sep=";"), "churn")


@table
def tabs() -> Odd:
    return Odd("tabs.txt", csv(base(), sep="\t"), "churn")


@table
def pipes() -> Odd:
    return Odd("pipes.txt", csv(base(), sep="|"), "churn")


@table
def spaces() -> Odd:
    return Odd("columns.txt", csv(base(), sep=" "), "churn", fails=r"only one column")


@table
def aligned_spaces() -> Odd:
    return Odd("aligned.txt", base().to_string(index=False).encode(), "churn", fails=r"only one column")


@table
def bom() -> Odd:
    return Odd("bom.csv", csv(base(), "utf-8-sig"), "churn")


@table
def utf16() -> Odd:
    return Odd("wide.csv", csv(base().replace("Lyon", "Łódź"), "utf-16"), "churn", command=False)


@table
def latin1() -> Odd:
    return Odd("latin.csv", csv(base().replace("Lyon", "Besançon"), "latin-1"), "churn")


@table
def gzipped() -> Odd:
    return Odd("zipped.csv.gz", gzip.compress(csv(base())), "churn")


@table
def bzipped() -> Odd:
    return Odd("zipped.csv.bz2", bz2.compress(csv(base())), "churn")


@table
def zipped() -> Odd:
    def write(file: io.BytesIO) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("folder/data.csv", csv(base()))

    return Odd("zipped.zip", made(write), "churn", command=False)


@table
def zstandard() -> Odd:
    import zstandard as zstd

    return Odd("zipped.csv.zst", zstd.compress(csv(base())), "churn", command=False)


@table
def quoted_newlines() -> Odd:
    f = base()
    f["note"] = [f'line one\nline "two", {i % 3}\r\n; three' for i in range(len(f))]
    return Odd("notes.csv", csv(f), "churn")


@table
def ragged() -> Odd:
    lines = csv(base()).decode().splitlines()
    lines[30] += ",extra,cells"
    lines[60] = lines[60].rsplit(",", 2)[0]
    return Odd("ragged.csv", "\n".join(lines).encode(), "churn", command=False)


@table
def title_lines() -> Odd:
    return Odd("export.csv", b"Report of customers\nmade 2024-05-01\n\n" + csv(base()), "churn", command=False)


@table
def parquet_types() -> Odd:
    f = pl.from_pandas(base())
    f = f.with_columns(
        pl.col("spend").cast(pl.Decimal(12, 2)),
        pl.col("city").cast(pl.Categorical),
        pl.col("age").cast(pl.UInt8).alias("small"),
        pl.Series("list", [[i, i + 1] for i in range(ROWS)]),
        pl.Series("struct", [{"a": i % 3, "b": "x"} for i in range(ROWS)]),
        pl.Series("binary", [bytes([i % 7]) for i in range(ROWS)]),
        pl.Series("day", [dt.date(2024, 1, 1) + dt.timedelta(i % 90) for i in range(ROWS)]),
        pl.Series("clock", [dt.time(i % 24, i % 60) for i in range(ROWS)]),
        pl.Series("took", [dt.timedelta(minutes=i % 50) for i in range(ROWS)]),
        pl.Series("zoned", [dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=i) for i in range(ROWS)]),
        pl.Series("none", [None] * ROWS),
    )
    return Odd("types.parquet", made(f.write_parquet), "churn")


@table
def parquet_decimal_target() -> Odd:
    f = pl.from_pandas(base()).with_columns(pl.col("price").cast(pl.Decimal(20, 3)))
    return Odd("decimal.parquet", made(f.write_parquet), "price")


@table
def parquet_categorical_target() -> Odd:
    f = base()
    f["churn"] = pd.Categorical(f["churn"], categories=["never", "no", "yes"])
    f["age"] = pd.Categorical(f["age"])
    return Odd("categorical.parquet", made(f.to_parquet), "churn")


@table
def parquet_big_numbers() -> Odd:
    f = base(200)
    f["account"] = np.array([2**53 + 1 + i for i in np.arange(200) % 6])
    f["churn"] = np.where((np.arange(200) % 6 < 3), "yes", "no")
    return Odd("accounts.parquet", made(f[["account", "age", "churn"]].to_parquet), "churn", category="account")


@table
def arrow() -> Odd:
    return Odd("table.arrow", made(pl.from_pandas(base()).write_ipc), "churn")


@table
def excel_sheets() -> Odd:
    def write(file: io.BytesIO) -> None:
        with pd.ExcelWriter(file, engine="openpyxl") as book:
            pd.DataFrame({"about": ["Sales of the year"]}).to_excel(book, sheet_name="Read me", index=False)
            base().to_excel(book, sheet_name="Data 2024", index=False, startrow=3)
            sheet = book.sheets["Data 2024"]
            sheet["A1"] = "Customers of the year"
            sheet.merge_cells("A1:E1")
            base(30).drop(columns="churn").to_excel(book, sheet_name="Old", index=False)

    return Odd("book.xlsx", made(write), "churn", command=False)


@table
def excel_merged_heads() -> Odd:
    def write(file: io.BytesIO) -> None:
        f = base()
        f.columns = pd.MultiIndex.from_tuples(
            [("who", "age"), ("who", "spend"), ("where", "city"), ("what", "price"), ("what", "churn")]
        )
        f.to_excel(file, engine="openpyxl")

    return Odd("merged.xlsx", made(write), "churn", command=False)


@table
def json_records() -> Odd:
    rows = base().to_dict("records")
    for i, row in enumerate(rows):
        if i % 4 == 0:
            del row["spend"]
        row["nested"] = {"a": i % 3, "b": [1, 2]}
    return Odd("rows.json", json.dumps(rows).encode(), "churn")


@table
def json_wrapped() -> Odd:
    return Odd(
        "answer.json", json.dumps({"data": base().to_dict("records"), "n": ROWS}).encode(), "churn", command=False
    )


@table
def ndjson() -> Odd:
    rows = base().to_dict("records")
    for i, row in enumerate(rows):
        row["age"] = str(row["age"]) if i % 10 == 3 else row["age"]
        row["late"] = None if i < 110 else i
    return Odd("rows.ndjson", "\n".join(json.dumps(row) for row in rows).encode(), "churn")


@table
def no_table() -> Odd:
    return Odd("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "churn", fails=r"is an image")


# -- the run ------------------------------------------------------------------------------------------------


def through(server: Server, name: str, odd: Odd, folder: Path) -> str:
    """One table through all stages; what came of it."""
    (folder / name).mkdir()
    file = folder / name / odd.file
    file.write_bytes(odd.content)
    with Pipeline(name, url=f"http://127.0.0.1:{server.port}/", token=TOKEN) as p:
        try:
            p.attach(file)
            p.chat(f"Predict {odd.target}. {odd.more} {LIMITS}")
            if odd.category is not None:
                p.run(until="PREPROCESS", confirm=True, timeout=120, quiet=True)
                p.update_plan(columns={odd.category: "onehot"})
            p.run(until="EXPORT", confirm=True, timeout=180, quiet=True)
        except PipelineError as error:
            said = str(error)
            if error.code == "INTERNAL" or odd.fails is None or not re.search(odd.fails, said):
                raise AssertionError(f"failed: {said}") from None
            return f"failed as it should: {said}"
        assert odd.fails is None, f"came to the end, but should have failed: {odd.fails}"
        lines = [e["event"]["payload"] for e in p.events() if e["event"]["name"] == "LOG_LINE"]
        said = [line["text"] for line in lines if line["level"] in ("warning", "error")]
        assert not [text for text in said if re.search("Traceback|Error:|Warning:", text)], said
        board = p.leaderboard
        assert (board["status"] == "success").all(), board
        bundle = p.download(folder / name / "export.zip")
        told = p.predict(file) if odd.command else None
        metrics = [
            e["event"]["payload"]["final_metrics"] for e in p.events() if e["event"]["name"] == "TRAIN_RUN_FINISHED"
        ][-1]
        reported = {m["name"]: m["value"] for m in metrics["metrics"] if m["split"] == "test"}
    return " | ".join([check_bundle(bundle, file, folder / name, odd, reported, told), *said])


def close(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(1.0, abs(other))


def check_bundle(bundle: Path, file: Path, folder: Path, odd: Odd, reported: dict[str, Any], told: Any) -> str:
    """Predict the file anew, and measure on the test rows."""
    place = folder / "bundle"
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(place)
    config = json.loads((place / "config.json").read_text())
    spec = TableSpec.from_dict({**config["data"]["table"], "path": str(place / config["data"]["path"])})
    data = to_pandas(read(spec))
    task = json.loads((place / "metrics.json").read_text())["task"]
    kind, target = task["type"], task["target"]
    model = json.loads((place / "model" / "model.json").read_text())
    positive = model["positive_class"]
    _, y, _ = encode_target(data[target], kind, target, None if positive is None else str(positive))
    split = pd.read_csv(place / "split.csv")
    test = split.loc[split["part"] == "test", "row"].to_numpy()
    rows = file
    if not odd.command:
        rows = folder / "rows.csv"
        data.drop(columns=target).to_csv(rows, index=False)
    out = folder / "predictions.csv"
    ended = subprocess.run(
        [sys.executable, "-I", "-W", "error", str(place / "predict.py"), str(rows), "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, f"predict.py: {ended.stderr[-800:]}"
    assert "Warning" not in ended.stderr, ended.stderr[-800:]
    predicted = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert len(predicted) == len(data), f"predict.py wrote {len(predicted)} lines of {len(data)}"
    differ = []
    for what, output in (("predict.py", predicted), ("p.predict", told)):
        if output is None:
            continue
        output = output.iloc[test]
        if kind == "regression":
            found = evaluate(kind, y[test], output["prediction"].astype(float).to_numpy())
        else:
            raw = output[[f"proba_{c}" for c in model["classes"]]].astype(float).to_numpy()
            found = evaluate(kind, y[test], raw, model["threshold"])
        for metric, value in reported.items():
            mine = found[metric]
            if value != mine and not (value is not None and mine is not None and close(mine, value)):
                differ.append(f"{what} {metric} {mine} instead of {value}")
    assert not differ, "; ".join(differ[:3])
    return f"{task['metric']} {reported.get(task['metric'])}" + (f" [{ended.stderr.strip()}]" if ended.stderr else "")


#: Lines of a server's log that are everyday life.
_EVERYDAY = re.compile(r"^\[(I|W .* 4\d\d (GET|POST) )")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"tables: {', '.join(TABLES)}")
    names = parser.parse_args().names or list(TABLES)
    bad = 0
    with tempfile.TemporaryDirectory() as scratch, running(Path(scratch), ready="api/projects") as server:
        log = Path(scratch) / "server.log"
        seen = len(log.read_text())
        for name in names:
            begun = time.perf_counter()
            try:
                verdict, said = "ok ", through(server, name, TABLES[name](), Path(scratch))
            except Exception as error:
                bad += 1
                verdict, said = "BAD", f"{type(error).__name__}: {error}"
            text = log.read_text()
            fresh, seen = text[seen:], len(text)
            if odd := [line for line in fresh.splitlines() if line.strip() and not _EVERYDAY.search(line)]:
                bad += 1
                said += "\n   LOG: " + "\n   ".join(odd[:20])
            print(f"{verdict} {time.perf_counter() - begun:5.1f} s  {name}: {said}", flush=True)
        status, _ = server.request("GET", "api/projects")
        print(f"{len(names)} tables, {bad} bad; the server answers {status}")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
