"""TRAIN on real files: what each run says and when, what it leaves, and what happens when things go wrong."""

import itertools
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipeline.automl import evaluation, metrics
from jupyter_pipeline.automl.inference import load_model
from jupyter_pipeline.automl.monitor import Step
from jupyter_pipeline.automl.targets import encode_target
from jupyter_pipeline.digests import sha256
from jupyter_pipeline.protocol.events import Payload
from jupyter_pipeline.protocol.jobs import Job
from jupyter_pipeline.protocol.names import number
from jupyter_pipeline.protocol.plans import TrainPlan
from jupyter_pipeline.protocol.stages import STAGES, StageId
from jupyter_pipeline.stages import train
from jupyter_pipeline.stages.base import Result, StageContext, StageError
from jupyter_pipeline.stages.pacing import Costs, Pace, Spent
from jupyter_pipeline.stages.run_events import BURST, RATE, RunEvents
from jupyter_pipeline.stages.trials import TrialStore

from .conftest import Recorder, StagedProject, churn_table
from .test_preprocess import profiled

MODELS = ("dummy", "linear", "random_forest", "lightgbm", "xgboost", "catboost", "ensemble")
#: Few trees say as much about a stage as many.
FEW = {name: {"n_estimators": 40} for name in MODELS[2:-1]}
EVALUATED = ["EVALUATION_STARTED", "METRICS", "PICTURES", "EVALUATION_COMPLETE"]


class Finishing(Recorder):
    """A channel on which the person asks to finish, once so many events were said."""

    after: int = 0

    def finish_requested(self) -> bool:
        return len(self.payloads) >= self.after


@dataclass
class LastRun(Recorder):
    """A channel on which the person asks for a run, by its number, to be the last one, once the run of a model says
    what is named."""

    last: int = 0
    model: str = "catboost"
    said: str = "METRIC_SCALAR"

    def last_run(self) -> int | None:
        return self.last if any(p.run_id.endswith(self.model) for p in self.of(self.said)) else None


def ready(tmp: Path, target: str, metric: str = "auto") -> StagedProject:
    project = profiled(tmp, churn_table(), target)
    project.run(StageId.PREPROCESS)
    chosen: list[dict[str, Any]] = [{"id": m, "params": FEW.get(m, {})} for m in MODELS]
    params = {"models": chosen, "time_budget_s": 600.0, "trials": 1}
    project.run(StageId.MODEL_SELECT, params | ({} if metric == "auto" else {"metric": metric}))
    return project


def choose(project: StagedProject, models: list[dict[str, Any]], **more: Any) -> None:
    """Approve other models."""
    old = project.upstream[StageId.MODEL_SELECT]
    plan = {**old.plan, "models": [{"params": {}, **m} for m in models], **more}
    project.upstream[StageId.MODEL_SELECT] = type(old)(plan=plan, result_dir=old.result_dir)


def attempt(project: StagedProject, channel: Recorder | None = None, **job: Any) -> tuple[Result, Recorder]:
    """An attempt at TRAIN with other members of its job."""
    project.attempt += 1
    recorder = channel or Recorder()
    name = f"train-{project.attempt}"
    out, place = (project.folder / "artifacts" / end for end in (f"{name}.partial", name))
    out.mkdir()
    members: dict[str, Any] = {"params": {}, "threads": 1, "successes": project.successes} | job
    given = Job(
        project_id=project.project_id,
        stage_id=StageId.TRAIN,
        attempt=project.attempt,
        project_dir=str(project.folder),
        workspace_dir=str(project.workspace),
        out_dir=str(out),
        result_dir=str(place),
        asset_base_url="/api/projects/p/assets",
        upstream={s: project.upstream[s] for s in STAGES[: StageId.TRAIN.order]},
        **members,
    )
    try:
        result = train.run(StageContext(given, recorder))
    finally:
        project.hear(recorder)
    out.rename(place)
    return result, recorder


def by_run(payloads: list[Payload]) -> dict[str, list[Any]]:
    runs: dict[str, list[Any]] = {}
    for payload in payloads:
        run_id = getattr(payload, "run_id", None)
        if run_id is not None and payload.NAME != "LOG_LINE":
            runs.setdefault(run_id, []).append(payload)
    return runs


@pytest.fixture(scope="module", params=[("churn", "recall"), ("plan", "auto"), ("spend", "auto")])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StagedProject:
    target, metric = request.param
    project = ready(tmp_path_factory.mktemp("trained"), target, metric)
    project.run(StageId.TRAIN)
    return project


