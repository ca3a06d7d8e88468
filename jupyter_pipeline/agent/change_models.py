"""Rules for what is said of models, their parameters, metric, time, trials and what matters most."""

from typing import Any

from ..protocol.names import REGRESSION_METRICS, metric_name, model_name, model_names, task_name
from ..protocol.stages import StageId
from .about_models import no_such
from .conditions import not_later
from .confirmation import confirms
from .draft import Draft, Said, piece
from .facts import MAX_SECONDS, budget_of, durations, metric_of, preference_of, span_of_time
from .parameters import DOWN, PARAMETERS, SAY, SPOKEN, UP, Known
from .request import say_seconds
from .scan import Named, models_of
from .vocabulary import (
    ALL_MODELS,
    ENSEMBLE,
    FILLER,
    NEGATORS,
    NUMBERS,
    PLAIN,
    QUICK,
    UNITS,
)
from .words import words_of

SELECT, DATA, INTENT = StageId.MODEL_SELECT, StageId.DATA_SOURCE, StageId.PARSE_INTENT
_TRIALS = words_of("trials trial settings setting combinations configurations tries draws")
_TUNE = words_of("tune tuning tuned hyperparameter hyperparameters hyper optuna")
_HOW_MANY = ("half", "more", "fewer", "double", "halve", "twice", "less", "increase", "decrease", "reduce", "raise")
_RETRAIN = ("retrain", "train", "training", "again", "rerun", "refit", "re", "run", "with", "use", "using")


def parameters(said: Said, draft: Draft) -> None:
    """``higher learning rate``, ``max depth 6 for xgboost``, ``500 trees``, ``more trees``."""
    if said.words.isdisjoint(SPOKEN.firsts):
        return
    contrast = [n for n in said.free("models") if n.polarity == "avoid" and _beside(said, n)]
    moved: set[str] = set()
    whose = _whose(said)
    for i in range(len(said.tokens)):
        spoken = SPOKEN.at(said.tokens, i) if said.tokens[i].kind == "word" and i not in said.taken else None
        if spoken is None:
            continue
        what, n = spoken
        if each := _each(said, i + n, min((at for at in whose if at > i), default=len(said.tokens))):
            said.take(range(i, i + n))
            for value, model in each:
                _set_parameter(said, draft, what, value, 0, [model], trees_only=False)
            if any(model.polarity == "use" and model.start < i for _, model in each):  # "use X with …" chooses, too
                said.taken.difference_update(*(range(model.start, model.end) for _, model in each))
            moved.add(what)
            continue
        number = _number_near(said, i, n)
        direction = _direction(said, i, n)
        if number is None and direction and any(said.denied(at) or said.low[at] in NEGATORS for at in range(i, i + n)):
            said.take(range(i, i + n))
            said.take_words(*UP, *DOWN)
            draft.answers.append(f"The {SAY[what]} stays as it is.")
            continue
        if number is not None and direction and "by" in said.low[i + n : i + n + 8]:  # of that number
            said.take(range(i, i + n))
            draft.problem(f"Say what the {SAY[what]} shall be, or just higher or lower; not by how much it changes.")
            continue
        if number is None and direction == 0:
            if what == "rate":
                said.take(range(i, i + n))
                draft.problem('Say which learning rate, for example "learning rate 0.1" or "higher learning rate".')
            continue
        if what == "trees" and number is None and n == 1 and not said.has(*_HOW_MANY):
            continue
        said.take(range(i, i + n), range(max(0, i - 2), i) if number is None else range(0))
        trees_only = what == "trees" and any("tree" in w or "estimator" in w for w in said.low[i : i + n])
        said.take_words(*_RETRAIN, *UP, *DOWN)
        if number is not None or what not in moved:  # "higher" said twice is still once higher
            _set_parameter(said, draft, what, number, direction, whose.get(i, []), trees_only=trees_only)
        moved.add(what)
    if moved:  # "100 trees for lightgbm, not for xgboost" leaves the latter as it is
        said.take(*(range(n.start, n.end) for n in contrast))


def _beside(said: Said, named: Named) -> bool:
    before = said.low[max(0, named.start - 2) : named.start]
    return before[-1:] in (["not"], ["than"]) or before in (["not", "for"], ["not", "of"], ["instead", "of"])


