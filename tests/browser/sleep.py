"""A tab that sleeps, and whether it has everything when it is awake again."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

from .conftest import Server

_TICK = """() => {
  window.tick = { last: Date.now(), longest: 0 };
  clearInterval(window.ticking);
  window.ticking = setInterval(() => {
    const now = Date.now();
    window.tick = { last: now, longest: Math.max(window.tick.longest, now - window.tick.last) };
  }, 50);
}"""
_CURVES = """[
  model.seq,
  [...model.runs.values()].flatMap(run => [...run.series].map(([name, s]) => [`${run.runId}/${name}`, s.seen]))
]"""


@contextmanager
def asleep(page: Page) -> Iterator[None]:
    """As in a laptop that sleeps: the page's process stands still, with its timers, while the server's goes on.

    Chromium freezes only pages that are hidden, and one without a screen never is.
    """
    page.evaluate(_TICK)
    assert page.context.browser is not None
    devtools = page.context.browser.new_browser_cdp_session()
    running = devtools.send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [process["id"] for process in running if process["type"] == "renderer"]
    for process in pages:
        os.kill(process, signal.SIGSTOP)
    began = time.monotonic()
    try:
        yield
    finally:
        slept = time.monotonic() - began
        for process in pages:
            os.kill(process, signal.SIGCONT)
        devtools.detach()
    page.wait_for_function(f"window.tick.longest >= {800 * slept}")  # else it was awake


def wait_for_events(server: Server, project: str, n: int) -> int:
    """Wait until so many more have happened; the number of the newest."""
    place = f"api/projects/{project}/state"
    first = server.request("GET", place).json["seq"]
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        seq: int = server.request("GET", place).json["seq"]
        if seq >= first + n:
            return seq
        time.sleep(0.1)
    raise AssertionError(f"{project} had no {n} more events.")


def expect_each_point_once(page: Page, server: Server, project: str) -> None:
    """The curves have as many points as the log has, up to where the view is."""
    seq, shown = page.evaluate(_CURVES)
    logged: Counter[str] = Counter()
    since = 0
    while since < seq:
        for event in server.request("GET", f"api/projects/{project}/events?since={since}&limit=5000").json["events"]:
            since = event["seq"]
            if event["event"]["name"] == "METRIC_SCALAR" and since <= seq:
                point = event["event"]["payload"]
                logged[f"{point['run_id']}/{point['name']}/{point['split']}"] += 1
    assert logged
    assert dict(shown) == dict(logged)
