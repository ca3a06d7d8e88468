"""Who may do what: every message, command and call with every set of rights, also when one is taken away, below a hub's
address with a hub's cookie; handlers that somebody might forget; and who did what."""

import ast
import asyncio
import http.client
import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import websockets

import jupyter_pipeline
from jupyter_pipeline.protocol.messages import BUILTIN_COMMANDS, MESSAGE_TYPES
from jupyter_pipeline.server import modules, rest, websocket
from jupyter_pipeline.server.access import RIGHTS_S
from jupyter_pipeline.server.limits import DEFAULT_RATES

from .conftest import TOKEN, Server
from .rights import CALLS, COMMANDS, MESSAGES, addresses, messages
from .test_assets import artifact, write_project
from .test_slow import small

pytestmark = pytest.mark.anyio
PACKAGE = Path(jupyter_pipeline.__file__).parent
LARGE = 8 << 20
"""Bytes of an asset of the project ``large``."""
AUTHORIZER = '''
import json, os
from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import IdentityProvider, User

COOKIE, OF_THE_HUB = "jupyterhub-user-ada", "given-by-the-hub"


class LikeAHub(IdentityProvider):
    """As JupyterHub's: a cookie that the hub gave, or a token in a header; who has neither is sent to the hub."""

    def get_user(self, handler):
        if handler.get_cookie(COOKIE) == OF_THE_HUB:
            return User(username="ada", name="Ada", display_name="Ada")
        if handler.request.headers.get("Authorization") == f"token {self.token}":
            handler._token_authenticated = True
            return User(username="script", name="Script", display_name="Script")
        return None

    @property
    def login_available(self):
        return True

    def get_handlers(self):
        return []


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
                "--ServerApp.allow_unauthenticated_access=False",
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
                    # Before a browser sends a token it asks, by OPTIONS and as nobody, whether it may.
                    open_to_all = getattr(method, "__allow_unauthenticated", False)
                    methods[name] = hasattr(method, "__wrapped__") and (name == "options" or not open_to_all)
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
        assert f" of {name} registered" not in ended.stderr, "Jupyter's own check finds it open"


@pytest.fixture(scope="module")
def changing(start_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    folder = tmp_path_factory.mktemp("rights")
    (folder / "authorizer_of_the_test.py").write_text(AUTHORIZER)
    (folder / "rights.json").write_text('["read", "write", "execute"]')
    path = f"{folder}:{PACKAGE.parent}"
    root = folder / "root"
    asyncio.run(
        write_project(root, [artifact(f"large-{n}", "artifacts/train-6/large.bin") for n in range(5000)], "large")
    )
    (root / "pipelines/large/artifacts/train-6").mkdir(parents=True)
    (root / "pipelines/large/artifacts/train-6/large.bin").write_bytes(bytes(LARGE))
    return start_server(
        "--ServerApp.authorizer_class=authorizer_of_the_test.FromFile",
        "--ServerApp.identity_provider_class=authorizer_of_the_test.LikeAHub",
        "--ServerApp.allow_unauthenticated_access=False",
        f"--PipelineApp.rate_limits={dict.fromkeys(DEFAULT_RATES)}",
        root=root,
        base_url="/user/ada/",
        env={"PYTHONPATH": path, "RIGHTS_OF_THE_TEST": str(folder / "rights.json")},
    )


def grant(server: Server, *rights: str) -> None:
    Path(server.env["RIGHTS_OF_THE_TEST"]).write_text(json.dumps(rights))


ALL = ("read", "write", "execute")
HUB_COOKIE = {"Cookie": "jupyterhub-user-ada=given-by-the-hub"}
SUBSETS = [subset for n in range(4) for subset in itertools.combinations(ALL, n)]


def test_nothing_lacks_a_row() -> None:
    """A new message, command or call fails here until somebody writes down what right it takes."""
    assert set(MESSAGES) == set(MESSAGE_TYPES)
    assert set(COMMANDS) == set(BUILTIN_COMMANDS)
    assert set(CALLS) == {address for address in addresses() if address[0] != "OPTIONS"}


@pytest.mark.parametrize("rights", SUBSETS, ids="+".join)
async def test_every_message_with_every_set_of_rights(
    changing: Server, project_id: str, rights: tuple[str, ...]
) -> None:
    """The rights are taken away when the client is connected already: each message is asked about anew."""
    grant(changing, *ALL)
    async with changing.connect(project_id) as socket:
        await socket.greeting()
        grant(changing, *rights)
        for number, (right, message) in enumerate(messages()):
            await socket.send({**message, "id": f"m{number}"})
            try:
                answer = await socket.until(lambda f, wanted=f"m{number}": f.get("id") == wanted)
            except websockets.ConnectionClosed:
                # What a chat came to may not be read any more, and that is noticed at the latest with the next event.
                assert "read" not in rights, message
                assert message["type"] == "chat"
                break
            assert (answer.get("code") == "FORBIDDEN") is (right not in rights), (rights, message, answer)
        for refused, after in itertools.pairwise(json.loads(text) for text in socket.frames):
            # Other refusals are followed by how things stand.
            assert refused.get("code") != "FORBIDDEN" or not after.get("ephemeral"), after
    head = changing.request("GET", f"api/projects/{project_id}/events").status
    grant(changing, *ALL)
    assert head == (403 if "read" not in rights else 200 if "write" in rights else 404)
    left = changing.request("DELETE", f"api/projects/{project_id}").status
    assert left == (204 if "write" in rights else 404), "a refused message left something"


@pytest.mark.parametrize("rights", SUBSETS, ids="+".join)
def test_every_call_with_every_set_of_rights(changing: Server, rights: tuple[str, ...]) -> None:
    grant(changing, *rights)
    for (method, path), right in CALLS.items():
        body = {"DELETE": None, "GET": None, "HEAD": None}.get(method, b"{}")
        query = "?name=rows.csv" if path.endswith("/data") else ""
        answer = changing.request(method, path + query, body)
        assert (answer.status == 403) is (right not in rights), (rights, method, path, answer.status, answer.body)
        if answer.status == 403 and method != "HEAD":
            assert answer.json["code"] == "FORBIDDEN"
    for right, message in messages():
        if message["type"] in ("chat", "subscribe", "resume"):
            continue  # a chat begins work; the others are about sockets
        answer = changing.request("POST", "api/projects/demo/messages", message)
        taken = {"read", right} <= set(rights)
        assert (answer.status != 403) is taken, (rights, message, answer.body)
    grant(changing, *ALL)


def test_a_browser_may_ask_what_a_page_may_send_where_jupyter_lets_nobody_in_unasked(changing: Server) -> None:
    for call in ("messages", "confirm", "predict", "data", "events", "assets/x"):
        answer = changing.request("OPTIONS", f"api/projects/demo/{call}", token=None)
        assert answer.status in (200, 204), call


def test_an_upload_that_is_not_allowed_leaves_nothing(changing: Server) -> None:
    grant(changing, "read", "execute")
    answer = changing.request("POST", "api/projects/refused/data?name=x.csv", b"a\n1\n" * 1000)
    assert answer.status == 403
    assert not (changing.root / "pipelines" / "refused").exists()
    grant(changing, *ALL)


async def test_a_chat_comes_to_nothing_that_its_sender_could_not_command_and_the_log_says_who_did_what(
    changing: Server, project_id: str
) -> None:
    """Who may write and not execute can ask for changes; confirming, cancelling and restarting by words is refused."""
    grant(changing, "read", "write")
    path = f"api/projects/{project_id}"
    assert changing.request("POST", f"{path}/data?name=rows.csv", b"a,b\n1,2\n3,4\n").status == 201
    async with changing.connect(project_id, auth=None, headers=HUB_COOKIE) as socket:
        await socket.greeting()
        await socket.send({"type": "chat", "text": "Predict b"})
        await socket.event("WAITING_CONFIRMATION")
        for said in ("confirm", "Run the request again", "Yes, go on"):
            await socket.send({"type": "chat", "text": said, "id": said})
            await socket.until(lambda f, wanted=said: f.get("id") == wanted)
            over_http = changing.request("POST", f"{path}/messages", {"type": "chat", "text": said})
            assert over_http.status == 200
        await socket.send({"type": "chat", "text": "Take at most 7 seconds", "id": "change"})
        await socket.until(lambda f: f.get("id") == "change")
    state = changing.request("GET", f"{path}/state").json
    assert state["current_stage"] == "PARSE_INTENT"
    assert state["waiting_confirmation"]["plan_json"]["time_budget_s"] == 7
    assert state["decisions"] == []
    grant(changing, *ALL)
    patch = [{"op": "replace", "path": "/time_budget_s", "value": 5}]
    command = {"type": "command", "command": "update_plan", "args": {"stage_id": "PARSE_INTENT", "patch": patch}}
    assert changing.request("POST", f"{path}/messages", command).status == 200
    assert changing.request("POST", f"{path}/messages", {"type": "chat", "text": "confirm"}).status == 200
    state = changing.request("GET", f"{path}/state").json
    events = changing.request("GET", f"{path}/events").json["events"]
    said = [e["event"]["payload"] for e in events]
    answers = [p["text"] for p in said if p.get("source") == "assistant"]
    assert sum("permission to execute" in answer for answer in answers) >= 4, "of two at least, each sent both ways"
    assert sum("is confirmed" in answer for answer in answers) == 1
    assert sum(p.get("status") == "IN_PROGRESS" and p["stage_id"] == "PARSE_INTENT" for p in said) == 1
    # Each with who did it: Ada by the hub's cookie, the script by its token.
    assert {p["by"]["username"] for p in said if p.get("source") == "data"} == {"script"}
    assert [p["by"]["username"] for p in said if p.get("source") == "user"] == [
        "ada", *["ada", "script"] * 3, "ada", "script"
    ]  # fmt: skip
    proposed = [
        p["by"]["username"]
        for e, p in zip(events, said, strict=True)
        if e["event"]["name"] == "PLAN_PROPOSED" and "by" in p
    ]
    assert proposed == ["ada", "script"]
    approved = [p["by"]["username"] for e, p in zip(events, said, strict=True) if e["event"]["name"] == "PLAN_APPROVED"]
    assert approved == ["script"]
    assert state["decisions"][0]["by"]["username"] == "script"
    assert changing.request("DELETE", path).status == 204


async def test_below_a_hubs_address_its_cookie_lets_in_from_its_own_pages(changing: Server, project_id: str) -> None:
    own, elsewhere = {"Origin": f"http://127.0.0.1:{changing.port}"}, {"Origin": "http://elsewhere.example"}
    async with changing.connect(project_id, auth=None, headers=HUB_COOKIE | own) as socket:
        assert (await socket.greeting())["user"] == {"username": "ada", "name": "Ada"}
    for headers in (HUB_COOKIE | elsewhere, {"Cookie": "jupyterhub-user-ada=guessed"} | own, own):
        with pytest.raises(websockets.InvalidStatus) as caught:
            async with changing.connect(project_id, auth=None, headers=headers):
                pass
        assert caught.value.response.status_code == 403, "nobody is sent to a login page"
    path, message = f"api/projects/{project_id}/messages", {"type": "ping"}
    assert changing.request("POST", path, message, token=None, headers=HUB_COOKIE | own).status == 403, "no XSRF token"
    xsrf = "2|12345678|0123456789abcdef0123456789abcdef|1700000000"
    both = {"Cookie": f"{HUB_COOKIE['Cookie']}; _xsrf={xsrf}", "X-XSRFToken": xsrf}
    assert changing.request("POST", path, message, token=None, headers=both | own).status == 200
    assert changing.request("POST", path, message, token=None, headers=both | elsewhere).status in (403, 404)
    assert changing.request("GET", "api/projects", token=None, headers=HUB_COOKIE).status == 200
    document = changing.request("GET", "api/projects/openapi.json", token=None, headers=HUB_COOKIE).json
    assert document["servers"][0]["url"].endswith("/user/ada/")


async def test_who_may_no_longer_read_gets_nothing_from_a_long_poll(changing: Server, project_id: str) -> None:
    grant(changing, *ALL)
    path = f"api/projects/{project_id}/events?wait_s=60"
    async with changing.connect(project_id) as sender:
        await sender.greeting()
        asking = asyncio.create_task(asyncio.to_thread(changing.request, "GET", path))
        async with asyncio.timeout(60):
            while b"jupyter_pipeline_clients 2.0" not in changing.request("GET", "metrics").body:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        grant(changing, "write")
        await sender.send({"type": "chat", "text": "Secret"})
        answer = await asking
    grant(changing, *ALL)
    assert answer.status == 403
    assert b"Secret" not in answer.body


@pytest.mark.parametrize("call", ["assets/large-1", "events?limit=10000"])
async def test_who_may_no_longer_read_gets_no_more_of_a_download(changing: Server, call: str) -> None:
    """It ends in the middle, and the client can see that it is not whole."""
    grant(changing, *ALL)
    path = f"api/projects/large/{call}"
    size = len(changing.request("GET", path).body)
    connection = http.client.HTTPConnection("127.0.0.1", changing.port, timeout=60)
    connection.sock = await small(changing)
    connection.sock.settimeout(60)
    connection.request("GET", changing.base_url + path, headers={"Authorization": f"token {TOKEN}"})
    answer = connection.getresponse()
    assert (answer.status, len(answer.read(1000))) == (200, 1000)
    grant(changing, "write", "execute")
    await asyncio.sleep(3 * RIGHTS_S)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)) as caught:
        await asyncio.to_thread(answer.read)
    grant(changing, *ALL)
    connection.close()
    assert not isinstance(caught.value, http.client.IncompleteRead) or len(caught.value.partial) < size - 100_000


async def test_who_may_no_longer_read_hears_no_more(changing: Server, project_id: str) -> None:
    """The sender may write but not read; so the events reach the log, and the listener is closed instead of told."""
    grant(changing, "read", "write", "execute")
    async with changing.connect(project_id) as listener, changing.connect(project_id) as sender:
        await listener.greeting()
        await sender.greeting()
        await sender.send({"type": "chat", "text": "One"})
        await listener.event("WAITING_CONFIRMATION")
        await asyncio.sleep(3 * RIGHTS_S)  # nothing happens, and the permission to read is older than RIGHTS_S then
        grant(changing, "write")
        await sender.send({"type": "chat", "text": "Secret"})
        with pytest.raises(websockets.ConnectionClosed):
            await listener.until(lambda frame: "Secret" in json.dumps(frame))
        assert not any("Secret" in frame for frame in listener.frames)
        assert listener.raw.close_code == 1008
    grant(changing, "read", "write", "execute")
    assert b"Secret" in changing.request("GET", f"api/projects/{project_id}/events").body


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
