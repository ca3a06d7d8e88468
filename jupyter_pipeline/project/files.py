"""Where a project keeps what: folders of results, data, code and exports, plain enough for a person to open."""

import contextlib
import hashlib
import json
import os
import shutil
import sys
from io import BufferedReader
from pathlib import Path
from stat import S_ISREG
from typing import Any

from ..digests import sha256
from ..durable import sync_folder
from ..protocol.events import Artifact, Dataset, FileEntry
from ..protocol.names import stage_name
from ..protocol.stages import StageId
from ..stages.trials import RUNS, TrialStore
from .disk import folder_size
from .placing import UPLOAD_PREFIX
from .state import ProjectState

_WRITTEN = (
    *("data", "data/downloads", "artifacts", "artifacts/.parsed", "artifacts/trials"),
    *("code", "code/modeling", "exports", "errors"),
)
"""Folders in which the server and its workers write."""


_LIMIT = "PipelineApp.project_disk_limit"
_MAKE_ROOM = "remove data files, results or exports that are not needed from the project's folder"

_DELETED = ".deleted"
"""A file in the folder of a project that is being deleted; it is there before the log forgets the project."""


class ProjectFiles:
    """The folder of one project.

    Parameters
    ----------
    folder : Path
        ``pipelines/<project_id>``; it is made when something is put in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.artifacts = folder / "artifacts"
        self.code = folder / "code"

    def leads_outside(self) -> str | None:
        """Why nothing is written here, None if all is well: a folder in the project is a link to another place."""
        own = self.folder.resolve()
        for name in _WRITTEN:
            if not (self.folder / name).resolve().is_relative_to(own):
                return (
                    f"The folder {name} of the project {self.folder.name} is a link that leads out of the project, so "
                    "nothing is written there. Put a real folder in its place."
                )
        return None

    def left(self, most_bytes: int | None, log_bytes: int) -> tuple[int, str]:
        """How many bytes more may be put here, and what to say of more; ``most_bytes`` is what the project may use of
        the disk, of which its log uses ``log_bytes``."""
        free = shutil.disk_usage(self.folder.parent).free
        if most_bytes is not None and (left := max(0, most_bytes - folder_size(self.folder) - log_bytes)) <= free:
            return left, (
                f"The project may use {most_bytes:,} bytes of disk ({_LIMIT}), of which {left:,} are left. "
                f"{_MAKE_ROOM.capitalize()}, or put the file into the workspace folder and name it there."
            )
        return free, f"On the disk of the projects {free:,} bytes are left. Make room there, or use a smaller file."

    def no_work(self, most_bytes: int | None, log_bytes: int) -> str | None:
        """Why no stage can begin, None if one can; ``most_bytes`` is what the project may use of the disk, of which
        its log uses ``log_bytes``."""
        if most_bytes is not None and (used := folder_size(self.folder) + log_bytes) >= most_bytes:
            return (
                f"The project uses {used:,} bytes of disk, of {most_bytes:,} that it may ({_LIMIT}), so nothing more "
                f"is begun. {_MAKE_ROOM.capitalize()}, then restart the stage."
            )
        return self.leads_outside()

    @staticmethod
    def too_large(stage_id: StageId, used: int, most_bytes: int) -> str:
        """Why a stage is ended that makes the project use too much of the disk."""
        return (
            f"The stage {stage_name(stage_id)} was ended, because with what it wrote the project uses {used:,} bytes "
            f"of disk, of {most_bytes:,} that it may ({_LIMIT}). What was half done is removed. Let the stage "
            f"write less, or {_MAKE_ROOM}, then restart the stage."
        )

    def result(self, stage_id: StageId, attempt: int) -> Path:
        """The folder with a stage's result."""
        return self.artifacts / f"{stage_id.value.lower()}-{attempt}"

    def partial(self, stage_id: StageId, attempt: int) -> Path:
        """Where a stage's result is written until it is whole."""
        return self.artifacts / f"{stage_id.value.lower()}-{attempt}.partial"

    def events(self, attempt: int) -> Path:
        """Where the log is written for an attempt at EXPORT to take it along."""
        return self.artifacts / f".events-{attempt}.jsonl"

    def bundle(self, attempt: int) -> Path:
        """What an attempt at EXPORT makes."""
        return self.folder / "exports" / f"{self.folder.name}-{attempt}.zip"

    def clear_attempt(self, stage_id: StageId, attempt: int, state: ProjectState) -> None:
        """Remove what an attempt that is over had for itself alone, and a bundle that it made and the state does not
        know."""
        if self.leads_outside():
            return
        shutil.rmtree(self.partial(stage_id, attempt), ignore_errors=True)
        if stage_id is StageId.DATA_SOURCE:
            self._clear_downloads()
        if stage_id is StageId.TRAIN:
            store = TrialStore(self.folder)
            store.clear()
            store.clear_superseded(self.trainings(state))
        if stage_id is StageId.EXPORT:
            for path in self.artifacts.glob(f".events-{attempt}.*"):
                _unlink(path)
            bundle = self.bundle(attempt)
            relative = bundle.relative_to(self.folder).as_posix()
            if relative not in {artifact.meta.get("path") for artifact in state.artifacts.values()}:
                _unlink(bundle)

    def begin_delete(self) -> None:
        """Note that the folder is to go, so that it does also where the server ends in between."""
        with contextlib.suppress(OSError):  # a full disk keeps nobody from deleting
            if self.folder.is_dir() and not self.folder.is_symlink():
                (self.folder / _DELETED).touch()
                sync_folder(self.folder)

    def delete(self) -> None:
        """Remove the folder, the note last; where a link or a file is in its place, that alone."""
        if self.folder.is_symlink() or self.folder.is_file():
            _unlink(self.folder)
            return
        for path in self._all_but_note():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                _unlink(path)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _all_but_note(self) -> list[Path]:
        try:
            return [path for path in self.folder.iterdir() if path.name != _DELETED]
        except OSError:
            return []

    def not_deleted(self) -> None:
        """The log still knows the project, so it was not deleted after all."""
        _unlink(self.folder / _DELETED)

    @staticmethod
    def half_deleted(root: Path) -> list[str]:
        """The names of the folders that were to go when the server ended."""
        return [place.parent.name for place in root.glob(f"*/{_DELETED}")]

    def clear_left_behind(self) -> None:
        """Remove what uploads and attempts had for themselves alone when the server stopped."""
        if self.leads_outside():
            return
        for path in self.artifacts.glob("*.partial"):
            shutil.rmtree(path, ignore_errors=True)
        self._clear_downloads()
        for path in (*self.artifacts.glob(".events-*.*"), *self.data.glob(f"{UPLOAD_PREFIX}*")):
            _unlink(path)

    def _clear_downloads(self) -> None:
        for path in (self.data / "downloads").glob(".*.part"):
            _unlink(path)

    def clear_interrupted(self, stage_id: StageId, attempt: int) -> None:
        """Remove a result of the interrupted attempt that the log does not know."""
        if self.leads_outside():
            return
        shutil.rmtree(self.result(stage_id, attempt), ignore_errors=True)
        if stage_id is StageId.EXPORT:
            _unlink(self.bundle(attempt))

    def finished_runs(self, attempt: int) -> dict[str, dict[str, float | None]]:
        """The runs of an attempt at TRAIN that came to their metrics, whether the log knows it or not."""
        return TrialStore(self.folder).finished(attempt)

    def trainings(self, state: ProjectState) -> list[Path]:
        """The results of TRAIN, of those that are still there, that serve or can serve again, the present one last."""
        attempts = {saved.attempt for saved in state.saved.values()} - {state.stage(StageId.TRAIN).attempt}
        places = [
            self.result(StageId.TRAIN, attempt) for attempt in (*sorted(attempts), state.stage(StageId.TRAIN).attempt)
        ]
        return [place for place in places if place.is_dir()]

    def open_asset(self, artifact: Artifact) -> tuple[Path, BufferedReader] | None:
        """The file of an artifact, opened, also while its stage is still at work; None if it is gone or outside."""
        relative = str(artifact.meta.get("path", ""))
        parts = Path(relative).parts
        places = [self.folder / relative]
        if len(parts) > 2 and parts[0] == "artifacts":
            places.append(self.folder.joinpath(parts[0], f"{parts[1]}.partial", *parts[2:]))
        for place in places:
            if (file := self._opened(place)) is not None:
                return place, file
        return None

    def _opened(self, place: Path) -> BufferedReader | None:
        """Open a file, None if it is no file in this folder. Only of what is open already that can be said for sure:
        what its path leads to may be exchanged while it is looked at."""
        try:
            # Not blocking: a pipe in its place would hold the thread for good.
            opened = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        except (OSError, ValueError):
            return None
        try:
            real = Path(os.readlink(f"/proc/self/fd/{opened}") if sys.platform == "linux" else os.path.realpath(place))
            ours = S_ISREG(os.fstat(opened).st_mode) and real.is_relative_to(self.folder.resolve())
        except OSError:  # a link was exchanged while it was followed
            ours = False
        if not ours:
            os.close(opened)
            return None
        return os.fdopen(opened, "rb")

    def changes(self, state: ProjectState) -> tuple[str, frozenset[str]]:
        """What a person changed here: the digest of the training code, and the fingerprints of earlier results that
        could serve again, but were removed."""
        try:
            there = {name.rpartition("-")[2] for name in os.listdir(self.artifacts)}
        except OSError:
            there = set()
        gone = frozenset(mark for mark, saved in state.saved.items() if str(saved.attempt) not in there)
        return self.code_digest(), gone

    def code_digest(self) -> str:
        """Digest of the training code that the person edited, empty if it is as it was handed over."""
        manifest = self.code / ".manifest.json"
        if not manifest.is_file():
            return ""
        try:
            known = json.loads(manifest.read_text("utf-8"))["files"]
        except (OSError, ValueError, LookupError, TypeError):
            known = None
        if not isinstance(known, dict):
            known = {}
        edited = []
        for path in sorted(self.code.rglob("*.py")):
            relative = path.relative_to(self.code)
            if any(part.startswith(".") for part in relative.parts) or not path.is_file():
                continue
            name, sha = relative.as_posix(), _sha256_or_none(path)
            if known.get(name) != sha:
                edited.append((name, sha))
        return hashlib.sha256(json.dumps(edited).encode()).hexdigest() if edited else ""

    def model_dir(self, state: ProjectState, run_id: str) -> Path | None:
        """The folder with the model of a run, None if it has none."""
        runs = self.result(StageId.TRAIN, state.stage(StageId.TRAIN).attempt) / RUNS
        if not runs.is_file():
            return None
        run: dict[str, Any] | None = json.loads(runs.read_text("utf-8")).get(run_id)
        if run is None:
            return None
        place = Path(run["trial_dir"])
        return (place if place.is_absolute() else self.folder / place) / "model"

    def describe(self, path: Path) -> tuple[Dataset, FileEntry]:
        """A data file of the project as a data set candidate and as a file."""
        size, sha = path.stat().st_size, sha256(path)
        relative = path.relative_to(self.folder).as_posix()
        dataset = Dataset(
            id=f"upload:{path.name}",
            name=path.name,
            source="upload",
            desc=f"Attached file, {size:,} bytes.",
            meta={"path": relative, "size": size, "sha256": sha},
        )
        return dataset, FileEntry(path=relative, type="data", size=size, sha=sha)


def ignores_case(folder: Path) -> bool:
    """Whether names that differ in the case of letters alone are one file there, as on macOS and Windows."""
    with contextlib.suppress(OSError):
        return folder.samefile(folder.with_name(folder.name.swapcase()))
    return False


def _sha256_or_none(path: Path) -> str | None:
    """SHA-256 of a file; None for one that is gone meanwhile, or cannot be read."""
    try:
        return sha256(path)
    except OSError:
        return None


def _unlink(path: Path) -> None:
    """Remove a file, unless it cannot be removed: then it stays."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
