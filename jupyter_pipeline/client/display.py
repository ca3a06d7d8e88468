"""What a notebook shows of a pipeline: the live view, and the page that stays when nothing is live."""

import contextlib
import threading
import uuid
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import render
from .relay import Relay

if TYPE_CHECKING:
    from .pipeline import Pipeline

VIEW_MIME = "application/vnd.jupyter-pipeline.view+json"
"""JupyterLab and Notebook 7 show this one: the view, connected to the server, with no kernel between."""
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
"""Where there is no extension of ours: the same view as a widget."""
ESM = Path(__file__).parents[1] / "static" / "widget.js"
SNAPSHOT_S = 2.0
"""Seconds between two updates of the snapshot at the least."""


class Display:
    """The output of a pipeline.

    Parameters
    ----------
    pipeline : Pipeline
        What is shown.
    """

    def __init__(self, pipeline: "Pipeline") -> None:
        # Not the pipeline itself: what is shown would keep it, and its connection, for as long as the kernel lives.
        self._project_id, self._model, self._is_local = pipeline.project_id, pipeline.model, pipeline.is_local
        self._display_id: str | None = None
        self._waiting = 0
        self._pictured: object = None
        self._dirty = threading.Event()
        self._stopped = threading.Event()
        self.widget = _widget(pipeline) if ESM.is_file() else None
        self.relay = Relay(pipeline, self._send)
        if self.widget is not None:
            self.widget.on_msg(lambda _, content, buffers: self.relay.receive(content, buffers))
        weakref.finalize(pipeline, _stop_soon, self).atexit = False

    def bundle(self) -> dict[str, Any]:
        """The view for JupyterLab, the widget for others, and the page and the text where there is neither."""
        bundle: dict[str, Any] = {}
        if self._is_local:
            bundle[VIEW_MIME] = {"project_id": self._project_id, "epoch": self._model.epoch}
        if self.widget is not None:
            bundle[WIDGET_MIME] = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        return {
            **bundle,
            "text/html": render.page(self._project_id, self._model),
            "text/plain": render.text(self._project_id, self._model),
        }

    def show(self) -> None:
        """Show it below the current cell."""
        from IPython.core.getipython import get_ipython
        from IPython.display import display

        shell = get_ipython()
        if shell is not None and getattr(shell, "kernel", None) is None:
            # A terminal: it prints below what elsewhere takes its place.
            display(self.bundle(), raw=True)  # type: ignore[no-untyped-call]
            return
        first = self._display_id is None
        self._display_id = self._display_id or uuid.uuid4().hex
        self._pictured = self._picture()
        display(self.bundle(), raw=True, display_id=self._display_id)  # type: ignore[no-untyped-call]
        if first:
            self._unobserve = self._model.observe(self._dirty.set)
            threading.Thread(target=self._follow, name="jupyter_pipeline snapshot", daemon=True).start()

    def refresh_snapshot(self) -> None:
        """Bring what a saved notebook will show up to date."""
        if self._display_id is None:
            return
        from IPython.display import update_display

        self._pictured = self._picture()
        update_display(self.bundle(), raw=True, display_id=self._display_id)  # type: ignore[no-untyped-call]

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """While a cell waits: a view that is relayed says that its buttons act when it has ended."""
        self._waiting += 1
        if self._waiting == 1:
            self.relay.busy(True)
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self.relay.busy(False)

    def stop(self) -> None:
        """Follow no longer; what is shown stays."""
        self._stopped.set()
        self._dirty.set()
        self.relay.stop()
        if self._display_id is not None:
            self._unobserve()

    def _send(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        if self.widget is not None:
            self.widget.send(content, buffers)

    def _picture(self) -> object:
        """What the snapshot is about: it is made anew when this differs."""
        model = self._model
        with model.lock:
            gate = model.gate.gate_id if model.gate else None
            return model.current, model.stages[model.current].status, gate, model.export is None

    def _follow(self) -> None:
        while True:
            self._dirty.wait()
            if self._stopped.wait(SNAPSHOT_S):
                return
            self._dirty.clear()
            # A front end that shows the widget would begin it anew; there the snapshot waits for the cell's end.
            if self._picture() != self._pictured and not self.relay.active:
                self.refresh_snapshot()


def _stop_soon(display: Display) -> None:
    """Stop when the garbage collector says so, which may be where a lock is held that stopping needs."""
    threading.Thread(target=display.stop, name="jupyter_pipeline stopping", daemon=True).start()


def _widget(pipeline: "Pipeline") -> Any:
    import anywidget
    import traitlets

    class PipelineView(anywidget.AnyWidget):
        """The view as a widget; it asks the server itself where the browser can, and the kernel where not."""

        _esm = traitlets.Unicode().tag(sync=True)
        project_id = traitlets.Unicode().tag(sync=True)
        epoch = traitlets.Unicode().tag(sync=True)

    return PipelineView(
        _esm=ESM.read_text(encoding="utf-8"),
        project_id=pipeline.project_id,
        # Without it the browser does not look for the project on its own server, where it is not.
        epoch=(pipeline.model.epoch or "") if pipeline.is_local else "",
    )
