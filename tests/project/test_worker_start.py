"""A worker is ready before it has imported what it will need."""

import subprocess
import sys

CODE = """
import sys
from jupyter_pipeline.workers import work
heavy = {"numpy", "pandas", "polars", "sklearn", "skrub", "matplotlib", "scipy", "jsonschema", "nbformat"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
for _ in work.warm():
    pass
assert heavy <= set(sys.modules), heavy - set(sys.modules)
# It compiles a grammar for seconds; what asks for it later still gets it.
assert "rfc3987_syntax" not in sys.modules
from jupyter_pipeline.protocol.stages import StageId
assert all(f"jupyter_pipeline.stages.{stage.value.lower()}" in sys.modules for stage in StageId)
"""


def test_nothing_heavy_is_imported_before_it_is_ready_and_everything_while_it_is_idle() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
