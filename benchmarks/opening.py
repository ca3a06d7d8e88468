"""How soon a person sees what matters now when the view opens a project with a long log, in Chromium.

Run: ``python -m benchmarks.opening [--events N ...]`` (needs the front end built, and Chromium on the PATH). A Jupyter
server holds a project that has trained, whose gate waits; the view is opened on a page of another port. Seconds from
opening the page until the gate's Confirm is on the screen and can be pressed; from a change of its plan, which somebody
else makes at that moment, until the gate that it leads to is shown; and until the whole log is folded, with the main
thread's computing, and the longest time for which it took no click (tasks over 50 ms; in all, and after the gate was
there, for what comes before is the page's own start). Prints a table and a JSON document.
"""

import argparse
import asyncio
import contextlib
import functools
import http.server
import json
import shutil
import statistics
import tempfile
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.recovery import Past
from benchmarks.server_process import TOKEN, Server, running
from benchmarks.view import FLAGS, ROOT, Quiet
from jupyter_pipeline.project.commands import WorkDone, WorkEvents
from jupyter_pipeline.project.log import EventLog, StoredEntry
from jupyter_pipeline.project.log_rows import as_stored
from jupyter_pipeline.project.state import ProjectState
from jupyter_pipeline.protocol.events import (
    FinalMetric,
    FinalMetrics,
    LeaderboardRow,
    LeaderboardUpdated,
    MetricScalar,
    TrainProgress,
    TrainRunFinished,
    TrainRunStarted,
)
from jupyter_pipeline.protocol.frames import Event
from jupyter_pipeline.protocol.jobs import Done

RUNS = 20
PROJECT = "long"
WATCH = """(() => {
  window.tasks = [];
  const note = list => tasks.push(...list.getEntries().map(e => [e.startTime, e.duration]));
  new PerformanceObserver(note).observe({ type: 'longtask', buffered: true });
})()"""
GATE = """() => {
  const button = [...document.querySelectorAll('.jppl-confirm')].find(e => e.checkVisibility());
  return button && button.getAttribute('aria-disabled') !== 'true' && button.getBoundingClientRect().height > 0;
}"""
CHANGED = "gate => model.gate && model.gate.gateId !== gate && performance.now()"


def history(n_events: int) -> tuple[ProjectState, list[Event]]:
    """A project whose training has ended and waits for a person: runs that measured two metrics at each step."""
    past = Past(PROJECT)
    attempt = past.train()
    steps = (n_events - len(past.events)) // RUNS // 5
    board = []
    for run in range(RUNS):
        run_id = f"run-{run}"
        config: dict[str, Any] = {"learning_rate": 0.1, "n_estimators": steps}
        started = TrainRunStarted(run_id=run_id, model_id="lightgbm", metric_primary="roc_auc", config=config)
        past.do(WorkEvents(attempt, (started,)))
        for step in range(1, steps + 1):
            pct = step / steps
            progress = TrainProgress(
                run_id=run_id,
                epoch=step,
                epochs=steps,
                step=step,
                steps=steps,
                pct=pct,
                eta_s=10 * (1 - pct),
                phase="fit",
            )
            value = 0.9 - 0.4 / step - run / 1000
            measured = [
                MetricScalar(
                    run_id=run_id,
                    name=name,
                    split=split,
                    step=step,
                    value=value if name == "roc_auc" else 1 - value,
                    source="measured",
                )
                for name in ("roc_auc", "loss")
                for split in ("train", "val")
            ]
            past.do(WorkEvents(attempt, (progress, *measured)))
        final = FinalMetrics(
            task_type="binary", primary="roc_auc", metrics=(FinalMetric(name="roc_auc", split="val", value=value),)
        )
        board.append(
            LeaderboardRow(
                run_id=run_id, model="lightgbm", params=config, metric=value, runtime_s=1.5, status="success"
            )
        )
        finished = TrainRunFinished(run_id=run_id, status="success", final_metrics=final)
        past.do(WorkEvents(attempt, (finished, LeaderboardUpdated(rows=tuple(board)))))
    past.do(WorkDone(Done(attempt=attempt, plan={"keep": "run-0", "threshold": 0.5}, summary="20 runs are done.")))
    return past.state, past.events


def fill(folder: Path, n_events: int) -> int:
    """Write the log of a server in this folder; the number of events in it."""
    (folder / "root").mkdir(parents=True)
    return asyncio.run(_fill(folder / "root" / "pipelines" / ".log" / "events.sqlite", n_events))


