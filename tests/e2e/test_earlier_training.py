"""Trained again with more time, and back to the first result: nothing that was trained is lost."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_pipeline import Pipeline
from jupyter_pipeline.verify import VerificationError, verify
from tests.processes import free_port
from tests.server.conftest import TOKEN, Server

SHORT_S, LONG_S = 2.0, 6.0
FOREST = {"id": "random_forest", "params": {"n_estimators": 5000, "min_samples_leaf": 50}}


def table() -> pd.DataFrame:
    """So much that no forest of 5,000 trees is ready within seconds."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(20_000, 8)), columns=list("abcdefgh"))
    return frame.assign(y=frame["a"] + frame["b"] * frame["c"] + rng.normal(size=len(frame)))


def trained(p: Pipeline) -> dict[str, Any]:
    """The run that TRAIN proposes to keep, of the forest, at its gate."""
    p.run(until="TRAIN", quiet=True, timeout=120)
    (row,) = p.leaderboard.query("model == 'random_forest'").to_dict("records")
    assert p.plan["keep"] == row["run_id"]
    return row


def reported(p: Pipeline, folder: Path, name: str) -> float:
    """The score on the validation rows that the bundle reports, once it is exported."""
    p.run(until="EXPORT", quiet=True, timeout=240)
    bundle = p.download(folder / f"{name}.zip")
    verify(bundle)
    with zipfile.ZipFile(bundle) as archive:
        said = json.loads(archive.read("metrics.json"))
        assert p.state["stages"][5]["plan_json"]["keep"] in archive.read("report.html").decode()
    value: float = said["metrics"]["val"][said["task"]["metric"]]
    return value


def test_both_results_of_training_can_be_reviewed_and_exported(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    server = Server(root=root, port=free_port(), base_url="/", args=["--PipelineApp.warm_workers=1"])
    server.start()
    folder = root / "pipelines" / "demo"
    try:
        with Pipeline("demo", url=f"http://127.0.0.1:{server.port}/", token=TOKEN) as p:
            p.attach(table())
            p.chat("Predict y, a regression.")
            p.run(until="MODEL_SELECT", quiet=True, timeout=120)
            p.update_plan(models=[{"id": "dummy", "params": {}}, FOREST], trials=1, time_budget_s=SHORT_S)
            short = trained(p)
            assert "Runs again" in p.chat(f"Train {LONG_S:g} seconds.")
            long = trained(p)
            assert long["run_id"] != short["run_id"]
            assert long["metric"] != short["metric"]
            plan = p.state["stages"][4]["plan_json"]
            made = {path.relative_to(folder) for path in folder.glob("artifacts/trials/*/model/*")}
            # The way back that a chat offers: the training is not done again.
            assert "Taken back at the stage Models" in p.chat("undo")
            p.run(until="MODEL_SELECT", quiet=True, timeout=60)
            assert p.plan["time_budget_s"] == SHORT_S
            assert trained(p) == short
            assert reported(p, tmp_path, "short") == short["metric"]
            verify(folder)
            # All that can come back is held against the log.
            (other,) = folder.glob(f"artifacts/trials/*-{long['run_id'].split('-')[1]}")
            file = next(path for path in (other / "model").iterdir() if path.name != "model.json")
            data = file.read_bytes()
            file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
            with pytest.raises(VerificationError, match=f"{file.name} was changed"):
                verify(folder)
            file.write_bytes(data)
            # And the one that a command offers, to the other result, on a server that was killed meanwhile.
            assert server.process is not None
            server.process.kill()
            server.process.wait()
        server.start()
        with Pipeline("demo", url=f"http://127.0.0.1:{server.port}/", token=TOKEN) as p:
            p.restart_stage("MODEL_SELECT", **(plan | {"time_budget_s": LONG_S}))
            p.wait("MODEL_SELECT", timeout=60)
            assert trained(p) == long
            assert reported(p, tmp_path, "long") == long["metric"]
            assert {path.relative_to(folder) for path in folder.glob("artifacts/trials/*/model/*")} == made
        verify(folder)
    finally:
        server.stop()
