"""A workspace at each gate up to TRAIN's beginning, made once for all tests of this folder."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .driver import make_snapshots


@pytest.fixture(scope="session")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By the stage that can be started in it."""
    return make_snapshots(tmp_path_factory.mktemp("snapshots"), "TRAIN", forked=True)


@pytest.fixture(scope="session")
def workspace(snapshots: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A copy of such a workspace for a test to change."""

    def copy(stage: str) -> Path:
        folder = tmp_path_factory.mktemp("workspace") / "copy"
        shutil.copytree(snapshots[stage], folder)
        return folder

    return copy
