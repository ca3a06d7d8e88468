"""The profile's numbers against pandas, and what it makes of difficult columns."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from jupyter_pipeline.automl import profiling
from jupyter_pipeline.automl.findings import date_format, looks_like_id
from jupyter_pipeline.automl.profiling import profile, profile_with_sample
from jupyter_pipeline.automl.sketches import Distinct, Moments, RandomRows, RepeatedRows

ROWS = 2_000


@pytest.fixture
def table() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    amount = np.exp(rng.normal(3, 1.5, ROWS))
    frame = pl.DataFrame(
        {
            "customer_id": rng.permutation(ROWS) + 10_000,
            "amount": amount,
            "twice": 2 * amount + 1,
            "visits": rng.integers(0, 30, ROWS),
            "city": rng.choice(["Oslo", "Bergen", "Trondheim"], ROWS, p=[0.6, 0.3, 0.1]),
            "street": [f"street {i % 700}" for i in range(ROWS)],
            "note": [f"the customer number {i} wrote us about a broken thing" for i in range(ROWS)],
            "since": [f"{1 + i % 28:02d}/{1 + i % 12:02d}/{2000 + i % 20}" for i in range(ROWS)],
            "active": rng.choice(["yes", "No"], ROWS),
            "member": rng.random(ROWS) < 0.5,
            "nothing": [None] * ROWS,
            "always": ["x"] * ROWS,
            "price": [None if i % 5 == 0 else float(i % 50) for i in range(ROWS)],
            "grade": ["unknown" if i % 10 == 0 else str(i % 7) for i in range(ROWS)],
        }
    ).with_columns(nothing=pl.col("nothing").cast(pl.String))
    wild = frame["amount"].to_numpy().copy()
    wild[:7], wild[7:10], wild[10] = np.nan, np.inf, -np.inf
    return frame.with_columns(pl.Series("wild", wild), pl.Series("target", (rng.random(ROWS) < 0.05).astype(int)))


def test_numbers_are_those_of_pandas(table: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiling, "BATCH_ROWS", 300)
    path = tmp_path / "table.parquet"
    table.write_parquet(path)
    report = profile(pl.scan_parquet(path), "target", "binary")
    frame = table.to_pandas()
    assert (report["n_rows"], report["n_cols"]) == frame.shape
    for name in ("amount", "visits", "price", "wild", "customer_id"):
        column, expected = report["columns"][name], frame[name].replace([np.inf, -np.inf], np.nan)
        assert column["missing"] == frame[name].isna().sum()
        assert column["n_unique"] == frame[name].nunique()
        assert column["n_unique_exact"]
        found = [column[key] for key in ("mean", "std", "skew", "min", "max")]
        skew = expected.skew()
        assert found == pytest.approx([expected.mean(), expected.std(), skew, expected.min(), expected.max()], rel=1e-9)
        points = [column["quantiles"][key] for key in ("p01", "p25", "p50", "p75", "p99")]
        assert points == pytest.approx(expected.quantile([0.01, 0.25, 0.5, 0.75, 0.99]).tolist())
        assert column["quantiles_exact"]
        assert sum(column["histogram"]["counts"]) == expected.notna().sum()
    assert report["columns"]["wild"]["infinite"] == 4
    assert report["columns"]["wild"]["nan"] == 7
    counts = frame["city"].value_counts()
    assert [(t["value"], t["count"]) for t in report["columns"]["city"]["top"]] == list(counts.items())
    assert report["missing_pct"] == pytest.approx(frame.isna().to_numpy().mean())
    assert report["classes"][1]["count"] == frame["target"].sum()


def test_kinds(table: pl.DataFrame) -> None:
    report = profile(table.lazy(), "target", "binary")
    assert {name: column["kind"] for name, column in report["columns"].items()} == {
        "customer_id": "id",
        "amount": "numeric",
        "twice": "numeric",
        "visits": "integer",
        "city": "categorical",
        "street": "categorical",
        "note": "text",
        "since": "datetime",
        "active": "boolean",
        "member": "boolean",
        "nothing": "empty",
        "always": "constant",
        "price": "numeric",
        "grade": "categorical",
        "wild": "numeric",
        "target": "integer",
    }
    assert report["columns"]["since"]["date_format"] == "%d/%m/%Y"
    assert sum(report["types_breakdown"].values()) == report["n_cols"]


def test_warnings_say_what_a_person_should_know(table: pl.DataFrame) -> None:
    text = "\n".join(profile(table.lazy(), "target", "binary")["warnings"])
    for part in ("imbalanced", "No value at all: 'nothing'", "same value in every row: 'always'", "'customer_id' is an",
                 "Infinite values: 'wild'", "'amount' and 'twice'", "stored as text", "'grade'", "Dates: 'since'",
                 "Many different categories: 'street'"):  # fmt: skip
        assert part in text, part


def test_few_rows_that_are_the_target_written_otherwise() -> None:
    """``awake`` is 24 minus ``asleep``: too few rows for a tree to tell, a line does; a row's number is not used."""
    rng = np.random.default_rng(0)
    asleep = rng.uniform(2, 20, 80).round(1)
    frame = pl.DataFrame({"row_id": range(80), "asleep": asleep, "awake": 24 - asleep, "x": rng.normal(size=80)})
    report = profile(frame.sort("asleep").with_columns(row_id=pl.int_range(80)).lazy(), "asleep", "regression")
    assert report["columns"]["row_id"]["kind"] == "id"
    assert [suspect["column"] for suspect in report["leakage"]] == ["awake"]


