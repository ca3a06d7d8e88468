"""The servers that ``fanout.py`` measures: ours, and three that broadcast without a log.

Each announces ``PORT=…`` on its standard output and then takes orders there, one a line: ``burst N`` (publish N events
as fast as they go out) and ``paced N RATE`` (RATE events a second). It answers each with one JSON line: what it
published in what time, and the CPU seconds of the process. Every event has the sender's clock in ``value``.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

PAYLOAD = {"run_id": "run_123", "name": "loss", "split": "train", "step": 1, "value": 0.0, "source": "measured"}
TURN = 64
"""Events that a server without backpressure of its own publishes before it waits for its sockets; of a worker's, those
that ours is given together (the reader of its pipe gives it those that came meanwhile: several hundred of a burst)."""

Send = Callable[[str], Awaitable[None]]


def event(seq: int) -> str:
    """An event as the servers without a log make it: the same frame as ours."""
    now = time.time()
    return (
        (
            '{"v":1,"type":"EVENT","project_id":"bench","seq":SEQ,"ts":MS,"stage":{"id":"TRAIN","index":5,'
            '"status":"IN_PROGRESS"},"event":{"name":"METRIC_SCALAR","payload":{"run_id":"run_123","name":"loss",'
            '"split":"train","step":1,"value":NOW,"source":"measured"}}}'
        )
        .replace("SEQ", str(seq))
        .replace("MS", str(int(now * 1000)))
        .replace("NOW", repr(now))
    )


async def orders(burst: Callable[[int], Awaitable[None]], one: Callable[[], Awaitable[None]]) -> None:
    """Carry out what is ordered, until the standard input ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().split():
        count = int(line[1])
        cpu, start = time.process_time(), time.perf_counter()
        if line[0] == "burst":
            await burst(count)
        else:
            rate = float(line[2])
            for n in range(count):
                await one()
                await asyncio.sleep(max(0.0, start + (n + 1) / rate - time.perf_counter()))
        took = time.perf_counter() - start
        print(json.dumps({"events": count, "s": took, "cpu_s": time.process_time() - cpu}), flush=True)


# -- without a log -----------------------------------------------------------------------------------------


async def tornado_server(cut: bool) -> None:
    """A bare Tornado handler: ``write_message`` of one JSON string, with ``cut`` one frame written to every stream."""
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets
    from tornado.web import Application
    from tornado.websocket import WebSocketHandler

    from jupyter_pipeline.server.framing import text_frames

    clients: list[Any] = []
    seq = 0

    class Handler(WebSocketHandler):
        def open(self, *args: str, **kwargs: str) -> None:
            self.set_nodelay(True)
            clients.append(self)

        def on_close(self) -> None:
            clients.remove(self)

        def on_message(self, message: str | bytes) -> None:
            self.write_message('{"type":"pong"}')

    def publish() -> list[Any]:
        nonlocal seq
        seq += 1
        text = event(seq)
        if cut:
            frame = text_frames([text.encode()])
            return [client.ws_connection.stream.write(frame) for client in clients]
        return [client.write_message(text) for client in clients]

    async def burst(count: int) -> None:
        for n in range(count):
            waiting = publish()
            if n % TURN == TURN - 1 or n == count - 1:
                await asyncio.gather(*waiting)

    async def one() -> None:
        await asyncio.gather(*publish())

    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(Application([("/.*", Handler)])).add_sockets(sockets)
    print(f"PORT={sockets[0].getsockname()[1]}", flush=True)
    await orders(burst, one)


async def fastapi_server() -> None:
    """FastAPI on uvicorn, broadcasting with ``send_text``; on the event loop that runs this."""
    import socket

    import uvicorn
    from fastapi import FastAPI, WebSocket, WebSocketDisconnect

    app = FastAPI()
    clients: list[WebSocket] = []
    seq = 0

    @app.websocket("/{path:path}")
    async def endpoint(websocket: WebSocket, path: str) -> None:
        await websocket.accept()
        clients.append(websocket)
        try:
            while True:
                await websocket.receive_text()
                await websocket.send_text('{"type":"pong"}')
        except WebSocketDisconnect:
            clients.remove(websocket)

    async def one() -> None:
        nonlocal seq
        seq += 1
        text = event(seq)
        for client in clients:
            await client.send_text(text)

    async def burst(count: int) -> None:
        for n in range(count):
            await one()
            if n % TURN == 0:
                await asyncio.sleep(0)

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", ws_ping_interval=None)
    serving = asyncio.create_task(uvicorn.Server(config).serve(sockets=[listening]))
    print(f"PORT={listening.getsockname()[1]}", flush=True)
    await orders(burst, one)
    serving.cancel()


# -- ours --------------------------------------------------------------------------------------------------

EXTENSION = """
import fanout_server


def _jupyter_server_extension_points():
    return [{"module": "fanout_extension"}]


def _load_jupyter_server_extension(serverapp):
    pass


async def _start_jupyter_server_extension(serverapp):
    fanout_server.publish_in(serverapp)
"""


class Worker:
    """In the place of a worker process, which would need the core that the client has. It only has the number of the
    attempt whose lines the benchmark hands over; the rest of their way, from there on, is the real one."""

    def __init__(self, number: int) -> None:
        self.number = number

    async def end(self, grace: float) -> None: ...

    async def finish(self) -> None: ...

    def hold(self, held: bool) -> None: ...


def publish_in(serverapp: Any) -> None:
    """Take orders inside a Jupyter server that has our extension."""
    # The loop keeps no task alive that waits; the server does.
    serverapp.fanout = asyncio.get_running_loop().create_task(_ours(serverapp))


async def _ours(serverapp: Any) -> None:
    import msgspec

    from jupyter_pipeline.protocol.jobs import Emitted

    (app,) = serverapp.extension_manager.extension_apps["jupyter_pipeline"]
    while app.service.problem is not None:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    project = await app.service.manager.open("bench")
    # The server takes up the training of the log with a worker; that one leaves its place.
    work = project._conductor._work
    while work._attempt is None:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    worker = Worker(work._attempt.number)
    await work._attempt.end(0.0)
    work._attempt = worker
    started = {"run_id": PAYLOAD["run_id"], "model_id": "m", "metric_primary": "f1", "config": {}}
    work._said(
        [Emitted(attempt=worker.number, name="TRAIN_RUN_STARTED", payload=msgspec.Raw(msgspec.json.encode(started)))]
    )

    def publish(count: int) -> None:
        """As the reader of a worker's pipe: what has been read is handed over together."""
        lines = []
        for _ in range(count):
            payload = msgspec.json.encode({**PAYLOAD, "value": time.time()})
            lines.append(Emitted(attempt=worker.number, name="METRIC_SCALAR", payload=msgspec.Raw(payload)))
        work._said(lines)

    async def burst(count: int) -> None:
        cursor = project.follow(project.seq)
        start, head = project.seq, project.seq + count
        for done in range(0, count, TURN):
            publish(min(TURN, count - done))
            while done + TURN - (cursor.position - start) >= 2048:
                await cursor.next()
        while cursor.position < head:
            await cursor.next()

    async def one() -> None:
        publish(1)

    await orders(burst, one)
    # The stand-in leaves before the server ends what runs.
    work._attempt = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("tornado", "tornado_cut", "fastapi", "fastapi_uvloop"))
    match parser.parse_args().kind:
        case "fastapi":
            asyncio.run(fastapi_server())
        case "fastapi_uvloop":
            import uvloop

            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(fastapi_server())
        case kind:
            asyncio.run(tornado_server(kind == "tornado_cut"))


if __name__ == "__main__":
    main()
