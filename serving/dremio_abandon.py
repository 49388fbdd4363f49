"""Blocking calls that Ctrl-C can leave, because pyarrow's Flight client cannot be interrupted.

While it waits for the server Python sees no signal, and before the first batch there is nothing
to cancel. So the call runs on a thread that nobody has to wait for: the main thread leaves, and
the end of the process closes the connection, upon which the server stops the query.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from utils.errors import Stopped

T = TypeVar("T")


class Abandonable:
    """Calls of one query; `on_stop` is what cancels it once there is something to cancel."""

    def __init__(self) -> None:
        self.on_stop: Callable[[], Any] = lambda: None

    def __call__(self, work: Callable[[], T]) -> T:
        """Return `work()`; raises Stopped at once on Ctrl-C."""
        future: Future[T] = Future()
        try:
            # A thread of a pool would be waited for when the process ends.
            threading.Thread(target=_settle, args=(future, work), daemon=True).start()
            wait([future])
        except KeyboardInterrupt:
            self.on_stop()
            raise Stopped(
                "the query was stopped", operation="query", hint="nothing was changed"
            ) from None
        return future.result()


def _settle(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - it is raised where the answer is awaited
        future.set_exception(error)