def test_what_needs_no_warning() -> None:
    """Codes with leading zeros are texts on purpose, and a key is spoken of once."""
    n = 200
    frame = pl.DataFrame(
        {
            "patient_id": [i // 4 for i in range(n)],
            "zip": [f"{i * 37 % 90:05d}" for i in range(n)],
            "x": [i * 7919 % 1009 / 7 for i in range(n)],
            "y": [i % 2 for i in range(n)],
        }
    )
    said = profile(frame.lazy(), "y", "binary")["warnings"]
    assert [sentence for sentence in said if "zip" in sentence] == []
    assert len([sentence for sentence in said if "patient_id" in sentence]) == 1


def test_correlations_are_pearson_over_complete_pairs(table: pl.DataFrame) -> None:
    mixed = table.with_columns(other=pl.col("amount") + 3 * pl.col("price"))
    pairs = {(p["a"], p["b"]): p for p in profile(mixed.lazy())["correlations"]}
    expected = mixed.to_pandas()[["amount", "price", "other"]].corr()
    assert pairs["amount", "other"]["r"] == pytest.approx(expected.loc["amount", "other"])
    assert pairs["amount", "other"]["rows"] == mixed["price"].count()


@pytest.mark.parametrize("task_type", ["binary", "multiclass", "regression"])
def test_leakage_is_measured(task_type: str) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=ROWS)
    y = {"binary": noise > 1, "multiclass": np.digitize(noise, [-0.5, 0.5]), "regression": noise}[task_type]
    frame = pl.DataFrame(
        {
            "honest": noise + rng.normal(size=ROWS),
            "leak": noise * 3,
            "refund": [None if value > 1 else "paid" for value in noise],
            "y": y,
        }
    )
    report = profile(frame.lazy(), "y", task_type)
    suspects = {s["column"]: s for s in report["leakage"]}
    assert suspects["leak"]["score"] > 0.98
    assert not suspects["leak"]["missing_only"]
    assert "honest" not in suspects
    assert ("refund" in suspects) == (task_type == "binary")
    if task_type == "binary":
        assert suspects["refund"]["missing_only"]
    assert any("Possible leakage: 'leak'" in w for w in report["warnings"])


def test_random_columns_are_not_suspected() -> None:
    rng = np.random.default_rng(1)
    names = [f"name {i}" for i in range(ROWS)]
    frame = pl.DataFrame({"x": rng.normal(size=ROWS), "name": names, "y": rng.integers(0, 2, ROWS)})
    assert profile(frame.lazy(), "y", "binary")["leakage"] == []


