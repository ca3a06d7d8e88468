"""What an exported bundle consists of: model card, pinned requirements, manifest, and the zip."""

import hashlib
import json
import os
import platform
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

from ..digests import sha256
from ..faults import crash_point
from ..protocol.names import metric_name, metric_words, number, task_name
from .report import (
    data_name,
    interval,
    intervals_sentence,
    primary_first,
    test_sentence,
    threshold_of,
    threshold_sentence,
    train_sentence,
)

#: What training needs beside what predicting needs; libraries of models that were not kept are not among it.
_TRAINING = ("polars", "threadpoolctl", "matplotlib", "scipy", "fastexcel", "ipykernel")
#: Same content, same zip: every member carries this time.
_EPOCH = (2020, 1, 1, 0, 0, 0)


def installed(names: Iterable[str]) -> dict[str, str]:
    """Versions of those packages that are installed."""
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def requirements(needed: Mapping[str, str]) -> str:
    """Pinned requirements as pip reads them."""
    return "".join(f"{name}=={pin}\n" for name, pin in sorted(needed.items()))


def training_requirements(needed: Mapping[str, str]) -> dict[str, str]:
    """What ``train.py`` and ``train.ipynb`` import, beside what the model needs."""
    return {**installed(_TRAINING), **needed}


def manifest(folder: Path, log: dict[str, Any] | None = None) -> dict[str, Any]:
    """SHA-256 and size of every file below a folder, by its path; with whose the log is and its last hash.

    The last member, ``sha256``, is that of all others as JSON, so that a change of any of them is seen too.
    """
    files = {
        name: {"sha256": sha256(folder / name), "size": (folder / name).stat().st_size}
        for name in names_in(folder)
        if name != "MANIFEST.json"
    }
    # Whoever checks the zip needs to know whether the same zlib is at hand.
    told = {"format": 1, "algorithm": "sha256", "zlib": zlib.ZLIB_RUNTIME_VERSION, "log": log, "files": files}
    return {**told, "sha256": hashlib.sha256(_as_json(told).encode()).hexdigest()}


def names_in(folder: Path) -> list[str]:
    """Paths of all files below a folder, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def pack(folder: Path, target: Path) -> tuple[list[str], str]:
    """Zip a folder, with sorted names and fixed times, and put the zip in its place by a rename.

    Parameters
    ----------
    folder : pathlib.Path
        What is packed.
    target : pathlib.Path
        The zip.

    Returns
    -------
    contents : list of str
        Paths in the zip.
    checksum : str
        ``sha256:`` and the hex digest of the zip.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    contents = names_in(folder)
    with partial.open("wb") as file:
        write_zip(file, contents, lambda name: (folder / name).open("rb"))
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    checksum = f"sha256:{sha256(partial)}"
    os.replace(partial, target)
    return contents, checksum


def write_zip(target: IO[bytes], names: Iterable[str], opened: Callable[[str], IO[bytes]]) -> None:
    """Write a zip that depends on names, content and zlib alone."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
            with opened(name) as source, archive.open(info, "w", force_zip64=True) as member:
                while piece := source.read(1 << 20):
                    member.write(piece)
            crash_point("export.zip", "EXPORT")


def _cell(text: Any) -> str:
    """A text inside a Markdown table or line, meaning nothing but itself."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|" else c for c in str(text).replace("\n", " "))


