"""TRAIN: fit the chosen models within the time budget, first with their defaults, then with settings of a search."""

from typing import Any, Literal

import msgspec

from ..automl.metrics import HIGHER_IS_BETTER, better
from ..automl.models import ENSEMBLE, turn
from ..protocol.events import ModelSelected
from ..protocol.names import metric_name, metric_words, number
from ..protocol.plans import DataPlan, ModelPlan, PreprocessPlan, TrainPlan
from ..protocol.stages import StageId
from .base import Result, StageContext, StageError
from .modeling import load_modeling
from .rows import write_json
from .suggestions import FEW_ROWS, too_good, undefined
from .train_session import Session
from .trials import RUNS

#: With less for its fit than so many seconds, or this share of the time budget, nothing is begun once there is a model.
_TOO_SHORT_S, _TOO_SHORT_SHARE = 0.5, 0.05
#: A model that must be tried although time is up gets so many seconds, or this share of the time budget.
_GRACE_S, _GRACE_SHARE = 2.0, 0.2

Search = dict[str, Any]


def run(ctx: StageContext) -> Result:
    """Train.

    Scores are measured on training and validation rows only. Writes into ``out_dir``:

    - ``runs.json``: for each finished run (best first) its ``trial_dir`` (below the project's folder, with ``model/``,
      ``history.json`` and ``val/*.png|json``), ``record_sha256`` (of ``trial.json`` in it), ``model_id``, ``params``,
      ``iterations``, ``seed``, ``threads``, ``metrics``, ``threshold`` and more;
    - ``leaderboard.json``: all rows, also of runs that failed.

    Parameters
    ----------
    ctx : StageContext
        The job; ``params`` may hold ``keep`` and ``threshold``.

    Returns
    -------
    Result
        With a TrainPlan: the best run, and the threshold chosen for it on the validation rows.

    Raises
    ------
    StageError
        If edited code or data cannot be used, or no run succeeded.
    """
    plan: ModelPlan = ctx.approved(StageId.MODEL_SELECT)
    _check_unused(ctx)
    session = Session(ctx, plan, load_modeling(ctx.project_dir))
    pending = _take_over(session, plan)
    _defaults(session, pending)
    if plan.trials > 1:
        _search(session, plan)
    if any(choice.id == ENSEMBLE for choice in plan.models) and not session.ending:
        session.ensemble()
    session.tell_late()
    if not session.trials:
        reasons = (
            "; ".join(f"{session.learning.name_of(row.model)}: {row.reason}" for row in session.failed)
            or "none was started"
        )
        raise StageError(f"No model could be trained ({reasons}). Change the models or the treatments and try again.")
    write_json(ctx.out_dir / RUNS, session.describe())
    rows = msgspec.to_builtins(session.leaderboard())
    board = write_json(ctx.out_dir / "leaderboard.json", {"metric": plan.metric, "split": "val", "rows": rows})
    ctx.asset(board, "table", "Leaderboard")
    chosen = _plan(ctx, session)
    ctx.emit(ModelSelected(model_id=session.trials[chosen.keep].model_id))
    return Result(plan=chosen, summary=_summary(session, plan), next_actions=_next_actions(session))


def _check_unused(ctx: StageContext) -> None:
    treatments: PreprocessPlan = ctx.approved(StageId.PREPROCESS)
    data: DataPlan = ctx.approved(StageId.DATA_SOURCE)
    if data.target in treatments.columns and treatments.columns[data.target] != "drop":
        raise StageError(
            f"The target {data.target!r} is among the columns to learn from; drop it at the stage Preparation."
        )


def _take_over(session: Session, plan: ModelPlan) -> list[tuple[str, dict[str, Any]]]:
    """Use the trials that are there already; what is left of the defaults, in the order in which they are trained."""
    known = session.learning.modeling.models.MODELS
    n_rows, _ = session.n_rows
    width = session.learning.width
    classes, threads = session.task.n_classes, session.ctx.job.threads

    def place(model_id: str) -> float:
        return turn(model_id, known[model_id].cost_s(n_rows, width, classes, threads)) if model_id in known else 0.0

    ordered = sorted((choice for choice in plan.models if choice.id != ENSEMBLE), key=lambda choice: place(choice.id))
    pending = [(choice.id, choice.params) for choice in ordered if not session.reuse(choice.id, choice.params)]
    if session.trials or session.failed:
        if session.trials:
            session.ctx.log(f"{len(session.trials)} trials that were done before are used again.")
        session.show_leaderboard()
    return pending


