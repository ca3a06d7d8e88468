"""The client in a real browser, on a page of another origin, against a real server that is killed, stopped and slow."""

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from jupyter_pipeline import __version__

from ..server.conftest import Server
from .conftest import SERVER_AWAY, TOKEN, Console
from .jobs import SOCKETS

SETUP = """
async ([base, token, projectId, options]) => {
  const client = await import(`${base}api/projects/client.js?token=${token}`);
  const seen = { statuses: [], details: [], events: [], errors: [], frames: [], versions: [] };
  const connection = client.createWebSocketClient({
    projectId, baseUrl: base.replace('http', 'ws'), token, heartbeatMs: 1500, pongTimeoutMs: 1500, ...options,
    onStatusChange: (status, detail) => { seen.statuses.push(status); seen.details.push(detail); },
    onEvent: event => seen.events.push(event),
    onError: error => seen.errors.push(error),
    onFrame: frame => seen.frames.push(frame),
    onVersion: notice => seen.versions.push(notice),
  });
  Object.assign(window, {
    client, seen, connection, rest: client.createRestClient({ projectId, baseUrl: base, token }),
    chats: () => seen.events.filter(e => e.event.name === 'LOG_LINE' && e.event.payload.source === 'user')
      .map(e => e.event.payload.text),
    last: () => seen.statuses.at(-1),
  });
}
"""


