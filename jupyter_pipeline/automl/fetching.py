"""Fetching a data file from the web or a store of objects, whole or not at all.

Credentials are taken from the environment alone, as each library of fsspec does it: ``~/.netrc`` for http, the
variables and files of the cloud's own tools for stores. An address with a name or a password in it is refused, because
addresses are shown and kept in a project's log.
"""

import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

from .addresses import file_name, is_url, names_somebody, raw_file, without_credentials
from .opening import PIECE, ReadError

MAX_DOWNLOAD_BYTES = 4 << 30
CONNECT_S, READ_S = 30, 60
"""Seconds until a server must have answered, and within which something must come."""
_WITHOUT = "download it yourself and attach the file instead"


def download(url: str, folder: Path, *, max_bytes: int = MAX_DOWNLOAD_BYTES, room_bytes: int | None = None) -> Path:
    """Fetch a file, piece by piece, into a folder.

    Parameters
    ----------
    url : str
        ``https://…``, or another scheme that fsspec knows, such as ``s3://``.
    folder : pathlib.Path
    max_bytes : int
        What it may have at the most.
    room_bytes : int or None, default=None
        And how much room there is for it; None means that it is not known.

    Returns
    -------
    pathlib.Path
        The file; complete, or there is none.

    Raises
    ------
    ReadError
        If it cannot be fetched, or is too large.
    """
    if not is_url(url):
        raise ReadError(f"{without_credentials(url)!r} is no web address; data are fetched from https:// and the like.")
    if names_somebody(url):
        raise ReadError(
            f"{without_credentials(url)} has a name or a password in it, which is not kept. Give the address without "
            "it, and put them into the file ~/.netrc of the server (machine HOST login NAME password PASSWORD); or "
            f"{_WITHOUT}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{sha256(url.encode()).hexdigest()[:8]}-{file_name(url)[-80:]}"
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)  # never written through, should it be a link
        _fetch(url, part, max_bytes, room_bytes)
        part.replace(path)
    except ReadError:
        raise
    except FileNotFoundError as error:
        raise ReadError(_not_found(url, error.__cause__)) from None
    except ImportError as error:
        raise ReadError(f"{url} needs another package to be fetched ({error}); or {_WITHOUT}.") from None
    except Exception as error:  # each of fsspec's many file systems has errors of its own
        if isinstance(error, TimeoutError) or isinstance(getattr(error, "status", None), int):
            raise ReadError(_not_found(url, error)) from None
        refused = isinstance(error, PermissionError) and error.filename is None  # not of a file of this machine
        if refused or type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError"):
            raise ReadError(_not_let_in(url, _words(error))) from None
        if type(error).__name__ == "ClientPayloadError":
            raise ReadError(f"{url} cannot be fetched: it did not come whole; try again, or {_WITHOUT}.") from None
        raise ReadError(f"{url} cannot be fetched ({_words(error)}); check the address, or {_WITHOUT}.") from None
    finally:
        part.unlink(missing_ok=True)
    return path


def _fetch(url: str, part: Path, max_bytes: int, room_bytes: int | None) -> None:
    import fsspec

    source = raw_file(url)
    scheme = source.partition("://")[0].lower()
    kind = fsspec.get_filesystem_class(scheme)
    # Not fsspec.open: that reads "::" as a chain of file systems, also in an address such as http://[::1]/a.csv.
    system = kind(**{**kind._get_kwargs_from_urls(source), **_options(scheme)})
    with system.open(kind._strip_protocol(source), "rb") as remote, part.open("xb") as local:
        if (getattr(remote, "details", None) or {}).get("type") == "directory":
            raise ReadError(f"{url} is a folder; name one file in it.")  # in stores it opens as an empty file
        size = getattr(remote, "size", None)
        if isinstance(size, int):
            _refuse_large(url, size, max_bytes, room_bytes)
            if size > (free := shutil.disk_usage(part.parent).free):
                raise ReadError(f"{url} has {size:,} bytes; on the disk there are {free:,} left.")
        written = 0
        while piece := remote.read(PIECE):
            written += local.write(piece)
            _refuse_large(url, written, max_bytes, room_bytes)
        if isinstance(size, int) and written != size:
            raise ReadError(f"{url} should have {size:,} bytes, but {written:,} came; try again.")


def _refuse_large(url: str, size: int, max_bytes: int, room_bytes: int | None) -> None:
    if room_bytes is not None and size > room_bytes < max_bytes:
        raise ReadError(
            f"{url} has more than {room_bytes:,} bytes, which is all that the project may still use of the disk. "
            "Remove what is not needed from the project's folder, or download it yourself into the workspace folder "
            "and name the file instead."
        )
    if size > max_bytes:
        raise ReadError(f"{url} is larger than {max_bytes:,} bytes; download it yourself and name the file instead.")


def _options(scheme: str) -> dict[str, Any]:
    """How fsspec reads from front to back; servers that know no ranges will do, slow ones too, silent ones not."""
    if scheme == "s3":
        retries = {"max_attempts": 2, "mode": "standard"}
        return {"config_kwargs": {"connect_timeout": CONNECT_S, "read_timeout": READ_S, "retries": retries}}
    if not scheme.startswith("http"):
        return {}
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=READ_S)
    # trust_env: proxies and ~/.netrc.
    return {"block_size": 0, "client_kwargs": {"timeout": timeout, "trust_env": True}}


def _not_found(url: str, cause: BaseException | None) -> str:
    """What to say of what fsspec calls a file that is not there: of http it says so of every failure."""
    status = getattr(cause, "status", 404)
    if status in (401, 403, 407):
        return _not_let_in(url, f"{status} {getattr(cause, 'message', '')}".strip())
    if isinstance(cause, TimeoutError):
        return f"{url} cannot be fetched: the server did not answer in time; try again, or {_WITHOUT}."
    if isinstance(cause, OSError):
        return f"{url} cannot be fetched: the server cannot be reached ({_words(cause)}); check the address."
    if cause is not None and not hasattr(cause, "status") and url.lower().startswith("http"):
        return f"{url} cannot be fetched ({_words(cause)}); check the address, or {_WITHOUT}."
    if status < 400:
        return f"{url} cannot be fetched: its server sends from one address to the next without end; check the address."
    if status not in (404, 410):
        return f"{url} cannot be fetched: its server answers {status}; try again later, or {_WITHOUT}."
    return f"There is nothing at {url}; check the address."


def _not_let_in(url: str, why: str) -> str:
    where = "the file ~/.netrc of the server" if url.lower().startswith("http") else "the server's environment"
    public = ""
    if url.lower().startswith("s3:"):
        where += " (AWS_ACCESS_KEY_ID and the like)"
        public = " For a public bucket set FSSPEC_S3_ANON=true there."
    return f"{url} was not given out ({why}). Credentials are taken from {where}.{public} Or {_WITHOUT}."


def _words(error: BaseException) -> str:
    """An error in one line, without what it may hold of proxies' passwords."""
    text = str(error).strip()
    return without_credentials(text.splitlines()[0])[:200] if text else type(error).__name__
