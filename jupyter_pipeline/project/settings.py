"""What a project manager can be told; the server's traits and the embedded mode fill it in."""

import contextlib
import math
import os
from pathlib import Path

import msgspec


def usable_cores(control_groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Cores that this process may use: by its affinity, and by what a container is given."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    # Version 2 has both figures in one file, version 1 in two; no limit is a word in the one, -1 in the other.
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        with contextlib.suppress(OSError, ValueError):
            quota, period = map(int, " ".join((control_groups / name).read_text() for name in names).split())
            if quota > 0 and period > 0:
                cores = min(cores, math.ceil(quota / period))
    return cores


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a :class:`~jupyter_pipeline.project.manager.ProjectManager`.

    Attributes
    ----------
    workspace_dir : str
        The person's folder: the root of the file browser. Its files can be used as data.
    pipelines_dir : str
        Folder of the projects, below ``workspace_dir`` unless absolute.
    base_url : str
        What the URLs of assets begin with; ends with a slash.
    threads : int or None
        Cores that a training may use; None means all that the process may use.
    max_workers : int
        Stages of different projects that may run at once; further ones wait.
    warm_workers : int
        Idle worker processes that are kept ready, so that a stage begins at once.
    cancel_grace_s : float
        Seconds between asking a worker's process group to end and killing it.
    command_timeout_s : float
        Seconds that a custom command may take.
    finish_grace_s : float
        Seconds that a training has to come to an end after ``finish``, before it is killed and its finished
        trials are used.
    predict_s : float
        Seconds that a prediction may take, the loading of the model included.
    project_bytes : int or None
        Bytes that a project's folder and log may have: more is not taken in, with more no stage begins, and one that
        runs is ended. None means no limit.
    log_bytes : int or None
        Bytes that a project's log may have: at the limit what makes it grow is refused, and a stage that reports is
        ended. None means no limit.
    """

    workspace_dir: str
    pipelines_dir: str = "pipelines"
    base_url: str = "/"
    threads: int | None = None
    max_workers: int = 2
    warm_workers: int = 1
    cancel_grace_s: float = 1.5
    finish_grace_s: float = 20.0
    command_timeout_s: float = 30.0
    predict_s: float = 60.0
    project_bytes: int | None = 50 << 30
    log_bytes: int | None = 1 << 30

    @property
    def workspace(self) -> Path:
        """The person's folder, absolute."""
        return Path(self.workspace_dir).absolute()

    @property
    def root(self) -> Path:
        """The folder of the projects, absolute."""
        return self.workspace / self.pipelines_dir

    @property
    def log_path(self) -> Path:
        """The event log, in a hidden folder beside the projects."""
        return self.root / ".log" / "events.sqlite"

    @property
    def cores(self) -> int:
        """Cores that a training may use."""
        return self.threads or usable_cores()
