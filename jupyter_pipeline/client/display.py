"""The inline display: plain ipywidgets, kept up to date by a thread of its own."""

import contextlib
import contextvars
import html
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ..protocol.stages import STAGES, StageId, StageStatus
from . import render
from .errors import PipelineError
from .model import Gate
from .style import MUTED, RED, ROOT

if TYPE_CHECKING:
    from .pipeline import Pipeline

INTERVAL_S = 0.3
"""Seconds between two updates at the least."""
BUSY_NOTE = (
    "A cell is waiting for this pipeline. Buttons and chat of this display act when the cell has ended; "
    "interrupt the kernel (■) to end the waiting. The work goes on."
)


class Display:
    """The widget of a pipeline.

    Parameters
    ----------
    pipeline : Pipeline
        What is shown.
    """

    def __init__(self, pipeline: "Pipeline") -> None:
        self._pipeline = pipeline
        self._display_id: str | None = None
        self._shown: dict[str, str] = {}
        self._gate: Gate | None = None
        self._waiting = 0
        self._dirty = threading.Event()
        self._stopped = threading.Event()
        self._build()
        self.update()
        self._unobserve = pipeline.model.observe(self._dirty.set)
        # With the context of the cell that shows it, so that nothing lands in another cell's output.
        self._thread = threading.Thread(
            target=contextvars.copy_context().run, args=(self._follow,), name="jupyter_pipeline display", daemon=True
        )
        self._thread.start()

    def _build(self) -> None:
        self._html = {name: widgets.HTML() for name in ("header", "gate", "training", "chat", "note")}
        wide = widgets.Layout(width="auto")
        self.confirm = widgets.Button(description="Confirm", button_style="primary", layout=wide)
        self.cancel = widgets.Button(description="Cancel run", layout=wide)
        self.restart = widgets.Button(description="Restart stage", layout=wide)
        self.stage = widgets.Dropdown(options=[s.value for s in STAGES], layout=widgets.Layout(width="170px"))
        self.text = widgets.Text(
            placeholder="Say what you want, or what should be different",
            layout=widgets.Layout(flex="1 1 320px", width="auto"),
        )
        self.send = widgets.Button(description="Send", layout=wide)
        self.confirm.on_click(lambda _: self._act(self._confirm))
        self.cancel.on_click(lambda _: self._act(self._pipeline.cancel_run))
        self.restart.on_click(lambda _: self._act(lambda: self._pipeline.restart_stage(self.stage.value)))
        self.send.on_click(lambda _: self._say())
        self.text.on_msg(lambda _, content, __: self._say() if content.get("event") == "submit" else None)
        buttons = widgets.HBox(
            [self.confirm, self.cancel, self.restart, self.stage], layout=widgets.Layout(flex_flow="row wrap")
        )
        says = widgets.HBox([self.text, self.send], layout=widgets.Layout(max_width="960px"))
        pieces = self._html
        self.widget = widgets.VBox(
            [pieces["header"], pieces["gate"], buttons, pieces["note"], pieces["training"], pieces["chat"], says]
        )

    # -- showing -----------------------------------------------------------------------------------------------

    def bundle(self) -> dict[str, Any]:
        """The widget, and the page and the text that stand for it where there are no widgets."""
        pipeline = self._pipeline
        return {
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.widget.model_id,
            },
            "text/html": render.page(pipeline.project_id, pipeline.model),
            "text/plain": render.text(pipeline.project_id, pipeline.model),
        }

    def show(self) -> None:
        """Show it below the current cell."""
        from IPython.display import display

        self._display_id = self._display_id or uuid.uuid4().hex
        display(self.bundle(), raw=True, display_id=self._display_id)  # type: ignore[no-untyped-call]

    def refresh_snapshot(self) -> None:
        """Bring what a saved notebook will show up to date."""
        self.update()
        if self._display_id is None:
            return
        from IPython.display import update_display

        update_display(self.bundle(), raw=True, display_id=self._display_id)  # type: ignore[no-untyped-call]

    def update(self) -> None:
        """Set those pieces that differ from what is shown."""
        pipeline, model = self._pipeline, self._pipeline.model
        with model.lock:
            pieces = {
                "header": render.header(pipeline.project_id, model),
                "gate": render.gate(model),
                "training": render.training(model),
                "chat": render.chat(model),
            }
            gate, current = model.gate, model.current
            running = model.stages[current].status is StageStatus.IN_PROGRESS
            reached = [s.value for s in STAGES[: current.order + 1]]
        for name, piece in pieces.items():
            self._set(name, piece)
        self._gate = gate
        self.confirm.disabled = gate is None
        self.cancel.disabled = not running
        if tuple(reached) != tuple(self.stage.options):
            self.stage.options = reached
            self.stage.value = current.value
        started = current is not StageId.PARSE_INTENT or running or gate is not None
        self.restart.disabled = not started

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """While a cell waits: says that buttons act when it has ended."""
        self._waiting += 1
        self._note(BUSY_NOTE)
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._note("")

    def stop(self) -> None:
        """Follow no longer; what is shown stays."""
        self._unobserve()
        self._stopped.set()
        self._dirty.set()

    def _follow(self) -> None:
        while True:
            self._dirty.wait()
            if self._stopped.is_set():
                return
            self._dirty.clear()
            self.update()
            self._stopped.wait(INTERVAL_S)

    def _set(self, name: str, piece: str) -> None:
        if self._shown.get(name) != piece:
            self._shown[name] = piece
            self._html[name].value = f'<div style="{ROOT}">{piece}</div>' if piece else ""

    def _note(self, words: str, colour: str = "inherit") -> None:
        style = f"color:{colour}" if colour != "inherit" else MUTED
        self._set("note", f'<div style="{style}">{html.escape(words)}</div>' if words else "")

    # -- acting ------------------------------------------------------------------------------------------------

    def _confirm(self) -> None:
        if self._gate is not None:
            self._pipeline.confirm_gate(self._gate)  # the one that is shown

    def _say(self) -> None:
        text = self.text.value.strip()
        if text:
            self.text.value = ""
            self._act(lambda: self._pipeline.chat(text))

    def _act(self, act: Callable[[], object]) -> None:
        """Do it in a thread, so that the kernel stays free, and say what went wrong."""

        def run() -> None:
            try:
                act()
            except PipelineError as error:
                self._note(str(error), RED)
            else:
                self._note(BUSY_NOTE if self._waiting else "")

        threading.Thread(target=run, name="jupyter_pipeline button", daemon=True).start()
