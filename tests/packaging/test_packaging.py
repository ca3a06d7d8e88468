"""What is shipped: the front end is in it, built, and an sdist installs without Node."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from jupyter_pipeline import __version__

ROOT = Path(__file__).parents[2]
FRONT_END = ROOT / "labextension"


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def built(hook: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    assert not hook.stale(ROOT), "The front end is not built, or older than its sources; run: pip install -e ."
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(folder))
    return folder


def run(*command: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr


def test_there_is_one_version() -> None:
    package = json.loads((FRONT_END / "package.json").read_text())
    lock = json.loads((FRONT_END / "package-lock.json").read_text())
    source = (FRONT_END / "src" / "version.ts").read_text()
    assert package["version"] == lock["version"] == lock["packages"][""]["version"] == __version__
    assert re.findall(r"VERSION = '(.*)'", source) == [__version__]


def test_the_lock_file_names_no_registry() -> None:
    assert "resolved" not in (FRONT_END / "package-lock.json").read_text()


def test_the_wheel_carries_the_front_end_built(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    data = f"jupyter_pipeline-{__version__}.data/data"
    lab = f"{data}/share/jupyter/labextensions/jupyter-pipeline"
    modules = [folder.name for folder in (FRONT_END / "src").iterdir() if folder.name in ("client", "view", "widget")]
    assert {"client", "view"} <= set(modules)
    for name in modules:
        assert f"jupyter_pipeline/static/{name}.js" in names
    assert f"{lab}/package.json" in names
    assert f"{lab}/install.json" in names
    assert f"{data}/etc/jupyter/jupyter_server_config.d/jupyter_pipeline.json" in names
    with zipfile.ZipFile(wheel) as archive:
        entry = json.loads(archive.read(f"{lab}/package.json"))["jupyterlab"]["_build"]["load"]
    assert f"{lab}/{entry}" in names
    # The licences of what is bundled want to be told wherever it is handed on.
    assert f"jupyter_pipeline-{__version__}.dist-info/licenses/LICENSE" in names
    with zipfile.ZipFile(wheel) as archive:
        bundled = {name: archive.read(f"jupyter_pipeline/static/{name}.js").decode() for name in ("view", "widget")}
        listed = json.loads(archive.read(f"{lab}/static/third-party-licenses.json"))["packages"]
    for package in json.loads((FRONT_END / "package.json").read_text())["dependencies"]:
        licence = (FRONT_END / "node_modules" / package / "LICENSE").read_text()
        assert "Permission is hereby granted" in licence
        assert all(licence in module for module in bundled.values())
        assert licence in [part["extractedText"] for part in listed if part["name"] == package]
    assert not [name for name in names if "node_modules" in name or name.startswith(("labextension", "tests"))]


def test_an_sdist_installs_without_node_and_jupyter_says_that_it_is_enabled(built: Path, tmp_path: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = [name.split("/", 1)[1] for name in archive.getnames()]
    assert "labextension/package-lock.json" in names
    assert "labextension/src/client/index.ts" in names
    assert not [name for name in names if "node_modules" in name]

    place = tmp_path / "venv"
    venv.create(place)
    python = place / "bin" / "python"
    env = {**os.environ, "PATH": str(place / "bin")}
    env.pop("PYTHONPATH", None)
    run(sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "-q", str(sdist), env=env)

    jupyter = {
        **os.environ,
        "JUPYTER_PATH": str(place / "share" / "jupyter"),
        "JUPYTER_CONFIG_PATH": str(place / "etc" / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "NO_COLOR": "1",
    }
    found = run(sys.executable, "-m", "jupyter", "labextension", "list", env=jupyter)
    plain = re.sub(r"\x1b\[\d*m", "", found)
    assert str(place) in plain
    assert re.search(rf"jupyter-pipeline v{re.escape(__version__)} enabled\s+OK \(python, jupyter_pipeline\)", plain)
    found = run(sys.executable, "-m", "jupyter", "server", "extension", "list", env=jupyter)
    plain = re.sub(r"\x1b\[\d*m", "", found)
    assert re.search(r"jupyter_pipeline enabled", plain)
    assert re.search(rf"jupyter_pipeline {re.escape(__version__)} OK", plain)


def test_what_is_older_than_its_sources_is_built_again(hook: ModuleType, tmp_path: Path) -> None:
    source = tmp_path / "labextension" / "src" / "a.ts"
    ignored = tmp_path / "labextension" / "node_modules" / "b.js"
    files = [source, ignored, *(tmp_path / name for name in hook.BUILT)]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        os.utime(file, (1000, 1000))
    assert not hook.stale(tmp_path)
    os.utime(ignored, (2000, 2000))
    assert not hook.stale(tmp_path)
    os.utime(source, (2000, 2000))
    assert hook.stale(tmp_path)
