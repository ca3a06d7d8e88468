"""Uploading data files: what lands where, and what is refused."""

import contextlib
import gzip
import http.client
import http.server
import json
import os
import re
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from jupyter_pipeline import Pipeline
from jupyter_pipeline.automl.reading import read, settle, sniff
from jupyter_pipeline.client.errors import PipelineError
from jupyter_pipeline.server.limits import DEFAULT_RATES

from .conftest import TOKEN, Answer, Server

CSV = b"a,b\n1,2\n3,4\n"


def upload(server: Server, project_id: str, name: str, body: bytes, **headers: str) -> Answer:
    path = f"api/projects/{project_id}/data?name={quote(name, safe='')}"
    return server.request("POST", path, body, headers=headers)


def data_dir(server: Server, project_id: str) -> Path:
    return server.root / "pipelines" / project_id / "data"


def test_a_file_becomes_a_data_set(server: Server, project_id: str) -> None:
    answer = upload(server, project_id, "My table (1).csv", CSV)
    assert answer.status == 201
    dataset = answer.json["dataset"]
    assert set(dataset) == {"id", "name", "source", "desc", "meta"}
    assert (dataset["name"], dataset["source"]) == ("My table (1).csv", "upload")
    folder = data_dir(server, project_id)
    assert [p.name for p in folder.iterdir()] == ["My table (1).csv"]
    assert (folder / "My table (1).csv").read_bytes() == CSV
    state = server.request("GET", f"api/projects/{project_id}/state").json
    assert [d["name"] for d in state["datasets"]] == ["My table (1).csv"]


def test_nothing_is_overwritten(server: Server, project_id: str) -> None:
    names = [
        upload(server, project_id, "t.csv.gz", body).json["dataset"]["name"]
        for body in (b"first", b"second", b"first", b"third", b"second")
    ]
    assert names == ["t.csv.gz", "t-2.csv.gz", "t.csv.gz", "t-3.csv.gz", "t-2.csv.gz"]
    stored = {p.name: p.read_bytes() for p in data_dir(server, project_id).iterdir()}
    assert stored == {"t.csv.gz": b"first", "t-2.csv.gz": b"second", "t-3.csv.gz": b"third"}


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        ".hidden",
        "../x.csv",
        "a/b.csv",
        "/etc/x.csv",
        "a\\b.csv",
        "C:x.csv",
        "a\nb",
        "x" * 300,
    ],
)
def test_names_that_are_none(server: Server, project_id: str, name: str) -> None:
    answer = upload(server, project_id, name, CSV)
    assert answer.status == 400
    assert answer.json["code"] == "INVALID_ARGS"
    assert not data_dir(server, project_id).exists()


def test_names_in_other_scripts(server: Server, project_id: str) -> None:
    assert upload(server, project_id, "Größe 数据.csv", CSV).json["dataset"]["name"] == "Größe 数据.csv"


def test_an_empty_file_is_refused(server: Server, project_id: str) -> None:
    answer = upload(server, project_id, "x.csv", b"")
    assert answer.status == 400
    assert "empty" in answer.json["message"]
    is_left_without(data_dir(server, project_id).parent)


