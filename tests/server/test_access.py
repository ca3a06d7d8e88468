"""Who is let in, and who may do what: every handler, every way to authenticate, three roles."""

import asyncio
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import websockets
from jupyter_client import BlockingKernelClient

from jupyter_pipeline.server import rest, websocket

from .conftest import TOKEN, Server

pytestmark = pytest.mark.anyio

METHODS = ("get", "head", "post", "put", "patch", "delete")
ROLES = '''
from jupyter_server.auth.authorizer import Authorizer

RIGHTS = {"viewer": {"read"}, "writer": {"read", "write"}, "owner": {"read", "write", "execute"}, "nobody": set()}


class Roles(Authorizer):
    """The role is a header of the request, so that a test can choose it."""

    def is_authorized(self, handler, user, action, resource):
        if resource != "pipeline":
            return True
        return action in RIGHTS[handler.request.headers.get("X-Role", "owner")]
'''


def addresses() -> list[tuple[str, str]]:
    """Every method of every handler, with an address that reaches it."""
    found = []
    for pattern, handler in [*rest.default_handlers, *websocket.default_handlers]:
        path = pattern.replace(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})", "demo").replace(r"\.", ".")
        path = path.replace("([^/]+)", "asset").replace("(.*)", "no/such/thing").lstrip("/")
        for method in METHODS:
            if getattr(handler, method).__qualname__.startswith(("RequestHandler.", "JupyterHandler.")) or (
                "_unimplemented" in getattr(handler, method).__name__
            ):
                continue
            found.append((method.upper(), path))
    return found


def test_the_list_of_addresses_is_whole() -> None:
    found = addresses()
    assert ("POST", "api/projects/demo/data") in found
    assert ("GET", "ws/projects/demo") in found
    assert ("HEAD", "api/projects/demo/assets/asset") in found
    assert len(found) >= 17


@pytest.mark.parametrize(("method", "path"), addresses())
@pytest.mark.parametrize("token", [None, "wrong"])
def test_every_handler_is_closed(server: Server, method: str, path: str, token: str | None) -> None:
    answer = server.request(method, path, b"" if method in ("POST", "PUT", "PATCH") else None, token=token)
    assert answer.status == 403, answer.body
    if method != "HEAD":
        assert answer.json["type"] == "error"
        assert answer.json["code"] == "FORBIDDEN"
        assert "token" in answer.json["message"]


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ({"token": TOKEN}, {}),
        ({}, {"Authorization": f"token {TOKEN}"}),
        ({}, {"Authorization": f"Bearer {TOKEN}"}),
        ({}, {"Authorization": f"token {TOKEN}", "Origin": "http://elsewhere.example"}),
    ],
)
async def test_ways_in(server: Server, project_id: str, query: dict[str, str], headers: dict[str, str]) -> None:
    async with server.connect(project_id, auth=None, headers=headers, **query) as socket:
        await socket.greeting()


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ({}, {}),
        ({"token": "wrong"}, {}),
        ({"token": ""}, {}),
        ({}, {"Authorization": "token wrong"}),
        ({}, {"Authorization": TOKEN}),
        ({}, {"X-Jupyter-Pipeline-Ticket": ""}),
        ({}, {"X-Jupyter-Pipeline-Ticket": "wrong"}),
        ({}, {"X-Jupyter-Pipeline-Ticket": TOKEN}),
        ({}, {"Cookie": "username-127-0-0-1=guessed"}),
    ],
)
async def test_no_way_in(server: Server, project_id: str, query: dict[str, str], headers: dict[str, str]) -> None:
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with server.connect(project_id, auth=None, headers=headers, **query):
            pass
    assert caught.value.response.status_code == 403
    assert server.request("GET", f"api/projects/{project_id}/state").status == 404


def login_cookie(server: Server) -> str:
    """The cookies of a browser that opened the server's page with its token."""
    answer = server.request("GET", f"api/status?token={TOKEN}", token=None)
    return "; ".join(value.split(";")[0] for value in answer.headers.get_all("Set-Cookie") or [])


async def test_a_cookie_lets_in_from_the_servers_own_pages_only(server: Server, project_id: str) -> None:
    cookie = login_cookie(server)
    own = f"http://127.0.0.1:{server.port}"
    async with server.connect(project_id, auth=None, headers={"Cookie": cookie, "Origin": own}) as socket:
        await socket.greeting()
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with server.connect(
            project_id, auth=None, headers={"Cookie": cookie, "Origin": "http://elsewhere.example"}
        ):
            pass
    assert caught.value.response.status_code == 403


def test_a_cookie_needs_xsrf_to_change_anything(server: Server, project_id: str) -> None:
    cookie = login_cookie(server)
    path = f"api/projects/{project_id}/messages"
    message = {"type": "ping"}
    refused = server.request("POST", path, message, token=None, headers={"Cookie": cookie})
    assert refused.status == 403
    xsrf = "2|12345678|0123456789abcdef0123456789abcdef|1700000000"
    headers = {"Cookie": f"{cookie}; _xsrf={xsrf}", "X-XSRFToken": xsrf}
    assert server.request("POST", path, message, token=None, headers=headers).status == 200


def test_another_origins_page_cannot_read_with_the_cookie(server: Server) -> None:
    headers = {"Cookie": login_cookie(server), "Origin": "http://elsewhere.example"}
    assert server.request("GET", "api/projects", token=None, headers=headers).status in (403, 404)


