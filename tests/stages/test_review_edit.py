"""REVIEW_EDIT on a real small project: the run on the test rows, the code, the notebook and the report."""

import html.parser
import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

from jupyter_pipeline.protocol.stages import StageId
from jupyter_pipeline.stages import bundle, workspace
from jupyter_pipeline.stages.base import StageError

from .conftest import Recorder, StagedProject, staged


@pytest.fixture(scope="module")
def reviewed(binary_project: StagedProject) -> StagedProject:
    binary_project.run(StageId.REVIEW_EDIT)
    return binary_project


@pytest.fixture(scope="module")
def events(reviewed: StagedProject) -> Recorder:
    return reviewed.events[StageId.REVIEW_EDIT]


def test_the_final_run_is_whole_and_in_order(reviewed: StagedProject, events: Recorder) -> None:
    run = [p for p in events.payloads if str(getattr(p, "run_id", "")).startswith("final-")]
    assert run[0].NAME == "TRAIN_RUN_STARTED"
    assert run[0].config["source_run"] == reviewed.upstream[StageId.TRAIN].plan["keep"]
    assert run[0].config["split"] == "test"
    assert run[-1].NAME == "TRAIN_RUN_FINISHED"
    assert run[-1].status == "success"
    assert {m.split for m in run[-1].final_metrics.metrics} == {"test"}
    steps = [p for p in run if p.NAME == "TRAIN_PROGRESS"]
    assert [p.step for p in steps] == list(range(1, len(steps) + 1))
    assert steps[0].phase == "init"
    assert steps[-1].phase == "finalize"
    assert steps[-1].pct == 1.0
    assert all(a.pct <= b.pct for a, b in itertools.pairwise(steps))
    names = [p.NAME for p in run]
    for name in ("EVALUATION_STARTED", "CLASSIFICATION_METRICS_READY", "CONFUSION_MATRIX_READY", "ROC_CURVE_READY"):
        assert names.count(name) == 1
    for name in ("PRECISION_RECALL_CURVE_READY", "FEATURE_IMPORTANCE_READY", "EVALUATION_COMPLETE"):
        assert names.count(name) == 1
    assert names.count("SHAP_EXPLANATIONS_READY") == 1
    scalars = {p.name: p.value for p in run if p.NAME == "METRIC_SCALAR"}
    assert scalars == {m.name: m.value for m in run[-1].final_metrics.metrics}
    assert {p.split for p in run if p.NAME == "METRIC_SCALAR"} == {"test"}
    reported = json.loads((reviewed.result_dir(StageId.REVIEW_EDIT) / "review.json").read_text("utf-8"))
    assert reported["metrics"]["test"] == scalars


def test_what_is_announced_is_there(reviewed: StagedProject, events: Recorder) -> None:
    ids = [p.artifact.id for p in events.of("ARTIFACT_ADDED")]
    assert len(ids) == len(set(ids))
    for added in events.of("ARTIFACT_ADDED"):
        assert (reviewed.folder / added.artifact.meta["path"]).is_file()
    urls = {p.artifact.url for p in events.of("ARTIFACT_ADDED")}
    for name in ("REPORT_READY", "NOTEBOOK_READY"):
        assert events.of(name)[0].asset_url in urls
    (complete,) = events.of("EVALUATION_COMPLETE")
    assert set(complete.artifacts) <= set(ids)
    for suggestion in events.of("EDIT_SUGGESTIONS")[0].suggestions:
        assert set(suggestion) == {"title", "why", "chat"}
        assert all(suggestion.values())


def test_shap_values_are_those_of_the_kept_model(reviewed: StagedProject) -> None:
    folder = reviewed.result_dir(StageId.REVIEW_EDIT) / "evaluation"
    found = json.loads((folder / "shap.json").read_text("utf-8"))
    assert (folder / "shap.png").read_bytes().startswith(b"\x89PNG")
    review = json.loads((folder.parent / "review.json").read_text("utf-8"))
    assert sorted(column["name"] for column in found["columns"]) == sorted(review["needs"])
    assert found["method"] == "exact"
    assert len(found["rows"]) == min(200, review["split"]["rows"]["test"])