def test_a_form_is_refused(server: Server, project_id: str) -> None:
    answer = upload(server, project_id, "x.csv", CSV, **{"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status == 400
    assert "raw body" in answer.json["message"]


def test_a_body_that_is_encoded_is_refused(server: Server, project_id: str) -> None:
    """It would be stored as something that it is not, and what it unpacks to is not bounded."""
    answer = upload(server, project_id, "x.csv", gzip.compress(CSV), **{"Content-Encoding": "gzip"})
    assert answer.status == 400
    assert "without Content-Encoding" in answer.json["message"]
    assert not data_dir(server, project_id).exists()


def test_a_body_that_claims_to_be_larger_than_the_limit_is_refused_before_it_comes(
    small: Server, project_id: str
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", small.port, timeout=30)
    connection.putrequest("POST", f"/api/projects/{project_id}/data?name=x.csv")
    connection.putheader("Authorization", f"token {TOKEN}")
    connection.putheader("Content-Length", str(1 << 40))
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == 413
    assert response.headers["Connection"] == "close", "The next request would be lost."
    assert b"too large" in response.read()
    connection.close()


def test_a_client_of_ours_says_why_a_file_is_refused_though_it_could_not_send_all_of_it(
    small: Server, project_id: str, tmp_path: Path
) -> None:
    large = tmp_path / "large.csv"
    large.touch()
    os.truncate(large, 1 << 30)
    with (
        Pipeline(project_id, url=f"http://127.0.0.1:{small.port}/", token=TOKEN) as p,
        pytest.raises(PipelineError, match="at most 100,000 bytes are taken"),
    ):
        p.attach(large)


def test_a_large_file_goes_to_the_disk_not_to_memory(server: Server, project_id: str) -> None:
    """Larger than what this server lets Jupyter take of any body, and than Tornado's buffer; ``UPLOAD_MB=2000`` sends
    more than either has by itself."""
    assert server.process is not None
    memory, piece = psutil.Process(server.process.pid), os.urandom(1 << 20)
    megabytes = int(os.environ.get("UPLOAD_MB", "64"))
    held = [memory.memory_info().rss]

    def body() -> Iterator[bytes]:
        for _ in range(megabytes):
            held.append(memory.memory_info().rss)
            yield piece

    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    path = f"{server.base_url}api/projects/{project_id}/data?name=large.bin"
    length = {"Content-Length": str(megabytes << 20), "Authorization": f"token {TOKEN}"}
    connection.request("POST", path, body(), length)
    response = connection.getresponse()
    assert response.status == 201, response.read()
    connection.close()
    assert (data_dir(server, project_id) / "large.bin").stat().st_size == megabytes << 20
    assert max(held) - held[0] < 24 << 20
    assert server.request("DELETE", f"api/projects/{project_id}").status == 204


@pytest.mark.parametrize("folder", ["data", "data/downloads", "artifacts", "artifacts/trials", "code", "exports"])
def test_nothing_is_written_through_a_link_that_leads_out_of_the_project(
    server: Server, project_id: str, folder: str, tmp_path: Path
) -> None:
    project = server.root / "pipelines" / project_id
    (project / folder).parent.mkdir(parents=True)
    (project / folder).symlink_to(tmp_path, target_is_directory=True)
    refused = upload(server, project_id, "x.csv", CSV)
    assert refused.status == 400
    assert f"The folder {folder} of the project" in refused.json["message"]
    chat = {"type": "chat", "text": "Predict species in iris"}
    assert server.request("POST", f"api/projects/{project_id}/messages", chat).status == 200
    deadline = time.monotonic() + 30
    while (one := server.request("GET", f"api/projects/{project_id}").json)["status"] != "FAILED":
        assert time.monotonic() < deadline, one
        time.sleep(0.1)
    assert "leads out of the project" in server.request("GET", f"api/projects/{project_id}/events").body.decode()
    assert list(tmp_path.iterdir()) == []
    (project / folder).unlink()
    assert upload(server, project_id, "x.csv", CSV).status == 201


@contextlib.contextmanager
def on_its_way(server: Server, project_id: str, length: int, sent: bytes) -> Iterator[http.client.HTTPConnection]:
    """An upload of which a part has come and is written."""
    folder = data_dir(server, project_id)
    before = len(list(folder.iterdir())) if folder.is_dir() else 0
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest("POST", f"{server.base_url}api/projects/{project_id}/data?name=slow.csv")
    connection.putheader("Authorization", f"token {TOKEN}")
    connection.putheader("Content-Length", str(length))
    connection.endheaders(sent)
    deadline = time.monotonic() + 10
    while not folder.is_dir() or len(list(folder.iterdir())) <= before:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with contextlib.closing(connection):
        yield connection


def test_a_client_that_goes_away_leaves_nothing(server: Server, project_id: str) -> None:
    with on_its_way(server, project_id, 1_000_000, b"a,b\n" * 1000):
        pass
    is_left_without(data_dir(server, project_id).parent)
    assert server.request("GET", f"api/projects/{project_id}").status == 404


def test_a_file_whose_project_is_deleted_meanwhile_leaves_nothing_in_the_next_one(
    server: Server, project_id: str
) -> None:
    upload(server, project_id, "other.csv", CSV)
    with on_its_way(server, project_id, len(CSV), CSV[:5]) as connection:
        assert server.request("DELETE", f"api/projects/{project_id}").status == 204
        assert upload(server, project_id, "new.csv", CSV).status == 201
        connection.send(CSV[5:])
        answer = connection.getresponse()
        assert (answer.status, b"was deleted while the file came" in answer.read()) == (404, True)
    assert [place.name for place in data_dir(server, project_id).iterdir()] == ["new.csv"]


def test_a_file_that_is_gone_as_soon_as_it_is_in_place(server: Server, project_id: str) -> None:
    """As when its project is deleted just then."""
    place = data_dir(server, project_id) / "x.csv"
    over = threading.Event()

    def remove() -> None:
        while not over.is_set():
            with contextlib.suppress(FileNotFoundError):
                place.unlink()

    remover = threading.Thread(target=remove)
    remover.start()
    gone = None
    try:
        for _ in range(400):
            answer = upload(server, project_id, "x.csv", CSV)
            assert answer.status in (200, 201, 404), answer.body
            if answer.status == 404:
                gone = answer.json["message"]
                break
    finally:
        over.set()
        remover.join()
    assert gone is not None
    assert "or the file was removed; upload it again" in gone


def test_a_project_stays_while_its_first_file_is_on_its_way(server: Server, project_id: str) -> None:
    """Whoever asks for it meanwhile; without an event it would be forgotten."""
    with on_its_way(server, project_id, len(CSV), CSV[:5]) as connection:
        assert server.request("GET", f"api/projects/{project_id}").status == 200
        assert server.request("GET", f"api/projects/{project_id}/state").status == 200
        connection.send(CSV[5:])
        answer = connection.getresponse()
        assert answer.status == 201, answer.read()


@pytest.fixture(scope="module")
def small(start_server: Callable[..., Server]) -> Server:
    return start_server(
        "--PipelineApp.upload_limit=100000",
        "--PipelineApp.project_disk_limit=150000",
        "--PipelineApp.upload_stall_s=2",
        "--PipelineApp.at_once_limits={'uploads': 2}",
        "--PipelineApp.project_files_limit=5",
        "--PipelineApp.project_log_limit=100000",
        f"--PipelineApp.rate_limits={dict.fromkeys(DEFAULT_RATES)}",
    )


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [100_001, 200_000, 1_000_000])
def test_a_file_over_the_limit_is_refused(small: Server, project_id: str, size: int, chunked: bool) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", small.port, timeout=10)
    body = b"x" * size
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may be refused before all of it is sent
        connection.request(
            "POST",
            f"/api/projects/{project_id}/data?name=x.csv",
            iter([body[:100_000], body[100_000:]]) if chunked else body,
            {"Authorization": f"token {TOKEN}"},
            encode_chunked=chunked,
        )
    response = connection.getresponse()
    assert response.status == 413
    assert b"at most 100,000 bytes are taken" in response.read()
    connection.close()
    is_left_without(small.root / "pipelines" / project_id)


def is_left_without(project: Path) -> None:
    """Nothing of a project that never was, also no empty folder."""
    deadline = time.monotonic() + 5
    while project.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not project.exists()


@pytest.mark.parametrize(("path", "most"), [("data?name=x.csv", 100_000), ("messages", 1 << 20), ("predict", 32 << 20)])
def test_a_body_without_an_end_is_refused_in_words_and_not_read_for_ever(
    small: Server, project_id: str, path: str, most: int
) -> None:
    """Its sender may listen after all of it; of one that does not end so much is read, then it is answered and cut."""
    head = f"POST /api/projects/{project_id}/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n"
    piece, sent = b"10000\r\n" + b"x" * 0x10000 + b"\r\n", 0
    with socket.create_connection(("127.0.0.1", small.port), timeout=30) as connection:
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        with contextlib.suppress(ConnectionError):
            while sent < 200 << 20:
                connection.sendall(piece)
                sent += 0x10000
        response = http.client.HTTPResponse(connection, method="POST")
        response.begin()
        body = json.loads(response.read())
    assert (response.status, response.headers["Connection"]) == (413, "close")
    assert (body["type"], body["code"]) == ("error", "TOO_LARGE")
    assert f"at most {most:,} bytes are taken" in body["message"]
    assert sent < most + (64 << 20)
    is_left_without(small.root / "pipelines" / project_id)
    assert small.request("GET", "api/projects").status == 200


def test_a_project_has_so_much_disk(small: Server, project_id: str) -> None:
    assert upload(small, project_id, "a.csv", b"x" * 90_000).status == 201
    refused = upload(small, project_id, "b.csv", b"y" * 90_000)
    assert refused.status == 413
    assert refused.json["code"] == "TOO_LARGE"
    said = re.search(
        r"150,000 bytes of disk \(PipelineApp\.project_disk_limit\), of which ([\d,]+) are left",
        refused.json["message"],
    )
    assert said
    left = int(said.group(1).replace(",", ""))
    assert 50_000 < left < 60_000, "its log counts"
    assert upload(small, project_id, "c.csv", b"y" * left).status == 201
    chat = {"type": "chat", "text": "Predict x"}
    assert small.request("POST", f"api/projects/{project_id}/messages", chat).status == 200
    deadline = time.monotonic() + 30
    while (one := small.request("GET", f"api/projects/{project_id}").json)["status"] != "FAILED":
        assert time.monotonic() < deadline, one
        time.sleep(0.1)
    message = small.request("GET", f"api/projects/{project_id}/state").json["stages"][0]["message"]
    assert re.search(r"15\d,\d{3} bytes of disk, of 150,000 that it may", message)


def test_a_project_has_so_many_files(small: Server, project_id: str) -> None:
    for n in range(5):
        assert upload(small, project_id, f"{n}.csv", b"a\n%d\n" % n).status == 201
    refused = upload(small, project_id, "more.csv", CSV)
    assert (refused.status, refused.json["code"]) == (413, "TOO_LARGE")
    assert "5 files were uploaded" in refused.json["message"]
    assert len(list(data_dir(small, project_id).iterdir())) == 5


def test_where_the_log_has_no_room_a_file_is_refused_before_it_comes(small: Server, project_id: str) -> None:
    for times in (200, 20, 1):
        chat = {"type": "chat", "text": "hm " * times}
        while (answer := small.request("POST", f"api/projects/{project_id}/messages", chat)).status == 200:
            pass
        assert (answer.status, answer.json["code"]) == (413, "TOO_LARGE")
    connection = http.client.HTTPConnection("127.0.0.1", small.port, timeout=30)
    connection.putrequest("POST", f"/api/projects/{project_id}/data?name=x.csv")
    connection.putheader("Authorization", f"token {TOKEN}")
    connection.putheader("Content-Length", "40000")
    connection.endheaders()
    refused = connection.getresponse()
    assert refused.status == 413
    assert b"of 100,000 that it may have (PipelineApp.project_log_limit)" in refused.read()
    connection.close()
    assert not data_dir(small, project_id).exists()


class Endless(http.server.BaseHTTPRequestHandler):
    """A table without an end, or one that says that it is large."""

    def do_GET(self) -> None:
        self.send_response(200)
        if "large" in self.path:
            self.send_header("Content-Length", "8000004")
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(b"x,y\n")
            for n in range(20_000):
                self.wfile.write(b"1,2\n" * 100)
                time.sleep(0.001 if n < 1000 else 0.1)


@pytest.mark.parametrize("name", ["rows.csv", "large.csv"])
def test_a_download_is_ended_where_the_project_has_no_more_room(small: Server, project_id: str, name: str) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless) as site:
        site.daemon_threads = True
        threading.Thread(target=site.serve_forever, daemon=True).start()
        chat = {"type": "chat", "text": f"Predict y in http://127.0.0.1:{site.server_port}/{name}"}
        assert small.request("POST", f"api/projects/{project_id}/messages", chat).status == 200
        deadline = time.monotonic() + 60
        while not small.request("GET", f"api/projects/{project_id}/state").json["waiting_confirmation"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert small.request("POST", f"api/projects/{project_id}/confirm", {}).status == 200
        while (one := small.request("GET", f"api/projects/{project_id}").json)["status"] != "FAILED":
            assert time.monotonic() < deadline, one
            time.sleep(0.1)
        site.shutdown()
    assert one["current_stage"] == "DATA_SOURCE"
    message = small.request("GET", f"api/projects/{project_id}/state").json["stages"][1]["message"]
    said = re.search(name + r" has more than ([\d,]+) bytes, which is all that the project may still use of", message)
    assert said, message
    assert 120_000 < int(said.group(1).replace(",", "")) < 150_000
    downloads = data_dir(small, project_id) / "downloads"
    while list(downloads.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_an_upload_that_does_not_go_on_is_given_up_and_there_are_so_many_at_once(
    small: Server, project_id: str
) -> None:
    path = f"/api/projects/{project_id}/data?name=still.csv"
    deadline = time.monotonic() + 60

    def begin() -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", small.port, timeout=30)
        connection.putrequest("POST", path)
        connection.putheader("Authorization", f"token {TOKEN}")
        connection.putheader("Content-Length", "90000")
        connection.endheaders(b"a,b\n")
        return connection

    folder = small.root / "pipelines" / project_id / "data"
    still = [begin(), begin()]
    while not (folder.is_dir() and len(list(folder.iterdir())) == 2):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    third = small.request("POST", path.removeprefix("/"), b"a,b\n1,2\n")
    assert (third.status, third.json["code"]) == (429, "RATE_LIMITED")
    assert "at once" in third.json["message"]
    for connection in still:
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            connection.getresponse()
        connection.close()
    is_left_without(folder.parent)
    slow = begin()
    for _ in range(9):
        time.sleep(0.4)
        slow.send(b"1,2\n" * 1000)
    slow.send(b" " * (90_000 - 4 - 9 * 4000))
    assert slow.getresponse().status == 201
    slow.close()


def test_a_member_of_a_zip_that_names_another_place_is_read_and_put_nowhere(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "rows.zip", "w") as archive:
        archive.writestr("../../outside.csv", CSV)
    assert len(read(settle(sniff(folder / "rows.zip")))) == 2
    assert [p.name for p in tmp_path.rglob("*")] == ["a", "b", "rows.zip"]
