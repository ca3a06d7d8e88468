"""The words that people use for models, metrics, wishes and times, and what they stand for.

Phrases are lower case, words divided by single spaces; a hyphen or slash between words is written apart
(``one - hot`` is ``one hot``: see :func:`~jupyter_pipeline.agent.tokens.tokenise`).
"""

from typing import Any, NamedTuple

from ..protocol.names import MODEL_NAMES
from .words import Lookup, words_of

BOOSTING = ("hist_gradient_boosting", "lightgbm", "xgboost", "catboost")
FORESTS = ("random_forest", "extra_trees")
ENSEMBLE = "ensemble"
ALL_MODELS = tuple(MODEL_NAMES)

QUICK = ("dummy", "linear", "hist_gradient_boosting", "lightgbm")
PLAIN = ("dummy", "linear")

_MODELS: dict[tuple[str, ...], str] = {
    ("dummy",): "dummy|dummy model|baseline|baseline model|dummy baseline|the baseline",
    ("linear",): "linear|linear model|linear models|logistic regression|logistic|logreg|logit|linear regression|ridge"
    "|ridge regression|glm|linear classifier|linear classifiers|logistic regressions"
    "|logisticregression|linearregression",
    ("random_forest",): "random forest|random forests|randomforest|random_forest|rf|randomforestclassifier"
    "|randomforestregressor",
    ("extra_trees",): "extra trees|extratrees|extra_trees|extra tree|extremely randomized trees|extratreesclassifier"
    "|extratreesregressor"
    "|extremely randomised trees",
    ("hist_gradient_boosting",): "histogram gradient boosting|hist gradient boosting|histgradientboosting|hgb|histgb"
    "|hist_gradient_boosting|histogram boosting|histgradientboostingclassifier"
    "|histgradientboostingregressor|sklearn gradient boosting",
    ("lightgbm",): "lightgbm|light gbm|lgbm|lgb|lgbmclassifier|lgbmregressor",
    ("xgboost",): "xgboost|xgb|xg boost|extreme gradient boosting|xgbclassifier|xgbregressor",
    ("catboost",): "catboost|cat boost|catboostclassifier|catboostregressor",
    (ENSEMBLE,): "ensemble|weighted ensemble|model ensemble|blend|blending|blended model|stack|stacking|stacked model"
    "|stacking ensemble|voting|voting ensemble|model averaging|average the models|average of the models"
    "|ensembling",
    BOOSTING: "gradient boosting|gradient boosted trees|gradient boosting machine|gradient boosting machines|gbm|gbms"
    "|boosting|boosted trees|boosted models|boosting models|boosters|gbdt|boosted tree models|gradient boosting models",
    FORESTS: "forest|forests|forest models|bagging",
    (*FORESTS, *BOOSTING): "tree|trees|tree model|tree models|tree based|tree based models|tree based model"
    "|tree ensembles|decision trees|tree methods|tree based methods",
    (*FORESTS, *BOOSTING, ENSEMBLE): "ensembles|ensemble models|ensemble methods",
}
#: Models that people ask for and that are not here; to want none of them is understood.
_ABSENT: dict[str, str] = {
    "neural networks": "neural network|neural networks|neural net|neural nets|neural|deep learning|deep nets|mlp|mlps"
    "|deep networks|deep neural networks|nn|nns|dnn|dnns|transformers|transformer|deep models|perceptron|tabnet|lstm"
    "|pytorch|tensorflow|keras",
    "support vector machines": "svm|svms|svc|svr|support vector machine|support vector machines",
    "nearest neighbours": "knn|k nn|nearest neighbors|nearest neighbours|k nearest neighbors|k nearest neighbours",
    "naive Bayes": "naive bayes|bayes",
    "single decision trees": "decision tree|a single tree",
    "Gaussian processes": "gaussian process|gaussian processes",
    "time series models": "arima|prophet|sarima",
    "lasso or elastic net": "lasso|elastic net|elasticnet|elastic_net",
    "AutoGluon": "autogluon|tpot|auto sklearn",
}
_METRICS: dict[str, str] = {
    "roc_auc": "roc auc|auc|aucs|auc score|auc scores|roc|"
    "roc_auc|auroc|auc roc|area under the curve|area under the roc curve|ranking quality",
    "average_precision": "average precision|pr auc|auprc|auc pr|precision recall auc|average_precision|prauc"
    "|precision recall curve",
    "log_loss": "log loss|logloss|log_loss|cross entropy|likelihood loss",
    "accuracy": "accuracy|accuracies|accuracy score|correct predictions|hit rate",
    "balanced_accuracy": "balanced accuracy|balanced_accuracy",
    "f1": "f1|f1s|f1 scores|f1 score|f score|f measure|f 1",
    "f1_macro": "macro f1|f1 macro|f1_macro|macro averaged f1|macro f1 score",
    "precision": "precision|positive predictive value",
    "recall": "recall|sensitivity|true positive rate|tpr|hit all positives",
    "mcc": "mcc|matthews|matthews correlation|matthews correlation coefficient",
    "brier": "brier|brier score|calibration|calibrated probabilities|well calibrated probabilities|calibrated",
    "rmse": "rmse|root mean squared error|root mean square error|mse|mean squared error|squared error|big errors"
    "|large errors|big mistakes|large mistakes",
    "mae": "mae|mean absolute error|absolute error|average error|robust to outliers|outliers should not dominate",
    "mape": "mape|percentage error|percentage errors|errors in percent|percent errors"
    "|mean absolute percentage error|percent error|error in percent"
    "|relative error|relative errors",
    "r2": "r2|r squared|r²|coefficient of determination|explained variance|r 2|r2 score",
    "median_ae": "median absolute error|median_ae|median error",
}
_PREFER: dict[str, str] = {
    "speed": "speed|fast|faster|fastest|quick|quickly|quicker|rapidly|rapid|low latency|lightweight|asap|speedy"
    "|as fast as possible|as quick as possible|as quickly as possible|in a hurry|latency"
    "|cheap models|cheaper models|cheap model|cheaper model|lighter models|light models",
    "accuracy": "as accurate as possible|as accurately as possible|accurate|accurately|best possible|most accurate"
    "|more accurate|highest quality|best quality|quality|performance|better results|better performance"
    "|best performance|predictive power|more accurately|strongest model",
    "interpretability": "interpretability|interpretable|explainability|explainable|explained|transparent|transparency"
    "|understandable|simple model|simple models|simplest|simplest model"
    "|simplest models|simpler model|simpler models|easy to explain|easy to understand"
    "|easy to interpret|simplicity|simple|white box|i can explain|we can explain|can be explained|can explain"
    "|able to explain|able to understand|can understand|understand why|explain it to|explain to",
}
_COSTLY: dict[str, str] = {
    "recall": "false negatives|false negative|missed cases|missing a case|miss any|missing any|miss a|missing a"
    "|misses|catch all|catch every|catch as many|find all|find every|find as many|catch most|type ii errors|missing "
    "one|missing them|missing someone|miss one|a miss|missed one|missed ones",
    "precision": "false positives|false positive|false alarms|false alarm|wrongly flag|type i errors",
}
_UNITS: dict[float, str] = {
    0.001: "ms|msec|milliseconds",
    1.0: "s|sec|secs|second|seconds",
    60.0: "m|min|mins|minute|minutes",
    3600.0: "h|hr|hrs|hour|hours",
}
_NUMBERS: dict[float, str] = {
    0.25: "a quarter of an|quarter of an",
    1 / 3: "a third of an|one third of an|third of an",
    0.5: "half an|half a|half",
    2 / 3: "two thirds of an",
    0.75: "three quarters of an|three quarter of an",
    1.0: "a|an|one|a single",
    1.5: "one and a half",
    2.0: "two|a couple of|couple of|couple",
    3.0: "three|a few|few|several",
    4.0: "four",
    5.0: "five",
    6.0: "six",
    7.0: "seven",
    8.0: "eight",
    9.0: "nine",
    10.0: "ten",
    12.0: "twelve",
    15.0: "fifteen",
    20.0: "twenty",
    30.0: "thirty",
    40.0: "forty",
    45.0: "forty five",
    50.0: "fifty",
    60.0: "sixty",
    90.0: "ninety",
}
_BUNDLED: dict[str, str] = {
    "iris": "iris|iris flowers|iris flower",
    "wine": "wine",
    "breast_cancer": "breast cancer|breast_cancer|wisconsin breast cancer",
    "diabetes": "diabetes",
    "digits": "digits|handwritten digits",
}
_TREATMENTS: dict[str, str] = {
    "numeric": "numeric|numerical|integer|an integer|float|number|numbers|a number|continuous|numeric value",
    "onehot": "categorical|category|categories|one hot|onehot|one hot encoded|nominal|categoric|dummies"
    "|one hot encoding|one hot encode",
    "ordinal": "ordinal|ordered|ordinal encoded|ordinal encode|ordinal encoding|ranked|label encode"
    "|label encoded|label encoding|ordered category",
    "target_encode": "target encoded|target encoding|target encode|target_encode|mean encoded|mean encoding",
    "text": "text|free text|strings|string|words|natural language",
    "datetime": "date|dates|datetime|timestamp|date time|a timestamp|time stamp",
    "boolean": "boolean|bool|yes no|true false|flag|binary flag",
}
_ROLES: dict[str, str] = {
    "id": "id|identifier|an id|row id|ids|an identifier|key|row number",
    "time": "time|time column|time axis|the time|the time column|time order",
    "group": "group|group column|grouping|groups|the group",
    "feature": "feature|features|input|a feature|predictor",
}
_BUNDLE: dict[str, str] = {
    "report": "report|html report|the html",
    "notebook": "notebook|ipynb|notebooks",
    "training_code": "training code|train code|training script|code|scripts|source code",
    "event_log": "event log|events|log|logs|events log|event_log",
}
_STAGES: dict[str, str] = {
    "PARSE_INTENT": "parse_intent|request|prompt|the beginning|scratch|from scratch|start over|over again"
    "|everything|the whole thing|the pipeline",
    "DATA_SOURCE": "data_source|data source|data step|data selection|data stage|stage data|restart data|rerun data"
    "|back to data|back to the data",
    "PROFILE_DATA": "profile_data|profile|profiling|data profile|the profile|the columns|roles",
    "PREPROCESS": "preprocess|preprocessing|pre processing|preparation|feature engineering|the split|treatments",
    "MODEL_SELECT": "model_select|model selection|model choice|choice of models|models stage|stage "
    "models|restart models|rerun models|back to models|back to the models",
    "TRAIN": "train|training|the training|fit|fitting",
    "REVIEW_EDIT": "review_edit|review|report step|evaluation",
    "EXPORT": "export|bundle",
}
_CUES: dict[str, str] = {
    "use": "use|using|used|with|want|wants|include|including|switch to|change to|go with|take|let's use|stick to"
    "|stick with|prefer|preferably|via|by means of|pick|choose|select|need|favour|favor|move to",
    "add": "keep|retain|add|adding|added|also use|also try|also include|also train|also|additionally|too|plus"
    "|as well|try|test|consider|along with|together with|leave in|keep in|put in|put back|bring back|un drop|undrop"
    "|un ignore|unignore|un exclude|unexclude|un remove|undelete|re add|readd|add back",
    "only": "only|just|solely|exclusively|nothing but|limit to|limit yourself to|restrict to|only use|use only"
    "|just use|only want|only try|only train|restrict yourself to|stay with",
    "avoid": "no|not|without|never|avoid|avoiding|exclude|excluding|except|except for|skip|drop|dropping|remove"
    "|removing|don't|dont|do not|instead of|rather than|in place of|leave out|leave|leaving out|nor|other than|rm|del"
    "|neither|get rid of|give up on|give up|ban|forget|forget about|anything but|delete|ignore|ignoring|omit|discard"
    "|no more|stop using|throw out|throw away|take out|isn't|aren't|cannot|can't|won't|shouldn't|must not"
    "|refrain from"
    "|lose the|bin the|bin it|ditch|scrap|chuck|chuck out|toss out|axe|get rid|doesn't"
    "|minus|disregard|kick|kick out|keep out|hate|dislike",
    "replace": "replace|swap|exchange|substitute|swap out",
}
_TASKS: dict[str, str] = {
    "binary": "binary|binary classification|binary classifier|yes or no|yes no|two classes|true or false|whether|if"
    "|probability|likelihood|chance|odds|propensity|yes / no",
    "multiclass": "multiclass|multi class|multiclass classification|multi class classification|several classes"
    "|which class|which category|which kind|which type|which species|what kind|what type|what species|what class"
    "|what category|which of|three classes|many classes|multinomial",
    "regression": "regression|regress|regression problem|regression model|how much|how many|how long|how far|how old"
    "|how high|how expensive|how large|how big|continuous target|continuous value|numeric target",
    "classification": "classify|classification|classifier|classifying|classification model|categorise|categorize"
    "|classification problem|classification task",
    "detection": "detect",
}


