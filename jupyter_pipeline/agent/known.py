"""What people ask for that is not done, is done without being asked, or is found elsewhere: a sentence for each."""

from typing import NamedTuple

from ..protocol.names import metric_name
from .draft import Draft, Said
from .parameters import SPOKEN
from .words import Lookup


class Wish(NamedTuple):
    """What is said to a wish, whether it comes true without being asked for, and whether it is all that its clause
    says: the column of ``drop rows where age is missing`` is not to be dropped."""

    answer: str
    done: bool
    whole: bool


_ROWS = (
    "outliers|outlier|duplicates|duplicate rows|remove rows|drop rows|filter rows|delete rows|rows where|rows with"
    "|rows whose|only rows|filter out|exclude rows|ignore rows|keep rows where|sample of|subset of"
)
_ALL_ROWS = "|".join(
    [
        f"{every} {rows}"
        for every in (
            *("all", "all the", "all of the", "all my", "all our", "all available", "every", "the whole", "whole"),
            *("the entire", "entire", "the full", "full", "the complete", "complete"),
        )
        for rows in ("data", "rows", "row", "dataset", "data set", "records", "table", "training data", "training set")
    ]
    + ["on everything", "train and validation", "train + validation", "training and validation", "final fit"]
)
_ALL_GATES = (
    "all gates|all the gates|all stages|all the stages|every gate|every stage|every step|all steps|all the steps"
    "|auto confirm|autoconfirm|confirm everything|confirm all|accept all|accept everything|approve all"
    "|approve everything|yes to all"
    "|yes to everything|without asking|to the end|until the end|till the end|remaining stages|the rest of the stages"
    "|automatically|run everything|run all|do everything|do the rest|all the way|always confirm"
)
_EARLY = "early stopping|early stop|stop early|early_stopping|early_stopping_rounds"
_FEATURES = (
    "log transform|log transformation|log scale|log of|logarithm|log|sqrt|pca|polynomial features|polynomials|bin"
    "|binning"
)
_IMPUTE = (
    "impute|imputing|imputation|fill missing|fill the missing|missing values|missing data|nans|fill in missing"
    "|fill nan|fill nans|fillna|fill na|fill the nans|replace nan|replace nans|replace missing|fill|filling|fill in"
)
_WHOLE = frozenset(f"{_ROWS}|{_EARLY}|{_FEATURES}|{_IMPUTE}".split("|"))

_NOT_DONE: dict[str, str] = {
    _ALL_GATES: (
        "Every stage waits until you have seen what it proposes and confirm it; in code, p.run(confirm=True) confirms "
        "all that come."
    ),
    "cross validation|fold cross validation|cross validate|cross validated|k fold|kfold|cv|folds|fold cv": (
        "There is no cross-validation: models are judged on one validation part, and the one that is kept on the "
        "test rows."
    ),
    "cluster|clustering|clusters|anomaly detection|anomalies|recommend|recommendation|recommender|recommendations": (
        "One column is predicted from the others; clusters, anomalies and recommendations are not looked for."
    ),
    "calibrate|calibrating|recalibrate": (
        "Probabilities are not calibrated afterwards; the Brier score or the log loss as the metric minds how right "
        "they are."
    ),
    "gpu|gpus|cuda": "Training uses the processor's cores; a graphics card is not used.",
    "smote|oversample|oversampling|undersample|undersampling|class weights|class weight|class_weight|resample"
    "|resampling|rebalance|scale_pos_weight|is_unbalance|balance the classes|balance classes|handle imbalance"
    "|class imbalance": (
        "Rows are not weighted or drawn again: choose a metric that minds the rare class, such as recall or F1, and "
        "the threshold is chosen by it."
    ),
    _ROWS: ("Rows are not taken out; change the data file and attach it again."),
    f"{_FEATURES}|feature selection|select features|feature engineering|interactions": (
        "A column can be numeric, categorical, ordinal, target encoded, text, a date or boolean, or be left out; other "
        "features can be written in code/modeling/features.py once the stage Review was reached."
    ),
    "overfit|overfitting|overfits": (
        'Against overfitting, "more regularisation", "shallower trees" or "drop" a column can help; the curves show '
        "training and validation scores side by side."
    ),
    "change the code|edit the code|modify the code|change code|edit code|my own code|own code|custom code": (
        "The training code is in the project's folder code once the stage Review was reached: edit it there, then say "
        '"restart training".'
    ),
    "onnx|mlflow|docker|dockerfile|docker file|pickle|joblib|pmml|conda": (
        "The bundle has the model as plain files without pickle, with predict.py and the packages that it needs; other "
        "formats are not written."
    ),
    "pause|hold on": (
        'What runs cannot be paused: "stop" ends it, and the stage can be run again; "finish with the best so far" '
        "keeps what was trained."
    ),
    "separator|delimiter|encoding of the file|decimal comma|skip the header|header row|skip rows|skiprows": (
        "Separator, encoding, decimal mark and header are found out when a file is read; where that went wrong, save "
        "it as UTF-8 CSV with a header, and attach it again."
    ),
    "predict new data|predict new rows|new predictions|score new data|predict on new data": (
        "New rows are predicted by p.predict(frame), in the view, or by predict.py of the bundle."
    ),
    "first few rows|first rows|first lines|see the data|see some rows|preview|data preview|head of the data": (
        "The first rows are shown with the stage Data in the view, and are among the artifacts."
    ),
    "download|download it|get the bundle|export it": (
        "The bundle is made at the end, by the stage Export; then it can be downloaded here, with p.download(), or "
        "from the folder exports."
    ),
}
_DONE: dict[str, str] = {
    _ALL_ROWS: (
        "All rows are used already: those of the training part to fit the models, the others to judge them. The model "
        "that is kept is not fitted once more on all of them; for more rows to fit on, make the other parts smaller at "
        'the stage Preparation, as in "10% test rows".'
    ),
    _IMPUTE: (
        "Missing values need nothing: in numbers the median of the training rows takes their place, with a feature "
        "that says so; in categories they are a category. Other values to fill in are not offered."
    ),
    "scale|scaled|standardised|standardized|normalised|normalized|scaling"
    "|rescale|standardise|standardize|normalise|normalize|normalisation|normalization": (
        "Scaling needs nothing: linear models get standardised features, and trees do not need it."
    ),
    _EARLY: ("Boosting and linear models stop by themselves when the loss on the validation rows gets no better."),
    "grid search|random search|bayesian optimisation|bayesian optimization|hyperparameter search": (
        'Settings are drawn by a search that learns from the runs before; "20 trials" says how many of each model.'
    ),
}
WISHES = Lookup(
    {
        phrase: Wish(answer, table is _DONE, phrase in _WHOLE)
        for table in (_NOT_DONE, _DONE)
        for phrases, answer in table.items()
        for phrase in phrases.split("|")
    }
)

