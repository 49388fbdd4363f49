"""A child that stops at one operation of its run while something is done to its world."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from lakes import LakeUnderTest, hurried

from utils import seams
from utils.seams import When


@dataclass(frozen=True)
class Moment:
    """Before or after the `ordinal`-th operation of that name."""

    when: When
    name: str
    ordinal: int

    def __str__(self) -> str:
        return f"{self.when} {self.name} #{self.ordinal}"


class Bell:
    """Does `action` in this process when a child rings, who waits for its end; a context manager.

    `rung` counts. What the action raises is raised when the block ends.
    """

    def __init__(self, action: Callable[[], object]) -> None:
        self.rung = 0
        self._action = action
        self._error: BaseException | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def __enter__(self) -> "Bell":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        if self._error is not None:
            raise self._error

    def _serve(self) -> None:
        with suppress(OSError):  # the listener is shut
            while True:
                caller, _ = self._listener.accept()
                with caller:
                    self._act()

    def _act(self) -> None:
        self.rung += 1
        try:
            self._action()
        except BaseException as error:  # noqa: BLE001 - it is raised where the test can see it
            self._error = error


def ringing(lake: LakeUnderTest, port: int, moment: Moment, *argv: str) -> dict[str, Any]:
    """Run a command in a child of `crash.run`; ring at that moment and wait for the answer.

    `seconds` is what the command took from then on.
    """
    rung_at: list[float] = []

    def gate(when: str, name: str, ordinals: tuple[int, int]) -> None:
        if Moment(when, name, ordinals[1]) == moment:  # type: ignore[arg-type]
            with socket.create_connection(("127.0.0.1", port)) as call:
                call.recv(1)
            rung_at.append(time.monotonic())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seams, "_gate", gate)
        told = hurried(lake, *argv)
    return {**told, "seconds": time.monotonic() - rung_at[0] if rung_at else None}
