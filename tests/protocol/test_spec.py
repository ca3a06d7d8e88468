"""The specification: made from the types, up to date, valid, and what the types themselves accept."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import yaml

from jupyter_pipeline import spec
from jupyter_pipeline.protocol.errors import ErrorCode, Refusal
from jupyter_pipeline.protocol.events import EVENT_TYPES, LogLine, MetricScalar, StageStatusEvent
from jupyter_pipeline.protocol.frames import (
    Envelope,
    Event,
    EventBody,
    Pong,
    decode_event,
    encode,
    encode_ephemeral,
    encode_event,
    encode_events,
    stage_ref,
)
from jupyter_pipeline.protocol.messages import MESSAGE_TYPES, convert_message
from jupyter_pipeline.protocol.schema import json_schema
from jupyter_pipeline.protocol.stages import StageId, StageStatus

from ..wire import check_frame

SPEC = Path(__file__).parents[2] / "docs" / "spec"


def test_the_documents_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert spec.main([str(SPEC), "--check"]) == 0, capsys.readouterr().out


def test_a_stale_document_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert spec.main([str(tmp_path)]) == 0
    assert spec.main([str(tmp_path), "--check"]) == 0
    text = (tmp_path / "asyncapi.yaml").read_text()
    (tmp_path / "asyncapi.yaml").write_text(text.replace("PLAN_PROPOSED", "PLAN_PROPOSE", 1))
    assert spec.main([str(tmp_path), "--check"]) == 1
    assert "asyncapi.yaml" in capsys.readouterr().out


def test_the_schema_is_valid_json_schema() -> None:
    schema = json_schema()
    assert schema["$schema"].endswith("2020-12/schema")
    jsonschema_rs.meta.validate(schema)
    assert not _dangling(schema)


def test_the_asyncapi_document_holds_together() -> None:
    """Structure as AsyncAPI 3.0 has it; every reference leads somewhere, every message to a schema that is valid."""
    document = yaml.safe_load((SPEC / "asyncapi.yaml").read_text())
    assert document["asyncapi"] == "3.0.0"
    assert set(document) == {
        "asyncapi", "info", "defaultContentType", "servers", "channels", "operations", "components",
    }  # fmt: skip
    assert not _dangling(document)
    channel = document["channels"]["project"]
    assert channel["address"] == "/ws/projects/{project_id}"
    assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel["parameters"])
    taken, sent = document["operations"]["takeMessages"], document["operations"]["sendFrames"]
    assert (taken["action"], sent["action"]) == ("receive", "send")
    names = {ref["$ref"].rpartition("/")[2] for ref in sent["messages"]}
    assert names == {*EVENT_TYPES, "HELLO", "Pong", "Ack", "ErrorFrame"}
    assert {ref["$ref"].rpartition("/")[2] for ref in taken["messages"]} == set(MESSAGE_TYPES)
    assert set(channel["messages"]) == names | set(MESSAGE_TYPES)
    for message in document["components"]["messages"].values():
        assert message["payload"]["$ref"].startswith("#/components/schemas/")


def _dangling(document: Any) -> set[str]:
    """References inside a document that lead nowhere."""

    def refs(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(refs, value.values()))
        return set().union(*map(refs, value)) if isinstance(value, list) else set()

    def leads_nowhere(ref: str) -> bool:
        here = document
        for part in ref.removeprefix("#/").split("/"):
            if part not in here:
                return True
            here = here[part]
        return False

    return {ref for ref in refs(document) if leads_nowhere(ref)}


MESSAGES = [
    {"type": "chat", "text": "Can you retrain with higher learning rate?"},
    {"type": "chat"},
    {"type": "chat", "text": ""},
    {"type": "chat", "text": "x" * 20_001},
    {"type": "chat", "text": "x", "more": 1},
    {"type": "confirm"},
    {"type": "confirm", "stage_id": "TRAIN", "gate_id": "g"},
    {"type": "confirm", "stage_id": "NOPE"},
    {"type": "confirm", "id": ""},
    {"type": "confirm", "id": "x" * 65},
    {"type": "command", "command": "cancel_run", "args": {}},
    {"type": "command", "command": "cancel_run"},
    {"type": "command", "command": 5},
    {"type": "ping", "ts": 1.5},
    {"type": "ping"},
    {"type": "ping", "ts": "now"},
    {"type": "resume", "since": -1},
    {"type": "resume", "since": 3, "epoch": None},
    {"type": "subscribe", "names": None, "coalesce": True},
    {"type": "subscribe", "names": [1]},
    {"type": "other"},
    [],
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: json.dumps(m)[:40])
def test_schema_and_decoder_accept_the_same_messages(message: Any) -> None:
    schema = {**json_schema(), "$ref": "#/$defs/ClientMessage"}
    try:
        convert_message(message)
    except Refusal:
        accepted = False
    else:
        accepted = True
    assert jsonschema_rs.is_valid(schema, message) is accepted


def test_events_in_a_row_are_encoded_as_the_envelope_of_each() -> None:
    train, export = (stage_ref(stage, StageStatus.IN_PROGRESS) for stage in (StageId.TRAIN, StageId.EXPORT))
    texts = ("", "a\nb\r\n", "\u2028ü", "\\n", "%d %b %%", '"seq":0,', "null}}")
    lines = [LogLine(run_id="chat", level="info", text=text, source="user") for text in texts]
    status = StageStatusEvent(stage_id=StageId.TRAIN, status=StageStatus.IN_PROGRESS, message="%")
    rows = [(2, train, line) for line in lines] + [(2, train, status), (2, export, status), (3, export, status)]
    events = [Event(seq=n, ts=ts, stage=ref, payload=said) for n, (ts, ref, said) in enumerate(rows * 20)]
    for project_id in ("demo", '100% "seq":0, ü'):
        frames = encode_events(project_id, events)
        assert frames == [
            encode(
                Envelope(
                    project_id=project_id, seq=e.seq, ts=e.ts, stage=e.stage, event=EventBody(e.payload.NAME, e.payload)
                )
            )
            for e in events
        ]
        assert [decode_event(frame) for frame in frames] == events
    assert encode_events("demo", []) == []


def test_frames_are_told_apart_and_what_is_wrong_is_seen() -> None:
    ref = stage_ref(StageId.TRAIN, StageStatus.IN_PROGRESS)
    line = LogLine(run_id="chat", level="info", text="x", source="user")
    frame = encode_event("demo", Event(seq=1, ts=2, stage=ref, payload=line))
    check_frame(frame)
    jsonschema_rs.validate(json_schema(), json.loads(frame))
    for wrong in (
        frame.replace(b'"info"', b'"loud"'),
        frame.replace(b'"source":"user"', b'"source":null'),
        frame.replace(b'"seq":1', b'"seq":-1'),
        frame.replace(b'"run_id":"chat",', b""),
        frame.replace(b'"text":"x"', b'"text":"x","new":1'),
        frame.replace(b"LOG_LINE", b"METRIC_SCALAR"),
    ):
        assert wrong != frame
        with pytest.raises(AssertionError):
            check_frame(wrong)
    nan = MetricScalar(run_id="r", name="n", split="val", step=1, value=float("nan"))
    text = encode_event("demo", Event(seq=1, ts=2, stage=ref, payload=nan))
    assert b'"value":null' in text
    check_frame(text)
    assert isinstance(decode_event(text).payload, MetricScalar)
    # Nor do the frames of one connection, and what the calls answer, hold what JSON does not know.
    for number in (float("nan"), float("inf"), float("-inf")):
        pong = encode(Pong(ts=number, server_ts=1, seq=1))
        assert json.loads(pong)["ts"] is None
        check_frame(pong)
        assert encode({"value": [number]}) == b'{"value":[null]}'
        assert b'"value":null' in encode_ephemeral("demo", 1, 2, ref, "METRIC_SCALAR", {"value": number})


def test_error_codes_are_named() -> None:
    codes = json_schema()["$defs"]["ErrorCode"]["enum"]
    assert set(codes) == {code.value for code in ErrorCode}
    assert msgspec.json.encode(ErrorCode.BUSY) == b'"BUSY"'
