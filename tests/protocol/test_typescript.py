"""The front end's types are those of the protocol, and it takes the files that the server reads."""

import re
from pathlib import Path

import msgspec
import pytest

from jupyter_pipeline.automl.opening import PACKED_SUFFIXES, TABLE_SUFFIXES
from jupyter_pipeline.project.snapshot import snapshot
from jupyter_pipeline.project.state import ProjectState
from jupyter_pipeline.protocol import typescript
from jupyter_pipeline.protocol.events import EVENT_TYPES
from jupyter_pipeline.protocol.names import METRIC_NAMES, STAGE_NAMES, STATUS_NAMES
from jupyter_pipeline.protocol.snapshot import Snapshot


def test_the_front_end_has_the_types_of_the_protocol() -> None:
    assert typescript.TARGET.read_text(encoding="utf-8") == typescript.generate(), (
        "Out of date; run: python -m jupyter_pipeline.protocol.typescript --write"
    )


def test_every_event_is_there_and_what_may_be_missing_is_optional() -> None:
    source = typescript.generate()
    for name, payload in EVENT_TYPES.items():
        assert f"  {name}: {payload.__name__};" in source
        assert f"export interface {payload.__name__} {{" in source
    assert "  attempt?: number;" in source  # added to the contract's keys, left out while unset
    assert "  gate_id?: string | null;" in source  # sent by a client, which may leave it out


def test_a_snapshot_is_of_its_type() -> None:
    made = msgspec.json.encode(snapshot(ProjectState(project_id="p", epoch="e")))
    read = msgspec.json.decode(made, type=Snapshot)
    assert [stage.index for stage in read.stages] == list(range(8))
    assert msgspec.json.encode(read) == made


@pytest.mark.parametrize(
    ("function", "names"), [("stageName", STAGE_NAMES), ("statusName", STATUS_NAMES), ("metricName", METRIC_NAMES)]
)
def test_the_view_has_the_names_that_sentences_have(function: str, names: dict[str, str]) -> None:
    """It has them written out, so that they can be translated."""
    source = (Path(typescript.TARGET).parents[1] / "view" / "words.ts").read_text(encoding="utf-8")
    found = re.search(rf"function {function}\(.*?\n}}\n", source, re.DOTALL)
    assert found is not None
    assert dict(re.findall(r"case '(\w+)':\s+return trans\.__\('(.+?)'\);", found[0])) == dict(names)


def test_the_front_end_takes_the_files_that_can_be_read() -> None:
    source = (Path(typescript.TARGET).parents[1] / "datafiles.ts").read_text(encoding="utf-8")
    for name, endings in (("TABLES", TABLE_SUFFIXES), ("PACKED", PACKED_SUFFIXES)):
        found = re.search(rf"const {name} = \[(.*?)\];", source, re.DOTALL)
        assert found is not None
        assert [f".{ending}" for ending in re.findall(r"'(\w+)'", found[1])] == list(endings)
