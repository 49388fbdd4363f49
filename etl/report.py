"""What `etl --json` says."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from quality.checks import CheckResult

Mode = Literal["full", "incremental", "none"]


@dataclass(frozen=True)
class TableReport:
    """Rows of a table now, and how many the run added and removed; a changed row is both."""

    rows: int
    added: int = 0
    removed: int = 0


@dataclass(frozen=True)
class CheckCounts:
    """How many checks ended how."""

    passed: int = 0
    warned: int = 0
    failed: int = 0

    @classmethod
    def of(cls, results: Iterable[CheckResult]) -> Self:
        """Count the outcomes of `results`."""
        outcomes = [result.outcome for result in results]
        return cls(*(outcomes.count(name) for name in ("passed", "warned", "failed")))


@dataclass(frozen=True)
class EtlReport:
    """The result of one etl run. `commit` is the content hash of what readers see now.

    deferred: what the next run has to finish, and why; "" when nothing is left to do
    """

    run_id: str
    state: str
    published: bool
    commit: str
    engine: str
    mode: Mode
    tables: Mapping[str, TableReport]
    checks: CheckCounts
    warnings: tuple[str, ...] = ()
    deferred: str = ""
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the `--json` form."""
        return asdict(self)