@pytest.fixture(scope="module")
def with_roles(start_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    folder = tmp_path_factory.mktemp("roles")
    (folder / "roles_of_the_tests.py").write_text(ROLES)
    return start_server("--ServerApp.authorizer_class=roles_of_the_tests.Roles", env={"PYTHONPATH": str(folder)})


ROLE_CASES = [
    ("viewer", {"type": "ping", "ts": 1}, "pong"),
    ("viewer", {"type": "chat", "text": "x"}, "FORBIDDEN"),
    ("viewer", {"type": "confirm"}, "FORBIDDEN"),
    ("viewer", {"type": "command", "command": "cancel_run"}, "FORBIDDEN"),
    ("writer", {"type": "chat", "text": "Predict species in iris", "id": "w"}, "ack"),
    ("writer", {"type": "confirm"}, "FORBIDDEN"),
    ("writer", {"type": "command", "command": "restart_stage", "args": {"stage_id": "TRAIN"}}, "FORBIDDEN"),
    ("owner", {"type": "confirm"}, "NOT_WAITING"),
    ("owner", {"type": "command", "command": "cancel_run"}, "NO_ACTIVE_RUN"),
]


@pytest.mark.parametrize(("role", "message", "outcome"), ROLE_CASES)
async def test_roles_over_the_socket(
    with_roles: Server, project_id: str, role: str, message: dict[str, Any], outcome: str
) -> None:
    async with with_roles.connect(project_id, headers={"X-Role": role}) as socket:
        await socket.greeting()
        await socket.send(message)
        frame = await socket.until(lambda f: f["type"] != "EVENT")
        assert outcome in (frame["type"], frame.get("code"))


@pytest.mark.parametrize(("role", "message", "outcome"), ROLE_CASES)
def test_roles_over_http(with_roles: Server, project_id: str, role: str, message: dict[str, Any], outcome: str) -> None:
    answer = with_roles.request("POST", f"api/projects/{project_id}/messages", message, headers={"X-Role": role})
    assert outcome in (answer.json["type"], answer.json.get("code"))
    assert answer.status == {"FORBIDDEN": 403, "NOT_WAITING": 409, "NO_ACTIVE_RUN": 409}.get(outcome, 200)


async def test_who_may_not_read_may_not_connect(with_roles: Server, project_id: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with with_roles.connect(project_id, headers={"X-Role": "nobody"}):
            pass
    assert caught.value.response.status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "right"),
    [
        ("GET", "", "read"),
        ("GET", "/demo/state", "read"),
        ("GET", "/demo/events", "read"),
        ("GET", "/demo/assets", "read"),
        ("POST", "/demo/data?name=x.csv", "write"),
        ("POST", "/demo/confirm", "execute"),
        ("POST", "/demo/predict", "execute"),
        ("DELETE", "/demo", "execute"),
    ],
)
def test_what_rest_calls_take(with_roles: Server, method: str, path: str, right: str) -> None:
    granted = {"nobody": set(), "viewer": {"read"}, "writer": {"read", "write"}, "owner": {"read", "write", "execute"}}
    for role, rights in granted.items():
        body = b"a,b\n1,2\n" if "data" in path else None
        answer = with_roles.request(method, f"api/projects{path}", body, headers={"X-Role": role})
        assert (answer.status == 403) is (right not in rights), (role, answer.body)


def test_an_upload_that_is_not_allowed_leaves_nothing(with_roles: Server) -> None:
    answer = with_roles.request(
        "POST", "api/projects/refused/data?name=x.csv", b"a\n1\n" * 1000, headers={"X-Role": "viewer"}
    )
    assert answer.status == 403
    assert not (with_roles.root / "pipelines" / "refused").exists()


def test_a_kernel_gets_the_address_and_a_ticket_that_lets_it_in(server: Server, project_id: str) -> None:
    kernel = server.request("POST", "api/kernels", {"name": "python3"}).json
    files = server.root.parent / "home" / "runtime"
    place = files / f"kernel-{kernel['id']}.json"
    client = BlockingKernelClient()
    client.load_connection_file(str(_wait_for(place)))
    client.start_channels()
    try:
        client.wait_for_ready(timeout=30)
        text = _run(
            client, "import os, json; print(json.dumps({k: v for k, v in os.environ.items() if 'PIPELINE' in k}))"
        )
    finally:
        client.stop_channels()
        server.request("DELETE", f"api/kernels/{kernel['id']}")
    found = json.loads(text)
    assert found["JUPYTER_PIPELINE_URL"] == f"http://127.0.0.1:{server.port}{server.base_url}"
    ticket = {"X-Jupyter-Pipeline-Ticket": found["JUPYTER_PIPELINE_TICKET"]}
    assert server.request("GET", "api/projects", token=None, headers=ticket).status == 200
    assert server.request("GET", "api/contents", token=None, headers=ticket).status == 403
    path = f"api/projects/{project_id}/messages"
    assert server.request("POST", path, {"type": "ping"}, token=None, headers=ticket).status == 200

    async def connect() -> None:
        async with server.connect(project_id, auth=None, headers=ticket) as socket:
            assert (await socket.greeting())["user"] == {"username": "kernel", "name": "Notebook kernel"}

    asyncio.run(connect())
    assert not re.search(re.escape(found["JUPYTER_PIPELINE_TICKET"]), server.log)


def _wait_for(place: Path) -> Path:
    deadline = time.monotonic() + 30
    while not (place.is_file() and place.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.05)
    return place


def _run(client: BlockingKernelClient, code: str) -> str:
    said: list[str] = []
    client.execute_interactive(
        code, timeout=30, output_hook=lambda m: said.append(m["content"].get("text", "")), allow_stdin=False
    )
    return "".join(said)