def test_each_run_speaks_in_order(trained: StagedProject) -> None:
    payloads = trained.events[StageId.TRAIN].payloads
    runs = by_run(payloads)
    assert [run_id.split("-", 3)[3] for run_id in runs] == sorted(MODELS, key=[r.split("-", 3)[3] for r in runs].index)
    assert next(iter(runs)).endswith("-dummy")
    order = [run_id.split("-", 3)[3] for run_id in runs]
    assert [model for model in order if model in ("lightgbm", "xgboost", "random_forest", "ensemble")] == [
        "lightgbm", "xgboost", "random_forest", "ensemble",
    ], "boosting before forests, though a forest of so few rows is as quick"  # fmt: skip
    current: str | None = None
    for payload in payloads:  # no run speaks while another one does, or before or after itself
        run_id = getattr(payload, "run_id", None)
        if payload.NAME == "TRAIN_RUN_STARTED":
            assert current is None
            current = run_id
        elif run_id is not None and payload.NAME != "LOG_LINE":
            assert run_id == current
        if payload.NAME == "TRAIN_RUN_FINISHED":
            current = None
    for said in runs.values():
        names = [p.NAME for p in said]
        assert names[0] == "TRAIN_RUN_STARTED"
        assert names[-1] == "TRAIN_RUN_FINISHED"
        assert said[-1].status == "success"
        progress = [p for p in said if p.NAME == "TRAIN_PROGRESS"]
        assert [p.step for p in progress] == list(range(1, len(progress) + 1))
        assert all(a.pct <= b.pct for a, b in itertools.pairwise(progress))
        assert [key for key, _ in itertools.groupby(p.phase for p in progress)] == ["init", "fit", "eval", "finalize"]
        assert progress[-1].pct == 1.0
        assert progress[-1].steps == progress[-1].step
        assert all(p.step <= p.steps for p in progress)
        assert names.index("EVALUATION_STARTED") < names.index("EVALUATION_COMPLETE")
        (metrics,) = [p for p in said if p.NAME.endswith("METRICS_READY")]
        assert metrics.split == "val"
        assert names.count("RESOURCE_STATS") >= 1
        splits = {p.split for p in said if p.NAME == "METRIC_SCALAR"}
        assert splits == {"train", "val"}
    after = [b.NAME for a, b in itertools.pairwise(payloads) if a.NAME == "TRAIN_RUN_FINISHED"]
    assert after == ["LEADERBOARD_UPDATED"] * len(runs)
    assert any(p.NAME == "GD_DIAGNOSTIC" for p in payloads)


def test_reported_numbers_are_those_of_the_saved_models(trained: StagedProject) -> None:
    """Every final metric comes again from the model on disk and the split, to 1e-9."""
    frame = churn_table()
    data = trained.upstream[StageId.DATA_SOURCE].plan
    with np.load(trained.result_dir(StageId.PREPROCESS) / "split.npz") as arrays:
        rows = arrays["val"]
    task, y, _ = encode_target(frame[data["target"]], data["task_type"], data["target"], data["positive_class"])
    runs = json.loads((trained.result_dir(StageId.TRAIN) / "runs.json").read_text())
    finished = {p.run_id: p for p in trained.events[StageId.TRAIN].of("TRAIN_RUN_FINISHED")}
    assert set(runs) == set(finished)
    for run_id, run in runs.items():
        model = load_model(trained.folder / run["trial_dir"] / "model")
        assert model.threshold == run["threshold"]
        again = evaluation.evaluate(task.task_type, y[rows], model.raw(frame.iloc[rows]), model.threshold)
        reported = {m.name: m.value for m in finished[run_id].final_metrics.metrics}
        assert reported == run["metrics"]["val"]
        assert {k for k, v in again.items() if v is None} == {k for k, v in reported.items() if v is None}
        for name, value in again.items():
            assert value is None or value == pytest.approx(reported[name], abs=1e-9)


def test_what_an_ensemble_is_made_of_is_on_the_disk_once(trained: StagedProject) -> None:
    """It stands alone all the same: nothing of it goes with the models that it was made of."""
    trials = [json.loads(path.read_bytes()) for path in (trained.folder / "artifacts" / "trials").glob("*/trial.json")]
    made = next(trial for trial in trials if trial["model_id"] == "ensemble")
    place = next((trained.folder / "artifacts" / "trials").glob(f"{made['fingerprint']}*"))
    spec = json.loads((place / "model" / "model.json").read_bytes())
    assert len(spec["estimator"]["members"]) == len(made["params"]["members"]) > 0
    for how, member in zip(made["params"]["members"], spec["estimator"]["members"], strict=True):
        trial = next(trial for trial in trials if trial["run_id"] == how["run_id"])
        other = next((trained.folder / "artifacts" / "trials").glob(f"{trial['fingerprint']}*")) / "model"
        own = json.loads((other / "model.json").read_bytes())["estimator"]["file"]
        assert (place / "model" / member["file"]).samefile(other / own)
    assert made["sha256"] == {name: sha256(place / name) for name in made["sha256"]}
    assert len(made["sha256"]) >= 2 + len(spec["estimator"]["members"])


