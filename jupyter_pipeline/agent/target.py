"""What a sentence wants predicted: a column's name, or the words that stand for it, and what kind of task that is."""

import re

import msgspec

from .columns import Columns, place_of
from .tokens import Token
from .vocabulary import FILLER, PHRASES
from .words import words_of

PREDICT = words_of(
    """
    predict predicts predicting predicted prediction forecast forecasting estimate estimating classify
    classifying detect detecting identify identifying guess anticipate regress categorise categorize spot
    flag determine predictor foresee
    """
)
_STOP = words_of(
    """
    from using with based on in under within by given at optimise optimize maximise maximize minimise
    minimize and but without when so because since into via through per use keep please instead no not as
    then while that including except where are is according quickly fast accurately well correctly better
    now only just or ahead over before after inside between than be, for, who which like regression
    classification asap ignoring excluding exclude ignore omit disregard if unless pls plz thanks thx
    """
)
_ARTICLES = words_of(
    """
    the a an my our their this each every his her its all any some that these those both
    """
)
_OF_BUNDLED = re.compile(
    r"(?P<data>iris|wine|breast cancer|diabetes|digits)(?: flowers?)? (?:data ?set|data|flowers?|sample) ?(?P<rest>.*)",
    re.IGNORECASE,
)
_BUNDLED_ALONE = frozenset({"iris", "digits", "iris flowers", "breast cancer", "handwritten digits"})
_AUX = words_of(
    """
    will wil is are was were has have had would can could does do did gets get got be been being might may
    should won't isn't
    """
)
_PARTICLES = words_of(
    """
    not be been being to likely going about have a an the become becomes likelier ever soon
    """
)
_COUNTS = words_of(
    """
    number amount count probability likelihood chance risk odds propensity chances total level
    """
)
_ATTRIBUTES = words_of("value values quality type class kind species category cost status")
_CLASS_WORDS = words_of("kind type species class category sort group variety brand")
_PEOPLE = words_of(
    """
    customer customers client clients user users person people passenger passengers patient patients
    employee employees someone somebody anyone they he she it we i house houses which who one loan loans
    applicant applicants student students row rows transaction transactions tumor tumour tumors tumours
    email emails message messages subscriber subscribers member members individual individuals visitor
    visitors case cases each
    """
)
_TIMES = words_of(
    """
    tomorrow today soon next month year week later early late again or there
    """
)
#: Verbs that are no column's name: what they say is in another word of the data.
_VAGUE = words_of(
    """
    leave leaves left leaving stay stays go goes quit quits happen happens work works earn earns make makes
    get gets do come comes cost costs take takes like likes
    """
) - {"cost", "costs"}
_COMPARING = words_of("above below over under more less greater higher lower bigger smaller exceeds at between")
_SPANS = words_of("day days week weeks month months quarter quarters year years hours hour minutes minute")
_EXCEEDING = words_of("exceeds exceed exceeded reaches reached surpasses")
_OF_WHAT = words_of(
    "model models baseline classifier classification regression regressor predictor prediction predictions forecast"
)
_FUNCTIONS = frozenset({"log", "ln", "log10", "log2", "log1p", "sqrt", "exp"})
_MARKS = frozenset({"target", "label", "outcome", "response", "dependent", "y"})
_MARK_TAIL = frozenset(
    {
        "column",
        "col",
        "variable",
        "field",
        "is",
        "=",
        ":",
        "should",
        "be",
        "to",
        "named",
        "called",
        "the",
        "will",
        "are",
    }
)


class Target(msgspec.Struct, frozen=True):
    """A target as it was named: ``name`` (a column if those are known), the task that the words imply
    (``auto`` if none), whether it is surely a column, and the tokens that it takes."""

    name: str | None
    task: str
    known: bool
    start: int
    end: int

    @property
    def tokens(self) -> range:
        """The tokens that it takes."""
        return range(self.start, self.end)


