"""Decisions about work: what workers report, what is cancelled, and what is taken up again."""

from msgspec import UNSET

from ..protocol.errors import ErrorCode, Refusal
from ..protocol.events import (
    EVENT_TYPES,
    ArtifactAdded,
    FileEntry,
    FileTreeUpdate,
    LogLine,
    Payload,
    PlanApproved,
    PlanProposed,
    PlanRejected,
    StageStatusEvent,
    TrainRunStarted,
    WaitingConfirmation,
)
from ..protocol.messages import CancelRun
from ..protocol.names import model_name, stage_name
from ..protocol.stages import StageId, StageStatus
from .commands import Finished, Recover, WorkDied, WorkDone, WorkEvents
from .plans import shaped
from .state import Work, runs_of
from .turn import Turn, stands

MOST_THINGS = 20_000
"""Runs, and assets, of a project: its state has all of them, and is copied when one is added."""
_NOT_OF_WORK = frozenset({StageStatusEvent, WaitingConfirmation, PlanProposed, PlanApproved, PlanRejected})
_OF_RUNS = frozenset(kind for kind in EVENT_TYPES.values() if "run_id" in kind.__struct_fields__) - {
    TrainRunStarted,
    LogLine,
}
_VOICES = frozenset({"user", "assistant", "command", "data"})
"""Sources of log lines that no stage is."""


