"""Finished trials, kept in the project so that a later attempt at TRAIN uses them again.

A trial is a folder ``artifacts/trials/<fingerprint>`` with ``model/``, curves and pictures; ``trial.json`` is written
last and makes it count. Which run tried what is noted when the run starts, so that a cancelled run is not tried again.
"""

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..digests import sha256
from ..durable import replace_file, sync_folder, sync_tree

_RECORD = "trial.json"


@dataclass(frozen=True)
class Trial:
    """A finished trial.

    Attributes
    ----------
    run_id : str
        The run that made it.
    fingerprint, model_id : str
    params, all_params : dict
        Those that were set, and all.
    number : int
        Which setting of the model it is, from 0: its defaults.
    iterations : int
        How many iterations the model consists of; with them it can be made again.
    stopped : str
        Why the fit ended: ``""``, ``early``, ``deadline`` or ``asked``.
    metrics : dict
        By name, on the validation rows.
    metric : float or None
        The one that decides.
    threshold : float or None
        From what probability a row is positive.
    runtime_s, budget_s : float
        How long it took, and how long all of the training was allowed to take.
    files : dict of str to str
        Where the pictures' numbers are, by kind.
    out_of_bag : float or None
        Of an ensemble the metric that decides, each row predicted with weights that were chosen without it.
    sha256 : dict of str to str
        Of the files of the model, and of its curves, in hex, by their path below the trial's folder.
    """

    run_id: str
    fingerprint: str
    model_id: str
    params: dict[str, Any]
    all_params: dict[str, Any]
    number: int
    iterations: int
    stopped: str
    metrics: dict[str, float | None]
    metric: float | None
    threshold: float | None
    seed: int
    threads: int
    runtime_s: float
    budget_s: float
    files: dict[str, str] = field(default_factory=dict)
    out_of_bag: float | None = None
    sha256: dict[str, str] = field(default_factory=dict)


def fingerprint(**inputs: Any) -> str:
    """Of everything that a trial's result depends on, given as JSON values."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:24]


class TrialStore:
    """The finished trials of a project.

    Parameters
    ----------
    project_dir : pathlib.Path
        The project's folder.
    """

    def __init__(self, project_dir: Path) -> None:
        self.project_dir = project_dir
        self.folder = project_dir / "artifacts" / "trials"
        self._notes = self.folder / "runs"

    def find(self, mark: str, *, budget_s: float, finishing: bool) -> Trial | None:
        """A finished trial, if there is one that serves.

        One that was cut short serves again only when training is being finished, or has no more time than then; one
        of other versions of the packages that made it never does.
        """
        try:
            trial = Trial(**json.loads((self.folder / mark / _RECORD).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        if not _of_these_packages(self.folder / mark / "model" / "model.json"):
            return None
        if finishing or trial.stopped not in ("asked", "deadline"):
            return trial
        return trial if trial.stopped == "deadline" and budget_s <= trial.budget_s else None

    def note_run(self, run_id: str, mark: str, model_id: str, params: dict[str, Any]) -> None:
        """Remember what a run tries, before it starts."""
        self._notes.mkdir(parents=True, exist_ok=True)
        note = {"fingerprint": mark, "model_id": model_id, "params": params}
        _write(self._notes / f"{run_id}.json", note)

    def noted(self, run_ids: tuple[str, ...]) -> dict[str, dict[str, Any]]:
        """What runs tried, by their ids; of those that are known."""
        found: dict[str, dict[str, Any]] = {}
        for run_id in run_ids:
            try:
                found[run_id] = json.loads((self._notes / f"{Path(run_id).name}.json").read_text("utf-8"))
            except (OSError, ValueError):
                continue
        return found

    def finished(self, attempt: int) -> dict[str, dict[str, float | None]]:
        """The runs of an attempt that finished a trial, with its metrics on the validation rows."""
        found: dict[str, dict[str, float | None]] = {}
        for note in self._notes.glob(f"run-{attempt}-*.json"):
            try:
                mark = json.loads(note.read_text("utf-8"))["fingerprint"]
                record = json.loads((self.folder / mark / _RECORD).read_text("utf-8"))
                if record["run_id"] == note.stem:
                    found[note.stem] = {str(name): _number(value) for name, value in record["metrics"].items()}
            except (OSError, ValueError, LookupError, TypeError, AttributeError):  # none, or somebody damaged it
                continue
        return found

    def begin(self, mark: str, attempt: int) -> Path:
        """A fresh folder to write a trial into."""
        place = self.folder / f".{mark}-{attempt}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        return place

    def place(self, partial: Path, mark: str) -> Path:
        """Give a written folder its name; what was there under that name is replaced."""
        sync_tree(partial)
        place = self.folder / mark
        if place.exists():
            old = self.folder / f".old-{mark}"
            shutil.rmtree(old, ignore_errors=True)
            place.rename(old)
            shutil.rmtree(old, ignore_errors=True)
        partial.rename(place)
        sync_folder(self.folder)
        return place

    def finish(self, trial: Trial) -> None:
        """Make a placed trial count."""
        place = self.folder / trial.fingerprint
        _write(place / _RECORD, {**asdict(trial), "sha256": marks_of(place)})

    def record_sha256(self, mark: str) -> str:
        """SHA-256 of a trial's record, which has those of its model's files."""
        return sha256(self.folder / mark / _RECORD)

    def relative(self, mark: str) -> str:
        """The trial's folder, below the project's."""
        return (self.folder / mark).relative_to(self.project_dir).as_posix()

    def clear(self) -> None:
        """Remove what interrupted attempts left behind."""
        for path in self.folder.glob(".*"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)


def marks_of(place: Path) -> dict[str, str]:
    """SHA-256 of the files of a trial's model, and of its curves, by their path below the trial's folder."""
    files = [place / "history.json", *sorted((place / "model").rglob("*"))]
    return {path.relative_to(place).as_posix(): sha256(path) for path in files if path.is_file()}


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _of_these_packages(model: Path) -> bool:
    """Whether a model is there that would be made of the same packages today: others may come to other numbers."""
    try:
        needed: dict[str, str] = json.loads(model.read_text("utf-8")).get("requirements", {})
        return all(version(name) == pin for name, pin in needed.items())
    except (OSError, ValueError, AttributeError, PackageNotFoundError):
        return False


def _write(path: Path, value: Any) -> None:
    replace_file(path, (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode())