def test_the_best_run_is_proposed(trained: StagedProject) -> None:
    events = trained.events[StageId.TRAIN]
    rows = events.of("LEADERBOARD_UPDATED")[-1].rows
    plan = trained.results[StageId.TRAIN].plan
    assert isinstance(plan, TrainPlan)
    assert plan.keep == rows[0].run_id
    assert events.of("BEST_MODEL_UPDATED")[-1].run_id == plan.keep
    metric = trained.upstream[StageId.MODEL_SELECT].plan["metric"]
    # An ensemble of several leads: what it is made of was the choice between them and the best alone. Where its weights
    # were chosen by the loss instead of the metric, it has to be better.
    runs = json.loads((trained.result_dir(StageId.TRAIN) / "runs.json").read_text())
    (ensemble,) = [run_id for run_id, run in runs.items() if run["model_id"] == "ensemble"]
    assert set(runs[ensemble]["all_params"]) < set(runs)
    # The spending is a straight line, beside which no other model has enough weight: the ensemble is that model alone.
    several = len(runs[ensemble]["all_params"]) > 1
    assert several == (metric != "rmse")
    assert all((run["out_of_bag"] is None) == (run_id != ensemble) for run_id, run in runs.items())
    told = trained.results[StageId.TRAIN].summary
    weights = f"With each row predicted by weights chosen without it, it is {number(runs[ensemble]['out_of_bag'])}."
    assert (weights in told) == (plan.keep == ensemble)
    if metric not in metrics.THRESHOLDED:
        assert (plan.keep == ensemble) == several
    ahead = [row for row in rows if metrics.better(metric, row.metric, rows[0].metric)]
    assert told.startswith("Proposed of 7" if ahead else "Best of 7")
    if ahead:
        assert f"has {number(ahead[0].metric)}, the best of all single models by these very rows" in told
    values = [row.metric for row in rows if row.run_id != ensemble or metric in metrics.THRESHOLDED]
    assert values == sorted(values, reverse=metric != "rmse")
    assert rows[0].model != "dummy"
    assert (plan.threshold is not None) == (metric == "recall")
    assert any(p.run_id == plan.keep for p in events.of("FEATURE_IMPORTANCE_READY"))
    assert events.of("MODEL_SELECTED")[-1].model_id == rows[0].model


def test_what_is_announced_is_there_and_is_json(trained: StagedProject) -> None:
    events = trained.events[StageId.TRAIN]
    urls = set()
    for added in events.of("ARTIFACT_ADDED"):
        file = trained.folder / added.artifact.meta["path"]
        assert file.is_file()
        urls.add(added.artifact.url)
        if file.suffix == ".json":
            json.loads(file.read_text(), parse_constant=lambda word: pytest.fail(word))
    for payload in events.payloads:
        if hasattr(payload, "asset_url"):
            assert payload.asset_url in urls
            assert payload.data_url in urls
    for run in json.loads((trained.result_dir(StageId.TRAIN) / "runs.json").read_text()).values():
        history = json.loads((trained.folder / run["trial_dir"] / "history.json").read_text())
        assert run["iterations"] in history["iteration"]
        assert {c["name"] for c in history["curves"]} >= {"loss"}


def test_another_attempt_uses_what_is_done(trained: StagedProject) -> None:
    before = json.loads((trained.result_dir(StageId.TRAIN) / "runs.json").read_text())
    result, events = attempt(trained)
    assert not events.of("TRAIN_RUN_STARTED")
    assert [row.run_id for row in events.of("LEADERBOARD_UPDATED")[-1].rows] == list(before)
    assert result.plan == trained.results[StageId.TRAIN].plan
    other = list(before)[2]
    assert attempt(trained, params={"keep": other})[0].plan.keep == other  # type: ignore[attr-defined]
    with pytest.raises(StageError, match="no finished run 'nothing'"):
        attempt(trained, params={"keep": "nothing"})


