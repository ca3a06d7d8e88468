"""A store of objects that speaks S3 over HTTP; runs where ``s3fs`` and ``moto[server]`` are installed."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from jupyter_pipeline.automl.datasets import by_url, open_candidate
from jupyter_pipeline.automl.fetching import download
from jupyter_pipeline.automl.reading import ReadError, read

s3fs = pytest.importorskip("s3fs")
server = pytest.importorskip("moto.server")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

FRAME = pl.DataFrame({"age": range(1000), "city": ["a", "b"] * 500, "y": [0, 1, 1, 0] * 250})
SECRET = "a-secret-of-the-tests"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    store = server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    store.start()
    host, port = store.get_host_and_port()
    yield f"http://{host}:{port}"
    store.stop()


@pytest.fixture(autouse=True)
def environment(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in [n for n in os.environ if n.startswith(("AWS_", "FSSPEC_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> str:
    parquet = io.BytesIO()
    FRAME.write_parquet(parquet)
    store = s3fs.S3FileSystem()
    name = f"bucket-{abs(hash(request.node.name))}"
    store.mkdir(name)
    store.pipe(f"{name}/folder/rows.csv", FRAME.write_csv().encode())
    store.pipe(f"{name}/rows.parquet", parquet.getvalue())
    s3fs.S3FileSystem.clear_instance_cache()
    return name


@pytest.mark.parametrize("key", ["folder/rows.csv", "rows.parquet"])
def test_objects_are_read(bucket: str, tmp_path: Path, key: str) -> None:
    assert read(open_candidate(by_url(f"s3://{bucket}/{key}"), tmp_path / "d")).equals(FRAME)


def test_what_is_not_there_or_too_large_is_told_at_once(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="is a folder; name one file in it"):
        download(f"s3://{bucket}/folder", tmp_path / "d")
    for url in (f"s3://{bucket}/other.csv", "s3://no-such-bucket-of-the-tests/rows.csv"):
        with pytest.raises(ReadError, match=f"There is nothing at {url}"):
            download(url, tmp_path / "d")
    with pytest.raises(ReadError, match="larger than 100 bytes"):
        download(f"s3://{bucket}/rows.parquet", tmp_path / "d", max_bytes=100)
    assert list((tmp_path / "d").iterdir()) == []


def test_without_credentials_it_says_where_they_belong(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ReadError, match=r"was not given out.*AWS_ACCESS_KEY_ID.*FSSPEC_S3_ANON"):
        download(f"s3://{bucket}/rows.parquet", tmp_path / "d")


def test_a_store_that_is_not_there(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(ReadError, match=f"s3://{bucket}/rows.parquet cannot be fetched") as caught:
        download(f"s3://{bucket}/rows.parquet", tmp_path / "d")
    assert SECRET not in str(caught.value)


def test_keys_in_an_address_are_refused_and_not_repeated(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="has a name or a password in it") as caught:
        download(f"s3://key:{SECRET}@{bucket}/rows.parquet", tmp_path / "d")
    assert SECRET not in str(caught.value)
