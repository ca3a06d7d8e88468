"""The mailbox: nothing is lost, nothing overtakes, and what a worker says in a row is decided on in one go."""

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jupyter_pipeline.project.commands import Say, WorkEvents
from jupyter_pipeline.project.mailbox import BYTES, EVENTS, FULL, FULL_BYTES, LETTERS, Letter, Mailbox, Outcome
from jupyter_pipeline.protocol.errors import ErrorCode, Refusal
from jupyter_pipeline.protocol.events import LogLine


def line(n: int) -> LogLine:
    return LogLine(run_id="pipeline", level="info", text=str(n), source="TRAIN")


#: Who comes: a client (0) or a worker at attempt 1 or 2, how many times in a row; or the task, which takes (3), or
#: takes and puts back what it could not store (4), while a worker says something before and after.
comings = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 2 * EVENTS)), max_size=12)
#: Bytes of an event: as most have, so many that a few of them are enough, and more than is taken in one go.
sizes = st.sampled_from([200, FULL_BYTES // 50, BYTES + 1])
#: How many events of a worker are put in together.
together = st.sampled_from([1, 3, EVENTS - 1, 2 * EVENTS])


@given(comings, sizes, together)
@example([(1, 2 * EVENTS), (1, 2 * EVENTS), (4, 1)], 200, 1)
@example([(1, 3), (1, 2 * EVENTS), (2, 2 * EVENTS), (4, 1)], 200, 2 * EVENTS)
def test_everything_comes_out_once_and_in_order(comings: list[tuple[int, int]], size: int, together: int) -> None:
    async def check() -> None:
        mailbox, sent, who = Mailbox(), 0, 3
        taken: list[tuple[int, int]] = []
        wanted: list[tuple[int, int]] = []

        def say(who: int, times: int = 1) -> None:
            nonlocal sent
            numbers = range(sent, sent + times)
            wanted.extend((who, n) for n in numbers)
            if who == 0:
                for n in numbers:
                    mailbox.put(Letter(Say(str(n))))
            for at in range(0, times if who else 0, together):
                some = [line(n) for n in numbers[at : at + together]]
                mailbox.said(who, some, [size] * len(some))
            sent += times

        async def take() -> None:
            letters = await mailbox.take()
            if who == 4:
                say(1)
                mailbox.put_back(letters)
                say(1)
                return
            events = 0
            for letter in letters:
                assert events < EVENTS
                assert events * size < BYTES
                if isinstance(letter.command, Say):
                    taken.append((0, int(letter.command.text)))
                elif isinstance(letter.command, WorkEvents):
                    said = [one for one in letter.command.payloads if isinstance(one, LogLine)]
                    assert 0 < len(said) <= EVENTS
                    assert (len(said) - 1) * size < BYTES
                    assert letter.command.size == len(said) * size
                    events += len(said)
                    taken.extend((letter.command.attempt, int(one.text)) for one in said)
            assert 0 < len(letters) <= LETTERS

        for who, times in comings:
            if who < 3:
                say(who, times)
            elif mailbox:
                await take()
            left = sum(one[0] > 0 for one in wanted[len(taken) :])
            assert mailbox.full is (left >= FULL or left * size >= FULL_BYTES)
        who = 3
        while mailbox:
            await take()
        assert not mailbox.full
        assert taken == wanted

    asyncio.run(check())


def test_who_waits_gets_what_comes_and_what_is_refused_is_told() -> None:
    async def check() -> None:
        mailbox = Mailbox()
        mailbox.said(1, [], [])
        assert not mailbox, "nothing was said"
        waiting = asyncio.create_task(mailbox.take())
        await asyncio.sleep(0)
        mailbox.said(1, [line(1)], [1])
        mailbox.said(1, [line(2)], [1])
        (letter,) = await waiting
        assert letter.command == WorkEvents(1, (line(1), line(2)), 2)

        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        mailbox.put(Letter(Say("hello"), answer=answer))
        mailbox.said(1, [line(3)], [1])
        mailbox.refuse(Refusal(ErrorCode.BUSY, "The server is going down."))
        with pytest.raises(Refusal, match="going down"):
            await answer
        mailbox.said(1, [line(4)], [1])
        (left,) = await mailbox.take()
        assert left.command == WorkEvents(1, (line(3), line(4)), 2), "what a worker said stays"

    asyncio.run(check())