def test_importance_says_something_also_where_a_threshold_decides(reviewed: StagedProject) -> None:
    folder = reviewed.result_dir(StageId.REVIEW_EDIT)
    found = json.loads((folder / "evaluation" / "importance.json").read_text("utf-8"))
    assert reviewed.upstream[StageId.MODEL_SELECT].plan["metric"] == "f1"
    assert found["metric"] == "roc_auc"
    assert found["columns"][0]["mean"] > 0.01
    assert "How much worse ROC AUC gets" in (folder / "report.html").read_text("utf-8")
    review = json.loads((folder / "review.json").read_text("utf-8"))
    # What is suggested goes by the validation rows.
    assert review["val_importance"]["n_rows"] == review["split"]["rows"]["val"]


def test_code_workspace(reviewed: StagedProject, events: Recorder) -> None:
    (ready,) = events.of("CODE_WORKSPACE_READY")
    named = {entry.path for entry in ready.files}
    assert {"code/train.py", "code/config.json", "code/train.ipynb", "code/modeling/training.py"} <= named
    told = events.of("FILE_TREE_UPDATE")[0].files
    assert told[:-1] == ready.files
    assert told[-1].path == "code/.manifest.json"  # a change of it is seen, but it is no code
    for entry in told:
        assert workspace.sha256((reviewed.folder / entry.path).read_bytes()) == entry.sha
    manifest = json.loads((reviewed.folder / "code" / ".manifest.json").read_text("utf-8"))["files"]
    for name, sha in manifest.items():
        assert workspace.sha256((reviewed.folder / "code" / name).read_bytes()) == sha
    for path in (reviewed.folder / "code").rglob("*.py"):
        assert "jupyter_pipeline" not in path.read_text("utf-8")


