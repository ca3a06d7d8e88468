"""PROFILE_DATA: look at all rows once, say what was found, and propose what each column is for."""

import json
import warnings
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from ..automl.profiling import profile_with_sample
from ..automl.reading import ReadError, TableSpec, scan
from ..protocol.errors import explained
from ..protocol.events import (
    MissingnessTableReady,
    ProfileProgress,
    ProfileSummary,
    TargetDistributionReady,
)
from ..protocol.names import member_words, treated_words
from ..protocol.plans import DataPlan, IntentPlan, ProfilePlan, Role, Treatment
from ..protocol.stages import StageId
from .base import Result, StageContext, StageError
from .input_choice import InputsMeant, TreatmentsMeant, inputs_meant, treatments_meant
from .parsed import refuse_changed
from .rows import table_spec

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Libraries below these warn of each other at import.
    import matplotlib
    from skrub import TableReport

#: What the report for people looks at, at the most: rows, columns, and columns up to which it draws and compares.
REPORT_ROWS, REPORT_COLUMNS, DRAWN_COLUMNS = 5_000, 100, 30
_MAX_TEXT = 300
_ROLE_OF_KIND: dict[str, Role] = {"id": "id", "constant": "ignore", "empty": "ignore"}


def run(ctx: StageContext) -> Result:
    """Profile the data and propose roles.

    Reads ``table.json`` of DATA_SOURCE. Writes into ``out_dir``:

    - ``profile.json``: what :func:`~jupyter_pipeline.automl.profiling.profile` returns: ``n_rows``, ``columns``
      (name to ``kind``, ``dtype``, ``missing``, ``n_unique``, …), ``warnings`` and more. Later stages read
      ``columns[name]["kind"]``: numeric, integer, boolean, categorical, text, datetime, id, constant or empty.
    - ``missingness.json``: ``{"n_rows", "columns": [{"column", "missing", "share"}]}``, most missing first.
    - ``target.json``: ``{"target", "task_type", "n_rows", "missing", "n_unique"}`` with ``classes`` (value, count,
      share; ``all_classes`` is false where only the most frequent are listed) or, for numbers, ``histogram``,
      ``quantiles``, ``mean``, ``std``, ``min``, ``max``, ``skew``.
    - ``report.html``: skrub's report on a sample.

    Parameters
    ----------
    ctx : StageContext
        The job.

    Returns
    -------
    Result
        With a ProfilePlan.

    Raises
    ------
    StageError
        If the data cannot be read any more, hold no rows, or lack the target.
    """
    data: DataPlan = ctx.approved(StageId.DATA_SOURCE)
    spec = table_spec(ctx)
    report, sample = _profiled(ctx, spec, data)
    if report["n_rows"] == 0:
        raise StageError("The data have no rows, so there is nothing to learn from; choose another data set.")
    if data.target not in report["columns"]:
        raise StageError(
            f"The data have no column {data.target!r}; the columns are {', '.join(list(report['columns'])[:20])}. "
            "Choose the target again at the stage Data."
        )
    _announce(ctx, report)
    ctx.emit(ProfileProgress(phase="report", pct=0.95))
    _table_report(ctx, sample, data)
    ctx.emit(ProfileProgress(phase="done", pct=1.0))
    intent: IntentPlan = ctx.approved(StageId.PARSE_INTENT)
    asked = inputs_meant(intent, list(report["columns"]), data.target)
    kinds = {name: column["kind"] for name, column in report["columns"].items() if name != data.target}
    treated = treatments_meant(intent, kinds)
    plan = _plan(ctx, report, data.target, asked, treated)
    summary = "\n".join([_summary(report, plan, asked), *treated.remarks])
    return Result(plan=plan, summary=summary, next_actions=_next_actions(report))


def _profiled(ctx: StageContext, spec: TableSpec, data: DataPlan) -> tuple[dict[str, Any], pl.DataFrame]:
    last = -1.0

    def tell(phase: str, pct: float) -> None:
        nonlocal last
        # Reading and looking make the first nine tenths; the report for people is the rest.
        if pct - last >= 0.01 and pct < 1.0:
            last = pct
            ctx.emit(ProfileProgress(phase=phase, pct=round(0.95 * pct, 4)))

    try:
        found = profile_with_sample(scan(spec, finite=False), data.target, data.task_type, spec.n_rows, tell)
        refuse_changed(spec)
        return found
    except FileNotFoundError:
        raise StageError(
            f"The data file {Path(spec.path).name} is gone. Put it back, or restart the stage Data with other data."
        ) from None
    except ReadError as error:
        raise StageError(str(error)) from error
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise StageError(
            f"The data could not be read to the end: {reason}. If the file changed, restart the stage Data."
        ) from error