def target_of(sentence: list[Token], columns: Columns) -> Target | None:
    """The target that a sentence names, None if it names none."""
    for i, token in enumerate(sentence[:-2]):  # "predict if it defaults (target column = status)"
        said = {t.low for t in sentence[i + 1 : i + 3]}
        if i and token.low in _MARKS and said & {"=", ":"} and (found := _marked(sentence, i, columns)):
            asked = target_of(sentence[:i], columns)
            return msgspec.structs.replace(found, task=asked.task, start=asked.start) if asked else found
    if found := _formula(sentence, columns):
        return found
    for i, token in enumerate(sentence):
        marked = token.kind == "word" and token.low in _MARKS and _marks(sentence, i)
        if marked and (found := _marked(sentence, i, columns)):
            return found
        if token.kind == "word" and token.low in PREDICT:
            if i and sentence[i - 1].low in ("don't", "not", "never"):
                continue
            if found := _predicted(sentence, i + 1, columns):
                if token.low.startswith("forecast") and found.task == "auto":
                    return msgspec.structs.replace(found, task="regression")
                return found
    return _asked(sentence, columns)


def _formula(sentence: list[Token], columns: Columns) -> Target | None:
    """``churn ~ age + tenure``."""
    end = next((i for i, t in enumerate(sentence) if t.low == "~"), 0)
    for start in range(max(0, end - 8), end):
        name = columns.at(sentence, start)
        if name is not None and start + name[1] == end:
            return Target(name[0], "auto", True, start, end + 1)
    if not end or columns.names or sentence[end - 1].kind not in ("word", "quoted"):
        return None
    return Target(sentence[end - 1].text, "auto", False, end - 1, end + 1)


def _marks(sentence: list[Token], i: int) -> bool:
    return sentence[i].low != "y" or (i + 1 < len(sentence) and sentence[i + 1].low in ("is", "=", ":"))


def _marked(sentence: list[Token], i: int, columns: Columns) -> Target | None:
    """``target is X``, ``label: X``, ``target column X``; or ``X is the target``."""
    at = i + 1
    while at < len(sentence) and sentence[at].low in _MARK_TAIL:
        if found_place := _placed(sentence, at, i, columns):
            return found_place
        at += 1
    linked = at > i + 1
    if sentence[at : at + 1] and sentence[at].low in ("not", "isn't"):  # "is not X but Y"
        at = next((n + 1 for n in range(at, len(sentence)) if sentence[n].low in ("but", ",")), len(sentence))
        while at < len(sentence) and sentence[at].low in ("but", "it's", "it", "is", "rather", "the"):
            at += 1
    if found_place := _placed(sentence, at, i, columns):
        return found_place
    if any(t.low in ("encoded", "encoding", "encode") for t in sentence[i + 1 : i + 2]):
        return None  # "target encoding"
    named = at < len(sentence) and sentence[at].low not in _STOP | FILLER and PHRASES.at(sentence, at) is None
    linked = linked or (at < len(sentence) and sentence[at].kind == "word" and named)
    if at < len(sentence) and (linked or sentence[at].kind == "quoted" or columns.at(sentence, at)):
        if found := columns.at(sentence, at):
            return Target(found[0], "auto", True, i, at + found[1])
        token = sentence[at]
        if token.kind == "quoted" or (linked and token.kind in ("word", "path") and token.low not in FILLER):
            end = _capitals(sentence, at)
            return Target(" ".join(t.text for t in sentence[at:end]), "auto", not columns.names, i, end)
    before = i - 1
    while before >= 0 and sentence[before].low in ("the", "is", "as", "a", "our", "my"):
        before -= 1
    if 0 <= before < i - 1:
        unit = before > 1 and sentence[before - 1].low == "in"  # "weight in kg is the target"
        for end in (before + 1, before - 1) if unit else (before + 1,):
            for start in range(max(0, end - 6), end):
                found = columns.at(sentence, start)
                if found and start + found[1] == end:
                    return Target(found[0], "auto", True, start, i + 1)
        token = sentence[before]
        if (
            {"is", "as"} & {t.low for t in sentence[before + 1 : i]}  # not "change the target"
            and (token.kind == "quoted" or token.low not in FILLER)
            and token.kind in ("word", "quoted")
            and token.low not in PREDICT
            and not columns.names
        ):
            return Target(token.text, "auto", False, before, i + 1)
    return None


