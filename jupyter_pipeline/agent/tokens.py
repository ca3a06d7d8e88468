"""Sentences as tokens: words, numbers, quoted names, paths and addresses, in time linear in the text's length."""

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

Kind = Literal["word", "number", "quoted", "path", "url", "punct"]

DATA_SUFFIXES = (
    ".csv",
    ".tsv",
    ".txt",
    ".tab",
    ".dat",
    ".data",
    ".psv",
    ".parquet",
    ".pq",
    ".feather",
    ".arrow",
    ".ipc",
    ".json",
    ".jsonl",
    ".ndjson",
    ".xlsx",
    ".xls",
    ".xlsm",
    ".ods",
)
PACKED_SUFFIXES = (".gz", ".bz2", ".xz", ".zst", ".zip")
SENTENCE_ENDS = frozenset(".!?;\n")
MAX_SENTENCE = 120
"""Tokens in a sentence; a longer one is cut, which bounds what any look-ahead can cost."""

# Every repetition that can fail after it began is bounded, so the whole is linear in the text. None of a group is
# possessive: Python before 3.11.5 matches such a one wrongly (python/cpython#106052).
_PIECE = re.compile(
    r"""
      `(?P<q1>[^`\n]{1,120})` | "(?P<q2>[^"\n]{1,120})" | “(?P<q3>[^”\n]{1,120})”
    | (?<!\w)'(?P<q4>[^'\n]{1,120})'(?!\w)
    | (?P<url>(?:https?|ftp|s3|gs|gcs|az|abfss?|hf|file|memory)://[^\s<>"'`]{1,1000})
    | (?P<id>\b(?:sklearn|upload|workspace):[^\s<>"'`,;]{1,300})
    | (?P<big>(?<!\w)\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,9})?(?!\w))
    | (?P<dots>(?<![\w.,])[1-9]\d{0,2}(?:[. ]\d{3}){1,5}
        (?=\s(?:trees|rows|trials|iterations|estimators|rounds|leaves|seconds|secs?)\b))
    | (?P<comma>(?<![\w.,])(?:0,\d{1,9}(?![\w,])|\d{1,9},\d{1,2}(?=\s?(?:%|percent|[smh]\b|hours?|hrs?|min|sec))))
    | (?P<chunk>(?:(?!--?>|\u2192)[^\s,;!?()\[\]{}"“”`<>=:|]|:(?=[\\/]))+)
    | (?P<arrow>-{1,2}>|={1,2}>|\u2192)
    | (?P<punct>[,;!?:=\n])
    """,
    re.VERBOSE,
)
_PART = re.compile(
    r"(?P<number>(?<![^\W\d])(?:\d{1,15}(?:\.\d{1,15})?|\.\d{1,15})(?:e[-+]?\d{1,3})?(?![\d_])%?)"
    r"|(?P<word>\w+(?:['\u2019]\w{1,3}(?!\w))?)|(?P<punct>[./+%&])",
    re.IGNORECASE,
)
_NO_OWNERS = frozenset(
    [
        "it",
        "that",
        "this",
        "what",
        "who",
        "how",
        "where",
        "when",
        "why",
        "here",
        "there",
        "let",
        "he",
        "she",
        "everything",
        "all",
    ]
)
_SHORT_FORMS = frozenset(("max", "approx", "ca", "incl", "excl", "resp", "vs"))
_APART = frozenset("()[]{}<>|")
DASHES = frozenset(("-", "--", "\u2013", "\u2014"))


class Token(msgspec.Struct, frozen=True):
    """A piece of a sentence; ``low`` is its text in lower case, for look-ups, and ``at`` its place in the text.

    ``apart`` says that a bracket or the like stands before it, which is no token.
    """

    kind: Kind
    text: str
    low: str
    at: int
    end: int
    apart: bool = False


def is_data_path(text: str) -> bool:
    """Whether a name ends as data files do."""
    low = text.lower()
    for suffix in PACKED_SUFFIXES:
        low = low.removesuffix(suffix)
    return low.endswith(DATA_SUFFIXES) and len(low) > 4


