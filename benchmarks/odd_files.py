"""Odd but plausible files: separators, encodings, compression, and formats with types of their own."""

import bz2
import csv as csv_module
import datetime as dt
import gzip
import io
import json
import zipfile

import numpy as np
import pandas as pd
import polars as pl
from odd_kinds import ROWS, Odd, base, csv, made, table

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
    return Odd("columns.txt", csv(base(), sep=" "), "churn")


@table
def aligned_spaces() -> Odd:
    return Odd("aligned.dat", base().to_string(index=False).encode(), "churn")


@table
def aligned_with_index() -> Odd:
    return Odd("printed.txt", base().to_string().encode(), "churn")


@table
def blanks_from_r() -> Odd:
    f = base().replace("Lyon", "Lyon la Doua")
    f.index = [f"row {i}" for i in range(len(f))]
    rows = f.to_csv(sep=" ", header=False, quoting=csv_module.QUOTE_NONNUMERIC)
    return Odd("table.txt", (" ".join(f'"{name}"' for name in f.columns) + "\n" + rows).encode(), "churn")


@table
def blanks_without_names() -> Odd:
    f = base().assign(spend=lambda f: f["spend"].map("{:.3f}".format))
    lines = [f" {a:>4}  {s:>10}   {c}  {p:>9.3f} {y}" for a, s, c, p, y in f.itertuples(index=False)]
    return Odd("archive.data", "\n".join(lines).encode(), "column_5", command=False)


@table
def blanks_below_remarks() -> Odd:
    about = "Archive of customers\n\nDataset Name:  customers   (customers.dat)\nB0  1.5  2.5\n" * 4
    rows = base().to_string(index=False, header=False)
    return Odd("nist.dat", f"{about}\nData:  age spend city price churn\n{rows}\n".encode(), "churn", command=False)


@table
def blanks_of_a_broken_file() -> Odd:
    lines = base(3000).to_string(index=False).splitlines()
    lines[2500] = "  41  Lyon  no"
    return Odd("broken.txt", "\n".join(lines).encode(), "churn", fails=r"Line 2,501 of .* has 3 cells")


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