def _capitals(sentence: list[Token], at: int) -> int:
    """Where a name of several words ends that are written with capitals: ``target Loan Status``."""
    end = at + 1
    while end < len(sentence) and all(t.kind == "word" and t.text[0].isupper() for t in sentence[at : end + 1]):
        if sentence[end].low in _STOP or PHRASES.at(sentence, end) is not None:
            break
        if sentence[end + 1 : end + 2] and sentence[end + 1].low in (":", "="):
            break  # "TARGET: SalePrice METRIC: MAE"
        end += 1
    return end


def _predicted(sentence: list[Token], start: int, columns: Columns) -> Target | None:
    """What follows ``predict``."""
    at = start
    while at < len(sentence) and (sentence[at].low in _ARTICLES or sentence[at].low in ("column", "target", "out")):
        if found := _placed(sentence, at, start, columns):
            return found
        at += 1
    if found := _placed(sentence, at, start, columns):
        return found
    if at == start + 1 and sentence[start].low == "target" and _span(sentence, at) == at:
        name = columns.find("target")  # "predict target": a column of that name
        return Target(name or sentence[start].text, "auto", name is not None, start, at)
    if at >= len(sentence):
        return None
    low = sentence[at].low
    if low in _FUNCTIONS and at + 1 < len(sentence) and sentence[at + 1].apart:
        return _phrase(sentence, at + 1, at + 1, columns)  # "log(price)"
    if low in ("whether", "if"):
        return _whether(sentence, at, "binary", columns)
    if low == "how" and at + 1 < len(sentence):
        return _whether(sentence, at + 1, "regression", columns)
    if low in ("which", "what") and at + 1 < len(sentence):
        task = "multiclass" if sentence[at + 1].low in _CLASS_WORDS else "auto"
        return _which(sentence, at + 1, task, columns)
    if low in ("who", "when"):
        return _whether(sentence, at, "binary" if low == "who" else "regression", columns)
    return _phrase(sentence, at, start, columns)


def _placed(sentence: list[Token], at: int, start: int, columns: Columns) -> Target | None:
    """``column 3``, ``the last column``; by that name where the columns are not known yet; before it one called 3."""
    words = [t.text for t in sentence[at : at + 2]]
    if place_of(words) is None:
        return None
    if words[1] in columns.names:
        return Target(words[1], "auto", True, start, at + 2)
    name = columns.at(sentence, at)
    return Target(name[0] if name else " ".join(words), "auto", name is not None, start, at + 2)


def _asked(sentence: list[Token], columns: Columns) -> Target | None:
    """A question without ``predict``: ``will a customer churn?``, ``how much does it cost?``, ``which species``."""
    for i, token in enumerate(sentence):
        following = sentence[i + 1].low if i + 1 < len(sentence) else ""
        before = sentence[i - 1].low if i else ""
        if token.low == "who" and (following in ("will", "is") or before in ("", "know", "me", "out", "see")):
            return _whether(sentence, i, "binary", columns)
        if token.low == "which" and following in _PEOPLE:
            return _whether(sentence, i, "binary", columns)
        if token.low == "which" and following == "of":  # "which of my customers"
            whom = next((n for n in range(i + 2, min(i + 5, len(sentence))) if sentence[n].low not in _ARTICLES), i)
            if sentence[whom].low in _PEOPLE:
                return _whether(sentence, whom - 1, "binary", columns)
        if token.low == "whether" or (token.low == "if" and before in ("tell", "know", "see", "say", "check", "out")):
            return _whether(sentence, i, "binary", columns)
        if token.low == "how" and i + 1 < len(sentence) and sentence[i + 1].low in ("much", "many", "long"):
            return _whether(sentence, i + 1, "regression", columns)
        if token.low in ("which", "what") and i + 1 < len(sentence) and sentence[i + 1].low in _CLASS_WORDS:
            return _which(sentence, i + 1, "multiclass", columns)
        if token.low == "what" and i + 1 < len(sentence) and (found := columns.at(sentence, i + 1)):
            return Target(found[0], "auto", True, i, i + 1 + found[1])  # "what price a diamond has"
        if token.low in ("probability", "likelihood", "chance", "risk", "odds") and following in ("of", "that"):
            return _phrase(sentence, i, i, columns)
    if sentence and sentence[0].low in ("will", "does", "is", "did") and sentence[-1].low == "?" and len(sentence) > 3:
        return _whether(sentence, 0, "binary", columns)
    return None


