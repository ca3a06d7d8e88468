"""What a data scientist would say of a result: what to keep in mind, and what to try next.

Every sentence follows from something measured; each suggestion carries the chat message that does it.
"""

from collections.abc import Mapping
from typing import Any

from ..automl.metrics import HIGHER_IS_BETTER
from ..protocol.names import metric_name, metric_words, number
from .report import other_splits
from .rows import MIN_COPIES

#: Validation or test rows below which metrics are said to be uncertain.
FEW_ROWS = 200
#: Shares from which one column is looked at, and from which the score itself makes one ask why.
_HIGH, _NEARLY_PERFECT = 0.95, 0.999
_SHARE = (
    "roc_auc",
    "average_precision",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "f1_macro",
    "precision",
    "recall",
    "r2",
)


def _gap(metric: str, better: float | None, worse: float | None) -> float:
    """By how much a metric is worse on other rows: in points for shares, relative for errors."""
    if better is None or worse is None:
        return 0.0
    loss = better - worse if HIGHER_IS_BETTER[metric] else worse - better
    return loss if metric in _SHARE else loss / max(abs(better), 1e-12)


def too_good(metric: str, value: float | None) -> bool:
    """Whether a score is so near to perfect that one should ask why."""
    return metric in _SHARE and value is not None and value >= _NEARLY_PERFECT


def undefined(metric: str) -> str:
    """What rows are probably like on which a metric is not defined."""
    return "their target is 0 somewhere" if metric == "mape" else "they lack a class"


def cautions(review: Mapping[str, Any]) -> list[str]:
    """What limits the result, in sentences."""
    metric, metrics, split = review["task"]["metric"], review["metrics"], review["split"]["rows"]
    name = metric_name(metric)
    # A column that counts most in a model of middling scores may just be a good one.
    high = _high(review)
    found = [
        f"{column!r} nearly tells {review['task']['target']!r} by itself: if it is not known at the time of "
        "predicting, these scores say nothing of new rows. Leave it out then, and train again."
        for column in _suspects(review)
        if high or column in review["leakage"]
    ]
    if split["test"] < FEW_ROWS:
        found.append(
            f"The test metrics come from {split['test']:,} rows only; the intervals show how uncertain that makes them."
        )
    if review["test_reads"]["models"] > 1:
        found.append(
            f"The test rows were read {review['test_reads']['times']} times, for {review['test_reads']['models']} "
            "different models or thresholds; the test metrics may be somewhat too good."
        )
    if others := other_splits(review):
        found.append(others)
    if metrics["test"].get(metric) is None:
        found.append(f"{name} is not defined on the test rows, perhaps as {undefined(metric)}: nothing is known of it.")
    same = review.get("copies") or {"rows": 0, "metrics": {}}
    if same["rows"] >= MIN_COPIES * split["test"] > 0:
        others = same["metrics"].get(metric)
        told = f"{same['rows']:,} of {split['test']:,} test rows are the same as a training row"
        found.append(
            f"{told}, and too few others are left to measure: the score tells little of new rows."
            if others is None
            else f"{told}; without them {metric_words(metric)} is {number(others)}, with them "
            f"{number(metrics['test'].get(metric))}."
        )
    much, train = 0.1 if metric in _SHARE else 0.5, metrics["train"].get(metric)
    # Few validation rows may be odd by chance; rows learned by heart show on the test rows too.
    by_heart = _gap(metric, train, metrics["val"].get(metric)) > much
    if by_heart and _gap(metric, train, metrics["test"].get(metric)) > much / 2:
        found.append(
            f"{name} is {number(metrics['train'][metric])} on training rows and {number(metrics['val'][metric])} on "
            "validation rows: the model learned some of the training rows by heart."
        )
    ends = review["intervals"].get(metric)
    value = metrics["val"].get(metric)
    if ends and ends[0] == ends[1]:
        found.append(
            f"The interval of {name} has no width, as every draw of the test rows gives the same value: other rows may "
            "well give another."
        )
    if ends and value is not None and not ends[0] <= value <= ends[1]:
        better = (value > ends[1]) == HIGHER_IS_BETTER[metric]
        found.append(
            f"{name} on validation rows ({number(value)}) is {'better' if better else 'worse'} than the interval of "
            f"the test rows ({number(ends[0])} to {number(ends[1])}): rely on the test value."
        )
    baseline = _baseline(review)
    if baseline is not None and value is not None and review["kept"]["model_id"] != "dummy":
        gain = value - baseline if HIGHER_IS_BETTER[metric] else baseline - value
        if gain <= 0.02 * max(1e-12, abs(baseline)):
            found.append(f"The model hardly beats the baseline ({name} {number(value)} against {number(baseline)}).")
    if review["edited"]:
        found.append(f"The training code was edited by hand: {', '.join(review['edited'])}.")
    return found


def _baseline(review: Mapping[str, Any]) -> float | None:
    for row in review["runs"]:
        if row["model_id"] == "dummy" and row["metric"] is not None:
            return float(row["metric"])
    return None


