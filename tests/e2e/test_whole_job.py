"""The whole job against a real Jupyter server, from messy data to a bundle that stands alone."""

import hashlib
import json
import subprocess
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from jupyter_pipeline import Pipeline
from jupyter_pipeline.protocol.events import EVENT_TYPES
from jupyter_pipeline.protocol.frames import decode_event
from jupyter_pipeline.verify import VerificationError, verify
from tests.processes import free_port
from tests.server.conftest import TOKEN, Server

STAGES = [
    "PARSE_INTENT",
    "DATA_SOURCE",
    "PROFILE_DATA",
    "PREPROCESS",
    "MODEL_SELECT",
    "TRAIN",
    "REVIEW_EDIT",
    "EXPORT",
]


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("e2e") / "root"
    root.mkdir()
    server = Server(root=root, port=free_port(), base_url="/", args=["--PipelineApp.warm_workers=1"])
    server.start()
    yield server
    server.stop()


def messy(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Real columns with the troubles of everyday data: gaps, text, a date, many categories, a constant."""
    frame = frame.sample(min(rows, len(frame)), random_state=0).reset_index(drop=True)
    rng = np.random.default_rng(0)
    first, second = frame.columns[:2]
    frame[first] = frame[first].where(rng.random(len(frame)) > 0.15)
    frame["remark"] = [
        f"{'high' if value > frame[second].median() else 'low'} reading, checked by {rng.choice(['ana', 'bo', 'cy'])}"
        for value in frame[second]
    ]
    frame["seen"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, len(frame)), unit="D")
    frame["shop"] = [f"shop-{n}" for n in rng.integers(0, 60, len(frame))]
    frame["country"] = "NL"
    return frame


def binary() -> pd.DataFrame:
    frame = load_breast_cancer(as_frame=True).frame.iloc[:, [0, 1, 4, 6, 7, 20, -1]]
    frame["target"] = frame["target"].map({0: "malignant", 1: "benign"})
    return messy(frame, 400)


def multiclass() -> pd.DataFrame:
    frame = load_wine(as_frame=True).frame
    frame["target"] = frame["target"].map({0: "Barolo", 1: "Grignolino", 2: "Barbera"})
    return messy(frame, 178)


def regression() -> pd.DataFrame:
    return messy(load_diabetes(as_frame=True).frame, 442)


JOBS = {
    "binary": (binary, "Predict target. Optimise recall, keep it under 3 seconds. Use lightgbm and linear models."),
    "multiclass": (multiclass, "Predict target within 20 seconds, only random forest and xgboost."),
    "regression": (regression, "Predict target, a regression, minimise MAE, within 3 seconds, catboost and linear."),
}
HEARD: dict[str, set[str]] = {}
"""Names of the events of each job."""


@pytest.mark.parametrize("task", JOBS)
def test_from_a_sentence_and_a_frame_to_a_bundle_that_stands_alone(jupyter: Server, tmp_path: Path, task: str) -> None:
    make, prompt = JOBS[task]
    frame = make()
    with Pipeline(task, url=f"http://127.0.0.1:{jupyter.port}/", token=TOKEN) as p:
        p.attach(frame)
        p.chat(prompt)
        p.run(until="REVIEW_EDIT", confirm=True, timeout=300)
        if task != "regression":
            label = {"binary": "malignant", "multiclass": "Barolo"}[task]
            matrix = next((jupyter.root / "pipelines" / task).glob("artifacts/review_edit-*/*/confusion_matrix.json"))
            found = json.loads(matrix.read_text())
            row = found["matrix"][found["classes"].index(label)]
            assert f" test rows. {label}: {max(row)} of {sum(row)} are called so" in p.chat(f"recall for {label}?")
        p.update_plan(sample_rows=3)
        p.run(until="EXPORT", confirm=True, timeout=300)
        state = p.state
        assert [s["status"] for s in state["stages"]] == ["COMPLETED"] * 8
        events = p.events()
        check_events(events)
        check_runs(events)
        bundle = p.download(tmp_path / "export.zip")
        predictions = p.predict(frame.drop(columns="target").head(7))
        assert len(predictions) == 7
        first = frame.columns[0]
        with pytest.warns(UserWarning, match=f"'{first}' holds values that are no finite numbers, such as 'broad'"):
            p.predict(frame.head(2).assign(**{first: "broad"}))
        board = p.leaderboard
        assert (board["status"] == "success").sum() >= 2
        HEARD[task] = {e["event"]["name"] for e in events}
        if task == "regression":
            any_changed_file_is_found(jupyter.root / "pipelines" / task)
        if task == "multiclass":
            edit_and_train_again(p, jupyter.root / "pipelines" / task)
    ready = [e for e in events if e["event"]["name"] == "EXPORT_READY"][-1]["event"]["payload"]
    assert ready["checksum"] == "sha256:" + hashlib.sha256(bundle.read_bytes()).hexdigest()
    check_bundle(bundle, ready["contents"], tmp_path, task, events)
    assert any("leaderboard" in said for said in verify(bundle))


def any_changed_file_is_found(project: Path) -> None:
    """A byte of each file of the project, models too: the code, which is the person's to edit, is told."""
    told = verify(project)
    assert "models" in told[-2]
    assert told[-1].endswith("nothing in it was edited since.")  # and there is nothing that the log does not name
    files = [path for path in project.rglob("*") if path.is_file()]
    said = dict.fromkeys((path.relative_to(project).as_posix() for path in files), "")
    for path in files:
        data = path.read_bytes()
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:] if data else b"x")
        try:
            changed = verify(project)
            said[path.relative_to(project).as_posix()] = changed[-1]
        except VerificationError as error:
            said[path.relative_to(project).as_posix()] = str(error)
        path.write_bytes(data)
    assert verify(project) == told
    assert not {name for name, why in said.items() if name not in why}
    code = {name: why for name, why in said.items() if name.startswith("code/")}
    assert len(code) > 10
    assert all(why.endswith(f"edited since: {name}.") for name, why in code.items())
    assert len(said) - len(code) > 60


