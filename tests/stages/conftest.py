"""A small real project: the stages are run one after the other, as the conductor would let them run."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from jupyter_pipeline.protocol.events import Payload
from jupyter_pipeline.protocol.jobs import Job, Upstream
from jupyter_pipeline.protocol.stages import STAGES, StageId
from jupyter_pipeline.stages.base import Result, StageContext


@dataclass
class Recorder:
    """A channel that keeps what a stage says."""

    payloads: list[Payload] = field(default_factory=list)

    def emit(self, payload: Payload) -> None:
        msgspec.convert(msgspec.json.decode(msgspec.json.encode(payload)), type(payload))
        self.payloads.append(payload)

    def finish_requested(self) -> bool:
        return False

    def last_run(self) -> int | None:
        return None

    def of(self, name: str) -> list[Any]:
        return [payload for payload in self.payloads if name == payload.NAME]


class StagedProject:
    """A project folder whose stages are run directly, each plan approved as it is proposed or patched."""

    def __init__(self, workspace: Path, project_id: str = "staged", threads: int = 1) -> None:
        self.workspace, self.project_id, self.threads = workspace, project_id, threads
        self.folder = workspace / "pipelines" / project_id
        (self.folder / "data").mkdir(parents=True)
        (self.folder / "artifacts").mkdir()
        self.upstream: dict[StageId, Upstream] = {}
        self.results: dict[StageId, Result] = {}
        self.events: dict[StageId, Recorder] = {}
        self.datasets: tuple[dict[str, Any], ...] = ()
        self.attempt = 0
        self.test_reads: tuple[dict[str, Any], ...] = ()
        self.successes: tuple[str, ...] = ()

    def attach(self, path: Path) -> None:
        """Name a file in ``data`` as attached."""
        dataset = {"id": f"upload:{path.name}", "name": path.name, "source": "upload", "desc": "Attached file."}
        self.datasets += ({**dataset, "meta": {"path": path.relative_to(self.folder).as_posix()}},)

    def run(self, stage_id: StageId, params: dict[str, Any] | None = None, **approve: Any) -> Result:
        """Run a stage and approve its plan, with the members in ``approve`` changed."""
        from importlib import import_module

        function = import_module(f"jupyter_pipeline.stages.{stage_id.value.lower()}").run
        self.attempt += 1
        name = f"{stage_id.value.lower()}-{self.attempt}"
        out, result_dir = (self.folder / "artifacts" / end for end in (f"{name}.partial", name))
        out.mkdir()
        recorder = self.events[stage_id] = Recorder()
        job = Job(
            project_id=self.project_id,
            stage_id=stage_id,
            attempt=self.attempt,
            project_dir=str(self.folder),
            workspace_dir=str(self.workspace),
            out_dir=str(out),
            result_dir=str(result_dir),
            asset_base_url=f"/api/projects/{self.project_id}/assets",
            params=params or {},
            upstream={s: self.upstream[s] for s in STAGES[: stage_id.order]},
            datasets=self.datasets,
            threads=self.threads,
            successes=self.successes,
            test_reads=self.test_reads,
        )
        result: Result = function(StageContext(job, recorder))
        self.hear(recorder)
        configs = [run.config for run in recorder.of("TRAIN_RUN_STARTED")]
        self.test_reads += tuple(config for config in configs if config.get("split") == "test")
        out.rename(result_dir)
        plan = {**msgspec.to_builtins(result.plan), **approve}
        self.upstream[stage_id] = Upstream(plan=plan, result_dir=str(result_dir))
        self.results[stage_id] = result
        return result

    def hear(self, recorder: Recorder) -> None:
        """Note which runs were a success, as a log does."""
        self.successes += tuple(p.run_id for p in recorder.of("TRAIN_RUN_FINISHED") if p.status == "success")

    def result_dir(self, stage_id: StageId) -> Path:
        return Path(self.upstream[stage_id].result_dir)


def churn_table(n: int = 240, seed: int = 0) -> pd.DataFrame:
    """Customers with missing values, a text, a date, many cities and a column with a name like a tag."""
    rng = np.random.default_rng(seed)
    age = rng.normal(45, 12, n).round(1)
    calls = rng.poisson(2, n)
    plan = rng.choice(["basic", "plus", "pro"], n)
    joined = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D")
    words = np.array(["slow line", "friendly staff", "price too high", "works well", "bill was wrong"])
    notes = [" ".join(rng.choice(words, 2)) + f" {rng.integers(1000)}" for _ in range(n)]
    logit = 0.05 * (age - 45) + 0.6 * (calls - 2) + (plan == "basic") * 0.8 - 0.4
    logit = logit + np.array([("wrong" in note) * 0.9 for note in notes])
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(n) < 0.1, np.nan, age),
            "calls": calls,
            "plan": np.where(rng.random(n) < 0.05, None, plan),
            "<script>alert(1)</script>": rng.normal(size=n),
            "city": [f"city {i}" for i in rng.integers(0, 70, n)],
            "joined": joined.strftime("%Y-%m-%d"),
            "note": notes,
            "spend": (100 + 2 * age + 10 * calls + rng.normal(0, 8, n)).round(2),
            "churn": np.where(rng.random(n) < 1 / (1 + np.exp(-logit)), "yes", "no"),
        }
    )
    frame.loc[[3, 17], "churn"] = None
    return frame


def staged(
    tmp: Path, target: str, task_type: str, models: tuple[str, ...], metric: str = "auto", trials: int = 1
) -> StagedProject:
    """A project of the churn table whose stages were run up to TRAIN."""
    project = StagedProject(tmp, project_id=f"{task_type}-project")
    path = project.folder / "data" / "customers.csv"
    churn_table().to_csv(path, index=False)
    project.attach(path)
    project.run(StageId.PARSE_INTENT, {"prompt": f"Predict {target} from customers.csv."}, target=target, metric=metric)
    project.run(StageId.DATA_SOURCE)
    project.run(StageId.PROFILE_DATA)
    project.run(StageId.PREPROCESS)
    chosen = [{"id": model, "params": {}} for model in models]
    project.run(StageId.MODEL_SELECT, {"trials": trials, "time_budget_s": 600.0, "models": chosen})
    project.run(StageId.TRAIN)
    return project


@pytest.fixture(scope="module")
def binary_project(tmp_path_factory: pytest.TempPathFactory) -> StagedProject:
    """Binary classification, trained; REVIEW_EDIT comes next."""
    return staged(tmp_path_factory.mktemp("binary"), "churn", "binary", ("dummy", "linear", "lightgbm"), metric="f1")
