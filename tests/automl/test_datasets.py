import gzip
import http.server
import importlib.util
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from jupyter_pipeline.automl.addresses import is_url
from jupyter_pipeline.automl.datasets import (
    bundled,
    by_url,
    describe,
    is_named,
    is_table_name,
    open_candidate,
    rank,
    uploads,
    workspace,
)
from jupyter_pipeline.automl.fetching import download
from jupyter_pipeline.automl.reading import ReadError, read, settle

TABLE = "age,income,Churned\n" + "".join(f"{i},{i * 10},{i % 2}\n" for i in range(30))


class Files(http.server.BaseHTTPRequestHandler):
    """Serves one table without ranges, one in pieces, one that is cut off, and nothing else."""

    body = TABLE.encode()
    packed = gzip.compress(("a,b\n" + "".join(f"{i},{i * 7919 % 10007}\n" for i in range(300_000))).encode())
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        if self.path.startswith("/pieces/"):
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(self.packed), 70_001):
                piece = self.packed[at : at + 70_001]
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
            return
        if self.path.startswith("/cut/"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.packed)))
            self.end_headers()
            self.wfile.write(self.packed[: len(self.packed) // 2])
            return
        found = self.path.startswith("/data/table.csv")
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(self.body) if found else 0))
        self.end_headers()
        if found:
            self.wfile.write(self.body)

    def do_HEAD(self) -> None:
        self.close_connection = True
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def attached(folder: Path, *names: str) -> list[dict[str, object]]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(TABLE)
    return [{"id": f"upload:{n}", "name": n, "source": "upload", "meta": {"path": n}} for n in names]


def test_the_walk_skips_what_is_no_data(tmp_path: Path) -> None:
    places = ["a.csv", "sub/b.parquet", "sub/deep/c.csv.gz", ".hidden/d.csv", "pipelines/p/e.csv", "venv/f.csv", "g.py"]
    places += ["requirements.txt", "1/2/3/4/5/h.csv", "notes.md", "sub/.i.csv"]
    for place in places:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(TABLE)
    outside = tmp_path / ".outside"
    outside.mkdir()
    (outside / "j.csv").write_text(TABLE)
    os.symlink(outside, tmp_path / "linked")
    os.symlink(outside / "j.csv", tmp_path / "linked.csv")
    found = workspace(tmp_path, skip=[tmp_path / "pipelines"])
    assert [c.id for c in found] == ["workspace:a.csv", "workspace:sub/b.parquet", "workspace:sub/deep/c.csv.gz"]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert workspace(tmp_path / "none") == []


def test_uploads_before_files_before_bundled_sets(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "own.csv").write_text(TABLE)
    everything = [*bundled(), *workspace(tmp_path / "w"), *uploads(attached(tmp_path / "p", "x.csv"), tmp_path / "p")]
    ids = [c.id for c in rank(everything, None, None)]
    assert ids[:2] == ["upload:x.csv", "workspace:own.csv"]
    assert all(i.startswith("sklearn:") for i in ids[2:])
    assert len(ids) == 7


def test_the_hint_beats_the_source(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text(TABLE)
    everything = [*bundled(), *workspace(tmp_path), *uploads(attached(tmp_path / "p", "x.csv"), tmp_path / "p")]
    for hint, expected in [
        ("customers.csv", "workspace:customers.csv"),
        ("./customers.csv", "workspace:customers.csv"),
        ("customers", "workspace:customers.csv"),
        ("the Customers table", "workspace:customers.csv"),
        ("the attached file", "upload:x.csv"),
        ("wine", "sklearn:wine"),
        ("sklearn:digits", "sklearn:digits"),
        ("breast cancer", "sklearn:breast_cancer"),
    ]:
        assert rank(everything, hint, None)[0].id == expected, hint


def test_a_file_beats_the_bundled_set_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "iris.csv").write_text(TABLE)
    assert rank([*bundled(), *workspace(tmp_path)], "iris", None)[0].id == "workspace:iris.csv"
    assert rank([*bundled(), *workspace(tmp_path)], "sklearn:iris", None)[0].id == "sklearn:iris"


