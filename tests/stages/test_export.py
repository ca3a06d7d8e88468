"""EXPORT on a real small project: the bundle stands alone and comes to the reported numbers."""

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from sklearn import metrics as sk

from jupyter_pipeline.protocol.names import number
from jupyter_pipeline.protocol.stages import StageId
from jupyter_pipeline.stages.base import StageError
from jupyter_pipeline.stages.export import read_output
from jupyter_pipeline.stages.kernel import Execution

from .conftest import StagedProject, staged

#: Runs a program as if this package were not installed.
ALONE = (
    "import sys, runpy\n"
    "class Gone:\n"
    "    def find_spec(self, name, path=None, target=None):\n"
    "        if name.split('.')[0] in ('jupyter_pipeline', 'jupyter_server', 'IPython', 'msgspec'):\n"
    "            raise ModuleNotFoundError(name)\n"
    "sys.meta_path.insert(0, Gone())\n"
    "sys.argv = sys.argv[1:]\n"
    "runpy.run_path(sys.argv[0], run_name='__main__')\n"
)


def others(requirements: Path) -> list[str]:
    """Modules of the installed packages that neither these requirements name nor anything that those require."""
    wanted = [line.split("==")[0] for line in requirements.read_text("utf-8").splitlines()]
    known: set[str] = set()
    while wanted:
        name = canonicalize_name(wanted.pop())
        if name in known:
            continue
        known.add(name)
        for line in metadata.requires(name) or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                wanted.append(needed.name)
    by_module = metadata.packages_distributions()
    return sorted(m for m, found in by_module.items() if not known & {canonicalize_name(name) for name in found})


