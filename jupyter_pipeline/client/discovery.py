"""Where this kernel's Jupyter server is, found without importing the server."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from ..protocol.connecting import TICKET_HEADER, TICKET_VARIABLE, URL_VARIABLE
from .errors import PipelineError

_WILDCARDS = {"", "*", "0.0.0.0", "::"}  # noqa: S104 - compared with, not bound to
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_PAGE = r"/(?:lab|tree|notebooks|doc|ws/projects|api/projects)(?:/.*)?$"


@dataclass(frozen=True)
class Server:
    """A Jupyter server and how to be let in.

    Attributes
    ----------
    url : str
        Base URL with a slash at its end.
    headers : dict
        Headers that authenticate each request.
    verify : bool
        Whether its certificate is checked. Not for a server of this machine that was found by its own info
        file, which usually has a certificate of its own making.
    source : str
        How it was found, for messages.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    verify: bool = True
    source: str = "url"

    def http(self, path: str) -> str:
        """URL of a path below the base URL."""
        return self.url + path

    def websocket(self, project_id: str) -> str:
        """URL of a project's WebSocket."""
        return "ws" + self.url.removeprefix("http") + f"ws/projects/{quote(project_id, safe='')}"


def find_server(url: str | None = None, token: str | None = None) -> Server | None:
    """Find the server of this kernel.

    Explicit arguments come first, then the variables that the server extension gives to its kernels, then those of
    JupyterHub, then the info file of the server that started this kernel, then those of other running servers
    of this user that answer.

    Parameters
    ----------
    url : str or None, default=None
        Address of the server; the address of a page of it, with or without ``?token=``, does as well.
    token : str or None, default=None
        The server's token.

    Returns
    -------
    Server or None
        None if there is no server.
    """
    if url is not None:
        return _explicit(url, token)
    env = os.environ
    if env.get(URL_VARIABLE) and env.get(TICKET_VARIABLE):
        return Server(
            base_url(env[URL_VARIABLE], page=False),
            {TICKET_HEADER: env[TICKET_VARIABLE]},
            verify=not _is_local(env[URL_VARIABLE]),
            source=URL_VARIABLE,
        )
    if env.get("JUPYTERHUB_SERVICE_URL") and env.get("JUPYTERHUB_API_TOKEN"):
        hub_url = env["JUPYTERHUB_SERVICE_URL"]
        return Server(
            base_url(hub_url, page=False),
            _token_header(token or env["JUPYTERHUB_API_TOKEN"]),
            verify=not _is_local(hub_url),
            source="JUPYTERHUB_SERVICE_URL",
        )
    parent = env.get("JPY_PARENT_PID", "")
    if parent.isdigit():
        info = _read_info(runtime_dir() / f"jpserver-{parent}.json")
        if info is not None:
            return _from_info(info, token)
    return next((server for info in live_infos() if _answers(server := _from_info(info, token))), None)


def no_server(project_id: str) -> PipelineError:
    """The error that says both ways out."""
    return PipelineError(
        "No Jupyter server with the jupyter_pipeline extension was found for this process. Either open the notebook "
        f"in JupyterLab (or name a server: Pipeline({project_id!r}, url='http://localhost:8888/', token='...')), or "
        f"let the pipeline run inside this process: Pipeline({project_id!r}, embedded=True)."
    )


def base_url(url: str, *, page: bool = True) -> str:
    """A server's base URL: wildcard hosts replaced, query and credentials cut off, a slash at the end.

    Parameters
    ----------
    url : str
    page : bool, default=True
        Whether it may be a page's address, of which the page is cut off. A server's own word is none: a base URL may
        end in ``/lab/`` as well, where a user of a hub is called that.

    Raises
    ------
    PipelineError
        If it is no http or https address.
    """
    parts = urlsplit(url.strip())
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise PipelineError(f"{_public(url)!r} is no valid address: {error}.") from None
    if scheme not in ("http", "https") or not parts.netloc:
        raise PipelineError(
            f"{_public(url)!r} is no address of a Jupyter server; it would look like http://localhost:8888/."
        )
    if host in _WILDCARDS:
        host = "127.0.0.1"
    if ":" in host:
        host = f"[{host}]"
    path = re.sub(_PAGE, "/", parts.path) if page else parts.path
    return urlunsplit((scheme, f"{host}:{port}" if port else host, path.rstrip("/") + "/", "", ""))


def _public(url: str) -> str:
    """An address without what is secret in it, for messages, which notebooks keep."""
    return re.sub(r"//[^/@]*@", "//", url.strip().partition("?")[0])


def runtime_dir() -> Path:
    """The folder where Jupyter's servers of this user leave their info files."""
    from jupyter_core.paths import jupyter_runtime_dir

    return Path(jupyter_runtime_dir())


def live_infos() -> Iterator[dict[str, Any]]:
    """Info files of servers whose process lives, the youngest first."""

    def age(path: Path) -> float:
        try:
            return -path.stat().st_mtime
        except OSError:
            return 0.0

    for path in sorted(runtime_dir().glob("jpserver-*.json"), key=age):
        info = _read_info(path)
        if info is not None:
            yield info


def _explicit(url: str, token: str | None) -> Server:
    base = base_url(url)
    if token is None:
        token = next(iter(parse_qs(urlsplit(url).query).get("token", [])), None)
    if token is None and _is_local(base):
        port = urlsplit(base).port
        token = next((info.get("token") for info in live_infos() if info.get("port") == port), None)
    return Server(base, _token_header(token))


def _token_header(token: str | None) -> dict[str, str]:
    return {"Authorization": f"token {token}"} if token else {}


def _is_local(url: str) -> bool:
    return (urlsplit(url).hostname or "") in _LOOPBACK | _WILDCARDS


def _read_info(path: Path) -> dict[str, Any] | None:
    import psutil

    try:
        info = json.loads(path.read_text(encoding="utf-8"))
        if info.get("sock") or not str(info["url"]).startswith("http") or not psutil.pid_exists(int(info["pid"])):
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return dict(info)


def _from_info(info: Mapping[str, Any], token: str | None) -> Server:
    url = str(info["url"])
    source = f"info file of process {info['pid']}"
    header = _token_header(token or info.get("token"))
    return Server(base_url(url, page=False), header, verify=not _is_local(url), source=source)


def _answers(server: Server) -> bool:
    """Whether a server that is perhaps another's lets us in and has the extension."""
    from .http import Http

    try:
        Http(server, timeout_s=3.0).get_json("api/projects")
    except PipelineError:
        return False
    return True
