"""A large table as it was parsed, kept in Arrow's own form, so that later stages need not parse the text again.

It is only a copy: its name is the fingerprint of the data and of how they are read, and without it the data are read
from the beginning. The newest one is kept.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import polars as pl

from ..automl.reading import ReadError, TableSpec, read
from ..digests import sha256
from ..protocol.names import stage_name
from ..protocol.stages import StageId

FOLDER = ".parsed"
#: Raise it when the same spec comes to other values.
_VERSION = 1
#: Up to so many cells, parsing is quicker than anybody would notice.
MIN_CELLS = 1_000_000
#: These are read as quickly as the copy would be.
_QUICK = ("parquet", "ipc", "ipc_stream", "sklearn")


Told = Callable[[Path, Path], None]


def table_of(project_dir: Path, spec: TableSpec, told: Told | None = None) -> pl.DataFrame:
    """The table, from the copy if there is one; if there is none a large table leaves one.

    Parameters
    ----------
    project_dir : pathlib.Path
        The project's folder.
    spec : TableSpec
        Settled: with the data's SHA-256.
    told : callable or None, default=None
        Called with a new copy, and with where it will be, before it is there.

    Raises
    ------
    ReadError
        If the data cannot be read, or are others than they were.
    """
    n_cells = (spec.n_rows or 0) * len(spec.columns)
    if (
        (spec.format in _QUICK and not spec.options.get("held"))
        or n_cells < MIN_CELLS
        or not spec.sha256
        or not Path(spec.path).is_file()
    ):
        return _read(spec)
    path = project_dir / "artifacts" / FOLDER / f"{_fingerprint(spec)}.arrow"
    with contextlib.suppress(OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        kept = pl.read_ipc(path)
        if kept.columns == list(spec.columns) and kept.height == spec.n_rows:
            return kept
    table = _read(spec)
    # Without a copy, on a full disk say, all goes on as before.
    with contextlib.suppress(OSError, pl.exceptions.PolarsError):
        _keep(table, path, told)
    return table


def _read(spec: TableSpec) -> pl.DataFrame:
    try:
        table = read(spec)
    except ReadError:
        refuse_changed(spec)
        raise
    refuse_changed(spec)
    return table


def refuse_changed(spec: TableSpec) -> None:
    """Refuse a file that is not as it was when its data were approved; asked after it was read, so that a change while
    it is read is seen too.

    Raises
    ------
    ReadError
        If its SHA-256 is another one.
    """
    path = Path(spec.path)
    if spec.format == "sklearn" or not spec.sha256:
        return
    with contextlib.suppress(FileNotFoundError):
        if sha256(path) != spec.sha256:
            raise ReadError(
                f"{path.name} was changed after the stage {stage_name(StageId.DATA_SOURCE)} had looked at it. Restart "
                "that stage to use the file as it is now, or put it back as it was."
            )


def _fingerprint(spec: TableSpec) -> str:
    described = {name: value for name, value in spec.to_dict().items() if name not in ("path", "notes")}
    text = json.dumps([_VERSION, described], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _keep(table: pl.DataFrame, path: Path, told: Told | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    try:
        partial.unlink(missing_ok=True)  # never written through, should it be a link
        with partial.open("xb") as file:
            table.write_ipc(file, compression="uncompressed")
            file.flush()
            os.fsync(file.fileno())  # a name stands for the whole content, also after a power cut
        if told is not None:
            told(partial, path)
        partial.replace(path)
    finally:
        for other in path.parent.iterdir():
            if other != path:
                other.unlink(missing_ok=True)
