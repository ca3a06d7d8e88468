"""Rules for what is said of the parameters of models: which one, of which models, and what it shall be."""

from collections.abc import Sequence
from typing import Any

from ..protocol.names import model_name, model_names
from ..protocol.stages import StageId
from .draft import Draft, Said
from .parameters import DOWN, FOREIGN, OF_LINEAR, PARAMETERS, SAY, SPOKEN, UP, Known, assigned
from .scan import Named, models_of
from .vocabulary import NEGATORS, NUMBERS, UNITS
from .words import words_of

SELECT = StageId.MODEL_SELECT
_HOW_MANY = ("half", "more", "fewer", "double", "halve", "twice", "less", "increase", "decrease", "reduce", "raise")
_RETRAIN = ("retrain", "train", "training", "again", "rerun", "refit", "re", "run", "with", "use", "using")


def parameters(said: Said, draft: Draft) -> None:
    """``higher learning rate``, ``max depth 6 for xgboost``, ``500 trees``, ``more trees``, ``C=0.1``."""
    if said.words.isdisjoint(SPOKEN.firsts | OF_LINEAR):
        return
    _of_linear(said, draft)
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
        if (of_range := _range(said, i + n)) is not None:
            said.take(range(i, i + n), of_range)
            draft.problem(
                f'A model takes one {SAY[what]}, not a range; "20 trials" has a search try several settings of each.'
            )
            continue
        if (words := _no_number(said, i + n)) is not None:
            said.take(range(i, words[1]))
            said.take_words(*_RETRAIN)
            _set_no_number(said, draft, what, words[0], whose.get(i, []))
            moved.add(f"{what} {[m.start for m in whose.get(i, [])]}")
            continue
        number = _number_near(said, i, n)
        direction = _direction(said, i, n)
        if number is None and direction and any(said.denied(at) or said.low[at] in NEGATORS for at in range(i, i + n)):
            said.take(range(i, i + n))
            said.take_words(*UP, *DOWN)
            draft.answers.append(f"The {SAY[what]} stays as it is.")
            continue
        spoken_by = _by_spoken(said, i + n)
        if spoken_by or (number is not None and direction and "by" in said.low[i + n : i + n + 8]):  # of that number
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
        said.take_words(*_RETRAIN, *((UP | DOWN) - SPOKEN.firsts))
        of = whose.get(i, [])
        key = f"{what} {[n.start for n in of]}"
        if number is not None or key not in moved:  # "higher" said twice is still once higher
            _set_parameter(said, draft, what, number, direction, of, trees_only=trees_only, but=models_of(contrast)[1])
        moved.add(key)
    if moved:  # "100 trees for lightgbm, not for xgboost" leaves the latter as it is
        said.take(*(range(n.start, n.end) for n in contrast))


_NONE = words_of("none null unlimited default auto unset nothing")


def _no_number(said: Said, at: int) -> tuple[str, int] | None:
    """What a parameter is set to that is no number, and the end of it: ``max_features=sqrt``, ``max_depth: None``."""
    link = said.low[at : at + 1]
    if link not in (["="], [":"], ["to"]) or not said.tokens[at + 1 : at + 2]:
        return None
    value = said.tokens[at + 1]
    if value.kind not in ("word", "quoted") or (link != ["="] and value.low not in _NONE):
        return None
    if NUMBERS.at(said.tokens, at + 1) or any(n.start == at + 1 for n in said.named):
        return None
    return value.low, at + 2


def _set_no_number(said: Said, draft: Draft, what: str, value: str, named: list[Named]) -> None:
    """A parameter that is left to the model again, where the model knows how; else what it takes is said."""
    plan = draft.plan(SELECT)
    if plan is None:
        draft.problem(_too_early(f"The {SAY[what]} of a model"))
        return
    said.take(*(range(n.start, n.end) for n in named))
    wanted = models_of(named)[0]
    models, words, takes = [], [], []
    for choice in plan["models"]:
        known = PARAMETERS.get(choice["id"], {}).get(what)
        if known is None or (wanted and choice["id"] not in wanted):
            models.append(choice)
            continue
        free = value in ("default", "auto", "unset") or known.default in (None, -1)
        if not free or value not in _NONE:
            takes.append(_takes(choice["id"], known))
            models.append(choice)
            continue
        models.append({**choice, "params": {k: v for k, v in choice["params"].items() if k != known.name}})
        words.append(f"{model_name(choice['id'])} as by default")
    if words:
        draft.say(f"The {SAY[what]}: {', '.join(words)}", draft.set(SELECT, models, "models"))
    if takes:
        draft.problem(f"The {SAY[what]} is a number, not {value!r}: {', '.join(takes)}.")
    if not words and not takes:
        draft.problem(_none_has(what, wanted or [c["id"] for c in plan["models"]]))


