"""What a server holds after half an hour of all that clients do: ``python -m benchmarks.soak [--minutes N]``.

Two clients take jobs through the stages: to the bundle, cancelled, finished early, restarted, left in the middle and
deleted. Four come and go: closed, cut, half-open, resumed, to projects that are none. One sends what is no message,
one uploads files, whole and cut. In the end all of them go, and every project is deleted. Memory, open files, threads
and processes of the server, and its log, are noted every ten seconds. Prints a table and a JSON document; the server's
log stays in ``--keep``.
"""

import argparse
import asyncio
import contextlib
import http.client
import json
import random
import shutil
import socket
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from benchmarks.server_process import TOKEN, Server, running
from jupyter_pipeline.protocol.stages import StageId
from jupyter_pipeline.server.limits import DEFAULT_RATES

STAGES = [stage.value for stage in StageId]
KINDS = ("whole", "whole", "cancel", "cancel", "finish", "restart", "leave", "delete")
QUESTIONS = ("What is this?", "Use only linear models.", "Why?", "Drop the column c1.", "Train 8 seconds.")
FRAMES: tuple[str | bytes, ...] = (
    "", "no JSON", "[" * 40_000, b"\x00\x01", "null", "{}", '{"type": "chat", "text": ""}', '{"type": "no_such"}',
    '{"type": "confirm", "gate_id": "none"}', '{"type": "command", "command": "no_such"}',
    json.dumps({"type": "chat", "text": "x" * 20_001}),
)  # fmt: skip
GONE = (OSError, TimeoutError, ConnectionClosed, InvalidStatus, http.client.HTTPException)
MOST_PROJECTS = 8
EVERY_S, QUIET_S = 10.0, 60.0


def rows(number: int, seed: int) -> bytes:
    """A CSV file of so many rows."""
    values = np.random.default_rng(seed).normal(size=(number, 8)).round(4)
    lines = [",".join([*map(str, row), str(int(row[0] + row[1] * row[2] > 0))]) for row in values]
    return "\n".join(["c0,c1,c2,c3,c4,c5,c6,c7,y", *lines]).encode()


