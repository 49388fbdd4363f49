"""`gamelake verify`: the lake's invariants."""

from gamelake.context import open_lake
from gamelake.options import Common
from gamelake.session import Session
from gamelake.verify import Finding, verify
from utils.errors import ChecksFailed


def run(options: Common, session: Session) -> None:
    """Check every invariant; raises ChecksFailed (exit 5) when one is broken."""
    del options
    with open_lake(session.settings) as lake:
        findings = verify(lake)
    broken = [finding for finding in findings if not finding.ok]
    if broken:
        raise _Broken(findings)
    text = "\n".join(f"ok    {finding.holds}" for finding in findings)
    data = {"ok": True, "checks": [finding.as_dict() for finding in findings]}
    session.terminal.result(data, f"{text}\nVerified: {len(findings)} of {len(findings)} hold.")


class _Broken(ChecksFailed):
    """An invariant does not hold; `report` is what every check found."""

    def __init__(self, findings: list[Finding]) -> None:
        broken = [finding for finding in findings if not finding.ok]
        lines = [
            f"  {problem}" for finding in broken for problem in (finding.holds, *finding.problems)
        ]
        super().__init__(
            f"{len(broken)} of {len(findings)} invariants do not hold:\n" + "\n".join(lines),
            operation="verify",
            subject=", ".join(finding.name for finding in broken),
            hint="docs/runbook.md says what to do for each",
        )
        self.report = _Report(findings)


class _Report:
    """What a failed verification shows with `--json`."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings

    def as_dict(self) -> dict[str, object]:
        """Return the findings as a successful verification shows them."""
        return {"ok": False, "checks": [finding.as_dict() for finding in self._findings]}
