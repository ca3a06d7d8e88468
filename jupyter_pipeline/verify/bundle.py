"""An exported bundle: its archive, its files by the manifest, and its log."""

import hashlib
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

from .events import Anchor, VerificationError, metrics_told, told, verify_log
from .members import Archive, Folder, Members, digest, lines, read

MANIFEST, EVENTS, CHAIN = "MANIFEST.json", "events.jsonl", "events.chain"


def verify_zip(place: Path, anchors: tuple[Anchor, ...] = ()) -> list[str]:
    """Check a bundle's zip, down to the bytes of the archive."""
    try:
        with place.open("rb") as file, zipfile.ZipFile(file) as archive:
            members = Archive(archive, place.stat().st_size)
            said = verify_files(members, anchors)
            manifest = json.loads(read(members, MANIFEST))
            said.append(f"The zip's SHA-256 is {_sha256(place)}, which EXPORT_READY named.")
            if manifest["zlib"] != zlib.ZLIB_RUNTIME_VERSION:
                return [*said, f"The zip was packed by zlib {manifest['zlib']}; its own bytes were not compared."]
            from .repacking import packed_so  # it needs the stages

            if not packed_so(members, place):
                raise VerificationError(
                    "The files are as they were exported, but the archive around them was changed or packed anew."
                )
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise VerificationError(f"{place.name} is no zip that can be read: {error}.") from None
    return [*said, "The zip is, byte for byte, the one that was packed."]


def verify_files(members: Members, anchors: tuple[Anchor, ...] = (), *, strict: bool = True) -> list[str]:
    """Check a bundle's files by their manifest, and its log; ``strict`` refuses files that it does not name."""
    if MANIFEST not in members.names:
        raise VerificationError(f"There is no {MANIFEST}, so this is no bundle.")
    manifest = _manifest(read(members, MANIFEST))
    listed = manifest["files"]
    missing = sorted(set(listed) - set(members.names))
    if missing:
        raise VerificationError(f"{missing[0]} is missing.")
    added = sorted(set(members.names) - set(listed) - {MANIFEST})
    if added and strict:
        raise VerificationError(f"{added[0]} is not part of the bundle that was exported.")
    for name, entry in listed.items():
        size, found = digest(members, name)
        if size != entry["size"]:
            raise VerificationError(f"{name} was changed: it has {size:,} bytes instead of {entry['size']:,}.")
        if found != entry["sha256"]:
            raise VerificationError(f"{name} was changed: its SHA-256 is {found}, not {entry['sha256']}.")
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
    log = manifest["log"]
    hashes = (line.decode("ascii", "replace") for line in lines(members, CHAIN))
    state, head = verify_log(log["project_id"], log["epoch"], lines(members, EVENTS), hashes, anchors)
    if (state.seq, head) != (log["seq"], log["head"]):
        raise VerificationError(f"The log ends at event {state.seq}, with another hash than {MANIFEST} names.")
    said += told(state, head, anchors)
    if "metrics.json" in listed:
        said.append(metrics_told(read(members, "metrics.json"), state))
    return said


def anchor_of(place: Path) -> Anchor:
    """The last hash of the log in a bundle, after the bundle was checked: the project's log goes on from there."""
    if place.is_file():
        verify_zip(place)
        with zipfile.ZipFile(place) as archive:
            manifest = json.loads(archive.read(MANIFEST))
    else:
        verify_files(Folder(place), strict=False)
        manifest = json.loads((place / MANIFEST).read_bytes())
    if manifest["log"] is None:
        raise VerificationError(f"{place.name} was made without the log, so there is nothing to compare with.")
    return Anchor(manifest["log"]["seq"], manifest["log"]["head"])


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


def _sha256(place: Path) -> str:
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