def alone(folder: Path, *arguments: str, needs: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program of the bundle; with ``needs`` as if nothing but those requirements were installed."""
    program = str(folder / arguments[0])
    code = ALONE if needs is None else ALONE.replace("('jupyter_pipeline',", f"{tuple(others(needs))!r} + ('msgspec',")
    command = [sys.executable, "-B", "-c", code, program, *arguments[1:]]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def exported(binary_project: StagedProject) -> StagedProject:
    binary_project.run(StageId.REVIEW_EDIT)
    log = binary_project.folder / "artifacts" / ".events.jsonl"
    log.write_text('{"v":1,"seq":1}\n{"v":1,"seq":2}\n', encoding="utf-8")
    binary_project.run(StageId.EXPORT, {"events_path": str(log)})
    return binary_project


@pytest.fixture(scope="module")
def archive(exported: StagedProject) -> Path:
    (found,) = (exported.folder / "exports").iterdir()
    return found


@pytest.fixture(scope="module")
def bundle(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def test_rows(exported: StagedProject) -> pd.DataFrame:
    """The test rows, read by pandas from the raw data."""
    with np.load(exported.result_dir(StageId.PREPROCESS) / "split.npz") as split:
        rows = split["test"]
    return pd.read_csv(exported.folder / "data" / "customers.csv", dtype=str, keep_default_na=False).iloc[rows]


def test_events(exported: StagedProject, archive: Path) -> None:
    recorder = exported.events[StageId.EXPORT]
    steps = recorder.of("EXPORT_PROGRESS")
    assert [p.pct for p in steps] == sorted(p.pct for p in steps)
    assert steps[0].pct == 0.0
    assert steps[-1].pct == 1.0
    (ready,) = recorder.of("EXPORT_READY")
    assert ready.checksum == "sha256:" + hashlib.sha256(archive.read_bytes()).hexdigest()
    with zipfile.ZipFile(archive) as file:
        assert tuple(file.namelist()) == ready.contents
        assert list(ready.contents) == sorted(ready.contents)
    assert archive.name == f"{exported.project_id}-{exported.attempt}.zip"
    assert recorder.payloads[-1] is ready
    (tree,) = recorder.of("FILE_TREE_UPDATE")
    assert [(f.path, f.size) for f in tree.files] == [(f"exports/{archive.name}", archive.stat().st_size)]
    assert ready.checksum == f"sha256:{tree.files[0].sha}"
    assert [p.artifact.url for p in recorder.of("ARTIFACT_ADDED")] == [ready.asset_url]


def test_contents(bundle: Path) -> None:
    wanted = [
        "README.md",
        "predict.py",
        "requirements.txt",
        "model/model.json",
        "train.ipynb",
        "train.py",
        "config.json",
    ]
    wanted += ["report.html", "metrics.json", "events.jsonl", "MANIFEST.json", "sample.csv", "data/customers.csv"]
    for name in (*wanted, "modeling/training.py", "requirements-train.txt"):
        assert (bundle / name).is_file(), name
    assert not list(bundle.rglob("*.pkl"))
    assert not list(bundle.rglob("*.pyc"))
    assert not list(bundle.rglob("__pycache__"))
    for line in (bundle / "requirements.txt").read_text("utf-8").splitlines():
        name, version = line.split("==")
        assert name
        assert version
    assert "matplotlib" not in (bundle / "requirements.txt").read_text("utf-8")
    # Libraries of models that were not kept are large, and nothing that the code does needs them.
    boosting = {"lightgbm", "xgboost", "xgboost-cpu", "catboost"}
    predicts, trains = (
        {line.split("==")[0] for line in (bundle / name).read_text("utf-8").splitlines()}
        for name in ("requirements.txt", "requirements-train.txt")
    )
    assert predicts < trains
    assert trains & boosting == predicts & boosting
    assert "ipykernel" in trains
    assert (bundle / "events.jsonl").read_text("utf-8").count("\n") == 2


def test_the_manifest_is_right(bundle: Path) -> None:
    listed = json.loads((bundle / "MANIFEST.json").read_text("utf-8"))["files"]
    there = {p.relative_to(bundle).as_posix() for p in bundle.rglob("*") if p.is_file()} - {"MANIFEST.json"}
    assert set(listed) == there
    for name, entry in listed.items():
        data = (bundle / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def test_nothing_of_ours_is_imported_and_no_path_is_told(exported: StagedProject, bundle: Path) -> None:
    for path in bundle.rglob("*"):
        if path.suffix in (".py", ".ipynb", ".json", ".md", ".html", ".txt"):
            text = path.read_text("utf-8")
            assert "jupyter_pipeline" not in text, path
            assert str(exported.folder) not in text, path


def test_the_bundle_alone_equals_the_reported_metrics(bundle: Path, test_rows: pd.DataFrame, tmp_path: Path) -> None:
    """Metrics are computed here by scikit-learn from what predict.py wrote."""
    place = shutil.copytree(bundle, tmp_path / "alone")
    test_rows.drop(columns="churn").to_csv(place / "rows.csv", index=False)
    ended = alone(place, "predict.py", "rows.csv", "--out", "predictions.csv", needs=place / "requirements.txt")
    assert ended.returncode == 0, ended.stderr
    found = read_output(place / "predictions.csv")
    assert list(found.columns) == ["prediction", "proba_no", "proba_yes"]
    truth, said = (test_rows["churn"] == "yes").to_numpy(), (found["prediction"] == "yes").to_numpy()
    proba = found["proba_yes"].to_numpy()
    document = json.loads((place / "metrics.json").read_text("utf-8"))
    reported = document["metrics"]["test"]
    expected = {
        "accuracy": sk.accuracy_score(truth, said),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, said),
        "precision": sk.precision_score(truth, said, zero_division=0),
        "recall": sk.recall_score(truth, said),
        "f1": sk.f1_score(truth, said),
        "f1_macro": sk.f1_score(truth, said, average="macro"),
        "mcc": sk.matthews_corrcoef(truth, said),
        "log_loss": sk.log_loss(truth, found[["proba_no", "proba_yes"]].to_numpy()),
        "roc_auc": sk.roc_auc_score(truth, proba),
        "average_precision": sk.average_precision_score(truth, proba),
        "brier": sk.brier_score_loss(truth, proba),
    }
    assert set(expected) == set(reported)
    for name, value in expected.items():
        assert reported[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name
    threshold = 0.5 if document["threshold"] is None else document["threshold"]
    assert ((proba >= threshold) == said).all()


def test_train_py_and_the_notebook_come_to_the_numbers_again(bundle: Path, tmp_path: Path) -> None:
    place = shutil.copytree(bundle, tmp_path / "alone")
    reported = json.loads((place / "metrics.json").read_text("utf-8"))["metrics"]
    ended = alone(place, "train.py", needs=place / "requirements-train.txt")
    assert ended.returncode == 0, ended.stderr
    found = json.loads((place / "trained" / "metrics.json").read_text("utf-8"))
    notebook = nbformat.read(place / "train.ipynb", 4)
    for cell in notebook.cells:
        cell.pop("outputs", None)
    Execution(notebook, place, 120).result()
    assert "reported numbers came out again" in notebook.cells[-1].outputs[0].text
    for split in ("val", "test"):
        for name, value in found[split].items():
            assert reported[split][name] == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_train_py_refuses_other_data(bundle: Path, tmp_path: Path) -> None:
    place = shutil.copytree(bundle, tmp_path / "alone")
    with (place / "data" / "customers.csv").open("a", encoding="utf-8") as file:
        file.write("1,1,basic,0,city 1,2021-01-01,note,1,yes\n")
    ended = alone(place, "train.py")
    assert ended.returncode != 0
    assert "not the data of the report" in ended.stderr
    (place / "data" / "customers.csv").unlink()
    ended = alone(place, "train.py")
    assert ended.returncode != 0
    assert "--data" in ended.stderr


def test_the_split_is_told(exported: StagedProject, bundle: Path) -> None:
    told = pd.read_csv(bundle / "split.csv")
    with np.load(exported.result_dir(StageId.PREPROCESS) / "split.npz") as split:
        for part in ("train", "val", "test"):
            assert told.loc[told["part"] == part, "row"].tolist() == split[part].tolist()
    assert len(told) == 238


def test_the_model_card(bundle: Path) -> None:
    card = (bundle / "README.md").read_text("utf-8")
    for heading in ("Use", "Data", "Split", "Metrics", "What was tried", "Limits", "Training again"):
        assert f"## {heading}\n" in card
    assert "they were read once" in card
    assert "<script>" not in card
    assert hashlib.sha256((bundle / "data" / "customers.csv").read_bytes()).hexdigest() in card
    assert "95% interval" in card


def test_packing_again_gives_the_same_zip(exported: StagedProject, archive: Path, tmp_path: Path) -> None:
    from jupyter_pipeline.stages.bundle import pack

    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "again")
    _, checksum = pack(tmp_path / "again", tmp_path / "again.zip")
    assert checksum == "sha256:" + hashlib.sha256(archive.read_bytes()).hexdigest()


def test_what_was_left_out_at_the_gate_is_left_out(exported: StagedProject) -> None:
    plan = exported.upstream[StageId.REVIEW_EDIT].plan
    before = dict(plan)
    left = {"report": False, "notebook": False, "training_code": False, "event_log": False, "sample_rows": 0}
    try:
        plan.update(left)
        exported.run(StageId.EXPORT)
        contents = set(exported.events[StageId.EXPORT].of("EXPORT_READY")[0].contents)
        assert {name for name in contents if "/" not in name} == {
            "MANIFEST.json",
            "README.md",
            "metrics.json",
            "predict.py",
            "requirements.txt",
            "split.csv",
        }
        plan.update(notebook=True)
        exported.run(StageId.EXPORT)
        contents = set(exported.events[StageId.EXPORT].of("EXPORT_READY")[0].contents)
        assert {"train.ipynb", "config.json", "modeling/training.py"} <= contents
        assert "train.py" not in contents
    finally:
        plan.clear()
        plan.update(before)


def test_a_bundle_that_predicts_otherwise_is_not_handed_over(exported: StagedProject) -> None:
    plan = exported.upstream[StageId.TRAIN].plan
    runs = json.loads((exported.result_dir(StageId.TRAIN) / "runs.json").read_text("utf-8"))
    before, exports = dict(plan), set((exported.folder / "exports").iterdir())
    try:
        plan["keep"] = next(run_id for run_id in runs if run_id != before["keep"])
        with pytest.raises(StageError, match="was reported"):
            exported.run(StageId.EXPORT)
        assert not exported.events[StageId.EXPORT].of("EXPORT_READY")
        assert set((exported.folder / "exports").iterdir()) == exports
    finally:
        plan.clear()
        plan.update(before)


@pytest.mark.parametrize(
    ("target", "task_type", "models"),
    [
        ("spend", "regression", ("dummy", "xgboost")),
        ("plan", "multiclass", ("dummy", "catboost")),
        ("spend", "regression", ("dummy", "linear", "lightgbm", "ensemble")),
    ],
)
def test_other_tasks(tmp_path: Path, target: str, task_type: str, models: tuple[str, ...]) -> None:
    """The stage itself compares what the bundle predicts with what was reported."""
    project = staged(tmp_path, target, task_type, models)
    if "ensemble" in models:
        runs = json.loads((project.result_dir(StageId.TRAIN) / "runs.json").read_text("utf-8"))
        (kept,) = [run_id for run_id, run in runs.items() if run["model_id"] == "ensemble"]
        project.upstream[StageId.TRAIN].plan["keep"] = kept
    project.run(StageId.REVIEW_EDIT)
    project.run(StageId.EXPORT)
    (archive,) = (project.folder / "exports").iterdir()
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "bundle")
    ended = alone(tmp_path / "bundle", "predict.py", "sample.csv")
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stdout.splitlines()) == 6
    ended = alone(tmp_path / "bundle", "train.py")
    assert ended.returncode == 0, ended.stderr + ended.stdout
    if "ensemble" in models:
        # What is told of it says how many models it is, not how many rounds chose them.
        members = len(runs[kept]["all_params"])
        page = (tmp_path / "bundle" / "report.html").read_text("utf-8")
        assert f"{members} model{'' if members == 1 else 's'} averaged" in page
        own = number(runs[kept]["out_of_bag"])
        assert f"With each row predicted by weights chosen without it, that is {own}." in page
        notebook = (tmp_path / "bundle" / "train.ipynb").read_text("utf-8")
        assert f"models: {members} features: " in notebook
        assert "Loss after every iteration" not in notebook
