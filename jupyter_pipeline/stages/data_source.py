"""DATA_SOURCE: find the data, read them once, and propose what is predicted in them."""

import json
import math
import os
from pathlib import Path
from typing import Any

import polars as pl

from ..automl import datasets as finding
from ..automl.addresses import is_url
from ..automl.datasets import Candidate
from ..automl.metrics import resolve
from ..automl.opening import unpacking_at_most
from ..automl.reading import ReadError, TableSpec, as_stored, read, settle, sniff
from ..protocol.events import (
    Dataset,
    DatasetCandidates,
    DatasetSampleReady,
    DatasetSelected,
    FileEntry,
    FileTreeUpdate,
)
from ..protocol.names import metric_name, metric_words, task_name
from ..protocol.plans import DataPlan, IntentPlan, TaskType
from ..protocol.stages import StageId
from . import target_choice as choice
from .base import Result, StageContext, StageError
from .input_choice import inputs_meant

SAMPLE_ROWS = 100
MAX_TEXT = 300
MAX_CANDIDATES = 50
#: Of an Excel file so many sheets are looked at for the target.
MAX_SHEETS = 20
_HOW = (
    "attach a file (upload it to the project), put it into the workspace folder, name a link to it, or ask for one of "
    "scikit-learn's bundled sets (iris, wine, breast_cancer, diabetes, digits)"
)


def run(ctx: StageContext) -> Result:
    """Choose the data and the target.

    Writes into ``out_dir``:

    - ``table.json``: how the table is read again, :class:`~jupyter_pipeline.automl.reading.TableSpec` as JSON with
      ``path`` relative to the project's folder, so that a workspace can be moved (the name, for a bundled set),
      ``sha256``, ``n_rows`` and ``columns`` (``name``, ``dtype``).
    - ``sample.json``: ``{"columns": [{"name", "dtype"}], "rows": [{column: value}], "n_rows"}``, the first rows.

    Parameters
    ----------
    ctx : StageContext
        The job. ``params`` may hold any member of the plan but ``data_sha256``; they win over the request.

    Returns
    -------
    Result
        With a DataPlan.

    Raises
    ------
    StageError
        If there are no data, they cannot be read, or there is nothing in them to predict.
    """
    intent: IntentPlan = ctx.approved(StageId.PARSE_INTENT)
    params = ctx.job.params
    remarks: list[str] = []
    asked = params.get("target") or intent.target
    # Later stages unpack nothing larger: they refuse a file that was changed.
    with unpacking_at_most(ctx.job.room_bytes):
        candidate = _choose(ctx, intent, remarks)
        ctx.emit(DatasetSelected(dataset_id=candidate.id))
        spec = _settled(ctx, candidate, params.get("sheet", intent.sheet), asked, remarks)
    if candidate.source == "url":
        got = Path(spec.path)
        entry = FileEntry(
            path=got.relative_to(ctx.project_dir).as_posix(), type="data", size=got.stat().st_size, sha=spec.sha256
        )
        ctx.emit(FileTreeUpdate(files=(entry,)))
    sample = _write(ctx, spec, candidate)
    remark = None
    if asked:
        target, remark = choice.column_meant(spec, asked)
    else:
        target, reason = choice.likely_target(spec, sample)
        remark = f"Nobody said what to predict; {reason}."
    values = choice.target_values(spec, target)
    task_type, task_why = choice.task_of(values, params.get("task_type") or intent.task_type)
    if task_type != "regression" and (classes := as_stored(spec, target)) is not spec:
        # Classes are predicted as they are written.
        spec, values = classes, choice.target_values(classes, target)
        _write_spec(ctx, spec, candidate)
    remarks += [*spec.notes, *([remark] if remark else [])]
    metric = choice.metric_of(params.get("metric") or _metric_said(intent, params, task_type, remarks), task_type)
    positive = None
    if task_type == "binary":
        positive = choice.positive_meant(values, params.get("positive_class"))
    remarks += choice.check_target(values, task_type, positive, metric)
    remarks += inputs_meant(intent, list(spec.columns), target).remarks
    plan = DataPlan(
        dataset_id=candidate.id,
        sheet=spec.sheet,
        target=target,
        task_type=task_type,
        metric=metric,
        positive_class=positive,
        data_sha256=spec.sha256,
    )
    for remark in remarks:
        ctx.log(remark)
    name = f"{candidate.name}, sheet {spec.sheet!r}" if len(spec.sheets) > 1 else candidate.name
    summary = (
        f"{name}: {spec.n_rows:,} rows, {len(spec.columns)} columns. Target {target!r}: "
        f"{_task_words(plan)} ({task_why}), judged by {metric_words(metric)}."
    )
    return Result(plan=plan, summary="\n".join([summary, *remarks]), next_actions=_next_actions(plan, spec))


