"""Asking many services at once: each probe in time, none blamed for what another one lacks."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import asdict, dataclass
from typing import Any, Literal

import requests

from utils.errors import GamelakeError, QuotaSpent, ServiceDown

TIMEOUT_S = 3.0  # to connect, and for an answer
DEADLINE_S = 7.0  # for all: a service that answers by drops is given up too
_NEEDS = "needs "
State = Literal["up", "down", "unset", "unknown", "spent"]
# Trouble and the error that it ends with, the worst first.
_TROUBLE: Mapping[State, type[GamelakeError]] = {
    "down": ServiceDown,
    "unknown": ServiceDown,
    "spent": QuotaSpent,
}


@dataclass(frozen=True)
class ServiceStatus:
    """What is known of a service.

    `unset`: not configured, it need not be up. `unknown`: what it needs is not up; `detail` names
    it and `hint`, the next step, is that one's. `spent`: well, but no request is left to send.
    """

    service: str
    address: str
    state: State
    milliseconds: float | None = None
    detail: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Finding:
    """What a probe found; `hint` says what to do, also where all is well."""

    detail: str
    state: State = "up"
    hint: str = ""


Known = Mapping[str, ServiceStatus]


@dataclass(frozen=True)
class Probe:
    """One question to one service.

    `ask` gets what is known of `needs`, which are up, and of `after`, which have been asked. It
    returns a Finding or raises GamelakeError, OSError or requests' errors: then the service is
    down, and `hint` is the next step where the error has none. Both lists name earlier probes.
    """

    service: str
    address: str
    ask: Callable[[Known], Finding]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True)
class ServiceReport:
    """What all probes found."""

    services: tuple[ServiceStatus, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the `--json` form."""
        return {"ok": not any(one.state in _TROUBLE for one in self.services), **asdict(self)}


def run_probes(
    probes: Sequence[Probe], *, deadline_s: float = DEADLINE_S
) -> tuple[ServiceStatus, ...]:
    """Run all probes side by side and return what they found, in their order.

    Returns after `deadline_s` at the latest: threads that still wait by then are left behind and
    do not keep the process from ending.
    """
    futures: dict[str, Future[ServiceStatus]] = {probe.service: Future() for probe in probes}
    for probe in probes:
        threading.Thread(target=_run, args=(probe, futures), daemon=True).start()
    wait(futures.values(), timeout=deadline_s)
    found: dict[str, ServiceStatus] = {}
    for probe in probes:
        future = futures[probe.service]
        found[probe.service] = future.result() if future.done() else _late(probe, found, deadline_s)
    return tuple(found.values())


def require_up(statuses: Sequence[ServiceStatus]) -> None:
    """Raise ServiceDown naming every service that is down, QuotaSpent when that alone is wrong."""
    found = {state: [one for one in statuses if one.state == state] for state in _TROUBLE}
    named = {state: ", ".join(o.service for o in ones) for state, ones in found.items() if ones}
    if not named:
        return
    worst = next(iter(named))
    raise _TROUBLE[worst](
        "; ".join(f"{names}: {state}" for state, names in named.items()),
        operation="check services",
        subject=named[worst],
        hint=found[worst][0].hint,
    )


def status_table(statuses: Sequence[ServiceStatus]) -> str:
    """Return the answers as aligned text; the next step stands under what has one."""
    name, address = (
        max((len(getattr(status, field)) for status in statuses), default=0)
        for field in ("service", "address")
    )
    lines = []
    for status in statuses:
        took = "-" if status.milliseconds is None else f"{status.milliseconds:,.0f} ms"
        where = f"{status.service:{name}}  {status.state:7} {took:>9}  {status.address:{address}}"
        lines.append(f"{where}  {status.detail}".rstrip())
        if status.hint and not status.detail.startswith(_NEEDS):  # said where it belongs
            lines.append(f"{'':{name}}  next: {status.hint}")
    return "\n".join(lines)


def _run(probe: Probe, futures: Mapping[str, Future[ServiceStatus]]) -> None:
    future = futures[probe.service]
    try:
        earlier = {
            name: futures[name].result() for name in (*probe.needs, *probe.after) if name in futures
        }
        future.set_result(_missing(probe, earlier) or _ask(probe, earlier))
    except BaseException as error:  # noqa: BLE001 - a defect, raised where the result is taken
        future.set_exception(error)


def _ask(probe: Probe, known: Known) -> ServiceStatus:
    started = time.perf_counter()
    try:
        found = probe.ask(known)
    except GamelakeError as error:
        return _down(probe, error.message, error.hint)
    except requests.RequestException as error:  # its text may hold the whole URL
        return _down(probe, _silence(error))
    except OSError as error:
        return _down(probe, f"no connection ({error.strerror or error})")
    took = round((time.perf_counter() - started) * 1000, 1)
    timed = None if found.state in ("unset", "unknown") else took
    return ServiceStatus(probe.service, probe.address, found.state, timed, found.detail, found.hint)


def _silence(error: requests.RequestException) -> str:
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {TIMEOUT_S:g} s"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT_S:g} s"
    return f"does not answer ({type(error).__name__})"


def _late(probe: Probe, found: Known, deadline_s: float) -> ServiceStatus:
    return _missing(probe, found) or _down(probe, f"no answer within {deadline_s:g} s")


def _missing(probe: Probe, known: Known) -> ServiceStatus | None:
    """Return what to say of a probe that lacks what it needs: no failure of its own."""
    for name in probe.needs:
        if name in known and known[name].state != "up":
            state: State = "unset" if known[name].state == "unset" else "unknown"
            return ServiceStatus(
                probe.service, probe.address, state, detail=f"{_NEEDS}{name}", hint=known[name].hint
            )
    return None


def _down(probe: Probe, detail: str, hint: str = "") -> ServiceStatus:
    return ServiceStatus(
        probe.service, probe.address, "down", detail=detail, hint=hint or probe.hint
    )
