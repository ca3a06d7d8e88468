"""The recorded sessions: every frame fits the schema, and what the documents promise of a session holds in each."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from jupyter_pipeline.client.model import Model
from jupyter_pipeline.project.state import ProjectState, evolve
from jupyter_pipeline.protocol.errors import Refusal
from jupyter_pipeline.protocol.frames import decode_event
from jupyter_pipeline.protocol.messages import convert_message
from jupyter_pipeline.protocol.schema import json_schema

from ..wire import check_frame

HERE = Path(__file__).parent
SESSIONS = sorted(path.name for path in HERE.glob("*.jsonl"))


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text("utf-8").splitlines()]


def server_frames(name: str) -> list[dict[str, Any]]:
    return [line["frame"] for line in lines(name) if line["from"] == "server" and "frame" in line]


def durable(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [frame for frame in frames if frame["type"] == "EVENT" and not frame.get("ephemeral")]


@pytest.mark.parametrize("name", SESSIONS)
def test_every_frame_fits_the_schema(name: str) -> None:
    schema = {**json_schema(), "$ref": "#/$defs/ClientMessage"}
    for line in lines(name):
        if "frame" not in line:
            continue
        if line["from"] == "server":
            check_frame(json.dumps(line["frame"]))
        else:
            try:
                convert_message(line["frame"])
            except Refusal:
                assert not jsonschema_rs.is_valid(schema, line["frame"])
            else:
                assert jsonschema_rs.is_valid(schema, line["frame"])


@pytest.mark.parametrize("name", SESSIONS)
def test_events_are_numbered_without_gaps_and_the_same_again_after_a_resume(name: str) -> None:
    by_seq: dict[int, dict[str, Any]] = {}
    last: int | None = None
    for line in lines(name):
        if "connect" in line:
            last = line["connect"].get("since")
        elif line["from"] == "server" and "frame" in line and durable([line["frame"]]):
            frame = line["frame"]
            if last is not None:
                assert frame["seq"] == last + 1
            last = frame["seq"]
            assert by_seq.setdefault(frame["seq"], frame) == frame
    assert sorted(by_seq) == list(range(1, len(by_seq) + 1))


@pytest.mark.parametrize("name", SESSIONS)
def test_the_client_and_the_server_come_to_the_same_from_it(name: str) -> None:
    """Two folds of the same events, written for different ends, agree."""
    model = Model()
    frames = {frame["seq"]: frame for frame in durable(server_frames(name))}
    state = ProjectState(project_id="x", epoch="e")
    model.hello("e", 0, {})
    for seq in sorted(frames):
        state = evolve(state, decode_event(json.dumps(frames[seq])))
        model.event(frames[seq])
    assert {stage.id: stage.status for stage in state.stages} == {k: v.status for k, v in model.stages.items()}
    assert [run.status for run in state.runs.values()] == [run.status for run in model.runs.values()]
    assert [row.run_id for row in state.leaderboard] == [row["run_id"] for row in model.leaderboard]


def test_what_the_session_at_the_gates_shows() -> None:
    """Each message was answered as the contract says."""
    answers = [frame for frame in server_frames("gates.jsonl") if frame["type"] != "EVENT"]
    told = [frame.get("code") or frame.get("status") or frame["type"] for frame in answers]
    assert told == [
        "NOT_WAITING", "accepted", "pong", "duplicate", "UNKNOWN_TYPE", "INVALID_STAGE", "UNKNOWN_COMMAND",
        "NO_ACTIVE_RUN", "GATE_STALE", "accepted", "INVALID_ARGS", "accepted", "accepted",
    ]  # fmt: skip
    hellos = [f for f in server_frames("gates.jsonl") if f.get("event", {}).get("name") == "HELLO"]
    assert [hello["event"]["payload"]["resumed"] for hello in hellos] == [False, True]


def test_what_the_session_of_work_shows() -> None:
    """A stage cancelled at once, a training cancelled and one that is finished early, and a server that comes back."""
    answers = [frame for frame in server_frames("work.jsonl") if frame["type"] != "EVENT"]
    told = {frame.get("id"): frame.get("code") or frame.get("status") for frame in answers if frame["type"] != "pong"}
    assert {key: value for key, value in told.items() if value != "accepted"} == {
        "nothing-left": "NO_ACTIVE_RUN", "nothing-waits": "NOT_WAITING", "far-ahead": "INVALID_STAGE",
        "finish": "duplicate",
    }  # fmt: skip
    assert [f["status"] for f in answers if f.get("id") == "finish"] == ["accepted", "duplicate"]
    assert [line["close"] for line in lines("work.jsonl") if "close" in line] == [1001]
    state = ProjectState(project_id="demo-project", epoch="e")
    for frame in durable(server_frames("work.jsonl")):
        state = evolve(state, decode_event(json.dumps(frame)))
    assert state.current.value == "TRAIN"
    assert state.here.status.value == "WAITING_CONFIRMATION"
    statuses = [run.status for run in state.runs.values()]
    assert statuses[0] == "cancelled"
    assert "success" in statuses
    assert "running" not in statuses


def test_what_the_whole_job_shows() -> None:
    state = ProjectState(project_id="iris", epoch="e")
    for frame in server_frames("whole_job.jsonl"):
        state = evolve(state, decode_event(json.dumps(frame)))
    assert state.current.value == "EXPORT"
    assert len(state.decisions) == 7
    assert sum(row.status == "success" for row in state.leaderboard) == 2
