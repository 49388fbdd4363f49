"""What every command is given, and how it is stopped."""

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from gamelake.terminal import Terminal
from utils.config import Settings
from utils.errors import Report, Stopped


class Interrupts:
    """The first Ctrl-C (or SIGTERM) asks for an orderly end, the second forces it.

    Inside `graceful` the first one only sets `stop`; elsewhere it raises KeyboardInterrupt.
    `seen` says that there was one: libraries turn it into errors of their own.
    """

    def __init__(self, terminal: Terminal) -> None:
        self.stop = threading.Event()
        self._terminal = terminal
        self._graceful = False
        self.seen = False

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Take over SIGINT and SIGTERM for the length of a command."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._handle) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def graceful(self) -> Iterator[threading.Event]:
        """Within this block the work looks at the event and ends by itself."""
        self._graceful = True
        try:
            yield self.stop
        finally:
            self._graceful = False

    def heed(self) -> None:
        """Raise KeyboardInterrupt when one came as graceful work ended anyway: no more is begun."""
        if self.seen:
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.seen:
            os._exit(Stopped.exit_code)  # crash-only: what is durable stays so
        self.seen = True
        if not self._graceful:
            raise KeyboardInterrupt
        self.stop.set()
        self._terminal.note("stopping, pages in flight are kept; again to force")


@dataclass(frozen=True)
class Session:
    """Terminal, settings and the way to stop: what a command's `run(options, session)` gets.

    `done`: the steps of the command that have ended, by name; told also when a later one fails.
    """

    terminal: Terminal
    settings: Settings
    environ: Mapping[str, str]
    interrupts: Interrupts = field(repr=False)
    done: dict[str, Report] = field(default_factory=dict)
