"""Plans at gates: applying a patch, checking it against what the project knows, and what depends on what."""

import hashlib
from collections.abc import Mapping
from typing import Any

import jsonpatch
import msgspec
from msgspec import UNSET

from ..automl.models import MODELS, ParameterError, check_choices
from ..protocol.dependencies import RULES
from ..protocol.errors import ErrorCode, Refusal, did_you_mean, explained
from ..protocol.names import REGRESSION_METRICS, metric_name, stage_name, task_name
from ..protocol.plans import (
    PLAN_TYPES,
    DataPlan,
    IntentPlan,
    ModelPlan,
    Plan,
    PreprocessPlan,
    ProfilePlan,
    TrainPlan,
)
from ..protocol.stages import StageId, StageStatus
from .state import ProjectState, StageState

CODE_VERSION = 4
"""Part of every fingerprint; raise it when a stage computes something else from the same inputs."""

MOST_OPERATIONS, MOST_COPIES = 5_000, 4
"""What a patch may have. A copy can double the plan, so that a short list of them would fill the memory."""

_MOST_COMPARED = 1_000

#: Members that are shown and not changed.
_FIXED: dict[StageId, tuple[str, ...]] = {
    StageId.PARSE_INTENT: ("not_understood",),
    StageId.DATA_SOURCE: ("data_sha256",),
}


def digest(value: Any) -> str:
    """SHA-256 in hex of a JSON value in canonical form (sorted keys, no white space)."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def fingerprint(state: ProjectState, stage_id: StageId, params: Mapping[str, Any], code: str) -> str:
    """Fingerprint of a stage's inputs: what it is asked, the approved plans that it reads, and the code.

    Parameters
    ----------
    code : str
        Digest of the person's own training code, empty if there is none; an input of TRAIN and what follows.
    """
    inputs: dict[str, Any] = {}
    for earlier, members in RULES[stage_id].reads.items():
        plan = state.stage(earlier).plan or {}
        inputs[earlier] = plan if members is None else {m: plan.get(m) for m in members}
    attempts = {s.value: state.stage(s).attempt for s in RULES[stage_id].follows}
    own_code = code if stage_id.order >= StageId.TRAIN.order else ""
    return digest([CODE_VERSION, stage_id, dict(params), inputs, attempts, own_code])


def dependents(stage_id: StageId) -> tuple[StageId, ...]:
    """The later stages whose result depends on this one's plan, in order."""
    found = {stage_id}
    for later in stage_id.later:
        if found & set(RULES[later].reads):
            found.add(later)
    return tuple(s for s in stage_id.later if s in found)


def plan_to_come(stage: StageState) -> dict[str, Any] | None:
    """A stage's plan; while it works, and where it failed, what it proposed last with what it was asked, so that who
    asks for more, or puts right what was lacking, is not understood to take that back."""
    working = stage.status in (StageStatus.IN_PROGRESS, StageStatus.FAILED)
    if not working or stage.plan is None or stage.proposed is None:
        return stage.plan
    return {member: stage.params.get(member, value) for member, value in stage.proposed.items()}


