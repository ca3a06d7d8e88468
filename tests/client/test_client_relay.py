"""A project relayed through the kernel: what a view in a browser says and hears, with a real conductor behind it."""

import gc
import itertools
import threading
import time
import weakref

import msgspec
import pytest

from jupyter_pipeline import Pipeline
from jupyter_pipeline.client import relay as relay_module
from jupyter_pipeline.client.embedded import Host
from jupyter_pipeline.client.relay import INTERVAL_S, Relay
from jupyter_pipeline.protocol.connecting import OVERTAKEN

REQUEST = "Predict species of the iris data. Take at most 5 seconds."


class Browser:
    """The other end of a widget's messages, as the view in a page is one; they go through JSON as on the wire."""

    def __init__(self, pipeline, name="b1"):
        self.name = name
        self.got = []
        self.times = []
        self._more = threading.Condition()
        self.answers = True
        self.relay = Relay(pipeline, self.hear)

    def hear(self, content, buffers):
        content = msgspec.json.decode(msgspec.json.encode(content))
        with self._more:
            self.got.append((content, buffers))
            self.times.append(time.monotonic())
            self._more.notify_all()
        if self.answers and content["kind"] == "events":
            self.say(kind="ack")

    def say(self, buffers=(), **content):
        self.relay.receive({"client": self.name, **content}, list(buffers))

    def until(self, found, timeout=120):
        with self._more:
            assert self._more.wait_for(found, timeout), [content["kind"] for content, _ in self.got]

    def of(self, kind):
        return [content for content, _ in self.got if content["kind"] == kind]

    @property
    def frames(self):
        return [frame for content in self.of("events") for frame in content["frames"]]

    def names(self):
        return [frame["event"]["name"] for frame in self.frames]


@pytest.fixture
def pipeline(tmp_path):
    with Pipeline("relayed", embedded=True, workspace=tmp_path) as p:
        yield p


@pytest.fixture
def browser(pipeline):
    browser = Browser(pipeline)
    yield browser
    browser.relay.stop()


def test_a_view_acts_and_follows(pipeline, browser):
    browser.say(kind="start", since=0, epoch=None)
    hello = browser.of("hello")[0]["frame"]
    assert hello["event"]["payload"]["epoch"] == pipeline.model.epoch
    assert {command["name"] for command in hello["event"]["payload"]["commands"]} >= {"restart_stage", "cancel_run"}
    browser.say(kind="send", message={"type": "confirm", "id": "m0"})
    browser.until(lambda: browser.of("error"))
    refused = browser.of("error")[0]["frame"]
    assert (refused["code"], refused["id"]) == ("NOT_WAITING", "m0")
    browser.say(kind="send", message={"type": "chat", "text": REQUEST, "id": "m1"})
    browser.until(lambda: "WAITING_CONFIRMATION" in browser.names())
    assert browser.of("sent")[0]["id"] == "m1"
    gate = next(f for f in browser.frames if f["event"]["name"] == "WAITING_CONFIRMATION")["event"]["payload"]
    browser.say(kind="send", message={"type": "confirm", "gate_id": gate["gate_id"], "id": "m2"})
    browser.until(lambda: browser.names().count("WAITING_CONFIRMATION") == 2)
    # The first rows of the data are an asset.
    ready = next(f for f in browser.frames if f["event"]["name"] == "DATASET_SAMPLE_READY")["event"]["payload"]
    browser.say(kind="call", id="c1", method="asset", args={"url": ready["asset_url"]})
    browser.until(lambda: browser.of("result"))
    content, buffers = next(pair for pair in browser.got if pair[0]["kind"] == "result")
    assert not content["more"]
    assert msgspec.json.decode(b"".join(buffers))["n_rows"] == 150
    # Each event of the log once and in order, but for progress that newer progress replaced.
    seqs = [frame["seq"] for frame in browser.frames]
    assert seqs == sorted(set(seqs))
    left_out = [e for e in pipeline.events() if e["seq"] <= seqs[-1] and e["seq"] not in set(seqs)]
    assert {event["event"]["name"] for event in left_out} <= OVERTAKEN


def test_another_view_resumes_where_it_was(pipeline, browser):
    pipeline.chat(REQUEST)
    seq, epoch = pipeline.model.seq, pipeline.model.epoch
    browser.say(kind="start", since=seq - 2, epoch=epoch)
    browser.until(lambda: len(browser.frames) == 2)
    assert browser.of("hello")[0]["frame"]["event"]["payload"]["resumed"]
    browser.say(kind="start", since=seq, epoch="another log")
    browser.until(lambda: len(browser.frames) == 2 + seq)
    assert not browser.of("hello")[1]["frame"]["event"]["payload"]["resumed"]


