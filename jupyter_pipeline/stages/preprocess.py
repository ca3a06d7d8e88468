"""PREPROCESS: divide the rows first, then propose for each column how it becomes features."""

import json
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from ..automl.splitting import Split, SplitError, keys_of, split_rows
from ..automl.treatments import WORDS, Proposal, propose
from ..protocol.errors import explained
from ..protocol.events import PreprocessSteps, SplitSummary
from ..protocol.names import treated_words
from ..protocol.plans import DataPlan, PreprocessPlan, ProfilePlan, SplitPlan, Treatment
from ..protocol.stages import StageId
from .base import Result, StageContext, StageError
from .rows import MIN_COPIES, SPLIT_FILE, Rows, copies, load_rows, write_json

_SAMPLE = 50_000
#: Fewer rows are not divided by time unless that is asked for.
MIN_TIMED = 50


def run(ctx: StageContext) -> Result:
    """Split, and propose treatments.

    Treatments are proposed from the training rows alone. Writes into ``out_dir``:

    - ``split.npz``: row numbers ``train``, ``val``, ``test`` (int64, ascending) in the table that DATA_SOURCE found;
    - ``preprocess.json``: ``split`` (counts, strategy, seed, dropped, notes) and ``columns``: for each name its
      treatment, why, and ``n_features``, an estimate.

    Parameters
    ----------
    ctx : StageContext
        The job; ``params`` may hold ``split`` and ``columns`` as the person wants them.

    Returns
    -------
    Result
        With a PreprocessPlan.

    Raises
    ------
    StageError
        If the rows cannot be divided so, or no column is left.
    """
    data: DataPlan = ctx.approved(StageId.DATA_SOURCE)
    profile: ProfilePlan = ctx.approved(StageId.PROFILE_DATA)
    names = [name for name, role in profile.roles.items() if role not in ("target", "ignore") and name != data.target]
    asked_split = ctx.job.params.get("split")
    also = [c for c in profile.roles if isinstance(asked_split, dict) and asked_split.get("column") == c]
    rows = load_rows(ctx, list(dict.fromkeys([*names, *also])), positive_class=False)
    described = _described(ctx)
    plan_split, split = _divided(ctx, data, profile, rows, described)
    np.savez(ctx.out_dir / SPLIT_FILE, train=split.train, val=split.val, test=split.test)
    ctx.emit(
        SplitSummary(
            train_rows=len(split.train),
            val_rows=len(split.val),
            test_rows=len(split.test),
            stratified=split.stratified,
            seed=plan_split.seed,
        )
    )
    if split.dropped:
        ctx.log(_left_out(split.dropped, f"a value of {data.target!r}"), "warning")
    if data.task_type != "regression":
        split = replace(split, notes=(*split.notes, *_lacking(rows, split)))
    features = [name for name in names if profile.roles[name] == "feature"]
    repeated = int(copies(rows, features, split.test, split.train).sum())
    if repeated >= MIN_COPIES * len(split.test):
        note = f"{repeated:,} of {len(split.test):,} test rows are the same as a training row in every feature and in "
        split = replace(split, notes=(*split.notes, note + "the target, which can make scores look too good."))
    for note in split.notes:
        ctx.log(note, "warning")
    proposals = _proposals(rows, split, names, profile, described)
    asked = _asked_before(profile)
    columns = _columns(ctx, proposals, asked)
    if all(treatment == "drop" for treatment in columns.values()):
        raise StageError(
            "No column is left to learn from. Give columns the role 'feature' at the stage Profile, or choose another "
            "treatment than 'drop'."
        )
    steps = _steps(split, plan_split, columns, proposals)
    ctx.emit(PreprocessSteps(steps=tuple(steps)))
    described = {
        name: {
            "treatment": treatment,
            "why": proposals[name].why if proposals[name].treatment == treatment else "You chose it.",
            "n_features": _width(treatment, proposals[name]),
        }
        for name, treatment in columns.items()
    }
    summary = {
        "train_rows": len(split.train),
        "val_rows": len(split.val),
        "test_rows": len(split.test),
        "dropped_rows": split.dropped,
        "stratified": split.stratified,
        "notes": list(split.notes),
        **msgspec.to_builtins(plan_split),
    }
    file = write_json(ctx.out_dir / "preprocess.json", {"split": summary, "columns": described})
    ctx.asset(file, "data", "Split and treatments")
    used = [name for name, treatment in columns.items() if treatment != "drop"]
    words = (
        f"{len(split.train):,} rows to train, {len(split.val):,} to validate and {len(split.test):,} to test "
        f"({_how(plan_split)}); {len(used)} of {len(columns)} columns become features."
    )
    remarks = [_left_out(split.dropped, "a target")] if split.dropped else []
    if kept := {name: treatment for name, treatment in asked.items() if columns[name] == treatment}:
        remarks.append(f"Treated as was asked before: {treated_words(kept)}.")
    return Result(
        plan=PreprocessPlan(split=plan_split, columns=columns),
        summary="\n".join([words, *remarks, *split.notes]),
        next_actions=(
            "Confirm the split and the treatments.",
            "Change a treatment: numeric, onehot, ordinal, target_encode, text, datetime, boolean or drop.",
            "Change the split: strategy (random, stratified, time, group), fractions or seed.",
        ),
    )


