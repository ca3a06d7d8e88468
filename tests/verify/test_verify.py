"""A bundle and a log are checked to the last byte: whatever is changed is found, and said where."""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from jupyter_pipeline.client.cli import main
from jupyter_pipeline.project.log import EventLog, StoredEntry
from jupyter_pipeline.project.log_export import export_log
from jupyter_pipeline.project.log_format import TABLES
from jupyter_pipeline.project.log_reading import read_rows
from jupyter_pipeline.project.log_rows import as_stored
from jupyter_pipeline.protocol.events import (
    Artifact,
    ArtifactAdded,
    Dataset,
    DatasetCandidates,
    FileEntry,
    FileTreeUpdate,
    FinalMetric,
    FinalMetrics,
    LeaderboardRow,
    LeaderboardUpdated,
    LogLine,
    Payload,
    RunStatus,
    StageStatusEvent,
    TrainRunFinished,
    TrainRunStarted,
    User,
)
from jupyter_pipeline.protocol.frames import Event, stage_ref
from jupyter_pipeline.protocol.stages import StageId, StageStatus
from jupyter_pipeline.stages import bundle
from jupyter_pipeline.verify import VerificationError, verify

PROJECT, EPOCH, ADA = "demo", "0123456789abcdef", User("ada", "Ada")
FILES = {"README.md": "# A model\n", "model/model.json": "{}\n", "data/rows.csv": "a,b\n" + "1,2\n" * 200}


def run_of(run_id: str, split: str, value: float) -> list[Payload]:
    final = FinalMetrics(
        task_type="binary", primary="roc_auc", metrics=(FinalMetric(name="roc_auc", split=split, value=value),)
    )
    return [
        TrainRunStarted(run_id=run_id, model_id="linear", metric_primary="roc_auc", config={}),
        TrainRunFinished(run_id=run_id, status="success", final_metrics=final),
    ]


def payloads(board: float = 0.75, *, run_id: str = "run-1", status: RunStatus = "success") -> list[Payload]:
    row = LeaderboardRow(run_id=run_id, model="linear", params={}, metric=board, runtime_s=1.0, status=status)
    data = Dataset(id="upload:rows.csv", name="rows.csv", source="upload", desc="", meta={"path": "data/rows.csv"})
    return [
        StageStatusEvent(stage_id=StageId.TRAIN, status=StageStatus.IN_PROGRESS, message="", attempt=1),
        DatasetCandidates(datasets=(data,)),
        *run_of("run-1", "val", 0.75),
        *[LogLine(run_id="run-1", level="info", text=f"line {n}, größer", source="train") for n in range(40)],
        LeaderboardUpdated(rows=(row,)),
        *run_of("final-1", "test", 0.5),
        StageStatusEvent(stage_id=StageId.TRAIN, status=StageStatus.FAILED, message="", by=ADA),
    ]


async def write_log(root: Path, said: list[Payload], named: str = PROJECT, ahead: int = 0) -> dict[str, object]:
    """A project's log, written in several appends, and its export beside it; the frames may say another name and other
    numbers."""
    log = EventLog(root / ".log" / "events.sqlite")
    await log.open()
    ref = stage_ref(StageId.TRAIN, StageStatus.IN_PROGRESS)
    frames = as_stored(named, [Event(seq=n, ts=n, stage=ref, payload=p) for n, p in enumerate(said, 1 + ahead)])
    stored = [structs.replace(one, seq=one.seq - ahead) for one in frames]
    for start in range(0, len(stored), 7):
        part = stored[start : start + 7]
        entry = StoredEntry(
            project_id=PROJECT, epoch=EPOCH, seq=part[-1].seq, updated_ts=part[-1].seq, current_stage="TRAIN",
            status="FAILED", working=False, ended_by=ADA,
        )  # fmt: skip
        # Two with an id and a last one that led to nothing.
        await log.append(entry, part, [(f"id-{seq}", seq) for seq in {part[0].seq, part[-1].seq}])
    await log.append(entry, [], [("id-nothing", entry.seq)])
    found = await export_log(log, PROJECT, EPOCH, len(stored), root / "events.jsonl")
    await log.close()
    return found


