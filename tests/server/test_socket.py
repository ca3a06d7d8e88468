"""The documented conversation over a raw socket: greeting, answers, resume, filters, and how connections end."""

import asyncio
import json

import pytest
import websockets

from jupyter_pipeline import __version__
from jupyter_pipeline.protocol.frames import Hello
from jupyter_pipeline.protocol.stages import STAGES
from jupyter_pipeline.server.framing import text_frames
from jupyter_pipeline.server.limits import DEFAULT_RATES

from .conftest import Server, Socket

pytestmark = pytest.mark.anyio


async def chat(socket: Socket, text: str, message_id: str) -> int:
    await socket.send({"type": "chat", "text": text, "id": message_id})
    ack = await socket.until(lambda f: f["type"] in ("ack", "error") and f["id"] == message_id)
    seq: int = ack["seq"]
    return seq


async def some_events(server: Server, project_id: str) -> tuple[int, list[str]]:
    """A project with a log that has come to rest: the number of its last event, and all frames as they were sent."""
    async with server.connect(project_id) as socket:
        await socket.greeting()
        await chat(socket, "Predict species in the iris data set", "one")
        await socket.until(_rests)
        for n in range(5):
            seq = await chat(socket, f"What can I ask? ({n})", f"more-{n}")
        await socket.send({"type": "ping", "ts": 1})
        pong = await socket.type("pong")
        assert pong["seq"] == seq
        return seq, _durable(socket.frames)


def _rests(frame: dict[str, object]) -> bool:
    stage = frame.get("stage")
    return (
        isinstance(stage, dict) and stage["status"] in ("WAITING_CONFIRMATION", "FAILED") and "ephemeral" not in frame
    )


def _durable(texts: list[str]) -> list[str]:
    frames = [(text, json.loads(text)) for text in texts]
    return [text for text, frame in frames if frame["type"] == "EVENT" and "ephemeral" not in frame]


async def test_the_documents_sequence(server: Server, project_id: str) -> None:
    async with server.connect(project_id) as socket:
        await socket.greeting()
        await socket.send({"type": "chat", "text": "Please optimize for accuracy over speed"})
        line = await socket.event("LOG_LINE")
        assert line["event"]["payload"] == {
            "run_id": "chat",
            "level": "info",
            "text": "Please optimize for accuracy over speed",
            "source": "user",
            "by": line["event"]["payload"]["by"],
        }
        await socket.send({"type": "ping", "ts": 1705532400000})
        pong = await socket.type("pong")
        assert pong["ts"] == 1705532400000
        assert pong["server_ts"] > 1705532400000
        await socket.send({"type": "confirm"})
        assert (await socket.event("STAGE_STATUS"))["event"]["payload"]["stage_id"]
        await socket.send({"type": "command", "command": "restart_stage", "args": {"stage_id": "PARSE_INTENT"}})
        assert (await socket.event("STAGE_STATUS"))["event"]["payload"]["stage_id"]


async def test_hello(server: Server, project_id: str) -> None:
    async with server.connect(project_id) as socket:
        hello = await socket.greeting()
        first, second = (json.loads(text) for text in socket.frames)
    assert hello["project_id"] == project_id
    assert hello["server_version"] == __version__
    assert hello["seq"] == 0
    assert hello["resumed"] is False
    assert hello["user"]["username"]
    assert {"resume", "subscribe", "ack"} <= set(hello["capabilities"])
    limits = hello["limits"]
    assert (limits["message_bytes"], limits["log_bytes"], limits["project_bytes"]) == (1 << 20, 1 << 30, 50 << 30)
    assert limits["messages_per_minute"] == dict.fromkeys(DEFAULT_RATES), "this server has none"
    assert all(f"``{name}``" in (Hello.__doc__ or "") for name in limits), "each limit is described"
    rules = {rule["id"]: rule for rule in hello["stages"]}
    assert list(rules) == [stage.value for stage in STAGES]
    assert rules["PREPROCESS"]["rework"] == ["split", "columns"]
    columns = ["include_columns", "exclude_columns"]
    assert rules["DATA_SOURCE"]["reads"] == {
        "PARSE_INTENT": ["task_type", "target", "metric", "dataset", "sheet", *columns]
    }
    assert rules["PROFILE_DATA"]["reads"]["PARSE_INTENT"] == [*columns, "treatments"]
    commands = {command["name"]: command for command in hello["commands"]}
    assert {"restart_stage", "cancel_run", "select_dataset", "update_plan"} <= set(commands)
    assert all(c["description"] and isinstance(c["args_schema"], dict) for c in commands.values())
    for frame in (first, second):
        assert (frame["v"], frame["type"], frame["project_id"], frame["seq"]) == (1, "EVENT", project_id, 0)
        assert frame["stage"] == {"id": "PARSE_INTENT", "index": 0, "status": "PENDING"}


