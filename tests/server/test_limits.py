"""Rate limits: the buckets by themselves, and against a server."""

import asyncio
import contextlib
import http.client
import json
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie

import pytest
import websockets

from jupyter_pipeline import Pipeline
from jupyter_pipeline.client.errors import PipelineError, PipelineTimeout
from jupyter_pipeline.protocol.errors import ErrorCode, Refusal
from jupyter_pipeline.protocol.messages import Chat, Command, Confirm, Ping, Resume, Subscribe
from jupyter_pipeline.server import limits
from jupyter_pipeline.server.access import place_of
from jupyter_pipeline.server.limits import DEFAULT_RATES, Bucket, Crowd, RateLimiter, lane_of

from .conftest import TOKEN, Answer, Server
from .raw import Cut, RawSocket

pytestmark = pytest.mark.anyio
READ = 300.0
"""Requests a minute; fifty may come at once."""
BYTES, BODY_S = 2_000_000, 3.0
"""Bytes of messages and bodies that one user may have on the way, and seconds until they are whole."""
#: A call of every handler that reads.
READING = (
    "api/projects",
    "api/projects/openapi.json",
    "api/projects/view.js",
    "api/projects/p",
    "api/projects/p/state",
    "api/projects/p/events",
    "api/projects/p/events?wait_s=20",
    "api/projects/p/assets",
    "api/projects/p/assets/x",
    "api/projects/no/such/address",
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_gives_its_burst_then_its_rate() -> None:
    clock = Clock()
    bucket = Bucket(2.0, 3.0, clock)
    assert [bucket.take() for _ in range(3)] == [0.0, 0.0, 0.0]
    assert bucket.take() == 0.5
    clock.now = 0.5
    assert bucket.take() == 0.0
    assert bucket.take() == 0.5
    clock.now = 100.0
    assert bucket.full
    assert [bucket.take() for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


def test_users_and_lanes_do_not_take_from_each_other() -> None:
    clock = Clock()
    limiter = RateLimiter({"chat": 60.0, "confirm": None}, burst_s=1.0, clock=clock)
    for _ in range(5):
        limiter.check("ada", "chat")
    with pytest.raises(Refusal) as caught:
        limiter.check("ada", "chat")
    assert caught.value.code is ErrorCode.RATE_LIMITED
    assert caught.value.retryable
    assert caught.value.retry_after_ms == 1000
    limiter.check("ada", "cancel")
    limiter.check("ben", "chat")
    for _ in range(1000):
        limiter.check("ada", "confirm")
    clock.now += caught.value.retry_after_ms / 1000
    limiter.check("ada", "chat")


def test_however_many_users_come_nobody_begins_anew_and_who_is_quiet_is_forgotten() -> None:
    clock = Clock()
    limiter = RateLimiter({"chat": 60.0}, burst_s=1.0, clock=clock)
    for user in ("ada", *(f"user {n}" for n in range(limits._MAX_BUCKETS)), *["ada"] * 4):
        limiter.check(user, "chat")
    with pytest.raises(Refusal):
        limiter.check("ada", "chat")
    clock.now += 60.0
    limiter.check("one more", "chat")
    assert len(limiter._buckets) == 1


def test_what_is_open_at_once_counts_until_it_has_ended_and_no_longer() -> None:
    crowd = Crowd({"bytes": 100, "sockets": None})
    for _ in range(1000):
        crowd.enter("ada", "sockets")
    large = crowd.enter("ada", "bytes", 200)  # more than the limit, but alone
    with pytest.raises(Refusal) as caught:
        crowd.enter("ada", "bytes", 1)
    assert (caught.value.code, caught.value.retryable) == (ErrorCode.RATE_LIMITED, True)
    crowd.enter("ben", "bytes", 1)
    large()
    small = [crowd.enter("ada", "bytes", 50) for _ in range(2)]
    small[0]()
    small[0]()  # twice is once
    crowd.enter("ada", "bytes", 50)()
    with pytest.raises(Refusal):
        crowd.enter("ada", "bytes", 51)
    small[1]()
    assert set(crowd._open) == {("ada", "sockets"), ("ben", "bytes")}, "who has nothing open is forgotten"


def test_cancelling_confirming_and_pinging_have_lanes_of_their_own() -> None:
    messages = [
        Chat(text="x"),
        Confirm(),
        Command(command="cancel_run"),
        Command(command="restart_stage"),
        Ping(),
        Resume(since=0),
        Subscribe(),
    ]
    lanes = [lane_of(message) for message in messages]
    assert lanes == ["chat", "confirm", "cancel", "command", "ping", "control", "control"]
    assert set(lanes) <= set(DEFAULT_RATES)


@pytest.fixture(scope="module")
def strict(start_server: Callable[..., Server]) -> Server:
    rates = {"chat": 30.0, "predict": 30.0, "upload": 30.0, "read": READ, "connect": READ}
    at_once = {"sockets": 4, "bytes": BYTES}
    return start_server(
        f"--PipelineApp.rate_limits={rates}",
        f"--PipelineApp.at_once_limits={at_once}",
        f"--PipelineApp.body_s={BODY_S}",
        "--PipelineApp.flood_limit=10",
    )


async def test_over_the_limit_is_refused_softly_and_cancel_still_goes_through(strict: Server, project_id: str) -> None:
    async with strict.connect(project_id) as socket:
        await socket.greeting()
        for _ in range(12):  # where five may come at once, and one every two seconds
            await socket.send({"type": "chat", "text": "hello"})
        error = await socket.type("error")
        assert error["code"] == "RATE_LIMITED"
        assert error["retryable"] is True
        assert 0 < error["retry_after_ms"] <= 2000
        assert error["original_message"] == {"type": "chat", "text": "hello"}
        await socket.send({"type": "command", "command": "cancel_run", "id": "c"})
        answer = await socket.until(lambda f: f.get("id") == "c")
        assert answer.get("code") != "RATE_LIMITED"
        await asyncio.sleep(error["retry_after_ms"] / 1000)
        await socket.send({"type": "chat", "text": "now", "id": "later"})
        assert (await socket.until(lambda f: f.get("id") == "later"))["type"] == "ack"


def test_a_client_of_ours_waits_as_it_is_told_and_all_that_it_sent_takes_effect_once(
    strict: Server, project_id: str
) -> None:
    with Pipeline(project_id, url=f"http://127.0.0.1:{strict.port}/", token=TOKEN) as p:
        for n in range(8):  # where five may come at once
            p.transport.send({"type": "chat", "text": f"What can I ask, {n}?"})
        with pytest.raises(PipelineTimeout):  # what nobody waits for any more is not sent again
            p.transport.send({"type": "chat", "text": "Too late"}, 0.5)
        time.sleep(2.5)  # so long that it would have been taken now
        p.transport.send({"type": "chat", "text": "What can I ask, 8?"})
        said = [e["event"]["payload"] for e in p.events(names="LOG_LINE")]
    assert [line["text"] for line in said if line["source"] == "user"] == [f"What can I ask, {n}?" for n in range(9)]


def test_a_client_of_ours_that_is_cut_for_flooding_says_so(strict: Server, project_id: str) -> None:
    """It does not send the same again when it is back, which would be a flood again."""
    chat = {"type": "chat", "text": "What can I ask?"}
    with (
        Pipeline(project_id, url=f"http://127.0.0.1:{strict.port}/", token=TOKEN) as p,
        ThreadPoolExecutor(80) as threads,
    ):
        sent = [threads.submit(p.transport.send, chat, 60.0) for _ in range(80)]
        errors = [str(one.exception()) for one in sent if one.exception() is not None]
        with pytest.raises(PipelineError, match=r"The message has 1,\d+,\d+ bytes; at most 1,048,576 can be sent"):
            p.transport.send({"type": "chat", "text": "x" * (1 << 20)})
    assert len(errors) > 40
    assert set(errors) == {"The server closed the connection: too many messages were sent."}


def test_predictions_of_a_client_of_ours_wait_where_there_were_too_many(strict: Server, project_id: str) -> None:
    with Pipeline(project_id, url=f"http://127.0.0.1:{strict.port}/", token=TOKEN) as p:
        path, statuses = f"api/projects/{project_id}/predict", list[int]()
        while 429 not in statuses:
            assert len(statuses) < 200
            statuses.append(strict.request("POST", path, {"rows": [{"a": 1}]}).status)
        with pytest.raises(PipelineError, match="There is no trained model yet"):
            p.transport.predict([{"a": 1}])


async def test_another_connection_of_the_same_token_has_no_limit_of_its_own(strict: Server, project_id: str) -> None:
    codes: list[str | None] = []
    while "RATE_LIMITED" not in codes:
        assert len(codes) < 40
        async with strict.connect(project_id) as socket:
            await socket.greeting()
            await socket.send({"type": "chat", "text": "hello", "id": "x"})
            codes.append((await socket.until(lambda f: f.get("id") == "x")).get("code"))


async def test_who_goes_on_flooding_is_closed_with_1008(strict: Server, project_id: str) -> None:
    async with strict.connect(project_id) as socket:
        await socket.greeting()
        with contextlib.suppress(websockets.ConnectionClosed):
            for _ in range(200):
                await socket.send({"type": "chat", "text": "hello"})
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await socket.type("never")
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1008
    async with strict.connect(project_id) as socket:
        await socket.greeting()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "api/projects/none", None),
        ("POST", "api/projects/p/messages", b"{"),
        ("POST", "api/projects/p/messages", b'{"type": "subscribe"}'),
        ("POST", "api/projects/no/such/address", b"{}"),
        ("POST", "api/projects/p/predict", b"{}"),
    ],
)
def test_what_comes_to_nothing_counts_too(strict: Server, method: str, path: str, body: bytes | None) -> None:
    statuses = Counter(strict.request(method, path, body).status for _ in range(200))
    assert statuses[429] > 0, statuses


