"""What the models of a training share: the rows, as columns and as matrices, the code to train with, and the seed."""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..protocol.plans import DataPlan, ModelPlan, PreprocessPlan
from ..protocol.stages import StageId
from .base import StageContext
from .modeling import Modeling
from .rows import Rows, load_rows, load_split

#: Part of every trial's fingerprint; raise it when trials come to something else from the same inputs.
_VERSION = 6


class Learning:
    """Fits models on the training rows, and asks them of the validation rows.

    Parameters
    ----------
    ctx : StageContext
        The job of TRAIN.
    plan : ModelPlan
        Its metric decides.
    modeling : Modeling
        The code to train with.

    Attributes
    ----------
    task : Task
    metric : str
    y_train, y_val : numpy.ndarray
    seed, threads : int
    width : int
        How many columns are learned from.
    inputs : dict
        What every trial's result depends on, as JSON values.
    """

    def __init__(self, ctx: StageContext, plan: ModelPlan, modeling: Modeling) -> None:
        data: DataPlan = ctx.approved(StageId.DATA_SOURCE)
        treatments: PreprocessPlan = ctx.approved(StageId.PREPROCESS)
        self.modeling, self.metric = modeling, plan.metric
        self.seed, self.threads = treatments.split.seed, ctx.job.threads
        self._columns = {name: t for name, t in treatments.columns.items() if t != "drop"}
        self.width = len(self._columns)
        rows, split = load_rows(ctx, list(self._columns)), load_split(ctx)
        self.task = rows.task
        self.y_train, self.y_val = rows.y[split["train"]], rows.y[split["val"]]
        self._rows: tuple[Rows, dict[str, np.ndarray]] | None = (rows, split)
        self._missing = rows.spec.null_values
        self._decimal_comma = bool(rows.spec.options.get("decimal_comma"))
        self.inputs = {
            "version": _VERSION,
            "code": modeling.digest,
            "data": [data.data_sha256, data.sheet] if data.sheet else data.data_sha256,
            "task": data.task_type,
            "target": data.target,
            "classes": self.task.classes,
            "columns": self._columns,
            "split": hashlib.sha256(split["train"].tobytes() + b"|" + split["val"].tobytes()).hexdigest(),
            "metric": self.metric,
            "seed": self.seed,
        }

    @cached_property
    def _frames(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Training and validation rows. The baseline needs none, so its scores do not wait for those of many rows."""
        assert self._rows is not None
        (rows, split), self._rows = self._rows, None
        frame = rows.frame[list(self._columns)]
        return frame.iloc[split["train"]], frame.iloc[split["val"]]

    @cached_property
    def matrices(self) -> Any:
        """The rows as matrices, made once for all models; and what was learned of the columns, as models hold it."""
        X_train, X_val = self._frames
        prepared = self.modeling.training.prepare(
            self.task,
            X_train,
            self.y_train,
            X_val,
            self._columns,
            seed=self.seed,
            missing=self._missing,
            decimal_comma=self._decimal_comma,
        )
        # Of texts that may take a second: better now than when a fit has used its time. Code that the
        # person edited may be of a version that made it for each model.
        if stored := getattr(prepared.features, "stored", None):
            stored()
        return prepared

    def needs_rows(self, model_id: str) -> bool:
        """Whether such a model looks at columns: code that the person edited may make more of a baseline."""
        return model_id != "dummy" or bool(self.modeling.digest)

    def val_rows(self, model_id: str) -> pd.DataFrame:
        """The validation rows for such a model; without columns where it needs none."""
        return self._frames[1] if self.needs_rows(model_id) else pd.DataFrame(index=range(len(self.y_val)))

    def fit(self, model_id: str, params: dict[str, Any], after: Any, deadline: float) -> Any:
        """A fitted model; see :func:`.training.fit_model`."""
        self.modeling.models.check_params(model_id, params)
        bare = pd.DataFrame(index=range(len(self.y_train)))
        return self.modeling.training.fit_model(
            model_id,
            params,
            self.task,
            self._frames[0] if self.needs_rows(model_id) else bare,
            self.y_train,
            self.val_rows(model_id),
            self.y_val,
            self._columns,
            self.metric,
            threads=self.threads,
            seed=self.seed,
            callback=after,
            deadline=deadline,
            prepared=None if model_id == "dummy" else self.matrices,
            missing=self._missing,
        )

    def combine(self, trained: list[tuple[Any, dict[str, Any]]], after: Any, deadline: float) -> Any:
        """An ensemble of trained models; see :func:`.training.combine`."""
        return self.modeling.training.combine(
            trained,
            self.task,
            self.y_train,
            self.y_val,
            self.metric,
            self.matrices,
            seed=self.seed,
            callback=after,
            deadline=deadline,
        )

    def saved(self, fitted: Any, folder: Path, written: Sequence[Path] | None = None) -> Any:
        """Save a fitted model; returns it as it would be loaded, which of a large one takes as long as to save it.

        Of an ensemble ``written`` are its members' files where they are there already.
        What code that the person edited saves is loaded: whether that works is found out here, not at the review.
        """
        fitted.save(folder, **({} if written is None else {"written": written}))
        return self.modeling.inference.load_model(folder) if self.modeling.digest else fitted.model()

    def val_matrix(self, model_id: str) -> np.ndarray | None:
        """The validation rows as such a model takes them; None where only the model itself knows how."""
        return None if model_id == "dummy" or self.modeling.digest else np.asarray(self.matrices.val)

    def ask(self, model: Any, model_id: str) -> np.ndarray:
        """What a model says of the validation rows."""
        matrix = self.val_matrix(model_id)
        return np.asarray(model.raw(self.val_rows(model_id)) if matrix is None else model.raw_of(matrix))

    def name_of(self, model_id: str) -> str:
        """What people call a model; the person's code may have models of its own."""
        known = self.modeling.models.MODELS.get(model_id)
        return str(known.name) if known is not None else model_id
