"""Readers that do not read, and clients that flood: what they cost the server, and the others."""

import asyncio
import json
import re
import socket as sockets
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from msgspec import structs

from jupyter_pipeline.server.limits import DEFAULT_AT_ONCE, DEFAULT_RATES

from .conftest import TOKEN, Server
from .raw import Cut, RawSocket
from .test_assets import artifact, write_project

pytestmark = pytest.mark.anyio

LONG = "x" * 19_000
REQUEST = "Predict species in the iris data set"


async def say(socket: RawSocket, texts: list[str], window: int = 20) -> None:
    """Say things, with so many not acked yet at the most."""
    waiting = 0
    for n, text in enumerate(texts):
        socket.send({"type": "chat", "text": text, "id": f"{id(texts)}-{n}"})
        waiting += 1
        while waiting >= window or (n == len(texts) - 1 and waiting):
            frame = json.loads(await socket.frame())
            assert frame["type"] != "error", frame
            waiting -= frame["type"] == "ack"


async def test_a_slow_reader_costs_no_memory_and_ends_complete(server: Server, project_id: str) -> None:
    """Some 20 MB of events pass by a client that reads 1 KB/s and whose kernel holds little."""
    assert server.process is not None
    memory = psutil.Process(server.process.pid).memory_info
    path = f"{server.base_url}ws/projects/{project_id}"
    talker = await RawSocket.open(server.port, path, TOKEN)
    await say(talker, [REQUEST, *[LONG] * 500])
    before = memory().rss

    slow = await RawSocket.open(server.port, f"{path}?since=0", TOKEN, sock=await small(server))
    first = await slow.frame()
    slow.slowly(1024)
    assert lag(server) > 500, "it has the whole log before it"
    await say(talker, [LONG] * 1000)
    assert lag(server) > 1500
    grown = memory().rss - before
    slow.slowly(None)

    head = json.loads(server.request("GET", f"api/projects/{project_id}").body)["seq"]
    assert json.loads(first)["event"]["name"] == "HELLO"
    assert await seqs_to(slow, head) == list(range(1, head + 1))
    assert head > 1500
    assert grown < 10_000_000
    slow.cut()
    talker.cut()
    await pages_that_nobody_reads_cost_little(server, project_id)


async def test_who_asks_and_does_not_read_what_is_answered_is_read_no_further(server: Server, project_id: str) -> None:
    """Each of its messages is answered by as much again, 30 MB in all; once it reads, it has all of them, in order."""
    assert server.process is not None
    memory = psutil.Process(server.process.pid).memory_info
    times, sent = 30_000, 0
    silent = await RawSocket.open(
        server.port, f"{server.base_url}ws/projects/{project_id}", TOKEN, sock=await small(server)
    )
    before = memory().rss

    async def ask() -> None:
        nonlocal sent
        for n in range(times):
            data = json.dumps({"type": "nothing", "id": f"n{n}", "more": "x" * 900}).encode()
            silent._writer.write(struct.pack("!BBH", 0x81, 0xFE, len(data)) + b"\0\0\0\0" + data)
            await silent._writer.drain()
            sent = n

    asking, known = asyncio.create_task(ask()), -1
    while sent > known:
        known = sent
        await asyncio.sleep(1.0)
    assert memory().rss - before < 10_000_000
    assert sent < 0.9 * times
    answered = []
    async with asyncio.timeout(60):
        while len(answered) < times:
            frame = json.loads(await silent.frame())
            if frame["type"] == "error":
                answered.append(frame["id"])
    assert answered == [f"n{n}" for n in range(times)]
    await asking
    silent.cut()


def lag(server: Server) -> float:
    """How many events the slowest reader is behind, as the server's figures say."""
    found = re.search(
        r"^jupyter_pipeline_reader_lag_events (\S+)$", server.request("GET", "metrics").body.decode(), re.MULTILINE
    )
    assert found
    return float(found.group(1))