async def test_who_goes_on_sending_what_cannot_be_read_is_closed_with_1008(strict: Server, project_id: str) -> None:
    async with strict.connect(project_id) as socket:
        await socket.greeting()
        with contextlib.suppress(websockets.ConnectionClosed):
            for _ in range(200):
                await socket.send("{")
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await socket.type("never")
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1008
    assert f"{project_id} failed" not in strict.log, "what it still sends is no error of ours"


def test_http_says_when_to_try_again(strict: Server, project_id: str) -> None:
    answers = [strict.request("POST", f"api/projects/{project_id}/data?name=f{n}.csv", b"a\n1\n") for n in range(8)]
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert refused[0].json["code"] == "RATE_LIMITED"
    assert int(refused[0].headers["Retry-After"]) >= 1


def drain(server: Server, path: str) -> Answer:
    """Ask until it is too much; the refusal."""
    for _ in range(2000):
        answer = server.request("GET", path)
        if answer.status == 429:
            return answer
    raise AssertionError(f"{path} was answered 2,000 times")


def refused_once(ask: Callable[[], Answer], server: Server) -> Answer:
    """The refusal of a request right after too many; one that came too late for that is sent again."""
    for _ in range(50):
        drain(server, "api/projects")
        if (answer := ask()).status == 429:
            return answer
    raise AssertionError("it was never refused")


