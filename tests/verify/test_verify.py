"""A bundle and a log are checked to the last byte: whatever is changed is found, and said where."""

import asyncio
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jupyter_pipeline.client.cli import main
from jupyter_pipeline.project.log import Entry, EventLog, Stored
from jupyter_pipeline.project.log_export import export_log
from jupyter_pipeline.project.log_reading import read_rows
from jupyter_pipeline.protocol.events import (
    Dataset,
    DatasetCandidates,
    FinalMetric,
    FinalMetrics,
    LeaderboardRow,
    LeaderboardUpdated,
    LogLine,
    Payload,
    StageStatusEvent,
    TrainRunFinished,
    TrainRunStarted,
)
from jupyter_pipeline.protocol.frames import Event, encode_event, stage_ref
from jupyter_pipeline.protocol.stages import StageId, StageStatus
from jupyter_pipeline.stages import bundle
from jupyter_pipeline.verify import VerificationError, verify

PROJECT, EPOCH = "demo", "0123456789abcdef"
FILES = {"README.md": "# A model\n", "model/model.json": "{}\n", "data/rows.csv": "a,b\n" + "1,2\n" * 200}


def run_of(run_id: str, split: str, value: float) -> list[Payload]:
    final = FinalMetrics(
        task_type="binary", primary="roc_auc", metrics=(FinalMetric(name="roc_auc", split=split, value=value),)
    )
    return [
        TrainRunStarted(run_id=run_id, model_id="linear", metric_primary="roc_auc", config={}),
        TrainRunFinished(run_id=run_id, status="success", final_metrics=final),
    ]


def payloads(board: float = 0.75) -> list[Payload]:
    row = LeaderboardRow(run_id="run-1", model="linear", params={}, metric=board, runtime_s=1.0, status="success")
    data = Dataset(id="upload:rows.csv", name="rows.csv", source="upload", desc="", meta={"path": "data/rows.csv"})
    return [
        StageStatusEvent(stage_id=StageId.TRAIN, status=StageStatus.IN_PROGRESS, message="", attempt=1),
        DatasetCandidates(datasets=(data,)),
        *run_of("run-1", "val", 0.75),
        *[LogLine(run_id="run-1", level="info", text=f"line {n}, größer", source="train") for n in range(40)],
        LeaderboardUpdated(rows=(row,)),
        *run_of("final-1", "test", 0.5),
        StageStatusEvent(stage_id=StageId.TRAIN, status=StageStatus.COMPLETED, message=""),
    ]


async def write_log(root: Path, said: list[Payload]) -> dict[str, object]:
    """A project's log, written in several appends, and its export beside it."""
    log = EventLog(root / ".log" / "events.sqlite")
    await log.open()
    ref = stage_ref(StageId.TRAIN, StageStatus.IN_PROGRESS)
    stored = [Stored(e.seq, e.name, encode_event(PROJECT, e), type(e.payload).STATE) for e in
              (Event(seq=n, ts=n, stage=ref, payload=p) for n, p in enumerate(said, 1))]  # fmt: skip
    for start in range(0, len(stored), 7):
        part = stored[start : start + 7]
        entry = Entry(
            project_id=PROJECT, epoch=EPOCH, seq=part[-1].seq, updated_ts=part[-1].seq, current_stage="TRAIN",
            status="COMPLETED", working=False,
        )  # fmt: skip
        # Two with an id and a last one that led to nothing.
        await log.append(entry, part, [(f"id-{part[0].seq}", part[0].seq), (f"id-{part[-1].seq}", part[-1].seq)])
    await log.append(entry, [], [("id-nothing", entry.seq)])
    found = await export_log(log, PROJECT, EPOCH, len(stored), root / "events.jsonl")
    await log.close()
    return found


def make_bundle(folder: Path, said: list[Payload], reported: float = 0.5) -> Path:
    about = asyncio.run(write_log(folder / "log", said))
    parts = folder / "bundle"
    for name, text in FILES.items():
        (parts / name).parent.mkdir(parents=True, exist_ok=True)
        (parts / name).write_text(text)
    for name in ("events.jsonl", "events.chain"):
        shutil.copyfile(folder / "log" / name, parts / name)
    bundle.write_json(parts / "metrics.json", {"metrics": {"test": {"roc_auc": reported}}})
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


def test_a_leaderboard_or_report_that_does_not_follow_from_the_runs_is_found(tmp_path: Path) -> None:
    """Nothing was changed afterwards; what was reported is wrong in itself."""
    with pytest.raises(VerificationError, match=r"leaderboard gives run-1 0\.9; measured was \[0\.75\]"):
        verify(make_bundle(tmp_path / "board", payloads(board=0.9)))
    with pytest.raises(VerificationError, match=r"metrics\.json reports roc_auc 0\.6"):
        verify(make_bundle(tmp_path / "report", payloads(), reported=0.6))


# -- a project of this machine ---------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "pipelines"
    folder = root / PROJECT
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "rows.csv").write_text(FILES["data/rows.csv"])
    said = payloads()
    candidates = said[1]
    assert isinstance(candidates, DatasetCandidates)
    candidates.datasets[0].meta["sha256"] = bundle.sha256(folder / "data" / "rows.csv")
    asyncio.run(write_log(root, said))
    return folder