def without_data(target: Target | None) -> tuple[Target | None, str | None]:
    """A target without the bundled data set that it is of, and that one: "iris data species" is how ``the species of
    the iris data`` comes."""
    if target is None or target.known:
        return target, None
    name = target.name or ""
    if of := _OF_BUNDLED.match(name):
        data, rest = of["data"].lower().replace(" ", "_"), of["rest"]
        return (msgspec.structs.replace(target, name=rest) if rest else None), data
    if name.lower().startswith("iris ") and name.lower() not in _BUNDLED_ALONE:
        return msgspec.structs.replace(target, name=name[5:]), "iris"
    # "classify iris" names data, not a column
    alone = name.lower().removesuffix(" data").removesuffix(" dataset") in _BUNDLED_ALONE
    return (None if alone else target), None


def column_target(sentence: list[Token], columns: Columns) -> Target | None:
    """``column price``, ``a model for churn``, ``a churn model``: a target where nothing else names one."""
    for i in range(len(sentence)):
        if found_of := _of_model(sentence, i, columns) or _is_what_is_wanted(sentence, i, columns):
            return found_of
    for i, token in enumerate(sentence[:-1]):
        if token.low in ("column", "variable"):
            at = i + 2 if sentence[i + 1].low in ("named", "called") and i + 2 < len(sentence) else i + 1
            if found := columns.at(sentence, at):
                return Target(found[0], "auto", True, i, at + found[1])
            named = sentence[at]
            plain = named.kind == "word" and named.low not in _STOP | FILLER
            if not columns.names and (named.kind == "quoted" or plain):
                return Target(named.text, "auto", False, i, at + 1)
        if len(sentence) == 2 and (found_place := _placed(sentence, i, i, columns)):
            return found_place
        if found_for := _for_what(sentence, i, columns):
            return found_for
        if token.low in _OF_WHAT and i + 2 < len(sentence) and sentence[i + 1].low in ("for", "of", "on"):
            at = i + 2
            while at + 1 < len(sentence) and sentence[at].low in _ARTICLES:
                at += 1
            if sentence[at].low not in ("column", "variable") and (
                found_phrase := _phrase(sentence, at, i + 1, columns)
            ):
                return found_phrase
    return None


_WANTED = words_of("i we i'm we're i'd we'd you")


def _is_what_is_wanted(sentence: list[Token], i: int, columns: Columns) -> Target | None:
    """``survived is what I'm after``."""
    found = columns.at(sentence, i)
    plain = sentence[i].kind == "quoted" or (sentence[i].kind == "word" and sentence[i].low not in FILLER)
    if found is None and not columns.names and plain and PHRASES.at(sentence, i) is None:
        found = sentence[i].text, 1
    end = i + found[1] if found is not None else i
    low = [t.low for t in sentence[end : end + 3]]
    if found is None or low[:2] != ["is", "what"] or not set(low[2:]) & _WANTED:
        return None
    stop = next((n for n in range(end, len(sentence)) if sentence[n].low in ",and"), len(sentence))
    return Target(found[0], "auto", bool(columns.names), i, stop)


def _of_model(sentence: list[Token], i: int, columns: Columns) -> Target | None:
    """``a churn model``, ``a price model (SalePrice)``, ``told apart by species``: columns that are known."""
    found = columns.at(sentence, i)
    if found is None or (sentence[i].kind == "number"):
        return None
    end = i + found[1]
    after = sentence[end].low if end < len(sentence) else ""
    before = [t.low for t in sentence[max(0, i - 12) : i]]
    task = "auto"
    if before[-1:] == ["by"] and "apart" in before:
        task = "classification"
    elif after in _OF_WHAT and before[-1:] != ["without"]:
        task = {"classifier": "classification", "regressor": "regression"}.get(after, "auto")
    elif not (sentence[i].apart and before[-1:] and before[-1] in _OF_WHAT):
        return None
    return Target(found[0], task, True, i, end)


