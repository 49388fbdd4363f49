"""`gamelake check-services`: is every configured service up?"""

from gamelake.options import Common
from gamelake.services import all_probes, place
from gamelake.session import Session
from utils.errors import QuotaSpent, ServiceDown
from utils.probing import ServiceReport, require_up, run_probes, status_table


def run(options: Common, session: Session) -> None:
    """Run every probe at once; raises ServiceDown (exit 7) or QuotaSpent (exit 4)."""
    del options
    found = run_probes(all_probes(session.settings))
    statuses = tuple(sorted(found, key=lambda status: place(status.service)))
    text = status_table(statuses)
    report = ServiceReport(statuses)
    try:
        require_up(statuses)
    except (ServiceDown, QuotaSpent) as error:
        session.terminal.note(text)
        error.report = report
        raise
    session.terminal.result(report.as_dict(), text)
