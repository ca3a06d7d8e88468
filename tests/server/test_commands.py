"""Custom commands: the example of the documentation, installed and called; and plugins that misbehave."""

import asyncio
import contextlib
import json
import os
import re
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_pipeline import Pipeline

from .conftest import TOKEN, Server, Socket

pytestmark = pytest.mark.anyio
DOCS = Path(__file__).parents[2] / "docs" / "commands.md"
BAD = """
import os, sys, time
from typing import Annotated
import msgspec
from jupyter_pipeline.commands import Change, Project, Reply, Restart

class Nothing(msgspec.Struct):
    pass

def raises(project: Project, args: Nothing) -> str:
    raise RuntimeError("out of tea")

def hangs(project: Project, args: Nothing) -> str:
    if os.fork() == 0:
        time.sleep(600)
    while True:
        pass

def clings(project: Project, args: Nothing) -> str:
    import ctypes  # native code that keeps the interpreter's lock, and a child that got away from everything
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            ctypes.PyDLL(None).sleep(600)
        os._exit(0)
    while True:
        ctypes.PyDLL(None).sleep(600)

def naps(project: Project, args: Nothing) -> str:
    time.sleep(2)
    return "That was a nap."

def dies(project: Project, args: Nothing) -> str:
    os.kill(os.getpid(), 9)

def nonsense(project: Project, args: Nothing):
    return {"seq": 5}

def floods(project: Project, args: Nothing) -> str:
    for _ in range(200):
        print("x" * 10_000)
        os.write(1, b"y" * 10_000)
    return "z" * 5_000_000

def wrong_change(project: Project, args: Nothing) -> Reply:
    patch = ({"op": "replace", "path": "/no_such_member", "value": 1},)
    return Reply(text="Let me see.", actions=(Change(stage_id="PARSE_INTENT", patch=patch),))

class Word(msgspec.Struct):
    word: Annotated[str, msgspec.Meta(pattern="^(a+)+$")]

def matches(project: Project, args: Word) -> str:
    return "It matches."

def exits(project: Project, args: Nothing) -> str:
    sys.exit(3)

def wrong_form(project, args):
    return ""
"""
HANGS = "import time\ntime.sleep(1000)\n"
NAMES = (
    "raises",
    "naps",
    "hangs",
    "clings",
    "dies",
    "nonsense",
    "floods",
    "wrong_change",
    "exits",
    "matches",
    "wrong_form",
)


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", DOCS.read_text(), re.S)
    assert found is not None
    return found[1]


def install(folder: Path, name: str, module: str, code: str, points: dict[str, str]) -> None:
    """What pip puts into a folder for a distribution of one module."""
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"{key} = {value}" for key, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[jupyter_pipeline.commands]", *lines, ""]))


