"""What is measured while a model is fitted: scores after every iteration, early stopping, deadline, stop requests."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .inference import Units, in_units
from .metrics import THRESHOLDED, choose_threshold, loss, score

#: Scores after an iteration are measured on so many validation rows at most (the same ones each time), on which the
#: fit may end early, and on so many training rows, which are only shown.
CURVE_ROWS, TRAIN_CURVE_ROWS = 20_000, 5_000
#: An iteration that takes so many seconds is not begun where the deadline would pass meanwhile.
LONG_S = 0.2


@dataclass(frozen=True)
class Step:
    """What was measured after an iteration.

    Attributes
    ----------
    iteration, iterations : int
        Which one, from 1, and how many are expected at the most.
    scores : dict of (str, str) to float
        By metric and split (``train`` or ``val``); ``loss`` is log loss or RMSE.
    diagnostics : dict of str to float
        What an optimiser says of itself; empty for others.
    """

    iteration: int
    iterations: int
    scores: dict[tuple[str, str], float]
    diagnostics: dict[str, float] = field(default_factory=dict)


#: Called after every iteration; returns True to end the fit with what is best so far.
Callback = Callable[[Step], bool | None]


class Monitor:
    """Follows one fit.

    Parameters
    ----------
    task_type : {"binary", "multiclass", "regression"}
    metric : str
        The metric that decides.
    y_train, y_val : numpy.ndarray
        Targets.
    seed : int
        Draws the rows on which curves are measured.
    callback : callable or None
        See :data:`Callback`.
    deadline : float or None
        Value of ``time.monotonic()`` after which the fit ends.
    patience : int or None
        How many iterations without a better loss on the validation rows end the fit; None for no such end.

    Attributes
    ----------
    units : (float, float) or None
        What the fit's zero and one are in the units of the target (regression); None where it is in these.
    ahead : float
        Seconds that what was fitted so far will take after the fit: they are part of its time.
    """

    def __init__(
        self,
        task_type: str,
        metric: str,
        y_train: np.ndarray,
        y_val: np.ndarray,
        *,
        seed: int = 0,
        callback: Callback | None = None,
        deadline: float | None = None,
        patience: int | None = None,
    ) -> None:
        self.task_type, self.metric = task_type, metric
        rng = np.random.default_rng(seed)
        self.train_rows = _sample(len(y_train), TRAIN_CURVE_ROWS, rng)
        self.val_rows = _sample(len(y_val), CURVE_ROWS, rng)
        self.y_train, self.y_val = y_train[self.train_rows], y_val[self.val_rows]
        self.callback, self.deadline, self.patience = callback, deadline, patience
        self.best_iteration = 0
        self.best_loss = np.inf
        self.last = 0
        self.stopped = ""
        self.units: Units | None = None
        self.ahead = 0.0
        self._begun = self._before = time.monotonic()

    def measure(self, raw_train: np.ndarray, raw_val: np.ndarray) -> dict[tuple[str, str], float]:
        """Scores of predictions, in the fit's units, of the rows ``train_rows`` and ``val_rows``."""
        raw_train, raw_val = in_units(raw_train, self.units), in_units(raw_val, self.units)
        scores = {
            ("loss", "train"): loss(self.task_type, self.y_train, raw_train),
            ("loss", "val"): loss(self.task_type, self.y_val, raw_val),
        }
        if self.metric in ("log_loss", "rmse"):
            scores[self.metric, "train"], scores[self.metric, "val"] = scores["loss", "train"], scores["loss", "val"]
            return scores
        threshold = None
        if self.task_type == "binary" and self.metric in THRESHOLDED:
            threshold = choose_threshold(self.metric, self.y_val, raw_val)
        scores[self.metric, "train"] = score(self.metric, self.task_type, self.y_train, raw_train, threshold)
        scores[self.metric, "val"] = score(self.metric, self.task_type, self.y_val, raw_val, threshold)
        return scores

    def step(
        self,
        iteration: int,
        iterations: int,
        scores: dict[tuple[str, str], float],
        diagnostics: dict[str, float] | None = None,
    ) -> bool:
        """Take in an iteration; returns whether to go on."""
        done, self.last = iteration - self.last, iteration
        value = scores.get(("loss", "val"), np.nan)
        if value < self.best_loss - 1e-9 * abs(self.best_loss if np.isfinite(self.best_loss) else 0.0):
            self.best_loss, self.best_iteration = value, iteration
        asked = self.callback(Step(iteration, iterations, scores, diagnostics or {})) if self.callback else None
        if asked:
            self.stopped = "asked"
        elif self.deadline is not None and iteration < iterations and self._no_time_for_another(done):
            self.stopped = "deadline"
        elif self.patience is not None and iteration - self.best_iteration >= self.patience:
            self.stopped = "early"
        return not self.stopped

    def _no_time_for_another(self, done: int) -> bool:
        """Whether the deadline is over, or would be after another iteration, if one takes long."""
        assert self.deadline is not None
        now = time.monotonic()
        took, first = (now - self._before) / max(1, done), self._before == self._begun
        self._before = now
        if first:  # it made the rows ready too
            took /= 2
        took += self.ahead / self.last
        return now + self.ahead + (took if took >= LONG_S else 0.0) >= self.deadline

    def affordable(self, wanted: int) -> int:
        """So many of the next iterations as there is time for by those that were done; at least one."""
        if self.deadline is None or not self.last:
            return wanted
        now = time.monotonic()
        each = (now - self._begun + self.ahead) / self.last
        return max(1, min(wanted, int((self.deadline - now - self.ahead) / each)))

    @property
    def kept(self) -> int:
        """The iteration with the best loss on the validation rows where fits end early, else the last one."""
        return self.best_iteration or self.last if self.patience is not None else self.last


def _sample(n: int, most: int, rng: np.random.Generator) -> np.ndarray:
    if n <= most:
        return np.arange(n)
    return np.sort(rng.choice(n, most, replace=False))
