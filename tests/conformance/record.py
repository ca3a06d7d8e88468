"""Records the session ``gates.jsonl`` against a real server: ``python -m tests.conformance.record FOLDER``.

A line is ``{"from": "client" | "server", "frame": …}``, in the order in which the client saw and sent them;
``{"from": "client", "connect": {…}}`` opens a socket, with the members of its query.
"""

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.server.conftest import Server, Socket, free_port

PROJECT = "demo-project"
SESSION: list[dict[str, Any]] = [
    {"type": "confirm"},
    {"type": "chat", "text": "Predict species in the iris data set, within ten seconds", "id": "m1"},
    "WAITING_CONFIRMATION",  # type: ignore[list-item]
    {"type": "ping", "ts": 1705532400000},
    {"type": "chat", "text": "Predict species in the iris data set, within ten seconds", "id": "m1"},
    {"type": "shout", "text": "x"},
    {"type": "command", "command": "restart_stage", "args": {"stage_id": "NOPE"}, "id": "m2"},
    {"type": "command", "command": "make_coffee", "args": {}},
    {"type": "command", "command": "cancel_run", "args": {}},
    {"type": "confirm", "gate_id": "another-gate"},
    {
        "type": "command",
        "command": "update_plan",
        "args": {
            "stage_id": "PARSE_INTENT",
            "patch": [{"op": "replace", "path": "/time_budget_s", "value": 20}],
        },
        "id": "m3",
    },
    {"type": "command", "command": "update_plan", "args": {"stage_id": "PARSE_INTENT", "patch": [{"op": "x"}]}},
    {"type": "confirm", "stage_id": "PARSE_INTENT", "id": "m4"},
    "WAITING_CONFIRMATION",  # type: ignore[list-item]
    {"type": "subscribe", "names": ["STAGE_STATUS"], "id": "m5"},
]


class Recorder:
    """Writes down what goes over sockets."""

    def __init__(self, server: Server) -> None:
        self.lines: list[dict[str, Any]] = []
        self._server = server

    @contextlib.asynccontextmanager
    async def connected(self, **query: Any) -> AsyncIterator[Socket]:
        self.lines.append({"from": "client", "connect": query})
        async with self._server.connect(PROJECT, **query) as socket:
            yield socket

    def take(self, socket: Socket, start: int) -> None:
        self.lines += [{"from": "server", "frame": json.loads(text)} for text in socket.frames[start:]]

    async def record(self) -> None:
        head = 0
        async with self.connected() as socket:
            await socket.greeting()
            self.take(socket, 0)
            for step in SESSION:
                start = len(socket.frames)
                if isinstance(step, str):
                    await socket.event(step)
                else:
                    self.lines.append({"from": "client", "frame": step})
                    await socket.send(step)
                    await socket.until(lambda f: f["type"] in ("ack", "error", "pong"))
                self.take(socket, start)
                head = max([head, *(line["frame"].get("seq") or 0 for line in self.lines if "frame" in line)])
        epoch = next(line["frame"]["event"]["payload"]["epoch"] for line in self.lines if line["from"] == "server")
        async with self.connected(since=2, epoch=epoch) as socket:
            await socket.greeting()
            await socket.events_to(head)
            self.take(socket, 0)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        root.mkdir()
        server = Server(root, free_port(), "/")
        try:
            server.start()
            recorder = Recorder(server)
            asyncio.run(recorder.record())
        finally:
            server.stop()
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in recorder.lines)
    (Path(sys.argv[1]) / "gates.jsonl").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