def test_an_ensemble_leads_also_where_a_single_model_has_the_better_score(trained: StagedProject) -> None:
    """That score is the best of many on the rows that it was chosen by."""
    metric = trained.upstream[StageId.MODEL_SELECT].plan["metric"]
    runs = json.loads((trained.result_dir(StageId.TRAIN) / "runs.json").read_text())
    single = next(run_id for run_id, run in runs.items() if run["model_id"] == "xgboost")
    record = trained.folder / runs[single]["trial_dir"] / "trial.json"
    before = record.read_text("utf-8")
    best = 0.9999 if metrics.HIGHER_IS_BETTER[metric] else 0.0001
    record.write_text(json.dumps({**json.loads(before), "metric": best}), "utf-8")
    try:
        result, events = attempt(trained)
    finally:
        record.write_text(before, "utf-8")
    rows = events.of("LEADERBOARD_UPDATED")[-1].rows
    assert rows[0].run_id == result.plan.keep  # type: ignore[attr-defined]
    (members,) = [run["all_params"] for run in runs.values() if run["model_id"] == "ensemble"]
    if metric in metrics.THRESHOLDED or len(members) == 1:
        assert rows[0].run_id == single
    else:
        assert [row.model for row in rows[:2]] == ["ensemble", "xgboost"]
        assert result.summary.startswith("Proposed of 7 finished runs: Weighted ensemble")
        ahead = f"XGBoost has {number(best)}, the best of all single models by these very rows"
        assert [line for line in result.summary.split("\n")[1:] if line.startswith(ahead)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> StagedProject:
    return ready(tmp_path_factory.mktemp("prepared"), "churn")


@pytest.fixture
def project(prepared: StagedProject) -> StagedProject:
    """Ready for TRAIN, with no trials and no code of one's own."""
    shutil.rmtree(prepared.folder / "artifacts" / "trials", ignore_errors=True)
    shutil.rmtree(prepared.folder / "code", ignore_errors=True)
    choose(prepared, [{"id": "dummy"}, {"id": "linear"}], trials=1, time_budget_s=60.0)
    return prepared


def test_a_model_that_cannot_be_fitted_is_a_failed_run(project: StagedProject) -> None:
    choose(project, [{"id": "dummy"}, {"id": "xgboost", "params": {"speed": 1}}, {"id": "linear"}])
    _, events = attempt(project)
    (failed,) = [p for p in events.of("TRAIN_RUN_FINISHED") if p.status == "failed"]
    assert "no parameter 'speed'" in failed.reason
    rows = events.of("LEADERBOARD_UPDATED")[-1].rows
    assert [row.status for row in rows] == ["success", "success", "failed"]
    assert "speed" in rows[-1].reason
    assert len(events.of("TRAIN_RUN_STARTED")) == len(events.of("TRAIN_RUN_FINISHED")) == 3


def test_nothing_but_failures(project: StagedProject) -> None:
    choose(project, [{"id": "xgboost", "params": {"speed": 1}}])
    with pytest.raises(StageError, match=r"No model could be trained .*speed"):
        attempt(project)


def test_search_draws_settings_and_comes_to_the_same_ones_again(project: StagedProject) -> None:
    choose(project, [{"id": "dummy"}, {"id": "linear"}, {"id": "lightgbm", "params": {"n_estimators": 20}}], trials=3)
    _, events = attempt(project)
    started = events.of("TRAIN_RUN_STARTED")
    counts = {m: sum(p.model_id == m for p in started) for m in ("dummy", "linear", "lightgbm")}
    assert counts == {"dummy": 1, "linear": 3, "lightgbm": 3}
    assert all(p.config["params"]["n_estimators"] == 20 for p in started if p.model_id == "lightgbm")
    assert len({json.dumps(p.config["params"]) for p in started if p.model_id == "linear"}) == 3
    _, again = attempt(project)
    assert not again.of("TRAIN_RUN_STARTED")
    assert len(again.of("LEADERBOARD_UPDATED")[-1].rows) == 7
    # What another version of a library made is made again, since the notebook would come to other numbers.
    runs = json.loads((project.folder / "artifacts" / f"train-{project.attempt}" / "runs.json").read_text("utf-8"))
    run = next(run for run in runs.values() if run["model_id"] == "lightgbm")
    saved = project.folder / run["trial_dir"] / "model" / "model.json"
    spec = json.loads(saved.read_text("utf-8"))
    spec["requirements"]["lightgbm"] = "3.0.0"
    saved.write_text(json.dumps(spec), "utf-8")
    _, after = attempt(project)
    assert [p.config["params"] for p in after.of("TRAIN_RUN_STARTED")] == [run["params"]]


def test_finish_keeps_the_best_so_far(project: StagedProject) -> None:
    choose(project, [{"id": "dummy"}, {"id": "linear"}, {"id": "catboost"}, {"id": "random_forest"}], trials=5)
    channel = Finishing()
    channel.after = 60
    result, events = attempt(project, channel)
    finished = events.of("TRAIN_RUN_FINISHED")
    assert len(finished) < 4
    assert all(p.status == "success" for p in finished)
    assert result.plan.keep in {p.run_id for p in finished}  # type: ignore[attr-defined]


def test_finish_at_once_uses_what_is_done_or_makes_the_cheapest(project: StagedProject) -> None:
    choose(project, [{"id": "dummy"}, {"id": "linear"}, {"id": "catboost"}])
    _, first = attempt(project, finish=True)
    assert [p.model_id for p in first.of("TRAIN_RUN_STARTED")] == ["dummy"]
    _, second = attempt(project, finish=True)
    assert not second.of("TRAIN_RUN_STARTED")


def test_the_run_at_work_comes_to_its_own_end_and_none_is_begun_after_it(project: StagedProject) -> None:
    choose(project, [{"id": "dummy"}, {"id": "linear"}, {"id": "catboost"}, {"id": "random_forest"}], trials=5)
    result, events = attempt(project, LastRun(last=3))
    begun = [p.run_id for p in events.of("TRAIN_RUN_STARTED")]
    assert [run_id.rpartition("-")[2] for run_id in begun] == ["dummy", "linear", "catboost"]
    runs = json.loads((results(project)[-1] / "runs.json").read_text("utf-8"))
    assert runs.keys() == set(begun)
    assert all(run["stopped"] != "asked" for run in runs.values()), "it was not cut short"
    assert "Not trained before it was ended: " in result.summary
    # Should it be interrupted, another attempt makes one run more, which is the one that was at work.
    _, again = attempt(project, last_run=1)
    assert len(again.of("TRAIN_RUN_STARTED")) == 1
    assert not attempt(project, last_run=0)[1].of("TRAIN_RUN_STARTED")


def test_a_run_that_begins_before_it_is_heard_that_none_should_is_given_up(project: StagedProject) -> None:
    """The run that the answer named had just ended. What was begun after it comes to nothing, and is trained when it
    may be again; where it had come to its end as well, that is said."""
    choose(project, [{"id": "dummy"}, {"id": "linear"}, {"id": "catboost"}, {"id": "random_forest"}], trials=5)
    result, events = attempt(project, LastRun(last=2))
    statuses = {p.run_id: p.status for p in events.of("TRAIN_RUN_FINISHED")}
    assert list(statuses.values()) == ["success", "success", "cancelled"]
    *done, given_up = [p.run_id for p in events.of("TRAIN_RUN_STARTED")]
    assert given_up.endswith("catboost")
    assert events.of("TRAIN_RUN_FINISHED")[-1].reason.startswith("it had just begun when training was asked to end")
    assert [row.run_id for row in events.of("LEADERBOARD_UPDATED")[-1].rows] == done[::-1]
    assert json.loads((results(project)[-1] / "runs.json").read_text("utf-8")).keys() == set(done)
    assert "Not trained before it was ended: CatBoost, Random forest." in result.summary
    assert not [p for p in events.of("LOG_LINE") if "Trained as well" in p.text]

    _, events = attempt(project, LastRun(last=0, said="TRAIN_RUN_FINISHED"))
    assert [p.status for p in events.of("TRAIN_RUN_FINISHED")] == ["success"]
    assert [p.text for p in events.of("LOG_LINE")][-1] == (
        "Trained as well, before training heard what was asked of it: CatBoost."
    )


def test_a_run_after_the_last_one_is_made_where_there_is_no_result(project: StagedProject) -> None:
    choose(project, [{"id": "linear", "params": {"speed": 1}}, {"id": "random_forest"}, {"id": "lightgbm"}])
    _, events = attempt(project, last_run=1)
    assert [p.status for p in events.of("TRAIN_RUN_FINISHED")] == ["failed", "success"]
    assert "No run has come to a result so far, so one more is made." in [p.text for p in events.of("LOG_LINE")]


def test_a_trial_that_was_cut_short_is_made_again_when_there_is_time(project: StagedProject) -> None:
    choose(project, [{"id": "catboost"}])
    channel = Finishing()
    channel.after = 12
    attempt(project, channel)
    first = results(project)[-1]
    trial = json.loads(next((project.folder / "artifacts" / "trials").glob("*/trial.json")).read_text())
    assert trial["stopped"] == "asked"
    _, events = attempt(project)
    assert [p.model_id for p in events.of("TRAIN_RUN_STARTED")] == ["catboost"]
    # Both are there for as long as the first result may come back, with all that it names.
    store = TrialStore(project.folder)
    assert models_of(results(project)[-1]) != models_of(first)
    before = digests(project.folder / "artifacts" / "trials")
    store.clear_superseded(results(project))
    assert digests(project.folder / "artifacts" / "trials") == before
    # Then its model goes; curves and pictures, which the log names, stay, and the later one serves on.
    (old,) = models_of(first)
    store.clear_superseded(results(project)[-1:])
    gone = before.keys() - digests(project.folder / "artifacts" / "trials").keys()
    assert gone
    assert all(name.startswith(f"{old.parent.name}/model/") for name in gone)
    assert not attempt(project)[1].of("TRAIN_RUN_STARTED")


def results(project: StagedProject) -> list[Path]:
    """Those of TRAIN in the present test, the first first."""
    marks = {path.name for path in (project.folder / "artifacts" / "trials").iterdir()}
    found = [path.parent for path in (project.folder / "artifacts").glob("train-*[0-9]/runs.json")]
    found.sort(key=lambda path: int(path.name.partition("-")[2]))
    return [path for path in found if any(model.parent.name in marks for model in models_of(path))]


def models_of(result: Path) -> list[Path]:
    """The models that a result of TRAIN names."""
    runs = json.loads((result / "runs.json").read_text("utf-8"))
    return [result.parents[1] / run["trial_dir"] / "model" for run in runs.values()]


def digests(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): sha256(path) for path in folder.rglob("*") if path.is_file()}


