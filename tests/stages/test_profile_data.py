"""PROFILE_DATA on files: what is announced, what is written, and what is proposed."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from jupyter_pipeline.automl.reading import settle, sniff, sniff_bundled
from jupyter_pipeline.protocol.events import Payload
from jupyter_pipeline.protocol.jobs import Job, Upstream
from jupyter_pipeline.protocol.plans import ProfilePlan
from jupyter_pipeline.protocol.stages import StageId
from jupyter_pipeline.stages import profile_data
from jupyter_pipeline.stages.base import Result, StageContext, StageError


class Recorder:
    """Keeps what a stage says."""

    def __init__(self) -> None:
        self.said: list[Payload] = []

    def emit(self, payload: Payload) -> None:
        msgspec.json.encode(payload)
        self.said.append(payload)

    def finish_requested(self) -> bool:
        return False

    def last_run(self) -> int | None:
        return None

    def of(self, name: str) -> list[Any]:
        return [payload for payload in self.said if name == payload.NAME]


def stage(
    folder: Path, spec: Any, target: str, task_type: str, params: dict[str, Any] | None = None
) -> tuple[Result, Recorder, Path]:
    source, out = folder / "artifacts" / "data_source-1", folder / "artifacts" / "profile_data-2.tmp"
    source.mkdir(parents=True, exist_ok=True)
    out.mkdir(exist_ok=True)
    (source / "table.json").write_text(json.dumps(spec.to_dict()))
    plan = {"dataset_id": "data", "target": target, "task_type": task_type, "metric": "auto"}
    job = Job(
        project_id="p",
        stage_id=StageId.PROFILE_DATA,
        attempt=2,
        project_dir=str(folder),
        workspace_dir=str(folder),
        out_dir=str(out),
        result_dir=str(folder / "artifacts" / "profile_data-2"),
        asset_base_url="/api/projects/p/assets",
        params=params or {},
        upstream={
            StageId.PARSE_INTENT: Upstream(plan={}, result_dir=""),
            StageId.DATA_SOURCE: Upstream(plan=plan, result_dir=str(source)),
        },
    )
    recorder = Recorder()
    return profile_data.run(StageContext(job, recorder)), recorder, out


@pytest.fixture
def churn(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    n = 600
    frame = pl.DataFrame(
        {
            "customer_id": [f"C{i:05d}" for i in range(n)],
            "age": [None if i % 9 == 0 else int(a) for i, a in enumerate(rng.integers(18, 90, n))],
            "plan": rng.choice(["basic", "plus", "pro"], n),
            "joined": [f"{2015 + i % 9}-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(n)],
            "note": [f"wrote in on day {i} that the service was too slow" for i in range(n)],
            "empty": [None] * n,
            "same": ["x"] * n,
            "churn": rng.choice(["yes", "no"], n, p=[0.1, 0.9]),
        }
    )
    path = tmp_path / "churn.csv"
    frame.write_csv(path)
    return path


def test_everything_is_announced_and_written(churn: Path, tmp_path: Path) -> None:
    spec = settle(sniff(churn))
    result, recorder, out = stage(tmp_path, spec, "churn", "binary")
    assert isinstance(result.plan, ProfilePlan)
    assert result.plan.roles == {
        "customer_id": "id",
        "age": "feature",
        "plan": "feature",
        "joined": "feature",
        "note": "feature",
        "empty": "ignore",
        "same": "ignore",
        "churn": "target",
    }
    assert "600 rows and 8 columns" in result.summary
    assert any("'joined' the role 'time'" in action for action in result.next_actions)

    profile = json.loads((out / "profile.json").read_text())
    assert (profile["n_rows"], profile["n_cols"]) == (600, 8)
    assert profile["columns"]["joined"]["kind"] == "datetime"
    assert profile["columns"]["note"]["kind"] == "text"
    assert profile["columns"]["age"]["missing"] == 67
    [summary] = recorder.of("PROFILE_SUMMARY")
    assert summary.n_rows == 600
    assert summary.missing_pct == pytest.approx(667 / 4800)
    assert list(summary.warnings) == profile["warnings"]

    pcts = [event.pct for event in recorder.of("PROFILE_PROGRESS")]
    assert pcts == sorted(pcts)
    assert pcts[-1] == 1.0
    files = {Path(event.artifact.meta["path"]).name: event.artifact for event in recorder.of("ARTIFACT_ADDED")}
    assert set(files) == {"profile.json", "missingness.json", "target.json", "report.html"}
    assert recorder.of("MISSINGNESS_TABLE_READY")[0].asset_url == files["missingness.json"].url
    assert recorder.of("TARGET_DISTRIBUTION_READY")[0].asset_url == files["target.json"].url
    missing = json.loads((out / "missingness.json").read_text())
    assert missing["columns"][0] == {"column": "empty", "missing": 600, "share": 1.0}
    classes = json.loads((out / "target.json").read_text())["classes"]
    assert sum(row["count"] for row in classes) == 600
    assert "skrub" in (out / "report.html").read_text("utf-8")


def test_numbers_have_a_histogram(tmp_path: Path) -> None:
    result, _, out = stage(tmp_path, settle(sniff_bundled("diabetes")), "target", "regression")
    target = json.loads((out / "target.json").read_text())
    assert sum(target["histogram"]["counts"]) == 442
    assert target["mean"] == pytest.approx(152.1335, abs=1e-4)
    assert "442 rows" in result.summary


def test_a_persons_roles_stand(churn: Path, tmp_path: Path) -> None:
    params = {"roles": {"joined": "time", "customer_id": "feature", "gone": "ignore", "churn": "feature"}}
    result, recorder, _ = stage(tmp_path, settle(sniff(churn)), "churn", "binary", params)
    assert isinstance(result.plan, ProfilePlan)
    assert result.plan.roles["joined"] == "time"
    assert result.plan.roles["customer_id"] == "feature"
    assert result.plan.roles["churn"] == "target"
    assert "gone" not in result.plan.roles
    assert any("gone" in line.text for line in recorder.of("LOG_LINE"))
    with pytest.raises(StageError, match="no valid plan"):
        stage(tmp_path, settle(sniff(churn)), "churn", "binary", {"roles": {"joined": "boss"}})


def test_three_rows_and_infinities(tmp_path: Path) -> None:
    path = tmp_path / "three.csv"
    path.write_text("a,b,y\n1.5,inf,x\nNaN,2.5,z\n3.5,,x\n")
    _, recorder, out = stage(tmp_path, settle(sniff(path)), "y", "binary")
    columns = json.loads((out / "profile.json").read_text())["columns"]
    assert columns["a"]["missing"] == 1
    assert columns["b"]["infinite"] == 1
    assert any("only 3 rows" in w for w in recorder.of("PROFILE_SUMMARY")[0].warnings)


def test_what_cannot_be_is_said(churn: Path, tmp_path: Path) -> None:
    spec = settle(sniff(churn))
    with pytest.raises(StageError, match="no column 'sales'"):
        stage(tmp_path, spec, "sales", "binary")
    useless = tmp_path / "useless.csv"
    useless.write_text("id,same,y\n" + "".join(f"{i},x,{i % 2}\n" for i in range(40)))
    with pytest.raises(StageError, match="no column can be learned from"):
        stage(tmp_path, settle(sniff(useless)), "y", "binary")
    churn.write_bytes(churn.read_bytes().rstrip(b"\n") + b" \n")
    with pytest.raises(StageError, match=r"churn\.csv was changed after the stage Data had looked at it"):
        stage(tmp_path, spec, "churn", "binary")
    churn.unlink()
    with pytest.raises(StageError, match=r"churn\.csv"):
        stage(tmp_path, spec, "churn", "binary")
    (tmp_path / "artifacts" / "data_source-1" / "table.json").unlink()
    with pytest.raises(StageError, match=r"the stage Data .* restart that stage"):
        profile_data.table_spec(StageContext(_job(tmp_path), Recorder()))


def _job(folder: Path) -> Job:
    source = Upstream(plan={}, result_dir=str(folder / "artifacts" / "data_source-1"))
    return Job(
        project_id="p",
        stage_id=StageId.PROFILE_DATA,
        attempt=3,
        project_dir=str(folder),
        workspace_dir=str(folder),
        out_dir=str(folder / "out"),
        result_dir=str(folder / "result"),
        asset_base_url="/a",
        params={},
        upstream={StageId.DATA_SOURCE: source},
    )


def test_wide_tables_get_a_report_without_figures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({f"c{i}": rng.normal(size=80) for i in range(150)}).with_columns(
        y=pl.Series(rng.integers(0, 2, 80))
    )
    path = tmp_path / "wide.parquet"
    frame.write_parquet(path)
    _, recorder, _ = stage(tmp_path, settle(sniff(path)), "y", "binary")
    [report] = [e.artifact for e in recorder.of("ARTIFACT_ADDED") if e.artifact.type == "report"]
    assert (report.meta["columns"], report.meta["of_columns"]) == (100, 151)
    assert any("columns for 80 rows" in w for w in recorder.of("PROFILE_SUMMARY")[0].warnings)
