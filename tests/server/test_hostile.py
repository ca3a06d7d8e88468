"""A client that is let in and means harm: what it sends costs others little, and is told what is wrong with it."""

import asyncio
import http.client
import json
import socket
import struct
import time
import zlib
from collections.abc import Callable
from http.cookies import SimpleCookie

import psutil
import pytest

from jupyter_pipeline.server.rest import PREDICT_MOST

from .conftest import TOKEN, Server
from .raw import Cut, RawSocket
from .test_slow import small

pytestmark = pytest.mark.anyio

PING, PONG, FRAGMENT = b"\x89\x80\0\0\0\0", b"\x8a\x80\0\0\0\0", b"\x00\x80\0\0\0\0"


def raw_request(server: Server, lines: bytes, let_in: str = f"Authorization: token {TOKEN}") -> tuple[int, bytes]:
    """A request as it is written here; the status and everything that comes."""
    head = f"{let_in}\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(lines.replace(b"BASE", server.base_url.rstrip("/").encode()) + b"\r\n" + head)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return int(answer.split(b" ", 2)[1]), answer


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET BASE/api/projects/p/events?since=%ff HTTP/1.1", 400),
        (b"GET BASE/api/projects/p/events?epoch=%ed%a0%80 HTTP/1.1", 400),
        (b"GET BASE/api/projects/p/events?since=%d9%a3 HTTP/1.1", 400),
        (b"GET BASE/api/projects/p/events?wait_s=1e309 HTTP/1.1", 400),
        (b"GET BASE/api/projects/p/events?wait_s=-nan HTTP/1.1", 400),
        (b"GET BASE/api/projects/%00 HTTP/1.1", 404),
        (b"GET BASE/api/projects/p%0d%0aX-Injected:1/state HTTP/1.1", 404),
        (b"GET BASE/api/projects/..%2f..%2fpipelines HTTP/1.1", 404),
        (b"GET BASE/api/projects/p/../../../../etc/passwd HTTP/1.1", 404),
        (b"GET BASE/api/projects/" + b"a" * 50_000 + b" HTTP/1.1", 404),
        (b"POST BASE/api/projects/p/messages HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6", 400),
        (b"POST BASE/api/projects/p/data?name=x.csv HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6", 400),
        (b"POST BASE/api/projects/p/messages HTTP/1.1\r\nContent-Length: 1_0", 400),
        (b"POST BASE/api/projects/p/messages HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", 400),
        (b"TRACE BASE/api/projects HTTP/1.1", 405),
    ],
    ids=lambda value: str(value)[2:60],
)
def test_requests_that_are_none(server: Server, line: bytes, status: int) -> None:
    found, answer = raw_request(server, line)
    assert found == status
    assert b"\r\nX-Injected" not in answer
    assert b"root:" not in answer


@pytest.mark.parametrize("call", ["messages", "confirm", "data", "events", "assets/x", "predict"])
def test_a_method_that_nobody_knows_is_refused_in_a_sentence(server: Server, call: str) -> None:
    status, answer = raw_request(server, f"PROPFIND BASE/api/projects/p/{call} HTTP/1.1".encode())
    assert status == 405
    assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["message"] == "Failed to process message: Method Not Allowed."
    assert "Uncaught" not in server.log


@pytest.mark.parametrize("call", ["messages", "data", "events", "assets/x", "predict"])
@pytest.mark.parametrize("method", [b"OPTIONS", b"GET", b"POST"])
def test_a_page_of_another_origin_is_not_let_in_with_credentials(server: Server, call: str, method: bytes) -> None:
    """With the person's cookie, as a browser would send it; the token such a page cannot know."""
    given = [SimpleCookie(line) for line in server.request("GET", "api/projects").headers.get_all("Set-Cookie", [])]
    cookie = "Cookie: " + "; ".join(f"{name}={m[name].coded_value}" for m in given for name in m)
    line = method + f" BASE/api/projects/p/{call} HTTP/1.1\r\n".encode()
    assert raw_request(server, b"GET BASE/api/projects HTTP/1.1", cookie)[0] == 200
    origin = b"Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\nContent-Length: 0"
    status, answer = raw_request(server, line + origin, cookie)
    assert status in ((200, 204) if method == b"OPTIONS" else (403, 404))
    head = answer.split(b"\r\n\r\n")[0].lower()
    assert b"evil.example" not in head
    assert b"access-control-allow-origin: *" not in head
    assert b"access-control-allow-credentials: true" not in head


