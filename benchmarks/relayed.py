"""How soon a long log is there in a notebook whose browser cannot reach the server: all comes through the kernel.

Run: ``python -m benchmarks.relayed [--events N ...]`` (needs the front end built, Chromium and npm on the PATH). A
project has trained, and its gate waits. In JupyterLab a cell shows the widget, and the browser is kept from the part of
the server that has the project; in VS Code, whose widget manager the tests have in pages of their own, the kernel has
the project. Seconds from running the cell until the gate's Confirm is on the screen and can be pressed, and until the
whole log is read; the kernel's memory and the page's heap before the cell ran and after that, and the most that the
kernel had meanwhile. Prints a table and a JSON document.
"""

import argparse
import contextlib
import functools
import http.server
import json
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from benchmarks.opening import PROJECT, fill
from benchmarks.view import FLAGS, Quiet
from tests.browser.conftest import Lab
from tests.browser.hosts import Bare, write_webview
from tests.browser.jobs import restored, write_notebook
from tests.server.conftest import Server

LAB = f"from jupyter_pipeline import Pipeline\np = Pipeline({PROJECT!r})\np.display.widget"
VS_CODE = f"from jupyter_pipeline import Pipeline\np = Pipeline({PROJECT!r}, embedded=True, workspace={{!r}})\np"
TIMEOUT_MS = 300_000


class Memory(threading.Thread):
    """Follows the memory of a process, in MB."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self.process = process
        self.before = self.most = self.now()
        self.start()

    def run(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            while True:
                self.most = max(self.most, self.now())
                time.sleep(0.05)

    def now(self) -> float:
        return float(self.process.memory_info().rss) / 2**20


def kernel_of(server: Server) -> psutil.Process:
    assert server.process is not None
    (kernel,) = (
        child
        for child in psutil.Process(server.process.pid).children(recursive=True)
        if any("ipykernel" in word for word in child.cmdline())
    )
    return kernel


def heap(place: Page | Locator) -> float:
    mb: float = place.evaluate("() => { gc(); return performance.memory.usedJSHeapSize / 2 ** 20; }")
    return mb


def measure(page: Page, server: Server, frame: Locator, run: Callable[[], None]) -> dict[str, float]:
    """What comes after a cell begins to run whose view appears in this frame."""
    memory = Memory(kernel_of(server))
    heap_before = heap(frame)
    view = frame.get_by_test_id("pipeline-view")
    began = time.perf_counter()
    run()
    button = view.get_by_role("button", name="Confirm")
    button.wait_for(timeout=TIMEOUT_MS)
    while button.get_attribute("aria-disabled") == "true":
        page.wait_for_timeout(10)
    gate = time.perf_counter() - began
    view.get_by_role("list", name="Conversation").wait_for(timeout=TIMEOUT_MS)  # comes with the log, as do the curves
    whole = time.perf_counter() - began
    return {
        "gate_s": gate,
        "whole_s": whole,
        "kernel_before_mb": memory.before,
        "kernel_most_mb": memory.most,
        "kernel_mb": memory.now(),
        "heap_before_mb": heap_before,
        "heap_mb": heap(frame),
    }


def in_jupyterlab(browser: Browser, folder: Path) -> dict[str, float]:
    lab = Lab(folder)
    write_notebook(lab.root / "long.ipynb", [LAB])
    lab.start()
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    try:
        page.route(re.compile(f"/api/projects/{PROJECT}"), lambda route: route.abort())
        page.route_web_socket(re.compile(f"/ws/projects/{PROJECT}"), lambda socket: socket.close())
        page.goto(lab.lab_url("tree/long.ipynb"))
        restored(page)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        page.locator(".jp-Notebook .jp-Cell .jp-InputArea-editor").first.click()
        return measure(page, lab, page.locator(".jp-Notebook"), lambda: page.keyboard.press("Shift+Enter"))
    finally:
        page.close()
        lab.stop()


def in_vs_code(browser: Browser, folder: Path, workbench: str, webview: str) -> dict[str, float]:
    bare = Bare(folder / "bare")
    bare.start()
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    try:
        page.goto(f"{workbench}#{urlencode({'webview': webview, 'theme': 'dark'})}")
        page.evaluate("ready")
        page.evaluate("kernel => connect(...kernel)", bare.new_kernel())
        page.evaluate("execute('1 + 1')")
        code = VS_CODE.format(str(folder / "root"))
        frame = page.frame_locator("iframe").locator("body")
        return measure(page, bare, frame, lambda: page.evaluate("code => void execute(code)", code))
    finally:
        page.close()
        bare.stop()


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=web.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{web.server_address[1]}"
    web.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[40_000, 200_000])
    args = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("This needs Chromium on the PATH; on Debian: apt-get install chromium")
    if shutil.which("npm") is None:
        raise SystemExit("This needs npm on the PATH, which fetches the widget manager of VS Code.")
    rows: list[dict[str, Any]] = []
    with contextlib.ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (temporary / "npm").mkdir()
        (temporary / "pages").mkdir()
        write_webview(temporary / "pages", temporary / "npm")
        counts = {n: fill(temporary / f"lab{n}", n) for n in args.events}
        for n in counts:
            shutil.copytree(temporary / f"lab{n}", temporary / f"code{n}")
        pages = [stack.enter_context(serving(temporary / "pages")) for _ in range(2)]  # of two origins
        addresses = f"{pages[0]}/workbench.html", f"{pages[1]}/webview.html"
        playwright = stack.enter_context(sync_playwright())  # from here on this thread has a running event loop
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for n, events in counts.items():
            for host, found in (
                ("JupyterLab", in_jupyterlab(browser, temporary / f"lab{n}")),
                ("VS Code", in_vs_code(browser, temporary / f"code{n}", *addresses)),
            ):
                rows.append({"host": host, "events": events, **found})
                print(rows[-1], flush=True)
        browser.close()
    print(f"{'host':<12}{'events':>9}{'gate s':>8}{'whole s':>9}{'kernel MB':>18}{'most':>7}{'heap MB':>14}")
    for row in rows:
        kernel = f"{row['kernel_before_mb']:.0f} to {row['kernel_mb']:.0f}"
        js = f"{row['heap_before_mb']:.0f} to {row['heap_mb']:.0f}"
        print(
            f"{row['host']:<12}{row['events']:>9,}{row['gate_s']:>8.2f}{row['whole_s']:>9.2f}{kernel:>18}"
            f"{row['kernel_most_mb']:>7.0f}{js:>14}"
        )
    print(json.dumps({"chromium": browser.version, "rows": rows}))


if __name__ == "__main__":
    main()
