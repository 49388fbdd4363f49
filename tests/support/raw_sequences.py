"""Random histories of a lake's raw: what a source says over time, and how crawls bring it in.

A sequence is a list of crawls; a crawl stores pages of JSON rows, typed by the ingestion's own
reader: so undeclared fields and values of a wrong type go where they would in a real run.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from game_rows import browse_game, filtered_game
from hypothesis import strategies as st
from raw_builder import Row, lookup, moment, named, year_counts

from ingestion.rows import Lineage, games_table, read_rows
from storage.layout import BROWSE, FILTERED, LOOKUPS, YEAR_COUNTS

Json = dict[str, Any]
GAMES = 12


@dataclass(frozen=True)
class Page:
    """Rows as they came over the wire, from a listing, at a microsecond of the test's time."""

    listing: str
    at: int
    body: bytes


@dataclass(frozen=True)
class Crawl:
    """One ingest run: its pages in the order in which they were stored, and its small entities."""

    pages: tuple[Page, ...]
    others: dict[str, tuple[Row, ...]]

    def games(self, run_id: str) -> pa.Table:
        """Return the good rows as a raw table; bad ones are left to the quarantine."""
        tables = []
        for page in self.pages:
            good, _ = read_rows(page.body)
            origin = Lineage(moment(page.at), run_id, page.listing, "w")
            tables.append(games_table(good, [origin] * len(good)))
        return pa.concat_tables(tables)


def quarantined(crawls: Sequence[Crawl]) -> int:
    """Return how many rows of all pages cannot be typed."""
    return sum(len(read_rows(page.body)[1]) for crawl in crawls for page in crawl.pages)


@st.composite
def sequences(draw: st.DrawFn) -> list[Crawl]:
    """Draw two to five crawls: inserts, updates, repeated pages, late pages, drift of the schema.

    Every crawl is read after the one before it, but for late pages: they waited in a spool when
    the run that read them died, and reach raw with a later one. Three in four sequences begin
    with every game, so that the crawls after the first find full tables.
    """
    crawls, stored, clock = [], list[Page](), 0
    full = draw(st.integers(0, 3)) > 0
    for number in range(draw(st.integers(2, 5))):
        drift = draw(_drifts)
        pages = [_every_game(clock := clock + 10)] if full and not number else []
        for _ in range(draw(st.integers(0, 3))):
            clock += 10
            pages.append(_page(draw, clock, drift))
        if stored and draw(st.integers(0, 3)) == 0:
            clock += 10
            pages.append(_again(draw, stored, clock))
        stored += pages
        crawls.append(Crawl(tuple(pages), draw(_lookups(clock)) | draw(_year_counts(clock))))
        clock += 10
    return crawls


def _every_game(clock: int) -> Page:
    return Page(BROWSE, clock, json.dumps([browse_game(n + 1) for n in range(GAMES)]).encode())


def _page(draw: st.DrawFn, clock: int, drift: Callable[[Json], Json]) -> Page:
    listing = draw(st.sampled_from([BROWSE, FILTERED]))
    late = draw(st.integers(0, 9)) == 0
    rows = [draw(_rows(listing)) for _ in range(draw(st.integers(1, 3)))]
    body = json.dumps([drift(row) for row in rows]).encode()
    return Page(listing, max(1, clock - 25) if late else clock, body)


def _again(draw: st.DrawFn, stored: Sequence[Page], clock: int) -> Page:
    """A page once more: read again later, or replayed with the very time of its first storing."""
    page = draw(st.sampled_from(stored))
    return Page(page.listing, draw(st.sampled_from([clock, page.at])), page.body)


def _as_it_is(row: Json) -> Json:
    return row


def _undeclared(row: Json) -> Json:
    return row | {"esports": {"leagues": [1, None]}, "": 1}


def _vanished(row: Json) -> Json:
    gone = ("tags", "esrb_rating", "metacritic", "added_by_status", "suggestions_count")
    return {name: value for name, value in row.items() if name not in gone}


def _of_another_type(row: Json) -> Json:
    return row | {"playtime": f"{row['playtime']} hours", "ratings": {"count": 1}}


def _half_of_another_type(row: Json) -> Json:
    return _of_another_type(row) if row["id"] % 2 else row


_UNUSUAL = (_undeclared, _vanished, _of_another_type, _half_of_another_type)
_drifts = st.sampled_from([*3 * [_as_it_is], *_UNUSUAL])
_ids = st.integers(1, GAMES)
_lookup_ids = st.integers(1, 7)


@st.composite
def _rows(draw: st.DrawFn, listing: str) -> Json:
    row = browse_game(
        draw(_ids),
        released=draw(st.sampled_from([None, "2020-05-17", "2031-01-01", "0001-01-01"])),
        updated=draw(st.sampled_from(["2026-07-01T10:20:30", "2026-07-02T00:00:00"])),
        rating=draw(st.sampled_from([0.0, 3.5])),
        added=draw(st.integers(0, 2)),
        playtime=draw(st.integers(0, 1)),
        name=draw(st.sampled_from(["A", "B"])),
    )
    for member in ("genres", "platforms", "stores", "tags"):
        row[member] = draw(st.none() | st.just([]) | _some_of(row[member]))
    for entry in row["platforms"] or ():
        entry["released_at"] = draw(st.sampled_from([None, "2020-01-01", "2021-02-30", "soon"]))
    for entry in row["tags"] or ():
        entry["language"] = draw(st.sampled_from(["eng", "eng", "rus"]))
        entry["name"] = draw(st.sampled_from(["One", "Eins"]))
    return row if listing == BROWSE else filtered_game(row)


def _some_of(entries: list[Json]) -> st.SearchStrategy[list[Json]]:
    return st.lists(st.sampled_from(entries), max_size=3).map(lambda some: [dict(e) for e in some])


@st.composite
def _lookups(draw: st.DrawFn, clock: int) -> dict[str, tuple[Row, ...]]:
    entities = draw(st.lists(st.sampled_from(LOOKUPS), max_size=2, unique=True))
    return {
        entity: (
            lookup(
                draw(_lookup_ids),
                draw(st.sampled_from(["x", "y"])),
                at=clock + 1,
                domain=draw(st.sampled_from([None, "z.com"])),
                platforms=[named(4), named(7)],
            ),
        )
        for entity in entities
    }


def _year_counts(clock: int) -> st.SearchStrategy[dict[str, tuple[Row, ...]]]:
    """What the source says of its years, where it says anything new."""
    years = st.dictionaries(st.sampled_from([None, 2020, 2031]), st.integers(0, 2), min_size=1)
    said = st.builds(lambda found: {YEAR_COUNTS: (*year_counts(found, at=clock + 2),)}, years)
    return st.just({}) | said
