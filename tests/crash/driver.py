"""One crash: a project at a gate, a server that is to die at a named place, what must be true afterwards."""

import contextlib
import hashlib
import http.client
import shutil
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from sklearn.datasets import load_iris

from jupyter_pipeline.faults import VARIABLE
from tests.processes import free_port
from tests.server.conftest import Server

PROJECT = "api/projects/demo"
STAGES = (
    "PARSE_INTENT", "DATA_SOURCE", "PROFILE_DATA", "PREPROCESS", "MODEL_SELECT", "TRAIN", "REVIEW_EDIT", "EXPORT",
)  # fmt: skip
REQUEST = "Predict species in iris.csv. Use only logistic regression and random forest, within 20 seconds."
WAIT_S = 240.0


@dataclass(frozen=True)
class Case:
    """Where, in which stage, and who dies: ``server``, ``worker`` or ``both``; with ``mistake`` nobody does."""

    point: str
    stage: str
    who: str

    def __str__(self) -> str:
        return f"{self.point}-{self.stage}-{self.who}"


def server_at(folder: Path, crash: str | None = None, args: list[str] | None = None, *, forked: bool = False) -> Server:
    """A server on ``folder/root``, started; forked it is there sooner (``tests/processes.py``)."""
    server = Server(folder / "root", free_port(), "/", args or [], {VARIABLE: crash} if crash else {}, forked=forked)
    server.start()
    return server


def state_of(server: Server) -> dict[str, Any]:
    answer = server.request("GET", f"{PROJECT}/state")
    assert answer.status == 200, answer.body
    state: dict[str, Any] = answer.json
    return state


def until(happened: Callable[[], Any], what: str) -> Any:
    """The first true value; looks again and again."""
    deadline = time.monotonic() + WAIT_S
    while not (value := happened()):
        assert time.monotonic() < deadline, f"not within {WAIT_S:.0f} s: {what}"
        time.sleep(0.1)
    return value


def until_gate(server: Server, stage: str) -> None:
    """Until a stage waits (EXPORT: until it is completed)."""

    def there() -> bool:
        state = state_of(server)
        here = state["stages"][STAGES.index(state["current_stage"])]
        assert here["status"] != "FAILED", f"{stage}: {here['message']}"
        if state["current_stage"] != stage:
            return False
        return bool(state["waiting_confirmation"]) if stage != "EXPORT" else here["status"] == "COMPLETED"

    until(there, f"{stage} is done")


def advance(server: Server, stage: str) -> dict[str, Any]:
    """The message that starts a stage, with an id; sent again it has no second effect."""
    if stage == "PARSE_INTENT":
        return {"type": "chat", "text": REQUEST, "id": "start-PARSE_INTENT"}
    waiting = state_of(server)["waiting_confirmation"]
    return {"type": "confirm", "gate_id": waiting["gate_id"], "id": f"start-{stage}"}


def tell(server: Server, message: dict[str, Any]) -> str | None:
    """Send a message; its ack's status, None if the server died before it answered."""
    try:
        answer = server.request("POST", f"{PROJECT}/messages", message)
    except (OSError, http.client.HTTPException):
        return None
    assert answer.status == 200, answer.body
    status: str = answer.json["status"]
    return status


def make_snapshots(folder: Path, last: str = "EXPORT", *, forked: bool = False) -> dict[str, Path]:
    """A workspace for each stage up to ``last``, as it is when that stage can be started."""
    work = folder / "work"
    (work / "root").mkdir(parents=True)
    load_iris(as_frame=True).frame.rename(columns={"target": "species"}).to_csv(work / "root" / "iris.csv", index=False)
    found: dict[str, Path] = {}
    server = server_at(work, args=["--PipelineApp.warm_workers=1"], forked=forked)
    for stage in STAGES:
        if stage == "TRAIN":
            one = [{"op": "replace", "path": "/trials", "value": 1}]
            tell(server, command("update_plan", stage_id="MODEL_SELECT", patch=one))
        found[stage] = folder / f"before-{stage}"
        # Nothing is written at a gate, so that this is what a power cut would leave.
        shutil.copytree(work / "root", found[stage] / "root")
        if stage == last:
            break
        assert tell(server, advance(server, stage)) == "accepted"
        until_gate(server, stage)
    server.stop()
    shutil.rmtree(work)  # what is copied must stand alone
    return found


def command(name: str, **args: Any) -> dict[str, Any]:
    return {"type": "command", "command": name, "args": args}