def tokenise(text: str) -> list[Token]:
    """The tokens of a text."""
    tokens: list[Token] = []
    for match in _PIECE.finditer(text):
        group, piece, at = match.lastgroup or "", match[0], match.start()
        if group.startswith("q"):
            inner = match[group].strip()
            if inner:
                kind: Kind = "path" if is_data_path(inner) else "quoted"
                tokens.append(Token(kind, inner, inner.lower(), at, match.end()))
        elif group in ("url", "id"):
            address = piece.rstrip(".,;:!?)]}")
            tokens.append(Token("url" if group == "url" else "path", address, address, at, at + len(address)))
            if piece != address:
                tokens.append(_punct(piece[len(address)], at + len(address)))
        elif group == "big":
            tokens.append(Token("number", piece, piece.replace(",", ""), at, match.end()))
        elif group == "dots":  # 1.000 trees
            tokens.append(Token("number", piece, re.sub("[. ]", "", piece), at, match.end()))
        elif group == "comma":  # 1,5 hours
            tokens.append(Token("number", piece, piece.replace(",", "."), at, match.end()))
        elif group == "arrow":
            tokens.append(Token("punct", piece, "->", at, match.end()))
        elif group == "punct":
            tokens.append(_punct(piece, at))
        else:
            _chunk(piece, at, tokens)
    ends = [0, *(token.end for token in tokens)]
    return [
        msgspec.structs.replace(token, apart=True) if not _APART.isdisjoint(text[end : token.at]) else token
        for end, token in zip(ends, tokens, strict=False)
    ]


def _punct(text: str, at: int) -> Token:
    return Token("punct", text, text, at, at + 1)


def _chunk(piece: str, at: int, tokens: list[Token]) -> None:
    """Tokens of a piece without white space: a path, or words and numbers."""
    if piece == "~":  # "y ~ x"
        tokens.append(_punct(piece, at))
        return
    if piece in DASHES:
        tokens.append(Token("punct", piece, ",", at, at + len(piece)))
        return
    if len(piece) > 1 and piece[0] in "+-" and piece[1].isalpha():  # "+catboost -xgboost"
        tokens.append(Token("word", piece[0], "plus" if piece[0] == "+" else "minus", at, at + 1))
        piece, at = piece[1:], at + 1
    bare = piece.rstrip(".'\u2019")
    if is_data_path(bare):
        tokens.append(Token("path", bare, bare.lower(), at, at + len(bare)))
        if len(bare) < len(piece):
            tokens.append(_punct(".", at + len(bare)))
        return
    for part in _PART.finditer(piece):
        start, end = at + part.start(), at + part.end()
        if part.lastgroup == "punct":
            if part[0] != "." or part.end() == len(piece):
                if part[0] != "." or not _shortened(tokens):
                    tokens.append(_punct(part[0], start))
            elif tokens and tokens[-1].kind == "word" and piece[part.end()].isupper():
                tokens.append(_punct(".", start))
        elif part.lastgroup == "number":
            number = part[0].rstrip("%")
            sign = piece[: part.start()] if part.start() == 1 and piece[0] in "-\u2212" else ""
            low = f"-{number}" if sign else number
            tokens.append(Token("number", sign + part[0], low, start - len(sign), start + len(number)))
            if part[0].endswith("%"):
                tokens.append(Token("word", "%", "%", end - 1, end))
        else:
            low = part[0].lower().replace("\u2019", "'")
            whose = 2 if low.endswith("'s") and low[:-2] not in _NO_OWNERS else 0  # "xgboost's depth"
            tokens.append(Token("word", part[0][: len(low) - whose], low[: len(low) - whose], start, end - whose))
            if whose:
                tokens.append(Token("word", part[0][-2:], "'s", end - 2, end))


def _shortened(tokens: list[Token]) -> bool:
    """Whether a point ends a short form, and no sentence: ``max. 10 minutes``."""
    if tokens and tokens[-1].low in ("no", "nr"):  # "sheet no. 3"
        return len(tokens) > 1 and tokens[-2].low in ("sheet", "worksheet", "tab", "column")
    return bool(tokens) and tokens[-1].low in _SHORT_FORMS


def sentences(tokens: Iterable[Token]) -> list[list[Token]]:
    """Tokens by sentence, without what ends them, save for a question mark."""
    found: list[list[Token]] = []
    current: list[Token] = []
    for token in tokens:
        ends = token.kind == "punct" and token.text in SENTENCE_ENDS
        if not ends or token.text == "?":
            current.append(token)
        if (ends or len(current) >= MAX_SENTENCE) and current:
            found.append(current)
            current = []
    if current:
        found.append(current)
    return found
