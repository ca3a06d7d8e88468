"""Nothing is lost, doubled or out of order, whatever happens to the connection and to the server.

1,000 trials by default. ``RESUME_TRIALS=10000 RESUME_SEED=7 pytest -s tests/server/test_resume.py`` runs more, with
other choices; the figures are printed.
"""

import json
import os
import time
from collections.abc import Callable

import pytest

from jupyter_pipeline.server.limits import DEFAULT_RATES

from .conftest import Server
from .resume_trials import Trials

pytestmark = pytest.mark.anyio

TRIALS = int(os.environ.get("RESUME_TRIALS", "1000"))
SEED = int(os.environ.get("RESUME_SEED", "1"))


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
