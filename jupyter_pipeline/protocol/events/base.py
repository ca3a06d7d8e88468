"""What the event payloads share."""

from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

Pct = Annotated[float, Meta(ge=0.0, le=1.0)]
#: JSON Patch operations (RFC 6902).
Patch = tuple[dict[str, Any], ...]
RunStatus = Literal["success", "failed", "cancelled"]
Phase = Literal["init", "fit", "eval", "finalize"]
Split = Literal["train", "val", "test"]


# Without gc as the frames are (:mod:`..frames`).
class Payload(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of all event payloads.

    ``STATE`` says whether the project's state is folded from this event; the events of which there are
    thousands do not count, which is what makes a project with a long log quick to load. ``WITH_RESULT`` says that it
    announces the stage's result: it is logged in one step with the stage's end, or not at all, so that an attempt
    that a crash takes in between does not announce what it did not come to.
    """

    NAME: ClassVar[str]
    STATE: ClassVar[bool] = True
    WITH_RESULT: ClassVar[bool] = False


class User(msgspec.Struct, frozen=True):
    """Who did something: Jupyter's user name and the name to show."""

    username: str
    name: str


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the project: path below the project's folder, size in bytes, SHA-256 in hex."""

    path: str
    type: str
    size: int
    sha: str
