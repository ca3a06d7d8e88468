"""The command line."""

import argparse
import subprocess
import sys
import zipfile

import pytest

from jupyter_pipeline.client.cli import main, seconds


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


def test_without_yes_and_without_a_terminal(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("a,b\n" + "1,2\n2,1\n" * 50)
    assert main(["run", "a.csv", "Predict b, take 5 seconds"]) == 1
    captured = capsys.readouterr()
    assert "PARSE_INTENT:" in captured.err
    assert "--yes" in captured.err
    assert main(["run", "a.csv", "Predict b, take 5 seconds"]) == 1
    assert "There is a project 'a'" in capsys.readouterr().err


def test_a_whole_job(tmp_path):
    rows = [f"{i % 7},{(i * 37) % 11},{'yes' if i % 7 > 3 else 'no'}" for i in range(300)]
    (tmp_path / "data.csv").write_text("a,b,bought\n" + "\n".join(rows) + "\n")
    command = [sys.executable, "-W", "error", "-m", "jupyter_pipeline.client.cli", "run", "data.csv"]
    request = "Predict bought with linear models and random forest"
    done = subprocess.run(
        [*command, request, "--yes", "--budget", "4s", "--out", "export.zip"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "export.zip\n"
    assert "at most 4 s" in done.stderr
    assert "on validation rows" in done.stderr
    assert "Traceback" not in done.stderr
    with zipfile.ZipFile(tmp_path / "export.zip") as bundle:
        assert {"predict.py", "MANIFEST.json"} <= set(bundle.namelist())
    assert (tmp_path / "pipelines" / "data" / "exports").is_dir()


def test_a_job_that_cannot_be_done(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("a,b\n" + "1,2\n" * 50)
    assert main(["run", "data.csv", "Predict the target nosuchcolumn", "--yes"]) == 1
    assert "failed" in capsys.readouterr().err
