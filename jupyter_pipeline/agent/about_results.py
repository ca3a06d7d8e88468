"""Answers from what was measured: scores, rows, what counts, how long it took, and what the profile found."""

from typing import Any

from ..protocol.events import LeaderboardRow
from ..protocol.names import metric_name, metric_words, model_name, number, stage_name, task_name
from ..protocol.stages import StageId
from .about_groups import group_of, of_groups, uncounted
from .base import Context
from .columns import akin, columns_of
from .draft import Said
from .request import say_seconds
from .treatments import KIND_WORDS, OF_KIND, TREATED_AS
from .vocabulary import FILLER, STAGE_WORDS
from .words import words_of

_SPLITS = {
    **dict.fromkeys(("test", "testing", "holdout", "unseen"), "test"),
    **dict.fromkeys(("validation", "val", "valid", "validate"), "val"),
    **dict.fromkeys(("train", "training"), "train"),
}
_PARTS = {"train": "training", "val": "validation", "test": "test"}
_SCORING = words_of("score scores scored accurate performance perform performs performing")
_MEASURING = words_of("error errors loss")
_NOT_SCORES = words_of(
    """
    metric metrics optimise optimize optimising optimizing judged judge mean means meaning use why should threshold
    maximise minimise maximize minimize improve change instead better
    """
)
_ROWS = words_of("rows records samples observations examples instances datapoints lines")
_SIZE = words_of("many size big large long number much count")
_SETS = words_of("set data part split fold sample")
_COUNTS = words_of(
    "matter matters important importance importances influential predictive drives drive relevant top rank ranking"
)
_FACTORS = words_of("factor factors driver drivers")
_THINGS = words_of("feature features column columns variable variables predictor predictors what factor factors inputs")
_PAST = words_of("did took taken was were spent has")
_WHOLE = words_of("whole everything all total altogether overall far")
_WRONG = words_of("errors mistakes wrong incorrect misclassified misclassifications mistake")
_FOUND = words_of("catch caught find found miss missed detect detected")
_SHARE = words_of("rate share percentage proportion fraction percent many")
_QUICK, _SLOW = words_of("fastest quickest"), words_of("slowest longest")
_GAPS = words_of("missing nan nans null nulls empty incomplete")
_CLASSES = words_of(
    "balanced imbalanced unbalanced balance imbalance distribution distributed classes positives negatives"
)
_KNOWN_WORDS = FILLER | _ROWS | _SETS | _THINGS | _SHARE | _GAPS | _CLASSES | frozenset(_SPLITS)
_ALL = words_of("all each every models leaderboard ranking rank compare comparison ranked")
_RANKING = words_of("compare comparison leaderboard ranking ranked rank")
_UNTRAINED = "No model has been trained yet; scores are known after the stage Training."
UNREAD = "The test rows have not been read yet: the stage Review evaluates the model that is kept on them, once."
_MOST = 10
_STATS = {
    "mean": ("mean", "average", "avg"),
    "min": ("min", "minimum", "lowest", "smallest", "earliest", "range"),
    "max": ("max", "maximum", "highest", "largest", "biggest", "latest", "range"),
    "std": ("std", "deviation", "spread"),
    "n_unique": ("unique", "distinct", "different", "cardinality"),
    "top": ("values", "frequent", "common", "categories"),
    "kind": ("kind", "type", "dtype"),
}
_NAMES = {"min": "smallest", "max": "largest", "std": "standard deviation", "n_unique": "different values"}


def measured_answer(said: Said, context: Context) -> str:
    """What was measured of what is asked for; empty where nothing measured is asked for."""
    for answer in (
        of_groups,
        _missing,
        _correlated,
        _of_kind,
        _of_columns,
        _importance,
        _times,
        _mistakes,
        _fit,
        _sizes,
        _balance,
        _scores,
    ):
        if text := answer(said, context):
            known = {i for i, word in enumerate(said.low) if word in _KNOWN_WORDS - FILLER}
            group = group_of(said, context, known, by_columns=False) if answer in _OF_ROWS else ""
            return uncounted(group) if group else text
    return ""