def _whose(said: Said) -> dict[int, list[Named]]:
    """Of which models each parameter is said: those that follow it, else those before the first, else those of the
    parameter before it, else the next ones."""
    ends: dict[int, int] = {}
    at = 0
    while at < len(said.tokens):
        spoken = SPOKEN.at(said.tokens, at) if said.tokens[at].kind == "word" and at not in said.taken else None
        if spoken is not None:
            ends[at] = at + spoken[1]
        at += spoken[1] if spoken is not None else 1
    places = list(ends)
    named = [n for n in said.free("models") if n.polarity != "avoid" and not _added(said, n, places)]
    named = [n for n in named if not any(start <= n.start < end for start, end in ends.items())]  # "deeper trees"
    before = [n for n in named if places and n.start < places[0]]
    heads = {place: _heads(said, named, place) for place in places}
    own: dict[int, list[Named]] = {}
    for place, after in zip(places, [*places[1:], len(said.tokens)], strict=False):
        others = [n for other in places if other > place for n in heads[other]]
        own[place] = heads[place] or [n for n in named if place < n.start < after and n not in others]
    found: dict[int, list[Named]] = {}
    last: list[Named] = []
    for place in places:
        last = found[place] = own[place] or last or before
    following: list[Named] = []
    for place in reversed(places):
        following = own[place] or following
        found[place] = found[place] or following
    return found


_HEAD = words_of(": with the 's its a")


def _heads(said: Said, named: list[Named], place: int) -> list[Named]:
    """The models right before a parameter: ``lightgbm and xgboost with 500 trees``."""
    found: list[Named] = []
    at = place
    for n in reversed(named):
        between = said.low[n.end : at]
        if n.end > at or not all(w in (_HEAD if not found else {"and", ",", "&"}) for w in between):
            break
        found.insert(0, n)
        at = n.start
    return found if not found or said.low[found[0].start - 1 : found[0].start] != ["for"] else found[-1:]


def _added(said: Said, named: Named, places: list[int]) -> bool:
    """``depth 8 for xgboost, and add catboost``: a model that comes by itself, after what was said of a parameter."""
    cues = [i.start for i in said.items if i.kind == "cue" and i.value == "add" and i.start < named.start]
    after = bool(cues) and bool(places) and places[0] < cues[-1]
    return named.polarity == "add" and after and said.low[named.start - 1] != "for"


def _each(said: Said, start: int, end: int) -> list[tuple[float, Named]]:
    """``0.1 for lightgbm, 0.05 for xgboost`` or ``lightgbm 0.1, xgboost 0.05``: a value for each of several models."""
    found: dict[int, Named] = {}
    for named in said.free("models"):
        if not start <= named.start < end:
            continue
        ahead = named.end + (said.low[named.end : named.end + 1] in (["="], [":"], ["to"], ["with"]))
        behind = named.start - 2
        if behind >= start and said.low[behind + 1] in ("for", "on", "in", "of") and _free_number(said, behind):
            found[behind] = named
        elif _free_number(said, ahead):
            found[ahead] = named
    first = start + (said.low[start : start + 1] in (["="], [":"], ["to"], ["of"]))
    before = [n for n in said.free("models") if n.end <= start and n.polarity != "avoid"]
    if found and before and first not in found and _free_number(said, first):  # "X with rate 0.1 and Y with 0.2"
        found[first] = before[-1]
    if len(found) < 2:
        return []
    said.take(*(range(at, at + 1) for at in found))
    return [(_value(said, at), named) for at, named in found.items()]


def _free_number(said: Said, at: int) -> bool:
    return 0 <= at < len(said.tokens) and said.tokens[at].kind == "number" and at not in said.taken


def _value(said: Said, at: int) -> float:
    return float(said.tokens[at].low) / (100 if said.low[at + 1 : at + 2] == ["%"] else 1)


_LINKS = words_of("of to = : is at about around be by should for the a and or")


def _number_near(said: Said, i: int, n: int) -> float | None:
    """The number that belongs to a parameter's name: after it, past models and little words, or right before it."""
    models = {at for item in said.items if item.kind == "models" for at in range(item.start, item.end)}
    led = i > 0 and _free_number(said, i - 1)  # "63 leaves and 0.05 lr"
    for at in range(i + n, min(i + n + 8, len(said.tokens))):
        if said.tokens[at].kind == "number":
            unit = said.low[at + 1] if at + 1 < len(said.low) else ""
            if at in said.taken or unit in ("times", "x") or unit in UNITS.firsts:
                break
            if led and at + 1 < len(said.tokens) and SPOKEN.at(said.tokens, at + 1):
                break
            said.take(range(at, at + 1))
            return _value(said, at)
        if said.low[at] not in _LINKS and at not in models:
            break
    before = said.tokens[i - 1] if i else None
    if before is not None and before.kind == "number" and i - 1 not in said.taken:
        said.take(range(i - 1, i))
        return float(before.low)
    return None


