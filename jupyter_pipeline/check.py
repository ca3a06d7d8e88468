"""Runs the test sequence of the wire's documentation against a live server.

``python -m jupyter_pipeline.check URL [--token T]`` speaks the documented messages over a raw socket, as a client
written from that document alone would, and prints the lines that the document expects.
"""

import argparse
import asyncio
import contextlib
import json
import re
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketError, websocket_connect

from .client.discovery import Server, find_server
from .client.errors import PipelineError
from .client.http import Http, access_refused, ssl_context
from .client.words import tolerate_encodings

REQUEST = "Predict the species of the iris data set; take at most ten seconds."
"""The chat message: on a fresh project it is the request."""
PROMPT_S, GATE_S = 15.0, 120.0
"""Seconds for an answer, and for a stage to do its work."""

Frame = dict[str, Any]


class CheckFailed(Exception):
    """The server did something else than the document says."""


def check(url: str, token: str | None = None) -> int:
    """Run the sequence and print its lines.

    Parameters
    ----------
    url : str
        The server's address, or that of a project's socket. Without a project a new one is made, and deleted
        when the check is over.
    token : str or None, default=None
        The server's token.

    Returns
    -------
    int
        0 if all is as documented, else 1.
    """
    try:
        server = find_server(url, token)
        assert server is not None  # with a URL there always is one
        named = re.search(r"/ws/projects/([^/?#]+)", urlsplit(url).path)
        project_id = unquote(named[1]) if named else f"check-{uuid.uuid4().hex[:8]}"
        try:
            asyncio.run(_sequence(server, project_id))
        finally:
            if not named:
                with contextlib.suppress(PipelineError):
                    Http(server).delete(f"api/projects/{project_id}")
    except (CheckFailed, PipelineError) as error:
        print(f"✗ {error}")
        return 1
    print("✅ All tests passed!")
    return 0


async def _sequence(server: Server, project_id: str) -> None:
    connection = await _connect(server, project_id)
    heard = _Ear(connection)
    print("✓ Connected to WebSocket")
    hello = await heard.event("HELLO", lambda frame: True, first=True)
    print(f"📨 Received HELLO: {hello['event']['name']}")
    status = await heard.event("STAGE_STATUS", lambda frame: True, first=True)
    print(f"📨 Received STAGE_STATUS: {status['event']['name']}")

    print("🧪 Test 1: Sending chat message...")
    await heard.send({"type": "chat", "text": REQUEST})
    echo = await heard.event("LOG_LINE", lambda frame: frame["event"]["payload"].get("text") == REQUEST)
    _expect_payload(echo, {"run_id": "chat", "level": "info", "source": "user"})
    print(f"✓ Received response: {echo['event']['name']}")

    print("🧪 Test 2: Sending ping...")
    ts = int(time.time() * 1000)
    await heard.send({"type": "ping", "ts": ts})
    pong = await heard.frame('a pong with the ping\'s "ts"', lambda frame: frame.get("type") == "pong", PROMPT_S)
    if pong.get("ts") != ts or not isinstance(pong.get("server_ts"), int):
        raise CheckFailed(f"Expected a pong with ts {ts} and server_ts in milliseconds, got {_short(pong)}.")
    print("✓ Received pong")

    waiting = await _settled(heard, status["seq"] == 0)
    print("🧪 Test 3: Sending confirm...")
    await heard.send({"type": "confirm"})
    update = await heard.event("STAGE_STATUS", lambda frame: True)
    if waiting is not None:
        _expect_payload(update, {"stage_id": waiting, "status": "COMPLETED"})
        if waiting != "EXPORT":
            following = await heard.event("STAGE_STATUS", lambda frame: True)
            _expect_payload(following, {"status": "IN_PROGRESS"})
            waiting = following["stage"]["id"]
    print(f"✓ Received stage update: {update['event']['name']}")

    print("🧪 Test 4: Sending restart_stage command...")
    stage_id = update["stage"]["id"]
    await heard.send({"type": "command", "command": "restart_stage", "args": {"stage_id": stage_id}})
    restarted = await heard.event(
        "STAGE_STATUS",
        lambda frame: (
            (frame["event"]["payload"]["stage_id"], frame["event"]["payload"]["status"]) == (stage_id, "IN_PROGRESS")
        ),
    )
    print(f"✓ Received command response: {restarted['event']['name']}")
    with contextlib.suppress(CheckFailed):
        await heard.send({"type": "command", "command": "cancel_run", "args": {}})
    connection.close()


