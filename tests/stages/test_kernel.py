"""Notebooks are executed in a kernel that belongs to the worker."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from jupyter_pipeline.stages.kernel import Execution, NotebookFailed


def notebook(*cells: str) -> Any:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])


def test_the_kernel_is_in_our_process_group_and_ends(tmp_path: Path) -> None:
    made = notebook("import os; print(os.getpid(), os.getpgid(0), os.getcwd())", "1 + 1")
    Execution(made, tmp_path, 66.25).result()  # twenty times what training took is rarely whole
    pid, group, folder = made.cells[0].outputs[0].text.split()
    assert int(group) == os.getpgid(0)
    assert Path(folder) == tmp_path
    assert not psutil.pid_exists(int(pid))
    assert made.cells[1].outputs[0].data["text/plain"] == "2"


def test_what_a_cell_says_piece_by_piece_is_one_output(tmp_path: Path) -> None:
    made = notebook("import sys\nfor n in range(3):\n    print(n)\n    sys.stdout.flush()")
    Execution(made, tmp_path, 60).result()
    assert [output.text for output in made.cells[0].outputs] == ["0\n1\n2\n"]


@pytest.mark.parametrize(
    ("cell", "timeout_s", "message"),
    [
        ("assert 1 == 2, 'one is not two'", 60, "AssertionError: one is not two"),
        ("import time; time.sleep(60)", 2, "longer than 2 seconds"),
        ("import os; os._exit(1)", 60, "kernel ended"),
    ],
)
def test_failures_are_told(cell: str, timeout_s: float, message: str, tmp_path: Path) -> None:
    with pytest.raises(NotebookFailed, match=message):
        Execution(notebook(cell), tmp_path, timeout_s).result()


def test_the_last_cell_waits_for_what_it_is_to_look_at(tmp_path: Path) -> None:
    cells = "from pathlib import Path; Path('begun').touch()", "print(Path('found').read_text())"
    made, gate = notebook(*cells), threading.Event()
    running = Execution(made, tmp_path, 60, gate=gate)
    _until((tmp_path / "begun").exists)
    _until(lambda: made.cells[0].execution_count == 1)
    (tmp_path / "found").write_text("0.75")
    gate.set()
    running.result()
    assert made.cells[1].outputs[0].text == "0.75\n"
    waiting = Execution(notebook("1", "2"), tmp_path, 60, gate=threading.Event())
    waiting.stop()  # also where what it waits for never comes


def test_it_can_be_stopped(tmp_path: Path) -> None:
    cell = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)"
    running = Execution(notebook(cell), tmp_path, 600)
    file = tmp_path / "pid"
    _until(lambda: file.is_file() and file.read_text("utf-8") != "")
    running.stop()
    assert not psutil.pid_exists(int(file.read_text("utf-8")))
    running.stop()


def test_the_kernel_ends_with_its_worker(tmp_path: Path) -> None:
    program = (
        "import nbformat, sys; from pathlib import Path; from jupyter_pipeline.stages.kernel import Execution\n"
        'cell = \'import os, time; open("pid", "w").write(str(os.getpid())); time.sleep(600)\'\n'
        "nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])\n"
        "Execution(nb, Path(sys.argv[1]), 600).result()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], start_new_session=True) as worker:
        try:
            file = tmp_path / "pid"
            _until(lambda: file.is_file() and file.read_text("utf-8") != "")
            pid = int(file.read_text("utf-8"))
            assert os.getpgid(pid) == worker.pid
        finally:
            os.killpg(worker.pid, signal.SIGKILL)
    _until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def _until(condition: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
