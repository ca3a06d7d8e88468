"""Fetching assets: bodies, ranges, ETags, headers, and attempts to get at other files."""

import asyncio
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from jupyter_pipeline.project.files import ProjectFiles
from jupyter_pipeline.project.log import EventLog, StoredEntry
from jupyter_pipeline.project.log_rows import as_stored
from jupyter_pipeline.protocol.events import Artifact, ArtifactAdded
from jupyter_pipeline.protocol.frames import Event, stage_ref
from jupyter_pipeline.protocol.stages import StageId, StageStatus
from jupyter_pipeline.server.assets import disposition
from jupyter_pipeline.stages.workspace import current

from .conftest import Answer, Server
from .test_access import login_cookie

BODY = os.urandom(700_000)
FILES = {
    "report.html": b"<html><script>1</script></html>",
    "figure.png": b"\x89PNG....",
    "curve.svg": b"<svg/>",
    "numbers.json": b"[1, 2]",
    "bundle.zip": BODY,
    "empty.csv": b"",
    "Größe.csv": b"a\n1\n",
}


async def write_project(root: Path, artifacts: list[Artifact], project_id: str = "demo") -> None:
    """A project whose log says that stages made these files."""
    log = EventLog(root / "pipelines" / ".log" / "events.sqlite")
    await log.open()
    ref = stage_ref(StageId.DATA_SOURCE, StageStatus.IN_PROGRESS)
    ts = int(time.time() * 1000)
    events = [Event(seq=n, ts=ts, stage=ref, payload=ArtifactAdded(artifact=a)) for n, a in enumerate(artifacts, 1)]
    entry = StoredEntry(
        project_id=project_id,
        epoch="e",
        seq=len(events),
        updated_ts=ts,
        current_stage="DATA_SOURCE",
        status="IN_PROGRESS",
        working=False,
    )
    await log.append(entry, as_stored(project_id, events), [])
    await log.close()


def artifact(asset_id: str, path: str) -> Artifact:
    return Artifact(
        id=asset_id, type="file", name=asset_id, url=f"/api/projects/demo/assets/{asset_id}", meta={"path": path}
    )


@pytest.fixture(scope="module")
def stored(start_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    root = tmp_path_factory.mktemp("assets") / "root"
    folder = root / "pipelines" / "demo" / "artifacts" / "data_source-1"
    folder.mkdir(parents=True)
    (root / "secret.txt").write_text("secret")
    for name, body in FILES.items():
        (folder / name).write_bytes(body)
    (folder / "link.txt").symlink_to(root / "secret.txt")
    os.mkfifo(folder / "pipe.txt")
    made = [artifact(f"1-data_source-1.{name}", f"artifacts/data_source-1/{name}") for name in FILES]
    made += [
        artifact("gone", "artifacts/data_source-1/gone.txt"),
        artifact("outside", "../../secret.txt"),
        artifact("absolute", str(root / "secret.txt")),
        artifact("link", "artifacts/data_source-1/link.txt"),
        artifact("pipe", "artifacts/data_source-1/pipe.txt"),
        artifact("folder", "artifacts"),
        artifact("turns", "artifacts/data_source-1/turns.txt"),
    ]
    asyncio.run(write_project(root, made))
    return start_server(root=root)


def get(server: Server, name: str, method: str = "GET", query: str = "", **headers: str) -> Answer:
    from urllib.parse import quote

    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    path = f"api/projects/demo/assets/{quote(name, safe='')}{query}"
    return server.request(method, path, headers=sent)


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("report.html", "text/html; charset=utf-8", "inline"),
        ("figure.png", "image/png", "inline"),
        ("curve.svg", "image/svg+xml", "inline"),
        ("numbers.json", "application/json", "inline"),
        ("bundle.zip", "application/zip", "attachment"),
        ("empty.csv", "text/csv; charset=utf-8", "inline"),
        ("Größe.csv", "text/csv; charset=utf-8", "inline"),
    ],
)
def test_bodies_and_headers(stored: Server, name: str, kind: str, shown: str) -> None:
    answer = get(stored, f"1-data_source-1.{name}")
    assert answer.status == 200
    assert answer.body == FILES[name]
    headers = answer.headers
    assert headers["Content-Type"] == kind
    assert headers["Content-Length"] == str(len(FILES[name]))
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"].startswith(shown)
    policy = headers["Content-Security-Policy"]
    if name.endswith((".html", ".svg")):
        assert policy.startswith("sandbox allow-scripts;")
        assert "allow-same-origin" not in policy
    else:
        assert policy.startswith("sandbox; default-src 'none'")
    head = get(stored, f"1-data_source-1.{name}", "HEAD")
    assert head.body == b""
    assert head.headers["Content-Length"] == str(len(FILES[name]))
    assert head.headers["ETag"] == headers["ETag"]
    down = get(stored, f"1-data_source-1.{name}", query="?download=1")
    assert down.headers["Content-Disposition"].startswith("attachment")


