"""A Jupyter server in a process of its own, for the benchmarks that measure one."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

TOKEN = "benchmark"


@dataclass
class Server:
    """A running server."""

    port: int
    process: psutil.Process
    ready_s: float
    child: "subprocess.Popen[bytes]"

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and body of an answer; a body that is no bytes goes as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
            connection.request(method, "/" + path, data, {"Authorization": f"token {TOKEN}"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


@contextlib.contextmanager
def running(
    folder: Path, *args: str, ready: str = "api/status", env: dict[str, str] | None = None, orders: bool = False
) -> Iterator[Server]:
    """Start a server, wait until ``ready`` answers 200, and stop it at the end; with ``orders`` its standard input
    and output are pipes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    root = folder / "root"
    root.mkdir(exist_ok=True)
    places = {f"JUPYTER_{kind}_DIR": str(folder / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    command = [
        sys.executable, "-m", "jupyter_server", f"--port={port}", "--ip=127.0.0.1", "--no-browser", "--allow-root",
        f"--ServerApp.root_dir={root}", f"--IdentityProvider.token={TOKEN}", *args,
    ]  # fmt: skip
    started = time.perf_counter()
    with (folder / "server.log").open("wb") as log:
        child = subprocess.Popen(
            command,
            stdout=subprocess.PIPE if orders else log,
            stderr=log,
            stdin=subprocess.PIPE if orders else subprocess.DEVNULL,
            env={**os.environ, **places, **(env or {})},
        )
    try:
        server = Server(port, psutil.Process(child.pid), 0.0, child)
        while True:
            with contextlib.suppress(OSError):
                if server.request("GET", ready)[0] == 200:
                    break
            if child.poll() is not None or time.perf_counter() - started > 120:
                raise SystemExit(f"The server did not start:\n{(folder / 'server.log').read_text()[-3000:]}")
            time.sleep(0.02)
        server.ready_s = time.perf_counter() - started
        yield server
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
