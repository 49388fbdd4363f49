"""The bench counts what a command and its helper processes use."""

import sys
import time

import pytest

from bench.measure import TooMuchMemoryError, python, run

HUNGRY = """
import json, subprocess, sys, time
held = bytearray(80_000_000)
if len(sys.argv) > 1:
    print(json.dumps({"seconds": 0.1}))
    time.sleep(0.4)
else:
    subprocess.run([sys.executable, "-c", sys.orig_argv[2], "child"], check=True)
"""


def test_memory_of_helper_processes_counts() -> None:
    cost = python("-c", HUNGRY)

    assert cost.peak_mb > 2 * 80
    assert cost.told == {"seconds": 0.1}
    assert cost.seconds > 0.4


def test_processor_time_of_helper_processes_counts() -> None:
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    starts = f"import json, subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"

    assert python("-c", f"{starts}; print(json.dumps({{'seconds': 0}}))").cpu_seconds > 0.3


def test_a_failing_command_is_told_with_its_last_words() -> None:
    with pytest.raises(RuntimeError, match="no such luck"):
        python("-c", "raise SystemExit('no such luck')")


def test_a_command_above_its_ceiling_is_ended_with_its_helpers() -> None:
    started = time.perf_counter()
    slow = HUNGRY.replace("0.4", "30")

    with pytest.raises(TooMuchMemoryError, match="100 MB"):
        run([sys.executable, "-c", slow], ceiling_mb=100)

    assert time.perf_counter() - started < 20
