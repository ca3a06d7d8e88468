"""The command line."""

import argparse
import contextlib
import http.server
import os
import pty
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import zipfile
from functools import partial

import psutil
import pytest

from jupyter_pipeline import Pipeline
from jupyter_pipeline.client.cli import main, seconds
from jupyter_pipeline.project.log_reading import read_rows


@pytest.mark.parametrize(("text", "value"), [("90", 90), ("90s", 90), ("5m", 300), ("1.5 min", 90), ("1h", 3600)])
def test_time_spans(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "soon", "5 days", "0", "-3"])
def test_what_is_no_time_span(text):
    with pytest.raises(argparse.ArgumentTypeError, match="90s"):
        seconds(text)


def test_what_cannot_be_done_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["run", "no.csv", "predict x", "--yes"]) == 1
    assert "There is no file 'no.csv'" in capsys.readouterr().err
    assert main(["run", ".", "predict x", "--yes"]) == 1
    assert "'.' is a folder; name a data file." in capsys.readouterr().err
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert main(["run", "a.csv", "predict x", "--yes", "--out", "no/where.zip"]) == 1
    assert "does not exist" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        main(["run", "a.csv"])
    assert caught.value.code == 2
    assert "request" in capsys.readouterr().err
    assert main(["check", "http://127.0.0.1:9/"]) == 1
    assert "✗ Expected a server at" in capsys.readouterr().out
    assert main(["check", "nonsense"]) == 1


def test_a_terminal_that_does_not_have_our_signs(tmp_path):
    command = [sys.executable, "-m", "jupyter_pipeline.client.cli", "verify", str(tmp_path)]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 1
    assert "neither a bundle nor a project" in done.stdout
    assert "Traceback" not in done.stderr


def test_without_yes_and_without_a_terminal(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("a,b\n" + "1,2\n2,1\n" * 50)
    assert main(["run", "a.csv", "Predict b, take 5 seconds"]) == 1
    captured = capsys.readouterr()
    assert "Request:" in captured.err
    assert "--yes" in captured.err
    assert main(["run", "a.csv", "Predict b, take 5 seconds"]) == 1
    assert "The project 'a' goes on at the stage Request." in capsys.readouterr().err
    assert main(["run", "a.csv", "Optimise recall and sing me a song", "--project", "a"]) == 1
    said = capsys.readouterr().err
    assert 'Metric: Recall. I did not understand "sing me a song"' in said
    assert re.search("Judged by +Recall", said)


def test_data_behind_a_link(tmp_path, capsys, monkeypatch):
    data_file(tmp_path)
    monkeypatch.chdir(tmp_path)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path)) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        link = f"http://127.0.0.1:{web.server_port}/data.csv"
        assert main(["run", link, "Predict bought.", "--yes", "--budget", "0.2s"]) == 0
        web.shutdown()
    said = capsys.readouterr().err
    assert "data.csv: 1,200 rows, 3 columns. Target 'bought'" in said
    assert "ROC AUC on validation rows:\n1. " in said
    assert (tmp_path / "data.zip").is_file()