def test_a_page_of_another_origin_gets_no_file_with_the_cookie(stored: Server) -> None:
    path, cookie = "api/projects/demo/assets/1-data_source-1.numbers.json", login_cookie(stored)
    own, other = f"http://127.0.0.1:{stored.port}", "http://elsewhere.example"
    for method in ("GET", "HEAD"):
        for origin, statuses in ((own, (200,)), (other, (403, 404))):
            answer = stored.request(method, path, token=None, headers={"Cookie": cookie, "Origin": origin})
            assert answer.status in statuses
            assert (answer.body == FILES["numbers.json"]) is (origin == own and method == "GET")


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=300000-", 300_000, 700_000),
        ("bytes=-10", 699_990, 700_000),
        ("bytes=-9999999", 0, 700_000),
        ("bytes=699999-9999999", 699_999, 700_000),
    ],
)
def test_ranges(stored: Server, asked: str, start: int, end: int) -> None:
    answer = get(stored, "1-data_source-1.bundle.zip", Range=asked)
    assert answer.body == BODY[start:end]
    if (start, end) != (0, len(BODY)):
        assert answer.status == 206
        assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(BODY)}"


@pytest.mark.parametrize("asked", ["bytes=700000-", "bytes=-0"])
def test_ranges_that_are_not_there(stored: Server, asked: str) -> None:
    answer = get(stored, "1-data_source-1.bundle.zip", Range=asked)
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(BODY)}"


@pytest.mark.parametrize("asked", ["bytes=", "bytes=-", "bytes=9-5", "lines=1-2", "bytes=1-2,4-5", "nonsense"])
def test_other_ranges_give_the_whole(stored: Server, asked: str) -> None:
    answer = get(stored, "1-data_source-1.bundle.zip", Range=asked)
    assert answer.status == 200
    assert answer.body == BODY


def test_etags(stored: Server) -> None:
    name = "1-data_source-1.bundle.zip"
    etag = get(stored, name).headers["ETag"]
    same = get(stored, name, If_None_Match=etag)
    assert (same.status, same.body) == (304, b"")
    assert get(stored, name, If_None_Match='"other"').status == 200
    assert get(stored, name, Range="bytes=0-9", If_Range=etag).status == 206
    assert get(stored, name, Range="bytes=0-9", If_Range='"other"').status == 200
    path = stored.root / "pipelines/demo/artifacts/data_source-1/bundle.zip"
    path.write_bytes(BODY)
    os.utime(path, ns=(1, 1))
    assert get(stored, name, If_None_Match=etag).status == 200


@pytest.mark.parametrize(
    "name",
    [
        "gone", "outside", "absolute", "link", "pipe", "folder", "never", "..", "../../secret.txt", "/etc/passwd",
        "..%2f..%2fsecret.txt", "artifacts/data_source-1/report.html", "\x00",
    ],
)  # fmt: skip
def test_nothing_else_can_be_had(stored: Server, name: str) -> None:
    answer = get(stored, name)
    assert answer.status == 404
    assert b"secret" not in answer.body.replace(name.encode(), b"")
    raw = stored.request("GET", "api/projects/demo/assets/../../../../secret.txt")
    assert raw.status == 404


