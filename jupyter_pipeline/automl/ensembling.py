"""A weighted ensemble of models that were trained already: whose predictions are averaged, and with what weights.

Greedy selection with replacement (Caruana, Niculescu-Mizil, Crew and Ksikes: Ensemble Selection from Libraries of
Models, ICML 2004): in each round that model joins with which the average of all that joined so far is best on the
validation rows. A model that joined several times weighs as much more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .inference import Member, Units
from .metrics import HIGHER_IS_BETTER, THRESHOLDED, loss, score
from .monitor import Monitor

#: Rounds of the selection.
ROUNDS = 25
#: So many of the best models may join.
MOST = 12


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


def quality(task_type: str, metric: str, y: np.ndarray) -> Callable[[np.ndarray], float]:
    """What the selection makes as small as it can: by the metric, where that needs no threshold, else by the loss."""
    if metric in THRESHOLDED or metric in ("log_loss", "rmse"):
        return lambda raw: loss(task_type, y, raw)
    sign = -1.0 if HIGHER_IS_BETTER[metric] else 1.0

    def measured(raw: np.ndarray) -> float:
        value = score(metric, task_type, y, raw)
        return np.inf if value is None or not np.isfinite(value) else sign * value

    return measured


def select(candidates: Sequence[Candidate], task_type: str, metric: str, monitor: Monitor) -> list[int]:
    """How many times each candidate joins; all zero but one where nothing is better than the best alone.

    Parameters
    ----------
    candidates : sequence of Candidate
        The best first: of equally good ones the first joins.
    task_type, metric : str
    monitor : Monitor
        Told of every round, as of an iteration; it may end the selection.
    """
    cost = quality(task_type, metric, monitor.y_val)
    sums = np.zeros_like(candidates[0].raw_val, dtype=np.float64), np.zeros_like(candidates[0].raw_train, np.float64)
    chosen: list[int] = []
    best, length = np.inf, 0
    for turn in range(1, ROUNDS + 1):
        costs = [cost((sums[0] + one.raw_val) / turn) for one in candidates]
        pick = int(np.argmin(costs))
        chosen.append(pick)
        sums = sums[0] + candidates[pick].raw_val, sums[1] + candidates[pick].raw_train
        if costs[pick] < best - 1e-12:
            best, length = costs[pick], turn
        if not monitor.step(turn, ROUNDS, monitor.measure(sums[1] / turn, sums[0] / turn)):
            break
    counts = [0] * len(candidates)
    for pick in chosen[: max(1, length)]:
        counts[pick] += 1
    return counts


def members(candidates: Sequence[Candidate], counts: Sequence[int]) -> tuple[list[Member], list[dict[str, Any]]]:
    """Who joined with what weight, and what makes each again."""
    total = sum(counts)
    joined = [(one, count / total) for one, count in zip(candidates, counts, strict=True) if count]
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
