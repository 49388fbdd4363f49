"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 21, 1, 52, tzinfo=UTC)


class FakeClock:
    """Implements utils.clock.Clock; `sleep` moves it on and remembers how long."""

    def __init__(self, now: datetime = START) -> None:
        self.time = now
        self.slept: list[float] = []
        self._start = now

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - self._start).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