def make_bundle(folder: Path, said: list[Payload], reported: float | None = 0.5) -> Path:
    about = asyncio.run(write_log(folder / "log", said))
    parts = folder / "bundle"
    for name, text in FILES.items():
        (parts / name).parent.mkdir(parents=True, exist_ok=True)
        (parts / name).write_text(text)
    for name in ("events.jsonl", "events.chain"):
        shutil.copyfile(folder / "log" / name, parts / name)
    test = {} if reported is None else {"roc_auc": reported}
    bundle.write_json(parts / "metrics.json", {"metrics": {"test": test}})
    bundle.write_json(parts / "MANIFEST.json", bundle.manifest(parts, about))
    bundle.pack(parts, folder / "bundle.zip")
    return folder / "bundle.zip"


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("packed"), payloads())


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("changed") / "changed.zip"


def test_what_was_exported_holds(packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(packed)]) == 0
    said = capsys.readouterr().out
    for part in ("files have the SHA-256", "events follow", "leaderboard", "0.75", "metrics.json", "byte for byte"):
        assert part in said
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "predictions.csv").write_text("mine")
    assert main(["verify", str(tmp_path)]) == 0
    assert "Not part of the bundle: predictions.csv" in capsys.readouterr().out


@settings(max_examples=150, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
@example(place=0.0, flip=1)
@example(place=0.9999999, flip=128)
def test_any_changed_byte_of_the_zip_is_found(packed: Path, scratch: Path, place: float, flip: int) -> None:
    data = bytearray(packed.read_bytes())
    data[int(place * len(data))] ^= flip
    scratch.write_bytes(data)
    with pytest.raises(VerificationError):
        verify(scratch)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_changed_byte_of_an_unpacked_bundle_is_found(packed: Path, data: st.DataObject) -> None:
    folder = packed.parent / "bundle"
    # The manifest as often as all others: nothing else has its checksum.
    name = data.draw(st.one_of(st.just("MANIFEST.json"), st.sampled_from(sorted(bundle.names_in(folder)))))
    before = (folder / name).read_bytes()
    changed = bytearray(before)
    changed[data.draw(st.integers(0, len(before) - 1))] ^= data.draw(st.integers(1, 255))
    (folder / name).write_bytes(changed)
    try:
        with pytest.raises(VerificationError) as caught:
            verify(folder)
        assert name.partition(".")[0] in str(caught.value) or "MANIFEST" in name
    finally:
        (folder / name).write_bytes(before)


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(1, 400))
def test_a_cut_or_lengthened_zip_is_found(packed: Path, scratch: Path, cut: int) -> None:
    data = packed.read_bytes()
    for changed in (data[:-cut], data + data[:cut], data[cut:], b"x" * cut + data):
        scratch.write_bytes(changed)
        with pytest.raises(VerificationError):
            verify(scratch)


def test_a_file_that_is_added_or_gone_is_named(packed: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "b")
    (tmp_path / "b" / "model" / "model.json").unlink()
    with pytest.raises(VerificationError, match=r"model/model\.json is missing"):
        verify(tmp_path / "b")
    more = tmp_path / "more.zip"
    shutil.copyfile(packed, more)
    with zipfile.ZipFile(more, "a") as archive:
        archive.writestr("extra.py", "1")
    with pytest.raises(VerificationError, match=r"extra\.py is not part"):
        verify(more)


