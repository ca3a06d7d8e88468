"""The job of an attempt, as a worker gets it: read off the project's state."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from ..protocol.jobs import Job, Upstream
from ..protocol.stages import STAGES, StageId
from .files import ProjectFiles
from .log import EventLog
from .log_export import export_log
from .settings import Settings
from .state import ProjectState, Work


async def prepare_job(
    state: ProjectState, work: Work, files: ProjectFiles, settings: Settings, event_log: EventLog, log_bytes: int
) -> Job:
    """The job of the attempt that a state names, once what it takes along is in the project's folder.

    Parameters
    ----------
    state : ProjectState
        The state.
    work : Work
        Its attempt.
    files : ProjectFiles
        Where the project keeps what.
    settings : Settings
        Folders and cores.
    event_log : EventLog
        EXPORT takes the log along.
    log_bytes : int
        What the project has in it.
    """
    await asyncio.to_thread(files.artifacts.mkdir, parents=True, exist_ok=True)
    more: dict[str, Any] = {}
    room: int | None = None
    if work.stage_id is StageId.DATA_SOURCE:
        room, _ = await asyncio.to_thread(files.left, settings.project_bytes, log_bytes)
    if work.stage_id is StageId.EXPORT:
        path = files.events(work.attempt)
        more["log"] = await export_log(event_log, state.project_id, state.epoch, state.seq, path)
        more["events_path"] = str(path)
    return _job_of(state, work, files, settings, more, room)


def _job_of(
    state: ProjectState,
    work: Work,
    files: ProjectFiles,
    settings: Settings,
    more: Mapping[str, Any],
    room_bytes: int | None,
) -> Job:
    stage = state.stage(work.stage_id)
    upstream = {
        s: Upstream(plan=earlier.plan, result_dir=str(files.result(s, earlier.attempt)))
        for s in STAGES[: work.stage_id.order]
        if (earlier := state.stage(s)).plan is not None
    }
    return Job(
        project_id=state.project_id,
        stage_id=work.stage_id,
        attempt=work.attempt,
        project_dir=str(files.folder),
        workspace_dir=str(settings.workspace),
        out_dir=str(files.partial(work.stage_id, work.attempt)),
        result_dir=str(files.result(work.stage_id, work.attempt)),
        asset_base_url=f"{settings.base_url}api/projects/{state.project_id}/assets",
        params={**stage.params, **more},
        upstream=upstream,
        datasets=tuple(msgspec.to_builtins(d) for d in state.datasets if d.source == "upload"),
        threads=settings.cores,
        finish=work.finishing and work.last_run is None,
        last_run=work.last_run,
        skip_trials={
            str(mark): run_id
            for run_id in stage.skip_runs
            if (mark := state.runs[run_id].config.get("fingerprint")) is not None
        },
        successes=tuple(run.run_id for run in state.runs.values() if run.status == "success"),
        room_bytes=room_bytes,
        test_reads=tuple(run.config for run in state.runs.values() if run.config.get("split") == "test"),
    )