def _announce(ctx: StageContext, report: dict[str, Any]) -> None:
    """Write what was found, and say where it is."""
    _write(ctx.out_dir / "profile.json", report)
    n_rows = report["n_rows"]
    missing = [
        {"column": name, "missing": column["missing"], "share": column["missing_share"]}
        for name, column in report["columns"].items()
    ]
    missing.sort(key=lambda row: -row["missing"])
    _write(ctx.out_dir / "missingness.json", {"n_rows": n_rows, "columns": missing})
    _write(ctx.out_dir / "target.json", _target_distribution(report))
    ctx.emit(
        ProfileSummary(
            n_rows=n_rows,
            n_cols=report["n_cols"],
            missing_pct=report["missing_pct"],
            types_breakdown=report["types_breakdown"],
            warnings=tuple(report["warnings"]),
        )
    )
    ctx.asset(ctx.out_dir / "profile.json", "data", "Profile")
    table = ctx.asset(ctx.out_dir / "missingness.json", "table", "Missing values")
    ctx.emit(MissingnessTableReady(asset_url=table.url))
    target = ctx.asset(ctx.out_dir / "target.json", "data", "Distribution of the target")
    ctx.emit(TargetDistributionReady(asset_url=target.url))


def _target_distribution(report: dict[str, Any]) -> dict[str, Any]:
    column = report["columns"][report["target"]]
    found = {
        "target": report["target"],
        "task_type": report["task_type"],
        "n_rows": report["n_rows"],
        "missing": column["missing"],
        "n_unique": column["n_unique"],
    }
    if report["task_type"] == "regression":
        shown = ("histogram", "quantiles", "quantiles_exact", "mean", "std", "min", "max", "skew")
        return {**found, **{key: column[key] for key in shown if key in column}}
    return {**found, "classes": report["classes"] or column["top"], "all_classes": report["classes"] is not None}


def _table_report(ctx: StageContext, sample: pl.DataFrame, data: DataPlan) -> None:
    """Skrub's report on some rows; with many columns without figures and associations, which are slow then."""
    names = [data.target, *[name for name in sample.columns if name != data.target]][:REPORT_COLUMNS]
    rows = sample.head(REPORT_ROWS).select(names)
    rows = rows.with_columns(pl.col(pl.String).str.slice(0, _MAX_TEXT))
    drawn = len(names) <= DRAWN_COLUMNS
    matplotlib.use("agg")  # A worker has no screen, whatever its environment says.
    path = ctx.out_dir / "report.html"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # About data that the profile has already spoken of.
            TableReport(
                rows,
                title=f"{rows.height} rows of {data.dataset_id}",
                verbose=0,
                plot_distributions=drawn,
                compute_associations=drawn,
            ).write_html(path)
    except Exception as error:  # The report is an extra: whatever it stumbles over, the profile stands.
        ctx.log(
            f"The table report could not be made ({type(error).__name__}: {error}); the profile is complete.", "warning"
        )
        path.unlink(missing_ok=True)
        return
    more = {"rows": rows.height, "columns": len(names), "of_columns": sample.width}
    ctx.asset(path, "report", "Table report", **more)


