"""Real Chromium, a real JupyterLab with this clone's front end, and what the browser's console said."""

import functools
import http.server
import importlib.util
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from ..server.conftest import TOKEN, Server, free_port, start_server
from .language import write_pack

__all__ = ["TOKEN", "start_server"]

ROOT = Path(__file__).parents[2]
TIMEOUT_MS = 60_000
"""So long a test waits for what must come; on a busy machine that takes a while."""
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def front_end() -> None:
    """The front end must be built, from the sources as they are."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    if hook.stale(ROOT):
        pytest.fail("The front end is not built, or older than its sources; run: pip install -e . (or npm run build)")


# Of the package, not the session: while Playwright runs, this thread has a running event loop,
# in which asyncio.run of other tests fails.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One Chromium for all tests; each has a context of its own."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.fail("These tests need Chromium on the PATH; on Debian: apt-get install chromium")
    browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
    yield browser
    browser.close()


SERVER_AWAY = (
    "net::ERR_",  # refused, reset, or closed in the middle of an answer
    "503 (Service Unavailable)",  # a server that is about to open its projects
    "WebSocket connection to",
    "/channels?session_id=",
    "/api/kernels/",
    "/api/sessions",
    "/ws/projects/",
    "/api/events/subscribe",
)
"""What the browser, JupyterLab and the client say in the console while a server is dead or starts again."""


class Console:
    """What pages complained of: errors in the console, and exceptions that nobody caught."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._allowed: list[str] = []

    def watch(self, page: Page) -> None:
        page.on("console", self._message)
        page.on("pageerror", self._error)

    def allow(self, *texts: str) -> None:
        """Errors with one of these texts are what the test is about (a server that is killed, a refused token)."""
        self._allowed.extend(texts)

    def check(self) -> None:
        rest = [error for error in self.errors if not any(text in error for text in self._allowed)]
        assert not rest, "The browser's console has errors:\n" + "\n".join(rest)

    def _message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            place = message.location
            self.errors.append(f"{message.text} ({place.get('url')}:{place.get('lineNumber')})")

    def _error(self, error: Error) -> None:
        self.errors.append(f"uncaught: {error}")


@pytest.fixture
def console() -> Iterator[Console]:
    """Fails the test if a page complained of what the test did not allow."""
    console = Console()
    yield console
    console.check()


@pytest.fixture
def new_context(browser: Browser, console: Console) -> Iterator[Callable[..., BrowserContext]]:
    """Make a browser context (a person with cookies of their own) whose pages are watched."""
    made: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, **options)  # type: ignore[arg-type]
        context.set_default_timeout(TIMEOUT_MS)
        context.on("page", console.watch)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    return new_context().new_page()