class Soak:
    """The clients of one server, and what came of them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.random = random.Random(5)
        self.count: Counter[str] = Counter()
        self.failures: list[str] = []
        self.projects: list[str] = []

    async def rest(self, what: str, method: str, path: str, body: Any = None) -> bytes:
        """One request, counted by its answer."""
        status, answer = await asyncio.to_thread(self.server.request, method, f"api/projects/{path}", body)
        self.count[f"{what}: {status}"] += 1
        return answer

    def socket(self, project: str, query: str = "") -> connect:
        """A WebSocket to a project."""
        return connect(
            f"ws://127.0.0.1:{self.server.port}/ws/projects/{project}{query}",
            additional_headers={"Authorization": f"token {TOKEN}"},
            max_size=None,
            proxy=None,
        )

    async def for_ever(self, client: Any, pause_s: float) -> None:
        """Let a client come again and again; that it is cut off is counted."""
        while True:
            try:
                await client()
            except GONE as error:
                self.count[f"{client.__name__}: {type(error).__name__}"] += 1
            await asyncio.sleep(pause_s * self.random.random())

    # -- jobs ----------------------------------------------------------------------------------------------

    async def job(self) -> None:
        """A project, as far as its kind goes; of the earlier ones some stay."""
        self.count["jobs"] += 1
        project, kind = f"job-{self.count['jobs']}", self.random.choice(KINDS)
        self.projects.append(project)
        number = self.random.choice((100, 1000, 20_000))
        await self.rest("upload", "POST", f"{project}/data?name=rows.csv", rows(number, self.count["jobs"]))
        async with asyncio.timeout(300), self.socket(project) as connection:
            await self.through(connection, project, kind)
        while len(self.projects) > MOST_PROJECTS:
            old = self.projects.pop(self.random.randrange(MOST_PROJECTS - 2))
            await self.rest("delete", "DELETE", old)

    async def through(self, connection: ClientConnection, project: str, kind: str) -> None:
        """The job itself; ``at`` is the stage in which something is done to it."""

        async def say(message: dict[str, Any]) -> None:
            self.count[f"sent: {message.get('command', message['type'])}"] += 1
            await connection.send(json.dumps(message))

        at = "TRAIN" if kind == "finish" else self.random.choice(STAGES[2:7]) if kind != "whole" else None
        await say({"type": "chat", "text": "Predict y in rows.csv, with a budget of 10 seconds."})
        while True:
            frame = json.loads(await connection.recv())
            name = frame["event"]["name"] if frame["type"] == "EVENT" else ""
            told = frame["event"]["payload"] if name else {}
            if name == "WAITING_CONFIRMATION":
                if kind == "restart" and told["stage_id"] == at:
                    at = None
                    await say({"type": "command", "command": "restart_stage", "args": {"stage_id": "DATA_SOURCE"}})
                    continue
                if self.random.random() < 0.2:
                    await say({"type": "chat", "text": self.random.choice(QUESTIONS)})
                await say({"type": "confirm", "stage_id": told["stage_id"]})
            elif name == "STAGE_STATUS" and told["status"] == "IN_PROGRESS" and told["stage_id"] == at:
                if kind == "restart":
                    continue
                at = None
                await asyncio.sleep(2 * self.random.random())
                if kind == "leave":
                    connection.transport.abort()
                    return
                if kind == "delete":
                    if project in self.projects:
                        self.projects.remove(project)
                    await self.rest("delete", "DELETE", project)
                    return
                mode = "finish" if kind == "finish" else self.random.choice(("stop", "now"))
                await say({"type": "command", "command": "cancel_run", "args": {"mode": mode}})
            elif name == "STAGE_STATUS" and told["status"] == "FAILED":
                if not told["message"].startswith("Cancelled"):
                    self.failures.append(f"{project}: {told['message']}")
                if kind != "cancel" or self.random.random() < 0.4:
                    return
                kind = "whole"
                again = self.random.choice(STAGES[:3])
                await say({"type": "command", "command": "restart_stage", "args": {"stage_id": again}})
            elif name == "STAGE_STATUS" and (told["stage_id"], told["status"]) == ("EXPORT", "COMPLETED"):
                self.count["bundles"] += 1
                row = {f"c{n}": 0.5 for n in range(8)}
                await self.rest("predict", "POST", f"{project}/predict", {"rows": [row] * 20})
                assets = json.loads(await self.rest("assets", "GET", f"{project}/assets")).get("assets", [])
                for asset in assets[:6]:
                    await self.rest("asset", "GET", f"{project}/assets/{asset['id']}")
                return

    # -- the others ----------------------------------------------------------------------------------------

    def somewhere(self) -> str:
        """A project that is there, or was."""
        return self.random.choice(self.projects or ["none"])

    async def visit(self) -> None:
        """Come and go: read for a while, or not at all, and leave in one of several ways."""
        how = self.random.choice(("close", "cut", "half-open", "subscribe", "resume", "unknown"))
        project = f"nobody-{self.random.randrange(10**9)}" if how == "unknown" else self.somewhere()
        self.count["visits"] += 1
        async with self.socket(project, self.random.choice(("", "?since=0", "?since=2"))) as connection:
            if how == "subscribe":
                names = ["STAGE_STATUS", "LOG_LINE"]
                await connection.send(json.dumps({"type": "subscribe", "names": names, "coalesce": True}))
            if how == "resume":
                await connection.send('{"type": "resume", "since": 0}')
            if how == "half-open":
                connection.transport.pause_reading()
                await asyncio.sleep(20 * self.random.random())
                connection.transport.abort()
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2 * self.random.random()):
                    while True:
                        await connection.recv(decode=False)
                        self.count["frames read"] += 1
            if how == "cut":
                connection.transport.abort()
        if self.random.random() < 0.2:
            path = self.random.choice(("state", "events?since=0&limit=100", "events?since=100000&wait_s=2", "assets"))
            await self.rest("get", "GET", f"{project}/{path}")

    async def harm(self) -> None:
        """Send what is no message, up to being closed for it."""
        async with self.socket(self.somewhere()) as connection:
            for _ in range(self.random.randrange(1, 400)):
                self.count["bad frames"] += 1
                if self.random.random() < 0.1:
                    await connection.send(b"\xff\xfe\xfd", text=True)
                else:
                    await connection.send(self.random.choice(FRAMES))
            if self.random.random() < 0.1:
                await connection.send("x" * 3_000_000)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    while True:
                        await connection.recv()
        for path, body in (
            ("../x", None),
            ("none/state", None),
            ("none/messages", b"{"),
            ("none/predict", {"rows": []}),
        ):
            await self.rest("bad request", "GET" if body is None else "POST", path, body)

    async def upload(self) -> None:
        """Upload a file, or half of one."""
        data = rows(self.random.choice((50, 5000, 20_000)), self.random.randrange(10**6))
        path = f"{self.somewhere()}/data?name={self.random.choice(('more.csv', 'other.csv', '..%2Fx.csv', ''))}"
        if self.random.random() < 0.7:
            await self.rest("upload", "POST", path, data)
            return
        self.count["cut uploads"] += 1
        head = f"POST /api/projects/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n"
        with await asyncio.to_thread(socket.create_connection, ("127.0.0.1", self.server.port), 10) as raw:
            text = f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data[: len(data) // 2]
            await asyncio.to_thread(raw.sendall, text)

    # -- what the server holds -----------------------------------------------------------------------------

    def holds(self, began: float, root: Path) -> dict[str, Any]:
        """What it has at this moment."""
        process = self.server.process
        with process.oneshot():
            memory = process.memory_full_info()
            return {
                "s": round(time.monotonic() - began),
                "rss_mib": round(memory.rss / 2**20, 1),
                "uss_mib": round(memory.uss / 2**20, 1),
                "files": process.num_fds(),
                "threads": process.num_threads(),
                "processes": len(process.children(recursive=True)),
                "log_mib": round(sum(file.stat().st_size for file in (root / ".log").glob("*")) / 2**20, 1),
                "folders": sum(not place.name.startswith(".") for place in root.iterdir()),
                "jobs": self.count["jobs"],
                "cpu_s": round(sum(process.cpu_times()[:2])),
            }

    async def run(self, minutes: float, root: Path) -> list[dict[str, Any]]:
        """Let all clients at it for so long, then let them go; what the server held meanwhile."""
        began = time.monotonic()
        found = [self.holds(began, root)]
        clients = [(self.job, 1.0), (self.job, 10.0), *[(self.visit, 1.0)] * 4, (self.harm, 6.0), (self.upload, 8.0)]

        async def note(seconds: float) -> None:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                await asyncio.sleep(EVERY_S)
                found.append(self.holds(began, root))

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.for_ever(client, pause_s)) for client, pause_s in clients]
            await note(60 * minutes)
            for task in tasks:
                task.cancel()
        await note(QUIET_S)
        for project in self.projects:
            await self.rest("delete", "DELETE", project)
        await note(QUIET_S)
        return found


def main() -> None:
    """Measure, and print a table and a JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--keep", type=Path, help="where the server's log is copied")
    args = parser.parse_args()
    rates = dict.fromkeys(name for name in DEFAULT_RATES if name != "invalid")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        options = (f"--PipelineApp.rate_limits={rates}", "--PipelineApp.max_workers=2")
        with running(folder, *options, ready="api/projects") as server:
            soak = Soak(server)
            found = asyncio.run(soak.run(args.minutes, folder / "root" / "pipelines"))
            below = server.process.children(recursive=True)
        left = [one.pid for one in psutil.wait_procs(below, timeout=3)[1]]
        log = (folder / "server.log").read_text(errors="replace")
        if args.keep:
            shutil.copy(folder / "server.log", args.keep)
    print("  ".join(found[0]))
    for row in found[:: max(1, len(found) // 30)] + found[-1:]:
        print("  ".join(f"{value:>{len(name)}}" for name, value in row.items()))
    said = {
        "held": found,
        "count": dict(sorted(soak.count.items())),
        "failures": soak.failures,
        "tracebacks": log.count("Traceback"),
        "processes left": left,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