def _plan(
    ctx: StageContext, report: dict[str, Any], target: str, asked: InputsMeant, treated: TreatmentsMeant
) -> ProfilePlan:
    """Roles as proposed, with what the request says of columns, and those that the person set."""
    roles: dict[str, Any] = {
        name: "target" if name == target else _ROLE_OF_KIND.get(column["kind"], "feature")
        for name, column in report["columns"].items()
    }
    keys = [name for name, column in report["columns"].items() if column.get("repeated_key") and name != target]
    if keys:
        # Of nested ones, as a patient's visits, the widest.
        roles[min(keys, key=lambda name: report["columns"][name]["n_unique"])] = "group"
    if asked.used:
        # One that is empty or the same in every row is dropped by any treatment, so it stays what it is.
        telling = [name for name in asked.used if _ROLE_OF_KIND.get(report["columns"][name]["kind"]) != "ignore"]
        if not telling:
            raise StageError(
                f"From {', '.join(map(repr, asked.used))}, which the request names, nothing can be learned: no value "
                "at all, or the same in every row. Name other columns at the stage Request."
            )
        others = {name: "ignore" for name, role in roles.items() if role == "feature"}
        roles.update({**others, **dict.fromkeys(telling, "feature")})
    # The column of a group is no feature either, and without it rows of one would be trained and tested on.
    dropped = [name for name, treatment in treated.treatments.items() if treatment == "drop"]
    left_out = dict.fromkeys((*asked.left_out, *dropped))
    roles.update({name: "ignore" for name in left_out if roles[name] != "group"})
    if "feature" not in roles.values() and left_out:
        raise StageError(
            f"Beside the target {target!r} and what is left out ({', '.join(left_out)}) no column can be learned "
            "from. Leave out fewer columns at the stage Request."
        )
    if "feature" not in roles.values():
        raise StageError(
            f"Beside the target {target!r} no column can be learned from: they are empty, the same in every row, or "
            "different in every row like an identifier. Add columns to the data, or choose other data."
        )
    proposed: dict[str, Treatment] = {n: t for n, t in treated.treatments.items() if t != "drop"}
    if not any(isinstance(ctx.job.params.get(member), dict) for member in ("roles", "treatments")):
        plan: ProfilePlan = ctx.with_params(ProfilePlan(roles=roles, treatments=proposed))
        return plan
    wanted, treatments = (
        _of_these_data(ctx, member, roles, target, given) for member, given in (("roles", {}), ("treatments", proposed))
    )
    try:
        return msgspec.convert({"roles": {**roles, **wanted}, "treatments": treatments}, ProfilePlan)
    except msgspec.ValidationError as error:
        raise StageError(f"What is asked of columns makes no valid plan: {explained(error, ProfilePlan)}.") from None


def _of_these_data(
    ctx: StageContext, member: str, roles: dict[str, Any], target: str, otherwise: dict[str, Any]
) -> dict[str, Any]:
    """What the person set for columns, of those that the data have."""
    wanted = ctx.job.params.get(member)
    if not isinstance(wanted, dict):
        return otherwise
    unknown = [name for name in wanted if name not in roles]
    if unknown:
        what = member_words(member)
        ctx.log(f"Of columns that the data do not have, {what} is left out: {', '.join(unknown[:10])}.", "warning")
    return {name: value for name, value in wanted.items() if name in roles and name != target and value is not None}


def _summary(report: dict[str, Any], plan: ProfilePlan, asked: InputsMeant) -> str:
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(report["types_breakdown"].items(), key=lambda item: -item[1]))
    used = sum(role == "feature" for role in plan.roles.values())
    left = [name for name, role in plan.roles.items() if role in ("id", "ignore")]
    groups = [name for name, role in plan.roles.items() if role == "group"]
    sentences = [
        f"{report['n_rows']:,} rows and {report['n_cols']} columns ({kinds}).",
        f"{report['missing_pct']:.1%} of all cells are missing." if report["missing_pct"] else "No cell is missing.",
        f"{used} column{'s' if used != 1 else ''} will be used to predict {report['target']!r}.",
    ]
    if groups:
        sentences.append(f"Rows with the same {groups[0]} will stay together when rows are divided.")
    if left:
        shown = ", ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
        sentences.append(f"Left out: {shown}.")
    if report["warnings"]:
        n = len(report["warnings"])
        sentences.append(f"{n} warning{'s' if n != 1 else ''}; first: {report['warnings'][0]}")
    by_request = "\nThe request says which columns are left out." if left and (asked.used or asked.left_out) else ""
    if plan.treatments:
        by_request += f"\nTo be treated as was asked: {treated_words(plan.treatments)}."
    return " ".join(sentences) + by_request


def _next_actions(report: dict[str, Any]) -> tuple[str, ...]:
    actions = ["Confirm the roles of the columns, or change them (feature, id, time, group, ignore)."]
    if report["leakage"]:
        names = ", ".join(repr(suspect["column"]) for suspect in report["leakage"][:3])
        actions.append(f"Look at {names}: if not known when predicting, give the role 'ignore'.")
    dates = [n for n, column in report["columns"].items() if column["kind"] == "datetime" and n != report["target"]]
    if dates:
        actions.append(f"To test on the latest rows, give {dates[0]!r} the role 'time'.")
    return tuple(actions)


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1), encoding="utf-8")
