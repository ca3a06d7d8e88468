"""Opening data files: what a file is by its first bytes, how it is compressed and encoded, and its text as UTF-8.

Nothing here runs what a file holds: pickles are refused by name and by content.
"""

import atexit
import bz2
import contextlib
import gzip
import hashlib
import importlib
import io
import lzma
import os
import tempfile
import zipfile
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any, cast

PIECE = 1 << 20
HEAD_BYTES = 1 << 20
MAX_UNPACKED_BYTES = 64 << 30
_room: ContextVar[int | None] = ContextVar("room", default=None)

#: Endings of the files that can be read, without compression.
TABLE_SUFFIXES = (
    ".csv", ".tsv", ".tab", ".txt", ".data", ".dat", ".parquet", ".pq", ".feather", ".arrow", ".ipc", ".arrows",
    ".json", ".ndjson", ".jsonl", ".xlsx", ".xls", ".xlsb", ".xlsm", ".ods",
)  # fmt: skip
#: Endings of compressed files and what they stand for.
PACKED_SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".xz": "xz", ".zip": "zip"}
SUPPORTED = "CSV, TSV, Parquet, Feather or Arrow, JSON, NDJSON or Excel"

_PACKED_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_REFUSED_MAGIC = {
    b"%PDF": "is a PDF document",
    b"SQLite format 3": "is an SQLite database; export the table that you mean",
    b"\x89HDF": "is an HDF5 file; export the table that you mean",
    b"\x93NUMPY": "is a NumPy array without column names",
    b"FEA1": "is in version 1 of Feather; write it again with a present pandas or Polars",
    b"\x89PNG": "is an image",
    b"\xff\xd8\xff": "is an image",
    b"GIF8": "is an image",
    b"Rar!": "is a RAR archive; unpack it first",
    b"7z\xbc\xaf": "is a 7z archive; unpack it first",
    b"\x7fELF": "is a program",
}
_PICKLE_SUFFIXES = (".pkl", ".pickle", ".joblib", ".p", ".npy", ".npz", ".rds", ".rdata")


class ReadError(ValueError):
    """A file cannot be read as a table; the message says why and what would be right."""


def compression_of(path: Path) -> tuple[str | None, str | None]:
    """How a file is compressed, by its content, and the member that is meant in a zip archive.

    Returns
    -------
    compression : {"gzip", "zstd", "bz2", "xz", "zip"} or None
    member : str or None

    Raises
    ------
    ReadError
        If there is no such file, or a zip archive holds none or several tables.
    """
    start = _first_bytes(path)
    for magic, name in _PACKED_MAGIC.items():
        if start.startswith(magic):
            return name, None
    if start.startswith(b"PK\x03\x04") or start.startswith(b"PK\x05\x06"):
        member = _zip_member(path)
        return ("zip", member) if member else (None, None)
    return None, None


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(64)
    except FileNotFoundError:
        raise ReadError(f"There is no file {path.name}; check the name, or attach the data again.") from None
    except IsADirectoryError:
        raise ReadError(f"{path.name} is a folder; name one file in it.") from None
    except OSError as error:
        raise ReadError(f"{path.name} cannot be opened ({error.strerror or error}); check its permissions.") from None


