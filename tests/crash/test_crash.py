"""Some cases of the crash matrix; ``python -m tests.crash.matrix`` runs all of them."""

from pathlib import Path

import pytest

from .driver import Case, run_case
from .matrix import snapshot_of

CASES = [
    Case("append.before.STAGE_STATUS", "DATA_SOURCE", "server"),
    Case("append.after.STAGE_STATUS", "PREPROCESS", "both"),
    Case("publish.after", "MODEL_SELECT", "worker"),
    Case("event.METRIC_SCALAR", "TRAIN", "server"),
    Case("trial.saved", "TRAIN", "both"),
    Case("trial.told", "TRAIN", "worker"),
    Case("upload.placed", "DATA", "server"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_after_a_crash_nothing_is_lost_doubled_or_left_behind(
    case: Case, snapshots: dict[str, Path], tmp_path: Path
) -> None:
    run_case(case, snapshot_of(case, snapshots), tmp_path / "case", to_the_end=False, forked=True)
