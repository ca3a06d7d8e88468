"""Rules for how the rows are divided: parts, seed, and whether by time, by group or stratified."""

from collections.abc import Iterator, Set

from ..protocol.stages import StageId
from .change_columns import role_of
from .draft import Draft, Said
from .scan import Named
from .vocabulary import FILLER, NEGATORS
from .words import words_of

PREPROCESS = StageId.PREPROCESS
_TRAIN = frozenset({"train", "training", "train_size"})
_TEST = frozenset({"test", "holdout", "testing", "tested", "test_size", "test_fraction"})
_VAL = frozenset({"validation", "val", "validate", "dev", "valid", "val_size", "validation_size", "val_fraction"})
_SHARES = {"half": 0.5, "third": 1 / 3, "quarter": 0.25, "fifth": 0.2, "sixth": 1 / 6, "eighth": 0.125, "tenth": 0.1}
_TIME = frozenset({"time", "chronological", "chronologically", "temporal", "temporally", "date", "dates"})
_JOINTS = frozenset({"/", ":", "%", "percent", "to", "-"})
_CLAUSE_ENDS = frozenset({",", "and", "but", "then"})
_SPLITTING = frozenset({"split", "splits", "splitting", "divide", "partition", "fold"})
_LARGER = tuple(words_of("larger bigger smaller more less fewer increase reduce enlarge twice double large small"))
_IN_TIME = ("chronologically", "chronological", "temporal", "temporally", "based", "ordered", "aware")
_STRATIFY = ("stratify", "stratified", "stratification")
_BARE = frozenset({",", "and", "for", "/", ":", "as", "in", "set", "but", "then"})
_BESIDE = FILLER | _TRAIN | _TEST | _VAL | frozenset(("random", "randomly", "using", "use", "please", *_STRATIFY))
_ANY = _SPLITTING | _TEST | _VAL | {"/", "seed", "random_state", "state", "group", "grouped", "groups", *_STRATIFY}
_ANY |= {"random", "hold", "together", "same", "part", "shuffle", "shuffled"}


def split(said: Said, draft: Draft) -> None:
    """``30% test``, ``80/20``, ``split by time using date``, ``group by customer_id``, ``seed 7``, ``stratify``."""
    about = said.has(*_SPLITTING)
    told = draft.told
    parts = _parts(said, draft, about=about)
    if draft.told > told:
        return
    if (
        not parts
        and said.words.isdisjoint(_ANY)
        and not (said.has("train", "training") and ("%" in said.words or _more_rows(said)))
    ):
        return
    seed = _seed(said)
    how = _strategy(said, draft, about=about, ratio=bool(parts))
    if not parts and seed is None and how is None:
        if said.has(*_TEST, *_VAL) and said.has(*_LARGER):
            said.take_named(*_TEST, *_VAL, *_LARGER)
            draft.problem('Say how large the part should be, for example "30% test rows".')
        elif said.has("train", "training") and (of := _train_share(said) or _more_rows(said)):
            said.take(of)
            draft.problem('Say how large the other parts shall be, for example "10% test rows, 10% validation rows".')
        return
    said.take_named(*_SPLITTING)
    said.take_words(*_TEST, *_VAL, "rows", "size", "set", "fraction", "by", "data", "using", "for")
    plan = draft.plan(PREPROCESS)
    if plan is None:
        if how is not None and how[0] in ("time", "group") and how[1] is not None and draft.plan(StageId.PROFILE_DATA):
            role_of(draft, [how[1]], how[0])  # which comes to this split
        if how is None or parts or seed is not None or not draft.plan(StageId.PROFILE_DATA) or how[1] is None:
            draft.problem("The split is decided at the stage Preparation; say it again there.")
        return
    new = {**plan["split"]}
    words = []
    for part, fraction in parts.items():
        if not 0 < fraction <= 0.45:
            draft.problem(f"A part of the split can have more than 0 and up to 45 % of the rows, not {fraction:.0%}.")
            return
        new[part] = fraction
    if new["val_fraction"] + new["test_fraction"] > 0.8:
        draft.problem("At least a fifth of the rows must be left to train on; take less for validation and test.")
        return
    if parts:
        of_each = (1 - new["val_fraction"] - new["test_fraction"], new["val_fraction"], new["test_fraction"])
        words.append("{:.4g}% training, {:.4g}% validation and {:.4g}% test rows".format(*(100 * p for p in of_each)))
    if seed is not None:
        new["seed"] = seed
        words.append(f"seed {seed}")
    if how is not None:
        strategy, column = how
        if strategy in ("time", "group") and column is None:
            column = plan["split"]["column"] if plan["split"]["strategy"] == strategy else _role(draft, strategy)
            if column is None:
                draft.problem(
                    f'Say by which column, for example "split by {strategy} using {_example(draft, strategy)}".'
                )
                return
        new.update(strategy=strategy, column=column if strategy in ("time", "group") else None)
        words.append(f"by {strategy}, column {column}" if strategy in ("time", "group") else strategy)
    draft.say(f"Split: {', '.join(words)}", draft.set(PREPROCESS, new, "split"))


