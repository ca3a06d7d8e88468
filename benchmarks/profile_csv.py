"""Profile of a 1,000,000 x 50 CSV file against DuckDB's SUMMARIZE, and of a sample against ydata-profiling.

ydata-profiling runs with ``minimal=True`` (no interactions, no correlations), as its manual advises for large data;
with its defaults it takes minutes for a few thousand rows of fifty columns.

Run: ``python benchmarks/profile_csv.py`` (``--rows``, ``--repeats``, ``--sample-rows``, ``--no-ydata``).
Each measurement is a process of its own, in turn; the median of the repeats counts. Times are those of the work,
without imports; ``settle_s`` is the pass over the file in which DATA_SOURCE makes sure of types (DuckDB guesses from
a sample). Prints a table and a JSON document.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl


def make_data(rows: int, path: Path) -> None:
    """Fifty columns: 24 floats (six with gaps), 11 integers, 8 categories, 2 times, 2 booleans, key, text, target."""
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {}
    for i in range(24):
        values = np.round(rng.normal(i, 1 + i, rows), 4)
        columns[f"num_{i}"] = pl.Series(values).set(pl.Series(rng.random(rows) < 0.05), None) if i < 6 else values
    for i in range(10):
        columns[f"int_{i}"] = rng.integers(0, 10 ** (i % 6 + 1), rows)
    for i in range(8):
        levels = 4 * (i + 1) ** 2
        columns[f"cat_{i}"] = np.array([f"level {j}" for j in range(levels)])[rng.integers(0, levels, rows)]
    for i in range(2):
        seconds = pl.Series(rng.integers(0, 10**8, rows)) * 1_000_000
        columns[f"when_{i}"] = pl.lit(datetime(2020, 1, 1)) + seconds.cast(pl.Duration("us"))
        columns[f"flag_{i}"] = rng.random(rows) < 0.3
    words = np.array(["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "sleeps"])
    chosen = words[rng.integers(0, len(words), (rows, 5))]
    columns["text"] = [" ".join(row) for row in chosen]
    columns["key"] = [f"{value:012x}" for value in rng.integers(0, 2**48, rows)]
    columns["row_id"] = np.arange(rows)
    columns["target"] = (rng.random(rows) < 0.2).astype(int)
    pl.select(**{name: column if isinstance(column, pl.Expr) else pl.Series(column) for name, column in columns.items()}
              ).write_csv(path)  # fmt: skip


def measure(tool: str, path: Path) -> dict[str, float]:
    """Do the work of one tool in this process."""
    found: dict[str, float] = {}
    if tool.startswith("make:"):
        make_data(int(tool.removeprefix("make:")), path)
        return found
    if tool == "duckdb":
        import duckdb

        start = time.perf_counter()
        duckdb.sql(f"SUMMARIZE SELECT * FROM read_csv('{path}')").fetchall()
    elif tool == "ydata-profiling":
        import pandas as pd
        from ydata_profiling import ProfileReport

        start = time.perf_counter()
        ProfileReport(pd.read_csv(path), progress_bar=False, minimal=True).get_description()
    else:
        from jupyter_pipeline.automl.profiling import profile
        from jupyter_pipeline.automl.reading import scan, settle, sniff

        before = time.perf_counter()
        spec = settle(sniff(path))
        start = time.perf_counter()
        found["settle_s"] = start - before
        profile(scan(spec, finite=False), "target", "binary", spec.n_rows)
    found["seconds"] = time.perf_counter() - start
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 2**20)
    return found


def apart(tool: str, path: Path) -> dict[str, float]:
    """Measure in a process of its own. This process stays small: on Linux a child starts with its parent's peak."""
    command = [sys.executable, "-W", "ignore", __file__, "--measure", tool, "--path", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{tool} failed:\n{done.stderr[-3000:]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def compare(tools: list[str], path: Path, repeats: int) -> dict[str, dict[str, float]]:
    """Medians for each tool; the tools take turns, so that a busy moment hits all."""
    runs: dict[str, list[dict[str, float]]] = {tool: [] for tool in tools}
    for _ in range(repeats):
        for tool in tools:
            runs[tool].append(apart(tool, path))
    return {
        tool: {key: round(statistics.median(run[key] for run in own), 3) for key in own[0]}
        for tool, own in runs.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--sample-rows", type=int, default=50_000, help="rows for ydata-profiling")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-ydata", action="store_true")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(measure(args.measure, args.path)))
        return
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large.csv", Path(folder) / "small.csv"
        apart(f"make:{args.rows}", large)
        size = large.stat().st_size
        full = compare(["jupyter_pipeline", "duckdb"], large, args.repeats)
        sampled: dict[str, dict[str, float]] = {}
        if args.no_ydata or find_spec("ydata_profiling") is None:
            print("ydata-profiling: left out (not installed, or --no-ydata).")
        else:
            apart(f"make:{args.sample_rows}", small)
            sampled = compare(["jupyter_pipeline", "ydata-profiling"], small, 1)
    ours = full["jupyter_pipeline"]["seconds"]
    document: dict[str, Any] = {
        "benchmark": "profile_csv",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "versions": {name: version(name) for name in ("polars", "duckdb")},
        "full": {"rows": args.rows, "columns": 50, "mb": round(size / 1e6, 1), "repeats": args.repeats, "tools": full},
        "sample": {"rows": args.sample_rows, "columns": 50, "tools": sampled} if sampled else None,
        "ratios": {
            "to_duckdb_summarize": round(ours / full["duckdb"]["seconds"], 3),
            "to_duckdb_summarize_with_settling": round(
                (ours + full["jupyter_pipeline"]["settle_s"]) / full["duckdb"]["seconds"], 3
            ),
        },
        "aim": {"to_duckdb_summarize": 3.0},
    }
    if sampled:
        document["versions"]["ydata-profiling"] = version("ydata-profiling")
        ratio = sampled["jupyter_pipeline"]["seconds"] / sampled["ydata-profiling"]["seconds"]
        document["ratios"]["to_ydata_on_sample"] = round(ratio, 3)
    print(f"{'tool':<20}{'rows':>12}{'seconds':>10}{'peak MB':>10}")
    for rows, tools in ((args.rows, full), (args.sample_rows, sampled)):
        for tool, found in tools.items():
            print(f"{tool:<20}{rows:>12,}{found['seconds']:>10.2f}{found['peak_mb']:>10.0f}")
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
