"""Events by themselves: their chain of hashes, and what follows from them."""

import re
from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

import msgspec

from ..project.chain import genesis, links
from ..project.state import ProjectState, evolve
from ..protocol.frames import decode_event
from ..protocol.names import model_name, standing


class VerificationError(Exception):
    """What was checked is not as it was; the message says where."""


class Anchor(msgspec.Struct, frozen=True):
    """A hash of a log that was kept elsewhere: the number of its event, and its hex digits, all or the first of them.

    With 16 digits it takes 2**64 tries to make another log that has them.
    """

    seq: int
    digits: str

    @classmethod
    def read(cls, text: str) -> "Anchor":
        """An anchor as it is printed, ``SEQ:HASH``; ValueError if it is none."""
        found = re.fullmatch(r"(\d{1,15}):([0-9a-fA-F]{16,64})", text.strip())
        if found is None:
            raise ValueError(f"{text[:100]!r} is no event's number and hash, as in 120:{'0123456789abcdef' * 2}…")
        return cls(int(found[1]), found[2].lower())


def verify_log(
    project_id: str, epoch: str, frames: Iterable[bytes], hashes: Iterable[str], anchors: tuple[Anchor, ...] = ()
) -> tuple[ProjectState, str]:
    """Check events by their chain, and derive the state from them, one event after the other.

    Returns
    -------
    state : ProjectState
        The fold of the events.
    head : str
        The last hash; empty if there is no event.

    Raises
    ------
    VerificationError
        With the first event that is not the one that was logged.
    """
    state, link, seq, wanted = ProjectState(project_id=project_id, epoch=epoch), genesis(project_id, epoch), 0, ""
    kept: dict[int, list[str]] = {}
    for anchor in anchors:
        kept.setdefault(anchor.seq, []).append(anchor.digits)
    for seq, (frame, said) in enumerate(zip_longest(frames, hashes), 1):
        if frame is None or said is None:
            raise VerificationError(f"Event {seq} has {'no hash' if said is None else 'a hash, but is missing'}.")
        [link] = links(link, (frame,))
        wanted = said
        if link.hex() != wanted:
            raise VerificationError(f"Event {seq} is not the one that was logged: its hash is another.")
        if not all(wanted.startswith(digits) for digits in kept.pop(seq, ())):
            raise VerificationError(
                f"This is not the log of which the hash of event {seq} was kept: something up to there is other."
            )
        try:
            event = decode_event(frame)
            named = msgspec.json.decode(frame)["project_id"]
        except (ValueError, TypeError) as error:
            raise VerificationError(f"Event {seq} cannot be read: {error}.") from None
        if event.seq != seq or named != project_id:
            raise VerificationError(f"Event {seq} is number {event.seq} of the project {named!r}.")
        try:
            state = evolve(state, event)
        except (KeyError, IndexError, AttributeError) as error:
            raise VerificationError(f"Event {seq} ({event.name}) cannot follow those before it: {error}.") from None
    if kept:
        raise VerificationError(f"The log has {seq} events; a hash of its event {max(kept)} was kept.")
    _leaderboard(state)
    return state, wanted


def _leaderboard(state: ProjectState) -> None:
    """The leaderboard is what the runs measured: the primary metric on the validation rows."""
    for row in state.leaderboard:
        run = state.runs.get(row.run_id)
        if run is None:
            if row.status == "success":
                raise VerificationError(f"The leaderboard has a run {row.run_id} that never was.")
            continue
        if row.status != run.status:
            raise VerificationError(f"The leaderboard calls {row.run_id} {row.status}; it ended as {run.status}.")
        final = run.final_metrics
        if row.status != "success" or final is None:
            continue
        measured = [m.value for m in final.metrics if (m.name, m.split) == (final.primary, "val")]
        if measured != [row.metric]:
            raise VerificationError(f"The leaderboard gives {row.run_id} {row.metric}; measured was {measured}.")


def told(state: ProjectState, head: str, anchors: tuple[Anchor, ...]) -> list[str]:
    """What holds of a log, in sentences."""
    said = [f"{state.seq} events follow one another without a gap, each with its hash."]
    if anchors:
        last = max(anchor.seq for anchor in anchors)
        said.append(f"Up to event {last} they are those of which a hash was kept elsewhere.")
    if head:
        said.append(f"To show later that none of these was changed, keep this elsewhere: --head {state.seq}:{head}")
    said.append(
        f"Derived from them: in {state.project_id} {standing(state.current, state.here.status)}, "
        f"after {len(state.decisions)} decisions and {len(state.runs)} runs."
    )
    wins = [row for row in state.leaderboard if row.status == "success"]
    if wins:
        said.append(
            f"The leaderboard's {len(wins)} scores are those that the runs measured; first: "
            f"{model_name(wins[0].model)}, {wins[0].metric} ({wins[0].run_id})."
        )
    return said


def metrics_told(data: bytes, state: ProjectState) -> str:
    """The reported test metrics, as in metrics.json, are those of the last evaluation on test rows."""
    try:
        reported: dict[str, Any] = dict(msgspec.json.decode(data)["metrics"]["test"])
    except (ValueError, TypeError, KeyError):
        raise VerificationError("metrics.json is not as this version writes it.") from None
    runs = [run.final_metrics for run in state.runs.values() if run.final_metrics is not None]
    tests = [final for final in runs if any(m.split == "test" for m in final.metrics)]
    if not tests:
        raise VerificationError("metrics.json reports metrics on test rows that the log knows nothing of.")
    measured = {m.name: m.value for m in tests[-1].metrics if m.split == "test"}
    for name, value in reported.items():
        if name not in measured or measured[name] != value:
            raise VerificationError(
                f"metrics.json reports {name} {value} on the test rows; the log, {measured.get(name)}."
            )
    if missing := sorted(set(measured) - set(reported)):
        raise VerificationError(f"metrics.json leaves out {missing[0]}, which the log has measured on the test rows.")
    return f"metrics.json reports what the log measured on the test rows ({len(measured)} metrics)."