def other_than(said: Said, draft: Draft) -> bool:
    """``don't split by time``, where the rows are divided so; whether that was meant."""
    plan = draft.plan(PREPROCESS)
    now = plan["split"]["strategy"] if plan is not None else None
    named = {"time": _TIME, "group": {"group", "groups", "grouped"}}.get(str(now), frozenset())
    by = plan["split"]["column"] if plan is not None else None
    of_it = bool(said.words & named) or any(n.kind == "column" and n.value == by for n in said.named)
    if plan is None or not (said.has(*_SPLITTING, "group", "shuffle") and of_it):
        return False
    strategy = "random" if draft.context.task_type == "regression" else "stratified"
    draft.say(
        f"Split: {strategy}", draft.set(PREPROCESS, {**plan["split"], "strategy": strategy, "column": None}, "split")
    )
    return True


def _parts(said: Said, draft: Draft, *, about: bool) -> dict[str, float]:
    """Fractions for test and validation rows."""
    for run in (
        *_ratios(said, about=about),
        *(_ratios(said, about=about, joints=_JOINTS | {",", "and"}) if about else ()),
    ):
        numbers = [float(said.low[i]) for i in run if said.tokens[i].kind == "number"]
        small = sum(numbers) in (2, 3, 4, 5, 6, 8, 10) and ":" in said.low[run.start : run.stop]
        if _is_whole(sum(numbers)) or (small and (about or sum(numbers) == 10)):
            said.take(_clause(said, run) if about else run)
            return _shares(numbers, _labels(said))
        if {"/", ":"} & set(said.low[run.start : run.stop]):
            said.take(run)
            draft.problem('The parts must come to 100 %, as in "70/15/15" for training, validation and test rows.')
            return {}
    found: dict[str, float] = {}
    for i, low in enumerate(said.low):
        part = (
            "test_fraction"
            if low in _TEST or said.low[i - 1 : i + 1] == ["hold", "out"]
            else "val_fraction"
            if low in _VAL
            else None
        )
        at = _nearest_number(said, i) if part else None
        share = _spoken(said, i) if part is not None and at is None else None
        if part is not None and share is not None:
            found[part] = round(_SHARES[said.low[share]], 4)
            said.take(range(min(i, share), max(i, share) + 1))
        if part is not None and at is not None:
            fraction = _fraction(said, at)
            if fraction is not None:
                found[part] = fraction
                said.take(range(min(i, at), max(i, at) + 2))
    if found and (of := _train_share(said)):  # "80% train, 20% test"
        said.take(of)
    return found


def _ratios(said: Said, *, about: bool, joints: Set[str] = _JOINTS) -> Iterator[range]:
    """Two or three numbers in a row, as in ``80:20`` or ``70-15-15``, that are all that a clause says, or the split."""
    i = 0
    while i < len(said.tokens):
        if said.tokens[i].kind != "number" or i in said.taken:
            i += 1
            continue
        end = at = i + 1
        while at < len(said.tokens) and (said.tokens[at].kind == "number" or said.low[at] in joints):
            at += 1
            if said.tokens[at - 1].kind == "number" or said.low[at - 1] == "%":
                end = at
        run, i = range(i, end), end
        clause = _clause(said, run)
        alone = all(at in run or said.low[at] in _BESIDE for at in clause)
        values = [float(t.low) for t in said.tokens[run.start : run.stop] if t.kind == "number"]
        several = len(values) in (2, 3) and min(values) > 0  # no "0/1"
        if several and (about or alone or "/" in said.low[run.start : run.stop]):
            yield run