@pytest.fixture(scope="module")
def origin(serve_folder: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text("<!doctype html><title>A page</title><link rel=icon href='data:,'>")
    return serve_folder(folder)


@pytest.fixture(scope="module")
def server(front_end: None, start_server: Callable[..., Server], origin: str) -> Server:
    """A server below a base URL that needs quoting, that takes as many chats as there are."""
    rates = "--PipelineApp.rate_limits={'chat': None}"
    return start_server(f"--ServerApp.allow_origin={origin}", rates, base_url="/a%40b/")


def begin(page: Page, server: Server, origin: str, project: str, **options: Any) -> None:
    """Load the page (again), and connect."""
    page.goto(origin)
    page.evaluate(SETUP, [f"http://127.0.0.1:{server.port}{server.base_url}", TOKEN, project, options])


def wait(page: Page, condition: str) -> None:
    page.wait_for_function(f"() => {condition}")


def until(page: Page, condition: str) -> None:
    """As wait, also while the page's clock stands still."""
    deadline = time.monotonic() + 60
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        time.sleep(0.05)


def end(server: Server, how: signal.Signals) -> None:
    assert server.process is not None
    os.kill(server.process.pid, how)
    server.process.wait()
    server.process = None


@contextlib.contextmanager
def stopped(server: Server) -> Iterator[None]:
    """The server's process stands still: its sockets stay open, and nothing answers."""
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


def test_the_documented_example_works_word_for_word(page: Page, server: Server, origin: str) -> None:
    begin(page, server, origin, "documented")
    wait(page, "last() === 'open'")
    page.evaluate("connection.send({ type: 'chat', text: 'Please use Random Forest instead of XGBoost' })")
    page.evaluate("connection.send(JSON.stringify({ type: 'chat', text: 'as JSON' }))")
    page.evaluate("connection.send(JSON.stringify({ type: 'ping', ts: 17 }))")
    wait(page, "chats().length === 2 && seen.frames.some(f => f.type === 'pong' && f.ts === 17)")
    names = page.evaluate("seen.events.map(e => e.event?.name)")
    assert names[:2] == ["HELLO", "STAGE_STATUS"]
    assert page.evaluate("seen.statuses.every(s => typeof s === 'string')")
    assert page.evaluate("seen.statuses[0]") == "connecting"
    assert page.evaluate("seen.versions") == []
    assert page.evaluate("client.VERSION") == __version__
    assert (
        page.evaluate("(() => { try { connection.send('{nonsense'); } catch (e) { return e.name; } })()") == "TypeError"
    )
    page.evaluate("connection.send({ type: 'command', command: 'restart_stage', args: { stage_id: 'NONE' } })")
    wait(page, "seen.errors.length === 1")
    assert page.evaluate("seen.errors[0].code") == "INVALID_STAGE"
    page.evaluate("connection.close()")
    assert page.evaluate("last()") == "closed"
    assert page.evaluate("localStorage.length") == 0


def test_what_is_typed_while_the_server_is_dead_arrives_once_and_in_order_even_after_a_reload(
    page: Page, server: Server, origin: str, console: Console
) -> None:
    console.allow(*SERVER_AWAY)
    begin(page, server, origin, "offline", since=0)
    wait(page, "last() === 'open'")
    base = f"http://127.0.0.1:{server.port}{server.base_url}"
    source = page.evaluate("url => fetch(url).then(r => r.text())", f"{base}api/projects/client.js?token={TOKEN}")
    end(server, signal.SIGKILL)
    wait(page, "last() === 'reconnecting'")
    for text in ("one", "two"):
        page.evaluate("text => connection.send({ type: 'chat', text })", text)
    assert page.evaluate("seen.details.at(-1).waiting") == 2
    # The page is loaded again while the server is down; the module comes from the page's own cache or server.
    page.goto(origin)
    page.evaluate(
        """async ([source, baseUrl, token]) => {
          const client = await import(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
          window.seen = { statuses: [], events: [] };
          window.connection = client.createWebSocketClient({
            projectId: 'offline', baseUrl, token, since: 0,
            onStatusChange: s => seen.statuses.push(s), onEvent: e => seen.events.push(e),
          });
          connection.send({ type: 'chat', text: 'three' });
        }""",
        [source, base, TOKEN],
    )
    wait(page, "seen.statuses.at(-1) === 'reconnecting'")
    server.start()
    said = "seen.events.filter(e => e.event.name === 'LOG_LINE' && e.event.payload.source === 'user')"
    page.wait_for_function(f"() => {said}.length >= 3 && localStorage.length === 0")
    assert page.evaluate(f"{said}.map(e => e.event.payload.text)") == ["one", "two", "three"]
    events = server.request("GET", "api/projects/offline/events?since=0").json["events"]
    lines = [e["event"]["payload"] for e in events if e["event"]["name"] == "LOG_LINE"]
    assert [line["text"] for line in lines if line["source"] == "user"] == ["one", "two", "three"]
    seqs = page.evaluate("seen.events.filter(e => !e.ephemeral).map(e => e.seq)")
    assert seqs == list(range(1, len(seqs) + 1))


def test_too_fast_is_told_to_wait_and_nothing_is_lost_or_out_of_order(
    page: Page, start_server: Callable[..., Server], origin: str
) -> None:
    rates = "--PipelineApp.rate_limits={'chat': 60.0}"
    begin(page, start_server(f"--ServerApp.allow_origin={origin}", rates, base_url="/a%40b/"), origin, "fast")
    wait(page, "last() === 'open'")
    page.evaluate("for (let i = 0; i < 14; i++) connection.send({ type: 'chat', text: `line ${i}` })")
    wait(page, "chats().length >= 14 && localStorage.length === 0")
    assert page.evaluate("chats()") == [f"line {i}" for i in range(14)]
    assert page.evaluate("seen.frames.some(f => f.code === 'RATE_LIMITED')")
    assert page.evaluate("seen.errors") == []


def test_a_server_that_stands_still_is_noticed_and_found_again(
    page: Page, server: Server, origin: str, console: Console
) -> None:
    console.allow("WebSocket connection to")
    begin(page, server, origin, "still")
    wait(page, "last() === 'open'")
    with stopped(server):
        wait(page, "last() === 'reconnecting'")
        page.evaluate("connection.send({ type: 'chat', text: 'are you there?' })")
    wait(page, "last() === 'open' && chats().length === 1")


def test_back_on_the_net_or_looked_at_again_it_does_not_wait_for_its_timers(
    page: Page, server: Server, origin: str
) -> None:
    page.clock.install()
    page.add_init_script(SOCKETS)
    begin(page, server, origin, "asleep")
    until(page, "last() === 'open'")
    # From here on no timer of the page fires.
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 5)
    until(page, "last() === 'open'")

    def awake_after(wake: Callable[[], object]) -> None:
        page.evaluate("sockets.at(-1).close()")
        until(page, "last() === 'reconnecting'")
        wake()
        until(page, "last() === 'open'")

    awake_after(lambda: page.evaluate("document.dispatchEvent(new Event('visibilitychange'))"))

    def net() -> None:
        page.context.set_offline(True)
        page.context.set_offline(False)

    awake_after(net)