def _direction(said: Said, i: int, n: int) -> int:
    """Whether it shall be higher (1) or lower (-1), by the word that is nearest in its own clause."""
    before = said.low[max(0, i - 6) : i + n][::-1]
    after = said.low[i + n : i + n + 4]
    for words in (before, after):
        for word in words[: words.index(",") if "," in words else None]:
            if word in UP | DOWN:
                return 1 if word in UP else -1
    return 0


def _set_parameter(
    said: Said,
    draft: Draft,
    what: str,
    number: float | None,
    direction: int,
    named: list[Named],
    *,
    trees_only: bool,
) -> None:
    plan = draft.plan(SELECT)
    if plan is None:
        draft.problem(
            f"The {SAY[what]} of a model can be set once models are proposed, at the stage Models; say it again there."
        )
        return
    wanted = models_of(named)[0]
    usual = {m.id: m.params for m in draft.context.models}
    chosen = [choice["id"] for choice in plan["models"]]
    came = [m for m in wanted if m not in chosen and m in usual and what in PARAMETERS.get(m, {})]
    if not set(wanted) & set(chosen):
        plan = {**plan, "models": [*plan["models"], *({"id": m, "params": {}} for m in came)]}
    # "Use X with 300 trees" is for the choice of models too; "300 trees for X" is not.
    said.take(*(range(n.start, n.end) for n in named if n.start in said.taken or not _also_chosen(said, n)))
    models, words, limits = [], [], []
    for choice in plan["models"]:
        known = PARAMETERS.get(choice["id"], {}).get(what)
        if known is None or (wanted and choice["id"] not in wanted) or (trees_only and choice["id"] == "linear"):
            models.append(choice)
            continue
        name = model_name(choice["id"])
        old = choice["params"].get(known.name, usual.get(choice["id"], {}).get(known.name, known.default))
        new = _moved(known, old, number, direction, what)
        if new is None:
            limits.append(f"{name} takes one from {known.low:g} to {known.high:g}")
            models.append(choice)
            continue
        models.append({**choice, "params": {**choice["params"], known.name: new}})
        before = "its own choice" if old is None else f"{old:g}"
        how = f"{before} to {new:g}" if old != new else f"stays {new:g}"
        words.append(f"{name} {how}" + (" (added)" if choice["id"] in came else ""))
    if words:
        draft.say(f"The {SAY[what]}: {', '.join(words)}", draft.set(SELECT, models, "models"))
    elif limits:
        draft.problem(f"That {SAY[what]} is not possible: {', '.join(limits)}.")
    else:
        able = [m for m, parameters in PARAMETERS.items() if what in parameters]
        here = wanted or [c["id"] for c in plan["models"]]
        draft.problem(f"None of those models ({model_names(here)}) has a {SAY[what]}; {model_names(able)} have one.")


def _also_chosen(said: Said, named: Named) -> bool:
    first = next((i for i, t in enumerate(said.tokens) if t.kind == "word" and SPOKEN.at(said.tokens, i)), 0)
    return named.start < first and named.polarity in ("use", "only", "add")


def _moved(known: Known, old: Any, number: float | None, direction: int, what: str) -> float | int | None:
    """The new value of a parameter, None if it is out of range."""
    if number is not None:
        new = number
    else:
        base = old if isinstance(old, int | float) and not isinstance(old, bool) else None
        if what == "depth":
            base = 6 if base is None or base < 1 else base
            new = min(max(base + 2 * direction, known.low, 1), known.high)
        elif base is None:
            return None
        else:
            new = (base * 2.0**direction) if base else (1.0 if direction > 0 else 0.0)
            new = min(max(new, known.low), known.high)
        new = float(f"{new:.6g}")
        if known.whole:
            new = max(round(new), 1)
    if not known.low <= new <= known.high or (known.whole and new != int(new)):
        return None
    return int(new) if known.whole else float(new)


