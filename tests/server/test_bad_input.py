"""Whatever a client sends, it gets a clear error, and the connection and the server go on."""

import contextlib
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import psutil
import pytest
import websockets

from .conftest import Server

pytestmark = pytest.mark.anyio

BAD: list[tuple[Any, str]] = [
    ("", "INVALID_JSON"),
    ("not json", "INVALID_JSON"),
    ('{"type": "chat", "text": "a"', "INVALID_JSON"),
    ('{"type": "chat", "text": NaN}', "INVALID_JSON"),
    ('{"type": "ping", "ts": 1e400}', "INVALID_JSON"),
    ('{"type": "chat", "text": "\\ud800"}', "INVALID_JSON"),
    ("[" * 40_000, "INVALID_JSON"),
    ("[" * 100_000, "TOO_LARGE"),
    ('{"type": "chat", "text": ' + "[" * 5_000 + "]" * 5_000 + "}", "INVALID_JSON INVALID_MESSAGE"),
    (b'{"type": "confirm"}', "INVALID_MESSAGE"),
    ("null", "INVALID_MESSAGE"),
    ("[]", "INVALID_MESSAGE"),
    ('"chat"', "INVALID_MESSAGE"),
    ("{}", "UNKNOWN_TYPE"),
    ({"type": None}, "UNKNOWN_TYPE"),
    ({"type": 7}, "UNKNOWN_TYPE"),
    ({"type": "Chat", "text": "x"}, "UNKNOWN_TYPE"),
    ({"type": "x" * 5000}, "UNKNOWN_TYPE"),
    ({"type": "chat"}, "INVALID_MESSAGE"),
    ({"type": "chat", "text": 7}, "INVALID_MESSAGE"),
    ({"type": "chat", "text": ""}, "INVALID_MESSAGE"),
    ({"type": "chat", "text": "x" * 20_001}, "INVALID_MESSAGE"),
    ({"type": "chat", "text": "x", "id": ""}, "INVALID_MESSAGE"),
    ({"type": "chat", "text": "x", "id": "x" * 65}, "INVALID_MESSAGE"),
    ({"type": "chat", "text": "x", "id": 5}, "INVALID_MESSAGE"),
    ({"type": "confirm", "stage_id": "NO_STAGE"}, "INVALID_STAGE"),
    ({"type": "confirm", "gate_id": 3}, "INVALID_MESSAGE"),
    ({"type": "confirm"}, "NOT_WAITING"),
    ({"type": "command"}, "INVALID_MESSAGE"),
    ({"type": "command", "command": "no_such"}, "UNKNOWN_COMMAND"),
    ({"type": "command", "command": "restart_stage"}, "INVALID_ARGS"),
    ({"type": "command", "command": "restart_stage", "args": {"stage_id": "X"}}, "INVALID_STAGE"),
    ({"type": "command", "command": "restart_stage", "args": []}, "INVALID_MESSAGE"),
    ({"type": "command", "command": "cancel_run", "args": {"mode": "softly"}}, "INVALID_ARGS"),
    ({"type": "command", "command": "cancel_run", "args": {}}, "NO_ACTIVE_RUN"),
    ({"type": "ping", "ts": "now"}, "INVALID_MESSAGE"),
    ({"type": "resume"}, "INVALID_MESSAGE"),
    ({"type": "resume", "since": -1}, "INVALID_MESSAGE"),
    ({"type": "resume", "since": "0"}, "INVALID_MESSAGE"),
    ({"type": "subscribe", "names": "LOG_LINE"}, "INVALID_MESSAGE"),
]


@pytest.mark.parametrize(("message", "code"), BAD, ids=lambda value: str(value)[:30])
async def test_bad_frames(server: Server, project_id: str, message: Any, code: str) -> None:
    async with server.connect(project_id) as socket:
        await socket.greeting()
        await socket.send(message)
        error = await socket.next()
        assert error["type"] == "error"
        assert error["code"] in code.split(), error
        assert error["message"].startswith("Failed to process message: ")
        assert len(error["message"]) < 1000
        assert len(json.dumps(error["original_message"])) < 2500
        if isinstance(message, dict) and len(str(message)) < 1000:
            assert error["original_message"] == message
        await socket.send({"type": "ping", "ts": 5})
        pong = await socket.type("pong")
        assert pong["ts"] == 5
        assert pong["seq"] == 0, "a refused message changes nothing"