# -- the data ------------------------------------------------------------------------------------------------


def _columns(said: Said, context: Context) -> list[str]:
    """The columns that a question names, also with another ending: ``how many unique zips``."""
    if named := list(dict.fromkeys(str(n.value) for n in said.named if n.kind == "column")):
        return named
    columns = columns_of(context.columns)
    words = [t.text for t in said.tokens if t.kind == "word" and t.low not in _KNOWN_WORDS]
    return list(dict.fromkeys(name for word in words if (name := columns.find(word, loose=True)) is not None))


def _missing(said: Said, context: Context) -> str:
    """``how many values of age are missing?``, ``which columns have missing values?``"""
    facts = context.measured.columns
    if not facts or not said.has(*_GAPS) or not said.has("which", "many", "where", "much", "any", "does", "how", "is"):
        return ""
    if any(n.kind == "models" for n in said.named):
        return ""  # "catboost is missing, why?"
    rows = context.measured.rows or 0
    names = _columns(said, context)
    gaps = {name: facts[name]["missing"] for name in names or facts if name in facts}
    found = sorted(((n, name) for name, n in gaps.items() if n or names), reverse=True)
    if not found:
        return "No value is missing in any column."
    some = ", ".join(f"{name} {n:,} ({n / rows:.1%})" if rows else f"{name} {n:,}" for n, name in found[:_MOST])
    more = f" and {len(found) - _MOST} more columns" if len(found) > _MOST else ""
    return f"Missing values of {rows:,} rows: {some}{more}."


def _correlated(said: Said, context: Context) -> str:
    """``is carat correlated with price?``, ``what correlates with age?``"""
    if not said.words & {"correlated", "correlation", "correlate", "correlates", "correlations"} or said.has("drop"):
        return ""
    names = set(_columns(said, context))
    found = {pair: r for pair, r in context.measured.correlations.items() if len(names & {*pair}) == min(len(names), 2)}
    strongest = sorted(found.items(), key=lambda item: -abs(item[1]))[:5]
    if not context.measured.columns or not strongest:
        return f"No correlation was found between {', '.join(sorted(names))}." if len(names) > 1 else ""
    return f"Correlations: {', '.join(f'{a} and {b} {number(r)}' for (a, b), r in strongest)}."


def _of_kind(said: Said, context: Context) -> str:
    """``which columns are text?``"""
    kind = next((KIND_WORDS[w] for w in said.low if w in KIND_WORDS), None)
    kinds = OF_KIND.get(f"{kind} columns", (kind,))
    if kind is None or not said.has("which", "what", "list", "show", "many") or not said.has(*_THINGS - {"what"}):
        return ""
    treated = context.plans.get(StageId.PREPROCESS, {}).get("columns", {})
    found = [c for c, facts in context.measured.columns.items() if facts["kind"] in kinds]
    found = [c for c, t in treated.items() if t in TREATED_AS[kind]] if kind in TREATED_AS and treated else found
    if not context.measured.columns:
        return ""
    many = f"{len(found)}: " if said.has("many", "number") else ""
    return f"{kind[0].upper()}{kind[1:]} columns: {many}{', '.join(found) or 'none'}."


def _of_columns(said: Said, context: Context) -> str:
    """``what is the average age?``, ``how many cities are there?``, ``what type is zip?``"""
    names = [name for name in _columns(said, context) if name in context.measured.columns]
    inside = {i for n in said.named if n.kind == "column" for i in range(n.start, n.end)}
    beside = {word for i, word in enumerate(said.low) if i not in inside}
    wanted = [fact for fact, words in _STATS.items() if beside.intersection(words)]
    if not names or not wanted or said.has("why", "important", "matter", "matters"):
        return ""
    return " ".join(f"{name}: {', '.join(_facts(context.measured.columns[name], wanted))}." for name in names[:5])


