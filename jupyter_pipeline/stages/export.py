"""EXPORT: the bundle, verified by running it alone, as one zip."""

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from ..automl.evaluation import evaluate
from ..automl.saving import set_threshold
from ..durable import sync_folder
from ..faults import crash_point
from ..protocol.events import ExportProgress, ExportReady, FileEntry, FileTreeUpdate
from ..protocol.names import metric_words
from ..protocol.plans import ExportPlan, ReviewPlan
from ..protocol.stages import StageId
from . import bundle
from .base import Result, StageContext, StageError
from .kept import Kept, find_kept
from .rows import Rows, load_rows, load_split

#: Data files up to this size come along.
MAX_DATA_BYTES = 50 * 1024 * 1024
#: What the numbers of the bundle may differ from those reported.
TOLERANCE = 1e-9
_PREDICT_S = 1800
_STEPS = ("model", "documents", "training code", "data", "checksums", "zip", "verify", "publish")


def run(ctx: StageContext) -> Result:
    """Make the bundle, verify it, and put it into ``exports``.

    Parameters
    ----------
    ctx : StageContext
        The job; ``params["events_path"]`` names the project's log as JSON lines, if there is one, and
        ``params["log"]`` is what the manifest says of it.

    Returns
    -------
    Result
        With an ExportPlan.

    Raises
    ------
    StageError
        If a part is missing, or the bundle alone does not come to the reported numbers.
    """
    wanted: ReviewPlan = ctx.approved(StageId.REVIEW_EDIT)
    kept, source = find_kept(ctx), ctx.result_dir(StageId.REVIEW_EDIT)
    review = _read_json(source / "review.json")
    names = [name for name, treatment in review["columns"].items() if treatment != "drop"]
    rows, parts = load_rows(ctx, names), load_split(ctx)
    progress = _Progress(ctx)
    with tempfile.TemporaryDirectory(dir=ctx.out_dir, prefix=".bundle-") as scratch:
        folder = Path(scratch) / "bundle"
        folder.mkdir()
        progress.next("Writing the model and predict.py")
        needed = _model(folder, kept, source)
        sample = _sample(folder, rows, parts, names, wanted.sample_rows)
        _split(folder, parts)
        progress.next("Writing report, metrics and log")
        has_log = _documents(ctx, folder, source, review, wanted)
        progress.next("Writing the training code")
        has_code = _training(folder, source, wanted, needed)
        progress.next("Adding the data")
        has_data = has_code and _data(ctx, folder, rows)
        has = {
            "report": wanted.report,
            "notebook": wanted.notebook,
            "training_code": wanted.training_code,
            "event_log": has_log,
            "data": has_data,
            "sample": sample,
        }
        (folder / "README.md").write_text(bundle.model_card(review, has), encoding="utf-8")
        progress.next("Computing checksums")
        log = ctx.job.params.get("log") if has_log else None
        bundle.write_json(folder / "MANIFEST.json", bundle.manifest(folder, log))
        progress.next("Packing")
        name = f"{ctx.job.project_id}-{ctx.job.attempt}.zip"
        made = Path(scratch) / name
        contents, checksum = bundle.pack(folder, made)
        progress.next("Running the bundle's predict.py alone on the test rows")
        _verify(made, Path(scratch) / "alone", rows, parts["test"], names, review)
        progress.next("Publishing")
        place = ctx.project_dir / "exports" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        made.replace(place)
        sync_folder(place.parent)
        crash_point("export.placed", "EXPORT")
    bundle.write_json(ctx.out_dir / "export.json", {"file": name, "checksum": checksum, "contents": contents})
    size = place.stat().st_size
    path = place.relative_to(ctx.project_dir).as_posix()
    entry = FileEntry(path=path, type="bundle", size=size, sha=checksum.removeprefix("sha256:"))
    ctx.emit(FileTreeUpdate(files=(entry,)))
    artifact = ctx.asset(place, "bundle", name, checksum=checksum)
    progress.done()
    ctx.emit(ExportReady(asset_url=artifact.url, contents=tuple(contents), checksum=checksum))
    return Result(
        plan=ExportPlan(),
        summary=f"{name}: {len(contents)} files, {size / 1024:,.0f} KiB. Run alone, it came to the reported metrics.",
        next_actions=("Download the bundle.", "Predict new rows: python predict.py rows.csv --out predictions.csv"),
    )


