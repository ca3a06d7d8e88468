"""REST calls of the client, on the standard library alone, in the thread of the caller."""

import http.client
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from ..protocol.frames import ERROR_PREFIX
from .discovery import Server
from .errors import PipelineError

CHUNK = 1 << 20


class Http:
    """Requests to one server.

    Parameters
    ----------
    server : Server
        Where to.
    timeout_s : float, default=60.0
        Seconds without any byte after which a request fails.
    """

    def __init__(self, server: Server, timeout_s: float = 60.0) -> None:
        self._server = server
        self._timeout_s = timeout_s

    def get_json(self, path: str) -> Any:
        """The JSON value at a path below the server's base URL."""
        with self._request("GET", path) as response:
            return json.load(response)

    def post_json(self, path: str, value: Any) -> Any:
        """Send a JSON value; the answer's JSON value."""
        body = json.dumps(value, allow_nan=False).encode()
        with self._request("POST", path, body, {"Content-Type": "application/json"}) as response:
            return json.load(response)

    def delete(self, path: str) -> None:
        """Delete what is at a path."""
        with self._request("DELETE", path):
            pass

    def upload(self, path: str, file: Path) -> Any:
        """Send a file as the raw body, as a stream; the answer's JSON value."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(file.stat().st_size)}
        with file.open("rb") as body, self._request("POST", path, body, headers) as response:
            return json.load(response)

    def download(self, path: str, write: Callable[[bytes], object]) -> None:
        """Hand the bytes at a path to ``write``, piece by piece."""
        with self._request("GET", path) as response:
            while piece := response.read(CHUNK):
                write(piece)

    @contextmanager
    def _request(
        self, method: str, path: str, body: bytes | IO[bytes] | None = None, headers: dict[str, str] | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        url = urlsplit(self._server.http(path))
        target = url.path + (f"?{url.query}" if url.query else "")
        connection = self._connect(url.hostname or "", url.port, url.scheme == "https")
        try:
            # Cut while sending: refused before the whole body was there. The answer says why.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, target, body, {**self._server.headers, **(headers or {})})
            # Closed by itself: a response that was not read to its end holds the socket after the connection is closed.
            with connection.getresponse() as response:
                if response.status >= 300:
                    raise _refused(response, self._server)
                yield response
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            raise PipelineError(
                f"The Jupyter server at {self._server.url} did not answer {method} {url.path}: "
                f"{error or type(error).__name__}."
            ) from error
        finally:
            connection.close()

    def _connect(self, host: str, port: int | None, secure: bool) -> http.client.HTTPConnection:
        if not secure:
            return http.client.HTTPConnection(host, port, timeout=self._timeout_s, blocksize=CHUNK)
        context = ssl_context(self._server)
        return http.client.HTTPSConnection(host, port, timeout=self._timeout_s, blocksize=CHUNK, context=context)


def ssl_context(server: Server) -> ssl.SSLContext:
    """How certificates are checked for a server."""
    context = ssl.create_default_context()
    if not server.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _refused(response: http.client.HTTPResponse, server: Server) -> PipelineError:
    status = response.status
    code = None
    message = ""
    try:
        value = json.loads(response.read(1 << 16))
        message, code = str(value.get("message") or ""), value.get("code")
    except (ValueError, AttributeError):
        pass
    message = message.removeprefix(ERROR_PREFIX)
    if status in (302, 401) or (status == 403 and code is None):
        return access_refused(server)
    return PipelineError(message or f"The Jupyter server answered {status} {response.reason}.", code)


def access_refused(server: Server) -> PipelineError:
    """The error for a missing or wrong token."""
    return PipelineError(
        f"The Jupyter server at {server.url} did not let this client in (403). Give its token: "
        "Pipeline(..., url=..., token=...); `jupyter server list` shows it.",
        "FORBIDDEN",
    )
