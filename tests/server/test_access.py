"""Who is let in: every handler, every way to authenticate. What they may do then is in ``test_rights.py``."""

import asyncio
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import websockets
from jupyter_client import BlockingKernelClient

from .conftest import TOKEN, Server
from .rights import CALLS

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("token", [None, "wrong"])
def test_every_handler_is_closed(server: Server, token: str | None) -> None:
    for method, path in CALLS:
        answer = server.request(method, path, b"" if method in ("POST", "PUT", "PATCH") else None, token=token)
        assert answer.status == 403, (method, path, answer.body)
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


XSRF = "2|12345678|0123456789abcdef0123456789abcdef|1700000000"


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
    headers = {"Cookie": f"{cookie}; _xsrf={XSRF}", "X-XSRFToken": XSRF}
    assert server.request("POST", path, message, token=None, headers=headers).status == 200


def test_a_stranger_who_makes_up_the_xsrf_token_is_not_let_in(server: Server, project_id: str) -> None:
    headers = {"Cookie": f"_xsrf={XSRF}", "X-XSRFToken": XSRF}
    for call in ("data?name=rows.csv", "messages", "confirm", "predict"):
        answer = server.request("POST", f"api/projects/{project_id}/{call}", b"{}", token=None, headers=headers)
        assert (answer.status, answer.json["code"]) == (403, "FORBIDDEN"), call
    assert server.request("GET", f"api/projects/{project_id}/state").status == 404


def test_another_origins_page_cannot_read_with_the_cookie(server: Server) -> None:
    headers = {"Cookie": login_cookie(server), "Origin": "http://elsewhere.example"}
    assert server.request("GET", "api/projects", token=None, headers=headers).status in (403, 404)


def test_a_page_of_an_allowed_origin_can_read_what_is_wrong(start_server: Callable[..., Server]) -> None:
    """A browser gives it nothing of an answer, nor its status, without the header."""
    page = "http://page.example"
    server = start_server(f"--ServerApp.allow_origin={page}")
    for method, path, body, status in (
        ("GET", "none/state", None, 404), ("POST", "none/messages", b"{", 400), ("DELETE", "none", None, 404),
        ("GET", "none/assets/a", None, 404), ("GET", "no/such/thing", None, 404), ("POST", "none/data", b"a", 400),
    ):  # fmt: skip
        answer = server.request(method, f"api/projects/{path}", body, headers={"Origin": page})
        assert answer.status == status, path
        assert answer.headers["Access-Control-Allow-Origin"] == page, path


def test_a_kernel_gets_the_address_and_a_ticket_that_lets_it_in(server: Server, project_id: str) -> None:
    kernel = server.request("POST", "api/kernels", {"name": "python3"}).json
    files = server.root.parent / "home" / "runtime"
    place = files / f"kernel-{kernel['id']}.json"
    client = BlockingKernelClient()
    client.load_connection_file(str(_wait_for(place)))
    client.hb_channel.time_to_dead = 30.0  # a kernel that starts on a busy machine is not dead after a second
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
