"""PARSE_INTENT: what the person wants, read from the request by rules."""

import msgspec

from ..agent.request import read_request
from ..protocol.events import PromptParsed
from .base import Result, StageContext

HOW = 'Say what to predict, for example "Predict churn, optimise recall, within two minutes".'


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
    request = read_request(prompt, _columns(ctx))
    plan = ctx.with_params(request.plan)
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
            },
        )
    )
    (ctx.out_dir / "intent.json").write_bytes(
        msgspec.json.format(msgspec.json.encode({"prompt": prompt, "plan": plan}), indent=1)
    )
    understood = [*request.understood]
    changed = [f"{m} {ctx.job.params[m]} (set by you)" for m in plan.__struct_fields__ if m in ctx.job.params]
    for remark in (*understood, *changed):
        ctx.log(f"Understood: {remark}.")
    for clause in plan.not_understood:
        ctx.log(f'Not understood: "{clause}". Say it another way, or change the plan.', "warning")
    return Result(plan=plan, summary=_summary(understood + changed, plan), next_actions=_next(plan))


def _columns(ctx: StageContext) -> tuple[str, ...]:
    """Columns of the attached data, where those say them."""
    found: list[str] = []
    for dataset in ctx.job.datasets:
        meta = dataset.get("meta")
        columns = meta.get("columns") if isinstance(meta, dict) else None
        if isinstance(columns, list | tuple):
            found += [c for c in columns if isinstance(c, str)]
    return tuple(dict.fromkeys(found))


def _summary(understood: list[str], plan: object) -> str:
    missed = getattr(plan, "not_understood", ())
    if understood:
        text = f"Understood: {'; '.join(understood)}."
        if getattr(plan, "target", None) is None:
            text += " No target was named; the data will suggest one."
    else:
        text = f"The request says nothing that was understood, so the data will decide everything. {HOW}"
    if missed:
        clauses = "; ".join(f'"{clause}"' for clause in missed)
        text += f" Not understood: {clauses}."
    return text


def _next(plan: object) -> tuple[str, ...]:
    first = ("confirm",) if getattr(plan, "target", None) else ("say what to predict", "confirm")
    return (*first, "change it (chat or update_plan)")
