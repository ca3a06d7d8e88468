"""What only a loss of power would show, which no test can wait for: a file is on the disk before it has its name, and
its name is there before anybody is told of it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_pipeline.durable import replace_file
from jupyter_pipeline.project.files import ProjectFiles
from jupyter_pipeline.project.placing import open_part, publish
from jupyter_pipeline.stages.trials import Trial, TrialStore
from jupyter_pipeline.workers.main import _publish


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path]]:
    """What is written to the disk, and what is given a name, in that order."""
    found: list[tuple[str, Path]] = []

    def noted(name: str, place: Callable[..., Any]) -> None:
        real = getattr(os, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            found.append(("sync" if name == "fsync" else "name", Path(place(*args))))
            return real(*args, **kwargs)

        monkeypatch.setattr(os, name, call)

    noted("fsync", lambda fd: os.readlink(f"/proc/self/fd/{fd}"))
    for name in ("link", "rename", "replace"):
        noted(name, lambda source, target: target)
    return found


def test_a_result_is_whole_before_it_has_its_name(tmp_path: Path, done: list[tuple[str, Path]]) -> None:
    partial, result = tmp_path / "train-3.partial", tmp_path / "train-3"
    (partial / "model" / "deep").mkdir(parents=True)
    for name in ("runs.json", "model/model.json", "model/deep/trees.txt"):
        (partial / name).write_text(name)
    inside = {partial, *partial.rglob("*")}
    _publish(partial, result)
    *before, named, after = done
    assert {place for _, place in before} == inside
    assert {kind for kind, _ in before} == {"sync"}
    assert (named, after) == (("name", result), ("sync", tmp_path))
    assert (result / "model" / "deep" / "trees.txt").read_text() == "model/deep/trees.txt"


def test_a_data_file_is_whole_before_it_has_its_name(tmp_path: Path, done: list[tuple[str, Path]]) -> None:
    part, file = open_part(tmp_path)
    file.write(b"a,b\n1,2\n")
    place, is_new = publish(file, part, "rows.csv")
    assert (place, is_new) == (tmp_path / "rows.csv", True)
    assert done == [("sync", part), ("name", place), ("sync", tmp_path)]


def test_a_trial_is_whole_before_it_counts(tmp_path: Path, done: list[tuple[str, Path]]) -> None:
    """The log calls it a success next, and what it calls so is never trained again."""
    store = TrialStore(tmp_path)
    partial = store.begin("abc", 6)
    (partial / "model").mkdir()
    (partial / "model" / "model.json").write_text("{}")
    inside = {partial, *partial.rglob("*")}
    place = store.place(partial)
    named = done.index(("name", place))
    assert {one for kind, one in done[:named] if kind == "sync"} == inside
    assert done[named + 1 :] == [("sync", store.folder)]
    done.clear()
    store.finish(
        Trial(
            run_id="run-6-1", fingerprint="abc", model_id="linear", params={}, all_params={}, number=0, iterations=1,
            stopped="", metrics={}, metric=None, threshold=None, seed=0, threads=1, runtime_s=1.0, budget_s=1.0,
            folder=place.name,
        )
    )  # fmt: skip
    record = place / "trial.json"
    assert done == [("sync", place / ".trial.json.partial"), ("name", record), ("sync", place)]


def test_a_file_is_never_written_through_a_link_in_its_place_or_where_it_is_written_first(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    for name in ("train.py", ".train.py.partial"):
        (tmp_path / "code").mkdir(exist_ok=True)
        (tmp_path / "code" / name).symlink_to(mine)
    replace_file(tmp_path / "code" / "train.py", b"print()")
    assert [(path.name, path.is_symlink()) for path in (tmp_path / "code").iterdir()] == [("train.py", False)]
    assert (tmp_path / "code" / "train.py").read_bytes() == b"print()"
    assert mine.read_text() == "mine"


def test_that_a_project_is_to_be_deleted_is_noted_before_the_log_forgets_it(
    tmp_path: Path, done: list[tuple[str, Path]]
) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    ProjectFiles(folder).begin_delete()
    assert done == [("sync", folder)]
    assert ProjectFiles.half_deleted(tmp_path) == ["demo"]