@pytest.mark.parametrize(
    "name", ['a"b.csv', "a\r\nX-Injected: 1.csv", "a;b=c.csv", "a\\b.csv", "é\u2028\u202e.csv", "%0d%0a"]
)
def test_a_name_adds_nothing_to_the_headers(name: str) -> None:
    header = r"attachment; filename=\"([A-Za-z0-9._ -]*)\"; filename\*=UTF-8''([A-Za-z0-9._~%-]*)"
    found = re.fullmatch(header, disposition(name, inline=False))
    assert found is not None
    assert unquote(found.group(2)) == name
    assert len(found.group(1)) == len(name)


def test_a_file_that_is_exchanged_while_it_is_opened_gives_nothing_else_away(stored: Server) -> None:
    """A link and a pipe take turns with the file, quicker than it can be looked at and opened."""
    place = stored.root / "pipelines/demo/artifacts/data_source-1/turns.txt"
    own, link, pipe = (place.with_name(f"turns-{n}") for n in ("own", "link", "pipe"))
    os.mkfifo(pipe)
    link.symlink_to(stored.root / "secret.txt")
    own.write_text("own")
    place.write_text("own")
    over = threading.Event()

    def exchange() -> None:
        while not over.is_set():
            for source in (link, pipe, own):
                temporary = place.with_name("turns-next")
                os.link(source, temporary, follow_symlinks=False)
                os.replace(temporary, place)

    exchanging = threading.Thread(target=exchange)
    exchanging.start()
    try:
        answers = [get(stored, "turns") for _ in range(300)]
    finally:
        over.set()
        exchanging.join()
    assert {answer.status for answer in answers} == {200, 404}
    assert {answer.body for answer in answers if answer.status == 200} == {b"own"}


def test_what_is_opened_counts_and_not_what_its_path_led_to_before_or_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link to a file outside is there in the very moment of opening, and the project's own file at any other."""
    files, place = ProjectFiles(tmp_path / "demo"), tmp_path / "demo" / "artifacts" / "own.txt"
    place.parent.mkdir(parents=True)
    place.write_text("own")
    (tmp_path / "secret.txt").write_text("secret")
    asset = artifact("own", "artifacts/own.txt")
    found = files.open_asset(asset)
    assert found is not None
    with found[1] as file:
        assert (found[0], file.read()) == (place, b"own")
    really_open = os.open

    def open_meanwhile(path: Path, flags: int) -> int:
        place.unlink()
        place.symlink_to(tmp_path / "secret.txt")
        try:
            return really_open(path, flags)
        finally:
            place.unlink()
            place.write_text("own")

    before = len(os.listdir("/proc/self/fd"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", open_meanwhile)
        assert files.open_asset(asset) is None
    assert len(os.listdir("/proc/self/fd")) == before


def test_code_that_a_link_leads_to_is_not_given_away(tmp_path: Path) -> None:
    """What lies in the folder ``code`` goes into the bundle."""
    folder = tmp_path / "code"
    (folder / "modeling").mkdir(parents=True)
    (tmp_path / "secret.py").write_text("KEY = 1")
    (folder / "train.py").write_text("1")
    (folder / "modeling" / "own.py").write_text("2")
    (folder / "again.py").symlink_to(folder / "train.py")
    (folder / "secret.py").symlink_to(tmp_path / "secret.py")
    (folder / "modeling" / "gone.py").symlink_to(tmp_path / "gone.py")
    (folder / "more").symlink_to(tmp_path, target_is_directory=True)
    assert current(folder) == {"again.py": b"1", "modeling/own.py": b"2", "train.py": b"1"}


def test_the_list(stored: Server) -> None:
    assets = stored.request("GET", "api/projects/demo/assets").json["assets"]
    assert len(assets) == len(FILES) + 7
    assert set(assets[0]) == {"id", "type", "name", "url", "meta"}
