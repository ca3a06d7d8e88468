"""What is said in the chat at one gate and decided at another, with real workers, also where the server is killed."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jupyter_pipeline.project.project import Project
from jupyter_pipeline.protocol.messages import Chat, Confirm
from jupyter_pipeline.protocol.stages import StageId

from .test_conductor import USER, go_to, run, running, until_gate

PROFILE, PREPROCESS, TRAIN, REVIEW = (
    StageId.PROFILE_DATA,
    StageId.PREPROCESS,
    StageId.TRAIN,
    StageId.REVIEW_EDIT,
)


def customers(folder: Path) -> None:
    draw = np.random.default_rng(0)
    n = 300
    age = draw.integers(18, 80, n)
    frame = pd.DataFrame(
        {
            "age": age,
            "city": draw.choice(["Bern", "Oslo", "Rome"], n),
            "zip": [f"Z{i:02}" for i in draw.integers(0, 50, n)],
            "notes": [f"called about bill {i} and {i * 7} other things of great weight" for i in range(n)],
            "churn": np.where(draw.random(n) < age / 90, "yes", "no"),
        }
    )
    frame.to_csv(folder / "customers.csv", index=False)


async def say(project: Project, text: str) -> str:
    """The answer to a chat."""
    seq = project.seq
    await project.submit(Chat(text=text), USER)
    told = [json.loads(e.frame)["event"]["payload"] for e in await project.read(seq, 100)]
    return str([line["text"] for line in told if line.get("source") == "assistant"][-1])


def reviewed(folder: Path) -> dict[str, float]:
    """The metrics on test rows, as the review has them."""
    path = next(folder.glob("pipelines/demo/artifacts/review_edit-*/review.json"))
    found: dict[str, float] = json.loads(path.read_text())["metrics"]["test"]
    return found


def plan_of(project: Project, stage: StageId) -> dict[str, Any]:
    plan = project.state.stage(stage).plan
    assert plan is not None
    return plan


SERVER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.project.test_said_before import PROFILE, USER, go_to, running, say, until_gate
from jupyter_pipeline.protocol.messages import Chat

async def main():
    async with running(Path(sys.argv[1])) as manager:
        project = await manager.open("demo")
        await project.submit(Chat(text="Predict churn. Data: customers.csv"), USER)
        await go_to(project, PROFILE)
        await until_gate(project, PROFILE)
        print(await say(project, "Use target encoding for city, and one-hot encode zip."), flush=True)
        print(await say(project, "drop all text columns"), flush=True)
        await asyncio.sleep(300)

asyncio.run(main())
"""


def test_treatments_said_at_the_profile_are_proposed_though_the_server_was_killed(tmp_path: Path) -> None:
    customers(tmp_path)
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path), root], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        told = server.stdout.readline()
        assert "city: to be treated as target encoded at the stage Preparation." in told
        assert "zip: to be treated as categorical at the stage Preparation." in told
        assert server.stdout.readline().startswith("Left out: notes.")
        server.send_signal(signal.SIGKILL)
        server.wait()

    async def test() -> None:
        async with running(tmp_path) as manager:
            project = await manager.open("demo")
            await until_gate(project, PROFILE)
            assert plan_of(project, PROFILE)["treatments"] == {"city": "target_encode", "zip": "onehot"}
            await project.submit(Confirm(), USER)
            await until_gate(project, PREPROCESS)
            assert plan_of(project, PREPROCESS)["columns"] == {
                "age": "numeric",
                "city": "target_encode",
                "zip": "onehot",
            }
            gate = project.state.here.gate
            assert gate is not None
            assert "Treated as was asked before: city: target encoded; zip: categorical." in gate.summary
            assert "Left out: age" in await say(project, "drop age")
            await until_gate(project, PREPROCESS)
            assert plan_of(project, PREPROCESS)["columns"]["city"] == "target_encode"
            assert "Taken back at the stage Preparation" in await say(project, "undo")
            await until_gate(project, PREPROCESS)
            assert plan_of(project, PREPROCESS)["columns"]["age"] == "numeric"

    run(test)


def test_figures_are_those_that_were_measured(tmp_path: Path) -> None:
    customers(tmp_path)

    async def test() -> None:
        async with running(tmp_path) as manager:
            project = await manager.open("demo")
            request = "Predict churn, use lightgbm and logistic regression. Data: customers.csv"
            await project.submit(Chat(text=request), USER)
            await go_to(project, PROFILE)
            await until_gate(project, PROFILE)
            assert "The data have 300 rows and 5 columns." in await say(project, "how many rows are there?")
            rows = pd.read_csv(tmp_path / "customers.csv")
            assert f"mean {rows['age'].mean():.2f}" in await say(project, "what's the average age?")
            await project.submit(Confirm(), USER)
            await until_gate(project, PREPROCESS)
            assert (await say(project, "how many rows are in the test set?")).startswith("60 test rows;")
            await project.submit(Confirm(), USER)
            await until_gate(project, StageId.MODEL_SELECT)
            await project.submit(Confirm(), USER)
            await until_gate(project, TRAIN)
            best = project.state.leaderboard[0]
            final = project.state.runs[best.run_id].final_metrics
            assert final is not None
            value = {m.name: m.value for m in final.metrics if m.split == "val"}["accuracy"]
            told = await say(project, f"what's the test accuracy of {best.model}?")
            assert f"({best.run_id}): {value:.4f} on the 60 validation rows." in told
            assert "The test rows have not been read yet" in told
            assert "age (" in await say(project, "which feature matters most?")
            assert "runs, of which" in await say(project, "how long did training take?")
            await project.submit(Confirm(), USER)
            await until_gate(project, REVIEW)
            test = reviewed(tmp_path)
            assert f"{test['roc_auc']:.4f} on the 60 test rows (95% interval" in await say(project, "what is test auc?")
            told = await say(project, "what's the test accuracy?")
            assert f"{test['accuracy']:.4f} on the 60 test rows" in told
            wrong = round((1 - test["accuracy"]) * 60)
            assert f"is wrong on {wrong} of the 60 test rows." in await say(project, "how many errors on the test set?")
            assert project.state.here.gate is not None

    run(test)