_NO_TARGETS = words_of(
    """
    evaluation speed accuracy training validation testing comparison baseline now today me us everything
    classification regression example instance sure once it this that best all
    """
)


def _for_what(sentence: list[Token], i: int, columns: Columns) -> Target | None:
    """``F1 for churn``, ``LightGBM on price``."""
    known = PHRASES.at(sentence, i) if sentence[i].kind == "word" else None
    if known is None or known[0].kind not in ("models", "metric"):
        return None
    at = i + known[1]
    if at + 1 >= len(sentence) or sentence[at].low not in ("for", "on"):
        return None
    start = at
    at += 1
    while at + 1 < len(sentence) and sentence[at].low in _ARTICLES:
        at += 1
    alone = at + 1 == len(sentence) or (sentence[at + 1].kind == "punct" and sentence[at + 1].low in ",?:")
    plain = sentence[at].kind == "quoted" or (
        sentence[at].kind == "word" and sentence[at].low not in FILLER | _NO_TARGETS | _PEOPLE
    )
    found = _phrase(sentence, at, start, columns)
    if found is None or (not found.known and (columns.names or not (alone and plain) or PHRASES.at(sentence, at))):
        return None
    return found


def _span(sentence: list[Token], start: int, stops: frozenset[str] = _STOP) -> int:
    """Where a phrase that begins at a token ends."""
    at = start
    while at < len(sentence) and at < start + 14:
        token = sentence[at]
        if token.kind in ("path", "url") or (token.kind == "punct" and token.low in ",?:=") or token.low in stops:
            break
        if token.apart and at > start:  # "churn (yes/no)", "income >50K"
            break
        if at > start and token.kind == "number" and at + 1 < len(sentence) and sentence[at + 1].low in _SPANS:
            break  # "churn 30 days ahead"
        at += 1
    return at


def _column_in(sentence: list[Token], span: range, columns: Columns) -> tuple[str, int] | None:
    """The first column in a span, by its name and then more loosely, and where its name ends."""
    for i in span:
        if found := columns.at(sentence, i):  # which may go on where other words would end it: "tenure (months)"
            return found[0], i + found[1]
    for i in span:
        if sentence[i].kind in ("word", "quoted") and sentence[i].low not in FILLER:
            name = columns.find(sentence[i].text, loose=True)
            if name is not None:
                return name, i + 1
    return None


_SHORT_STOP = _STOP - {"is", "are", "be", "not", "or", "over", "that", "in", "as"}


def _whether(sentence: list[Token], start: int, task: str, columns: Columns) -> Target | None:
    """``whether a customer will churn``: the column that is meant, else the word after the auxiliary verb."""
    end = _span(sentence, start + 1, _SHORT_STOP - {"and"})
    span = range(start + 1, end)
    if column := _column_in(sentence, span, columns):
        return Target(column[0], task, True, start, max(end, column[1]))
    words = [
        (i, sentence[i])
        for i in span
        if sentence[i].kind == "quoted" or (sentence[i].kind == "word" and not _unit(sentence, i))
    ]
    if quoted := next((t for _, t in words if t.kind == "quoted"), None):
        return Target(quoted.text, task, False, start, end)
    name = None
    if sentence[start].low in ("many",) and words:
        name = words[0][1].text
    aux = next((n for n, (_, t) in enumerate(words) if t.low in _AUX), None)
    if name is None and aux is not None:
        after = [t for _, t in words[aux + 1 :] if t.low not in _PARTICLES and t.low not in _ARTICLES]
        people_first = bool(after) and after[0].low in _PEOPLE
        if people_first and ((task == "regression" and aux > 0) or (aux == 0 and len(after) > 1)):
            after = after[1:]
        name = after[0].text if after else None
        if after and after[0].low in _COMPARING:  # "income is above 50,000"
            name = _subject(words[:aux])
    exceeds = next((n for n, (_, t) in enumerate(words) if t.low in _EXCEEDING), None)
    if name is None and exceeds is not None:  # "income exceeds 50,000"
        name = _subject(words[:exceeds])
    if name is None:
        subject = next((n for n, (_, t) in enumerate(words) if t.low in _PEOPLE and t.low != "who"), None)
        if aux is None and subject is not None and words[subject + 1 :]:
            words = words[subject + 1 : subject + 2]  # "a passenger survived the Titanic"
        rest = [t for _, t in words if t.low not in FILLER and t.low not in _PEOPLE and t.low not in _TIMES]
        name = rest[-1].text if rest and aux is None else (rest[0].text if rest else None)
    if name is not None and name.lower() in _VAGUE:
        name = None
    return Target(name, task, False, start, end) if name or words else None


