"""Leaving a blocking call: Ctrl-C cancels what can be cancelled and waits for nothing."""

import os
import signal
import threading

import pytest

from serving.dremio_abandon import Abandonable
from utils.errors import Stopped, UsageError


def test_an_answer_and_an_error_come_through() -> None:
    def fail() -> int:
        raise UsageError("wrong", operation="query")

    assert Abandonable()(lambda: 7) == 7
    with pytest.raises(UsageError, match="wrong"):
        Abandonable()(fail)


def test_ctrl_c_cancels_and_leaves_at_once() -> None:
    cancelled, released = threading.Event(), threading.Event()
    call = Abandonable()
    call.on_stop = cancelled.set
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)  # the signal goes to the main thread
        released.wait(20)

    try:
        with pytest.raises(Stopped, match="the query was stopped"):
            call(work)
        assert cancelled.is_set()
        assert not released.is_set()
    finally:
        signal.signal(signal.SIGINT, before)
        released.set()