def change(project: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(project.parent / ".log" / "events.sqlite")) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_project_holds_and_checking_it_changes_nothing(project: Path) -> None:
    log = project.parent / ".log" / "events.sqlite"
    before = log.read_bytes()
    assert "1 data files" in verify(project)[-1]
    assert log.read_bytes() == before


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE events SET frame = CAST(replace(frame, '0.75', '0.85') AS BLOB) WHERE seq=4", "Event 4 is not"),
        ("UPDATE events SET chain = zeroblob(length(chain)) WHERE seq=14", "Event 8 is not"),
        ("UPDATE events SET chain = substr(chain, 33) WHERE seq=14", "cannot be read"),
        ("UPDATE events SET name = name || char(10) || 'LOG_LINE' WHERE seq=14", "cannot be read"),
        ("DELETE FROM events WHERE seq=21", "should have the events 1 to"),
        ("DELETE FROM events WHERE seq=(SELECT max(seq) FROM events)", "should have the events 1 to"),
        ("UPDATE events SET seq=seq+1000 WHERE seq=(SELECT min(seq) FROM events)", "should have the events"),
        ("UPDATE projects SET epoch='other'", "Event 1 is not"),
        ("UPDATE projects SET current_stage='EXPORT'", "its events say otherwise"),
        ("UPDATE projects SET updated_ts=updated_ts+1", "another time"),
        ("UPDATE events SET name=replace(name, 'DATASET_CANDIDATES', 'LOG_LINE')", "files it as LOG_LINE"),
        ("UPDATE events SET state=0 WHERE seq=4", "files it as"),
        ("DELETE FROM projects", "knows no project"),
        ("UPDATE messages SET id='another' WHERE id='id-8'", "The id 'another' is not that of a message"),
        ("UPDATE messages SET seq=9 WHERE id='id-8'", "The id 'id-8' is not"),
        ("UPDATE messages SET seq=999 WHERE id='id-8'", "The id 'id-8' is not"),
        ("UPDATE messages SET seal=zeroblob(32) WHERE id='id-nothing'", "The id 'id-nothing' is not"),
        ("DELETE FROM messages WHERE id='id-8'", "should have the ids of 15 messages, but has 14"),
        (
            "INSERT INTO messages SELECT project, 'more', seq, seal FROM messages LIMIT 1",
            "ids of 15 messages, but has 16",
        ),
        ("UPDATE projects SET messages=14", "should have the ids of 14 messages, but has 15"),
    ],
)
def test_a_changed_log_is_found(project: Path, statement: str, why: str) -> None:
    change(project, statement)
    with pytest.raises(VerificationError, match=why):
        verify(project)


def test_the_ids_of_a_log_of_the_version_before_are_sealed_when_it_is_opened(project: Path) -> None:
    """As that version wrote it: without the columns."""
    for statement in ("ALTER TABLE messages DROP COLUMN seal", "ALTER TABLE projects DROP COLUMN messages",
                      "PRAGMA user_version=1"):  # fmt: skip
        change(project, statement)
    with pytest.raises(VerificationError, match="of an earlier version"):
        verify(project)

    async def opened() -> list[int | None]:
        log = EventLog(project.parent / ".log" / "events.sqlite")
        await log.open()
        found = [await log.message_seq(PROJECT, name) for name in ("id-8", "id-nothing", "never")]
        await log.close()
        return found

    assert asyncio.run(opened()) == [8, len(payloads()), None]
    assert "15 messages with an id took effect" in verify(project)[1]
    change(project, "UPDATE messages SET seq=9 WHERE id='id-8'")
    with pytest.raises(VerificationError, match="The id 'id-8' is not"):
        verify(project)


def test_changed_data_are_found(project: Path) -> None:
    (project / "data" / "rows.csv").write_text("a,b\n1,3\n")
    with pytest.raises(VerificationError, match=r"rows\.csv was changed"):
        verify(project)


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


def test_a_project_is_checked_while_a_server_writes_its_log(project: Path) -> None:
    """Each time it is as at some commit, not before the last that was acknowledged; the writer keeps its lock."""
    path = project.parent / ".log" / "events.sqlite"

    async def check() -> None:
        log = EventLog(path)
        await log.open()
        done, seq = False, (await log.entries())[0].seq
        ref = stage_ref(StageId.TRAIN, StageStatus.COMPLETED)

        async def write() -> None:
            nonlocal seq
            while not done:
                line = LogLine(run_id="chat", level="info", text="x" * 20_000, source="user")
                event = Event(seq=seq + 1, ts=seq + 1, stage=ref, payload=line)
                entry = Entry(
                    project_id=PROJECT, epoch=EPOCH, seq=seq + 1, updated_ts=seq + 1, current_stage="TRAIN",
                    status="COMPLETED", working=False,
                )  # fmt: skip
                await log.append(entry, [Stored(seq + 1, "LOG_LINE", encode_event(PROJECT, event), False)], [])
                seq += 1
                await asyncio.sleep(0.001)

        writing = asyncio.create_task(write())
        for _ in range(4):
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


def test_what_is_neither_is_said(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="neither a bundle nor a project"):
        verify(tmp_path)
    (tmp_path / "x.zip").write_text("no zip")
    with pytest.raises(VerificationError, match="no zip"):
        verify(tmp_path / "x.zip")
    assert main(["verify", str(tmp_path / "none")]) == 1