def test_a_view_of_a_long_log_goes_on_from_now_and_reads_what_was_before(pipeline, browser):
    pipeline.chat(REQUEST)
    browser.say(kind="start", since=0, epoch=None)
    browser.say(kind="call", id="s", method="state", args={})
    browser.until(lambda: browser.of("result"))
    state = browser.of("result")[0]["value"]
    browser.say(kind="start", since=state["seq"], epoch=state["epoch"])
    pipeline.confirm()
    browser.until(lambda: browser.names().count("DATASET_SELECTED") == 1)
    read, since = [], 0
    while since < state["seq"]:
        n = len(browser.of("result"))
        browser.say(kind="call", id=f"e{since}", method="events", args={"since": since, "limit": 3})
        browser.until(lambda n=n: len(browser.of("result")) > n)
        page = browser.of("result")[-1]["value"]
        assert page["epoch"] == state["epoch"]
        assert since < page["next"] <= since + 3
        read, since = read + page["events"], page["next"]
    assert read == pipeline.events()[:since]


def test_files_and_refusals(pipeline, browser):
    browser.say(kind="start", since=0, epoch=None)
    rows = "".join(f"{i},{i % 2},{i * 7 % 5}\n" for i in range(60)).encode()
    args = {"upload": "u1", "name": "small.csv"}
    browser.say(
        [memoryview(b"a,b,c\n" + rows[:100])], kind="call", id="c1", method="upload", args={**args, "last": False}
    )
    browser.until(lambda: browser.of("result"))
    browser.say([memoryview(rows[100:])], kind="call", id="c2", method="upload", args={**args, "last": True})
    browser.until(lambda: len(browser.of("result")) == 2)
    dataset = browser.of("result")[1]["value"]["dataset"]
    assert dataset["meta"]["size"] == 6 + len(rows)
    for call, args in [("predict", {"rows": [{"a": 1}]}), ("asset", {"url": "/no/such/asset"}), ("dance", {})]:
        n = len(browser.of("result"))
        browser.say(kind="call", id=call, method=call, args=args)
        browser.until(lambda n=n: len(browser.of("result")) > n)
        assert browser.of("result")[-1]["error"], call
    # What no view of ours says is left out.
    browser.relay.receive({"kind": "start"}, [])
    browser.relay.receive({"kind": "send", "client": "b1", "message": "confirm"}, [])


def test_few_messages_and_slow_ones_while_nobody_answers(pipeline, browser, monkeypatch):
    monkeypatch.setattr(relay_module, "BATCH_EVENTS", 2)
    monkeypatch.setattr(relay_module, "WINDOW_BYTES", 100)
    monkeypatch.setattr(relay_module, "SLOW_S", 1.5)
    pipeline.chat(REQUEST)
    browser.answers = False
    browser.say(kind="start", since=0, epoch=None)
    browser.until(lambda: len(browser.of("events")) >= 2)

    def sent():
        return [t for (content, _), t in zip(browser.got, browser.times, strict=True) if content["kind"] == "events"]

    assert all(b - a >= 1.4 for a, b in itertools.pairwise(sent()))
    browser.answers = True
    browser.say(kind="ack")
    browser.until(lambda: browser.frames[-1]["seq"] == pipeline.model.seq)
    assert all(b - a >= 0.9 * INTERVAL_S for a, b in itertools.pairwise(sent()))
    browser.say(kind="stop")
    assert not browser.relay.active


def test_a_pipeline_that_is_shown_is_kept_while_a_browser_is_fed_and_goes_with_it(tmp_path):
    """Its connection and its threads too; otherwise each one that was ever shown would stay as long as the kernel."""
    shown = Pipeline("shown", embedded=True, workspace=tmp_path)
    shown.display.show()
    relay, known = shown.display.relay, weakref.ref(shown)
    relay.receive({"client": "b1", "kind": "start"}, [])
    del shown
    gc.collect()
    assert known() is not None
    assert not known().closed
    relay.receive({"client": "b1", "kind": "stop"}, [])
    gc.collect()
    assert known() is None
    for _ in range(2):  # some end others
        for thread in threading.enumerate():
            if thread.name.startswith("jupyter_pipeline"):
                thread.join(20)
                assert not thread.is_alive(), thread.name
    assert Host._hosts == {}