def _zip_member(path: Path) -> str | None:
    """The one table in a zip archive; None if the archive is itself a document (Excel, OpenDocument)."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [i for i in archive.infolist() if i.filename and not i.filename.endswith("/")]
            names = [i.filename for i in infos]
            if "[Content_Types].xml" in names or "content.xml" in names:
                return None
            infos = [
                i for i in infos if not i.filename.startswith("__MACOSX/") and not _base(i.filename).startswith(".")
            ]
            tables = [i for i in infos if i.filename.lower().endswith(TABLE_SUFFIXES)]
            chosen = tables if tables else infos
            if len(chosen) != 1:
                what = f"{len(chosen)} files ({', '.join(i.filename for i in chosen[:5])})" if chosen else "no file"
                raise ReadError(f"{path.name} holds {what}; a zip archive must hold exactly one table.")
            if chosen[0].flag_bits & 1:
                raise ReadError(f"{path.name} is protected by a password; unpack it first.")
            return chosen[0].filename
    except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError):
        raise ReadError(f"{path.name} is a damaged zip archive; download or pack it again.") from None


def _base(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def suffix_of(path: Path, member: str | None = None) -> str:
    """The ending that says what a file is, without that of its compression: ``.csv`` for ``a.csv.gz``."""
    name = (member or path.name).lower()
    for packed in PACKED_SUFFIXES:
        name = name.removesuffix(packed)
    return os.path.splitext(name)[1]


@contextlib.contextmanager
def unpacked(path: Path, compression: str | None, member: str | None = None) -> Iterator[IO[bytes]]:
    """The file's bytes, decompressed while they are read.

    Raises
    ------
    ReadError
        If the file is damaged or no library for the compression is installed.
    """
    with contextlib.ExitStack() as stack:
        try:
            file: Any
            if compression is None:
                file = stack.enter_context(path.open("rb"))
            elif compression == "gzip":
                file = stack.enter_context(gzip.open(path, "rb"))
            elif compression == "bz2":
                file = stack.enter_context(bz2.open(path, "rb"))
            elif compression == "xz":
                file = stack.enter_context(lzma.open(path, "rb"))
            elif compression == "zstd":
                file = stack.enter_context(_open_zstd(path))
            else:
                archive = stack.enter_context(zipfile.ZipFile(path))
                file = stack.enter_context(_open_member(archive, member))
            yield cast(IO[bytes], file)
        except (EOFError, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, _ZstdError) as error:
            raise ReadError(
                f"{path.name} is damaged or was not copied completely ({error}); download or pack it again."
            ) from None
        except OSError as error:
            raise ReadError(f"{path.name} cannot be read ({error.strerror or error}).") from None


def _open_member(archive: zipfile.ZipFile, member: str | None) -> IO[bytes]:
    """A file of an archive; whatever zipfile makes of damaged headers becomes BadZipFile."""
    try:
        return archive.open(member or archive.namelist()[0])
    except (UnicodeDecodeError, NotImplementedError, RuntimeError, LookupError) as error:
        raise zipfile.BadZipFile(str(error)) from None


class _ZstdError(Exception):
    """Damaged zstd data, whichever library reads them."""


class _Zstd(io.RawIOBase):
    """Reads through a zstd library's stream and gives its errors one name."""

    def __init__(self, inner: Any, error: type[Exception]) -> None:
        self._inner, self._error = inner, error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._inner.read(len(buffer))
        except self._error as error:
            raise _ZstdError(str(error)) from None
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._inner.close()
        super().close()


def _open_zstd(path: Path) -> IO[bytes]:
    for name in ("compression.zstd", "backports.zstd", "zstandard"):
        try:
            library = importlib.import_module(name)
        except ImportError:
            continue
        if name == "zstandard":
            inner = library.ZstdDecompressor().stream_reader(path.open("rb"), read_across_frames=True, closefd=True)
        else:
            inner = library.ZstdFile(path, "rb")
        return io.BufferedReader(_Zstd(inner, library.ZstdError))
    raise ReadError(f"{path.name} is compressed with zstd; install the package zstandard, or pack it with gzip.")


def head(path: Path, compression: str | None, member: str | None, size: int = HEAD_BYTES) -> tuple[bytes, bool]:
    """The first bytes of a file, decompressed, and whether that is all of it."""
    with unpacked(path, compression, member) as file:
        data = bytearray()
        while len(data) < size and (piece := file.read(size - len(data))):
            data += piece
        return bytes(data), not file.read(1)


