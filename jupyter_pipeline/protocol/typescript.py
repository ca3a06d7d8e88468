"""The wire's types as TypeScript, for the front end, and the names for people.

``python -m jupyter_pipeline.protocol.typescript`` prints them; with ``--write`` they go to the front end's folder
of a clone, ``labextension/src/protocol``: how values come from the server and what may be sent to it to ``types.ts``,
what people read to ``names.ts``.
"""

import argparse
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import inspect as types

from . import events, plans, snapshot
from .errors import ErrorCode
from .events import EVENT_TYPES
from .frames import PROTOCOL_VERSION, Ack, CommandSpec, ErrorFrame, Hello, Pong
from .messages import BUILTIN_COMMANDS, MESSAGE_TYPES
from .names import (
    MEMBER_NAMES,
    METRIC_NAMES,
    MODEL_NAMES,
    PHASE_NAMES,
    PREFERENCE_NAMES,
    RUN_STATUS_NAMES,
    STAGE_NAMES,
    STATUS_NAMES,
    STRATEGY_NAMES,
    TASK_NAMES,
)
from .plans import PLAN_TYPES
from .stages import STAGES, StageId, StageRef, StageStatus

FOLDER = Path(__file__).parents[2] / "labextension" / "src" / "protocol"
_WIDTH = 120
_SCALARS: dict[type[Any], str] = {
    types.StrType: "string",
    types.IntType: "number",
    types.FloatType: "number",
    types.BoolType: "boolean",
    types.NoneType: "null",
    types.AnyType: "unknown",
}
_FRAMES = """
/** The payload of every frame in the envelope, by name. */
export interface FramePayloads extends EventPayloads {
  HELLO: Hello;
}

/** Names of the frames in the envelope. */
export type FrameName = keyof FramePayloads;

/** The `event` member of the envelope; its `name` tells the type of its `payload`. */
export type EventBody<N extends FrameName = FrameName> = { [K in N]: { name: K; payload: FramePayloads[K] } }[N];

/** A frame in the envelope. `ts` is Unix time in milliseconds; an ephemeral frame belongs to this connection alone. */
export interface EventFrame<N extends FrameName = FrameName> {
  v: number;
  type: 'EVENT';
  project_id: string;
  seq: number;
  ts: number;
  stage: StageRef;
  event: EventBody<N>;
  ephemeral?: boolean;
}

/** Everything that a server sends over the socket. */
export type ServerFrame = EventFrame | Ack | Pong | ErrorFrame;
"""


def generate() -> dict[str, str]:
    """The TypeScript modules, by the names of their files."""
    return {"types.ts": _types(), "names.ts": _names()}


def _types() -> str:
    writer = _Writer("the types of the protocol")
    writer.enum(StageId, "A stage of a project.")
    writer.enum(StageStatus, "How a stage stands.")
    writer.enum(ErrorCode, "Why a message was refused.")
    writer.constant("STAGES", "The stages in their order.", [stage.value for stage in STAGES], "readonly StageId[]")
    writer.constant("PROTOCOL_VERSION", "The envelope's `v`.", PROTOCOL_VERSION, None)
    for name, literal in _aliases():
        writer.alias(name, literal)
    writer.interface(StageRef)
    for payload in EVENT_TYPES.values():
        writer.interface(payload)
    writer.map("EventPayloads", "The payload of each logged event, by its name.", EVENT_TYPES.items())
    writer.constant("EVENT_NAMES", "Every logged event.", list(EVENT_TYPES), "readonly (keyof EventPayloads)[]")
    for cls in (CommandSpec, Hello, Pong, Ack, ErrorFrame):
        writer.interface(cls)
    writer.text(_FRAMES)
    for plan in PLAN_TYPES.values():
        writer.interface(plan)
    writer.map("Plans", "What each stage's gate decides: its `plan_json`.", PLAN_TYPES.items())
    for message in MESSAGE_TYPES.values():
        writer.interface(message, sent=True)
    names = " | ".join(cls.__name__ for cls in MESSAGE_TYPES.values())
    writer.text(f"\n/** Everything that a client may send. */\nexport type ClientMessage = {names};\n")
    for command in BUILTIN_COMMANDS.values():
        writer.interface(command, sent=True)
    writer.map("CommandArgs", "The arguments of each built-in command.", BUILTIN_COMMANDS.items())
    writer.interface(snapshot.ProjectEntry)
    writer.interface(snapshot.Snapshot)
    return writer.source()


def _names() -> str:
    """The texts stand in calls, where those who collect what can be translated find them."""
    writer = _Writer("the names of the protocol")
    writer.text("\nimport type { Translation } from '../translation';\n")
    writer.text("import type { StageId, StageStatus } from './types';\n")
    writer.names("stageName", "StageId", STAGE_NAMES)
    writer.names("statusName", "StageStatus", STATUS_NAMES)
    writer.names("runStatusName", "string", RUN_STATUS_NAMES)
    writer.names("phaseName", "string", PHASE_NAMES)
    writer.names("metricName", "string", METRIC_NAMES)
    writer.names("taskName", "string", TASK_NAMES)
    writer.constant("MODELS", "The models that there are.", list(MODEL_NAMES), "readonly string[]")
    writer.names("modelName", "string", MODEL_NAMES)
    writer.names("preferenceName", "string", PREFERENCE_NAMES)
    writer.names("strategyName", "string", STRATEGY_NAMES)
    writer.names("memberName", "string", MEMBER_NAMES)
    return writer.source()


