"""One attempt at TRAIN: runs trials one after another, each from its first event to its last."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import UNSET

from ..automl.ensembling import MOST
from ..automl.evaluation import evaluate
from ..automl.inference import FORMAT
from ..automl.metrics import THRESHOLDED, better
from ..automl.models import ENSEMBLE
from ..automl.monitor import CURVE_ROWS, TRAIN_CURVE_ROWS
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
from ..protocol.plans import ModelPlan
from ..protocol.stages import StageId
from .base import StageContext
from .learning import Learning
from .modeling import Modeling
from .pacing import Costs, Pace, Spent
from .rows import write_json
from .run_evaluation import announce_evaluation, draw_evaluation, draw_importance, metrics_event
from .run_events import RunEvents
from .trials import Trial, TrialStore, fingerprint

#: What is left of the time budget for the ensemble before a model was trained: so many seconds or this share, whichever
#: is less; and the share that it has at the most.
_ENSEMBLE_S, _ENSEMBLE_SHARE, _ENSEMBLE_MOST = 20.0, 0.1, 0.3
#: To choose its weights has at least this share.
_SELECTION_SHARE = 0.02
#: Columns' importance is measured for so many seconds, or this share of the time budget, whichever is less; where time
#: is up, for the second share, so that the leading run has one.
_IMPORTANCE_S, _IMPORTANCE_SHARE, _IMPORTANCE_LATE = 20.0, 0.05, 0.02


class _Late(Exception):
    """The run at work is one that nobody wants any more."""


#: A file that a trial wrote, and its SHA-256.
Written = tuple[Path, str]


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
        self.ctx, self.plan = ctx, plan
        self.learning = learning = Learning(ctx, plan, modeling)
        self.task, self.metric, self.seed = learning.task, plan.metric, learning.seed
        self._end = ctx.begun + plan.time_budget_s
        self._released = False
        self._combines = any(choice.id == ENSEMBLE for choice in plan.models)
        rows, val_rows = len(learning.y_train), len(learning.y_val)
        self._costs = Costs((min(rows, TRAIN_CURVE_ROWS) + min(val_rows, CURVE_ROWS)) / max(1, val_rows))
        self._pace = Pace(len(learning.y_train), self.task.n_classes)
        self.store = TrialStore(ctx.project_dir)
        self.store.clear()
        self.trials: dict[str, Trial] = {}
        self.failed: list[LeaderboardRow] = []
        self.best: Trial | None = None
        self._models: dict[str, Any] = {}
        self._successes = {*ctx.job.successes}
        self._runs = 0
        self._ended: dict[int, str] = {}  # models by the numbers of runs that were not needed to have a result

    def mark(self, model_id: str, params: dict[str, Any]) -> str:
        """Fingerprint of a trial."""
        return fingerprint(**self.learning.inputs, model=model_id, params=params)

    def reuse(self, model_id: str, params: dict[str, Any]) -> bool:
        """Take over a trial that is there already, or that the person cancelled; whether there was one."""
        mark = self.mark(model_id, params)
        if (run_id := self.ctx.job.skip_trials.get(mark)) is not None:
            reason = "You cancelled it; restart the stage Training with other parameters to try it again."
            if all(row.run_id != run_id for row in self.failed):
                self.failed.append(_row_of(run_id, model_id, params, "cancelled", 0.0, reason))
            return True
        # One may be finished in the instant in which its run is cancelled or given up, or the server ends before it
        # has heard of the run; the log has the last word.
        trial = self.store.find(
            mark, self._successes, budget_s=self.plan.time_budget_s, finishing=self.ctx.finish_requested()
        )
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
        late = 0.0 if model_id == "dummy" else _IMPORTANCE_LATE * self.plan.time_budget_s
        return self._costs.evaluation(model_id) + late

    def first_s(self, model_id: str) -> float:
        """Seconds that the first iteration of such a model is expected to take; 0 where that is little."""
        if model_id == "dummy":
            return 0.0
        try:
            return self._pace.first_s(model_id, self.learning.matrices.train.shape[1])
        except Exception:
            return 0.0  # the run comes upon it too, and says so as its reason

    @property
    def _reserved(self) -> float:
        if not self._combines:
            return 0.0
        budget = self.plan.time_budget_s
        if not self._costs.known:
            return min(_ENSEMBLE_S, _ENSEMBLE_SHARE * budget)
        return min(self._ensemble_s(self._able()) + _SELECTION_SHARE * budget, _ENSEMBLE_MOST * budget)

    def _ensemble_s(self, members: list[str]) -> float:
        """Seconds that an ensemble of these takes, but for choosing their weights, which may end at any time."""
        return self._costs.ensemble(members) + _IMPORTANCE_LATE * self.plan.time_budget_s

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
    def ending(self) -> bool:
        """Whether no further run is to be begun, as somebody asked."""
        last = self.ctx.last_run()
        return self.ctx.finish_requested() or (last is not None and self._runs >= last)

    @property
    def _late(self) -> bool:
        """Whether the run at work was begun before it was heard that an earlier one is to be the last one."""
        return self._beyond_last and bool(self.trials)  # without a result so far it is needed

    @property
    def _beyond_last(self) -> bool:
        last = self.ctx.last_run()
        return last is not None and self._runs > last

    def tell_late(self) -> None:
        """Say which runs had come to their end before it was heard that one before them is to be the last one."""
        last = self.ctx.last_run()
        late = [self.learning.name_of(model) for n, model in self._ended.items() if last is not None and n > last]
        if late:
            self.ctx.log(f"Trained as well, before training heard what was asked of it: {', '.join(late)}.", "warning")

    @property
    def has_model(self) -> bool:
        """Whether there is a finished trial of more than a baseline."""
        return any(trial.model_id != "dummy" for trial in self.trials.values())

    def ensemble(self) -> None:
        """Combine the best of the trials, if there are two; a trial of its own, which is used again as others are."""
        self._combines = False  # what was kept for it is its own now
        members = self._able()
        while len(members) > 2 and self._ensemble_s(members) > self.remaining:
            members.pop()
        if len(members) < 2 or self._released:
            why = "There are no two models to combine" if len(members) < 2 else "The time went into the models"
            self.ctx.log(f"{why}, so there is no ensemble.", "warning")
            return
        params = {"of": {run_id: self.trials[run_id].fingerprint for run_id in members}}
        if self.reuse(ENSEMBLE, params):
            self.show_leaderboard()
            return
        needed, left = self._ensemble_s(members), self.remaining
        if needed > left:
            self.ctx.log(
                f"There is no ensemble: to combine two models takes about {needed:.1f} s, and {max(0.0, left):.1f} s "
                "are left. Allow more time to have it.",
                "warning",
            )
            return
        self.run(ENSEMBLE, params, 0, left - needed)

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
        told = {"of": ", ".join(params["of"])} if model_id == ENSEMBLE else params
        config = {"params": told, "seed": self.seed, "threads": ctx.job.threads, "trial": number, "fingerprint": mark}
        if self._beyond_last:
            ctx.log("No run has come to a result so far, so one more is made.", "warning")
        ctx.emit(TrainRunStarted(run_id=run_id, model_id=model_id, metric_primary=self.metric, config=config))
        events = RunEvents(ctx.emit, run_id)
        events.start()
        try:
            trial, model, spent, linked = self._trial(events, run_id, mark, model_id, params, number, seconds)
            self._check_wanted()
        except _Late:
            events.stop()
            reason = "it had just begun when training was asked to end with the run before it"
            self._finished(run_id, "cancelled", {}, reason)
            return None
        except Exception as error:
            events.stop()
            reason = self.learning.modeling.blame(error)
            self._finished(run_id, "failed", {}, reason)
            self.failed.append(_row_of(run_id, model_id, told, "failed", events.seconds, reason))
            ctx.log(f"{self.learning.name_of(model_id)} failed: {reason}", "warning")
            self.show_leaderboard()
            return None
        events.stop()
        # The record first: what the log calls a success is never trained again.
        begun = time.monotonic()
        self.store.finish(trial, linked)
        if self.trials:
            self._ended[self._runs] = model_id
        took = time.monotonic() - begun
        stored = 0.0 if self.learning.modeling.digest else spent.stored + took
        self._costs.note(run_id, model_id, replace(spent, handled=spent.handled + took, stored=stored))
        crash_point("trial.saved", StageId.TRAIN)
        self._finished(run_id, "success", trial.metrics)
        crash_point("trial.told", StageId.TRAIN)
        self._add(trial)
        if self._combines:  # those that may join an ensemble need not be loaded
            self._models[run_id] = model
            self._models = {able: self._models[able] for able in self._able() if able in self._models}
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
    ) -> tuple[Trial, Any, Spent, list[Written]]:
        """The trial, not yet on record, its model, what its parts took, and the files of others that it links to."""
        ctx, learning, task = self.ctx, self.learning, self.task
        first: float | None = None

        def after(step: Any) -> bool:
            nonlocal first
            if first is None:
                first = time.monotonic() - begun
            events.iteration(step)
            return ctx.finish_requested() or self._late

        deadline = time.monotonic() + seconds
        width = learning.matrices.train.shape[1] if model_id not in ("dummy", ENSEMBLE) else 0
        begun = time.monotonic()
        if model_id == ENSEMBLE:
            fitted = learning.combine([self._member(run) for run in params["of"]], after, deadline)
            params = fitted.params
        else:
            fitted = learning.fit(model_id, params, after, deadline)
            if first is not None and model_id != "dummy":
                self._pace.note(model_id, width, first)
        self._check_wanted()
        events.evaluating()
        ctx.emit(EvaluationStarted(run_id=run_id, task_type=task.task_type))
        partial = self.store.begin(mark, ctx.job.attempt)
        lap = _Laps()
        linked = self._written(fitted.params["members"]) if model_id == ENSEMBLE else []
        model = learning.saved(fitted, partial / "model", [path for path, _ in linked] or None)
        saved = lap()
        raw = learning.ask(model, model_id)
        asked = lap()
        y_val, threshold = learning.y_val, None
        if task.task_type == "binary":
            threshold = learning.modeling.metrics.choose_threshold(self.metric, y_val, raw)
            set_threshold(partial / "model", threshold)
        metrics = evaluate(task.task_type, y_val, raw, threshold)
        write_json(partial / "history.json", events.curves())
        kinds = draw_evaluation(partial / "val", task.task_type, task.classes, y_val, raw, threshold)
        value = metrics.get(self.metric)
        leads = self._leads(model_id, params, value)
        evaluated = lap()
        if leads and model_id != "dummy" and not ctx.finish_requested():
            allowed = self._importance_s()
            measured = draw_importance(
                partial / "val",
                model,
                learning.val_rows(model_id),
                y_val,
                self.metric,
                threshold,
                seconds=allowed,
                matrix=learning.val_matrix(model_id),
                stop=ctx.finish_requested,
            )
            kinds += measured
            if measured:
                self._costs.note_importance(lap() - allowed)
        lap()
        place = self.store.place(partial)
        placed = lap()
        spent = Spent(handled=saved + asked + placed, asked=asked, evaluated=evaluated, stored=saved + placed)
        ctx.emit(metrics_event(run_id, "val", task.task_type, metrics))
        label = f"{learning.name_of(model_id)}, validation rows"
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
        trial = Trial(
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
            folder=place.name,
        )
        return trial, model, spent, linked

    def _check_wanted(self) -> None:
        """Give up a run that nobody wants."""
        if self._late:
            raise _Late

    def _written(self, members: list[dict[str, Any]]) -> list[Written]:
        """The files of an ensemble's members; none where they are to be written again, as by code that the person
        edited."""
        found = [self.store.written(self.trials[one["run_id"]], FORMAT) for one in members]
        known = [file for file in found if file is not None]
        return known if len(known) == len(found) and not self.learning.modeling.digest else []

    def _importance_s(self) -> float:
        budget, left = self.plan.time_budget_s, self.remaining - self._costs.importance
        return min(_IMPORTANCE_S, _IMPORTANCE_SHARE * budget, max(_IMPORTANCE_LATE * budget, left))

    def _member(self, run_id: str) -> tuple[Any, dict[str, Any]]:
        """A model that may join an ensemble, and what makes it again."""
        trial = self.trials[run_id]
        how = {
            "run_id": trial.run_id,
            "model_id": trial.model_id,
            "params": trial.params,
            "iterations": trial.iterations,
            "threads": trial.threads,
        }
        model = self._models.get(run_id)
        if model is None:
            model = self.learning.modeling.inference.load_model(self.store.folder / trial.folder / "model")
        return model, how

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
        self._successes.add(trial.run_id)

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
                **self.store.describe(trial),
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
        return len(self.learning.y_train), int(np.size(self.learning.y_val))


class _Laps:
    """A stopwatch: seconds since it was last asked."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self) -> float:
        before, self._last = self._last, time.monotonic()
        return self._last - before


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