_METRICS: dict[str, str] = {
    "roc_auc": "the chance that a positive row is ranked above a negative one (0.5 is guessing, 1 is perfect)",
    "average_precision": "the area under the curve of precision over recall; it minds rare positives",
    "log_loss": "how far the probabilities are off; 0 is perfect, and confident mistakes cost most",
    "accuracy": "the share of rows that are predicted right",
    "balanced_accuracy": "the share predicted right in each class, averaged over the classes",
    "f1": "the harmonic mean of precision and recall",
    "f1_macro": "F1 of each class, averaged over the classes",
    "precision": "the share of the rows predicted positive that are positive",
    "recall": "the share of the positive rows that are found",
    "mcc": "the correlation between what is predicted and what is true, from -1 to 1",
    "brier": "the mean squared error of the probabilities; 0 is perfect",
    "rmse": "the root of the mean squared error, in the target's unit; large errors count most",
    "mae": "the mean absolute error, in the target's unit",
    "mape": "the mean error as a share of the true value",
    "r2": "the share of the target's variance that is explained; 1 is perfect",
    "median_ae": "the median absolute error, in the target's unit",
}


_PART_OF_ROWS = _NOT_DONE[_ROWS]


def _part_of_rows(said: Said, i: int) -> int:
    """``first 1000 rows``, ``sample 10%``, ``half of the rows``: how many tokens, 0 where it is not said."""
    low, kinds = said.low, [t.kind for t in said.tokens]
    if low[i] == "sample" and kinds[i + 1 : i + 2] == ["number"] and "bundle" not in low:
        return 2 + (low[i + 2 : i + 3] in (["%"], ["rows"]))
    if low[i] in ("first", "last", "use", "take") and kinds[i + 1 : i + 2] == ["number"]:
        at = i + 2 + (low[i + 2 : i + 3] == ["%"])
        at += low[at : at + 1] == ["of"]
        at += low[at : at + 1] == ["the"]
        some = low[at : at + 1] in (["rows"], ["data"], ["records"], ["lines"])
        after = {"test", "validation", "for", "as", "sample"} & set(low[at : at + 4])
        return at + 1 - i if some and not after else 0
    return 0


