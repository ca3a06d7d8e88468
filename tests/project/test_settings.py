"""What is read off the machine."""

from pathlib import Path

import pytest

from jupyter_pipeline.project.settings import usable_cores


@pytest.mark.parametrize(
    ("files", "most"),
    [
        ({"cpu.max": "100000 100000"}, 1),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({}, None),
    ],
)
def test_a_container_that_is_given_less_than_the_machine_has(
    tmp_path: Path, files: dict[str, str], most: int | None
) -> None:
    unlimited = usable_cores(tmp_path / "nothing here")
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert usable_cores(tmp_path) == (most or unlimited)
