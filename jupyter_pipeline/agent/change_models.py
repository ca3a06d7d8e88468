"""Rules for what is said of models: which of them are trained."""

from ..protocol.names import model_names
from ..protocol.stages import StageId
from .about_models import no_such
from .draft import Draft, Said
from .scan import Named, models_of
from .vocabulary import ALL_MODELS, ENSEMBLE, FILLER, NEGATORS, NUMBERS, UNITS
from .words import words_of

SELECT, INTENT = StageId.MODEL_SELECT, StageId.PARSE_INTENT


def models(said: Said, draft: Draft) -> None:
    """``use X instead of Y``, ``add X``, ``without X``, ``only X``."""
    named = said.free("models") + said.free("absent")
    if not named:
        return
    said.take(*(range(n.start, n.end) for n in named))
    said.take_words("instead", "retrain")
    for item in said.items:  # "X is too slow, drop it"
        it = said.low[item.end - 1 : item.end + 1]
        if item.kind == "cue" and item.value == "avoid" and ({"it", "them"} & set(it)):
            said.take(range(item.start, item.end + 1))
    for absent in (n for n in named if n.kind == "absent"):
        if absent.polarity == "avoid":
            draft.say(f"No {absent.value}: there are none among the models")
        else:
            draft.problem(no_such(draft.context, str(absent.value)))
    chosen = [n for n in named if n.kind == "models"]
    replaced_by_none = any(n.replaces for n in named if n.kind == "absent") and not any(n.replaces for n in chosen)
    if not chosen or replaced_by_none:  # "use SVMs instead of xgboost"
        return
    wanted, unwanted, only = models_of(chosen)
    of_one = all(n.polarity == "named" and said.low[max(n.start - 1, 0) : n.start] == ["for"] for n in chosen)
    if of_one and "go" not in said.low:  # "ten minutes for xgboost"
        draft.answers.append(f"What else was said holds for every model, not for {model_names(wanted)} alone.")
        return
    if all(n.polarity in ("named", "use") for n in chosen) and any(_comes_first(said, n) for n in chosen):
        names = model_names(wanted)
        draft.problem(
            "Models are trained one after another, the quickest first and boosting before forests; another order "
            f'cannot be chosen. To train {names} alone say "only {names}".'
        )
        return
    if all(n.polarity == "named" for n in chosen) and said.has("overfit", "overfits", "overfitting"):
        return  # which has been answered
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


def _comes_first(said: Said, named: Named) -> bool:
    """``train X first``, ``first train X``."""
    return said.low[named.end : named.end + 1] == ["first"] or said.low[:1] == ["first"]


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
    said_of = _SAID_OF - ({"like"} if said.has("would", "i'd", "we'd") else set())
    return " ".join([t.text for t in words if t.low not in _BESIDE or t.low in said_of][:8])


_SAID_OF = words_of("did does was were is are has might help helps works like likes")
"""What says something of models, rather than choose them."""
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
    if not new:
        others = model_names(m for m in available if m not in unwanted)
        draft.problem(f"At least one model must stay; besides {model_names(unwanted)} there are {others}.")
        return
    set_models(draft, new)
    if missing and replaces:
        draft.said.append(f"({model_names(missing)} was not among them.)")


def set_models(draft: Draft, new: list[str]) -> bool:
    """Have these models trained, with the parameters that they have; whether that changes anything."""
    old = {c["id"]: c for c in (draft.plan(SELECT) or {})["models"]}
    new = sorted(new, key=lambda m: m == ENSEMBLE)
    changed = draft.set(SELECT, [old.get(m, {"id": m, "params": {}}) for m in new], "models")
    gone = [m for m in old if m not in new]
    came = [m for m in new if m not in old]
    words = [f"{model_names(came)} added" if came else "", f"{model_names(gone)} left out" if gone else ""]
    detail = "; ".join(w for w in words if w)
    draft.say(f"Models to train: {model_names(new)}" + (f" ({detail})" if detail else ""), changed)
    return changed


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