class Meaning(NamedTuple):
    """What a phrase stands for: a kind of thing and its value."""

    kind: str
    value: Any


def _spread(kind: str, table: dict[Any, str]) -> dict[str, Meaning]:
    return {phrase: Meaning(kind, value) for value, phrases in table.items() for phrase in phrases.split("|")}


#: What is looked for in every sentence.
PHRASES: Lookup[Meaning] = Lookup(
    {
        **_spread("task", _TASKS),
        **_spread("cue", _CUES),
        **_spread("prefer", _PREFER),
        **_spread("costly", _COSTLY),
        **_spread("metric", _METRICS),
        **_spread("absent", _ABSENT),
        **_spread("models", _MODELS),
        "black box": Meaning("black box", None),
        "black boxes": Meaning("black box", None),
        "black box models": Meaning("black box", None),
        "instead": Meaning("instead", None),
        "not only": Meaning("cue", "add"),
        "all models": Meaning("models", ALL_MODELS),
        "all the models": Meaning("models", ALL_MODELS),
        "every model": Meaning("models", ALL_MODELS),
        "all candidates": Meaning("models", ALL_MODELS),
        **dict.fromkeys(
            ("try everything", "train everything", "everything you have", "all available models", "all algorithms"),
            Meaning("models", ALL_MODELS),
        ),
    }
)
UNITS = Lookup({p: seconds for seconds, phrases in _UNITS.items() for p in phrases.split("|")})
NUMBERS = Lookup({p: number for number, phrases in _NUMBERS.items() for p in phrases.split("|")})
BUNDLED = Lookup({p: name for name, phrases in _BUNDLED.items() for p in phrases.split("|")})
TREATMENTS = Lookup({p: name for name, phrases in _TREATMENTS.items() for p in phrases.split("|")})
ROLES = Lookup({p: name for name, phrases in _ROLES.items() for p in phrases.split("|")})
BUNDLE = Lookup({p: name for name, phrases in _BUNDLE.items() for p in phrases.split("|")})
STAGE_WORDS = Lookup({p: name for name, phrases in _STAGES.items() for p in phrases.split("|")})

NEGATORS = words_of(
    """
    no not don't dont never do-not cannot can't won't isn't aren't shouldn't doesn't without neither nor
    """
)
#: Ways to divide the rows.
STRATEGIES = words_of("random randomly stratified stratify chronological chronologically grouped group time")
#: Words that say nothing about what is wanted.
FILLER = words_of(
    """
    's a an the this that these those it its is are was were be been am i i'm i've i'd we we'd we're we've you your
    my our me us he she they them their there here please thanks thx thank hi hello hey dear ok okay yes well so
    very really much many more most some any all each every of for to in on at by from with as into about
    than then and or but can could would should will shall may might must do does did have has had get got
    give make let let's like want need data dataset table frame file csv rows row columns column model
    models machine learning ml ai pipeline project if good great cheers kindly just also too first last new
    now again bye attached attach attaching uploaded upload given team everyone best regards morning
    afternoon evening nice day hope dataframe df set up build train create fit run start begin go help job
    task work thing things something anything wants wanted think guess sure possible
    """
)