async def test_resume_gives_the_same_bytes(server: Server, project_id: str) -> None:
    head, live = await some_events(server, project_id)
    assert [json.loads(text)["seq"] for text in live] == list(range(1, head + 1))
    async with server.connect(project_id, since=0) as socket:
        hello = await socket.greeting()
        assert hello["resumed"] is True
        await socket.events_to(head)
        assert _durable(socket.frames) == live
    async with server.connect(project_id, since=head - 2, epoch=hello["epoch"]) as socket:
        assert (await socket.greeting())["resumed"] is True
        await socket.events_to(head)
        assert _durable(socket.frames) == live[-2:]
    page = server.request("GET", f"api/projects/{project_id}/events").body.decode()
    assert page.endswith('"events":[' + ",".join(live) + f'],"next":{head}}}')


async def test_resume_by_a_message(server: Server, project_id: str) -> None:
    head, live = await some_events(server, project_id)
    async with server.connect(project_id) as socket:
        epoch = (await socket.greeting())["epoch"]
        await socket.send({"type": "resume", "since": 3, "epoch": epoch, "id": "r"})
        assert (await socket.greeting())["resumed"] is True
        await socket.events_to(head)
        assert _durable(socket.frames) == live[3:]
        await chat(socket, "and on", "x")
        assert [json.loads(text)["seq"] for text in _durable(socket.frames)][: head - 2] == [*range(4, head + 2)]


async def test_a_first_message_that_resumes_gets_every_event_once(server: Server, project_id: str) -> None:
    """Live events that come before the client could say where it was do not get ahead of the resumed ones."""
    head, _ = await some_events(server, project_id)
    async with server.connect(project_id) as other, server.connect(project_id) as socket:
        await other.greeting()
        await socket.greeting()
        head = await chat(other, "in between", "between")
        await socket.send({"type": "resume", "since": 0})
        frames = await socket.events_to(head)
    assert [frame["seq"] for frame in frames] == list(range(1, head + 1))


@pytest.mark.parametrize("how", ["url", "message"])
async def test_resume_in_another_log_starts_over_and_says_so(server: Server, project_id: str, how: str) -> None:
    head, live = await some_events(server, project_id)
    # The second has what this log never had: it is another one too, whatever it is called.
    for query in ({"since": head - 1, "epoch": "another"}, {"since": head + 1}):
        async with server.connect(project_id, **(query if how == "url" else {})) as socket:
            hello = await socket.greeting()
            if how == "message":
                await socket.send({"type": "resume", **query})
                hello = await socket.greeting()
            assert hello["resumed"] is False
            await socket.events_to(head)
            assert _durable(socket.frames) == live


def test_frames_of_every_length_are_read_as_they_were_sent() -> None:
    """Around the lengths at which a frame's header changes."""
    messages = [b"x" * size for size in (0, 1, 125, 126, 127, 65_535, 65_536, 70_000)]
    data, found = text_frames(messages), []
    while data:
        kind, size = data[0], data[1]
        assert (kind, size & 0x80) == (0x81, 0), "a whole text message, unmasked"
        more = {126: 2, 127: 8}.get(size, 0)
        size = int.from_bytes(data[2 : 2 + more]) if more else size
        found.append(data[2 + more : 2 + more + size])
        data = data[2 + more + size :]
    assert found == messages


async def test_without_since_a_connection_starts_at_the_head(server: Server, project_id: str) -> None:
    head, _ = await some_events(server, project_id)
    async with server.connect(project_id) as socket:
        assert (await socket.greeting())["seq"] == head
        seq = await chat(socket, "hello again", "again")
        assert json.loads(_durable(socket.frames)[0])["seq"] == head + 1 <= seq