def test_duplicate_rows_as_pandas_counts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiling, "BATCH_ROWS", 100)
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"a": rng.integers(0, 20, 900), "b": rng.choice(["x", None, "y"], 900), "c": rng.choice([1.5, np.nan], 900)}
    )
    report = profile(frame.lazy())
    assert report["duplicate_rows"] == frame.to_pandas().duplicated().sum()
    assert report["duplicate_rows_exact"]


def test_large_tables_are_estimated_and_say_so() -> None:
    rng = np.random.default_rng(0)
    n = 150_000
    frame = pl.DataFrame({"x": rng.normal(size=n), "n": np.arange(n), "half": rng.integers(0, n // 2, n)})
    report, sample = profile_with_sample(frame.lazy())
    assert sample.height == report["sample_rows"] == 100_000
    for name in frame.columns:
        column = report["columns"][name]
        assert not column["n_unique_exact"]
        assert column["n_unique"] == pytest.approx(frame[name].n_unique(), rel=0.04)
    column = report["columns"]["x"]
    assert not column["quantiles_exact"]
    assert column["quantiles"]["p50"] == pytest.approx(0, abs=0.02)
    assert column["mean"] == pytest.approx(frame["x"].mean(), abs=1e-12)
    assert report["columns"]["n"]["kind"] == "id"
    assert report["columns"]["half"]["kind"] == "integer"


def test_the_sample_is_uniform_and_in_order() -> None:
    rows = RandomRows(1_000, np.random.default_rng(0))
    for start in range(0, 50_000, 500):
        rows.add(pl.DataFrame({"i": range(start, start + 500)}))
    sample = rows.result()["i"]
    assert len(sample) == sample.n_unique() == 1_000
    assert sample.is_sorted()
    assert sample.mean() == pytest.approx(25_000, rel=0.06)


def test_repeated_rows_stay_bounded_and_near() -> None:
    rng = np.random.default_rng(0)
    pool = rng.integers(0, 2**64, 40_000, dtype=np.uint64)
    drawn = rng.choice(pool, 120_000)
    rows = RepeatedRows(limit=10_000)
    for part in np.array_split(drawn, 60):
        rows.add(part)
        assert rows.kept <= 10_000 + 2_000
    count, exact = rows.result(len(drawn))
    assert not exact
    assert count == pytest.approx(len(drawn) - len(np.unique(drawn)), rel=0.05)


def test_moments_put_together_part_by_part() -> None:
    values = np.random.default_rng(0).exponential(size=997) + 1e6
    moments = Moments()
    for part in np.array_split(values, 13):
        series = pd.Series(part)
        moments.add(len(part), part.mean(), part.var(), float(((part - part.mean()) ** 3).mean() / part.std() ** 3),
                    series.min(), series.max())  # fmt: skip
    expected = pd.Series(values)
    assert moments.std == pytest.approx(expected.std(), rel=1e-9)
    assert moments.skew == pytest.approx(expected.skew(), rel=1e-6)


def test_distinct_is_exact_while_there_are_few() -> None:
    distinct = Distinct(size=100)
    hashes = np.random.default_rng(0).integers(0, 2**64, 5_000, dtype=np.uint64)
    distinct.add(hashes[:100])
    assert (distinct.count, distinct.exact) == (100, True)
    distinct.add(hashes)
    assert not distinct.exact
    assert distinct.count == pytest.approx(5_000, rel=0.3)


def test_three_rows_one_column_and_none() -> None:
    three = profile(pl.LazyFrame({"a": [1.0, None, float("nan")], "b": ["x", "y", "x"]}), "b", "binary")
    assert three["columns"]["a"]["missing"] == 2
    assert any("only 3 rows" in w for w in three["warnings"])
    assert profile(pl.LazyFrame({"a": [1, 2, 3]}))["columns"]["a"]["kind"] == "integer"
    empty = profile(pl.LazyFrame({"a": [], "b": []}, schema={"a": pl.Float64, "b": pl.String}), "b", "binary")
    assert empty["n_rows"] == 0
    assert empty["columns"]["a"]["kind"] == "empty"
    assert profile(pl.LazyFrame())["n_cols"] == 0


def test_every_type_that_polars_reads() -> None:
    from datetime import date, datetime, time, timedelta
    from decimal import Decimal

    frame = pl.DataFrame(
        {
            "list": [[1, 2], None, [3]],
            "struct": [{"a": 1}, {"a": 2}, None],
            "bytes": [b"a", b"b", None],
            "date": [date(2020, 1, 1), None, date(2021, 1, 1)],
            "zoned": pl.Series([datetime(2020, 1, 1), None, datetime(2021, 5, 1)]).dt.replace_time_zone("UTC"),
            "time": [time(1), time(2), None],
            "duration": [timedelta(seconds=5), timedelta(hours=1), None],
            "decimal": [Decimal("1.5"), Decimal("2.5"), None],
            "category": pl.Series(["a", "b", None], dtype=pl.Categorical),
            "small": pl.Series([1, 2, None], dtype=pl.UInt8),
            "single": pl.Series([1.5, float("inf"), None], dtype=pl.Float32),
            "null": [None, None, None],
            "huge": [1e308, -1e308, 1e308],
        }
    )
    report = profile(frame.lazy(), "small", "regression")
    json.dumps(report, allow_nan=False)
    assert report["columns"]["date"]["min"] == "2020-01-01"
    assert report["columns"]["duration"]["max"] == 3600.0
    assert report["columns"]["null"]["kind"] == "empty"
    assert all(report["columns"][name]["missing"] == 1 for name in frame.columns[:-2])
    assert report["columns"]["single"]["infinite"] == 1


def test_targets_that_cannot_be_learned_are_said() -> None:
    frame = pl.LazyFrame({"x": [1, 2, 3, 4], "same": ["a"] * 4, "gone": pl.Series([None] * 4, dtype=pl.String)})
    assert "nothing to learn" in profile(frame, "same", "binary")["warnings"][0]
    assert "no value" in profile(frame, "gone", "binary")["warnings"][0]


def test_progress_rises_to_the_end(table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiling, "BATCH_ROWS", 500)
    told: list[tuple[str, float]] = []
    profile(table.lazy(), "target", "binary", ROWS, lambda phase, pct: told.append((phase, pct)))
    assert [pct for _, pct in told] == sorted(pct for _, pct in told)
    assert list(dict.fromkeys(phase for phase, _ in told)) == ["reading", "columns", "correlations", "leakage", "done"]
    assert told[-1] == ("done", 1.0)
    assert sum(phase == "reading" for phase, _ in told) >= 3


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["2024-01-31", "2023-12-01"], "%Y-%m-%d"),
        (["2024-01-31 10:00:00", "2023-12-01 23:59:59.5"], "%Y-%m-%d %H:%M:%S%.f"),
        (["2024-01-31T10:00:00Z", "2023-12-01T00:00:00+02:00"], "%Y-%m-%dT%H:%M:%S%.f%#z"),
        (["31.12.2020", "01.02.2021"], "%d.%m.%Y"),
        (["12/31/2020", "01/02/2021"], "%m/%d/%Y"),
        (["31/12/2020", "01/02/2021"], "%d/%m/%Y"),
        (["01/02/2020", "03/04/2021"], "%m/%d/%Y"),
        (["Jan 5, 2020", "Dec 24, 1999"], "%b %d, %Y"),
        (["2024-01-31", "31.12.2023", "Jan 5, 2020", "01/02/2021"] * 3, "mixed"),
        (["2024-01-31", "31.12.2023", "seen", "not seen"] * 3, None),
        (["version 1.2", "10-20 people"], None),
        (["red", "blue"], None),
        (["555-1234", "555-9876"], None),
    ],
)
def test_dates_are_recognised(texts: list[str], form: str | None) -> None:
    assert date_format(pl.Series(texts)) == form