def _takes(model: str, known: Known) -> str:
    kind = "a whole number" if known.whole else "one"
    return f"{model_name(model)} takes {kind} from {known.low:g} to {known.high:g}"


def _none_has(what: str, models: list[str]) -> str:
    able = [m for m, parameters in PARAMETERS.items() if what in parameters]
    if set(models) <= set(able):
        return f'{model_names(models)}: not among the models to train; say "add {model_names(models)}" first.'
    return f"None of those models ({model_names(models)}) has a {SAY[what]}; {model_names(able)} have one."


def _too_early(what: str) -> str:
    return f"{what} can be set once models are proposed, at the stage Models; say it again there."


def _of_linear(said: Said, draft: Draft) -> None:
    """``C=0.1``, ``alpha: 10 for ridge``: what scikit-learn's linear models call their penalty."""
    columns = {n.start for n in said.named if n.kind == "column"}
    named = [n for n in said.free("models") if n.polarity != "avoid"]
    own = [n for n in named if n.value == ("linear",)]
    if named and not own:
        return
    for i, low in enumerate(said.low[:-1]):
        if low not in OF_LINEAR or i in columns or i in said.taken:
            continue
        if not (assigned(said.tokens, i) or said.low[i + 1] in ("to", "of") or _free_number(said, i + 1)):
            continue
        number = _number_near(said, i, 1)
        if number is None:
            continue
        said.take(range(i, i + 1))
        said.take_words(*_RETRAIN)
        name = said.tokens[i].text
        if low == "c" and number <= 0:
            draft.problem("C must be above 0: the smaller it is, the stronger the regularisation.")
            continue
        plan = draft.plan(SELECT)
        if plan is not None and not own and "linear" not in [c["id"] for c in plan["models"]]:
            draft.problem(f'{name} is of the Linear model, which is not among those to train; say "add Linear model".')
            continue
        at = Named("models", ("linear",), "named", i, i + 1)
        if low == "c" and plan is not None:
            draft.answers.append(f"({name} {number:g} is an L2 regularisation of 1 / {number:g}.)")
        l2 = number if low == "alpha" else 1 / number
        _set_parameter(said, draft, "l2", l2, 0, [at, *own], trees_only=False)
        if any(n.start < i and n.polarity in ("use", "only", "add") for n in own):  # "use X with C=0.1" chooses, too
            said.taken.difference_update(*(range(n.start, n.end) for n in own))
        else:
            said.take(*(range(n.start, n.end) for n in own))


_OTHERS = words_of(
    """
    target metric threshold cutoff trials n_trials seed random_state random_seed test test_size test_fraction val
    val_size val_fraction validation validation_size train split budget time time_budget time_limit timeout model models
    sheet sheet_name task task_type positive_class positive pos_label y x label dataset data keep stage stratify prefer
    optimize optimise scoring sample_rows
    """
)


def unknown_parameters(said: Said, draft: Draft) -> None:
    """``gamma=0.1``, ``set n_jobs to 4``: parameters that no model has here, with those that there are."""
    columns = {at for n in said.named if n.kind == "column" for at in range(n.start, n.end)}
    for i, token in enumerate(said.tokens):
        if token.kind not in ("word", "quoted") or i in said.taken or i in columns or token.low in _OTHERS:
            continue
        given = assigned(said.tokens, i) and said.tokens[i + 2].kind in ("word", "number", "quoted")
        foreign = token.low in FOREIGN | OF_LINEAR
        coded = foreign or "_" in token.low
        at = i + 1
        while at < len(said.tokens) and said.low[at] in ("to", "of", "=", ":", "is", "at"):
            at += 1
        spoken = foreign and token.low not in ("c", "degree", "objective") and _free_number(said, at)
        if not (given and (coded or said.tokens[i + 1].text == "=")) and not spoken:
            continue
        said.take(range(i, at + 1))
        said.take_words(*_RETRAIN, "set", "change", "make", "increase", "lower", "raise", "reduce", "params")
        named = [n for n in said.named if n.kind == "models" and n.polarity != "avoid"]
        said.take(*(range(n.start, n.end) for n in named if not _also_chosen(said, n)))
        _no_such_parameter(draft, token.text, models_of(named)[0])


def _no_such_parameter(draft: Draft, name: str, models: list[str]) -> None:
    plan = draft.plan(SELECT)
    if plan is None:
        draft.problem(_too_early("The parameters of a model"))
        return
    models = models or [choice["id"] for choice in plan["models"]]
    have = list(dict.fromkeys(known.name for m in models for known in PARAMETERS.get(m, {}).values()))
    if len(models) == 1:
        those = f"it has {', '.join(have)}" if have else "it has none"
        draft.problem(f"{model_name(models[0])} has no parameter {name!r} here; {those}.")
    else:
        draft.problem(f"No model to train has a parameter {name!r} here; they have {', '.join(have) or 'none'}.")


