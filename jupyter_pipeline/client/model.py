"""What a client knows of a project: the events that it heard, folded for showing and for waiting."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..protocol.names import model_name
from ..protocol.stages import STAGES, StageId, StageStatus
from .errors import DELETED

MAX_CHAT = 200
"""Lines of the conversation that are kept at hand."""


@dataclass
class StageView:
    """How a stage stands; ``stopped`` says that it is FAILED because somebody ended it."""

    status: StageStatus = StageStatus.PENDING
    message: str = ""
    stopped: bool = False


@dataclass(frozen=True)
class Gate:
    """An open gate: what a stage proposes, and the id under which it is confirmed."""

    stage_id: StageId
    gate_id: str
    plan: dict[str, Any]
    summary: str
    next_actions: tuple[str, ...]


@dataclass
class Run:
    """One training run. ``series`` holds the measured values: (metric, split) -> (steps, values)."""

    run_id: str
    model_id: str
    metric: str
    status: str = "running"
    phase: str = "init"
    pct: float = 0.0
    eta_s: float | None = None
    reason: str = ""
    series: dict[tuple[str, str], tuple[list[int], list[float | None]]] = field(default_factory=dict)
    final: dict[tuple[str, str], float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class ChatLine:
    """A line of the conversation; ``source`` is ``user`` or ``assistant``."""

    seq: int
    source: str
    text: str


class Model:
    """The fold of a project's events; a :class:`~jupyter_pipeline.client.transport.Listener`.

    Written by the transport's thread, read by any; take ``lock`` to read several things of one moment.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._observers: list[Callable[[], None]] = []
        self.connection = "connecting"
        self.reason = ""
        self.reason_code: str | None = None
        self.epoch: str | None = None
        self.hello_payload: dict[str, Any] = {}
        self.head_at_hello: int | None = None
        self._forget()

    def _forget(self) -> None:
        self.seq = 0
        self.stages = {stage: StageView() for stage in STAGES}
        self.current = StageId.PARSE_INTENT
        self.gate: Gate | None = None
        self.proposed: dict[StageId, dict[str, Any]] = {}
        self.approved: dict[StageId, dict[str, Any]] = {}
        self.gates_opened = 0
        self.runs: dict[str, Run] = {}
        self.shown_runs: list[str] = []
        self.leaderboard: list[dict[str, Any]] = []
        self.best_run: str | None = None
        self.tested: str | None = None
        self.chat: list[ChatLine] = []
        self.log: list[str] = []
        self.datasets: dict[str, dict[str, Any]] = {}
        self.model_names: dict[str, str] = {}
        self.artifacts: dict[str, dict[str, Any]] = {}
        self.export: dict[str, Any] | None = None
        self.progress: tuple[str, float] | None = None
        self.doing = ""
        self.warnings: list[str] = []

    # -- Listener ----------------------------------------------------------------------------------------------

    def hello(self, epoch: str, seq: int, payload: dict[str, Any]) -> None:
        """A connection was made; another log than before is heard from its start."""
        with self._change():
            if self.epoch not in (None, epoch):
                self._forget()
            self.epoch = epoch
            self.head_at_hello = seq
            self.hello_payload = payload

    def event(self, frame: dict[str, Any]) -> None:
        """Fold an event; one that was heard already is left out."""
        with self._change():
            if frame["seq"] <= self.seq:
                return
            self.seq = frame["seq"]
            handler = _HANDLERS.get(frame["event"]["name"])
            if handler is not None:
                handler(self, frame["event"]["payload"])

    def status(self, status: str, reason: str = "", code: str | None = None) -> None:
        """The connection's state changed."""
        with self._change():
            if self.connection != "closed":
                self.connection, self.reason, self.reason_code = status, reason, code

    @property
    def deleted(self) -> bool:
        """Whether the project is known to be gone."""
        return self.reason_code == DELETED

    @property
    def position(self) -> tuple[str | None, int]:
        """Where to resume."""
        with self.lock:
            return self.epoch, self.seq

    @property
    def best(self) -> str | None:
        """The run that leads; None while none has ended well."""
        board = {row["run_id"]: row for row in self.leaderboard}
        if self.best_run in board or not board:
            return self.best_run
        return next((run_id for run_id, row in board.items() if row["metric"] is not None), None)

    @property
    def metric(self) -> str:
        """The metric of the leaderboard; empty while there is none."""
        return next((self.runs[row["run_id"]].metric for row in self.leaderboard if row["run_id"] in self.runs), "")

    # -- for readers -------------------------------------------------------------------------------------------

    def name_of(self, model_id: str) -> str:
        """What people call a model."""
        return self.model_names.get(model_id) or model_name(model_id)

    def observe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back, in the transport's thread, after each change; the function returned ends that."""
        with self.lock:
            self._observers.append(callback)

        def stop() -> None:
            with self.lock, contextlib.suppress(ValueError):
                self._observers.remove(callback)

        return stop

    def wait(self, timeout_s: float) -> None:
        """Block until something changes or the time is over. Needs the lock."""
        self._changed.wait(timeout_s)

    @contextlib.contextmanager
    def _change(self) -> Iterator[None]:
        with self.lock:
            yield
            self._changed.notify_all()
            observers = tuple(self._observers)
        for callback in observers:
            callback()

    # -- events ------------------------------------------------------------------------------------------------

    def _on_stage_status(self, payload: dict[str, Any]) -> None:
        stage, status = StageId(payload["stage_id"]), StageStatus(payload["status"])
        before = self.stages[stage].status
        self.stages[stage] = StageView(
            status, payload.get("message") or "", status is StageStatus.FAILED and bool(payload.get("by"))
        )
        if status is not StageStatus.PENDING:
            self.current = stage
        elif stage is StageId.REVIEW_EDIT:
            self.tested = None
        if stage is StageId.REVIEW_EDIT and payload.get("reused"):
            self.tested = f"final-{payload['attempt']}"
        if status is StageStatus.IN_PROGRESS:
            self.gate, self.progress, self.doing = None, None, ""
            if stage is StageId.TRAIN and not payload.get("finishing") and not payload.get("reused"):
                # Where the attempt before it was interrupted, what was finished is used again.
                taken_up = before is StageStatus.IN_PROGRESS and not payload.get("by")
                self.leaderboard = [row for row in self.leaderboard if taken_up and row["status"] == "success"]
                done = [row["run_id"] for row in self.leaderboard]
                self.shown_runs, self.best_run = [], self.best_run if self.best_run in done else None
            if not payload.get("finishing"):
                self.export = None
        elif self.gate is not None and self.gate.stage_id is stage and status is not StageStatus.WAITING_CONFIRMATION:
            self.gate = None

    def _on_plan_proposed(self, payload: dict[str, Any]) -> None:
        self.proposed[StageId(payload["stage_id"])] = payload["plan_json"]

    def _on_plan_approved(self, payload: dict[str, Any]) -> None:
        stage = StageId(payload["stage_id"])
        self.approved[stage] = self.proposed.get(stage, {})

    def _on_waiting(self, payload: dict[str, Any]) -> None:
        stage = StageId(payload["stage_id"])
        self.gates_opened += 1
        self.gate = Gate(
            stage, payload["gate_id"], self.proposed.get(stage, {}), payload["summary"], tuple(payload["next_actions"])
        )

    def _on_log_line(self, payload: dict[str, Any]) -> None:
        if payload["run_id"] == "chat":
            self.chat = [*self.chat[-MAX_CHAT:], ChatLine(self.seq, payload["source"], payload["text"])]
        elif payload["level"] != "debug":
            self.log, self.doing = [*self.log[-MAX_CHAT:], payload["text"]], payload["text"]

    def _on_datasets(self, payload: dict[str, Any]) -> None:
        self.datasets = {dataset["id"]: dataset for dataset in payload["datasets"]}

    def _on_model_candidates(self, payload: dict[str, Any]) -> None:
        self.model_names |= {model["id"]: model["name"] for model in payload["models"]}

    def _on_artifact(self, payload: dict[str, Any]) -> None:
        self.artifacts[payload["artifact"]["id"]] = payload["artifact"]

    def _on_profile_summary(self, payload: dict[str, Any]) -> None:
        self.warnings = list(payload["warnings"])

    def _on_profile_progress(self, payload: dict[str, Any]) -> None:
        self.progress = (payload["phase"], payload["pct"])

    def _on_export_progress(self, payload: dict[str, Any]) -> None:
        self.progress = (payload["message"], payload["pct"])

    def _on_export_ready(self, payload: dict[str, Any]) -> None:
        self.export = payload

    def _on_run_started(self, payload: dict[str, Any]) -> None:
        run = Run(payload["run_id"], payload["model_id"], payload["metric_primary"])
        self.runs[run.run_id] = run
        if self.current is StageId.TRAIN:
            self.shown_runs = [*(shown for shown in self.shown_runs if shown != run.run_id), run.run_id]

    def _on_train_progress(self, payload: dict[str, Any]) -> None:
        run = self.runs.get(payload["run_id"])
        if run is not None:
            run.phase, run.pct, run.eta_s = payload["phase"], payload["pct"], payload["eta_s"]

    def _on_metric(self, payload: dict[str, Any]) -> None:
        run = self.runs.get(payload["run_id"])
        if run is not None:
            steps, values = run.series.setdefault((payload["name"], payload["split"]), ([], []))
            steps.append(payload["step"])
            values.append(payload["value"])

    def _on_leaderboard(self, payload: dict[str, Any]) -> None:
        self.leaderboard = payload["rows"]

    def _on_best_model(self, payload: dict[str, Any]) -> None:
        self.best_run = payload["run_id"]

    def _on_run_finished(self, payload: dict[str, Any]) -> None:
        run = self.runs.get(payload["run_id"])
        if run is not None:
            run.status, run.pct, run.eta_s = payload["status"], 1.0, None
            run.reason = payload.get("reason") or ""
            run.final = {(m["name"], m["split"]): m["value"] for m in payload["final_metrics"].get("metrics", [])}
            if any(split == "test" for _, split in run.final):
                self.tested = run.run_id


_HANDLERS: dict[str, Callable[[Model, dict[str, Any]], None]] = {
    "STAGE_STATUS": Model._on_stage_status,
    "PLAN_PROPOSED": Model._on_plan_proposed,
    "PLAN_APPROVED": Model._on_plan_approved,
    "WAITING_CONFIRMATION": Model._on_waiting,
    "LOG_LINE": Model._on_log_line,
    "DATASET_CANDIDATES": Model._on_datasets,
    "MODEL_CANDIDATES": Model._on_model_candidates,
    "ARTIFACT_ADDED": Model._on_artifact,
    "PROFILE_PROGRESS": Model._on_profile_progress,
    "PROFILE_SUMMARY": Model._on_profile_summary,
    "EXPORT_PROGRESS": Model._on_export_progress,
    "EXPORT_READY": Model._on_export_ready,
    "TRAIN_RUN_STARTED": Model._on_run_started,
    "TRAIN_PROGRESS": Model._on_train_progress,
    "METRIC_SCALAR": Model._on_metric,
    "LEADERBOARD_UPDATED": Model._on_leaderboard,
    "BEST_MODEL_UPDATED": Model._on_best_model,
    "TRAIN_RUN_FINISHED": Model._on_run_finished,
}
