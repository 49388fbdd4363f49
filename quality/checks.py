"""Runs checks: a table and a rule in, a result out. Knows no table of ours."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import ibis
from ibis.expr.types import Table

Severity = Literal["fail", "warn"]
Outcome = Literal["passed", "warned", "failed"]
SAMPLE_ROWS = 5


class Runner(Protocol):
    """Whatever evaluates a definition; an engine of ours does."""

    def rows(self, definition: Table) -> list[dict[str, Any]]:
        """Return the rows of a small result."""
        ...


@dataclass(frozen=True)
class Check:
    """One rule on one table: `rule` says in words what holds, `bad_rows` is what breaks it."""

    name: str
    table: str
    severity: Severity
    rule: str
    bad_rows: Table


@dataclass(frozen=True)
class CheckResult:
    """What a check found: how many rows break the rule, and the first few of them."""

    name: str
    table: str
    severity: Severity
    rule: str
    bad_rows: int = 0
    sample: tuple[Mapping[str, Any], ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no row breaks the rule."""
        return self.bad_rows == 0

    @property
    def outcome(self) -> Outcome:
        """One word: a broken rule fails or warns as its severity says."""
        if self.passed:
            return "passed"
        return "failed" if self.severity == "fail" else "warned"

    def describe(self) -> str:
        """Return one line: table, rule, how many rows, and which."""
        if self.passed:
            return f"{self.table}: {self.rule}"
        rows = json.dumps([dict(row) for row in self.sample], default=str, ensure_ascii=False)
        return f"{self.table}: {self.rule}: broken by {self.bad_rows}, such as {rows}"


def run_checks(runner: Runner, checks: Sequence[Check]) -> list[CheckResult]:
    """Count what breaks each rule, all in one query, then look at rows of the broken ones."""
    counts = _count_all(runner, checks)
    return [_result(runner, check, counts[number]) for number, check in enumerate(checks)]


def failures(results: Iterable[CheckResult]) -> list[CheckResult]:
    """Return the results that forbid publishing."""
    return [result for result in results if result.outcome == "failed"]


def _count_all(runner: Runner, checks: Sequence[Check]) -> dict[int, int]:
    if not checks:
        return {}
    counted = [
        check.bad_rows.aggregate(bad=check.bad_rows.count()).mutate(
            number=ibis.literal(number, "int64")
        )
        for number, check in enumerate(checks)
    ]
    return {row["number"]: row["bad"] for row in runner.rows(ibis.union(*counted))}


def _result(runner: Runner, check: Check, bad: int) -> CheckResult:
    sample: tuple[Mapping[str, Any], ...] = ()
    if bad:
        ordered = check.bad_rows.order_by(check.bad_rows.columns)  # the same rows every time
        sample = tuple(runner.rows(ordered.limit(SAMPLE_ROWS)))
    return CheckResult(check.name, check.table, check.severity, check.rule, bad, sample)