async def pages_that_nobody_reads_cost_little(server: Server, project_id: str) -> None:
    """Of each page of 8 MB only a piece is held, and so many are open at once; without them all goes on."""
    assert server.process is not None
    path, deadline = f"api/projects/{project_id}/events?limit=10000", time.monotonic() + 90
    memory = psutil.Process(server.process.pid).memory_info
    before = memory().rss
    request = f"GET {server.base_url}{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n\r\n"
    page = server.request("GET", path)
    assert page.json["next"] == page.json["events"][-1]["seq"]
    assert 7 << 20 < len(page.body) < 9 << 20
    most = DEFAULT_AT_ONCE["requests"]
    assert most is not None
    readers: list[sockets.socket] = []
    # What is asked in between has a place for a moment, which a reader that comes then does not get: another one will.
    while (refused := await asyncio.to_thread(server.request, "GET", "api/projects")).status != 429:
        assert time.monotonic() < deadline
        assert len(readers) < 4 * most
        readers.append(await small(server))
        await asyncio.get_running_loop().sock_sendall(readers[-1], request.encode())
    assert "Too many requests at once" in refused.json["message"]
    grown = memory().rss - before
    for reader in readers:
        reader.close()
    while (await asyncio.to_thread(server.request, "GET", "api/projects")).status == 429:
        assert time.monotonic() < deadline
    assert grown < most * (1 << 20)