def models(said: Said, draft: Draft) -> None:
    """``use X instead of Y``, ``add X``, ``without X``, ``only X``."""
    named = said.free("models") + said.free("absent")
    if not named:
        return
    said.take(*(range(n.start, n.end) for n in named))
    said.take_words("instead", "retrain")
    for absent in (n for n in named if n.kind == "absent"):
        if absent.polarity == "avoid":
            draft.say(f"No {absent.value}: there are none among the models")
        else:
            draft.problem(no_such(draft.context, str(absent.value)))
    chosen = [n for n in named if n.kind == "models"]
    if not chosen:
        return
    wanted, unwanted, only = models_of(chosen)
    of_one = all(n.polarity == "named" and said.low[max(n.start - 1, 0) : n.start] == ["for"] for n in chosen)
    if of_one and "go" not in said.low:  # "ten minutes for xgboost"
        draft.answers.append(f"What else was said holds for every model, not for {model_names(wanted)} alone.")
        return
    if all(n.polarity == "named" for n in chosen) and (what := _unknown_words(said, chosen)):
        names = model_names(wanted[:1])
        draft.problem(
            f'Say what to do with {model_names(wanted)} ("{what}" was not understood): "use {names}", "add {names}" or '
            f'"without {names}".'
        )
        return
    replaces = any(n.replaces for n in chosen)
    adds = not only and not replaces and (any(n.polarity == "add" for n in chosen) or said.low[0] == "and")
    if draft.plan(SELECT) is not None:
        _choose(draft, wanted, unwanted, only=only, adds=adds, replaces=replaces)
    elif draft.plan(INTENT) is not None:
        _wish_models(draft, wanted, unwanted, adds=adds)
    else:
        draft.problem("Models can be chosen once the request was read; say it again then.")


def _unknown_words(said: Said, named: list[Named]) -> str:
    """What else the clauses say that name models, where it is no known word: ``cancel xgboost``."""
    known = {i for item in said.items for i in range(item.start, item.end)} | said.taken
    ends = [i for i, w in enumerate(said.low) if w in (",", "but")]
    clause: set[int] = set()
    for n in named:
        start = max((i for i in ends if i < n.start), default=-1)
        clause.update(range(start + 1, min((i for i in ends if i >= n.end), default=len(said.low))))
    words = [
        said.tokens[i]
        for i in sorted(clause - known)
        if said.tokens[i].kind in ("word", "quoted") or said.low[i] == "->"
    ]
    return " ".join([t.text for t in words if t.low not in _BESIDE][:8])


_BESIDE = (
    FILLER
    | NEGATORS
    | words_of(
        """
    retrain again training using model classifier regressor instead please best default only too algorithm algorithms
    parameters over switch set change update rather actually maybe out keep predict oh hmm oops sorry wait within under
    """
    )
    | UNITS.firsts
    | NUMBERS.firsts
)


def _choose(draft: Draft, wanted: list[str], unwanted: list[str], *, only: bool, adds: bool, replaces: bool) -> None:
    plan = draft.plan(SELECT) or {}
    old = {c["id"]: c for c in plan["models"]}
    available = [m.id for m in draft.context.models] or list(ALL_MODELS)
    unknown = [m for m in wanted if m not in available and m not in old]
    wanted = [m for m in wanted if m not in unknown]
    if unknown:
        draft.problem(f"{model_names(unknown)} cannot be trained here; the candidates are {model_names(available)}.")
        if not wanted:
            return
    missing = [m for m in unwanted if m not in old]
    adds = adds or wanted == [ENSEMBLE]  # which is made of the others
    if replaces or adds or not wanted:
        new = [m for m in old if m not in unwanted]
        at = next((i for i, m in enumerate(old) if m in unwanted), len(new)) if replaces else len(new)
        at = min(at, len(new))
        new[at:at] = [m for m in wanted if m not in new]
    else:
        base = [] if only else [m for m in old if m == "dummy" and m not in unwanted and m not in wanted]
        new = [*base, *wanted]
    new.sort(key=lambda m: m == ENSEMBLE)
    if not new:
        others = model_names(m for m in available if m not in unwanted)
        draft.problem(f"At least one model must stay; besides {model_names(unwanted)} there are {others}.")
        return
    changed = draft.set(SELECT, [old.get(m, {"id": m, "params": {}}) for m in new], "models")
    gone = [m for m in old if m not in new]
    came = [m for m in new if m not in old]
    words = [f"{model_names(came)} added" if came else "", f"{model_names(gone)} left out" if gone else ""]
    detail = "; ".join(w for w in words if w)
    draft.say(f"Models to train: {model_names(new)}" + (f" ({detail})" if detail else ""), changed)
    if missing and replaces:
        draft.said.append(f"({model_names(missing)} was not among them.)")


def _wish_models(draft: Draft, wanted: list[str], unwanted: list[str], *, adds: bool) -> None:
    """Before there is a choice of models: what the request wants and does not want."""
    plan = draft.plan(INTENT) or {}
    include = [m for m in plan["include_models"] if m not in unwanted]
    if wanted:
        include = [*include, *(m for m in wanted if m not in include)] if adds and include else wanted
    exclude = [*dict.fromkeys(m for m in (*plan["exclude_models"], *unwanted) if m not in wanted)]
    changed = draft.set(INTENT, include, "include_models")
    changed = draft.set(INTENT, exclude, "exclude_models") or changed
    words = [f"wanted {model_names(include)}" if include else "", f"not {model_names(exclude)}" if exclude else ""]
    draft.say(f"Models: {'; '.join(w for w in words if w)}", changed)


