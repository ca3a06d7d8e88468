"""Data that a project can use, ranked against what was asked: attached files, files of the workspace, the bundled
sets of scikit-learn, and addresses on the web.

A data set is named by an id: ``upload:NAME``, ``workspace:REL/PATH``, ``sklearn:NAME`` or ``url:URL``.
"""

import difflib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .addresses import last_part, without_credentials
from .fetching import download
from .opening import PACKED_SUFFIXES, TABLE_SUFFIXES, ReadError
from .reading import BUNDLED, TableSpec, sniff, sniff_bundled

MAX_DEPTH = 4
MAX_LOOKED_AT = 5_000
MAX_FILES = 200
#: How many files are opened to see their columns, best first.
MAX_OPENED = 25
_SKIPPED = {"node_modules", "__pycache__", "site-packages", "venv", "env", "build", "dist"}
_NOT_DATA = ("requirements", "readme", "license", "licence", "package.json", "package-lock", "tsconfig", "manifest")
_FILLERS = {"the", "data", "dataset", "set", "file", "table", "attached", "from", "our", "about", "sklearn", "scikit"}
_BUNDLED_ABOUT = {
    "iris": "150 flowers of three species, four lengths each (multiclass)",
    "wine": "178 wines of three cultivars, 13 chemical measurements (multiclass)",
    "breast_cancer": "569 tumours, benign or malignant, 30 measurements (binary)",
    "diabetes": "442 patients, progression of diabetes after a year (regression)",
    "digits": "1,797 handwritten digits of 8 by 8 pixels (multiclass)",
}


@dataclass(frozen=True)
class Candidate:
    """A data set that could be meant.

    Attributes
    ----------
    id, name : str
    source : {"upload", "workspace", "url", "bundled"}
    place : str
        Absolute path, URL, or name of the bundled set.
    size : int or None
        In bytes, where it is known.
    score : float
        How well it fits the request; higher is better, 0 says that nothing speaks for it.
    reasons : tuple of str
        Why, for people.
    columns : tuple of str
        Names, where the file was opened.
    problem : str or None
        Why it cannot be read, for people.
    sheets : tuple of str
        Sheets of an Excel file that hold a table, where it was opened.
    sheet_names : tuple of str
        The names of all its sheets.
    """

    id: str
    name: str
    source: str
    place: str
    size: int | None = None
    score: float = 0.0
    reasons: tuple[str, ...] = ()
    columns: tuple[str, ...] = field(default=(), repr=False)
    problem: str | None = None
    sheets: tuple[str, ...] = ()
    sheet_names: tuple[str, ...] = ()


def is_table_name(name: str) -> bool:
    """Whether a file's name says that it is a table that can be read."""
    low = name.lower()
    for packed in PACKED_SUFFIXES:
        if low.endswith(packed):
            inner = low.removesuffix(packed)
            return packed == ".zip" or inner.endswith(TABLE_SUFFIXES)
    return low.endswith(TABLE_SUFFIXES)


def uploads(attached: Iterable[dict[str, Any]], project_dir: Path) -> list[Candidate]:
    """Attached data, the latest last.

    Parameters
    ----------
    attached : iterable of dict
        ``id``, ``name`` and ``meta`` with the ``path`` below the project's folder.
    project_dir : pathlib.Path
    """
    found = []
    for item in attached:
        place = item.get("meta", {}).get("path")
        if item.get("source") != "upload" or not place:
            continue
        path = project_dir / place
        found.append(Candidate(item["id"], item["name"], "upload", str(path), _size(path)))
    return found


def workspace(folder: Path, *, skip: Iterable[Path] = ()) -> list[Candidate]:
    """Tables among the files of a folder; hidden folders, environments and symbolic links are passed over.

    Parameters
    ----------
    folder : pathlib.Path
    skip : iterable of pathlib.Path
        Folders that are not looked into.
    """
    passed = {str(path) for path in skip}
    found = []
    for path in _walk(folder, passed):
        if is_table_name(path.name) and not path.name.lower().startswith(_NOT_DATA):
            relative = path.relative_to(folder).as_posix()
            found.append(Candidate(f"workspace:{relative}", relative, "workspace", str(path), _size(path)))
            if len(found) >= MAX_FILES:
                break
    return found


