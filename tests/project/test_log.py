"""The event log on a real file, with real kills."""

import asyncio
import contextlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipeline.project.chain import genesis, links
from jupyter_pipeline.project.log import EventLog, LogUnusable, Stored, StoredEntry
from jupyter_pipeline.project.log_deleting import delete_piece
from jupyter_pipeline.project.log_rows import ROW_BYTES, ROW_EVENTS

from .test_trouble import full_disk

WRITER = """
import asyncio, sys
from pathlib import Path
from jupyter_pipeline.project.log import StoredEntry, EventLog, Stored

async def main():
    log = EventLog(Path(sys.argv[1]))
    await log.open()
    for seq in range(1, 1_000_000):
        entry = StoredEntry(project_id="p", epoch="e", seq=seq, updated_ts=seq,
                      current_stage="TRAIN", status="IN_PROGRESS", working=True)
        await log.append(entry, [Stored(seq, "LOG_LINE", b"frame %d" % seq)], [(f"m{seq}", seq)])
        print(seq, flush=True)

asyncio.run(main())
"""


def entry(project_id: str, seq: int) -> StoredEntry:
    return StoredEntry(
        project_id=project_id,
        epoch="e",
        seq=seq,
        updated_ts=seq,
        current_stage="TRAIN",
        status="IN_PROGRESS",
        working=False,
    )


def test_what_was_committed_goes_into_the_file_itself_when_nothing_comes(tmp_path: Path) -> None:
    async def check() -> None:
        log = EventLog(tmp_path / "events.sqlite")
        await log.open()
        for seq in range(1, 401):
            await log.append(entry("p", seq), [Stored(seq, "LOG_LINE", b"x" * 16_000)], [])
        deadline = time.monotonic() + 20
        while (tmp_path / "events.sqlite").stat().st_size < 400 * 16_000:
            assert time.monotonic() < deadline, "there was no checkpoint"
            await asyncio.sleep(0.02)
        assert [e.seq for e in await log.read("p", 0, 1000)] == list(range(1, 401))
        await log.close()

    asyncio.run(check())


def test_who_reads_one_event_reads_few_others(tmp_path: Path) -> None:
    """Events share rows, which are read as a whole."""

    async def check() -> None:
        log = EventLog(tmp_path / "events.sqlite")
        await log.open()
        await log.append(entry("p", 300), [Stored(n, "LOG_LINE", b"x" * 9000) for n in range(1, 101)], [])
        await log.append(entry("p", 300), [Stored(n, "LOG_LINE", b"x") for n in range(101, 301)], [])
        rows = await log._do(lambda db: db.execute("SELECT seq, length(frame) FROM events ORDER BY seq").fetchall())
        assert max(size for _, size in rows) < ROW_BYTES + 9000
        assert [seq for seq, _ in rows] == [*range(2, 101, 2), 100 + ROW_EVENTS, 300]
        await log.close()

    asyncio.run(check())


def test_what_was_acknowledged_is_there_after_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "log" / "events.sqlite"
    for _ in range(3):
        path.unlink(missing_ok=True)
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            acknowledged = [int(writer.stdout.readline()) for _ in range(200)]
            writer.send_signal(signal.SIGKILL)
            acknowledged += [int(line) for line in writer.stdout]

        async def check(last: int = acknowledged[-1]) -> None:
            log = EventLog(path)
            await log.open()
            events = await log.read("p", 0, 1_000_000)
            assert [e.seq for e in events] == list(range(1, len(events) + 1))
            assert len(events) >= last
            assert events[last - 1].frame == b"frame %d" % last
            assert await log.message_seq("p", f"m{last}") == last
            assert (await log.entries())[0].seq == len(events)
            await log.close()

        asyncio.run(check())


def test_a_second_process_gets_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / ".log" / "events.sqlite"

    async def check() -> None:
        log = EventLog(path)
        await log.open()
        code = (
            "import asyncio, sys; from pathlib import Path; from jupyter_pipeline.project.log import EventLog\n"
            "asyncio.run(EventLog(Path(sys.argv[1])).open())"
        )
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, str(path), stderr=asyncio.subprocess.PIPE
        )
        _, error = await second.communicate()
        assert second.returncode != 0
        assert b"LogInUse" in error
        assert b"already uses the projects" in error
        await log.close()

    asyncio.run(check())


