"""What a worker does with a job.

A stage, and what it stands on, is imported when it is first needed, or before that while the worker has nothing to do.
So the first answer does not wait for what training needs, and later stages begin at once.
"""

import contextlib
import importlib
import sys
import traceback
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ..digests import sha256
from ..protocol.events import FileEntry, FileTreeUpdate
from ..protocol.jobs import Failed, Job, Predict, Predicted
from ..protocol.names import stage_name
from ..protocol.stages import StageId
from ..stages.base import Channel, Result, StageContext, StageError, StageFunction
from ..traces import keep, places

if TYPE_CHECKING:
    from ..automl import inference

#: What takes long to import, in the order in which the stages need it; a job that comes waits for one of them.
_HEAVY = ("polars", "numpy", "pandas", "scipy.stats", "sklearn.base", "sklearn.metrics", "matplotlib.pyplot")
#: What a training needs beside its stage.
_TRAINING = ("skops.io", "optuna")


def stage_function(stage_id: StageId) -> StageFunction:
    """The function that does a stage's work."""
    if stage_id is StageId.REVIEW_EDIT:
        _import_jsonschema()
    function: StageFunction = importlib.import_module(f"..stages.{stage_id.value.lower()}", __package__).run
    return function


def warm() -> Iterator[None]:
    """Import, a piece with each step, what jobs may need. What cannot be imported is told by the job that needs it."""
    for name in _HEAVY:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
        yield
    for stage_id in StageId:
        with contextlib.suppress(Exception):
            stage_function(stage_id)
        yield
    for name in _TRAINING:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
        yield


def _import_jsonschema() -> None:
    """Import what nbformat imports, but for its check of IRIs.

    That compiles a grammar, which takes longer than all else that a worker imports, and no notebook holds an IRI.
    """
    unwanted = "rfc3987_syntax"
    if unwanted in sys.modules:
        return
    sys.modules[unwanted] = None  # type: ignore[assignment]
    try:
        importlib.import_module("jsonschema")
    finally:
        del sys.modules[unwanted]


def run(job: Job, channel: Channel) -> Result:
    """Run a stage; the result's files are in ``job.out_dir``."""
    ctx = StageContext(job, channel)  # what is imported now is part of its time
    function = stage_function(job.stage_id)
    Path(job.out_dir).mkdir(parents=True)
    return function(ctx)


def files_of(job: Job) -> FileTreeUpdate:
    """The files of a result that is about to be put in place, as they will be there: the log has their SHA-256, so that
    a change of any of them is seen."""
    out_dir, place = Path(job.out_dir), Path(job.result_dir).relative_to(job.project_dir)
    found = []
    for path in sorted(out_dir.rglob("*")):
        if path.is_file():
            name = (place / path.relative_to(out_dir)).as_posix()
            found.append(FileEntry(path=name, type="result", size=path.stat().st_size, sha=sha256(path)))
    return FileTreeUpdate(files=tuple(found))


def explain(job: Job, error: Exception) -> Failed:
    """What to tell the person of an error, and where it happened, for the server's log.

    The whole error is kept in the project's folder: it may say what is in the data, and the server's log must not.
    """
    if isinstance(error, StageError) and error.__cause__ is None:
        return Failed(attempt=job.attempt, message=str(error))
    kept = keep(Path(job.project_dir), job.stage_id, job.attempt, "".join(traceback.format_exception(error)))
    if isinstance(error, StageError):
        message = str(error)
    elif isinstance(error, MemoryError):
        message = (
            f"The stage {stage_name(job.stage_id)} ran out of memory. Use fewer rows, drop wide text columns, or "
            "choose lighter models."
        )
    else:
        what = f"{type(error).__name__}: {error}"[:500]
        whole = f" The whole error is in the project's file {kept.path}." if kept else ""
        message = (
            f"The stage {stage_name(job.stage_id)} failed unexpectedly ({what}). Your project is unharmed: change "
            f"something and restart the stage.{whole}"
        )
    return Failed(attempt=job.attempt, message=message, where=places(error), kept=kept)


def _stamp(model_dir: str) -> tuple[int, int, int] | None:
    """Which files a model's folder has now: a project that was deleted and begun anew can have another in its place."""
    with contextlib.suppress(OSError):
        found = (Path(model_dir) / "model.json").stat()
        return found.st_ino, found.st_mtime_ns, found.st_size
    return None


@lru_cache(maxsize=4)
def _model(model_dir: str, stamp: object) -> "inference.Model":
    from ..automl import inference

    return inference.load_model(Path(model_dir))


def predict(request: Predict) -> Predicted:
    """Predict rows; what is wrong with them is said in ``error``."""
    import numpy as np
    import pandas as pd

    try:
        rows = msgspec.json.decode(request.rows, type=list[dict[str, Any]])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        what = f"The rows are not a list of objects, column to value: {error}."
        return Predicted(request_id=request.request_id, error=what)
    try:
        model = _model(request.model_dir, _stamp(request.model_dir))
        model.threshold = request.threshold
        frame = pd.DataFrame(rows)
        predictions, probabilities = model.predict(frame)
        notes = model.odd_values(frame)
    except (ValueError, KeyError, TypeError, OSError, ArithmeticError, RecursionError) as error:
        return Predicted(request_id=request.request_id, error=str(error))
    result: dict[str, Any] = {"predictions": np.asarray(predictions).tolist()} | ({"notes": notes} if notes else {})
    if probabilities is not None:
        classes = [c.item() if isinstance(c, np.generic) else c for c in model.classes or ()]
        result["probabilities"] = {"classes": classes, "values": np.asarray(probabilities).tolist()}
    return Predicted(request_id=request.request_id, result=result)