def _walk(folder: Path, skip: set[str]) -> Iterator[Path]:
    """Files, those near the top first, at most ``MAX_DEPTH`` folders deep."""
    level, looked_at = [str(folder)], 0
    for _ in range(MAX_DEPTH):
        below: list[str] = []
        for place in level:
            try:
                with os.scandir(place) as entries:
                    ordered = sorted(entries, key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in ordered:
                looked_at += 1
                if looked_at > MAX_LOOKED_AT:
                    return
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in _SKIPPED and entry.path not in skip:
                        below.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    yield Path(entry.path)
        level = below


def bundled() -> list[Candidate]:
    """The data sets that come with scikit-learn."""
    return [Candidate(f"sklearn:{name}", name, "bundled", name) for name in BUNDLED]


def by_url(url: str) -> Candidate:
    """An address as a candidate; nothing is fetched yet."""
    url = without_credentials(url.strip())
    return Candidate(f"url:{url}", last_part(url), "url", url)


def describe(candidate: Candidate) -> str:
    """What a candidate is and why it has its rank, as a sentence or two."""
    if candidate.source == "bundled":
        about = f"Comes with scikit-learn: {_BUNDLED_ABOUT[candidate.name]}."
    elif candidate.source == "url":
        about = "Would be downloaded from the web."
    else:
        where = "Attached file" if candidate.source == "upload" else "File of the workspace"
        about = f"{where}, {candidate.size:,} bytes." if candidate.size is not None else f"{where}."
    if candidate.problem:
        return f"{about} {candidate.problem}"
    why = "; ".join(candidate.reasons)
    return f"{about} {why[:1].upper()}{why[1:]}." if why else about


def rank(candidates: Iterable[Candidate], hint: str | None, target: str | None) -> list[Candidate]:
    """Order candidates by how well they fit what was asked, with reasons; the best are opened to see their columns.

    Parameters
    ----------
    candidates : iterable of Candidate
    hint : str or None
        File name, path, address or data set id from the request.
    target : str or None
        Column to predict, from the request.

    Returns
    -------
    list of Candidate
        Best first. ``score`` is positive only where the request or an upload speaks for it.
    """
    listed = list(candidates)
    n_uploads = sum(c.source == "upload" for c in listed)
    ranked, upload = [], 0
    for candidate in listed:
        score, reasons = _match(candidate, hint)
        if candidate.source == "upload":
            upload += 1
            score += 40 + 5 * upload / max(1, n_uploads)
            if n_uploads > 1 and upload == n_uploads:
                reasons.append("the latest that was attached")
        elif candidate.source == "workspace":
            score += 1.0 / (1 + candidate.name.count("/"))
        ranked.append(_with(candidate, score, reasons))
    ranked.sort(key=lambda c: -c.score)
    opened = [_opened(c, target) if i < MAX_OPENED and c.source != "url" else c for i, c in enumerate(ranked)]
    return sorted(opened, key=lambda c: (c.problem is not None and c.score < 100, -c.score))


def is_named(candidate: Candidate, hint: str | None) -> bool:
    """Whether a hint speaks for a candidate by its name."""
    return _match(candidate, hint)[0] > 0


def _match(candidate: Candidate, hint: str | None) -> tuple[float, list[str]]:
    """How well a name fits the hint."""
    if not hint or not hint.strip():
        return 0.0, []
    wanted = _norm(hint)
    names = {_norm(candidate.id), _norm(candidate.name), _norm(candidate.place)}
    base = _norm(os.path.basename(candidate.name))
    stem = _stem(base)
    if candidate.source == "bundled" and wanted == base:
        # A file of the person's may have the name of a bundled set; then the file is meant.
        return 140.0, ["named in the request"]
    if wanted in names or wanted == base:
        return 200.0, ["named in the request"]
    if _stem(os.path.basename(wanted)) == stem:
        # A file and a bundled set may have one name; the hint with an ending means the file.
        return 150.0 if candidate.source != "bundled" else 140.0, ["its name is the one in the request"]
    if any(name.endswith("/" + wanted) for name in names):
        return 180.0, ["its path ends as in the request"]
    words = set(re.findall(r"[a-z0-9]{3,}", _stem(os.path.basename(wanted)))) - _FILLERS
    own = set(re.findall(r"[a-z0-9]{3,}", stem))
    if words and words <= own:
        return 60.0, [f"its name holds {' and '.join(sorted(words))}"]
    if difflib.SequenceMatcher(None, _stem(os.path.basename(wanted)), stem).ratio() >= 0.8:
        return 50.0, [f"its name is close to {hint!r}"]
    return 0.0, []


def _opened(candidate: Candidate, target: str | None) -> Candidate:
    """With its columns, and with what the target says."""
    try:
        spec = _quick(candidate)
    except ReadError as error:
        return _with(candidate, candidate.score, [], problem=str(error))
    columns = tuple(spec.columns)
    seen = replace(candidate, columns=columns, sheets=spec.sheets, sheet_names=spec.sheet_names)
    if target is None:
        return seen
    if target in columns:
        return _with(seen, seen.score + 30, [f"has a column {target!r}"])
    if _norm_column(target) in {_norm_column(c) for c in columns}:
        return _with(seen, seen.score + 25, [f"has a column like {target!r}"])
    return seen


def _quick(candidate: Candidate) -> TableSpec:
    """The columns, where seeing them is cheap."""
    if candidate.source == "bundled":
        return sniff_bundled(candidate.name)
    path = Path(candidate.place)
    whole = path.name.lower().endswith((".json", ".xlsx", ".xls", ".xlsb", ".xlsm", ".ods"))
    if whole and (candidate.size or 0) > 20 << 20:
        return TableSpec(str(path), "")
    return sniff(path)


def open_candidate(
    candidate: Candidate, data_dir: Path, sheet: str | None = None, room_bytes: int | None = None
) -> TableSpec:
    """How to read a candidate; an address is downloaded into ``data_dir`` first, which has so much room for it.

    Raises
    ------
    ReadError
        If it cannot be fetched, is no table, or has no such sheet.
    """
    if candidate.source == "bundled":
        return sniff_bundled(candidate.name)
    if candidate.source == "url":
        return sniff(download(candidate.place, data_dir, room_bytes=room_bytes), sheet)
    return sniff(Path(candidate.place), sheet)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _with(candidate: Candidate, score: float, reasons: list[str], problem: str | None = None) -> Candidate:
    return replace(candidate, score=score, reasons=(*candidate.reasons, *reasons), problem=problem)


def _norm(text: str) -> str:
    return text.strip().strip("'\"`").replace("\\", "/").removeprefix("./").lower()


def _norm_column(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.lower()) or text.lower()


def _stem(name: str) -> str:
    """A name without its endings: ``a`` for ``a.csv.gz``."""
    for packed in PACKED_SUFFIXES:
        name = name.removesuffix(packed)
    for suffix in TABLE_SUFFIXES:
        if name.endswith(suffix):
            return name.removesuffix(suffix).replace("-", "_").replace(" ", "_")
    return name.replace("-", "_").replace(" ", "_")
