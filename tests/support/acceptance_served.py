"""What a simulated RAWG serves, collected by plain HTTP: pages for the oracle, ids, counts.

It shares nothing with the client under test: it follows `next`, cuts by years, knows no window.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from oracle import Page, Row
from simulated import fetch, pages

from simulator.process import SimulatorProcess

LOOKUPS = {
    "platforms": "platforms",
    "parent_platforms": "platforms/lists/parents",
    "stores": "stores",
    "genres": "genres",
}
_OVERLAP = timedelta(days=1)
_MOST = 40


def lookup_pages(simulator: SimulatorProcess, run: str) -> Iterator[Page]:
    """Yield what a run asks beside games: the look-ups, page by page, and the years' sizes."""
    for entity, path in LOOKUPS.items():
        number, following = 1, True
        while following:
            body = fetch(simulator, path, page=number).json()
            yield Page(body["results"], run, entity=entity)
            number, following = number + 1, body["next"] is not None
    yield from year_pages(simulator, run)


def years_served(simulator: SimulatorProcess) -> dict[int, int]:
    """Return the dated games of each year, as the browse listing's own facets count them."""
    decades = fetch(simulator, page_size=1).json()["filters"]["years"]
    return {entry["year"]: entry["count"] for decade in decades for entry in decade["years"]}


def year_pages(simulator: SimulatorProcess, run: str) -> Iterator[Page]:
    """Yield how many games the source has of each year, by counting the rows of its listing."""
    years = Counter(row["released"] and int(row["released"][:4]) for row in every_row(simulator))
    counts = {None: 0, **years}
    yield Page([{"year": y, "count": n} for y, n in counts.items()], run, entity="year_counts")


def dated_pages(simulator: SimulatorProcess, run: str) -> Iterator[Page]:
    """Yield every dated game as the filtered listing shows it, year by year."""
    for year, count in years_served(simulator).items():
        seen = 0
        for body in pages(simulator, dates=f"{year}-01-01,{year}-12-31", page_size=_MOST):
            seen += len(body["results"])
            yield Page(body["results"], run, "filtered")
        assert seen == count, f"{year} shows {seen} of {count} games: over the depth limit?"


def undated_pages(simulator: SimulatorProcess, run: str) -> Iterator[Page]:
    """Yield every undated game: they stand before all others by release."""
    for body in pages(simulator, ordering="released", page_size=_MOST):
        rows = [row for row in body["results"] if row["released"] is None]
        yield Page(rows, run)
        if len(rows) < len(body["results"]):
            return


def changed_pages(simulator: SimulatorProcess, run: str, *, since: str) -> Iterator[Page]:
    """Yield what a delta reads: newest first, down to a day before the watermark `since`."""
    oldest = (datetime.fromisoformat(since) - _OVERLAP).isoformat()
    for body in pages(simulator, ordering="-updated", page_size=_MOST):
        rows = [row for row in body["results"] if row["updated"] >= oldest]
        yield Page(rows, run, since=since)
        if len(rows) < len(body["results"]):
            return


def recorded_pages(folder: Path, run: str) -> Iterator[Page]:
    """Yield the recorded pages of the browse listing, straight from their files."""
    for path in sorted((folder / "rawg/pages").glob("*.gz")):
        yield Page(json.loads(gzip.decompress(path.read_bytes()))["results"], run)


def every_row(simulator: SimulatorProcess) -> list[Row]:
    """Return the whole catalogue as the browse listing shows it."""
    listing = pages(simulator, ordering="created", page_size=_MOST)
    return [row for body in listing for row in body["results"]]


def undated_rows(simulator: SimulatorProcess, games: int) -> list[Row]:
    """Add games until so many have no date; return those as they are listed by release."""
    known = sum(row["released"] is None for row in every_row(simulator))
    for number in range(games - known):
        simulator.control.add(name=f"Undated {number}", released=None)
    listing = pages(simulator, ordering="released", page_size=_MOST)
    return [row for body in listing for row in body["results"]][:games]


def newest_update(simulator: SimulatorProcess) -> str:
    """Return the newest `updated` of the source."""
    newest: str = fetch(simulator, ordering="-updated", page_size=1).json()["results"][0]["updated"]
    return newest
