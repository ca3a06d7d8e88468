"""Executes a notebook in a fresh kernel of this Python, inside the worker's process group.

Jupyter starts kernels in a session of their own; then a cancelled stage would leave its kernel behind. Here the
kernel stays in the group of the worker and ends with it. It needs no registered kernel and leaves the person's
IPython profile and history alone.
"""

import asyncio
import math
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

KERNEL = "python3"


class NotebookFailed(Exception):
    """The notebook did not run to its end; the message is for the person."""


class _ThisPython(KernelSpecManager):  # type: ignore[misc, unused-ignore]
    """Knows one kernel: this interpreter, whatever is registered on the machine."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        argv += ["--HistoryManager.enabled=False"]
        return KernelSpec(argv=argv, display_name="Python 3 (ipykernel)", language="python", name=kernel_name)


class _InGroup(LocalProvisioner):  # type: ignore[misc, unused-ignore]
    """Starts the kernel in the process group of its parent, and signals the kernel only."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        null = subprocess.DEVNULL
        env = {**kwargs.get("env", os.environ), "JPY_PARENT_PID": str(os.getpid())}
        self.process = subprocess.Popen(cmd, cwd=kwargs.get("cwd"), env=env, stdin=null, stdout=null, stderr=null)  # noqa: ASYNC220
        self.pid, self.pgid = self.process.pid, None
        return self.connection_info


class Execution:
    """A notebook that is being run in a thread of its own, all cells in order; it keeps their outputs.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Changed in place.
    folder : Path
        Working directory of the kernel.
    timeout_s : float
        How long one cell may take, in seconds.
    env : dict of str, optional
        Variables for the kernel beside those of this process.
    gate : threading.Event, optional
        The last cell is not run before it is set.
    begins : callable, optional
        Called in that thread with the index of each cell that begins.
    """

    def __init__(
        self,
        notebook: Any,
        folder: Path,
        timeout_s: float,
        env: dict[str, str] | None = None,
        gate: threading.Event | None = None,
        begins: Callable[[int], None] | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._failure: BaseException | None = None
        self._stop = threading.Event()
        # In a thread, so that nbclient takes no signal handlers: a cancelled worker must end at SIGTERM.
        self._thread = threading.Thread(
            target=self._run, args=(notebook, folder, env or {}, gate, begins), name="notebook", daemon=True
        )
        self._thread.start()

    def _run(
        self,
        notebook: Any,
        folder: Path,
        env: dict[str, str],
        gate: threading.Event | None,
        begins: Callable[[int], None] | None,
    ) -> None:
        try:
            asyncio.run(self._until_stopped(_execute(notebook, folder, self._timeout_s, env, gate, begins)))
        except BaseException as error:
            self._failure = error

    async def _until_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        while not (await asyncio.wait([task], timeout=0.1))[0]:
            if self._stop.is_set():
                task.cancel()
                break
        await task

    def stop(self) -> None:
        """End the kernel, if it still runs, and wait until it is gone."""
        self._stop.set()
        self._thread.join()

    def result(self) -> None:
        """Wait until all cells were run.

        Raises
        ------
        NotebookFailed
            With the cell's error, when a cell fails or takes too long.
        """
        self._thread.join()
        error = self._failure
        if error is None:
            return
        if isinstance(error, CellExecutionError):
            raise NotebookFailed(f"{error.ename}: {error.evalue}") from error
        if isinstance(error, CellTimeoutError):
            raise NotebookFailed(f"a cell took longer than {self._timeout_s:.0f} seconds") from error
        if isinstance(error, DeadKernelError):
            raise NotebookFailed("the kernel ended, probably for want of memory") from error
        raise error


async def _execute(
    notebook: Any,
    folder: Path,
    timeout_s: float,
    env: dict[str, str],
    gate: threading.Event | None,
    begins: Callable[[int], None] | None,
) -> None:
    async def begin(cell: Any, cell_index: int) -> None:
        if begins is not None:
            begins(cell_index)
        last = cell_index == len(notebook.cells) - 1
        while gate is not None and last and not gate.is_set():  # noqa: ASYNC110, it is set by another thread
            await asyncio.sleep(0.02)

    with tempfile.TemporaryDirectory(prefix="jupyter-pipeline-") as scratch:
        specs = _ThisPython()
        manager = AsyncKernelManager(
            kernel_name=KERNEL, kernel_spec_manager=specs, connection_file=str(Path(scratch) / "kernel.json")
        )
        manager.provisioner = _InGroup(kernel_id="notebook", kernel_spec=specs.get_kernel_spec(KERNEL), parent=manager)
        client = NotebookClient(
            notebook,
            km=manager,
            timeout=math.ceil(timeout_s),
            kernel_name=KERNEL,
            on_cell_start=begin,
            coalesce_streams=True,  # what a kernel sends in pieces is one output
            resources={"metadata": {"path": str(folder)}},
        )
        variables = {
            **os.environ,
            **env,
            "IPYTHONDIR": scratch,
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        }
        try:
            await client.async_execute(env=variables, cleanup_kc=True)
        finally:
            if manager.has_kernel:
                await manager.shutdown_kernel(now=True)
