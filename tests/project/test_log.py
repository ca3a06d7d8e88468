"""The event log on a real file, with real kills."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_pipeline.project.log import Entry, EventLog, Stored

WRITER = """
import asyncio, sys
from pathlib import Path
from jupyter_pipeline.project.log import Entry, EventLog, Stored

async def main():
    log = EventLog(Path(sys.argv[1]))
    await log.open()
    for seq in range(1, 1_000_000):
        entry = Entry(project_id="p", epoch="e", seq=seq, updated_ts=seq,
                      current_stage="TRAIN", status="IN_PROGRESS", working=True)
        await log.append(entry, [Stored(seq, "LOG_LINE", b"frame %d" % seq)], [(f"m{seq}", seq)])
        print(seq, flush=True)

asyncio.run(main())
"""


def entry(project_id: str, seq: int) -> Entry:
    return Entry(
        project_id=project_id,
        epoch="e",
        seq=seq,
        updated_ts=seq,
        current_stage="TRAIN",
        status="IN_PROGRESS",
        working=False,
    )


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


def test_an_unreadable_file_is_an_error_not_a_hang(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    path.write_bytes(b"this is no database, but long enough to be taken for one" * 50)
    with pytest.raises(Exception, match="not a database"):
        asyncio.run(EventLog(path).open())
