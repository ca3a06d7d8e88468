"""Cursors: everything once and in order, from memory or from the file, and what is shared is the same."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipeline.project import tail as module
from jupyter_pipeline.project.log import EventLog, Stored, StoredEntry
from jupyter_pipeline.project.manager import RESTING, ProjectManager
from jupyter_pipeline.project.settings import Settings
from jupyter_pipeline.project.tail import BATCH_BYTES, Cursor, ProjectDeleted, Tail
from jupyter_pipeline.protocol.events import User
from jupyter_pipeline.protocol.messages import Chat

USER = User("ada", "Ada")


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 120))


def event(seq: int, size: int) -> Stored:
    return Stored(seq, "LOG_LINE", b"%d:" % seq + b"x" * size)


async def append(log: EventLog, tail: Tail, events: list[Stored], keep: bool = True) -> None:
    entry = StoredEntry(
        project_id="p", epoch="e", seq=events[-1].seq, updated_ts=0, current_stage="TRAIN", status="X", working=False
    )
    await log.append(entry, events, [])
    tail.extend(events, keep=keep)
    assert keep or not tail._events, "for nobody nothing is kept"


@settings(max_examples=25, deadline=None)
@given(
    groups=st.lists(
        st.tuples(st.lists(st.integers(0, 5000), min_size=1, max_size=40), st.booleans()), min_size=1, max_size=12
    ),
    starts=st.lists(st.floats(0, 1), min_size=1, max_size=4),
    keep=st.integers(1, 60),
)
def test_every_cursor_gets_everything_once(
    tmp_path_factory: pytest.TempPathFactory, groups: list[tuple[list[int], bool]], starts: list[float], keep: int
) -> None:
    """Also when memory holds few events, so that cursors change between it and the file."""

    async def test() -> None:
        log = EventLog(tmp_path_factory.mktemp("tail") / "events.sqlite")
        await log.open()
        tail = Tail(log, "p", 0)
        written: list[Stored] = []

        async def read(start: float, total: int) -> None:
            cursor = Cursor(tail, since := int(start * tail.head))
            found: list[Stored] = []
            while cursor.position < total:
                batch = await cursor.next()
                assert batch.last == cursor.position == batch.events[-1].seq
                assert sum(len(e.frame) for e in batch) <= BATCH_BYTES or len(batch.events) == 1
                assert batch.wire(lambda events: b"|".join(e.frame for e in events)).count(b"|") < len(batch.events)
                found += batch
            assert [(e.seq, e.frame) for e in found] == [(e.seq, e.frame) for e in written[since:]]

        total = sum(len(sizes) for sizes, _ in groups)
        readers: list[asyncio.Task[None]] = []
        for sizes, attended in groups:
            events = [event(len(written) + n, size) for n, size in enumerate(sizes, 1)]
            written += events
            await append(log, tail, events, attended)
            if len(readers) < len(starts):
                readers.append(asyncio.create_task(read(starts[len(readers)], total)))
        await asyncio.gather(*readers)
        await log.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TAIL_EVENTS", keep)
        run(test)


def test_a_page_of_the_file_ends_by_its_bytes(tmp_path: Path) -> None:
    async def test() -> None:
        log = EventLog(tmp_path / "events.sqlite")
        await log.open()
        tail = Tail(log, "p", 0)
        await append(log, tail, [event(n, 1000) for n in range(1, 1001)])
        await append(log, tail, [event(1001, 3_000_000), event(1002, 10)])
        page = await log.read("p", 0, 5000, 100_000)
        assert [e.seq for e in page] == list(range(1, len(page) + 1))
        assert 10_000 < sum(len(e.frame) for e in page) <= 100_000
        assert [e.seq for e in await log.read("p", 1000, 5000, 100_000)] == [1001]
        assert [e.seq for e in await log.read("p", 1001, 5000, 100_000)] == [1002]
        assert await log.read("p", 1002, 5000, 100_000) == []
        assert len(await log.read("p", 0, 5000)) == 1002
        # What is in the file and not known yet, because the state does not have it, is not read.
        known = Tail(log, "p", 1000)
        assert [e.seq for e in await known.read(998, 10)] == [999, 1000]
        await log.close()

    run(test)


def test_a_reader_that_goes_away_takes_no_page_from_those_who_wait_for_the_same(tmp_path: Path) -> None:
    async def test() -> None:
        log = EventLog(tmp_path / "events.sqlite")
        await log.open()
        tail = Tail(log, "p", 0)
        await append(log, tail, [event(n, 1000) for n in range(1, 101)], keep=False)
        goes, stays = [asyncio.create_task(Cursor(tail, 0).next()) for _ in range(2)]
        while not tail._reading:  # noqa: ASYNC110
            await asyncio.sleep(0)
        goes.cancel()
        assert (await stays).last == 100
        assert goes.cancelled()
        await log.close()

    run(test)


def test_readers_that_come_and_go_while_nothing_happens_leave_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        tail = Tail(EventLog(tmp_path / "events.sqlite"), "p", 0)
        readers = [asyncio.create_task(Cursor(tail, 0).next()) for _ in range(100)]
        while len(tail._waiters) < 100:  # noqa: ASYNC110
            await asyncio.sleep(0)
        for reader in readers:
            reader.cancel()
        await asyncio.wait(readers)
        assert not tail._waiters

    run(test)


def test_what_memory_holds_is_bounded_by_bytes_too(tmp_path: Path) -> None:
    async def test() -> None:
        log = EventLog(tmp_path / "events.sqlite")
        await log.open()
        tail = Tail(log, "p", 0)
        for seq in range(1, 301):
            await append(log, tail, [event(seq, 100_000)])
            assert sum(len(e.frame) for e in tail._events) <= 2 * module.TAIL_BYTES + 100_020
        cursor, seqs = Cursor(tail, 0), list[int]()
        while cursor.position < 300:
            seqs += [e.seq for e in await cursor.next()]
        assert seqs == list(range(1, 301))
        for position in range(260, 300):
            assert await tail.batch(position) is not None
        assert len(tail._shared) <= module._SHARED
        await log.close()

    run(test)


def test_a_project_that_is_being_deleted_is_not_opened_from_the_old_log(tmp_path: Path) -> None:
    async def test() -> None:
        manager = ProjectManager(Settings(workspace_dir=str(tmp_path), warm_workers=0))
        await manager.start()
        for _ in range(5):
            old = await manager.open("p")
            with old.connected():
                await old.submit(Chat(text="Predict species in iris"), USER)
                cursor = old.follow(old.seq)
                waiting = asyncio.create_task(_to_the_end(cursor))
                deleting = asyncio.create_task(manager.delete("p"))
                await asyncio.sleep(0)
                new, again = await asyncio.gather(manager.open("p"), manager.open("p"))
                assert new is again
                assert new is not old
                assert (new.seq, new.epoch == old.epoch) == (0, False)
                await deleting
                with pytest.raises(ProjectDeleted):
                    await waiting
        await manager.stop()

    run(test)


def test_a_project_that_is_deleted_while_it_is_looked_for_is_not_there(tmp_path: Path) -> None:
    async def test() -> None:
        settings = Settings(workspace_dir=str(tmp_path), warm_workers=0)
        manager = ProjectManager(settings)
        await manager.start()
        await (await manager.open("p")).submit(Chat(text="What can I ask?"), USER)
        await manager.stop()
        manager = ProjectManager(settings)
        await manager.start()
        finding = asyncio.create_task(manager.find("p"))
        await asyncio.sleep(0)  # it asks the log, which still has it
        await manager.delete("p")
        assert await finding is None
        assert manager.open_projects == 0
        await manager.stop()

    run(test)


async def _to_the_end(cursor: Cursor) -> None:
    while True:
        await cursor.next()


def test_project_ids_that_come_to_nothing_leave_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        manager = ProjectManager(Settings(workspace_dir=str(tmp_path), warm_workers=0))
        await manager.start()
        for n in range(300):
            project = await manager.open(f"unknown-{n}")
            with project.connected():
                pass
            assert await manager.find(f"unknown-{n}") is None
        while manager._closing:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert (manager._projects, manager._locks) == ({}, {})
        await manager.stop()

    run(test)


def test_projects_that_nobody_needs_are_closed_and_open_again_as_they_were(tmp_path: Path) -> None:
    async def test() -> None:
        manager = ProjectManager(Settings(workspace_dir=str(tmp_path), warm_workers=0))
        await manager.start()
        names = [f"p-{n}" for n in range(RESTING + 10)]
        needed = await manager.open(names[0])
        with needed.connected():
            for name in names:
                project = await manager.open(name)
                project.data_dir.mkdir(parents=True)
                (project.data_dir / "rows.csv").write_text(name)
                await project.add_dataset(project.data_dir / "rows.csv", USER)
                assert await manager.find(name) is project
            while manager._closing:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert manager.open_projects == RESTING + 1
            assert await manager.find(names[0]) is needed
            for name in names:
                found = await manager.find(name)
                assert found is not None
                assert (found.seq, [one.meta["size"] for one in found.state.datasets]) == (3, [len(name)])
            assert manager.open_projects <= RESTING + 1
            await needed.submit(Chat(text="What can I ask?"), USER)
            assert needed._conductor.tail._events, "what has just happened is in memory for who is connected"
        assert not needed._conductor.tail._events
        await manager.stop()

    run(test)


def test_a_project_that_is_opened_stays_open_though_no_place_is_left_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_pipeline.project.manager.RESTING", 0)  # as if projects at work had them all

    async def test() -> None:
        manager = ProjectManager(Settings(workspace_dir=str(tmp_path), warm_workers=0))
        await manager.start()
        project = await manager.open("a")
        project.data_dir.mkdir(parents=True)
        for name in ("1.csv", "2.csv"):
            (project.data_dir / name).write_text(name)
            project = await manager.open("a")
            await project.add_dataset(project.data_dir / name, USER)
        assert [one.name for one in project.state.datasets] == ["2.csv", "1.csv"]
        await manager.stop()

    run(test)
