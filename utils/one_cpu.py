"""Threads that take turns stay on one CPU.

The interpreter runs one thread at a time. When threads of one process hand each other the turn at
every read and write, waking the next one on another CPU takes longer than what it then does; on
the same CPU it is a change of stack. Where the system has no such setting nothing happens.
"""

import os
import random
import sys
from contextlib import suppress


def pick_cpu() -> int:
    """Return one of the CPUs that this process may use; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    return random.choice(sorted(os.sched_getaffinity(0)))  # noqa: S311 - spreads load, hides nothing


def stay_on(cpu: int) -> None:
    """Keep the calling thread on `cpu`, if the system lets it."""
    if sys.platform == "linux":
        with suppress(OSError):  # a sandbox may forbid it, and a CPU may be taken away
            os.sched_setaffinity(0, {cpu})
