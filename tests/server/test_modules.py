"""The front end's modules as the server gives them out."""

from collections.abc import Callable
from pathlib import Path

import jupyter_pipeline

from .conftest import Server


def test_where_the_front_end_is_not_built_the_server_says_how_to(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """An installation without the built files, as of a clone that was put on the path."""
    package = tmp_path / "jupyter_pipeline"
    package.mkdir()
    for entry in Path(jupyter_pipeline.__file__).parent.iterdir():
        if entry.name not in ("static", "__pycache__"):
            (package / entry.name).symlink_to(entry)
    # Safe: or else the folder that the tests run in comes first.
    server = start_server(env={"PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1"})
    for name in ("client", "view", "widget"):
        answer = server.request("GET", f"api/projects/{name}.js")
        assert answer.status == 404
        assert "pip install ." in answer.json["message"]
    # All else works.
    assert server.request("GET", "api/projects").json["projects"] == []
