"""What the browser tests do over and over: data to work with, a view, its gates."""

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, TimeoutError, expect
from sklearn.datasets import load_breast_cancer

from .conftest import ROOT

STAGES = (
    "PARSE_INTENT", "DATA_SOURCE", "PROFILE_DATA", "PREPROCESS", "MODEL_SELECT", "TRAIN", "REVIEW_EDIT", "EXPORT",
)  # fmt: skip
SHOW = "from jupyter_pipeline import Pipeline\np = Pipeline('{name}')\np"
"""A cell that shows a project."""
SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(url) { super(url); sockets.push(this); }
};
"""
"""Keeps the page's sockets, so that a test can cut them."""
SLOW_MS = 240_000
"""For a stage to come to its end on a busy machine."""


def write_csv(path: Path) -> None:
    """The tumours of scikit-learn, 569 rows, as somebody would have them; some of the columns."""
    load_breast_cancer(as_frame=True).frame.iloc[:, [0, 1, 4, 6, 7, 20, 26, 27, -1]].to_csv(path, index=False)


def write_notebook(path: Path, sources: Sequence[str]) -> None:
    """A notebook that was not run."""
    cells = [
        {"cell_type": "code", "id": f"c{i}", "source": s, "metadata": {}, "outputs": [], "execution_count": None}
        for i, s in enumerate(sources)
    ]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook))


def outputs(path: Path) -> list[dict[str, Any]]:
    """The bundles of mime types in a saved notebook."""
    notebook = json.loads(path.read_text())
    return [output["data"] for cell in notebook["cells"] for output in cell.get("outputs", ()) if "data" in output]


def axe(page: Page, selector: str | None = None) -> list[str]:
    """What axe-core finds wrong with the page as it is, or a part of it: serious and critical."""
    page.add_script_tag(path=ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js")
    result = page.evaluate("where => axe.run(where ?? document, {resultTypes: ['violations']})", selector)
    return [
        f"{found['id']} ({found['impact']}): {found['help']}: " + "; ".join(n["html"][:160] for n in found["nodes"][:3])
        for found in result["violations"]
        if found["impact"] in ("serious", "critical")
    ]


def restored(page: Page) -> None:
    """Wait until JupyterLab is there."""
    page.wait_for_function("window.jupyterapp && window.jupyterapp.restored")
    page.evaluate("() => window.jupyterapp.restored.then(() => undefined)")


def menu(page: Page, file: str, item: str) -> None:
    """Choose from the menu of a file in the file browser."""
    page.locator(".jp-DirListing-item", has_text=file).click(button="right")
    page.get_by_role("menuitem", name=item).click()


def palette(page: Page, command: str, opens: Locator) -> None:
    """Run a command as a person does: open the palette, type, press Enter; again where what it brings does not come."""
    search = page.locator(".jp-ModalCommandPalette .lm-CommandPalette-input")
    found = page.locator(".lm-CommandPalette-item.lm-mod-active")
    # JupyterLab knows its shortcuts some time after it is there, and its commands one plugin after the other; and the
    # palette goes when something else takes the focus, or another command is run, perhaps just before Enter.
    for _ in range(20):
        with contextlib.suppress(AssertionError, TimeoutError):
            if not search.is_visible():
                page.keyboard.press("Control+Shift+C")
                expect(search).to_be_visible(timeout=2000)
            search.fill("", timeout=2000)
            search.fill(command, timeout=2000)
            expect(found).to_contain_text(command, timeout=5000)
            search.press("Enter", timeout=2000)
            expect(opens).to_be_attached(timeout=10_000)
            return
    raise AssertionError(f"The palette's {command!r} did not come to anything.")


expect.set_options(timeout=60_000)


class View:
    """The live view of a project, as a person sees it."""

    def __init__(self, root: Locator) -> None:
        self.root = root

    @classmethod
    def in_panel(cls, page: Page, project: str) -> "View":
        return cls(page.locator(f'.jp-MainAreaWidget [data-testid="pipeline-view"][data-project="{project}"]'))

    @classmethod
    def in_cell(cls, page: Page, project: str) -> "View":
        return cls(page.locator(f'.jp-OutputArea [data-testid="pipeline-view"][data-project="{project}"]'))

    def stage(self, stage: str, status: str) -> Locator:
        return self.root.locator(f'[data-stage="{stage}"][data-status="{status}"]').first

    def is_at(self, stage: str, status: str) -> None:
        expect(self.stage(stage, status)).to_be_visible(timeout=SLOW_MS)

    def say(self, text: str) -> None:
        """Type it and press Enter."""
        box = self.root.get_by_role("textbox", name="Message")
        box.fill(text)
        box.press("Enter")

    def hears(self, text: str) -> None:
        """The assistant says it."""
        expect(self.root.get_by_role("list", name="Conversation").get_by_text(text).last).to_be_visible()

    def finish(self) -> None:
        """End the training with the best so far, once a model has something on the baseline."""
        rows = self.root.get_by_role("table", name="Leaderboard").first.get_by_role("row")
        learned = rows.filter(has_text="done").filter(has_not_text="Baseline").first
        expect(learned).to_be_visible(timeout=SLOW_MS)
        self.root.get_by_role("button", name="Finish with the best so far").click(timeout=SLOW_MS)

    def confirm(self, stage: str, *, key: str | None = None, name: str = "Confirm") -> None:
        """Confirm the stage's gate with the mouse, or with a key."""
        self.is_at(stage, "WAITING_CONFIRMATION")
        button = self.root.get_by_role("button", name=name, exact=True)
        if key is None:
            button.click()
        else:
            button.focus()
            button.press(key)
