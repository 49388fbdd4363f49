"""Ctrl-C and SIGTERM: first in order, then by force."""

import io
import os
import signal
import subprocess
import sys
import threading

import pytest

from gamelake.session import Interrupts
from gamelake.terminal import Terminal


@pytest.fixture
def interrupts():
    made = Interrupts(Terminal(err=io.StringIO()))
    with made.handled():
        yield made


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_within_graceful_the_first_signal_only_asks(interrupts, number):
    with interrupts.graceful() as stop:
        signal.raise_signal(number)

        assert stop.is_set()
    assert "again to force" in interrupts._terminal.err.getvalue()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_elsewhere_it_interrupts_at_once(interrupts, number):
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)

    assert not interrupts.stop.is_set()


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)

    with Interrupts(Terminal(err=io.StringIO())).handled():
        assert signal.getsignal(signal.SIGTERM) != before

    assert signal.getsignal(signal.SIGTERM) == before


def test_the_second_signal_ends_the_process_with_130():
    code = """
import signal, time
from gamelake.session import Interrupts
from gamelake.terminal import Terminal
interrupts = Interrupts(Terminal())
with interrupts.handled(), interrupts.graceful():
    print("ready", flush=True)
    while True:
        time.sleep(0.05)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        assert "stopping" in child.stderr.readline()
        child.send_signal(signal.SIGINT)

        assert child.wait(10) == 130


def test_signals_reach_the_main_thread_while_workers_run(interrupts):
    released = threading.Event()
    worker = threading.Thread(target=released.wait)
    worker.start()
    with interrupts.graceful() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
    released.set()
    worker.join()