def test_who_reads_too_much_is_told_so_at_every_address_and_can_still_write(strict: Server) -> None:
    refused = drain(strict, "api/projects")
    assert refused.json["type"] == "error"
    assert refused.json["message"].startswith("Failed to process message: Too many requests; at most 300 a minute")
    for path in READING:
        for method in ("GET", "HEAD"):
            if method == "HEAD" and strict.request(method, path).status == 405:
                continue
            answer = refused_once(lambda m=method, p=path: strict.request(m, p), strict)  # type: ignore[misc]
            assert int(answer.headers["Retry-After"]) >= 1
            assert method == "HEAD" or answer.json["code"] == "RATE_LIMITED"
    drain(strict, "api/projects")
    ping = strict.request("POST", "api/projects/p/messages", {"type": "ping", "ts": 1})
    assert (ping.status, ping.json["type"]) == (200, "pong")
    cancel = strict.request("POST", "api/projects/p/messages", {"type": "command", "command": "cancel_run"})
    assert cancel.json["code"] == "NO_ACTIVE_RUN"
    deadline = time.monotonic() + 30
    while (answer := strict.request("GET", "api/projects")).status == 429:
        assert time.monotonic() < deadline
        time.sleep(answer.json["retry_after_ms"] / 1000)
    assert answer.status == 200


