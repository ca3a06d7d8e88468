"""A bundle's zip is, byte for byte, the one that its files make: they are packed again, and nothing of that is kept."""

import io
import os
from pathlib import Path
from typing import IO, Any

from ..stages.bundle import write_zip
from .members import Members


def packed_so(members: Members, place: Path) -> bool:
    """Whether :func:`jupyter_pipeline.stages.bundle.pack` makes this zip of these files."""
    with place.open("rb") as file:
        target = _Compared(file)
        try:
            write_zip(target, members.names, members.open)  # type: ignore[arg-type]
            target.finish()
        except _Differs:
            return False
    return True


class _Differs(Exception):
    """What is written is not what is there."""


class _Compared(io.RawIOBase):
    """Takes what is written as if into a file, and compares it with what is there instead.

    A zip's writer comes back to the header of a file once it knows its size: one piece may differ meanwhile.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._place, self._end = file, 0, 0
        self._pending: tuple[int, int] | None = None

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._end}[whence]
        return self._place

    def write(self, data: Any) -> int:
        piece = (self._place, len(data))
        self._file.seek(self._place)
        if self._file.read(len(data)) == data:
            if piece == self._pending:
                self._pending = None
        elif self._pending in (None, piece):
            self._pending = piece
        else:
            raise _Differs
        self._place += len(data)
        self._end = max(self._end, self._place)
        return len(data)

    def finish(self) -> None:
        """Raise _Differs unless all of the file was written again."""
        if self._pending or self._end != os.fstat(self._file.fileno()).st_size:
            raise _Differs
