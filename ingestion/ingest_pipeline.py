"""The story of an ingest run: from what was asked for to raw parts that account for all of it.

A run may be stopped by anything at any moment. What it fetched is in the spool, what it rolled is
in raw, and the next `ingest` of the same scope goes on under the same run id.
"""

from contextlib import closing

from ingestion.begin import begin, check_bound
from ingestion.completeness import hold_back, reconcile
from ingestion.context import IngestContext, IngestRequest, check_key, check_request
from ingestion.ending import disk_errors_named, finish, told_how_it_ended
from ingestion.plan import plan_ingest
from ingestion.recovery import recover
from ingestion.report import IngestReport
from ingestion.source import open_source
from ingestion.work import Work, read_lookups, read_windows
from ingestion.year_counts import read_year_counts
from storage.database.writer import hold_writer
from storage.rebuild import restore_lost_ledger

__all__ = ["plan_ingest", "run_ingest"]


def run_ingest(ctx: IngestContext, request: IngestRequest) -> IngestReport:
    """Fetch what `request` asks for and return what was done.

    Raises UsageError before anything is written; Locked when another writer is at work;
    QuotaSpent, SourceError, Stopped or Incomplete, with `report` set once a run exists. In all
    these cases what was fetched is kept, and the same request continues.
    """
    check_request(request)
    check_key(ctx.settings)
    check_bound(ctx)
    with (
        disk_errors_named(ctx),
        hold_writer(ctx.database, wait_s=ctx.wait_s) as lease,
        open_source(ctx) as source,
    ):
        restore_lost_ledger(ctx.raw, ctx.database, lease)
        recover(ctx.spool, ctx.raw, ctx.database, lease)
        journal = begin(ctx, request, source, lease)
        with told_how_it_ended(ctx, journal), closing(Work(ctx, source, journal)) as work:
            notes = hold_back(work)
            if work.windows.catalogue or not notes:
                notes += [] if notes else read_year_counts(work)  # not of a listing in doubt
                notes += read_lookups(work)
                read_windows(work)
                notes += reconcile(work)
            return finish(work, notes)
