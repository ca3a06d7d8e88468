"""A weighted ensemble of models that were trained already: whose predictions are averaged, and with what weights.

Greedy selection with replacement (Caruana, Niculescu-Mizil, Crew and Ksikes: Ensemble Selection from Libraries of
Models, ICML 2004): in each round that model joins with which the average of all that joined so far is best on the
validation rows. A model that joined several times weighs as much more. Few validation rows say little of weights, so
the selection is done on bootstrap samples of them and the weights are averaged (Breiman: Bagging Predictors, 1996).
The rows that a sample leaves out tell how good weights are on rows that they were not chosen by (out of bag).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .inference import Member, Units
from .metrics import HIGHER_IS_BETTER, THRESHOLDED, choose_threshold, score
from .monitor import Monitor

#: Bootstrap samples, and rounds of the selection on each.
BAGS, ROUNDS = 20, 5
#: So many rows are in a sample at the most.
BAG_ROWS = 1_000
#: A model that would weigh less than this share of the heaviest is left out: to make it again, its file and its
#: predictions take as much as those of one that counts (docs/benchmarks.md has figures).
LEAST = 0.15
#: So many of the best models may join.
MOST = 12
#: Fewer of the rows do not stand for all: their score is another one whatever the weights.
_NEARLY_ALL = 0.99


@dataclass(frozen=True)
class Candidate:
    """A fitted model that may join.

    Attributes
    ----------
    run_id : str
        What it is called.
    model_id, params, iterations, threads
        What makes it again by :func:`.training.fit_model`.
    kind, estimator, kept, units
        The estimator, how many of its iterations count (None for all), and its units.
    raw_train, raw_val : numpy.ndarray
        Its predictions of the training and validation rows on which scores are measured.
    """

    run_id: str
    model_id: str
    params: dict[str, Any]
    iterations: int
    threads: int
    kind: str
    estimator: Any
    kept: int | None
    units: Units | None
    raw_train: np.ndarray
    raw_val: np.ndarray


def _cost(task_type: str, metric: str, y: np.ndarray) -> Callable[[np.ndarray], float]:
    """What the selection makes as small as it can: by the metric, where that needs no threshold, else the log loss."""
    by = "log_loss" if metric in THRESHOLDED else metric
    sign = -1.0 if HIGHER_IS_BETTER[by] else 1.0

    def measured(raw: np.ndarray) -> float:
        value = score(by, task_type, y, raw)
        return sign * value if np.isfinite(value) else np.inf

    return measured


@dataclass(frozen=True)
class Selection:
    """What was selected.

    Attributes
    ----------
    weights : list of float
        Of each candidate; their sum is one.
    bags : int
        How many samples they are the mean of.
    out_of_bag : float or None
        The metric where each row is predicted with the weights of the samples without it; None where it is not defined,
        or where the selection ended so early that many rows are in every sample.
    """

    weights: list[float]
    bags: int
    out_of_bag: float | None


def select(candidates: Sequence[Candidate], task_type: str, metric: str, monitor: Monitor, seed: int) -> Selection:
    """How much each candidate weighs.

    Parameters
    ----------
    candidates : sequence of Candidate
        The best first: of equally good ones the first joins.
    task_type, metric : str
    monitor : Monitor
        Told of every bootstrap sample, as of an iteration; it may end the selection.
    seed : int
        Draws the samples.
    """
    y, rng = monitor.y_val, np.random.default_rng(seed)
    drawn: list[np.ndarray] = []
    chosen: list[np.ndarray] = []
    for bag in range(1, BAGS + 1):
        drawn.append(rng.integers(0, len(y), min(len(y), BAG_ROWS)))
        rows = drawn[-1]
        chosen.append(_greedy([one.raw_val[rows] for one in candidates], _cost(task_type, metric, y[rows])))
        weights = _without_the_least(np.mean(chosen, axis=0))
        raw_train = _average([one.raw_train for one in candidates], weights)
        raw_val = _average([one.raw_val for one in candidates], weights)
        if not monitor.step(bag, BAGS, monitor.measure(raw_train, raw_val)):
            break
    without = np.array([np.bincount(rows, minlength=len(y)) == 0 for rows in drawn])
    raw = [one.raw_val for one in candidates]
    return Selection(weights.tolist(), bag, _out_of_bag(raw, np.array(chosen), without, task_type, metric, y))


def _greedy(raws: list[np.ndarray], cost: Callable[[np.ndarray], float]) -> np.ndarray:
    """The weights with which the average is best; one model alone where nothing is better than that."""
    total = np.zeros_like(raws[0], dtype=np.float64)
    picks: list[int] = []
    best, length = np.inf, 1
    for turn in range(1, ROUNDS + 1):
        costs = [cost((total + raw) / turn) for raw in raws]
        pick = int(np.argmin(costs))
        picks.append(pick)
        total = total + raws[pick]
        if costs[pick] < best - 1e-12:
            best, length = costs[pick], turn
    return np.bincount(picks[:length], minlength=len(raws)) / length


def _without_the_least(weights: np.ndarray) -> np.ndarray:
    kept = np.where(weights >= LEAST * weights.max(), weights, 0.0)
    return np.asarray(kept / kept.sum())


def _average(raws: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    return np.asarray(sum(weight * raw for raw, weight in zip(raws, weights, strict=True) if weight))


def _out_of_bag(
    raws: list[np.ndarray], chosen: np.ndarray, without: np.ndarray, task_type: str, metric: str, y: np.ndarray
) -> float | None:
    """The metric where each row is predicted with the mean of the weights of the samples without it."""
    many = without.sum(axis=0)
    rows = np.flatnonzero(many)
    if len(rows) < _NEARLY_ALL * len(y):
        return None
    weights = (without.T.astype(np.float64) @ chosen)[rows] / many[rows, None]
    raw = np.asarray(sum((w if r.ndim == 1 else w[:, None]) * r[rows] for r, w in zip(raws, weights.T, strict=True)))
    threshold = choose_threshold(metric, y[rows], raw) if task_type == "binary" else None
    value = float(score(metric, task_type, y[rows], raw, threshold))
    return value if np.isfinite(value) else None


def members(candidates: Sequence[Candidate], weights: Sequence[float]) -> tuple[list[Member], list[dict[str, Any]]]:
    """Who joined with what weight, and what makes each again."""
    joined = [(one, weight) for one, weight in zip(candidates, weights, strict=True) if weight]
    made = [Member(one.kind, one.estimator, one.kept, one.units, weight) for one, weight in joined]
    how = [
        {
            "run_id": one.run_id,
            "model_id": one.model_id,
            "params": one.params,
            "iterations": one.iterations,
            "threads": one.threads,
            "weight": weight,
        }
        for one, weight in joined
    ]
    return made, how
