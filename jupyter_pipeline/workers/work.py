"""What a worker does with a job. A stage, and what it stands on, is imported when its first job comes, or before, while
there is nothing to do."""

import traceback
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..protocol.jobs import Job, Predict, Predicted
from ..protocol.stages import STAGES, StageId
from ..stages.base import Channel, Result, StageContext, StageError, StageFunction
from ..traces import keep, places

if TYPE_CHECKING:
    from ..automl import inference

_FIRST = ("numpy", "pandas", "polars", "scipy.stats", "sklearn.base")
"""What most stages stand on, the quickest way to small steps."""


def stage(stage_id: StageId) -> StageFunction:
    """What a stage does."""
    function: StageFunction = import_module(f"jupyter_pipeline.stages.{stage_id.lower()}").run
    return function


def ahead() -> Iterator[None]:
    """Import what the stages will need, a little at each step, in the order in which it will be needed."""
    stage(StageId.PARSE_INTENT)
    yield
    for module in _FIRST:
        import_module(module)
        yield
    for stage_id in STAGES:
        stage(stage_id)
        yield


def run(job: Job, channel: Channel) -> Result:
    """Run a stage; the result's files are in ``job.out_dir``."""
    Path(job.out_dir).mkdir(parents=True)
    return stage(job.stage_id)(StageContext(job, channel))


def explain(job: Job, error: Exception) -> tuple[str, str]:
    """What to tell the person of an error, and where it happened, for the server's log.

    The whole error is kept in the project's folder: it may say what is in the data, and the server's log must not.
    """
    if isinstance(error, StageError) and error.__cause__ is None:
        return str(error), ""
    name = f"{job.stage_id.value.lower()}-{job.attempt}"
    kept = keep(Path(job.project_dir), name, "".join(traceback.format_exception(error)))
    if isinstance(error, StageError):
        return str(error), places(error)
    if isinstance(error, MemoryError):
        return (
            f"{job.stage_id} ran out of memory. Use fewer rows, drop wide text columns, or choose lighter models.",
            places(error),
        )
    what = f"{type(error).__name__}: {error}"[:500]
    whole = f" The whole error is in the project's file {kept}." if kept else ""
    return (
        f"{job.stage_id} failed unexpectedly ({what}). Your project is unharmed: change something and use "
        f"restart_stage {job.stage_id}.{whole}",
        places(error),
    )


@lru_cache(maxsize=4)
def _model(model_dir: str) -> "inference.Model":
    from ..automl import inference

    return inference.load_model(Path(model_dir))


def predict(request: Predict) -> Predicted:
    """Predict rows; what is wrong with them is said in ``error``."""
    import numpy as np
    import pandas as pd

    try:
        model = _model(request.model_dir)
        model.threshold = request.threshold
        predictions, probabilities = model.predict(pd.DataFrame(request.rows))
    except (ValueError, KeyError, TypeError, OSError) as error:
        return Predicted(request_id=request.request_id, error=str(error))
    result: dict[str, Any] = {"predictions": np.asarray(predictions).tolist()}
    if probabilities is not None:
        classes = [c.item() if isinstance(c, np.generic) else c for c in model.classes or ()]
        result["probabilities"] = {"classes": classes, "values": np.asarray(probabilities).tolist()}
    return Predicted(request_id=request.request_id, result=result)
