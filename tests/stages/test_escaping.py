"""What came from data stays text, wherever it is shown: in report, model card, notebook and table report.

Names of columns, categories, files and classes, and what people said, are all one that would act if it were a tag,
Markdown, or a formula; a browser's part of this is in ``tests/browser/test_view_page.py``.
"""

import html.parser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import polars as pl
from nbconvert.filters import markdown2html

from jupyter_pipeline.stages import bundle, notebook, profile_data, report, suggestions

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>`[a](javascript:alert(3))|$\\href{javascript:4}{b}$\"'&"


class Seen(html.parser.HTMLParser):
    """The tags of a page, what could act in them, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.acting: list[tuple[str, str | None]] = []
        self.scripts: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.acting += [a for a in attrs if a[0].startswith("on") or (a[1] or "").strip().startswith("javascript:")]

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.tags and self.tags[-1] == "script":
            self.scripts.append(data)


PARTS = dict.fromkeys(("report", "notebook", "training_code", "event_log", "data", "sample"), True)


def review() -> dict[str, Any]:
    """As REVIEW_EDIT makes it, with the same text everywhere where data or people could have put it."""
    metrics = {"f1": 0.5, "roc_auc": 0.7}
    kept = {
        "run_id": "r1", "model_id": "linear", "name": "Logistic regression", "params": {"a": EVIL}, "iterations": 3,
        "stopped": False, "threshold": 0.4, "threshold_chosen": 0.4, "out_of_bag": None, "runtime_s": 1.0,
    }  # fmt: skip
    run = {
        "run_id": "r1", "model_id": "linear", "model": EVIL, "params": {EVIL: EVIL}, "metric": 0.5, "runtime_s": 1.0,
        "status": "failed", "reason": EVIL, "kept": True,
    }  # fmt: skip
    found: dict[str, Any] = {
        "project": EVIL,
        "task": {
            "type": "binary", "target": EVIL, "metric": "f1", "classes": [f"{EVIL}0", f"{EVIL}1"], "rarest_share": 0.1,
        },
        "data": {
            "name": f"{EVIL}.csv", "format": "csv", "n_rows": 100, "n_columns": 5, "sha256": "ab", "dropped": 2,
        },
        "warnings": [EVIL],
        "leakage": [EVIL],
        "split": {"strategy": "group", "column": EVIL, "seed": 1, "rows": {"train": 60, "val": 20, "test": 20}},
        "columns": {EVIL: "onehot", f"{EVIL}2": "numeric"},
        "runs": [run],
        "untried": [],
        "trials": 1,
        "budget_s": 10.0,
        "kept": kept,
        "metrics": {"train": {"f1": 0.9, "roc_auc": 0.9}, "val": metrics, "test": metrics},
        "intervals": {"f1": [0.4, 0.6]},
        "importance": {"columns": [{"name": EVIL, "mean": 0.1, "std": 0.01}]},
        "val_importance": {"columns": [{"name": EVIL, "mean": 0.1, "std": 0.01}]},
        "explained": None,
        "test_reads": {"times": 1, "models": 1},
        "decisions": [(EVIL, EVIL)],
        "versions": {"scikit-learn": "1"},
        "needs": [EVIL],
        "edited": [],
    }  # fmt: skip
    found["cautions"] = suggestions.cautions(found)
    found["suggestions"] = suggestions.suggestions(found)
    return found


def test_the_report() -> None:
    seen = Seen(report.render(review(), []))
    assert not {"script", "img", "a"} & set(seen.tags)
    assert seen.acting == []
    assert seen.text.count(EVIL) > 10


def test_of_many_classes_it_is_said_how_many_are_not_named() -> None:
    many = review()
    for n, told in ((30, "class 29"), (155, "class 29 and 125 more")):
        many["task"] = {**many["task"], "type": "multiclass", "classes": [f"class {i}" for i in range(n)]}
        assert f"{told}<" in report.render(many, [])


def test_why_the_score_among_the_runs_is_another_one_is_told_where_a_threshold_was_set() -> None:
    made = review()
    told = "of Logistic regression 0.7; with the 0.4 that was set for it, its F1 on these rows is 0.5"
    for chosen, expected in ((0.7, True), (0.4, False), (None, False)):
        made["kept"] = {**made["kept"], "threshold_chosen": chosen}
        if chosen is None:
            del made["kept"]["threshold_chosen"]  # a review of an earlier version
        assert (told in report.render(made, [])) == expected
        assert (told in bundle.model_card(made, PARTS)) == expected


def test_the_model_card() -> None:
    for has_data in (True, False):
        seen = Seen(markdown2html(bundle.model_card(review(), {**PARTS, "data": has_data})))
        assert not {"script", "img"} & set(seen.tags), seen.tags
        assert seen.acting == []
        assert seen.text.count("alert(2)") > 10


def test_the_notebook() -> None:
    config = {
        "task": {"type": "binary", "target": EVIL, "metric": "f1"},
        "split": {"strategy": "group", "seed": 1},
        "model": {"id": "linear"},
    }
    made = notebook.build(config, f"{EVIL}: predicting {EVIL}")
    nbformat.validate(made)
    for cell in made.cells:
        if cell.cell_type == "code":
            assert EVIL not in cell.source, "code comes from the package; what is in data comes by config.json"
            continue
        seen = Seen(markdown2html(cell.source))
        assert not {"script", "img"} & set(seen.tags)
        assert seen.acting == []


def test_the_table_report(tmp_path: Path) -> None:
    """Skrub's page has scripts of its own; the data bring none along."""
    sample = pl.DataFrame({EVIL: [f"{EVIL}{n}" for n in range(9)], "target": [0, 1, 0] * 3})
    told: list[str] = []
    ctx = SimpleNamespace(out_dir=tmp_path, asset=lambda *a, **k: None, log=lambda text, *a: told.append(text))
    profile_data._table_report(ctx, sample, SimpleNamespace(target="target", dataset_id=f"upload:{EVIL}"))
    assert told == []
    seen = Seen((tmp_path / "report.html").read_text("utf-8"))
    assert "img" not in seen.tags
    assert not [script for script in seen.scripts if script.startswith("alert")]
    assert not [value for _, value in seen.acting if value and "alert" in value]
    assert seen.text.count("alert(2)") > 10