def model_card(review: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    """The bundle's ``README.md``.

    Parameters
    ----------
    review : mapping
        What ``review.json`` holds.
    parts : mapping
        What the bundle has: ``report``, ``notebook``, ``training_code``, ``event_log``, ``data``, ``sample`` (bool).
    """
    task, data, kept, split = review["task"], review["data"], review["kept"], review["split"]
    metrics, column = review["metrics"], f" of column {_cell(split['column'])}" if split["column"] else ""
    lines = [
        f"# {_cell(review['project'])}: predicting {_cell(task['target'])}",
        "",
        f"A model for {task_name(task['type'])}: {kept['name']}, chosen among {len(review['runs'])} runs by "
        f"{metric_words(task['metric'])} on validation rows.",
        "",
        "## Use",
        "",
        "```sh",
        "python -m pip install -r requirements.txt",
        f"python predict.py {'sample.csv' if parts['sample'] else 'rows.csv'} --out predictions.csv",
        "```",
        "",
        f"Made with Python {platform.python_version()}, for which the requirements are pinned. Rows may be CSV, TSV, "
        "JSON or NDJSON; with `pip install pyarrow` also Parquet or Feather, with `pip install openpyxl` Excel. They "
        "have the columns of the training data, in any order. The result has one line for each row: `prediction`"
        + ("" if task["type"] == "regression" else " and `proba_<class>` for each class")
        + ". Categories that training did not see and missing values are handled; a missing column is named in an "
        "error; columns that the model does not use are left out.",
        "",
        f"Columns that the model needs: {', '.join(_cell(name) for name in review['needs'])}.",
        "",
    ]
    if task["type"] == "binary":
        lines += [
            f"A row is called {_cell(task['classes'][1])} from a probability of {threshold_of(review)} on.",
            "",
        ]
    lines += [
        "## Data",
        "",
        f"{_cell(data_name(data))} ({data['format']}): {data['n_rows']:,} rows, {data['n_columns']:,} columns. "
        + (f"{data['dropped']:,} rows without a target were left out." if data["dropped"] else ""),
        f"SHA-256: `{data['sha256']}`",
        "",
        "## Split",
        "",
        f"Strategy {split['strategy']}{column}, seed {split['seed']}: {split['rows']['train']:,} training, "
        f"{split['rows']['val']:,} validation, {split['rows']['test']:,} test rows. {test_sentence(review)} "
        "`split.csv` names the part of each row (rows count from 0).",
        "",
        "## Metrics",
        "",
        "| Metric | Test | 95% interval | Validation | Training |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, value in primary_first(metrics["test"], task["metric"]):
        row = [metric_name(name), number(value), interval(review["intervals"].get(name))]
        row += [number(metrics["val"].get(name)), number(metrics["train"].get(name))]
        lines.append(f"| {' | '.join(row)} |")
    lines += [
        "",
        " ".join(filter(None, (intervals_sentence(split["strategy"]), train_sentence(review))))
        + " `metrics.json` has all digits.",
        "",
        "## What was tried",
        "",
        f"| Run | Model | {metric_name(task['metric'])}, validation | Status |",
        "|---|---|---:|---|",
    ]
    for run in review["runs"]:
        status = run["status"] + (f": {_cell(run['reason'])}" if run.get("reason") else "")
        kept_mark = " (kept)" if run["kept"] else ""
        lines.append(f"| {run['run_id']}{kept_mark} | {_cell(run['model'])} | {number(run['metric'])} | {status} |")
    if said := threshold_sentence(review):
        lines += ["", said.strip()]
    if review["untried"]:
        lines += ["", f"Not trained, as time was used up: {', '.join(review['untried'])}."]
    lines += ["", "## Limits", ""]
    limits = [*review["cautions"], *review["warnings"]]
    limits.append("The model knows what was in its training rows; where the world changes, measure again.")
    lines += [f"- {_cell(limit)}" for limit in limits]
    lines += ["", "## Training again", "", *_again(data, parts), "", "## Decisions", ""]
    lines += [f"- {_cell(label)}: {_cell(value)}" for label, value in review["decisions"]]
    lines += ["", "`MANIFEST.json` has the SHA-256 of every file of this bundle.", ""]
    if parts["event_log"]:
        lines[-1:] = [
            "`events.jsonl` is the log of all that happened, `events.chain` its chain of hashes; "
            "`jupyter pipeline verify`, where it is installed, checks both, and that the reported numbers follow from "
            "them.",
            "",
        ]
    return "\n".join(lines)


def _again(data: Mapping[str, Any], parts: Mapping[str, Any]) -> list[str]:
    programs = [name for key, name in (("training_code", "`train.py`"), ("notebook", "`train.ipynb`")) if parts[key]]
    if not programs:
        return ["The training code was left out of this bundle."]
    text = f"{' and '.join(programs)} go{'es' if len(programs) == 1 else ''} from the raw data to these metrics and "
    text += "check that they come out the same. They need `requirements-train.txt`."
    if data["format"] == "sklearn":
        return [text, "The data come with scikit-learn."]
    if parts["data"]:
        return [text, f"The data are in the folder `data`: {_cell(data['name'])}."]
    return [
        text,
        f"The data are too large for this bundle: put the file {_cell(data['name'])} in a folder `data` beside "
        "`train.py`, or run `python train.py --data PATH`. Its SHA-256 is checked.",
    ]


def write_json(path: Path, value: Any) -> None:
    """Write JSON that a person can read."""
    path.write_text(_as_json(value), encoding="utf-8")


def _as_json(value: Any) -> str:
    """JSON as :func:`write_json` writes it."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
