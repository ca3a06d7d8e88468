"""One decision in the making: the events so far and the state that they lead to, and what all decisions do."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from ..protocol.errors import ErrorCode, Refusal
from ..protocol.events import (
    FinalMetric,
    FinalMetrics,
    LeaderboardUpdated,
    LogLine,
    Payload,
    PlanProposed,
    RunStatus,
    StageStatusEvent,
    TrainRunFinished,
    User,
    WaitingConfirmation,
)
from ..protocol.frames import Event
from ..protocol.names import stage_name, standing
from ..protocol.stages import StageId, StageStatus
from .commands import Env, Finished
from .plans import dependents, difference, digest, fingerprint
from .state import ProjectState, evolve, ref_after

CONFIRM = "confirm"
CHANGE = "change it (chat or update_plan)"


class Turn:
    """Events so far, and the state that they lead to.

    Parameters
    ----------
    state : ProjectState
        Before the first event.
    env : Env
        What the outside contributes.
    """

    def __init__(self, state: ProjectState, env: Env) -> None:
        self.state = state
        self.env = env
        self.events: list[Event] = []

    def emit(self, payload: Payload) -> None:
        """Add an event."""
        event = Event(seq=self.state.seq + 1, ts=self.env.ts, stage=ref_after(self.state, payload), payload=payload)
        self.state = evolve(self.state, event)
        self.events.append(event)

    def emit_all(self, payloads: Iterable[Payload]) -> None:
        """Add events. Of most that a worker sends only the number changes the state, so it is folded once for many."""
        seq, ref = self.state.seq, self.state.ref
        for payload in payloads:
            if payload.STATE:
                self._pass(seq)
                self.emit(payload)
                seq, ref = self.state.seq, self.state.ref
            else:
                seq += 1
                self.events.append(Event(seq=seq, ts=self.env.ts, stage=ref, payload=payload))
        self._pass(seq)

    def _pass(self, seq: int) -> None:
        if seq != self.state.seq:
            self.state = replace(self.state, seq=seq, ts=self.env.ts)

    def assistant(self, text: str) -> None:
        """Answer in the chat."""
        self.emit(LogLine(run_id="chat", level="info", text=text, source="assistant"))

    def propose(
        self,
        stage_id: StageId,
        plan: dict[str, Any],
        old: Mapping[str, Any] | None,
        summary: str,
        next_actions: tuple[str, ...],
        by: User | None = None,
    ) -> None:
        """Open a gate with a plan."""
        patch = difference(old, plan) if old else ()
        self.emit(
            PlanProposed(
                stage_id=stage_id,
                plan_json=plan,
                plan_id=f"plan-{self.state.seq + 1}",
                patch=patch,
                reruns=tuple(s for s in dependents(stage_id) if self.state.stage(s).plan is not None),
                keeps=tuple(s for s in StageId if s.order < stage_id.order),
                by=by or UNSET,
            )
        )
        self.emit(
            StageStatusEvent(
                stage_id=stage_id,
                status=StageStatus.WAITING_CONFIRMATION,
                message=summary or f"The stage {stage_name(stage_id)} waits for your confirmation.",
            )
        )
        self.emit(
            WaitingConfirmation(
                stage_id=stage_id,
                summary=summary,
                next_actions=next_actions or (CONFIRM, CHANGE, "restart_stage"),
                gate_id=f"{gate_prefix(self.state)}{self.state.seq + 1}",
                digest=digest(plan),
            )
        )

    def start(
        self,
        stage_id: StageId,
        params: dict[str, Any],
        message: str,
        *,
        run_anyway: bool = False,
        by: User | None = None,
    ) -> None:
        """Begin a stage, or take its earlier result if it had the same inputs; ``by`` asked for it."""
        mark = fingerprint(self.state, stage_id, params, self.env.code)
        saved = None if run_anyway or mark in self.env.gone else self.state.saved.get(mark)
        if saved is None:
            self.begin(stage_id, params, mark, message, by=by)
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

    def begin(
        self,
        stage_id: StageId,
        params: dict[str, Any],
        mark: str,
        message: str,
        *,
        finishing: bool = False,
        last_run: bool = False,
        retry: bool = False,
        skip_runs: tuple[str, ...] = (),
        by: User | None = None,
    ) -> None:
        """Begin a new attempt at a stage."""
        self.emit(
            StageStatusEvent(
                stage_id=stage_id,
                status=StageStatus.IN_PROGRESS,
                message=message,
                attempt=self.state.attempts + 1,
                params=params,
                fingerprint=mark,
                finishing=finishing or UNSET,
                last_run=last_run or UNSET,
                retry=retry or UNSET,
                skip_runs=skip_runs or UNSET,
                by=by or UNSET,
            )
        )

    def end_runs(self, status: RunStatus, reason: str, finished: Finished | None = None) -> None:
        """Finish the runs that are open; those in ``finished`` had come to their metrics, so they are successes."""
        task = str((self.state.stage(StageId.DATA_SOURCE).plan or {}).get("task_type", "unknown"))
        for run in self.state.open_runs():
            measured = (finished or {}).get(run.run_id)
            if measured is not None:
                metrics = tuple(FinalMetric(name=name, split="val", value=v) for name, v in measured.items())
                final = FinalMetrics(task_type=task, primary=run.metric_primary, metrics=metrics)
                self.emit(TrainRunFinished(run_id=run.run_id, status="success", final_metrics=final))
                continue
            self.emit(
                TrainRunFinished(
                    run_id=run.run_id,
                    status=status,
                    final_metrics=FinalMetrics(task_type=task, primary=run.metric_primary),
                    reason=reason,
                )
            )

    def refuse_later(self, stage_id: StageId) -> None:
        """Refuse a stage that has not been reached."""
        if stage_id.order > self.state.current.order:
            raise Refusal(
                ErrorCode.INVALID_STAGE,
                f"The stage {stage_name(stage_id)} has not been reached: the project is at the stage "
                f"{stage_name(self.state.current)}. Name that one or an earlier one.",
            )


def gate_prefix(state: ProjectState) -> str:
    """What the ids of all gates of this log begin with."""
    return f"g-{state.epoch[:8]}-"


def stands(state: ProjectState) -> str:
    """How the project stands, in a sentence."""
    return f"The stage {standing(state.current, state.here.status)}."
