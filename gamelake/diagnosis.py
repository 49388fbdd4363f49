"""What a check of `gamelake doctor` found."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Diagnosis:
    """What one check found; `fix` says what to do unless it is ok."""

    name: str
    level: Level
    detail: str
    fix: str = ""


@dataclass(frozen=True)
class Diagnoses:
    """What every check found."""

    checks: tuple[Diagnosis, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the `--json` form."""
        return {"ok": all(check.level != "fail" for check in self.checks), **asdict(self)}
