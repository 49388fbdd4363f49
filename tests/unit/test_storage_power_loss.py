"""The folder store keeps its word after a power loss, judged by what it asked fsync to keep."""

import os
from pathlib import Path

import pyarrow as pa
import pytest
from manifests import manifest
from power_loss import PowerLoss

from storage.layout import manifest_key
from storage.object_store import LocalFolderStore
from storage.raw_parts import write_part

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> PowerLoss:
    return PowerLoss.watch(monkeypatch)


def test_the_model_forgets_what_was_not_synced(disk: PowerLoss, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"one")
    assert disk.surviving(tmp_path) == {}
    folder = os.open(tmp_path, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    assert disk.surviving(tmp_path) == {"file": b""}  # its name was synced, its bytes were not


def test_put_is_durable_when_it_returns(disk: PowerLoss, tmp_path: Path) -> None:
    store = LocalFolderStore(tmp_path / "lake" / "raw")
    for number in range(3):
        store.put(f"rawg/games/run={number}/part", b"bytes %d" % number)
        surviving = disk.surviving(tmp_path / "lake")
        assert surviving[f"raw/rawg/games/run={number}/part"] == b"bytes %d" % number


def test_put_again_makes_durable_what_a_dead_writer_left(disk: PowerLoss, tmp_path: Path) -> None:
    left = tmp_path / "raw" / "rawg" / "games"
    left.mkdir(parents=True)
    (left / "part").write_bytes(b"one")
    LocalFolderStore(tmp_path / "raw").put("rawg/games/part", b"one")
    assert disk.surviving(tmp_path)["raw/rawg/games/part"] == b"one"


def test_a_manifest_never_survives_its_part(disk: PowerLoss, tmp_path: Path) -> None:
    seen: list[dict[str, bytes]] = []
    record = os.fsync

    def fsync_and_look(descriptor: int) -> None:
        record(descriptor)
        seen.append(disk.surviving(tmp_path))

    os.fsync = fsync_and_look  # the fixture's monkeypatch puts the real one back
    part = write_part(LocalFolderStore(tmp_path / "raw"), pa.table({"id": [1]}), manifest())
    assert f"raw/{manifest_key(part.key)}" in seen[-1]
    for moment in seen:
        if f"raw/{manifest_key(part.key)}" in moment:
            assert len(moment[f"raw/{part.key}"]) == part.manifest.bytes