class _Progress:
    """Tells each step as it begins."""

    def __init__(self, ctx: StageContext) -> None:
        self._ctx, self._step = ctx, 0

    def next(self, message: str) -> None:
        self._ctx.emit(ExportProgress(pct=self._step / len(_STEPS), message=message))
        self._step += 1

    def done(self) -> None:
        self._ctx.emit(ExportProgress(pct=1.0, message="Done"))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StageError(
            f"{path.name} of an earlier stage cannot be read ({error}); restart the stage Review."
        ) from None
    return found


def _split(folder: Path, parts: dict[str, np.ndarray]) -> None:
    """``split.csv``: which part each row of the data belongs to, so that anyone can measure again."""
    pieces = [pl.DataFrame({"row": part}).with_columns(part=pl.lit(name)) for name, part in parts.items()]
    pl.concat(pieces).sort("row").write_csv(folder / "split.csv")


def _model(folder: Path, kept: Kept, source: Path) -> dict[str, str]:
    """The model with the approved threshold, ``predict.py`` and what it requires."""
    shutil.copytree(kept.model_dir, folder / "model", ignore=shutil.ignore_patterns("__pycache__", "*.py", "*.pyc"))
    set_threshold(folder / "model", kept.threshold)
    shutil.copyfile(source / "training" / "modeling" / "inference.py", folder / "predict.py")
    needed: dict[str, str] = _read_json(folder / "model" / "model.json")["requirements"]
    (folder / "requirements.txt").write_text(bundle.requirements(needed), encoding="utf-8")
    return needed


def _sample(folder: Path, rows: Rows, parts: dict[str, np.ndarray], names: list[str], n: int) -> bool:
    """A few training rows to try ``predict.py`` with."""
    if not n:
        return False
    rows.frame.iloc[parts["train"][:n]][names].to_csv(folder / "sample.csv", index=False, lineterminator="\n")
    return True


def _documents(ctx: StageContext, folder: Path, source: Path, review: dict[str, Any], wanted: ReviewPlan) -> bool:
    bundle.write_json(
        folder / "metrics.json",
        {
            "task": review["task"],
            "threshold": review["kept"]["threshold"],
            "metrics": review["metrics"],
            "rows_measured": review.get("measured", {}),
            "intervals_95": {"test": review["intervals"]},
            "test_rows_read": review["test_reads"],
            "importance": review["importance"],
        },
    )
    if wanted.report:
        shutil.copyfile(source / "report.html", folder / "report.html")
    if not wanted.event_log:
        return False
    events = ctx.job.params.get("events_path")
    if not isinstance(events, str) or not Path(events).is_file():
        ctx.log("The project's log is not at hand, so the bundle has no events.jsonl.", "warning")
        return False
    shutil.copyfile(events, folder / "events.jsonl")
    chain = Path(events).with_suffix(".chain")
    if chain.is_file():
        shutil.copyfile(chain, folder / "events.chain")
    return True


def _training(folder: Path, source: Path, wanted: ReviewPlan, needed: dict[str, str]) -> bool:
    """Training code as it was run, where it is wanted."""
    if not wanted.training_code and not wanted.notebook:
        return False
    training = source / "training"
    left_out = [] if wanted.training_code else ["train.py"]
    left_out += [] if wanted.notebook else ["train.ipynb"]
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", *left_out)
    shutil.copytree(training, folder, ignore=ignored, dirs_exist_ok=True)
    config = _read_json(folder / "config.json")
    if config["data"]["table"]["format"] != "sklearn":
        config["data"]["path"] = f"data/{config['data']['file']}"
    bundle.write_json(folder / "config.json", config)
    both = bundle.training_requirements(needed)
    (folder / "requirements-train.txt").write_text(bundle.requirements(both), encoding="utf-8")
    return True


