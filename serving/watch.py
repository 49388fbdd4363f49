"""Runs blocking engine calls so that Ctrl-C and a time limit can cut them.

DuckDB has no statement timeout, and while it works in C++ Python sees no signal. So the call runs
on a worker thread, the caller waits where signals arrive, and `interrupt` ends the query.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from time import monotonic
from typing import TypeVar

from utils.errors import Stopped, UsageError

T = TypeVar("T")
_AGAIN_S = 0.05


class Deadline:
    """When a query must end; `seconds` None or 0 is never."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._end = monotonic() + seconds if seconds else None

    def left(self) -> float | None:
        """Return the seconds that remain, never below 0; None without a limit."""
        return None if self._end is None else max(0.0, self._end - monotonic())


class Watch:
    """One worker thread over one connection; `interrupt` is the engine's own."""

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="query")
        self._closed = False

    def call(self, work: Callable[[], T], deadline: Deadline) -> T:
        """Return `work()`; raises UsageError past the deadline or end, and Stopped on Ctrl-C."""
        if self._closed:
            raise UsageError(
                "the lake is closed",
                operation="query",
                hint="ask, and read the answer, within its `with` block; or connect again",
            )
        future = self._worker.submit(work)
        try:
            done, _ = wait([future], deadline.left())
        except KeyboardInterrupt:
            self._cut(future)
            raise Stopped(
                "the query was stopped", operation="query", hint="nothing was changed"
            ) from None
        if not done:
            self._cut(future)
            raise UsageError(
                f"the query ran longer than {deadline.seconds:g} s and was cut",
                operation="query",
                hint="narrow it, or allow it a longer timeout",
            )
        return future.result()

    def _cut(self, future: Future[T]) -> None:
        # An interrupt that arrives before the query starts is lost, so ask until it has ended.
        while not future.done():
            self._interrupt()
            wait([future], _AGAIN_S)

    def close(self) -> None:
        """End the worker thread; no call may be running."""
        self._closed = True
        self._worker.shutdown()
