"""Sentences that say how things stand, and the small translations between what people type and the wire."""

import html
import io
import sys
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

from ..protocol.names import stage_name
from ..protocol.stages import StageId, StageStatus
from .errors import PipelineError
from .model import Model, StageView

T = TypeVar("T")


class Answer(str):
    """What the assistant said: a string that a notebook shows as a paragraph, without quotes."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f'<p style="white-space: pre-line">{html.escape(self)}</p>'


def nothing_to_confirm(model: Model, wanted: StageId | None = None) -> str:
    """Why there is nothing to confirm, and what to do."""
    with model.lock:
        gate, current = model.gate, model.current
        view = model.stages[current]
    if gate is not None and wanted is not None:
        return f"The stage {stage_name(wanted)} does not wait for a confirmation; {stage_name(gate.stage_id)} does."
    if view.status is StageStatus.IN_PROGRESS:
        return (
            f"Nothing waits for a confirmation: the stage {stage_name(current)} is still running. p.wait() waits for "
            "its proposal."
        )
    if view.status is StageStatus.FAILED:
        more = "" if view.stopped else " Change the request with p.chat(...) or restart the stage."
        return came_to_nothing(current, view) + more
    if current.next is None and view.status is StageStatus.COMPLETED:
        return "Everything is done; p.download() saves the bundle."
    return "Nothing waits for a confirmation yet; say what you want with p.chat('Predict ...')."


def came_to_nothing(stage: StageId, view: StageView) -> str:
    """What became of a stage that is FAILED."""
    return f"The stage {stage_name(stage)} {'was stopped.' if view.stopped else 'failed:'} {view.message}"


def find_asset(project_id: str, model: Model, asset: str | None) -> tuple[str, str, str | None]:
    """An asset's id, file name and, for the bundle, checksum."""
    with model.lock:
        if asset is None:
            export = model.export
            if export is None:
                raise PipelineError("There is no bundle yet; p.run() goes on until it is exported.")
            asset_id = unquote(str(export["asset_url"]).rsplit("/", 1)[-1])
            return asset_id, f"{project_id}.zip", export["checksum"]
        for known in reversed(model.artifacts.values()):
            if asset in (known["id"], known["name"]):
                return known["id"], Path(str(known["meta"].get("path") or known["name"])).name, None
    names = dict.fromkeys(repr(known["name"]) for known in reversed(model.artifacts.values()))
    some = ", ".join([*names][:10]) or "none yet"
    raise PipelineError(f"There is no asset {asset!r}; there are {some}{', …' if len(names) > 10 else ''}.")


class Hint:
    """Says once, while a cell waits, that somebody has to confirm something first."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._said: object = None

    def watch(self, arrived: T) -> T:
        """Print the hint where it helps; hands ``arrived``, false while there is waiting to do, on."""
        model = self._model
        gate = model.gate
        waits_for: object = gate.gate_id if gate is not None else None
        idle = model.current is StageId.PARSE_INTENT and model.stages[model.current].status is StageStatus.PENDING
        if not arrived and (gate is not None or idle) and self._said != (waits_for, idle):
            self._said = (waits_for, idle)
            what = (
                f"The stage {stage_name(gate.stage_id)} waits for your confirmation. Interrupt this cell and run "
                "p.confirm()"
                if gate is not None
                else "Nothing was asked for yet. Interrupt this cell and run p.chat('Predict ...')"
            )
            print(f"{what}; buttons of this notebook act when the cell has ended.", file=sys.stderr)
        return arrived


def tolerate_encodings() -> None:
    """Let signs that a terminal's encoding does not have be replaced, where they would end the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def file_name(name: str | None, file: Path) -> str:
    """The name of an upload: as asked, with the file's suffix where it lacks one."""
    if name is None:
        return file.name
    return name if Path(name).suffix else name + "".join(file.suffixes)


def operations(members: dict[str, Any], at: str = "") -> list[dict[str, Any]]:
    """JSON Patch operations that set members; those of nested members are merged into them."""
    found: list[dict[str, Any]] = []
    for key, value in members.items():
        path = f"{at}/{str(key).replace('~', '~0').replace('/', '~1')}"
        if isinstance(value, dict) and value:
            found += operations(value, path)
        else:
            found.append({"op": "add", "path": path, "value": value})
    return found


def plain(value: Any) -> Any:
    """A value as JSON has it: lists for tuples and sets, Python's numbers for NumPy's."""
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(member) for member in value]
    return value.tolist() if hasattr(value, "tolist") else value
