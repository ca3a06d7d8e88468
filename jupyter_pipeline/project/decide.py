"""What happens when something is asked of a project: pure decisions.

:func:`decide` takes a state and a command and answers with the events that follow, or raises
:class:`~jupyter_pipeline.protocol.errors.Refusal`, in which case nothing has changed. What a worker should be
doing is read off the state afterwards; nothing is started or stopped here.
"""

from collections.abc import Callable, Mapping
from typing import Any, assert_never

from msgspec import UNSET

from ..agent.base import Cancel, Change, ConfirmGate, Restart
from ..automl.addresses import without_credentials
from ..protocol.errors import ErrorCode, Refusal
from ..protocol.events import (
    DatasetCandidates,
    FileTreeUpdate,
    LogLine,
    PlanApproved,
    PlanRejected,
    StageStatusEvent,
)
from ..protocol.frames import Event
from ..protocol.messages import CancelRun, Confirm, RestartStage, SelectDataset, UpdatePlan
from ..protocol.names import member_words, stage_name
from ..protocol.stages import StageId, StageStatus
from .commands import (
    AddDataset,
    Answer,
    AnyCommand,
    Env,
    FinishOverdue,
    Recover,
    RunCustomCommand,
    Say,
    SeenConfirm,
    WorkDied,
    WorkDone,
    WorkEvents,
    WorkFailed,
)
from .plans import (
    dependents,
    needs_rework,
    params_for,
    patched,
    restart_params,
)
from .state import ProjectState
from .turn import gate_prefix, stands
from .work_turn import WorkTurn

_LONGEST_LINE = 2000
_CHANGED = "Changed since: "
_EXECUTING = (Restart, Cancel, ConfirmGate)
"""Actions of an agent that do what commands and confirms do."""


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
    turn = _Decision(state, env)
    match command:
        case WorkEvents():  # first, because of these there are the most
            turn.work_events(command)
        case Say():
            turn.say(command.text)
        case Answer():
            turn.answer(command)
        case Confirm():
            turn.confirm(command, None)
        case SeenConfirm():
            turn.confirm(command.confirm, command.seen_seq)
        case RestartStage():
            turn.restart(command.stage_id, restart_params(state, command.stage_id, command.params))
        case CancelRun():
            turn.cancel(command)
        case SelectDataset():
            turn.select_dataset(command.dataset_id)
        case UpdatePlan():
            turn.update_plan(command)
        case RunCustomCommand():
            turn.run_command(command)
        case AddDataset():
            turn.add_dataset(command)
        case WorkDone():
            turn.work_done(command)
        case WorkFailed():
            turn.work_failed(command.attempt, command.message, command.kept)
        case WorkDied():
            turn.work_died(command)
        case FinishOverdue():
            turn.finish_overdue(command.attempt)
        case Recover():
            turn.recover(command)
        case _:
            assert_never(command)
    return tuple(turn.events), turn.state