def _defaults(session: Session, pending: list[tuple[str, dict[str, Any]]]) -> None:
    """One run of each model with its defaults and what the person set."""
    ctx = session.ctx
    for place, (model_id, params) in enumerate(pending):
        if session.ending and session.trials:
            return
        evaluation, first = session.evaluation_s(model_id), session.first_s(model_id)
        left = session.remaining - evaluation  # after the rows were made ready, for which the first model waits
        if session.has_model and left < max(_too_short(session), first) and session.release():
            left = session.remaining - evaluation
        if left < _too_short(session) and session.has_model:
            names = ", ".join(session.learning.name_of(m) for m, _ in pending[place:])
            ctx.log(f"The time budget is used up; not trained: {names}.", "warning")
            return
        grace = min(_GRACE_S, _GRACE_SHARE * session.plan.time_budget_s)
        if not _begun_in_time(session, model_id, first, left, grace):
            continue
        share = session.remaining / (1 + 0.6 * (len(pending) - place - 1)) - evaluation
        session.run(model_id, params, 0, max(share, min(grace, left) if session.has_model else grace))


def _begun_in_time(session: Session, model_id: str, first: float, left: float, grace: float) -> bool:
    """Whether a model is to be tried: not where its first iteration, which nothing can end, would take too long.

    Without any model there is no training, so the first one is tried whatever it takes, and people are told.
    """
    name = session.learning.name_of(model_id)
    if session.has_model and first > left:
        session.ctx.log(
            f"{name} is not trained: its first iteration alone would take about {first:.0f} s, and {left:.1f} s are "
            "left. Allow more time to have it.",
            "warning",
        )
        return False
    over = max(first, grace) - left
    if not session.has_model and model_id != "dummy" and over > max(_TOO_SHORT_S, grace / 2):
        session.ctx.log(
            f"Training takes about {over:.0f} s longer than its time budget: {name} is the first model, and to fit and "
            f"evaluate it takes about {max(first, grace) + session.evaluation_s(model_id):.0f} s here.",
            "warning",
        )
    return True


def _too_short(session: Session) -> float:
    return min(_TOO_SHORT_S, _TOO_SHORT_SHARE * session.plan.time_budget_s)


