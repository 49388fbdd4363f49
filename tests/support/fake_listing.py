"""A source in memory, as `ingestion.crawl` sees it: games with release dates, and its limits."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from ingestion.crawl import Crawl
from ingestion.rawg_fetcher import ListingQuery, Page, RowHead
from ingestion.reading import Reading
from storage.layout import BROWSE

UPDATED = "2025-01-01T00:00:00"


@dataclass
class FakeListing:
    """`games` maps an id to its release date (None: undated); ids are in order of creation."""

    games: dict[int, str | None]
    depth: int = 1_000_000
    size: int = 40
    asked: list[tuple[str, int]] = field(default_factory=list)

    def page(self, query: ListingQuery, number: int) -> Page:
        self.asked.append((query.name, number))
        found = self._select(query)
        reach = found if query.listing == BROWSE else found[: self.depth]
        first = (number - 1) * self.size
        ids = reach[first : first + self.size]
        if not ids and number > 1:
            return Page(query, number, 0, (), b"[]", query.listing, False, True)
        heads = tuple(RowHead(i, UPDATED, self.games[i]) for i in ids)
        rows = json.dumps([{"id": i} for i in ids]).encode()
        more = first + self.size < len(reach)
        return Page(query, number, len(found), heads, rows, query.listing, more, False)

    def _select(self, query: ListingQuery) -> list[int]:
        params = dict(query.params)
        if "dates" in params:
            first, last = params["dates"].split(",")
            dated = ((i, day) for i, day in self.games.items() if day is not None)
            return sorted(i for i, day in dated if first <= day <= last)
        if params["ordering"] == "released":
            return sorted(self.games, key=lambda i: (self.games[i] or "", i))
        return sorted(self.games)


@dataclass
class Drive:
    """Reads every window of a crawl in one thread; `got` counts how often each game was kept."""

    source: FakeListing
    got: dict[int, int] = field(default_factory=dict)
    splits: int = 0

    def read(self, readings: Iterable[Reading]) -> list[Reading]:
        crawl = Crawl(readings, self._split)
        while (task := crawl.next()) is not None:
            page = self.source.page(task.query, task.page)
            stored = crawl.look(task, page)
            for position in stored or ():
                natural_id = page.rows[position].natural_id
                assert natural_id is not None
                self.got[natural_id] = self.got.get(natural_id, 0) + 1
            crawl.finish(task, page, stored)
        return crawl.readings()

    def _split(self, _reading: Reading, _pieces: Iterable[Reading]) -> None:
        self.splits += 1
