"""What loading the extension adds to the start of ``jupyter server``: time, processor time and memory.

Run: ``python benchmarks/startup.py --runs 7``. Runs with and without the extension alternate; medians are compared.
``ready_s``: from the process's start until ``api/status`` answers. ``cpu_s`` and the memory (USS: what belongs to the
process alone) are read three seconds later, when the projects are open too. Modules are compiled before, as an
installation does it. On a busy machine only ``cpu_s`` and the memory tell something. Seven runs take about two minutes.
Prints a table and a JSON document.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from server_process import running

AIM_MS, AIM_MB = 150.0, 20.0


def one(enabled: bool, compiled: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        args = f"--ServerApp.jpserver_extensions={{'jupyter_pipeline': {enabled}}}"
        env = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(compiled)}
        with running(Path(folder), args, env=env) as server:
            time.sleep(3.0)
            cpu = server.process.cpu_times()
            if enabled and server.request("GET", "api/projects")[0] != 200:
                raise SystemExit("The projects did not open within three seconds.")
            memory = server.process.memory_full_info()
            return {
                "ready_s": server.ready_s,
                "cpu_s": cpu.user + cpu.system,
                "uss_mb": memory.uss / 2**20,
                "rss_mb": memory.rss / 2**20,
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="starts of each kind")
    options = parser.parse_args()
    without: list[dict[str, float]] = []
    with_it: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as name:
        compiled = Path(name)
        one(True, compiled)
        for run in range(options.runs):
            without.append(one(False, compiled))
            with_it.append(one(True, compiled))
            ready = " and ".join(f"{runs[-1]['ready_s']:.2f} s" for runs in (without, with_it))
            print(f"run {run + 1} of {options.runs}: ready after {ready} with it", file=sys.stderr, flush=True)
    medians = [{key: statistics.median(r[key] for r in runs) for key in runs[0]} for runs in (without, with_it)]
    added = {key: medians[1][key] - medians[0][key] for key in medians[0]}
    print(f"{'':>10} {'without':>10} {'with':>10} {'added':>10}")
    for key in added:
        print(f"{key:>10} {medians[0][key]:>10.3f} {medians[1][key]:>10.3f} {added[key]:>10.3f}")
    print(
        json.dumps(
            {
                "runs": options.runs,
                "without": medians[0],
                "with": medians[1],
                "added": added,
                "aims": {"ready_ms": AIM_MS, "uss_mb": AIM_MB},
                "met": max(added["ready_s"], added["cpu_s"]) * 1000 < AIM_MS and added["uss_mb"] < AIM_MB,
                "all": {"without": without, "with": with_it},
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
