"""Notebook front ends that are not Jupyter's, from their own widget managers, on a server without the extension."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from jupyter_core.paths import jupyter_path

from ...server.conftest import TOKEN, Server, free_port
from ..conftest import ROOT

HERE = Path(__file__).parent
VS_CODE = "@vscode/jupyter-ipywidgets8@1.0.9"
"""The widget manager of VS Code's Jupyter extension. Without what it names as dependencies: it has them in it."""
HTML = "@jupyter-widgets/html-manager@1.0.15"
"""The widget manager of pages that are no notebooks, of which Colab's is a variety."""
REQUIRE = "requirejs@2.3.8"
SERVICES = "@jupyterlab/services@7.6.3"
"""A kernel's connection, as VS Code's Jupyter extension has one in its webview."""


def npm(package: str, cache: Path) -> Path:
    """A package of npm without its dependencies, kept in a folder."""
    folder = cache / package.replace("/", "_")
    if not folder.exists():
        fetched = subprocess.run(
            ["npm", "pack", "--silent", package], cwd=cache, check=True, capture_output=True, text=True
        )
        with tarfile.open(cache / fetched.stdout.strip()) as archive:
            archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 and newer
            archive.extractall(cache / f"{folder.name}.part")
        (cache / f"{folder.name}.part").rename(folder)
    return folder / "package"


def with_dependencies(package: str, cache: Path) -> Path:
    """The folder of packages in which one of npm is with all that it needs, kept in a folder."""
    folder = cache / f"{package.replace('/', '_')}.all"
    if not folder.exists():
        part = folder.with_suffix(".part")
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--prefix", part]
        subprocess.run(["npm", "install", "--silent", *options, package], cwd=cache, check=True, capture_output=True)
        part.rename(folder)
    return folder / "node_modules"


def bundle(entry: Path, target: Path, packages: Path) -> None:
    """One file of a module and all that it imports."""
    esbuild = ROOT / "labextension" / "node_modules" / ".bin" / "esbuild"
    options = ["--bundle", "--format=esm", f"--outfile={target}", "--log-level=warning"]
    env = {**os.environ, "NODE_PATH": str(packages)}
    subprocess.run([esbuild, entry, *options], env=env, check=True)


def anywidget() -> Path:
    """The script with anywidget's classes that comes with its Python package."""
    places = (Path(path, "anywidget", "index.js") for path in jupyter_path("nbextensions"))
    return next(place for place in places if place.exists())


def write_webview(folder: Path, cache: Path) -> None:
    """VS Code's notebook webview as pages to be served."""
    shutil.copy(HERE / "workbench.html", folder)
    shutil.copy(HERE / "webview.html", folder)
    shutil.copy(npm(VS_CODE, cache) / "dist" / "ipywidgets.js", folder)
    shutil.copy(npm(REQUIRE, cache) / "require.js", folder)
    (folder / "anywidget").mkdir()
    shutil.copy(anywidget(), folder / "anywidget")
    bundle(HERE / "webview.js", folder / "webview.js", with_dependencies(SERVICES, cache))


def write_colab(folder: Path, cache: Path) -> None:
    """Colab's page and the frame of an output as pages to be served."""
    shutil.copy(HERE / "colab.html", folder)
    shutil.copy(HERE / "output.html", folder)
    shutil.copy(npm(HTML, cache) / "dist" / "embed-amd.js", folder)
    shutil.copy(npm(REQUIRE, cache) / "require.js", folder)
    (folder / "anywidget").mkdir()
    shutil.copy(anywidget(), folder / "anywidget")


class Bare(Server):
    """A server that knows nothing of pipelines: it starts kernels, and that is all."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        args = ["--ServerApp.allow_origin=*"]
        super().__init__(root, free_port(), "/", args, extensions={"jupyter_pipeline": False}, forked=True)

    def new_kernel(self) -> tuple[str, str]:
        """The id of a new kernel, and the address of its socket."""
        kernel: str = self.request("POST", "api/kernels", {"name": "python3", "path": ""}).json["id"]
        return kernel, f"ws://127.0.0.1:{self.port}/api/kernels/{kernel}/channels?token={TOKEN}"
