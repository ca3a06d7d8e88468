"""Threads for what must not wait, and for what does nothing but wait.

asyncio's own are few (6 on two cores), and all of them may be at large files at once: uploads that are hashed, folders
that are removed. What ends a process, or decides whether a message is taken, does not queue behind these; and what
waits for a plugin keeps none of them.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
_threads = ThreadPoolExecutor(max_workers=64, thread_name_prefix="jupyter-pipeline")
"""They are started when they are needed."""


async def at_once(call: Callable[..., T], *args: object) -> T:
    """What a call that blocks returns, made in a thread of its own kind."""
    return await asyncio.get_running_loop().run_in_executor(_threads, call, *args)
