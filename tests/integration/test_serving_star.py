"""The published star, read through the query engine, is the one that the oracle works out."""

import datetime as dt
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from etl_lake import EtlLake, open_lake
from oracle import Oracle, Page, Row
from star_difference import compare, published

from etl.context import EtlRequest
from etl.pipeline import run_etl
from serving.lake import connect
from storage.layout import GAMES
from utils.config import Settings

START = dt.datetime(2025, 8, 1, tzinfo=dt.UTC)
STEPS = 4


class Feeder:
    """Hands the same pages to the oracle and, as ingestion would store them, to a lake."""

    def __init__(self) -> None:
        self.oracle = Oracle()
        self._clock = START

    def stored(self, rows: list[Row], run: str, listing: str, entity: str = GAMES) -> list[Row]:
        """Feed the rows one by one; return those that the ledger would store, as raw rows."""
        kept = []
        for row in rows:
            self._clock += dt.timedelta(microseconds=1)
            page = Page([row], run, listing, self._clock.replace(tzinfo=None), entity)
            before = self.oracle.counts[run]["unchanged"]
            self.oracle.feed([page])
            if self.oracle.counts[run]["unchanged"] == before:
                lineage = {"_fetched_at": self._clock, "_listing": listing, "_window": "w"}
                kept.append({**row, **lineage, "_payload_hash": str(self._clock)})
        return kept


def _published(home: Path) -> dict[str, list[Row]]:
    with connect(Settings(gamelake_home=home)) as engine:
        return published(engine)


def _random_row(draw: random.Random, listing: str) -> Row:
    def some(numbers: int) -> list[Row]:
        ids = draw.sample(range(1, numbers + 1), draw.randint(0, 3))
        return [{"id": i, "name": f"N{i}", "slug": f"n{i}"} for i in ids]

    browse = listing == "browse"
    russian = [] if browse else [{**t, "id": t["id"] + 100, "language": "rus"} for t in some(4)]
    day = f"{draw.randint(1990, 1993)}-0{draw.randint(1, 9)}-01"
    return {
        "id": draw.randint(1, 8),
        "name": draw.choice(["A", "B", None]),
        "slug": "s",
        "released": draw.choice([None, day]),
        "tba": draw.random() < 0.2,
        "rating": draw.choice([0.0, 3.5]),
        "rating_top": 0,
        "ratings": draw.choice([None, [], [{"id": 5, "title": "exceptional", "count": 2}]]),
        "added": draw.choice([0, 1]),
        "added_by_status": draw.choice([None, {}, {"owned": 1}]),
        "metacritic": draw.choice([None, 50]),
        "playtime": draw.choice([0, 7]),
        "updated": f"202{draw.randint(0, 2)}-01-01T00:00:00",
        "platforms": [
            {"platform": p, **({"released_at": draw.choice([None, day])} if browse else {})}
            for p in some(5)
        ],
        "stores": draw.choice(
            [
                None,
                [{"store": {**s, **({"domain": "d.example"} if browse else {})}} for s in some(3)],
            ]
        ),
        "genres": some(4),
        "tags": [{**t, "language": "eng"} for t in some(4)] + russian,
        "esrb_rating": draw.choice([None, {"id": 4, "name": "Mature", "slug": "mature"}]),
        "short_screenshots": draw.choice([None, [{"id": -1}, {"id": 3, "image": "x"}]]),
    }


@pytest.mark.parametrize("seed", range(4))
def test_every_step_of_a_random_history_gives_the_oracles_star(seed: int, tmp_path: Path) -> None:
    """Both listings in any order; increments, and at the end a rebuild in another home."""
    draw, feeder = random.Random(seed), Feeder()
    steps: list[tuple[str, list[Row]]] = []
    with open_lake(tmp_path / "steps") as lake:
        for number in range(STEPS):
            listing = draw.choice(["browse", "filtered"])
            rows = [_random_row(draw, listing) for _ in range(12)]
            steps.append((f"run-{number}", feeder.stored(rows, f"run-{number}", listing)))
            lake.add(steps[-1][0], GAMES, steps[-1][1])
            run_etl(lake.ctx, EtlRequest())
            found = _published(tmp_path / "steps")
            assert compare(found, feeder.oracle.star(), ignore={"payload_hash"}) == []
    with open_lake(tmp_path / "whole") as lake:
        for run, rows in steps:
            lake.add(run, GAMES, rows)
        run_etl(lake.ctx, EtlRequest(full=True))

    assert compare(_published(tmp_path / "whole"), found, ignore=()) == []


def _recorded_pages(folder: Path) -> Iterator[list[Row]]:
    seen: set[int] = set()
    for path in sorted((folder / "rawg/pages").glob("*.gz")):
        with gzip.open(path) as stream:
            rows = [row for row in json.load(stream)["results"] if row["id"] not in seen]
        seen |= {row["id"] for row in rows}
        yield rows


def _add_lookups(lake: EtlLake, feeder: Feeder, folder: Path) -> None:
    for entity in ("platforms", "parent_platforms", "stores", "genres"):
        file = folder / "rawg/lookups" / f"{entity.replace('_', '-')}.json"
        rows = json.loads(file.read_text())["results"]
        lake.add("run-1", entity, feeder.stored(rows, "run-1", "browse", entity))


@pytest.mark.recorded
def test_the_recorded_games_give_the_oracles_star(recorded_data: Path, tmp_path: Path) -> None:
    feeder = Feeder()
    with open_lake(tmp_path) as lake:
        _add_lookups(lake, feeder, recorded_data)
        for rows in _recorded_pages(recorded_data):
            lake.add("run-1", GAMES, feeder.stored(rows, "run-1", "browse"))
        report = run_etl(lake.ctx, EtlRequest())
    found = _published(tmp_path)

    assert report.published
    assert len(found["fact_games"]) == 13_960
    assert compare(found, feeder.oracle.star(), ignore={"payload_hash"}) == []