def _facts(column: dict[str, Any], wanted: list[str]) -> list[str]:
    found = []
    for fact in wanted:
        value = column.get(fact)
        if fact == "top" and value:
            values = [f"{v['value']} ({v['share']:.0%})" for v in value[:8]]
            more = f" and {column['n_unique'] - 8:,} more" if column["n_unique"] > 8 else ""
            found.append(f"most frequent {', '.join(values)}{more}")
        elif fact == "n_unique":
            found.append(f"{value:,} different values")
        elif fact == "kind":
            found.append(f"{value} ({column['dtype']})")
        elif value is not None:
            shown = number(value) if isinstance(value, int | float) else value
            found.append(f"{_NAMES.get(fact, fact)} {shown}")
    return found or [f"that was not measured; it is {column['kind']}"]


def _sizes(said: Said, context: Context) -> str:
    """``how many rows are in the test set?``, ``how big is the data set?``, ``how many columns?``"""
    measured = context.measured
    split = next((_SPLITS[w] for w in said.low if w in _SPLITS), None)
    rows = said.has(*_ROWS) or (split is not None and said.has(*_SETS))
    if not said.has(*_SIZE) or said.has("long", "time", *_WRONG) or measured.rows is None:
        return ""
    if split is not None and rows and not said.has("should"):
        if not measured.parts:
            return "The rows are divided at the stage Preparation."
        others = ", ".join(f"{n:,} {_PARTS[part]}" for part, n in measured.parts.items() if part != split)
        return f"{measured.parts[split]:,} {_PARTS[split]} rows; there are also {others} rows."
    whole = said.has("data", "dataset", "table", "file") and said.has("big", "large", "size")
    if (rows and split is None) or whole:
        divided = ", ".join(f"{n:,} {_PARTS[part]}" for part, n in measured.parts.items())
        table = f"The data have {measured.rows:,} rows and {len(measured.columns)} columns."
        return f"{table} They are divided into {divided} rows." if divided else table
    if said.has("models", "runs", "trials") and said.has("many", "number") and said.has(*_PAST) and context.leaderboard:
        models = {r.model for r in context.leaderboard}
        return f"{len(context.leaderboard)} runs of {len(models)} models were made."
    if said.has("columns", "features", "variables") and said.has("many", "number"):
        treated = context.plans.get(StageId.PREPROCESS, {}).get("columns")
        roles = context.plans.get(StageId.PROFILE_DATA, {}).get("roles", {})
        used = (
            [t for t in treated.values() if t != "drop"] if treated else [r for r in roles.values() if r == "feature"]
        )
        return f"The data have {len(measured.columns)} columns, of which {len(used)} become features."
    return ""


def _balance(said: Said, context: Context) -> str:
    """``is the target balanced?``, ``how many positives are there?``"""
    measured, data = context.measured, context.plans.get(StageId.DATA_SOURCE) or {}
    target = data.get("target")
    asks = (
        said.has(*_CLASSES)
        or {"base", "rate"} <= said.words
        or (said.has(*_SHARE) and measured.classes and _asks_of(said, context, str(target)))
    )
    if not asks or said.has("should", "handle", "accuracy", "false", "true", *_FOUND) or target not in measured.columns:
        return ""
    if not measured.classes:
        facts = _facts(measured.columns[str(target)], ["min", "mean", "max"])
        return f"{target}: {', '.join(facts)}; its distribution is shown with the stage Profile."
    total = sum(measured.classes.values())
    shown = list(measured.classes.items())[:_MOST]
    some = ", ".join(f"{value} {n:,} ({n / total:.1%})" for value, n in shown)
    positive = f" The positive class is {data['positive_class']}." if data.get("positive_class") else ""
    return f"{target}: {some} of {total:,} rows.{positive}"


def _asks_of(said: Said, context: Context, target: str) -> bool:
    """Whether a question names the target, in whatever form: ``how many survived``, ``the churn rate``."""
    return target in _columns(said, context) or any(akin(t.text, [target]) for t in said.tokens if t.kind == "word")


_OF_ROWS = (_missing, _correlated, _of_columns, _sizes, _balance)
"""Answers about all rows."""


# -- the models ----------------------------------------------------------------------------------------------


