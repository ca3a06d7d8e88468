"""What happens when something is asked of a project: pure decisions.

:func:`decide` takes a state and a command and answers with the events that follow, or raises
:class:`~jupyter_pipeline.protocol.errors.Refusal`, in which case nothing has changed. What a worker should be
doing is read off the state afterwards; nothing is started or stopped here.
"""

from collections.abc import Mapping
from typing import Any, assert_never

import jsonpatch
import msgspec
from msgspec import UNSET

from ..agent.base import Cancel, Change, ConfirmGate, Restart
from ..protocol.errors import ErrorCode, Refusal
from ..protocol.events import (
    DatasetCandidates,
    FileTreeUpdate,
    FinalMetrics,
    LeaderboardUpdated,
    LogLine,
    Payload,
    PlanApproved,
    PlanProposed,
    PlanRejected,
    StageStatusEvent,
    TrainRunFinished,
    TrainRunStarted,
    User,
    WaitingConfirmation,
)
from ..protocol.frames import Event
from ..protocol.jobs import Done
from ..protocol.messages import CancelRun, Confirm, RestartStage, SelectDataset, UpdatePlan
from ..protocol.stages import StageId, StageStatus
from .commands import (
    AddDataset,
    Answer,
    AnyCommand,
    Env,
    FinishOverdue,
    Recover,
    Say,
    SeenConfirm,
    WorkDied,
    WorkDone,
    WorkEvent,
    WorkFailed,
)
from .plans import (
    checked_params,
    dependents,
    digest,
    fingerprint,
    needs_rework,
    params_for,
    patched,
    shaped,
)
from .state import ProjectState, evolve, ref_after

CONFIRM = "confirm"
CHANGE = "change it (chat or update_plan)"


def decide(state: ProjectState, command: AnyCommand, env: Env) -> tuple[tuple[Event, ...], ProjectState]:
    """The events that follow from a command, and the state after them.

    Parameters
    ----------
    state : ProjectState
        How the project stands.
    command : AnyCommand
        What is asked, or what work reports.
    env : Env
        What the outside contributes.

    Raises
    ------
    Refusal
        If the command cannot be carried out; nothing has changed then.
    """
    turn = _Turn(state, env)
    match command:
        case Say():
            turn.say(command.text)
        case Answer():
            turn.answer(command)
        case Confirm():
            turn.confirm(command, None)
        case SeenConfirm():
            turn.confirm(command.confirm, command.seen_seq)
        case RestartStage():
            turn.restart(command.stage_id, checked_params(state, command.stage_id, command.params))
        case CancelRun():
            turn.cancel(command)
        case SelectDataset():
            turn.select_dataset(command.dataset_id)
        case UpdatePlan():
            turn.update_plan(command)
        case AddDataset():
            turn.add_dataset(command)
        case WorkEvent():
            turn.work_event(command)
        case WorkDone():
            turn.work_done(command.done)
        case WorkFailed():
            turn.work_failed(command.attempt, command.message)
        case WorkDied():
            turn.work_died(command)
        case FinishOverdue():
            turn.finish_overdue(command.attempt)
        case Recover():
            turn.recover()
        case _:
            assert_never(command)
    return tuple(turn.events), turn.state


