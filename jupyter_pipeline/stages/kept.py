"""The run whose model the person approved at TRAIN's gate, and the runs that it was chosen from."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..automl.models import name_of
from ..protocol.plans import TrainPlan
from ..protocol.stages import StageId
from .base import StageContext, StageError
from .trials import RUNS, Trial, marks_of, trial_of


@dataclass(frozen=True)
class Kept:
    """The kept run.

    Attributes
    ----------
    run_id : str
    trial : Trial
        What was tried, and how it ended.
    threshold : float or None
        As approved; None for 0.5, and in all but binary tasks.
    folder : pathlib.Path
        The trial's folder.
    runs : list of dict
        All runs, best first: run_id, model_id, model, params, metric, runtime_s, status, reason, kept.
    """

    run_id: str
    trial: Trial
    threshold: float | None
    folder: Path
    runs: list[dict[str, Any]]

    @property
    def model_dir(self) -> Path:
        """The folder with the saved model."""
        return self.folder / "model"

    @property
    def name(self) -> str:
        """What people call the model."""
        return name_of(self.trial.model_id)

    @property
    def training_s(self) -> float:
        """Seconds that it took to train; of an ensemble also those of its members."""
        members = {member["run_id"] for member in self.trial.params.get("members", ())}
        return self.trial.runtime_s + sum(float(row["runtime_s"]) for row in self.runs if row["run_id"] in members)

    @property
    def importance(self) -> dict[str, Any] | None:
        """Permutation importance on the validation rows; None if it was not measured, as the run never led."""
        try:
            found: dict[str, Any] = json.loads((self.folder / "val" / "importance.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return found

    def curves(self, metric: str) -> tuple[str, dict[str, list[tuple[int, float]]]]:
        """A metric (or the loss, where that was not measured) over the iterations, for each split.

        Empty where there is one iteration only.
        """
        try:
            data = json.loads((self.folder / "history.json").read_text("utf-8"))
        except (OSError, ValueError):
            return metric, {}
        names = {curve["name"] for curve in data["curves"]}
        shown = metric if metric in names else "loss"
        found: dict[str, list[tuple[int, float]]] = {}
        for curve in data["curves"]:
            points = zip(data["iteration"], curve["value"], strict=True)
            if curve["name"] == shown and len(data["iteration"]) > 1:
                split = {"train": "training", "val": "validation"}[curve["split"]]
                found[split] = [(i, value) for i, value in points if value is not None]
        return shown, found


def find_kept(ctx: StageContext) -> Kept:
    """The run that was kept.

    Raises
    ------
    StageError
        If there is no such run, or its model is gone.
    """
    plan: TrainPlan = ctx.approved(StageId.TRAIN)
    data = ctx.approved(StageId.DATA_SOURCE)
    folder = ctx.result_dir(StageId.TRAIN)
    try:
        runs = json.loads((folder / RUNS).read_text("utf-8"))
        board = json.loads((folder / "leaderboard.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StageError("What the stage Training found cannot be read; restart that stage.") from error
    run = runs.get(plan.keep)
    if run is None:
        raise StageError(f"The run {plan.keep} has no model; keep one of {', '.join(list(runs)[:10]) or 'none'}.")
    place = ctx.project_dir / run["trial_dir"]
    try:
        record = (place / "trial.json").read_bytes()
        trial = trial_of(place, record)
    except (OSError, ValueError, TypeError) as error:
        raise StageError(f"The trial of {plan.keep} cannot be read; restart the stage Training.") from error
    if not (place / "model" / "model.json").is_file():
        raise StageError(f"The model of {plan.keep} is gone; restart the stage Training.")
    if not _as_it_was(place, trial, record, run.get("record_sha256")):
        raise StageError(
            f"The model of {plan.keep} is not the one that was measured: its files were changed, or an earlier version "
            "of jupyter_pipeline trained it again with more time. Restart the stage Training."
        )
    threshold = plan.threshold if data.task_type == "binary" else None
    return Kept(plan.keep, trial, threshold, place, [_row(row, plan.keep) for row in board["rows"]])


def _as_it_was(place: Path, trial: Trial, record: bytes, record_sha256: str | None) -> bool:
    """Whether a trial's record, and the files of its model, are those that there were when TRAIN ended."""
    if record_sha256 is None:  # an earlier version did not note it
        return True
    same = hashlib.sha256(record).hexdigest() == record_sha256
    return same and (not trial.sha256 or marks_of(place) == trial.sha256)


def _row(row: dict[str, Any], kept: str) -> dict[str, Any]:
    return {
        "run_id": row["run_id"],
        "model_id": row["model"],
        "model": name_of(row["model"]),
        "params": row["params"],
        "metric": row["metric"],
        "runtime_s": row["runtime_s"],
        "status": row["status"],
        "reason": row.get("reason") or "",
        "kept": row["run_id"] == kept,
    }