def patched(state: ProjectState, stage_id: StageId, patch: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """A stage's plan after a patch, checked; an empty patch takes back what the stage was asked and works on.

    Raises
    ------
    Refusal
        INVALID_ARGS if the patch does not apply or makes no valid plan.
    """
    stage = state.stage(stage_id)
    old = plan_to_come(stage) if patch else stage.plan
    if old is None:
        raise Refusal(
            ErrorCode.INVALID_STAGE, f"The stage {stage_name(stage_id)} has proposed nothing yet that could be changed."
        )
    copies = sum(operation.get("op") == "copy" for operation in patch)
    if len(patch) > MOST_OPERATIONS or copies > MOST_COPIES:
        raise Refusal(
            ErrorCode.INVALID_ARGS,
            f"A patch may have at most {MOST_OPERATIONS:,} operations, {MOST_COPIES} of them copies; this one has "
            f"{len(patch):,}, {copies:,} of them copies. Replace a whole member instead.",
        )
    try:
        new = jsonpatch.apply_patch(old, list(patch))
    except Exception as error:  # jsonpatch raises its own errors, and TypeError or KeyError on odd operations
        if (lacking := _lacking(old, patch)) is not None:
            raise Refusal(
                ErrorCode.INVALID_ARGS,
                f"The patch does not apply to the plan of the stage {stage_name(stage_id)}: {lacking}.",
            ) from None
        why = str(error) or type(error).__name__
        raise Refusal(
            ErrorCode.INVALID_ARGS,
            f"The patch does not apply to the plan of the stage {stage_name(stage_id)} ({why}); send RFC 6902 "
            "operations such as "
            f'{{"op": "replace", "path": "/{next(iter(old), "")}", "value": …}}.',
        ) from None
    lost = [member for member in old if isinstance(new, dict) and member not in new]
    if lost:
        raise Refusal(
            ErrorCode.INVALID_ARGS,
            f"This leaves out {lost[0]!r}; the plan of the stage {stage_name(stage_id)} needs all its members, so "
            "replace its value instead.",
        )
    if stage_id is StageId.TRAIN and not any(str(op.get("path")).startswith("/threshold") for op in patch):
        new = _own_threshold(state, old, new)
    return checked(state, stage_id, new)


def _lacking(plan: dict[str, Any], patch: tuple[dict[str, Any], ...]) -> str | None:
    """The member that a patch is about and that the plan does not have, with those that it has; None if it has all."""
    places = (
        (operation.get(member, ""), member == "path" and operation.get("op") in ("add", "move", "copy"))
        for operation in patch
        for member in ("from", "path")
    )
    for pointer, added in places:
        at: Any = plan
        parts = str(pointer).split("/")[1:]
        for n, part in enumerate(parts):
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(at, dict) and name not in at and not (added and n + 1 == len(parts)):
                where = f" in {'/'.join(parts[:n])}" if n else ""
                return f"there is no {name[:80]!r}{where}; there are {_some(tuple(at))}"
            at = at.get(name) if isinstance(at, dict) else None
    return None


def _own_threshold(state: ProjectState, old: dict[str, Any], new: Any) -> Any:
    """Where another run is kept, the threshold that was chosen for that run: probabilities of models differ."""
    if not isinstance(new, dict) or new["keep"] == old["keep"]:
        return new
    row = next((row for row in state.leaderboard if row.run_id == new["keep"]), None)
    return new if row is None or row.threshold is UNSET else {**new, "threshold": row.threshold}


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """The patch that makes one plan into another.

    Comparing lists takes 0.1 ms for each of their members, so long ones are replaced whole.
    """
    if _listed(old) + _listed(new) <= _MOST_COMPARED:
        return tuple(jsonpatch.make_patch(old, new).patch)
    return tuple(
        {"op": "replace" if member in old else "add", "path": f"/{member}", "value": value}
        for member, value in new.items()
        if member not in old or old[member] != value
    )


def _listed(value: Any) -> int:
    """How many members the lists in a JSON value have together."""
    if isinstance(value, Mapping):
        return sum(map(_listed, value.values()))
    return len(value) + sum(map(_listed, value)) if isinstance(value, list | tuple) else 0


def checked(state: ProjectState, stage_id: StageId, new: Any) -> dict[str, Any]:
    """A plan in its canonical form, or Refusal INVALID_ARGS saying what is wrong with it."""
    plan = _shaped(stage_id, new)
    canonical = _canonical(plan)
    old = state.stage(stage_id).plan or {}
    for member in _FIXED.get(stage_id, ()):
        if old and canonical[member] != old.get(member):
            raise Refusal(ErrorCode.INVALID_ARGS, f"{member} says what was found, and cannot be set.")
    wrong = _wrong(state, plan, old)
    if wrong is not None:
        raise Refusal(ErrorCode.INVALID_ARGS, wrong)
    return canonical


def shaped(stage_id: StageId, new: Any) -> dict[str, Any]:
    """A plan that a stage proposes, in its canonical form; Refusal if it has not the shape of one."""
    return _canonical(_shaped(stage_id, new))


def _shaped(stage_id: StageId, new: Any) -> Plan:
    plan_type = PLAN_TYPES[stage_id]
    try:
        return msgspec.convert(new, plan_type)
    except msgspec.ValidationError as error:
        raise Refusal(
            ErrorCode.INVALID_ARGS,
            f"This makes no valid plan of the stage {stage_name(stage_id)}: {explained(error, plan_type, new)}.",
        ) from None


def _canonical(plan: Plan) -> dict[str, Any]:
    # Through JSON, so that a plan in memory is the same as one read back from the log.
    result: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(plan))
    return result


