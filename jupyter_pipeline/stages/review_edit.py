"""REVIEW_EDIT: evaluate the kept model on the test rows, and hand over report, notebook and code."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from ..automl.evaluation import evaluate
from ..automl.figures import draw_history
from ..automl.models import name_of
from ..protocol.events import (
    CodeWorkspaceReady,
    EditSuggestions,
    FileEntry,
    FileTreeUpdate,
    NotebookReady,
    ReportReady,
)
from ..protocol.names import metric_name, metric_words, number, task_name
from ..protocol.plans import DataPlan, ModelPlan, PreprocessPlan, ProfilePlan, ReviewPlan, TrainPlan
from ..protocol.stages import StageId
from . import notebook, report, suggestions, workspace
from .base import Result, StageContext, StageError
from .bundle import training_requirements
from .final_run import Final, FinalRun, Metrics, count_reads
from .kept import Kept, find_kept
from .modeling import load_modeling
from .rows import MIN_COPIES, Rows, copies, load_rows, load_split, write_json

#: One cell of the notebook may take so many times what training took, and at least so many seconds.
_CELL_FACTOR, _CELL_S = 20.0, 900.0
#: On so many rows the metrics are measured again without test rows that are copies of training rows.
_MIN_OTHERS = 30
#: Metrics on training rows only show what was learned by heart; so many rows are enough for that.
TRAIN_ROWS = 50_000


def run(ctx: StageContext) -> Result:
    """Review the kept model.

    Writes into ``out_dir``:

    - ``review.json``: all that the report and the model card say;
    - ``report.html``, self-contained;
    - ``evaluation/``: pictures of the test rows, and the numbers behind them;
    - ``training/``: ``train.py``, ``train.ipynb`` (executed), ``config.json`` and ``modeling/`` as they were run.

    The person's copy of the code is the project's ``code`` folder.

    Parameters
    ----------
    ctx : StageContext
        The job; ``params`` may hold any member of ReviewPlan.

    Returns
    -------
    Result
        With a ReviewPlan.

    Raises
    ------
    StageError
        If the kept model is gone, or the notebook does not come to the reported numbers.
    """
    plan: ReviewPlan = ctx.with_params(ReviewPlan())
    kept = find_kept(ctx)
    treatments: PreprocessPlan = ctx.approved(StageId.PREPROCESS)
    names = list(treatments.columns)
    if treatments.split.column and treatments.split.column not in names:
        names.append(treatments.split.column)
    rows, parts = load_rows(ctx, names), load_split(ctx)
    metric = ctx.approved(StageId.MODEL_SELECT).metric
    ours = workspace.package_code()
    code = _workspace(ctx, ours)
    which = f"{rows.spec.sha256}{rows.spec.sheet or ''}"
    mark = hashlib.sha256(which.encode() + parts["test"].tobytes()).hexdigest()
    read = {"fingerprint": kept.trial.fingerprint, "data": which, "rows": mark}
    reads = count_reads(ctx, read, kept.threshold)
    running = _notebook(ctx, _training(ctx, _config(ctx, kept, rows, parts, metric), rows, code), kept)
    try:
        model = load_modeling(ctx.project_dir).inference.load_model(kept.model_dir)
        model.threshold = kept.threshold
        metrics = {"val": _measured(model, rows, parts["val"])}

        def measured(test: Metrics) -> None:
            metrics["test"] = test
            running.report(metrics)

        final = FinalRun(ctx, model, kept.trial.model_id, kept.run_id, metric, read).run(rows, parts["test"], measured)
        review = _review(ctx, kept, rows, parts, final, reads)
        some = _some(parts["train"])
        review["metrics"] = {"train": _measured(model, rows, some), **metrics}
        review["measured"] = {"train": len(some), "val": len(parts["val"]), "test": len(parts["test"])}
        review["copies"] = _copies(model, rows, parts, treatments)
        review["needs"] = [column["name"] for column in model.columns]
        path = running.result()
    finally:
        running.stop()
    folder = path.parent
    shutil.rmtree(folder / "modeling" / "__pycache__", ignore_errors=True)
    ctx.emit(NotebookReady(asset_url=ctx.asset(path, "notebook", "Training notebook").url))
    review["edited"] = [name for name, data in ours.items() if code.get(name) != data]
    review["cautions"] = suggestions.cautions(review)
    review["suggestions"] = suggestions.suggestions(review)
    _hand_over(ctx, folder)
    figures = final.figures
    shown, curves = kept.curves(metric)
    if curves:
        path = ctx.out_dir / "evaluation" / "history.png"
        label = metric_name(shown)
        draw_history(curves, path, label, "Training of the kept model", kept.trial.iterations)
        figures = [("Training of the kept model", path), *figures]
    page = ctx.out_dir / "report.html"
    page.write_text(report.render(review, figures), encoding="utf-8")
    write_json(ctx.out_dir / "review.json", review)
    ctx.asset(ctx.out_dir / "review.json", "data", "Review")
    ctx.emit(ReportReady(asset_url=ctx.asset(page, "report", "Report").url))
    ctx.emit(EditSuggestions(suggestions=tuple(review["suggestions"])))
    return Result(plan=plan, summary=_summary(review), next_actions=_next_actions(review))


def _workspace(ctx: StageContext, wanted: dict[str, bytes]) -> dict[str, bytes]:
    """Bring the ``code`` folder up to date; returns the code as it stands there."""
    folder = ctx.project_dir / "code"
    for name in workspace.sync(folder, wanted):
        ctx.log(f"code/{name} was edited by hand and is left as it is.")
    found = workspace.current(folder)
    lacking = [name for name in wanted if name not in found]
    if lacking:
        raise StageError(f"code/{lacking[0]} cannot be read; restore it, or delete the folder code to get it anew.")
    return found


def _config(ctx: StageContext, kept: Kept, rows: Rows, parts: dict[str, np.ndarray], metric: str) -> dict[str, Any]:
    """What ``train.py`` and the notebook need to know, but for the numbers that they come to."""
    data: DataPlan = ctx.approved(StageId.DATA_SOURCE)
    treatments: PreprocessPlan = ctx.approved(StageId.PREPROCESS)
    split, table, name = treatments.split, rows.spec.to_dict(), Path(rows.spec.path).name
    table.pop("path")
    return {
        "format": 1,
        "project": ctx.job.project_id,
        "data": {
            "file": name,
            "path": name,
            "sha256": rows.spec.sha256,
            "table": table,
        },
        "task": {
            "type": data.task_type,
            "target": data.target,
            "positive_class": data.positive_class,
            "metric": metric,
        },
        "split": {
            "strategy": split.strategy,
            "column": split.column,
            "val_fraction": split.val_fraction,
            "test_fraction": split.test_fraction,
            "seed": split.seed,
            "rows": {name: len(part) for name, part in parts.items()},
        },
        "columns": {name: treatment for name, treatment in treatments.columns.items() if treatment != "drop"},
        "missing": list(rows.spec.null_values),
        "decimal_comma": bool(rows.spec.options.get("decimal_comma")),
        "model": {
            "id": kept.trial.model_id,
            "params": kept.trial.params,
            "iterations": kept.trial.iterations,
            "threads": kept.trial.threads,
            "seed": kept.trial.seed,
        },
        "threshold": kept.threshold,
    }


def _training(ctx: StageContext, config: dict[str, Any], rows: Rows, code: dict[str, bytes]) -> Path:
    """Write the code as it stands, with the configuration, into the result."""
    folder = ctx.out_dir / "training"
    for name, data in code.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if rows.spec.format != "sklearn":
        config["data"]["path"] = Path(os.path.relpath(rows.spec.path, folder)).as_posix()
    write_json(folder / "config.json", config)
    return folder


def _notebook(ctx: StageContext, folder: Path, kept: Kept) -> notebook.Running:
    """Begin to execute the notebook."""
    ctx.log(
        "Training once more in a notebook, from the raw data. What was kept took "
        f"{max(1, round(kept.training_s)):,} s to train."
    )
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    made = notebook.build(config, f"{ctx.job.project_id}: predicting {config['task']['target']}")
    timeout_s = max(_CELL_S, _CELL_FACTOR * kept.training_s)
    return notebook.Running(made, folder, timeout_s, lambda heading: ctx.log(f"The notebook: {heading}."))


def _hand_over(ctx: StageContext, folder: Path) -> None:
    """Put configuration and notebook beside the code, unless the person edited them, and list the files."""
    place = ctx.project_dir / "code"
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config["data"]["table"]["format"] != "sklearn":
        target = (folder / config["data"]["path"]).resolve()
        config["data"]["path"] = Path(os.path.relpath(target, place.resolve())).as_posix()
    text = json.dumps(config, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    wanted = {"config.json": text.encode(), "train.ipynb": (folder / "train.ipynb").read_bytes()}
    for name in workspace.sync(place, wanted):
        ctx.log(f"code/{name} was edited by hand and is left as it is; the new one is beside the report.")

    def entry(name: str) -> FileEntry:
        data = (place / name).read_bytes()
        path = (place / name).relative_to(ctx.project_dir).as_posix()
        return FileEntry(path=path, type="code", size=len(data), sha=workspace.sha256(data))

    files = [entry(name) for name in sorted([*workspace.current(place), *wanted])]
    ctx.emit(FileTreeUpdate(files=(*files, entry(workspace.MANIFEST))))
    ctx.emit(CodeWorkspaceReady(files=tuple(files)))


def _review(
    ctx: StageContext,
    kept: Kept,
    rows: Rows,
    parts: dict[str, np.ndarray],
    final: Final,
    reads: dict[str, int],
) -> dict[str, Any]:
    """All that report and model card say, but for cautions and suggestions."""
    treatments: PreprocessPlan = ctx.approved(StageId.PREPROCESS)
    models: ModelPlan = ctx.approved(StageId.MODEL_SELECT)
    profile, split = _profile(ctx), treatments.split
    task, y = rows.task, rows.y[rows.known]
    share = float(np.bincount(y).min() / len(y)) if task.classes else None
    return {
        "project": ctx.job.project_id,
        "task": {
            "type": task.task_type,
            "target": task.target,
            "metric": models.metric,
            "classes": task.classes,
            "rarest_share": share,
        },
        "data": {
            "name": Path(rows.spec.path).name,
            "sheet": rows.spec.sheet,
            "format": rows.spec.format,
            "n_rows": len(rows.frame),
            "n_columns": len(rows.spec.columns),
            "sha256": rows.spec.sha256,
            "dropped": int((~rows.known).sum()),
        },
        "warnings": list(profile.get("warnings", [])),
        "leakage": [suspect["column"] for suspect in profile.get("leakage", [])],
        "split": {
            "strategy": split.strategy,
            "column": split.column,
            "seed": split.seed,
            "rows": {name: len(part) for name, part in parts.items()},
        },
        "columns": dict(treatments.columns),
        "runs": kept.runs,
        "untried": _untried(models, kept.runs),
        "trials": models.trials,
        "budget_s": models.time_budget_s,
        "kept": {
            "run_id": kept.run_id,
            "model_id": kept.trial.model_id,
            "name": kept.name,
            "params": kept.trial.all_params,
            "iterations": kept.trial.iterations,
            "stopped": kept.trial.stopped,
            "threshold": kept.threshold,
            "threshold_chosen": kept.trial.threshold,
            # It was measured with the threshold that TRAIN chose.
            "out_of_bag": kept.trial.out_of_bag if kept.threshold == kept.trial.threshold else None,
            "runtime_s": kept.trial.runtime_s,
        },
        "intervals": {name: list(ends) for name, ends in final.intervals.items()},
        "importance": final.importance,
        "val_importance": kept.importance,
        "explained": final.explained,
        "test_reads": reads,
        "decisions": _decisions(ctx),
        "versions": training_requirements(_requirements(kept)),
    }


def _untried(models: ModelPlan, runs: list[dict[str, Any]]) -> list[str]:
    """Names of approved models without a run: time was up before them."""
    tried = {run["model_id"] for run in runs}
    return [name_of(choice.id) for choice in models.models if choice.id not in tried]


def _measured(model: Any, rows: Rows, part: np.ndarray) -> Metrics:
    """On some of the rows, with the approved threshold."""
    return evaluate(model.task_type, rows.y[part], model.raw(rows.frame.iloc[part]), model.threshold)


def _some(train: np.ndarray) -> np.ndarray:
    """Training rows on which the model is measured; all of them where that costs little."""
    if len(train) <= TRAIN_ROWS:
        return train
    return np.sort(np.random.default_rng(0).choice(train, TRAIN_ROWS, replace=False))


def _copies(model: Any, rows: Rows, parts: dict[str, np.ndarray], treatments: PreprocessPlan) -> dict[str, Any]:
    """How many test rows are the same as a training row, and the metrics without them."""
    used = [name for name, treatment in treatments.columns.items() if treatment != "drop"]
    same = copies(rows, used, parts["test"], parts["train"])
    found: dict[str, Any] = {"rows": int(same.sum()), "metrics": {}}
    if MIN_COPIES * len(same) <= found["rows"] <= len(same) - _MIN_OTHERS:
        found["metrics"] = _measured(model, rows, parts["test"][~same])
    return found


def _requirements(kept: Kept) -> dict[str, str]:
    found: dict[str, str] = json.loads((kept.model_dir / "model.json").read_text("utf-8"))["requirements"]
    return found


def _profile(ctx: StageContext) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((ctx.result_dir(StageId.PROFILE_DATA) / "profile.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StageError("What the stage Profile found cannot be read; restart that stage.") from error
    return found


def _decisions(ctx: StageContext) -> list[tuple[str, str]]:
    """What the person approved at the gates, in words."""
    data: DataPlan = ctx.approved(StageId.DATA_SOURCE)
    roles: ProfilePlan = ctx.approved(StageId.PROFILE_DATA)
    treatments: PreprocessPlan = ctx.approved(StageId.PREPROCESS)
    models: ModelPlan = ctx.approved(StageId.MODEL_SELECT)
    train: TrainPlan = ctx.approved(StageId.TRAIN)
    others = [f"{name}: {role}" for name, role in roles.roles.items() if role not in ("feature", "target")]
    chosen = [
        name_of(choice.id) + (f" ({', '.join(f'{k}={v}' for k, v in choice.params.items())})" if choice.params else "")
        for choice in models.models
    ]
    split = treatments.split
    where = f" by {split.column}" if split.column else ""
    return [
        ("Task", f"{task_name(data.task_type)}, target {data.target}, by {metric_words(models.metric)}"),
        ("Data", data.dataset_id),
        ("Columns that are no features", ", ".join(others) or "none"),
        (
            "Split",
            f"{split.strategy}{where}, {split.val_fraction:.0%} validation, {split.test_fraction:.0%} test, "
            f"seed {split.seed}",
        ),
        ("Models", ", ".join(chosen)),
        (
            "Time budget",
            f"{models.time_budget_s:g} seconds, settings of each model: {models.trials} at most",
        ),
        ("Kept", train.keep + (f", threshold {train.threshold:.4g}" if train.threshold is not None else "")),
    ]


def _summary(review: dict[str, Any]) -> str:
    metric, kept = review["task"]["metric"], review["kept"]
    ends = review["intervals"].get(metric)
    words = f"{kept['name']} has {metric_words(metric)} {number(review['metrics']['test'].get(metric))} on "
    words += f"{review['split']['rows']['test']:,} test rows"
    words += f" (95% interval {report.interval(ends)})." if ends else "."
    measured = review["importance"] or {}
    most = [row["name"] for row in measured.get("columns", []) if (row["mean"] or 0) > 0][:3]
    if most and not measured.get("skipped"):
        words += f" What counts most: {', '.join(most)}."
    words += " The notebook came to the reported numbers from the raw data."
    return "\n".join([words, *review["cautions"][:2]])


def _next_actions(review: dict[str, Any]) -> tuple[str, ...]:
    actions = [
        "Read the report and confirm to export the bundle.",
        "Leave parts out of the bundle: report, notebook, training_code, event_log, sample_rows.",
        "Edit the files in the folder code and restart the stage Training.",
    ]
    return (*actions, *(f"{item['title']}: {item['chat']}" for item in review["suggestions"][:3]))