async def _settled(heard: "_Ear", fresh: bool) -> str | None:
    """Wait for the stage that the chat started to open its gate; the stage that waits, or None if none does."""

    def still(frame: Frame) -> bool:
        name, payload = frame.get("event", {}).get("name"), frame.get("event", {}).get("payload", {})
        if name == "STAGE_STATUS" and payload["status"] == "FAILED":
            raise CheckFailed(f"Expected {payload['stage_id']} to open its gate, but it failed: {payload['message']}")
        return bool(name == "WAITING_CONFIRMATION")

    if fresh:
        return str((await heard.frame("WAITING_CONFIRMATION after the chat", still, GATE_S))["stage"]["id"])
    # A project that was there before: the gate that is open, the one that the chat opens, or none.
    with contextlib.suppress(CheckFailed):
        await heard.frame("WAITING_CONFIRMATION", still, 3.0)
    last = heard.last_status
    return str(last["stage_id"]) if last and last["status"] == "WAITING_CONFIRMATION" else None


class _Ear:
    """Reads frames and says what was expected where something else comes."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection
        self.last_status: dict[str, Any] | None = None

    async def send(self, message: Frame) -> None:
        """Send a message as the document shows it."""
        try:
            await self._connection.write_message(json.dumps(message))
        except WebSocketError as error:
            raise CheckFailed(f"The connection was closed before {message['type']!r} could be sent.") from error

    async def event(self, name: str, fits: Callable[[Frame], bool], *, first: bool = False) -> Frame:
        """The next event of a name that fits; with ``first`` the very next frame must be it."""

        def right(frame: Frame) -> bool:
            is_it = frame.get("type") == "EVENT" and frame["event"]["name"] == name
            if first and not is_it:
                raise CheckFailed(f"Expected {name} as the next frame, got {_short(frame)}.")
            return is_it and fits(frame)

        frame = await self.frame(name, right, PROMPT_S)
        missing = {"v", "type", "project_id", "seq", "ts", "stage", "event"} - set(frame)
        if missing:
            raise CheckFailed(f"Expected v, type, project_id, seq, ts, stage and event in {name}; {missing} not there.")
        return frame

    async def frame(self, what: str, fits: Callable[[Frame], bool], timeout_s: float) -> Frame:
        """The next frame that fits."""
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            try:
                text = await asyncio.wait_for(self._next(), max(0.01, left))
            except TimeoutError:
                raise CheckFailed(f"Expected {what} within {timeout_s:g} seconds; it did not come.") from None
            if text is None:
                raise CheckFailed(f"Expected {what}, but the server closed the connection.")
            frame = json.loads(text)
            if frame.get("type") == "error" and frame.get("code") != "NOT_WAITING":
                raise CheckFailed(f"Expected {what}, got an error: {frame.get('message')}")
            if frame.get("type") == "EVENT" and frame["event"]["name"] == "STAGE_STATUS":
                self.last_status = frame["event"]["payload"]
            if fits(frame):
                return dict(frame)

    async def _next(self) -> str | bytes | None:
        return await self._connection.read_message()


async def _connect(server: Server, project_id: str) -> WebSocketClientConnection:
    url = server.websocket(project_id)
    context = ssl_context(server) if url.startswith("wss") else None
    request = HTTPRequest(url, headers=dict(server.headers), connect_timeout=PROMPT_S, ssl_options=context)
    try:
        return await websocket_connect(request)
    except HTTPClientError as error:
        if error.code in (302, 401, 403):
            raise access_refused(server) from None
        raise CheckFailed(f"Expected a WebSocket at {url}, got HTTP {error.code}.") from None
    except (OSError, WebSocketError) as error:
        raise CheckFailed(f"Expected a server at {url}: {error}.") from None


def _expect_payload(frame: Frame, wanted: dict[str, Any]) -> None:
    payload = frame["event"]["payload"]
    got = {key: payload.get(key) for key in wanted}
    if got != wanted:
        raise CheckFailed(f"Expected {frame['event']['name']} with {_short(wanted)}, got {_short(got)}.")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 300 else text[:300] + "…"


def main() -> int:
    """Entry point of ``python -m jupyter_pipeline.check``."""
    parser = argparse.ArgumentParser(prog="python -m jupyter_pipeline.check", description=__doc__)
    parser.add_argument("url", help="the server's address, or that of a project's WebSocket")
    parser.add_argument("--token", help="the server's token")
    tolerate_encodings()
    args = parser.parse_args()
    return check(args.url, args.token)


if __name__ == "__main__":
    sys.exit(main())
