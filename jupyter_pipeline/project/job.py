"""The job of an attempt, as a worker gets it: read off the project's state."""

from collections.abc import Mapping
from typing import Any

import msgspec

from ..protocol.jobs import Job, Upstream
from ..protocol.stages import STAGES
from .files import ProjectFiles
from .settings import Settings
from .state import ProjectState, Work


def job_of(state: ProjectState, work: Work, files: ProjectFiles, settings: Settings, more: Mapping[str, Any]) -> Job:
    """The job of the attempt that a state names.

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
    more : mapping of str to Any
        Parameters beside those that the stage was asked with.
    """
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
        finish=work.finishing,
        skip_trials=stage.skip_runs,
        void_runs=tuple(r.run_id for r in state.runs.values() if r.status in ("failed", "cancelled")),
    )
