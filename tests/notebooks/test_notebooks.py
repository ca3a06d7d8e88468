"""The notebooks for users, executed from the first cell to the last: against a real server, and embedded."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbclient
import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NAMES = ("quickstart", "binary", "multiclass", "regression")
TOKEN = "token-of-the-notebook-tests"
VARIABLES = ("JUPYTER_PIPELINE_URL", "JUPYTER_PIPELINE_TICKET", "JUPYTERHUB_SERVICE_URL", "JPY_PARENT_PID")

# nbclient's kernel client and IPython's own parts are not what is tested here.
pytestmark = pytest.mark.filterwarnings("default")


def answers(port: int) -> bool:
    """Whether a server is there and has loaded the pipeline."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/api/projects", headers={"Authorization": f"token {TOKEN}"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A server's process id and runtime folder: what a kernel needs to find it."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "root").mkdir()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"),
        *("--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder / 'root'}", f"--IdentityProvider.token={TOKEN}"),
        "--ServerApp.jpserver_extensions={'jupyter_pipeline': True}",
    ]
    env = {key: value for key, value in os.environ.items() if key not in VARIABLES}
    env["JUPYTER_RUNTIME_DIR"] = str(folder / "runtime")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
    try:
        deadline = time.monotonic() + 60
        while not answers(port):
            assert process.poll() is None, (folder / "log").read_text()[-3000:]
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield process.pid, folder / "runtime"
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Executed:
    """All notebooks, two at a time: most of a notebook's time is waiting, for a kernel and for workers to start."""

    def __init__(self, folder: Path) -> None:
        self.folders = {name: folder / name for name in NAMES}
        self._pool = ThreadPoolExecutor(2)
        for place in self.folders.values():
            place.mkdir()
        self._done = {name: self._pool.submit(execute, name, place) for name, place in self.folders.items()}

    def __getitem__(self, name: str) -> nbformat.NotebookNode:
        return self._done[name].result()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def execute(name: str, folder: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(folder)}})
    client.execute()
    return notebook


def check(notebook: nbformat.NotebookNode, name: str) -> None:
    """The job is done, and the saved notebook shows it without a live widget."""
    pages = [
        output["data"]["text/html"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.get("data", {}).get("text/plain", "").startswith("Pipeline ")
    ]
    assert len(pages) == 1
    assert "Everything is done." in pages[0]
    assert "★" in pages[0]
    assert "<svg" in pages[0]
    printed = "".join(
        output["text"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "stream"
    )
    assert "EXPORT: " in printed
    assert "Traceback" not in printed
    last = [cell for cell in notebook.cells if "p.predict(" in cell.source][-1]
    assert "prediction" in last.outputs[-1]["data"]["text/html"]
    assert notebook.cells[0].source.startswith("# "), name


@pytest.fixture(scope="class")
def environment() -> Iterator[pytest.MonkeyPatch]:
    """What the kernels of a class inherit."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in (*VARIABLES, "JUPYTER_PIPELINE_EMBEDDED"):
            patch.delenv(variable, raising=False)
        yield patch


class TestAgainstAServer:
    @pytest.fixture(scope="class")
    def executed(
        self, server: tuple[int, Path], environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[Executed]:
        pid, runtime = server
        environment.setenv("JPY_PARENT_PID", str(pid))
        environment.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
        notebooks = Executed(tmp_path_factory.mktemp("served"))
        yield notebooks
        notebooks.close()

    @pytest.mark.parametrize("name", NAMES)
    def test_it_comes_to_its_end(self, name: str, executed: Executed) -> None:
        check(executed[name], name)
        assert not (executed.folders[name] / "pipelines").exists()


class TestEmbedded:
    @pytest.fixture(scope="class")
    def executed(self, environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executed]:
        environment.setenv("JUPYTER_PIPELINE_EMBEDDED", "1")
        notebooks = Executed(tmp_path_factory.mktemp("embedded"))
        yield notebooks
        notebooks.close()

    @pytest.mark.parametrize("name", NAMES)
    def test_it_comes_to_its_end(self, name: str, executed: Executed) -> None:
        check(executed[name], name)
        assert (executed.folders[name] / "pipelines" / name).is_dir()


@pytest.mark.parametrize("name", NAMES)
def test_as_they_are_kept(name):
    """Without outputs, so that a diff shows what changed."""
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
