"""A real Jupyter server in a process of its own, and raw requests and sockets to it."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import time
import urllib.parse
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from jupyter_pipeline.server.limits import DEFAULT_RATES

from ..processes import Forked, begin, free_port
from ..wire import check_frame

TOKEN = "a-token-of-the-tests"
START_S = 180.0


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """A server process and how to talk to it."""

    root: Path
    port: int
    base_url: str
    args: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    module: str = "jupyter_server"
    extensions: dict[str, bool] = field(default_factory=lambda: {"jupyter_pipeline": True})
    forked: bool = False
    """Whether it begins as a fork that has imported Jupyter, and not with the command line of a user."""
    prefix: list[str] = field(default_factory=list)
    """A command that runs it, with its own as arguments."""
    process: "subprocess.Popen[bytes] | Forked | None" = None

    @property
    def log(self) -> str:
        return (self.root.parent / "server.log").read_text(errors="replace")

    def start(self) -> None:
        args = [
            f"--port={self.port}", "--ip=127.0.0.1", "--no-browser",
            f"--ServerApp.jpserver_extensions={self.extensions}", f"--ServerApp.root_dir={self.root}",
            f"--IdentityProvider.token={TOKEN}", f"--ServerApp.base_url={self.base_url}", "--ServerApp.port_retries=0",
            "--allow-root", "--PipelineApp.warm_workers=0", *self.args,
        ]  # fmt: skip
        home = self.root.parent / "home"
        env = {
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "OMP_NUM_THREADS": "1",
            **self.env,
        }
        for name in ("JUPYTER_TOKEN", "JUPYTER_PIPELINE_URL", "JUPYTER_PIPELINE_TICKET"):
            env.pop(name, None)
        log = self.root.parent / "server.log"
        # A fork has the search path of its parent.
        if self.forked and "PYTHONPATH" not in self.env:
            self.process = Forked(self.module, args, env, log)
        else:
            self.process = begin(self.module, args, env, log, self.prefix)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                answer = self.request("GET", "api/projects")
                if answer.status != 503 or "still starting" not in answer.json["message"]:
                    return
            time.sleep(0.05)
        raise AssertionError(f"The server did not start:\n{self.log[-3000:]}")

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = TOKEN,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """A request to a path below the base URL; a body that is no bytes goes as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            send = {"Authorization": f"token {token}"} if token else {}
            data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, self.base_url + path, data, {**send, **(headers or {})})
            if connection.sock is None:
                raise ConnectionError("The server is gone.")
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def ws_url(self, project_id: str, **query: Any) -> str:
        asked = f"?{urllib.parse.urlencode(query)}" if query else ""
        return f"ws://127.0.0.1:{self.port}{self.base_url}ws/projects/{project_id}{asked}"

    @contextlib.asynccontextmanager
    async def connect(
        self, project_id: str, *, auth: str | None = TOKEN, headers: dict[str, str] | None = None, **query: Any
    ) -> AsyncIterator["Socket"]:
        """A raw socket; authenticated by a header unless ``auth`` is None."""
        send = {"Authorization": f"token {auth}"} if auth else {}
        async with connect(
            self.ws_url(project_id, **query),
            additional_headers={**send, **(headers or {})},
            max_size=None,
            proxy=None,
        ) as raw:
            yield Socket(raw)


class Socket:
    """A raw socket with what a test asks of it."""

    def __init__(self, raw: ClientConnection) -> None:
        self.raw = raw
        self.frames: list[str] = []

    async def send(self, message: Any) -> None:
        await self.raw.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(90):
            text = await self.raw.recv(decode=True)
        assert isinstance(text, str)
        self.frames.append(text)
        return check_frame(text)

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next frame that is wanted; those before it are passed over."""
        while True:
            frame = await self.next()
            if wanted(frame):
                return frame

    async def type(self, kind: str) -> dict[str, Any]:
        return await self.until(lambda f: f["type"] == kind)

    async def event(self, name: str) -> dict[str, Any]:
        return await self.until(lambda f: f["type"] == "EVENT" and f["event"]["name"] == name)

    async def greeting(self) -> dict[str, Any]:
        """HELLO and the STAGE_STATUS after it, which must come first; the payload of HELLO."""
        hello, status = await self.next(), await self.next()
        assert hello["event"]["name"] == "HELLO"
        assert status["event"]["name"] == "STAGE_STATUS"
        assert hello["ephemeral"] is True
        assert status["ephemeral"] is True
        payload: dict[str, Any] = hello["event"]["payload"]
        return payload

    async def events_to(self, seq: int) -> list[dict[str, Any]]:
        """The durable events up to a number."""
        found: list[dict[str, Any]] = []
        while not found or found[-1]["seq"] < seq:
            frame = await self.next()
            if frame["type"] == "EVENT" and not frame.get("ephemeral"):
                found.append(frame)
        return found


@pytest.fixture(scope="session")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Start a server with further arguments; all are stopped at the end."""
    started: list[Server] = []

    def start(
        *args: str,
        base_url: str = "/",
        root: Path | None = None,
        env: dict[str, str] | None = None,
        forked: bool = True,
    ) -> Server:
        folder = tmp_path_factory.mktemp("server")
        (folder / "root").mkdir()
        server = Server(root or folder / "root", free_port(), base_url, list(args), env or {}, forked=forked)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def server(start_server: Callable[..., Server]) -> Server:
    """The server that most tests share, below a base URL that needs quoting, without rate limits; Jupyter's own limits
    of a body and of what is held of it are low, so that a test sees that they are not in our way."""
    return start_server(
        f"--PipelineApp.rate_limits={dict.fromkeys(DEFAULT_RATES)}",
        "--ServerApp.max_body_size=8000000",
        "--ServerApp.max_buffer_size=8000000",
        base_url="/a%40b/",
        forked=False,
    )


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def project_id(request: pytest.FixtureRequest) -> str:
    """A project of the test's own."""
    return re.sub(r"[^A-Za-z0-9]", "-", request.node.name)[:40].strip("-") + "-" + uuid.uuid4().hex[:6]
