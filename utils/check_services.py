"""Is every configured service up? Probes that need only an address, and the table of answers.

`python -m utils.check_services` runs them; `gamelake check-services` adds deeper ones.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import requests

from utils.config import Settings, load_settings
from utils.errors import GamelakeError, ServiceDown

TIMEOUT_S = 5.0  # to connect, and for an answer: all probes run at once, in under 10 s
State = Literal["up", "down", "unset"]


@dataclass(frozen=True)
class ServiceStatus:
    """What a probe found; `unset` means that it is not configured and need not be up."""

    service: str
    address: str
    state: State
    milliseconds: float | None = None
    detail: str = ""
    hint: str = ""


@dataclass(frozen=True)
class ServiceReport:
    """What all probes found."""

    services: tuple[ServiceStatus, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the `--json` form."""
        return {"ok": all(one.state != "down" for one in self.services), **asdict(self)}


Probe = Callable[[], ServiceStatus]


def http_probe(service: str, url: str, *, hint: str, path: str = "") -> ServiceStatus:
    """Ask for `url` + `path`: any answer below 500 means that the service is there."""
    started = time.perf_counter()
    try:
        response = requests.get(url.rstrip("/") + path, timeout=TIMEOUT_S, allow_redirects=False)
    except requests.RequestException as error:
        reason = f"does not answer ({type(error).__name__})"  # its text may hold the whole URL
        return ServiceStatus(service, url, "down", detail=reason, hint=hint)
    elapsed = milliseconds_since(started)
    response.close()
    if response.status_code >= 500:
        reason = f"answers {response.status_code}"
        return ServiceStatus(service, url, "down", elapsed, reason, hint)
    return ServiceStatus(service, url, "up", elapsed, f"answers {response.status_code}")


def tcp_probe(service: str, host: str, port: int, *, hint: str) -> ServiceStatus:
    """Open a connection and close it again."""
    address, started = f"{host}:{port}", time.perf_counter()
    try:
        socket.create_connection((host, port), TIMEOUT_S).close()
    except OSError as error:
        reason = f"no connection ({error.strerror or error})"
        return ServiceStatus(service, address, "down", detail=reason, hint=hint)
    return ServiceStatus(service, address, "up", milliseconds_since(started), "accepts connections")


def milliseconds_since(started: float) -> float:
    """Return the milliseconds since `time.perf_counter()` was `started`."""
    return round((time.perf_counter() - started) * 1000, 1)


def address_probes(settings: Settings) -> list[Probe]:
    """Return the probes of every service that the profile uses, by address alone."""
    if settings.gamelake_profile == "embedded":
        return [lambda: rawg_probe(settings)]
    up = "start the stack, then try again"
    minio = urlsplit(f"//{settings.minio_endpoint}")
    return [
        lambda: rawg_probe(settings),
        lambda: tcp_probe("minio", minio.hostname or "", minio.port or 9000, hint=up),
        lambda: http_probe("nessie", settings.nessie_uri, path="/api/v2/config", hint=up),
        lambda: http_probe("dremio", settings.dremio_url, path="/apiv2/server_status", hint=up),
    ]


def rawg_probe(settings: Settings) -> ServiceStatus:
    """Ask RAWG's genre list without a key: a refusal (401) proves that it is there."""
    hint = "RAWG may be down (it has been for days): what is stored can be queried meanwhile"
    return http_probe("rawg", settings.rawg_base_url, path="/genres", hint=hint)


def run_probes(probes: Sequence[Probe]) -> list[ServiceStatus]:
    """Run all probes at once; their order is kept."""
    with ThreadPoolExecutor(max_workers=max(1, len(probes))) as pool:
        return [future.result() for future in [pool.submit(probe) for probe in probes]]


def status_table(statuses: Iterable[ServiceStatus]) -> str:
    """Return the answers as aligned text; what to do stands under what is down."""
    lines = []
    for status in statuses:
        took = "" if status.milliseconds is None else f"{status.milliseconds:,.0f} ms"
        line = f"{status.service:10} {status.state:6} {took:>9}  {status.address}  {status.detail}"
        lines.append(line.rstrip())
        if status.state == "down" and status.hint:
            lines.append(f"{'':10} hint: {status.hint}")
    return "\n".join(lines)


def require_up(statuses: Iterable[ServiceStatus]) -> None:
    """Raise ServiceDown naming every service that is down."""
    down = [status for status in statuses if status.state == "down"]
    if down:
        raise ServiceDown(
            f"{', '.join(status.service for status in down)}: down",
            operation="check services",
            subject=", ".join(status.service for status in down),
            hint=down[0].hint,
        )


def main() -> int:
    """Probe, print the table, return the exit code."""
    try:
        statuses = run_probes(address_probes(load_settings(os.environ)))
        sys.stdout.write(status_table(statuses) + "\n")
        require_up(statuses)
    except GamelakeError as error:
        sys.stderr.write(f"error: {error.message}\nhint: {error.hint}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
