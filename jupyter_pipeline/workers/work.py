"""What a worker does with a job. Importing this imports the stages and what they stand on; only workers do."""

import traceback
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..automl import inference
from ..protocol.jobs import Job, Predict, Predicted
from ..protocol.stages import StageId
from ..stages import (
    data_source,
    export,
    model_select,
    parse_intent,
    preprocess,
    profile_data,
    review_edit,
    train,
)
from ..stages.base import Channel, Result, StageContext, StageError, StageFunction
from ..traces import keep, places

STAGES: dict[StageId, StageFunction] = {
    StageId.PARSE_INTENT: parse_intent.run,
    StageId.DATA_SOURCE: data_source.run,
    StageId.PROFILE_DATA: profile_data.run,
    StageId.PREPROCESS: preprocess.run,
    StageId.MODEL_SELECT: model_select.run,
    StageId.TRAIN: train.run,
    StageId.REVIEW_EDIT: review_edit.run,
    StageId.EXPORT: export.run,
}


def run(job: Job, channel: Channel) -> Result:
    """Run a stage; the result's files are in ``job.out_dir``."""
    Path(job.out_dir).mkdir(parents=True)
    return STAGES[job.stage_id](StageContext(job, channel))


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
def _model(model_dir: str) -> inference.Model:
    return inference.load_model(Path(model_dir))


def predict(request: Predict) -> Predicted:
    """Predict rows; what is wrong with them is said in ``error``."""
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
