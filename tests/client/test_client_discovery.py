"""Finding the server of a kernel."""

import json
import os
import subprocess
import sys

import pytest

from jupyter_pipeline import Pipeline
from jupyter_pipeline.client.discovery import TICKET_HEADER, base_url, find_server
from jupyter_pipeline.client.errors import PipelineError

VARIABLES = (
    "JUPYTER_PIPELINE_URL",
    "JUPYTER_PIPELINE_TICKET",
    "JUPYTERHUB_SERVICE_URL",
    "JUPYTERHUB_API_TOKEN",
    "JPY_PARENT_PID",
)


@pytest.fixture(autouse=True)
def runtime(tmp_path, monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def write_info(runtime, pid, **members):
    info = {"url": "http://localhost:8899/a%40b/", "pid": pid, "port": 8899, "token": "secret", "sock": "", **members}
    (runtime / f"jpserver-{pid}.json").write_text(json.dumps(info))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://localhost:8888", "http://localhost:8888/"),
        ("http://localhost:8888/lab/tree/x.ipynb?token=abc", "http://localhost:8888/"),
        ("http://0.0.0.0:8888/user/bob/lab", "http://127.0.0.1:8888/user/bob/"),
        ("http://[::]:8888/", "http://127.0.0.1:8888/"),
        ("https://[::1]:8888/x", "https://[::1]:8888/x/"),
        ("ws://localhost:8000/ws/projects/demo-project", "http://localhost:8000/"),
        ("https://hub.example.org/user/a%40b/", "https://hub.example.org/user/a%40b/"),
    ],
)
def test_base_url(given, expected):
    assert base_url(given) == expected


@pytest.mark.parametrize("given", ["localhost:8888", "", "file:///tmp/x", "http://localhost:port/"])
def test_base_url_says_what_would_be_right(given):
    with pytest.raises(PipelineError, match="address"):
        base_url(given)


def test_secrets_of_an_address_are_not_told():
    for url in ("localhost:8888/lab?token=SECRET", "http://localhost:port/?token=SECRET", "htp://me:SECRET@host/"):
        with pytest.raises(PipelineError, match="address") as caught:
            base_url(url)
        assert "SECRET" not in str(caught.value)


def test_a_hub_s_user_may_be_called_as_pages_are(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_SERVICE_URL", "http://0.0.0.0:8888/user/lab/")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub")
    assert find_server().url == "http://127.0.0.1:8888/user/lab/"
    monkeypatch.setenv("JUPYTER_PIPELINE_URL", "http://127.0.0.1:8888/user/doc/")
    monkeypatch.setenv("JUPYTER_PIPELINE_TICKET", "t")
    assert find_server().url == "http://127.0.0.1:8888/user/doc/"


def test_explicit_comes_first(monkeypatch):
    monkeypatch.setenv("JUPYTER_PIPELINE_URL", "http://other:1/")
    monkeypatch.setenv("JUPYTER_PIPELINE_TICKET", "t")
    server = find_server("http://localhost:8888/?token=abc")
    assert server.url == "http://localhost:8888/"
    assert server.headers == {"Authorization": "token abc"}
    assert find_server("http://localhost:8888/", "xyz").headers == {"Authorization": "token xyz"}


def test_explicit_local_address_takes_the_token_of_its_info_file(runtime):
    write_info(runtime, os.getpid())
    assert find_server("http://127.0.0.1:8899/").headers == {"Authorization": "token secret"}
    assert find_server("http://127.0.0.1:8898/").headers == {}


def test_ticket_comes_before_hub(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_SERVICE_URL", "http://0.0.0.0:8888/user/bob/")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub")
    assert find_server().headers == {"Authorization": "token hub"}
    assert find_server().url == "http://127.0.0.1:8888/user/bob/"
    monkeypatch.setenv("JUPYTER_PIPELINE_URL", "http://0.0.0.0:8888/x/")
    monkeypatch.setenv("JUPYTER_PIPELINE_TICKET", "t")
    server = find_server()
    assert server.url == "http://127.0.0.1:8888/x/"
    assert server.headers == {TICKET_HEADER: "t"}
    assert server.websocket("demo") == "ws://127.0.0.1:8888/x/ws/projects/demo"


def test_info_file_of_the_parent(runtime, monkeypatch):
    write_info(runtime, os.getpid())
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getpid()))
    server = find_server()
    assert server.url == "http://localhost:8899/a%40b/"
    assert server.headers == {"Authorization": "token secret"}


def test_stale_broken_and_silent_servers_are_passed_over(runtime, monkeypatch):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_info(runtime, gone.pid)
    (runtime / "jpserver-1.json").write_text("{not json")
    (runtime / "jpserver-2.json").write_text("[]")
    write_info(runtime, os.getpid(), url="http://127.0.0.1:9/")
    monkeypatch.setenv("JPY_PARENT_PID", str(gone.pid))
    assert find_server() is None


def test_without_a_server_the_error_says_both_ways_out():
    with pytest.raises(PipelineError) as caught:
        Pipeline("churn")
    assert "JupyterLab" in str(caught.value)
    assert "url=" in str(caught.value)
    assert "embedded=True" in str(caught.value)


def test_nobody_there():
    with pytest.raises(PipelineError, match="No Jupyter server answers"):
        Pipeline("churn", url="http://127.0.0.1:9/")


@pytest.mark.parametrize("name", ["", "-x", "a b", "x" * 65, "../x", None])
def test_project_names(name):
    with pytest.raises(PipelineError, match="cannot name a project"):
        Pipeline(name, embedded=True)


def test_light_import_never_takes_the_server_along():
    code = (
        "import sys\n"
        "from jupyter_pipeline import Pipeline; from jupyter_pipeline.client import websocket, discovery\n"
        "heavy = {'pandas', 'polars', 'numpy', 'ipywidgets', 'IPython', 'sklearn', 'jupyter_server'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == []
