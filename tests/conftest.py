"""The order of the files, and the examples that hypothesis makes up."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run: a change is judged by what it changed. Other ones are sought with the environment
# variable that tests/fuzz describes. A busy machine is no error, so none has a deadline.
settings.register_profile("same", derandomize="JUPYTER_PIPELINE_FUZZ" not in os.environ, deadline=None)
settings.load_profile("same")

#: What takes longest comes first, so that the processes that share the tests end at about the same time; files that
#: drive a browser take turns with others.
FIRST = (
    "notebooks/test_notebooks.py",
    "browser/test_cell.py",
    "e2e/test_whole_job.py",
    "crash/test_crash.py",
    "browser/test_lab.py",
    "stages/test_export.py",
    "browser/test_view.py",
    "client/test_client_server.py",
    "crash/test_cancel.py",
    "browser/test_client.py",
    "browser/test_view_page.py",
    "stages/test_train.py",
    "stages/test_review_edit.py",
    "project/test_conductor.py",
    "server/test_resume.py",
    "client/test_client_cli.py",
    "browser/test_example.py",
    "docs/test_build.py",
)
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put those files first; within a file nothing changes."""
    places = {HERE / name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(FIRST)))
