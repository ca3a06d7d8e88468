"""A project through the kernel, for browsers that cannot reach the server themselves (VS Code, Colab, embedded mode).

The browser says where it is, and gets the events after that, at most four times a second. What is sent to a kernel
without a browser waits in the server's memory, so as long as nobody answers it gets slow instead of a flood.
"""

import contextlib
import contextvars
import queue
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

from .. import __version__
from ..protocol.connecting import OVERTAKEN
from ..protocol.dependencies import RULES
from ..protocol.frames import PROTOCOL_VERSION
from .errors import PipelineError

if TYPE_CHECKING:
    from .pipeline import Pipeline

INTERVAL_S = 0.25
SLOW_S = 5.0
"""Seconds between two batches while the browser does not answer, as while a cell runs that takes no messages."""
WINDOW_BYTES = 1 << 20
"""Bytes that may be on the way, unanswered, before it gets slow."""
FORGET_S = 3600.0
"""Seconds after which a browser that says nothing is forgotten."""
BATCH_EVENTS, BATCH_BYTES = 1000, 128 << 10
PAGE_EVENTS, PAGE_BYTES = 2500, 1 << 20
"""Of the past, which a browser asks for page by page: the way there and back takes longer than the page."""
PIECE = 1 << 20
"""Bytes of an asset in one message."""
MAX_ASSET = 64 << 20

Send = Callable[[dict[str, Any], list[bytes]], object]


@dataclass
class _Browser:
    """One view that is fed: its place in the log, and what it has not acknowledged."""

    cursor: int
    heard: float
    unanswered: int = 0
    sent: float = 0.0
    status: str = ""


