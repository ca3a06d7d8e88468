"""Changed bytes, cut files and strange sentences: no crash but the typed errors, no hang, no growth.

``JUPYTER_PIPELINE_FUZZ=5000`` tries that many for each target, other ones in every run; the other tests that make up
their examples then choose other ones as well.
"""

import io
import os
import zipfile
from collections.abc import Callable

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import targets
from .samples import EVENT, MESSAGES, files

EXAMPLES = int(os.environ.get("JUPYTER_PIPELINE_FUZZ", "40"))
FILES = files()
SAID = (
    "predict use drop keep the column model metric optimise recall for without with instead of xgboost random forest "
    "learning rate 0.1 10 twice minutes seconds % threshold split stratified test 20 age churn city undo why not no , "
    "; . : ( ) \" ' > < = {} [] \\ \x00 ä 漢 🙂"
)
WORDS = SAID.split(" ")
quiet = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def changed(content: bytes) -> st.SearchStrategy[bytes]:
    """The content with some bytes replaced, a piece left out, or a piece twice."""
    place = st.integers(0, len(content))

    def change(parts: tuple[list[tuple[int, int]], int, int, int]) -> bytes:
        flips, start, end, kind = parts
        data = bytearray(content)
        for where, value in flips:
            if where < len(data):
                data[where] = value
        start, end = min(start, end), max(start, end)
        if kind == 1:
            del data[start:end]
        elif kind == 2:
            data[start:start] = data[start:end]
        elif kind == 3:
            del data[start:]
        return bytes(data)

    flips = st.lists(st.tuples(place, st.integers(0, 255)), max_size=8)
    return st.tuples(flips, place, place, st.integers(0, 3)).map(change)


@quiet
@given(data=st.one_of(st.binary(max_size=200), *(changed(sample) for sample in MESSAGES)))
def test_messages(data: bytes) -> None:
    targets.message(data)


@quiet
@given(depth=st.integers(1, 100_000), kind=st.sampled_from([b"[", b'{"a":']))
def test_deep_messages(depth: int, kind: bytes) -> None:
    targets.message(b'{"type":"command","command":"x","args":' + kind * depth)


@quiet
@given(data=st.one_of(st.binary(max_size=200), changed(EVENT)))
def test_events(data: bytes) -> None:
    targets.event(data)


@quiet
@given(text=st.one_of(st.text(max_size=300), st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)))
def test_requests(text: str) -> None:
    targets.request(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("suffix", FILES)
def test_the_samples_themselves_are_read(suffix: str) -> None:
    targets.table(suffix)(FILES[suffix])


@pytest.mark.parametrize("suffix", [".xlsx", ".csv.zip"])
def test_an_archive_with_a_file_without_a_name(suffix: str) -> None:
    """Found by atheris."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(zipfile.ZipInfo(""), b"1")
    targets.table(suffix)(archive.getvalue())


@pytest.mark.parametrize("suffix", FILES)
def test_data_files(suffix: str) -> None:
    @quiet
    @given(data=st.one_of(changed(FILES[suffix]), st.binary(max_size=300)))
    def read(data: bytes) -> None:
        targets.table(suffix)(data)

    read()


@pytest.mark.parametrize("target", [targets.message, targets.event, targets.request, targets.table(".csv")])
def test_nothing_grows(target: Callable[[bytes], None]) -> None:
    """The same wrong input again and again leaves nothing behind."""
    wrong = b'{"type": "chat", "text": ' + b"x" * 20_000
    me = psutil.Process()
    for _ in range(30):
        target(wrong)
    before = me.memory_info().rss
    for _ in range(150):
        target(wrong)
    assert me.memory_info().rss - before < 16 << 20