def test_projects_do_not_mix_and_a_deleted_one_is_gone(tmp_path: Path) -> None:
    async def check() -> None:
        log = EventLog(tmp_path / "events.sqlite")
        await log.open()
        await asyncio.gather(
            *(
                log.append(
                    entry(p, 2), [Stored(1, "A", p.encode()), Stored(2, "B", b"x", state=False)], [(f"id-{p}", 2)]
                )
                for p in "abcdef"
            )
        )
        assert [e.frame for e in await log.read("c", 0, 10)] == [b"c", b"x"]
        assert await log.state_frames("c") == [b"c"]
        await log.delete("c")
        assert await log.read("c", 0, 10) == []
        assert await log.message_seq("c", "id-c") is None
        assert {e.project_id for e in await log.entries()} == set("abdef")
        await log.close()

    asyncio.run(check())


def test_an_append_that_fails_harms_no_other(tmp_path: Path) -> None:
    async def check() -> None:
        log = EventLog(tmp_path / "events.sqlite")
        await log.open()
        await log.append(entry("a", 1), [Stored(1, "A", b"1")], [])
        results = await asyncio.gather(
            log.append(entry("a", 1), [Stored(1, "A", b"again")], []),
            log.append(entry("b", 1), [Stored(1, "A", b"1")], []),
            return_exceptions=True,
        )
        assert isinstance(results[0], Exception)
        assert results[1] is None
        assert [e.frame for e in await log.read("a", 0, 9)] == [b"1"]
        assert [e.frame for e in await log.read("b", 0, 9)] == [b"1"]
        await log.close()

    asyncio.run(check())


@pytest.mark.parametrize("size", [100_000, 8_000_000], ids=["found at the commit", "found before it"])
def test_on_a_full_disk_all_is_read_also_what_is_asked_for_beside_what_cannot_be_stored(
    tmp_path: Path, size: int
) -> None:
    async def check() -> None:
        log = EventLog(tmp_path / "events.sqlite")
        await log.open()
        await log.append(entry("a", 1), [Stored(1, "A", b"1")], [])
        others_wait = threading.Event()
        with full_disk(tmp_path / "events.sqlite"):
            first = asyncio.ensure_future(log._do(lambda db: others_wait.wait()))
            # What waits together is committed together.
            beside = asyncio.gather(
                log.read("a", 0, 9),
                log.append(entry("a", 2), [Stored(2, "A", b"2" * size)], []),
                log.entries(),
                return_exceptions=True,
            )
            await asyncio.sleep(0)
            others_wait.set()
            events, refused, entries = await beside
            await first
        assert isinstance(refused, sqlite3.OperationalError)
        assert str(refused) in ("disk I/O error", "database or disk is full"), "people are told it"
        assert [event.seq for event in events] == [1]
        assert [one.seq for one in entries] == [1], "and not what was not stored"
        await log.append(entry("a", 2), [Stored(2, "A", b"2" * size)], [])
        await log.close()

    asyncio.run(check())


def test_an_unreadable_file_is_an_error_not_a_hang(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    path.write_bytes(b"this is no database, but long enough to be taken for one" * 50)
    with pytest.raises(Exception, match="not a database"):
        asyncio.run(EventLog(path).open())


def test_a_commit_is_on_the_disk_and_not_only_with_the_system(tmp_path: Path) -> None:
    """What only a loss of power would show, which no test can wait for: SQLite is told to flush each commit."""

    async def check() -> None:
        log = EventLog(tmp_path / "events.sqlite")
        await log.open()
        names = ("journal_mode", "synchronous", "locking_mode")
        found = [await log._do(lambda db, name=name: db.execute(f"PRAGMA {name}").fetchone()[0]) for name in names]
        assert found == ["wal", 2, "exclusive"]
        await log.close()

    asyncio.run(check())


def test_an_event_that_leaves_a_gap_is_refused(tmp_path: Path) -> None:
    async def check() -> None:
        log = EventLog(tmp_path / "events.sqlite")
        await log.open()
        await log.append(entry("a", 2), [Stored(1, "A", b"1"), Stored(2, "A", b"2")], [])
        for seq in (1, 2, 4):
            with pytest.raises(ValueError, match="cannot follow 2"):
                await log.append(entry("a", seq), [Stored(seq, "A", b"x")], [])
        assert [e.seq for e in await log.read("a", 0, 9)] == [1, 2]
        assert (await log.entries())[0].seq == 2
        await log.close()

    asyncio.run(check())


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("PRAGMA user_version=99", "of a newer jupyter_pipeline"),
        ("PRAGMA user_version=1", "of format 1, which was never released"),
        ("PRAGMA user_version=0", "of format 0"),
        ("ALTER TABLE messages DROP COLUMN seal", "its tables are not those"),
        ("CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM messages; END", "its tables are not those"),
    ],
)
def test_a_log_of_another_version_is_left_alone(tmp_path: Path, statement: str, why: str) -> None:
    path = tmp_path / "events.sqlite"

    async def write() -> None:
        log = EventLog(path)
        await log.open()
        await log.append(entry("a", 1), [Stored(1, "A", b"1")], [])
        await log.close()

    asyncio.run(write())
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)
    before = path.read_bytes()
    with pytest.raises(LogUnusable, match=why):
        asyncio.run(EventLog(path).open())
    assert path.read_bytes() == before


