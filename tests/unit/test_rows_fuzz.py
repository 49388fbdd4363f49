"""No payload stops us and none is lost. Contract: reliability.md test 13, invariant I6."""

import gzip
import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from game_rows import browse_game, filtered_game, recorded_rows, restored, results, without_nulls
from mutator import mutant

from ingestion.rows import Lineage, games_table, quarantine_table, read_rows

ORIGIN = Lineage(datetime(2026, 11, 21, tzinfo=UTC), "run-1", "browse", "w")
PER_PAGE = 40


def check_page(texts: list[bytes]) -> int:
    """Read a page of these rows, store what comes out, and return how many were accepted."""
    good, bad = read_rows(b"[" + b", ".join(texts) + b"]")

    assert len(good) + len(bad) == len(texts)
    assert all(row.reason and row.payload for row in bad)
    table = games_table(good, [ORIGIN] * len(good))
    table.validate(full=True)
    assert table["id"].to_pylist() == [row.natural_id for row in good]
    assert table["name"].null_count == table["updated"].null_count == 0
    quarantine_table("games", bad, [ORIGIN] * len(bad)).validate(full=True)
    return len(good)


def sweep(rows: list[dict], seed: int, payloads: int) -> int:
    dice = random.Random(seed)
    pages = range(0, payloads, PER_PAGE)
    return sum(
        check_page([mutant(dice, dice.choice(rows)) for _ in range(PER_PAGE)]) for _ in pages
    )


@pytest.mark.parametrize("seed", range(5))
def test_mutated_payloads_are_all_accounted_for(seed):
    browse = [browse_game(number) for number in range(1, 6)]
    accepted = sweep([*browse, *map(filtered_game, browse)], seed, payloads=1_000)

    assert 100 < accepted < 900  # the sweep sees both kinds


@pytest.mark.recorded
def test_mutated_recorded_payloads_are_all_accounted_for(recorded_data: Path):
    rows = recorded_rows(recorded_data, "games_page_1.json.gz", "games_page_5521.json.gz")

    assert 50 < sweep(rows, seed=7, payloads=1_000) < 950


@pytest.mark.nightly
def test_half_a_million_mutated_payloads(recorded_data: Path):
    rows = recorded_rows(recorded_data, "games_page_1.json.gz", "games_page_5521.json.gz")
    rows += [filtered_game(browse_game(number)) for number in range(1, 20)]

    assert sum(sweep(rows, seed, payloads=10_000) for seed in range(50)) > 0


@pytest.mark.recorded
def test_every_recorded_row_is_accepted_and_loses_nothing(recorded_data: Path):
    seen = 0
    for path in sorted((recorded_data / "rawg" / "pages").glob("*.gz"))[::10]:
        rows = recorded_rows(recorded_data, path.name)
        good, bad = read_rows(results(*rows))
        back = [restored(row.payload, row.extra) for row in good]

        assert bad == []
        assert without_nulls(back) == without_nulls(rows)
        seen += len(good)
    assert seen == 35 * 40


@pytest.mark.recorded
def test_every_recorded_version_of_listing_shape_is_accepted(recorded_data: Path):
    with gzip.open(recorded_data / "rawg" / "other_versions.jsonl.gz") as lines:
        versions = [json.loads(line) for line in lines]
    rows = [one["game"] for one in versions if one["shape"] != "detail_shape"]
    page = json.loads((recorded_data / "rawg/filtered_shape/dates_filter_page.json").read_text())
    good, bad = read_rows(results(*rows, *page["results"]))

    assert bad == []
    assert len(good) == len(rows) + 40 > 200
