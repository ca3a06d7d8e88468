"""The report: one HTML file that needs nothing else, made of what the review found.

The template escapes all that comes from data; pictures go in as data URIs.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from ..automl.metrics import THRESHOLDED
from ..automl.models import ENSEMBLE
from ..protocol.names import DASH, METRIC_NAMES, MINUS, TASK_NAMES, metric_words, number
from .workspace import template

#: Classes that are named one by one.
MOST_CLASSES = 30
_TREATMENTS = {
    "numeric": "number: missing values filled with the median, scaled",
    "onehot": "one feature for each category",
    "ordinal": "categories as ranks",
    "target_encode": "mean of the target for each category, cross-fitted",
    "text": "text: parts of words, reduced to a few components",
    "datetime": "date: time line, and place in the year, week and day",
    "boolean": "yes or no",
    "drop": "left out",
}
_SPLITS = {
    "random": "at random",
    "stratified": "at random, with each class's share in each part",
    "time": "by time: the newest rows are test rows, those before them validation rows",
    "group": "by group: rows of a group stay together",
}


def interval(ends: list[float] | tuple[float, float] | None) -> str:
    """An interval for people."""
    return f"{number(ends[0])} to {number(ends[1])}" if ends else DASH


def data_name(data: Mapping[str, Any]) -> str:
    """The data's file, and the sheet if it has some."""
    return f"{data['name']}, sheet {data['sheet']!r}" if data.get("sheet") else str(data["name"])


def threshold_of(review: Mapping[str, Any]) -> float:
    """From what probability a row is called positive."""
    threshold = review["kept"]["threshold"]
    return 0.5 if threshold is None else float(threshold)


def test_sentence(review: Mapping[str, Any]) -> str:
    """How often the test rows were read, and what that means."""
    times, models = review["test_reads"]["times"], review["test_reads"]["models"]
    if times <= 1:
        text = (
            "The test rows took no part in training, in the treatment of columns or in the choice of model and "
            "threshold; they were read once, for this evaluation. Only the profile of the data counts all rows."
        )
    elif models <= 1:
        text = f"The test rows were read {times} times in this project, each time for the same model and threshold."
    else:
        text = (
            f"The test rows were read {times} times in this project, for {models} different models or thresholds. If "
            "an earlier result on them led to a change, the test metrics are somewhat too good; new data would tell."
        )
    return f"{text} {others}" if (others := other_splits(review)) else text


def other_splits(review: Mapping[str, Any]) -> str:
    """How many other test rows of the same data were read, and what that means; empty if none were."""
    n = review["test_reads"].get("other_splits", 0)
    if not n:
        return ""
    times = "one other way" if n == 1 else f"{n} other ways"
    return (
        f"The same data were also divided in {times}, with other test rows, some of which may be among these: if a "
        "result on those led to a change, the test metrics are somewhat too good."
    )


def train_sentence(review: Mapping[str, Any]) -> str:
    """On how many of the training rows the model was measured, where those are not all."""
    rows, measured = review["split"]["rows"]["train"], review.get("measured", {}).get("train")
    if measured in (None, rows):
        return ""
    return f"Metrics of the training rows are measured on {measured:,} of {rows:,}, drawn at random."


