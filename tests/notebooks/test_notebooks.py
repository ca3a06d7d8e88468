"""The notebooks for users, executed from the first cell to the last: against a real server, and embedded."""

import contextlib
import http.client
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import nbclient
import nbformat
import pytest
from nbconvert import HTMLExporter

from tests.processes import begin, free_port

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
    port = free_port()
    args = [
        *("--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
        *(f"--ServerApp.root_dir={folder / 'root'}", f"--IdentityProvider.token={TOKEN}"),
        "--ServerApp.jpserver_extensions={'jupyter_pipeline': True}",
    ]
    env = {key: value for key, value in os.environ.items() if key not in VARIABLES}
    env["JUPYTER_RUNTIME_DIR"] = str(folder / "runtime")
    process = begin("jupyter_server", args, env, folder / "log")
    try:
        deadline = time.monotonic() + 180
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


#: The time that the notebooks ask for training, and what is enough to see that they work.
BUDGETS = {"at most ten seconds": "at most two seconds", "take ten seconds": "take two seconds"}


def execute(name: str, folder: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    shortened = 0
    for cell in notebook.cells:
        for long, short in BUDGETS.items():
            shortened += cell.source.count(long)
            cell.source = cell.source.replace(long, short)
    assert shortened == 1
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
    assert "<img" in pages[0]
    assert "widgets" not in notebook.metadata
    assert "Everything is done." in HTMLExporter().from_notebook_node(notebook)[0]
    printed = "".join(
        output["text"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "stream"
    )
    assert "Export: " in printed
    assert "Traceback" not in printed
    last = [cell for cell in notebook.cells if "p.predict(" in cell.source][-1]
    assert "prediction" in last.outputs[-1]["data"]["text/html"]
    assert notebook.cells[0].source.startswith("# "), name


@pytest.mark.parametrize("name", NAMES)
def test_against_a_server(name, server, tmp_path, monkeypatch):
    pid, runtime = server
    for variable in (*VARIABLES, "JUPYTER_PIPELINE_EMBEDDED"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("JPY_PARENT_PID", str(pid))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
    check(execute(name, tmp_path), name)
    assert not (tmp_path / "pipelines").exists()


@pytest.mark.parametrize("name", NAMES)
def test_embedded(name, tmp_path, monkeypatch):
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("JUPYTER_PIPELINE_EMBEDDED", "1")
    check(execute(name, tmp_path), name)
    assert (tmp_path / "pipelines" / name).is_dir()


@pytest.mark.parametrize(
    ("software", "shown"), [("", "text/html"), ("voila/0.5.13", "application/vnd.jupyter.widget-view+json")]
)
def test_who_runs_a_notebook_to_its_end_keeps_the_page(software, shown, tmp_path, monkeypatch):
    """A widget would be shown before it, and has nobody to ask any more; a dashboard server's kernel lives on."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("SERVER_SOFTWARE", software)
    source = "from jupyter_pipeline import Pipeline\np = Pipeline('page', embedded=True)\np.chat('Predict iris')\np"
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source), nbformat.v4.new_code_cell("p.close()")]
    )
    nbclient.NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    html, _ = HTMLExporter().from_notebook_node(notebook)
    (output,) = notebook.cells[0].outputs
    assert shown in output.data
    assert (output.data["text/html"] in html) is (shown == "text/html")
    # What the page shows stands also in the state of the widget.
    for state in notebook.metadata.get("widgets", {}).values():
        (ours,) = [model["state"] for model in state["state"].values() if "snapshot" in model["state"]]
        assert "waits for you" in ours["snapshot"]


@pytest.mark.parametrize("name", NAMES)
def test_as_they_are_kept(name):
    """Without outputs, so that a diff shows what changed."""
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