def test_the_trials_of_an_earlier_version_serve_again(project: StagedProject) -> None:
    """They had one folder for all attempts."""
    attempt(project)
    trials = project.folder / "artifacts" / "trials"
    for path in list(trials.iterdir()):
        record = json.loads((path / "trial.json").read_text("utf-8"))
        del record["folder"]
        (path / "trial.json").write_text(json.dumps(record), "utf-8")
        path.rename(trials / record["fingerprint"])
    assert TrialStore(project.folder).finished(project.attempt).keys() == {
        f"run-{project.attempt}-1-dummy",
        f"run-{project.attempt}-2-linear",
    }
    _, events = attempt(project)
    assert not events.of("TRAIN_RUN_STARTED")
    (trials / next(trials.iterdir()).name / "trial.json").write_text("{}", "utf-8")
    assert len(attempt(project)[1].of("TRAIN_RUN_STARTED")) == 1


def test_a_cancelled_run_is_not_tried_again(project: StagedProject) -> None:
    choose(project, [{"id": "dummy"}, {"id": "linear"}])

    class Killed(Recorder):
        def emit(self, payload: Payload) -> None:
            super().emit(payload)
            if payload.NAME == "METRIC_SCALAR" and "linear" in payload.run_id:  # type: ignore[attr-defined]
                raise KeyboardInterrupt  # as if the process had ended here

    killed = Killed()
    with pytest.raises(KeyboardInterrupt):
        attempt(project, killed)
    run = killed.of("TRAIN_RUN_STARTED")[-1]
    cancelled = run.run_id
    _, events = attempt(project, skip_trials={run.config["fingerprint"]: cancelled})
    assert not events.of("TRAIN_RUN_STARTED")
    rows = events.of("LEADERBOARD_UPDATED")[-1].rows
    assert [(row.model, row.status) for row in rows] == [("dummy", "success"), ("linear", "cancelled")]
    assert rows[-1].run_id == cancelled
    _, events = attempt(project)  # not cancelled but interrupted: what was done is kept, the rest is taken up
    assert [p.model_id for p in events.of("TRAIN_RUN_STARTED")] == ["linear"]