async def test_what_was_answered_in_one_go_counts_until_it_was_read(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """It is in the server's memory until then, though all that was to be done for it is done. What waited for an event
    meanwhile is answered only where there is a place for its answer."""
    root, most = tmp_path / "root", 4
    large = artifact("large", "artifacts/a.txt")
    await write_project(root, [structs.replace(large, name="x" * (10 << 20))])
    server = start_server(f"--PipelineApp.at_once_limits={{'requests': {most}}}", root=root)
    path = "api/projects/demo/assets"
    assert len(server.request("GET", path).body) > 10 << 20
    request = f"GET {server.base_url}{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n\r\n"
    waiting = asyncio.create_task(
        asyncio.to_thread(server.request, "GET", "api/projects/demo/events?since=1&wait_s=30")
    )
    readers: list[sockets.socket] = []
    while (refused := await asyncio.to_thread(server.request, "GET", "api/projects")).status != 429:
        assert len(readers) < 2 * most
        readers.append(await small(server))
        await asyncio.get_running_loop().sock_sendall(readers[-1], request.encode())
        assert await asyncio.get_running_loop().sock_recv(readers[-1], 1) == b"H"
    assert "Too many requests at once" in refused.json["message"]
    assert not waiting.done()
    chat = {"type": "chat", "text": "What can I ask?"}
    assert (await asyncio.to_thread(server.request, "POST", "api/projects/demo/messages", chat)).status == 200
    assert (await waiting).status == 429
    readers.pop().close()
    deadline = time.monotonic() + 30
    while (await asyncio.to_thread(server.request, "GET", "api/projects")).status == 429:
        assert time.monotonic() < deadline
    for reader in readers:
        reader.close()


async def test_who_has_not_been_sent_a_gate_does_not_confirm_it(server: Server, project_id: str) -> None:
    """A confirm that names no gate means one that its sender can have seen."""

    def stands() -> tuple[str, Any]:
        state = server.request("GET", f"api/projects/{project_id}/state").json
        return state["current_stage"], (state["waiting_confirmation"] or {}).get("gate_id")

    async def other_than(*known: Any) -> Any:
        async with asyncio.timeout(90):
            while stands() in known or stands()[1] is None:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return stands()

    path = f"{server.base_url}ws/projects/{project_id}"
    talker = await RawSocket.open(server.port, path, TOKEN)
    await say(talker, [REQUEST])
    first = await other_than()
    blind = await RawSocket.open(server.port, path, TOKEN, sock=await small(server))
    await blind.frame()
    await say(talker, [LONG] * 60)
    assert lag(server) > 0
    talker.send({"type": "command", "command": "restart_stage", "args": {"stage_id": "PARSE_INTENT"}})
    gate = await other_than(first)
    refused = refusals(server)
    blind.send({"type": "confirm", "id": "blind"})
    async with asyncio.timeout(30):
        while stands() == gate and refusals(server) == refused:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert stands() == gate
    assert "opened only after this confirm was sent" in (await answer_to(blind, "blind"))["message"]
    blind.send({"type": "confirm", "id": "seen"})
    assert (await answer_to(blind, "seen"))["type"] == "ack"
    blind.cut()
    talker.cut()


def refusals(server: Server) -> float:
    """How often a confirm found nothing that waits, as the server's figures say."""
    text = server.request("GET", "metrics").body.decode()
    found = re.search(r'^jupyter_pipeline_refusals_total\{code="NOT_WAITING"\} (\S+)$', text, re.MULTILINE)
    return float(found.group(1)) if found else 0.0


async def test_who_reads_slowly_is_not_taken_for_dead_and_who_is_dead_is(start_server: Callable[..., Server]) -> None:
    """With pings every second: the pong of the one waits behind a megabyte, the other never reads again."""
    rates = dict.fromkeys(DEFAULT_RATES)
    server = start_server(
        f"--PipelineApp.rate_limits={rates}", "--ServerApp.tornado_settings={'websocket_ping_interval': 1}"
    )
    talker = await RawSocket.open(server.port, "/ws/projects/p", TOKEN)
    await say(talker, [REQUEST, *[LONG] * 100])
    head = json.loads(server.request("GET", "api/projects/p").body)["seq"]
    path = "/ws/projects/p?since=0"
    slow, dead = [await RawSocket.open(server.port, path, TOKEN, sock=await small(server)) for _ in range(2)]
    slow.slowly(16_384)
    dead.slowly(0)
    await asyncio.sleep(6.0)
    slow.slowly(None)
    dead.slowly(None)
    assert await seqs_to(slow, head) == list(range(1, head + 1))
    with pytest.raises(Cut):
        await seqs_to(dead, head)
    for socket in (slow, dead, talker):
        socket.cut()


async def small(server: Server) -> sockets.socket:
    """A connected socket whose kernel holds little."""
    made = sockets.socket()
    made.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    made.setblocking(False)
    await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", server.port))
    return made


async def seqs_to(socket: RawSocket, head: int) -> list[int]:
    """The numbers of the events that come, up to one."""
    seqs: list[int] = []
    async with asyncio.timeout(120):
        while not seqs or seqs[-1] < head:
            frame = json.loads(await socket.frame())
            if frame["type"] == "EVENT" and "ephemeral" not in frame:
                seqs.append(frame["seq"])
    return seqs


@pytest.fixture(scope="module")
def limited(start_server: Callable[..., Server]) -> Server:
    """With the limits that a server has by default."""
    assert DEFAULT_RATES["chat"] is not None
    return start_server()


async def test_while_one_floods_another_cancels(limited: Server, project_id: str) -> None:
    path = f"/ws/projects/{project_id}"
    flooder, other = [await RawSocket.open(limited.port, path, TOKEN) for _ in range(2)]
    other.send({"type": "chat", "text": REQUEST, "id": "request"})
    await answer_to(other, "request")
    for n in range(1000):
        flooder.send({"type": "chat", "text": "Use random forest instead", "id": f"f{n}"})
    other.send({"type": "command", "command": "cancel_run", "id": "cancel"})
    answer = await answer_to(other, "cancel")
    assert answer["type"] == "ack", answer
    codes: list[str] = []
    with pytest.raises(Cut) as caught:
        await errors_to_the_end(flooder, codes)
    assert set(codes) == {"RATE_LIMITED"}
    assert len(codes) >= 100, "it was told often enough before it was closed"
    assert caught.value.code == 1008
    flooder.cut()
    other.send({"type": "ping", "ts": 1, "id": "alive"})
    assert (await answer_to(other, "alive"))["type"] == "ack"
    other.cut()


async def test_a_chat_of_20_000_characters_does_not_hold_the_others_up(server: Server, project_id: str) -> None:
    """Read in a thread, and answered in the order in which they came."""
    socket = await RawSocket.open(server.port, f"{server.base_url}ws/projects/{project_id}", TOKEN)
    socket.send({"type": "chat", "text": REQUEST, "id": "request"})
    await answer_to(socket, "request")
    texts = [("What can I ask? " * 1200)[:20_000], "And what is a gate?", "Use random forest " * 1000, "Thank you"]
    for n, text in enumerate(texts):
        socket.send({"type": "chat", "text": text, "id": f"long-{n}"})
    await answer_to(socket, "long-3")
    events = server.request("GET", f"api/projects/{project_id}/events").json["events"]
    lines = [e["event"]["payload"] for e in events if e["event"]["payload"].get("run_id") == "chat"]
    # The request itself is answered when it has been read, in a process of its own.
    lines = [line for line in lines if not line["text"].startswith("Understood")]
    at = next(n for n, line in enumerate(lines) if line["text"] == texts[0])
    assert [line["source"] for line in lines[at : at + 8]] == ["user", "assistant"] * 4
    assert [line["text"] for line in lines[at : at + 8 : 2]] == texts
    socket.cut()


async def errors_to_the_end(socket: RawSocket, codes: list[str]) -> None:
    while True:
        frame = json.loads(await asyncio.wait_for(socket.frame(), 60))
        if frame["type"] == "error":
            codes.append(frame["code"])
            assert frame["retry_after_ms"] > 0


async def answer_to(socket: RawSocket, message_id: str) -> dict[str, Any]:
    async with asyncio.timeout(90):
        while True:
            frame: dict[str, Any] = json.loads(await socket.frame())
            if frame.get("id") == message_id:
                return frame
