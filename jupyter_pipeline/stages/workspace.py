"""The training code as files that the person can edit, in the project's ``code`` folder.

``.manifest.json`` there records what was handed over. A file that is no longer what was handed over was edited, and
is left alone; the others follow the package.
"""

import ast
import hashlib
import json
from importlib.resources import files
from pathlib import Path

from ..durable import replace_files

#: What training from the raw data to the reported numbers begins with; what these import comes along.
ROOTS = ("evaluation", "figures", "frames", "importance", "reading", "splitting", "targets", "training")
MANIFEST = ".manifest.json"


def sha256(data: bytes) -> str:
    """SHA-256 of bytes in hex."""
    return hashlib.sha256(data).hexdigest()


def template(name: str) -> str:
    """A file of ``stages/templates`` as text."""
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def package_code() -> dict[str, bytes]:
    """The training code as this package has it: ``train.py`` and the modules of ``modeling``.

    Returns
    -------
    dict of str to bytes
        By path below the ``code`` folder.
    """
    automl = Path(str(files("jupyter_pipeline.automl")))
    wanted, found = ["__init__", *ROOTS], dict[str, bytes]()
    while wanted:
        name = wanted.pop()
        path = f"modeling/{name}.py"
        if path in found:
            continue
        found[path] = (automl / f"{name}.py").read_bytes()
        wanted += _neighbours(found[path], automl)
    found["train.py"] = template("train.py.txt").encode()
    return dict(sorted(found.items()))


def _neighbours(source: bytes, folder: Path) -> list[str]:
    """Modules of the same package that a module imports."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names += [node.module] if node.module else [alias.name for alias in node.names]
    return [name for name in names if (folder / f"{name}.py").is_file()]


def sync(folder: Path, wanted: dict[str, bytes]) -> list[str]:
    """Bring a code folder up to date, and leave alone what the person edited.

    Parameters
    ----------
    folder : pathlib.Path
        The ``code`` folder; made if it is not there.
    wanted : dict of str to bytes
        The files by path below it.

    Returns
    -------
    list of str
        The files that were edited and so were left as they are.
    """
    recorded = _recorded(folder)
    edited: list[str] = []
    fresh: dict[Path, bytes] = {}
    for name, data in wanted.items():
        path = folder / name
        there = path.read_bytes() if path.is_file() else None
        if there is None or sha256(there) in (recorded.get(name), sha256(data)):
            if there != data:
                fresh[path] = data
            recorded[name] = sha256(data)
        else:
            edited.append(name)
            recorded.setdefault(name, sha256(data))
    # The manifest last: of files that it does not know yet it is seen that they are as they should be.
    fresh[folder / MANIFEST] = json.dumps({"files": dict(sorted(recorded.items()))}, indent=2).encode() + b"\n"
    for parent in {path.parent for path in fresh}:
        parent.mkdir(parents=True, exist_ok=True)
    replace_files(fresh)
    return edited


def current(folder: Path) -> dict[str, bytes]:
    """The code in a code folder as it stands: its Python files, also those that the person added.

    A link that leads out of the folder is passed over: what is here goes into the bundle, and is given away.
    """
    found: dict[str, bytes] = {}
    own = folder.resolve()
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        if not hidden and path.is_file() and path.resolve().is_relative_to(own):
            found["/".join(parts)] = path.read_bytes()
    return found


def _recorded(folder: Path) -> dict[str, str]:
    try:
        data = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {str(name): str(sha) for name, sha in data["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
