"""Counted operations: the places where a run touches the outside world.

Every HTTP request, file write, database commit and catalog commit is wrapped in `operation`.
Normally that only costs a comparison. A test arms one `Fault`, which kills the process or raises
at the n-th operation, before it happened or after (a lost acknowledgement), once or for ever.
A child process is armed by the environment variable `GAMELAKE_FAULT`, for example
`kill:after:store.put:3` or `error:before:*:17:forever`.
"""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

When = Literal["before", "after"]


def _no_space() -> OSError:
    return OSError(28, "No space left on device (injected)")


@dataclass
class Fault:
    """What goes wrong, where: at operation `name` (`*` is any), the `ordinal`-th time (from 1)."""

    action: Literal["kill", "error"]
    when: When
    name: str
    ordinal: int
    forever: bool = False
    error: Callable[[], BaseException] = _no_space
    fired: int = 0


@dataclass
class _State:
    fault: Fault | None = None
    trace: list[tuple[str, int]] | None = None
    counts: Counter[str] = field(default_factory=Counter)
    total: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


_state = _State()


def parse_fault(text: str) -> Fault:
    """Read `action:when:name:ordinal[:forever]`; raises ValueError on anything else."""
    action, when, name, ordinal, *rest = text.split(":")
    if action not in ("kill", "error") or when not in ("before", "after") or len(rest) > 1:
        raise ValueError(f"GAMELAKE_FAULT {text!r} is not action:when:name:ordinal[:forever]")
    return Fault(action, when, name, int(ordinal), forever=rest == ["forever"])  # type: ignore[arg-type]


def arm(fault: Fault | None, *, trace: bool = False) -> None:
    """Arm one fault (or none) and start counting from zero; `trace` records every operation."""
    global _state  # noqa: PLW0603 - one process has one fault plan
    _state = _State(fault=fault, trace=[] if trace else None)


def arm_from(environ: Mapping[str, str]) -> None:
    """Arm what `GAMELAKE_FAULT` asks for; called once by the command-line entry point."""
    if text := environ.get("GAMELAKE_FAULT"):
        arm(parse_fault(text))


def traced() -> list[tuple[str, int]]:
    """Return the operations seen since `arm(..., trace=True)`, as (name, ordinal)."""
    return list(_state.trace or [])


@contextmanager
def operation(name: str) -> Iterator[None]:
    """Wrap one outside effect named `area.verb`, such as `store.put` or `catalog.commit`."""
    if _state.fault is None and _state.trace is None:
        yield
        return
    ordinals = _count(name)
    _gate("before", name, ordinals)
    yield
    _gate("after", name, ordinals)


def _count(name: str) -> tuple[int, int]:
    with _state.lock:
        _state.total += 1
        _state.counts[name] += 1
        if _state.trace is not None:
            _state.trace.append((name, _state.counts[name]))
        return _state.total, _state.counts[name]


def _gate(when: When, name: str, ordinals: tuple[int, int]) -> None:
    fault = _state.fault
    if fault is None or fault.when != when or fault.name not in ("*", name):
        return
    reached = ordinals[0] if fault.name == "*" else ordinals[1]
    if reached != fault.ordinal and not (fault.forever and reached > fault.ordinal):
        return
    fault.fired += 1
    if fault.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise fault.error()