def test_many_at_once_get_no_more_than_the_rate(strict: Server) -> None:
    drain(strict, "api/projects")
    start = time.monotonic()
    with ThreadPoolExecutor(16) as threads:
        statuses = Counter(threads.map(lambda _: strict.request("GET", "api/projects").status, range(400)))
    assert set(statuses) <= {200, 429}
    assert statuses[200] <= (time.monotonic() - start) * READ / 60 + 2
    assert statuses[429] > 200


def test_another_address_or_another_login_has_no_limit_of_its_own(strict: Server) -> None:
    """Whoever has the token can come from any address of the machine, and log in again and again."""
    cookies = []
    for _ in range(3):
        answer = strict.request("POST", "api/projects/p/messages", {"type": "ping", "ts": 1})
        morsels = [SimpleCookie(line) for line in answer.headers.get_all("Set-Cookie", [])]
        cookies.append("; ".join(f"{name}={m[name].value}" for m in morsels for name in m))
    assert len({*cookies}) == 3
    for cookie in cookies:
        sent = {"Cookie": cookie}
        refused_once(lambda h=sent: strict.request("GET", "api/projects", token=None, headers=h), strict)  # type: ignore[misc]
    for source in ("127.0.0.2", "127.9.9.9"):

        def ask(source: str = source) -> Answer:
            connection = http.client.HTTPConnection("127.0.0.1", strict.port, timeout=30, source_address=(source, 0))
            connection.request("GET", "/api/projects", headers={"Authorization": f"token {TOKEN}"})
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
            connection.close()
            return answer

        refused_once(ask, strict)


async def test_so_many_sockets_and_waiting_requests_at_once(strict: Server, project_id: str) -> None:
    path, deadline = f"api/projects/{project_id}/events?wait_s=30", time.monotonic() + 60
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(strict.connect(project_id)) for _ in range(4)]
        refused = await asyncio.to_thread(strict.request, "GET", path)
        assert (refused.status, refused.json["code"]) == (429, "RATE_LIMITED")
        assert int(refused.headers["Retry-After"]) >= 1
        with pytest.raises(websockets.InvalidStatus) as caught:
            await stack.enter_async_context(strict.connect(project_id))
        assert caught.value.response.status_code == 429
        await sockets[0].raw.close()
        waiting = None
        while waiting is None:
            asking = asyncio.create_task(asyncio.to_thread(strict.request, "GET", path))
            done, _ = await asyncio.wait([asking], timeout=0.5)
            waiting = None if done else asking
            assert time.monotonic() < deadline
        while not waiting.done():
            await sockets[1].send({"type": "chat", "text": "hello"})  # refused if others have taken the chats
            await asyncio.wait([waiting], timeout=2.5)
            assert time.monotonic() < deadline
        assert waiting.result().json["events"]


async def test_a_waiting_request_whose_client_is_gone_takes_no_place(strict: Server, project_id: str) -> None:
    path = f"api/projects/{project_id}/events?wait_s=60"
    ask = f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n\r\n"
    deadline = time.monotonic() + 40

    async def is_let_in() -> bool:
        with contextlib.suppress(websockets.InvalidStatus):
            async with strict.connect(project_id):
                return True
        return False

    with contextlib.ExitStack() as stack:
        while await is_let_in():
            assert time.monotonic() < deadline
            waiting = stack.enter_context(socket.create_connection(("127.0.0.1", strict.port)))
            waiting.sendall(ask.encode())
            await asyncio.sleep(0.2)
    while "jupyter_pipeline_clients 0.0" not in strict.request("GET", "metrics").body.decode():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)
    while not await is_let_in():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.5)


