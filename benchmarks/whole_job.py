"""From confirm to the first measured value, and the whole job, on 1,000 rows and more.

Run: ``python benchmarks/whole_job.py --rows 1000 100000`` (``--rows 1000 100000 1000000`` takes its time).
Prints a table and a JSON document. The conductor runs embedded in this process; the stages run in workers.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from jupyter_pipeline.project.manager import ProjectManager
from jupyter_pipeline.project.settings import Settings
from jupyter_pipeline.protocol.events import User
from jupyter_pipeline.protocol.messages import Chat, Confirm
from jupyter_pipeline.protocol.stages import StageId, StageStatus

USER = User("bench", "Benchmark")


def make_data(rows: int, path: Path) -> None:
    """Ten columns of everyday kinds and a target that depends on some of them."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 6))
    plan = rng.choice(["basic", "plus", "pro", "team"], size=rows)
    city = rng.integers(0, 500, size=rows)
    logit = x[:, 0] - 0.7 * x[:, 1] * x[:, 2] + (plan == "pro") * 0.8 + rng.logistic(size=rows) * 0.7
    columns: dict[str, Any] = {f"x{i}": x[:, i] for i in range(6)}
    columns["x5"] = np.where(rng.random(rows) < 0.1, np.nan, x[:, 5])
    columns |= {"plan": plan, "city": [f"city {c}" for c in city], "days": rng.integers(0, 2000, size=rows)}
    pl.DataFrame(columns | {"churn": np.where(logit > 0.5, "yes", "no")}).write_csv(path)


async def one(rows: int, budget_s: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        make_data(rows, Path(folder) / "data.csv")
        manager = ProjectManager(Settings(workspace_dir=folder))
        await manager.start()
        try:
            project = await manager.open("bench")
            with project.connected():
                started = time.perf_counter()
                text = f"Predict churn from data.csv within {budget_s} seconds"
                await project.submit(Chat(text=text), USER)
                cursor, confirmed, first, stages = project.follow(0), 0.0, None, {}
                begun = started
                while project.state.stage(StageId.EXPORT).status is not StageStatus.COMPLETED:
                    for event in await asyncio.wait_for(cursor.next(), 1800):
                        now = time.perf_counter()
                        if event.name == "METRIC_SCALAR" and first is None:
                            first = now - confirmed
                        if event.name == "WAITING_CONFIRMATION":
                            stage = json.loads(event.frame)["event"]["payload"]["stage_id"]
                            stages[stage] = round(now - begun, 2)
                            begun = confirmed = time.perf_counter()
                            await project.submit(Confirm(), USER)
                    here = project.state.here
                    if here.status is StageStatus.FAILED:
                        raise SystemExit(f"{here.id} failed: {here.message}")
                total = time.perf_counter() - started
                stages["EXPORT"] = round(time.perf_counter() - begun, 2)
            best = project.state.best
            return {
                "rows": rows,
                "budget_s": budget_s,
                "first_metric_s": first,
                "total_s": total,
                "stages_s": stages,
                "runs": len(project.state.leaderboard),
                "best": best.model_id if best else None,
                "metric": best.metric.value if best else None,
            }
        finally:
            await manager.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--budget", type=int, default=30, help="seconds for TRAIN")
    options = parser.parse_args()
    results = [asyncio.run(one(rows, options.budget)) for rows in options.rows]
    print(f"{'rows':>10} {'first metric':>13} {'whole job':>10} {'runs':>5}  best")
    for r in results:
        first = f"{r['first_metric_s']:.2f} s" if r["first_metric_s"] is not None else "-"
        print(f"{r['rows']:>10,} {first:>13} {r['total_s']:>8.1f} s {r['runs']:>5}  {r['best']} {r['metric']:.4f}")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
