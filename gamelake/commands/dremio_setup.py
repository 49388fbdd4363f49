"""`gamelake dremio-setup`: an analyst who opens Dremio finds documented views."""

import time

from gamelake.options import DremioSetup as Options
from gamelake.session import Session
from serving.dremio_client import DremioClient
from serving.dremio_login import Patience, credentials, log_in, wait_until_ready
from serving.dremio_report import SetupReport
from serving.dremio_setup import DremioSetup
from serving.dremio_sources import storage_of


def run(options: Options, session: Session) -> None:
    """Create, change or leave alone what Dremio needs; say how much of each."""
    settings, terminal = session.settings, session.terminal
    user, password = credentials(settings)
    storage_of(settings)  # its errors come before any call, too
    report = SetupReport(dry_run=options.dry_run)
    with DremioClient(settings.dremio_url) as client:
        wait_until_ready(client, Patience(options.wait, terminal.note), settings.dremio_url)
        fresh = log_in(client, user, password, create=not options.dry_run)
        report.add("user", user, "created" if fresh else "unchanged")
        if fresh and options.dry_run:
            terminal.note("Dremio has no user yet, so what else it has cannot be seen")
        else:
            setup = DremioSetup(
                client, report, resend_secrets=options.resend_secrets, pause=time.sleep
            )
            setup.run(settings)
    terminal.result(report.as_dict(), report.text())
    terminal.next_steps(*_next(report))


def _next(report: SetupReport) -> list[str]:
    if report.dry_run:
        return ["gamelake dremio-setup"]
    if report.waiting:
        return ["gamelake run", "gamelake dremio-setup"]
    return ['gamelake sql --engine dremio "SELECT * FROM genre_summary"']
