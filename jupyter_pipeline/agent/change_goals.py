"""Rules for what training is for and what it may take: the metric, what matters most, time and trials."""

from ..protocol.names import REGRESSION_METRICS, metric_name, metric_words, model_names, task_name
from ..protocol.stages import StageId
from .conditions import not_later
from .confirmation import confirms
from .draft import Draft, Said, piece
from .facts import MAX_SECONDS, budget_of, durations, metric_of, preference_of, span_of_time
from .parameters import DOWN, UP
from .request import say_seconds
from .scan import Item, Named
from .vocabulary import ALL_MODELS, NEGATORS, NUMBERS, PLAIN, QUICK
from .words import words_of

SELECT, DATA, INTENT = StageId.MODEL_SELECT, StageId.DATA_SOURCE, StageId.PARSE_INTENT
_TRIALS = words_of("n_trials trials trial settings setting combinations configurations tries draws")
_NO_BUDGET = ("takes", "needs", "meeting", "back", "wait", "ago", "lasts", "hold", "moment")
_TIMES = ("x", "times")
_TUNE = words_of("tune tuning tuned hyperparameter hyperparameters hyper optuna")


def metric(said: Said, draft: Draft) -> None:
    """``optimise recall``, ``use AUC``, ``false negatives are costly``."""
    reasons = said.reasons()
    items = [i for i in said.rest() if i.start not in reasons]
    why = next((i for i, w in enumerate(said.low) if w in ("because", "since")), None)
    if why is not None and said.has("too", "low", "bad", "poor"):  # "retrain because accuracy is too low"
        items = [i for i in items if i.start < why]
    seen = [i for i in items if i.kind == "metric" and _is_observed(said, i)]
    if seen and said.words.isdisjoint(_OPTIMISING):  # "the recall is too low"
        said.take(*(range(i.start, i.end) for i in seen))
        draft.answers.append(f'To have models judged by it, say "optimise {metric_words(str(seen[0].value))}".')
        return
    if said.has("threshold", "cutoff") and said.understood:
        said.take(*(range(i.start, i.end) for i in items if i.kind == "costly"))  # why it is to be another
        items = [i for i in items if i.kind != "costly"]
    found = metric_of(said.tokens, items)
    if found is None:
        return
    if preference_of(said.tokens, items) == "accuracy" and found[0] == "accuracy":
        return
    said.take(*(range(i.start, i.end) for i in items if i.kind in ("metric", "costly")))
    name = found[0]
    if any(said.tokens[i.start - 1].text == "%" or _bound_after(said, i.end) for i in items if i.kind == "metric"):
        draft.answers.append("A score cannot be promised; a threshold can be set after training.")
    task = draft.context.task_type
    if task is not None and (name in REGRESSION_METRICS) != (task == "regression"):
        fitting = (
            ("rmse", "mae", "r2") if task == "regression" else ("recall", "precision", "f1", "accuracy", "roc_auc")
        )
        others = ", ".join(map(metric_name, fitting))
        draft.problem(f"{metric_name(name)} does not fit a {task_name(task)}; metrics that do are {others}.")
        return
    stage = draft.first(SELECT, DATA, INTENT)
    if stage is None:
        draft.problem("The metric can be set once the request was read; say it again then.")
        return
    draft.say(f"Metric: {metric_name(name)}", draft.set(stage, name, "metric"))


_OPTIMISING = words_of(
    "optimise optimize maximise maximize minimise minimize improve increase use metric judge want need"
)
_SEEING = words_of("is are looks look seems went got has fell dropped rose goes stays")
_JUDGED = words_of(
    """
    too low high bad poor good fine ok okay better worse terrible great down up off wrong weird strange nice acceptable
    awful excellent same lower higher enough stuck
    """
)


def _is_observed(said: Said, item: Item) -> bool:
    """Whether its value is spoken of: ``the recall is 0.8``, ``accuracy of 80% is fine``, ``recall goes down``."""
    after = said.low[item.end : item.end + 7]
    after = after[: next((n for n, w in enumerate(after) if w in (",", "but", "and")), None)]
    if after[:1] in (["too"], ["so"], ["very"]) and _JUDGED & set(after[1:2]):
        return True  # "recall too low"
    if after[:1] in (["only"], ["just"], ["around"], ["about"]) and said.tokens[item.end + 1 : item.end + 2]:
        return said.tokens[item.end + 1].kind == "number"  # "accuracy only 80%"
    seeing = next((n for n, w in enumerate(after) if w in _SEEING), None)
    numbers = any(t.kind == "number" for t in said.tokens[item.end : item.end + len(after)])
    return seeing is not None and (numbers or bool(_JUDGED & set(after[seeing:])))


def _bound_after(said: Said, end: int) -> bool:
    """``recall of at least 0.9``."""
    after = said.low[end : end + 4]
    number = next((n for n, w in enumerate(after) if said.tokens[end + n].kind == "number"), None)
    return number is not None and bool({"least", "above", "over"} & set(after[:number]))


