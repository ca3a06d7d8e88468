"""What an agent is: something that reads what a person said and answers with words and proposed actions.

This protocol is the door for agents: the rules of this package come in by it, and a language model comes in by
it too. An agent only proposes. Every action takes the path that a client's own message takes, is checked there,
and nothing that it changes runs without the person's confirmation.
"""

from collections.abc import Awaitable
from typing import Any, Literal, Protocol

import msgspec

from ..protocol.events import Dataset, LeaderboardRow, ModelCandidate
from ..protocol.stages import StageId, StageStatus


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Change a stage's plan by an RFC 6902 patch. An empty patch keeps the plan as it is now, and drops what was asked
    of an attempt that has not come to a plan yet."""

    stage_id: StageId
    patch: tuple[dict[str, Any], ...]


class Restart(msgspec.Struct, frozen=True, kw_only=True):
    """Run a stage again."""

    stage_id: StageId


class Cancel(msgspec.Struct, frozen=True, kw_only=True):
    """End what runs."""

    mode: Literal["stop", "finish", "after_run", "now"] = "stop"


class ConfirmGate(msgspec.Struct, frozen=True, kw_only=True):
    """Confirm the open gate, because the person said so."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent answers; what will run again is added to ``text`` by the conductor."""

    text: str
    actions: tuple[Change | Restart | Cancel | ConfirmGate, ...] = ()


class AtWork(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured of a stage at work. ``seconds`` is how long it has been; ``pct`` how much of it is done, as a
    fraction, where the stage tells it. Of a training: ``model`` and ``eta_s`` of its open run, the models ``begun`` in
    it, and whether it was asked to end."""

    seconds: float
    pct: float | None = None
    model: str | None = None
    eta_s: float | None = None
    begun: frozenset[str] = frozenset()
    finishing: bool = False
    last_run: bool = False


class Confusion(msgspec.Struct, frozen=True, kw_only=True):
    """Of the kept model on the rows of a part (``val``, ``test``): ``matrix[i][j]`` rows of class i were called j."""

    run_id: str
    split: str
    classes: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of the data, and of the models, as far as the project has come.

    ``columns`` has what the profile found of each column, such as its ``kind``, how many values are ``missing`` and its
    ``mean``, and ``correlations`` how pairs of them go together; ``classes`` has the rows of each class of the target,
    ``parts`` those to train, validate and test. ``scores`` has the metrics of each run by what they were measured on
    (``train``, ``val``, ``test``), ``intervals`` those of the kept model's on test rows, ``confusion`` its rows by what
    they are and are called; ``importance`` how much of ``importance_of`` is lost where a column is shuffled, the most
    important first. ``seconds`` is how long stages took.
    """

    rows: int | None = None
    columns: dict[str, dict[str, Any]] = {}
    correlations: dict[tuple[str, str], float] = {}
    classes: dict[str, int] = {}
    parts: dict[str, int] = {}
    scores: dict[str, dict[str, dict[str, float | None]]] = {}
    intervals: dict[str, tuple[float, float]] = {}
    confusion: Confusion | None = None
    importance: dict[str, float] = {}
    importance_of: str = ""
    seconds: dict[StageId, float] = {}


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent knows of the project. ``plans`` has the latest plan of every stage that has one."""

    current_stage: StageId
    status: StageStatus
    plans: dict[StageId, dict[str, Any]]
    columns: tuple[str, ...] = ()
    models: tuple[ModelCandidate, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    leaderboard: tuple[LeaderboardRow, ...] = ()
    best_run: str | None = None
    task_type: str | None = None
    summary: str = ""
    """What the open gate, or the end of the last stage, says in words."""
    proposed: dict[str, Any] | None = None
    """The plan of the open gate as the stage itself proposed it."""
    before: dict[StageId, dict[str, Any]] = {}
    """Plans as they were before the last change for which stages ran again."""
    only_answered: bool = False
    """Whether what was said last at this gate was answered and did nothing: a mere yes may be meant for the answer."""
    changed: dict[StageId, dict[str, Any]] = {}
    """Of the stages that a person changed at their gates and confirmed, the plans as the stages proposed them."""
    at_work: AtWork | None = None
    """None while nothing is."""
    measured: Measured = Measured()


class Agent(Protocol):
    """Anything that can answer."""

    def respond(self, text: str, context: Context) -> Reply | Awaitable[Reply]:
        """Read what was said and answer; at once, or later where that takes time."""