@pytest.mark.parametrize("name", ["../out.txt", "/etc/x", "a//b", "./a"])
def test_names_that_no_bundle_has(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(name, "1")
    with pytest.raises(VerificationError, match="which no bundle has"):
        verify(tmp_path / "x.zip")


def sealed_anew(parts: Path) -> Path:
    """The bundle of changed parts, with a manifest that fits them."""
    log = json.loads((parts / "MANIFEST.json").read_text())["log"]
    bundle.write_json(parts / "MANIFEST.json", bundle.manifest(parts, log))
    bundle.pack(parts, parts.with_suffix(".zip"))
    return parts.with_suffix(".zip")


def test_a_large_file_is_checked_in_little_memory(packed: Path, tmp_path: Path) -> None:
    """Also one that is a zip bomb: of 256 MB that take 250 kB nothing is kept, in memory or on disk."""
    parts = tmp_path / "large"
    shutil.copytree(packed.parent / "bundle", parts)
    with (parts / "data" / "rows.csv").open("wb") as file:
        file.truncate(256 << 20)
    large = sealed_anew(parts)
    assert large.stat().st_size < 1 << 20
    for place in (large, parts):
        tracemalloc.start()
        try:
            assert any("files have the SHA-256" in line for line in verify(place))
            assert tracemalloc.get_traced_memory()[1] < 48 << 20
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "why"), [("events.jsonl", "unpacks to more than any log"), ("metrics.json", "larger than that of any")]
)
def test_what_has_to_be_read_as_a_whole_is_refused_where_it_is_a_bomb(
    packed: Path, tmp_path: Path, name: str, why: str
) -> None:
    parts = tmp_path / "bomb"
    shutil.copytree(packed.parent / "bundle", parts)
    with (parts / name).open("r+b") as file:
        file.truncate(200 << 20)
    bomb = sealed_anew(parts)
    tracemalloc.start()
    try:
        with pytest.raises(VerificationError, match=why):
            verify(bomb)
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