class _Turn:
    """One decision in the making: events so far, and the state that they lead to."""

    def __init__(self, state: ProjectState, env: Env) -> None:
        self.state = state
        self.env = env
        self.events: list[Event] = []

    def emit(self, payload: Payload) -> None:
        event = Event(seq=self.state.seq + 1, ts=self.env.ts, stage=ref_after(self.state, payload), payload=payload)
        self.state = evolve(self.state, event)
        self.events.append(event)

    def assistant(self, text: str) -> None:
        self.emit(LogLine(run_id="chat", level="info", text=text, source="assistant"))

    # -- the conversation ----------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        self.emit(LogLine(run_id="chat", level="info", text=text, source="user", by=self.env.user))
        if is_request(self.state):
            self.start(StageId.PARSE_INTENT, {"prompt": text}, "Reading the request.")

    def answer(self, command: Answer) -> None:
        said: list[str] = [command.reply.text] if command.reply.text else []
        changes: dict[StageId, tuple[dict[str, Any], ...]] = {}
        restart: StageId | None = None
        for action in command.reply.actions:
            match action:
                case Change():
                    changes[action.stage_id] = changes.get(action.stage_id, ()) + tuple(action.patch)
                case Restart():
                    restart = action.stage_id if restart is None else min(restart, action.stage_id, key=_order)
                case Cancel():
                    said += self._tried(lambda mode=action.mode: self.cancel(CancelRun(mode=mode)))
                case ConfirmGate():
                    said += self._tried(lambda: self.confirm(Confirm(), None))
        if changes:
            said += self._tried(lambda: self._change(changes, restart))
        elif restart is not None:
            said += self._tried(lambda: self.restart(restart, self._kept_params(restart)))
        self.assistant(" ".join(said))

    def _tried(self, act: Any) -> list[str]:
        """Do it whole or not at all; a refusal becomes part of the answer."""
        before = self.state, len(self.events)
        try:
            done = act()
        except Refusal as refusal:
            self.state = before[0]
            del self.events[before[1] :]
            return [f"That could not be done: {refusal.message}"]
        return [done] if isinstance(done, str) else []

    def _change(self, changes: Mapping[StageId, tuple[dict[str, Any], ...]], restart: StageId | None) -> str:
        """Change plans: of the open gate in place, of an earlier stage by running it again."""
        plans = {s: patched(self.state, s, patch) for s, patch in changes.items()}
        first = min([*plans, *([restart] if restart else [])], key=_order)
        here = self.state.here
        if first is here.id and here.gate is not None and restart is None and len(plans) == 1:
            self._propose_anew(first, plans[first])
            if self.state.here.status is StageStatus.IN_PROGRESS:
                return f"{_name(first)} runs again with this; then it waits for you."
            return f"Nothing runs before you confirm {_name(first)}."
        self._refuse_later(first)
        params = {s: params_for(self.state, s, plan) for s, plan in plans.items()}
        again = [s for s in (first, *dependents(first)) if self.state.stage(s).attempt or s is first]
        self.restart(first, params.pop(first) if first in params else self._kept_params(first), params)
        kept = [s for s in StageId if s.order < first.order]
        text = f"Runs again: {', '.join(map(_name, again))}, each when you have confirmed what comes before it."
        return text + (f" Kept: {', '.join(map(_name, kept))}." if kept else "")

    def _kept_params(self, stage_id: StageId) -> dict[str, Any]:
        return dict(self.state.stage(stage_id).params)

    # -- gates ---------------------------------------------------------------------------------------------

    def confirm(self, message: Confirm, seen_seq: int | None) -> None:
        here = self.state.here
        gate = here.gate
        if message.gate_id is not None and (gate is None or gate.gate_id != message.gate_id):
            if gate is not None or message.gate_id.startswith(_gate_prefix(self.state)):
                raise Refusal(
                    ErrorCode.GATE_STALE,
                    "This gate is no longer open: it was confirmed, or its plan has changed. Look at the latest "
                    "WAITING_CONFIRMATION and confirm that.",
                )
            raise Refusal(ErrorCode.NOT_WAITING, _not_waiting(self.state))
        if gate is None:
            raise Refusal(ErrorCode.NOT_WAITING, _not_waiting(self.state))
        if message.stage_id is not None and message.stage_id is not here.id:
            raise Refusal(
                ErrorCode.NOT_WAITING, f"{message.stage_id} does not wait for a confirmation; {here.id} does."
            )
        if seen_seq is not None and gate.seq > seen_seq:
            raise Refusal(
                ErrorCode.NOT_WAITING,
                f"The gate of {here.id} opened only after this confirm was sent; look at it, then confirm.",
            )
        self.emit(PlanApproved(stage_id=here.id, plan_id=here.plan_id, by=self.env.user))
        self.emit(
            StageStatusEvent(
                stage_id=here.id,
                status=StageStatus.COMPLETED,
                message=f"Confirmed by {self.env.user.name}.",
                by=self.env.user,
            )
        )
        following = here.id.next
        if following is not None:
            self.start(following, dict(self.state.stage(following).params), f"{_name(following)} begins.")

    def update_plan(self, command: UpdatePlan) -> None:
        self._refuse_later(command.stage_id)
        here = self.state.here
        if command.stage_id is not here.id or here.gate is None:
            if command.stage_id is here.id:
                raise Refusal(ErrorCode.NOT_WAITING, _not_waiting(self.state))
            raise Refusal(
                ErrorCode.NOT_WAITING,
                f"{command.stage_id} is behind; to change its plan use restart_stage with stage_id "
                f"{command.stage_id} and params.",
            )
        self._propose_anew(here.id, patched(self.state, here.id, command.patch))

    def select_dataset(self, dataset_id: str) -> None:
        stage = self.state.stage(StageId.DATA_SOURCE)
        if dataset_id not in {d.id for d in self.state.datasets}:
            known = ", ".join(d.id for d in self.state.datasets[:20]) or "none so far; attach data first"
            raise Refusal(ErrorCode.INVALID_ARGS, f"There is no data set {dataset_id!r}; there are {known}.")
        self._refuse_later(StageId.DATA_SOURCE)
        if stage.gate is not None and stage.plan is not None:
            self._propose_anew(StageId.DATA_SOURCE, {**stage.plan, "dataset_id": dataset_id})
        elif self.state.current is StageId.DATA_SOURCE:
            self.restart(StageId.DATA_SOURCE, {"dataset_id": dataset_id})
        else:
            raise Refusal(
                ErrorCode.NOT_WAITING,
                "DATA_SOURCE is behind; to use other data use restart_stage DATA_SOURCE with params.dataset_id.",
            )

    def _propose_anew(self, stage_id: StageId, new: dict[str, Any]) -> None:
        stage = self.state.stage(stage_id)
        old = stage.plan or {}
        self.emit(PlanRejected(stage_id=stage_id, plan_id=stage.plan_id, by=self.env.user))
        if needs_rework(stage_id, old, new):
            params = params_for(self.state, stage_id, new)
            if stage_id is StageId.DATA_SOURCE and old.get("dataset_id") != new.get("dataset_id"):
                # What was said of the old data's columns means nothing in other data, unless it was said now.
                params = {m: v for m, v in params.items() if old.get(m) != v}
            self.start(stage_id, params, "Working out the changed plan.", run_anyway=True)
            return
        gate = stage.gate
        summary = gate.summary if gate else ""
        self.propose(stage_id, new, old, summary, gate.next_actions if gate else (), by=self.env.user)

    def propose(
        self,
        stage_id: StageId,
        plan: dict[str, Any],
        old: Mapping[str, Any] | None,
        summary: str,
        next_actions: tuple[str, ...],
        by: User | None = None,
    ) -> None:
        patch = tuple(jsonpatch.make_patch(old, plan).patch) if old else ()
        later = dependents(stage_id)
        had = {s for s in later if self.state.stage(s).plan is not None}
        self.emit(
            PlanProposed(
                stage_id=stage_id,
                plan_json=plan,
                plan_id=f"plan-{self.state.seq + 1}",
                patch=patch,
                reruns=tuple(s for s in later if s in had),
                keeps=tuple(s for s in StageId if s.order < stage_id.order),
                by=by or UNSET,
            )
        )
        self.emit(
            StageStatusEvent(
                stage_id=stage_id,
                status=StageStatus.WAITING_CONFIRMATION,
                message=summary or f"{_name(stage_id)} waits for your confirmation.",
            )
        )
        self.emit(
            WaitingConfirmation(
                stage_id=stage_id,
                summary=summary,
                next_actions=next_actions or (CONFIRM, CHANGE, "restart_stage"),
                gate_id=f"{_gate_prefix(self.state)}{self.state.seq + 1}",
                digest=digest(plan),
            )
        )

    # -- starting, restarting, cancelling ------------------------------------------------------------------

    def start(self, stage_id: StageId, params: dict[str, Any], message: str, *, run_anyway: bool = False) -> None:
        """Begin a stage, or take its earlier result if it had the same inputs."""
        mark = fingerprint(self.state, stage_id, params, self.env.code)
        saved = None if run_anyway else self.state.saved.get(mark)
        if saved is None:
            self._begin(stage_id, params, mark, message)
            return
        self.emit(
            StageStatusEvent(
                stage_id=stage_id,
                status=StageStatus.IN_PROGRESS,
                message="Nothing that this stage depends on has changed; its earlier result serves again.",
                attempt=saved.attempt,
                params=params,
                fingerprint=mark,
                reused=True,
            )
        )
        if saved.leaderboard:
            self.emit(LeaderboardUpdated(rows=saved.leaderboard))
        self.propose(stage_id, saved.plan, None, saved.summary, saved.next_actions)

    def _begin(
        self,
        stage_id: StageId,
        params: dict[str, Any],
        mark: str,
        message: str,
        *,
        finishing: bool = False,
        retry: bool = False,
        skip_runs: tuple[str, ...] = (),
    ) -> None:
        self.emit(
            StageStatusEvent(
                stage_id=stage_id,
                status=StageStatus.IN_PROGRESS,
                message=message,
                attempt=self.state.attempts + 1,
                params=params,
                fingerprint=mark,
                finishing=finishing or UNSET,
                retry=retry or UNSET,
                skip_runs=skip_runs or UNSET,
            )
        )

    def restart(
        self, stage_id: StageId, params: dict[str, Any], later: Mapping[StageId, dict[str, Any]] | None = None
    ) -> None:
        """Stop what runs, set later stages back, and run a stage again; ``later`` holds what those are asked."""
        self._refuse_later(stage_id)
        stage = self.state.stage(stage_id)
        if stage_id is StageId.PARSE_INTENT:
            prompt = params.get("prompt") or stage.params.get("prompt")
            if not prompt:
                raise Refusal(
                    ErrorCode.INVALID_STAGE,
                    "PARSE_INTENT has no request to read yet; send a chat that says what to predict.",
                )
            params = {**params, "prompt": prompt}
        self._end_runs("cancelled", f"{_name(stage_id)} was started again")
        if self.state.here.gate is not None:
            here = self.state.here
            self.emit(PlanRejected(stage_id=here.id, plan_id=here.plan_id, by=self.env.user))
        for other in stage_id.later:
            wanted = (later or {}).get(other)
            if self.state.stage(other).status is not StageStatus.PENDING or wanted:
                self.emit(
                    StageStatusEvent(
                        stage_id=other,
                        status=StageStatus.PENDING,
                        message=f"Set back: {_name(stage_id)} runs again.",
                        params=wanted or UNSET,
                    )
                )
        self.start(stage_id, params, f"{_name(stage_id)} runs again.", run_anyway=True)

    def cancel(self, command: CancelRun) -> None:
        work = self.state.work
        if work is None:
            raise Refusal(ErrorCode.NO_ACTIVE_RUN, f"Nothing is running that could be cancelled. {_stands(self.state)}")
        if command.run_id is not None and command.run_id not in {r.run_id for r in self.state.open_runs()}:
            active = ", ".join(r.run_id for r in self.state.open_runs()) or "none at this moment"
            raise Refusal(ErrorCode.NO_ACTIVE_RUN, f"The run {command.run_id!r} is not running; running: {active}.")
        stage = self.state.stage(work.stage_id)
        if command.mode == "finish":
            if work.stage_id is not StageId.TRAIN:
                raise Refusal(
                    ErrorCode.INVALID_ARGS, f'{work.stage_id} can be stopped ("stop" or "now"), not finished.'
                )
            self.emit(
                StageStatusEvent(
                    stage_id=work.stage_id,
                    status=StageStatus.IN_PROGRESS,
                    message="Finishing with the best model so far.",
                    attempt=work.attempt,
                    finishing=True,
                    skip_runs=stage.skip_runs or UNSET,
                    by=self.env.user,
                )
            )
            return
        by = self.env.user.name
        self._end_runs("cancelled", f"cancelled by {by}")
        if command.run_id is not None:
            self._begin(
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
                message=f"Cancelled by {by}. Use restart_stage {work.stage_id} to go on; "
                "what was finished is kept and used again.",
                by=self.env.user,
            )
        )

    def _end_runs(self, status: Any, reason: str) -> None:
        task = str((self.state.stage(StageId.DATA_SOURCE).plan or {}).get("task_type", "unknown"))
        for run in self.state.open_runs():
            self.emit(
                TrainRunFinished(
                    run_id=run.run_id,
                    status=status,
                    final_metrics=FinalMetrics(task_type=task, primary=run.metric_primary),
                    reason=reason,
                )
            )

    def _refuse_later(self, stage_id: StageId) -> None:
        if stage_id.order > self.state.current.order:
            raise Refusal(
                ErrorCode.INVALID_STAGE,
                f"{stage_id} has not been reached: the project is at {self.state.current}. Name that stage or an "
                "earlier one.",
            )

    # -- work ----------------------------------------------------------------------------------------------

    def _current(self, attempt: int) -> bool:
        return self.state.work is not None and self.state.work.attempt == attempt

    def work_event(self, command: WorkEvent) -> None:
        payload = command.payload
        if not self._current(command.attempt):
            return
        run_id = getattr(payload, "run_id", None)
        if run_id is not None and not isinstance(payload, LogLine):
            run = self.state.runs.get(run_id)
            started = isinstance(payload, TrainRunStarted)
            # A run speaks between its start and its end; a worker that says otherwise is not believed.
            if started == (run is not None) or (run is not None and run.status != "running"):
                return
        self.emit(payload)

    def work_done(self, done: Done) -> None:
        if not self._current(done.attempt):
            return
        stage = self.state.here
        self._end_runs("failed", "the stage ended before this run did")
        if stage.id is StageId.EXPORT:
            self.emit(
                StageStatusEvent(stage_id=stage.id, status=StageStatus.COMPLETED, message=done.summary or "Exported.")
            )
            return
        try:
            plan = shaped(stage.id, done.plan)
        except Refusal as refusal:
            self.work_failed(done.attempt, f"{_name(stage.id)} came to a plan that does not hold: {refusal.message}")
            return
        self.propose(stage.id, plan, stage.plan, done.summary, done.next_actions)

    def work_failed(self, attempt: int, message: str) -> None:
        if not self._current(attempt):
            return
        stage_id = self.state.here.id
        self._end_runs("failed", message)
        self.emit(LogLine(run_id="pipeline", level="error", text=message, source=stage_id.value))
        self.emit(StageStatusEvent(stage_id=stage_id, status=StageStatus.FAILED, message=message))

    def work_died(self, command: WorkDied) -> None:
        if not self._current(command.attempt):
            return
        stage = self.state.here
        if stage.retry:
            self.work_failed(
                command.attempt,
                f"{command.message} It happened twice, so it was not tried again; less data or other models may help. "
                f"restart_stage {stage.id} tries once more and uses what was finished.",
            )
            return
        finishing = self.state.work is not None and self.state.work.finishing
        self._end_runs("failed", f"interrupted: {command.message}")
        self._begin(
            stage.id,
            dict(stage.params),
            stage.fingerprint,
            f"{command.message} Trying once more; what was finished is used again.",
            finishing=finishing,
            retry=True,
            skip_runs=stage.skip_runs,
        )

    def finish_overdue(self, attempt: int) -> None:
        work = self.state.work
        if work is None or work.attempt != attempt or not work.finishing:
            return
        stage = self.state.here
        self._end_runs("cancelled", "it did not come to an end in time after it was asked to finish")
        self._begin(
            stage.id, dict(stage.params), stage.fingerprint, "Finishing with the runs that are done.", finishing=True
        )

    def recover(self) -> None:
        work = self.state.work
        if work is None:
            return
        stage = self.state.here
        self._end_runs("failed", "interrupted: the server stopped while it ran")
        self._begin(
            stage.id,
            dict(stage.params),
            stage.fingerprint,
            f"{_name(stage.id)} was interrupted when the server stopped; it is taken up again.",
            finishing=work.finishing,
            skip_runs=stage.skip_runs,
        )

    def add_dataset(self, command: AddDataset) -> None:
        self.emit(FileTreeUpdate(files=(command.file,)))
        others = tuple(d for d in self.state.datasets if d.id != command.dataset.id)
        self.emit(DatasetCandidates(datasets=(command.dataset, *others)))
        self.emit(
            LogLine(
                run_id="pipeline",
                level="info",
                text=f"Attached {command.dataset.name} ({command.file.size:,} bytes).",
                source="data",
                by=self.env.user,
            )
        )


