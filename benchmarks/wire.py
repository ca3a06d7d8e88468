"""What the wire promises, measured on a real server: resume, slow readers, floods, idle clients and projects.

Run: ``python benchmarks/wire.py`` or with names: ``resume slow neighbours flood idle projects unknown load``.
Server and client are on a core each. Prints a table and a JSON document.

- ``resume``: missed events that a client gets a second when it reconnects;
- ``slow``: while one client reads 1 KB/s and 100,000 events are published: the server's memory, and whether the slow
  one ends complete;
- ``neighbours``: delivery to ten others while one client reads 1 KB/s, and without it, in rounds that take turns;
- ``flood``: how long a cancel takes while another client sends 1,000 chats a second; what is answered is in the log, so
  beside it how long the disk takes to sync a file meanwhile;
- ``idle``: bytes of the server for each connection that does nothing;
- ``projects``: bytes of the server for each of 1,000 projects that were opened and left, and a ping after that;
- ``unknown``: bytes that stay for each of 8,000 project ids that somebody connected to and left;
- ``load``: a ping while processes at the workers' niceness keep all cores busy.
"""

import argparse
import asyncio
import contextlib
import http.client
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from fanout_target import OURS, TOKEN, Target, cores, ours, pin
from load_client import Reader, connect

from jupyter_pipeline.workers.main import NICENESS

EVENTS = 100_000
Row = dict[str, float]
BUSY = "import os; os.nice({nice})\nimport numpy as np\na = np.random.rand(500, 500)\nwhile True: a @ a"


def rss(target: Target) -> int:
    return int(psutil.Process(target.child.pid).memory_info().rss)


def cpu_s(target: Target) -> float:
    times = psutil.Process(target.child.pid).cpu_times()
    return float(times.user + times.system)


def percentiles(seconds: list[float], name: str) -> Row:
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    return {f"{name} p50 ms": float(p50), f"{name} p99 ms": float(p99), f"{name} max ms": max(seconds) * 1000}


def head(target: Target, project: str = "bench") -> int:
    return int(get(target, f"api/projects/{project}")["seq"])


def get(target: Target, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=60)
    connection.request("GET", f"/{path}", headers={"Authorization": f"token {TOKEN}"})
    body = json.loads(connection.getresponse().read())
    connection.close()
    return body


async def one(target: Target, project: str = "bench", **query: Any) -> Reader:
    (reader,) = await connect(target.port, target.path(project, **query), TOKEN, 1)
    await reader.until(2)
    return reader


async def ready(target: Target) -> None:
    """Until the project takes the benchmark's events: what comes before them is in the log then."""
    await target.order("paced 1 10")
    await asyncio.sleep(0.5)


async def resume(target: Target) -> Row:
    await ready(target)
    since = head(target)
    await target.order(f"burst {EVENTS}")
    rates, costs = [], []
    for _ in range(3):
        start, cpu = time.perf_counter(), cpu_s(target)
        (reader,) = await connect(target.port, target.path(since=since), TOKEN, 1)
        await reader.until(2 + EVENTS)
        rates.append(EVENTS / (time.perf_counter() - start))
        costs.append((cpu_s(target) - cpu) / EVENTS * 1e6)
        assert reader.seqs == list(range(since + 1, since + EVENTS + 1))
        reader.transport.abort()
    return {"missed events": EVENTS, "events/s": max(rates), "server's CPU us each": min(costs)}


async def slow(target: Target) -> Row:
    await ready(target)
    readers = await connect(target.port, target.path(), TOKEN, 10)
    await asyncio.gather(*(r.until(2) for r in readers))
    await asyncio.sleep(0.4)
    witness = readers[0]

    async def published() -> None:
        at = witness.frames
        await target.order(f"burst {EVENTS}")
        await witness.until(at + EVENTS)

    await published()  # what the first ones cost is not the slow reader's
    await published()
    before, since = rss(target), head(target)
    crawler = await Crawler.start(target)
    await crawler.order(f"in {since}")
    await published()
    after = rss(target)
    got = await crawler.order(f"rest {2 + EVENTS}")  # now it may read as fast as it can
    await crawler.end()
    for reader in readers:
        reader.transport.abort()
    return {
        "events": EVENTS,
        "memory grew MB": (after - before) / 1e6,
        "slow one had meanwhile": got["slowly"],
        "slow one lost": got["missing"],
    }