class Relay:
    """Feeds the views of one widget.

    Parameters
    ----------
    pipeline : Pipeline
        Whose events are sent, and who sends the messages.
    send : callable
        Sends a message and its binary buffers to the browsers.
    """

    def __init__(self, pipeline: "Pipeline", send: Send) -> None:
        self._project_id, self._model, self._transport = pipeline.project_id, pipeline.model, pipeline.transport
        self._pipeline = weakref.ref(pipeline)
        # While browsers are fed they need the connection, so the pipeline lives on without anybody who names it.
        self._kept: Pipeline | None = None
        self._send = send
        self._browsers: dict[str, _Browser] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = False
        self._outgoing: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._uploads: dict[str, Path] = {}
        self._unobserve: Callable[[], None] | None = None

    @property
    def active(self) -> bool:
        """Whether some browser is fed."""
        return bool(self._browsers)

    def stop(self) -> None:
        """Feed nobody any more."""
        self._stopped = True
        self._kept = None
        if self._unobserve is not None:
            self._unobserve()
        self._outgoing.put(None)
        self._wake.set()
        for path in self._uploads.values():
            path.unlink(missing_ok=True)

    def busy(self, busy: bool) -> None:
        """Say whether a cell runs, during which the kernel takes no messages."""
        if self.active:
            self._send({"kind": "busy", "busy": busy}, [])

    def _keep(self) -> None:
        """Keep the pipeline while there is a browser to feed."""
        self._kept = self._pipeline() if self._browsers and not self._stopped else None

    # -- what a browser says -----------------------------------------------------------------------------------

    def receive(self, content: dict[str, Any], buffers: list[Any]) -> None:
        """Take a message; one that makes no sense is left out, as it cannot come from our own view."""
        kind, name = content.get("kind"), content.get("client")
        if not isinstance(name, str) or self._stopped:
            return
        browser = self._browsers.get(name)
        if browser is not None:
            browser.heard = time.monotonic()
        if kind == "start":
            self._start(name, content)
        elif kind == "ack" and browser is not None:
            browser.unanswered = 0
            self._wake.set()
        elif kind == "stop":
            with self._lock:
                self._browsers.pop(name, None)
                self._keep()
        elif kind == "send" and isinstance(message := content.get("message"), dict) and "type" in message:
            self._outgoing.put(lambda: self._pass_on(name, message))
        elif kind == "call":
            self._thread(lambda: self._call(name, content, buffers), "call")

    def _start(self, name: str, content: dict[str, Any]) -> None:
        model = self._model
        with model.lock:
            epoch, seq, hello = model.epoch, model.seq, model.hello_payload
        since = content.get("since")
        resumed = content.get("epoch") == epoch and isinstance(since, int) and 0 <= since <= seq
        now = int(time.time() * 1000)
        payload = {
            "message": f"Connected to the project {self._project_id} through the kernel.",
            "server_version": __version__,
            "server_time": now,
            "stages": msgspec.to_builtins(tuple(RULES.values())),
            **hello,
            "project_id": self._project_id,
            "epoch": epoch,
            "seq": seq,
            "resumed": resumed,
        }
        frame = {
            "v": PROTOCOL_VERSION, "type": "EVENT", "project_id": self._project_id, "seq": seq, "ts": now,
            "stage": self._stage(), "event": {"name": "HELLO", "payload": payload}, "ephemeral": True,
        }  # fmt: skip
        with self._lock:
            self._browsers[name] = _Browser(since if resumed and isinstance(since, int) else 0, time.monotonic())
            self._keep()
            first = self._unobserve is None
            if first:
                self._unobserve = model.observe(self._wake.set)
        self._send({"kind": "hello", "client": name, "frame": frame}, [])
        if first:
            self._thread(self._feed, "relay")
            self._thread(self._work, "relay messages")
        self._wake.set()

    def _stage(self) -> dict[str, Any]:
        model = self._model
        with model.lock:
            return {
                "id": model.current.value,
                "index": model.current.order,
                "status": model.stages[model.current].status.value,
            }

    # -- events ------------------------------------------------------------------------------------------------

    def _feed(self) -> None:
        while not self._stopped:
            self._wake.wait(SLOW_S)
            self._wake.clear()
            now = time.monotonic()
            with self._lock:
                for name, browser in list(self._browsers.items()):
                    if now - browser.heard > FORGET_S:
                        del self._browsers[name]
                self._keep()
                browsers = list(self._browsers.items())
            for name, browser in browsers:
                try:
                    if self._feed_one(name, browser, now):
                        self._wake.set()  # there is more
                except PipelineError:
                    self._wake.set()  # a cut; the client mends itself, and the cursor has not moved
            time.sleep(INTERVAL_S)

    def _feed_one(self, name: str, browser: _Browser, now: float) -> bool:
        model = self._model
        status = {"connected": "open", "closed": "closed"}.get(model.connection, "reconnecting")
        if status != browser.status:
            browser.status = status
            told = "deleted" if model.deleted else status
            self._send({"kind": "status", "client": name, "status": told, "reason": model.reason}, [])
        if status != "open" or browser.cursor >= model.seq:
            return False
        if browser.unanswered > WINDOW_BYTES and now - browser.sent < SLOW_S:
            return False
        events = self._transport.events(browser.cursor, BATCH_EVENTS)
        if not events:
            return False
        frames, size, last = _batch(events, BATCH_BYTES)
        browser.cursor = last
        browser.unanswered += size
        browser.sent = now
        self._send({"kind": "events", "client": name, "frames": frames}, [])
        return last < model.seq

    # -- messages and calls ------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (act := self._outgoing.get()) is not None:
            act()

    def _pass_on(self, name: str, message: dict[str, Any]) -> None:
        message_id = message.get("id")
        try:
            self._transport.send({key: value for key, value in message.items() if key != "id"})
        except PipelineError as error:
            frame = {"type": "error", "message": str(error), "code": error.code or "", "id": message_id}
            self._send({"kind": "error", "client": name, "frame": {**frame, "original_message": message}}, [])
        else:
            self._send({"kind": "sent", "client": name, "id": message_id}, [])

    def _call(self, name: str, content: dict[str, Any], buffers: list[Any]) -> None:
        answer = {"kind": "result", "client": name, "id": content.get("id")}
        args = content.get("args") or {}
        try:
            method = content.get("method")
            if method == "state":
                self._send({**answer, "value": self._state()}, [])
            elif method == "events":
                self._send({**answer, "value": self._page(int(args["since"]), int(args["limit"]))}, [])
            elif method == "predict":
                self._send({**answer, "value": self._transport.predict(list(args["rows"]))}, [])
            elif method == "asset":
                self._asset(answer, str(args["url"]))
            elif method == "upload":
                self._send({**answer, "value": self._upload(args, buffers)}, [])
            else:
                self._send({**answer, "error": f"There is no call {method!r}."}, [])
        except PipelineError as error:
            self._send({**answer, "error": str(error)}, [])
        except Exception as error:  # whatever it is, the view must not wait for ever
            self._send({**answer, "error": f"{type(error).__name__}: {error}"}, [])

    def _state(self) -> dict[str, Any]:
        """The project's state, once all that led to it has come here: the view goes on from there."""
        state, heard = self._transport.snapshot(), threading.Event()
        unobserve = self._model.observe(heard.set)
        try:
            while self._model.seq < state["seq"] and not self._stopped:
                heard.wait(SLOW_S)
                heard.clear()
        finally:
            unobserve()
        return state

    def _page(self, since: int, limit: int) -> dict[str, Any]:
        epoch = self._model.epoch
        events = self._transport.events(since, min(limit, PAGE_EVENTS))
        frames, _, last = _batch(events, PAGE_BYTES) if events else ([], 0, since)
        return {"epoch": epoch, "events": frames, "next": last}

    def _asset(self, answer: dict[str, Any], url: str) -> None:
        pieces: list[bytes] = []
        size = 0

        def write(piece: bytes) -> None:
            nonlocal size
            size += len(piece)
            if size > MAX_ASSET:
                raise PipelineError("The file is too large for this notebook; p.download() saves it.")
            pieces.append(bytes(piece))

        self._transport.download(unquote(url.split("?")[0].rsplit("/", 1)[-1]), write)
        data = b"".join(pieces)
        for start in range(0, max(1, len(data)), PIECE):
            more = start + PIECE < len(data)
            self._send({**answer, "more": more}, [data[start : start + PIECE]])

    def _upload(self, args: dict[str, Any], buffers: list[Any]) -> Any:
        """Take a piece of a file; with the last one, give the file to the project."""
        key = str(args["upload"])
        with self._lock:
            if key not in self._uploads:
                with tempfile.NamedTemporaryFile(delete=False, prefix="jupyter-pipeline-") as file:
                    self._uploads[key] = Path(file.name)
            path = self._uploads[key]
        with path.open("ab") as file:
            for buffer in buffers:
                file.write(bytes(buffer))
        if not args.get("last"):
            return None
        try:
            return {"dataset": self._transport.upload(path, str(args["name"]))}
        finally:
            self._uploads.pop(key, None)
            with contextlib.suppress(OSError):
                path.unlink()

    def _thread(self, run: Callable[[], None], what: str) -> None:
        # With the context of the cell that shows it, so that nothing lands in another cell's output.
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(run,), name=f"jupyter_pipeline {what}", daemon=True).start()


def _batch(events: list[dict[str, Any]], most: int) -> tuple[list[dict[str, Any]], int, int]:
    """The events of one message, its bytes, and where the next begins; of a run's progress the latest is enough."""
    latest = {_progress_of(frame): frame["seq"] for frame in events}
    frames: list[dict[str, Any]] = []
    size, last = 0, 0
    for frame in events:
        last = frame["seq"]
        key = _progress_of(frame)
        if key is not None and latest[key] != frame["seq"]:
            continue
        frames.append(frame)
        size += len(msgspec.json.encode(frame))
        if size > most:
            break
    return frames, size, last


def _progress_of(frame: dict[str, Any]) -> tuple[str, str] | None:
    name = frame["event"]["name"]
    return (name, str(frame["event"]["payload"].get("run_id"))) if name in OVERTAKEN else None