def _search(session: Session, plan: ModelPlan) -> None:
    """Further settings of the models that worked, in rounds, the best model first: known ones, then drawn by Optuna."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    direction: Literal["maximize", "minimize"] = "maximize" if HIGHER_IS_BETTER[session.metric] else "minimize"
    searches: dict[str, Search] = {}
    for choice in plan.models:
        space = _space(session, choice.id, choice.params, optuna)
        if space:
            sampler = optuna.samplers.TPESampler(seed=session.seed)
            study = optuna.create_study(direction=direction, sampler=sampler)
            for setting in getattr(session.learning.modeling.models.MODELS[choice.id], "portfolio", ()):
                study.enqueue_trial({name: value for name, value in setting.items() if name in space})
            searches[choice.id] = {"space": space, "study": study, "fixed": choice.params}
    for nth in range(1, plan.trials):
        for model_id in _best_first(session):
            if model_id not in searches:
                continue
            if session.ending:
                return
            quickest = min((t.runtime_s for t in session.trials.values() if t.model_id == model_id), default=0.0)
            search = searches[model_id]
            asked = search["study"].ask(search["space"])
            params = {**search["fixed"], **_rounded(asked.params)}
            known = len(session.trials) + len(session.failed)
            if session.reuse(model_id, params):
                if len(session.trials) + len(session.failed) > known:
                    session.show_leaderboard()
            else:
                left = session.remaining - session.evaluation_s(model_id)
                if session.remaining < 0.7 * quickest or left < max(_too_short(session), session.first_s(model_id)):
                    continue
                session.run(model_id, params, nth, left)
            value = _value(session, model_id, params)
            if value is None:
                search["study"].tell(asked, state=optuna.trial.TrialState.FAIL)
            else:
                search["study"].tell(asked, value)


def _space(session: Session, model_id: str, fixed: dict[str, Any], optuna: Any) -> dict[str, Any]:
    models = session.learning.modeling.models
    if model_id not in models.MODELS or model_id == "dummy":
        return {}
    try:
        own = set(models.check_params(model_id, fixed))
    except ValueError:
        return {}
    space: dict[str, Any] = {}
    for name, p in models.MODELS[model_id].parameters.items():
        if not p.searched or name in own:
            continue
        low, high = p.search_low, p.search_high
        kind = optuna.distributions.IntDistribution if p.whole else optuna.distributions.FloatDistribution
        space[name] = kind(int(low), int(high), log=p.log) if p.whole else kind(low, high, log=p.log)
    return space


def _rounded(params: dict[str, Any]) -> dict[str, Any]:
    """Four digits say enough, and people can read them."""
    return {name: float(f"{v:.4g}") if isinstance(v, float) else v for name, v in params.items()}


def _best_first(session: Session) -> list[str]:
    return list(dict.fromkeys(row.model for row in session.leaderboard() if row.status == "success"))


def _value(session: Session, model_id: str, params: dict[str, Any]) -> float | None:
    mark = session.mark(model_id, params)
    return next((t.metric for t in session.trials.values() if t.fingerprint == mark), None)


def _plan(ctx: StageContext, session: Session) -> TrainPlan:
    best = session.best
    if best is None:  # no metric could be measured
        best = next(iter(session.trials.values()))
    asked = ctx.job.params.get("keep")
    if asked is not None:
        if asked not in session.trials:
            names = ", ".join(session.trials)
            raise StageError(f"There is no finished run {asked!r} to keep; there are {names}.")
        best = session.trials[asked]
    plan: TrainPlan = ctx.with_params(TrainPlan(keep=best.run_id, threshold=best.threshold))
    if plan.threshold is not None and session.task.task_type != "binary":
        raise StageError("A threshold has a meaning for binary tasks only; leave it null.")
    return plan


def _summary(session: Session, plan: ModelPlan) -> str:
    best = session.best
    if best is None or best.metric is None:
        many = len(session.trials)
        return (
            f"{many} run{'' if many == 1 else 's'} finished.\n{metric_name(plan.metric)} is not defined on the "
            f"validation rows, perhaps as {undefined(plan.metric)}, so runs cannot be compared; choose another metric "
            "or another split."
        )
    ahead = next((row for row in session.leaderboard() if better(plan.metric, row.metric, best.metric)), None)
    runs = "run" if len(session.trials) == 1 else "runs"
    words = (
        f"{'Best' if ahead is None else 'Proposed'} of {len(session.trials)} finished {runs}: "
        f"{session.learning.name_of(best.model_id)} with "
        f"{metric_words(plan.metric)} {number(best.metric)} on {session.n_rows[1]:,} validation rows."
    )
    dummy = next((t for t in session.trials.values() if t.model_id == "dummy"), None)
    if dummy is not None and dummy.metric is not None and best is not dummy:
        words += f" The baseline has {number(dummy.metric)}."
    if best.threshold is not None:
        words += f" A row counts as positive from a probability of {best.threshold:.3g}."
    failed = [session.learning.name_of(row.model) for row in session.failed if row.status == "failed"]
    if failed:
        words += f" Failed: {', '.join(failed)}."
    remarks = []
    if len(session.trials) > 2:
        who = "The ensemble and its weights were" if best.model_id == ENSEMBLE else "The model was"
        told = f"{who} chosen by the validation rows, so the score is a little too good; the test rows will tell."
        if best.out_of_bag is not None:
            told += f" With each row predicted by weights chosen without it, it is {number(best.out_of_bag)}."
        remarks.append(told)
    if ahead is not None and ahead.metric is not None:
        remarks.append(
            f"{session.learning.name_of(ahead.model)} has {number(ahead.metric)}, the best of all single models by "
            "these very rows; an average of several is most often better on new ones."
        )
    if too_good(plan.metric, best.metric) and session.n_rows[1] >= FEW_ROWS:
        remarks.append(
            "A score this near to perfect is rare: see whether a column is known only after the fact, or says what the "
            "target says."
        )
    if best.model_id == "dummy" and session.has_model:
        remarks.append("No model is better than the baseline: the columns may say nothing about the target.")
    tried = {trial.model_id for trial in session.trials.values()} | {row.model for row in session.failed} | {ENSEMBLE}
    if untried := [session.learning.name_of(choice.id) for choice in plan.models if choice.id not in tried]:
        remarks.append(
            f"Not trained before {'it was ended' if session.ending else 'the time was over'}: {', '.join(untried)}."
        )
    return "\n".join([words, *remarks])


def _next_actions(session: Session) -> tuple[str, ...]:
    actions = ["Confirm to keep the best model and see it evaluated on the test rows."]
    if len(session.trials) > 1:
        actions.append("Keep another run of the leaderboard.")
    if session.task.task_type == "binary":
        actions.append("Set the probability from which a row counts as positive (threshold).")
    actions.append("Change models, parameters or the time budget, and train again.")
    return tuple(actions)
