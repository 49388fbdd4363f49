"""What the sweeps of a run found, at its end, over all test processes."""

from typing import Any

COUNTED, DISTINCT, WORST = "counted ", "distinct ", "at most "


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what the sweeps counted, over all test processes; what is distinct, once."""
    found: dict[str, int] = {}
    distinct: dict[str, set[str]] = {}
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name.startswith(COUNTED):
                found[name] = found.get(name, 0) + value
            if name.startswith(DISTINCT):
                distinct.setdefault(name, set()).update(value)
            if name.startswith(WORST):
                found[name] = max(found.get(name, 0), value)
    found |= {name: len(values) for name, values in distinct.items()}
    for name, value in sorted(found.items()):
        terminalreporter.write_line(f"{name}: {value:,}")