def _runs(said: Said, context: Context) -> list[LeaderboardRow]:
    """The runs that a question is about: the best of each model that it names, else the one that is kept, or leads."""
    good = [row for row in context.leaderboard if row.status == "success"]
    models = [model for n in said.named if n.kind == "models" for model in n.value]
    kept = _kept(context)
    if models:
        first = [next((r for r in good if r.run_id == kept and r.model == m), None) for m in dict.fromkeys(models)]
        rest = [next((r for r in good if r.model == m), None) for m in dict.fromkeys(models)]
        return [row for row in (a or b for a, b in zip(first, rest, strict=True)) if row is not None]
    return [row for row in good if row.run_id == kept][:1] or good[:1]


def _kept(context: Context) -> str | None:
    kept = context.plans.get(StageId.TRAIN, {}).get("keep")
    return str(kept) if kept is not None else context.best_run


def _scores(said: Said, context: Context) -> str:
    """``what is the test AUC?``, ``how accurate is lightgbm?``, ``what are the scores of all models?``"""
    metrics = list(dict.fromkeys(str(i.value) for i in said.items if i.kind == "metric"))
    if said.has("accurate") and not metrics and context.task_type != "regression":
        metrics = ["accuracy"]
    splits = list(dict.fromkeys(_SPLITS[w] for w in said.low if w in _SPLITS))
    if said.has(*_FOUND) and said.has("many", "share") and not metrics and context.task_type == "binary":
        metrics = ["recall"]
    if said.has("right", "correct", "correctly") and said.has(*_SHARE) and not metrics:
        metrics = ["accuracy"] if context.task_type != "regression" else []
    wrong = said.has(*_WRONG) and said.has("many", "number", "count", "often")
    ranks = (said.has(*_RANKING) or (metrics and _asks_which_model(said))) and not splits
    metrics = metrics or (["accuracy"] if wrong and context.task_type != "regression" else [])
    versus = said.has("vs", "versus") and any(n.kind == "models" for n in said.named)
    asks = (
        metrics
        or ranks
        or versus
        or said.has(*_SCORING)
        or (splits and said.has(*_MEASURING, "good", "well", "result", "results"))
    )
    at_threshold = metrics and said.has("at") and said.has("threshold")  # "recall at the threshold"
    inside = {i for item in said.items if item.kind == "metric" for i in range(item.start, item.end)}
    beside = {word for i, word in enumerate(said.low) if i not in inside} - ({"threshold"} if at_threshold else set())
    if not asks or beside & _NOT_SCORES or said.free("column"):
        return ""
    if not context.measured.scores:
        if context.at_work is not None and context.current_stage is StageId.TRAIN:
            return "No run has finished yet."
        return _UNTRAINED if splits or not metrics or said.has("what", "how", "what's") else ""
    primary = context.plans.get(StageId.MODEL_SELECT, {}).get("metric")
    metrics = metrics or [str(primary)]
    named = any(n.kind == "models" for n in said.named)
    if ranks or (said.has(*_ALL - _RANKING) and not named):
        return "\n".join(_ranked(context, metric) for metric in metrics[:3])
    rows = _runs(said, context)
    if not rows:
        models = ", ".join(model_name(m) for n in said.named if n.kind == "models" for m in n.value)
        return f"No run of {models} has finished, so it has no scores." if models else "No run has finished yet."
    lines = [_score(context, row, metric, splits) for row in rows[:4] for metric in metrics[:4]]
    if "test" in splits:
        lines += _untested(context, rows)
    elif "train" in splits and not any("train" in context.measured.scores.get(r.run_id, {}) for r in rows):
        lines.append("On training rows the stage Review measures the model that is kept; the curves show its loss.")
    return " ".join(lines)