def _metric_said(intent: IntentPlan, params: dict[str, Any], task_type: TaskType, remarks: list[str]) -> str:
    """The metric of the request; the task's usual one where it says nothing of another target that was chosen since."""
    usual = resolve(intent.metric, task_type)
    if intent.metric in ("auto", usual) or params.get("target") in (None, intent.target):
        return intent.metric
    remarks.append(
        f"The metric {metric_name(intent.metric)} of the request has no meaning for a {task_name(task_type)}, so "
        f"{metric_words(usual)} is taken."
    )
    return usual


# -- choosing the data ---------------------------------------------------------------------------------------


def _choose(ctx: StageContext, intent: IntentPlan, remarks: list[str]) -> Candidate:
    asked: str | None = ctx.job.params.get("dataset_id")
    hint = asked or intent.dataset
    target, sheet = ctx.job.params.get("target") or intent.target, ctx.job.params.get("sheet") or intent.sheet
    ranked = finding.rank(_found(ctx, hint), hint, target)
    shown = [c for i, c in enumerate(ranked) if i < MAX_CANDIDATES or c.source in ("upload", "bundled")]
    ctx.emit(DatasetCandidates(datasets=tuple(_dataset(ctx, candidate) for candidate in shown)))
    if asked is not None:
        for candidate in ranked:
            if candidate.id == asked:
                return candidate
        raise StageError(f"There is no data set {asked!r}; there are {_names(ranked)}. You can also {_HOW}.")
    if hint:
        named = [candidate for candidate in ranked if finding.is_named(candidate, hint)]
        if named:
            return _with_target(named[0], ranked, hint, target, remarks)
        if finding.is_table_name(hint) or "/" in hint or ":" in hint:
            raise StageError(f"There are no data {hint!r}; there are {_names(ranked)}. You can also {_HOW}.")
    for source in ("upload", "workspace"):
        own = [candidate for candidate in ranked if candidate.source == source]
        # A broken file that was attached is told, not passed over.
        readable = [candidate for candidate in own if not candidate.problem] or (own if source == "upload" else [])
        readable = [candidate for candidate in readable if sheet in candidate.sheets] or readable
        if source == "workspace" and readable and not hint:
            # Files only lie there; a bundled set that has what is asked for is the better guess.
            tells = next(
                (c for c in ranked if c.source == "bundled" and c.name == choice.bundled_by_target(target)), None
            )
            if tells is not None and not any(choice.has_column(c, target) for c in readable):
                remarks.append(f"No file has a column {target!r}; scikit-learn's {tells.name} has such a target.")
                return tells
        if readable:
            if hint:
                remarks.append(f"Nothing is called {hint!r}; {readable[0].name} was taken.")
            elif len(readable) > 1:
                remarks.append(f"Of {len(readable)} files {readable[0].name} was taken.")
            return readable[0]
    bundled = choice.bundled_by_target(target)
    for candidate in ranked:
        if candidate.source == "bundled" and candidate.name == bundled:
            remarks.append(f"No data are attached; scikit-learn's {bundled} has such a target.")
            return candidate
    what = f"There are no data called {hint!r}, and no others" if hint else "There are no data to work with"
    raise StageError(f"{what}: {_HOW}.")


