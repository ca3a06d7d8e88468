"""The models that can be trained: what they are, what parameters they take, and about what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


class ParameterError(ValueError):
    """A model or parameter that is not there, or a value out of range; the message says what would be right."""


@dataclass(frozen=True)
class Parameter:
    """A parameter: its default, its range, and whether the search draws it (``searched``) on a log scale (``log``).

    ``whole`` numbers are int. A default of None lets the model choose by the data.
    """

    default: float | int | None
    low: float
    high: float
    whole: bool = False
    log: bool = False
    searched: bool = False
    search_low: float | None = None
    search_high: float | None = None


@dataclass(frozen=True)
class ModelInfo:
    """A model.

    Attributes
    ----------
    id, name, family, why : str
        For programs, for people, its kind, and a reason to take it.
    requirements : tuple of str
        Packages to predict with it.
    parameters : dict of str to Parameter
    cost : tuple of float
        Estimate of the seconds to fit on one core: a fixed part, and microseconds for each cell (row x feature).
        Measured on one machine; others differ by a factor of a few.
    iterations : str or None
        The parameter that counts iterations.
    portfolio : tuple of dict
        Settings of the searched parameters that are tried before any is drawn: each is often the best one on tables
        of some kind (few rows and much noise; many rows and much structure).
    """

    id: str
    name: str
    family: str
    why: str
    requirements: tuple[str, ...] = ()
    parameters: dict[str, Parameter] = field(default_factory=dict)
    cost: tuple[float, float] = (0.1, 0.1)
    iterations: str | None = None
    portfolio: tuple[dict[str, float], ...] = ()

    @property
    def defaults(self) -> dict[str, Any]:
        """Default parameters; those that the model chooses by the data are left out."""
        return {name: p.default for name, p in self.parameters.items() if p.default is not None}

    def cost_s(self, n_rows: int, n_features: int, n_classes: int, threads: int) -> float:
        """Estimated seconds to fit on so many training rows."""
        fixed, per_cell = self.cost
        each = {"gradient boosting": 1.0, "linear": 0.1}.get(self.family, 0.0)  # of what one class more takes
        many = max(1.0, each * n_classes) if n_classes > 2 else 1
        use = 1 + 0.7 * (max(1, threads) - 1) if self.id not in ("dummy", "linear") else 1.0
        return fixed + per_cell * 1e-6 * n_rows * max(1, n_features) * many / use


_LEARNING_RATE = Parameter(0.06, 1e-4, 1.0, log=True, searched=True, search_low=0.02, search_high=0.2)
_L2 = {"log": True, "searched": True, "search_low": 1e-2, "search_high": 30.0}
_FOREST = {
    "n_estimators": Parameter(200, 1, 5000, whole=True),
    "max_depth": Parameter(None, 1, 200, whole=True),
    "max_features": Parameter(None, 0.01, 1.0, searched=True, search_low=0.15, search_high=1.0),
    "min_samples_leaf": Parameter(None, 1, 100_000, whole=True, log=True, searched=True, search_low=1, search_high=30),
}

_FOREST_PORTFOLIO = ({"max_features": 0.3, "min_samples_leaf": 5}, {"max_features": 0.7, "min_samples_leaf": 1})

#: Made of the other models once they are trained.
ENSEMBLE = "ensemble"
#: How much longer a library of boosting may take than a forest, or scikit-learn's boosting, and still comes first.
_LATER = 3.0
MODELS: dict[str, ModelInfo] = {
    info.id: info
    for info in (
        ModelInfo(
            "dummy",
            "Baseline",
            "baseline",
            "Predicts the class shares or the mean whatever the row; any model worth keeping beats it.",
            ("scikit-learn",),
            cost=(0.05, 0.0),
        ),
        ModelInfo(
            "linear",
            "Linear model",
            "linear",
            "Logistic or ridge regression: one weight for each feature, quick and easy to explain.",
            ("scikit-learn",),
            {
                "l2": Parameter(1.0, 0.0, 1e9, log=True, searched=True, search_low=1e-2, search_high=1e3),
                "max_iter": Parameter(200, 1, 100_000, whole=True),
            },
            cost=(0.1, 0.4),
            iterations="max_iter",
            portfolio=({"l2": 50.0}, {"l2": 0.05}),
        ),
        ModelInfo(
            "random_forest",
            "Random forest",
            "forest",
            "Averages many deep trees; hardly needs tuning and is robust to odd values.",
            ("scikit-learn",),
            _FOREST,
            cost=(0.5, 45.0),
            iterations="n_estimators",
            portfolio=_FOREST_PORTFOLIO,
        ),
        ModelInfo(
            "extra_trees",
            "Extra trees",
            "forest",
            "A forest with random cuts: quicker than a random forest and often smoother.",
            ("scikit-learn",),
            _FOREST,
            cost=(0.5, 12.0),
            iterations="n_estimators",
            portfolio=_FOREST_PORTFOLIO,
        ),
        ModelInfo(
            "hist_gradient_boosting",
            "Histogram gradient boosting",
            "gradient boosting",
            "scikit-learn's own boosting: accurate on tables, needs no further package.",
            ("scikit-learn",),
            {
                "learning_rate": _LEARNING_RATE,
                "max_iter": Parameter(400, 1, 20_000, whole=True),
                "max_leaf_nodes": Parameter(31, 2, 1000, whole=True, searched=True, search_low=8, search_high=63),
                "max_depth": Parameter(None, 1, 100, whole=True),
                "min_samples_leaf": Parameter(None, 1, 100_000, whole=True),
                "l2": Parameter(0.0, 0.0, 1e6, **_L2),  # type: ignore[arg-type]
            },
            cost=(1.5, 15.0),
            iterations="max_iter",
            portfolio=(
                {"learning_rate": 0.04, "max_leaf_nodes": 8, "l2": 5.0},
                {"learning_rate": 0.04, "max_leaf_nodes": 60, "l2": 2.0},
            ),
        ),
        ModelInfo(
            "lightgbm",
            "LightGBM",
            "gradient boosting",
            "Fast boosting, leaf by leaf; usually among the best on tables and cheap on many rows.",
            ("lightgbm",),
            {
                "learning_rate": _LEARNING_RATE,
                "n_estimators": Parameter(600, 1, 20_000, whole=True),
                "num_leaves": Parameter(31, 2, 1000, whole=True, searched=True, search_low=8, search_high=95),
                "max_depth": Parameter(-1, -1, 100, whole=True),
                "min_child_samples": Parameter(None, 1, 100_000, whole=True),
                "colsample_bytree": Parameter(0.9, 0.05, 1.0, searched=True, search_low=0.4, search_high=1.0),
                "subsample": Parameter(0.9, 0.05, 1.0),
                "l2": Parameter(0.0, 0.0, 1e6, **_L2),  # type: ignore[arg-type]
            },
            cost=(0.5, 7.0),
            iterations="n_estimators",
            portfolio=(
                {"learning_rate": 0.04, "num_leaves": 8, "colsample_bytree": 0.5, "l2": 5.0},
                {"learning_rate": 0.04, "num_leaves": 80, "colsample_bytree": 0.7, "l2": 2.0},
            ),
        ),
        ModelInfo(
            "xgboost",
            "XGBoost",
            "gradient boosting",
            "Widely used boosting with strong regularisation.",
            ("xgboost",),
            {
                "learning_rate": _LEARNING_RATE,
                "n_estimators": Parameter(600, 1, 20_000, whole=True),
                "max_depth": Parameter(6, 1, 50, whole=True, searched=True, search_low=3, search_high=9),
                "min_child_weight": Parameter(1.0, 0.0, 1e6),
                "colsample_bytree": Parameter(0.9, 0.05, 1.0, searched=True, search_low=0.4, search_high=1.0),
                "subsample": Parameter(0.9, 0.05, 1.0),
                "l2": Parameter(1.0, 0.0, 1e6, **_L2),  # type: ignore[arg-type]
            },
            cost=(0.6, 8.5),
            iterations="n_estimators",
            portfolio=(
                {"learning_rate": 0.04, "max_depth": 3, "colsample_bytree": 0.5, "l2": 5.0},
                {"learning_rate": 0.04, "max_depth": 8, "colsample_bytree": 0.7, "l2": 2.0},
            ),
        ),
        ModelInfo(
            "catboost",
            "CatBoost",
            "gradient boosting",
            "Boosting with symmetric trees: strong with its defaults, quick to predict.",
            ("catboost",),
            {
                "learning_rate": _LEARNING_RATE,
                "n_estimators": Parameter(600, 1, 20_000, whole=True),
                "depth": Parameter(6, 1, 12, whole=True, searched=True, search_low=4, search_high=8),
                "l2": Parameter(3.0, 0.0, 1e6, **_L2),  # type: ignore[arg-type]
            },
            cost=(1.0, 9.0),
            iterations="n_estimators",
            portfolio=(
                {"learning_rate": 0.05, "depth": 4, "l2": 8.0},
                {"learning_rate": 0.08, "depth": 8, "l2": 3.0},
            ),
        ),
        ModelInfo(
            ENSEMBLE,
            "Weighted ensemble",
            "ensemble",
            "Averages the best of the other models, by weights that suit the validation rows: often a little better "
            "than each of them, and slower and harder to explain.",
            ("scikit-learn",),
            cost=(1.0, 0.0),
        ),
    )
}
#: Other names that people use for the same parameter.
_SAME = (
    {"n_estimators", "max_iter", "iterations", "num_iterations", "n_iter", "num_boost_round", "epochs", "trees"},
    {"l2", "l2_regularization", "reg_lambda", "lambda", "lambda_l2", "l2_leaf_reg", "alpha"},
    {"learning_rate", "eta", "lr"},
    {"max_depth", "depth"},
    {"num_leaves", "max_leaf_nodes"},
    {"min_samples_leaf", "min_child_samples", "min_data_in_leaf"},
    {"colsample_bytree", "feature_fraction", "max_features"},
    {"subsample", "bagging_fraction"},
)


def find(model_id: str) -> ModelInfo:
    """The model with this id; raises ParameterError with the ids that there are."""
    if model_id not in MODELS:
        raise ParameterError(f"There is no model {model_id!r}; the models are {', '.join(MODELS)}.")
    return MODELS[model_id]


def turn(model_id: str, cost_s: float) -> float:
    """Where a model comes when there may be no time for all: the less, the sooner.

    The quicker ones first, but libraries of boosting before what is seldom better than they are.
    """
    return cost_s * (_LATER if model_id in ("random_forest", "extra_trees", "hist_gradient_boosting") else 1.0)


def name_of(model_id: str) -> str:
    """What people call a model; its id where it is none of these."""
    return MODELS[model_id].name if model_id in MODELS else model_id


def check_choices(choices: Sequence[tuple[str, dict[str, Any]]], trials: int) -> None:
    """Whether these models can be trained together.

    Parameters
    ----------
    choices : sequence of (str, dict)
        Ids, and the parameters that the person set.
    trials : int
        Settings that are tried of each.

    Raises
    ------
    ParameterError
        With what would be right.
    """
    ids = [model_id for model_id, _ in choices]
    for model_id, params in choices:
        check_params(model_id, params)
        if ids.count(model_id) > 1:
            raise ParameterError(f"{name_of(model_id)} is named twice; set its parameters in one place.")
    if ENSEMBLE in ids and len(set(ids) - {"dummy", ENSEMBLE}) * trials < 2:
        raise ParameterError("An ensemble is made of the other models: choose two or more beside it, or more settings.")


def check_params(model_id: str, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters by the names and types that the model knows.

    Parameters
    ----------
    model_id : str
        One of :data:`MODELS`.
    params : dict
        What the person set; common other names (``eta``, ``iterations``) are understood.

    Raises
    ------
    ParameterError
        If the model, a parameter or a value is not possible.
    """
    info = find(model_id)
    checked: dict[str, Any] = {}
    for name, value in params.items():
        known = _own_name(info, name)
        p = info.parameters[known]
        if value is None:
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not p.low <= value <= p.high or (p.whole and value != int(value)):
            kind = "a whole number" if p.whole else "a number"
            raise ParameterError(f"{name} of {info.name} must be {kind} from {p.low:g} to {p.high:g}, not {value!r}.")
        checked[known] = int(value) if p.whole else float(value)
    return checked


def _own_name(info: ModelInfo, name: str) -> str:
    if name in info.parameters:
        return name
    for same in _SAME:
        if name in same:
            for known in info.parameters:
                if known in same:
                    return known
    have = ", ".join(info.parameters) or "none"
    raise ParameterError(f"{info.name} has no parameter {name!r}; it has {have}.")