def _data(ctx: StageContext, folder: Path, rows: Rows) -> bool:
    """The data file itself, if it is not too large."""
    if rows.spec.format == "sklearn":
        return False
    file = Path(rows.spec.path)
    if file.stat().st_size > MAX_DATA_BYTES:
        ctx.log(f"{file.name} is larger than 50 MB and is left out; README.md says where to put it.")
        return False
    (folder / "data").mkdir()
    shutil.copyfile(file, folder / "data" / file.name)
    return True


def _verify(
    archive: Path, folder: Path, rows: Rows, test: np.ndarray, names: list[str], review: dict[str, Any]
) -> None:
    """Unpack the zip, let its ``predict.py`` predict the test rows in a process of its own, and compare."""
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    part = folder.parent / "rows.csv"
    rows.frame.iloc[test][names].to_csv(part, index=False, lineterminator="\n")
    out = folder.parent / "predictions.csv"
    argv = [sys.executable, "-I", "-B", str(folder / "predict.py"), str(part), "--out", str(out)]
    try:
        ended = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=_PREDICT_S, check=False)
    except subprocess.TimeoutExpired:
        raise StageError(f"The bundle's predict.py took longer than {_PREDICT_S // 60} minutes on test rows.") from None
    if ended.returncode:
        raise StageError(f"The bundle's predict.py does not run by itself: {ended.stderr.strip()[-500:]}")
    found = measured(read_output(out), rows, test, review["kept"]["threshold"])
    for metric, reported in review["metrics"]["test"].items():
        value = found[metric]
        same = value is None if reported is None else value is not None and _close(value, reported)
        if not same:
            raise StageError(
                f"The bundle, run alone, has {metric_words(metric)} {value} on the test rows, but {reported} was "
                "reported, so it is not handed over. Restart the stage Training; if this happens again, the model's "
                "library does not predict the same from its saved file."
            )


def _close(value: float, reported: float) -> bool:
    return abs(value - reported) <= TOLERANCE * max(1.0, abs(reported))


def read_output(path: Path) -> pd.DataFrame:
    """What ``predict.py`` wrote: predictions as texts, probabilities as exact numbers."""
    output = pd.read_csv(path, dtype=str, keep_default_na=False)
    return output.astype({column: np.float64 for column in output.columns if column != "prediction"})


def measured(output: pd.DataFrame, rows: Rows, test: np.ndarray, threshold: float | None) -> dict[str, float | None]:
    """Metrics of what ``predict.py`` wrote, computed anew from its columns.

    Parameters
    ----------
    output : pandas.DataFrame
        ``prediction`` and ``proba_<class>``, one line for each test row.
    rows : Rows
    test : numpy.ndarray
        Row numbers of the test rows.
    threshold : float or None
    """
    if len(output) != len(test):
        raise StageError(f"The bundle's predict.py wrote {len(output)} lines for {len(test)} rows.")
    task, y = rows.task, rows.y[test]
    if task.classes is None:
        return evaluate(task.task_type, y, output["prediction"].astype(np.float64).to_numpy())
    raw = output[[f"proba_{label}" for label in task.classes]].to_numpy(dtype=np.float64)
    labels = [str(label) for label in task.classes]
    said = output["prediction"].tolist()
    codes = raw.argmax(axis=1) if len(labels) > 2 else (raw[:, 1] >= (0.5 if threshold is None else threshold))
    if [labels[int(code)] for code in codes] != said:
        raise StageError("The bundle's predict.py predicts other classes than its own probabilities say.")
    return evaluate(task.task_type, y, raw, threshold)
