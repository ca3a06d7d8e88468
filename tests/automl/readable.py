"""A table as text, and a file of it read in all ways that must agree."""

import json
from pathlib import Path

import polars as pl

from jupyter_pipeline.automl.reading import TableSpec, read, scan, settle, sha256, sniff

FRAME = pl.DataFrame(
    {
        "n": [1, 2, None, 4],
        "x": [0.5, 1.25, 2.0, None],
        "name": ["a", "b, c", 'say "d"', "ä"],
        "yes": [True, False, True, None],
    }
)
TEXT = FRAME.write_csv()


def load(path: Path) -> pl.DataFrame:
    spec = settle(sniff(path))
    again = TableSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    assert spec.sha256 == sha256(path)
    frame = read(again)
    assert frame.height == spec.n_rows
    assert frame.columns == list(spec.columns)
    assert scan(again).collect().equals(frame)
    return frame


def write(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path
