"""The models' parameters as people speak of them, and the names, defaults and ranges that they have in each model."""

from typing import NamedTuple

from .tokens import Token
from .words import Lookup, words_of


class Known(NamedTuple):
    """A parameter of a model: its own name, its default (None where the model chooses), its range."""

    name: str
    default: float | None
    low: float
    high: float
    whole: bool = False


_RATE = Known("learning_rate", 0.06, 1e-4, 1.0)
_FOREST = {
    "trees": Known("n_estimators", 200, 1, 5000, True),
    "depth": Known("max_depth", None, 1, 200, True),
    "columns": Known("max_features", None, 0.01, 1.0),
    "leaf": Known("min_samples_leaf", None, 1, 100_000, True),
}
#: For each model: what people speak of, and the parameter that it is.
PARAMETERS: dict[str, dict[str, Known]] = {
    "dummy": {},
    "ensemble": {},
    "linear": {"l2": Known("l2", 1.0, 0.0, 1e9), "trees": Known("max_iter", 200, 1, 100_000, True)},
    "random_forest": _FOREST,
    "extra_trees": _FOREST,
    "hist_gradient_boosting": {
        "rate": _RATE,
        "trees": Known("max_iter", 400, 1, 20_000, True),
        "leaves": Known("max_leaf_nodes", 31, 2, 1000, True),
        "depth": Known("max_depth", None, 1, 100, True),
        "leaf": Known("min_samples_leaf", None, 1, 100_000, True),
        "l2": Known("l2", 0.0, 0.0, 1e6),
    },
    "lightgbm": {
        "rate": _RATE,
        "trees": Known("n_estimators", 600, 1, 20_000, True),
        "leaves": Known("num_leaves", 31, 2, 1000, True),
        "depth": Known("max_depth", -1, -1, 100, True),
        "leaf": Known("min_child_samples", None, 1, 100_000, True),
        "columns": Known("colsample_bytree", 0.9, 0.05, 1.0),
        "rows": Known("subsample", 0.9, 0.05, 1.0),
        "l2": Known("l2", 0.0, 0.0, 1e6),
    },
    "xgboost": {
        "rate": _RATE,
        "trees": Known("n_estimators", 600, 1, 20_000, True),
        "depth": Known("max_depth", 6, 1, 50, True),
        "child": Known("min_child_weight", 1.0, 0.0, 1e6),
        "columns": Known("colsample_bytree", 0.9, 0.05, 1.0),
        "rows": Known("subsample", 0.9, 0.05, 1.0),
        "l2": Known("l2", 1.0, 0.0, 1e6),
    },
    "catboost": {
        "rate": _RATE,
        "trees": Known("n_estimators", 600, 1, 20_000, True),
        "depth": Known("depth", 6, 1, 12, True),
        "l2": Known("l2", 3.0, 0.0, 1e6),
    },
}
_SPOKEN: dict[str, str] = {
    "rate": "learning rate|learning rates|learning_rate|lr|eta|step size|shrinkage",
    "trees": "trees|n_estimators|n estimators|estimators|boosting rounds|rounds|iterations|max_iter|number of trees"
    "|num_trees|num_iterations|num_boost_round|n_iter|max_iterations|epochs",
    "depth": "max depth|max_depth|maximum depth|depth|tree depth|deeper trees|deeper|shallower trees|shallower",
    "leaves": "leaves|num_leaves|num leaves|max_leaf_nodes|leaf nodes",
    "leaf": "min_samples_leaf|min samples leaf|min_child_samples|min_data_in_leaf|samples per leaf|rows per leaf",
    "child": "min_child_weight|min child weight|child weight",
    "l2": "regularisation|regularization|l2|reg_lambda|penalty|l2 penalty|l2 regularisation|l2 regularization|lambda"
    "|lambda_l2|l2_leaf_reg|l2_regularization",
    "columns": "colsample_bytree|max_features|max features|feature_fraction|colsample",
    "rows": "subsample|bagging_fraction|subsampling",
}
SPOKEN = Lookup({p: parameter for parameter, phrases in _SPOKEN.items() for p in phrases.split("|")})
SAY = {
    "rate": "learning rate",
    "trees": "number of trees or iterations",
    "depth": "depth",
    "leaves": "number of leaves",
    "leaf": "rows in a leaf",
    "child": "least weight in a leaf",
    "l2": "L2 regularisation",
    "columns": "share of columns",
    "rows": "share of rows",
}
#: Parameters of the linear model alone: scikit-learn's strength of the penalty, and its inverse.
OF_LINEAR = words_of("c alpha")
#: Parameters that the models have in their packages, and that cannot be set here.
FOREIGN = words_of(
    """
    gamma reg_alpha kernel criterion solver booster boosting_type tree_method grow_policy n_jobs
    num_threads nthread thread_count min_split_gain min_gain_to_split min_impurity_decrease min_samples_split max_bin
    max_bins border_count l1_ratio bootstrap oob_score max_samples tol warm_start n_neighbors hidden_layer_sizes degree
    colsample_bylevel colsample_bynode max_delta_step rsm bagging_temperature bagging_freq random_strength objective
    auto_class_weights max_leaves min_weight_fraction_leaf
    max_cat_threshold cat_smooth path_smooth fit_intercept batch_size dropout momentum weight_decay
    """
)
_GIVES = frozenset("=:")


def assigned(tokens: list[Token], i: int) -> bool:
    """Whether a token is the name in ``name=value`` or ``name: value``."""
    return i + 2 < len(tokens) and tokens[i].kind in ("word", "quoted") and tokens[i + 1].text in _GIVES


UP = words_of(
    """
    higher bigger larger increase increased raise more double doubled up stronger greater faster longer
    twice deeper increasing raising grow bump
    """
)
DOWN = words_of(
    """
    lower smaller reduce reduced decrease less fewer halve halved half down weaker slower shorter shallower
    lowering reducing decreasing cut shrink
    """
)
