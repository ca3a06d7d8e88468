"""The front end's types and names are those of the protocol, and it takes the files that the server reads."""

import re

import msgspec

from jupyter_pipeline.automl.opening import PACKED_SUFFIXES, TABLE_SUFFIXES
from jupyter_pipeline.project.snapshot import snapshot
from jupyter_pipeline.project.state import ProjectState
from jupyter_pipeline.protocol import typescript
from jupyter_pipeline.protocol.events import EVENT_TYPES
from jupyter_pipeline.protocol.snapshot import Snapshot


def test_the_front_end_has_the_types_and_names_of_the_protocol() -> None:
    for name, source in typescript.generate().items():
        assert (typescript.FOLDER / name).read_text(encoding="utf-8") == source, (
            f"{name} is out of date; run: python -m jupyter_pipeline.protocol.typescript --write"
        )


def test_every_event_is_there_and_what_may_be_missing_is_optional() -> None:
    source = typescript.generate()["types.ts"]
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


def test_the_front_end_takes_the_files_that_can_be_read() -> None:
    source = (typescript.FOLDER.parent / "datafiles.ts").read_text(encoding="utf-8")
    for name, endings in (("TABLES", TABLE_SUFFIXES), ("PACKED", PACKED_SUFFIXES)):
        found = re.search(rf"const {name} = \[(.*?)\];", source, re.DOTALL)
        assert found is not None
        assert [f".{ending}" for ending in re.findall(r"'(\w+)'", found[1])] == list(endings)