def is_request(state: ProjectState) -> bool:
    """Whether the next chat is the request itself: nothing was asked yet, or it could not be read."""
    here = state.here
    return here.id is StageId.PARSE_INTENT and here.status in (StageStatus.PENDING, StageStatus.FAILED)


def _order(stage_id: StageId) -> int:
    return stage_id.order


def _name(stage_id: StageId) -> str:
    return stage_id.value


def _gate_prefix(state: ProjectState) -> str:
    return f"g-{state.epoch[:8]}-"


def _stands(state: ProjectState) -> str:
    return f"{state.current} is {state.here.status}."


def _not_waiting(state: ProjectState) -> str:
    match state.here.status:
        case StageStatus.PENDING:
            hint = "send a chat that says what to predict"
        case StageStatus.IN_PROGRESS:
            hint = "wait for WAITING_CONFIRMATION"
        case StageStatus.FAILED:
            hint = f"say what to change, or use restart_stage {state.current}"
        case _:
            hint = "the project is finished; use restart_stage to change something"
    return f"No stage waits for a confirmation. {_stands(state)} You can {hint}."


def encoded(events: tuple[Event, ...]) -> bytes:
    """Events as canonical JSON, to compare them."""
    return msgspec.json.encode([[e.seq, e.ts, e.stage, e.name, e.payload] for e in events])
