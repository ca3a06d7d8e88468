"""Answers about models: what speaks for one, why one is not trained, and how to have it trained."""

from ..protocol.events import ModelCandidate
from ..protocol.names import metric_words, model_name, model_names, number
from ..protocol.stages import StageId
from .base import Context
from .draft import Said
from .parameters import PARAMETERS, SPOKEN
from .vocabulary import ALL_MODELS
from .words import words_of

SELECT = StageId.MODEL_SELECT
_MISSING = words_of(
    """
    not no without missing left out absent excluded exclude excluding skip skipped dropped isn't aren't wasn't weren't
    didn't don't doesn't haven't hasn't never lacking omitted removed ignored nor
    """
)
MOST = 4
HOW_TO_ADD = 'Say "add '


def of_models(said: Said, context: Context) -> str:
    """What is known of the models that a sentence names, wanted or not; empty if it names none."""
    named = [n for n in said.named if n.kind in ("models", "absent")]
    missing = bool(_MISSING & said.words)
    ids = list(dict.fromkeys(model for n in named if n.kind == "models" for model in n.value))
    if missing and len(ids) > 1:
        ids = [m for m in ids if m not in _chosen(context)] or ids
    found = [model(context, m, missing=missing) for m in ids[:MOST]]
    found += [no_such(context, str(n.value)) for n in named if n.kind == "absent"]
    return "\n".join(dict.fromkeys(found))


def no_such(context: Context, what: str) -> str:
    """That there are no models of a kind."""
    known = [m.id for m in context.models] or ALL_MODELS
    return f"There are no {what} here; the models are {model_names(known)}."


def model(context: Context, model_id: str, *, missing: bool = False) -> str:
    """What is known of a model; ``missing`` where it was asked why it is not there."""
    name = model_name(model_id)
    known = next((m for m in context.models if m.id == model_id), None)
    plan = context.plans.get(SELECT)
    if context.models and known is None:
        return f"{name} cannot be trained here, because its package is not installed where the server runs."
    row = next((r for r in context.leaderboard if r.model == model_id and r.status == "success"), None)
    score = ""
    if row is not None and row.metric is not None:
        score = f" It came to {scored_by(context)} {number(row.metric)} on the validation rows ({row.run_id})."
    if plan is None or known is None:
        wish = _wish(context, model_id)
        return f"{name} is a model that can be trained.{wish} Which models are proposed is said at the stage Models."
    if model_id in _chosen(context):
        begin = f"{name} is among the models to train. " if missing else f"{name}: "
        if missing and context.leaderboard and row is None:
            begin = f'{name} was to be trained, but no run of it finished: give it more time, as in "five minutes". '
        return f"{begin}{_known(known)}{score}"
    why = known.left_out if isinstance(known.left_out, str) else "It was proposed, and was taken out since."
    again = "" if context.current_stage is SELECT else "; training runs again then"
    return (
        f"{name} is not among the models to train. {why} {_known(known)}{score} "
        f'{HOW_TO_ADD}{name}" to have it trained too{again}.'
    )


def _known(model: ModelCandidate) -> str:
    """What speaks for a model, and what it costs."""
    if model.cost_s is None:
        return model.why
    shown = f"{model.cost_s:.1f}" if model.cost_s < 10 else f"{model.cost_s:,.0f}"
    return f"{model.why} Estimated fit: about {shown} s."


def metric_of(context: Context) -> str:
    """The metric that decides, as a sentence has it."""
    for stage in (SELECT, StageId.DATA_SOURCE, StageId.PARSE_INTENT):
        name = context.plans.get(stage, {}).get("metric")
        if name and name != "auto":
            return metric_words(str(name))
    return "the metric"


def scored_by(context: Context) -> str:
    """The metric of the leaderboard's values, as a sentence has it: it may have been changed since."""
    row = next((r for r in context.leaderboard if r.status == "success" and r.metric is not None), None)
    values = context.measured.scores.get(row.run_id, {}).get("val", {}) if row is not None else {}
    same = [name for name, value in values.items() if row is not None and value == row.metric]
    words = [metric_words(name) for name in same]
    return words[0] if words and metric_of(context) not in words else metric_of(context)


def parameters_of(said: Said, context: Context) -> str:
    """The parameters of the models that a sentence names, or of those to train, with their values and ranges.

    Where it names parameters, it is those.
    """
    spoken = {found[0] for i in range(len(said.tokens)) if (found := SPOKEN.at(said.tokens, i)) is not None}
    set_by = {c["id"]: c["params"] for c in context.plans.get(SELECT, {}).get("models", ())}
    named = [m for n in said.named if n.kind == "models" for m in n.value]
    usual = {m.id: m.params for m in context.models}
    lines = []
    for model_id in dict.fromkeys(named or set_by):
        values = {**usual.get(model_id, {}), **set_by.get(model_id, {})}
        shown = []
        for what, known in PARAMETERS.get(model_id, {}).items():
            value = values.get(known.name)
            if not spoken or what in spoken:
                how = "by its own choice" if value is None else f"{value:g}"
                shown.append(f"{known.name} {how} ({known.low:g} to {known.high:g})")
        if shown or (named and not spoken):
            lines.append(f"{model_name(model_id)}: {', '.join(shown) or 'no parameters'}.")
    return "\n".join(lines) or "The parameters of models can be set once these are proposed, at the stage Models."


def _chosen(context: Context) -> list[str]:
    return [choice["id"] for choice in context.plans.get(SELECT, {}).get("models", ())]


def _wish(context: Context, model_id: str) -> str:
    """What the request says of a model."""
    intent = context.plans.get(StageId.PARSE_INTENT, {})
    if model_id in intent.get("exclude_models", ()):
        return " The request does not want it."
    include = intent.get("include_models", ())
    if model_id in include:
        return " The request wants it."
    return f" The request names other models ({model_names(include)})." if include else ""
