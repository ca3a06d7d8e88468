"""The conductor in this process: the same behaviour without a server."""

import asyncio
import html
import os
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import psutil
import pytest
from IPython.core.formatters import DisplayFormatter

from jupyter_pipeline import Pipeline
from jupyter_pipeline.client.embedded import Host
from jupyter_pipeline.client.errors import PipelineError
from jupyter_pipeline.client.pipeline import alive

from ..server.test_commands import install

REQUEST = "Predict species of the iris data. Take at most 5 seconds."


def test_from_a_request_to_the_next_gate(tmp_path):
    with Pipeline("here", embedded=True, workspace=tmp_path) as p:
        answer = p.chat(REQUEST)
        assert "species" in answer
        shown, _ = DisplayFormatter().format(answer)
        assert shown["text/html"] == f'<p style="white-space: pre-line">{html.escape(answer)}</p>'
        p.update_plan(time_budget_s=np.float64(4), include_models=np.array(["linear"]))
        assert (p.plan["time_budget_s"], p.plan["include_models"]) == (4.0, ["linear"])
        p.confirm()
        p.wait("DATA_SOURCE")
        assert p.gate.stage_id == "DATA_SOURCE"
        assert p.plan["task_type"] == "multiclass"
        assert [e["seq"] for e in p.events()] == list(range(1, p.model.seq + 1))
        assert [e["event"]["name"] for e in p.events(names="PROMPT_PARSED")] == ["PROMPT_PARSED"]
        with pytest.raises(PipelineError, match="There is no event 'METRIC'; the events are PROMPT_PARSED"):
            p.events(names=["METRIC", "LOG_LINE"])
        assert p.state["current_stage"] == "DATA_SOURCE"
        with pytest.raises(PipelineError) as caught:
            p.command("no_such_command")
        assert caught.value.code == "UNKNOWN_COMMAND"
        with pytest.raises(PipelineError, match="bundle"):
            p.download()
        with pytest.raises(PipelineError) as caught:
            p.predict(pd.DataFrame({"a": [1]}))
        assert caught.value.code == "NOT_WAITING"
    with pytest.raises(PipelineError, match="closed"):
        p.chat("hello")
    with Pipeline("here", embedded=True, workspace=tmp_path) as again:
        assert again.gate.stage_id == "DATA_SOURCE"
    assert Host._hosts == {}
    assert not [t.name for t in threading.enumerate() if t.name.startswith("jupyter_pipeline")]


