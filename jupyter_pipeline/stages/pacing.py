"""How long the parts of a training take: what is known before a run is begun, so that the time budget is kept."""

import math
from dataclasses import dataclass

#: Seconds until the first score, on one machine with two cores: for each cell and for each feature, to make the rows
#: ready; for each cell, for each feature and for one tree, in the first iteration.
_FIRST: dict[str, tuple[float, float, float, float, float]] = {
    "linear": (4e-8, 0.0, 1.3e-9, 0.0, 0.0),
    "hist_gradient_boosting": (2e-7, 1e-4, 5e-9, 2.5e-4, 5e-4),
    "lightgbm": (1e-7, 5e-4, 1e-9, 8e-6, 2e-3),
    "xgboost": (1e-7, 4e-4, 5e-9, 3e-5, 5e-4),
    "catboost": (1e-7, 4e-4, 5e-9, 2e-4, 5e-4),
}
#: The same of two trees of a forest, for each row, its logarithm and the features that are looked at.
_FOREST = {"random_forest": 1.5e-7, "extra_trees": 5e-8}
#: An estimate of less is nothing to plan by; and by so much a machine may be quicker or slower than that one.
_WORTH_S, _QUICKER, _SLOWER = 0.5, 0.3, 5.0


def _first_s(model_id: str, n_rows: int, n_features: int, n_classes: int) -> float:
    cells = n_rows * n_features
    if model_id in _FOREST:
        return _FOREST[model_id] * n_rows * math.log2(n_rows + 1) * math.sqrt(n_features)
    if model_id not in _FIRST:
        return 0.0
    cell, feature, cell_each, feature_each, each = _FIRST[model_id]
    trees = n_classes if n_classes > 2 else 1
    return cell * cells + feature * n_features + trees * (cell_each * cells + feature_each * n_features + each)


class Pace:
    """How long a model's first iteration will take, which nothing can end: by its kind and the runs so far.

    Parameters
    ----------
    n_rows, n_classes : int
        Of the training rows.
    """

    def __init__(self, n_rows: int, n_classes: int) -> None:
        self._n_rows, self._n_classes = n_rows, n_classes
        self._machine = 1.0

    def note(self, model_id: str, n_features: int, seconds: float) -> None:
        """Take in what a first iteration took: it tells how quick this machine is at the moment."""
        estimate = _first_s(model_id, self._n_rows, n_features, self._n_classes)
        if estimate >= _WORTH_S:
            self._machine = min(_SLOWER, max(_QUICKER, seconds / estimate))

    def first_s(self, model_id: str, n_features: int) -> float:
        """Seconds; 0 where it is too little to plan by, as it is but for very many rows, columns or classes."""
        estimate = _first_s(model_id, self._n_rows, n_features, self._n_classes)
        return estimate * self._machine if estimate >= _WORTH_S else 0.0


@dataclass(frozen=True)
class Spent:
    """Seconds that a run spent after its fit.

    Attributes
    ----------
    handled : float
        To save its model, to ask it of the validation rows, and to put it in place.
    asked : float
        Of these, to ask it.
    evaluated : float
        To measure and draw what it said.
    stored : float
        Of ``handled``, to put its model on the disk; an ensemble has a link to it. 0 where it would be written again.
    """

    handled: float
    asked: float
    evaluated: float
    stored: float = 0.0


class Costs:
    """What is done with models after their fits takes, in seconds, by the runs so far.

    Forests, which are far larger than other models, tell nothing for these; what is done with them is part of their
    fits' time (:attr:`.monitor.Monitor.ahead`), as they end when they are as large as there is time for.

    Parameters
    ----------
    asks : float
        How many times as long as of the validation rows it takes to ask a model of the rows that an ensemble's weights
        are chosen by, and shown on.

    Attributes
    ----------
    importance : float
        What the importance of columns, with its picture, took more than the time that it was given.
    """

    def __init__(self, asks: float = 1.0) -> None:
        self._asks = asks
        self._pictures = 0.0
        self.importance = 0.0
        self._models: dict[str, tuple[str, Spent]] = {}

    @property
    def known(self) -> bool:
        """Whether there was a run."""
        return bool(self._models)

    def note(self, run_id: str, model_id: str, spent: Spent) -> None:
        """Take in a run."""
        self._models[run_id] = model_id, spent
        self._pictures = max(spent.evaluated, 0.5 * self._pictures)  # the first ones take longer

    def note_importance(self, over: float) -> None:
        """Take in by how many seconds an importance of columns, with its picture, passed its time."""
        self.importance = max(0.0, over)

    @property
    def _drawn(self) -> float:
        """All pictures of a model that leads, but for the time that the importance of columns is given."""
        return self._pictures + self.importance

    def evaluation(self, model_id: str) -> float:
        """From the end of a fit of such a model to its end."""
        if model_id in _FOREST:
            return self._drawn
        handled = [spent.handled for known, spent in self._models.values() if known == model_id]
        others = (spent.handled for known, spent in self._models.values() if known not in _FOREST)
        return (handled or [max(others, default=0.0)])[-1] + self._drawn

    def ensemble(self, members: list[str]) -> float:
        """An ensemble's: each member is asked, and asked again; one of an earlier attempt is loaded too."""
        slowest = max((spent.handled for _, spent in self._models.values()), default=0.0)
        each = (self._models[run_id][1] if run_id in self._models else None for run_id in members)
        return (
            sum(2 * slowest if s is None else s.handled - s.stored + self._asks * s.asked for s in each) + self._drawn
        )