def metric(said: Said, draft: Draft) -> None:
    """``optimise recall``, ``use AUC``, ``false negatives are costly``."""
    items = said.rest()
    why = next((i for i, w in enumerate(said.low) if w in ("because", "since")), None)
    if why is not None and said.has("too", "low", "bad", "poor"):  # "retrain because accuracy is too low"
        items = [i for i in items if i.start < why]
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


def _bound_after(said: Said, end: int) -> bool:
    """``recall of at least 0.9``."""
    after = said.low[end : end + 4]
    number = next((n for n, w in enumerate(after) if said.tokens[end + n].kind == "number"), None)
    return number is not None and bool({"least", "above", "over"} & set(after[:number]))


def budget(said: Said, draft: Draft) -> None:
    """``two minutes``, ``more time``, ``train longer``."""
    taken = [i for i in range(len(said.tokens)) if i in said.taken]
    found = budget_of(said.tokens)
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
        seconds = min(max(float((draft.plan(stage) or {})["time_budget_s"]) + extra, 1.0), MAX_SECONDS)
    else:
        seconds = None
        factor = _more_time(said)
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
            return -by[0] if said.words & (DOWN | {"shorten"}) else by[0]
    for i, low in enumerate(said.low):
        if low not in ("more", "extra", "additional", "another", "longer"):
            continue
        rest = said.tokens[:i] + said.tokens[i + 1 :]
        found = next((d for d in durations(rest) if d[1] <= i <= d[2]), None)
        if found is not None and said.low[i + 1 : i + 2] != ["than"]:
            said.take(range(found[1], found[2] + 1))
            said.take_words("time", "give", "training", "train")
            return found[0]
    return None


def _more_time(said: Said) -> float | None:
    about_time = said.has("time", "budget", "longer", "shorter") and said.has(
        "time", "budget", "train", "training", "run", "longer"
    )
    if not about_time or said.has("split", "column", "by") or said.words & NEGATORS:
        return None
    share = next((float(t.low) / 100 for i, t in enumerate(said.tokens[:-1]) if said.low[i + 1] == "%"), None)
    if said.has("more", "longer", "twice", "double", "increase", "extend"):
        return 2.0 if share is None else 1 + share
    if share is not None and share < 1 and said.has("less", "shorter", "reduce", "shorten"):
        return 1 - share
    return 0.5 if said.has("less", "shorter", "halve", "half", "reduce", "shorten") else None


def preference(said: Said, draft: Draft) -> None:
    """``accuracy over speed``, ``faster``, ``something explainable``."""
    why = next((i for i, w in enumerate(said.low) if w in ("because", "since")), None)
    items = [i for i in said.rest() if not (said.understood and why is not None and i.start > why)]
    wish = preference_of(said.tokens, items)
    if wish is None:
        return
    said.take(*(range(i.start, i.end) for i in items if i.kind in ("prefer", "metric", "black box")))
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
    whose = [n for n in found if said.low[n.start - 1] in ("for", "of")]
    told = min((i for i, w in enumerate(said.low) if w in _TUNE), default=len(said.low))
    if not whose and told < len(said.low) and all(n.polarity == "named" and n.start > told for n in found):
        return found
    return whose


def trials(said: Said, draft: Draft) -> None:
    """``20 trials``, ``tune more``, ``no tuning``."""
    count: float | None = None
    default = said.has("default", "defaults") and said.has(*_TRIALS, *_TUNE, "parameters", "params")
    tuning = default or any(w in _TUNE and i not in said.taken for i, w in enumerate(said.low))
    if not tuning and said.words.isdisjoint(_TRIALS):
        return
    for i, low in enumerate(said.low):
        if low in _TRIALS and i and i not in said.taken:
            token = said.tokens[i - 1]
            spoken = NUMBERS.at(said.tokens, i - 1) if token.kind == "word" else None
            count = float(token.low) if token.kind == "number" else spoken[0] if spoken else None
            if count is None and said.has("more", "double", "twice"):
                count = -2
            said.take(range(max(0, i - 1), i + 1))
        elif low in _TRIALS and i + 2 < len(said.low) and said.tokens[i + 2].kind == "number":
            count = float(said.tokens[i + 2].low)
            said.take(range(i, i + 3))
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
