"""What a worker process does with what it is sent."""

import io
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from jupyter_pipeline.automl.training import fit_model
from jupyter_pipeline.protocol.jobs import Predict
from jupyter_pipeline.workers import work
from jupyter_pipeline.workers.main import Outlet

from ..automl.tables import COLUMNS, parts


def save_model(folder: Path, share: float) -> None:
    """A model that gives every row the share of positive rows that it was trained on."""
    frame, task, y, split = parts("binary")
    y = (np.arange(len(y)) < share * len(y)).astype(y.dtype)
    X, X_val = frame.iloc[split.train], frame.iloc[split.val]
    fit_model("dummy", {}, task, X, y[split.train], X_val, y[split.val], COLUMNS, "log_loss").save(folder)


def answer(folder: Path) -> list[list[float]]:
    rows: list[dict[str, Any]] = [{}]
    raw = msgspec.Raw(msgspec.json.encode(rows))
    request = Predict(request_id="r", model_dir=str(folder), threshold=None, rows=raw)
    predicted = work.predict(request)
    assert predicted.result is not None, predicted.error
    values: list[list[float]] = predicted.result["probabilities"]["values"]
    return values


def test_a_model_that_was_trained_again_into_the_same_folder_is_the_one_that_predicts(tmp_path: Path) -> None:
    place = tmp_path / "trial" / "model"
    save_model(place, 0.2)
    first = answer(place)
    assert answer(place) == first
    save_model(tmp_path / "new" / "model", 0.9)
    shutil.rmtree(place.parent)
    (tmp_path / "new").rename(place.parent)
    assert answer(place) != first


def test_who_is_asked_to_finish_before_it_begins_does_and_the_next_one_does_not() -> None:
    outlet = Outlet(io.BytesIO())
    outlet.given(7)
    outlet.finish(7)  # the worker is still getting ready
    outlet.begin(7, "TRAIN")
    assert outlet.finish_requested()
    outlet.finish(7)  # it has just come to its end by itself
    outlet.given(8)
    outlet.begin(8, "TRAIN")
    assert not outlet.finish_requested()
    outlet.finish(7)
    assert not outlet.finish_requested()
