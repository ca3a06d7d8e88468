"""The project's table for the stages that learn from it: raw rows, target, and the split."""

import json
import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from ..automl.frames import to_pandas
from ..automl.reading import ReadError, TableSpec
from ..automl.targets import TargetError, Task, encode_target
from ..digests import sha256
from ..protocol.events import FileEntry, FileTreeUpdate
from ..protocol.plans import DataPlan
from ..protocol.stages import StageId
from .base import StageContext, StageError
from .parsed import table_of

SPLIT_FILE = "split.npz"
#: From this share on, test rows that are copies of training rows are told.
MIN_COPIES = 0.01


@dataclass(frozen=True)
class Rows:
    """All rows of the table.

    Attributes
    ----------
    spec : TableSpec
        How the table was read.
    table : polars.DataFrame
        Raw columns, the target too.
    task : Task
    y : numpy.ndarray
        Class codes (-1 where missing) or values (NaN where missing).
    known : numpy.ndarray of bool
        Rows that have a target.
    """

    spec: TableSpec
    table: pl.DataFrame
    task: Task
    y: np.ndarray
    known: np.ndarray

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The table for scikit-learn; made when it is first asked for, since the first scores need no column."""
        return to_pandas(self.table)


def table_spec(ctx: StageContext) -> TableSpec:
    """How DATA_SOURCE found the table is to be read."""
    try:
        described = json.loads((ctx.result_dir(StageId.DATA_SOURCE) / "table.json").read_text("utf-8"))
        spec = TableSpec.from_dict(described)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StageError("What the stage Data found out of the data cannot be read; restart that stage.") from error
    if spec.format != "sklearn" and not Path(spec.path).is_absolute():
        spec = replace(spec, path=os.path.normpath(ctx.project_dir / spec.path))
    return spec


def load_rows(ctx: StageContext, columns: list[str], *, positive_class: bool = True) -> Rows:
    """Read the rows.

    Parameters
    ----------
    ctx : StageContext
    columns : list of str
        Which columns are needed beside the target.
    positive_class : bool, default=True
        Whether the approved positive class orders the codes of a binary task.

    Raises
    ------
    StageError
        If the data cannot be read, lack a column, or the target does not fit the task.
    """
    data: DataPlan = ctx.approved(StageId.DATA_SOURCE)
    spec = table_spec(ctx)

    def told(copy: Path, place: Path) -> None:
        path, size = place.relative_to(ctx.project_dir).as_posix(), copy.stat().st_size
        ctx.emit(FileTreeUpdate(files=(FileEntry(path=path, type="copy", size=size, sha=sha256(copy)),)))

    try:
        table = table_of(ctx.project_dir, spec, told)
    except (ReadError, OSError) as error:
        raise StageError(str(error)) from error
    except pl.exceptions.PolarsError as error:
        raise StageError(f"The data could not be read: {str(error).splitlines()[0][:300]}.") from error
    wanted = list(dict.fromkeys([*columns, data.target]))
    there = set(table.columns)
    lacking = [name for name in wanted if name not in there]
    if lacking:
        raise StageError(
            f"The data have no column {lacking[0]!r} any more; restart the stage Data so that they are looked at again."
        )
    table = table.select(wanted)
    target = to_pandas(table.select(data.target))[data.target]
    try:
        chosen = data.positive_class if positive_class else None
        task, y, known = encode_target(target, data.task_type, data.target, chosen)
    except TargetError as error:
        raise StageError(str(error)) from None
    return Rows(spec, table, task, y, known)


def load_split(ctx: StageContext) -> dict[str, np.ndarray]:
    """Row numbers of ``train``, ``val`` and ``test``."""
    try:
        with np.load(ctx.result_dir(StageId.PREPROCESS) / SPLIT_FILE, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in ("train", "val", "test")}
    except (OSError, ValueError, KeyError) as error:
        raise StageError("What the stage Preparation found cannot be read; restart that stage.") from error


def copies(rows: Rows, names: list[str], part: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each row of a part, whether it is the same as one of others in the columns and the target."""
    table = rows.table.select([*names, rows.task.target])
    odd = [name for name, dtype in table.schema.items() if dtype.is_nested() or dtype == pl.Object]
    hashes = table.drop(odd).hash_rows(seed=0).to_numpy()
    return np.isin(hashes[part], hashes[others])


def write_json(path: Path, value: Any) -> Path:
    """Write JSON for people and programs: indented, strict."""
    path.write_text(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n", encoding="utf-8")
    return path