def budget(said: Said, draft: Draft) -> None:
    """``two minutes``, ``more time``, ``train longer``."""
    taken = [i for i in range(len(said.tokens)) if i in said.taken]
    found = budget_of(said.tokens)
    idle = (
        found is not None and found[0] <= 60 and said.low[found[1]] == "a" and said.low[found[1] - 1] in ("just", "me")
    )
    if idle or (found is not None and said.has(*_NO_BUDGET)):
        return  # "xgboost takes 10 minutes", "back in 10 minutes", "just a sec"
    stage = draft.first(SELECT, INTENT)
    if found is not None and said.low[found[2] : found[2] + 1] in (["per"], ["each"]):
        said.take(range(found[1], found[2] + 2))
        draft.problem('The time budget is for all models together; say it for all of them, as in "ten minutes".')
        return
    if found is not None and said.low[found[1] - 1] in ("in", "after") and confirms(said.tokens[: found[1] - 1], draft):
        said.take(range(len(said.tokens)))
        draft.problem(not_later(piece(said.text, said.tokens[found[1] - 1 : found[2]])))
        return
    extra = _extra_time(said) if stage is not None else None
    if extra is None and found is not None and found[1] not in taken:
        said.take(range(found[1], found[2]))
        said.take_words("budget", "time", "limit", "training", "train", "give", "under", "within")
        seconds: float | None = found[0]
    elif stage is not None and extra is not None:
        now = float((draft.plan(stage) or {})["time_budget_s"])
        if now + extra < 1:
            draft.problem(f"The time budget is {say_seconds(now)}; so much less leaves none.")
            return
        seconds = min(now + extra, MAX_SECONDS)
    else:
        seconds = None
        factor = _more_time(said)
        if (
            factor is None
            and said.has("budget")
            and any(t.kind == "number" and i not in said.taken for i, t in enumerate(said.tokens))
        ):
            said.take(range(len(said.tokens)))
            draft.problem('Say the time budget with its unit, as in "10 minutes".')
        if factor is None:
            return
        said.take_named("time", "longer", "more", "less", "train", "training", "budget", "twice", "long", "shorter")
        if stage is not None:
            seconds = min(float((draft.plan(stage) or {})["time_budget_s"]) * factor, MAX_SECONDS)
    if stage is None or seconds is None:
        draft.problem("The time budget can be set once the request was read; say it again then.")
        return
    draft.say(f"Time budget: {say_seconds(seconds)}", draft.set(stage, seconds, "time_budget_s"))


def _extra_time(said: Said) -> float | None:
    """``10 more minutes``, ``add 5 minutes``, ``reduce the time by a minute``: seconds to add."""
    for i, low in enumerate(said.low[:-1]):
        relative = low == "add" or (low == "by" and said.words & (UP | DOWN | {"shorten", "extend"}))
        by = span_of_time(said.tokens, i + 1) if relative and i + 1 not in said.taken else None
        if by is not None:
            said.take(range(i, by[2]))
            said.take_named("increase", "extend", "reduce", "shorten", "raise", "lower", "cut", "decrease")
            said.take_words("time", "budget", "limit", "training", "train")
            shorter = low != "add" and said.words & (DOWN | {"shorten"})
            return -by[0] if shorter else by[0]
    for i, low in enumerate(said.low):
        if low not in ("more", "extra", "additional", "another", "longer", "less", "fewer", "shorter"):
            continue
        rest = said.tokens[:i] + said.tokens[i + 1 :]
        found = next((d for d in durations(rest) if d[1] <= i <= d[2]), None)
        if found is not None and said.low[i + 1 : i + 2] != ["than"]:
            said.take(range(found[1], found[2] + 1))
            said.take_words("time", "give", "training", "train")
            return -found[0] if low in ("less", "fewer", "shorter") else found[0]
    return None


def _more_time(said: Said) -> float | None:
    about_time = said.has("time", "budget", "longer", "shorter") and said.has(
        "time", "budget", "train", "training", "run", "longer"
    )
    if not about_time or said.has("split", "column", "by") or said.words & NEGATORS:
        return None
    share = next((float(t.low) / 100 for i, t in enumerate(said.tokens[:-1]) if said.low[i + 1] == "%"), None)
    times = next((i for i, t in enumerate(said.tokens[:-1]) if t.kind == "number" and said.low[i + 1] in _TIMES), None)
    if times is not None and float(said.low[times]) > 0:  # "2x the time"
        said.take(range(times, times + 2))
        return float(said.low[times])
    if said.has("more", "longer", "twice", "double", "increase", "extend"):
        return 2.0 if share is None else 1 + share
    if share is not None and share < 1 and said.has("less", "shorter", "reduce", "shorten"):
        return 1 - share
    return 0.5 if said.has("less", "shorter", "halve", "half", "reduce", "shorten") else None


def _is_weighed(said: Said, item: Item) -> bool:
    """Whether accuracy is no metric here but what counts more or less than something: ``speed over accuracy``."""
    if item.kind != "metric" or item.value != "accuracy":
        return False
    before, after = said.low[max(0, item.start - 4) : item.start], said.low[item.end : item.end + 4]
    before = before[max((n + 1 for n, w in enumerate(before) if w in _ENDS), default=0) :]
    after = after[: next((n for n, w in enumerate(after) if w in _ENDS), None)]
    return not (_WEIGHING | set(NEGATORS)).isdisjoint([*before, *after])