def defaults(said: Said, draft: Draft) -> None:
    """``default parameters for lightgbm``, ``reset the parameters``: what was set is set no more."""
    plan = draft.plan(SELECT)
    if plan is None or not (said.has(*_DEFAULT) and said.has(*_OF_MODELS)):
        return
    named = [n for n in said.free("models") if n.polarity != "avoid" and n.polarity != "only"]
    wanted = models_of(named)[0]
    old = [c for c in plan["models"] if c["params"] and (not wanted or c["id"] in wanted)]
    if not old:
        return
    if wanted or said.has("reset"):
        said.take_named(*_DEFAULT, *_OF_MODELS, "back", "restore")
        said.take(*(range(n.start, n.end) for n in named))
    models = [{**c, "params": {}} if c in old else c for c in plan["models"]]
    draft.say(f"Default parameters: {model_names([c['id'] for c in old])}", draft.set(SELECT, models, "models"))


_DEFAULT = words_of("default defaults reset")
_OF_MODELS = words_of("parameters parameter params hyperparameters hyperparameter hyperparams settings")


def _by_spoken(said: Said, at: int) -> bool:
    """``by three``: of how much, in a word."""
    by = next((i for i in range(at, min(at + 8, len(said.low) - 1)) if said.low[i] == "by"), None)
    if by is None or not said.has(*UP, *DOWN) or said.low[by + 1] == "a":
        return False
    return NUMBERS.at(said.tokens, by + 1) is not None


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
    at = place - (place > 0 and _free_number(said, place - 1))  # "lgbm 127 leaves"
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
        elif _free_number(said, ahead) and not _names_parameter(said, ahead + 1):
            found[ahead] = named  # but "lgbm 127 leaves"
    first = start + (said.low[start : start + 1] in (["="], [":"], ["to"], ["of"]))
    before = [n for n in said.free("models") if n.end <= start and n.polarity != "avoid"]
    if found and before and first not in found and _free_number(said, first):  # "X with rate 0.1 and Y with 0.2"
        found[first] = before[-1]
    if len(found) < 2:
        return []
    said.take(*(range(at, at + 1) for at in found))
    return [(_value(said, at), named) for at, named in found.items()]


def _names_parameter(said: Said, at: int) -> bool:
    return at < len(said.tokens) and SPOKEN.at(said.tokens, at) is not None


def _free_number(said: Said, at: int) -> bool:
    return 0 <= at < len(said.tokens) and said.tokens[at].kind == "number" and at not in said.taken


def _value(said: Said, at: int) -> float:
    return float(said.tokens[at].low) / (100 if said.low[at + 1 : at + 2] == ["%"] else 1)


_LINKS = words_of("of to = : is at about around be by should for the a and or up down parameter param value")


def _range(said: Said, at: int) -> range | None:
    """``0.01 to 0.1``, ``between 4 and 8``, ``4-8``: from where to where a parameter may be."""
    start = at
    while at < len(said.tokens) and said.low[at] in _LINKS | {"between", "from", "in", "range"}:
        at += 1
    if not _free_number(said, at):
        return None
    joint = said.low[at + 1 : at + 2]
    joined = joint == ["to"] or (joint == ["and"] and "between" in said.low[start:at])
    if joined and _free_number(said, at + 2):
        return range(start, at + 3)
    hyphen = _free_number(said, at + 1) and said.text[said.tokens[at].end : said.tokens[at + 1].at] == "-"
    return range(start, at + 2) if hyphen else None


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
    but: Sequence[str] = (),
) -> None:
    plan = draft.plan(SELECT)
    if plan is None:
        draft.problem(_too_early(f"The {SAY[what]} of a model"))
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
        known = PARAMETERS.get(choice["id"], {}).get(what) if choice["id"] not in but else None
        if known is None or (wanted and choice["id"] not in wanted) or (trees_only and choice["id"] == "linear"):
            models.append(choice)
            continue
        name = model_name(choice["id"])
        old = choice["params"].get(known.name, usual.get(choice["id"], {}).get(known.name, known.default))
        new = _moved(known, old, number, direction, what)
        if new is None:
            limits.append(_takes(choice["id"], known))
            models.append(choice)
            continue
        models.append({**choice, "params": {**choice["params"], known.name: new}})
        before = "its own choice" if old is None else "no limit" if old == -1 else f"{old:g}"
        how = f"{before} to {new:g}" if old != new else f"stays {new:g}"
        words.append(f"{name} {how}" + (" (added)" if choice["id"] in came else ""))
    if words:
        draft.say(f"The {SAY[what]}: {', '.join(words)}", draft.set(SELECT, models, "models"))
    elif limits:
        draft.problem(f"That {SAY[what]} is not possible: {', '.join(limits)}.")
    else:
        draft.problem(_none_has(what, wanted or [c["id"] for c in plan["models"]]))


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
