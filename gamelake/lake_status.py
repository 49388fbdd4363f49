"""Where a lake stands, read from its stores; no network, nothing written."""

from dataclasses import asdict, dataclass
from typing import Any

from gamelake.context import Lake
from storage.database.repositories.budget import budget_fingerprint
from storage.database.repositories.runs import Kind, Run
from storage.database.session import UnitOfWork
from storage.layout import FACT_GAMES, GAMES, MAIN, SOURCE_RAWG, WATERMARK, WRITER_LEASE
from utils.clock import iso

_SUMMARY_FIELDS = ("complete", "games_seen", "games_new", "games_changed", "mode", "published")


@dataclass(frozen=True)
class RunLine:
    """One run in short; `seconds` is None while it runs."""

    run_id: str
    kind: str
    state: str
    reason: str
    started_at: str | None
    finished_at: str | None
    summary: dict[str, Any]


@dataclass(frozen=True)
class Published:
    """What readers see now."""

    run_id: str
    commit: str
    published_at: str
    games: int
    rows: int


@dataclass(frozen=True)
class Status:
    """The fields of `status --json`; sizes in bytes, times in ISO text, UTC."""

    home: str
    games_known: int
    watermark: str | None
    requests_this_month: int
    quota: int
    last_ingest: RunLine | None
    last_etl: RunLine | None
    published: Published | None
    writer: str | None
    spooled_files: int
    bytes_raw: int
    bytes_warehouse: int

    def as_dict(self) -> dict[str, Any]:
        """Return the `--json` form."""
        return asdict(self)


def read_status(lake: Lake) -> Status:
    """Read everything in one snapshot of the store and one pin of the catalog."""
    with lake.database.reading() as unit:
        writer = unit.leases.holder(WRITER_LEASE, lake.database.clock.now())
        return Status(
            home=str(lake.paths.home),
            games_known=unit.ledger.count(SOURCE_RAWG, GAMES),
            watermark=unit.state.get(WATERMARK),
            requests_this_month=_spent(lake, unit),
            quota=lake.settings.rawg_monthly_quota,
            last_ingest=_last(unit, "ingest"),
            last_etl=_last(unit, "etl"),
            published=_published(lake),
            writer=f"{writer.owner} (pid {writer.pid} on {writer.host})" if writer else None,
            spooled_files=sum(1 for path in lake.paths.spool.rglob("*") if path.is_file()),
            bytes_raw=sum(info.size for info in lake.raw.list("")),
            bytes_warehouse=sum(lake.catalog.files.sizes().values()),
        )


def run_line(run: Run) -> RunLine:
    """Return a run in short."""
    kept = {key: run.summary[key] for key in _SUMMARY_FIELDS if key in run.summary}
    return RunLine(
        run.run_id, run.kind, run.state, run.reason, run.started_at, run.finished_at, kept
    )


def shown_state(run: Run | RunLine, writer: object | None) -> tuple[str, str]:
    """Return a run's state and note as they are told; `writer` is who holds the lease, if anyone.

    A run at work holds it: one that is called running while nobody does was left by a dead process.
    """
    if run.state == "running" and writer is None:
        return "interrupted", "no process is at work on it; the same command goes on"
    return run.state, run.reason


def _last(unit: UnitOfWork, kind: Kind) -> RunLine | None:
    newest = unit.runs.list(limit=1, kind=kind)
    return run_line(newest[0]) if newest else None


def _spent(lake: Lake, unit: UnitOfWork) -> int:
    settings = lake.settings
    fingerprint = budget_fingerprint(
        settings.rawg_base_url, settings.rawg_api_key.get_secret_value()
    )
    return unit.budget.spent(fingerprint, iso(lake.database.clock.now())[:7])


def _published(lake: Lake) -> Published | None:
    main = lake.catalog.pin(MAIN)
    if main.record is None:
        return None
    rows = main.record.rows
    return Published(
        run_id=main.record.run_id,
        commit=main.head,
        published_at=main.record.published_at,
        games=rows.get(FACT_GAMES, 0),
        rows=sum(rows.values()),
    )
