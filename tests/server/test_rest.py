"""The REST calls against a real server: reading, long poll, messages, errors, and their description."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from jupyter_pipeline import __version__

from .conftest import Answer, Server
from .test_assets import artifact, write_project


def post(server: Server, project_id: str, message: Any, **kwargs: Any) -> Answer:
    return server.request("POST", f"api/projects/{project_id}/messages", message, **kwargs)


def begin(server: Server, project_id: str) -> int:
    """A project that has a log and is at rest: the number of its last event."""
    answer = post(server, project_id, {"type": "chat", "text": "Predict species in iris", "id": "begin"})
    assert answer.status == 200
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        one = server.request("GET", f"api/projects/{project_id}").json
        if one["status"] in ("FAILED", "WAITING_CONFIRMATION"):
            head: int = server.request("GET", f"api/projects/{project_id}").json["seq"]
            return head
        time.sleep(0.2)
    raise AssertionError("The project did not come to rest.")


def test_what_there_is_after_a_first_message(server: Server, project_id: str) -> None:
    head = begin(server, project_id)
    listed = server.request("GET", "api/projects").json
    entry = next(p for p in listed["projects"] if p["project_id"] == project_id)
    assert listed["folders"] == {"workspace": "", "pipelines": "pipelines"}
    assert listed["server_version"] == __version__
    assert entry["seq"] == head
    assert {"epoch", "updated_ts", "current_stage", "status"} <= set(entry)
    one = server.request("GET", f"api/projects/{project_id}").json
    assert {key: entry[key] for key in one} == one
    state = server.request("GET", f"api/projects/{project_id}/state").json
    assert {
        "project_id", "epoch", "seq", "current_stage", "stages", "waiting_confirmation", "decisions", "runs",
        "leaderboard", "artifacts",
    } <= set(state)  # fmt: skip
    assert [stage["index"] for stage in state["stages"]] == list(range(8))
    assert server.request("GET", f"api/projects/{project_id}/assets").json == {"assets": state["artifacts"]}


def test_a_stage_that_somebody_stopped_says_who(server: Server, project_id: str) -> None:
    assert post(server, project_id, {"type": "chat", "text": "Predict species in iris"}).status == 200
    assert "ended_by" not in server.request("GET", f"api/projects/{project_id}").json
    assert post(server, project_id, {"type": "command", "command": "cancel_run"}).status == 200
    entry = server.request("GET", f"api/projects/{project_id}").json
    assert entry["status"] == "FAILED"
    assert set(entry["ended_by"]) == {"username", "name"}
    assert entry in server.request("GET", "api/projects").json["projects"]
    state = server.request("GET", f"api/projects/{project_id}/state").json
    assert state["stages"][0]["ended_by"] == entry["ended_by"]
    assert all("ended_by" not in stage for stage in state["stages"][1:])


def test_messages_answer_as_the_socket_does(server: Server, project_id: str) -> None:
    head = begin(server, project_id)
    again = post(server, project_id, {"type": "chat", "text": "Predict species in iris", "id": "begin"})
    assert again.json["status"] == "duplicate"
    pong = post(server, project_id, {"type": "ping", "ts": 7})
    assert (pong.json["type"], pong.json["ts"], pong.json["seq"]) == ("pong", 7, head)
    without_id = post(server, project_id, {"type": "chat", "text": "And?"})
    assert without_id.json["id"] is None
    assert without_id.json["seq"] > head


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        (b"{", 400, "INVALID_JSON"),
        (b"\xff\xfe", 400, "INVALID_JSON"),
        ([], 400, "INVALID_MESSAGE"),
        ({"type": "nonsense"}, 400, "UNKNOWN_TYPE"),
        ({"type": "chat"}, 400, "INVALID_MESSAGE"),
        ({"type": "chat", "text": "  \n", "id": "c1"}, 400, "INVALID_MESSAGE"),
        ({"type": "resume", "since": 0}, 400, "INVALID_MESSAGE"),
        ({"type": "subscribe"}, 400, "INVALID_MESSAGE"),
        ({"type": "confirm"}, 409, "NOT_WAITING"),
        ({"type": "confirm", "id": "c2"}, 409, "NOT_WAITING"),
        ({"type": "command", "command": "cancel_run"}, 409, "NO_ACTIVE_RUN"),
        ({"type": "command", "command": "cancel_run", "args": {"mode": None}}, 409, "NO_ACTIVE_RUN"),
        ({"type": "command", "command": "what"}, 400, "UNKNOWN_COMMAND"),
        ({"type": "command", "command": "restart_stage", "args": {"stage_id": "X"}}, 400, "INVALID_STAGE"),
        (b'{"type": "chat", "text": "' + b"x" * 2_000_000 + b'"}', 413, "TOO_LARGE"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_errors_have_the_shape_of_error_frames(
    server: Server, project_id: str, message: Any, status: int, code: str
) -> None:
    answer = post(server, project_id, message)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.json) == {
        "type", "message", "original_message", "code", "id", "retryable", "retry_after_ms",
    }  # fmt: skip
    assert answer.json["type"] == "error"
    assert answer.json["code"] == code
    assert answer.json["message"].startswith("Failed to process message: ")
    if not isinstance(message, bytes):
        assert answer.json["original_message"] == message
        assert answer.json["id"] == (message.get("id") if isinstance(message, dict) else None)
    assert server.request("GET", f"api/projects/{project_id}").status == 404, "nothing was made"


def test_confirm_is_the_message(server: Server, project_id: str) -> None:
    path = f"api/projects/{project_id}/confirm"
    assert server.request("POST", path).json["code"] == "NOT_WAITING"
    assert server.request("POST", path, {"stage_id": "NOPE"}).json["code"] == "INVALID_STAGE"
    assert server.request("POST", path, b"[]").json["code"] == "INVALID_MESSAGE"
    assert server.request("POST", path, {"type": "chat", "text": "no"}).json["code"] == "NOT_WAITING"


@pytest.mark.parametrize("call", ["", "/state", "/events", "/assets", "/assets/x"])
def test_what_does_not_exist_is_404(server: Server, project_id: str, call: str) -> None:
    answer = server.request("GET", f"api/projects/{project_id}{call}")
    assert answer.status == 404
    assert answer.json["type"] == "error"
    assert project_id in answer.json["message"]


@pytest.mark.parametrize("query", ["since=-1", "since=x", "limit=0", "limit=100000", "wait_s=soon", "wait_s=-1"])
def test_wrong_queries_are_named(server: Server, project_id: str, query: str) -> None:
    answer = server.request("GET", f"api/projects/{project_id}/events?{query}")
    assert answer.status == 400
    assert answer.json["code"] == "INVALID_ARGS"
    assert query.split("=")[0] in answer.json["message"]


def test_events_in_pages(server: Server, project_id: str) -> None:
    head = begin(server, project_id)
    path = f"api/projects/{project_id}/events"
    whole = server.request("GET", path).json
    assert [e["seq"] for e in whole["events"]] == list(range(1, head + 1))
    assert (whole["seq"], whole["next"], whole["resumed"]) == (head, head, True)
    pages, since = [], 0
    while True:
        page = server.request("GET", f"{path}?since={since}&limit=2&epoch={whole['epoch']}").json
        if not page["events"]:
            break
        assert len(page["events"]) <= 2
        pages += page["events"]
        since = page["next"]
    assert pages == whole["events"]
    other = server.request("GET", f"{path}?since={head}&epoch=another").json
    assert other["resumed"] is False
    assert other["events"] == whole["events"]


def test_a_page_has_8_mb_at_most_or_one_event(start_server: Callable[..., Server], tmp_path: Path) -> None:
    root, large = tmp_path / "root", artifact("large", "artifacts/a.txt")
    asyncio.run(write_project(root, [structs.replace(large, name="x" * (size << 20)) for size in (1, 5, 5, 9, 1)]))
    server, since, pages = start_server(root=root), 0, list[list[int]]()
    while since < 5:
        page = server.request("GET", f"api/projects/demo/events?since={since}").json
        pages.append([event["seq"] for event in page["events"]])
        since = page["next"]
    assert pages == [[1, 2], [3], [4], [5]]


def test_a_long_poll_waits_for_the_next_event(server: Server, project_id: str) -> None:
    head = begin(server, project_id)
    answers: list[tuple[float, Answer]] = []

    def poll() -> None:
        answer = server.request("GET", f"api/projects/{project_id}/events?since={head}&wait_s=20")
        answers.append((time.monotonic(), answer))

    thread = threading.Thread(target=poll)
    thread.start()
    time.sleep(0.7)
    assert not answers
    said = time.monotonic()
    post(server, project_id, {"type": "chat", "text": "Wake up"})
    thread.join(10)
    when, answer = answers[0]
    assert when - said < 10.0
    assert answer.json["events"][0]["seq"] == head + 1
    start = time.monotonic()
    empty = server.request("GET", f"api/projects/{project_id}/events?since={answer.json['seq'] + 5}&wait_s=0.5")
    assert empty.json["resumed"] is False
    start = time.monotonic()
    last = server.request("GET", f"api/projects/{project_id}").json["seq"]
    empty = server.request("GET", f"api/projects/{project_id}/events?since={last}&wait_s=0.5")
    assert empty.json["events"] == []
    assert empty.json["next"] == last
    assert time.monotonic() - start > 0.4


def test_a_long_poll_of_a_project_that_is_deleted_ends(server: Server, project_id: str) -> None:
    head = begin(server, project_id)
    answers: list[Answer] = []
    thread = threading.Thread(
        target=lambda: answers.append(server.request("GET", f"api/projects/{project_id}/events?since={head}&wait_s=20"))
    )
    thread.start()
    time.sleep(0.5)
    assert server.request("DELETE", f"api/projects/{project_id}").status == 204
    thread.join(10)
    assert answers[0].status == 404


def test_predict_without_a_model_says_so(server: Server, project_id: str) -> None:
    path = f"api/projects/{project_id}/predict"
    assert server.request("POST", path, {"rows": []}).status == 404
    begin(server, project_id)
    answer = server.request("POST", path, {"rows": [{"a": 1}]})
    assert answer.status == 409
    assert "model" in answer.json["message"]
    for wrong in ({}, {"rows": 5}, {"rows": [1]}, b"x"):
        assert server.request("POST", path, wrong).status == 400


def test_the_calls_are_described(server: Server) -> None:
    document = server.request("GET", "api/projects/openapi.json").json
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": server.base_url}]
    paths = document["paths"]
    one = "/api/projects/{project_id}"
    assert set(paths[one]) == {"parameters", "get", "delete"}
    for rest, method in [
        ("/state", "get"), ("/messages", "post"), ("/confirm", "post"), ("/events", "get"), ("/data", "post"),
        ("/assets", "get"), ("/assets/{asset_id}", "get"), ("/predict", "post"),
    ]:  # fmt: skip
        assert method in paths[one + rest]
    schemas = document["components"]["schemas"]
    assert {"Chat", "Confirm", "Command", "Ack", "ErrorFrame", "Envelope", "PlanProposed", "TrainPlan"} <= set(schemas)
    missing = {ref for ref in _refs(document) if ref.rpartition("/")[2] not in schemas}
    assert not missing


def _refs(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(_refs, value.values()))
    if isinstance(value, list):
        return set().union(*map(_refs, value))
    return set()