INTERRUPTED = """
import _thread, sys, threading
from jupyter_pipeline import Pipeline

threading.Timer(1.0, _thread.interrupt_main).start()
try:
    Pipeline("here", embedded=True, workspace=sys.argv[1])
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_plugin_that_loads_slowly_holds_up_neither_the_end_of_a_pipeline_nor_of_the_process(tmp_path):
    """A command may take 30 seconds to be loaded; whoever ends the work does not wait for it."""
    install(tmp_path, "slow", "slow_module", "import time\ntime.sleep(600)\n", {"slow": "slow_module:f"})
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    said = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=25,
        env={**os.environ, "PYTHONPATH": path},
        check=True,
    )
    assert (said.stdout, said.stderr) == ("interrupted\n", "")


def test_one_conductor_for_a_folder(tmp_path):
    a = Pipeline("a", embedded=True, workspace=tmp_path)
    b = Pipeline("b", embedded=True, workspace=tmp_path)
    assert len(Host._hosts) == 1
    a.close()
    a.close()
    b.chat(REQUEST)
    b.close()
    assert Host._hosts == {}


def test_a_folder_in_use_by_another_process(tmp_path):
    code = (
        "import sys\nfrom jupyter_pipeline import Pipeline\n"
        f"p = Pipeline('x', embedded=True, workspace={str(tmp_path)!r})\nprint('ready', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"ready\n"
        with pytest.raises(PipelineError, match="already uses"):
            Pipeline("y", embedded=True, workspace=tmp_path)
        other.stdin.close()
        assert other.wait(30) == 0
    with Pipeline("y", embedded=True, workspace=tmp_path) as p:
        assert p.model.seq == 0


def test_attach_names_do_not_collide(tmp_path):
    with Pipeline("files", embedded=True, workspace=tmp_path) as p:
        frame = pd.DataFrame({"a": [1, 2]})
        first, second = p.attach(frame), p.attach(frame + 1)
        assert first["id"] != second["id"]
        assert p.attach(frame)["id"] == first["id"], "the same content is the same data set"
        with pytest.raises(PipelineError, match="without folders"):
            p.attach(frame, name="../rows.parquet")
        assert len(list((tmp_path / "pipelines" / "files" / "data").iterdir())) == 2


def test_fresh_and_delete(tmp_path):
    with Pipeline("again", embedded=True, workspace=tmp_path) as old:
        old.chat(REQUEST)
        with Pipeline("again", embedded=True, workspace=tmp_path, fresh=True) as new:
            assert new.model.seq == 0
            with pytest.raises(PipelineError, match="deleted"):
                old.chat("hello")
            new.chat(REQUEST)
            new.delete()
            with pytest.raises(PipelineError, match="deleted"):
                new.delete()
    assert not (tmp_path / "pipelines" / "again").exists()


def test_a_script_that_ends_leaves_no_process(tmp_path):
    """Also one that forgets to close, in the middle of work."""
    code = (
        "import psutil\nfrom jupyter_pipeline import Pipeline\n"
        f"p = Pipeline('x', embedded=True, workspace={str(tmp_path)!r})\n"
        f"p.chat({REQUEST!r})\np.confirm()\n"
        "print(*[c.pid for c in psutil.Process().children(recursive=True)])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    pids = [int(pid) for pid in done.stdout.split()]
    assert pids
    deadline = time.monotonic() + 10
    while any(psutil.pid_exists(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


def test_either_server_or_embedded():
    with pytest.raises(PipelineError, match="not both"):
        Pipeline("x", url="http://localhost:8888/", embedded=True)


def test_a_fork_has_no_conductor_says_so_and_ends_at_once(tmp_path):
    """As multiprocessing makes one: it neither waits for threads that are not there nor stops the parent's work."""
    code = f"""
import multiprocessing, time
from jupyter_pipeline import Pipeline
from jupyter_pipeline.client.errors import PipelineError

def child(p, said):
    try:
        said.put(p.state)
    except PipelineError as error:
        said.put(str(error))

p = Pipeline("forked", embedded=True, workspace={str(tmp_path)!r})
context = multiprocessing.get_context("fork")
said = context.SimpleQueue()
process = context.Process(target=child, args=(p, said))
process.start()
process.join(20)
process.kill()
print(process.exitcode, said.empty() or said.get())
p.chat("Predict species of the iris data.")
print(p.gate.stage_id.value)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ended, asked = done.stdout.splitlines()
    assert ended.startswith("0 The conductor runs in the process that made this Pipeline")
    assert asked == "PARSE_INTENT"


def test_closing_in_a_thread_is_done_when_it_returns(tmp_path):
    done = []

    def use():
        with Pipeline("threaded", embedded=True, workspace=tmp_path) as p:
            p.chat(REQUEST)
        done.append((p.closed, Host._hosts))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert done == [(True, {})]


def test_the_latest_of_two_pipelines_of_a_name(tmp_path):
    with Pipeline("one", embedded=True, workspace=tmp_path) as first:
        with Pipeline("other", embedded=True, workspace=tmp_path) as other:
            with Pipeline("one", embedded=True, workspace=tmp_path) as second:
                assert alive() is alive("one") is second
                assert alive("other") is other
            assert alive("one") is first
            assert alive() is other
        assert alive() is first
    assert alive() is None


def test_running_before_anything_was_asked_says_what_to_do(tmp_path, capsys):
    with Pipeline("idle", embedded=True, workspace=tmp_path) as p:
        with pytest.raises(PipelineError, match="did not come"):
            p.run(timeout=0.5)
        assert "Nothing was asked for yet" in capsys.readouterr().err


def test_a_loop_that_ended_while_it_waited_harms_nobody(tmp_path):
    """``asyncio.run`` closes its loop; who observes the project for it may be called just then."""
    with Pipeline("awaited", embedded=True, workspace=tmp_path) as p:
        called, go_on = threading.Event(), threading.Event()

        def slow():
            called.set()
            go_on.wait(10)

        stop = p.model.observe(slow)
        loop = asyncio.new_event_loop()
        waiting = loop.create_task(p.wait_async("DATA_SOURCE"))
        loop.run_until_complete(asyncio.sleep(0))
        asking = threading.Thread(target=p.chat, args=(REQUEST,))
        asking.start()
        assert called.wait(10)
        waiting.cancel()
        loop.run_until_complete(asyncio.gather(waiting, return_exceptions=True))
        loop.close()
        stop()
        go_on.set()
        asking.join()
        assert p.model.connection == "connected"


def test_a_pipeline_that_is_forgotten_may_be_collected_while_another_one_begins(tmp_path):
    """The collector runs anywhere, also while the lock on the conductors is held."""
    code = f"""
import gc, signal, types
from jupyter_pipeline import Pipeline
from jupyter_pipeline.client.embedded import Host

def collect(*_):
    if Host._lock.locked():
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(gc.collect() > 0, flush=True)

gc.disable()
kept = types.SimpleNamespace(p=Pipeline("forgotten", embedded=True, workspace={str(tmp_path / "a")!r}))
kept.itself = kept
del kept
signal.signal(signal.SIGALRM, collect)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
with Pipeline("next", embedded=True, workspace={str(tmp_path / "b")!r}) as p:
    print(p.project_id, flush=True)
"""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == ["True", "next"], done.stderr
    assert done.stderr == ""


def test_what_is_given_wrongly_is_told_in_words(tmp_path):
    (tmp_path / "empty.csv").touch()
    with Pipeline("wrong", embedded=True, workspace=tmp_path) as p:
        for act, said in (
            (lambda: p.attach(tmp_path / "empty.csv"), "empty.csv is empty"),
            (lambda: p.chat("  "), "The message is empty"),
            (lambda: p.chat(None), "A message is a text, not of type NoneType."),
            (lambda: p.download(asset="report"), "There is no asset 'report'; there are none yet."),
            (lambda: p.cancel_run("softly"), "mode cannot be 'softly'; there are after_run, finish, now, stop."),
        ):
            with pytest.raises(PipelineError, match=re.escape(said)):
                act()
        assert not p.model.datasets
        p.chat("Predict species of the iris data. Take at most 5 seconds.")
        p.run(until="MODEL_SELECT", quiet=True, timeout=120)
        with pytest.raises(PipelineError, match="A patch is a list of operations"):
            p.update_plan("metric")
        p.update_plan(models=["linear", {"id": "random_forest", "params": {"n_estimators": 20}}])
        assert [(m["id"], m["params"]) for m in p.plan["models"]] == [
            ("linear", {}),
            ("random_forest", {"n_estimators": 20}),
        ]