def _aliases() -> Iterator[tuple[str, Any]]:
    """The named sets of strings that fields are made of."""
    for module in (events, plans):
        for name, value in vars(module).items():
            if not name.startswith("_") and get_origin(value) is Literal:
                yield name, value


class _Writer:
    """Collects declarations; a type that another one mentions comes before it."""

    def __init__(self, origin: str) -> None:
        self._parts = [
            f"// Made by `python -m jupyter_pipeline.protocol.typescript --write` from {origin}.\n"
            "// Do not edit; a test compares.\n"
        ]
        self._known: dict[type, str] = {}
        self._literals: dict[frozenset[Any], str] = {}

    def source(self) -> str:
        return "".join(self._parts)

    def text(self, text: str) -> None:
        self._parts.append(text)

    def enum(self, cls: type[Enum], doc: str) -> None:
        self._known[cls] = cls.__name__
        self.text(f"\n{_comment(doc)}export type {cls.__name__} ={_union([repr(m.value) for m in cls])};\n")

    def alias(self, name: str, literal: Any) -> None:
        values = get_args(literal)
        self._literals[frozenset(values)] = name
        self.text(f"\nexport type {name} ={_union([repr(v) for v in values])};\n")

    def constant(self, name: str, doc: str, value: Any, kind: str | None) -> None:
        body = _list([repr(v) for v in value]) if isinstance(value, list) else repr(value)
        self.text(f"\n{_comment(doc)}export const {name}{f': {kind}' if kind else ''} = {body};\n")

    def map(self, name: str, doc: str, items: Iterable[tuple[Any, type]]) -> None:
        members = "".join(f"  {key}: {self._known[cls]};\n" for key, cls in items)
        self.text(f"\n{_comment(doc)}export interface {name} {{\n{members}}}\n")

    def names(self, function: str, kind: str, names: Mapping[Any, str]) -> None:
        """Declare a function from ids to names; an id that is none of these is read as words, if there may be any."""
        cases = "".join(f"    case {str(key)!r}:\n      return trans.__({name!r});\n" for key, name in names.items())
        other = ""
        if kind == "string":
            other = ", otherwise = id.replace(/_/g, ' ')"
            cases += "    default:\n      return otherwise;\n"
        head = f"export function {function}(id: {kind}, trans: Translation{other}): string"
        self.text(f"\n{head} {{\n  switch (id) {{\n{cases}  }}\n}}\n")

    def interface(self, cls: type, *, sent: bool = False) -> None:
        """Declare a struct. Of what is sent to the server everything with a default may be left out."""
        if cls in self._known:
            return
        self._known[cls] = cls.__name__
        info = types.type_info(cls)
        assert isinstance(info, types.StructType)
        lines = []
        if info.tag_field is not None:
            lines.append(f"  {info.tag_field}: {info.tag!r};\n")
        for field in info.fields:
            kind = self._type(field.type, sent)
            # msgspec shows a field that is UNSET by default as one that is neither required nor has a default.
            unset = not field.required and field.default is field.default_factory is msgspec.NODEFAULT
            optional = "?" if unset or (sent and not field.required) else ""
            lines.append(f"  {field.encode_name}{optional}: {kind};\n")
        body = f"{{\n{''.join(lines)}}}" if lines else "{}"
        doc = _comment(inspect.getdoc(cls) or cls.__name__)
        if lines:
            self.text(f"\n{doc}export interface {cls.__name__} {body}\n")
        else:
            self.text(f"\n{doc}export type {cls.__name__} = Record<string, never>;\n")

    def _type(self, kind: types.Type, sent: bool) -> str:
        if type(kind) in _SCALARS:
            return _SCALARS[type(kind)]
        match kind:
            case types.Metadata():
                return self._type(kind.type, sent)
            case types.EnumType():
                return self._known[kind.cls]
            case types.StructType():
                self.interface(kind.cls, sent=sent)
                return self._known[kind.cls]
            case types.LiteralType():
                named = self._literals.get(frozenset(kind.values))
                return named or " | ".join(repr(v) for v in kind.values)
            case types.UnionType():
                return " | ".join(dict.fromkeys(self._type(t, sent) for t in kind.types))
            case types.DictType():
                return f"Record<{self._type(kind.key_type, sent)}, {self._type(kind.value_type, sent)}>"
            case types.VarTupleType() | types.ListType():
                item = self._type(kind.item_type, sent)
                return f"({item})[]" if " | " in item else f"{item}[]"
        raise NotImplementedError(f"There is no TypeScript for {kind!r} yet; teach it to {__name__}.")


def _union(members: list[str]) -> str:
    line = " " + " | ".join(members)
    return line if len(line) < _WIDTH - 30 else "".join(f"\n  | {m}" for m in members)


def _list(members: list[str]) -> str:
    line = f"[{', '.join(members)}]"
    return line if len(line) < _WIDTH - 40 else "[\n" + ",\n".join(f"  {m}" for m in members) + "\n]"


def _comment(doc: str) -> str:
    text = doc.strip().replace("``", "`").replace("*/", "* /")
    if "\n" not in text:
        return f"/** {text} */\n"
    return "/**\n" + "".join(f" * {line}".rstrip() + "\n" for line in text.splitlines()) + " */\n"


def main(argv: list[str] | None = None) -> None:
    """Print the modules, or write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write them into this clone")
    write = parser.parse_args(argv).write
    for name, source in generate().items():
        if write:
            (FOLDER / name).write_text(source, encoding="utf-8", newline="\n")
        else:
            sys.stdout.write(source)


if __name__ == "__main__":
    main()