def test_the_notebook_was_executed(reviewed: StagedProject, events: Recorder) -> None:
    notebook = nbformat.read(reviewed.result_dir(StageId.REVIEW_EDIT) / "training" / "train.ipynb", 4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [o for cell in cells for o in cell.outputs if o.output_type == "error" or o.get("name") == "stderr"]
    assert "reported numbers came out again" in cells[-1].outputs[0].text
    assert any("image/png" in o.get("data", {}) for cell in cells for o in cell.outputs)
    # Meanwhile it was said where it is.
    headings = [cell.source.splitlines()[0][3:] for cell in notebook.cells if cell.source.startswith("## ")]
    said = [p.text for p in events.payloads if p.NAME == "LOG_LINE" and p.text.startswith("The notebook: ")]
    assert len(headings) > 3
    assert said == [f"The notebook: {heading}." for heading in headings]


def test_train_py_comes_to_the_same_numbers_again(reviewed: StagedProject, tmp_path: Path) -> None:
    """The person's copy of the code, from the raw data."""
    out = tmp_path / "out"
    command = [sys.executable, "train.py", "--out", str(out)]
    ended = subprocess.run(command, cwd=reviewed.folder / "code", capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    found = json.loads((out / "metrics.json").read_text("utf-8"))
    review = json.loads((reviewed.result_dir(StageId.REVIEW_EDIT) / "review.json").read_text("utf-8"))
    for split in ("val", "test"):
        for name, value in review["metrics"][split].items():
            assert found[split][name] == pytest.approx(value, rel=1e-9, abs=1e-9)


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_report_needs_nothing_else_and_escapes_names(reviewed: StagedProject) -> None:
    page = (reviewed.result_dir(StageId.REVIEW_EDIT) / "report.html").read_text("utf-8")
    parsed = _Tags()
    parsed.feed(page)
    assert "script" not in parsed.tags
    assert "link" not in parsed.tags
    assert parsed.sources
    assert all(source.startswith("data:image/png;base64,") for source in parsed.sources)
    assert "<script>alert(1)</script>" in parsed.text
    assert "url(" not in page
    assert "2 rows without a target" in page
    review = json.loads((reviewed.result_dir(StageId.REVIEW_EDIT) / "review.json").read_text("utf-8"))
    assert review["data"]["sha256"] in page
    assert len(review["runs"]) >= 3
    for run in review["runs"]:
        assert run["run_id"] in page
    assert sum(run["kept"] for run in review["runs"]) == 1


def test_intervals_hold_their_values(reviewed: StagedProject) -> None:
    review = json.loads((reviewed.result_dir(StageId.REVIEW_EDIT) / "review.json").read_text("utf-8"))
    metric = review["task"]["metric"]
    low, high = review["intervals"][metric]
    assert low <= review["metrics"]["test"][metric] <= high


def test_test_rows_are_read_once_and_counted(reviewed: StagedProject) -> None:
    assert len(reviewed.test_reads) == 1
    page = (reviewed.result_dir(StageId.REVIEW_EDIT) / "report.html").read_text("utf-8")
    assert "they were read once" in page


def test_another_model_on_the_same_test_rows_is_said(reviewed: StagedProject, tmp_path: Path) -> None:
    again = _copy(reviewed, tmp_path)
    runs = json.loads((again.result_dir(StageId.TRAIN) / "runs.json").read_text("utf-8"))
    keep = reviewed.upstream[StageId.TRAIN].plan["keep"]
    other = next(run_id for run_id in runs if run_id != keep and "dummy" in run_id)
    again.upstream[StageId.TRAIN].plan.update(keep=other, threshold=None)
    (first,) = reviewed.test_reads
    again.test_reads = (first, {**first, "rows": "those of another seed"})
    again.run(StageId.REVIEW_EDIT)
    page = (again.result_dir(StageId.REVIEW_EDIT) / "report.html").read_text("utf-8")
    assert "read 2 times in this project, for 2 different models" in page
    assert "The same data were also divided in one other way, with other test rows" in page


def test_a_threshold_that_a_person_set_is_told_beside_the_scores_of_the_runs(
    reviewed: StagedProject, tmp_path: Path
) -> None:
    """By these the kept model has another score than by its metrics."""
    assert "that was set" not in (reviewed.result_dir(StageId.REVIEW_EDIT) / "report.html").read_text("utf-8")
    again = _copy(reviewed, tmp_path)
    again.test_reads = ()
    again.upstream[StageId.TRAIN].plan.update(threshold=0.01)
    again.run(StageId.REVIEW_EDIT)
    folder = again.result_dir(StageId.REVIEW_EDIT)
    review = json.loads((folder / "review.json").read_text("utf-8"))
    (kept,) = [run for run in review["runs"] if run["kept"]]
    assert review["metrics"]["val"]["f1"] != pytest.approx(kept["metric"], abs=1e-3)
    told = f"with the 0.01 that was set for it, its F1 on these rows is {review['metrics']['val']['f1']:.4f}."
    assert told in (folder / "report.html").read_text("utf-8")
    parts = dict.fromkeys(("report", "notebook", "training_code", "event_log", "data", "sample"), True)
    assert told in bundle.model_card(review, parts)


def test_what_an_earlier_version_counted_goes_on(reviewed: StagedProject, tmp_path: Path) -> None:
    """In a file: its log does not say which rows a run read."""
    again = _copy(reviewed, tmp_path)
    (first,) = reviewed.test_reads
    again.test_reads = ({name: first[name] for name in ("source_run", "split", "threshold")},)
    old = {"attempt": 7, "model": first["fingerprint"], **{name: first[name] for name in ("threshold", "data", "rows")}}
    file = again.folder / "artifacts" / "test-reads.json"
    file.write_text(json.dumps([old, {**old, "attempt": 9, "model": "another"}]), "utf-8")
    again.run(StageId.REVIEW_EDIT)
    page = (again.result_dir(StageId.REVIEW_EDIT) / "report.html").read_text("utf-8")
    assert "read 3 times in this project, for 2 different models" in page
    file.write_text("[{", "utf-8")
    with pytest.raises(StageError, match=r"test-reads\.json.* is damaged"):
        again.run(StageId.REVIEW_EDIT)


@pytest.mark.parametrize("name", ["trial.json", "history.json", "model/model.json", "model/more.json"])
def test_a_model_that_is_not_the_one_that_was_measured_is_not_evaluated(
    reviewed: StagedProject, tmp_path: Path, name: str
) -> None:
    """It was trained again with more time, which a result that serves again does not know, or somebody changed it."""
    again = _copy(reviewed, tmp_path)
    runs = json.loads((again.result_dir(StageId.TRAIN) / "runs.json").read_text("utf-8"))
    with (again.folder / runs[again.upstream[StageId.TRAIN].plan["keep"]]["trial_dir"] / name).open("a") as file:
        file.write("\n")
    with pytest.raises(StageError, match="is not the one that was measured"):
        again.run(StageId.REVIEW_EDIT)
    assert not again.events[StageId.REVIEW_EDIT].of("EVALUATION_STARTED")


def test_an_edited_file_is_kept_and_named(reviewed: StagedProject, tmp_path: Path) -> None:
    again = _copy(reviewed, tmp_path)
    file = again.folder / "code" / "modeling" / "models.py"
    text = file.read_text("utf-8") + "\n# a remark of mine\n"
    file.write_text(text, encoding="utf-8")
    again.run(StageId.REVIEW_EDIT)
    assert file.read_text("utf-8") == text
    taken = again.result_dir(StageId.REVIEW_EDIT) / "training" / "modeling" / "models.py"
    assert taken.read_text("utf-8") == text
    assert any("code/modeling/models.py was edited" in p.text for p in again.events[StageId.REVIEW_EDIT].of("LOG_LINE"))
    page = (again.result_dir(StageId.REVIEW_EDIT) / "report.html").read_text("utf-8")
    assert "edited by hand: modeling/models.py" in page


def test_code_that_gives_other_numbers_fails_with_a_clear_message(reviewed: StagedProject, tmp_path: Path) -> None:
    again = _copy(reviewed, tmp_path)
    file = again.folder / "code" / "modeling" / "splitting.py"
    text = file.read_text("utf-8")
    file.write_text(text.replace("np.random.default_rng(seed)", "np.random.default_rng(seed + 1)"), encoding="utf-8")
    with pytest.raises(StageError, match=r"did not come to the reported numbers.*restart the stage Training"):
        again.run(StageId.REVIEW_EDIT)


def test_regression_with_defaults(tmp_path: Path) -> None:
    project = staged(tmp_path, "spend", "regression", ("dummy", "linear"))
    result = project.run(StageId.REVIEW_EDIT)
    review = json.loads((project.result_dir(StageId.REVIEW_EDIT) / "review.json").read_text("utf-8"))
    most = [row["name"] for row in review["importance"]["columns"] if row["mean"] > 0][:3]
    assert most
    said, *remarks = result.summary.split("\n")
    assert f"What counts most: {', '.join(most)}." in said
    assert remarks == review["cautions"][:2]
    recorder = project.events[StageId.REVIEW_EDIT]
    assert len(recorder.of("REGRESSION_METRICS_READY")) == 1
    assert len(recorder.of("RESIDUALS_PLOT_READY")) == 1
    finished = recorder.of("TRAIN_RUN_FINISHED")[0].final_metrics
    assert {m.name for m in finished.metrics} == {"rmse", "mae", "r2", "mape", "median_ae"}
    assert all(m.value is not None and np.isfinite(m.value) for m in finished.metrics)


def _copy(project: StagedProject, tmp_path: Path) -> StagedProject:
    """The project in another folder, so that a test can change it."""
    other = StagedProject(tmp_path, project.project_id)
    shutil.rmtree(other.folder)
    shutil.copytree(project.folder, other.folder)
    old, new = str(project.folder), str(other.folder)
    for path in [*other.folder.rglob("table.json"), *other.folder.rglob("runs.json")]:
        path.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")
    for stage_id, upstream in project.upstream.items():
        moved = upstream.result_dir.replace(old, new)
        other.upstream[stage_id] = type(upstream)(plan=dict(upstream.plan), result_dir=moved)
    other.datasets, other.attempt, other.test_reads = project.datasets, project.attempt, project.test_reads
    return other
