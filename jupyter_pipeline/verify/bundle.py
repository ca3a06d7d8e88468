"""An exported bundle: its archive, its files by the manifest, and its log."""

import hashlib
import io
import json
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

from .events import Anchor, VerificationError, metrics_told, told, verify_log

MANIFEST, EVENTS, CHAIN = "MANIFEST.json", "events.jsonl", "events.chain"


def verify_zip(place: Path, anchors: tuple[Anchor, ...] = ()) -> list[str]:
    """Check a bundle's zip, down to the bytes of the archive."""
    try:
        with zipfile.ZipFile(place) as archive:
            names = archive.namelist()
            for name in names:
                if name != PurePosixPath(name).as_posix() or name.startswith("/") or ".." in name.split("/"):
                    raise VerificationError(f"The archive has a file with the name {name!r}, which no bundle has.")
            if len(set(names)) != len(names):
                raise VerificationError("The archive has a file twice.")
            files: dict[str, bytes | Path] = {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise VerificationError(f"{place.name} is no zip that can be read: {error}.") from None
    said = [*verify_files(files, anchors), f"The zip's SHA-256 is {_digest(place)[1]}, which EXPORT_READY named."]
    manifest = json.loads(_read(files[MANIFEST]))
    if manifest.get("zlib") != zlib.ZLIB_RUNTIME_VERSION:
        return [*said, f"The zip was packed by zlib {manifest.get('zlib')}; its own bytes were not compared."]
    if _packed(names, files) != place.read_bytes():
        raise VerificationError(
            "The files are as they were exported, but the archive around them was changed or packed anew."
        )
    return [*said, "The zip is, byte for byte, the one that was packed."]


def verify_files(
    files: "dict[str, bytes | Path]", anchors: tuple[Anchor, ...] = (), *, strict: bool = True
) -> list[str]:
    """Check a bundle's files by their manifest, and its log; ``strict`` refuses files that it does not name."""
    if MANIFEST not in files:
        raise VerificationError(f"There is no {MANIFEST}, so this is no bundle.")
    manifest = _manifest(_read(files[MANIFEST]))
    listed = manifest["files"]
    missing = sorted(set(listed) - set(files))
    if missing:
        raise VerificationError(f"{missing[0]} is missing.")
    added = sorted(set(files) - set(listed) - {MANIFEST})
    if added and strict:
        raise VerificationError(f"{added[0]} is not part of the bundle that was exported.")
    for name, entry in listed.items():
        data = files[name]
        size, digest = _digest(data)
        if size != entry["size"]:
            raise VerificationError(f"{name} was changed: it has {size:,} bytes instead of {entry['size']:,}.")
        if digest != entry["sha256"]:
            raise VerificationError(f"{name} was changed: its SHA-256 is {digest}, not {entry['sha256']}.")
    said = [f"{len(listed)} files have the SHA-256 that {MANIFEST} names."]
    if added:
        said.append(f"Not part of the bundle: {', '.join(added[:5])}{' …' if len(added) > 5 else ''}.")
    if manifest["log"] is None:
        if anchors:
            raise VerificationError("The bundle was made without the log, so there is nothing to compare a hash with.")
        return [*said, "The bundle was made without the log, so there is no more to check."]
    for name in (EVENTS, CHAIN):
        if name not in listed:
            raise VerificationError(f"{MANIFEST} speaks of a log, but does not list {name}.")
    frames = _lines(_read(files[EVENTS]), EVENTS)
    hashes = [line.decode("ascii", "replace") for line in _lines(_read(files[CHAIN]), CHAIN)]
    log = manifest["log"]
    state = verify_log(log["project_id"], log["epoch"], frames, hashes, anchors)
    if (state.seq, hashes[-1] if hashes else "") != (log["seq"], log["head"]):
        raise VerificationError(f"The log ends at event {state.seq}, with another hash than {MANIFEST} names.")
    said += told(state, hashes, anchors)
    if "metrics.json" in listed:
        said.append(metrics_told(_read(files["metrics.json"]), state))
    return said


def anchor_of(place: Path) -> Anchor:
    """The last hash of the log in a bundle, after the bundle was checked: the project's log goes on from there."""
    if place.is_file():
        verify_zip(place)
        with zipfile.ZipFile(place) as archive:
            manifest = json.loads(archive.read(MANIFEST))
    else:
        verify_files(files_of(place), strict=False)
        manifest = json.loads((place / MANIFEST).read_bytes())
    if manifest["log"] is None:
        raise VerificationError(f"{place.name} was made without the log, so there is nothing to compare with.")
    return Anchor(manifest["log"]["seq"], manifest["log"]["head"])


def files_of(folder: Path) -> "dict[str, bytes | Path]":
    """The files of an unpacked bundle."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in paths}


def _manifest(data: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(data)
        text = _as_json(found)
        sealed = hashlib.sha256(_as_json({k: v for k, v in found.items() if k != "sha256"}).encode()).hexdigest()
        whole = set(found) == {"format", "algorithm", "zlib", "log", "files", "sha256"} and found["format"] == 1
        entries = [(str(name), int(e["size"]), str(e["sha256"])) for name, e in found["files"].items()]
        log = found["log"]
        whole = whole and (log is None or set(log) == {"project_id", "epoch", "seq", "head"})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise VerificationError(f"{MANIFEST} was changed: it cannot be read ({error}).") from None
    if not whole or not entries or found["algorithm"] != "sha256" or found["sha256"] != sealed or text.encode() != data:
        raise VerificationError(f"{MANIFEST} was changed: it is not as this version writes it.")
    return found


def _as_json(value: Any) -> str:
    """JSON as a manifest is written."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _lines(data: bytes, name: str) -> list[bytes]:
    if data and not data.endswith(b"\n"):
        raise VerificationError(f"{name} ends in the middle of a line.")
    return data.split(b"\n")[:-1]


def _read(data: bytes | Path) -> bytes:
    return data if isinstance(data, bytes) else data.read_bytes()


def _digest(data: bytes | Path) -> tuple[int, str]:
    if isinstance(data, bytes):
        return len(data), hashlib.sha256(data).hexdigest()
    with data.open("rb") as file:
        return data.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _packed(names: list[str], files: "dict[str, bytes | Path]") -> bytes:
    """The zip as :func:`jupyter_pipeline.stages.bundle.pack` makes it of these files."""
    from ..stages.bundle import write_zip

    target = io.BytesIO()
    write_zip(target, names, lambda name: io.BytesIO(_read(files[name])))
    return target.getvalue()