def _with_target(
    named: Candidate, ranked: list[Candidate], hint: str, target: str | None, remarks: list[str]
) -> Candidate:
    """The data named, or the person's own that hold the target where those named by a bare word do not."""
    exact = finding.is_table_name(hint) or "/" in hint or ":" in hint
    if exact or target is None or not named.columns or choice.has_column(named, target):
        return named
    for source in ("upload", "workspace"):
        for other in ranked:
            if other.source == source and not other.problem and choice.has_column(other, target):
                remarks.append(f"{named.name} has no column {target!r}; {other.name}, which has one, was taken.")
                return other
    return named


def _found(ctx: StageContext, hint: str | None) -> list[Candidate]:
    """All that there is, and what the hint names beyond it."""
    folder, pipelines = Path(ctx.job.workspace_dir), ctx.project_dir.parent
    found = finding.uploads(_attached(ctx), ctx.project_dir)
    found += finding.workspace(folder, skip=[pipelines])
    if hint and is_url(url := hint.strip().removeprefix("url:")):
        found.append(finding.by_url(url))
    elif hint and (path := _below(folder, hint.strip().strip("'\"`").removeprefix("workspace:"))):
        name = path.relative_to(folder).as_posix()
        if not path.is_relative_to(pipelines) and f"workspace:{name}" not in {c.id for c in found}:
            found.append(Candidate(f"workspace:{name}", name, "workspace", str(path), path.stat().st_size))
    return found + finding.bundled()


def _attached(ctx: StageContext) -> list[dict[str, Any]]:
    """What was attached, and tables that lie in the project's data folder; the latest last."""
    found: dict[str, tuple[float, dict[str, Any]]] = {}
    for item in ctx.job.datasets:
        path = _below(ctx.project_dir, str(item.get("meta", {}).get("path", "")))
        if path is None:
            ctx.log(f"The attached file {item['name']} is gone.", "warning")
        else:
            found[item["id"]] = path.stat().st_mtime, item
    folder = ctx.project_dir / "data"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        key = f"upload:{path.name}"
        if key not in found and path.is_file() and not path.name.startswith(".") and finding.is_table_name(path.name):
            meta = {"path": path.relative_to(ctx.project_dir).as_posix(), "size": path.stat().st_size}
            found[key] = path.stat().st_mtime, {"id": key, "name": path.name, "source": "upload", "meta": meta}
    return [item for _, item in sorted(found.values(), key=lambda pair: pair[0])]


def _below(folder: Path, place: str) -> Path | None:
    """A file in a folder by its relative or absolute path; None if there is none, or it lies outside."""
    try:
        path = (folder / place).resolve()
        return folder / path.relative_to(folder.resolve()) if place and path.is_file() else None
    except (OSError, ValueError):
        return None


def _dataset(ctx: StageContext, candidate: Candidate) -> Dataset:
    meta: dict[str, Any] = {"why": list(candidate.reasons), "score": round(candidate.score, 2)}
    for attached in ctx.job.datasets:
        if attached["id"] == candidate.id:
            meta = {**attached.get("meta", {}), **meta}
    if candidate.source == "upload" and "path" not in meta:
        meta["path"] = Path(candidate.place).relative_to(ctx.project_dir).as_posix()
    if candidate.size is not None:
        meta["size"] = candidate.size
    if candidate.columns:
        meta["n_cols"] = len(candidate.columns)
    if candidate.sheets:
        meta["sheets"] = list(candidate.sheets)
    if len(candidate.sheet_names) > len(candidate.sheets):
        meta["sheet_names"] = list(candidate.sheet_names)
    if candidate.problem:
        meta["problem"] = candidate.problem
    return Dataset(
        id=candidate.id, name=candidate.name, source=candidate.source, desc=finding.describe(candidate), meta=meta
    )


def _names(candidates: list[Candidate], limit: int = 12) -> str:
    more = f" and {len(candidates) - limit} more" if len(candidates) > limit else ""
    return ", ".join(candidate.id for candidate in candidates[:limit]) + more


# -- reading -------------------------------------------------------------------------------------------------


