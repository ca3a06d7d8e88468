"""Small valid files of every kind that is read: what the fuzzers change."""

import bz2
import gzip
import io
import lzma
import zipfile

import polars as pl
import zstandard

FRAME = pl.DataFrame(
    {
        "n": [1, 2, None, 4],
        "x": [0.5, 1.25, 2.0, None],
        "name": ["a", "b, c", 'say "d"', "ä"],
        "day": ["2024-01-01", "2024-02-29", None, "2024-12-31"],
    }
)
MESSAGES = [
    b'{"type": "chat", "text": "Please use Random Forest instead of XGBoost", "id": "a"}',
    b'{"type": "command", "command": "restart_stage", "args": {"stage_id": "TRAIN", "params": {"keep": "r"}}}',
    b'{"type": "command", "command": "update_plan", "args": {"stage_id": "TRAIN", "patch": [{"op": "add"}]}}',
    b'{"type": "resume", "since": 5, "epoch": "x"}',
    b'{"type": "subscribe", "names": ["LOG_LINE"], "coalesce": true}',
    b'{"type": "ping", "ts": 1705532400000}',
]
EVENT = (
    b'{"v":1,"type":"EVENT","project_id":"demo","seq":42,"ts":1705532400000,"stage":{"id":"TRAIN","index":5,'
    b'"status":"IN_PROGRESS"},"event":{"name":"METRIC_SCALAR","payload":{"run_id":"r","name":"loss","split":"val",'
    b'"step":1,"value":0.5,"source":"measured"}}}'
)


def files() -> dict[str, bytes]:
    """Suffix to content."""
    csv = FRAME.write_csv().encode()
    parquet, feather, excel, archive = (io.BytesIO() for _ in range(4))
    FRAME.write_parquet(parquet)
    FRAME.write_ipc(feather)
    _excel(excel)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("rows.csv", csv)
    return {
        ".csv": csv,
        ".tsv": FRAME.write_csv(separator="\t").encode(),
        ".json": FRAME.write_json().encode(),
        ".ndjson": FRAME.write_ndjson().encode(),
        ".parquet": parquet.getvalue(),
        ".feather": feather.getvalue(),
        ".xlsx": excel.getvalue(),
        ".csv.zip": archive.getvalue(),
        ".csv.gz": gzip.compress(csv),
        ".csv.bz2": bz2.compress(csv),
        ".csv.xz": lzma.compress(csv),
        ".csv.zst": zstandard.ZstdCompressor().compress(csv),
    }


def _excel(target: io.BytesIO) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(FRAME.columns)
    for row in FRAME.rows():
        sheet.append(row)
    book.save(target)
