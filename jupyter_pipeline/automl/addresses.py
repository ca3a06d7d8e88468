"""Addresses of data on the web: which there are, and how one is shown that has a password in it."""

import re
import urllib.parse
from typing import Any

_REMOTE = re.compile(r"^(https?|ftp|s3|gs|gcs|abfs|abfss|az|hf)://", re.IGNORECASE)
_TOKEN = re.compile(r"://\S+")
_NAMED = ("http", "https", "ftp", "ftps")
"""Schemes whose part before the ``@`` is nothing but a person's; in others it may name a container."""
HIDDEN = "***"
MOST_DEEP = 100
_MOST_NESTED = 10
_HOLDING = (str, dict, list)
"""What can have an address in it."""


def is_url(text: str | None) -> bool:
    """Whether a text is an address of a kind that data are fetched from."""
    return bool(text and _REMOTE.match(text.strip()))


def without_credentials(text: str) -> str:
    """A text in which names and passwords of addresses are hidden: ``https://***@host/a.csv``.

    Examples
    --------
    >>> without_credentials("Predict y in https://ada:secret@example.org/a.csv")
    'Predict y in https://***@example.org/a.csv'
    """
    if "@" not in text or "://" not in text:
        return text
    return _TOKEN.sub(_hidden, text)


def all_without_credentials(value: Any, depth: int = MOST_DEEP) -> Any:
    """A JSON value with :func:`without_credentials` done to each of its texts; RecursionError if it is too deep."""
    if isinstance(value, str):
        return without_credentials(value)
    if isinstance(value, dict | list) and depth == 0:
        raise RecursionError(f"nested more than {MOST_DEEP} deep")
    # Most members hold no text; a call for each of half a million numbers takes long.
    if isinstance(value, dict):
        return {
            key: all_without_credentials(member, depth - 1) if isinstance(member, _HOLDING) else member
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [
            all_without_credentials(member, depth - 1) if isinstance(member, _HOLDING) else member for member in value
        ]
    return value


def names_somebody(url: str) -> bool:
    """Whether an address has a name or a password in it, or had."""
    return without_credentials(url) != url or f"://{HIDDEN}@" in url


def _hidden(found: "re.Match[str]") -> str:
    """What follows a scheme; it may hold further addresses."""
    scheme = found.string[max(0, found.start() - 5) : found.start()]
    shown = [""]
    for part in found.group().split("://", _MOST_NESTED)[1:]:
        shown.append(_without(scheme, part))
        scheme = part
    return "://".join(shown)


def _without(scheme: str, part: str) -> str:
    authority = re.split(r"[/?#]", part, maxsplit=1)[0]
    person, at, host = authority.rpartition("@")
    if at:
        if ":" in person or scheme.lower().endswith(_NAMED):
            return f"{HIDDEN}@{host}{part[len(authority) :]}"
        return part
    port = authority.rpartition(":")[2]
    if "@" in part and ":" in authority and "]" not in port and not port.isdigit():
        # A password with a slash in it, as people write it.
        return f"{HIDDEN}@{part.rpartition('@')[2]}"
    return part


def raw_file(url: str) -> str:
    """The file itself where the address is that of GitHub's page about it."""
    page = re.fullmatch(r"https?://github\.com/([^/]+/[^/]+)/(?:blob|raw)/(.+?)(?:[?#].*)?", url)
    return f"https://raw.githubusercontent.com/{page.group(1)}/{page.group(2)}" if page else url


def last_part(url: str) -> str:
    """The last part of an address's path, its host if there is none."""
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return url.rpartition("/")[2] or url
    return parts.path.rpartition("/")[2] or parts.netloc


def file_name(url: str) -> str:
    """The same, as a file can be called."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", last_part(url)).strip("._") or "data"
