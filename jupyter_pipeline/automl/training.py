"""Fit one model on training rows, with scores on training and validation rows after every iteration."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from .ensembling import Candidate, members, select
from .features import Features
from .fit_boosters import fit_catboost, fit_lightgbm, fit_xgboost
from .fit_linear import fit_dummy, fit_linear
from .fit_trees import fit_forest, fit_histogram
from .inference import Member, Model, Units, predict_matrix
from .models import ENSEMBLE, check_params, find
from .monitor import Callback, Monitor
from .saving import save_model
from .targets import Task, units_of

#: After so many iterations without a better loss on the validation rows a fit ends.
PATIENCE = {"linear": 25, "hist_gradient_boosting": 40, "lightgbm": 40, "xgboost": 40, "catboost": 40}
#: Up to so many cells one thread is quicker than several.
_FEW_CELLS = 300_000
#: Up to so many multiplications in a product of matrices a linear model is fitted by one thread: several hardly shorten
#: the few milliseconds that it takes, and wait 10 to 30 ms for each other while the machine is busy with other work.
_FEW_PRODUCTS = 100_000_000


class FitError(ValueError):
    """A model cannot be fitted on these rows; the message says why."""


@dataclass(frozen=True)
class Prepared:
    """Rows as matrices: what every model of a training shares.

    Attributes
    ----------
    features : Features
        Fitted on the training rows.
    train, val : numpy.ndarray of shape (n_rows, n_features), float32
    """

    features: Features
    train: np.ndarray
    val: np.ndarray


def prepare(
    task: Task,
    X_train: pd.DataFrame,
    y_train: np.ndarray,
    X_val: pd.DataFrame,
    columns: dict[str, str],
    *,
    seed: int = 0,
    missing: tuple[str, ...] = (),
    decimal_comma: bool = False,
) -> Prepared:
    """Learn the features from the training rows and encode both parts."""
    features = Features(columns, task.task_type, seed, missing, decimal_comma)
    train = features.fit_transform(X_train, y_train)
    return Prepared(features, train, features.transform(X_val))


@dataclass(frozen=True)
class FittedModel:
    """A fitted model.

    Attributes
    ----------
    model_id : str
    task : Task
    params : dict
        All parameters, defaults too.
    iterations : int
        How many iterations the model consists of. Given to :func:`fit_model`, they make the same model again.
    stopped : str
        Why the fit ended: ``""`` (all iterations or converged), ``early``, ``deadline`` or ``asked``.
    kind : {"skops", "lightgbm", "xgboost", "catboost", "ensemble"}
    estimator : object
    encoder : Features
        What was learned of the columns.
    units : (float, float) or None
        What the estimator's zero and one are in the units of the target; None where it predicts in these.
    out_of_bag : float or None
        Of an ensemble :attr:`.ensembling.Selection.out_of_bag`; None for others, and where it is made again.
    """

    model_id: str
    task: Task
    params: dict[str, Any]
    iterations: int
    stopped: str
    kind: str
    estimator: Any
    encoder: Features
    units: Units | None = None
    out_of_bag: float | None = None

    @property
    def features(self) -> dict[str, Any]:
        """What was learned of the columns, as it is saved."""
        return self.encoder.state_

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(self.encoder.get_feature_names_out())

    @property
    def kept(self) -> int | None:
        """How many of a booster's iterations count; None where the estimator holds no others."""
        return self.iterations if self.kind == "lightgbm" else None

    def raw(self, matrix: np.ndarray) -> np.ndarray:
        """Probabilities or values for encoded rows."""
        task = self.task
        return predict_matrix(self.kind, self.estimator, matrix, task.task_type, task.n_classes, self.kept, self.units)

    def model(self, threshold: float | None = None) -> Model:
        """The model as :func:`.inference.load_model` would give it."""
        spec = {
            "task_type": self.task.task_type,
            "target": self.task.target,
            "columns": [{k: c[k] for k in ("name", "treatment", "dtype")} for c in self.features["columns"]],
            "classes": self.task.classes,
            "positive_class": self.task.positive_class,
            "threshold": threshold,
            "estimator": {"kind": self.kind, "iterations": self.kept, "units": self.units},
        }
        return Model(spec, self.features, self.estimator)

    def save(
        self, folder: Path, threshold: float | None = None, written: Sequence[Path] | None = None
    ) -> dict[str, Any]:
        """Write a model folder; returns ``model.json``. ``written`` as of :func:`.saving.save_model`."""
        return save_model(
            folder,
            task_type=self.task.task_type,
            target=self.task.target,
            classes=self.task.classes,
            positive_class=self.task.positive_class,
            features=self.encoder,
            kind=self.kind,
            estimator=self.estimator,
            iterations=self.kept,
            units=self.units,
            threshold=threshold,
            written=written,
        )


