"""The client against a real server: connecting, sending, waiting, and what survives cuts and kills."""

import asyncio
import itertools
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import numpy as np
import pandas as pd
import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler

from jupyter_pipeline import Pipeline
from jupyter_pipeline.client.discovery import find_server
from jupyter_pipeline.client.errors import PipelineError, PipelineTimeout
from jupyter_pipeline.client.pipeline import alive

from .conftest import TOKEN

REQUEST = "Predict species of the iris data. Take at most 5 seconds."


def project(server, name, **more):
    return Pipeline(name, url=server.url, token=TOKEN, **more)


def seqs(pipeline):
    return [event["seq"] for event in pipeline.events()]


def test_from_a_request_to_its_gate(live_server):
    with project(live_server, "gate") as p:
        assert p.plan is None
        assert "Request has not begun" in repr(p)
        with pytest.raises(PipelineError, match=r"p\.chat") as caught:
            p.confirm()
        assert caught.value.code == "NOT_WAITING"
        answer = p.chat(REQUEST)
        assert "species" in answer
        assert p.plan["target"] == "species"
        p.update_plan(time_budget_s=np.float64(4))
        assert p.plan["time_budget_s"] == 4
        with pytest.raises(PipelineError, match="cannot be sent"):
            p.update_plan(target=object())
        with pytest.raises(PipelineError) as caught:
            p.update_plan(time_budget=4)
        assert caught.value.code == "INVALID_ARGS"
        assert not str(caught.value).startswith("Failed to process")
        assert p.state["waiting_confirmation"]["stage_id"] == "PARSE_INTENT"
        assert {"restart_stage", "cancel_run", "update_plan"} <= set(p.commands)
        assert seqs(p) == list(range(1, p.model.seq + 1))
        names = [event["event"]["name"] for event in p.events(names=("PLAN_PROPOSED", "PROMPT_PARSED"))]
        assert names.count("PLAN_PROPOSED") == 2
        assert alive("gate") is p
    with project(live_server, "gate") as again:
        assert again.plan["time_budget_s"] == 4


def test_a_gate_that_changed_meanwhile_is_not_confirmed(live_server):
    with project(live_server, "stale") as a, project(live_server, "stale") as b:
        a.chat(REQUEST)
        b.wait()
        seen = b.gate
        a.update_plan(time_budget_s=3)
        with pytest.raises(PipelineError) as caught:
            b.confirm_gate(seen)
        assert caught.value.code == "GATE_STALE"
        with pytest.raises(PipelineError, match="The stage Training does not wait"):
            a.confirm("TRAIN")


def test_somebody_else_may_be_faster_at_a_gate(live_server):
    with project(live_server, "both") as a, project(live_server, "both") as b:
        a.chat(REQUEST)

        def confirm(gate):
            b.wait()
            b.confirm_gate(gate)
            return True

        a.run(until="DATA_SOURCE", confirm=confirm, timeout=120, quiet=True)
        assert a.gate.stage_id == "DATA_SOURCE"


def test_a_wrong_token_is_said_and_not_tried_again(live_server):
    began = time.monotonic()
    with pytest.raises(PipelineError, match="token") as caught:
        Pipeline("x", url=live_server.url, token="wrong")
    assert caught.value.code == "FORBIDDEN"
    assert time.monotonic() - began < 25  # and not the 30 s that a connection is given


def test_a_server_without_the_base_url(live_server):
    with pytest.raises(PipelineError, match="base URL"):
        Pipeline("x", url=f"http://127.0.0.1:{live_server.port}/", token=TOKEN)