def test_arguments_that_are_nested_too_deeply(server: Server, project_id: str) -> None:
    for depth in (90, 101, 400, 900, 5000):
        deep = "[" * depth + "]" * depth
        for args in (
            f'"command": "restart_stage", "args": {{"stage_id": "PARSE_INTENT", "params": {{"prompt": {deep}}}}}',
            f'"command": "update_plan", "args": {{"stage_id": "PARSE_INTENT", "patch": [{{"value": {deep}}}]}}',
        ):
            body = f'{{"type": "command", {args}}}'.encode()
            refused = server.request("POST", f"api/projects/{project_id}/messages", body)
            assert refused.status in (400, 409), (depth, refused.body)
            if depth < 1000:  # of deeper ones some versions of Python read no JSON
                assert ("nested more than 100 deep" in refused.json["message"]) is (depth > 100)


async def test_a_message_of_countless_things_is_refused_before_they_are_made(server: Server, project_id: str) -> None:
    """Of 1 MiB of empty lists, which took half a second of everybody's time, only the brackets are counted."""
    things = "[" + "[]," * 300_000 + "[]]"
    message = f'{{"id": "m", "type": "command", "command": "restart_stage", "args": {{"params": {things}}}}}'
    for call in ("messages", "confirm"):
        refused = server.request("POST", f"api/projects/{project_id}/{call}", message.encode())
        assert (refused.status, refused.json["code"]) == (413, "TOO_LARGE")
    async with server.connect(project_id) as socket:
        await socket.greeting()
        await socket.send(message)
        error = await socket.type("error")
        assert (error["code"], error["id"]) == ("TOO_LARGE", "m")
        assert len(error["original_message"]) <= 1024
        await socket.send({"type": "ping"})
        await socket.type("pong")


@pytest.mark.parametrize("frame", [PING, PONG, FRAGMENT, b"\x89\xfd\0\0\0\0" + b"x" * 125])
async def test_frames_that_are_no_messages_are_bounded(server: Server, project_id: str, frame: bytes) -> None:
    """The flooder, who reads no pong, is cut off; others are answered meanwhile, and nothing is kept for it."""
    assert server.process is not None
    memory = psutil.Process(server.process.pid).memory_info
    path = f"{server.base_url}ws/projects/{project_id}"
    other = await RawSocket.open(server.port, path, TOKEN)
    flooder = await RawSocket.open(server.port, path, TOKEN, sock=await small(server))
    before = memory().rss
    if frame is FRAGMENT:
        flooder._writer.write(b"\x01\x80\0\0\0\0")

    async def flood() -> None:
        for _ in range(100):
            flooder._writer.write(frame * 100)
            await flooder._writer.drain()
            other.send({"type": "ping", "ts": 1})
            while json.loads(await other.frame())["type"] != "pong":
                pass
        while True:
            await flooder.frame()

    with pytest.raises((ConnectionError, Cut)) as caught:
        await asyncio.wait_for(flood(), 60)
    assert not isinstance(caught.value, Cut) or caught.value.code in (1008, None)
    assert memory().rss - before < 10_000_000
    flooder.cut()
    other.cut()


async def test_who_pings_and_fragments_as_clients_do_is_left_alone(server: Server, project_id: str) -> None:
    socket = await RawSocket.open(server.port, f"{server.base_url}ws/projects/{project_id}", TOKEN)
    text = json.dumps({"type": "chat", "text": "hello " * 100, "id": "pieces"}).encode()
    socket._writer.write(b"\x01\x80\0\0\0\0" + PING * 10)
    for at in range(0, len(text), 5):
        piece = text[at : at + 5]
        socket._writer.write(struct.pack("!BB", 0x00, 0x80 | len(piece)) + b"\0\0\0\0" + piece + PONG)
    socket._writer.write(b"\x80\x80\0\0\0\0")
    async with asyncio.timeout(60):
        while (answer := json.loads(await socket.frame())).get("id") != "pieces":
            pass
    assert answer["type"] == "ack"
    socket.cut()