def fit_model(
    model_id: str,
    params: dict[str, Any],
    task: Task,
    X_train: pd.DataFrame,
    y_train: np.ndarray,
    X_val: pd.DataFrame,
    y_val: np.ndarray,
    columns: dict[str, str],
    metric: str,
    *,
    threads: int = 1,
    seed: int = 0,
    callback: Callback | None = None,
    deadline: float | None = None,
    iterations: int | None = None,
    prepared: Prepared | None = None,
    missing: tuple[str, ...] = (),
    decimal_comma: bool = False,
) -> FittedModel:
    """Fit a model.

    The same arguments give the same model. A fit that ended early is made again by ``iterations``, the number that
    the first one recorded.

    Parameters
    ----------
    model_id : str
        One of :data:`.models.MODELS`.
    params : dict
        Parameters that differ from the defaults; of an ensemble the ``members`` that :func:`combine` gave it.
    task : Task
        From :func:`.targets.encode_target`.
    X_train, X_val : pandas.DataFrame
        Raw rows. Nothing is learned from the validation rows but when to stop.
    y_train, y_val : numpy.ndarray
        Class codes or values.
    columns : dict of str to str
        Treatment of each column.
    metric : str
        The metric that decides; measured after every iteration beside the loss.
    threads : int, default=1
    seed : int, default=0
    callback : callable or None
        Called with a :class:`.monitor.Step` after every iteration; returns True to end with the best so far.
    deadline : float or None
        Value of ``time.monotonic()`` at which the fit ends with the best so far.
    iterations : int or None
        Exactly so many iterations, without early stopping.
    prepared : Prepared or None
        The rows as matrices, where they are there already.
    missing : tuple of str
        Texts that count as missing.
    decimal_comma : bool
        Whether texts to predict later write numbers with a comma.

    Raises
    ------
    ParameterError
        If there is no such model or parameter.
    FitError
        If the rows do not allow a fit.
    """
    info = find(model_id)
    if model_id == ENSEMBLE:
        if not params.get("members"):
            raise FitError("An ensemble is made of models that were trained before; it has no members yet.")
        prepared = prepared or prepare(
            task, X_train, y_train, X_val, columns, seed=seed, missing=missing, decimal_comma=decimal_comma
        )
        again = [
            fit_model(
                how["model_id"], how["params"], task, X_train, y_train, X_val, y_val, columns, metric,
                threads=how["threads"], seed=seed, iterations=how["iterations"], prepared=prepared, missing=missing,
            )
            for how in params["members"]
        ]  # fmt: skip
        joined = [
            Member(one.kind, one.estimator, one.kept, one.units, how["weight"])
            for one, how in zip(again, params["members"], strict=True)
        ]
        return _ensemble(task, params, len(joined), "", joined, prepared)
    full = {**info.defaults, **check_params(model_id, params)}
    present = np.unique(y_train) if task.task_type != "regression" else np.zeros(2)
    if len(present) < 2 and model_id != "dummy":
        raise FitError("The training rows have one class only, so there is nothing to learn; choose another split.")
    if model_id == "dummy":
        prepared = _nothing(task, len(y_train), len(y_val))
    elif prepared is None:
        prepared = prepare(
            task, X_train, y_train, X_val, columns, seed=seed, missing=missing, decimal_comma=decimal_comma
        )
    total = iterations or int(full.get(info.iterations or "", 1))
    patience = None if iterations else PATIENCE.get(model_id)
    monitor = Monitor(
        task.task_type,
        metric,
        y_train,
        y_val,
        seed=seed,
        callback=callback,
        deadline=None if iterations else deadline,
        patience=patience,
    )
    cells = prepared.train.size * (task.n_classes if model_id == "linear" and task.n_classes > 2 else 1)
    threads = threads if cells > (_FEW_PRODUCTS if model_id == "linear" else _FEW_CELLS) else 1
    with threadpool_limits(threads), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind, estimator, kept, units = _fit(
            model_id, task, prepared, y_train, y_val, full, total, threads, seed, monitor
        )
    if model_id == "dummy":
        rows = prepared.train[monitor.train_rows], prepared.val[monitor.val_rows]
        raw = [predict_matrix("skops", estimator, part, task.task_type, task.n_classes, None) for part in rows]
        monitor.step(1, 1, monitor.measure(raw[0], raw[1]))
    return FittedModel(model_id, task, full, kept, monitor.stopped, kind, estimator, prepared.features, units)


