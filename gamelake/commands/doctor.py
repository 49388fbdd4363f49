"""`gamelake doctor`: configuration, versions and known traps, each with its fix."""

from gamelake.diagnosis import Diagnoses
from gamelake.doctor import diagnose
from gamelake.options import Common
from gamelake.session import Session
from utils.errors import UsageError


def run(options: Common, session: Session) -> None:
    """Check without network; raises UsageError (exit 2) when something will not work."""
    del options
    terminal = session.terminal
    findings = diagnose(session.settings, session.environ)
    report = Diagnoses(tuple(findings))
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:5} {finding.name:13} {finding.detail}")
        if finding.fix:
            lines.append(f"{'':5} {'':13} fix: {finding.fix}")
    failed = [finding for finding in findings if finding.level == "fail"]
    if failed:
        terminal.note("\n".join(lines))
        error = UsageError(
            f"{len(failed)} of {len(findings)} checks failed: "
            + ", ".join(finding.name for finding in failed),
            operation="doctor",
            subject=failed[0].name,
            hint=failed[0].fix,
        )
        error.report = report
        raise error
    terminal.result(report.as_dict(), "\n".join(lines))