_ENDS = (",", ";", "but", "and")
_WEIGHING = words_of("over than before of instead matters matter important more less")


def preference(said: Said, draft: Draft) -> None:
    """``accuracy over speed``, ``faster``, ``something explainable``."""
    why = said.reasons()
    items = [i for i in said.rest() if i.start not in why]
    wish = preference_of(said.tokens, items)
    if wish is None:
        return
    weighed = [i for i in items if i.kind in ("prefer", "black box") or _is_weighed(said, i)]
    said.take(*(range(i.start, i.end) for i in weighed))
    plan = draft.plan(SELECT)
    if plan is None:
        if draft.plan(INTENT) is None:
            draft.problem("What matters most can be said once the request was read; say it again then.")
        else:
            draft.say(f"What matters most: {wish}", draft.set(INTENT, wish, "prefer"))
        return
    chosen = {c["id"]: c for c in plan["models"]}
    every = [m.id for m in draft.context.models] or list(ALL_MODELS)
    old_budget, trials = float(plan["time_budget_s"]), int(plan["trials"])
    if wish == "accuracy":
        names, seconds, trials = [*chosen, *(m for m in every if m not in chosen)], old_budget * 2, max(trials * 2, 10)
    elif wish == "speed":
        names, seconds, trials = [m for m in every if m in QUICK], max(old_budget / 2, 10.0), 1
    else:
        names, seconds = [m for m in every if m in PLAIN], old_budget
    names, seconds = names or list(chosen), min(seconds, MAX_SECONDS)
    changed = draft.set(SELECT, [chosen.get(m, {"id": m, "params": {}}) for m in names], "models")
    changed = draft.set(SELECT, seconds, "time_budget_s") or changed
    changed = draft.set(SELECT, min(trials, 1000), "trials") or changed
    words = {
        "accuracy": "Accuracy over speed",
        "speed": "Speed over accuracy",
        "interpretability": "Explainable models",
    }
    many = "one setting" if trials == 1 else f"up to {min(trials, 1000)} settings"
    draft.say(f"{words[wish]}: {model_names(names)}, {many} of each, {say_seconds(seconds)} of training", changed)


def _trials_of(said: Said) -> list[Named]:
    """Models that only say whose trials are meant: ``20 trials for xgboost only``, ``tune lightgbm``."""
    found = [n for n in said.free("models") if n.start and n.polarity in ("named", "only")]
    whose = [n for n in found if said.low[n.start - 1] == "for"]
    whose += [n for n in said.free("models") if n.start and n.polarity != "avoid" and said.low[n.start - 1] == "of"]
    told = min((i for i, w in enumerate(said.low) if w in _TUNE), default=len(said.low))
    if not whose and told < len(said.low) and all(n.polarity == "named" and n.start > told for n in found):
        return found
    return whose


def trials(said: Said, draft: Draft) -> None:
    """``20 trials``, ``tune more``, ``no tuning``."""
    count: float | None = None
    default = said.has(*_TRIALS, *_TUNE, "parameters", "params") and any(
        w in ("default", "defaults") and i not in said.taken for i, w in enumerate(said.low)
    )
    tuning = default or any(w in _TUNE and i not in said.taken for i, w in enumerate(said.low))
    if not tuning and said.words.isdisjoint(_TRIALS):
        return
    for i, low in enumerate(said.low):
        if low not in _TRIALS or i in said.taken:
            continue
        token = said.tokens[max(0, i - 1)]
        spoken = NUMBERS.at(said.tokens, i - 1) if i and token.kind == "word" else None
        at = next((n for n in (i + 1, i + 2) if n < len(said.low) and said.tokens[n].kind == "number"), None)
        if token.kind == "number" or spoken:
            count = float(token.low) if spoken is None else spoken[0]
        elif at is not None:  # "trials = 20"
            count = float(said.tokens[at].low)
            said.take(range(i, at + 1))
        elif i and said.has("more", "double", "twice"):
            count = -2
        said.take(range(max(0, i - 1), i + 1))
    if count is None and not tuning:
        return
    said.take_named(*_TUNE, *(("default", "defaults", "parameters", "params", "settings") if default else ()))
    own = _trials_of(said)
    if own:
        said.take(*(range(n.start, n.end) for n in own))
        draft.answers.append("The number of settings is the same for every model.")
    plan = draft.plan(SELECT)
    if plan is None:
        draft.problem("How many settings are tried is decided at the stage Models; say it again there.")
        return
    old = int(plan["trials"])
    if count is None:
        count = 1 if default or any(w in NEGATORS or w == "stop" for w in said.low) else max(old * 2, 10)
    elif count == -2:
        count = old * 2
    new = int(count)
    if not 1 <= new <= 1000:
        draft.problem("The number of trials goes from 1 to 1000.")
        return
    draft.say(f"Settings tried of each model: {new}", draft.set(SELECT, new, "trials"))