def run_case(case: Case, snapshot: Path, folder: Path, *, to_the_end: bool, forked: bool = False) -> dict[str, float]:
    """Crash, start again, go on, and check; returns seconds by what took them."""
    shutil.copytree(snapshot, folder)
    fired = folder / "fired"
    server = server_at(folder, f"{case.point}:{case.stage}:{case.who}:{fired}", forked=forked)
    uploading = case.point.startswith("upload.")
    before = log_of(server) if not uploading else []
    try:
        message = None if uploading else advance(server, case.stage)
        acked = send_file(server) if message is None else tell(server, message)
        until(fired.exists, f"the crash at {case}")
        assert server.process is not None
        if case.who in ("server", "both"):
            server.process.wait(30)
        start = time.monotonic()
        if case.who in ("server", "both"):
            no_orphans(str(fired))
            gone_s = time.monotonic() - start
            start = time.monotonic()
            server = server_at(folder, forked=forked)
        else:
            gone_s = 0.0
        serving_s = time.monotonic() - start
        if message is None:
            assert send_file(server) == "accepted"
            assert [p.name for p in (folder / "root" / "pipelines" / "demo" / "data").iterdir()] == ["more.csv"]
            return {"gone_s": gone_s, "serving_s": serving_s}
        again = tell(server, message)
        assert again == "duplicate" if acked else again in ("accepted", "duplicate"), (acked, again)
        if case.who == "mistake":
            restart_after_mistake(server, case.stage)
        until_gate(server, case.stage)
        back_s = time.monotonic() - start
        check(server, before, folder)
        if to_the_end:
            for stage in STAGES[STAGES.index(case.stage) + 1 :]:
                assert tell(server, advance(server, stage)) == "accepted"
                until_gate(server, stage)
            check(server, before, folder)
        return {"gone_s": gone_s, "serving_s": serving_s, "back_s": back_s}
    finally:
        server.stop()


def restart_after_mistake(server: Server, stage: str) -> None:
    """A mistake of ours ends the stage and its runs, and says so; then it is started again."""

    def failed() -> dict[str, Any] | None:
        state = state_of(server)
        return state if state["stages"][STAGES.index(stage)]["status"] == "FAILED" else None

    state = until(failed, f"the end of {stage}")
    assert "a mistake in jupyter_pipeline itself" in state["stages"][STAGES.index(stage)]["message"]
    assert all(run["status"] != "running" for run in state["runs"])
    assert tell(server, command("restart_stage", stage_id=stage)) == "accepted"


def send_file(server: Server) -> str | None:
    try:
        answer = server.request("POST", f"{PROJECT}/data?name=more.csv", b"a,b\n" + b"1,2\n" * 600_000)
    except (OSError, http.client.HTTPException):
        return None
    assert answer.status in (200, 201), answer.body
    return "accepted"


def no_orphans(mark: str) -> None:
    """Until no process is left that was started below the server that died."""

    def left() -> list[int]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.status() != psutil.STATUS_ZOMBIE and mark in process.environ().get(VARIABLE, ""):
                    found.append(process.pid)
        return found

    deadline = time.monotonic() + 10
    while pids := left():
        assert time.monotonic() < deadline, f"orphans: {pids}"
        time.sleep(0.05)


def log_of(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        answer = server.request("GET", f"{PROJECT}/events?since={len(found)}&limit=5000")
        if answer.status == 404:
            return []
        if not (events := answer.json["events"]):
            return found
        found += events


def check(server: Server, before: list[dict[str, Any]], folder: Path) -> None:
    """What must be true of a project at any gate, whatever happened before."""
    events, state = log_of(server), state_of(server)
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert events[: len(before)] == before, "what was in the log is no longer there"
    check_runs(events, state)
    approved = Counter(e["event"]["payload"]["stage_id"] for e in events if e["event"]["name"] == "PLAN_APPROVED")
    assert set(approved.values()) <= {1}, f"approved twice: {approved}"
    assert sum(1 for e in events if e["event"]["payload"].get("source") == "user") == 1
    for artifact in state["artifacts"]:
        answer = server.request("GET", artifact["url"].lstrip("/"))
        assert answer.status == 200, f"{artifact['url']} is listed but gives {answer.status}"
        assert len(answer.body) > 0
    project = folder / "root" / "pipelines" / "demo"
    left = [p for p in project.rglob("*") if p.name.endswith(".partial") or p.name.startswith((".events-", ".upload-"))]
    left += (project / "artifacts" / "trials").glob(".*")
    assert left == [], f"left behind: {left}"
    zips = list((project / "exports").glob("*"))
    assert len(zips) == (1 if state["export"] else 0)
    assert sum(e["event"]["name"] == "EXPORT_READY" for e in events) == len(zips), "announced twice, or in vain"
    if state["export"]:
        assert state["export"]["checksum"] == "sha256:" + hashlib.sha256(zips[0].read_bytes()).hexdigest()
        with zipfile.ZipFile(zips[0]) as bundle:
            assert bundle.testzip() is None
            assert sorted(bundle.namelist()) == sorted(state["export"]["contents"])


def check_runs(events: list[dict[str, Any]], state: dict[str, Any]) -> None:
    """Every run starts once and finishes once; a finished trial is not trained again; the leaderboard says the same."""
    current, trained, status = state["current_stage"], Counter[str](), dict[str, str]()
    config: dict[str, str] = {}
    for event in events:
        name, payload = event["event"]["name"], event["event"]["payload"]
        if name == "TRAIN_RUN_STARTED":
            assert payload["run_id"] not in config
            config[payload["run_id"]] = str(payload["config"].get("fingerprint"))
            assert trained[config[payload["run_id"]]] == 0 or payload["run_id"].startswith("final-"), "trained again"
        elif name == "TRAIN_RUN_FINISHED":
            assert payload["run_id"] in config
            assert payload["run_id"] not in status, "finished twice"
            status[payload["run_id"]] = payload["status"]
            trained[config[payload["run_id"]]] += payload["status"] == "success"
    assert current == "TRAIN" or set(status) == set(config)
    for row in state["leaderboard"]:
        assert row["status"] == status[row["run_id"]], f"the leaderboard and the log disagree on {row['run_id']}"
    best = state["best_model"]
    assert best is None or status[best["run_id"]] == "success"