@pytest.mark.parametrize("since", ["-1", "x", "1.5", "99999999999999999999"])
async def test_a_since_that_is_no_number_is_refused(server: Server, project_id: str, since: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with server.connect(project_id, since=since):
            pass
    assert caught.value.response.status_code == 400
    assert b"since" in (caught.value.response.body or b"")


@pytest.mark.parametrize("name", ["-x", ".x", "a" * 65, "a%2Fb", "a%20b", "..", "%C3%A4", "a/b"])
async def test_what_is_no_project_id_is_404(server: Server, name: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with server.connect(name):
            pass
    assert caught.value.response.status_code == 404
    assert server.request("GET", f"api/projects/{name}/state").status == 404


async def test_an_id_has_one_effect(server: Server, project_id: str) -> None:
    message = {"type": "chat", "text": "Predict species in iris", "id": "once"}
    async with server.connect(project_id) as socket:
        await socket.greeting()
        await socket.send(message)
        ack = await socket.type("ack")
        assert (ack["id"], ack["status"]) == ("once", "accepted")
        await socket.send(message)
        again = await socket.type("ack")
        assert again == {**ack, "status": "duplicate"}
    async with server.connect(project_id, since=0) as socket:
        await socket.greeting()
        await socket.send(message)
        assert (await socket.type("ack"))["status"] == "duplicate"
    said = server.request("GET", f"api/projects/{project_id}/events").json["events"]
    assert [e["event"]["payload"]["text"] for e in said if e["event"]["payload"].get("source") == "user"] == [
        message["text"]
    ]


async def test_a_message_without_an_id_is_not_acked(server: Server, project_id: str) -> None:
    async with server.connect(project_id) as socket:
        await socket.greeting()
        await socket.send({"type": "subscribe"})
        await socket.send({"type": "ping", "ts": None, "id": "p"})
        assert [(await socket.next())["type"] for _ in range(2)] == ["pong", "ack"]


async def test_a_filter_sends_what_it_names(server: Server, project_id: str) -> None:
    async with server.connect(project_id) as socket:
        await socket.greeting()
        await socket.send({"type": "subscribe", "names": ["LOG_LINE"], "id": "s"})
        await socket.type("ack")
        await chat(socket, "Predict species in iris", "a")
        await chat(socket, "And something else", "b")
        await asyncio.sleep(0.3)
        await socket.send({"type": "ping", "ts": 0})
        await socket.type("pong")
        assert {json.loads(text)["event"]["name"] for text in _durable(socket.frames)} == {"LOG_LINE"}
        await socket.send({"type": "subscribe", "names": ["NOT_AN_EVENT"]})
        error = await socket.type("error")
        assert error["code"] == "INVALID_ARGS"
        assert "NOT_AN_EVENT" in error["message"]


async def test_an_empty_project_is_forgotten_with_its_last_connection(server: Server, project_id: str) -> None:
    async with server.connect(project_id) as socket:
        first = (await socket.greeting())["epoch"]
        async with server.connect(project_id) as second:
            assert (await second.greeting())["epoch"] == first
        assert server.request("GET", f"api/projects/{project_id}/state").status == 200
    await asyncio.sleep(0.2)
    assert server.request("GET", f"api/projects/{project_id}/state").status == 404
    assert project_id not in str(server.request("GET", "api/projects").json)


async def test_delete_closes_with_4404(server: Server, project_id: str) -> None:
    await some_events(server, project_id)
    async with server.connect(project_id) as socket:
        before = (await socket.greeting())["epoch"]
        assert server.request("DELETE", f"api/projects/{project_id}").status == 204
        with pytest.raises(websockets.ConnectionClosedError) as caught:
            await socket.type("never")
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 4404
    assert server.request("GET", f"api/projects/{project_id}").status == 404
    assert server.request("DELETE", f"api/projects/{project_id}").status == 404
    assert not (server.root / "pipelines" / project_id).exists()
    async with server.connect(project_id, since=1, epoch=before) as socket:
        hello = await socket.greeting()
        assert hello["epoch"] != before
        assert (hello["resumed"], hello["seq"]) == (False, 0)


async def test_a_client_that_does_not_read_can_still_speak_and_loses_nothing(server: Server, project_id: str) -> None:
    texts = [f"{n} " + "x" * 19_000 for n in range(150)]
    async with server.connect(project_id) as slow, server.connect(project_id) as other:
        await slow.greeting()
        await other.greeting()
        reading = slow.raw.transport
        reading.pause_reading()
        for n, text in enumerate(texts):
            if (
                server.request("POST", f"api/projects/{project_id}/messages", {"type": "chat", "text": text}).status
                == 429
            ):
                texts = texts[:n]
                break
        assert sum(map(len, texts)) > 300_000
        await slow.send({"type": "chat", "text": "I am still here", "id": "still"})
        mine = await other.until(lambda f: f.get("event", {}).get("payload", {}).get("text") == "I am still here")
        reading.resume_reading()
        frames = await slow.events_to(mine["seq"])
    assert [frame["seq"] for frame in frames] == list(range(1, mine["seq"] + 1))
    said = [f["event"]["payload"]["text"] for f in frames if f["event"]["payload"].get("source") == "user"]
    assert said == [*texts, "I am still here"]
