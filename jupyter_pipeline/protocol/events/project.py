"""Events of a project as a whole: stages, gates, files, artifacts, lines for people."""

from typing import Any, ClassVar, Literal

import msgspec
from msgspec import UNSET, UnsetType

from ..stages import StageId, StageStatus
from .base import FileEntry, Patch, Payload, User


class StageStatusEvent(Payload, frozen=True, kw_only=True):
    """How a stage stands now.

    With IN_PROGRESS come ``attempt`` (numbered in the project, from 1), ``params`` (what the stage was asked
    beside the approved plans), ``fingerprint`` of its inputs and, where an earlier result serves again,
    ``reused``; ``finishing`` says that training was asked to end with the best so far, and ``last_run`` beside it that
    the run at work comes to its own end before,
    ``retry`` that the attempt before it lost its worker process; ``skip_runs`` are runs that the person cancelled
    one by one and that are not tried again. ``params`` of a PENDING stage wait for its start. ``by`` is who confirmed,
    cancelled or restarted it; what the pipeline does by itself has none.
    """

    NAME: ClassVar[str] = "STAGE_STATUS"
    stage_id: StageId
    status: StageStatus
    message: str
    attempt: int | UnsetType = UNSET
    params: dict[str, Any] | UnsetType = UNSET
    fingerprint: str | UnsetType = UNSET
    reused: bool | UnsetType = UNSET
    finishing: bool | UnsetType = UNSET
    last_run: bool | UnsetType = UNSET
    retry: bool | UnsetType = UNSET
    skip_runs: tuple[str, ...] | UnsetType = UNSET
    by: User | UnsetType = UNSET


class WaitingConfirmation(Payload, frozen=True, kw_only=True):
    """A gate is open. ``digest`` is the SHA-256 of exactly the plan that a confirmation approves.

    The first line of ``summary`` says what is proposed; each further line is a remark, which says what follows from
    neither the plan nor another event.
    """

    NAME: ClassVar[str] = "WAITING_CONFIRMATION"
    stage_id: StageId
    summary: str
    next_actions: tuple[str, ...]
    gate_id: str
    digest: str


class PlanProposed(Payload, frozen=True, kw_only=True):
    """What a stage proposes. ``patch`` is the change from its last proposal, ``reruns`` and ``keeps`` the
    stages that will run again and those whose results still hold."""

    NAME: ClassVar[str] = "PLAN_PROPOSED"
    stage_id: StageId
    plan_json: dict[str, Any]
    plan_id: str
    patch: Patch = ()
    reruns: tuple[StageId, ...] = ()
    keeps: tuple[StageId, ...] = ()
    by: User | UnsetType = UNSET


class PlanApproved(Payload, frozen=True, kw_only=True):
    """The person confirmed a plan."""

    NAME: ClassVar[str] = "PLAN_APPROVED"
    stage_id: StageId
    plan_id: str
    by: User


class PlanRejected(Payload, frozen=True, kw_only=True):
    """A proposed plan was withdrawn: by a change, or by a restart."""

    NAME: ClassVar[str] = "PLAN_REJECTED"
    stage_id: StageId
    plan_id: str
    by: User


class FileTreeUpdate(Payload, frozen=True, kw_only=True):
    """Files of the project that are new or changed."""

    NAME: ClassVar[str] = "FILE_TREE_UPDATE"
    STATE: ClassVar[bool] = False
    files: tuple[FileEntry, ...]


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a stage made; ``meta["path"]`` is its place below the project's folder."""

    id: str
    type: str
    name: str
    url: str
    meta: dict[str, Any] = {}


class ArtifactAdded(Payload, frozen=True, kw_only=True):
    """An asset can be fetched."""

    NAME: ClassVar[str] = "ARTIFACT_ADDED"
    artifact: Artifact


class LogLine(Payload, frozen=True, kw_only=True):
    """A line for people. ``run_id`` is ``chat`` for the conversation and ``pipeline`` for what belongs to no run."""

    NAME: ClassVar[str] = "LOG_LINE"
    STATE: ClassVar[bool] = False
    run_id: str
    level: Literal["debug", "info", "warning", "error"]
    text: str
    source: str
    by: User | UnsetType = UNSET
