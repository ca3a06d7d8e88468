"""What each message, command and call takes: written down by hand, and held against the protocol's own lists."""

import re
from typing import Any

from jupyter_pipeline.server import modules, rest, websocket

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
#: A message of each type, without effect where that can be, and the right that it takes.
MESSAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "ping": ("read", {"ts": 1}),
    "subscribe": ("read", {"names": ["LOG_LINE"]}),
    "resume": ("read", {"since": 0}),
    "confirm": ("execute", {"gate_id": "none"}),
    "command": ("execute", {"command": "no_such_command"}),
    "chat": ("write", {"text": "Predict species in the iris data set"}),
}
COMMANDS: dict[str, tuple[str, dict[str, Any]]] = {
    "restart_stage": ("execute", {"stage_id": "EXPORT"}),
    "cancel_run": ("execute", {"run_id": "none"}),
    "select_dataset": ("execute", {"dataset_id": "none"}),
    "update_plan": ("execute", {"stage_id": "EXPORT", "patch": []}),
}
#: Below the base URL; ``demo`` is a project, ``asset`` one of its assets.
CALLS: dict[tuple[str, str], str] = {
    ("GET", "ws/projects/demo"): "read",
    ("GET", "api/projects"): "read",
    ("GET", "api/projects/openapi.json"): "read",
    ("DELETE", "api/projects/openapi.json"): "execute",
    ("GET", "api/projects/client.js"): "read",
    ("HEAD", "api/projects/client.js"): "read",
    ("DELETE", "api/projects/client.js"): "execute",
    ("GET", "api/projects/demo"): "read",
    ("DELETE", "api/projects/demo"): "execute",
    ("GET", "api/projects/demo/state"): "read",
    ("GET", "api/projects/demo/events"): "read",
    ("POST", "api/projects/demo/messages"): "read",  # and then what the message takes
    ("POST", "api/projects/demo/confirm"): "execute",
    ("POST", "api/projects/demo/data"): "write",
    ("GET", "api/projects/demo/assets"): "read",
    ("GET", "api/projects/demo/assets/asset"): "read",
    ("HEAD", "api/projects/demo/assets/asset"): "read",
    ("POST", "api/projects/demo/predict"): "execute",
    **{(method.upper(), "api/projects/no/such/thing"): "read" for method in METHODS if method != "options"},
}


def messages() -> list[tuple[str, dict[str, Any]]]:
    """Each message and each built-in command, with the right that it takes; a chat, which begins work, is last."""
    said = [(right, {"type": kind, **more}) for kind, (right, more) in MESSAGES.items()]
    for name, (right, args) in COMMANDS.items():
        said.insert(0, (right, {"type": "command", "command": name, "args": args}))
    return said


def addresses() -> list[tuple[str, str]]:
    """Every method of ours of every handler, with an address that reaches it."""
    found = []
    for pattern, handler in [*rest.default_handlers, *websocket.default_handlers, *modules.default_handlers]:
        path = pattern.replace(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})", "demo").replace(r"\.", ".")
        path = path.replace("([^/]+)", "asset").replace("(.*)", "no/such/thing")
        path = re.sub(r"\(\?:(\w+)\|.*?\)", r"\1", path).lstrip("/").replace("(", "").replace(")", "")
        for method in METHODS:
            owner = next(c for c in handler.__mro__ if method in vars(c))
            if owner.__module__.startswith("jupyter_pipeline"):
                found.append((method.upper(), path))
    return found
