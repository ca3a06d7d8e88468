"""Finished trials, kept in the project so that a later attempt at TRAIN uses them again.

A trial is a folder ``artifacts/trials/<fingerprint>-<attempt>`` with ``model/``, curves and pictures; ``trial.json`` is
written last and makes it count. Nothing in it changes after that: the same is trained again, with more time say, into a
folder of its own, so that an earlier result of TRAIN, which names the trials it came to, can come back. Earlier
versions had one folder, ``<fingerprint>``, for all attempts.
"""

import hashlib
import json
import shutil
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from ..digests import sha256
from ..durable import replace_file, sync_folder, sync_tree

RUNS = "runs.json"
"""In a result of TRAIN: the trials it came to."""
RECORD = "trial.json"


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
    folder : str
        The name of its folder.
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
    folder: str = ""

    @property
    def cut_short(self) -> bool:
        """Whether it would have gone on."""
        return self.stopped in ("asked", "deadline")


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

    def find(self, mark: str, runs: Collection[str], *, budget_s: float, finishing: bool) -> Trial | None:
        """The latest finished trial of these inputs that serves, if there is one.

        One that was cut short serves again only when training is being finished, or has no more time than then; one
        of other versions of the packages that made it never does, nor one that none of these runs made.
        """
        for trial in reversed(self._of(mark)):
            if trial.run_id not in runs or not _of_these_packages(self.folder / trial.folder / "model" / "model.json"):
                continue
            longer = trial.stopped == "asked" or budget_s > trial.budget_s
            if finishing or not (trial.cut_short and longer):
                return trial
        return None

    def finished(self, attempt: int) -> dict[str, dict[str, float | None]]:
        """The runs of an attempt that finished a trial, with its metrics on the validation rows."""
        return {t.run_id: t.metrics for t in self._of("") if _attempt_of(t.run_id) == attempt}

    def _of(self, mark: str) -> list[Trial]:
        """The finished trials of these inputs, the latest last; of all for an empty mark."""
        places = [path.parent for path in self.folder.glob(f"{mark}*/{RECORD}") if path.parent.name[0] != "."]
        found = [trial for place in places if (trial := _read(place)) is not None]
        return sorted(found, key=lambda trial: _attempt_of(trial.run_id))

    def begin(self, mark: str, attempt: int) -> Path:
        """A fresh folder to write a trial into."""
        partial = self.folder / f".{mark}-{attempt}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        return partial

    def place(self, partial: Path) -> Path:
        """Give a written folder its name."""
        sync_tree(partial)
        place = partial.with_name(partial.name[1:])
        shutil.rmtree(place, ignore_errors=True)  # of a run of this attempt that failed after that
        partial.rename(place)
        sync_folder(self.folder)
        return place

    def written(self, trial: Trial, model_format: int) -> tuple[Path, str] | None:
        """The file with a trial's estimator, and its SHA-256; None where it is not there in this format."""
        place = self.folder / trial.folder
        try:
            spec = json.loads((place / "model" / "model.json").read_bytes())
            name = f"model/{spec['estimator']['file']}"
            mark = json.loads((place / RECORD).read_bytes())["sha256"][name]
        except (OSError, ValueError, LookupError, TypeError):
            return None
        return (place / name, mark) if spec.get("format") == model_format else None

    def finish(self, trial: Trial, linked: Iterable[tuple[Path, str]] = ()) -> None:
        """Make a placed trial count; ``linked`` are files of other trials that it has links to, and their SHA-256."""
        place = self.folder / trial.folder
        _write(place / RECORD, {**asdict(trial), "sha256": marks_of(place, linked)})

    def describe(self, trial: Trial) -> dict[str, str]:
        """Where a trial is, below the project's folder, and the SHA-256 of its record, which has those of its model's
        files."""
        place = self.folder / trial.folder
        return {
            "trial_dir": place.relative_to(self.project_dir).as_posix(),
            "record_sha256": sha256(place / RECORD),
        }

    def clear(self) -> None:
        """Remove what interrupted attempts left behind."""
        for path in self.folder.glob(".*"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)

    def clear_superseded(self, results: Iterable[Path]) -> None:
        """Remove the models of trials that were made again later, unless one of these results of TRAIN names them.

        Curves and pictures stay: the log names them.
        """
        named: set[str] = set()
        for result in results:
            try:
                runs = json.loads((result / RUNS).read_bytes())
                named |= {Path(run["trial_dir"]).name for run in runs.values()}
            except FileNotFoundError:  # it is not one of TRAIN
                continue
            except (OSError, ValueError, LookupError, TypeError, AttributeError):
                return  # damaged: it may be mended, so nothing is removed that it may name
        trials = self._of("")
        latest = {trial.fingerprint: trial.folder for trial in trials}
        for trial in trials:
            model = self.folder / trial.folder / "model"
            if trial.folder not in named and trial.folder != latest[trial.fingerprint] and model.is_dir():
                gone = self.folder / f".{trial.folder}-model"
                model.rename(gone)  # first: half of a model is none
                shutil.rmtree(gone, ignore_errors=True)


def trial_of(place: Path, record: bytes) -> Trial:
    """The trial in a folder, of its record; ValueError if that is damaged."""
    trial: Trial = msgspec.convert({**json.loads(record), "folder": place.name}, Trial)
    return trial


def _read(place: Path) -> Trial | None:
    """A finished trial; None if there is none, or somebody damaged its record."""
    try:
        return trial_of(place, (place / RECORD).read_bytes())
    except (OSError, ValueError, TypeError):
        return None


def _attempt_of(run_id: str) -> int:
    number = run_id.split("-", 2)[1:2]
    return int(number[0]) if number and number[0].isdecimal() else 0


def marks_of(place: Path, linked: Iterable[tuple[Path, str]] = ()) -> dict[str, str]:
    """SHA-256 of the files of a trial's model, and of its curves, by their path below the trial's folder; of links to
    the files in ``linked`` those that are known."""
    files = [place / "history.json", *sorted((place / "model").rglob("*"))]
    known = {(stat.st_dev, stat.st_ino): mark for path, mark in linked if (stat := path.stat()).st_nlink > 1}
    return {
        path.relative_to(place).as_posix(): known.get(((stat := path.stat()).st_dev, stat.st_ino)) or sha256(path)
        for path in files
        if path.is_file()
    }


def _of_these_packages(model: Path) -> bool:
    """Whether a model is there that would be made of the same packages today: others may come to other numbers."""
    try:
        needed: dict[str, str] = json.loads(model.read_text("utf-8")).get("requirements", {})
        return all(version(name) == pin for name, pin in needed.items())
    except (OSError, ValueError, AttributeError, PackageNotFoundError):
        return False


def _write(path: Path, value: Any) -> None:
    replace_file(path, (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode())