ROUNDS, EVENTS_EACH, RATE = 20, 1000, 1000


async def neighbours(target: Target) -> Row:
    """A burst's p99 is the machine's as much as the server's; so there are many short rounds at a rate far below what
    the server can do, those with and without the slow reader in pairs, which of a pair is first being left to chance.
    The interval is where 95 % of 10,000 resamples of the pairs have the ratio of the arms' medians."""
    await ready(target)
    since = head(target)
    await target.order(f"burst {EVENTS}")  # what the slow one will be behind
    readers = await connect(target.port, target.path(), TOKEN, 10)
    await asyncio.gather(*(r.until(2) for r in readers))
    await asyncio.sleep(0.4)
    witness, crawler = readers[0], await Crawler.start(target)
    behind: list[float] = []

    async def round_(slow: bool) -> list[float]:
        if slow:
            await crawler.order(f"in {since}")
        await target.order(f"paced 200 {RATE}")
        await asyncio.sleep(0.1)
        at = witness.frames
        witness.latencies.clear()
        await target.order(f"paced {EVENTS_EACH} {RATE}")
        await witness.until(at + EVENTS_EACH)
        if slow:
            behind.append(head(target) - since - (await crawler.order("out 0"))["slowly"])
        found: list[float] = (np.percentile(witness.latencies, [50, 99]) * 1000).tolist()
        return found

    chance = np.random.default_rng(1)
    pairs = []
    await round_(True), await round_(False)
    for n in range(ROUNDS):
        first = bool(chance.integers(2))
        pair = {first: await round_(first), (not first): await round_(not first)}
        pairs.append((pair[False], pair[True]))
        (p50, p99), (p50_with, p99_with) = pair[False], pair[True]
        print(
            f"  pair {n + 1}: without it p50 {p50:.2f}, p99 {p99:.2f} ms; with it {p50_with:.2f}, {p99_with:.2f}",
            flush=True,
        )
    await crawler.end()
    for reader in readers:
        reader.transport.abort()
    measured = np.array(pairs)  # pairs, without and with, p50 and p99
    drawn = np.median(measured[chance.integers(ROUNDS, size=(10_000, ROUNDS))], axis=1)
    row: Row = {"pairs of rounds": ROUNDS, "events a second": RATE, "slow one was behind by": float(min(behind))}
    for index, name in enumerate(("p50", "p99")):
        without, with_ = np.median(measured[:, :, index], axis=0)
        low, high = np.percentile(drawn[:, 1, index] / drawn[:, 0, index], [2.5, 97.5])
        row[f"{name} ms without, median"], row[f"{name} ms with, median"] = float(without), float(with_)
        row[f"{name} ratio"] = float(with_ / without)
        row[f"{name} ratio, 95 % from"], row[f"{name} ratio, 95 % to"] = float(low), float(high)
    return row


