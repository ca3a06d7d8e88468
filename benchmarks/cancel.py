"""How quickly a cancel is acknowledged and the work is gone: ``python -m benchmarks.cancel [--rounds N]``.

A real server and a socket. Work that is hard to end is the project's own edited code (``fit_linear``); the models are
fits on scikit-learn's digits, cancelled once the model has measured something. The end is when no process that was at
the work is left. Prints a table and a JSON document.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from jupyter_pipeline.workers.process import MARK
from tests.crash.driver import command, make_snapshots, server_at, state_of, tell, until, until_gate
from tests.crash.hard_work import KINDS, cancel, start
from tests.server.conftest import Server

MODELS = ("random_forest", "hist_gradient_boosting", "lightgbm", "xgboost", "catboost")
REQUEST = "Predict the digit in the digits data, take ten minutes."


def workers_below(server: Server) -> set[psutil.Process]:
    """All processes of workers."""
    assert server.process is not None
    found = psutil.Process(server.process.pid).children(recursive=True)
    return {p for p in found if MARK in p.environ()}


def used_mb() -> float:
    """Memory in use on this machine."""
    memory = psutil.virtual_memory()
    return float((memory.total - memory.available) / 2**20)


def prepare_models(server: Server) -> None:
    """Take a project of bundled data to the choice of models."""
    post = "api/projects/digits/messages"
    assert server.request("POST", post, {"type": "chat", "text": REQUEST}).status == 200
    for stage in ("PARSE_INTENT", "DATA_SOURCE", "PROFILE_DATA", "PREPROCESS", "MODEL_SELECT"):
        until(lambda s=stage: waits(server, s), stage)
        if stage != "MODEL_SELECT":
            assert server.request("POST", post, {"type": "confirm"}).status == 200


def waits(server: Server, stage: str) -> bool:
    """Whether a stage of the project waits."""
    state = server.request("GET", "api/projects/digits/state").json
    assert all(s["status"] != "FAILED" for s in state["stages"] if s["id"] == stage), state["stages"]
    return state["current_stage"] == stage and state["waiting_confirmation"] is not None


def start_model(server: Server, model: str) -> None:
    """Train one model, until it has measured something."""
    post, seq = "api/projects/digits/messages", server.request("GET", "api/projects/digits/state").json["seq"]
    models = [{"id": model}]
    server.request("POST", post, command("restart_stage", stage_id="MODEL_SELECT", params={"models": models}))
    until(lambda: waits(server, "MODEL_SELECT"), "MODEL_SELECT")
    server.request("POST", post, {"type": "confirm"})

    def measured() -> bool:
        events = server.request("GET", f"api/projects/digits/events?since={seq}&limit=10000").json["events"]
        scores = [e["event"]["payload"] for e in events if e["event"]["name"] == "METRIC_SCALAR"]
        return any(score["run_id"].endswith(model) for score in scores)

    until(measured, f"a score of {model}")


async def one(server: Server, project: str, family: set[psutil.Process], mode: str, mark: str) -> dict[str, float]:
    """Cancel over a socket."""
    async with server.connect(project) as socket:
        await socket.greeting()
        return await cancel(socket, family, mode, mark)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    rows: list[dict[str, Any]] = []
    acks: list[float] = []
    folder = Path(tempfile.mkdtemp(prefix="cancel-"))
    server = server_at(make_snapshots(folder, "TRAIN")["TRAIN"])
    try:
        gate = state_of(server)["waiting_confirmation"]["gate_id"]
        assert tell(server, {"type": "confirm", "gate_id": gate}) == "accepted"
        until_gate(server, "TRAIN")
        prepare_models(server)
        for kind in (*KINDS, *MODELS):
            for mode in ("stop", "now"):
                found, back = [], []
                for number in range(args.rounds):
                    before = used_mb()
                    if kind in KINDS:
                        family, project = start(server, server.root / "pipelines" / "demo", kind), "demo"
                    else:
                        start_model(server, kind)
                        family, project = workers_below(server), "digits"
                    found.append(asyncio.run(one(server, project, family, mode, f"{len(rows)}-{number}")))
                    back.append(used_mb() - before)
                acks += [f["ack_s"] for f in found]
                ends = [f["end_s"] for f in found]
                rows.append(
                    {
                        "work": kind,
                        "mode": mode,
                        "ack_ms_max": round(1000 * max(f["ack_s"] for f in found)),
                        "end_s_median": round(statistics.median(ends), 2),
                        "end_s_max": round(max(ends), 2),
                        "memory_left_mb": round(statistics.median(back)),
                    }
                )
                print("  ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
        summary = {
            "n": len(acks),
            "ack_ms_p50": round(1000 * float(np.percentile(acks, 50))),
            "ack_ms_p99": round(1000 * float(np.percentile(acks, 99))),
            "cores": os.cpu_count(),
        }
        print(json.dumps({"cancel": rows, "acks": summary}, indent=1))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
