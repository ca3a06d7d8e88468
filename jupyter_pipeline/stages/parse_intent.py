"""PARSE_INTENT: what the person wants, read from the request by rules."""

import msgspec

from ..agent.request import parse_request
from ..protocol.events import PromptParsed
from .base import Result, StageContext, StageError


def run(ctx: StageContext) -> Result:
    """Read the request; say what was understood and what was not."""
    prompt = str(ctx.job.params.get("prompt", "")).strip()
    if not prompt:
        raise StageError('Say what to predict, for example "Predict churn, optimise recall, within two minutes".')
    plan = ctx.with_params(parse_request(prompt))
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
    understood = [
        f"predict {plan.target}" if plan.target else "predict a column that the data will suggest",
        f"task {plan.task_type}" if plan.task_type != "auto" else "task from the data",
        f"metric {plan.metric}" if plan.metric != "auto" else "metric from the task",
        f"{plan.time_budget_s:g} seconds of training",
    ]
    if plan.prefer != "balanced":
        understood.append(f"{plan.prefer} matters most")
    if plan.dataset:
        understood.append(f"data {plan.dataset}")
    if plan.include_models:
        understood.append(f"models {', '.join(plan.include_models)}")
    if plan.exclude_models:
        understood.append(f"without {', '.join(plan.exclude_models)}")
    summary = f"Understood: {'; '.join(understood)}."
    if plan.not_understood:
        missed = "; ".join(f'"{clause}"' for clause in plan.not_understood)
        summary += f" Not understood: {missed}."
        ctx.log(f"Not understood: {missed}. Say it another way, or change the plan.", "warning")
    ctx.log(summary)
    return Result(plan=plan, summary=summary)
