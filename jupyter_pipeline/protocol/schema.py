"""JSON Schema (2020-12) of the wire, made from its types.

What clients send keeps its defaults optional. What the server sends has every member that is always sent as
required, and each event has a frame schema of its own, so that a program can tell frames apart by ``event.name``.
"""

import functools
import inspect
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import NODEFAULT

from .errors import ErrorCode
from .events import EVENT_TYPES
from .frames import PROTOCOL_VERSION, Ack, CommandSpec, ErrorFrame, Hello, Pong
from .messages import BUILTIN_COMMANDS, MESSAGE_TYPES
from .plans import PLAN_TYPES
from .stages import StageRef

DIALECT = "https://json-schema.org/draft/2020-12/schema"
JSON_SCHEMA_REF = "#/$defs/{name}"
Schema = dict[str, Any]

#: Frames that are no events.
PLAIN_FRAMES: tuple[type[msgspec.Struct], ...] = (Pong, Ack, ErrorFrame)
#: Events that also come as frames of one connection, marked ``ephemeral``.
_ALSO_EPHEMERAL = frozenset({"STAGE_STATUS"})


def components(ref_template: str, more: Iterable[type[msgspec.Struct]] = ()) -> dict[str, Schema]:
    """Schemas of all types of the wire, by name.

    Parameters
    ----------
    ref_template : str
        How one schema names another, such as ``#/$defs/{name}``.
    more : iterable of Struct types
        Further types that the server sends.
    """
    received = [*MESSAGE_TYPES.values(), *BUILTIN_COMMANDS.values()]
    sent: list[type[msgspec.Struct]] = [
        *EVENT_TYPES.values(),
        *PLAN_TYPES.values(),
        *PLAIN_FRAMES,
        Hello,
        CommandSpec,
        StageRef,
        *more,
    ]
    _, found = msgspec.json.schema_components([*received, *sent, ErrorCode], ref_template=ref_template)
    for kind in _structs(sent):
        required = [f.encode_name for f in msgspec.inspect.type_info(kind).fields if _always_there(f)]  # type: ignore[attr-defined]
        tag = kind.__struct_config__.tag_field
        schema = found[kind.__name__]
        schema["required"] = [*([tag] if tag else []), *required]
        for member in schema["properties"].values():
            member.pop("default", None)  # always sent, so there is nothing to fill in
        if not schema["required"]:
            del schema["required"]
    for schema in found.values():
        _tidy(schema)
    frames = {frame_name(name): event_frame(name, ref_template) for name in sorted(EVENT_TYPES)}
    frames["HelloFrame"] = _envelope("HELLO", "Hello", ref_template, ephemeral=True)
    found.update(frames)
    found["ServerFrame"] = _any_of("Every frame that the server sends.", [*frames, *_names(PLAIN_FRAMES)], ref_template)
    found["ClientMessage"] = _any_of("Every message that a client sends.", _names(MESSAGE_TYPES.values()), ref_template)
    return dict(sorted(found.items()))


def _tidy(schema: Any) -> Any:
    """What does not depend on the versions of Python and msgspec: descriptions without the indentation that docstrings
    have before Python 3.13, no word on the names of keys, which msgspec has only lately; the schema itself."""
    if isinstance(schema, dict):
        schema.pop("propertyNames", None)
        for value in schema.values():
            _tidy(value)
        if isinstance(schema.get("description"), str):
            schema["description"] = inspect.cleandoc(schema["description"])
    elif isinstance(schema, list):
        for value in schema:
            _tidy(value)
    return schema


def schema_of(kind: Any) -> Schema:
    """JSON Schema of a type by itself."""
    found: Schema = _tidy(msgspec.json.schema(kind))
    return found


def summary_of(thing: Any) -> str:
    """The first paragraph of a docstring, in one line."""
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ").strip()


@functools.cache
def builtin_commands() -> tuple[CommandSpec, ...]:
    """The commands that every project takes."""
    return tuple(
        CommandSpec(name=name, description=summary_of(args), args_schema=schema_of(args))
        for name, args in BUILTIN_COMMANDS.items()
    )


def json_schema() -> Schema:
    """The JSON Schema document: its root is a frame of the server; ``$defs`` holds the rest."""
    return {
        "$schema": DIALECT,
        "title": f"jupyter_pipeline wire, version {PROTOCOL_VERSION}",
        "description": "A frame that the server sends. $defs/ClientMessage is what a client sends; $defs also holds "
        "the plans (plan_json) and the arguments of the built-in commands.",
        "$ref": JSON_SCHEMA_REF.format(name="ServerFrame"),
        "$defs": components(JSON_SCHEMA_REF),
    }


def frame_name(event: str) -> str:
    """Name of the schema of an event's frame."""
    return f"{EVENT_TYPES[event].__name__}Frame"


def event_frame(name: str, ref_template: str) -> Schema:
    """Schema of the frame of an event."""
    return _envelope(name, EVENT_TYPES[name].__name__, ref_template, ephemeral=False)


def close_schema(schema: Any) -> Any:
    """The same schema with every object of known members closed, to find what is sent but not described.

    A client must not use it: members may be added in later versions.
    """
    if isinstance(schema, list):
        return [close_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: value if key in ("enum", "const") else close_schema(value) for key, value in schema.items()}
    if isinstance(closed.get("properties"), dict) and closed.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def _envelope(name: str, payload: str, ref_template: str, *, ephemeral: bool) -> Schema:
    members: Schema = {
        "v": {"const": PROTOCOL_VERSION},
        "type": {"const": "EVENT"},
        "project_id": {"type": "string"},
        "seq": {"type": "integer", "minimum": 0},
        "ts": {"type": "integer"},
        "stage": {"$ref": ref_template.format(name="StageRef")},
        "event": {
            "type": "object",
            "properties": {"name": {"const": name}, "payload": {"$ref": ref_template.format(name=payload)}},
            "required": ["name", "payload"],
        },
    }
    required = list(members)
    if ephemeral or name in _ALSO_EPHEMERAL:
        members["ephemeral"] = {"const": True}
    if ephemeral:
        required.append("ephemeral")
    return {
        "title": name,
        "description": f"The frame of {name}.",
        "type": "object",
        "properties": members,
        "required": required,
    }


def _any_of(text: str, names: Iterable[str], ref_template: str) -> Schema:
    return {"description": text, "oneOf": [{"$ref": ref_template.format(name=name)} for name in names]}


def _names(kinds: Iterable[type]) -> list[str]:
    return [kind.__name__ for kind in kinds]


def _always_there(field: msgspec.inspect.Field) -> bool:
    """Whether a member is in every JSON object of its type: all are, but those that are UNSET by default."""
    has_default = field.default is not NODEFAULT or field.default_factory is not NODEFAULT
    return field.required or has_default


def _structs(roots: Iterable[type[msgspec.Struct]]) -> set[type[msgspec.Struct]]:
    """The struct types that these are made of, themselves included."""
    found: set[type[msgspec.Struct]] = set()

    def visit(info: Any) -> None:
        if isinstance(info, msgspec.inspect.StructType):
            if info.cls in found:
                return
            found.add(info.cls)
            for field in info.fields:
                visit(field.type)
            return
        for name in ("type", "item_type", "key_type", "value_type"):
            if hasattr(info, name):
                visit(getattr(info, name))
        for name in ("item_types", "types"):
            for inner in getattr(info, name, ()):
                visit(inner)

    for root in roots:
        visit(msgspec.inspect.type_info(root))
    return found
