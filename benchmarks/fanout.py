"""Events to many clients: ours, durable, beside three servers that broadcast without a log.

Run: ``python benchmarks/fanout.py`` (needs the extra ``bench``). Beside each other, in one run, server and client on a
core each: (a) a bare Tornado handler with ``write_message``, (b) the same with the frame cut once, (c) FastAPI on
uvicorn, on asyncio's event loop and, where it is installed, on uvloop. Ours takes each event as a worker's line and
sends it when it is committed. For each number of clients:

- ``events/s``: deliveries a second while events are published as fast as they go;
- ``CPU us``: what a delivery costs the server's process, which also holds on a busy machine;
- ``p50``, ``p99``: milliseconds from making an event to having it, at a rate that all of them can do;
- ``ping``, ``connect``: a round trip, and a connection to its first frame (the open socket where there is none).

The best of the rounds counts, for each server. Prints a table and a JSON document.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from fanout_target import BROADCASTERS, OURS, TOKEN, Target, broadcaster, cores, ours, pin
from load_client import connect

DELIVERIES = 50_000
PACED = {1: 200.0, 10: 200.0, 100: 50.0, 500: 10.0}
PACED_S = 2.0
PINGS = 200


async def measure(target: Target, clients: int, deliveries: int) -> dict[str, float]:
    """One server with so many clients."""
    readers = await connect(target.port, target.path(), TOKEN, clients)
    witness, greeting = readers[0], target.greeting
    await asyncio.gather(*(reader.until(greeting) for reader in readers))
    await asyncio.sleep(0.4)
    assert all(reader.frames == greeting for reader in readers), "connecting is no broadcast"
    connected = statistics.median(r.first_s or r.opened_s for r in readers)

    events = max(200, min(20_000, deliveries // clients))
    start = time.perf_counter()
    order = asyncio.create_task(target.order(f"burst {events}"))
    await asyncio.gather(*(reader.until(greeting + events) for reader in readers))
    took = time.perf_counter() - start
    told = await order
    seqs = witness.seqs
    assert seqs == list(range(seqs[0], seqs[0] + events)), "an event is missing"
    assert {reader.frames for reader in readers} == {greeting + events}, "an event is missing or there twice"

    witness.latencies.clear()
    rate = PACED.get(clients, 10.0)
    count = int(rate * PACED_S)
    await target.order(f"paced {count} {rate}")
    await asyncio.gather(*(reader.until(greeting + events + count) for reader in readers))
    p50, p99 = np.percentile(witness.latencies, [50, 99]) * 1000

    trips = []
    for n in range(PINGS if clients == 1 else 0):
        sent = time.perf_counter()
        witness.send(b'{"type":"ping","ts":1}')
        await witness.until(greeting + events + count + n + 1)
        trips.append(witness.pongs[-1] - sent if witness.pongs else time.perf_counter() - sent)
    for reader in readers:
        reader.transport.abort()
    await asyncio.sleep(0.1)
    return {
        "per_s": clients * events / took,
        "cpu_us": told["cpu_s"] / (clients * events) * 1e6,
        "p50_ms": float(p50),
        "p99_ms": float(p99),
        "ping_ms": statistics.median(trips) * 1000 if trips else float("nan"),
        "connect_ms": connected * 1000,
    }


def best(rounds: list[dict[str, float]]) -> dict[str, float]:
    """The best of each figure."""
    return {key: (max if key == "per_s" else min)(one[key] for one in rounds) for key in rounds[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 10, 100, 500])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--deliveries", type=int, default=DELIVERIES)
    options = parser.parse_args()
    server_core, client_core = cores()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        targets = [stack.enter_context(ours(folder, server_core))]
        targets += [stack.enter_context(broadcaster(name, server_core)) for name in BROADCASTERS]
        pin(os.getpid(), client_core)
        found: dict[int, dict[str, list[dict[str, float]]]] = {}
        for _ in range(options.rounds):
            for clients in options.clients:
                for target in targets:
                    row = asyncio.run(measure(target, clients, options.deliveries))
                    found.setdefault(clients, {}).setdefault(target.name, []).append(row)
    result: dict[str, Any] = {
        "clients": {str(n): {name: best(rows) for name, rows in by.items()} for n, by in found.items()}
    }
    heads = ("events/s", 10), ("CPU us", 8), ("p50 ms", 8), ("p99 ms", 8), ("connect", 8), ("ping", 6)
    print(f"{'clients':>7} {'server':>18} " + " ".join(f"{head:>{width}}" for head, width in heads))
    for n, by in result["clients"].items():
        for name, row in by.items():
            print(
                f"{n:>7} {name:>18} {row['per_s']:>10,.0f} {row['cpu_us']:>8.2f} {row['p50_ms']:>8.2f} "
                f"{row['p99_ms']:>8.2f} {row['connect_ms']:>8.2f} {row['ping_ms']:>6.2f}"
            )
    result["ahead"] = {
        n: {
            "events/s": by[OURS]["per_s"] / max(row["per_s"] for name, row in by.items() if name != OURS),
            "CPU": min(row["cpu_us"] for name, row in by.items() if name != OURS) / by[OURS]["cpu_us"],
        }
        for n, by in result["clients"].items()
    }
    result["aims"] = {"ahead of the best of the others": 1.0}
    result["met"] = all(one["events/s"] > 1.0 for one in result["ahead"].values())
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