def _score(context: Context, row: LeaderboardRow, metric: str, splits: list[str]) -> str:
    """A metric of a run on the rows that are asked for, else on all on which it was measured."""
    scores = context.measured.scores.get(row.run_id, {})
    there = [s for s in ("test", "val", "train") if metric in scores.get(s, {})]
    shown = [s for s in there if s in splits] or ([s for s in there if s != "train"] or there)
    if not shown:
        known = ", ".join(metric_words(name) for name in scores.get("val", {})) or "none"
        task = task_name(context.task_type) if context.task_type else "this task"
        return f"{metric_name(metric)} was not measured for {task}; measured are {known}."
    values = [
        f"{number(scores[s][metric])} on the {_of_rows(context, s)}{_interval(context, row, metric, s)}" for s in shown
    ]
    return f"{metric_name(metric)} of {model_name(row.model)} ({row.run_id}): {', '.join(values)}."


def _mistakes(said: Said, context: Context) -> str:
    """``how many errors on the test set?``"""
    rows = _runs(said, context)[:1]
    if not rows or not said.has(*_WRONG) or not said.has("many", "number", "count", "often"):
        return ""
    scores = context.measured.scores.get(rows[0].run_id, {})
    asked = [_SPLITS[w] for w in said.low if w in _SPLITS] or ["test", "val"]
    split = next((s for s in asked if scores.get(s, {}).get("accuracy") is not None), None)
    n = context.measured.parts.get(split or "")
    if split is None or not n:
        return ""
    wrong = round((1 - float(scores[split]["accuracy"] or 0.0)) * n)
    return f"{model_name(rows[0].model)} is wrong on {wrong:,} of the {n:,} {_PARTS[split]} rows."


def _fit(said: Said, context: Context) -> str:
    """``is it overfitting?``"""
    rows, metric = _runs(said, context)[:1], context.plans.get(StageId.MODEL_SELECT, {}).get("metric")
    if not rows or not said.has("overfit", "overfits", "overfitting", "overfitted", "underfitting"):
        return ""
    scores = context.measured.scores.get(rows[0].run_id, {})
    values = [
        f"{number(scores[s][metric])} on the {_of_rows(context, s)}" for s in _PARTS if metric in scores.get(s, {})
    ]
    if len(values) < 2:
        return ""
    return (
        f"{metric_name(str(metric))} of {model_name(rows[0].model)}: {', '.join(values)}; the larger the gap, the more."
    )


def _of_rows(context: Context, split: str) -> str:
    n = context.measured.parts.get(split)
    return f"{n:,} {_PARTS[split]} rows" if n else f"{_PARTS[split]} rows"


def _interval(context: Context, row: LeaderboardRow, metric: str, split: str) -> str:
    ends = context.measured.intervals.get(metric)
    if ends is None or split != "test" or row.run_id != _kept(context):
        return ""
    return f" (95% interval {number(ends[0])} to {number(ends[1])})"


def _untested(context: Context, rows: list[LeaderboardRow]) -> list[str]:
    """Why there are no scores on test rows."""
    if all("test" in context.measured.scores.get(row.run_id, {}) for row in rows):
        return []
    tested = [row for row in context.leaderboard if "test" in context.measured.scores.get(row.run_id, {})]
    if not tested:
        return [UNREAD]
    return [f"Only the model that is kept, {model_name(tested[0].model)}, is evaluated on the test rows."]


_BEST = words_of("best highest lowest worst better top least most greatest smallest largest")
_SMALL_IS_GOOD = words_of("rmse mae mape median_ae log_loss brier")


def _asks_which_model(said: Said) -> bool:
    """``which model has the best recall?``"""
    models = any(n.kind == "models" for n in said.named)
    asks = said.has("which", "what") and said.has("model", "models", "run", "one") and not models
    return asks and any(i.kind == "metric" and said.low[max(0, i.start - 1)] in _BEST for i in said.items)


def _ranked(context: Context, metric: str) -> str:
    scores = context.measured.scores
    rows = [r for r in context.leaderboard if scores.get(r.run_id, {}).get("val", {}).get(metric) is not None]
    rows.sort(key=lambda r: scores[r.run_id]["val"][metric] or 0.0, reverse=metric not in _SMALL_IS_GOOD)
    some = ", ".join(f"{model_name(r.model)} {number(scores[r.run_id]['val'][metric])}" for r in rows[:_MOST])
    return f"{metric_name(metric)} on the {_of_rows(context, 'val')}: {some}." if rows else "No run has finished yet."


