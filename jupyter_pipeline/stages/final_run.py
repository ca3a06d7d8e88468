"""The final evaluation: the kept model on the test rows, once, as a run of its own."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..automl.bootstrap import intervals
from ..automl.evaluation import evaluate
from ..protocol.events import (
    EvaluationComplete,
    EvaluationStarted,
    FinalMetric,
    FinalMetrics,
    MetricScalar,
    Phase,
    TrainProgress,
    TrainRunFinished,
    TrainRunStarted,
)
from .base import StageContext, StageError
from .rows import Rows
from .run_evaluation import announce_evaluation, draw_evaluation, draw_importance, draw_shap, metrics_event

#: The steps of the run: init, predictions, pictures, importance, contributions, finalize.
_STEPS = 6
_IMPORTANCE_S = 30.0
_SHAP_S = 15.0
_LABEL = "test rows"
Metrics = dict[str, float | None]
READS = "test-reads.json"


@dataclass(frozen=True)
class Final:
    """What the final evaluation came to.

    Attributes
    ----------
    metrics : dict of str to float or None
        On the test rows.
    intervals : dict of str to (float, float)
        95 percent, by bootstrap.
    importance : dict or None
        Permutation importance on the test rows.
    figures : list of (str, pathlib.Path)
        Title and PNG.
    explained : dict or None
        How the Shapley values in ``shap.json`` were found: ``method``, ``background``, ``unit`` and ``n_rows``.
    """

    metrics: Metrics
    intervals: dict[str, tuple[float, float]]
    importance: dict[str, Any] | None
    figures: list[tuple[str, Path]]
    explained: dict[str, Any] | None = None


def count_reads(ctx: StageContext, read: dict[str, Any], threshold: float | None) -> dict[str, int]:
    """Tell how often the test rows are read, with this time; the log has each, as the run that reads them.

    Parameters
    ----------
    ctx : StageContext
    read : dict
        What is read now, as FinalRun takes it; other test rows are counted by themselves.
    threshold : float or None

    Returns
    -------
    dict
        ``times`` these test rows were read, for how many ``models`` (or thresholds), and how many ``other_splits``
        of the same table had their test rows read.
    """
    reads = [*_noted(ctx), *(one for one in ctx.job.test_reads if "rows" in one), {**read, "threshold": threshold}]
    same = [one for one in reads if one["rows"] == read["rows"]]
    others = {one["rows"] for one in reads if one["data"] == read["data"]} - {read["rows"]}
    models = {(one["fingerprint"], one["threshold"]) for one in same}
    return {"times": len(same), "models": len(models), "other_splits": len(others)}


def _noted(ctx: StageContext) -> list[dict[str, Any]]:
    """What an earlier version, whose log does not tell which rows a run read, wrote down in a file of its own."""
    try:
        text = (ctx.project_dir / "artifacts" / READS).read_text(encoding="utf-8")
        return [{**one, "fingerprint": one["model"]} for one in json.loads(text)]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise StageError(
            f"{READS}, in which an earlier version counted how often the test rows were read, is damaged ({error}); "
            "restore it, or delete it to begin anew."
        ) from None


class FinalRun:
    """Evaluates the kept model on the test rows and says so in events.

    Parameters
    ----------
    ctx : StageContext
    model : jupyter_pipeline.automl.inference.Model
        With its threshold set.
    model_id, source_run : str
        What was kept, and the run that it came from.
    metric : str
        The metric that decides.
    read : dict
        What is read: ``fingerprint`` of the kept trial, and those of the table (``data``) and of the test rows
        (``rows``).
    """

    def __init__(
        self, ctx: StageContext, model: Any, model_id: str, source_run: str, metric: str, read: dict[str, Any]
    ) -> None:
        self.ctx, self.model, self.metric, self.read = ctx, model, metric, read
        self.model_id, self.source_run = model_id, source_run
        self.run_id = f"final-{ctx.job.attempt}"
        self._step, self._start = 0, time.monotonic()

    def run(self, rows: Rows, test: np.ndarray, measured: Callable[[Metrics], None]) -> Final:
        """Evaluate.

        Parameters
        ----------
        rows : Rows
            All rows.
        test : numpy.ndarray
            Row numbers of the test rows.
        measured : callable
            Called with the metrics as soon as they are known, before pictures and explanations are made.
        """
        ctx, task_type = self.ctx, self.model.task_type
        config = {"source_run": self.source_run, "split": "test", "threshold": self.model.threshold, **self.read}
        ctx.emit(TrainRunStarted(run_id=self.run_id, model_id=self.model_id, metric_primary=self.metric, config=config))
        try:
            return self._evaluate(rows, test, measured)
        except Exception as error:
            ctx.emit(
                TrainRunFinished(
                    run_id=self.run_id,
                    status="failed",
                    final_metrics=FinalMetrics(task_type=task_type, primary=self.metric),
                    reason=f"{type(error).__name__}: {error}"[:500],
                )
            )
            raise

    def _evaluate(self, rows: Rows, test: np.ndarray, told: Callable[[Metrics], None]) -> Final:
        ctx, model, task_type = self.ctx, self.model, self.model.task_type
        self._progress("init")
        ctx.emit(EvaluationStarted(run_id=self.run_id, task_type=task_type))
        frame, y = rows.frame.iloc[test].reset_index(drop=True), rows.y[test]
        raw = model.raw(frame)
        metrics = evaluate(task_type, y, raw, model.threshold)
        for name, value in metrics.items():
            ctx.emit(MetricScalar(run_id=self.run_id, name=name, split="test", step=1, value=value))
        ctx.emit(metrics_event(self.run_id, "test", task_type, metrics))
        told(metrics)
        self._progress("eval")
        folder = ctx.out_dir / "evaluation"
        kinds = draw_evaluation(folder, task_type, model.classes, y, raw, model.threshold)
        artifacts = announce_evaluation(ctx, self.run_id, folder, kinds, _LABEL)
        self._progress("eval")
        measured: list[str] = []
        if model.columns:
            measured = draw_importance(folder, model, frame, y, self.metric, model.threshold, seconds=_IMPORTANCE_S)
            artifacts += announce_evaluation(ctx, self.run_id, folder, measured, _LABEL)
        importance = json.loads((folder / "importance.json").read_text("utf-8")) if measured else None
        self._progress("eval")
        explained = draw_shap(ctx, folder, model, frame, seconds=_SHAP_S) if model.columns else []
        artifacts += announce_evaluation(ctx, self.run_id, folder, explained, _LABEL)
        self._progress("eval")
        ends = intervals(task_type, y, raw, model.threshold)
        ctx.emit(
            EvaluationComplete(
                run_id=self.run_id,
                task_type=task_type,
                primary_metric=self.metric,
                primary_value=metrics.get(self.metric),
                artifacts=tuple(artifacts),
            )
        )
        self._progress("finalize")
        final = tuple(FinalMetric(name=name, split="test", value=value) for name, value in metrics.items())
        ctx.emit(
            TrainRunFinished(
                run_id=self.run_id,
                status="success",
                final_metrics=FinalMetrics(task_type=task_type, primary=self.metric, metrics=final),
            )
        )
        figures = [(f"{name.replace('_', ' ').capitalize()}, {_LABEL}", folder / f"{name}.png") for name in kinds]
        figures += [(f"What columns add to predictions, {_LABEL}", folder / f"{name}.png") for name in explained]
        how = None
        if explained:
            values = json.loads((folder / "shap.json").read_text("utf-8"))
            how = {name: values[name] for name in ("method", "background", "unit")} | {"n_rows": len(values["rows"])}
        return Final(metrics, ends, importance, figures, how)

    def _progress(self, phase: Phase) -> None:
        self._step += 1
        done = (self._step - (phase != "finalize")) / _STEPS
        spent = time.monotonic() - self._start
        self.ctx.emit(
            TrainProgress(
                run_id=self.run_id,
                epoch=int(phase == "finalize"),
                epochs=1,
                step=self._step,
                steps=_STEPS,
                pct=done,
                eta_s=spent * (1 - done) / done if done else None,
                phase=phase,
            )
        )