def test_a_zip_whose_files_lie_over_one_another_is_refused(packed: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("README.md", "1")
        archive.infolist()[0].compress_size = 1 << 30
    with pytest.raises(VerificationError, match="lie over one another"):
        verify(tmp_path / "x.zip")


def test_a_zip_that_is_packed_as_no_bundle_is_is_refused(packed: Path, tmp_path: Path) -> None:
    for method, why in ((zipfile.ZIP_LZMA, "a way in which no bundle is"), (zipfile.ZIP_STORED, "packed anew")):
        with zipfile.ZipFile(packed) as old, zipfile.ZipFile(tmp_path / "x.zip", "w", method) as new:
            for name in old.namelist():
                new.writestr(name, old.read(name))
        with pytest.raises(VerificationError, match=why):
            verify(tmp_path / "x.zip")


def test_a_forged_manifest_does_not_help_against_the_chain(packed: Path, tmp_path: Path) -> None:
    """Who changes an event and the manifest with it still has the chain to answer to."""
    folder = tmp_path / "forged"
    shutil.copytree(packed.parent / "bundle", folder)
    events = folder / "events.jsonl"
    events.write_bytes(events.read_bytes().replace(b"line 7", b"line 8", 1))
    log = json.loads((folder / "MANIFEST.json").read_text())["log"]
    bundle.write_json(folder / "MANIFEST.json", bundle.manifest(folder, log))
    with pytest.raises(VerificationError, match="Event 12 is not the one that was logged"):
        verify(folder)


def test_a_manifest_that_says_something_else_of_its_bundle_is_found(packed: Path, tmp_path: Path) -> None:
    """Also of what no other check needs, and where it is made anew with the log's end before or beside the true one."""
    folder = tmp_path / "said"
    shutil.copytree(packed.parent / "bundle", folder)
    manifest = folder / "MANIFEST.json"
    text = manifest.read_text()
    found = json.loads(text)
    manifest.write_text(text.replace(f'"zlib": "{found["zlib"]}"', f'"zlib": "{found["zlib"]}1"'))
    with pytest.raises(VerificationError, match="it is not as this version writes it"):
        verify(folder)
    for other in ({"seq": found["log"]["seq"] - 1}, {"head": "0" * 64}):
        bundle.write_json(manifest, bundle.manifest(folder, {**found["log"], **other}))
        with pytest.raises(VerificationError, match=f"The log ends at event {found['log']['seq']}, with another hash"):
            verify(folder)
    manifest.write_text(text)
    verify(folder)


def test_a_bundle_without_the_log_cannot_be_compared_with_what_was_kept(
    packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "without"
    shutil.copytree(packed.parent / "bundle", folder)
    for name in ("events.jsonl", "events.chain", "MANIFEST.json"):
        (folder / name).unlink()
    bundle.write_json(folder / "MANIFEST.json", bundle.manifest(folder))
    assert main(["verify", str(folder)]) == 0
    assert main(["verify", str(folder), "--head", f"1:{'0' * 64}"]) == 1
    assert "nothing to compare a hash with" in capsys.readouterr().out


def test_a_leaderboard_or_report_that_does_not_follow_from_the_runs_is_found(tmp_path: Path) -> None:
    """Nothing was changed afterwards; what was reported is wrong in itself."""
    with pytest.raises(VerificationError, match=r"leaderboard gives run-1 0\.9; measured was \[0\.75\]"):
        verify(make_bundle(tmp_path / "board", payloads(board=0.9)))
    with pytest.raises(VerificationError, match="leaderboard calls run-1 failed; it ended as success"):
        verify(make_bundle(tmp_path / "status", payloads(status="failed")))
    with pytest.raises(VerificationError, match="leaderboard has a run run-9 that never was"):
        verify(make_bundle(tmp_path / "run", payloads(run_id="run-9")))
    with pytest.raises(VerificationError, match=r"metrics\.json reports roc_auc 0\.6"):
        verify(make_bundle(tmp_path / "report", payloads(), reported=0.6))
    with pytest.raises(VerificationError, match=r"metrics\.json leaves out roc_auc"):
        verify(make_bundle(tmp_path / "less", payloads(), reported=None))


@pytest.mark.parametrize("metrics", [b"", b"[]", b"null", b"\xff", b'{"metrics": {}}', b'{"metrics": {"test": null}}'])
def test_metrics_that_cannot_be_read_are_said(packed: Path, tmp_path: Path, metrics: bytes) -> None:
    """With a manifest that fits them."""
    folder = tmp_path / "forged"
    shutil.copytree(packed.parent / "bundle", folder)
    (folder / "metrics.json").write_bytes(metrics)
    log = json.loads((folder / "MANIFEST.json").read_text())["log"]
    bundle.write_json(folder / "MANIFEST.json", bundle.manifest(folder, log))
    with pytest.raises(VerificationError, match=r"metrics\.json is not as this version writes it"):
        verify(folder)


# -- a project of this machine ---------------------------------------------------------------------------------


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "pipelines"
    folder = root / PROJECT
    said = payloads()
    candidates = said[1]
    assert isinstance(candidates, DatasetCandidates)
    candidates.datasets[0].meta["sha256"] = sha(FILES["data/rows.csv"])
    report = Artifact(id="report", type="report", name="Report", url="/report", meta={
        "path": "artifacts/profile_data-1/report.html", "sha256": sha("<p>")})  # fmt: skip
    said.insert(2, ArtifactAdded(artifact=report))
    trial = "artifacts/trials/abc"
    record = json.dumps({"sha256": {"model/model.json": sha("{}\n")}})
    runs = json.dumps({"run-1": {"trial_dir": trial, "record_sha256": sha(record)}})
    texts = {
        "data/rows.csv": FILES["data/rows.csv"], "artifacts/profile_data-1/report.html": "<p>", "code/train.py": "1\n",
        "artifacts/preprocess-1/split.npz": "rows", "artifacts/train-1/runs.json": runs, f"{trial}/trial.json": record,
        f"{trial}/model/model.json": "{}\n", "artifacts/.parsed/abc.arrow": "parsed", "errors/train-1.txt": "Traceback",
    }  # fmt: skip
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    told = [
        FileEntry(path=path, type=kind, size=len(texts[path]), sha=sha(texts[path]))
        for path, kind in (
            ("artifacts/preprocess-1/split.npz", "result"), ("artifacts/train-1/runs.json", "result"),
            ("code/train.py", "code"), ("artifacts/.parsed/abc.arrow", "copy"), ("errors/train-1.txt", "error"),
        )
    ]  # fmt: skip
    said[30] = FileTreeUpdate(files=tuple(told))  # in place of a line
    asyncio.run(write_log(root, said))
    return folder


def change(project: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(project.parent / ".log" / "events.sqlite")) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_project_holds_and_checking_it_changes_nothing(project: Path) -> None:
    log = project.parent / ".log" / "events.sqlite"
    before = log.read_bytes()
    assert "8 files (data, results, models, exports, errors)" in verify(project)[-2]
    assert log.read_bytes() == before


def test_a_project_is_found_from_within_its_folder(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    assert verify(Path()) == verify(project)
    monkeypatch.chdir(project / "data")
    assert verify(Path("..")) == verify(project)
    # Also where its folder is a link to a larger disk.
    project.rename(tmp_path / "large")
    project.symlink_to(tmp_path / "large", target_is_directory=True)
    assert "files (data" in verify(project)[-2]


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE events SET frame = CAST(replace(frame, '0.75', '0.85') AS BLOB) WHERE seq=5", "Event 5 is not"),
        ("UPDATE events SET chain = zeroblob(length(chain)) WHERE seq=14", "Event 8 is not"),
        ("UPDATE events SET name = name || char(10) || 'LOG_LINE' WHERE seq=14", "cannot be read"),
        ("DELETE FROM events WHERE seq=21", "should have the events 1 to"),
        ("DELETE FROM events WHERE seq=(SELECT max(seq) FROM events)", "should have the events 1 to"),
        ("UPDATE projects SET current_stage='EXPORT'", "has current_stage EXPORT; its events say TRAIN"),
        ("UPDATE projects SET ended_by=NULL", "has ended_by None; its events say"),
        ("UPDATE events SET state=0 WHERE seq=5", "files it as"),
        ("DELETE FROM projects", "knows no project"),
        ("UPDATE messages SET seq=9 WHERE id='id-8'", "The id 'id-8' is not"),
        ("DELETE FROM messages WHERE id='id-8'", "should have the ids of 15 messages, but has 14"),
        (
            "INSERT INTO messages SELECT project, 'more', seq, seal FROM messages LIMIT 1",
            "ids of 15 messages, but has 16",
        ),
        # Of a project that is yet to come: its first message would have been a duplicate.
        ("INSERT INTO messages SELECT -1, id, seq, seal FROM messages LIMIT 1", "1 rows that belong to no project"),
        ("INSERT INTO events SELECT 2, seq, name, state, frame, chain FROM events LIMIT 2", "2 rows that belong to no"),
        ("CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM messages; END", "its tables are not those"),
    ],
)
def test_a_changed_log_is_found(project: Path, statement: str, why: str) -> None:
    change(project, statement)
    with pytest.raises(VerificationError, match=why):
        verify(project)


def test_no_value_of_the_log_can_be_changed_unseen(project: Path) -> None:
    """Every column of every table, in its first and its last row: another value, another kind of value, and none."""
    path = project.parent / ".log" / "events.sqlite"
    whole = path.read_bytes()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        columns = {name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for name in tables}
        counts = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
    assert sorted(tables) == ["events", "messages", "projects"]
    assert len(tables) == sum("CREATE TABLE" in statement for statement in TABLES)
    others = (
        "CASE typeof({c}) WHEN 'integer' THEN 1-{c} WHEN 'text' THEN {c}||'x' ELSE CAST({c}||x'00' AS BLOB) END",
        "CASE typeof({c}) WHEN 'integer' THEN {c}+1000 ELSE 7 END",
        "NULL",
    )
    tried, kept = 0, set()
    for table in tables:
        for column in columns[table]:
            for at in {0, counts[table] - 1}:
                for other in others:
                    path.write_bytes(whole)
                    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
                        keys = ", ".join(f"{c} AS k{n}" for n, c in enumerate(columns[table]))
                        row = connection.execute(f"SELECT {keys} FROM {table} LIMIT 1 OFFSET {at}").fetchone()
                        which = " AND ".join(f"{c} IS ?" for c in columns[table])
                        try:
                            connection.execute(
                                f"UPDATE {table} SET {column}={other.format(c=column)} WHERE {which}", row
                            )
                        except sqlite3.IntegrityError:
                            continue  # the table itself does not take it
                        if connection.execute(f"SELECT count(*) FROM {table} WHERE {which}", row).fetchone()[0]:
                            continue  # it was like that
                    os.utime(path, (1, 1))
                    tried += 1
                    try:
                        verify(project)
                    except VerificationError:
                        continue
                    kept.add((table, column, other))
    assert not kept
    assert tried > 50


@pytest.mark.parametrize(
    ("named", "ahead", "why"),
    [
        ("other", 0, "number 1 of the project 'other'"),
        (PROJECT, 1, "number 2 of the project 'demo'"),
    ],
)
def test_events_of_another_project_or_place_are_found_though_their_hashes_hold(
    tmp_path: Path, named: str, ahead: int, why: str
) -> None:
    (tmp_path / PROJECT).mkdir()
    asyncio.run(write_log(tmp_path, payloads(), named, ahead))
    with pytest.raises(VerificationError, match=f"Event 1 is {why}"):
        verify(tmp_path / PROJECT)


@pytest.mark.parametrize(
    "name",
    [
        "data/rows.csv", "artifacts/profile_data-1/report.html", "artifacts/preprocess-1/split.npz",
        "artifacts/train-1/runs.json", "artifacts/trials/abc/trial.json", "artifacts/trials/abc/model/model.json",
    ],
)  # fmt: skip
def test_changed_files_are_found(project: Path, name: str) -> None:
    """Those of a stage's result are named by the log; what TRAIN made, by its result."""
    (project / name).write_bytes(b"~" + (project / name).read_bytes()[1:])
    with pytest.raises(VerificationError, match=f"{re.escape(name)} was changed"):
        verify(project)
    (project / name).unlink()
    with pytest.raises(VerificationError, match=f"{re.escape(name)} is missing"):
        verify(project)


@pytest.mark.parametrize("name", ["artifacts/.parsed/abc.arrow", "errors/train-1.txt"])
def test_a_copy_of_the_data_and_what_went_wrong_may_be_gone_but_not_changed(project: Path, name: str) -> None:
    """Later stages read the copy in place of the data; without it they read the data again. An error in full may say
    what is in the data."""
    (project / name).write_bytes(b"~" + (project / name).read_bytes()[1:])
    with pytest.raises(VerificationError, match=f"{re.escape(name)} was changed"):
        verify(project)
    (project / name).unlink()
    assert f"Removed since, which is allowed: {name}." in verify(project)


def test_what_the_log_does_not_name_is_listed_and_no_error(project: Path) -> None:
    """A person's own files, and what is left of work that the log does not know."""
    assert not any("Not covered" in said for said in verify(project))
    (project / "notes").mkdir()
    (project / "notes" / "mine.txt").write_text("mine")
    (project / "errors" / "train-2.txt").write_text("a cancelled attempt's")
    (project / "elsewhere").symlink_to(project.parent)
    told = verify(project)[-1]
    assert told == ("Not covered, because the log does not name them: elsewhere, errors/train-2.txt, notes/mine.txt.")
    for n in range(30):
        (project / "notes" / f"{n}.txt").touch()
    assert verify(project)[-1].endswith(" and 13 more.")


def test_the_code_is_the_persons_to_edit(project: Path) -> None:
    """What was done to it is told, and no error."""
    assert verify(project)[-1].endswith("after it was handed over; nothing in it was edited since.")
    (project / "code" / "train.py").write_text("mine")
    assert verify(project)[-1].endswith("edited since: code/train.py.")
    (project / "code" / "train.py").unlink()
    assert verify(project)[-1].endswith("edited since: code/train.py.")


def test_what_was_kept_elsewhere_finds_a_log_that_was_made_anew(
    project: Path, packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The chain has no key: who can write the log can write another. Not one that has a hash that somebody has kept."""
    assert main(["verify", str(project)]) == 0
    said = capsys.readouterr().out
    head = said.split("--head ")[1].split()[0]
    seq, digits = head.split(":")
    assert (int(seq), len(digits)) == (len(payloads()) + 1, 64)
    before = asyncio.run(write_log(tmp_path / "again" / "pipelines", payloads()[:-2]))
    for kept in (head, f"{seq}:{digits[:16].upper()}"):
        assert main(["verify", str(project), "--head", kept]) == 0
        assert f"Up to event {seq} they are those" in capsys.readouterr().out

    # Somebody writes all of it again, with another word, and all hashes of it.
    shutil.rmtree(project.parent / ".log")
    forged = [payload for payload in payloads() if not isinstance(payload, LogLine)]
    asyncio.run(write_log(project.parent, forged))
    assert main(["verify", str(project)]) == 0
    for kept, why in (
        (f"2:{digits}", "something up to there is other"),
        (head, f"a hash of its event {seq} was kept"),
        (f"{len(forged)}:{before['head']}", "something up to there is other"),
    ):
        assert main(["verify", str(project), "--head", kept]) == 1
        assert why in capsys.readouterr().out
    for wrong in ("", "5", "5:abc", "x:" + digits, f"5:{digits}0"):
        assert main(["verify", str(project), "--head", wrong]) == 1
        assert "is no event's number and hash" in capsys.readouterr().err


def test_a_project_goes_on_from_the_bundle_that_was_exported(
    packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bundle that was given away holds the log's last hash."""
    project = tmp_path / "pipelines" / PROJECT
    project.mkdir(parents=True)
    more = LogLine(run_id="chat", level="info", text="and on", source="user")
    end = payloads()[-1]
    asyncio.run(write_log(project.parent, [*payloads(), more, end]))
    bundle_of = str(packed)
    for place in (bundle_of, str(packed.parent / "bundle")):
        assert main(["verify", str(project), "--bundle", place]) == 0
        assert f"Up to event {len(payloads())} they are those" in capsys.readouterr().out
    shutil.rmtree(project.parent / ".log")
    asyncio.run(write_log(project.parent, [*payloads()[:-1], more, end]))
    assert main(["verify", str(project)]) == 0
    assert main(["verify", str(project), "--bundle", bundle_of]) == 1
    assert "something up to there is other" in capsys.readouterr().out


@settings(max_examples=30, deadline=None)
@given(place=st.integers(0, 1 << 30), flip=st.integers(1, 255))
def test_no_changed_byte_of_the_file_changes_what_the_log_says_unseen(
    tmp_path_factory: pytest.TempPathFactory, place: int, flip: int
) -> None:
    """A byte that carries nothing (unused space, SQLite's counters) may change; what is read may not."""
    root = tmp_path_factory.getbasetemp() / "flipped"
    if not root.exists():
        (root / PROJECT / "data").mkdir(parents=True)
        asyncio.run(write_log(root, payloads()))
    path = root / ".log" / "events.sqlite"
    before = path.read_bytes()
    said = read_rows(path, PROJECT)
    changed = bytearray(before)
    changed[place % len(before)] ^= flip
    path.write_bytes(changed)
    os.utime(path, (1, 1))
    try:
        verify(root / PROJECT)
    except VerificationError:
        return
    else:
        assert read_rows(path, PROJECT) == said
    finally:
        path.write_bytes(before)
        os.utime(path, (1, 1))


async def append_line(log: EventLog, seq: int) -> None:
    line = LogLine(run_id="chat", level="info", text="x" * 20_000, source="user")
    event = Event(seq=seq, ts=seq, stage=stage_ref(StageId.TRAIN, StageStatus.COMPLETED), payload=line)
    entry = StoredEntry(
        project_id=PROJECT, epoch=EPOCH, seq=seq, updated_ts=seq, current_stage="TRAIN", status="FAILED",
        working=False, ended_by=ADA,
    )  # fmt: skip
    await log.append(entry, as_stored(PROJECT, [event]), [])


def test_a_project_is_checked_while_a_server_writes_its_log(project: Path) -> None:
    """Each time it is as at some commit, not before the last that was acknowledged; the writer keeps its lock."""
    path = project.parent / ".log" / "events.sqlite"

    async def check() -> None:
        log = EventLog(path)
        await log.open()
        done, seq = False, (await log.entries())[0].seq

        async def write() -> None:
            nonlocal seq
            while not done:
                await append_line(log, seq + 1)
                seq += 1
                await asyncio.sleep(0.001)

        writing = asyncio.create_task(write())
        rounds = 0
        while rounds < 4 or (path.stat().st_size <= 1 << 20 and rounds < 200):  # until there was a checkpoint
            rounds += 1
            before = seq
            said = await asyncio.to_thread(verify, project)
            assert before <= int(said[0].split()[0]) <= seq
        done = True
        await writing
        probe = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('SELECT * FROM projects')"
        other = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", probe, str(path)], capture_output=True, check=False
        )
        assert b"locked" in other.stderr, "the writer has lost its lock"
        await log.close()

    asyncio.run(check())
    assert path.stat().st_size > 1 << 20, "there was a checkpoint"


class Lease:
    """Whoever opens a file waits until it is given back (``fcntl(2)``, "Leases"); nobody may have it open."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR)
        deadline = time.monotonic() + 60
        while True:
            try:
                fcntl.fcntl(self.fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
                return
            except BlockingIOError:  # somebody has not closed it yet
                assert time.monotonic() < deadline
                time.sleep(0.001)

    def wanted(self) -> None:
        """Return when somebody waits for it."""
        deadline = time.monotonic() + 60
        while fcntl.fcntl(self.fd, fcntl.F_GETLEASE) == fcntl.F_WRLCK:
            assert time.monotonic() < deadline, "nobody opens the file"
            time.sleep(0.001)

    def give_back(self) -> None:
        fcntl.fcntl(self.fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        os.close(self.fd)


@pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's own")
def test_a_log_is_copied_again_where_there_was_a_checkpoint_between_its_files(
    tmp_path: Path,
) -> None:
    """The file of before with the WAL of after it is no log."""
    path, wal = tmp_path / "events.sqlite", tmp_path / "events.sqlite-wal"

    async def write() -> tuple[bytes, bytes]:
        """The files before a checkpoint; the log ends after it."""
        log = EventLog(path)
        await log.open()
        for seq in range(1, 301):
            await append_line(log, seq)
        before = path.read_bytes(), wal.read_bytes()
        async with asyncio.timeout(60):
            while path.stat().st_size < 1 << 20:  # noqa: ASYNC110 - what the log does when nothing comes
                await asyncio.sleep(0.01)
        await append_line(log, 301)
        after.append((path.read_bytes(), wal.read_bytes()))
        await log.close()
        return before

    after: list[tuple[bytes, bytes]] = []
    for place, data in zip((path, wal), asyncio.run(write()), strict=True):
        place.write_bytes(data)
        os.utime(place, (1, 1))
    before = signal.signal(signal.SIGIO, lambda *_: None)  # tells that a lease is wanted
    try:
        with ThreadPoolExecutor(1) as thread:
            of_file, of_wal = Lease(path), Lease(wal)
            reading = thread.submit(read_rows, path, PROJECT)
            of_wal.wanted()  # it looks at the WAL's header first
            of_wal.give_back()
            of_file.wanted()  # then copies the file
            of_wal = Lease(wal)
            of_file.give_back()
            of_wal.wanted()  # and has copied it
            path.write_bytes(after[0][0])
            os.ftruncate(of_wal.fd, 0)
            os.pwrite(of_wal.fd, after[0][1], 0)
            of_wal.give_back()
            found = reading.result()
    finally:
        signal.signal(signal.SIGIO, before)
    assert found is not None
    assert [row.seq for row in found.events] == list(range(1, 302))


def test_what_is_neither_is_said(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="neither a bundle nor a project"):
        verify(tmp_path)
    (tmp_path / "x.zip").write_text("no zip")
    with pytest.raises(VerificationError, match="no zip"):
        verify(tmp_path / "x.zip")
    assert main(["verify", str(tmp_path / "none")]) == 1
