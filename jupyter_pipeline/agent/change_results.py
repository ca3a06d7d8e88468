"""Rules for what is said of results: which run's model is kept, the threshold, what goes into the bundle."""

from ..protocol.events import LeaderboardRow
from ..protocol.names import model_name, model_names, task_name
from ..protocol.stages import StageId
from .draft import Draft, Said
from .scan import Named, models_of
from .vocabulary import BUNDLE, NUMBERS

TRAIN, REVIEW = StageId.TRAIN, StageId.REVIEW_EDIT
_KEEP = ("keep", "choose", "pick", "select", "take", "deploy", "go", "proceed", "continue")
_BY_WHAT = (
    "fastest",
    "quickest",
    "faster",
    "simpler",
    "smaller",
    "simplest",
    "smallest",
    "accurate",
    "slowest",
    "worst",
    "interpretable",
    "explainable",
)
_TRAINING = ("train", "retrain", "again", "rerun", "tune", "with", "trials", "more")
_COURTESY = frozenset({",", "ok", "okay", "the", "please", "yes", "then", "thanks"})
_EXTREME = ("highest", "best", "lowest", "most", "least", "greatest", "smallest")
_PLACED = frozenset(["the", "first", "second", "third", "fourth", "fifth", "best", "one", "model", "please", "instead"])
_PLACES = {"best": 0, "first": 0, "top": 0, "winner": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4}


def keep(said: Said, draft: Draft) -> None:
    """``keep the random forest``, ``keep run-5-2-lightgbm``, ``take the second best``."""
    placed = (said.has("use") or said.words <= _PLACED) and said.has(*_PLACES) and draft.plan(TRAIN) is not None
    told = [i for i, w in enumerate(said.low) if w in _KEEP]
    kept = [i for i in told if not said.denied(i)]
    if told and not kept and said.free("models") and draft.plan(TRAIN) is not None:
        said.take(*(range(n.start, n.end) for n in said.named))
        draft.problem(_say_which(draft))
        return
    of_two = said.has("instead") and _instead_of_kept(said, draft)
    of_score = said.has("one", "model", "whichever", "whatever") and (
        said.has(*_BY_WHAT) or (said.has(*_EXTREME) and said.has("with", "has", "whichever"))
    )
    of_one = draft.plan(TRAIN) is not None and _the_one(said)
    if said.has("bundle") or (said.has("instead") and not of_two):
        return
    if not (kept or placed or of_two or of_one or _used(said, draft) or (of_score and draft.plan(TRAIN) is not None)):
        return
    good = [r for r in draft.context.leaderboard if r.status == "success"]
    if draft.plan(TRAIN) is not None and not said.named and (of_score or (kept and said.has(*_BY_WHAT))):
        said.take(range(len(said.tokens)))
        draft.problem(_say_which(draft))
        return
    named = [n for n in said.free("models") if n.polarity != "avoid"]
    row, span = _row(said, good, models_of(named)[0])
    models_meant = bool(named) and draft.plan(TRAIN) is not None
    if row is None:
        if models_meant and not said.has("only", "add"):
            said.take(*(range(n.start, n.end) for n in named))
            known = model_names(dict.fromkeys(r.model for r in good)) or "none"
            draft.problem(f"No finished run of {model_names(models_of(named)[0])} can be kept; finished: {known}.")
        return
    if draft.plan(TRAIN) is None:
        if span:
            said.take(span, *(range(n.start, n.end) for n in named))
            draft.problem("Which model is kept is decided when training has ended; say it again there.")
        return
    denied = [n for n in said.free("models") if of_two or _denied(said, n)]
    said.take(span, *(range(n.start, n.end) for n in (*named, *denied)))
    said.take_words("best", "one", "run", "model")
    draft.say(f"Kept: {model_name(row.model)} ({row.run_id})", draft.set(TRAIN, row.run_id, "keep"))


def _say_which(draft: Draft) -> str:
    good = dict.fromkeys(r.model for r in draft.context.leaderboard if r.status == "success")
    return f"Say which model is kept: {model_names(good)}, or the second best."


def _denied(said: Said, named: Named) -> bool:
    """Whether a model is only not the one that is kept: ``keep xgboost, not lightgbm``."""
    before = said.low[max(0, named.start - 2) : named.start]
    return named.polarity == "avoid" and (
        before[-1:] == ["not"] or before[-1:] == ["keep"] or before == ["rather", "than"]
    )


