"""The folder store keeps its word after a power loss, judged by what it asked fsync to keep."""

import os
from pathlib import Path

import pyarrow as pa
import pytest
from manifests import manifest
from power_loss import PowerModel

from storage.layout import manifest_key, part_key
from storage.object_store import LocalFolderStore
from storage.raw_parts import write_part
from utils.durable import sync_folder

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")


@pytest.fixture
def power(monkeypatch: pytest.MonkeyPatch) -> PowerModel:
    return PowerModel.watching(monkeypatch)


def test_the_model_forgets_what_was_not_synced(power: PowerModel, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    assert not power.survives(path, tmp_path)
    sync_folder(tmp_path)
    assert not power.survives(path, tmp_path)  # its name was synced, its bytes were not
    with path.open("rb") as file:
        os.fsync(file.fileno())
    assert power.survives(path, tmp_path)
    path.write_bytes(b"longer")
    assert power.cut(tmp_path) == 1
    assert path.read_bytes() == b""


def test_put_is_durable_when_it_returns(power: PowerModel, tmp_path: Path) -> None:
    store = LocalFolderStore(tmp_path / "lake" / "raw")
    for number in range(3):
        key = f"rawg/games/run={number}/part"
        store.put(key, b"bytes")
        assert power.survives(Path(store.uri(key)), tmp_path)
    assert power.cut(tmp_path) == 0


def test_put_again_makes_durable_what_a_dead_writer_left(power: PowerModel, tmp_path: Path) -> None:
    left = tmp_path / "raw" / "rawg" / "games" / "part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"one")
    LocalFolderStore(tmp_path / "raw").put("rawg/games/part", b"one")
    assert power.survives(left, tmp_path)


def test_whenever_the_power_fails_a_manifest_has_its_part(
    power: PowerModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = part_key("rawg", "games", manifest().run_id, 1)
    part, note = (tmp_path / "raw" / name for name in (key, manifest_key(key)))
    seen: list[tuple[bool, bool]] = []
    fsync = os.fsync

    def fsync_and_look(descriptor: int) -> None:
        fsync(descriptor)
        seen.append(tuple(one.exists() and power.survives(one, tmp_path) for one in (part, note)))

    monkeypatch.setattr(os, "fsync", fsync_and_look)
    write_part(LocalFolderStore(tmp_path / "raw"), pa.table({"id": [1]}), manifest())
    assert seen[-1] == (True, True)
    assert (True, False) in seen
    assert (False, True) not in seen
