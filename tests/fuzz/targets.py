"""What is fuzzed: each target takes anything and may only end well, or with the typed error that it promises."""

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl

from jupyter_pipeline.agent.base import Context, Reply
from jupyter_pipeline.agent.request import parse_request
from jupyter_pipeline.agent.rules import RuleAgent
from jupyter_pipeline.automl import opening
from jupyter_pipeline.automl.reading import ReadError, read, settle, sniff
from jupyter_pipeline.protocol.errors import Refusal
from jupyter_pipeline.protocol.frames import MAX_ORIGINAL, decode_event, encode, error_frame
from jupyter_pipeline.protocol.messages import Command, convert_command, decode_message
from jupyter_pipeline.protocol.plans import IntentPlan
from jupyter_pipeline.protocol.stages import StageId, StageStatus
from jupyter_pipeline.server.connection import read_original

CONTEXT = Context(
    current_stage=StageId.MODEL_SELECT,
    status=StageStatus.WAITING_CONFIRMATION,
    plans={
        StageId.MODEL_SELECT: {
            "models": [{"id": "linear", "params": {}}, {"id": "lightgbm", "params": {"learning_rate": 0.1}}],
            "time_budget_s": 60.0,
            "metric": "f1",
            "trials": 1,
        }
    },
    columns=("age", "city", "joined", "churn", "<script>alert(1)</script>"),
    task_type="binary",
)


def message(data: bytes) -> None:
    """A frame from a client, as bytes and as text, and the answer where it is refused."""
    for frame in (data, data.decode("utf-8", "replace")):
        try:
            said = decode_message(frame)
            if isinstance(said, Command):
                convert_command(said.command, said.args)
        except Refusal as refusal:
            original, message_id, _ = read_original(frame)
            answer = encode(error_frame(refusal, original, message_id))
            assert len(answer) < 20 * MAX_ORIGINAL, "an answer does not grow with the question"


def event(data: bytes) -> None:
    """A logged frame."""
    with contextlib.suppress(ValueError):
        decode_event(data)


def request(data: bytes) -> None:
    """What a person says, at the start and later."""
    text = data.decode("utf-8", "replace")[:20_000]
    assert isinstance(parse_request(text, CONTEXT.columns), IntentPlan)
    assert isinstance(RuleAgent().respond(text, CONTEXT), Reply)


def table(suffix: str) -> Callable[[bytes], None]:
    """A data file of a kind."""

    def target(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"rows{suffix}"
            path.write_bytes(data)
            said = None
            try:
                assert isinstance(read(settle(sniff(path))), pl.DataFrame)
            except ReadError as error:
                said = str(error)
            finally:
                opening.forget()
            assert said != "", "an error for people says something"
            assert folder not in (said or ""), "an error names no folder of the machine"

    return target
