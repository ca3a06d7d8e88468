"""The files of a bundle, in its zip or unpacked, read piece by piece: what they unpack to never stands in memory."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, cast

from .events import VerificationError

#: A file that is read as a whole has no more bytes than this, and no line of a log has.
MOST_BYTES = 32 << 20
#: A log shrinks by far less than this when it is packed; what unpacks to more would fill memory as state.
_MOST_RATIO, _RATIO_FROM = 100, 64 << 20


class Folder:
    """The files below a folder by their paths."""

    def __init__(self, folder: Path) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        self._folder, self.names = folder, [path.relative_to(folder).as_posix() for path in paths]

    def open(self, name: str) -> IO[bytes]:
        """A file, from its beginning."""
        return (self._folder / name).open("rb")


class Archive:
    """The files of a zip by their names.

    What a zip may unpack to is bounded by what it takes itself: its files lie one behind the other, and are packed
    as bundles are, which makes a file a thousandth of its size at the least.
    """

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        infos = archive.infolist()
        for info in infos:
            name = info.filename
            if name != PurePosixPath(name).as_posix() or name.startswith("/") or ".." in name.split("/"):
                raise VerificationError(f"The archive has a file with the name {name!r}, which no bundle has.")
            if info.compress_type not in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
                raise VerificationError(f"{name} is packed in a way in which no bundle is.")
        if sum(info.compress_size for info in infos) > size:
            raise VerificationError("Files of the archive lie over one another: it unpacks to far more than it holds.")
        self._archive, self._infos = archive, {info.filename: info for info in infos}
        self.names = list(self._infos)
        if len(self.names) != len(infos):
            raise VerificationError("The archive has a file twice.")

    def open(self, name: str) -> IO[bytes]:
        """A file, from its beginning."""
        # Lines are found by a buffer's own code: a member's is Python.
        return io.BufferedReader(cast(io.RawIOBase, self._archive.open(self._infos[name])), 1 << 20)

    def shrunk(self, name: str) -> bool:
        """Whether packing made a file so much smaller that it can be no log."""
        info = self._infos[name]
        return info.file_size > max(_RATIO_FROM, _MOST_RATIO * info.compress_size)


Members = Folder | Archive


def read(members: Members, name: str) -> bytes:
    """A file that is to be read as a whole."""
    with members.open(name) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise VerificationError(f"{name} is larger than that of any bundle.")
    return data


def digest(members: Members, name: str) -> tuple[int, str]:
    """A file's size and SHA-256."""
    made, size = hashlib.sha256(), 0
    with members.open(name) as file:
        while piece := file.read(1 << 20):
            size += len(piece)
            made.update(piece)
    return size, made.hexdigest()


def lines(members: Members, name: str) -> Iterator[bytes]:
    """A file's lines, without their ends."""
    if isinstance(members, Archive) and members.shrunk(name):
        raise VerificationError(f"{name} unpacks to more than any log does.")
    with members.open(name) as file:
        while line := file.readline(MOST_BYTES):
            if not line.endswith(b"\n"):
                raise VerificationError(f"{name} ends in the middle of a line, or has one that no log has.")
            yield line[:-1]