def test_after_a_reload_the_tab_goes_on_where_it_was(page: Page, server: Server, origin: str) -> None:
    begin(page, server, origin, "reloaded", since="stored")
    wait(page, "last() === 'open'")
    page.evaluate("connection.send({ type: 'chat', text: 'before' })")
    wait(page, "chats().length === 1 && localStorage.length === 0")
    seen = page.evaluate("seen.events.filter(e => !e.ephemeral).at(-1).seq")
    page.goto("about:blank")
    answer = server.request("POST", "api/projects/reloaded/messages", {"type": "chat", "text": "while away"})
    assert answer.status == 200
    begin(page, server, origin, "reloaded", since="stored")
    wait(page, "chats().includes('while away')")
    assert page.evaluate("chats()") == ["while away"]
    numbers = page.evaluate("seen.events.filter(e => !e.ephemeral).map(e => e.seq)")
    assert numbers[0] > seen
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def durable(page: Page) -> list[dict[str, Any]]:
    """The events of the log that the page has, in the order in which they came."""
    found: list[dict[str, Any]] = page.evaluate("seen.events.filter(e => !e.ephemeral)")
    return found


def log(server: Server, project: str, since: int) -> list[dict[str, Any]]:
    """What the server says that its log has after an event."""
    events: list[dict[str, Any]] = server.request("GET", f"api/projects/{project}/events?since={since}").json["events"]
    return events


def post(server: Server, project: str, *texts: str) -> None:
    for text in texts:
        while (
            answer := server.request("POST", f"api/projects/{project}/messages", {"type": "chat", "text": text})
        ).status == 429:
            time.sleep(answer.json["retry_after_ms"] / 1000)
        assert answer.status == 200


def test_a_page_that_was_offline_gets_exactly_what_it_missed(
    page: Page, server: Server, origin: str, console: Console
) -> None:
    console.allow("net::ERR_INTERNET_DISCONNECTED")
    page.add_init_script(SOCKETS)
    begin(page, server, origin, "missed", since=0)
    wait(page, "last() === 'open'")
    post(server, "missed", "before")
    wait(page, "chats().length === 1")
    before = durable(page)
    # Off the net, which takes the line down; others go on.
    page.context.set_offline(True)
    page.evaluate("sockets.at(-1).close()")
    wait(page, "last() === 'reconnecting'")
    post(server, "missed", "one", "two", "three")
    assert durable(page) == before
    page.context.set_offline(False)
    wait(page, "last() === 'open' && chats().length === 4")
    assert page.evaluate("chats()") == ["before", "one", "two", "three"]
    assert durable(page) == log(server, "missed", 0)
    hello = page.evaluate("seen.events.filter(e => e.event.name === 'HELLO').at(-1).event.payload")
    assert hello["resumed"]
    assert f"since={before[-1]['seq']}&epoch={hello['epoch']}" in page.evaluate("sockets.at(-1).url")


def test_a_page_resumes_where_it_says_that_it_was(page: Page, server: Server, origin: str) -> None:
    """By the options, by the message ``resume``, and in a log that was begun anew."""
    begin(page, server, origin, "resumed", since=0)
    wait(page, "last() === 'open'")
    post(server, "resumed", "one", "two")
    wait(page, "chats().length === 2")
    seq = durable(page)[-1]["seq"]
    epoch = page.evaluate("seen.events.find(e => e.event.name === 'HELLO').event.payload.epoch")
    page.goto("about:blank")
    post(server, "resumed", "three", "four")
    begin(page, server, origin, "resumed", since=seq, epoch=epoch)
    wait(page, "chats().length === 2")
    assert page.evaluate("chats()") == ["three", "four"]
    assert durable(page) == log(server, "resumed", seq)
    # Asked for again they come again, and what is new comes once.
    had = len(durable(page))
    page.evaluate("message => connection.send(message)", {"type": "resume", "since": seq, "epoch": epoch})
    wait(page, "chats().length === 4")
    post(server, "resumed", "five")
    wait(page, "chats().length === 5")
    assert page.evaluate("chats()") == ["three", "four", "three", "four", "five"]
    assert durable(page)[had:] == log(server, "resumed", seq)
    # Deleted and begun anew, it is another log, sent from its start.
    page.goto("about:blank")
    assert server.request("DELETE", "api/projects/resumed").status == 204
    post(server, "resumed", "anew")
    begin(page, server, origin, "resumed", since=seq, epoch=epoch)
    wait(page, "chats().length === 1")
    assert durable(page) == log(server, "resumed", 0)
    assert page.evaluate("seen.events[0].event.payload.resumed") is False


def test_a_wrong_token_ends_it(page: Page, server: Server, origin: str, console: Console) -> None:
    console.allow("403")
    begin(page, server, origin, "denied", token="wrong")
    wait(page, "last() === 'denied'")
    assert "does not accept the token" in page.evaluate("seen.details.at(-1).reason")
    assert page.evaluate("seen.errors[0].code") == "FORBIDDEN"
    page.wait_for_timeout(1500)
    assert page.evaluate("seen.statuses") == ["connecting", "connecting", "denied"]


