"""docs/requests.md is true: every sentence in its tables does what its row says."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from jupyter_pipeline.agent.base import Cancel, Change, ConfirmGate, Restart
from jupyter_pipeline.agent.request import parse_request
from jupyter_pipeline.protocol.plans import IntentPlan
from jupyter_pipeline.protocol.stages import StageId, StageStatus

from .example import ask

GUIDE = Path(__file__).parents[2] / "docs" / "requests.md"


def rows() -> Iterator[tuple[str, list[str]]]:
    """Every row of every table, with the heading above it."""
    heading = ""
    for line in GUIDE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("| ") and not line.startswith(("| you ", "|---")):
            yield heading, [cell.strip() for cell in line.strip("|").split(" | ")]


ROWS = list(rows())


def of(*headings: str) -> list[tuple[str, list[str]]]:
    found = [row for row in ROWS if row[0].startswith(headings)]
    assert found
    return found


@pytest.mark.parametrize(("heading", "cells"), of("The request"), ids=lambda v: v[0] if isinstance(v, list) else "")
def test_requests(heading: str, cells: list[str]) -> None:
    said, understood = cells
    expected = {**msgspec.to_builtins(IntentPlan()), **json.loads(understood.strip("`"))}
    assert json.loads(msgspec.json.encode(parse_request(said))) == json.loads(json.dumps(expected))


def done(action: object) -> list[str]:
    """A row's last column for an action."""
    match action:
        case Change():
            return [f"`{action.stage_id} {operation['path']}`" for operation in action.patch]
        case Restart():
            return [f"restarts `{action.stage_id}`"]
        case Cancel():
            return [f"cancels (`{action.mode}`)"]
        case ConfirmGate():
            return ["confirms"]
    raise AssertionError(action)


@pytest.mark.parametrize(("heading", "cells"), of("At "), ids=lambda v: v[0] if isinstance(v, list) else "")
def test_chats(heading: str, cells: list[str]) -> None:
    said, answer, does = cells
    found = re.match(r"At ([A-Z_]+)(, while it runs)?", heading)
    stage = StageId(found[1]) if found else StageId.PREPROCESS
    running = found is not None and found[2] is not None
    reply, _ = ask(said, stage, StageStatus.IN_PROGRESS if running else StageStatus.WAITING_CONFIRMATION)
    assert reply.text == answer
    assert ", ".join(part for action in reply.actions for part in done(action)) == does


@pytest.mark.parametrize(("heading", "cells"), of("Questions"), ids=lambda v: v[0] if isinstance(v, list) else "")
def test_questions(heading: str, cells: list[str]) -> None:
    said, begins = cells
    reply, _ = ask(said, StageId.TRAIN)
    assert reply.text.startswith(begins.removesuffix(" …"))
    assert not reply.actions
