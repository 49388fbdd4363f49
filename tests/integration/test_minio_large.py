"""Large objects on MinIO: they go up in parts, appear whole, and are checked both ways."""

import io
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cutting_proxy import CuttingProxy
from minio_lab import MinioLab, new_lab

from storage.minio_client import PART_BYTES
from testbed.servers import MinioServer
from utils.errors import GamelakeError

pytestmark = pytest.mark.stack

SIZE = 2 * PART_BYTES + 12_345
BYTES = random.Random(4).randbytes(SIZE)


@pytest.fixture
def lab(minio: MinioServer) -> MinioLab:
    return new_lab(minio.start())


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(BYTES)
    return path


def test_a_large_file_goes_up_in_parts_and_comes_back(lab: MinioLab, large: Path) -> None:
    store = lab.store()
    store.put_file("a/large", large)
    store.get_file("a/large", large.with_name("back"))
    assert large.with_name("back").read_bytes() == BYTES
    etag = lab.server.client().stat_object(lab.bucket, "a/large").etag
    assert etag is not None
    assert etag.endswith("-3")  # S3's mark of an object of three parts


@pytest.mark.parametrize("size", [PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES])
def test_sizes_around_a_part(lab: MinioLab, size: int) -> None:
    store = lab.store()
    store.put("a", BYTES[:size])
    found = store.stat("a")
    assert found is not None
    assert found.size == size
    assert store.get("a") == BYTES[:size]


@pytest.mark.parametrize("size", [PART_BYTES - 1, SIZE], ids=["one part", "parts"])
def test_the_same_again_is_not_sent_again(lab: MinioLab, size: int) -> None:
    lab.store().put("a", BYTES[:size])
    changed = lab.server.client().stat_object(lab.bucket, "a").last_modified
    with CuttingProxy(lab.server.address) as proxy:
        lab.through(proxy).put("a", BYTES[:size])
    assert proxy.sent < 10_000
    assert lab.server.client().stat_object(lab.bucket, "a").last_modified == changed
    assert lab.unfinished() == []


def test_another_large_file_is_refused(lab: MinioLab, large: Path) -> None:
    store = lab.store()
    store.put_file("a", large)
    large.write_bytes(BYTES[:-1] + b"!")  # of the same size
    with pytest.raises(GamelakeError, match="other bytes"):
        store.put_file("a", large)
    assert store.get("a") == BYTES


def test_of_two_writers_of_a_large_object_one_wins(lab: MinioLab) -> None:
    values = [BYTES[:-1] + bytes([number]) for number in range(4)]

    def write(value: bytes) -> bool:
        try:
            lab.store().put("a", value)
        except GamelakeError as error:
            if "other bytes" not in error.message:
                raise
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = [value for value, done in zip(values, pool.map(write, values), strict=True) if done]
    assert won == [lab.store().get("a")]
    assert lab.unfinished() == []


def test_an_upload_that_was_begun_is_in_no_listing(lab: MinioLab) -> None:
    client = lab.server.client()
    upload = client._create_multipart_upload(lab.bucket, "a/b", {})
    client._upload_part(lab.bucket, "a/b", BYTES[:PART_BYTES], None, upload, 1)
    store = lab.store()
    assert lab.unfinished() == ["a/b"]
    assert list(store.list("")) == []
    assert store.stat("a/b") is None
    store.put("a/b", b"one")
    assert store.get("a/b") == b"one"


def test_bytes_that_somebody_changed_are_not_taken_for_ours(lab: MinioLab, tmp_path: Path) -> None:
    store = lab.store()
    store.put("a", b"one")
    metadata = lab.server.client().stat_object(lab.bucket, "a").metadata or {}
    told = {"sha256": metadata["x-amz-meta-sha256"]}
    lab.server.client().put_object(lab.bucket, "a", io.BytesIO(b"two"), 3, metadata=told)
    for read in (lambda: store.get("a"), lambda: store.get_file("a", tmp_path / "a")):
        with pytest.raises(GamelakeError, match="not have the bytes it was stored with"):
            read()
    assert not (tmp_path / "a").exists()


def test_an_object_of_another_tool_is_read_and_compared(lab: MinioLab) -> None:
    store = lab.store()
    lab.server.client().put_object(lab.bucket, "a", io.BytesIO(b"one"), 3)
    assert store.get("a") == b"one"
    store.put("a", b"one")
    with pytest.raises(GamelakeError, match="other bytes"):
        store.put("a", b"two")


def test_a_listing_of_more_than_one_request_is_in_order(lab: MinioLab) -> None:
    store = lab.store()
    keys = [f"r/run={number % 7}/{number}" for number in range(2_345)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.put(key, key.encode()), [*keys, "q", "s/1"]))
    assert [info.key for info in store.list("r/")] == sorted(keys)
    assert [info.key for info in store.list("")] == ["q", *sorted(keys), "s/1"]
    some = [key for key in sorted(keys) if key.startswith("r/run=3/1")]
    assert [info.key for info in store.list("r/run=3/1")] == some