def test_the_target_and_its_reason(tmp_path: Path) -> None:
    (tmp_path / "aaa.csv").write_text("x,y\n1,2\n")
    (tmp_path / "bbb.csv").write_text(TABLE)
    best = rank(workspace(tmp_path), None, "churned")[0]
    assert best.name == "bbb.csv"
    assert best.reasons == ("has a column like 'churned'",)
    assert "Has a column like 'churned'" in describe(best)


def test_a_broken_file_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no more")
    (tmp_path / "good.csv").write_text(TABLE)
    good, broken = rank(workspace(tmp_path), None, None)
    assert good.name == "good.csv"
    assert broken.problem
    assert "cannot be read" in describe(broken)
    with pytest.raises(ReadError, match="cannot be read"):
        open_candidate(broken, tmp_path)


def test_bundled_sets_are_opened(tmp_path: Path) -> None:
    for candidate in bundled():
        spec = settle(open_candidate(candidate, tmp_path))
        assert read(spec, 3).height == 3
        assert len(spec.sha256) == 64
        assert "target" in spec.columns


def test_download(site: str, tmp_path: Path) -> None:
    url = f"{site}/data/table.csv?version=1"
    candidate = by_url(url)
    assert (candidate.id, candidate.name) == (f"url:{url}", "table.csv")
    assert is_named(candidate, url)
    spec = open_candidate(candidate, tmp_path / "data")
    assert read(spec).shape == (30, 3)
    assert download(url, tmp_path / "data") == Path(spec.path)
    assert [p.name for p in (tmp_path / "data").iterdir()] == [Path(spec.path).name]


def test_downloads_that_fail_leave_nothing(site: str, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="check the address"):
        download(f"{site}/nothing.csv", tmp_path)
    with pytest.raises(ReadError, match="larger than 100 bytes"):
        download(f"{site}/data/table.csv", tmp_path, max_bytes=100)
    with pytest.raises(ReadError, match="cannot be fetched"):
        download("http://127.0.0.1:9/table.csv", tmp_path)
    for url in ("file:///etc/hosts", "table.csv", "/etc/hosts", "local://etc/hosts"):
        with pytest.raises(ReadError, match="no web address"):
            download(url, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_packed_table_that_comes_in_pieces(site: str, tmp_path: Path) -> None:
    spec = settle(open_candidate(by_url(f"{site}/pieces/big.csv.gz"), tmp_path))
    assert spec.n_rows == 300_000
    assert read(spec)["b"].sum() == sum(i * 7919 % 10007 for i in range(300_000))


def test_a_download_that_is_cut_off_leaves_nothing(site: str, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cannot be fetched"):
        download(f"{site}/cut/big.csv.gz", tmp_path)
    assert list(tmp_path.iterdir()) == []


class Buckets(MemoryFileSystem):
    """A store of objects that fsspec knows by another scheme than http, with this process behind it."""

    protocol = "s3"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.removeprefix("s3://")))


def test_objects_of_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules["fsspec.registry"].__dict__["_registry"], "s3", Buckets)
    url = "s3://bucket/folder/table.csv"
    fsspec.filesystem("s3").pipe("/bucket/folder/table.csv", TABLE.encode())
    spec = open_candidate(by_url(url), tmp_path)
    assert read(spec).shape == (30, 3)
    with pytest.raises(ReadError, match=r"nothing at s3://bucket/other\.csv"):
        download("s3://bucket/other.csv", tmp_path)
    with pytest.raises(ReadError, match="larger than 100 bytes"):
        download(url, tmp_path / "small", max_bytes=100)
    assert list((tmp_path / "small").iterdir()) == []


@pytest.mark.skipif(importlib.util.find_spec("gcsfs") is not None, reason="gcsfs is installed here")
def test_a_scheme_whose_package_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"gs://bucket/a.csv needs another package .*gcsfs"):
        download("gs://bucket/a.csv", tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.csv", True), ("A.CSV.GZ", True), ("b.parquet", True), ("c.zip", True), ("d.py", False), ("e.pkl", False)],
)
def test_table_names(name: str, expected: bool) -> None:
    assert is_table_name(name) is expected


def test_urls() -> None:
    assert is_url("https://example.org/a.csv")
    assert not is_url("a.csv")
    assert not is_url(None)