def edit_and_train_again(p: Pipeline, folder: Path) -> None:
    """The person changes a default in the project's code; a restart of TRAIN runs that."""
    file = folder / "code" / "modeling" / "models.py"
    text = file.read_text()
    assert text.count('"n_estimators": Parameter(200,') == 1
    file.write_text(text.replace('"n_estimators": Parameter(200,', '"n_estimators": Parameter(17,'))
    p.restart_stage("TRAIN")
    p.wait("TRAIN", timeout=120)
    forests = p.leaderboard.query("model == 'random_forest' and status == 'success'")
    assert {params["n_estimators"] for params in forests["params"]} == {17}
    assert [s["status"] for s in p.state["stages"]][5:] == ["WAITING_CONFIRMATION", "PENDING", "PENDING"]


def test_every_event_of_the_contract_was_heard() -> None:
    """Over the three jobs, each event of the table comes at least once."""
    if set(HEARD) != set(JOBS):
        pytest.skip("not all jobs ran")
    assert set.union(*HEARD.values()) == set(EVENT_TYPES)


def check_events(events: list[dict[str, Any]]) -> None:
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    for event in events:
        decode_event(json.dumps(event))
    seen = [e["event"]["payload"]["stage_id"] for e in events if e["event"]["name"] == "WAITING_CONFIRMATION"]
    assert list(dict.fromkeys(seen)) == STAGES[:-1]
    chat = [e["event"]["payload"] for e in events if e["event"]["payload"].get("run_id") == "chat"]
    assert [line["source"] for line in chat[:2]] == ["user", "assistant"]
    assert chat[1]["text"].startswith("Understood"), "the request is answered"


def check_runs(events: list[dict[str, Any]]) -> None:
    """Every run starts first, finishes last and once, and its steps rise by one."""
    runs: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for event in events:
        payload = event["event"]["payload"]
        if "run_id" in payload and event["event"]["name"] != "LOG_LINE":
            runs[payload["run_id"]].append((event["event"]["name"], payload))
    assert len(runs) >= 3
    for said in runs.values():
        names = [name for name, _ in said]
        assert names[0] == "TRAIN_RUN_STARTED"
        assert names[-1] == "TRAIN_RUN_FINISHED"
        assert names.count("TRAIN_RUN_FINISHED") == 1
        steps = [p["step"] for name, p in said if name == "TRAIN_PROGRESS"]
        assert steps == list(range(1, len(steps) + 1))
        pcts = [p["pct"] for name, p in said if name == "TRAIN_PROGRESS"]
        assert pcts == sorted(pcts)
        assert all(p["source"] == "measured" for name, p in said if name == "METRIC_SCALAR")
    test_runs = {p["run_id"] for said in runs.values() for _, p in said if p.get("split") == "test"}
    assert len(test_runs) == 1, "test rows are read once"


def check_bundle(bundle: Path, contents: list[str], folder: Path, task: str, events: list[dict[str, Any]]) -> None:
    place = folder / "bundle"
    with zipfile.ZipFile(bundle) as archive:
        assert sorted(archive.namelist()) == sorted(contents)
        archive.extractall(place)
    manifest = json.loads((place / "MANIFEST.json").read_text())
    for name, entry in manifest["files"].items():
        assert hashlib.sha256((place / name).read_bytes()).hexdigest() == entry["sha256"], name
    for name in ("README.md", "predict.py", "requirements.txt", "train.py", "train.ipynb", "report.html",
                 "metrics.json", "events.jsonl"):  # fmt: skip
        assert (place / name).is_file(), name
    assert not list(place.rglob("*.pkl")) + list(place.rglob("*.joblib"))

    final = [e["event"]["payload"] for e in events if e["event"]["name"] == "TRAIN_RUN_FINISHED"][-1]
    reported = {m["name"]: m["value"] for m in final["final_metrics"]["metrics"] if m["split"] == "test"}
    split = pd.read_csv(place / "split.csv")
    data = pd.read_parquet(next((place / "data").glob("*.parquet")))
    test = data.iloc[split.loc[split["part"] == "test", "row"]]
    rows = folder / "rows.csv"
    test.drop(columns="target").to_csv(rows, index=False)
    out = folder / "predictions.csv"
    subprocess.run(
        [sys.executable, "-I", str(place / "predict.py"), str(rows), "--out", str(out)],
        check=True,
        cwd=folder,
        timeout=120,
    )
    predicted = pd.read_csv(out)
    truth = test["target"].to_numpy()
    assert len(predicted) == len(truth)
    if task == "regression":
        measured = {
            "rmse": metrics.root_mean_squared_error(truth, predicted["prediction"]),
            "mae": metrics.mean_absolute_error(truth, predicted["prediction"]),
            "r2": metrics.r2_score(truth, predicted["prediction"]),
        }
    else:
        measured = {
            "accuracy": metrics.accuracy_score(truth, predicted["prediction"]),
            "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted["prediction"]),
        }
    for name, value in measured.items():
        assert value == pytest.approx(reported[name], abs=1e-9), name