def refuse_foreign(path: Path, start: bytes) -> None:
    """Raise ReadError for content that is no table, saying what it is.

    Parameters
    ----------
    path : pathlib.Path
    start : bytes
        The first bytes, decompressed.
    """
    name = path.name
    if not start.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise ReadError(f"{name} is empty; it should hold a header line and rows of data.")
    pickled = start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
    if pickled or name.lower().endswith(_PICKLE_SUFFIXES[:4]):
        raise ReadError(
            f"{name} is a pickle, which can run code when it is opened, so it is never opened; save the table as "
            "Parquet or CSV."
        )
    for magic, what in _REFUSED_MAGIC.items():
        if start.startswith(magic):
            raise ReadError(f"{name} {what}. Tables can be {SUPPORTED}.")
    page = start[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if page.startswith((b"<!doctype html", b"<html")):
        raise ReadError(f"{name} is a web page, not a table; use the link to the raw file.")
    if page.startswith(b"<?xml"):
        raise ReadError(f"{name} is XML. Tables can be {SUPPORTED}.")


def encoding_of(path: Path, start: bytes, complete: bool) -> str:
    """The encoding of a text by its first bytes: its byte order mark, or what they decode as.

    Raises
    ------
    ReadError
        If the bytes are no text.
    """
    if start.startswith(BOM_UTF8):
        return "utf-8"
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    even, odd = start[0:4096:2].count(0), start[1:4096:2].count(0)
    half = min(len(start), 4096) / 2
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    control = sum(start[:65536].count(code) for code in range(32) if code not in (9, 10, 11, 12, 13, 26, 27))
    if control > 0.001 * min(len(start), 65536):
        raise ReadError(f"{path.name} is binary, not text. Tables can be {SUPPORTED}.")
    try:
        getincrementaldecoder("utf-8")().decode(start, final=complete)
        return "utf-8"
    except UnicodeDecodeError:
        return western(start)


def western(data: bytes) -> str:
    """Which of the two western 8-bit encodings bytes are in."""
    try:
        data.decode("cp1252")
        return "cp1252"
    except UnicodeDecodeError:
        return "latin-1"


#: Makes of a text's pieces other ones; it is told the file's name, for messages.
Rewritten = Callable[[Iterator[bytes], str], Iterator[bytes]]
_plain: dict[tuple[Any, ...], IO[bytes]] = {}
_MAX_OPEN = 16


@atexit.register
def forget() -> None:
    """Close the unpacked copies that this process holds."""
    while _plain:
        _plain.pop(next(iter(_plain))).close()


@contextlib.contextmanager
def unpacking_at_most(room_bytes: int | None) -> Iterator[None]:
    """While it lasts, refuse files that unpack to more than that; None means no limit but that of all files."""
    before = _room.set(room_bytes)
    try:
        yield
    finally:
        _room.reset(before)


def plain(
    path: Path, compression: str | None, member: str | None, encoding: str, rewritten: Rewritten | None = None
) -> Path | IO[bytes]:
    """The file as plain UTF-8 (or plain bytes, with encoding ``""``), in the form that Polars scans.

    A file that is so already is given by its path. Else a copy is unpacked piece by piece into a temporary file
    without a name, which the system takes back when the process ends, however it ends. ``rewritten`` makes of its
    pieces, in UTF-8, those of the copy.

    Raises
    ------
    ReadError
        If the file is damaged, or far larger than it seemed.
    """
    if compression is None and encoding in ("", "utf-8") and rewritten is None:
        return path
    stat = path.stat()
    key = (str(path), stat.st_mtime_ns, stat.st_size, compression, member, encoding, rewritten)
    if key in _plain:
        _plain[key].seek(0)
        return _plain[key]
    while len(_plain) >= _MAX_OPEN:
        _plain.pop(next(iter(_plain))).close()
    copy = cast(IO[bytes], tempfile.TemporaryFile(prefix="table-"))  # noqa: SIM115
    try:
        with unpacked(path, compression, member) as file:
            pieces = _decoded(file, encoding)
            written, room = 0, _room.get()
            for piece in pieces if rewritten is None else rewritten(pieces, path.name):
                written += copy.write(piece)
                if written > MAX_UNPACKED_BYTES:
                    raise ReadError(f"{path.name} unpacks to more than {MAX_UNPACKED_BYTES >> 30} GiB; use Parquet.")
                if room is not None and written > room:
                    raise ReadError(
                        f"{path.name} unpacks to more than {room:,} bytes, which is all that the project may still use "
                        "of the disk. Make room there, use Parquet or a smaller file."
                    )
        copy.flush()
        copy.seek(0)
    except BaseException:
        copy.close()
        raise
    _plain[key] = copy
    return copy


def _decoded(file: IO[bytes], encoding: str) -> Iterator[bytes]:
    """A file's pieces in UTF-8, or as they are."""
    decoder = getincrementaldecoder(encoding)(errors="replace") if encoding not in ("", "utf-8") else None
    while piece := file.read(PIECE):
        yield decoder.decode(piece).encode() if decoder else piece
    if decoder:
        yield decoder.decode(b"", final=True).encode()


def sha256(path: Path) -> str:
    """SHA-256 of a file in hex, read piece by piece."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