async def test_a_message_that_unpacks_to_more_than_a_message_may_have(start_server: Callable[..., Server]) -> None:
    """100 MB in 100 KB, where messages may be packed."""
    server = start_server("--PipelineApp.compression=True")
    packed = f"{TOKEN}\r\nSec-WebSocket-Extensions: permessage-deflate"
    client = await RawSocket.open(server.port, "/ws/projects/p", packed)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packer.compress(b'{"type": "chat", "text": "' + b"x" * 100_000_000) + packer.flush(zlib.Z_SYNC_FLUSH)
    assert server.process is not None
    memory = psutil.Process(server.process.pid).memory_info
    before = memory().rss
    client._writer.write(struct.pack("!BBQ", 0xC1, 0xFF, len(data) - 4) + b"\0\0\0\0" + data[:-4])

    async def rest() -> None:
        while True:
            await client.frame()

    with pytest.raises(Cut):
        await asyncio.wait_for(rest(), 60)
    client.cut()
    assert memory().rss - before < 20_000_000
    assert server.request("GET", "api/projects").status == 200


def test_rows_to_predict_are_not_taken_apart_in_the_server(server: Server, project_id: str) -> None:
    assert server.process is not None
    memory = psutil.Process(server.process.pid).memory_info
    chat = {"type": "chat", "text": "Predict species in iris"}
    assert server.request("POST", f"api/projects/{project_id}/messages", chat).status == 200
    path = f"api/projects/{project_id}/predict"
    before = memory().rss
    many = server.request("POST", path, b'{"rows":[' + b",".join([b"{}"] * 3_000_000) + b"]}")
    assert (many.status, many.json["code"]) == (413, "TOO_LARGE")
    assert f"at most {PREDICT_MOST:,}" in many.json["message"]
    assert memory().rss - before < 60_000_000
    # Brackets in a text make no rows: it is refused for what it is, no project to predict with.
    text = b'{"rows":[{"note":"' + rb"\"[{" * PREDICT_MOST + b'"}]}'
    assert server.request("POST", path, text).json["code"] == "NOT_WAITING"
    for body in (b'{"rows": 3}', b'{"rows": {}}', b'{"rows": "x"}', b'{"rows": [1,2}', b'{"rows"', b"{}", b"[]"):
        assert server.request("POST", path, body).status == 400, body


def test_bodies_that_do_not_come_hold_nobody_up(server: Server, project_id: str) -> None:
    path = f"{server.base_url}api/projects/{project_id}/messages"
    waiting = []
    for _ in range(200):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.putrequest("POST", path)
        connection.putheader("Authorization", f"token {TOKEN}")
        connection.putheader("Content-Length", "1000")
        connection.endheaders(b"{")
        waiting.append(connection)
    start = time.monotonic()
    assert server.request("GET", "api/projects").status == 200
    assert time.monotonic() - start < 20
    for connection in waiting:
        connection.close()


def test_who_asks_what_a_page_may_send_is_answered_and_a_body_with_that_is_not_kept(server: Server) -> None:
    """A browser asks as nobody, before it sends a page's token; a stranger could put anything there."""
    assert server.process is not None
    memory = psutil.Process(server.process.pid).memory_info
    for call in ("messages", "confirm", "predict", "data?name=x.csv", "assets/x"):
        answer = server.request("OPTIONS", f"api/projects/p/{call}", b"{}", token=None)
        assert answer.status in (200, 204), call
        assert "authorization" in answer.headers["Access-Control-Allow-Headers"]
    head = f"OPTIONS {server.base_url}api/projects/p/predict HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    before, size, waiting = memory().rss, 7_900_000, []
    for _ in range(15):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        connection.sendall(f"{head}Content-Length: {size}\r\n\r\n".encode() + b" " * (size - 1))
        waiting.append(connection)
    assert server.request("GET", "api/projects").status == 200
    assert memory().rss - before < 30_000_000
    for connection in waiting:
        connection.sendall(b" ")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.close()
