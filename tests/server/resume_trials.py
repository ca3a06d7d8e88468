"""Clients that lose their connection in every way, while events flow and the server is killed.

A trial is one connection of a client. It goes on where the client's last one ended, and ends as the seed says. Each
event is checked as it comes (the next number, nothing else), and at the end all of them with the log's file, byte for
byte.
"""

import asyncio
import json
import os
import random
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

from .conftest import TOKEN, Server
from .raw import Cut, RawSocket

REQUEST = "Predict species in the iris data set"
ENDINGS = ("cut", "cut", "cut", "half-open", "close", "at once", "in the handshake")
WAIT_S = 120.0
HALF_OPEN = 24
POSTED, POSTERS = "resume-http", int(os.environ.get("RESUME_POSTERS", "2"))


@dataclass
class Client:
    """What a client has, and where it goes on."""

    project: str
    epoch: str | None = None
    frames: list[bytes] = field(default_factory=list)

    def hello(self, payload: dict[str, Any], asked: bool) -> None:
        """Take up where it was, or begin anew in another log."""
        if payload["epoch"] != self.epoch:
            assert not (asked and payload["resumed"] and self.epoch is not None), "resumed in a log that it never saw"
            self.epoch, self.frames = payload["epoch"], []

    def event(self, frame: bytes, seq: int) -> None:
        """Take an event, which must be the next one."""
        assert seq == len(self.frames) + 1, f"{self.project}: {seq} came after {len(self.frames)}"
        self.frames.append(frame)


