"""Nothing is lost, doubled or out of order, whatever happens to the connection and to the server.

1,000 trials by default. ``RESUME_TRIALS=10000 RESUME_SEED=7 pytest -s tests/server/test_resume.py`` runs more, with
other choices; the figures are printed. ``RESUME_IDS=10000 pytest -s tests/server/test_resume.py -k ids`` posts so many
messages with ids over HTTP, each twice, while the server is killed in the middle.
"""

import contextlib
import http.client
import json
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_pipeline.server.limits import DEFAULT_RATES
from jupyter_pipeline.verify import verify

from .conftest import TOKEN, Server
from .resume_trials import Trials

pytestmark = pytest.mark.anyio

TRIALS = int(os.environ.get("RESUME_TRIALS", "1000"))
SEED = int(os.environ.get("RESUME_SEED", "1"))
IDS = int(os.environ.get("RESUME_IDS", "0"))
POSTERS = 8


async def test_what_a_client_received_is_the_log(start_server: Callable[..., Server]) -> None:
    server = start_server(f"--PipelineApp.rate_limits={dict.fromkeys(DEFAULT_RATES)}")
    start = time.monotonic()
    trials = Trials(server, TRIALS, SEED, kills=max(3, TRIALS // 250), deletes=max(2, TRIALS // 500))
    await trials.run()
    print(json.dumps({"trials": TRIALS, "seed": SEED, "s": round(time.monotonic() - start), **trials.count}, indent=1))
    assert trials.count["kill"] >= 3
    assert trials.count["delete"] >= 2
    assert trials.count["events compared"] > 50
    assert trials.count["acked messages found once"] > 0


class Poster:
    """Posts messages over one connection, each until it is answered."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.count = Counter[str]()
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def post(self, message_id: str, text: str) -> str:
        """The status of a message's ack."""
        body = json.dumps({"type": "chat", "text": text, "id": message_id})
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                if self._connection is None:
                    self._connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=30)
                path = "/api/projects/ids/messages"
                self._connection.request("POST", path, body, {"Authorization": f"token {TOKEN}"})
                answer = self._connection.getresponse()
                said = json.loads(answer.read())
            except (OSError, ValueError, http.client.HTTPException):
                self.close()
                self.count["connections lost"] += 1
                time.sleep(0.1)
                continue
            if answer.status == 200:
                status: str = said["status"]
                return status
            assert answer.status == 503, said  # it is starting
            time.sleep(0.1)
        raise AssertionError(f"{message_id} was not answered")


@pytest.mark.skipif(not IDS, reason="takes a minute for each 10,000: RESUME_IDS=10000")
def test_ids_that_are_posted_have_one_effect(start_server: Callable[..., Server]) -> None:
    """All of them once while the server is killed, and all of them again."""
    server = start_server(f"--PipelineApp.rate_limits={dict.fromkeys(DEFAULT_RATES)}")
    with contextlib.closing(Poster(server)) as first:
        first.post("request", "Predict species in the iris data set")
    answered: list[int] = []

    def some(number: int, again: str) -> Counter[str]:
        with contextlib.closing(Poster(server)) as poster:
            for n in range(number, IDS, POSTERS):
                poster.count[again + poster.post(f"m{n}", f"What can I ask? (m{n})")] += 1
                answered.append(n)
            return poster.count

    start = time.monotonic()
    with ThreadPoolExecutor(POSTERS) as threads:
        posting = [threads.submit(some, number, "") for number in range(POSTERS)]
        while len(answered) < IDS // 2 and not any(one.done() for one in posting):
            time.sleep(0.01)
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        server.start()
        posting += [threads.submit(some, number, "again, ") for number in range(POSTERS)]
        count = sum((one.result() for one in posting), Counter[str]())
    server.stop()
    print(json.dumps({"ids": IDS, "s": round(time.monotonic() - start), **count}, indent=1))
    assert count["accepted"] + count["duplicate"] == count["again, duplicate"] == IDS
    said = Counter[str]()
    with sqlite3.connect(server.root / "pipelines" / ".log" / "events.sqlite") as log:
        for (frames,) in log.execute("SELECT frame FROM events ORDER BY seq"):
            payloads = [json.loads(frame)["event"]["payload"] for frame in frames.split(b"\n")]
            said.update(one["text"] for one in payloads if one.get("source") == "user")
        assert log.execute("SELECT count(*) FROM messages").fetchone() == (IDS + 1,)
    log.close()
    assert len(said) == IDS + 1
    assert set(said.values()) == {1}
    verify(server.root / "pipelines" / "ids")
