"""Recorded games are served as they were recorded, and their other versions step by step."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from simulated import Local, local

from simulator.replay import load_recording
from utils.errors import UsageError

Json = dict[str, Any]


@pytest.fixture(scope="module")
def pages(recorded_data: Path) -> Path:
    return recorded_data / "rawg" / "pages"


@pytest.fixture(scope="module")
def recorded(pages: Path) -> dict[int, Json]:
    read = (json.loads(gzip.decompress(path.read_bytes())) for path in pages.iterdir())
    return {row["id"]: row for page in read for row in page["results"]}


@pytest.fixture(scope="module")
def replay(pages: Path) -> Local:
    return local(replay=pages)


def test_a_folder_without_pages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no recorded page"):
        load_recording(tmp_path)


@pytest.mark.recorded
def test_browse_rows_are_verbatim(replay: Local, recorded: dict[int, Json]) -> None:
    served = replay.crawl()
    assert len(served) == len(recorded) == 13_960
    for row in served:
        assert row == recorded[row["id"]]
        assert list(row) == list(recorded[row["id"]])


@pytest.mark.recorded
def test_filtered_rows_look_as_recorded(replay: Local, recorded_data: Path) -> None:
    path = recorded_data / "rawg" / "filtered_shape" / "dates_filter_page.json"
    real = json.loads(path.read_bytes())
    ours = replay.get(dates="2020-01-01,2024-12-31", ordering="-added", page_size=40)
    assert list(ours) == list(real)
    optional = {"community_rating"}
    for row in real["results"] + ours["results"]:
        assert [k for k in row if k not in optional] == list(real["results"][0])
    for part in ("platforms", "stores", "genres", "parent_platforms"):
        assert shape_of(ours["results"], part) == shape_of(real["results"], part)
    assert {frozenset(row["esrb_rating"]) for row in ours["results"] if row["esrb_rating"]} == {
        frozenset(row["esrb_rating"]) for row in real["results"] if row["esrb_rating"]
    }
    assert any(tag["language"] == "rus" for row in ours["results"] for tag in row["tags"])


def shape_of(rows: list[Json], part: str) -> set[str]:
    """Return the key structure of a list's items."""
    items = (item for row in rows for item in row[part] or ())
    return {
        json.dumps({k: sorted(v) if isinstance(v, dict) else 0 for k, v in item.items()})
        for item in items
    }


@pytest.mark.recorded
def test_lookups_are_the_recorded_ones_made_whole(replay: Local, recorded_data: Path) -> None:
    for name in ("genres", "stores"):
        real = json.loads((recorded_data / "rawg" / "lookups" / f"{name}.json").read_bytes())
        assert replay.get(name)["results"] == real["results"]
    assert replay.get("platforms")["count"] == 51


@pytest.mark.recorded
def test_other_versions_are_applied_step_by_step(pages: Path, recorded: dict[int, Json]) -> None:
    replay = local(replay=pages)
    watermark = replay.get(ordering="-updated")["results"][0]["updated"]
    current, steps = recorded, []
    versions = load_recording(pages).versions
    while (step := replay.tell("step"))["changed"]:
        served = {row["id"]: row for row in replay.crawl()}
        assert sorted(i for i in served if served[i] != current[i]) == step["changed"]
        assert all(served[i]["updated"] > watermark for i in step["changed"])
        for ident in step["changed"]:
            version = versions[ident].pop(0)
            assert served[ident] | {"updated": ""} == version | {"updated": ""}
        watermark, current = max(row["updated"] for row in served.values()), served
        steps.append(len(step["changed"]))
    assert steps == [54, 22, 18, 1]
