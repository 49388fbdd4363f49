"""How long work reports where it stands; the terminal decides how that looks."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class ProgressSnapshot:
    """One moment of a run; counts only grow within a phase, totals are None until known."""

    phase: str
    windows_done: int = 0
    windows_total: int = 0
    pages_done: int = 0
    pages_total: int | None = None
    games: int = 0
    requests: int = 0
    quota_left: int | None = None
    retries: int = 0
    message: str = ""


class ProgressListener(Protocol):
    """Whoever wants to know; called from any thread, must be quick and must not raise."""

    def update(self, snapshot: ProgressSnapshot) -> None:
        """Take note of `snapshot`; listeners may drop snapshots that come too fast."""
        ...


class SilentProgress:
    """A listener that listens to nothing."""

    def update(self, snapshot: ProgressSnapshot) -> None:
        """Ignore `snapshot`."""
