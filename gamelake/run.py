"""The whole story of a run, on one page.

Outside world -> raw -> star -> readers. `fetch` (gamelake/fetching.py) makes every page durable
before the watermark moves; `build` opens a branch `etl-<run>`, writes every table there, checks
them, moves `main` to the branch in one commit and tags it `run-<run>` (etl/pipeline.py tells that
part step by step).
The views need no refreshing: readers define them on whichever commit they pin.
"""

from contextlib import ExitStack

from etl.context import EtlRequest
from etl.pipeline import run_etl
from etl.report import EtlReport
from gamelake.context import Lake
from gamelake.fetching import fetch
from gamelake.options import Etl, Run, Writer
from gamelake.run_context import etl_context
from gamelake.session import Session
from gamelake.summaries import fetched
from ingestion.report import IngestReport


def build(lake: Lake, session: Session, options: Writer, request: EtlRequest) -> EtlReport:
    """Publish what raw says and the tables do not say yet; see run_etl for the errors."""
    with etl_context(lake, session, wait_s=options.wait) as ctx:
        return run_etl(ctx, request)


def fetch_and_build(lake: Lake, session: Session, options: Run) -> tuple[IngestReport, EtlReport]:
    """Fetch, then build from what was stored; what was fetched is told also if that fails."""
    report = fetch(lake, session, options)
    session.done["ingest"] = report
    with ExitStack() as broken_off:
        broken_off.callback(session.terminal.note, fetched(report))
        session.interrupts.heed()
        built = build(lake, session, options, EtlRequest(engine=options.engine))
        broken_off.pop_all()
    return report, built


def etl_request(options: Etl) -> EtlRequest:
    """Translate the command line for the build."""
    return EtlRequest(full=options.full, engine=options.engine, run_id=options.run)