async def test_who_connects_first_is_told_of_a_command_that_is_slow_to_load(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    install(tmp_path, "slow-commands", "slow", f"import time\ntime.sleep(3)\n{BAD}", {"naps": "slow:naps"})
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    async with start_server(env={"PYTHONPATH": path}).connect("first") as socket:
        assert "naps" in {command["name"] for command in (await socket.greeting())["commands"]}


@pytest.fixture(scope="module")
def with_commands(start_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    folder = tmp_path_factory.mktemp("site")
    project = tomllib.loads(block("toml"))["project"]
    points = project["entry-points"]["jupyter_pipeline.commands"]
    install(folder, project["name"], "lab_commands", block("python"), points)
    install(folder, "bad-commands", "bad_commands", BAD, {
        **{name: f"bad_commands:{name}" for name in NAMES},
        "cancel_run": "bad_commands:raises", "absent": "no_such_module:f", "Not a name": "bad_commands:raises",
    })  # fmt: skip
    install(folder, "hanging", "hanging_module", HANGS, {"slow_import": "hanging_module:f"})
    later = tmp_path_factory.mktemp("later")  # on the path after it, so its command of the same name is left out
    install(later, "later-commands", "later_commands", BAD, {"raises": "later_commands:nonsense"})
    path = os.pathsep.join([str(folder), str(later), *filter(None, [os.environ.get("PYTHONPATH")])])
    server = start_server("--PipelineApp.command_timeout_s=8", env={"PYTHONPATH": path})
    # The plugin that hangs while it is loaded delays the list; it does not keep the others out.
    assert server.request("POST", "api/projects/ready/messages", {"type": "chat", "text": "Hello"}).status == 200
    deadline = time.monotonic() + 90
    while "quick" not in server.request("GET", "api/projects/ready/state").body.decode():
        assert time.monotonic() < deadline, server.log
        time.sleep(0.5)
    return server


async def begin(server: Server, socket: Socket) -> dict[str, Any]:
    """A project that waits at PARSE_INTENT; the payload of HELLO."""
    hello = await socket.greeting()
    await socket.send({"type": "chat", "text": "Predict species in the iris data set"})
    await socket.event("WAITING_CONFIRMATION")
    return hello


async def ask(socket: Socket, command: str, **args: Any) -> str:
    await socket.send({"type": "command", "command": command, "args": args, "id": f"{command}-{time.monotonic()}"})
    answer = await socket.until(
        lambda f: f["type"] == "error" or f.get("event", {}).get("payload", {}).get("source") == "assistant"
    )
    return str(answer.get("message") or answer["event"]["payload"]["text"])


async def test_the_example_of_the_docs(with_commands: Server, project_id: str) -> None:
    async with with_commands.connect(project_id) as socket:
        hello = await begin(with_commands, socket)
        listed = {spec["name"]: spec for spec in hello["commands"]}
        assert len(listed) == len(hello["commands"]), "a plugin takes no built-in command's name"
        assert {"quick", "target_info", "restart_stage"} <= set(listed)
        assert listed["quick"]["description"] == "Train for a short time only."
        assert "seconds" in json.dumps(listed["quick"]["args_schema"])
        state = with_commands.request("GET", f"api/projects/{project_id}/state").json
        assert state["commands"] == hello["commands"]

        await socket.send(json.loads(block("json")) | {"id": "q"})
        line = await socket.event("LOG_LINE")
        assert line["event"]["payload"]["source"] == "command"
        assert line["event"]["payload"]["text"] == "quick(seconds=20)"
        assert line["event"]["payload"]["by"]["username"]
        ack = await socket.type("ack")
        assert ack["status"] == "accepted"
        plan = await socket.event("PLAN_PROPOSED")
        assert plan["event"]["payload"]["plan_json"]["time_budget_s"] == 20
        await socket.event("WAITING_CONFIRMATION")  # proposed, not approved
        said = await socket.event("LOG_LINE")
        assert "A quick one, then." in said["event"]["payload"]["text"]

        await socket.send(json.loads(block("json")) | {"id": "q"})
        assert (await socket.type("ack"))["status"] == "duplicate"
        assert "Invalid arguments of quick" in await ask(socket, "quick", seconds="soon")
        assert "Invalid arguments of quick" in await ask(socket, "quick", minutes=1)
        deep = json.loads("[" * 400 + "]" * 400)
        assert "nested more than 100 deep" in await ask(socket, "quick", seconds=deep)
        assert "the target is" in await ask(socket, "target_info")
        head = with_commands.request("GET", f"api/projects/{project_id}").json
        assert head["status"] == "WAITING_CONFIRMATION"


def test_over_http_and_from_python(with_commands: Server, project_id: str) -> None:
    path = f"api/projects/{project_id}"
    message = {"type": "command", "command": "target_info"}
    assert with_commands.request("POST", f"{path}/messages", message).json["status"] == "accepted"
    events = with_commands.request("GET", f"{path}/events?since=1&wait_s=20").json["events"]
    assert "not decided yet" in events[0]["event"]["payload"]["text"]
    with Pipeline(project_id, url=f"http://127.0.0.1:{with_commands.port}/", token=TOKEN) as p:
        assert "quick" in p.commands
        p.command("quick", seconds=3)
        p.command("target_info")
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and len(p.events()) < 6:
            time.sleep(0.1)
        texts = [e["event"]["payload"]["text"] for e in p.events()]
    assert sum("the target is" in text for text in texts) == 2


async def test_one_that_misbehaves_is_said_and_harms_nobody(with_commands: Server, project_id: str) -> None:
    async with with_commands.connect(project_id) as socket:
        hello = await begin(with_commands, socket)
        names = {spec["name"] for spec in hello["commands"]}
        assert names >= set(NAMES) - {"wrong_form"}
        assert not names & {"wrong_form", "absent", "slow_import", "Not a name"}
        assert "Unknown command 'absent'" in await ask(socket, "absent")
        assert "out of tea" in await ask(socket, "raises")
        assert "without an answer" in await ask(socket, "dies")
        assert "answers with a text or a Reply" in await ask(socket, "nonsense")
        assert "longer than" in await ask(socket, "floods")
        assert "failed: SystemExit" in await ask(socket, "exits")
        assert "could not be done" in await ask(socket, "wrong_change")
        state = with_commands.request("GET", f"api/projects/{project_id}").json
        assert (state["current_stage"], state["status"]) == ("PARSE_INTENT", "WAITING_CONFIRMATION")
    log = with_commands.log
    assert "no_such_module" in log
    assert "wrong_form should be a function" in log or "should be a function (project, args)" in log
    assert re.search(rf"{project_id}, raises: the command failed:\n +builtins.RuntimeError\n +at ", log)
    assert "bad_commands.py" in log
    assert "out of tea" not in log, "what a command says may be about data, and is for the chat"


async def test_others_are_served_while_one_hangs_and_it_is_ended_with_its_children(
    with_commands: Server, project_id: str
) -> None:
    assert with_commands.process is not None
    me = psutil.Process(with_commands.process.pid)
    async with with_commands.connect(project_id) as socket, with_commands.connect(project_id) as other:
        await begin(with_commands, socket)
        await other.greeting()
        await socket.send({"type": "command", "command": "hangs", "id": "h"})
        assert (await socket.until(lambda f: f["type"] == "ack" and f["id"] == "h"))["status"] == "accepted"
        await other.send({"type": "chat", "text": "What can I ask?", "id": "c"})
        assert (await other.until(lambda f: f["type"] == "ack"))["status"] == "accepted"
        said = await socket.until(
            lambda f: "did not answer" in str(f.get("event", {}).get("payload", {}).get("text", ""))
        )
        assert "within 8 seconds" in said["event"]["payload"]["text"]
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and _commands_of(me):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        assert not _commands_of(me)


async def test_a_pattern_that_takes_for_ever_to_match_holds_nobody_up(with_commands: Server, project_id: str) -> None:
    async with with_commands.connect(project_id) as socket, with_commands.connect(project_id) as other:
        await begin(with_commands, socket)
        await other.greeting()
        assert await ask(socket, "matches", word="aaa") == "It matches."
        assert "ValidationError" in await ask(socket, "matches", word="b")
        await socket.send({"type": "command", "command": "matches", "args": {"word": "a" * 40 + "b"}, "id": "m"})
        assert (await socket.until(lambda f: f["type"] == "ack" and f["id"] == "m"))["status"] == "accepted"
        async with asyncio.timeout(5):
            await other.send({"type": "ping", "ts": 1})
            await other.type("pong")
        await socket.until(lambda f: "did not answer" in str(f.get("event", {}).get("payload", {}).get("text", "")))


async def test_so_many_run_at_once_and_the_others_after_them(with_commands: Server, project_id: str) -> None:
    assert with_commands.process is not None
    server, most = psutil.Process(with_commands.process.pid), 0
    async with with_commands.connect(project_id) as socket:
        await begin(with_commands, socket)
        for n in range(4):
            await socket.send({"type": "command", "command": "naps", "id": f"nap {n}"})

        async def all_answers() -> None:
            for _ in range(4):
                await socket.until(lambda f: "That was a nap." in str(f.get("event", {}).get("payload")))

        answered = asyncio.create_task(all_answers())
        while not answered.done():
            with contextlib.suppress(psutil.NoSuchProcess):
                most = max(
                    most, sum("jupyter_pipeline.workers.custom_command" in p.cmdline() for p in server.children())
                )
            await asyncio.sleep(0.05)
        await answered
    assert most == 2


async def test_one_that_clings_does_not_outlive_the_server(with_commands: Server, project_id: str) -> None:
    """SIGKILL of the server while native code of a plugin holds the lock of its interpreter."""
    assert with_commands.process is not None
    async with with_commands.connect(project_id) as socket:
        await begin(with_commands, socket)
        await socket.send({"type": "command", "command": "clings", "id": "c"})
        await socket.until(lambda f: f["type"] == "ack" and f["id"] == "c")
        deadline = time.monotonic() + 30
        while len(left := _commands_of(psutil.Process(with_commands.process.pid))) < 3:
            assert time.monotonic() < deadline, left
            await asyncio.sleep(0.05)
        with_commands.process.kill()
        with_commands.process.wait()
    _, alive = await asyncio.to_thread(psutil.wait_procs, left, 20)
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]
    with_commands.process = None


def _commands_of(process: psutil.Process) -> list[psutil.Process]:
    return [
        p
        for p in psutil.process_iter(["cmdline"])
        if "jupyter_pipeline.workers.custom_command" in (p.info["cmdline"] or [])
        and p.status() != psutil.STATUS_ZOMBIE
        and _session_root(p) == process.pid
    ]


def _session_root(process: psutil.Process) -> int:
    return next((parent.pid for parent in process.parents() if "jupyter_server" in " ".join(parent.cmdline())), 0)
