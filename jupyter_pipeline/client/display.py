"""What a notebook shows of a pipeline: the live view, and the page that stays when nothing is live."""

import contextlib
import functools
import os
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
        self._watched = _may_be_watched()
        self.relay = Relay(pipeline, self._send)
        weakref.finalize(pipeline, _stop_soon, self).atexit = False

    @functools.cached_property
    def widget(self) -> Any:
        """The view as a widget, an ipywidgets DOMWidget; None where the front end is not built."""
        if not ESM.is_file():
            return None
        # Without an epoch the browser does not look for the project on its own server, where it is not.
        made = _widget(self._project_id, (self._model.epoch or "") if self._is_local else "")
        made.on_msg(lambda _, content, buffers: self.relay.receive(content, buffers))
        return made

    def bundle(self) -> dict[str, Any]:
        """The view for JupyterLab, the widget for others, and the page and the text where there is neither.

        Of a project that was deleted page and text are all: there is nothing to be live with.
        """
        page = render.page(self._project_id, self._model)
        bundle: dict[str, Any] = {}
        if self._is_local and not self._model.deleted:
            bundle[VIEW_MIME] = {"project_id": self._project_id, "epoch": self._model.epoch}
        if self._watched and not self._model.deleted and self.widget is not None:
            self.widget.snapshot = page
            bundle[WIDGET_MIME] = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        return {
            **bundle,
            "text/html": page,
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
            return model.current, model.stages[model.current].status, gate, model.export is None, model.deleted

    def _follow(self) -> None:
        kept: object = None
        while True:
            self._dirty.wait()
            if self._stopped.wait(SNAPSHOT_S):
                return
            self._dirty.clear()
            picture = self._picture()
            if picture == self._pictured:
                continue
            if not self.relay.active or self._model.deleted:
                self.refresh_snapshot()
            elif self.widget is not None and picture != kept:
                # A front end that shows the widget would begin it anew; there the output waits until it is shown again,
                # and the widget's own state, which such a front end may save as well, is brought up to date.
                kept = picture
                self.widget.snapshot = render.page(self._project_id, self._model)


def _stop_soon(display: Display) -> None:
    """Stop when the garbage collector says so, which may be where a lock is held that stopping needs."""
    threading.Thread(target=display.stop, name="jupyter_pipeline stopping", daemon=True).start()


def _may_be_watched() -> bool:
    """Whether somebody may see the output while this kernel is there.

    What runs a notebook to its end (nbconvert, papermill, a scheduler) lets nobody answer, and keeps the state of each
    widget: its page would show a widget that asks a kernel which is gone, instead of the snapshot. Voilà lets nobody
    answer either, but shows the notebook while its kernel lives.
    """
    from IPython.core.getipython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None or os.environ.get("SERVER_SOFTWARE", "").startswith("voila/"):
        return True
    with contextlib.suppress(LookupError):  # in a thread that no request began
        request = kernel.get_parent("shell") or {}
        return bool(request.get("content", {}).get("allow_stdin", True))
    return True


def _widget(project_id: str, epoch: str) -> Any:
    import anywidget
    import traitlets

    class PipelineView(anywidget.AnyWidget):
        """The view as a widget; it asks the server itself where the browser can, and the kernel where not."""

        _esm = traitlets.Unicode().tag(sync=True)
        project_id = traitlets.Unicode().tag(sync=True)
        epoch = traitlets.Unicode().tag(sync=True)
        snapshot = traitlets.Unicode().tag(sync=True)

    return PipelineView(_esm=ESM.read_text(encoding="utf-8"), project_id=project_id, epoch=epoch)