async def _fill(path: Path, n_events: int) -> int:
    log = EventLog(path)
    await log.open()
    state, events = history(n_events)
    entry = StoredEntry(
        project_id=PROJECT,
        epoch=state.epoch,
        seq=state.seq,
        updated_ts=state.ts,
        current_stage=state.current,
        status=state.here.status,
        working=False,
    )
    for begin in range(0, len(events), 50_000):
        await log.append(entry, as_stored(PROJECT, events[begin : begin + 50_000]), [])
    await log.close()
    return len(events)


def measure(browser: Browser, address: str, server: Server, threshold: float) -> dict[str, float]:
    """Seconds of one opening, in a context of its own, in which somebody else changes the plan to this threshold."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(300_000)
    page.add_init_script(WATCH)
    devtools = context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})  # computing, whatever else the machine does
    page.goto(address, wait_until="commit")
    page.wait_for_function(GATE, polling="raf")
    gate = page.evaluate("performance.now()") / 1000
    before = page.evaluate("model.gate.gateId")
    patch = [{"op": "replace", "path": "/threshold", "value": threshold}]
    args = {"stage_id": "TRAIN", "patch": patch}
    began = page.evaluate("performance.now()")
    message = {"type": "command", "command": "update_plan", "args": args}
    status, body = server.request("POST", f"api/projects/{PROJECT}/messages", message)
    assert status == 200, body
    changed = page.wait_for_function(CHANGED, arg=before, polling="raf").json_value()
    page.wait_for_function("window.model?.ready && !model.previewed", polling="raf")
    whole = page.evaluate("performance.now()") / 1000
    page.wait_for_timeout(300)
    work = {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}
    tasks = page.evaluate("tasks")
    context.close()
    return {
        "gate_s": gate,
        "new_gate_s": (changed - began) / 1000,
        "whole_s": whole,
        "main_s": work["TaskDuration"],
        "script_s": work["ScriptDuration"],
        "long_tasks": len(tasks),
        "longest_ms": max((took for _, took in tasks), default=0),
        "longest_after_ms": max((took for start, took in tasks if start > 1000 * gate), default=0),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("This needs Chromium on the PATH; on Debian: apt-get install chromium")
    rows = []
    with contextlib.ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory())
        counts = {wanted: fill(Path(name) / str(wanted), wanted) for wanted in args.events}
        playwright = stack.enter_context(sync_playwright())  # from here on this thread has a running event loop
        site = Path(name) / "site"
        site.mkdir()
        shutil.copy(ROOT / "labextension" / "dev" / "index.html", site)
        (site / "static").symlink_to(ROOT / "jupyter_pipeline" / "static", target_is_directory=True)
        web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
        threading.Thread(target=web.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for wanted, count in counts.items():
            options = ["--ServerApp.jpserver_extensions={'jupyter_pipeline': True}", "--ServerApp.allow_origin=*"]
            with running(Path(name) / str(wanted), *options, ready=f"api/projects/{PROJECT}/state") as server:
                base = f"http://127.0.0.1:{web.server_address[1]}/index.html"
                address = f"{base}#project={PROJECT}&base=http://127.0.0.1:{server.port}/&token={TOKEN}"
                found = [measure(browser, address, server, 0.4 - n / 100) for n in range(args.rounds)]
            rows.append({"events": count, **{key: statistics.median(f[key] for f in found) for key in found[0]}})
            print(rows[-1], flush=True)
        browser.close()
        web.shutdown()
    print(
        f"{'events':>10}{'gate s':>9}{'new gate s':>12}{'whole s':>9}{'main s':>9}{'script s':>10}"
        f"{'longest ms':>12}{'after gate':>12}{'tasks > 50 ms':>15}"
    )
    for row in rows:
        print(
            f"{row['events']:>10,}{row['gate_s']:>9.2f}{row['new_gate_s']:>12.2f}{row['whole_s']:>9.2f}"
            f"{row['main_s']:>9.2f}{row['script_s']:>10.2f}{row['longest_ms']:>12.0f}"
            f"{row['longest_after_ms']:>12.0f}{row['long_tasks']:>15.0f}"
        )
    print(json.dumps({"chromium": browser.version, "rows": rows}))


if __name__ == "__main__":
    main()
