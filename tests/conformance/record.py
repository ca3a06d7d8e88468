"""Records ``gates.jsonl`` and ``work.jsonl`` against real servers: ``python -m tests.conformance.record FOLDER``.

A line is ``{"from": "client" | "server", "frame": …}``, in the order in which the client saw and sent them;
``{"from": "client", "connect": {…}}`` opens a socket, with the members of its query, and
``{"from": "server", "close": CODE}`` is how the server closed one.
"""

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import websockets

from tests.server.conftest import Server, Socket, free_port

PROJECT = "demo-project"
Step = dict[str, Any] | str
#: Messages, each up to its answer, and names of events that are waited for.
GATES: list[Step] = [
    {"type": "confirm"},
    {"type": "chat", "text": "Predict species in the iris data set, within ten seconds", "id": "m1"},
    "WAITING_CONFIRMATION",
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
    "WAITING_CONFIRMATION",
    {"type": "subscribe", "names": ["STAGE_STATUS"], "id": "m5"},
]


def command(name: str, message_id: str, **args: Any) -> Step:
    return {"type": "command", "command": name, "args": args, "id": message_id}


def confirmed(stages: str) -> list[Step]:
    """Confirm stages, each up to the next gate."""
    found: list[Step] = []
    for stage in stages.split():
        found += [{"type": "confirm", "stage_id": stage, "id": f"confirm-{stage}"}, "WAITING_CONFIRMATION"]
    return found


ASKED = "Predict species in the iris data set within 20 seconds, only LightGBM and random forest"
WORK: list[Step] = [
    {"type": "chat", "text": ASKED, "id": "ask"},
    "WAITING_CONFIRMATION",
    *confirmed("PARSE_INTENT"),
    command("restart_stage", "again", stage_id="DATA_SOURCE"),
    command("cancel_run", "cancel-stage", mode="now"),
    command("cancel_run", "nothing-left"),
    {"type": "confirm", "id": "nothing-waits"},
    command("restart_stage", "again-after-cancel", stage_id="DATA_SOURCE"),
    "WAITING_CONFIRMATION",
    *confirmed("DATA_SOURCE PROFILE_DATA PREPROCESS"),
    {"type": "confirm", "stage_id": "MODEL_SELECT", "id": "train"},
    "TRAIN_RUN_STARTED",
    command("cancel_run", "cancel-training", mode="stop"),
    command("restart_stage", "train-again", stage_id="TRAIN"),
    "TRAIN_RUN_FINISHED",
    command("cancel_run", "finish", mode="finish"),
    "WAITING_CONFIRMATION",
    command("restart_stage", "far-ahead", stage_id="EXPORT"),
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

    async def play(self, socket: Socket, steps: list[Step]) -> None:
        """Take the steps of a session."""
        for step in steps:
            start = len(socket.frames)
            if isinstance(step, str):
                await socket.event(step)
            else:
                self.lines.append({"from": "client", "frame": step})
                await socket.send(step)
                await socket.until(lambda f: f["type"] in ("ack", "error", "pong"))
            self.take(socket, start)

    @property
    def head(self) -> int:
        return max(line["frame"].get("seq") or 0 for line in self.lines if "frame" in line)

    @property
    def epoch(self) -> str:
        epoch: str = next(
            line["frame"]["event"]["payload"]["epoch"]
            for line in self.lines
            if line.get("frame") and line["from"] == "server"
        )
        return epoch

    async def gates(self) -> None:
        """Messages right and wrong at a gate, and a resume that repeats some events."""
        async with self.connected() as socket:
            await socket.greeting()
            self.take(socket, 0)
            await self.play(socket, GATES)
        head = self.head
        async with self.connected(since=2, epoch=self.epoch) as socket:
            await socket.greeting()
            await socket.events_to(head)
            self.take(socket, 0)

    async def work(self) -> None:
        """Work that is cancelled in every way and started again, and a server that goes down and comes back."""
        async with self.connected() as socket:
            await socket.greeting()
            self.take(socket, 0)
            await self.play(socket, WORK)
            start = len(socket.frames)
            await asyncio.to_thread(self._server.stop)
            with contextlib.suppress(websockets.ConnectionClosed):
                while True:
                    await socket.next()
            self.take(socket, start)
            self.lines.append({"from": "server", "close": socket.raw.close_code})
        await asyncio.to_thread(self._server.start)
        async with self.connected(since=self.head, epoch=self.epoch) as socket:
            await socket.greeting()
            self.take(socket, 0)
            await self.play(socket, [command("cancel_run", "finish", mode="finish"), {"type": "ping", "ts": 1}])


def record(name: str) -> str:
    """A session as JSON lines."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        root.mkdir()
        server = Server(root, free_port(), "/")
        try:
            server.start()
            recorder = Recorder(server)
            asyncio.run(recorder.gates() if name == "gates" else recorder.work())
        finally:
            server.stop()
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in recorder.lines)


def main() -> None:
    for name in sys.argv[2:] or ("gates", "work"):
        (Path(sys.argv[1]) / f"{name}.jsonl").write_text(record(name), "utf-8")


if __name__ == "__main__":
    main()
