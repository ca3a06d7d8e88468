"""What was measured of data and models, as an agent is told it: of the runs in the log, and of what stages wrote."""

import asyncio
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ..agent.base import Confusion, Measured
from ..protocol.stages import StageId, StageStatus
from .files import ProjectFiles
from .state import ProjectState

_Files = tuple[Path | None, ...]
_DONE = (StageStatus.WAITING_CONFIRMATION, StageStatus.COMPLETED)


class _Column(msgspec.Struct):
    kind: str
    dtype: str
    missing: int
    n_unique: int
    top: list[Any] | None = None
    min: Any = None
    max: Any = None
    mean: Any = None
    std: Any = None


class _Profile(msgspec.Struct):
    """What is told of a profile, which holds much more: of thousands of columns megabytes."""

    n_rows: int | None = None
    columns: dict[str, _Column] = {}
    correlations: list[dict[str, Any]] = []
    classes: list[dict[str, Any]] | None = None


class _Confusion(msgspec.Struct):
    classes: list[Any] = []
    matrix: tuple[tuple[int, ...], ...] = ()


T = TypeVar("T")


class Findings:
    """Reads what stages measured, and keeps it while they stand as they are.

    Parameters
    ----------
    files : ProjectFiles
        Where the results are.
    """

    def __init__(self, files: ProjectFiles) -> None:
        self._files = files
        self._read: tuple[_Files, Measured] = ((), Measured())

    async def of(self, state: ProjectState) -> Measured:
        """What is measured of a project by now; what cannot be read is left out."""
        names = (
            self._result(state, StageId.PROFILE_DATA, "profile.json"),
            self._result(state, StageId.PREPROCESS, "preprocess.json"),
            self._result(state, StageId.REVIEW_EDIT, "review.json"),
            self._of_kept(state, "importance.json"),
            self._of_kept(state, "confusion_matrix.json"),
        )
        if names != self._read[0]:
            self._read = names, await asyncio.to_thread(_found, *names)
        kept = str((state.stage(StageId.TRAIN).plan or {}).get("keep", ""))
        confusion = self._read[1].confusion
        if confusion is not None:
            confusion = msgspec.structs.replace(confusion, run_id=self._kept(state) or "")
        scores: dict[str, dict[str, dict[str, float | None]]] = {}
        for run in state.runs.values():
            of_run = str(run.config.get("source_run", run.run_id))
            for metric in () if run.final_metrics is None else run.final_metrics.metrics:
                scores.setdefault(of_run, {}).setdefault(metric.split, {})[metric.name] = metric.value
        for split, metrics in self._read[1].scores.get("", {}).items():
            scores.setdefault(kept, {})[split] = metrics
        return msgspec.structs.replace(
            self._read[1],
            scores=scores,
            confusion=confusion,
            seconds={
                s.id: (s.ended_ts - s.started_ts) / 1000
                for s in state.stages
                if s.status in _DONE and s.started_ts is not None and s.ended_ts is not None
            },
        )

    def _result(self, state: ProjectState, stage_id: StageId, name: str) -> Path | None:
        stage = state.stage(stage_id)
        there = stage.attempt and stage.status in _DONE
        return self._files.result(stage_id, stage.attempt) / name if there else None

    @staticmethod
    def _kept(state: ProjectState) -> str | None:
        """The run of the kept model, else of the best."""
        kept = (state.stage(StageId.TRAIN).plan or {}).get("keep") if state.stage(StageId.TRAIN).approved else None
        return kept or (state.best.run_id if state.best else None)

    def _of_kept(self, state: ProjectState, name: str) -> Path | None:
        """What was measured of the kept model; on test rows where it was measured there."""
        run_id = self._kept(state)
        finals = {r.run_id for r in state.runs.values() if r.config.get("source_run") == run_id}
        places = {
            str(artifact.meta.get("run_id")): str(artifact.meta.get("path"))
            for artifact in state.artifacts.values()
            if str(artifact.meta.get("path")).endswith(name)
        }
        place = next((places[r] for r in (*sorted(finals, reverse=True), run_id) if r in places), None)
        return None if place is None else self._files.folder / place


def _found(
    profile: Path | None,
    preparation: Path | None,
    review: Path | None,
    importance: Path | None,
    confusion: Path | None,
) -> Measured:
    found = _json(profile, _Profile, _Profile())
    split, final, counted = (_json(path, dict[str, Any], {}) for path in (preparation, review, importance))
    parts = split.get("split", {})
    return Measured(
        rows=found.n_rows,
        columns={name: msgspec.structs.asdict(column) for name, column in found.columns.items()},
        correlations={(c["a"], c["b"]): c["r"] for c in found.correlations},
        classes={str(c["value"]): c["count"] for c in found.classes or ()},
        parts={name: parts[f"{name}_rows"] for name in ("train", "val", "test") if f"{name}_rows" in parts},
        scores={"": final.get("metrics", {})},
        intervals={name: (ends[0], ends[1]) for name, ends in final.get("intervals", {}).items()},
        confusion=_confusion(confusion),
        importance={row["name"]: row["mean"] for row in counted.get("columns", ()) if row.get("mean") is not None},
        importance_of=str(counted.get("metric", "")),
    )


def _confusion(path: Path | None) -> Confusion | None:
    found = _json(path, _Confusion, _Confusion())
    if path is None or not found.classes:
        return None
    return Confusion(
        run_id="",
        split="val" if path.parent.name == "val" else "test",
        classes=tuple(map(str, found.classes)),
        matrix=found.matrix,
    )


def _json(path: Path | None, of_type: type[T], otherwise: T) -> T:
    try:
        return otherwise if path is None else msgspec.json.decode(path.read_bytes(), type=of_type)
    except (OSError, ValueError):  # no file of ours, or one that somebody changed
        return otherwise
