"""Which part of the source a run covers; two runs of the same scope continue one another."""

from typing import Any

from ingestion.context import IngestRequest, month_end, month_start
from ingestion.delta import DeltaReading, cutoff
from ingestion.reading import Limits, Reading
from ingestion.reading_kinds import (
    UNDATED,
    BrowseReading,
    DatesReading,
    DayReading,
    PopularReading,
    UndatedReading,
)
from ingestion.windows import EVERYTHING, Span, Window
from storage.database.repositories.windows import WindowRow
from storage.layout import SOURCE_RAWG

Scope = dict[str, Any]


def scope_of(request: IngestRequest, watermark: str | None) -> Scope:
    """Return what `request` means in a lake with this watermark (None: never read in full)."""
    scope: Scope = {"source": SOURCE_RAWG}
    if request.has_range:
        first = month_start(request.first) if request.first else EVERYTHING.first.isoformat()
        last = month_end(request.last) if request.last else EVERYTHING.last.isoformat()
        kind = "range" if request.limit is None else "limit"
        return scope | {"scope": kind, "from": first, "to": last, "limit": request.limit}
    if request.limit is not None:
        return scope | {"scope": "limit", "limit": request.limit}
    if request.full or watermark is None:
        return scope | {"scope": "all", "strategy": request.strategy}
    return scope | {"scope": "delta"}


def span_of(scope: Scope) -> Span:
    """Return the days that a scope by dates covers."""
    return Span.of(scope["from"], scope["to"]) if "from" in scope else EVERYTHING


class Windows:
    """Makes the readings of one run from its scope and from what was known at its start."""

    def __init__(self, scope: Scope, start: dict[str, Any], limits: Limits) -> None:
        self._scope = scope
        self._start = start
        self._limits = limits

    @property
    def catalogue(self) -> int:
        """Games that the source counted at the start."""
        return int(self._start["source_count"])

    def first(self) -> list[Reading]:
        """Return the windows a run starts with; undated games follow once the dated are counted."""
        kind = self._scope["scope"]
        if kind == "delta":
            since, newest = self._start["since"], self._start["newest"] or self._start["since"]
            return [DeltaReading(cutoff(since), newest, self._limits)]
        if kind == "limit" and "from" not in self._scope:
            return [PopularReading(self._limits, self._scope["limit"])]
        if self._scope.get("strategy") == "browse":
            return [BrowseReading(self._limits)]
        return [DatesReading(span_of(self._scope).window, self._limits, self.catalogue)]

    def follow(self, rows: list[WindowRow]) -> list[Reading]:
        """Return the undated games' window, once it is known how many there are."""
        if self._scope["scope"] != "all" or self._scope["strategy"] != "dates":
            return []
        known = {row.window: row for row in rows}
        root = known.get(EVERYTHING.window.name)
        if UNDATED.name in known or root is None or root.api_count is None:
            return []
        return [UndatedReading(self._limits, max(0, self.catalogue - root.api_count))]

    def again(self, row: WindowRow) -> Reading:
        """Return the reading of a window that an earlier process had opened."""
        window = Window(row.window, row.kind, row.first, row.last)  # type: ignore[arg-type]
        if row.kind == "dates":
            return DatesReading(window, self._limits, self.catalogue)
        if row.kind == "day":
            return DayReading(window, self._limits, self.catalogue, row.api_count or 0)
        if row.kind == "undated":
            return UndatedReading(self._limits, row.api_count or 0)
        if row.kind == "delta":
            return DeltaReading(row.first, row.last, self._limits)
        if row.kind == "popular":
            return PopularReading(self._limits, self._scope["limit"])
        return BrowseReading(self._limits)