def test_a_server_of_another_version_is_told_with_what_to_do(page: Page, server: Server, origin: str) -> None:
    begin(page, server, origin, "versions")
    wait(page, "last() === 'open'")
    base = f"http://127.0.0.1:{server.port}{server.base_url}"
    page.evaluate(
        """async ([base, token, version]) => {
          const source = await fetch(`${base}api/projects/client.js?token=${token}`).then(r => r.text());
          const newer = new Blob([source.replaceAll(version, '99.0.0')], { type: 'text/javascript' });
          const { createWebSocketClient } = await import(URL.createObjectURL(newer));
          const onVersion = notice => seen.versions.push(notice);
          createWebSocketClient({ projectId: 'versions', baseUrl: base, token, onVersion });
        }""",
        [base, TOKEN, __version__],
    )
    wait(page, "seen.versions.length === 1")
    notice = page.evaluate("seen.versions[0]")
    assert f"The server runs jupyter_pipeline {__version__}, this page has 99.0.0." in notice
    assert "Restart the Jupyter server" in notice


def test_a_deleted_project_ends_it(page: Page, server: Server, origin: str) -> None:
    begin(page, server, origin, "deleted")
    wait(page, "last() === 'open'")
    page.evaluate("connection.send({ type: 'chat', text: 'hello' })")
    wait(page, "chats().length === 1")
    page.evaluate("rest.deleteProject()")
    wait(page, "last() === 'deleted'")
    page.evaluate("connection.send({ type: 'chat', text: 'too late' })")
    wait(page, "seen.errors.length === 1")
    assert page.evaluate("seen.errors[0].code") == "CLOSED"


def test_what_was_said_to_a_deleted_project_does_not_begin_another(
    page: Page, server: Server, origin: str, console: Console
) -> None:
    console.allow("net::ERR_", "WebSocket connection to")
    page.add_init_script(SOCKETS)
    begin(page, server, origin, "again", since=0)
    wait(page, "last() === 'open'")
    page.evaluate("connection.send({ type: 'chat', text: 'predict churn' })")
    wait(page, "chats().length === 1 && localStorage.length === 0")
    page.context.set_offline(True)
    page.evaluate("sockets.at(-1).close()")
    wait(page, "last() === 'reconnecting'")
    page.evaluate("window.late = connection.send({ type: 'chat', text: 'use random forest' })")
    # Somebody deletes it before this page is back.
    assert server.request("DELETE", "api/projects/again").status == 204
    page.context.set_offline(False)
    wait(page, "last() === 'open' && seen.errors.length === 1")
    assert page.evaluate("seen.errors[0].code") == "DELETED"
    assert page.evaluate("seen.errors[0].id === late && localStorage.length === 0")
    page.evaluate("connection.send({ type: 'chat', text: 'predict price' })")
    wait(page, "chats().length === 2")
    assert page.evaluate("chats()") == ["predict churn", "predict price"]


def test_the_rest_calls(page: Page, server: Server, origin: str, console: Console) -> None:
    console.allow("409", 'unsafe header "Retry-After"')  # which a proxy does not let a page of another origin see
    begin(page, server, origin, "rest")
    wait(page, "last() === 'open'")
    fractions = page.evaluate(
        """async () => {
          const told = [];
          const file = new File(['a,b\\n'.repeat(200000)], 'déjà vu.csv');
          window.uploaded = await rest.upload(file, { onProgress: f => told.push(f) });
          return told;
        }"""
    )
    assert fractions[-1] == 1
    assert page.evaluate("uploaded.dataset.name") == "déjà vu.csv"
    # An upload that is stopped in the middle leaves nothing behind.
    stopped = page.evaluate(
        """async () => {
          const stop = new AbortController();
          const file = new File([new Uint8Array(64 << 20)], 'stopped.csv');
          const sent = rest.upload(file, { onProgress: () => stop.abort(), signal: stop.signal });
          return sent.then(() => 'sent', error => error.name);
        }"""
    )
    assert stopped == "AbortError"
    candidates = server.request("GET", "api/projects/rest/state").json["datasets"]
    assert [dataset["name"] for dataset in candidates] == ["déjà vu.csv"]
    page.evaluate("rest.message({ type: 'chat', text: 'over HTTP', id: 'once' })")
    assert page.evaluate("rest.message({ type: 'chat', text: 'over HTTP', id: 'once' })")["status"] == "duplicate"
    state = page.evaluate("rest.state()")
    assert state["stages"][0]["id"] == "PARSE_INTENT"
    assert page.evaluate("rest.events({ since: 0, limit: 2 }).then(p => p.events.length)") == 2
    failed = page.evaluate("rest.predict([{ a: 1 }]).then(() => null, e => [e.name, e.status, e.message])")
    assert failed[0] == "RestError"
    assert failed[1] >= 400
    assert not failed[2].startswith("Failed to process")
    # A page that a proxy puts in the place of an answer is an error too, of an upload as well.
    page.route(re.compile("/(data|state)"), lambda route: route.fulfill(status=200, body="<html>Log in</html>"))
    said = "error => [error.name, error.message]"
    for call in ("upload(new File(['a'], 'a.csv'))", "state()"):
        assert page.evaluate(f"rest.{call}.then(() => null, {said})") == ["RestError", "The server answered 200."]
    page.unroute_all(behavior="wait")
    # The token is not given to another server.
    assert page.evaluate("rest.asset('http://127.0.0.1:1/x').then(() => '', e => e.message)").startswith("The asset")