class WorkTurn(Turn):
    """A turn that knows of work."""

    def cancel(self, command: CancelRun) -> None:
        """End what runs, in the way that is asked for."""
        work = self.state.work
        if work is None:
            raise Refusal(ErrorCode.NO_ACTIVE_RUN, f"Nothing is running that could be cancelled. {stands(self.state)}")
        if command.run_id is not None and command.run_id not in {r.run_id for r in self.state.open_runs()}:
            active = ", ".join(r.run_id for r in self.state.open_runs()) or "none at this moment"
            raise Refusal(ErrorCode.NO_ACTIVE_RUN, f"The run {command.run_id!r} is not running; running: {active}.")
        stage = self.state.stage(work.stage_id)
        if command.mode in ("finish", "after_run"):
            self._finish(work, command.mode == "after_run")
            return
        by = self.env.user.name
        self.end_runs("cancelled", f"cancelled by {by}")
        if command.run_id is not None and work.stage_id is StageId.TRAIN:
            self.begin(
                work.stage_id,
                dict(stage.params),
                stage.fingerprint,
                "One run was cancelled; the others go on.",
                finishing=work.finishing,
                skip_runs=(*stage.skip_runs, command.run_id),
            )
            return
        self.emit(
            StageStatusEvent(
                stage_id=work.stage_id,
                status=StageStatus.FAILED,
                message=f"Cancelled by {by}. Restart the stage {stage_name(work.stage_id)} to go on; "
                "what was finished is kept and used again.",
                by=self.env.user,
            )
        )

    def _finish(self, work: Work, last_run: bool) -> None:
        """Let a training end with the best so far: at once, or with the run at work as its last one."""
        if work.stage_id is not StageId.TRAIN:
            raise Refusal(
                ErrorCode.INVALID_ARGS,
                f'The stage {stage_name(work.stage_id)} can be stopped ("stop" or "now"), not finished.',
            )
        if work.finishing and (last_run or work.last_run is None):
            return  # it was asked for already
        message = "Finishing with the best model so far."
        if last_run:
            at_work = [model_name(run.model_id) for run in self.state.open_runs()]
            message = f"The last run is that of {at_work[0]}." if at_work else "No further run is begun."
        self.emit(
            StageStatusEvent(
                stage_id=work.stage_id,
                status=StageStatus.IN_PROGRESS,
                message=message,
                attempt=work.attempt,
                finishing=True,
                last_run=last_run or UNSET,
                skip_runs=self.state.stage(work.stage_id).skip_runs or UNSET,
                by=self.env.user,
            )
        )

    def _has_last_run(self, finished: Finished) -> bool:
        """Whether what is interrupted now was to end with a run that has not come to its metrics, or not begun."""
        work = self.state.work
        if work is None or work.last_run is None:
            return False
        begun = runs_of(self.state, work.attempt)
        if len(begun) < work.last_run:
            return True
        last = begun[work.last_run - 1] if work.last_run else None
        return last is not None and last.status == "running" and last.run_id not in finished

    def _current(self, attempt: int) -> bool:
        return self.state.work is not None and self.state.work.attempt == attempt

    def work_events(self, command: WorkEvents) -> None:
        """An attempt says something."""
        if self._current(command.attempt) and not self._too_many(command.attempt, command.payloads):
            self.emit_all(payload for payload in command.payloads if self._believed(payload))

    def _too_many(self, attempt: int, payloads: tuple[Payload, ...]) -> bool:
        """Whether the attempt was ended, because the project would have too much of something."""
        kinds = [type(payload) for payload in payloads]
        for kind, there, name in (
            (TrainRunStarted, self.state.runs, "runs"),
            (ArtifactAdded, self.state.artifacts, "assets"),
        ):
            more = kinds.count(kind)
            if more and len(there) + more > MOST_THINGS:
                stage = self.state.here.id
                why = f"{stage} was ended, because the project would have more than {MOST_THINGS:,} {name}."
                self.work_failed(attempt, f"{why} Let the stage make fewer, or begin another project.")
                return True
        return False

    def _believed(self, payload: Payload) -> bool:
        """A run speaks between its start and its end, decisions are not a worker's, nor what people and the pipeline
        say; a worker that says otherwise is not believed."""
        if type(payload) in _OF_RUNS:  # first, because of these there are the most
            run = self.state.runs.get(payload.run_id)  # type: ignore[attr-defined]
            return run is not None and run.status == "running"
        if isinstance(payload, TrainRunStarted):
            return payload.run_id not in self.state.runs
        if isinstance(payload, LogLine):
            return payload.by is UNSET and payload.source not in _VOICES
        return type(payload) not in _NOT_OF_WORK

    def work_done(self, command: WorkDone) -> None:
        """An attempt came to a result."""
        done = command.done
        if not self._current(done.attempt):
            return
        stage = self.state.here
        if self._too_many(done.attempt, command.announced):
            return
        self.end_runs("failed", "the stage ended before this run did")
        self.emit_all(payload for payload in command.announced if self._believed(payload))
        if stage.id is StageId.EXPORT:
            self.emit(
                StageStatusEvent(stage_id=stage.id, status=StageStatus.COMPLETED, message=done.summary or "Exported.")
            )
            return
        try:
            plan = shaped(stage.id, done.plan)
        except Refusal as refusal:
            self.work_failed(
                done.attempt, f"The stage {stage_name(stage.id)} came to a plan that does not hold: {refusal.message}"
            )
            return
        if stage.id is StageId.PARSE_INTENT and done.summary and stage.params.keys() <= {"prompt"}:
            self.assistant(done.summary)  # what was said in the chat is answered there
        self.propose(stage.id, plan, stage.plan, done.summary, done.next_actions)

    def work_failed(self, attempt: int, message: str, kept: FileEntry | None = None) -> None:
        """An attempt cannot go on."""
        if not self._current(attempt):
            return
        stage_id = self.state.here.id
        self._name(kept)
        self.end_runs("failed", message)
        self.emit(LogLine(run_id="pipeline", level="error", text=message, source=stage_id.value))
        self.emit(StageStatusEvent(stage_id=stage_id, status=StageStatus.FAILED, message=message))

    def work_died(self, command: WorkDied) -> None:
        """An attempt's process ended: it is tried once more."""
        if not self._current(command.attempt):
            return
        stage = self.state.here
        self._name(command.kept)
        if stage.retry:
            self.end_runs("failed", command.message, command.finished)
            self.work_failed(
                command.attempt,
                f"{command.message} It happened twice, so it was not tried again; less data or other models may help. "
                f"Restart the stage {stage_name(stage.id)} to try once more; what was finished is used.",
            )
            return
        finishing = self.state.work is not None and self.state.work.finishing
        last_run = self._has_last_run(command.finished)
        self.end_runs("failed", f"interrupted: {command.message}", command.finished)
        self.begin(
            stage.id,
            dict(stage.params),
            stage.fingerprint,
            f"{command.message} Trying once more; what was finished is used again.",
            finishing=finishing,
            last_run=last_run,
            retry=True,
            skip_runs=stage.skip_runs,
        )

    def _name(self, kept: FileEntry | None) -> None:
        """Name the file with what went wrong, so that a change of it is seen."""
        if kept is not None:
            self.emit(FileTreeUpdate(files=(kept,)))

    def finish_overdue(self, attempt: int) -> None:
        """An attempt did not finish in its time: its finished runs are used."""
        work = self.state.work
        if work is None or work.attempt != attempt or not work.finishing or work.last_run is not None:
            return
        stage = self.state.here
        self.end_runs("cancelled", "it did not come to an end in time after it was asked to finish")
        self.begin(
            stage.id,
            dict(stage.params),
            stage.fingerprint,
            "Finishing with the runs that are done.",
            finishing=True,
            skip_runs=stage.skip_runs,
        )

    def recover(self, command: Recover) -> None:
        """Take up what was running when the server stopped."""
        work = self.state.work
        if work is None:
            return
        stage, last_run = self.state.here, self._has_last_run(command.finished)
        self.end_runs("failed", "interrupted: the server stopped while it ran", command.finished)
        self.begin(
            stage.id,
            dict(stage.params),
            stage.fingerprint,
            f"The stage {stage_name(stage.id)} was interrupted when the server stopped; it is taken up again.",
            finishing=work.finishing,
            last_run=last_run,
            skip_runs=stage.skip_runs,
        )