@pytest.mark.parametrize("compression", [False, True])
async def test_a_text_frame_that_is_not_utf_8(start_server: Callable[..., Server], compression: bool) -> None:
    """Also in pieces, also compressed; and a character that two pieces share is one."""
    server = start_server(f"--PipelineApp.compression={compression}")
    async with server.connect("not-utf-8") as other, server.connect("not-utf-8") as socket:
        await other.greeting()
        await socket.greeting()
        latin = '{"type": "chat", "text": "Säule", "id": "latin"}'.encode("latin-1")
        for sent in (
            latin,
            b"\xff\xfe",
            [latin[:30], latin[30:]],
            [b"\xc3", b""],
            b'{"type": "chat", "text": "\xed\xa0\x80"}',
        ):
            await socket.raw.send(sent, text=True)
            error = await socket.next()
            assert (error["type"], error["code"]) == ("error", "INVALID_MESSAGE")
            assert "in UTF-8" in error["message"]
        whole = '{"type": "chat", "text": "Säule", "id": "whole"}'.encode()
        cut = whole.index(b"\xa4")
        await socket.raw.send([whole[:cut], whole[cut:]], text=True)
        assert (await socket.event("LOG_LINE"))["event"]["payload"]["text"] == "Säule"
        assert (await socket.type("ack"))["id"] == "whole"
        assert (await other.event("LOG_LINE"))["seq"] == 1, "what was refused is in no log"


async def test_a_refusal_carries_the_id_and_how_things_stand(server: Server, project_id: str) -> None:
    async with server.connect(project_id) as socket:
        await socket.greeting()
        await socket.send({"type": "confirm", "id": "c"})
        error, status = await socket.next(), await socket.next()
        assert (error["id"], error["retryable"], error["retry_after_ms"]) == ("c", False, None)
        assert status["event"]["name"] == "STAGE_STATUS"
        assert status["ephemeral"] is True
        await socket.send({"type": "command", "command": "no_such", "id": "d"})
        assert (await socket.type("error"))["id"] == "d"
        assert (await socket.next())["event"]["name"] == "STAGE_STATUS"


async def test_unknown_fields_are_ignored(server: Server, project_id: str) -> None:
    async with server.connect(project_id) as socket:
        await socket.greeting()
        await socket.send({"type": "ping", "ts": 1, "more": {"a": [1]}, "id": "p"})
        assert (await socket.type("ack"))["status"] == "accepted"


async def test_a_frame_of_20_mb_closes_with_1009_and_the_server_lives(server: Server, project_id: str) -> None:
    assert server.process is not None
    memory = psutil.Process(server.process.pid)
    before = memory.memory_info().rss
    async with server.connect(project_id) as other:
        await other.greeting()
        async with server.connect(project_id) as socket:
            await socket.greeting()
            with contextlib.suppress(websockets.ConnectionClosed):
                await socket.send({"type": "chat", "text": "x" * 20_000_000})
            with pytest.raises(websockets.ConnectionClosedError) as caught:
                await socket.type("never")
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1009
        await other.send({"type": "ping", "ts": 1})
        assert (await other.type("pong"))["seq"] == 0
    assert memory.memory_info().rss - before < 15_000_000


async def test_a_message_just_below_the_limit_is_read(server: Server, project_id: str) -> None:
    async with server.connect(project_id) as socket:
        await socket.greeting()
        await socket.send({"type": "ping", "ts": 1, "padding": "x" * 1_000_000})
        assert (await socket.next())["type"] == "pong"


def test_a_password_in_an_address_is_kept_nowhere(server: Server, project_id: str) -> None:
    """Neither in the log nor in what a stage makes, says or fails with, nor in the server's own log."""
    secret = f"secret{uuid.uuid4().hex}"
    address = f"http://ada:{secret}@127.0.0.1:9/rows.csv"
    post, deadline = f"api/projects/{project_id}/messages", time.monotonic() + 90

    def until(status: str) -> dict[str, Any]:
        while (one := server.request("GET", f"api/projects/{project_id}").json)["status"] != status:
            assert time.monotonic() < deadline, one
            time.sleep(0.1)
        state: dict[str, Any] = server.request("GET", f"api/projects/{project_id}/state").json
        return state

    assert server.request("POST", post, {"type": "chat", "text": f"Predict y in {address}"}).status == 200
    until("WAITING_CONFIRMATION")
    assert server.request("POST", f"api/projects/{project_id}/confirm", {}).status == 200
    message = until("FAILED")["stages"][1]["message"]
    assert "http://***@127.0.0.1:9/rows.csv has a name or a password in it" in message
    again = {"stage_id": "DATA_SOURCE", "params": {"dataset_id": f"url:{address}"}}
    for name, args in (("restart_stage", again), ("select_dataset", {"dataset_id": f"url:{address}"})):
        server.request("POST", post, {"type": "command", "command": name, "args": args})
    until("FAILED")
    assert server.request("POST", post, {"type": "chat", "text": f"use {address}"}).status == 200
    until("FAILED")
    pipelines = server.root / "pipelines"
    for folder in (pipelines / project_id, pipelines / ".log"):
        for place in folder.rglob("*"):
            assert secret not in place.name
            assert not place.is_file() or secret.encode() not in place.read_bytes(), place
    assert secret not in server.log