class Trials:
    """So many trials against a server.

    Parameters
    ----------
    server : Server
        The server; it is killed and started again.
    trials : int
        Connections in all.
    seed : int
        Of every choice that is made here.
    kills : int
        How often the server is killed while they go on.
    deletes : int
        How often a project is deleted and begins anew.
    """

    def __init__(self, server: Server, trials: int, seed: int, kills: int, deletes: int, clients: int = 8) -> None:
        self._server = server
        self._random = random.Random(seed)
        self._left = trials
        self._trials = trials
        names = [f"resume-{n}" for n in range(3)]
        self.clients = [Client(names[n % len(names)]) for n in range(clients)]
        self._projects = names
        marks = self._random.sample(range(trials // 20, trials * 19 // 20), kills + deletes)
        self._events = sorted((mark, "kill" if n < kills else "delete") for n, mark in enumerate(marks))
        self._half_open: list[RawSocket] = []
        self._acked: dict[str, dict[str, str]] = {name: {} for name in (*names, POSTED)}
        self._epochs: dict[str, set[str]] = {name: set() for name in names}
        self._done = asyncio.Event()
        self.count: Counter[str] = Counter()

    async def run(self) -> None:
        """All of it; raises AssertionError at the first event that is wrong."""
        writers = [asyncio.create_task(self._write(name)) for name in self._projects]
        writers += [asyncio.create_task(self._post(n)) for n in range(POSTERS)]
        trouble = asyncio.create_task(self._trouble())
        try:
            async with asyncio.TaskGroup() as group:
                for client in self.clients:
                    group.create_task(self._follow(client))
            await trouble
            self._done.set()
            await asyncio.gather(*writers)
            await asyncio.gather(*(self._at_rest(name) for name in self._projects))
            await asyncio.gather(*(self._catch_up(client) for client in self.clients))
        finally:
            for task in (trouble, *writers):
                task.cancel()
            for socket in self._half_open:
                socket.cut()
        await asyncio.to_thread(self._server.stop)
        self._compare()

    # -- the clients ---------------------------------------------------------------------------------------

    async def _follow(self, client: Client) -> None:
        while self._left > 0:
            self._left -= 1
            ending, by_url, frames, wait_s = (
                self._random.choice(ENDINGS),
                self._random.random() < 0.7,
                self._random.choice((0, 1, 3, 10, 40)),
                self._random.choice((0.02, 0.1, 0.3)),
            )
            try:
                socket = await self._connect(client, by_url)
            except Cut:
                self._left += 1
                await asyncio.sleep(0.1)
                continue
            self.count[ending] += 1
            try:
                if ending != "in the handshake":
                    await self._greet(client, socket, by_url)
                    if ending != "at once":
                        await self._listen(client, socket, frames, wait_s)
            except Cut as cut:
                self.count[f"closed by the server with {cut.code}"] += 1
            self._end(socket, ending)

    async def _connect(self, client: Client, by_url: bool) -> RawSocket:
        query = {"since": len(client.frames)} if by_url else {}
        if by_url and client.epoch is not None:
            query["epoch"] = client.epoch  # type: ignore[assignment]
        path = f"/ws/projects/{client.project}?{urlencode(query)}"
        return await RawSocket.open(self._server.port, path, TOKEN)

    async def _greet(self, client: Client, socket: RawSocket, by_url: bool) -> None:
        """HELLO, or the second one, which answers a ``resume``."""
        if not by_url:
            await self._hello(socket)
            message = {"type": "resume", "since": len(client.frames)}
            socket.send(message if client.epoch is None else {**message, "epoch": client.epoch})
        client.hello(await self._hello(socket), asked=client.epoch is not None)

    @staticmethod
    async def _hello(socket: RawSocket) -> dict[str, Any]:
        async with asyncio.timeout(WAIT_S):
            while True:
                frame = json.loads(await socket.frame())
                if frame["type"] == "EVENT" and frame["event"]["name"] == "HELLO":
                    payload: dict[str, Any] = frame["event"]["payload"]
                    return payload

    async def _listen(self, client: Client, socket: RawSocket, frames: int, wait_s: float) -> None:
        end = len(client.frames) + frames
        try:
            async with asyncio.timeout(wait_s):
                while len(client.frames) < end:
                    self._take(client, await socket.frame())
        except TimeoutError:
            self.count["without all the events it waited for"] += 1

    @staticmethod
    def _take(client: Client, text: bytes) -> None:
        frame = json.loads(text)
        if frame["type"] == "EVENT" and "ephemeral" not in frame:
            client.event(text, frame["seq"])

    def _end(self, socket: RawSocket, ending: str) -> None:
        if ending != "half-open":
            socket.cut()
            return
        # It stays connected and is never read again, until others take its place.
        self._half_open.append(socket)
        if len(self._half_open) > HALF_OPEN:
            self._half_open.pop(self._random.randrange(HALF_OPEN)).cut()

    async def _catch_up(self, client: Client) -> None:
        socket = await self._connect(client, True)
        payload = await self._hello(socket)
        client.hello(payload, asked=True)
        async with asyncio.timeout(WAIT_S):
            while len(client.frames) < payload["seq"]:
                self._take(client, await socket.frame())
        socket.cut()

    async def _at_rest(self, project: str) -> None:
        """What was asked for, or taken up after the last kill, says no more."""
        async with asyncio.timeout(WAIT_S):
            while True:
                state = (await asyncio.to_thread(self._server.request, "GET", f"api/projects/{project}/state")).json
                if all(stage["status"] != "IN_PROGRESS" for stage in state["stages"]):
                    return
                await asyncio.sleep(0.1)

    # -- the writers ---------------------------------------------------------------------------------------

    async def _write(self, project: str) -> None:
        """Say things; what was not acked is said again with the same id, and sometimes what was."""
        number, again = 0, ""
        socket: RawSocket | None = None
        while not (self._done.is_set() and not again):
            try:
                socket = await RawSocket.open(self._server.port, f"/ws/projects/{project}", TOKEN)
                epoch = (await self._hello(socket))["epoch"]
                begun = epoch in self._epochs[project]
                self._epochs[project].add(epoch)
                if not begun:
                    await self._say(socket, f"request-{epoch}", REQUEST)
                while again or not self._done.is_set():
                    if not again:
                        number += 1
                        again = f"{project}-{number}"
                    status = await self._say(socket, again, f"What can I ask? ({again})")
                    self._acked[project][again] = epoch
                    self.count[f"acked {status}"] += 1
                    if number % 10 == 0:
                        assert await self._say(socket, again, f"What can I ask? ({again})") == "duplicate"
                    again = ""
                    await asyncio.sleep(0.01)
            except Cut:
                await asyncio.sleep(0.1)
            finally:
                if socket is not None:
                    socket.cut()

    async def _post(self, poster: int) -> None:
        """Say things over HTTP, to a project of their own: each until it is answered, and many once more."""
        number = 0
        await self._posted("request", REQUEST)  # the same of all: one of them is the first
        while not self._done.is_set():
            number += 1
            message_id = f"{POSTED}-{poster}-{number}"
            text = f"What can I ask? ({message_id})"
            self.count[f"posted, {await self._posted(message_id, text)}"] += 1
            if number % 5 == 0:
                assert await self._posted(message_id, text) == "duplicate", message_id
                self.count["posted again, duplicate"] += 1
            self._acked[POSTED][message_id] = POSTED

    async def _posted(self, message_id: str, text: str) -> str:
        path, message = f"api/projects/{POSTED}/messages", {"type": "chat", "text": text, "id": message_id}
        while True:
            try:
                answer = await asyncio.to_thread(self._server.request, "POST", path, message)
            except (OSError, HTTPException):
                await asyncio.sleep(0.1)
                continue
            if answer.status == 200:
                status: str = answer.json["status"]
                return status
            assert answer.status == 503, answer.body
            await asyncio.sleep(0.1)

    @staticmethod
    async def _say(socket: RawSocket, message_id: str, text: str) -> str:
        socket.send({"type": "chat", "text": text, "id": message_id})
        async with asyncio.timeout(WAIT_S):
            while True:
                frame = json.loads(await socket.frame())
                if frame.get("id") == message_id:
                    if frame.get("code") == "BUSY":
                        raise Cut  # the project is being deleted: to be said again
                    assert frame["type"] == "ack", frame
                    status: str = frame["status"]
                    return status

    # -- trouble -------------------------------------------------------------------------------------------

    async def _trouble(self) -> None:
        for mark, what in self._events:
            while self._trials - self._left < mark and self._left > 0:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            if what == "kill":
                await asyncio.to_thread(self._kill)
            else:
                name = self._random.choice(self._projects)
                answer = await asyncio.to_thread(self._server.request, "DELETE", f"api/projects/{name}")
                assert answer.status in (204, 404), answer.body
            self.count[what] += 1

    def _kill(self) -> None:
        assert self._server.process is not None
        self._server.process.kill()
        self._server.process.wait()
        self._server.start()

    # -- the end -------------------------------------------------------------------------------------------

    def _compare(self) -> None:
        """What everybody has with the log's file."""
        log = sqlite3.connect(self._server.root / "pipelines" / ".log" / "events.sqlite")
        for name in (*self._projects, POSTED):
            key, epoch = log.execute("SELECT id, epoch FROM projects WHERE project_id=?", (name,)).fetchone()
            rows = log.execute("SELECT seq, frame FROM events WHERE project=? ORDER BY seq", (key,)).fetchall()
            frames: list[bytes] = []
            for last, joined in rows:
                frames += bytes(joined).split(b"\n")
                assert last == len(frames)
            for client in self.clients:
                if client.project == name:
                    both = enumerate(zip(client.frames, frames, strict=False))
                    assert [n for n, (received, logged) in both if received != logged] == [], name
                    assert (client.epoch, len(client.frames)) == (epoch, len(frames)), name
                    self.count["events compared"] += len(frames)
            said = Counter(_said(frame) for frame in frames)
            ids = {row[0] for row in log.execute("SELECT id FROM messages WHERE project=?", (key,))}
            for message_id, at in self._acked[name].items():
                if at in (epoch, POSTED):
                    assert message_id in ids, f"{message_id} was acked and is not in the log"
                    assert said[f"What can I ask? ({message_id})"] == 1, message_id
                    self.count["acked messages found once"] += 1
            if name == POSTED:
                del said[None]
                assert set(said.values()) == {1}, said.most_common(3)
                assert len(said) == 1 + len(self._acked[POSTED])
        log.close()


def _said(frame: bytes) -> str | None:
    payload = json.loads(frame)["event"]["payload"]
    text: str | None = payload["text"] if payload.get("source") == "user" else None
    return text