def picture(path: Path) -> str:
    """A PNG as a data URI."""
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def render(review: Mapping[str, Any], figures: list[tuple[str, Path]]) -> str:
    """The report as HTML.

    Parameters
    ----------
    review : mapping
        What ``review.json`` holds.
    figures : list of (str, pathlib.Path)
        Title and PNG of each picture.
    """
    task, data, kept, split = review["task"], review["data"], review["kept"], review["split"]
    metric, metrics, rows = task["metric"], review["metrics"], split["rows"]
    names = METRIC_NAMES
    shuffled = (review["importance"] or {}).get("metric", metric)
    column = f" of column {split['column']!r}" if split["column"] else ""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    return environment.from_string(template("report.html.j2")).render(
        title=f"{review['project']}: predicting {task['target']}",
        lead=f"{TASK_NAMES[task['type']].capitalize()} on {data['n_rows']:,} rows of {data_name(data)}. "
        f"The kept model is {kept['name']}.",
        tiles=[
            {
                "label": f"{names[metric]}, test rows",
                "value": number(metrics["test"].get(metric)),
                "note": f"95% interval {interval(review['intervals'].get(metric))}",
            },
            {
                "label": f"{names[metric]}, validation rows",
                "value": number(metrics["val"].get(metric)),
                "note": f"training rows {number(metrics['train'].get(metric))}",
            },
            {"label": "Model", "value": kept["name"], "note": _made_of(kept)},
            {"label": "Rows", "value": f"{data['n_rows']:,}", "note": f"{data['n_columns']:,} columns"},
        ],
        cautions=review["cautions"],
        facts=_facts(review),
        warnings=review["warnings"],
        split_text=f"The rows are divided {_SPLITS[split['strategy']]}{column} (seed {split['seed']}).",
        parts=[
            {"name": "Training", "rows": f"{rows['train']:,}", "use": "fitting models and the treatment of columns"},
            {"name": "Validation", "rows": f"{rows['val']:,}", "use": "early stopping, choice of model and threshold"},
            {"name": "Test", "rows": f"{rows['test']:,}", "use": "the final evaluation"},
        ],
        treatments=_treatments(review["columns"]),
        metric=names[metric],
        leaderboard_text=f"All {len(review['runs'])} runs, best first. Runs are compared on validation rows only; as "
        f"the best of them is chosen by it{_chosen_too(review)}, its validation score is somewhat too good."
        + _out_of_bag(kept, metric)
        + threshold_sentence(review)
        + (f" Not trained, as time was used up: {', '.join(review['untried'])}." if review["untried"] else ""),
        leaderboard=[_run(row) for row in review["runs"]],
        metrics=[
            {
                "name": names.get(name, name),
                "primary": name == metric,
                "test": number(value),
                "interval": interval(review["intervals"].get(name)),
                "val": number(metrics["val"].get(name)),
                "train": number(metrics["train"].get(name)),
            }
            for name, value in primary_first(metrics["test"], metric)
        ],
        test_text=" ".join(
            filter(None, (test_sentence(review), intervals_sentence(split["strategy"]), train_sentence(review)))
        ),
        figures=[{"title": title, "uri": picture(path)} for title, path in figures],
        importance=_importance(review["importance"]),
        importance_text=f"How much worse {names[shuffled]} gets on test rows when a column's values are shuffled. "
        "Columns that say the same share their importance; a small value says nothing against a column by itself."
        + _explained(review["explained"]),
        decisions=review["decisions"],
        suggestions=review["suggestions"],
        again="The exported bundle holds train.py and train.ipynb: either goes from the raw data to these numbers, and "
        "says so if the data or a number differ. predict.py predicts new rows.",
        versions=", ".join(f"{name} {version}" for name, version in review["versions"].items()),
    )


def _chosen_too(review: Mapping[str, Any]) -> str:
    """What else was chosen by the validation score."""
    kept = review["kept"]
    also = ["the weights of the ensemble"] if kept["model_id"] == "ensemble" else []
    also += ["the threshold"] if kept["threshold"] is not None else []
    return (
        f", as {'are' if len(also) > 1 or also[0].endswith('ensemble') else 'is'} {' and '.join(also)}" if also else ""
    )


def _out_of_bag(kept: Mapping[str, Any], metric: str) -> str:
    """How good an ensemble is on validation rows that had no say in its weights."""
    if kept["out_of_bag"] is None:
        return ""
    text = f" With each row predicted by weights chosen without it, that is {number(kept['out_of_bag'])}."
    if metric in THRESHOLDED:
        return text
    return f"{text} An ensemble of several models comes before single ones, whatever their scores on these rows."


def threshold_sentence(review: Mapping[str, Any]) -> str:
    """Why the kept model's score among the runs is another than its metric, where the person set a threshold."""
    metric, kept = review["task"]["metric"], review["kept"]
    if "threshold_chosen" not in kept:
        return ""  # an earlier version did not note it
    usual = 0.5 if kept["threshold_chosen"] is None else kept["threshold_chosen"]
    if metric not in (*THRESHOLDED, "accuracy") or threshold_of(review) == usual:
        return ""
    return (
        f" These are scores with the thresholds that the runs chose, of {kept['name']} {usual:.4g}; with the "
        f"{threshold_of(review):.4g} that was set for it, its {metric_words(metric)} on these rows is "
        f"{number(review['metrics']['val'].get(metric))}."
    )


