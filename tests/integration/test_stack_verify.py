"""`gamelake verify` looks into the buckets, not only at the folder."""

from pathlib import Path

import pytest
from lakes import KEY, LakeUnderTest
from simulated import running

pytestmark = pytest.mark.stack


def test_a_secret_in_a_raw_object_is_found(stack_settings: dict[str, str], tmp_path: Path) -> None:
    with running(games=60) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url, stack_settings)
        lake.must("run")
        assert lake.broken() == []
        with lake.open() as opened:
            opened.raw.put("rawg/_quarantine/note.txt", f"next=...?key={KEY}".encode())

        told = lake.run("verify")

    found = {check["name"]: check["problems"] for check in told.json["checks"]}
    assert told.code == 5
    assert found["secrets"] == ["a secret stands in s3://raw/rawg/_quarantine/note.txt"]
