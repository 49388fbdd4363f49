"""What raw parts show of MinIO: parts that somebody removed or changed there are found."""

import io

import pytest
from manifests import manifest
from minio_lab import MinioLab, new_lab, rows

from storage.object_tables import deduplicate, read_parquet
from storage.raw_parts import RawPart, list_parts, part_problems, write_part
from testbed.servers import MinioServer

pytestmark = pytest.mark.stack


@pytest.fixture
def lab(minio: MinioServer) -> MinioLab:
    return new_lab(minio.start())


@pytest.fixture
def part(lab: MinioLab) -> RawPart:
    part = write_part(lab.store(), rows(1), manifest())
    assert part_problems(lab.store(), part) == []
    return part


def test_a_part_that_is_gone(lab: MinioLab, part: RawPart) -> None:
    lab.server.client().remove_object(lab.bucket, part.key)
    assert part_problems(lab.store(), part) == [
        f"{part.key}: the manifest names it but it is missing"
    ]


@pytest.mark.parametrize("keeps_digest", [False, True])
def test_a_part_that_was_replaced(lab: MinioLab, part: RawPart, keeps_digest: bool) -> None:
    client = lab.server.client()
    metadata = client.stat_object(lab.bucket, part.key).metadata or {}
    told = {"sha256": metadata["x-amz-meta-sha256"]} if keeps_digest else None
    client.put_object(lab.bucket, part.key, io.BytesIO(b"two"), 3, metadata=told)
    problems = part_problems(lab.store(), part)
    assert len(problems) == 1
    assert part.key in problems[0]


def test_parts_of_many_runs_are_listed_and_read(lab: MinioLab) -> None:
    store = lab.store()
    for number in range(1, 31):
        told = manifest(run_id=f"run-{number % 3}", number=number)
        write_part(store, rows(number, 1000), told)
    parts = list_parts(store, "rawg", "games")
    assert [part.manifest.number for part in parts[:3]] == [3, 6, 9]
    keys = [part.key for part in parts]
    assert store.read_table(keys, ["id"]).num_rows == 60
    frame = read_parquet(store, keys, ["name"])
    assert list(frame.columns) == ["name"]
    assert frame["name"].nunique() == 31


def test_one_row_for_each_key_is_kept(lab: MinioLab) -> None:
    store = lab.store()
    early, late = (rows(1, 2).append_column("at", [[at, at]]) for at in (1, 2))
    keys = [write_part(store, late.slice(0, 1), manifest(number=1)).key]
    keys.append(write_part(store, early, manifest(number=2)).key)
    kept = deduplicate(store.read_table(keys), ["id"], "at")
    assert kept.to_pydict() == {"id": [2, 1], "name": ["2", "1"], "at": [1, 2]}