def _instead_of_kept(said: Said, draft: Draft) -> bool:
    """``use xgboost instead``, where training has just ended: of what was trained another one is kept."""
    trained = {r.model for r in draft.context.leaderboard if r.status == "success"}
    named = [n for n in said.named if n.kind == "models"]
    wanted = models_of([n for n in named if n.polarity != "avoid"])[0]
    here = draft.plan(TRAIN) is not None
    known = len(wanted) == 1 and {model for n in named for model in n.value} <= trained
    return here and known and not said.has(*_TRAINING) and not any(t.kind == "number" for t in said.tokens)


def _the_one(said: Said) -> bool:
    """``the linear one``, and no more."""
    one = [n for n in said.named if n.kind == "models"]
    beside = {w for i, w in enumerate(said.low) if not any(n.start <= i < n.end for n in one)}
    return len(one) == 1 and "one" in beside and beside <= _COURTESY | {"one", "use", "keep", "take"}


def _used(said: Said, draft: Draft) -> bool:
    """``use lightgbm``, where training has just ended and nothing else is said."""
    here = draft.context.current_stage is TRAIN and draft.plan(TRAIN) is not None
    one = [n for n in said.named if n.kind == "models"]
    if len(one) != 1 or len(one[0].value) != 1 or any(t.kind == "number" for t in said.tokens):
        return False
    kinds = {(i.kind, i.value) if i.kind == "cue" else (i.kind,) for i in said.rest()}
    trained = any(r.model in one[0].value for r in draft.context.leaderboard)
    beside = {w for i, w in enumerate(said.low) if not one[0].start <= i < one[0].end}
    alone = kinds == {("models",)} and beside <= _COURTESY  # "ok, xgboost"
    told = alone or kinds == {("cue", "use"), ("models",)}
    return here and trained and told and not said.has(*_TRAINING)


def _row(said: Said, good: list[LeaderboardRow], models: list[str]) -> tuple[LeaderboardRow | None, range]:
    words = " ".join(said.low)
    for row in good:
        if row.run_id.lower().replace("-", " ") in words.replace("-", " ") or row.run_id.lower() in said.text.lower():
            return row, range(len(said.tokens))
    if models:
        return next((r for r in good if r.model in models), None), range(0)
    if said.has("model", "one", "run", "best") and not said.has("column", "columns", "so", "far"):
        for i, low in enumerate(said.low):
            place = _PLACES.get(low)
            if place is not None and not (low == "best" and i and said.low[i - 1] in _PLACES):
                return (good[place] if place < len(good) else None), range(i, i + 1)
    return None, range(0)


_BEST = ("tune", "tuning", "optimise", "optimize", "optimal", "best", "find", "choose", "search")
_THRESHOLD = ("threshold", "cutoff", "thresh", "thr", "thresholds")
_LOWER = ("lower", "reduce", "decrease", "smaller", "down")


def threshold(said: Said, draft: Draft) -> None:
    """``threshold 0.3``, ``lower the threshold``, ``default threshold``."""
    at = next((i for i, w in enumerate(said.low) if w in _THRESHOLD or said.low[i : i + 2] == ["cut", "off"]), None)
    if at is None:
        return
    said.take(range(at, at + 1 + (said.low[at] == "cut")))
    plan = draft.plan(TRAIN)
    if plan is None:
        draft.problem("The threshold is decided when training has ended; say it again there.")
        return
    if draft.context.task_type not in (None, "binary"):
        draft.problem(
            f"A threshold has a meaning for binary tasks only; this one is {task_name(draft.context.task_type)}."
        )
        return
    aimed = (
        any(item.kind == "metric" and at < item.start for item in said.items) and {"so", "such", "gives"} & said.words
    )
    if aimed or _of_a_score(said):
        said.take(range(len(said.tokens)))
        draft.answers.append(_BY_METRIC)
        return
    value: float | None = None
    numbers = [i for i, t in enumerate(said.tokens) if t.kind == "number" and abs(i - at) <= 6]
    old = 0.5 if plan.get("threshold") is None else float(plan["threshold"])
    if numbers:
        after = said.low[numbers[0] + 1] if numbers[0] + 1 < len(said.low) else ""
        value = float(said.tokens[numbers[0]].low) / (100 if after in ("%", "percent") else 1)
        if after == "/" and len(numbers) == 2 and float(said.tokens[numbers[1]].low) > 0:
            value = round(value / float(said.tokens[numbers[1]].low), 4)  # "1/3"
        if said.low[numbers[0] - 1] == "by":
            value = round(old - value if said.has(*_LOWER) else old + value, 4)
        said.take(range(numbers[0], numbers[0] + 2))
    elif said.has(*_LOWER):
        value = round(max(old - 0.1, 0.05), 4)
    elif said.has("higher", "raise", "increase", "bigger", "up"):
        value = round(min(old + 0.1, 0.95), 4)
    elif said.has("default", "no", "without", "reset", "remove"):
        draft.say("Threshold: the default", draft.set(TRAIN, None, "threshold"))
        said.take_words("default", "reset")
        return
    elif any(item.kind == "metric" for item in said.items) or said.has(*_BEST):
        said.take_named(*_BEST)
        said.take(*(range(item.start, item.end) for item in said.items if item.kind == "metric"))
        draft.answers.append(_BY_METRIC)
        return
    said.take_words("lower", "higher", "raise", "reduce", "set", "use")
    if value is None or not 0 <= value <= 1:
        draft.problem('A threshold goes from 0 to 1, for example "threshold 0.3".')
        return
    draft.say(f"Threshold: {value:g}", draft.set(TRAIN, value, "threshold"))