def test_the_end_of_input_at_a_question_stops_as_q_does(tmp_path):
    """Ctrl-D, as a terminal sends it."""
    data_file(tmp_path)
    terminal, theirs = pty.openpty()
    job = subprocess.Popen([*COMMAND, "Predict bought"], cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # which is how a terminal ends
        while piece := os.read(terminal, 4096):
            shown += piece
            if shown.endswith(b"different] "):
                os.write(terminal, b"\x04")
    os.close(terminal)
    assert job.wait(60) == 1
    assert b"Stopped at your wish" in shown
    assert b"Traceback" not in shown


COMMAND = [sys.executable, "-W", "error", "-m", "jupyter_pipeline.client.cli", "run", "data.csv"]


def data_file(folder):
    rows = [f"{i % 7},{(i * 37) % 11},{'yes' if i % 7 > 3 else 'no'}" for i in range(1_200)]
    (folder / "data.csv").write_text("a,b,bought\n" + "\n".join(rows) + "\n")


def test_a_whole_job_interrupted_and_gone_on_with(tmp_path):
    """Ctrl-C, as a terminal sends it, in the middle of the training; the same command goes on to the bundle."""
    data_file(tmp_path)
    request = "Predict bought with linear models and random forest"
    command = [*COMMAND, request, "--yes", "--budget", "4s", "--out", "export.zip"]
    said = tmp_path / "said.txt"
    with said.open("w") as stderr:
        first = subprocess.Popen(
            command,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
            # Where the tests run in the background of a shell, what they start ignores it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    until(lambda: "on validation rows" in said.read_text() or first.poll() is not None)
    family = psutil.Process(first.pid).children(recursive=True)
    assert len(family) >= 2  # a worker and its guard
    os.killpg(first.pid, signal.SIGINT)
    assert first.communicate(timeout=60)[0] == ""
    assert first.returncode == 130
    assert psutil.wait_procs(family, timeout=30)[1] == []
    assert "interrupted; the same command with --project data goes on from here." in said.read_text()
    assert "Traceback" not in said.read_text()
    assert not (tmp_path / "export.zip").exists()

    done = run(tmp_path, *command)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "export.zip\n"
    assert "The project 'data' goes on at the stage Training." in done.stderr
    assert "at most 4 s" in said.read_text()
    # Who confirms everything unseen still finds in the log what speaks against it.
    for warning in ("Possible leakage: 'a'.", "repeat an earlier row", "A score this near to perfect is rare"):
        assert warning in said.read_text() + done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in (tmp_path / "pipelines" / "data" / "data").iterdir()] == ["data.csv"]
    with zipfile.ZipFile(tmp_path / "export.zip") as bundle:
        assert {"predict.py", "MANIFEST.json"} <= set(bundle.namelist())
    assert (tmp_path / "pipelines" / "data" / "exports").is_dir()

    (tmp_path / "export.zip").unlink()
    done = run(tmp_path, *command)
    assert done.returncode == 0, done.stderr
    assert "has done this already, so its bundle is saved; --new does it again" in done.stderr
    assert (tmp_path / "export.zip").is_file()


def run(folder, *command):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_what_is_asked_anew_gets_a_project_of_its_own(tmp_path):
    """Another request, other data, and the same again with --new. Each stops at its first gate."""
    data_file(tmp_path)

    def said(request, *more):
        done = run(tmp_path, *COMMAND, request, *more)
        assert done.returncode == 1
        assert "There is no terminal to ask for confirmation on" in done.stderr or "other data" in done.stderr
        return done.stderr

    assert "project" not in said("Predict bought")
    other = said("Predict a")
    assert "The project 'data' is there already, with another request; this one is 'data-2'." in other
    assert "To go on with that one: --project data\n" in other
    assert "The project 'data-2' goes on at the stage Request." in said("Predict a")
    assert "The project 'data' goes on at the stage Request." in said("Predict bought")

    with (tmp_path / "data.csv").open("a") as file:
        file.write("3,4,no\n")
    stale = said("Predict bought", "--project", "data")
    assert (
        "'data' was begun with other data than 'data.csv'; without --project they get a project of their own" in stale
    )
    assert "this one is 'data-3'" in said("Predict bought")
    assert "The project 'data-3' goes on" in said("Predict bought")
    assert "this one is 'data-4'" in said("Predict bought", "--new")
    projects = sorted(path.name for path in (tmp_path / "pipelines").iterdir() if not path.name.startswith("."))
    assert projects == ["data", "data-2", "data-3", "data-4"]
    both = run(tmp_path, *COMMAND, "Predict bought", "--new", "--project", "data")
    assert both.returncode == 2
    assert "not allowed with argument" in both.stderr


def test_a_command_that_was_killed_before_it_asked_goes_on(tmp_path):
    data_file(tmp_path)
    with Pipeline("data", embedded=True, workspace=tmp_path) as pipeline:
        pipeline.attach(tmp_path / "data.csv")
    done = run(tmp_path, *COMMAND, "Predict bought")
    assert "There is no terminal to ask for confirmation on" in done.stderr
    assert "is there already" not in done.stderr
    assert [path.name for path in (tmp_path / "pipelines").iterdir() if not path.name.startswith(".")] == ["data"]


def test_a_command_that_was_killed_in_the_training_goes_on_and_leaves_others_alone(tmp_path):
    """kill -9 while a model is fitted, in two projects; the one that is meant goes on, the other stays as it is."""
    data_file(tmp_path)
    log = tmp_path / "pipelines" / ".log" / "events.sqlite"

    def command(target):
        return [*COMMAND, f"Predict {target} with linear models and random forest", "--yes", "--budget", "4s"]

    def killed(target):
        said = tmp_path / f"{target}.txt"
        with said.open("w") as stderr:
            job = subprocess.Popen(command(target), cwd=tmp_path, stdout=subprocess.PIPE, stderr=stderr)
        until(lambda: "on validation rows" in said.read_text() or job.poll() is not None)
        family = psutil.Process(job.pid).children(recursive=True)
        job.kill()
        assert job.wait(30) == -signal.SIGKILL
        job.stdout.close()
        assert psutil.wait_procs(family, timeout=30)[1] == []

    def files(name):
        return {p: p.read_bytes() for p in (tmp_path / "pipelines" / name).rglob("*") if p.is_file()}

    killed("bought")
    killed("a")
    before, held = read_rows(log, "data"), files("data")
    assert before.entry.working
    done = run(tmp_path, *command("a"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "data-2.zip\n"
    assert "The project 'data-2' goes on at the stage Training." in done.stderr
    assert read_rows(log, "data") == before
    assert files("data") == held
    done = run(tmp_path, *command("bought"))
    assert done.stdout == "data.zip\n", done.stderr
    assert [p.name for p in sorted((tmp_path / "pipelines").iterdir()) if p.name[0] != "."] == ["data", "data-2"]


def test_a_log_that_is_damaged_is_left_as_it_is(tmp_path):
    data_file(tmp_path)
    log = tmp_path / "pipelines" / ".log" / "events.sqlite"
    run(tmp_path, *COMMAND, "Predict bought")
    for damage in ("frame=x'7b'", "name=7, frame=''", "frame=substr(frame, 1, 90)"):
        with contextlib.closing(sqlite3.connect(log)) as connection, connection:
            connection.execute(f"UPDATE events SET {damage} WHERE project=1")
            damaged = connection.execute("SELECT * FROM events WHERE project=1").fetchall()
        done = run(tmp_path, *COMMAND, "Predict bought")
        assert "The log of the project 'data' cannot be read (" in done.stderr
        assert "It is left as it is." in done.stderr
        assert "There is no terminal to ask for confirmation on" in done.stderr
        assert "Traceback" not in done.stderr
        done = run(tmp_path, *COMMAND, "Predict bought", "--project", "data")
        assert done.returncode == 1
        assert done.stderr.startswith("jupyter pipeline: The log of the project 'data' cannot be read (")
        with contextlib.closing(sqlite3.connect(log)) as connection:
            assert connection.execute("SELECT * FROM events WHERE project=1").fetchall() == damaged
    assert "The project 'data-2' goes on at the stage Request." in run(tmp_path, *COMMAND, "Predict bought").stderr


@pytest.mark.parametrize(
    ("most_bytes", "message"), [(4096, "cannot be opened"), (60_000, "cannot be stored"), (40_000, "Is the disk full?")]
)
def test_events_that_cannot_be_stored(tmp_path, most_bytes, message):
    """As on a full disk: files can grow to so many bytes and no more."""
    data_file(tmp_path)
    done = subprocess.run(
        [*COMMAND, "Predict bought", "--yes"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes)),
    )
    assert done.returncode == 1, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_job_that_cannot_be_done(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("a,b\n" + "1,2\n" * 50)
    assert main(["run", "data.csv", "Predict the target nosuchcolumn", "--yes"]) == 1
    assert "failed" in capsys.readouterr().err
