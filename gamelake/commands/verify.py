"""`gamelake verify`: the lake's invariants."""

from gamelake.context import open_lake
from gamelake.options import Common
from gamelake.session import Session
from gamelake.verify import Verification, verify
from utils.errors import ChecksFailed


def run(options: Common, session: Session) -> None:
    """Check every invariant; raises ChecksFailed (exit 5) when one is broken."""
    del options
    with open_lake(session.settings) as lake:
        verification = verify(lake)
    if verification.broken:
        raise _failed(verification)
    text = "\n".join(f"ok    {finding.holds}" for finding in verification.checks)
    count = len(verification.checks)
    session.terminal.result(
        verification.as_dict(), f"{text}\nVerified: {count} of {count} invariants hold."
    )


def _failed(verification: Verification) -> ChecksFailed:
    broken = verification.broken
    lines = [f"  {line}" for finding in broken for line in (finding.holds, *finding.problems)]
    error = ChecksFailed(
        f"{len(broken)} of {len(verification.checks)} invariants do not hold:\n" + "\n".join(lines),
        operation="verify",
        subject=", ".join(finding.name for finding in broken),
        hint="docs/runbook.md says what to do for each",
    )
    error.report = verification
    return error
