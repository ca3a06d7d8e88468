"""PARSE_INTENT: what the person wants, read from the request by rules."""

import re
from pathlib import Path
from typing import Any

import msgspec

from ..agent.request import Request, read_request, say_seconds
from ..agent.vocabulary import FILLER
from ..automl.datasets import workspace
from ..automl.reading import ReadError, sniff
from ..protocol.events import PromptParsed
from ..protocol.names import member_words, metric_words, model_names, task_name, treated_words
from .base import Result, StageContext
from .input_choice import inputs_meant

HOW = 'Say what to predict, for example "Predict churn, optimise recall, within two minutes".'

CHEAP_BYTES = 256 << 20
"""Up to this size a file is looked at for its columns here; a larger one only at DATA_SOURCE."""


def run(ctx: StageContext) -> Result:
    """Read the request; say what was understood and what was not.

    Parameters
    ----------
    ctx : StageContext
        ``params`` holds ``prompt``, the request, and any member of IntentPlan that the person set.

    Returns
    -------
    Result
        Whatever the request says, there is a plan: what it does not say is left to the data.
    """
    prompt = str(ctx.job.params.get("prompt", "")).strip()
    said = read_request(prompt).plan
    hint = ctx.job.params.get("dataset") or said.dataset or _named(ctx, prompt)
    columns = _columns(ctx, hint, said.sheet)
    request = read_request(prompt, columns)
    if request.plan.dataset is None and hint is not None:
        stem = Path(hint.rpartition(":")[2]).name.split(".")[0].lower()
        missed = tuple(clause for clause in request.plan.not_understood if stem not in clause.lower())
        request = Request(
            plan=msgspec.structs.replace(request.plan, dataset=hint, not_understood=missed),
            understood=(*request.understood, f"data {hint.removeprefix('upload:').removeprefix('workspace:')}"),
        )
    plan = ctx.with_params(
        msgspec.structs.replace(
            request.plan,
            include_columns=request.plan.include_columns or (),
            exclude_columns=request.plan.exclude_columns or (),
            treatments=request.plan.treatments or {},
        )
    )
    ctx.emit(
        PromptParsed(
            task_type=plan.task_type,
            target=plan.target,
            dataset_hint=plan.dataset,
            constraints={
                "metric": plan.metric,
                "time_budget_s": plan.time_budget_s,
                "prefer": plan.prefer,
                "include_models": list(plan.include_models),
                "exclude_models": list(plan.exclude_models),
                "include_columns": list(plan.include_columns),
                "exclude_columns": list(plan.exclude_columns),
                "treatments": dict(plan.treatments),
            },
        )
    )
    (ctx.out_dir / "intent.json").write_bytes(
        msgspec.json.format(msgspec.json.encode({"prompt": prompt, "plan": plan}), indent=1)
    )
    understood = [*request.understood]
    changed = [
        f"{member_words(m)} {_shown(m, ctx.job.params[m])} (set by you)"
        for m in plan.__struct_fields__
        if m in ctx.job.params
    ]
    for remark in (*understood, *changed):
        ctx.log(f"Understood: {remark}.")
    for clause in plan.not_understood:
        ctx.log(f'Not understood: "{clause}". Say it another way, or change the plan.', "warning")
    summary = _summary(understood + changed, plan)
    if columns and plan.target is not None and plan.target not in columns:
        some = ", ".join(columns[:20])
        remark = f"The attached data have no column {plan.target!r}; they have {some}."
        ctx.log(remark, "warning")
        summary = f"{summary}\n{remark}"
    for remark in inputs_meant(plan, columns, plan.target).remarks if columns else ():
        ctx.log(remark, "warning")
        summary = f"{summary}\n{remark}"
    return Result(plan=plan, summary=summary, next_actions=_next(plan))


def _named(ctx: StageContext, prompt: str) -> str | None:
    """Data called by a name without an ending: ``in the customers table``, ``from customers``.

    One of several attached data sets, else a file of the workspace; None if it is not clear which, or if the only one
    attached is called so, which is taken anyway.
    """
    attached = {str(item["id"]): str(item["name"]) for item in ctx.job.datasets}
    found = [key for key, name in attached.items() if _calls(prompt, name)]
    if found and len(attached) == 1:
        return None
    if not found:
        tables = workspace(Path(ctx.job.workspace_dir), skip=[ctx.project_dir.parent])
        found = [table.id for table in tables if _calls(prompt, Path(table.name).name)]
    return found[0] if len(found) == 1 else None


def _calls(prompt: str, name: str) -> bool:
    stem = name.split(".")[0]
    if len(stem) < 3 or stem.lower() in FILLER:
        return False
    before, after = r"(?:from|in|on|with|using|of|use)\s+(?:the\s+)?", r"\s+(?:data|frame|dataframe|table|file|set)"
    named = rf"(?<!\w){re.escape(stem)}(?!\w)"
    return re.search(rf"\b{before}{named}|{named}{after}\b", prompt, re.IGNORECASE) is not None


def _columns(ctx: StageContext, hint: str | None, sheet: str | None) -> tuple[str, ...]:
    """Columns of the data attached last, where those are what the request is about and a look is cheap."""
    if not ctx.job.datasets:
        return ()
    latest = next((d for d in ctx.job.datasets if hint in (d["id"], d["name"])), ctx.job.datasets[0])
    meta = latest.get("meta")
    place = meta.get("path") if isinstance(meta, dict) else None
    path = ctx.project_dir / str(place)
    if hint is not None and hint not in (latest.get("id"), latest.get("name"), path.stem):
        return ()
    try:
        return tuple(sniff(path, sheet).columns) if place and path.stat().st_size <= CHEAP_BYTES else ()
    except (ReadError, OSError):
        return ()  # DATA_SOURCE says what is wrong with the file


def _summary(understood: list[str], plan: object) -> str:
    missed = getattr(plan, "not_understood", ())
    if understood:
        text = f"Understood: {'; '.join(understood)}."
        if getattr(plan, "target", None) is None:
            text += " No target was named; the data will suggest one."
    else:
        text = "The request says nothing that was understood, so the data will decide everything."
    if missed:
        clauses = "; ".join(f'"{clause}"' for clause in missed)
        text += f" Not understood: {clauses}."
    return text if understood else f"{text}\n{HOW}"


def _shown(member: str, value: Any) -> str:
    if member == "metric":
        return metric_words(str(value))
    if member == "task_type":
        return task_name(str(value))
    if member in ("include_models", "exclude_models"):
        return model_names(value) or "none"
    if member == "treatments":
        return treated_words(value) or "none"
    if member in ("include_columns", "exclude_columns"):
        return ", ".join(map(str, value)) or "none"
    return say_seconds(float(value)) if member == "time_budget_s" else str(value)


def _next(plan: object) -> tuple[str, ...]:
    first = ("confirm",) if getattr(plan, "target", None) else ("say what to predict", "confirm")
    return (*first, "change it (chat or update_plan)")
