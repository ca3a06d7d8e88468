"""The AsyncAPI 3.0 document of the socket, made from the types of the wire."""

import inspect
from typing import Any

from .connecting import ADDRESSES, DELETED, FLOODING, GOING_DOWN, PROJECT_ID, TICKET_HEADER, TOO_LARGE
from .events import EVENT_TYPES
from .messages import MESSAGE_TYPES
from .schema import PLAIN_FRAMES, components, frame_name, summary_of

_SCHEMA_REF = "#/components/schemas/{name}"
_CLIENT_TEXT = {
    "chat": "Say something: the request itself, or a change to it.",
    "confirm": "Approve what the open gate proposes.",
    "command": "Run a command by name; HELLO lists them with the schemas of their arguments.",
    "ping": "Ask for a pong.",
    "resume": "Ask for every event after one, in order, once, and then live.",
    "subscribe": "Listen to some events only, or let a slow reader skip what is overtaken.",
}


def asyncapi(version: str) -> dict[str, Any]:
    """The document, for a version of the package.

    ``send`` and ``receive`` are said from the server's side, as AsyncAPI has it.
    """
    received = {name: _message(kind.__name__, name, _CLIENT_TEXT[name]) for name, kind in MESSAGE_TYPES.items()}
    sent = {"HELLO": _message("HelloFrame", "HELLO", "The first frame of a connection.")}
    for name, payload in sorted(EVENT_TYPES.items()):
        text = summary_of(payload)
        sent[name] = _message(frame_name(name), name, text)
    for kind in PLAIN_FRAMES:
        sent[kind.__name__] = _message(kind.__name__, kind.__name__, inspect.getdoc(kind) or "")
    names = [*received, *sent]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "jupyter_pipeline",
            "version": version,
            "description": "The socket of a project. Events are durable and numbered by seq, from 1, without gaps; "
            "frames with ephemeral: true, pongs, acks and errors belong to one connection and take no number. "
            "Unknown members are to be ignored: more may come.",
            "license": {"name": "BSD-3-Clause"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "jupyter": {
                "host": "localhost:8888",
                "protocol": "ws",
                "description": "A Jupyter server with the extension; its base_url comes before the channel's address.",
                "security": [
                    {"$ref": f"#/components/securitySchemes/{name}"} for name in ("token", "query", "cookie", "ticket")
                ],
            }
        },
        "channels": {
            "project": {
                "address": "/ws/projects/{project_id}",
                "description": f"Close codes: {FLOODING} after persistent flooding, {TOO_LARGE} over the message "
                f"limit, {DELETED} the project was deleted, {GOING_DOWN} the server is going down (reconnect). 403: "
                "not let in.",
                "parameters": {
                    "project_id": {
                        "description": f"The project, {PROJECT_ID}; one that does not exist begins, unless it is "
                        f"called {', '.join(sorted(ADDRESSES))}, which the server has itself below /api/projects.",
                        "examples": ["demo-project"],
                    }
                },
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
                "bindings": {
                    "ws": {
                        "method": "GET",
                        "query": {
                            "type": "object",
                            "properties": {
                                "since": {"type": "integer", "minimum": 0, "description": "Resume after this event."},
                                "epoch": {"type": "string", "description": "The log that since counts in."},
                                "token": {"type": "string", "description": "The server's token."},
                            },
                        },
                    }
                },
            }
        },
        "operations": {
            "takeMessages": _operation("receive", "What a client may send.", list(received)),
            "sendFrames": _operation("send", "What the server sends.", list(sent)),
        },
        "components": {
            "messages": {**received, **sent},
            "schemas": components(_SCHEMA_REF),
            "securitySchemes": {
                "token": {
                    "type": "httpApiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "'token ' and the server's token.",
                },
                "query": {"type": "httpApiKey", "in": "query", "name": "token"},
                "cookie": {
                    "type": "httpApiKey",
                    "in": "cookie",
                    "name": "username-HOST-PORT",
                    "description": "Jupyter's login cookie, from the server's own pages.",
                },
                "ticket": {
                    "type": "httpApiKey",
                    "in": "header",
                    "name": TICKET_HEADER,
                    "description": "What the server gives its kernels.",
                },
            },
        },
    }


def _message(schema: str, name: str, summary: str) -> dict[str, Any]:
    return {
        "name": name,
        "summary": summary,
        "contentType": "application/json",
        "payload": {"$ref": _SCHEMA_REF.format(name=schema)},
    }


def _operation(action: str, summary: str, names: list[str]) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/project"},
        "messages": [{"$ref": f"#/channels/project/messages/{name}"} for name in names],
    }
