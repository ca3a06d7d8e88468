"""Every frame that a test receives over a raw socket is held against the JSON Schema of the wire."""

import functools
import json
from typing import Any

import jsonschema_rs

from jupyter_pipeline.protocol.events import EVENT_TYPES
from jupyter_pipeline.protocol.schema import close_schema, components, frame_name

_PLAIN = {"pong": "Pong", "ack": "Ack", "error": "ErrorFrame"}
REF = "#/$defs/{name}"


@functools.cache
def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    """The validator of one schema, in which every object is closed: what is not described must not be sent."""
    return jsonschema_rs.Draft202012Validator({"$ref": REF.format(name=name), "$defs": close_schema(components(REF))})


def schema_of(frame: dict[str, Any]) -> str:
    """Name of the schema that a frame of the server should follow."""
    kind = frame["type"]
    if kind != "EVENT":
        return _PLAIN[kind]
    name = frame["event"]["name"]
    if name == "HELLO":
        return "HelloFrame"
    assert name in EVENT_TYPES, f"{name} is no event of the contract"
    return frame_name(name)


def check_frame(text: str | bytes) -> dict[str, Any]:
    """Decode a frame of the server; fails if it is no strict JSON or not as the schema has it."""
    frame = json.loads(text, parse_constant=_no_constant)
    name = schema_of(frame)
    errors = [f"{'/'.join(map(str, e.instance_path))}: {e.message}" for e in validator(name).iter_errors(frame)]
    assert not errors, f"{name}: {errors[:3]} in {text[:500]!r}"
    return dict(frame)


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")