def test_another_origin_gets_the_module_with_the_token_alone(
    new_context: Callable[..., BrowserContext], start_server: Callable[..., Server], origin: str, console: Console
) -> None:
    """Without any CORS setting: with the token it is let in, with the user's cookie it is not."""
    console.allow("403", "404", "CORS", "Failed to load")
    plain = start_server()
    base = f"http://127.0.0.1:{plain.port}/"
    page = new_context().new_page()
    page.goto(f"{base}api/projects?token={TOKEN}")  # sets the cookie
    page.goto(origin)
    load = "url => import(url).then(m => typeof m.createWebSocketClient, () => 'refused')"
    assert page.evaluate(load, f"{base}api/projects/client.js") == "refused"
    assert page.evaluate(load, f"{base}api/projects/client.js?token=wrong") == "refused"
    assert page.evaluate(load, f"{base}api/projects/client.js?token={TOKEN}") == "function"
    assert plain.request("GET", "api/projects/client.js", token=None).status == 403
    module = plain.request("GET", "api/projects/client.js")
    assert module.headers["Content-Type"].startswith("text/javascript")
    etag = module.headers["ETag"]
    assert plain.request("GET", "api/projects/client.js", headers={"If-None-Match": etag}).status == 304


@pytest.mark.parametrize("deleted", [False, True])
def test_what_an_earlier_page_kept_reaches_the_project_that_it_was_for_and_no_other(
    page: Page, server: Server, origin: str, console: Console, deleted: bool
) -> None:
    console.allow("net::ERR_", "WebSocket connection to")
    page.add_init_script(SOCKETS)
    project = f"kept-{deleted}".lower()
    begin(page, server, origin, project, since=0)
    wait(page, "last() === 'open'")
    page.evaluate("connection.send({ type: 'chat', text: 'predict churn' })")
    wait(page, "chats().length === 1 && localStorage.length === 0")
    page.context.set_offline(True)
    page.evaluate("sockets.at(-1).close()")
    wait(page, "last() === 'reconnecting'")
    page.evaluate("connection.send({ type: 'chat', text: 'drop age' })")
    page.evaluate("connection.send({ type: 'command', command: 'cancel_run', args: {} })")
    page.goto("about:blank")
    if deleted:
        assert server.request("DELETE", f"api/projects/{project}").status == 204
        post(server, project, "another project of that name")
    page.context.set_offline(False)
    begin(page, server, origin, project, since=0)
    wait(page, "last() === 'open' && localStorage.length === 0")
    if deleted:
        # Given back with what was said, and not sent.
        errors = page.evaluate("seen.errors.map(e => [e.code, e.sentence.code, e.original_message.text ?? null])")
        assert errors == [["DELETED", "OTHER_PROJECT", "drop age"], ["DELETED", "OTHER_PROJECT", None]]
    post(server, project, "the last one")
    wait(page, "chats().includes('the last one')")
    expected = ["another project of that name"] if deleted else ["predict churn", "drop age"]
    assert page.evaluate("chats()") == [*expected, "the last one"]
    said = [e["event"]["payload"] for e in log(server, project, 0) if e["event"]["name"] == "LOG_LINE"]
    assert [line["text"] for line in said if line["source"] == "user"] == [*expected, "the last one"]
