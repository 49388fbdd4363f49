"""What the interpreter costs by itself, and how to have less of it (docs/decisions/0017).

It runs one thread at a time. When threads of one process hand each other the turn at every read
and write, waking the next one on another CPU takes longer than what it then does; on the same CPU
it is a change of stack. And it looks for cycles among objects each time a few hundred more are
there: long lists of rows have none.
"""

import gc
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_OBJECTS = 50_000  # new ones between two looks for cycles; the interpreter's own number is 700


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


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for cycles seldom meanwhile, and never among what imports made.

    At the end of the process it has to look there, or DuckDB's bindings print what they take for
    leaks.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
