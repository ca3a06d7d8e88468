"""Gates under attack, over real sockets."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import Server, Socket

from .driver import PROJECT, command, log_of, server_at, state_of, tell, until_gate

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def server(workspace: Callable[[str], Path]) -> Iterator[Server]:
    """A server, without limits on confirms, whose project waits at PARSE_INTENT."""
    found = server_at(workspace("DATA_SOURCE"), args=["--PipelineApp.rate_limits={'confirm': None}"], forked=True)
    yield found
    found.stop()


async def answers(sockets: list[Socket], message: dict[str, Any]) -> list[dict[str, Any]]:
    """Send a message from every socket at once; the answer that each got."""

    async def one(number: int, socket: Socket) -> dict[str, Any]:
        await socket.send({**message, "id": f"racer {number} of {len(sockets)}"})
        return await socket.until(lambda f: f["type"] in ("ack", "error"))

    return await asyncio.gather(*(one(number, socket) for number, socket in enumerate(sockets)))


@contextlib.asynccontextmanager
async def clients(server: Server, number: int) -> Any:
    """So many connections, each greeted."""
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(server.connect("demo")) for _ in range(number)]
        await asyncio.gather(*(socket.greeting() for socket in sockets))
        yield sockets


def approvals(server: Server) -> Counter[str]:
    return Counter(e["event"]["payload"]["stage_id"] for e in log_of(server) if e["event"]["name"] == "PLAN_APPROVED")


async def test_of_a_hundred_that_confirm_one_wins(server: Server) -> None:
    gate = state_of(server)["waiting_confirmation"]["gate_id"]
    async with clients(server, 100) as sockets:
        found = await answers(sockets, {"type": "confirm", "gate_id": gate})
    codes = Counter(f.get("code", "ack") for f in found)
    assert codes == {"ack": 1, "GATE_STALE": 99}
    assert approvals(server) == {"PARSE_INTENT": 1}
    until_gate(server, "DATA_SOURCE")


async def test_a_plan_that_changed_meanwhile_is_not_approved(server: Server) -> None:
    seen = state_of(server)["waiting_confirmation"]
    patch = [{"op": "replace", "path": "/metric", "value": "balanced_accuracy"}]
    async with clients(server, 2) as (one, other):
        await one.send({**command("update_plan", stage_id="DATA_SOURCE", patch=patch), "id": "change"})
        assert (await one.until(lambda f: f["type"] in ("ack", "error")))["type"] == "ack"
        await other.send({"type": "confirm", "gate_id": seen["gate_id"], "id": "too late"})
        answer = await other.until(lambda f: f["type"] in ("ack", "error"))
        assert answer.get("code") == "GATE_STALE"
    assert approvals(server) == {"PARSE_INTENT": 1}
    now = state_of(server)["waiting_confirmation"]
    assert now["gate_id"] != seen["gate_id"]
    assert now["digest"] != seen["digest"]
    assert now["plan_json"]["metric"] == "balanced_accuracy"


async def test_of_two_that_confirm_without_naming_the_gate_one_wins(server: Server) -> None:
    async with clients(server, 2) as sockets:
        found = await answers(sockets, {"type": "confirm"})
    assert sorted(f.get("code", "ack") for f in found) == ["NOT_WAITING", "ack"]
    assert approvals(server) == {"PARSE_INTENT": 1, "DATA_SOURCE": 1}
    until_gate(server, "PROFILE_DATA")
    assert server.request("GET", f"{PROJECT}/state").json["current_stage"] == "PROFILE_DATA"


async def test_a_restart_closes_no_gate(server: Server) -> None:
    gate = state_of(server)["waiting_confirmation"]["gate_id"]
    server.stop()
    server.start()
    assert state_of(server)["waiting_confirmation"]["gate_id"] == gate
    assert tell(server, {"type": "confirm", "gate_id": gate, "id": "after the restart"}) == "accepted"
    assert tell(server, {"type": "confirm", "gate_id": gate, "id": "after the restart"}) == "duplicate"
    assert approvals(server)["PROFILE_DATA"] == 1