def intervals_sentence(strategy: str) -> str:
    """What the intervals are, and what they leave out."""
    text = "Intervals are bootstrap percentiles over the test rows"
    if strategy == "group":
        return f"{text}; rows of a group are alike, so the true uncertainty is larger."
    return f"{text}; they say nothing of how the future may differ." if strategy == "time" else f"{text}."


def primary_first(metrics: Mapping[str, float | None], primary: str) -> list[tuple[str, float | None]]:
    """Metrics with their values, the one that decides first."""
    return sorted(metrics.items(), key=lambda item: item[0] != primary)


def _explained(how: Mapping[str, Any] | None) -> str:
    if how is None:
        return ""
    found = "computed from the model itself"
    if how["method"] == "sampled":
        found = f"estimated by exchanging columns with those of {how['background']} other rows"
    return (
        f" The figure of what columns add to predictions tells of {how['n_rows']:,} single test rows how far each "
        f"column moved the prediction (Shapley values, in {how['unit']}, {found})."
    )


def _facts(review: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    task, data = review["task"], review["data"]
    facts = [
        ("Target", task["target"], False),
        ("Task", TASK_NAMES[task["type"]], False),
        ("Metric that decides", METRIC_NAMES[task["metric"]], False),
    ]
    if task["classes"]:
        shown = ", ".join(str(label) for label in task["classes"][:MOST_CLASSES])
        more = len(task["classes"]) - MOST_CLASSES
        facts.append(("Classes", f"{shown} and {more} more" if more > 0 else shown, False))
    if task["type"] == "binary":
        facts.append(("Positive class", str(task["classes"][1]), False))
        facts.append(("Positive from", f"a probability of {number(threshold_of(review))}", False))
    facts += [
        (
            "Data",
            f"{data_name(data)} ({data['format']}), {data['n_rows']:,} rows, {data['n_columns']:,} columns",
            False,
        ),
        ("SHA-256", data["sha256"], True),
    ]
    if data["dropped"]:
        facts.append(("Left out", f"{data['dropped']:,} rows without a target", False))
    return facts


def _treatments(columns: Mapping[str, str]) -> list[dict[str, Any]]:
    groups: dict[str, list[str]] = {}
    for name, treatment in columns.items():
        groups.setdefault(treatment, []).append(name)
    return [{"treatment": _TREATMENTS.get(key, key), "columns": names} for key, names in groups.items()]


def _run(row: Mapping[str, Any]) -> dict[str, Any]:
    params = json.dumps(row["params"], ensure_ascii=False)[1:-1].replace('"', "") or "defaults"
    return {
        **row,
        "metric": number(row["metric"]),
        "runtime": f"{row['runtime_s']:.1f}",
        "params": params,
        "reason": row.get("reason") or "",
    }


def _made_of(kept: Mapping[str, Any]) -> str:
    if kept["model_id"] == ENSEMBLE:
        n = len(kept["params"])  # its members' weights
        return f"{n} model{'' if n == 1 else 's'} averaged"
    return f"{kept['iterations']:,} iteration{'' if kept['iterations'] == 1 else 's'}"


def _importance(data: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    rows = [row for row in (data or {}).get("columns", []) if row["mean"] is not None][:25]
    most = max((row["mean"] for row in rows), default=0.0)
    digits = 4 if most < 10 else 2 if most < 1000 else 0
    return [
        {
            "name": row["name"],
            "mean": f"{row['mean']:,.{digits}f}".replace("-", MINUS) if most >= 1e-3 else number(row["mean"]),
            "std": f"{row['std']:,.{digits}f}" if most >= 1e-3 else number(row["std"]),
            "width": f"{100 * max(0.0, row['mean']) / most:.1f}" if most > 0 else "0",
        }
        for row in rows
    ]
