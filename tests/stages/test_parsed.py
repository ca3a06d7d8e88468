"""The copy of a large table that later stages read instead of parsing its text again."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from jupyter_pipeline.automl.reading import ReadError, TableSpec, read, settle, sniff
from jupyter_pipeline.digests import sha256
from jupyter_pipeline.stages.parsed import FOLDER, MIN_CELLS, refuse_changed, table_of


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> TableSpec:
    path = tmp_path_factory.mktemp("data") / "large.csv"
    n, rng = MIN_CELLS // 10 + 1, np.random.default_rng(0)
    numbers = {f"x{i}": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)) for i in range(8)}
    names = pl.Series([f"{i % 100}" if i % 7 else None for i in range(n)])
    frame = pl.DataFrame({**numbers, "city": "c" + names, "yes": rng.random(n) < 0.5})
    frame.write_csv(path)
    return settle(sniff(path))


def copies(project: Path) -> list[Path]:
    return sorted((project / "artifacts" / FOLDER).iterdir())


def test_the_copy_holds_what_was_parsed(spec: TableSpec, tmp_path: Path) -> None:
    parsed = read(spec)
    told: list[tuple[str, Path]] = []
    assert table_of(tmp_path, spec, lambda new, place: told.append((sha256(new), place))).equals(parsed)
    (copy,) = copies(tmp_path)
    assert told == [(sha256(copy), copy)]
    written = copy.stat().st_mtime_ns
    again = table_of(tmp_path, spec)
    assert again.equals(parsed)
    assert again.schema == parsed.schema
    assert copy.stat().st_mtime_ns == written
    copy.write_bytes(copy.read_bytes()[:1000])
    assert table_of(tmp_path, spec).equals(parsed)
    copy.unlink()
    copy.mkdir()  # cannot be written
    assert table_of(tmp_path, spec).equals(parsed)


def test_data_that_were_approved_are_used_and_only_those(spec: TableSpec, tmp_path: Path) -> None:
    """A change of the file is no change of the project's data; data read in another way are other data."""
    own = tmp_path / "own.csv"
    own.write_bytes(Path(spec.path).read_bytes())
    mine = TableSpec.from_dict({**spec.to_dict(), "path": str(own)})
    parsed = table_of(tmp_path, mine)
    (first,) = copies(tmp_path)
    own.write_bytes(own.read_bytes().replace(b"c1", b"d1"))
    assert table_of(tmp_path, mine).equals(parsed)
    changed = table_of(tmp_path, settle(sniff(own)))
    assert not changed.equals(parsed)
    (second,) = copies(tmp_path)
    assert second != first
    own.unlink()
    with pytest.raises(ReadError, match=r"no file own\.csv any more"):
        table_of(tmp_path, mine)


@pytest.mark.parametrize("content", ["a,b\n" + "1,3\n" * 50, "c\n1\n"])
def test_a_small_file_that_was_changed_is_not_taken_for_what_was_approved(tmp_path: Path, content: str) -> None:
    path = tmp_path / "small.csv"
    path.write_text("a,b\n" + "1,2\n" * 50)
    spec = settle(sniff(path))
    path.write_text(content)
    with pytest.raises(ReadError, match=r"small\.csv was changed after the stage Data had looked at it\. Restart that"):
        table_of(tmp_path, spec)
    with pytest.raises(ReadError, match="was changed"):
        refuse_changed(spec)  # as PROFILE_DATA asks, which reads no whole table


def test_small_tables_leave_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "small.csv"
    path.write_text("a,b\n" + "1,2\n" * 50)
    assert table_of(tmp_path, settle(sniff(path))).height == 50
    assert not (tmp_path / "artifacts").exists()
