"""The source as one process sees it: client, counters, budget."""

from collections.abc import Iterator
from contextlib import contextmanager

from ingestion.context import IngestContext
from ingestion.meter import Budget, Meter
from ingestion.rawg_fetcher import ListingQuery, Page, RawgClient


class Source:
    """The client with its counters; a page fetched ahead is handed out once, not fetched again."""

    def __init__(self, client: RawgClient, meter: Meter, budget: Budget) -> None:
        self.client = client
        self.meter = meter
        self.budget = budget
        self.first_page: Page | None = None  # the newest one that was fetched ahead
        self._ahead: dict[tuple[ListingQuery, int], Page] = {}

    def page(self, query: ListingQuery, number: int) -> Page:
        """Fetch a page; raises as RawgClient.page."""
        ahead = self._ahead.pop((query, number), None)
        return ahead or self.client.page(query, number)

    def ahead(self, query: ListingQuery) -> Page:
        """Fetch the first page of a query that a reading will ask for again."""
        page = self.client.page(query, 1)
        self._ahead[query, 1] = self.first_page = page
        return page

    def forget(self) -> None:
        """Drop what was fetched ahead."""
        self._ahead.clear()


@contextmanager
def open_source(ctx: IngestContext) -> Iterator[Source]:
    """Open the client; gives back requests that were reserved and not sent."""
    meter, budget = Meter(), Budget(ctx.database, ctx.settings, ctx.clock)
    worked = f"key_worked:{budget.fingerprint}"
    with ctx.database.reading() as unit:
        known = unit.state.get(worked) is not None
    client = RawgClient(
        ctx.settings,
        clock=ctx.clock,
        budget=budget,
        stop=ctx.stop,
        listener=meter,
        key_has_worked=known,
    )
    try:
        with client:
            yield Source(client, meter, budget)
    finally:
        budget.close()
        if client.key_has_worked and not known:
            with ctx.database.unit_of_work() as unit:
                unit.state.set(worked, "yes")
