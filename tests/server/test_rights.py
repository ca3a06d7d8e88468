"""Rights that are taken away while a client is connected, handlers that somebody might forget, and who did what."""

import ast
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import websockets

import jupyter_pipeline
from jupyter_pipeline.server import modules, rest, websocket

from .conftest import Server

pytestmark = pytest.mark.anyio
PACKAGE = Path(jupyter_pipeline.__file__).parent
AUTHORIZER = '''
import json, os
from jupyter_server.auth.authorizer import Authorizer


class FromFile(Authorizer):
    """The rights are read from a file each time, so that they can change."""

    def is_authorized(self, handler, user, action, resource):
        if resource != "pipeline":
            return True
        with open(os.environ["RIGHTS_OF_THE_TEST"]) as file:
            return action in json.load(file)
'''
WALK = """
import json, sys
from jupyter_server.serverapp import ServerApp
from jupyter_server.auth.decorator import authorized

app = ServerApp()
app.initialize(["--ServerApp.jpserver_extensions={'jupyter_pipeline': True}", "--no-browser", "--allow-root",
                "--ServerApp.port=0", "--ServerApp.root_dir=" + sys.argv[1]], new_httpserver=False)

found = []
def walk(rules):
    for rule in rules:
        target = getattr(rule, "target", None)
        if hasattr(target, "rules"):
            walk(target.rules)
        elif isinstance(target, type) and "jupyter_pipeline" in {c.__module__.split(".")[0] for c in target.__mro__}:
            methods = {}
            for name in ("get", "head", "post", "put", "patch", "delete", "options"):
                method = getattr(target, name)
                owner = next(c for c in target.__mro__ if name in vars(c))
                if owner.__module__.startswith("jupyter_pipeline"):
                    methods[name] = hasattr(method, "__wrapped__")
            found.append([rule.matcher.regex.pattern, target.__qualname__, methods])
walk(app.web_app.default_router.rules)
print(json.dumps(found))
"""


def test_every_handler_that_the_web_app_knows_is_under_auth(tmp_path: Path) -> None:
    """Walks the rules of a real server's web app: each method of ours is wrapped by the auth decorators."""
    (tmp_path / "root").mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", WALK, str(tmp_path / "root")], capture_output=True, text=True, check=True, timeout=120
    )
    found = json.loads(ended.stdout.splitlines()[-1])
    assert len(found) == len([*rest.default_handlers, *websocket.default_handlers, *modules.default_handlers])
    for pattern, name, methods in found:
        assert methods, (pattern, name)
        assert all(methods.values()), f"{name} at {pattern} answers without asking who is there: {methods}"


