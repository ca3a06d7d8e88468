"""What a worker process does with what it is sent, and how it begins."""

import asyncio
import contextlib
import io
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from jupyter_pipeline.protocol.jobs import Finish
from jupyter_pipeline.workers.custom_command_process import describe_commands
from jupyter_pipeline.workers.main import Outlet
from jupyter_pipeline.workers.process import WorkerProcess


def test_who_is_asked_to_finish_before_it_begins_does_and_the_next_one_does_not() -> None:
    outlet = Outlet(io.BytesIO())
    outlet.given(7)
    outlet.finish(Finish(attempt=7))  # the worker is still getting ready
    outlet.begin(7, "TRAIN")
    assert outlet.finish_requested()
    outlet.finish(Finish(attempt=7))  # it has just come to its end by itself
    outlet.given(8)
    outlet.begin(8, "TRAIN")
    assert not outlet.finish_requested()
    outlet.finish(Finish(attempt=7))
    assert not outlet.finish_requested()


@pytest.fixture
def many_files() -> Iterator[None]:
    """So many open files as a server with a thousand sockets has: further ones have higher numbers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    with contextlib.ExitStack() as stack:
        for _ in range(1100):
            stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_workers_and_commands_begin_also_in_a_server_with_many_open_files(many_files: None) -> None:
    async def begin() -> str:
        heard: asyncio.Queue[str] = asyncio.Queue()
        worker = WorkerProcess(lambda *_: heard.put_nowait("ready"), lambda *_: heard.put_nowait("ended"))
        async with asyncio.timeout(120):
            first = await heard.get()
            await worker.end(0.0)
        return first

    assert asyncio.run(begin()) == "ready"
    (described,) = describe_commands([("absent", "no_such_module:f")], 60.0, threading.Event())
    assert described.error == "ModuleNotFoundError: No module named 'no_such_module'"


@pytest.mark.parametrize("last", [b"", b'{"type":"stage","attempt":1,"some":"other version\'s"}\n'])
def test_a_worker_without_a_guard_ends_with_its_server(last: bytes) -> None:
    """As on Windows; and where the server is of another version, as the package was exchanged while it ran."""
    argv = [sys.executable, "-m", "jupyter_pipeline.workers.main", "-1"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        try:
            assert worker.stdin is not None
            assert worker.stdout is not None
            assert b'"pid"' in worker.stdout.readline()
            worker.stdin.write(last)
            worker.stdin.flush()
            if not last:
                worker.stdin.close()
            assert worker.wait(30) == 1
        finally:
            worker.kill()
