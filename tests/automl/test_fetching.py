"""Fetching data over HTTP from servers of every kind, and what happens to passwords in addresses."""

import base64
import contextlib
import gzip
import http.server
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_pipeline.automl import fetching
from jupyter_pipeline.automl.addresses import all_without_credentials, names_somebody, without_credentials
from jupyter_pipeline.automl.datasets import by_url, open_candidate
from jupyter_pipeline.automl.fetching import download
from jupyter_pipeline.automl.reading import ReadError, read

TABLE = "age,income,Churned\n" + "".join(f"{i},{i * 10},{i % 2}\n" for i in range(30))
SECRET = "sesame"


class Site(http.server.BaseHTTPRequestHandler):
    """Does what the first part of the path says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            getattr(self, self.path.split("/")[1])()

    def do_HEAD(self) -> None:
        self.close_connection = True
        self.send_response(405)
        self.end_headers()

    def end_headers(self) -> None:
        self.send_header("Connection", "close")  # else the client may take the connection for the next request
        super().end_headers()

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def plain(self) -> None:
        self.send(TABLE.encode())

    def encoded(self) -> None:
        """The body is encoded, for the way; what it stands for is what the address names."""
        self.send(gzip.compress(TABLE.encode()), Content_Encoding="gzip")

    def bomb(self) -> None:
        self.send(gzip.compress(b"0" * 30_000_000), Content_Encoding="gzip")

    def broken(self) -> None:
        self.send(b"no gzip at all, whatever the header says", Content_Encoding="gzip")

    def silent(self) -> None:
        time.sleep(20)

    def stops(self) -> None:
        self.send(TABLE.encode()[:100], Content_Length="1000")
        time.sleep(20)

    def promises(self) -> None:
        """A length that it does not keep."""
        self.send(TABLE.encode()[:100], Content_Length="1000")

    def unfinished(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"5\r\na,b\n1\r\n")

    def moved(self) -> None:
        self.send(b"", 302, Location="/plain/table.csv")

    def loop(self) -> None:
        self.send(b"", 302, Location=self.path)

    def inside(self) -> None:
        self.send(b"", 302, Location="file:///etc/hosts")

    def fails(self) -> None:
        self.send(b"", 500)

    def nothing(self) -> None:
        self.send(b"", 404)

    def private(self) -> None:
        known = b"Basic " + base64.b64encode(f"ada:{SECRET}".encode())
        if self.headers.get("Authorization", "").encode() == known:
            self.plain()
        else:
            self.send(b"", 401, WWW_Authenticate="Basic")

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def serving(host: str, family: int = socket.AF_INET) -> Iterator[int]:
    kind = type("Server", (http.server.ThreadingHTTPServer,), {"address_family": family, "daemon_threads": True})
    with kind((host, 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with serving("127.0.0.1") as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("path", ["plain/table.csv", "encoded/table.csv", "encoded/table.csv.gz", "moved/table.csv"])
def test_what_comes_is_the_table(site: str, tmp_path: Path, path: str) -> None:
    assert read(open_candidate(by_url(f"{site}/{path}"), tmp_path)).shape == (30, 3)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("broken/a.csv", "did not come whole"),
        ("promises/a.csv", "did not come whole"),
        ("unfinished/a.csv", "did not come whole"),
        ("bomb/a.csv", "larger than 100,000 bytes"),
        ("loop/a.csv", "from one address to the next"),
        ("inside/a.csv", "cannot be fetched"),
        ("fails/a.csv", "its server answers 500"),
        ("nothing/a.csv", "There is nothing at"),
        ("private/a.csv", r"was not given out \(401.*~/\.netrc"),
        ("silent/a.csv", "did not answer in time"),
        ("stops/a.csv", "did not answer in time"),
    ],
)
def test_what_cannot_be_fetched_is_told_and_leaves_nothing(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, said: str
) -> None:
    if "in time" in said:
        monkeypatch.setattr(fetching, "READ_S", 1)
    with pytest.raises(ReadError, match=said) as caught:
        download(f"{site}/{path}", tmp_path, max_bytes=100_000)
    assert "/a.csv" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_password_is_taken_from_netrc_and_from_no_address(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in (site.replace("//", f"//ada:{SECRET}@"), site.replace("//", f"//{SECRET}@")):
        with pytest.raises(ReadError, match=r"http://\*\*\*@127.*~/\.netrc") as caught:
            open_candidate(by_url(f"{address}/private/a.csv"), tmp_path)
        assert SECRET not in str(caught.value)
        assert SECRET not in repr(by_url(f"{address}/private/a.csv"))
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login ada password {SECRET}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    # Another address of the same place: fsspec keeps what it knows of the first.
    assert read(open_candidate(by_url(f"{site}/private/b.csv"), tmp_path)).shape == (30, 3)


def test_an_address_of_numbers_with_colons(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        try:
            port = stack.enter_context(serving("::1", socket.AF_INET6))
        except OSError:
            pytest.skip("no IPv6 here")
        assert read(open_candidate(by_url(f"http://[::1]:{port}/plain/table.csv"), tmp_path)).shape == (30, 3)
    with pytest.raises(ReadError, match="cannot be fetched"):
        open_candidate(by_url("http://[::1/table.csv"), tmp_path)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://ada:s@h.org/a.csv?b=1, and x@y.z", "see https://***@h.org/a.csv?b=1, and x@y.z"),
        ("HTTP://ada@h/a", "HTTP://***@h/a"),
        ("http://ada:p@s@h:8/a", "http://***@h:8/a"),
        ("http://ada:p/s@h/a", "http://***@h/a"),
        ("http://ada:p#s?s@h/a", "http://***@h/a"),
        ("ftp://h/http://ada:s@h/a", "ftp://h/http://***@h/a"),
        ("abfs://u:s@account/a", "abfs://***@account/a"),
        ("abfs://container@account.dfs.core.windows.net/a", None),
        ("https://cdn.org:443/npm/@scope/a.csv", None),
        ("http://[::1]:80/a@b.csv", None),
        ("https://h/a?mail=x@y.z", None),
        ("ada@h.org", None),
    ],
)
def test_names_and_passwords_are_hidden_and_nothing_else_is(text: str, shown: str | None) -> None:
    assert without_credentials(text) == (shown or text)
    assert names_somebody(text) is (shown is not None)
    value = {"a": [text, 1, None, {"b": text}], "c": True}
    assert all_without_credentials(value) == {"a": [shown or text, 1, None, {"b": shown or text}], "c": True}
