"""Rules for how the rows are divided: parts, seed, and whether by time, by group or stratified."""

from ..protocol.stages import StageId
from .draft import Draft, Said
from .scan import Named
from .words import words_of

PREPROCESS = StageId.PREPROCESS
_TEST = frozenset({"test", "holdout", "testing", "tested", "test_size", "test_fraction"})
_VAL = frozenset({"validation", "val", "validate", "dev", "valid", "val_size", "validation_size", "val_fraction"})
_SHARES = {"half": 0.5, "third": 1 / 3, "quarter": 0.25, "fifth": 0.2, "sixth": 1 / 6, "eighth": 0.125, "tenth": 0.1}
_TIME = frozenset({"time", "chronological", "chronologically", "temporal", "temporally", "date", "dates"})
_SPLITTING = frozenset({"split", "splits", "splitting", "divide", "partition", "fold"})
_LARGER = tuple(words_of("larger bigger smaller more less fewer increase reduce enlarge twice double large small"))
_IN_TIME = ("chronologically", "chronological", "temporal", "temporally", "based", "ordered", "aware")
_STRATIFY = ("stratify", "stratified", "stratification")
_BARE = frozenset({",", "and", "for", "/", ":", "as", "in", "set", "but", "then"})
_ANY = _SPLITTING | _TEST | _VAL | {"/", "seed", "random_state", "state", "group", "grouped", "groups", *_STRATIFY}
_ANY |= {"together", "shuffle", "shuffled"}


def split(said: Said, draft: Draft) -> None:
    """``30% test``, ``80/20``, ``split by time using date``, ``group by customer_id``, ``seed 7``, ``stratify``."""
    if said.words.isdisjoint(_ANY) and not (said.has("train", "training") and "%" in said.words):
        return
    about = said.has(*_SPLITTING)
    parts = _parts(said, about=about)
    seed = _seed(said)
    how = _strategy(said, draft, about=about)
    if not parts and seed is None and how is None:
        if said.has(*_TEST, *_VAL) and said.has(*_LARGER):
            said.take_named(*_TEST, *_VAL, *_LARGER)
            draft.problem('Say how large the part should be, for example "30% test rows".')
        elif said.has("train", "training") and (of := _train_share(said)):
            said.take(of)
            draft.problem('Say how large the other parts shall be, for example "10% test rows, 10% validation rows".')
        return
    said.take_named(*_SPLITTING)
    said.take_words(*_TEST, *_VAL, "rows", "size", "set", "fraction", "by", "data", "using", "for")
    plan = draft.plan(PREPROCESS)
    if plan is None:
        draft.problem("The split is decided at the stage Preparation; say it again there.")
        return
    new = {**plan["split"]}
    words = []
    for part, fraction in parts.items():
        if not 0 < fraction <= 0.45:
            draft.problem(f"A part of the split can have more than 0 and up to 45 % of the rows, not {fraction:.0%}.")
            return
        new[part] = fraction
        words.append(f"{fraction:.0%} {'test' if part == 'test_fraction' else 'validation'} rows")
    if new["val_fraction"] + new["test_fraction"] > 0.8:
        draft.problem("At least a fifth of the rows must be left to train on; take less for validation and test.")
        return
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


def _parts(said: Said, *, about: bool) -> dict[str, float]:
    """Fractions for test and validation rows."""
    found: dict[str, float] = {}
    numbers = [float(t.low) for t in said.tokens if t.kind == "number"]
    between = said.low[_span(said).start : _span(said).stop] if numbers else []
    joined = set(between) <= {"/", ":", "%"} | {t.low for t in said.tokens if t.kind == "number"}
    alone = about or "/" in between or len(between) == len(said.tokens)
    if len(numbers) in (2, 3) and joined and alone and sum(numbers) > 0 and _is_whole(sum(numbers)):
        shares = [round(n / sum(numbers), 4) for n in numbers]
        said.take(range(len(said.tokens)) if about else _span(said))
        return {"test_fraction": shares[-1], **({"val_fraction": shares[1]} if len(shares) == 3 else {})}
    for i, low in enumerate(said.low):
        part = "test_fraction" if low in _TEST else "val_fraction" if low in _VAL else None
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
    return found


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


def _span(said: Said) -> range:
    numbers = [i for i, t in enumerate(said.tokens) if t.kind == "number"]
    return range(numbers[0], numbers[-1] + 1)


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


def _strategy(said: Said, draft: Draft, *, about: bool) -> tuple[str, str | None] | None:
    columns = [n for n in said.named if n.kind == "column"]
    by = [i for i, w in enumerate(said.low) if w in ("by", "on", "using", "with", "per")]
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
        found = "random", None
    elif about and said.has("random", "randomly"):
        found = "random", None
    if found is None:
        return None
    said.take(*(range(c.start, c.end) for c in columns))
    if together:
        said.take(range(len(said.tokens)))
    said.take_words(*_TIME, "based", "group", "grouped", "groups", "random", "randomly", "no", "not")
    return found


def _together(said: Said) -> bool:
    """``keep the rows of a customer together``; not ``together with``."""
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
    return bool(plan.get("columns", {}).get(name) == "datetime" or roles.get(name) == "time")


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
    return draft.context.columns[0] if draft.context.columns else "date"
