"""`--dry-run`: what `ingest` would do now, from the source's own counts. Stores nothing in raw."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ingestion.begin import ask_source, check_bound, unfinished
from ingestion.completeness import has_total
from ingestion.context import IngestContext, IngestRequest, check_key, check_request
from ingestion.delta import NEWEST_FIRST, cutoff
from ingestion.rawg_fetcher import PAGE_SIZE, ListingQuery
from ingestion.reading import is_trusted
from ingestion.report import Plan, WindowReport, leaves
from ingestion.scope import Scope, span_of
from ingestion.source import Source, open_source
from ingestion.windows import EVERYTHING, Span, Window
from storage.database.repositories.runs import Run
from storage.database.repositories.windows import WindowRow
from storage.layout import LOOKUPS, SOURCE_RAWG, YEAR_COUNTS


def plan_ingest(ctx: IngestContext, request: IngestRequest) -> Plan:
    """Return the windows and requests of the next `ingest` of this request.

    Its own requests (counts, and the look-ups' pages) are sent and count against the quota.
    Raises as run_ingest does before a run exists.
    """
    check_request(request)
    check_key(ctx.settings)
    check_bound(ctx)
    with open_source(ctx) as source:
        planner = _Planner(ctx, source)
        scope, since, waiting = unfinished(ctx, request)
        windows = planner.rest_of(waiting) if waiting else planner.new_run(scope, since)
        return Plan(
            source=SOURCE_RAWG,
            scope=str(scope["scope"]),
            windows=tuple(windows),
            requests=planner.requests,
            rows=sum(window.api_count or 0 for window in windows),
            quota_left=source.budget.left(),
            seconds=planner.seconds(),
            resumes=waiting.run_id if waiting else None,
        )


class _Planner:
    """Counts the requests that a run would send."""

    def __init__(self, ctx: IngestContext, source: Source) -> None:
        self.requests = 0
        self._ctx = ctx
        self._source = source
        self._started = ctx.clock.monotonic()
        self._left: int | None = None  # games that --limit still allows

    def new_run(self, scope: Scope, since: str | None) -> list[WindowReport]:
        """Plan a run that does not exist yet."""
        start = ask_source(self._ctx, self._source, scope, since)
        self._look_ups()
        if scope["scope"] == "delta":
            return [self._delta(start)]
        self.requests += 1  # the question for the newest change
        return self._all_of(scope, start["source_count"])

    def rest_of(self, run: Run) -> list[WindowReport]:
        """Plan what is left of a run that was interrupted."""
        start = run.summary["start"]
        if "lookups" not in run.summary:
            self._look_ups()
        if YEAR_COUNTS not in run.summary:
            self.requests += 1
        if run.scope["scope"] == "delta":
            return [self._delta(start)]
        if has_total(run.scope):
            self.requests += 1  # what the source counts now, compared at the end
        with self._ctx.database.reading() as unit:
            rows = unit.windows.list(run.run_id)
            done = {
                row.window: len(unit.windows.pages_done(run.run_id, row.window)) for row in rows
            }
        counted = {row.window: row.api_count for row in rows if row.api_count is not None}
        if not counted:
            return self._all_of(run.scope, start["source_count"])
        if run.scope.get("limit") is not None:
            self._left = run.scope["limit"] - sum(row.fetched for row in leaves(rows))
        open_rows = [row for row in leaves(rows) if row.state != "done"]
        known = [self._rest(row, done[row.window]) for row in open_rows if row.window in counted]
        new = [Span.of(row.first, row.last) for row in open_rows if row.window not in counted]
        expanded = self._expand(new, self._count(new))
        if any(row.kind == "undated" for row in rows):
            return [*known, *expanded]
        dated = counted.get(EVERYTHING.window.name, 0)
        return [*known, *expanded, *self._undated(run.scope, start["source_count"], dated)]

    def _all_of(self, scope: Scope, count: int) -> list[WindowReport]:
        """Plan every window of a scope; `count` is how many games the source has."""
        if "from" not in scope and (scope["scope"] == "limit" or scope["strategy"] == "browse"):
            name = "popular" if scope["scope"] == "limit" else "browse"
            return [self._window(Window(name, "browse"), min(count, scope.get("limit", count)))]
        self._left = scope.get("limit")
        root = span_of(scope)
        counts = self._count([root])
        dated = self._expand([root], counts)
        return [*dated, *self._undated(scope, count, counts[0])]

    def seconds(self) -> float:
        """Estimate the time of the planned requests from those that planning took."""
        asked = max(1, self._source.meter.requests)
        each = (self._ctx.clock.monotonic() - self._started) / asked
        settings = self._ctx.settings
        paced = self.requests / settings.rawg_max_rps if settings.rawg_max_rps else 0.0
        return round(max(paced, self.requests * each / settings.rawg_workers), 1)

    def _look_ups(self) -> None:
        before = self._source.meter.requests
        for entity in LOOKUPS:
            self._source.client.lookup(entity)
        self.requests += self._source.meter.requests - before

    def _expand(self, spans: list[Span], counts: list[int]) -> list[WindowReport]:
        """Split what is too large, as the run will, and count the pages of what is not."""
        reports, pieces = [], list[Span]()
        for span, count in zip(spans, counts, strict=True):
            rows = count if self._left is None else min(count, self._left)
            if rows <= self._ctx.settings.rawg_depth_limit:
                reports.append(self._window(span.window, rows))
                self._left = None if self._left is None else self._left - rows
            elif span.first == span.last:
                self.requests += 2  # the count that failed, and the one that finds the day's place
                reports.append(self._window(span.window, rows + PAGE_SIZE))
            else:
                self.requests += 1
                pieces += span.split()
        return [*reports, *(self._expand(pieces, self._count(pieces)) if pieces else [])]

    def _undated(self, scope: Scope, count: int, dated: int) -> list[WindowReport]:
        if scope["scope"] != "all" or scope["strategy"] != "dates":
            return []
        undated = max(0, count - dated)
        self.requests += min(undated // PAGE_SIZE + 1, _pages(count))
        return [WindowReport("", "", undated, 0, "undated")]

    def _delta(self, start: dict[str, Any]) -> WindowReport:
        """Find the first page that is older than the overlap: double, then halve."""
        oldest = cutoff(start["since"])
        last = _pages(start["source_count"])
        low, high = 0, 1
        while high < last and not self._is_older(high, oldest):
            low, high = high, min(2 * high, last)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._is_older(middle, oldest) else (middle, high)
        self.requests += high
        return WindowReport(oldest, start["newest"] or "", high * PAGE_SIZE, 0, "delta")

    def _is_older(self, page: int, oldest: str) -> bool:
        rows = self._source.page(NEWEST_FIRST, page).rows
        return not rows or (rows[-1].updated or "") < oldest

    def _rest(self, row: WindowRow, pages: int) -> WindowReport:
        rows = (row.api_count or 0) - row.fetched
        if self._left is not None:
            rows = min(rows, self._left)
            self._left -= rows
        kept = pages if is_trusted(row) else 0
        self.requests += max(0, _pages(row.fetched + rows) - kept)
        return WindowReport(row.first, row.last, rows, 0, row.window)

    def _window(self, window: Window, rows: int) -> WindowReport:
        self.requests += _pages(rows)
        return WindowReport(window.first, window.last, rows, 0, window.name)

    def _count(self, spans: list[Span]) -> list[int]:
        queries = [ListingQuery.dates(s.first.isoformat(), s.last.isoformat()) for s in spans]
        with ThreadPoolExecutor(self._ctx.settings.rawg_workers) as pool:
            return list(pool.map(lambda query: self._source.client.page(query, 1).count, queries))


def _pages(rows: int) -> int:
    return max(1, -(-rows // PAGE_SIZE))