_BY_METRIC = 'The threshold is chosen by the metric, on the validation rows, while it trains; or say "threshold 0.3".'


def _of_a_score(said: Said) -> bool:
    """``the threshold that gives 90% recall``: the number is a score's."""
    for item in said.items:
        at = item.start - 1 - (item.start > 1 and said.low[item.start - 1] in ("%", "percent"))
        if item.kind == "metric" and at >= 0 and said.tokens[at].kind == "number":
            return True
    return False


def bundle(said: Said, draft: Draft) -> None:
    """``leave the notebook out``, ``include the event log``, ``10 sample rows``."""
    if said.words.isdisjoint(BUNDLE.firsts) and not said.has("sample", "example", "data"):
        return
    found: list[tuple[str, int, int]] = []
    columns = {at for n in said.named if n.kind == "column" for at in range(n.start, n.end)}
    for i, token in enumerate(said.tokens):
        phrase = BUNDLE.at(said.tokens, i) if token.kind == "word" and i not in said.taken | columns else None
        if phrase and not (found and found[-1][1] > i):
            found.append((phrase[0], i + phrase[1], i))
    if said.has("data") and not found and draft.plan(REVIEW) is not None and said.has("include", "leave", "without"):
        if any(item.kind == "cue" and item.value == "avoid" for item in said.items):
            said.take(range(len(said.tokens)))
            draft.problem(
                "The data go along with the training code, so that it can be run; to leave them out, leave the "
                "training code and the notebook out."
            )
        return
    rows = _sample_rows(said)
    cued = [i for i in said.items if i.kind == "cue"]
    if rows is None and (not found or not cued):
        return
    if draft.plan(REVIEW) is None:
        if rows is not None or said.has("bundle", "export", "zip", "include", "leave"):
            said.take(*(range(start, end) for _, end, start in found))
            draft.problem("What goes into the bundle is decided at the stage Review; say it again there.")
        return
    if rows is not None:
        draft.say(f"Sample rows in the bundle: {rows}", draft.set(REVIEW, rows, "sample_rows"))
    words, changed = [], False
    for member, end, start in found:
        if not cued:
            continue
        said.take(range(start, end))
        following = said.low[end : end + 2]
        stays = following[:1] in (["in"], ["alone"]) or following in (["as", "is"], ["as", "it"])
        stays = stays and following != ["in", "the"]  # "the event log in the zip"
        but = max((i for i, w in enumerate(said.low[:start]) if w == "but"), default=0)
        cue = next((c for c in reversed(cued) if but <= c.start and c.end <= start), None)
        cue = cued[0] if cue is None and len(found) == 1 else cue
        negated = cue is not None and any(c.value == "avoid" and 0 <= cue.start - c.end <= 1 for c in cued)
        wanted = ((cue is None or cue.value != "avoid") != negated) or stays
        changed = draft.set(REVIEW, wanted, member) or changed
        words.append(f"{'with' if wanted else 'without'} {member.replace('_', ' ')}")
    said.take_words("out", "bundle", "export", "leave")
    if words:
        draft.say(f"Bundle {', '.join(dict.fromkeys(words))}", changed)


def _sample_rows(said: Said) -> int | None:
    for i, low in enumerate(said.low[:-1]):
        if low in ("sample", "example") and said.low[i + 1] in ("rows", "row"):
            said.take(
                range(max(0, i - 1), min(i + 4, len(said.low)) if said.low[i + 2 : i + 3] in ([":"], ["="]) else i + 2)
            )
            if i and said.low[i - 1] in ("no", "without"):
                return 0
            colon = i + 2 < len(said.low) and said.low[i + 2] in (":", "=")
            near = [j for j in (i - 1, i + 2 + colon) if 0 <= j < len(said.tokens)]
            for j in near:
                if said.tokens[j].kind == "number" and said.low[j].isdigit() and int(said.low[j]) <= 1000:
                    return int(said.low[j])
            spoken = NUMBERS.at(said.tokens, i - 1) if i else None
            return int(spoken[0]) if spoken and spoken[0] >= 1 else None
    return None