class Crawler:
    """A client in a process of its own that reads 1 KB/s, and does as it is told."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self._child = child

    @classmethod
    async def start(cls, target: Target) -> "Crawler":
        command = [sys.executable, __file__, "--crawl", str(target.port), target.path()]
        crawler = cls(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))  # noqa: ASYNC220
        await crawler._answer()
        return crawler

    async def order(self, line: str) -> Row:
        """``in SEQ``: connect and read slowly what follows; ``out 0``: hang up; ``rest FRAMES``: read up to so many."""
        assert self._child.stdin is not None
        self._child.stdin.write(line.encode() + b"\n")
        self._child.stdin.flush()
        return await self._answer()

    async def _answer(self) -> Row:
        assert self._child.stdout is not None
        found: Row = json.loads(await asyncio.to_thread(self._child.stdout.readline))
        return found

    async def end(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        await asyncio.to_thread(self._child.wait)


async def crawl(port: int, path: str) -> None:
    """What a crawler does, in its process."""
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    print("{}", flush=True)
    while line := (await orders.readline()).decode().split():
        assert line[0] == "in"
        reader = Reader(f"{path}since={line[1]}", TOKEN, True)
        transport, _ = await loop.create_connection(lambda r=reader: r, "127.0.0.1", port)  # type: ignore[misc]
        transport.max_size = 256
        await reader.until(2)
        print("{}", flush=True)
        told = asyncio.ensure_future(orders.readline())
        while not told.done():
            transport.pause_reading()
            await asyncio.wait([told], timeout=0.25)
            transport.resume_reading()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        slowly, missing = reader.frames, 0
        what, number = (await told).decode().split()
        if what == "rest":
            transport.max_size = 256 << 10
            transport.resume_reading()
            await reader.until(int(number))
            wanted = set(range(int(line[1]) + 1, int(line[1]) + int(number) - 1))
            missing = len(wanted - set(reader.seqs))
            assert reader.seqs == sorted(set(reader.seqs))
        transport.abort()
        print(json.dumps({"slowly": slowly, "missing": missing}), flush=True)


async def syncs(stop: asyncio.Event) -> list[float]:
    """Seconds that the disk takes for what an answer waits for: 4 KiB more in a file, so that they outlive a crash."""

    def sync() -> float:
        start = time.perf_counter()
        os.fsync(file.fileno())
        return time.perf_counter() - start

    found = []
    with tempfile.TemporaryFile() as file:
        while not stop.is_set():
            file.write(bytes(4096))
            file.flush()
            found.append(await asyncio.to_thread(sync))
            await asyncio.sleep(0.005)
    return found


async def flood(target: Target) -> Row:
    """The flooder is another project's client or the same project's: the same, which is the harder case."""
    chatter, other = await one(target, "flooded"), await one(target, "flooded")
    chatter.send(b'{"type":"chat","text":"Predict species in the iris data set"}')
    await asyncio.sleep(1.0)
    stop = asyncio.Event()
    sent = 0

    async def chats() -> None:
        nonlocal sent
        start = time.perf_counter()
        while not stop.is_set():
            due = int((time.perf_counter() - start) * 1000)
            for _ in range(due - sent):
                chatter.send(b'{"type":"chat","text":"Use random forest instead"}')
                sent += 1
            await asyncio.sleep(0.005)

    flooding, disk = asyncio.create_task(chats()), asyncio.create_task(syncs(stop))
    times = []
    for n in range(100):
        start = time.perf_counter()
        other.answered = asyncio.get_running_loop().create_future()
        other.wanted = b'"id":"c%d"' % n
        other.send(b'{"type":"command","command":"cancel_run","id":"c%d"}' % n)
        await asyncio.wait_for(other.answered, 60)
        times.append(time.perf_counter() - start)
        await asyncio.sleep(0.02)
    stop.set()
    await flooding
    chatter.transport.abort()
    other.transport.abort()
    return {"chats sent": sent, **percentiles(times, "cancel answered"), **percentiles(await disk, "disk synced")}


async def idle(target: Target) -> Row:
    warm = await connect(target.port, target.path(), TOKEN, 50)
    await asyncio.gather(*(r.until(2) for r in warm))
    before = rss(target)
    readers = await connect(target.port, target.path(), TOKEN, 500)
    await asyncio.gather(*(r.until(2) for r in readers))
    await asyncio.sleep(0.5)
    row = {
        "connections": 500.0,
        "bytes each": (rss(target) - before) / 500,
        "frames each": sum(r.frames for r in readers) / 500,
    }
    for reader in (*warm, *readers):
        reader.transport.abort()
    return row


async def pings(target: Target, count: int, project: str = "bench") -> list[float]:
    reader = await one(target, project)
    times = []
    for n in range(count):
        start = time.perf_counter()
        reader.send(b'{"type":"ping","ts":1}')
        await reader.until(3 + n)
        times.append(time.perf_counter() - start)
        await asyncio.sleep(0.005)
    reader.transport.abort()
    return times


async def projects(target: Target) -> Row:
    before = rss(target)
    few = await pings(target, 200)
    for n in range(1000):
        (await one(target, f"idle-{n}")).transport.abort()
    await asyncio.sleep(0.5)
    after = rss(target)
    many = await pings(target, 200)
    cpu = cpu_s(target)
    await asyncio.sleep(3.0)
    return {
        "projects": 1000.0,
        "bytes each": (after - before) / 1000,
        "CPU % at rest": (cpu_s(target) - cpu) / 3.0 * 100,
        **percentiles(few, "ping after 1"),
        **percentiles(many, "ping after 1000"),
    }


async def unknown(target: Target) -> Row:
    async def come_and_go(start: int, count: int) -> None:
        for n in range(start, start + count):
            (await one(target, f"unknown-{n}")).transport.abort()
            get(target, f"api/projects/unknown-{n}")

    await come_and_go(0, 1000)
    before = rss(target)
    await come_and_go(1000, 8000)
    await asyncio.sleep(0.5)
    return {"project ids": 8000.0, "bytes each": (rss(target) - before) / 8000}


async def load(target: Target) -> Row:
    at_rest = await pings(target, 300)
    code = BUSY.format(nice=NICENESS)
    busy = [
        subprocess.Popen(  # noqa: ASYNC220
            [sys.executable, "-c", code], env={**os.environ, "OMP_NUM_THREADS": str(os.cpu_count())}
        )
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        await asyncio.sleep(2.0)
        return {**percentiles(at_rest, "ping at rest"), **percentiles(await pings(target, 1000), "ping under load")}
    finally:
        for process in busy:
            process.kill()
            process.wait()


SECTIONS: dict[str, Callable[[Target], Awaitable[Row]]] = {
    "resume": resume, "slow": slow, "neighbours": neighbours, "flood": flood, "idle": idle,
    "projects": projects, "unknown": unknown, "load": load,
}  # fmt: skip
AIMS: dict[str, tuple[str, float, float]] = {
    "resume": ("events/s", 100_000, math.inf),
    "slow": ("memory grew MB", -math.inf, 10.0),
    "flood": ("cancel answered p99 ms", 0.0, 100.0),
    "idle": ("frames each", 2.0, 2.0),
}


def measure(name: str) -> Row:
    server_core, client_core = cores()
    if name == "load":
        server_core = client_core = None
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        limits = ("--PipelineApp.rate_limits={'ping': None, 'cancel': None}", "--PipelineApp.flood_limit=1e9")
        count = 1000 if name == "projects" else 0
        target = stack.enter_context(ours(folder, server_core, *(limits if name == "flood" else ()), projects=count))
        before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
        pin(os.getpid(), client_core)
        try:
            return asyncio.run(SECTIONS[name](target))  # type: ignore[arg-type]
        finally:
            if before:
                os.sched_setaffinity(0, before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", default=list(SECTIONS))
    parser.add_argument("--crawl", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.crawl:
        asyncio.run(crawl(int(options.crawl[0]), options.crawl[1]))
        return
    result: dict[str, Any] = {}
    for name in options.sections:
        row = result[name] = measure(name)
        print(name)
        for key, value in row.items():
            print(f"  {key:>28} {value:>14,.2f}", flush=True)
    result["aims"] = {name: {key: [low, high]} for name, (key, low, high) in AIMS.items() if name in result}
    result["met"] = all(low <= result[n][key] <= high for n, (key, low, high) in AIMS.items() if n in result)
    result["server"] = OURS
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