def _wrong(state: ProjectState, plan: Plan, old: dict[str, Any]) -> str | None:
    """What is wrong with a plan that has the right shape, or None."""
    match plan:
        case IntentPlan():
            there = {*old.get("include_models", ()), *old.get("exclude_models", ()), *MODELS}
            if unknown := [name for name in (*plan.include_models, *plan.exclude_models) if name not in there]:
                some, near = ", ".join(MODELS), did_you_mean(unknown[0], MODELS)
                return f"There is no model {unknown[0][:80]!r}; there are {some}.{near}"
            if "auto" not in (plan.task_type, plan.metric) and (wrong := _unsuited(plan.metric, plan.task_type)):
                return wrong
        case DataPlan():
            known = {d.id for d in state.datasets} | {old.get("dataset_id")}
            if plan.dataset_id not in known:
                names = ", ".join(sorted(d.id for d in state.datasets)) or "none so far"
                return f"There is no data set {plan.dataset_id!r}; there are {names}."
            if wrong := _no_such_sheet(state, plan):
                return wrong
            same = (plan.dataset_id, plan.sheet) == (old.get("dataset_id"), old.get("sheet"))
            if same and state.columns and plan.target not in state.columns:
                return f"There is no column {plan.target!r}; the columns are {_some(state.columns)}."
            # For another target the stage finds task and metric anew.
            asked = plan.metric not in ("auto", old.get("metric")) and plan.target == old.get("target")
            if same and asked and (wrong := _unsuited(plan.metric, plan.task_type)):
                return wrong
        case ProfilePlan():
            if wrong := _same_columns(plan.roles, old.get("roles", {})):
                return wrong
            targets = [c for c, role in plan.roles.items() if role == "target"]
            before = [c for c, role in old.get("roles", {}).items() if role == "target"]
            if targets != before:
                return "The target is decided at the stage Data: change it there."
            if "feature" not in plan.roles.values():
                return "At least one column must stay a feature."
            if unknown := [c for c in plan.treatments or () if plan.roles.get(c) in (None, "target")]:
                some = _some(tuple(c for c, role in plan.roles.items() if role != "target"))
                return f"There is no column {unknown[0]!r} to treat; the columns are {some}."
        case PreprocessPlan():
            if wrong := _same_columns(plan.columns, old.get("columns", {})):
                return wrong
            if all(t == "drop" for t in plan.columns.values()):
                return "At least one column must be kept."
            if plan.split.strategy in ("time", "group") and plan.split.column not in state.columns:
                return f"A {plan.split.strategy} split needs split.column, one of {_some(state.columns)}."
            if plan.split.val_fraction + plan.split.test_fraction > 0.8:
                return "At least a fifth of the rows must be left to train on: lower val_fraction or test_fraction."
        case ModelPlan():
            known_models = [m.id for m in state.models]
            for choice in plan.models:
                if known_models and choice.id not in known_models:
                    return f"There is no model {choice.id!r}; there are {', '.join(known_models)}."
            try:
                check_choices([(choice.id, choice.params) for choice in plan.models], plan.trials)
            except ParameterError as error:
                return str(error)
            if plan.metric == "auto":
                return "Name the metric that the models are judged by."
            task = (state.stage(StageId.DATA_SOURCE).plan or {}).get("task_type")
            if task and (wrong := _unsuited(plan.metric, task)):
                return wrong
        case TrainPlan():
            good = [r.run_id for r in state.leaderboard if r.status == "success"]
            # After a training that was stopped the one kept before may not be among them yet.
            if plan.keep not in good and plan.keep != old.get("keep"):
                return f"There is no finished run {plan.keep!r} to keep; there are {_some(tuple(good))}."
            task = (state.stage(StageId.DATA_SOURCE).plan or {}).get("task_type")
            if plan.threshold is not None and task != "binary":
                return "A threshold has a meaning for binary tasks only; leave it null."
        case _:
            pass
    return None