def _settled(
    ctx: StageContext, candidate: Candidate, sheet: str | None, target: str | None, remarks: list[str]
) -> TableSpec:
    try:
        if candidate.source == "url":
            ctx.log(f"Getting {candidate.place}.")
        spec = finding.open_candidate(candidate, ctx.project_dir / "data" / "downloads", sheet, ctx.job.room_bytes)
        if sheet is None and target is not None:
            spec = _sheet_with(spec, target, remarks)
        elif sheet is not None and spec.sheet is None:
            remarks.append(f"{candidate.name} has no sheets, so {sheet!r} is of no account.")
        spec = settle(spec)
    except ReadError as error:
        raise StageError(str(error)) from error
    if len(spec.columns) < 2:
        raise StageError(
            f"{candidate.name} has only one column; a table needs the column to predict and at least one more."
        )
    if (spec.n_rows or 0) < choice.MIN_ROWS:
        raise StageError(
            f"{candidate.name} has {spec.n_rows} row{'' if spec.n_rows == 1 else 's'}; at least {choice.MIN_ROWS} are "
            "needed to train and to test."
        )
    return spec


def _sheet_with(spec: TableSpec, target: str, remarks: list[str]) -> TableSpec:
    """The sheet as it is, or the only other one that has the target."""
    if len(spec.sheets) < 2 or choice.names_column(spec, target):
        return spec
    others = [sniff(spec.path, sheet) for sheet in spec.sheets if sheet != spec.sheet][:MAX_SHEETS]
    found = [other for other in others if choice.names_column(other, target)]
    if len(found) != 1:
        return spec
    remarks.append(f"The sheet {spec.sheet!r} has no column {target!r}.")
    return found[0]


def _write_spec(ctx: StageContext, spec: TableSpec, candidate: Candidate) -> None:
    table: dict[str, Any] = {**spec.to_dict(), "dataset_id": candidate.id, "name": candidate.name}
    if spec.format != "sklearn":
        table["path"] = _moving_along(ctx, Path(spec.path))
    (ctx.out_dir / "table.json").write_text(json.dumps(table, indent=1, ensure_ascii=False), "utf-8")


def _write(ctx: StageContext, spec: TableSpec, candidate: Candidate) -> pl.DataFrame:
    _write_spec(ctx, spec, candidate)
    try:
        sample = read(spec, n_rows=1000)
    except ReadError as error:
        raise StageError(str(error)) from error
    rows = [
        {name: _json(value) for name, value in row.items()} for row in sample.head(SAMPLE_ROWS).iter_rows(named=True)
    ]
    path = ctx.out_dir / "sample.json"
    content = {"columns": spec.to_dict()["columns"], "rows": rows, "n_rows": spec.n_rows}
    path.write_text(json.dumps(content, ensure_ascii=False, allow_nan=False), "utf-8")
    artifact = ctx.asset(path, "table", "First rows", n_rows=len(rows))
    ctx.emit(DatasetSampleReady(asset_url=artifact.url, columns=tuple(spec.columns), n_rows=spec.n_rows or 0))
    return sample


def _moving_along(ctx: StageContext, path: Path) -> str:
    """A path relative to the project's folder if both move together, else absolute."""
    workspace = Path(ctx.job.workspace_dir)
    home = workspace if ctx.project_dir.is_relative_to(workspace) else ctx.project_dir
    return Path(os.path.relpath(path, ctx.project_dir)).as_posix() if path.is_relative_to(home) else str(path)


def _json(value: Any) -> Any:
    """A cell as a value of JSON; long texts are cut."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


# -- words ---------------------------------------------------------------------------------------------------


def _task_words(plan: DataPlan) -> str:
    if plan.task_type == "binary":
        return f"{task_name(plan.task_type)}, positive class {plan.positive_class!r}"
    return task_name(plan.task_type)


def _next_actions(plan: DataPlan, spec: TableSpec) -> tuple[str, ...]:
    actions = ["Confirm to go on with these data and this target.", "Name another target, such as: predict COLUMN."]
    if plan.task_type == "binary":
        actions.append("Choose the other class as positive with positive_class.")
    if others := [sheet for sheet in spec.sheets if sheet != spec.sheet]:
        actions.append(f'Choose another sheet, such as: use the sheet "{others[0]}".')
    return (*actions, "Choose other data with select_dataset, or attach a file.")
