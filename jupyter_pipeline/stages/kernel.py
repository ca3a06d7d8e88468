"""Executes a notebook in a fresh kernel of this Python, inside the worker's process group.

Jupyter starts kernels in a session of their own; then a cancelled stage would leave its kernel behind. Here the
kernel stays in the group of the worker and ends with it. It needs no registered kernel and leaves the person's
IPython profile and history alone.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
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


def execute(notebook: Any, folder: Path, timeout_s: float, env: dict[str, str] | None = None) -> None:
    """Run all cells, in order, and keep their outputs in the notebook.

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

    Raises
    ------
    NotebookFailed
        With the cell's error, when a cell fails or takes too long.
    """
    failure: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(_execute(notebook, folder, timeout_s, env or {}))
        except BaseException as error:
            failure.append(error)

    # In a thread, so that nbclient takes no signal handlers: a cancelled worker must end at SIGTERM.
    thread = threading.Thread(target=run, name="notebook")
    thread.start()
    thread.join()
    if not failure:
        return
    error = failure[0]
    if isinstance(error, CellExecutionError):
        raise NotebookFailed(f"{error.ename}: {error.evalue}") from error
    if isinstance(error, CellTimeoutError):
        raise NotebookFailed(f"a cell took longer than {timeout_s:.0f} seconds") from error
    if isinstance(error, DeadKernelError):
        raise NotebookFailed("the kernel ended, probably for want of memory") from error
    raise error


async def _execute(notebook: Any, folder: Path, timeout_s: float, env: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix="jupyter-pipeline-") as scratch:
        specs = _ThisPython()
        manager = AsyncKernelManager(
            kernel_name=KERNEL, kernel_spec_manager=specs, connection_file=str(Path(scratch) / "kernel.json")
        )
        manager.provisioner = _InGroup(kernel_id="notebook", kernel_spec=specs.get_kernel_spec(KERNEL), parent=manager)
        client = NotebookClient(
            notebook, km=manager, timeout=timeout_s, kernel_name=KERNEL, resources={"metadata": {"path": str(folder)}}
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