def _clause(said: Said, run: range) -> range:
    """The clause that some tokens are in."""
    start = next((i + 1 for i in range(run.start - 1, -1, -1) if said.low[i] in _CLAUSE_ENDS), 0)
    return range(start, next((i for i in range(run.stop, len(said.low)) if said.low[i] in _CLAUSE_ENDS), len(said.low)))


def _labels(said: Said) -> list[str]:
    """Parts that are named, in their order: ``train/val/test``."""
    every = (("train_fraction", _TRAIN), ("val_fraction", _VAL), ("test_fraction", _TEST))
    named = [part for low in said.low for part, words in every if low in words]
    return [part for i, part in enumerate(named) if named[i - 1 : i] != [part]]


def _shares(numbers: list[float], labels: list[str]) -> dict[str, float]:
    """Of each part; without labels the largest is for training, and the last of the others for testing."""
    shares = [round(n / sum(numbers), 4) for n in numbers]
    if len(labels) == len(set(labels)) == len(shares):
        return {part: share for part, share in zip(labels, shares, strict=True) if part != "train_fraction"}
    shares.remove(max(shares))
    return {"test_fraction": shares[-1], **({"val_fraction": shares[0]} if len(shares) == 2 else {})}


def _is_whole(total: float) -> bool:
    return abs(total - 100) < 0.01 or abs(total - 1) < 0.001


def _spoken(said: Said, i: int) -> int | None:
    """The token of a share in words, near a word: ``a third for testing``, ``a quarter of the rows as test set``."""
    if said.has("bigger", "larger", "smaller", "more", "less", "fewer"):
        return None
    near = [j for j in range(max(0, i - 6), min(len(said.low), i + 6)) if said.low[j] in _SHARES]
    near = [j for j in near if (j and said.low[j - 1] in ("a", "one", "half")) or said.low[j] == "half"]
    near = [j for j in near if not {"and", ","} & set(said.low[min(i, j) : max(i, j)])]
    return min(near, key=lambda j: abs(j - i)) if near else None


def _nearest_number(said: Said, i: int) -> int | None:
    """A number that is not taken, within five tokens of a word; one before ``%`` first."""
    near = [
        j
        for j in range(max(0, i - 5), min(len(said.tokens), i + 6))
        if said.tokens[j].kind == "number" and j not in said.taken
    ]
    between = {"and", ",", "seed"}
    near = [j for j in near if not between & set(said.low[min(i, j) : max(i, j)])] or []
    return min(near, key=lambda j: abs(j - i)) if near else None


def _fraction(said: Said, at: int) -> float | None:
    value = float(said.tokens[at].low)
    after = said.low[at + 1] if at + 1 < len(said.low) else ""
    if after in ("%", "percent", "per"):
        return round(value / 100, 4)
    if value >= 1 and after and after not in _TEST | _VAL | _BARE:
        return None
    return value if 0 < value < 1 else round(value / 100, 4) if 1 < value < 100 else None


def _train_share(said: Said) -> range | None:
    """``80% for training``."""
    at = next((i for i, t in enumerate(said.tokens[:-1]) if t.kind == "number" and said.low[i + 1] == "%"), None)
    near = at is not None and {"train", "training"} & set(said.low[max(0, at - 3) : at + 8])
    return range(len(said.tokens)) if near and not said.named else None


def _more_rows(said: Said) -> range | None:
    """``more training data``."""
    low = said.low
    at = next((i for i, w in enumerate(low[:-2]) if w in ("more", "less", "fewer") and low[i + 1] == "training"), None)
    return range(at, at + 3) if at is not None and low[at + 2] in ("data", "rows") else None


def _seed(said: Said) -> int | None:
    for i, low in enumerate(said.low):
        is_seed = low in ("seed", "random_state") or (low == "state" and i and said.low[i - 1] == "random")
        if not is_seed:
            continue
        for j in (*range(i + 1, min(i + 5, len(said.tokens))), i - 1):
            token = said.tokens[j]
            if j >= 0 and token.kind == "number" and token.low.isdigit() and int(token.low) < 2**31:
                said.take(range(min(i, j), max(i, j) + 1))
                return int(token.low)
    return None