def wishes(said: Said, draft: Draft) -> None:
    """``use cross-validation``, ``scale the features``, ``use the GPU``."""
    columns = {at for named in said.named if named.kind == "column" for at in range(named.start, named.end)}
    cues = {item.start for item in said.items if item.kind == "cue" and item.end - item.start > 1}
    for i, token in enumerate(said.tokens):
        found = WISHES.at(said.tokens, i) if token.kind == "word" and i not in said.taken and i not in columns else None
        if found is None and (n := _part_of_rows(said, i)):
            found = Wish(_PART_OF_ROWS, done=False, whole=False), n
        if found is None or (token.low == "log" and found[1] == 1 and said.low[i + 1 : i + 2] in (["loss"], [])):
            continue
        if i > 1 and said.low[i - 1] in ("=", ":") and said.low[i - 2] in SPOKEN.firsts:  # "max_features=sqrt"
            continue
        if i in cues or (token.low == "log" and said.low[i - 1 : i] in (["event"], ["events"])):
            continue  # "bin it", "the event log"
        sentence, n = found[0].answer, found[1]
        if found[0].whole and said.has("together"):  # "keep rows with the same city together" is about the split
            continue
        drops = said.has("drop", "remove", "exclude", "ignore", "delete", "without")
        if sentence == _DONE[_IMPUTE] and drops and said.has("columns", "cols", "features", "variables"):
            continue  # "drop columns with missing values"
        if sentence == _DONE[_ALL_ROWS] and said.has("same", "one") and said.has("part", "fold", "split"):
            continue  # "keep all rows of a customer in one part"
        said.take(range(max(0, i - 2) if said.tokens[max(0, i - 2)].kind == "number" else i, i + n))
        if sentence == _DONE[_ALL_ROWS]:
            said.take_words("refit", "retrain", "again", "rerun", "restart")  # nothing would be other than it is
        if found[0].whole:
            end = next((j for j in range(i + n, len(said.tokens)) if said.low[j] in (",", "and", "but")), len(said.low))
            said.take(range(i, end))
        if sentence not in draft.answers:
            draft.answers.append(sentence)


_TERMS = Lookup(
    {
        phrase: text
        for phrases, text in {
            "leakage|data leakage|target leakage|leaks|leak|leaking": (
                "A column leaks where it holds what is only known once the target is: scores are too good to be true "
                "then, so such a column is left out."
            ),
            "baseline|the baseline|dummy|dummy model": (
                "The baseline looks at no column: it predicts the most frequent class, or the middle value. A model "
                "has to be better to be of use."
            ),
            "ensemble|weighted ensemble|ensembles": (
                "The weighted ensemble is an average of several of the trained models, with weights chosen on the "
                "validation rows."
            ),
            "overfitting|overfit|overfits": (
                "A model overfits where it knows the training rows by heart: its training scores are much better than "
                "those on validation rows."
            ),
            "validation rows|validation set|validation data|validation": (
                "Validation rows are not trained on: by their scores models are compared and one is chosen."
            ),
            "test rows|test set|test data": (
                "Test rows are neither trained on nor chosen by: the stage Review asks the model that is kept for them "
                "once, which says how good it is on new rows."
            ),
            "threshold|cutoff": (
                "A row is predicted positive where its probability is at least the threshold: a lower one finds more "
                "of the positive rows, with more false alarms."
            ),
            "stratified|stratify|stratification": (
                "In a stratified split each part has the same share of every class; rows are drawn at random otherwise."
            ),
            "seed|random seed|random state": (
                "The seed fixes what is drawn at random, so that the same seed gives the same split again."
            ),
            "trials|settings|trial": "A trial trains a model with one setting of its parameters; the best is kept.",
            "learning rate": (
                "The learning rate is how much each tree of a boosting model counts: a lower one needs more trees, and "
                "is often a little better."
            ),
            "regularisation|regularization|l2": (
                "Regularisation holds a model back from learning the training rows by heart."
            ),
            "confusion matrix": "The confusion matrix counts, for each true class, which classes were predicted.",
            "roc curve": (
                "The ROC curve shows for every threshold which share of the positive rows is found at which share of "
                "false alarms."
            ),
            "one hot|onehot|one hot encoding|categorical": (
                "One-hot encoding, here called categorical, makes one feature of each value, which is 1 in its rows."
            ),
            "target encoding|target encoded|mean encoding": (
                "Target encoding puts in the place of a value the target's mean over the training rows that have it."
            ),
            "ordinal|ordinal encoding": "Ordinal values have an order, and become their place in it.",
            "feature importance|importance|permutation importance": (
                "The importance of a column is how much worse the score becomes when its values are shuffled."
            ),
            "imbalance|imbalanced|class imbalance": (
                "Classes are imbalanced where one is rare: accuracy says little then; recall, F1 or average precision "
                "say more."
            ),
        }.items()
        for phrase in phrases.split("|")
    }
)


def terms(said: Said) -> dict[range, str]:
    """What the terms mean that a question names; the longest of each place."""
    found: dict[range, str] = {}
    i = 0
    while i < len(said.tokens):
        term = _TERMS.at(said.tokens, i)
        end = i + (term[1] if term is not None else 1)
        if term is not None:
            found[range(i, end)] = term[0]
        i = end
    return found


def meanings(said: Said) -> list[str]:
    """What the metrics mean that a question names."""
    names = dict.fromkeys(str(item.value) for item in said.items if item.kind == "metric")
    return [f"{metric_name(name)} is {_METRICS[name]}." for name in names if name in _METRICS]


def known_answers(said: Said) -> list[str]:
    """What can be said to a question about something that is not done, or needs nothing."""
    found = (WISHES.at(said.tokens, i) for i, token in enumerate(said.tokens) if token.kind == "word")
    return list(dict.fromkeys(match[0].answer for match in found if match is not None))