def suggestions(review: Mapping[str, Any]) -> list[dict[str, str]]:
    """What could be tried next.

    Parameters
    ----------
    review : mapping
        What ``review.json`` holds, but for its ``suggestions``.

    Returns
    -------
    list of dict
        With ``title``, ``why`` and ``chat``, the message that does it.
    """
    metric, metrics, kept = review["task"]["metric"], review["metrics"], review["kept"]
    found = [
        *_overfit(metric, metrics, kept),
        *_budget(review),
        *_imbalance(review),
        *_leakage(review),
        *_useless(review),
        *_failures(review),
    ]
    if sum(review["split"]["rows"].values()) < 1000 and kept["model_id"] not in ("linear", "dummy"):
        found.append(
            _item(
                "Prefer a simple model",
                f"{sum(review['split']['rows'].values()):,} rows are few; a linear model varies least with them.",
                "Please use a linear model instead.",
            )
        )
    if not found and review["trials"] <= 1:
        found.append(
            _item(
                "Search longer",
                "Each model was tried with one setting of its parameters only.",
                "Please optimize for accuracy over speed.",
            )
        )
    return found


def _item(title: str, why: str, chat: str) -> dict[str, str]:
    return {"title": title, "why": why, "chat": chat}


def _quoted(name: str) -> str:
    return f"'{name}'" if '"' in name else f'"{name}"'


def _overfit(metric: str, metrics: Mapping[str, Any], kept: Mapping[str, Any]) -> list[dict[str, str]]:
    train, val = metrics["train"].get(metric), metrics["val"].get(metric)
    if _gap(metric, train, val) <= (0.05 if metric in _SHARE else 0.3):
        return []
    why = f"{metric_name(metric)} is {number(train)} on training rows but {number(val)} on validation rows."
    if kept["model_id"] in ("random_forest", "extra_trees"):
        leaf = 2 * max(2, int(kept["params"].get("min_samples_leaf") or 2))
        chat = f"Set min_samples_leaf to {leaf} for the {kept['model_id'].replace('_', ' ')}."
        return [_item("Larger leaves", why, chat)]
    if kept["model_id"] == "linear":
        l2 = 10 * max(0.1, float(kept["params"].get("l2") or 0.1))
        return [_item("Stronger regularisation", why, f"Set l2 to {l2:g} for the linear model.")]
    return [_item("A lower learning rate", why, "Can you retrain with lower learning rate?")]


def _budget(review: Mapping[str, Any]) -> list[dict[str, str]]:
    if review["kept"]["stopped"] not in ("deadline", "asked"):
        return []
    seconds = review["budget_s"]
    why = f"The fit of the kept model was ended after {review['kept']['iterations']} iterations, before it stopped "
    why += "getting better by itself."
    return [_item("More time", why, f"Please give it {max(60, round(2 * seconds))} seconds.")]


def _imbalance(review: Mapping[str, Any]) -> list[dict[str, str]]:
    share, metric = review["task"]["rarest_share"], review["task"]["metric"]
    if share is None or share >= 0.15 or metric not in ("accuracy", "roc_auc", "log_loss"):
        return []
    wanted = "average precision" if review["task"]["type"] == "binary" else "macro F1"
    why = f"The rarest class has {share:.1%} of the rows; {metric_words(metric)} hardly shows how well it is found."
    return [_item(f"Optimise {wanted}", why, f"Please optimise {wanted}.")]


def _importance(review: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Columns by importance on the validation rows: to choose columns by the test rows would spoil those."""
    found: list[dict[str, Any]] = (review["val_importance"] or {}).get("columns", [])
    return found


def _high(review: Mapping[str, Any]) -> bool:
    metric = review["task"]["metric"]
    return metric in _SHARE and (review["metrics"]["test"].get(metric) or 0.0) >= _HIGH


def _suspects(review: Mapping[str, Any]) -> list[str]:
    """Features that may be known only after the fact: those that tell nearly all, alone or within the model."""
    rows = [row for row in _importance(review) if (row["mean"] or 0) > 0]
    most = (0.8 if _high(review) else 0.9) * sum(row["mean"] for row in rows)
    suspects = list(review["leakage"])
    if len(rows) > 2 and rows[0]["mean"] > most and rows[0]["name"] not in suspects:
        suspects.append(rows[0]["name"])
    return [name for name in suspects if review["columns"].get(name, "drop") != "drop"][:3]


def _leakage(review: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        _item(
            f"Check column {name}",
            "It says so much about the target by itself that it may only be known after the fact.",
            f"Please drop the column {_quoted(name)}.",
        )
        for name in _suspects(review)
    ]


def _useless(review: Mapping[str, Any]) -> list[dict[str, str]]:
    rows = _importance(review)
    useless = [row["name"] for row in rows if row["mean"] is not None and row["mean"] <= 0]
    if len(rows) < 4 or not useless or len(useless) > len(rows) / 2:
        return []
    shown = ", ".join(useless[:5])
    them = "it" if len(useless) == 1 else "them"
    why = f"Shuffling {them} made no prediction of validation rows worse; fewer columns make a model easier to keep."
    chat = f"Please drop the columns {', '.join(map(_quoted, useless[:5]))}."
    return [_item("Leave out columns that do not help", f"{shown}: {why}", chat)]


def _failures(review: Mapping[str, Any]) -> list[dict[str, str]]:
    failed = sorted({row["model"] for row in review["runs"] if row["status"] == "failed"})
    if not failed:
        return []
    names = ", ".join(failed)
    why = "It did not come to a result; the leaderboard says why."
    return [_item(f"Leave out {names}", why, f"Please train without {names}.")]
