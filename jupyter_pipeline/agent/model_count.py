"""Rules for how many models are trained: ``three models``, ``only the two best models``, ``one more model``."""

from ..protocol.names import model_name, model_names
from ..protocol.stages import StageId, StageStatus
from .change_models import set_models
from .draft import Draft, Said
from .vocabulary import ENSEMBLE, FILLER, NUMBERS
from .words import words_of

SELECT, TRAIN = StageId.MODEL_SELECT, StageId.TRAIN
#: Models by their mean rank on 13 tables of benchmarks/quality.py, 25 s and two settings of each: 2.2 to 5.7.
BY_MERIT = ("lightgbm", "xgboost", "catboost", "hist_gradient_boosting", "linear", "random_forest", "extra_trees")
_NOUNS = words_of("model models algorithm algorithms classifier classifiers regressor regressors learners candidates")
_BEST = words_of("best top good strongest strong promising accurate")
_QUICK = words_of("fastest quickest cheapest fast quick cheap")
_MORE, _FEWER = words_of("more another additional other further add adding also"), words_of("fewer less")
_VAGUE = words_of("few several couple")
_LEAST, _MOST = words_of("least minimum"), words_of("most maximum max up than exceed")
_ENOUGH = words_of("enough sufficient suffice plenty fine ok okay good many few do should")
_CLAUSE = (
    FILLER | _NOUNS | _BEST | _QUICK | _MORE | _FEWER | _VAGUE | _LEAST | _MOST | _ENOUGH
    | words_of("""
    use using train try fit keep only just take pick choose select want need limit restrict reduce increase include
    compare not no different first instead rather now at too to altogether overall total another that's them ?
    """)
)  # fmt: skip
"""Words that a clause may have which says how many; another word, and it says something else."""
_KEEP = words_of("keep choose pick select take")
_OTHERWISE = words_of(
    """
    for of from between all these those every each per in have has had was were did does by row rows column columns data
    dataset table file csv job project task
    """
)


def how_many(said: Said, draft: Draft) -> None:
    """``three models``, ``only the two best models``, ``two boosters``, ``one more model``."""
    for start, end in _clauses(said):
        _of_clause(said, draft, start, end)


def _clauses(said: Said) -> list[tuple[int, int]]:
    ends = [i for i, low in enumerate(said.low) if low in (",", "and", "but", "then")]
    return list(zip([0, *(i + 1 for i in ends)], [*ends, len(said.low)], strict=True))


def _of_clause(said: Said, draft: Draft, start: int, end: int) -> None:
    clause = set(said.low[start:end])
    counts = [i for i in range(start, end) if i not in said.taken and _number(said, i) is not None]
    families = [n for n in said.free("models") if start <= n.start < end and len(n.value) > 1]
    families = [n for n in families if said.low[n.start : n.end] not in (["tree"], ["trees"])]  # "1000 trees"
    of_family = {at for n in families for at in range(n.start, n.end)}
    here = draft.context.current_stage in (SELECT, TRAIN)
    about = bool(clause & _NOUNS or of_family or (here and clause & (_BEST | _QUICK) and counts))
    known = all(said.low[i] in _CLAUSE or i in counts or i in of_family for i in range(start, end))
    if (
        not about
        or not known
        or clause & (_OTHERWISE - ({"of"} if "couple" in clause else set()))
        or len(counts) > 1
        or (of_family and not counts)
    ):
        return
    if clause & {"is", "are"} and not clause & _ENOUGH:
        return  # "two models are"
    number = _number(said, counts[0]) if counts else 1.0 if "another" in clause or clause & {"best", "top"} else None
    more = bool(clause & _MORE) and clause.isdisjoint({"than", "no", "not", "max", "maximum"})
    if number is None and clause.isdisjoint(_MORE | _FEWER | _VAGUE):
        return
    plan, kept = draft.plan(SELECT), draft.plan(TRAIN)
    running = draft.context.current_stage is TRAIN and draft.context.status is StageStatus.IN_PROGRESS
    if number == 1 and not more and ((kept is not None and clause & _KEEP) or (running and "enough" in clause)):
        return  # which model is kept, or that training shall end
    named = any(n.polarity != "avoid" and n not in families for n in said.free("models"))
    if named and more:
        return  # "xgboost and one other model"
    said.take(range(start, end))
    if named:
        return  # "two models, xgboost and catboost"
    if plan is None:
        draft.problem("How many models are trained is decided at the stage Models; say it again there.")
    elif number is None or clause & {"many", *_VAGUE} or number != int(number) or number < 1:
        draft.problem('Say how many models, as in "three models", or which, as in "add catboost" or "without xgboost".')
    elif kept is not None and number == 1 and not more:
        row = next((r for r in draft.context.leaderboard if r.run_id == kept["keep"]), None)
        name = model_name(row.model) if row is not None else "the best"
        draft.answers.append(f'One model is kept: {name}. For another one say so, as in "keep the second best".')
    else:
        among = [m for n in families for m in n.value]
        _choose(draft, int(number), clause, among, more=more)


def _choose(draft: Draft, number: int, clause: set[str], among: list[str], *, more: bool) -> None:
    old = [c["id"] for c in (draft.plan(SELECT) or {})["models"]]
    ranked, why = _ranked(draft, quick=bool(clause & _QUICK))
    ranked = [m for m in ranked if not among or m in among]
    chosen = [m for m in old if m in ranked]
    count = number + (len(chosen) if more else 0)
    if count > len(ranked):
        draft.problem(f"There are {len(ranked)} to choose from: {model_names(ranked)}.")
        return
    if clause & _LEAST:
        count = max(count, len(chosen))
    elif clause & (_MOST - {"most"}) or {"at", "most"} <= clause:
        count = min(count, len(chosen))
    ranked.sort(key=lambda m: m not in chosen)  # what is chosen already comes first
    new = ranked[:count]
    beside = [m for m in old if m == "dummy" or (m == ENSEMBLE and count > 1)]
    models = [m for m in old if m in new or m in beside]
    changed = set_models(draft, [*models, *(m for m in new if m not in old)])
    if changed:
        draft.said.append(why)


def _ranked(draft: Draft, *, quick: bool) -> tuple[list[str], str]:
    """All models that can be trained, best or quickest first, and how that is known."""
    here = {m.id: m for m in draft.context.models}
    ranked = [m for m in BY_MERIT if not here or m in here]
    if quick:
        ranked.sort(key=lambda m: (here[m].cost_s or 0.0) if m in here else 0.0)
        return ranked, "They are expected to be the quickest."
    done = [r.model for r in draft.context.leaderboard if r.status == "success" and r.model in ranked]
    ranked = list(dict.fromkeys([*done, *ranked]))
    return ranked, "They did best so far." if done else "Which are best is known after training; often it is these."


def _number(said: Said, at: int) -> float | None:
    """The number that a token is."""
    token = said.tokens[at]
    if token.kind == "number":
        return float(token.low)
    spoken = NUMBERS.at(said.tokens, at) if token.kind == "word" and token.low not in ("a", "an") else None
    return spoken[0] if spoken is not None and spoken[0] >= 1 and spoken[1] == 1 and token.low != "few" else None
