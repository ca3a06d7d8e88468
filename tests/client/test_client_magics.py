"""The magics and what a notebook shows, in an IPython shell of this process."""

import threading

import pytest
from IPython.testing.globalipapp import start_ipython

import jupyter_pipeline
from jupyter_pipeline import Pipeline
from jupyter_pipeline.client.display import ESM, VIEW_MIME, WIDGET_MIME
from jupyter_pipeline.client.errors import PipelineError

REQUEST = "Predict species of the iris data. Take at most 5 seconds."


@pytest.fixture(scope="module")
def shell():
    shell = start_ipython()
    shell.run_line_magic("load_ext", "jupyter_pipeline")
    return shell


@pytest.fixture
def pipeline(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Pipeline("magic", embedded=True) as p:
        yield p


def test_magics(shell, pipeline, capsys):
    def line(text):
        shell.run_line_magic("pipeline", text)
        return capsys.readouterr().out

    assert "Actions:" in line("help")
    assert "Pipeline magic" in line("magic status")
    shown = shell.run_cell_magic("pipeline", "magic", REQUEST)
    assert shown is pipeline
    assert "species" in capsys.readouterr().out
    assert "waits for you" in line("status")
    assert "The stage Training does not wait" in line("confirm TRAIN")
    line("confirm")
    line("wait DATA_SOURCE")
    assert pipeline.gate.stage_id == "DATA_SOURCE"
    line("restart request")  # by its name, or PARSE_INTENT
    line("wait")
    assert pipeline.gate.stage_id == "PARSE_INTENT"
    assert "Nothing is running" in line("cancel")
    assert "mode" in line("cancel softly")
    assert "no bundle yet" in line("download")
    assert shell.run_line_magic("pipeline", "show") is pipeline
    assert list(shell.run_line_magic("pipeline", "leaderboard").columns)[:2] == ["run_id", "model"]
    assert "Request:" in line("run DATA_SOURCE")
    assert pipeline.gate.stage_id == "DATA_SOURCE"
    assert "no action 'dance'" in line("magic dance")
    said = line("stauts --embedded")
    assert "There is no action and no project 'stauts'. Actions are status, confirm" in said
    assert "waits for you" in line("status")  # of the project that was used last
    assert "Pipeline magic" in line("magic")
    assert "Say which stage" in line("restart")
    assert "There is no stage 'TRAINED'; the stages are PARSE_INTENT (Request)" in line("restart TRAINED")
    line("close")
    assert "closed" in line("confirm")
    assert "Pipeline magic" in line("magic --embedded status")  # another one of that name
    line("close")
    assert "no message" in (shell.run_cell_magic("pipeline", "magic", "\n"), capsys.readouterr().out)[1]


def test_a_traceback_shows_the_persons_own_code(shell, pipeline, capsys):
    shell.user_ns["p"] = pipeline
    shell.run_line_magic("colors", "nocolor")

    def shown(cell):
        shell.run_cell(cell)
        return capsys.readouterr().out

    text = shown("def agree(project):\n    project.confirm()\nagree(p)")
    assert text.rstrip().endswith(
        "PipelineError: Nothing waits for a confirmation yet; say what you want with p.chat('Predict ...')."
    )
    assert "in agree(project)" in text
    assert "jupyter_pipeline/client" not in text
    refused = shown("p.cancel_run()")  # which the conductor's thread says
    assert refused.rstrip().endswith(
        "PipelineError: Nothing is running that could be cancelled. The stage Request has not begun."
    )
    assert "concurrent/futures" not in refused
    shell.run_line_magic("xmode", "Verbose")
    try:
        assert "jupyter_pipeline/client" in shown("p.confirm()")
    finally:
        shell.run_line_magic("xmode", "Context")
    assert "a proposal of the stage Request" in shown("p.wait(timeout=0.1)")


def test_what_help_and_completion_show(shell, pipeline, capsys):
    assert "Nothing was asked for yet" in (shell.run_line_magic("pipeline", "magic status"), capsys.readouterr().out)[1]
    assert "%pipeline [NAME]" in shell.find_line_magic("pipeline").__doc__
    assert {"Pipeline", "PipelineError"} <= set(dir(jupyter_pipeline))
    assert jupyter_pipeline.PipelineError is PipelineError


def test_the_bundle_of_mime_types(shell, pipeline):
    bundle = pipeline._repr_mimebundle_()
    assert "What should be predicted?" in bundle["text/html"]
    assert bundle["text/plain"].startswith("Pipeline magic")
    # Without a server a page can only ask the kernel.
    assert VIEW_MIME not in bundle
    if ESM.is_file():
        assert bundle[WIDGET_MIME]["model_id"] == pipeline.display.widget.model_id


def test_a_terminal_prints_it_once(shell, pipeline, capsys):
    """Where nothing can be replaced, nobody is disturbed while typing."""
    pipeline.display.show()
    pipeline.chat(REQUEST)
    capsys.readouterr()
    pipeline.wait()
    assert capsys.readouterr().out == ""
    assert not [thread for thread in threading.enumerate() if thread.name == "jupyter_pipeline snapshot"]