@pytest.mark.parametrize(
    ("ip", "place"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("127.3.2.1", "this machine"),
        ("::1", "this machine"),
        ("::ffff:127.0.0.2", "this machine"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", "nowhere"),
        (None, "nowhere"),
        ("a socket", "a socket"),
    ],
)
def test_places(ip: str | None, place: str) -> None:
    assert place_of(ip) == place


def test_sockets_are_opened_at_a_bounded_rate(strict: Server) -> None:
    statuses = Counter(strict.request("GET", "ws/projects/p").status for _ in range(300))
    assert set(statuses) == {400, 429}  # without the headers of a socket 400 is the answer of one that was let in
    refused = drain(strict, "ws/projects/p")
    assert refused.json["code"] == "RATE_LIMITED"
    assert strict.request("POST", "api/projects/p/messages", {"type": "ping", "ts": 1}).status == 200


def half_sent(
    server: Server, path: str, announced: int | str | None, sent: int, token: str | None = TOKEN
) -> socket.socket:
    """A request whose body does not come whole; it says how much that is, or it comes in pieces."""
    made = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    let_in = f"Authorization: token {token}\r\n" if token else ""
    size = "Transfer-Encoding: chunked" if announced is None else f"Content-Length: {announced}"
    head = f"POST /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{let_in}{size}\r\n\r\n"
    piece = f"{sent:x}\r\n" if announced is None else ""
    made.sendall((head + piece).encode() + b" " * sent)
    return made


def status_of(connection: socket.socket) -> int | None:
    """What is answered to it; None if it is closed without a word."""
    try:
        answer = connection.recv(65536)
    except ConnectionError:
        return None
    return int(answer.split(b" ", 2)[1]) if answer else None


def test_bodies_that_do_not_come_whole_are_bounded(strict: Server, project_id: str) -> None:
    path = f"api/projects/{project_id}/messages"
    stranger = half_sent(strict, path, 900_000, 1000, token=None)
    assert status_of(stranger) == 403, "of somebody whom we do not know nothing is kept"
    held = [half_sent(strict, path, 900_000, 800_000) for _ in range(2)]
    time.sleep(0.3)
    one_more = half_sent(strict, f"api/projects/{project_id}/predict", 900_000, 1000)
    assert status_of(one_more) == 429
    ping = {"type": "ping", "ts": 1}
    assert strict.request("POST", path, ping).status == 200
    assert [status_of(connection) for connection in held] == [None, None]
    assert strict.request("POST", path, json.dumps(ping).encode() + b" " * 900_000).status == 200
    for connection in (stranger, one_more, *held):
        connection.close()
    # Of a body that does not say how much it is, it counts what it may be.
    held = [half_sent(strict, path, None, 1000)]
    time.sleep(0.3)
    one_more = half_sent(strict, path, None, 1000)
    assert status_of(one_more) == 429
    assert status_of(held[0]) is None
    for connection in (one_more, *held):
        connection.close()
    # However it is said.
    held = [half_sent(strict, path, "900000, 900000", 800_000) for _ in range(2)]
    time.sleep(0.3)
    refused = [half_sent(strict, path, said, 1000) for said in ("900000,900000", "1" + "0" * 18)]
    assert [status_of(connection) for connection in refused] == [429, 413]
    for connection in (*refused, *held):
        connection.close()


async def test_messages_that_do_not_come_whole_are_bounded(strict: Server, project_id: str) -> None:
    """A frame that stops in the middle, and a message whose last piece never comes, pings or not."""
    path, size = f"/ws/projects/{project_id}", 900_000
    frame, piece, ping = b"\x81", b"\x01", b"\x89\x80\0\0\0\0"

    async def begin(first: bytes) -> RawSocket:
        made = await RawSocket.open(strict.port, path, TOKEN)
        announced = size + (first == frame)
        made._writer.write(first + struct.pack("!BQ", 0xFF, announced) + b"\0\0\0\0" + b" " * size)
        if first == piece:
            made._writer.write(ping)
        return made

    async def end(client: RawSocket) -> str:
        try:
            async with asyncio.timeout(60):
                while True:
                    await client.frame()
        except Cut as cut:
            return f"{cut.code} {cut.reason}"[:22]

    held = [await begin(frame), await begin(piece)]
    await asyncio.sleep(0.3)
    more = await begin(frame)
    assert await end(more) == "1008 Too many bytes at"
    more.cut()
    more = await begin(piece)
    assert await end(more) == "1008 Too many bytes at"
    assert [await end(client) for client in held] == ["1008 A message was beg"] * 2
    async with strict.connect(project_id) as other:
        await other.greeting()
        await other.send({"type": "ping", "ts": 1, "id": "p", "more": "x" * size})
        await other.type("ack")
    for client in (*held, more):
        client.cut()
