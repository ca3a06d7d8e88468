"""What a large CSV costs the server, in memory and answers, while it goes through DATA_SOURCE and PROFILE_DATA.

Run: ``python benchmarks/large_file.py --mb 1024`` (200 MB by default; with ``--blanks`` these separate its columns). A
real Jupyter server; the file lies in its folder, is read by workers, and the server's resident memory is measured ten
times a second, with how long ``api/status`` takes. Prints a table and a JSON document.
"""

import argparse
import json
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from server_process import Server, running

COLUMNS = 20


def write(path: Path, mb: int, *, blanks: bool) -> int:
    """A text of about so many megabytes: numbers, categories and a target; returns its rows."""
    rng, rows, target = np.random.default_rng(0), 0, mb << 20
    with path.open("wb") as file:
        while file.tell() < target:
            values = rng.normal(size=(50_000, COLUMNS - 2))
            table: dict[str, Any] = {f"x{i}": values[:, i] for i in range(COLUMNS - 2)}
            table["shop"] = [f"shop-{i}" for i in rng.integers(0, 300, len(values))]
            table["sold"] = np.where(values[:, 0] + values[:, 1] > rng.normal(size=len(values)), "yes", "no")
            text = pl.DataFrame(table).write_csv(include_header=rows == 0).encode()
            file.write(text.replace(b",", b"   ") if blanks else text)
            rows += len(values)
    return rows


class Watch(threading.Thread):
    """The server's memory and how long it takes to answer, over and over."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self.server, self.over = server, threading.Event()
        self.memory: list[float] = []
        self.answers: list[float] = []

    def run(self) -> None:
        while not self.over.wait(0.1):
            self.memory.append(self.server.process.memory_info().rss / 2**20)
            start = time.perf_counter()
            self.server.request("GET", "api/status")
            self.answers.append((time.perf_counter() - start) * 1000)


def stage(server: Server, wanted: str, since: float) -> float:
    """Wait for the gate of a stage; returns the seconds since ``since``."""
    while time.perf_counter() - since < 3600:
        state = json.loads(server.request("GET", "api/projects/large/state")[1])
        here = next(s for s in state["stages"] if s["id"] == wanted)
        if here["status"] == "WAITING_CONFIRMATION":
            return time.perf_counter() - since
        failed = [s for s in state["stages"] if s["status"] == "FAILED"]
        if failed:
            raise SystemExit(f"{failed[0]['id']} failed: {failed[0]['message']}")
        time.sleep(0.1)
    raise SystemExit(f"{wanted} took more than an hour.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=200)
    parser.add_argument("--blanks", action="store_true", help="blanks between the columns")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "root").mkdir()
        data = Path(folder) / "root" / f"large.{'dat' if options.blanks else 'csv'}"
        rows = write(data, options.mb, blanks=options.blanks)
        with running(Path(folder), ready="api/projects") as server:

            def say(message: dict[str, Any]) -> None:
                status, body = server.request("POST", "api/projects/large/messages", message)
                if status >= 300:
                    raise SystemExit(f"{status}: {body[:500]!r}")

            before = server.process.memory_info().rss / 2**20
            watch = Watch(server)
            watch.start()
            seconds, start = {}, time.perf_counter()
            say({"type": "chat", "text": f"Predict sold from {data.name}"})
            stage(server, "PARSE_INTENT", start)
            for name in ("DATA_SOURCE", "PROFILE_DATA"):
                start = time.perf_counter()
                say({"type": "confirm"})
                seconds[name] = round(stage(server, name, start), 2)
            watch.over.set()
            watch.join()
        size = data.stat().st_size / 2**20
    found = {
        "mb": round(size),
        "rows": rows,
        "seconds": seconds,
        "server_mb_before": round(before, 1),
        "server_mb_most": round(max(watch.memory), 1),
        "answer_ms_p50": round(float(np.percentile(watch.answers, 50)), 1),
        "answer_ms_p99": round(float(np.percentile(watch.answers, 99)), 1),
    }
    print(f"{data.name} of {size:,.0f} MB, {rows:,} rows: {', '.join(f'{k} {v:.1f} s' for k, v in seconds.items())}")
    print(f"server: {before:,.0f} MB before, {max(watch.memory):,.0f} MB at most; status answered in "
          f"{found['answer_ms_p50']} ms (p50), {found['answer_ms_p99']} ms (p99)")  # fmt: skip
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
