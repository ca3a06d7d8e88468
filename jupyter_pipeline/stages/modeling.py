"""The training code that counts: the person's own in ``code/modeling``, where they edited it, else this package's."""

import contextlib
import hashlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from .base import StageError

NAME = "modeling"


@dataclass(frozen=True)
class Modeling:
    """Modules to train with.

    Attributes
    ----------
    training, models, inference, metrics : module
        As in :mod:`jupyter_pipeline.automl`.
    digest : str
        Of the code if it is the person's own; empty if it is this package's.
    folder : Path or None
        Where the person's own code is.
    """

    training: Any
    models: Any
    inference: Any
    metrics: Any
    digest: str = ""
    folder: Path | None = None

    def blame(self, error: BaseException) -> str:
        """What went wrong, with file and line where it went wrong in the person's own code."""
        words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        place = _place(error, self.folder) if self.folder else ""
        return f"{place}{words}"[:500]


def load_modeling(project_dir: Path) -> Modeling:
    """The training code of a project.

    Parameters
    ----------
    project_dir : pathlib.Path
        With ``code/modeling`` if the person was given the code to edit.

    Raises
    ------
    StageError
        If edited code cannot be imported; it names file and line.
    """
    folder = project_dir / "code" / NAME
    digest = _digest_of_edits(folder)
    if not digest:
        prefix, found = "jupyter_pipeline.automl", cast(Path | None, None)
    else:
        prefix, found = NAME, folder
        _import_package(folder)
    try:
        with _no_bytecode():
            return Modeling(
                training=importlib.import_module(f"{prefix}.training"),
                models=importlib.import_module(f"{prefix}.models"),
                inference=importlib.import_module(f"{prefix}.inference"),
                metrics=importlib.import_module(f"{prefix}.metrics"),
                digest=digest,
                folder=found,
            )
    except Exception as error:
        place = _place(error, folder)
        what = error.msg if isinstance(error, SyntaxError) else f"{type(error).__name__}: {error}"
        raise StageError(
            f"Your code in code/{NAME} cannot be used: {place}{what}. Mend it and restart the stage Training; "
            "without the folder the code that comes with jupyter_pipeline is used."
        ) from error


def _digest_of_edits(folder: Path) -> str:
    """Digest of the package in ``folder`` if it is there and differs from ours, else empty."""
    if not (folder / "__init__.py").is_file():
        return ""
    own = Path(str(files("jupyter_pipeline.automl")))
    digest, edited = hashlib.sha256(), False
    for path in sorted(folder.rglob("*.py")):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue  # JupyterLab's checkpoints are no edits
        data = path.read_bytes()
        same = own / path.relative_to(folder)
        edited = edited or not same.is_file() or same.read_bytes() != data
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + data + b"\0")
    return digest.hexdigest() if edited else ""


def _import_package(folder: Path) -> None:
    for name in [m for m in sys.modules if m == NAME or m.startswith(f"{NAME}.")]:
        del sys.modules[name]
    importlib.invalidate_caches()
    spec = importlib.util.spec_from_file_location(
        NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise StageError(f"code/{NAME} is no Python package.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    try:
        with _no_bytecode():
            spec.loader.exec_module(module)
    except Exception as error:
        raise StageError(f"Your code in code/{NAME} cannot be used: {_place(error, folder)}{error}.") from error


def _place(error: BaseException, folder: Path) -> str:
    """``file, line n: `` of the last line of the person's code that took part in an error."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_relative_to(folder):
        return f"code/{NAME}/{Path(error.filename).relative_to(folder).as_posix()}, line {error.lineno}: "
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(folder):
            return f"code/{NAME}/{Path(frame.filename).relative_to(folder).as_posix()}, line {frame.lineno}: "
    return ""


@contextlib.contextmanager
def _no_bytecode() -> Iterator[None]:
    """Leave no compiled files beside the person's code; edits within a second would not be seen."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