class Lab(Server):
    """A JupyterLab process with this clone's front end; start it again after a kill, on the same port and folder."""

    def __init__(
        self,
        folder: Path,
        *args: str,
        base_url: str = "/",
        extensions: dict[str, bool] | None = None,
        packages: Path | None = None,
    ) -> None:
        root = folder / "root"
        root.mkdir(parents=True, exist_ok=True)
        # The front end is this clone's, also where another one is installed.
        data = folder / "jupyter"
        link = data / "labextensions" / "jupyter-pipeline"
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(ROOT / "jupyter_pipeline" / "labextension", target_is_directory=True)
        settings = folder / "home" / "config" / "labconfig"
        settings.mkdir(parents=True, exist_ok=True)
        # JupyterLab would ask whether to fetch news.
        disabled = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
        (settings / "page_config.json").write_text(json.dumps(disabled))
        env = {"JUPYTER_PATH": os.pathsep.join([str(data), os.environ.get("JUPYTER_PATH", "")]).rstrip(os.pathsep)}
        if packages is not None:  # Python packages that this server has beside those of the environment
            env["PYTHONPATH"] = os.pathsep.join([str(packages), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        # Said here, for a fork has these places, which are the person's own, from before its environment was given.
        places = {"user_settings_dir": folder / "home" / "settings", "workspaces_dir": folder / "home" / "workspaces"}
        own = [f"--{app}.{k}={v}" for app in ("LabApp", "JupyterNotebookApp") for k, v in places.items()]
        super().__init__(
            root,
            free_port(),
            base_url,
            ["--LabApp.expose_app_in_browser=True", *own, *args],
            env,
            "jupyterlab",
            forked=True,
        )
        self.extensions.update(extensions or {})

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}{self.base_url}"

    def lab_url(self, path: str = "") -> str:
        """JupyterLab, with the token; ``path`` such as ``tree/analysis.ipynb``."""
        return f"{self.url}lab/{path}?token={TOKEN}&reset"

    def wait_gate(self, project: str, stage: str) -> None:
        """Wait until a stage's gate is open, whoever looks at it."""
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            waiting = self.request("GET", f"api/projects/{project}/state").json["waiting_confirmation"]
            if waiting and waiting["stage_id"] == stage:
                return
            time.sleep(0.1)
        raise AssertionError(f"{stage} of {project} does not wait for a confirmation.")

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = None


@pytest.fixture(scope="session")
def start_lab(front_end: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Lab]]:
    """Start a JupyterLab with further arguments; all are stopped at the end."""
    started: list[Lab] = []

    def start(
        *args: str, base_url: str = "/", extensions: dict[str, bool] | None = None, packages: Path | None = None
    ) -> Lab:
        lab = Lab(tmp_path_factory.mktemp("lab"), *args, base_url=base_url, extensions=extensions, packages=packages)
        started.append(lab)
        lab.start()
        return lab

    yield start
    for lab in started:
        lab.stop()


@pytest.fixture(scope="session")
def lab(start_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The JupyterLab that most tests share, with a worker kept warm; it has Notebook 7 and a German language pack."""
    site = tmp_path_factory.mktemp("site")
    write_pack(site)
    return start_lab("--PipelineApp.warm_workers=1", extensions={"notebook": True}, packages=site)


@pytest.fixture
def german(lab: Lab) -> Iterator[None]:
    """JupyterLab in another language, for as long as a test lasts."""
    place = "lab/api/settings/@jupyterlab/translation-extension:plugin"
    assert lab.request("PUT", place, {"raw": '{"locale": "de_DE"}'}).status == 204
    yield
    lab.request("PUT", place, {"raw": "{}"})


class Work(Server):
    """A Jupyter server that pages of other origins may use; it can be killed and started again."""

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    root = tmp_path_factory.mktemp("view") / "root"
    root.mkdir()
    args = ["--ServerApp.allow_origin=*", "--PipelineApp.warm_workers=1"]
    server = Work(root=root, port=free_port(), base_url="/", args=args, forked=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def site(front_end: None, serve_folder: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The development page on a port of its own."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(ROOT / "labextension" / "dev" / "index.html", folder)
    (folder / "static").symlink_to(ROOT / "jupyter_pipeline" / "static", target_is_directory=True)
    return serve_folder(folder)


@pytest.fixture
def show(work: Work, site: str) -> Callable[[Page, str], Locator]:
    """Show a project in a page; the view's root."""

    def show(page: Page, project: str) -> Locator:
        page.goto(f"{site}/index.html#project={project}&base=http://127.0.0.1:{work.port}/&token={TOKEN}")
        view = page.get_by_test_id("pipeline-view")
        expect(view).to_have_attribute("data-project", project)
        expect(view).to_have_attribute("aria-busy", "false", timeout=TIMEOUT_MS)
        return view

    return show


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def serve_folder() -> Iterator[Callable[[Path], str]]:
    """Serve a folder on a port of its own, as any web server would; its address without a slash at the end."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def serve(folder: Path) -> str:
        handler = functools.partial(_Quiet, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
