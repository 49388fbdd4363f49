"""What a run did, and what it would do."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from ingestion.delta import cutoff
from ingestion.journal import RunJournal
from storage.database.repositories.windows import WindowRow
from storage.layout import SOURCE_RAWG


@dataclass(frozen=True)
class WindowReport:
    """One window: days (or `updated` times of a delta), the source's count, rows accounted for."""

    first: str
    last: str
    api_count: int | None
    fetched: int
    name: str = ""
    state: str = "open"
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the `--json` form."""
        counts = {"api_count": self.api_count, "fetched": self.fetched}
        return {"from": self.first, "to": self.last, **counts}


@dataclass(frozen=True)
class IngestReport:
    """One run, earlier processes of it included.

    `games_seen` counts distinct games: new + changed + unchanged + quarantined. Bad rows of
    look-ups, `lookups_quarantined`, are no games. `windows` are those that were read, not those
    that were split.
    """

    run_id: str
    source: str
    scope: str
    state: str
    requests: int
    pages: int
    games_seen: int
    games_new: int
    games_changed: int
    games_unchanged: int
    quarantined: int
    lookups_quarantined: int
    bytes_raw: int
    seconds: float
    complete: bool
    windows: tuple[WindowReport, ...]
    statement: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the `--json` form of DESIGN section 3."""
        fields = asdict(self)
        del fields["statement"]
        return fields | {"windows": [window.as_dict() for window in self.windows]}


@dataclass(frozen=True)
class Plan:
    """What `ingest` would do now. `seconds` is an estimate; `rows` is what the source counts."""

    source: str
    scope: str
    windows: tuple[WindowReport, ...]
    requests: int
    rows: int
    quota_left: int | None
    seconds: float
    resumes: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the `--json` form."""
        return asdict(self) | {"windows": [window.as_dict() for window in self.windows]}

    def __str__(self) -> str:
        quota = "no quota" if self.quota_left is None else f"{self.quota_left:,} requests left"
        resumed = f", continuing run {self.resumes}" if self.resumes else ""
        lines = [
            f"ingest would read {self.rows:,} games ({self.scope}{resumed}) in "
            f"{_windows(len(self.windows))} with {self.requests:,} requests; {quota}; "
            f"about {self.seconds:,.0f} s.",
        ]
        if self.quota_left is not None and self.requests > self.quota_left:
            lines.append("The quota ends before that; the same command continues next month.")
        lines += [
            f"  {window.name:<34} {window.api_count or 0:>9,} games" for window in self.windows
        ]
        return "\n".join(lines)


def leaves(rows: list[WindowRow]) -> list[WindowRow]:
    """Return the windows that were read themselves, not in pieces."""
    return [row for row in rows if row.state != "split"]


def build_report(
    journal: RunJournal, rows: list[WindowRow], *, state: str, complete: bool, seconds: float
) -> IngestReport:
    """Sum up a run from what it wrote down."""
    counters = journal.counters
    unchanged = counters["games_unchanged"] + counters["games_enriched"]
    new, changed = counters["games_new"], counters["games_changed"]
    quarantined = journal.quarantined()
    seen = new + changed + unchanged + quarantined
    report = IngestReport(
        run_id=journal.run_id,
        source=SOURCE_RAWG,
        scope=str(journal.scope["scope"]),
        state=state,
        requests=counters["requests"],
        pages=counters["pages"],
        games_seen=seen,
        games_new=new,
        games_changed=changed,
        games_unchanged=unchanged,
        quarantined=quarantined,
        lookups_quarantined=counters["lookups_quarantined"],
        bytes_raw=counters["bytes_raw"],
        seconds=round(seconds, 3),
        complete=complete,
        windows=tuple(_window(row) for row in leaves(rows)),
    )
    return replace(report, statement=_statement(report, journal, leaves(rows)))


def _window(row: WindowRow) -> WindowReport:
    return WindowReport(
        row.first, row.last, row.api_count, row.fetched, row.window, row.state, row.note
    )


def _statement(report: IngestReport, journal: RunJournal, own: list[WindowRow]) -> str:
    """Say it in numbers that a reader can add up."""
    dated = sum(row.fetched for row in own if row.kind in ("dates", "day"))
    other = sum(row.fetched for row in own) - dated
    bad = report.lookups_quarantined
    apart = f" Beside them {bad:,} rows of look-ups are quarantined." if bad else ""
    verdict = "Complete" if report.complete else "Not complete"
    hold = f"{_windows(len(own))} hold" + ("s" if len(own) == 1 else "")
    return (
        f"{verdict}: the source counted {_counted(journal, own)}; "
        f"{hold} {dated:,} dated + {other:,} other = {dated + other:,} rows; "
        f"{report.games_seen:,} games seen = {report.games_new:,} new + "
        f"{report.games_changed:,} changed + {report.games_unchanged:,} unchanged + "
        f"{report.quarantined:,} quarantined.{apart}"
    )


def _counted(journal: RunJournal, own: list[WindowRow]) -> str:
    """Say how many games the source has, and which of them the run was to read."""
    scope = journal.scope
    said = f"{journal.start['source_count']:,} games"
    if "from" in scope:
        said = f"{sum(row.api_count or 0 for row in own):,} games"
        said += f" from {scope['from']} to {scope['to']}"
        if unasked := sum(1 for row in own if row.api_count is None):
            said += f" ({_windows(unasked)} not counted yet)"
    if scope["scope"] == "delta":  # the source does not count changes
        changed = sum(row.fetched for row in own)
        return f"{said}, {changed:,} of them updated since {cutoff(journal.start['since'])}"
    if scope["scope"] == "limit":
        return f"{said}, up to {scope['limit']:,} of them asked for"
    return said


def _windows(number: int) -> str:
    return f"{number:,} window" + ("" if number == 1 else "s")
