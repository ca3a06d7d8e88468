"""One attempt at TRAIN: runs trials one after another, each from its first event to its last."""

import hashlib
import time
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from msgspec import UNSET

from ..automl.ensembling import MOST
from ..automl.evaluation import evaluate
from ..automl.metrics import THRESHOLDED, better
from ..automl.models import ENSEMBLE
from ..automl.saving import set_threshold
from ..faults import crash_point
from ..protocol.events import (
    BestMetric,
    BestModelUpdated,
    EvaluationComplete,
    EvaluationStarted,
    FinalMetric,
    FinalMetrics,
    LeaderboardRow,
    LeaderboardUpdated,
    TrainRunFinished,
    TrainRunStarted,
)
from ..protocol.plans import DataPlan, ModelPlan, PreprocessPlan
from ..protocol.stages import StageId
from .base import StageContext
from .modeling import Modeling
from .pacing import Costs, Pace
from .rows import Rows, load_rows, load_split, write_json
from .run_evaluation import announce_evaluation, draw_evaluation, draw_importance, metrics_event
from .run_events import RunEvents
from .trials import Trial, TrialStore, fingerprint

#: Part of every trial's fingerprint; raise it when trials come to something else from the same inputs.
_VERSION = 5
#: What is left of the time budget for the ensemble before a model was trained: so many seconds or this share, whichever
#: is less; and the share that it has at the most.
_ENSEMBLE_S, _ENSEMBLE_SHARE, _ENSEMBLE_MOST = 20.0, 0.1, 0.3
#: Columns' importance is measured for so many seconds, or this share of the time budget, whichever is less; where time
#: is up, for the second share, so that the leading run has one.
_IMPORTANCE_S, _IMPORTANCE_SHARE, _IMPORTANCE_LATE = 20.0, 0.05, 0.02