def test_identifiers_of_every_type() -> None:
    n = 60
    frame = pl.DataFrame(
        {
            "rownames": [f"Player No {i}" for i in range(n)],  # words, but named as a key
            "number": [float(i) for i in range(1, n + 1)],  # as Excel has whole numbers
            "amount": [float(i * i) for i in range(n)],
            "half": [i / 2 for i in range(n)],
            "title": [f"Part {i} of {i % 7}" for i in range(n)],
            "y": [i % 2 for i in range(n)],
        }
    )
    kinds = {name: column["kind"] for name, column in profile(frame.lazy(), "y", "binary")["columns"].items()}
    assert {name for name, kind in kinds.items() if kind == "id"} == {"rownames", "number"}


def _customers(n: int) -> pl.DataFrame:
    rng = np.random.default_rng(7)
    return pl.DataFrame(
        {
            "customer_id": [f"C-{i * 7}" for i in range(n)],
            "order id": rng.permutation(n) * 3,
            "spent": rng.normal(size=n).round(1),
            "y": rng.integers(0, 2, n),
        }
    )


@pytest.mark.parametrize("n", [60, 3_000])
def test_rows_that_were_put_in_twice_hide_no_identifier(n: int) -> None:
    frame = _customers(n)
    report = profile(pl.concat([frame, frame.head(n // 20)]).lazy(), "y", "binary")
    kinds = {name: column["kind"] for name, column in report["columns"].items()}
    assert kinds == {"customer_id": "id", "order id": "id", "spent": "numeric", "y": "integer"}
    assert report["duplicate_rows"] == n // 20
    # Without a name that says so, a column is a key by its values alone, and then none of them comes twice.
    renamed = frame.rename({"customer_id": "label", "order id": "amount"})
    again = pl.concat([renamed, renamed.head(n // 20)])
    assert profile(again.lazy(), "y", "binary")["columns"]["label"]["kind"] == "id"
    changed = again.with_columns(spent=pl.int_range(pl.len()))
    assert profile(changed.lazy(), "y", "binary")["columns"]["label"]["kind"] == "categorical"
    assert profile(changed.lazy(), "y", "binary")["columns"]["amount"]["kind"] == "integer"


def test_a_table_of_few_different_rows_has_no_identifiers() -> None:
    """Every age comes with one height: the rows repeat because there are few, not by a slip."""
    ages = [20 + i % 50 for i in range(400)]
    frame = pl.DataFrame({"age": ages, "y": [age * 2.5 for age in ages]})
    assert profile(frame.lazy(), "y", "regression")["columns"]["age"]["kind"] == "integer"


def test_a_key_of_several_rows_is_a_group_and_one_of_hardly_any_an_identifier() -> None:
    frame = _customers(1_000).with_columns(order=pl.int_range(1_000))
    for repeated, kind, group in ((20, "id", False), (60, "categorical", True), (500, "categorical", True)):
        ids = [f"C-{i % (1_000 - repeated) * 7}" for i in range(1_000)]
        column = profile(frame.with_columns(customer_id=pl.Series(ids)).lazy(), "y", "binary")["columns"]["customer_id"]
        assert (column["kind"], column.get("repeated_key", False)) == (kind, group), repeated


def test_categories_written_in_several_ways_are_named() -> None:
    n = 200
    frame = pl.DataFrame(
        {
            "state": [["KS", "ks", " KS", "OH"][i % 4] for i in range(n)],
            "plan": [["basic", "Pro"][i % 2] for i in range(n)],
            "paid": [["yes", "No"][i % 2] for i in range(n)],
            "y": [["A", "a"][i // 7 % 2] for i in range(n)],
        }
    )
    (said,) = [s for s in profile(frame.lazy(), "y", "binary")["warnings"] if "case or spaces" in s]
    assert "'state' (' KS', 'KS', 'ks')" in said
    assert "plan" not in said
    assert "'y'" not in said


def test_zeros_and_ones_are_not_called_skewed() -> None:
    n = 500
    frame = pl.DataFrame({"rare": [int(i == 3 or i == 77) for i in range(n)], "y": [i % 2 for i in range(n)]})
    assert "skewed" not in "\n".join(profile(frame.lazy(), "y", "binary")["warnings"])


def test_names_of_identifiers() -> None:
    assert all(
        looks_like_id(name)
        for name in ("id", "customer_id", "customerID", "PassengerId", "row.key", "UUID", "rownames")
    )
    assert not any(looks_like_id(name) for name in ("paid", "humid", "monkey", "grid", "idle", "said"))
