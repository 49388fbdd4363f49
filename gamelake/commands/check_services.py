"""`gamelake check-services`: is every configured service up?"""

from gamelake.options import Common
from gamelake.services import deep_probes
from gamelake.session import Session
from utils.check_services import ServiceReport, address_probes, require_up, run_probes, status_table
from utils.errors import ServiceDown


def run(options: Common, session: Session) -> None:
    """Run every probe at once; raises ServiceDown (exit 7) when a service is down."""
    del options
    statuses = run_probes([*address_probes(session.settings), *deep_probes(session.settings)])
    text = status_table(statuses)
    report = ServiceReport(tuple(statuses))
    try:
        require_up(statuses)
    except ServiceDown as error:
        session.terminal.note(text)
        error.report = report
        raise
    session.terminal.result(report.as_dict(), text)
