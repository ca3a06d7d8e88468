"""Commands of your own: what a function must look like to be one.

A distribution names its functions in the entry-point group ``jupyter_pipeline.commands``; the entry point's name is the
command's. A function takes the project as it stands and typed arguments, and answers with a text, or with a
:class:`Reply` that also proposes changes::

    class Limit(msgspec.Struct, forbid_unknown_fields=True):
        seconds: float

    def quick(project: Project, args: Limit) -> Reply:
        \"\"\"Train for a short time only.\"\"\"
        patch = ({"op": "replace", "path": "/time_budget_s", "value": args.seconds},)
        return Reply(text="A quick one, then.", actions=(Change(stage_id="MODEL_SELECT", patch=patch),))

It runs in a process of its own that is ended after some seconds. It changes nothing itself: what it proposes takes
the path of ``update_plan`` and ``restart_stage``, and waits for the person's confirmation as everything does.
"""

from typing import Any

import msgspec

from .protocol.events import User
from .protocol.stages import StageId

__all__ = ["Change", "Project", "Reply", "Restart"]


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project as a command sees it.

    Attributes
    ----------
    project_id : str
        Its name.
    folder : str
        Its folder, absolute; it may not exist yet.
    user : User
        Who asked.
    state : dict
        The snapshot that ``GET /api/projects/{id}/state`` gives.
    """

    project_id: str
    folder: str
    user: User
    state: dict[str, Any]


class Change(msgspec.Struct, frozen=True, kw_only=True, tag="change"):
    """Propose to change a stage's plan by a JSON Patch (RFC 6902), as ``update_plan`` does."""

    stage_id: StageId
    patch: tuple[dict[str, Any], ...]


class Restart(msgspec.Struct, frozen=True, kw_only=True, tag="restart"):
    """Run a stage again, as ``restart_stage`` does."""

    stage_id: StageId


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a command answers: words, and proposals that the person may confirm."""

    text: str = ""
    actions: tuple[Change | Restart, ...] = ()