def combine(
    trained: list[tuple[Model, dict[str, Any]]],
    task: Task,
    y_train: np.ndarray,
    y_val: np.ndarray,
    metric: str,
    prepared: Prepared,
    *,
    seed: int = 0,
    callback: Callback | None = None,
    deadline: float | None = None,
) -> FittedModel:
    """Make an ensemble of models that were fitted on the same rows.

    Parameters
    ----------
    trained : list of (Model, dict)
        Each model, the best first, and what it is called and made again by: ``run_id``, ``model_id``, ``params``,
        ``iterations`` and ``threads``.
    task, y_train, y_val, metric, seed, callback, deadline
        As of :func:`fit_model`; an iteration is a bootstrap sample of the validation rows.
    prepared : Prepared
        The rows, as all of the models take them.

    Returns
    -------
    FittedModel
        Its parameter ``members`` makes it again by :func:`fit_model`.
    """
    monitor = Monitor(task.task_type, metric, y_train, y_val, seed=seed, callback=callback, deadline=deadline)
    parts = prepared.train[monitor.train_rows], prepared.val[monitor.val_rows]
    candidates = []
    for model, how in trained:
        about = model.spec["estimator"]
        raw = [model.raw_of(part) for part in parts]
        candidates.append(
            Candidate(**how, kind=about["kind"], estimator=model.estimator, kept=about["iterations"],
                      units=None if (units := about.get("units")) is None else (units[0], units[1]),
                      raw_train=raw[0], raw_val=raw[1])
        )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = select(candidates, task.task_type, metric, monitor, seed)
    joined, how_again = members(candidates, found.weights)
    fitted = _ensemble(task, {"members": how_again}, found.bags, monitor.stopped, joined, prepared)
    return replace(fitted, out_of_bag=found.out_of_bag)


def _ensemble(
    task: Task, params: dict[str, Any], bags: int, stopped: str, joined: list[Member], prepared: Prepared
) -> FittedModel:
    return FittedModel(ENSEMBLE, task, params, bags, stopped, "ensemble", joined, prepared.features)


def _fit(
    model_id: str,
    task: Task,
    prepared: Prepared,
    y: np.ndarray,
    y_val: np.ndarray,
    params: dict[str, Any],
    total: int,
    threads: int,
    seed: int,
    monitor: Monitor,
) -> tuple[str, Any, int, Units | None]:
    kind, n, X, X_val = task.task_type, task.n_classes, prepared.train, prepared.val
    if model_id == "dummy":
        return "skops", *fit_dummy(kind, y, monitor), None
    if model_id == "linear":  # its own target is standardised
        return "skops", *fit_linear(kind, n, X, y, X_val, params, total, monitor), None
    units = units_of(y) if kind == "regression" else None
    if units is not None:
        monitor.units = units
        y, y_val = (y - units[0]) / units[1], (y_val - units[0]) / units[1]
    if model_id in ("random_forest", "extra_trees"):
        return "skops", *fit_forest(model_id, kind, n, X, y, X_val, params, total, threads, seed, monitor), units
    if model_id == "hist_gradient_boosting":
        return "skops", *fit_histogram(kind, n, X, y, X_val, params, total, seed, monitor), units
    booster = {"lightgbm": fit_lightgbm, "xgboost": fit_xgboost, "catboost": fit_catboost}[model_id]
    return model_id, *booster(kind, n, X, y, X_val, y_val, params, total, threads, seed, monitor), units


def _nothing(task: Task, n_train: int, n_val: int) -> Prepared:
    features = Features({}, task.task_type)
    features.state_ = {"missing": [], "columns": []}
    return Prepared(features, np.zeros((n_train, 1), dtype=np.float32), np.zeros((n_val, 1), dtype=np.float32))
