"""The magics and the widget, in an IPython shell of this process."""

import itertools
import time

import ipywidgets
import pytest
from IPython.testing.globalipapp import start_ipython

from jupyter_pipeline import Pipeline

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
    assert "TRAIN does not wait" in line("confirm TRAIN")
    line("confirm")
    line("wait DATA_SOURCE")
    assert pipeline.gate.stage_id == "DATA_SOURCE"
    line("restart PARSE_INTENT")
    line("wait")
    assert pipeline.gate.stage_id == "PARSE_INTENT"
    assert "no action 'dance'" in line("magic dance")
    assert "Say which stage" in line("restart")
    assert "no message" in (shell.run_cell_magic("pipeline", "magic", "\n"), capsys.readouterr().out)[1]


def until(condition):
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_widget_acts_and_follows(shell, pipeline):
    display = pipeline.display
    assert display.confirm.disabled
    assert display.cancel.disabled
    display.text.value = REQUEST
    display.send.click()
    assert display.text.value == ""
    until(lambda: not display.confirm.disabled)
    assert "waits for you" in display._html["gate"].value
    assert REQUEST in display._html["chat"].value
    display.confirm.click()
    until(lambda: pipeline.gate is not None and pipeline.gate.stage_id == "DATA_SOURCE")
    until(lambda: display.stage.options == ("PARSE_INTENT", "DATA_SOURCE"))
    display.stage.value = "PARSE_INTENT"
    display.restart.click()
    until(lambda: pipeline.gate is not None and pipeline.gate.stage_id == "PARSE_INTENT")


def test_what_a_button_could_not_do_is_said(shell, pipeline):
    display = pipeline.display
    display.cancel.click()
    until(lambda: "Nothing is running" in display._html["note"].value)
    with display.waiting():
        assert "interrupt the kernel" in display._html["note"].value
    assert display._html["note"].value == ""


def test_updates_come_at_most_four_times_a_second(shell, pipeline):
    display = pipeline.display
    seen = []
    display._html["chat"].observe(lambda change: seen.append(time.monotonic()), names="value")
    frame = {"event": {"name": "LOG_LINE", "payload": {"run_id": "chat", "level": "info", "source": "user"}}}
    began = time.monotonic()
    n = pipeline.model.seq
    while time.monotonic() - began < 1.5:
        n += 1
        payload = {**frame["event"]["payload"], "text": str(n)}
        pipeline.model.event({"seq": n, "event": {"name": "LOG_LINE", "payload": payload}})
        time.sleep(0.002)
    until(lambda: f"</b> {n}<" in display._html["chat"].value)
    assert len(seen) <= 8
    assert all(b - a > 0.24 for a, b in itertools.pairwise(seen))


def test_the_bundle_of_mime_types(shell, pipeline):
    bundle = pipeline._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == pipeline.display.widget.model_id
    assert "What should be predicted?" in bundle["text/html"]
    assert bundle["text/plain"].startswith("Pipeline magic")
    descriptions = []

    def walk(widget):
        descriptions.extend([widget.description] if isinstance(widget, ipywidgets.Button) else [])
        for child in getattr(widget, "children", ()):
            walk(child)

    walk(pipeline.display.widget)
    assert {"Confirm", "Cancel run", "Restart stage"} <= set(descriptions)