class Session:
    """The rows, the trials so far, and the leaderboard.

    Parameters
    ----------
    ctx : StageContext
        The job of TRAIN.
    plan : ModelPlan
        Which models, how long, judged by what.
    modeling : Modeling
        The code to train with.

    Attributes
    ----------
    trials : dict of str to Trial
        Finished ones by run id, also those of earlier attempts.
    failed : list of LeaderboardRow
        Runs that came to nothing.
    best : Trial or None
    """

    def __init__(self, ctx: StageContext, plan: ModelPlan, modeling: Modeling) -> None:
        data: DataPlan = ctx.approved(StageId.DATA_SOURCE)
        treatments: PreprocessPlan = ctx.approved(StageId.PREPROCESS)
        self.ctx, self.plan, self.modeling = ctx, plan, modeling
        self._end = time.monotonic() + plan.time_budget_s
        self._released = False
        self._combines = any(choice.id == ENSEMBLE for choice in plan.models)
        self.columns = {name: t for name, t in treatments.columns.items() if t != "drop"}
        self.seed = treatments.split.seed
        rows = load_rows(ctx, list(self.columns))
        split = load_split(ctx)
        self.task, self.metric = rows.task, plan.metric
        self.y_train, self.y_val = rows.y[split["train"]], rows.y[split["val"]]
        self._rows: tuple[Rows, dict[str, np.ndarray]] | None = (rows, split)
        self.missing = rows.spec.null_values
        self.decimal_comma = bool(rows.spec.options.get("decimal_comma"))
        self._costs = Costs(len(self.columns), self.task.n_classes)
        self._pace = Pace(len(self.y_train), self.task.n_classes)
        self.store = TrialStore(ctx.project_dir)
        self.store.clear()
        self.trials: dict[str, Trial] = {}
        self.failed: list[LeaderboardRow] = []
        self.best: Trial | None = None
        self._prepared: Any = None
        self._runs = 0
        self._inputs = {
            "version": _VERSION,
            "code": modeling.digest,
            "data": [data.data_sha256, data.sheet] if data.sheet else data.data_sha256,
            "task": data.task_type,
            "target": data.target,
            "classes": self.task.classes,
            "columns": self.columns,
            "split": hashlib.sha256(split["train"].tobytes() + b"|" + split["val"].tobytes()).hexdigest(),
            "metric": self.metric,
            "seed": self.seed,
        }
        noted = self.store.noted(ctx.job.skip_trials)
        self._skipped = {note["fingerprint"]: run_id for run_id, note in noted.items()}
        self._skipped |= {mark: mark for mark in ctx.job.skip_trials if mark not in noted}

    @cached_property
    def _columns(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Training and validation rows. The baseline needs none, so its scores do not wait for those of many rows."""
        assert self._rows is not None
        (rows, split), self._rows = self._rows, None
        frame = rows.frame[list(self.columns)]
        return frame.iloc[split["train"]], frame.iloc[split["val"]]

    def mark(self, model_id: str, params: dict[str, Any]) -> str:
        """Fingerprint of a trial."""
        return fingerprint(**self._inputs, model=model_id, params=params)

    def reuse(self, model_id: str, params: dict[str, Any]) -> bool:
        """Take over a trial that is there already, or that the person cancelled; whether there was one."""
        mark = self.mark(model_id, params)
        if mark in self._skipped:
            run_id = self._skipped[mark]
            reason = "You cancelled it; restart the stage Training with other parameters to try it again."
            if all(row.run_id != run_id for row in self.failed):
                self.failed.append(_row_of(run_id, model_id, params, "cancelled", 0.0, reason))
            return True
        trial = self.store.find(mark, budget_s=self.plan.time_budget_s, finishing=self.ctx.finish_requested())
        if trial is not None and trial.run_id in self.ctx.job.void_runs:
            # It was finished in the instant in which its run was cancelled or given up; the log has the last word.
            return False
        if trial is None or trial.run_id in self.trials:
            return trial is not None
        self._add(trial)
        return True

    @property
    def remaining(self) -> float:
        """Seconds until the time budget is used up, but for what the ensemble needs, which comes last."""
        return self._end - self._reserved - time.monotonic()

    def evaluation_s(self, model_id: str) -> float:
        """Seconds that the evaluation of such a model is expected to take."""
        return self._costs.evaluation(model_id)

    def first_s(self, model_id: str) -> float:
        """Seconds that the first iteration of such a model is expected to take; 0 where that is little."""
        if model_id == "dummy":
            return 0.0
        try:
            return self._pace.first_s(model_id, self._matrices().train.shape[1])
        except Exception:
            return 0.0  # the run comes upon it too, and says so as its reason

    @property
    def _reserved(self) -> float:
        if not self._combines:
            return 0.0
        budget = self.plan.time_budget_s
        if not self._costs.known:
            return min(_ENSEMBLE_S, _ENSEMBLE_SHARE * budget)
        return min(self._costs.ensemble(self._able()) + _IMPORTANCE_LATE * budget, _ENSEMBLE_MOST * budget)

    def _able(self) -> list[str]:
        """Runs that may join an ensemble, the best first."""
        able = [row.run_id for row in self.leaderboard() if row.metric is not None]
        return [run_id for run_id in able if self.trials[run_id].model_id not in ("dummy", ENSEMBLE)][:MOST]

    def release(self) -> bool:
        """Give up what is kept for the ensemble where there are no two models for it yet; whether that was so."""
        if not self._combines or len(self._able()) > 1:
            return False
        self._combines, self._released = False, True
        return True

    @property
    def has_model(self) -> bool:
        """Whether there is a finished trial of more than a baseline."""
        return any(trial.model_id != "dummy" for trial in self.trials.values())

    def name_of(self, model_id: str) -> str:
        """What people call a model; the person's code may have models of its own."""
        known = self.modeling.models.MODELS.get(model_id)
        return str(known.name) if known is not None else model_id

    def ensemble(self) -> None:
        """Combine the best of the trials, if there are two; a trial of its own, which is used again as others are."""
        self._combines = False  # what was kept for it is its own now
        members = self._able()
        while len(members) > 2 and self._costs.ensemble(members) > self.remaining:
            members.pop()
        if len(members) < 2 or self._released:
            why = "There are no two models to combine" if len(members) < 2 else "The time went into the models"
            self.ctx.log(f"{why}, so there is no ensemble.", "warning")
            return
        params = {"of": {run_id: self.trials[run_id].fingerprint for run_id in members}}
        if self.reuse(ENSEMBLE, params):
            self.show_leaderboard()
            return
        self.run(ENSEMBLE, params, 0, max(2.0, self.remaining - self.evaluation_s(ENSEMBLE)))

    def run(self, model_id: str, params: dict[str, Any], number: int, seconds: float) -> Trial | None:
        """Make a trial in a run of its own.

        Parameters
        ----------
        model_id : str
        params : dict
            Those that differ from the defaults.
        number : int
            Which setting of the model it is, from 0.
        seconds : float
            How long the fit may take.

        Returns
        -------
        Trial or None
            None if the run failed.
        """
        ctx = self.ctx
        self._runs += 1
        run_id = f"run-{ctx.job.attempt}-{self._runs}-{model_id}"
        mark = self.mark(model_id, params)
        self.store.note_run(run_id, mark, model_id, params)
        told = {"of": ", ".join(params["of"])} if model_id == ENSEMBLE else params
        config = {"params": told, "seed": self.seed, "threads": ctx.job.threads, "trial": number, "fingerprint": mark}
        ctx.emit(TrainRunStarted(run_id=run_id, model_id=model_id, metric_primary=self.metric, config=config))
        events = RunEvents(ctx.emit, run_id)
        events.start()
        try:
            trial = self._trial(events, run_id, mark, model_id, params, number, seconds)
        except Exception as error:
            events.stop()
            reason = self.modeling.blame(error)
            self._finished(run_id, "failed", {}, reason)
            self.failed.append(_row_of(run_id, model_id, told, "failed", events.seconds, reason))
            ctx.log(f"{self.name_of(model_id)} failed: {reason}", "warning")
            self.show_leaderboard()
            return None
        events.stop()
        # The record first: what the log calls a success is never trained again.
        self.store.finish(trial)
        crash_point("trial.saved", StageId.TRAIN)
        self._finished(run_id, "success", trial.metrics)
        crash_point("trial.told", StageId.TRAIN)
        self._add(trial)
        self.show_leaderboard()
        return trial

    def _trial(
        self,
        events: RunEvents,
        run_id: str,
        mark: str,
        model_id: str,
        params: dict[str, Any],
        number: int,
        seconds: float,
    ) -> Trial:
        ctx, modeling, task = self.ctx, self.modeling, self.task
        # Code that the person edited may make more of a baseline.
        bare = model_id == "dummy" and not modeling.digest
        X_train, X_val = (pd.DataFrame(index=range(len(y))) for y in (self.y_train, self.y_val))
        if not bare:
            X_train, X_val = self._columns

        first: float | None = None

        def after(step: Any) -> bool:
            nonlocal first
            if first is None:
                first = time.monotonic() - begun
            events.iteration(step)
            return ctx.finish_requested()

        deadline = time.monotonic() + seconds
        if model_id not in ("dummy", ENSEMBLE):
            self._matrices()
        begun = time.monotonic()
        if model_id == ENSEMBLE:
            fitted = self._combine(list(params["of"]), after, deadline)
            params = fitted.params
        else:
            fitted = self._fit(model_id, params, X_train, X_val, after, deadline)
            if first is not None and model_id != "dummy":
                self._pace.note(model_id, self._prepared.train.shape[1], first)
        events.evaluating()
        evaluating = time.monotonic()
        ctx.emit(EvaluationStarted(run_id=run_id, task_type=task.task_type))
        partial = self.store.begin(mark, ctx.job.attempt)
        fitted.save(partial / "model")
        model = modeling.inference.load_model(partial / "model")
        raw = model.raw(X_val)
        handled = time.monotonic() - evaluating
        threshold = None
        if task.task_type == "binary":
            threshold = modeling.metrics.choose_threshold(self.metric, self.y_val, raw)
            set_threshold(partial / "model", threshold)
        metrics = evaluate(task.task_type, self.y_val, raw, threshold)
        write_json(partial / "history.json", events.curves())
        kinds = draw_evaluation(partial / "val", task.task_type, task.classes, self.y_val, raw, threshold)
        value = metrics.get(self.metric)
        leads = self._leads(model_id, params, value)
        budget = self.plan.time_budget_s
        self._costs.note(run_id, model_id, handled, time.monotonic() - evaluating - handled)
        if leads and model_id != "dummy" and not ctx.finish_requested():
            kinds += draw_importance(
                partial / "val",
                model,
                X_val,
                self.y_val,
                self.metric,
                threshold,
                seconds=min(_IMPORTANCE_S, _IMPORTANCE_SHARE * budget, max(_IMPORTANCE_LATE * budget, self.remaining)),
                stop=ctx.finish_requested,
            )
        place = self.store.place(partial, mark)
        ctx.emit(metrics_event(run_id, "val", task.task_type, metrics))
        label = f"{self.name_of(model_id)}, validation rows"
        artifacts = announce_evaluation(ctx, run_id, place / "val", kinds, label)
        ctx.emit(
            EvaluationComplete(
                run_id=run_id,
                task_type=task.task_type,
                primary_metric=self.metric,
                primary_value=value,
                artifacts=tuple(artifacts),
            )
        )
        if leads:
            metric = BestMetric(name=self.metric, split="val", value=value)
            ctx.emit(BestModelUpdated(run_id=run_id, model_id=model_id, metric=metric))
        events.finalizing()
        return Trial(
            run_id=run_id,
            fingerprint=mark,
            model_id=model_id,
            params=params,
            all_params=_shown(model_id, fitted.params),
            number=number,
            iterations=fitted.iterations,
            stopped=fitted.stopped,
            metrics=metrics,
            metric=value,
            threshold=threshold,
            seed=self.seed,
            threads=ctx.job.threads,
            runtime_s=round(events.seconds, 4),
            budget_s=self.plan.time_budget_s,
            files={kind: f"val/{kind}.json" for kind in kinds},
            # Code that the person edited may be of a version that did not measure it.
            out_of_bag=getattr(fitted, "out_of_bag", None),
        )

    def _fit(
        self,
        model_id: str,
        params: dict[str, Any],
        X_train: pd.DataFrame,
        X_val: pd.DataFrame,
        after: Any,
        deadline: float,
    ) -> Any:
        self.modeling.models.check_params(model_id, params)
        return self.modeling.training.fit_model(
            model_id,
            params,
            self.task,
            X_train,
            self.y_train,
            X_val,
            self.y_val,
            self.columns,
            self.metric,
            threads=self.ctx.job.threads,
            seed=self.seed,
            callback=after,
            deadline=deadline,
            prepared=None if model_id == "dummy" else self._matrices(),
            missing=self.missing,
        )

    def _combine(self, run_ids: list[str], after: Any, deadline: float) -> Any:
        trained = []
        for trial in (self.trials[run_id] for run_id in run_ids):
            how = {
                "run_id": trial.run_id,
                "model_id": trial.model_id,
                "params": trial.params,
                "iterations": trial.iterations,
                "threads": trial.threads,
            }
            model = self.modeling.inference.load_model(self.store.folder / trial.fingerprint / "model")
            trained.append((model, how))
        return self.modeling.training.combine(
            trained,
            self.task,
            self.y_train,
            self.y_val,
            self.metric,
            self._matrices(),
            seed=self.seed,
            callback=after,
            deadline=deadline,
        )

    def _matrices(self) -> Any:
        """The rows as matrices, made once for all models."""
        if self._prepared is None:
            X_train, X_val = self._columns
            self._prepared = self.modeling.training.prepare(
                self.task,
                X_train,
                self.y_train,
                X_val,
                self.columns,
                seed=self.seed,
                missing=self.missing,
                decimal_comma=self.decimal_comma,
            )
        return self._prepared

    def _leads(self, model_id: str, params: dict[str, Any], value: float | None) -> bool:
        best = self.best
        joined = len(params.get("members", ())) if model_id == ENSEMBLE else 0
        judged = self.metric not in THRESHOLDED  # else the weights were chosen by the loss, and so say nothing of it
        if joined > 1 and judged and value is not None and best is not None and best.model_id != "dummy":
            # To give weight to more than the best one was the choice. That one's score is the best of many on the rows
            # that it was chosen by: to compare by it would favour it (docs/benchmarks.md has figures).
            return True
        if best is None or better(self.metric, value, best.metric):
            return True
        # as good as the baseline, or neither could be measured: rather a model
        same = value == best.metric or (value is None and best.metric is None)
        return same and best.model_id == "dummy" and model_id != "dummy"

    def _add(self, trial: Trial) -> None:
        if self._leads(trial.model_id, trial.params, trial.metric):
            self.best = trial
        self.trials[trial.run_id] = trial

    def _finished(self, run_id: str, status: Any, metrics: dict[str, float | None], reason: str | None = None) -> None:
        final = FinalMetrics(
            task_type=self.task.task_type,
            primary=self.metric,
            metrics=tuple(FinalMetric(name=name, split="val", value=value) for name, value in metrics.items()),
        )
        more = {} if reason is None else {"reason": reason}
        self.ctx.emit(TrainRunFinished(run_id=run_id, status=status, final_metrics=final, **more))

    def leaderboard(self) -> list[LeaderboardRow]:
        """All runs, best first; then those that came to nothing."""
        ordered: list[Trial] = []
        for trial in self.trials.values():
            place = 0
            while place < len(ordered) and not self._before(trial, ordered[place]):
                place += 1
            ordered.insert(place, trial)
        rows = [
            LeaderboardRow(
                run_id=t.run_id,
                model=t.model_id,
                params=t.all_params,
                metric=t.metric,
                runtime_s=t.runtime_s,
                status="success",
                threshold=t.threshold if self.task.task_type == "binary" else UNSET,
            )
            for t in ordered
        ]
        return rows + self.failed

    def _before(self, one: Trial, other: Trial) -> bool:
        if self.best is not None and self.best.run_id in (one.run_id, other.run_id):
            return one.run_id == self.best.run_id
        return better(self.metric, one.metric, other.metric)

    def show_leaderboard(self) -> None:
        """Say how things stand."""
        self.ctx.emit(LeaderboardUpdated(rows=tuple(self.leaderboard())))

    def describe(self) -> dict[str, dict[str, Any]]:
        """The finished trials for ``runs.json``, best first."""
        described: dict[str, dict[str, Any]] = {}
        for row in self.leaderboard():
            trial = self.trials.get(row.run_id)
            if trial is None:
                continue
            described[trial.run_id] = {
                "trial_dir": self.store.relative(trial.fingerprint),
                "record_sha256": self.store.record_sha256(trial.fingerprint),
                "model_id": trial.model_id,
                "params": trial.params,
                "all_params": trial.all_params,
                "number": trial.number,
                "iterations": trial.iterations,
                "stopped": trial.stopped,
                "metrics": {"val": trial.metrics},
                "primary": self.metric,
                "metric": trial.metric,
                "out_of_bag": trial.out_of_bag,
                "threshold": trial.threshold,
                "seed": trial.seed,
                "threads": trial.threads,
                "runtime_s": trial.runtime_s,
                "status": "success",
                "files": trial.files,
            }
        return described

    @property
    def n_rows(self) -> tuple[int, int]:
        """Training and validation rows."""
        return len(self.y_train), int(np.size(self.y_val))


def _shown(model_id: str, params: dict[str, Any]) -> dict[str, Any]:
    """Parameters as the leaderboard has them: of an ensemble its weights, by run."""
    if model_id != ENSEMBLE:
        return params
    return {member["run_id"]: round(member["weight"], 4) for member in params["members"]}


def _row_of(
    run_id: str, model_id: str, params: dict[str, Any], status: str, seconds: float, reason: str
) -> LeaderboardRow:
    return LeaderboardRow(
        run_id=run_id,
        model=model_id,
        params=params,
        metric=None,
        runtime_s=round(seconds, 4),
        status=status,
        reason=reason,
    )
