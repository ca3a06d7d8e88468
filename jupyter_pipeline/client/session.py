"""A connection to one project that knows how the project stands and can wait for it."""

import asyncio
import contextlib
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ..protocol.events import EVENT_TYPES
from ..protocol.names import stage_name, standing
from ..protocol.stages import STAGES, StageStatus
from . import tables, words
from .errors import PipelineError, project_deleted
from .model import Gate, Model
from .transport import Transport, stage_of
from .waiting import Deadline

if TYPE_CHECKING:
    import pandas

    from .display import Display

T = TypeVar("T")


class Session:
    """A project as this process sees it: what was heard of it, and the waiting for more.

    Parameters
    ----------
    project_id : str
        The project's name.
    connect : callable
        Makes a connection that is not started yet.
    fresh : bool
        Delete a project that is there under this name first.
    timeout : float
        Seconds to wait for the connection.
    """

    def __init__(self, project_id: str, connect: Callable[[], Transport], *, fresh: bool, timeout: float) -> None:
        self.project_id = project_id
        self._display: Display | None = None
        self._connect(connect(), timeout)
        if fresh and self.model.seq:
            with contextlib.closing(self._transport) as old:
                old.delete()
                self._connect(connect(), timeout)
        self._finalizer = weakref.finalize(self, _close_soon, self._transport)
        self._finalizer.atexit = False  # the process takes its connections along

    def _connect(self, transport: Transport, timeout: float) -> None:
        self.model = Model()
        self._transport = transport
        try:
            transport.start(self.model)
            self._catch_up(timeout)
        except BaseException:
            transport.close()
            raise

    def close(self) -> None:
        """Leave the project, which lives on. In embedded mode the work of this process ends."""
        if self._display is not None:
            self._display.stop()
        self._finalizer.detach()
        self._transport.close()

    @property
    def closed(self) -> bool:
        """Whether the connection has ended for good."""
        return self.model.connection == "closed"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        with self.model.lock:
            current = self.model.current
            view = self.model.stages[current]
        if self.model.deleted:
            return f"<Pipeline {self.project_id!r}: deleted>"
        how = standing(current, view.status)
        if view.status is StageStatus.FAILED:
            how = f"{stage_name(current)} {'was stopped' if view.stopped else 'has failed'}"
        return f"<Pipeline {self.project_id!r}: {how}{'; this connection is closed' if self.closed else ''}>"

    # -- looking -----------------------------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any]:
        """The project's state: current stage, stages, open gate, decisions, runs, leaderboard, artifacts."""
        return self._transport.snapshot()

    @property
    def plan(self) -> dict[str, Any] | None:
        """What the open gate proposes; None if none is open."""
        gate = self.model.gate
        return None if gate is None else gate.plan

    @property
    def gate(self) -> Gate | None:
        """The open gate, as this client has seen it last; None if none is open."""
        return self.model.gate

    @property
    def commands(self) -> dict[str, str]:
        """The commands that there are, and what each does."""
        return {spec["name"]: spec["description"] for spec in self.model.hello_payload.get("commands", ())}

    def events(self, since: int = 0, names: str | Iterable[str] | None = None) -> list[dict[str, Any]]:
        """The project's log.

        Parameters
        ----------
        since : int, default=0
            Only events after this ``seq``.
        names : str or iterable of str or None, default=None
            Only events of these names.

        Returns
        -------
        list of dict
            Event frames as they go over the wire.

        Raises
        ------
        PipelineError
            If there is no event of a name.
        """
        wanted = None if names is None else {names} if isinstance(names, str) else set(names)
        found: list[dict[str, Any]] = []
        while page := self._transport.events(since, 1000):
            found += (frame for frame in page if wanted is None or frame["event"]["name"] in wanted)
            since = page[-1]["seq"]
        # A server that is younger than this client may have more.
        if unknown := (wanted or set()) - set(EVENT_TYPES) - {frame["event"]["name"] for frame in found}:
            raise PipelineError(f"There is no event {min(unknown)!r}; the events are {', '.join(EVENT_TYPES)}.")
        return found

    @property
    def metrics(self) -> "pandas.DataFrame":
        """All measured values, a row each: run_id, model, name, split, step, value."""
        return tables.metrics(self.model)

    @property
    def leaderboard(self) -> "pandas.DataFrame":
        """The runs, best first: run_id, model, metric, runtime_s, status, params; reason, if a run failed.

        ``metric`` is measured on the validation rows; the name of the columns says which metric it is.
        """
        return tables.leaderboard(self.model)

    # -- waiting -----------------------------------------------------------------------------------------------

    def wait(self, stage: str | None = None, timeout: float | None = None) -> None:
        """Wait until a stage has something to confirm, or is completed.

        Parameters
        ----------
        stage : str or None, default=None
            The stage; by default the one at which the project is.
        timeout : float or None, default=None
            Seconds to wait; None: as long as it takes. An interrupt of the cell ends the waiting, not the work.

        Raises
        ------
        PipelineError
            If the stage, or one before it, failed; with its message.
        """
        hint = words.Hint(self.model)
        with self._cell_waits():
            self._until(lambda: hint.watch(self._arrived(stage)), timeout, self._awaited(stage))

    async def wait_async(self, stage: str | None = None, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """:meth:`wait` for ``await``: buttons of the display work meanwhile."""
        deadline = Deadline(timeout)
        changed = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(changed.set)

        stop = self.model.observe(wake)
        try:
            while True:
                changed.clear()
                with self.model.lock:
                    if self._arrived(stage):
                        return
                    self._check_alive()
                seconds = deadline.tick(self._awaited(stage))
                try:
                    await asyncio.wait_for(changed.wait(), seconds if timeout is not None else None)
                except TimeoutError:
                    continue
        finally:
            stop()
            if self._display is not None:
                self._display.refresh_snapshot()

    def _awaited(self, stage: str | None) -> str:
        """What :meth:`wait` waits for, in words."""
        goal = self.model.current if stage is None else stage_of(stage)
        return f"{'the end' if goal.next is None else 'a proposal'} of the stage {stage_name(goal)}"

    @contextlib.contextmanager
    def _cell_waits(self) -> Iterator[None]:
        """While a cell waits, the display says so; afterwards what a saved notebook shows is brought up to date."""
        if self._display is None:
            yield
            return
        try:
            with self._display.waiting():
                yield
        finally:
            self._display.refresh_snapshot()

    @property
    def transport(self) -> Transport:
        """The connection, for a view that is relayed through the kernel."""
        return self._transport

    @property
    def is_local(self) -> bool:
        """Whether the project is on a server that was found, not named: the one whose page shows the notebook."""
        server = getattr(self._transport, "server", None)
        return server is not None and server.source != "url"

    # -- inside ------------------------------------------------------------------------------------------------

    def _send(self, message: dict[str, Any], timeout: float | None = None) -> None:
        """Send, and have heard everything that it caused."""
        if self.model.connection == "reconnecting":
            what = "The connection to the Jupyter server is cut; this waits until it is back."
            print(f"{what} Interrupt to wait no longer: then it is not sent.", file=sys.stderr)
        seq = self._transport.send(message, timeout)
        self._until(lambda: self.model.seq >= seq, 60.0, "the events of what was sent")

    def _catch_up(self, timeout: float) -> None:
        """Block until the log was heard as far as it was when this came; the time counts from what was heard last."""
        heard, deadline = -1, Deadline(timeout)
        with self.model.lock:
            while not self._synchronised():
                self._check_alive()
                if self.model.seq > heard:
                    heard, deadline = self.model.seq, Deadline(timeout)
                self.model.wait(deadline.tick(f"the connection to {self.project_id!r}"))

    def _until(self, condition: Callable[[], T | None], timeout: float | Deadline | None, what: str) -> T:
        """Block until the condition gives something true; it is asked under the model's lock."""
        deadline = timeout if isinstance(timeout, Deadline) else Deadline(timeout)
        with self.model.lock:
            while True:
                value = condition()
                if value:
                    return value
                self._check_alive()
                self.model.wait(deadline.tick(what))

    def _check_alive(self) -> None:
        if self.closed:
            raise PipelineError(self.model.reason or "The connection is closed.", self.model.reason_code)

    def _check_not_deleted(self) -> None:
        """Refuse what would go to another project: one that was made anew under the same name."""
        if self.model.deleted:
            raise project_deleted(self.project_id)

    def _synchronised(self) -> bool:
        return self.model.head_at_hello is not None and self.model.seq >= self.model.head_at_hello

    def _arrived(self, stage: str | None) -> bool:
        """Whether the stage waits or is completed; raises if it, or one before it, failed."""
        goal = self.model.current if stage is None else stage_of(stage)
        for earlier in STAGES[: goal.order + 1]:
            view = self.model.stages[earlier]
            if view.status is StageStatus.FAILED:
                raise PipelineError(words.came_to_nothing(earlier, view), "FAILED")
        status = self.model.stages[goal].status
        if status is StageStatus.WAITING_CONFIRMATION:
            return self.model.gate is not None
        if stage is None:
            return status is StageStatus.COMPLETED and goal.next is None
        return status in (StageStatus.COMPLETED, StageStatus.SKIPPED)


def _close_soon(transport: Transport) -> None:
    """Close when the garbage collector says so, which may be in any thread and anywhere, also where a lock is held
    that closing needs."""
    threading.Thread(target=transport.close, name="jupyter_pipeline closing", daemon=True).start()