def test_time_is_kept(project: StagedProject) -> None:
    choose(
        project,
        [{"id": "dummy"}, {"id": "linear"}, {"id": "random_forest", "params": {"n_estimators": 5000}}],
        time_budget_s=2.0,
        trials=50,
    )
    _, events = attempt(project)
    started = [p.model_id for p in events.of("TRAIN_RUN_STARTED")]
    assert len(started) < 1 + 50 + 50  # not all the settings that were allowed
    runs = json.loads((project.folder / "artifacts" / f"train-{project.attempt}" / "runs.json").read_text())
    forests = [run for run in runs.values() if run["model_id"] == "random_forest"]
    if "random_forest" in started:
        assert forests[-1]["stopped"] == "deadline"
        assert forests[-1]["iterations"] < 5000
    else:
        assert any("time budget is used up" in p.text for p in events.of("LOG_LINE"))


def test_changed_inputs_make_other_trials(project: StagedProject) -> None:
    attempt(project)
    choose(project, [{"id": "dummy"}, {"id": "linear", "params": {"l2": 3.0}}])
    _, events = attempt(project)
    assert [p.model_id for p in events.of("TRAIN_RUN_STARTED")] == ["linear"]
    choose(project, [{"id": "dummy"}, {"id": "linear", "params": {"l2": 3.0}}], metric="f1")
    assert len(attempt(project)[1].of("TRAIN_RUN_STARTED")) == 2


