"""Putting a data file into a project: in place only when it is whole, and over no other file."""

import contextlib
import filecmp
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ..durable import sync_folder
from ..protocol.errors import ErrorCode, Refusal

UPLOAD_PREFIX = ".upload-"
"""What the names of files begin with that are still on their way."""
NAME_BYTES = 200
_STALE_S = 24 * 3600.0
_CHUNK = 1 << 20
_COMPRESSIONS = frozenset({".gz", ".bz2", ".xz", ".zst", ".zip"})


def refuse_empty(name: str, size: int) -> None:
    """Refuse a data file without a byte."""
    if not size:
        raise Refusal(ErrorCode.INVALID_ARGS, f"{name} is empty; it should hold a header and rows of data.")


def file_name(text: str) -> str:
    """The name under which a file is stored.

    Raises
    ------
    Refusal
        INVALID_ARGS, if it is none: empty, with parts of a path, hidden, too long, or not printable.
    """
    name = text.strip()
    why = None
    if not name:
        why = "the name is missing; add ?name=FILE"
    elif "/" in name or "\\" in name:
        why = "give the name alone, without folders"
    elif name.startswith("."):
        why = "a name that begins with a dot would be hidden"
    elif not name.isprintable() or ":" in name:
        why = "it has characters that a file's name should not have"
    elif len(name.encode()) > NAME_BYTES:
        why = f"it is longer than {NAME_BYTES} bytes"
    if why is not None:
        raise Refusal(ErrorCode.INVALID_ARGS, f"{text[:80]!r} cannot be the file's name: {why}.")
    return name


def open_part(folder: Path) -> tuple[Path, IO[bytes]]:
    """A new file for what is on its way; what was left on its way when a process was killed is removed."""
    for old in folder.glob(f"{UPLOAD_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > _STALE_S:
                old.unlink()
    part = folder / f"{UPLOAD_PREFIX}{secrets.token_hex(8)}"
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # what another one left behind it was removed in between
            return part, part.open("xb")


def discard(part: Path) -> None:
    """Remove a file that did not come whole, and the folders that were made for it, where nothing else is in them."""
    part.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        part.parent.rmdir()
        part.parent.parent.rmdir()


def copy_in(source: Path, folder: Path, name: str) -> tuple[Path, bool]:
    """Copy a file into a folder; returns what :func:`publish` does."""
    part, file = open_part(folder)
    try:
        with source.open("rb") as data:
            shutil.copyfileobj(data, file, _CHUNK)
        return publish(file, part, name)
    finally:
        file.close()
        discard(part)


def publish(file: IO[bytes], part: Path, name: str) -> tuple[Path, bool]:
    """Give a complete file its name.

    Nothing is overwritten: if the name is taken by other content, ``name-2``, ``name-3`` … are tried; if it is
    taken by the same content, that file serves.

    Returns
    -------
    tuple of (Path, bool)
        The file, and whether it is new.
    """
    file.flush()
    os.fsync(file.fileno())
    file.close()
    for place in _places(part.parent, name):
        try:
            _link(part, place)
        except FileExistsError:
            if place.is_file() and not place.is_symlink() and filecmp.cmp(part, place, shallow=False):
                part.unlink()
                return place, False
        else:
            sync_folder(part.parent)
            return place, True
    raise AssertionError("there is always a further name")


def _places(folder: Path, name: str) -> Iterator[Path]:
    yield folder / name
    stem, suffix = os.path.splitext(name)
    if suffix.lower() in _COMPRESSIONS:
        stem, inner = os.path.splitext(stem)
        suffix = inner + suffix
    number = 2
    while True:
        yield folder / f"{stem}-{number}{suffix}"
        number += 1


def _link(part: Path, place: Path) -> None:
    """Rename without overwriting; FileExistsError if the name is taken, FileNotFoundError if the file is gone."""
    try:
        os.link(part, place)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:
        # A file system without hard links: hold the name, then take it.
        os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.replace(part, place)
    else:
        part.unlink(missing_ok=True)  # it goes when the client does