class _Decision(WorkTurn):
    """A turn that takes what people ask."""

    _may_execute = True

    # -- the conversation ----------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        self.emit(LogLine(run_id="chat", level="info", text=text, source="user", by=self.env.user))
        if is_request(self.state):
            self.start(StageId.PARSE_INTENT, {"prompt": text}, "Reading the request.")

    def run_command(self, command: RunCustomCommand) -> None:
        """Note who asked for it; what it answers comes as an Answer."""
        given = ", ".join(f"{key}={value!r}" for key, value in command.args.items())
        text = without_credentials(f"{command.name}({given})")[:_LONGEST_LINE]
        self.emit(LogLine(run_id="chat", level="info", text=text, source="command", by=self.env.user))

    def answer(self, command: Answer) -> None:
        self._may_execute = command.may_execute
        refused = not command.may_execute and any(isinstance(a, _EXECUTING) for a in command.reply.actions)
        # The reply may call done what will not be.
        said: list[str] = [command.reply.text] if command.reply.text and not refused else []
        changes: dict[StageId, tuple[dict[str, Any], ...]] = {}
        restart: StageId | None = None
        for action in command.reply.actions:
            match action:
                case Change():
                    changes[action.stage_id] = changes.get(action.stage_id, ()) + tuple(action.patch)
                case Restart():
                    restart = action.stage_id if restart is None else min(restart, action.stage_id, key=_order)
                case Cancel():
                    said += self._tried(lambda mode=action.mode: self._executed(self.cancel, CancelRun(mode=mode)))
                case ConfirmGate():
                    said += self._tried(lambda: self._executed(self.confirm, Confirm(), None))
        if changes:
            said += self._tried(lambda: self._change(changes, restart))
        elif restart is not None:
            said += self._tried(lambda: self._executed(self.restart, restart, self._kept_params(restart)))
        self.assistant(" ".join(said) or "Done.")

    def _executed(self, act: Callable[..., None], *args: Any) -> None:
        """Do what a command or a confirm does, for somebody who may send those."""
        if not self._may_execute:
            raise Refusal(
                ErrorCode.FORBIDDEN,
                "confirming, cancelling and running a stage again take the permission to execute, which you do not "
                "have. You can ask for changes of what waits.",
            )
        act(*args)

    def _tried(self, act: Any) -> list[str]:
        """Do it; a refusal, which comes before anything is changed, becomes part of the answer."""
        try:
            done = act()
        except Refusal as refusal:
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
                return f"The stage {stage_name(first)} runs again with this; then it waits for you."
            return f"Nothing runs before you confirm the stage {stage_name(first)}."
        self.refuse_later(first)
        params = {s: params_for(self.state, s, plan) for s, plan in plans.items()}
        again = [s for s in (first, *dependents(first)) if self.state.stage(s).attempt or s is first]
        own = params.pop(first) if first in params else self._kept_params(first)
        self._executed(self.restart, first, own, params)
        kept = [s for s in StageId if s.order < first.order]
        text = f"Runs again: {', '.join(map(stage_name, again))}, each when you have confirmed what comes before it."
        return text + (f" Kept: {', '.join(map(stage_name, kept))}." if kept else "")

    def _kept_params(self, stage_id: StageId) -> dict[str, Any]:
        return dict(self.state.stage(stage_id).params)

    # -- gates ---------------------------------------------------------------------------------------------

    def confirm(self, message: Confirm, seen_seq: int | None) -> None:
        here = self.state.here
        gate = here.gate
        if message.gate_id is not None and (gate is None or gate.gate_id != message.gate_id):
            if gate is not None or message.gate_id.startswith(gate_prefix(self.state)):
                raise Refusal(
                    ErrorCode.GATE_STALE,
                    "This gate is no longer open: it was confirmed, or its plan has changed. Look at what is "
                    "proposed now, and confirm that.",
                )
            raise Refusal(ErrorCode.NOT_WAITING, _not_waiting(self.state))
        if gate is None:
            raise Refusal(ErrorCode.NOT_WAITING, _not_waiting(self.state))
        if message.stage_id is not None and message.stage_id is not here.id:
            raise Refusal(
                ErrorCode.NOT_WAITING,
                f"The stage {stage_name(message.stage_id)} does not wait for a confirmation; the stage "
                f"{stage_name(here.id)} does.",
            )
        if seen_seq is not None and gate.seq > seen_seq:
            raise Refusal(
                ErrorCode.NOT_WAITING,
                f"The gate of the stage {stage_name(here.id)} opened only after this confirm was sent; look at it, "
                "then confirm.",
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
            self.start(
                following, dict(self.state.stage(following).params), f"The stage {stage_name(following)} begins."
            )

    def update_plan(self, command: UpdatePlan) -> None:
        self.refuse_later(command.stage_id)
        here = self.state.here
        if command.stage_id is not here.id or here.gate is None:
            if command.stage_id is here.id:
                raise Refusal(ErrorCode.NOT_WAITING, _not_waiting(self.state))
            raise Refusal(
                ErrorCode.NOT_WAITING,
                f"The stage {stage_name(command.stage_id)} is behind; to change its plan use restart_stage with "
                f"stage_id {command.stage_id} and params.",
            )
        self._propose_anew(here.id, patched(self.state, here.id, command.patch))

    def select_dataset(self, dataset_id: str) -> None:
        stage = self.state.stage(StageId.DATA_SOURCE)
        if dataset_id not in {d.id for d in self.state.datasets}:
            known = ", ".join(d.id for d in self.state.datasets[:20]) or "none so far; attach data first"
            raise Refusal(ErrorCode.INVALID_ARGS, f"There is no data set {dataset_id!r}; there are {known}.")
        self.refuse_later(StageId.DATA_SOURCE)
        if stage.gate is not None and stage.plan is not None:
            self._propose_anew(StageId.DATA_SOURCE, {**stage.plan, "dataset_id": dataset_id, "sheet": None})
        elif self.state.current is StageId.DATA_SOURCE:
            self.restart(StageId.DATA_SOURCE, {"dataset_id": dataset_id})
        else:
            raise Refusal(
                ErrorCode.NOT_WAITING,
                "The stage Data is behind; to use other data use restart_stage with stage_id DATA_SOURCE and "
                "params.dataset_id.",
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
            self.start(stage_id, params, "Working out the changed plan.", run_anyway=True, by=self.env.user)
            return
        gate = stage.gate
        summary = _summary_of(gate.summary if gate else "", stage.proposed or {}, new)
        self.propose(stage_id, new, old, summary, gate.next_actions if gate else (), by=self.env.user)

    # -- starting, restarting, cancelling ------------------------------------------------------------------

    def restart(
        self, stage_id: StageId, params: dict[str, Any], later: Mapping[StageId, dict[str, Any]] | None = None
    ) -> None:
        """Stop what runs, set later stages back, and run a stage again; ``later`` holds what those are asked."""
        self.refuse_later(stage_id)
        stage = self.state.stage(stage_id)
        if stage_id is StageId.PARSE_INTENT:
            prompt = params.get("prompt") or stage.params.get("prompt")
            if not prompt:
                raise Refusal(
                    ErrorCode.INVALID_STAGE,
                    "There is no request to read yet; send a chat that says what to predict.",
                )
            params = {**params, "prompt": prompt}
        self.end_runs("cancelled", f"the stage {stage_name(stage_id)} was started again")
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
                        message=f"Set back: the stage {stage_name(stage_id)} runs again.",
                        params=wanted or UNSET,
                    )
                )
        self.start(stage_id, params, f"The stage {stage_name(stage_id)} runs again.", run_anyway=True, by=self.env.user)

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


def _summary_of(summary: str, proposed: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """What a stage said of its proposal, and which members of the plan are no longer as it proposed them."""
    changed = [member_words(member) for member, value in plan.items() if proposed.get(member) != value]
    first, *remarks = summary.split("\n")
    said = first.partition(_CHANGED)[0].rstrip()
    if changed:
        said = f"{said} {_CHANGED}{', '.join(changed)}.".lstrip()
    return "\n".join([said, *remarks])


def is_request(state: ProjectState) -> bool:
    """Whether the next chat is the request itself: nothing was asked yet, or it could not be read."""
    here = state.here
    return here.id is StageId.PARSE_INTENT and here.status in (StageStatus.PENDING, StageStatus.FAILED)


def _order(stage_id: StageId) -> int:
    return stage_id.order


def _not_waiting(state: ProjectState) -> str:
    match state.here.status:
        case StageStatus.PENDING:
            hint = "Send a chat that says what to predict."
        case StageStatus.IN_PROGRESS:
            hint = "Wait until it waits for you."
        case StageStatus.FAILED:
            hint = "Say what to change, or restart it."
        case _:
            hint = "The project is finished; restart a stage to change something."
    return f"No stage waits for a confirmation. {stands(state)} {hint}"