def test_a_kernel_finds_its_server(live_server, monkeypatch):
    for name in ("JUPYTER_PIPELINE_URL", "JUPYTERHUB_SERVICE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(live_server.runtime))
    monkeypatch.setenv("JPY_PARENT_PID", str(live_server.pid))
    with Pipeline("found") as p:
        assert p.model.connection == "connected"
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    monkeypatch.delenv("JPY_PARENT_PID")
    assert find_server().url == live_server.url


def test_attach(live_server, tmp_path):
    with project(live_server, "attach") as p:
        dataset = p.attach(pd.DataFrame({"a": [1, 2], "b": ["x", None]}), name="two rows")
        assert dataset["source"] == "upload"
        assert dataset["name"] == "two rows.parquet"
        path = tmp_path / "table.csv"
        path.write_text("a,b\n1,2\n")
        assert p.attach(path)["name"] == "table.csv"
        assert [d["name"] for d in p.model.datasets.values()] == ["table.csv", "two rows.parquet"]


def test_fresh_and_delete(live_server):
    with project(live_server, "again") as old:
        old.chat(REQUEST)
        with project(live_server, "again", fresh=True) as new:
            assert new.model.seq == 0
            with pytest.raises(PipelineError, match="deleted"):
                old.chat("hello")
            new.chat(REQUEST)
            new.delete()
            with project(live_server, "again") as third:
                third.chat(REQUEST)
                frame = pd.DataFrame({"a": [1]})
                for gone, call in itertools.product(
                    (old, new),
                    (Pipeline.delete, Pipeline.confirm, Pipeline.run, Pipeline.download, lambda p: p.attach(frame)),
                ):
                    with pytest.raises(PipelineError, match="was deleted"):
                        call(gone)
                assert not third.model.datasets
            for gone in (old, new):
                assert repr(gone) == "<Pipeline 'again': deleted>"
                # Nothing to be live with, and no gate that waits.
                assert set(gone.display.bundle()) == {"text/html", "text/plain"}
    with project(live_server, "again", fresh=True) as fourth:
        assert fourth.model.seq == 0


def test_waiting_ends_by_time_and_by_interrupt(live_server):
    with project(live_server, "wait") as p:
        with pytest.raises(PipelineTimeout):
            p.wait("TRAIN", timeout=0.3)
        # Tests that run in the background of a shell ignore the signal; a kernel does not.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                p.wait("TRAIN", timeout=60)
        finally:
            timer.join()
            signal.signal(signal.SIGINT, before)
        with pytest.raises(PipelineError, match="stages are PARSE_INTENT"):
            p.wait("TRAINED")

        async def both():
            waiting = asyncio.create_task(p.wait_async("PARSE_INTENT", timeout=60))
            await asyncio.to_thread(p.chat, REQUEST)
            await waiting
            with pytest.raises(PipelineTimeout):
                await p.wait_async("TRAIN", timeout=0.2)

        asyncio.run(both())


BAD_DATA = [
    ("three.csv", "a,b,target\n1,2,x\n2,3,y\n3,4,x\n", "3 rows"),
    ("one.csv", "target\n" + "x\ny\n" * 20, "only one column"),
    ("empty-column.csv", "a,target\n" + "1,\n" * 20, "Every value of the target 'target' is missing"),
    ("constant.csv", "a,target\n" + "1,x\n2,x\n" * 20, "in every row"),
    ("another.csv", "a,b\n" + "1,x\n2,y\n" * 20, "no column 'target'"),
    ("noise.parquet", "PAR1 and no more", "cannot be read"),
]


def test_bad_data_are_said_and_the_project_lives_on(live_server, tmp_path):
    good = "a,a,target\n" + "".join(f"{'inf' if i % 9 else 'NaN'},{i % 7},{'xy'[i % 7 > 3]}\n" for i in range(60))
    with project(live_server, "bad-data") as p:
        p.chat("Predict target, take five seconds")
        p.confirm()
        with pytest.raises(PipelineError, match="no data"):
            p.wait("DATA_SOURCE", timeout=120)
        for name, content, words in BAD_DATA:
            (tmp_path / name).write_text(content)
            dataset = p.attach(tmp_path / name)
            p.restart_stage("DATA_SOURCE", dataset_id=dataset["id"])
            with pytest.raises(PipelineError, match=words):
                p.wait("DATA_SOURCE", timeout=120)
            assert p.state["stages"][1]["status"] == "FAILED"
        (tmp_path / "good.csv").write_text(good)
        p.restart_stage("DATA_SOURCE", dataset_id=p.attach(tmp_path / "good.csv")["id"])
        p.wait("DATA_SOURCE", timeout=120)
        assert "'a.1'" in p.gate.summary
        p.run(until="PROFILE_DATA", timeout=120, quiet=True)
        assert p.plan["roles"] == {"a": "ignore", "a.1": "feature", "target": "target"}


def test_a_server_that_sends_something_else_is_said_at_once():
    """It speaks WebSocket, and no more of the protocol than that."""

    class Other(WebSocketHandler):
        def open(self, *args):
            self.write_message("good morning")

    def serve():
        asyncio.set_event_loop(loop)
        server = HTTPServer(Application([("/ws/projects/(.*)", Other)]))
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        ports.put(sockets[0].getsockname()[1])
        loop.run_forever()
        server.stop()

    loop, ports = asyncio.new_event_loop(), queue.SimpleQueue()
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with pytest.raises(PipelineError, match="failed") as caught:
            Pipeline("x", url=f"http://127.0.0.1:{ports.get(timeout=30)}/", timeout=30)
        assert not isinstance(caught.value, PipelineTimeout)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_what_is_sent_during_an_outage_arrives_once(own_server):
    with project(own_server, "outage") as p:
        p.chat(REQUEST)
        before = p.model.seq
        own_server.stop(signal.SIGKILL)
        sent = []
        sender = threading.Thread(target=lambda: (p.update_plan(time_budget_s=7), sent.append(1)))
        sender.start()
        time.sleep(1.0)
        assert not sent
        assert p.model.connection == "reconnecting"
        own_server.start()
        sender.join(60)
        assert sent
        assert p.plan["time_budget_s"] == 7
        changed = p.events(since=before, names="PLAN_PROPOSED")
        assert len(changed) == 1
        assert seqs(p) == list(range(1, p.model.seq + 1))


def comes_to(p, connection):
    end = time.monotonic() + 60
    while p.model.connection != connection:
        assert time.monotonic() < end, p.model.connection
        time.sleep(0.02)


def test_what_nobody_waits_for_any_more_is_not_sent_when_the_server_is_back(own_server, capsys):
    with project(own_server, "given-up") as p:
        own_server.stop(signal.SIGKILL)
        comes_to(p, "reconnecting")
        with pytest.raises(PipelineError, match=r"Waited 0\.5 seconds for the server's answer to 'chat'"):
            p.chat("Predict sepal width of the iris data.", timeout=0.5)
        assert "The connection to the Jupyter server is cut" in capsys.readouterr().err
        own_server.start()
        comes_to(p, "connected")
        p.chat(REQUEST)
        assert [line.text for line in p.model.chat if line.source == "user"] == [REQUEST]


def test_killed_again_and_again_nothing_is_lost_or_done_twice(own_server):
    """Messages go out all the time while the server is killed and started; each takes effect exactly once."""
    heard = []
    with project(own_server, "killed") as p:
        p.chat(REQUEST)
        p.model.observe(lambda: heard.append(p.model.seq))
        values = [float(v) for v in range(100, 130)]
        failures = []

        def send():
            try:
                for value in values:
                    p.update_plan(time_budget_s=value)
            except BaseException as error:
                failures.append(error)

        sender = threading.Thread(target=send)
        sender.start()
        for _ in range(3):
            time.sleep(0.3)
            own_server.stop(signal.SIGKILL)
            own_server.start()
        sender.join(90)
        assert not sender.is_alive()
        assert not failures
        plans = [e["event"]["payload"]["plan_json"]["time_budget_s"] for e in p.events(names="PLAN_PROPOSED")]
        assert plans[1:] == values
        assert seqs(p) == list(range(1, p.model.seq + 1))
        assert heard == sorted(heard)


def test_the_server_goes_down_and_comes_back_while_idle(own_server):
    with project(own_server, "idle") as p:
        p.chat(REQUEST)
        own_server.stop()
        heard = p.model.seq
        own_server.start()
        p.update_plan(time_budget_s=9)
        assert p.plan["time_budget_s"] == 9
        # What it had heard before is not sent again.
        asked = urllib.request.Request(f"{own_server.url}metrics", headers={"Authorization": f"token {TOKEN}"})
        with urllib.request.urlopen(asked) as answer:
            sent = re.search(r"^jupyter_pipeline_events_sent_total (\S+)$", answer.read().decode(), re.MULTILINE)
        assert sent
        assert float(sent.group(1)) == p.model.seq - heard


def test_check_prints_the_document_s_lines(live_server):
    command = [sys.executable, "-m", "jupyter_pipeline.check", live_server.url, "--token", TOKEN]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.splitlines() == [
        "✓ Connected to WebSocket",
        "📨 Received HELLO: HELLO",
        "📨 Received STAGE_STATUS: STAGE_STATUS",
        "🧪 Test 1: Sending chat message...",
        "✓ Received response: LOG_LINE",
        "🧪 Test 2: Sending ping...",
        "✓ Received pong",
        "🧪 Test 3: Sending confirm...",
        "✓ Received stage update: STAGE_STATUS",
        "🧪 Test 4: Sending restart_stage command...",
        "✓ Received command response: STAGE_STATUS",
        "✅ All tests passed!",
    ]
    assert done.returncode == 0
    assert done.stderr == ""
    with_project = [*command[:3], f"{live_server.url}ws/projects/demo-project", *command[4:]]
    for _ in range(2):
        done = subprocess.run(with_project, capture_output=True, text=True, timeout=120, check=False)
        assert done.stdout.endswith("✅ All tests passed!\n"), done.stdout


@pytest.mark.parametrize(("path", "token", "words"), [("", "wrong", "token"), ("nowhere/", TOKEN, "Expected a WebSo")])
def test_check_says_what_was_expected(live_server, path, token, words):
    command = [sys.executable, "-m", "jupyter_pipeline.check", live_server.url + path, "--token", token]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert words in done.stdout
