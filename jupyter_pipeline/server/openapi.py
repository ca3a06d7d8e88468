"""The OpenAPI 3.1 document of the REST calls, made from the types of the protocol."""

from typing import Any

from .. import __version__
from ..protocol.connecting import ADDRESSES, PROJECT_ID, TICKET_HEADER
from ..protocol.frames import Envelope
from ..protocol.messages import MESSAGE_TYPES
from ..protocol.schema import components
from ..protocol.snapshot import ProjectEntry, Snapshot

_REF = "#/components/schemas/{name}"
_ERRORS = {
    "400": "The request is not valid; the body says what would be right.",
    "403": "Not let in, or not allowed.",
    "404": "There is no such thing.",
    "409": "Not possible as things stand.",
    "413": "Too large.",
    "429": "Too many requests; Retry-After says when to try again.",
    "503": "The pipeline cannot answer now; the body says why.",
}


def document(base_url: str) -> dict[str, Any]:
    """The document.

    Parameters
    ----------
    base_url : str
        The server's base URL path.
    """
    schemas = components(_REF, (Envelope, ProjectEntry, Snapshot))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jupyter_pipeline",
            "version": __version__,
            "description": "From a sentence and a data set to an exported model. What the socket at ws/projects/{id} "
            "sends are Envelope frames, whose event.payload is of the schema that is named after the event.",
        },
        "servers": [{"url": base_url}],
        "security": [{"token": []}, {"query": []}, {"ticket": []}],
        "paths": _paths(),
        "components": {
            "schemas": {**schemas, **_SCHEMAS},
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "token and the server's token",
                },
                "query": {"type": "apiKey", "in": "query", "name": "token"},
                "ticket": {"type": "apiKey", "in": "header", "name": TICKET_HEADER},
            },
        },
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": _REF.format(name=name)}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _object(required: bool = True, **members: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members) if required else []}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


_STR, _INT, _BOOL = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
_ANY: dict[str, Any] = {}
_SCHEMAS: dict[str, Any] = {
    "Projects": _object(
        projects=_array(_ref("ProjectEntry")),
        server_version=_STR,
        folders=_object(workspace={"type": ["string", "null"]}, pipelines={"type": ["string", "null"]}),
    ),
    "Accepted": _object(type={"const": "ack"}, id=_or_null(_STR), seq=_INT, status={"enum": ["accepted", "duplicate"]}),
    "Events": _object(
        project_id=_STR,
        epoch=_STR,
        seq=_INT,
        resumed=_BOOL,
        next=_INT,
        events=_array(_ref("Envelope")),
    ),
    "PredictRequest": _object(rows=_array({"type": "object"})),
    "Predictions": {
        "type": "object",
        "properties": {
            "predictions": _array(_ANY),
            "probabilities": _object(classes=_array(_ANY), values=_array(_array({"type": "number"}))),
            "notes": {
                "type": "object",
                "description": "By column, what of its values the model could make nothing of, in a sentence.",
                "additionalProperties": {"type": "string"},
            },
        },
        "required": ["predictions"],
    },
}


_PARTS = {
    "206": "The range that was asked for.",
    "304": "Unchanged since the ETag that was sent.",
    "416": "There is no such range.",
}


def _paths() -> dict[str, Any]:
    project = {
        "name": "project_id",
        "in": "path",
        "required": True,
        "description": f"None begins with one of the names {', '.join(sorted(ADDRESSES))}.",
        "schema": {"type": "string", "pattern": f"^{PROJECT_ID}$"},
    }
    asset = {"name": "asset_id", "in": "path", "required": True, "schema": _STR}
    message = {"oneOf": [_ref(kind.__name__) for kind in MESSAGE_TYPES.values()]}
    one = "/api/projects/{project_id}"
    return {
        "/api/projects": {"get": _call("List the projects", _ref("Projects"))},
        "/api/projects/openapi.json": {"get": _call("This document", {"type": "object"})},
        one: {
            "parameters": [project],
            "get": _call("One project", _ref("ProjectEntry")),
            "delete": _call("End the project's work and remove it", None, status="204"),
        },
        f"{one}/state": {"parameters": [project], "get": _call("Snapshot of the project", _ref("Snapshot"))},
        f"{one}/messages": {
            "parameters": [project],
            "post": _call("Send a client message", {"oneOf": [_ref("Accepted"), _ref("Pong")]}, body=message),
        },
        f"{one}/confirm": {
            "parameters": [project],
            "post": _call("Confirm the open gate", _ref("Accepted"), body=_ref("Confirm"), needs_body=False),
        },
        f"{one}/events": {
            "parameters": [
                project,
                _query("since", _INT, "Events after this one"),
                _query("limit", _INT, "At most so many events"),
                _query("wait_s", {"type": "number"}, "Wait so many seconds for the first event"),
                _query("epoch", _STR, "The log that since counts in; of another log, all events are given"),
            ],
            "get": _call("The log", _ref("Events")),
        },
        f"{one}/data": {
            "parameters": [project, {**_query("name", _STR, "The file's name"), "required": True}],
            "post": _call(
                "Upload a data file",
                _object(dataset=_ref("Dataset")),
                body={},
                media="application/octet-stream",
                status="201",
                also={"200": "The file was there already, with the same content."},
            ),
        },
        f"{one}/assets": {
            "parameters": [project],
            "get": _call("List the assets", _object(assets=_array(_ref("Artifact")))),
        },
        f"{one}/assets/{{asset_id}}": {
            "parameters": [project, asset, _query("download", _STR, "1: as an attachment")],
            "get": _call("The file, or a range of it", {}, answer_media="*/*", also=_PARTS),
            "head": _call("Its headers", None, also=_PARTS),
        },
        f"{one}/predict": {
            "parameters": [project],
            "post": _call("Predict rows with the project's model", _ref("Predictions"), body=_ref("PredictRequest")),
        },
    }


def _query(name: str, schema: dict[str, Any], text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": text}


def _call(
    summary: str,
    answer: dict[str, Any] | None,
    *,
    body: dict[str, Any] | None = None,
    needs_body: bool = True,
    status: str = "200",
    media: str = "application/json",
    answer_media: str = "application/json",
    also: dict[str, str] | None = None,
) -> dict[str, Any]:
    good: dict[str, Any] = {"description": summary}
    if answer is not None:
        good["content"] = {answer_media: {"schema": answer}}
    failed = {"application/json": {"schema": _ref("ErrorFrame")}}
    call: dict[str, Any] = {
        "summary": summary,
        "responses": {
            status: good,
            **{code: {**good, "description": text} for code, text in (also or {}).items()},
            **{code: {"description": text, "content": failed} for code, text in _ERRORS.items()},
        },
    }
    if body is not None:
        call["requestBody"] = {"required": needs_body, "content": {media: {"schema": body}}}
    return call