@settings(max_examples=40, deadline=None)
@given(
    appends=st.lists(
        st.lists(st.tuples(st.sampled_from([1, 300, 5_000, 40_000]), st.booleans()), min_size=1, max_size=200),
        min_size=1,
        max_size=4,
    ),
    asked=st.lists(
        st.tuples(st.integers(0, 900), st.integers(1, 300), st.sampled_from([None, 1, 1_000, 60_000])), max_size=20
    ),
)
def test_what_was_appended_is_read_from_any_place(
    appends: list[list[tuple[int, bool]]], asked: list[tuple[int, int, int | None]]
) -> None:
    """However events share rows: any page is a piece of what was appended, as long as it may be."""

    async def check(folder: str) -> None:
        log = EventLog(Path(folder) / "events.sqlite")
        await log.open()
        events: list[Stored] = []
        for some in appends:
            numbered = enumerate(some, len(events) + 1)
            part = [Stored(n, f"N{n % 3}", b"%d" % n + b"x" * size, state=state) for n, (size, state) in numbered]
            events += part
            await log.append(entry("a", len(events)), part, [])
        frames = [event.frame for event in events]
        hashes = links(genesis("a", "e"), frames)
        assert await log.state_frames("a") == [event.frame for event in events if event.state]
        for since, limit, size in [(0, len(events), None), *asked]:
            page = await log.read("a", since, limit, size)
            same = events[since : since + limit]
            assert [(e.seq, e.name, e.frame) for e in page] == [(e.seq, e.name, e.frame) for e in same[: len(page)]]
            assert await log.chain("a", since, limit) == hashes[since : since + limit]
            if size is None:
                assert len(page) == len(same)
                continue
            assert bool(page) == bool(same)
            assert len(page) <= 1 or sum(len(e.frame) for e in page) <= size
            # Nor is it far shorter than it might be.
            longest = next((n for n in range(len(same)) if sum(len(e.frame) for e in same[: n + 1]) > size), len(same))
            assert len(page) >= longest // 2
        await log.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check(folder))


def test_what_was_deleted_goes_in_pieces_while_others_append(tmp_path: Path) -> None:
    """It is gone at once, its name may be taken again at once, and an end of the server in between changes nothing."""

    async def check() -> None:
        log = EventLog(tmp_path / "events.sqlite")
        await log.open()
        for seq in range(1, 400):
            await log.append(entry("a", seq), [Stored(seq, "A", b"x" * 20_000)], [(f"id-{seq}", seq)])
        await log.delete("a")
        assert await log.entries() == []
        assert await log.entry("a") is None
        assert await log.read("a", 0, 9) == []
        await log.append(entry("a", 1), [Stored(1, "A", b"new")], [("id-1", 1)])
        pieces = asyncio.ensure_future(log.clear_deleted())
        for seq in range(2, 6):
            await log.append(entry("a", seq), [Stored(seq, "A", b"new")], [])
        assert not pieces.done(), "it takes longer than others' events wait"
        pieces.cancel()
        await log.close()
        log = EventLog(tmp_path / "events.sqlite")
        await log.open()
        assert [e.frame for e in await log.read("a", 0, 9)] == [b"new"] * 5
        assert await log.message_seq("a", "id-1") == 1
        assert await log.message_seq("a", "id-2") is None
        await log.clear_deleted()
        for seq in range(1, 5):
            await log.append(entry("b", seq), [Stored(seq, "A", b"x" * 1_500_000)], [])
        await log.delete("b")
        pieces_of_b = 0
        while await log._do(delete_piece):
            pieces_of_b += 1
        assert pieces_of_b == 5, "large events go one by one, then the line of the list"
        await log.close()
        with contextlib.closing(sqlite3.connect(tmp_path / "events.sqlite")) as connection:
            for table, rows in (("projects", 1), ("events", 5), ("messages", 1)):
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (rows,)

    asyncio.run(check())
