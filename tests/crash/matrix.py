"""The whole crash matrix: ``python -m tests.crash.matrix [--jobs N] [--only TEXT] [--gate]``.

Every named place, in every stage, with the server, the worker or both killed there by SIGKILL, and errors that nobody
expects while the server takes in what a stage reports; then the project must go
on to its end with nothing lost, nothing doubled and nothing left behind. Prints a line for each case, then a summary as
JSON; the exit status is the number of cases that failed, 99 at the most.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .driver import STAGES, Case, make_snapshots, run_case

WHO = ("server", "worker", "both")
#: An event that a stage sends in the middle of its work.
MIDDLE = {
    "PARSE_INTENT": "event.PROMPT_PARSED",
    "DATA_SOURCE": "event.DATASET_SELECTED",
    "PROFILE_DATA": "event.PROFILE_SUMMARY",
    "PREPROCESS": "event.SPLIT_SUMMARY",
    "MODEL_SELECT": "event.MODEL_CANDIDATES",
    "TRAIN": "event.METRIC_SCALAR",
    "REVIEW_EDIT": "event.EVALUATION_COMPLETE",
    "EXPORT": "event.EXPORT_PROGRESS",
}


def points(stage: str) -> list[str]:
    """The places that a stage passes."""
    result = "EXPORT_READY" if stage == "EXPORT" else "PLAN_PROPOSED"
    found = [
        "append.before.STAGE_STATUS", "append.after.STAGE_STATUS", "work.start", MIDDLE[stage],
        "publish.before", "publish.after", f"append.before.{result}", f"append.after.{result}",
    ]  # fmt: skip
    more = {"TRAIN": ["trial.saved", "trial.told"], "EXPORT": ["export.zip", "export.placed"]}
    return found + more.get(stage, [])


def cases() -> list[Case]:
    """All of them."""
    found = [Case(point, stage, who) for stage in STAGES for point in points(stage) for who in WHO]
    found += [Case("decide.WorkDone", stage, "mistake") for stage in STAGES]
    found += [Case("append.before.METRIC_SCALAR", "TRAIN", "mistake")]
    return found + [Case(point, "DATA", "server") for point in ("upload.middle", "upload.placed")]


def snapshot_of(case: Case, snapshots: dict[str, Path]) -> Path:
    """The workspace that a case begins with."""
    return snapshots[STAGES[0] if case.stage == "DATA" else case.stage]


def main() -> int:
    """Run the matrix."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="cases at once")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--gate", action="store_true", help="go on to the stage's own gate only, not to the end")
    args = parser.parse_args()
    wanted = [case for case in cases() if args.only in str(case)]
    folder = Path(tempfile.mkdtemp(prefix="crash-"))
    failed: dict[str, str] = {}
    took: dict[str, list[float]] = {}
    start = time.monotonic()
    snapshots = make_snapshots(folder)

    def one(case: Case) -> None:
        place = folder / str(case)
        try:
            for what, seconds in run_case(case, snapshot_of(case, snapshots), place, to_the_end=not args.gate).items():
                took.setdefault(what, []).append(seconds)
        except Exception as error:
            failed[str(case)] = f"{type(error).__name__}: {error}"[:300]
        else:
            shutil.rmtree(place, ignore_errors=True)
        print("FAILED" if str(case) in failed else "ok", case, failed.get(str(case), ""), flush=True)

    with ThreadPoolExecutor(args.jobs) as pool:
        list(pool.map(one, wanted))
    summary = {
        "cases": len(wanted),
        "failed": failed,
        "median_s": {what: round(statistics.median(v), 2) for what, v in took.items()},
        "max_s": {what: round(max(v), 2) for what, v in took.items()},
        "seconds": round(time.monotonic() - start),
    }
    print(json.dumps(summary, indent=1))
    if not failed:
        shutil.rmtree(folder, ignore_errors=True)
    return min(len(failed), 99)


if __name__ == "__main__":
    sys.exit(main())