def _importance(said: Said, context: Context) -> str:
    """``which feature matters most?``, ``how important is age?``"""
    names, found = _columns(said, context), context.measured.importance
    counts = said.has(*_FACTORS) or (said.has(*_COUNTS) and (names or said.has(*_THINGS)))
    if not counts or said.has("why", "metric", "should", "drop", "use"):
        return ""
    if not found:
        return "" if context.leaderboard else "What columns count is measured with the models, at the stage Training."
    of = f"where its values are shuffled, {metric_words(context.measured.importance_of)} gets worse by so much"
    places = {name: n for n, name in enumerate(found, start=1)}
    if names:
        told = [
            f"{name} is number {places[name]} of {len(found)} ({number(found[name])})" if name in found
            else f"{name} is no feature of the model"
            for name in names[:5]
        ]  # fmt: skip
        return f"{'; '.join(told)}: {of}."
    most = next((int(float(t.low)) for t in said.tokens if t.kind == "number" and float(t.low) >= 1), 5)
    if said.has("least") and not said.has("at"):
        last = [f"{name} ({number(mean)})" for name, mean in reversed(found.items())][: min(most, 2 * _MOST)]
        return f"What counts least: {', '.join(last)}; {of}."
    top = [f"{name} ({number(mean)})" for name, mean in found.items() if mean > 0][: min(most, 2 * _MOST)]
    kept = next((r for r in context.leaderboard if r.run_id == _kept(context)), None)
    model = f" for {model_name(kept.model)}" if kept is not None else ""
    if not top:
        same = f"{metric_words(context.measured.importance_of)} is no worse whichever one is shuffled"
        return f"No column counts by itself{model}: {same}."
    return f"What counts most{model}: {', '.join(top)}; {of}."


def _times(said: Said, context: Context) -> str:
    """``how long did training take?``, ``which model was the slowest?``"""
    good = [r for r in context.leaderboard if r.status == "success"]
    if good and said.has(*_QUICK, *_SLOW) and said.has("model", "models", "run", "which", "what"):
        slow = said.has(*_SLOW)
        row = (max if slow else min)(good, key=lambda r: r.runtime_s)
        which, name = "slowest" if slow else "fastest", model_name(row.model)
        return f"The {which} run is that of {name} ({row.run_id}): {_s(row.runtime_s)}."
    long = ("long" in said.words and said.has(*_PAST)) or ("time" in said.words and said.has(*_PAST, "training"))
    if not long or said.has("should", "may", "budget", "left", "remaining"):
        return ""
    models = [m for n in said.named if n.kind == "models" for m in n.value]
    if models or said.has("each", "every", "models"):
        runs = [r for r in context.leaderboard if r.model in models or not models]
        times = ", ".join(f"{model_name(r.model)} ({r.run_id}) {_s(r.runtime_s)}" for r in runs[:_MOST])
        return f"The runs took: {times}." if runs else ""
    if said.has(*_WHOLE) and context.measured.seconds:
        return f"The stages took {_s(sum(context.measured.seconds.values()))} of work in all."
    spoken = (STAGE_WORDS.at(said.tokens, i) for i in range(len(said.tokens)) if said.tokens[i].kind == "word")
    stage = next((StageId(found[0]) for found in spoken if found is not None), StageId.TRAIN)
    seconds = context.measured.seconds.get(stage)
    if seconds is None:
        return ""
    runs = [r for r in context.leaderboard if r.status == "success"] if stage is StageId.TRAIN else []
    slowest = max(runs, key=lambda r: r.runtime_s, default=None)
    more = (
        f", {len(runs)} runs, of which {model_name(slowest.model)} took longest ({_s(slowest.runtime_s)})"
        if slowest
        else ""
    )
    return f"The stage {stage_name(stage)} took {_s(seconds)}{more}."


def _s(seconds: float) -> str:
    return say_seconds(round(seconds)) if seconds >= 10 else f"{seconds:.1f} seconds"