def _divided(
    ctx: StageContext, data: DataPlan, profile: ProfilePlan, rows: Rows, described: dict[str, dict[str, Any]]
) -> tuple[SplitPlan, Split]:
    """The split as asked, as the roles say, or by time where the rows are in the order of their only date."""
    plan = _split_plan(ctx, data, profile, rows)
    proposed = plan.strategy in ("random", "stratified") and not isinstance(ctx.job.params.get("split"), dict)
    dates = [name for name, column in described.items() if column.get("kind") == "datetime" and name != data.target]
    n = int(rows.known.sum())
    if not (proposed and len(dates) == 1 and n >= MIN_TIMED and dates[0] in rows.frame.columns):
        return plan, _split(rows, plan)
    column = described[dates[0]]
    if not column.get("ascending") or column["n_unique"] < max(10, n // 100):
        return plan, _split(rows, plan)
    timed = msgspec.structs.replace(plan, strategy="time", column=dates[0])
    split = _split(rows, timed)
    if data.task_type != "regression":
        classes = len(np.unique(rows.y[rows.known]))
        if any(len(np.unique(rows.y[part])) < classes for part in (split.train, split.val, split.test)):
            return plan, _split(rows, plan)
    ctx.log(
        f"The rows are in the order of {dates[0]!r}, so the latest are kept for validation and test, as if they were "
        f'the future. If order means nothing here, say "{plan.strategy} split".'
    )
    return timed, split


def _lacking(rows: Rows, split: Split) -> list[str]:
    """Which classes a part has no row of.

    Raises
    ------
    StageError
        If the training rows have one class only.
    """
    classes = rows.task.classes or []
    notes = []
    for name, part in (("training", split.train), ("validation", split.val), ("test", split.test)):
        there = set(np.unique(rows.y[part]).tolist())
        lacking = [str(label) for code, label in enumerate(classes) if code not in there]
        if not lacking:
            continue
        if name == "training" and len(there) < 2:
            raise StageError(
                f"With this split the training rows have one class only, {classes[next(iter(there))]!r}, so there is "
                "nothing to learn; choose another split, such as stratified."
            )
        what = {
            "training": "it is never predicted",
            "validation": "models are not chosen by how well they find it",
            "test": "how well it is found cannot be measured",
        }[name]
        some = ", ".join(map(repr, lacking[:5])) + (f" and {len(lacking) - 5} more" if len(lacking) > 5 else "")
        several = what.replace("it is", "they are").replace("find it", "find them")
        notes.append(
            f"No {name} row is of class {some}: {what}."
            if len(lacking) == 1
            else f"No {name} row is of the classes {some}: {several}."
        )
    return notes


def _split_plan(ctx: StageContext, data: DataPlan, profile: ProfilePlan, rows: Rows) -> SplitPlan:
    by_role = {role: name for name, role in reversed(list(profile.roles.items()))}
    n = int(rows.known.sum())
    fraction = 0.2 if n < 100_000 else 0.1
    proposed = SplitPlan(val_fraction=fraction, test_fraction=fraction)
    changes: dict[str, Any] = {"strategy": "random" if data.task_type == "regression" else "stratified"}
    if "group" in by_role:
        changes = {"strategy": "group", "column": by_role["group"]}
    elif "time" in by_role:
        changes = {"strategy": "time", "column": by_role["time"]}
    asked = ctx.job.params.get("split")
    if isinstance(asked, dict):
        changes = {**changes, **asked}
    try:
        plan = msgspec.convert({**msgspec.to_builtins(proposed), **changes}, SplitPlan)
    except msgspec.ValidationError as error:
        raise StageError(f"The split asked for makes no valid plan: {explained(error, SplitPlan)}.") from None
    if plan.strategy in ("time", "group"):
        if plan.column is None or plan.column not in rows.frame.columns:
            raise StageError(
                f"A {plan.strategy} split needs split.column, the name of a column of the data, not {plan.column!r}."
            )
    elif plan.column is not None:
        plan = msgspec.structs.replace(plan, column=None)
    if plan.strategy == "stratified" and data.task_type == "regression":
        raise StageError("A stratified split is for classes; choose random, time or group to predict a number.")
    return plan


def _split(rows: Rows, plan: SplitPlan) -> Split:
    keys = None if plan.column is None else keys_of(rows.frame[plan.column], plan.strategy)
    try:
        return split_rows(
            rows.y,
            rows.known,
            strategy=plan.strategy,
            val_fraction=plan.val_fraction,
            test_fraction=plan.test_fraction,
            seed=plan.seed,
            keys=keys,
        )
    except SplitError as error:
        raise StageError(str(error)) from None


def _described(ctx: StageContext) -> dict[str, dict[str, Any]]:
    """What the profile says of each column."""
    try:
        found: dict[str, dict[str, Any]] = json.loads(
            (ctx.result_dir(StageId.PROFILE_DATA) / "profile.json").read_text("utf-8")
        )["columns"]
    except (OSError, ValueError, KeyError):
        return {}
    return found


def _proposals(
    rows: Rows, split: Split, names: list[str], profile: ProfilePlan, described: dict[str, dict[str, Any]]
) -> dict[str, Proposal]:
    chosen = split.train
    if len(chosen) > _SAMPLE:
        chosen = np.sort(np.random.default_rng(0).choice(chosen, _SAMPLE, replace=False))
    sample = rows.frame.iloc[chosen]
    found: dict[str, Proposal] = {}
    for name in names:
        role = profile.roles[name]
        if role == "feature":
            found[name] = propose(sample[name], described.get(name, {}).get("kind"))
        else:
            why = {"id": "It identifies rows.", "time": "It orders the rows.", "group": "It groups the rows."}
            found[name] = Proposal("drop", why.get(role, "It is no feature."), 0)
    return found


def _asked_before(profile: ProfilePlan) -> dict[str, Treatment]:
    """How features are to be treated, by what was said before this stage."""
    asked = (profile.treatments or {}).items()
    return {name: treatment for name, treatment in asked if profile.roles.get(name) == "feature"}


def _columns(ctx: StageContext, proposals: dict[str, Proposal], before: dict[str, Treatment]) -> dict[str, Treatment]:
    columns: dict[str, Any] = {name: proposal.treatment for name, proposal in proposals.items()} | before
    asked = ctx.job.params.get("columns")
    if isinstance(asked, dict):
        unknown = [name for name in asked if name not in columns]
        if unknown:
            ctx.log(f"Treatments of columns that are no features are left out: {', '.join(unknown[:10])}.", "warning")
        columns.update({name: treatment for name, treatment in asked.items() if name in columns})
    try:
        return msgspec.convert(columns, dict[str, Treatment])
    except msgspec.ValidationError as error:
        raise StageError(
            f"The treatments asked for make no valid plan: {explained(error, dict[str, Treatment])}."
        ) from None


def _steps(
    split: Split, plan: SplitPlan, columns: dict[str, Treatment], proposals: dict[str, Proposal]
) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    if split.dropped:
        steps.append({"step": "drop_rows", "rows": split.dropped, "text": "Leave out rows without a target."})
    steps.append(
        {
            "step": "split",
            "text": f"Divide the rows first ({_how(plan)}); all that follows is learned on training rows alone.",
        }
    )
    for treatment, words in WORDS.items():
        treated = [name for name, chosen in columns.items() if chosen == treatment]
        if treated:
            why = {name: proposals[name].why for name in treated if proposals[name].treatment == treatment}
            steps.append({"step": treatment, "columns": treated, "text": words, "why": why})
    return steps


def _left_out(n: int, what: str) -> str:
    return f"{n:,} row{'' if n == 1 else 's'} without {what} {'is' if n == 1 else 'are'} left out."


def _how(plan: SplitPlan) -> str:
    if plan.strategy == "time":
        return f"by time, the latest rows by {plan.column!r} to test"
    if plan.strategy == "group":
        return f"rows with the same {plan.column!r} stay together"
    return "at random, each class with its share" if plan.strategy == "stratified" else "at random"


def _width(treatment: str, proposal: Proposal) -> int:
    if treatment == proposal.treatment:
        return proposal.n_features
    return {"drop": 0, "text": 20, "datetime": 8, "onehot": 20}.get(treatment, 1)
