"""What the browser's view sustains, in Chromium: events a second, main-thread time for each, memory, frames a second.

Run: ``python benchmarks/view.py`` (needs the front end built, and Chromium on the PATH). The events are handed to the
view as the text that a socket would bring, in a project that has just begun to train. Frames a second are counted on
the same page while nothing happens, with 20 runs x 2,000 points on the screen, and while these grow by 1,000 and by
5,000 events a second; and how long the page's main thread is at work for each of them, which unlike their number does
not depend on how the machine paints. Prints a table and a JSON document.
"""

import argparse
import functools
import gzip
import http.server
import json
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--enable-precise-memory-info",
    "--js-flags=--expose-gc",
]
AIM_FPS = 60.0


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


def prepare(folder: Path) -> None:
    """The page, the view, and the log of a real project up to its first run."""
    shutil.copy(ROOT / "jupyter_pipeline" / "static" / "view.js", folder)
    shutil.copy(ROOT / "benchmarks" / "view.html", folder / "index.html")
    events = json.loads(gzip.decompress((ROOT / "labextension" / "test" / "binary.events.json.gz").read_bytes()))
    first = next(i for i, e in enumerate(events) if e["event"]["name"] == "TRAIN_RUN_STARTED")
    (folder / "events.json").write_text(json.dumps(events[:first]))


def measure(page: Page, events: int, runs: int, points: int, seconds: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    page.evaluate("begin()")
    found["empty_mb"] = page.evaluate("memory()")
    # Twice: the first time also compiles.
    page.evaluate(f"throughput({events // 5}, {runs})")
    page.evaluate("begin()")
    found["throughput"] = page.evaluate(f"throughput({events}, {runs})")
    found["full_mb"] = page.evaluate("memory()")
    found["points"] = page.evaluate("model.points")
    page.evaluate("begin()")
    found["at_rest"] = frames(page, seconds, 0, runs)
    page.evaluate(f"fill({runs}, {points})")
    page.evaluate("memory()")  # what filling left behind is not collected while frames are counted
    found["full"] = frames(page, seconds, 0, runs)
    found["growing"] = frames(page, seconds, 1000, runs)
    found["flood"] = frames(page, seconds, 5000, runs)
    return found


def frames(page: Page, seconds: int, per_second: int, runs: int) -> dict[str, Any]:
    """Frames while so many events come, and the main thread's milliseconds for each."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")

    def spent() -> dict[str, float]:
        return {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}

    before = spent()
    found: dict[str, Any] = page.evaluate(f"frames({seconds}, {per_second}, {runs})")
    after = spent()
    devtools.detach()
    for name, key in (
        ("main_ms", "Task"),
        ("script_ms", "Script"),
        ("style_ms", "RecalcStyle"),
        ("layout_ms", "Layout"),
    ):
        found[name] = 1000 * (after[f"{key}Duration"] - before[f"{key}Duration"]) / found["frames"]
    return found


def report(found: dict[str, Any]) -> str:
    t = found["throughput"]
    lines = [
        f"events a second             {t['per_second']:>10,.0f}",
        f"folding one event           {t['fold_us']:>10.1f} us (JSON.parse included)",
        f"main thread for one event   {t['main_thread_us']:>10.1f} us (drawing included)",
        f"frames a second meanwhile   {t['frames_per_second']:>10.1f}",
        f"heap before and after       {found['empty_mb']:>10.1f} MB, {found['full_mb']:.1f} MB"
        f" ({t['events']:,} events, {found['points']:,} points)",
        "",
        f"{'frames':<28}{'a second':>10}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'of rest':>9}{'main ms':>9}",
    ]
    rest = found["at_rest"]["frames_per_second"]
    for name, key in (
        ("at rest", "at_rest"),
        ("20 runs x 2,000 points", "full"),
        ("growing, 1,000 events/s", "growing"),
        ("growing, 5,000 events/s", "flood"),
    ):
        f = found[key]
        lines.append(
            f"{name:<28}{f['frames_per_second']:>10.1f}{f['p50_ms']:>9.1f}{f['p95_ms']:>9.1f}{f['p99_ms']:>9.1f}"
            f"{f['frames_per_second'] / rest:>9.0%}{f['main_ms']:>9.1f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--points", type=int, default=2_000)
    parser.add_argument("--seconds", type=int, default=5)
    args = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("This needs Chromium on the PATH; on Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=name))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(300_000)
            page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
            page.wait_for_function("window.ready")
            found = measure(page, args.events, args.runs, args.points, args.seconds)
            found["chromium"] = browser.version
            browser.close()
        server.shutdown()
    print(report(found))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
