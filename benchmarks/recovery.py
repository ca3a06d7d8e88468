"""How soon a killed server serves again: 100 projects, a log of 1,000,000 events, some projects at work.

Run it with ``python -m benchmarks.recovery [--projects N] [--events N]``. Each line is a Jupyter server in a process
of its own, killed by SIGKILL and started again: the time from its start until ``GET /state`` of a project answers,
beside a Jupyter server without this extension until ``GET /api/status`` answers. What the extension adds is the
difference.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.server_process import running
from jupyter_pipeline.project.commands import Env, Say, WorkDone, WorkEvents, WorkFailed
from jupyter_pipeline.project.decide import decide
from jupyter_pipeline.project.log import EventLog, StoredEntry
from jupyter_pipeline.project.log_rows import as_stored
from jupyter_pipeline.project.state import ProjectState
from jupyter_pipeline.protocol.events import MetricScalar, TrainRunStarted, User
from jupyter_pipeline.protocol.frames import Event
from jupyter_pipeline.protocol.jobs import Done
from jupyter_pipeline.protocol.messages import Confirm
from jupyter_pipeline.protocol.stages import StageId

USER = User("ada", "Ada")
PLANS: dict[StageId, dict[str, Any]] = {
    StageId.PARSE_INTENT: {"task_type": "binary", "target": "y"},
    StageId.DATA_SOURCE: {"dataset_id": "upload:a.csv", "target": "y", "task_type": "binary", "metric": "roc_auc"},
    StageId.PROFILE_DATA: {"roles": {"x": "feature", "y": "target"}},
    StageId.PREPROCESS: {"split": {}, "columns": {"x": "numeric"}},
    StageId.MODEL_SELECT: {"models": [{"id": "linear"}], "time_budget_s": 60, "metric": "roc_auc"},
}


class Past:
    """What a project has done: the events that its decisions came to, and the state after them."""

    def __init__(self, project_id: str) -> None:
        self.state = ProjectState(project_id=project_id, epoch="0123456789abcdef")
        self.events: list[Event] = []
        self._now = 1_700_000_000_000

    def do(self, command: Any) -> None:
        self._now += 10
        produced, self.state = decide(self.state, command, Env(ts=self._now, user=USER))
        self.events.extend(produced)

    def train(self) -> int:
        """Go on until it trains; the number of the attempt."""
        self.do(Say("predict y in a.csv"))
        while self.state.current is not StageId.TRAIN:
            assert self.state.work is not None
            self.do(WorkDone(Done(attempt=self.state.work.attempt, plan=PLANS[self.state.current], summary="Done.")))
            self.do(Confirm())
        assert self.state.work is not None
        return self.state.work.attempt


def history(n_events: int, at_work: bool) -> tuple[ProjectState, list[Event]]:
    """A project that trains, with the scores of a long training; still at it, or failed."""
    past = Past("project")
    attempt, run = past.train(), 0
    while len(past.events) < n_events - 3:
        step = len(past.events)
        if step % 500 == 0 or run == 0:
            run += 1
            started = TrainRunStarted(run_id=f"run-{run}", model_id="linear", metric_primary="roc_auc", config={})
            past.do(WorkEvents(attempt, (started,)))
        metric = MetricScalar(
            run_id=f"run-{run}", name="roc_auc", split="val", step=step, value=0.731, source="measured"
        )
        past.do(WorkEvents(attempt, (metric,)))
    if not at_work:
        past.do(WorkFailed(attempt, "Stopped for the benchmark."))
    return past.state, past.events


async def fill(path: Path, n_projects: int, n_events: int, n_working: int) -> int:
    """Write the log; the number of events in it."""
    log, total = EventLog(path), 0
    await log.open()
    histories = {at_work: history(n_events // n_projects, at_work) for at_work in (True, False)}
    for number in range(n_projects):
        name = f"project-{number}"
        state, events = histories[number < n_working]
        stored = as_stored(name, events)
        entry = StoredEntry(
            project_id=name,
            epoch=f"epoch-of-{name}",
            seq=state.seq,
            updated_ts=state.ts,
            current_stage=state.current,
            status=state.here.status,
            working=state.work is not None,
        )
        await log.append(entry, stored, [])
        total += len(events)
    await log.close()
    return total


def measure(folder: Path, extension: bool, ready: str) -> tuple[float, float]:
    """Seconds, and seconds of computing, from the start to the answer; the server is killed afterwards."""
    args = [f"--ServerApp.jpserver_extensions={{'jupyter_pipeline': {extension}}}", "--PipelineApp.warm_workers=0"]
    with running(folder, *args, ready=ready) as server:
        used = server.process.cpu_times()
        server.process.kill()
    return server.ready_s, used.user + used.system


def median(found: list[tuple[float, float]], place: int) -> float:
    """Of one of two figures."""
    return round(statistics.median(pair[place] for pair in found), 2)


def main() -> None:
    """Measure, and print a table and a JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=100)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, working in (("empty", None), ("nothing at work", 0), ("20 at work", 20)):
            folder = Path(scratch) / name.replace(" ", "-")
            folder.mkdir()
            count, path = 0, folder / "root" / "pipelines" / ".log" / "events.sqlite"
            if working is not None:
                begun = time.perf_counter()
                count = asyncio.run(fill(path, args.projects, args.events, working))
                print(f"({count:,} events written in {time.perf_counter() - begun:.0f} s)", flush=True)
            ready = f"api/projects/project-{args.projects - 1}/state" if count else "api/projects"
            bare, ours = list[tuple[float, float]](), list[tuple[float, float]]()
            for _ in range(args.rounds):
                bare.append(measure(folder, False, "api/status"))
                ours.append(measure(folder, True, ready))
            size = path.stat().st_size / 1e6 if count else 0.0
            rows.append(
                {
                    "log": name,
                    "events": count,
                    "MB": round(size),
                    "jupyter_s": median(bare, 0),
                    "serving_s": median(ours, 0),
                    "added_s": round(median(ours, 0) - median(bare, 0), 2),
                    "jupyter_cpu_s": median(bare, 1),
                    "serving_cpu_s": median(ours, 1),
                }
            )
            print("  ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    print(json.dumps({"recovery": rows}, indent=1))


if __name__ == "__main__":
    main()