def _subject(words: list[tuple[int, Token]]) -> str | None:
    subjects = [t.text for _, t in words if t.low not in FILLER and t.low not in _PEOPLE]
    return subjects[-1] if subjects else None


def _unit(sentence: list[Token], i: int) -> bool:
    """Whether a word is written to a number: the ``K`` of ``50K``."""
    return i > 0 and sentence[i - 1].kind == "number" and sentence[i - 1].end == sentence[i].at


def _which(sentence: list[Token], start: int, task: str, columns: Columns) -> Target | None:
    """``which species a flower is``: the noun that follows."""
    end = _span(sentence, start, _SHORT_STOP)
    if column := _column_in(sentence, range(start, end), columns):
        return Target(column[0], task, True, start - 1, max(end, column[1]))
    if task == "auto":
        return _whether(sentence, start - 1, "auto", columns)
    return Target(sentence[start].text, task, False, start - 1, end)


def _phrase(sentence: list[Token], at: int, start: int, columns: Columns) -> Target | None:
    """``the price of a house``, ``customer churn``: the noun phrase that follows."""
    task = "auto"
    first = sentence[at]
    if first.low in _COUNTS:
        task = "regression" if first.low in ("number", "amount", "count", "total") else "binary"
        task = "auto" if first.low == "level" else task
    if first.low in _COUNTS and task == "binary" and at + 1 < len(sentence) and sentence[at + 1].low == "that":
        return _whether(sentence, at + 1, task, columns)
    if column := columns.at(sentence, at):
        return Target(column[0], "auto", True, start, at + column[1])
    if first.kind in ("quoted", "number"):
        return Target(first.text, task, not columns.names, start, at + 1) if first.kind == "quoted" else None
    end = _span(sentence, at)
    if end == at:
        return None
    if column := _column_in(sentence, range(at, end), columns):
        return Target(column[0], task, True, start, max(end, column[1]))
    words = [t.text for t in sentence[at:end] if t.kind in ("word", "number", "quoted")]
    if task == "regression" and len(words) > 2 and words[1].lower() == "of" and words[2].lower() in _PEOPLE:
        return Target(words[2], task, False, start, end)  # "the number of visitors per day"
    known = PHRASES.at(sentence, at)
    if known and known[0].kind in ("models", "absent", "cue") and known[1] >= len(words):
        return None
    name = _noun(words)
    # What the name leaves out may mean something else: "churn for the year 2023 only".
    end = next((i for i in range(at + 1, end) if sentence[i].low == "for"), end)
    return Target(name, task, False, start, end) if name else None


def _noun(words: list[str]) -> str | None:
    """The head of a noun phrase, in the words of a column's name."""
    low = [w.lower() for w in words]
    if "of" in low[1:] or "that" in low[1:]:
        cut = min(low.index(w) for w in ("of", "that") if w in low[1:])
        head, tail = words[:cut], [w for w in words[cut + 1 :] if w.lower() not in _ARTICLES]
        if head and head[-1].lower() in _COUNTS and tail:
            words = tail
        elif len(head) == 1 and head[0].lower() in _ATTRIBUTES and tail and tail[0].lower() not in _PEOPLE:
            words = [*tail[:2], *head[-1:]]
        else:
            words = head
    if "for" in (w.lower() for w in words):
        words = words[: [w.lower() for w in words].index("for")]
    words = [w for w in words if w.lower() not in _ARTICLES]
    while len(words) > 1 and words[-1].lower() in _TIMES | {"col", "column", "field", "variable"}:
        words = words[:-1]
    if len(words) > 1 and words[0].lower() in _PEOPLE:
        words = words[1:] if len(words) == 2 else words
    if not words or all(w.lower() in FILLER | _PEOPLE for w in words):
        return None
    return " ".join(words[:4])
