"""A real Jupyter server process that a test may kill, and an empty place for everything that Jupyter keeps."""

import contextlib
import http.client
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ..processes import Forked, begin, free_port

TOKEN = "token-of-the-client-tests"
BASE_URL = "/a%40b/"


def answers(port: int, base_url: str, token: str) -> bool:
    """Whether a server is there and has loaded the pipeline."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", f"{base_url}api/projects", headers={"Authorization": f"token {token}"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


class ServerProcess:
    """A Jupyter server with the extension; start it again after a kill, on the same port and folder."""

    def __init__(self, root: Path, runtime: Path, start: "Callable[..., subprocess.Popen[bytes] | Forked]") -> None:
        self.root = root
        self._start = start
        self.runtime = runtime
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}{BASE_URL}"
        self.log = root.parent / f"server-{self.port}.log"
        self.process: subprocess.Popen[bytes] | Forked | None = None

    def start(self) -> None:
        args = [
            *("--no-browser", "--allow-root", "--ip=127.0.0.1"),
            *(f"--port={self.port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={self.root}"),
            *(f"--ServerApp.base_url={BASE_URL}", f"--IdentityProvider.token={TOKEN}"),
            "--ServerApp.jpserver_extensions={'jupyter_pipeline': True}",
        ]
        env = {**os.environ, "JUPYTER_RUNTIME_DIR": str(self.runtime), "OMP_NUM_THREADS": "1"}
        for name in ("JUPYTER_PIPELINE_URL", "JUPYTER_PIPELINE_TICKET", "JPY_PARENT_PID", "JUPYTER_TOKEN"):
            env.pop(name, None)
        self.process = self._start("jupyter_server", args, env, self.log)
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and self.process.poll() is None:
            if answers(self.port, BASE_URL, TOKEN):
                return
            time.sleep(0.05)
        self.stop()
        raise AssertionError(f"The server did not start:\n{self.log.read_text()[:3000]}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The server that most tests share."""
    folder = tmp_path_factory.mktemp("live")
    (folder / "root").mkdir()
    server = ServerProcess(folder / "root", folder / "runtime", begin)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _other_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("own")
    (folder / "root").mkdir()
    server = ServerProcess(folder / "root", folder / "runtime", Forked)
    yield server
    server.stop()


@pytest.fixture
def own_server(_other_server: ServerProcess) -> ServerProcess:
    """A server that a test may kill; it runs when the test begins."""
    if _other_server.process is None:
        _other_server.start()
    return _other_server
