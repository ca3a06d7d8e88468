"""Jupyter server processes that start in a fraction of a second, and ports for them.

A server's own process spends almost all of its start on importing Jupyter. Here one process (of each process that runs
tests) imports it once, and every server is a fork of it: a process of its own, with its own command line arguments,
environment and log, that runs ``python -m jupyter_server`` from there on. This package is not imported before the fork.
"""

import atexit
import contextlib
import multiprocessing
import os
import runpy
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

#: Below those that the system gives to outgoing connections, which might take the port of a server that is down.
_PORTS = range(20_000, 32_000)
_CONTEXT = multiprocessing.get_context("forkserver")
#: What a server has imported, this package's own modules left out, once it answers; what is not there is passed over.
_CONTEXT.set_forkserver_preload(
    [
        "jupyter_server.serverapp", "jupyterlab.labapp", "notebook.app", "jupyter_lsp.serverextension",
        "jupyter_server_terminals.app", "jupyter_server.kernelspecs.handlers", "jupyter_server.nbconvert.handlers",
        "jupyter_server.services.contents.handlers", "jupyter_server.services.events.handlers",
        "jupyter_server.services.sessions.handlers", "IPython.core.interactiveshell", "httpcore", "jsonpatch",
        "msgspec", "prometheus_client.core", "psutil",
    ]
)  # fmt: skip


def free_port() -> int:
    """A port for a server that will be started, and perhaps again; no other process that runs tests is given it."""
    part = len(_PORTS) // 12
    mine = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 12 * part
    while True:
        port = _PORTS[mine + secrets.randbelow(part)]
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port


class Forked:
    """A server's process; what tests ask of it is named as in :class:`subprocess.Popen`.

    Parameters
    ----------
    module : str
        What is run, as by ``python -m``.
    args : sequence of str
        Arguments of the command line.
    env : mapping
        The whole environment.
    log : Path
        What it prints is added to this file.
    """

    def __init__(self, module: str, args: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        # A daemon in the sense of multiprocessing: it does not outlive the tests.
        self._process = _CONTEXT.Process(target=_serve, args=(module, list(args), dict(env), str(log)), daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("a forked server", timeout or 0.0)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it is at its end."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.send_signal(signal.SIGKILL)


def begin(
    module: str, args: Sequence[str], env: Mapping[str, str], log: Path, prefix: Sequence[str] = ()
) -> "subprocess.Popen[bytes]":
    """Start it as a user does."""
    with log.open("ab") as said:
        command = [*prefix, sys.executable, "-m", module, *args]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=dict(env))


def _serve(module: str, args: list[str], env: dict[str, str], log: str) -> None:
    os.environ.clear()
    os.environ.update(env)
    for number, path, flags in ((0, os.devnull, os.O_RDONLY), (1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)):
        file = os.open(path, flags, 0o644)
        os.dup2(file, number)
        os.close(file)
    os.dup2(1, 2)
    sys.argv = [module, *args]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()  # which multiprocessing leaves out
