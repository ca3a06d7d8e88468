"""Where nothing can be written: projects are read, all else is refused with what is wrong, and the server lives."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from jupyter_pipeline.digests import sha256
from jupyter_pipeline.verify import verify
from tests.processes import free_port

from .conftest import Server

pytestmark = pytest.mark.anyio
CHAT = {"type": "chat", "text": "Predict species in iris"}
MOUNT = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'


def read_only(kind: str, folder: Path) -> list[str]:
    """What a server is run by that cannot write in a folder; skips where this machine cannot have that."""
    if kind == "mounted":
        prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, str(folder)]
    elif os.getuid() == 0:  # who may write everywhere, unless that is taken away
        prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    else:
        prefix = []
    if prefix and shutil.which(prefix[0]) is None:
        pytest.skip(f"there is no {prefix[0]}")
    tried = subprocess.run([*prefix, "touch", str(folder / "x")], capture_output=True, text=True, check=False)
    if "Read-only" not in tried.stderr and "Permission denied" not in tried.stderr:
        pytest.skip(f"a folder cannot be made read-only for a process here: {tried.stderr}")
    return prefix


def may_write(root: Path, allowed: bool) -> None:
    for place in [root, *root.rglob("*")]:
        place.chmod(place.stat().st_mode | 0o200 if allowed else place.stat().st_mode & ~0o222)


def files_of(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): sha256(path) for path in root.rglob("*") if path.is_file()}


def until_it_waits(server: Server) -> None:
    deadline = time.monotonic() + 60
    while not server.request("GET", "api/projects/demo/state").json["waiting_confirmation"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(params=["mounted", "not allowed"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Server:
    """One that was killed when a project was at DATA_SOURCE's gate; the next that is started cannot write."""
    root = tmp_path / "root"
    root.mkdir()
    server = Server(root, free_port(), "/")
    server.start()
    try:
        assert server.request("POST", "api/projects/demo/messages", CHAT).status == 200
        until_it_waits(server)
        assert server.request("POST", "api/projects/demo/confirm", {}).status == 200
        until_it_waits(server)
        server.said = server.request("GET", "api/projects/demo/events").body  # type: ignore[attr-defined]
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        assert (root / "pipelines" / ".log" / "events.sqlite-wal").stat().st_size, "not all is in the log's file"
    finally:
        server.stop()
    if request.param == "not allowed":
        may_write(root, False)
    try:
        server.prefix = read_only(request.param, root)
        server.why = {"mounted": "is mounted read-only", "not allowed": "may not write there"}[request.param]  # type: ignore[attr-defined]
        yield server
    finally:
        server.stop()
        may_write(root, True)


async def test_projects_are_read_and_nothing_is_changed(server: Server) -> None:
    before = files_of(server.root)
    server.start()
    (one,) = server.request("GET", "api/projects").json["projects"]
    assert (one["project_id"], one["status"]) == ("demo", "WAITING_CONFIRMATION")
    assert server.request("GET", "api/projects/demo/events").body == server.said
    assert server.request("GET", "api/projects/demo/state").json["waiting_confirmation"]["stage_id"] == "DATA_SOURCE"
    (asset,) = [a for a in server.request("GET", "api/projects/demo/assets").json["assets"] if "sample" in a["id"]]
    assert server.request("GET", f"api/projects/demo/assets/{asset['id']}").json["columns"]
    for method, path, body in (
        ("POST", "demo/messages", CHAT), ("POST", "demo/confirm", {}), ("POST", "demo/data?name=x.csv", b"a\n1\n"),
        ("POST", "new/messages", CHAT), ("POST", "new/data?name=x.csv", b"a\n1\n"), ("DELETE", "demo", None),
    ):  # fmt: skip
        refused = server.request(method, f"api/projects/{path}", body)
        assert (refused.status, refused.json["code"]) == (503, "BUSY"), path
        assert "The projects can only be read" in refused.json["message"]
        assert server.why in refused.json["message"]
        assert "restart the server" in refused.json["message"]
    for name in ("demo", "new"):
        async with server.connect(name) as socket:
            hello, status = await socket.next(), await socket.next()
            assert server.why in hello["event"]["payload"]["message"]
            assert server.why in status["event"]["payload"]["message"]
            await socket.send({"type": "confirm", "id": "c"})
            error = await socket.until(lambda f: f["type"] in ("ack", "error"))
            assert (error["type"], error["code"], error["retryable"]) == ("error", "BUSY", False)
            assert server.why in error["message"]
    assert server.request("GET", "api/contents").status == 200
    assert "The projects can only be read" in server.log
    assert any("events follow one another" in line for line in verify(server.root / "pipelines" / "demo"))
    server.stop()
    assert files_of(server.root) == before
    # What is written again goes on.
    may_write(server.root, True)
    server.prefix = []
    server.start()
    assert server.request("GET", "api/projects/demo/events").body == server.said
    assert server.request("POST", "api/projects/demo/confirm", {}).status == 200
    until_it_waits(server)
    assert server.request("DELETE", "api/projects/demo").status == 204


@pytest.mark.parametrize("kind", ["mounted", "not allowed"])
async def test_without_any_project_the_server_says_so_too(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    if kind == "not allowed":
        may_write(root, False)
    server = Server(root, free_port(), "/", prefix=read_only(kind, root))
    try:
        server.start()
        assert server.request("GET", "api/projects").json["projects"] == []
        refused = server.request("POST", "api/projects/demo/messages", CHAT)
        assert (refused.status, refused.json["code"]) == (503, "BUSY")
        assert "The projects can only be read" in refused.json["message"]
        assert list(root.iterdir()) == []
    finally:
        server.stop()
        may_write(root, True)
