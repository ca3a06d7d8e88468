"""Writes the notebook that goes from the raw data to the reported numbers, and executes it."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from ..automl.models import ENSEMBLE, name_of
from ..protocol.names import metric_words
from .base import StageError
from .kernel import Execution, NotebookFailed
from .rows import write_json

_SETUP = """\
import hashlib
import json
from pathlib import Path

import pandas as pd
from IPython.display import Image, display
from modeling.evaluation import {evaluation_names}
from modeling.figures import {figure_names}
from modeling.frames import to_pandas
from modeling.reading import TableSpec, read, settle
from modeling.splitting import keys_of, split_rows
from modeling.targets import encode_target
from modeling.training import fit_model

config = json.loads(Path("config.json").read_text(encoding="utf-8"))
"""

_READ = """\
data = config["data"]
places = [Path("data") / data["file"], Path(data["path"]), Path(data["file"])]
place = next((str(path) for path in places if path.is_file()), data["file"])
spec = TableSpec.from_dict({**data["table"], "path": place})
if spec.format == "sklearn":
    found = settle(spec).sha256
else:
    with open(place, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
assert found == data["sha256"], "these are not the data of the report"
frame = to_pandas(read(spec))
print(f"{len(frame):,} rows, {frame.shape[1]} columns")
frame.head()
"""

_LOOK = """\
pd.DataFrame({
    "type": frame.dtypes.astype(str),
    "missing": frame.isna().sum(),
    "distinct": frame.nunique(),
    "treatment": pd.Series(config["columns"]),
}).reindex(frame.columns)
"""

_TARGET = {
    True: 'frame[config["task"]["target"]].value_counts(dropna=False).to_frame("rows")',
    False: 'pd.to_numeric(frame[config["task"]["target"]], errors="coerce").describe().to_frame()',
}

_SPLIT = """\
wanted, how = config["task"], config["split"]
target = frame[wanted["target"]]
keys = keys_of(frame[how["column"]], how["strategy"]) if how["column"] else None
_, codes, known = encode_target(target, wanted["type"], wanted["target"])
parts = split_rows(
    codes,
    known,
    strategy=how["strategy"],
    val_fraction=how["val_fraction"],
    test_fraction=how["test_fraction"],
    seed=how["seed"],
    keys=keys,
)
task, y, _ = encode_target(target, wanted["type"], wanted["target"], wanted["positive_class"])
rows = {"train": parts.train, "val": parts.val, "test": parts.test}
assert {name: len(part) for name, part in rows.items()} == how["rows"], "the split differs from that of the report"
{name: len(part) for name, part in rows.items()}
"""

_FIT = """\
history = []


def remember(step):
    history.append((step.iteration, step.scores.get(("loss", "train")), step.scores.get(("loss", "val"))))


fitted = fit_model(
    config["model"]["id"],
    config["model"]["params"],
    task,
    frame.iloc[parts.train],
    y[parts.train],
    frame.iloc[parts.val],
    y[parts.val],
    config["columns"],
    wanted["metric"],
    threads=config["model"]["threads"],
    seed=config["model"]["seed"],
    iterations=config["model"]["iterations"],
    missing=tuple(config["missing"]),
    decimal_comma=config["decimal_comma"],
    callback=remember,
)
print({size}, "features:", len(fitted.feature_names))
"""

_CURVE = """\
curves = {
    "train": [(i, value) for i, value, _ in history if value is not None],
    "validation": [(i, value) for i, _, value in history if value is not None],
}
if len(history) > 1:
    display(Image(draw_history(curves, figures / "history.png", "loss")))
"""

_MEASURE = """\
model = fitted.model(config["threshold"])
raw = {name: model.raw(frame.iloc[rows[name]]) for name in ("val", "test")}
metrics = {name: evaluate(wanted["type"], y[rows[name]], raw[name], config["threshold"]) for name in raw}
pd.DataFrame(metrics).rename(columns={"val": "validation"})
"""

_PICTURES = {
    True: """\
truth, said = y[parts.test], raw["test"]
pictures = [draw_confusion(confusion_data(truth, said, task.classes, config["threshold"]), figures / "confusion.png")]
if (roc := roc_data(truth, said, task.classes))["curves"]:
    pictures.append(draw_roc(roc, figures / "roc.png"))
if (curve := precision_recall_data(truth, said, task.classes))["curves"]:
    pictures.append(draw_precision_recall(curve, figures / "precision_recall.png"))
for picture in pictures:
    display(Image(picture))
""",
    False: """\
display(Image(draw_residuals(residuals_data(y[parts.test], raw["test"]), figures / "residuals.png")))
""",
}

_CHECK = """\
reported = json.loads(Path("config.json").read_text(encoding="utf-8"))["reported"]
for split, values in reported.items():
    for name, value in values.items():
        again = metrics[split][name]
        same = again is None if value is None else again is not None and abs(again - value) <= 1e-9 * max(1, abs(value))
        assert same, f"{name} on the {split} rows is {again}, reported was {value}"
print("All", sum(map(len, reported.values())), "reported numbers came out again.")
"""


def build(config: dict[str, Any], title: str) -> Any:
    """The notebook, not yet executed.

    Parameters
    ----------
    config : dict
        What ``config.json`` beside the notebook holds.
    title : str
        Its heading.
    """
    classes = config["task"]["type"] != "regression"
    names = ["confusion_data", "evaluate", "precision_recall_data", "roc_data"] if classes else []
    drawn = ["draw_confusion", "draw_history", "draw_precision_recall", "draw_roc"] if classes else []
    setup = _SETUP.format(
        evaluation_names=", ".join(names or ["evaluate", "residuals_data"]),
        figure_names=", ".join(drawn or ["draw_history", "draw_residuals"]),
    )
    folder = "drawings = tempfile.TemporaryDirectory()\nfigures = Path(drawings.name)"
    setup = setup.replace("import json\n", "import json\nimport tempfile\n") + folder + "\n"
    target, model, metric = config["task"]["target"], config["model"], config["task"]["metric"]
    ensemble = model["id"] == ENSEMBLE
    fit = _FIT.format(size='"models:", len(fitted.estimator)' if ensemble else '"iterations:", fitted.iterations')
    how = "with the parameters and as many iterations as the kept one had."
    if ensemble:
        how = "each of its models with the parameters and as many iterations as it had, and with the same weight."
    parts: list[tuple[str, str]] = [
        (
            f"# {_plain(title)}\n\nThis notebook goes from the raw data to the numbers of the report. It uses the "
            "folder `modeling` and the file `config.json` beside it.",
            setup,
        ),
        ("## The data\n\nThey are read as before, and their fingerprint is compared.", _READ),
        ("Columns, and how each one becomes features (empty: not used).", _LOOK),
        (f"The target, {_code(target)}.", _TARGET[classes]),
        (
            f"## The split\n\nStrategy {_code(config['split']['strategy'])}, seed {config['split']['seed']}. "
            "Nothing is learned from validation rows but when to stop, and nothing at all from test rows.",
            _SPLIT,
        ),
        (f"## The model\n\n{_plain(name_of(model['id']))}, {how}", fit),
        *([] if ensemble else [("Loss after every iteration.", _CURVE)]),
        (f"## How good it is\n\nThe metric that decides is {metric_words(metric)}, {_code(metric)} below.", _MEASURE),
        ("On the test rows:", _PICTURES[classes]),
        ("## The same numbers\n\nThe last cell fails if a number differs from the report.", _CHECK),
    ]
    notebook = new_notebook()  # type: ignore[no-untyped-call]
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    for i, (text, code) in enumerate(parts):
        notebook.cells.append(new_markdown_cell(text, id=f"text-{i}"))  # type: ignore[no-untyped-call]
        notebook.cells.append(new_code_cell(code.strip(), id=f"code-{i}"))  # type: ignore[no-untyped-call]
    return notebook


class Running:
    """The notebook while it is executed in a folder, where it is written as ``train.ipynb`` at the end.

    It takes as long as the training did, so it is begun before there are numbers to compare with: the last cell waits
    for them.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        From :func:`build`.
    folder : pathlib.Path
        Holds ``config.json`` and ``modeling``.
    timeout_s : float
        How long one cell may take, in seconds.
    say : callable
        Called with the heading of each section that begins.
    """

    def __init__(self, notebook: Any, folder: Path, timeout_s: float, say: Callable[[str], None]) -> None:
        self._notebook, self._folder = notebook, folder

        def begins(index: int) -> None:
            text = notebook.cells[index - 1].source if index else ""
            if text.startswith("## "):
                say(text.splitlines()[0].removeprefix("## "))

        self._reported = threading.Event()
        self._execution = Execution(
            notebook,
            folder,
            timeout_s,
            env={"PYTHONDONTWRITEBYTECODE": "1"},
            gate=self._reported,
            begins=begins,
        )

    def report(self, metrics: dict[str, dict[str, float | None]]) -> None:
        """Put the reported numbers, by split, into ``config.json``, for the last cell."""
        path = self._folder / "config.json"
        write_json(path, {**json.loads(path.read_text(encoding="utf-8")), "reported": metrics})
        self._reported.set()

    def stop(self) -> None:
        """End it, if it still runs."""
        self._execution.stop()

    def result(self) -> Path:
        """Wait for its end; the notebook's file.

        Raises
        ------
        StageError
            If it does not come to the reported numbers, or does not run.
        """
        try:
            self._execution.result()
        except NotebookFailed as error:
            raise StageError(
                f"The notebook that trains from the raw data did not come to the reported numbers ({error}). If the "
                "code or the data were changed after training, restart the stage Training so that it runs with "
                "them; else undo the change."
            ) from error
        path = self._folder / "train.ipynb"
        nbformat.validate(self._notebook)
        nbformat.write(self._notebook, path)  # type: ignore[no-untyped-call]
        return path


def _plain(text: str) -> str:
    """Text in Markdown that means nothing but itself."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+-.!|~&$" else c for c in text.replace("\n", " "))


def _code(text: str) -> str:
    fence = "`" * (max((len(run) for run in _runs(text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("\n", " ")


def _runs(text: str) -> list[str]:
    runs, current = [], ""
    for character in text + " ":
        if character == "`":
            current += character
        elif current:
            runs.append(current)
            current = ""
    return runs
