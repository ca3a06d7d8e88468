"""What happens to the person's code when the package's changes."""

import json
import subprocess
import sys
from pathlib import Path

from jupyter_pipeline.stages import workspace


def test_unedited_files_follow_the_package(tmp_path: Path) -> None:
    assert workspace.sync(tmp_path, {"a.py": b"1", "modeling/b.py": b"1"}) == []
    assert workspace.sync(tmp_path, {"a.py": b"2", "modeling/b.py": b"1"}) == []
    assert (tmp_path / "a.py").read_bytes() == b"2"


def test_edited_files_are_left_alone(tmp_path: Path) -> None:
    workspace.sync(tmp_path, {"a.py": b"1"})
    (tmp_path / "a.py").write_bytes(b"mine")
    assert workspace.sync(tmp_path, {"a.py": b"1"}) == ["a.py"]
    assert workspace.sync(tmp_path, {"a.py": b"2"}) == ["a.py"]
    assert (tmp_path / "a.py").read_bytes() == b"mine"
    (tmp_path / "a.py").write_bytes(b"2")  # what the package has by now
    assert workspace.sync(tmp_path, {"a.py": b"2"}) == []
    assert workspace.sync(tmp_path, {"a.py": b"3"}) == []
    assert (tmp_path / "a.py").read_bytes() == b"3"


def test_a_file_that_was_there_before_is_the_persons(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"mine")
    assert workspace.sync(tmp_path, {"a.py": b"1"}) == ["a.py"]
    assert workspace.sync(tmp_path, {"a.py": b"1"}) == ["a.py"]
    assert (tmp_path / "a.py").read_bytes() == b"mine"


def test_a_deleted_file_comes_back_and_a_damaged_manifest_edits_nothing(tmp_path: Path) -> None:
    workspace.sync(tmp_path, {"a.py": b"1", "b.py": b"1"})
    (tmp_path / "a.py").unlink()
    (tmp_path / ".manifest.json").write_text("{", encoding="utf-8")
    (tmp_path / "b.py").write_bytes(b"mine")
    assert workspace.sync(tmp_path, {"a.py": b"1", "b.py": b"1"}) == ["b.py"]
    assert (tmp_path / "a.py").read_bytes() == b"1"
    assert set(json.loads((tmp_path / ".manifest.json").read_text("utf-8"))["files"]) == {"a.py", "b.py"}


def test_current_code_leaves_out_caches_and_checkpoints(tmp_path: Path) -> None:
    workspace.sync(tmp_path, {"a.py": b"1"})
    for folder in (".ipynb_checkpoints", "__pycache__"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.py").write_bytes(b"")
    (tmp_path / "own.py").write_bytes(b"2")
    assert workspace.current(tmp_path) == {"a.py": b"1", "own.py": b"2"}


def test_the_code_is_closed(tmp_path: Path) -> None:
    """It imports without this package."""
    workspace.sync(tmp_path, workspace.package_code())
    program = (
        "import sys; sys.modules['jupyter_pipeline'] = None; sys.path.insert(0, sys.argv[1]); sys.argv = ['train.py']\n"
        "import warnings; warnings.simplefilter('ignore')\n"
        "import train, modeling.importance, modeling.figures"
    )
    ended = subprocess.run(
        [sys.executable, "-B", "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