def own_code(project: StagedProject) -> Path:
    import jupyter_pipeline.automl as package

    folder = project.folder / "code" / "modeling"
    shutil.copytree(Path(package.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_code_that_was_not_edited_changes_nothing(project: StagedProject) -> None:
    attempt(project)
    own_code(project)
    assert not attempt(project)[1].of("TRAIN_RUN_STARTED")


def test_edited_code_is_run(project: StagedProject) -> None:
    attempt(project)
    file = own_code(project) / "fit_linear.py"
    file.write_text(file.read_text() + "\nMARK = 1\n")
    _, events = attempt(project)
    assert len(events.of("TRAIN_RUN_STARTED")) == 2
    text = file.read_text()
    file.write_text(text.replace('    strength = float(params["l2"]) / n\n', "    raise ArithmeticError('mine')\n"))
    _, events = attempt(project)
    (failed,) = [p for p in events.of("TRAIN_RUN_FINISHED") if p.status == "failed"]
    line = text.splitlines().index('    strength = float(params["l2"]) / n') + 1
    assert failed.reason == f"code/modeling/fit_linear.py, line {line}: ArithmeticError: mine"
    assert not list(file.parent.rglob("*.pyc"))


@pytest.mark.parametrize("broken", ["def f(:\n", "import nothing_of_that_name\n", "x = 1 / 0\n"])
def test_broken_code_is_said_with_file_and_line(project: StagedProject, broken: str) -> None:
    file = own_code(project) / "features.py"
    file.write_text("# first line\n" + broken + file.read_text())
    with pytest.raises(StageError, match=r"code/modeling/features\.py, line 2: "):
        attempt(project)


def test_lost_data_are_said(project: StagedProject) -> None:
    table = project.result_dir(StageId.DATA_SOURCE) / "table.json"
    kept = table.read_text()
    try:
        table.write_text(json.dumps({**json.loads(kept), "path": str(project.folder / "data" / "gone.csv")}))
        with pytest.raises(StageError, match=r"gone\.csv"):
            attempt(project)
    finally:
        table.write_text(kept)


@settings(max_examples=80, deadline=None)
@given(
    gaps=st.lists(st.floats(0.0, 0.3), min_size=1, max_size=400),
    iterations=st.integers(1, 5000),
    jump=st.integers(1, 7),
)
def test_progress_is_thinned_but_never_its_ends(gaps: list[float], iterations: int, jump: int) -> None:
    now = [100.0]
    said: list[tuple[float, Any]] = []
    events = RunEvents(lambda payload: said.append((now[0], payload)), "run-1-1-x", clock=lambda: now[0])
    events._progress("init", 0.0)
    done = 0
    for gap in gaps:
        if done >= iterations:
            break
        now[0] += gap
        done = min(iterations, done + jump)
        events.iteration(Step(done, iterations, {("loss", "train"): 1.0, ("loss", "val"): float("nan")}))
    events.evaluating()
    events.finalizing()
    progress = [p for _, p in said if p.NAME == "TRAIN_PROGRESS"]
    assert [p.step for p in progress] == list(range(1, len(progress) + 1))
    assert all(a.pct <= b.pct for a, b in itertools.pairwise(progress))
    scalars = [p for _, p in said if p.NAME == "METRIC_SCALAR"]
    assert scalars[0].step == events.history[0].iteration
    assert scalars[-1].step == done
    assert {p.value for p in scalars if p.split == "val"} == {None}
    assert len(said) <= BURST + RATE * (now[0] - 100.0) + 10
    msgspec.json.encode([p for _, p in said])


def test_what_comes_after_fits_is_expected_by_what_it_took() -> None:
    """So that the evaluation of the last model, and the ensemble, end within the time budget."""
    costs = Costs()
    assert (costs.known, costs.evaluation("linear"), costs.ensemble(["a", "b"])) == (False, 0.0, 0.0)
    costs.note("a", "linear", Spent(handled=0.5, asked=0.25, evaluated=4.0))
    costs.note("b", "catboost", Spent(handled=2.0, asked=1.0, evaluated=1.0))
    assert costs.known
    assert costs.evaluation("linear") == pytest.approx(0.5 + 2.0), "the first pictures took longer than others will"
    assert costs.evaluation("lightgbm") == pytest.approx(2.0 + 2.0), "as the slowest, of one that was not seen yet"
    assert costs.ensemble(["a", "b"]) == pytest.approx((0.5 + 0.25) + (2.0 + 1.0) + 2.0)
    assert costs.ensemble(["a", "reused"]) == pytest.approx((0.5 + 0.25) + 2 * 2.0 + 2.0), "it has to be loaded too"
    costs = Costs(asks=3.0)
    costs.note("a", "linear", Spent(handled=0.5, asked=0.25, evaluated=4.0, stored=0.125))
    costs.note("b", "catboost", Spent(handled=2.0, asked=1.0, evaluated=1.0))
    linked = (0.5 - 0.125 + 3 * 0.25) + (2.0 + 3 * 1.0) + 2.0
    assert costs.ensemble(["a", "b"]) == pytest.approx(linked), "what is on the disk is not written again"
    costs.note_importance(-3.0)
    assert costs.evaluation("linear") == pytest.approx(0.5 + 2.0), "the importance of columns took less than it may"
    costs.note_importance(0.125)
    assert costs.evaluation("linear") == pytest.approx(0.5 + 2.0 + 0.125), "its picture is drawn after its time"
    assert costs.ensemble(["a", "b"]) == pytest.approx(linked + 0.125)


def test_forests_tell_nothing_of_other_models_and_count_their_own_size_while_they_grow() -> None:
    costs = Costs()
    costs.note("a", "linear", Spent(handled=0.5, asked=0.0, evaluated=0.25))
    costs.note("b", "extra_trees", Spent(handled=3.0, asked=1.0, evaluated=0.25))
    assert [costs.evaluation(m) for m in ("xgboost", "extra_trees", "random_forest")] == [0.75, 0.25, 0.25]
    assert costs.ensemble(["a", "b"]) == pytest.approx(0.5 + 3.0 + 1.0 + 0.25)


def test_first_iterations_are_planned_by_where_they_take_long() -> None:
    """And by how quick the machine was in the runs so far; ordinary tables are not planned by them."""
    for rows, features, classes in ((30_000, 30, 2), (30_000, 30, 0), (1_500, 64, 10)):
        assert not any(Pace(rows, classes).first_s(model, features) for model in MODELS)
    pace = Pace(12_000, 300)
    usual = {model: pace.first_s(model, 310) for model in MODELS}
    assert usual["catboost"] > usual["xgboost"] > usual["lightgbm"] > 1
    pace.note("lightgbm", 310, 3 * usual["lightgbm"])
    assert pace.first_s("catboost", 310) == pytest.approx(3 * usual["catboost"])
    pace.note("dummy", 310, 100.0)
    assert pace.first_s("unknown", 310) == 0.0


def test_a_model_whose_first_iteration_is_longer_than_what_is_left_is_not_begun(tmp_path: Path) -> None:
    """Nothing can end an iteration. Who wants that model alone is told how long it takes."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(3000, 3)).round(3), columns=["a", "b", "c"])
    table["kind"] = [f"kind {i}" for i in (table["a"] * 60).round().astype(int).clip(-90, 90)]
    for name in ("shop", "street", "square", "river"):  # a feature for each of them and each kind
        table[name] = [f"{name} {i}" for i in rng.integers(0, 60, 3000)]
    project = profiled(tmp_path, table, "kind")
    project.run(StageId.PREPROCESS)
    chosen = {"dummy": {}, "extra_trees": {"n_estimators": 10}, "catboost": {}}
    models = [{"id": model, "params": params} for model, params in chosen.items()]
    project.run(StageId.MODEL_SELECT, {"models": models, "time_budget_s": 24.0, "trials": 1})
    result = project.run(StageId.TRAIN)
    said = [line.text for line in project.events[StageId.TRAIN].of("LOG_LINE")]
    assert [line for line in said if "CatBoost is not trained: its first iteration alone would take about" in line]
    assert {run.split("-", 3)[3] for run in by_run(project.events[StageId.TRAIN].payloads)} == {"dummy", "extra_trees"}
    assert "Extra trees" in result.summary
    assert "Not trained before the time was over: CatBoost." in result.summary.split("\n")[1:]
    choose(project, [{"id": "dummy"}, {"id": "xgboost"}], time_budget_s=2.0)
    _, recorder = attempt(project)
    said = [line.text for line in recorder.of("LOG_LINE")]
    assert [line for line in said if line.startswith("Training takes about") and "XGBoost is the first model" in line]
    assert next(run for run in recorder.of("TRAIN_RUN_FINISHED") if "xgboost" in run.run_id).status == "success"