@pytest.fixture(scope="module")
def changing(start_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    folder = tmp_path_factory.mktemp("rights")
    (folder / "authorizer_of_the_test.py").write_text(AUTHORIZER)
    (folder / "rights.json").write_text('["read", "write", "execute"]')
    path = f"{folder}:{PACKAGE.parent}"
    return start_server(
        "--ServerApp.authorizer_class=authorizer_of_the_test.FromFile",
        env={"PYTHONPATH": path, "RIGHTS_OF_THE_TEST": str(folder / "rights.json")},
    )


def grant(server: Server, *rights: str) -> None:
    Path(server.env["RIGHTS_OF_THE_TEST"]).write_text(json.dumps(rights))


async def test_a_right_that_is_taken_away_is_gone_in_the_same_connection(changing: Server, project_id: str) -> None:
    grant(changing, "read", "write", "execute")
    async with changing.connect(project_id) as socket:
        await socket.greeting()
        await socket.send({"type": "chat", "text": "Predict species in the iris data set"})
        await socket.event("WAITING_CONFIRMATION")
        for left, message in (
            (("read", "write"), {"type": "confirm"}),
            (("read", "write"), {"type": "command", "command": "restart_stage", "args": {"stage_id": "PARSE_INTENT"}}),
            (("read",), {"type": "chat", "text": "More"}),
        ):
            grant(changing, *left)
            await socket.send(message)
            assert (await socket.type("error"))["code"] == "FORBIDDEN"
        await socket.send({"type": "ping"})
        await socket.type("pong")
        grant(changing, "read", "write", "execute")
        await socket.send({"type": "confirm", "id": "c"})
        assert (await socket.type("ack"))["status"] == "accepted"


async def test_who_may_no_longer_read_hears_no_more(changing: Server, project_id: str) -> None:
    """The sender may write but not read; so the events reach the log, and the listener is closed instead of told."""
    grant(changing, "read", "write", "execute")
    async with changing.connect(project_id) as listener, changing.connect(project_id) as sender:
        await listener.greeting()
        await sender.greeting()
        await sender.send({"type": "chat", "text": "One"})
        await listener.event("LOG_LINE")
        await asyncio.sleep(2.5)  # the permission to read is older than RIGHTS_S then
        grant(changing, "write")
        await sender.send({"type": "chat", "text": "Secret"})
        with pytest.raises(websockets.ConnectionClosed):
            await listener.until(lambda frame: "Secret" in json.dumps(frame))
        assert not any("Secret" in frame for frame in listener.frames)
        assert listener.raw.close_code == 1008
    grant(changing, "read", "write", "execute")
    assert b"Secret" in changing.request("GET", f"api/projects/{project_id}/events").body


def test_the_log_says_who_did_what(changing: Server, project_id: str) -> None:
    grant(changing, "read", "write", "execute")
    path = f"api/projects/{project_id}"
    upload = changing.request("POST", f"{path}/data?name=rows.csv", b"a,b\n1,2\n3,4\n")
    assert upload.status == 201
    for message in ({"type": "chat", "text": "Predict b"},):
        assert changing.request("POST", f"{path}/messages", message).status == 200
    deadline = time.monotonic() + 60
    while changing.request("GET", path).json["status"] != "WAITING_CONFIRMATION":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    patch = [{"op": "replace", "path": "/time_budget_s", "value": 5}]
    command = {"type": "command", "command": "update_plan", "args": {"stage_id": "PARSE_INTENT", "patch": patch}}
    assert changing.request("POST", f"{path}/messages", command).status == 200
    assert changing.request("POST", f"{path}/confirm").status == 200
    events = changing.request("GET", f"{path}/events").json["events"]
    by = {e["event"]["name"]: e["event"]["payload"]["by"] for e in events if "by" in e["event"]["payload"]}
    for name in ("LOG_LINE", "PLAN_PROPOSED", "PLAN_APPROVED"):
        assert by[name]["username"]
    state = changing.request("GET", f"{path}/state").json
    assert state["decisions"][0]["by"] == by["PLAN_APPROVED"]


def test_nothing_in_the_package_unpickles() -> None:
    """No module imports a library that runs code when it reads, and no reader is told to."""
    forbidden = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "pandas.io.pickle"}
    calls = {"read_pickle", "to_pickle", "eval", "exec"}
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                assert not {alias.name for alias in node.names} & forbidden, file
            elif isinstance(node, ast.ImportFrom):
                assert node.module not in forbidden, file
            elif isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                owner = getattr(getattr(node.func, "value", None), "id", "")
                # connection.execute and polars' expressions are other things
                assert name not in calls or owner not in ("", "pd", "pl", "builtins"), (file, node.lineno)
                pickled = [k for k in node.keywords if k.arg == "allow_pickle"]
                assert all(isinstance(k.value, ast.Constant) and k.value.value is False for k in pickled), file


async def test_who_may_not_read_is_not_let_in(changing: Server, project_id: str) -> None:
    grant(changing, "write", "execute")
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with changing.connect(project_id):
            pass
    assert caught.value.response.status_code == 403
    grant(changing, "read", "write", "execute")
