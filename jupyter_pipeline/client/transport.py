"""What the Pipeline object needs of a connection, whether over a socket or in the same process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ..protocol.names import STAGE_NAMES
from ..protocol.stages import StageId


class Listener(Protocol):
    """Who hears what comes in. Called in the transport's thread; must be quick."""

    def hello(self, epoch: str, seq: int, payload: dict[str, Any]) -> None:
        """A connection was made: to this log, whose head is ``seq``."""

    def event(self, frame: dict[str, Any]) -> None:
        """An event of the log; each comes once and in order."""

    def status(self, status: str, reason: str = "", code: str | None = None) -> None:
        """The connection is now ``connecting``, ``connected``, ``reconnecting`` or, for good, ``closed``."""

    @property
    def position(self) -> tuple[str | None, int]:
        """Epoch and seq of the last event heard: where to resume."""


class Transport(Protocol):
    """A connection to one project.

    Every call but :meth:`start` blocks until it is done and raises
    :class:`~jupyter_pipeline.client.errors.PipelineError` where it cannot be done.
    """

    def start(self, listener: Listener) -> None:
        """Connect, in the background."""

    def send(self, message: dict[str, Any], timeout_s: float | None = None) -> int:
        """Send a message; the log's head once what it caused is durable."""

    def snapshot(self) -> dict[str, Any]:
        """The project's state."""

    def events(self, since: int, limit: int) -> list[dict[str, Any]]:
        """Events after ``since``, at most ``limit``."""

    def upload(self, file: Path, name: str) -> dict[str, Any]:
        """Give the project a data file; the data set that it became."""

    def download(self, asset_id: str, write: Callable[[bytes], object]) -> None:
        """Hand an asset's bytes to ``write``, piece by piece."""

    def predict(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Predictions of the project's model for some rows."""

    def delete(self) -> None:
        """Remove the project with all that belongs to it."""

    def close(self) -> None:
        """End the connection."""


def stage_of(value: str | StageId) -> StageId:
    """A stage by its id or by its name for people, in any case.

    Raises
    ------
    PipelineError
        If there is no such stage; names those that there are.
    """
    from .errors import PipelineError

    said = str(value).strip().upper()
    for stage, name in STAGE_NAMES.items():
        if said in (stage, name.upper()):
            return stage
    stages = ", ".join(f"{stage} ({name})" for stage, name in STAGE_NAMES.items())
    raise PipelineError(f"There is no stage {value!r}; the stages are {stages}.")