def _strategy(said: Said, draft: Draft, *, about: bool, ratio: bool) -> tuple[str, str | None] | None:
    columns = [n for n in said.named if n.kind == "column"]
    by = [i for i, w in enumerate(said.low) if w in ("by", "on", "using", "with", "per", "=", ":")]
    named = [c for c in columns if any(0 < c.start - b <= 3 for b in by)]
    named = [c for c in named if said.low[c.start] not in _TIME] or named  # "by time using date"
    column: Named | None = named[0] if named else None
    together = _together(said)
    grouped = said.has("group", "groups", "grouped", "grouping") or (about and said.has("together")) or together
    timed = bool(_TIME & set(said.low)) or (column is not None and _time_like(str(column.value), draft))
    found: tuple[str, str | None] | None = None
    if grouped and (about or column is not None or said.has("by") or together):
        found = "group", str(column.value) if column else (str(columns[0].value) if columns else None)
    elif about and timed and (by or said.has(*_IN_TIME) or _before_split(said)):
        sole = columns[0] if len(columns) == 1 and said.low[columns[0].start] not in _TIME else None
        column = column or sole  # "use signup_date to split by time"
        found = "time", str(column.value) if column else None
    elif about and column is not None:
        found = "group", str(column.value)
    elif said.has(*_STRATIFY):
        said.take_named(*_STRATIFY)
        if column is not None and column.value != (draft.plan(StageId.DATA_SOURCE) or {}).get("target"):
            said.take(*(range(c.start, c.end) for c in columns))
            draft.problem(
                f"Rows are stratified by the target only; to keep those of one {column.value} together, say "
                f'"group by {column.value}".'
            )
            return None
        negated = said.has("no", "not", "don't", "without")
        found = ("random" if negated else "stratified"), None
    elif said.has("shuffle", "shuffled"):
        said.take_named("shuffle", "shuffled")
        if said.words & (NEGATORS | {"false"}):  # "shuffle=False"
            draft.problem(
                f'Rows keep their order in a split by time: say "split by time using {_example(draft, "time")}".'
            )
            return None
        now = (draft.plan(PREPROCESS) or {}).get("split", {}).get("strategy")
        found = ("stratified" if now == "stratified" else "random"), None  # which is at random too
    elif said.has("random", "randomly") and (about or ratio or len(said.tokens) == 1) and not said.free("models"):
        said.take_named("random", "randomly")
        found = "random", None
    if found is None:
        return None
    said.take(*(range(c.start, c.end) for c in columns))
    if together:
        said.take(range(len(said.tokens)))
    said.take_words(*_TIME, "based", "group", "grouped", "groups", "random", "randomly", "no", "not")
    return found


def _together(said: Said) -> bool:
    """``keep the rows of a customer together``, ``in one part``; not ``together with``."""
    if said.has("keep", "keeping", "stay", "kept", "belong", "be") and any(
        said.low[i] in ("one", "same") and said.low[i + 1] in ("part", "fold", "split", "side", "set")
        for i in range(len(said.low) - 1)
    ):
        return True
    if "together" not in said.low or not said.has("keep", "keeping", "stay", "kept", "belong"):
        return False
    at = said.low.index("together")
    return said.low[at + 1 : at + 2] != ["with"]


def _before_split(said: Said) -> bool:
    """``a time split``."""
    return any(a in _TIME and b in _SPLITTING for a, b in zip(said.low, said.low[1:], strict=False))


def _time_like(name: str, draft: Draft) -> bool:
    plan = draft.plan(PREPROCESS) or {}
    roles = (draft.plan(StageId.PROFILE_DATA) or {}).get("roles", {})
    kind = draft.context.measured.columns.get(name, {}).get("kind")
    return roles.get(name) == "time" or "datetime" in (plan.get("columns", {}).get(name), kind)


def _role(draft: Draft, role: str) -> str | None:
    """The column with a role in the profile, or for time the only date."""
    roles = (draft.plan(StageId.PROFILE_DATA) or {}).get("roles", {})
    found = [c for c, r in roles.items() if r == role]
    if not found and role == "time":
        found = [c for c, t in (draft.plan(PREPROCESS) or {}).get("columns", {}).items() if t == "datetime"]
    return found[0] if len(found) == 1 else None


def _example(draft: Draft, strategy: str) -> str:
    roles = (draft.plan(StageId.PROFILE_DATA) or {}).get("roles", {})
    if strategy == "group" and (ids := [name for name, role in roles.items() if role in ("id", "group")]):
        return str(ids[0])
    timed = (
        next((name for name in draft.context.columns if _time_like(name, draft)), None) if strategy == "time" else None
    )
    return timed or (draft.context.columns[0] if draft.context.columns else "date")
