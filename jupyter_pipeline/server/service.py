"""What the handlers share: the projects, the limits, the ticket and the open connections."""

import asyncio
import gc
import importlib
import logging
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

from ..project.log import LogInUse, LogUnusable
from ..protocol.connecting import GOING_DOWN
from ..protocol.errors import ErrorCode, Refusal
from .limits import Crowd, RateLimiter
from .watching import Watch

if TYPE_CHECKING:
    from ..project.manager import ProjectManager
    from ..project.settings import Settings

log = logging.getLogger(__name__)
STARTING = "The pipeline is still starting; try again in a moment."
STOPPED = "The server is going down; try again when it is back."
_CLOSE_S = 1.0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes and times in seconds; None means no limit."""

    message_bytes: int = 1 << 20
    predict_bytes: int = 32 << 20
    upload_bytes: int | None = None
    upload_stall_s: float = 60.0
    body_s: float = 120.0
    project_files: int | None = None
    long_poll_s: float = 60.0
    flood_per_minute: float = 120.0


class Closable(Protocol):
    """An open connection."""

    def close(self, code: int, reason: str) -> None:
        """End it."""

    async def closed(self) -> None:
        """Return when it has ended."""


@runtime_checkable
class Reader(Closable, Protocol):
    """An open connection that reads events."""

    @property
    def lag(self) -> int:
        """How many events it is behind."""


class Service:
    """The pipeline of one server process.

    Parameters
    ----------
    settings : Settings
        For the project manager.
    limits : Limits
        For connections and requests.
    limiter : RateLimiter
        How often a user may ask.
    ticket : str
        What lets this server's kernels in.
    compression : bool, default=False
        Whether sockets compress.
    crowd : Crowd or None, default=None
        How much a user may have open at once; None means the defaults.

    Attributes
    ----------
    problem : str or None
        Why nothing can be done now, in a sentence.
    """

    def __init__(
        self,
        settings: "Settings",
        limits: Limits,
        limiter: RateLimiter,
        ticket: str,
        compression: bool = False,
        crowd: Crowd | None = None,
    ) -> None:
        self.settings = settings
        self.limits = limits
        self.limiter = limiter
        self.crowd = crowd or Crowd({})
        self.ticket = ticket
        self.compression = compression
        self.problem: str | None = STARTING
        self.connections: set[Closable] = set()
        self.watch = Watch()
        self._manager: ProjectManager | None = None

    @property
    def manager(self) -> "ProjectManager":
        """The projects.

        Raises
        ------
        Refusal
            BUSY, if they cannot be had; the message says why.
        """
        if self._manager is None or self.problem is not None:
            raise Refusal(ErrorCode.BUSY, self.problem or STARTING, retryable=True)
        return self._manager

    @property
    def at_work(self) -> tuple[str, ...]:
        """The projects in which a stage is running."""
        return () if self._manager is None else self._manager.at_work

    @property
    def open_projects(self) -> int:
        """How many projects this process has open."""
        return 0 if self._manager is None else self._manager.open_projects

    async def start(self) -> None:
        """Open the projects. What goes wrong is logged, and then answers every request; the server goes on."""
        try:
            # Only a server that starts pays for these imports, and in a thread, so that it answers meanwhile.
            await asyncio.to_thread(_import_manager)
            from ..project.manager import ProjectManager

            manager = ProjectManager(self.settings)
            manager.on_committed = self.watch.committed
            await manager.start()
        except (LogInUse, LogUnusable) as error:
            self.problem = str(error)
            log.error("jupyter_pipeline is off: %s", error)
        except Exception as error:
            self.problem = f"The projects in {self.settings.root} could not be opened ({error})."
            log.exception("jupyter_pipeline is off: %s", self.problem)
        else:
            if self.problem == STOPPED:
                await manager.stop()
            else:
                self._manager, self.problem = manager, None

    async def stop(self) -> None:
        """Tell the connections, end the work and close the log; does nothing if it never started."""
        self.problem = STOPPED
        connections = list(self.connections)
        for connection in connections:
            connection.close(GOING_DOWN, "The server is going down.")
        if connections:
            await asyncio.wait([asyncio.ensure_future(c.closed()) for c in connections], timeout=_CLOSE_S)
        manager, self._manager = self._manager, None
        if manager is not None:
            await manager.stop()
        self.watch.stop()

    def lags(self) -> list[int]:
        """For each open socket, how many events it is behind."""
        return [connection.lag for connection in self.connections if isinstance(connection, Reader)]


def _import_manager() -> None:
    """Import the project manager without a garbage collection on the way.

    What an import makes stays, and one full collection in a Jupyter server takes 0.1 s, in which it answers nobody.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        importlib.import_module("jupyter_pipeline.project.manager")
    finally:
        if was_enabled:
            gc.enable()