def _unsuited(metric: str, task_type: str) -> str | None:
    """Whether a metric says nothing of such a task."""
    if (metric in REGRESSION_METRICS) == (task_type == "regression"):
        return None
    kind = "regression" if metric in REGRESSION_METRICS else "classification"
    asked = task_name(task_type)
    return f"The metric {metric_name(metric)} is for {kind}, and the task is {asked}: choose another metric."


def _no_such_sheet(state: ProjectState, plan: DataPlan) -> str | None:
    """Whether the data set is known not to have the sheet."""
    sheets = next((d.meta.get("sheets") for d in state.datasets if d.id == plan.dataset_id), None)
    if plan.sheet is None or not sheets or plan.sheet in sheets:
        return None
    return f"There is no sheet {plan.sheet!r}; the sheets are {_some(tuple(sheets))}."


def _same_columns(new: Mapping[str, Any], old: Mapping[str, Any]) -> str | None:
    extra = [c for c in new if c not in old]
    lost = [c for c in old if c not in new]
    if extra:
        return f"There is no column {extra[0]!r} here; the columns are {_some(tuple(old))}."
    if lost:
        return f"The column {lost[0]!r} is left out; every column needs its entry."
    return None


def _some(names: tuple[str, ...], limit: int = 20) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def needs_rework(stage_id: StageId, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether the stage has to work again before it can propose this plan."""
    return any(old.get(m) != new.get(m) for m in RULES[stage_id].rework)


def params_for(state: ProjectState, stage_id: StageId, new: Mapping[str, Any]) -> dict[str, Any]:
    """What a new attempt is asked so that it comes to a plan with the person's changes: the members that
    differ from what the stage itself proposed, and at PARSE_INTENT the prompt."""
    stage = state.stage(stage_id)
    base = stage.proposed or {}
    fixed = _FIXED.get(stage_id, ())
    params = {m: v for m, v in new.items() if m not in fixed and base.get(m) != v}
    asked = {m: v for m, v in stage.params.items() if m not in params and (m == "prompt" or new.get(m) == v)}
    return {**asked, **params}


def restart_params(state: ProjectState, stage_id: StageId, params: Mapping[str, Any]) -> dict[str, Any]:
    """What a restart asks of a stage: the changes, and what the person had changed before of the same data or request.

    Raises
    ------
    Refusal
        INVALID_ARGS naming the members that there are.
    """
    changed, plan = checked_params(state, stage_id, params), plan_to_come(state.stage(stage_id))
    anew = "prompt" in changed or changed.get("dataset_id", (plan or {}).get("dataset_id")) != (plan or {}).get(
        "dataset_id"
    )
    if not changed or plan is None or anew:
        return changed
    return {**params_for(state, stage_id, {**plan, **changed}), **changed}


def checked_params(state: ProjectState, stage_id: StageId, params: Mapping[str, Any]) -> dict[str, Any]:
    """The ``params`` of a restart, checked against the stage's plan as far as that is known.

    Raises
    ------
    Refusal
        INVALID_ARGS naming the members that there are.
    """
    plan_type = PLAN_TYPES[stage_id]
    members = plan_type.__struct_fields__ + (("prompt",) if stage_id is StageId.PARSE_INTENT else ())
    unknown = [m for m in params if m not in members]
    if unknown:
        known = ", ".join(members) or "none"
        raise Refusal(
            ErrorCode.INVALID_ARGS,
            f"The stage {stage_name(stage_id)} has no parameter {unknown[0]!r}; its parameters are {known}.",
        )
    if "prompt" in params and not (isinstance(params["prompt"], str) and params["prompt"].strip()):
        raise Refusal(ErrorCode.INVALID_ARGS, "prompt must be a sentence that says what to predict.")
    changed = {m: v for m, v in params.items() if m != "prompt"}
    plan = state.stage(stage_id).plan
    if changed and plan is not None:
        # Another data set or target may bring other columns; the stage checks those against the data.
        new = checked(state, stage_id, {**plan, **changed})
        changed = {m: new[m] for m in changed}
    return {**changed, **({"prompt": params["prompt"]} if "prompt" in params else {})}
