"""Is every configured service up? Probes that need only an address.

`python -m utils.check_services [--json]` runs them; `gamelake check-services` adds those that log
in and look inside.
"""

import argparse
import json
import os
import socket
import sys
from collections.abc import Container, Sequence
from urllib.parse import urlsplit

import requests

from utils.config import Settings, load_settings
from utils.errors import GamelakeError
from utils.probing import (
    TIMEOUT_S,
    Finding,
    Known,
    Probe,
    ServiceReport,
    require_up,
    run_probes,
    status_table,
)
from utils.redact import Redactor

_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"  # a question every PostgreSQL answers
_BELOW_500 = range(200, 500)
RAWG_HINT = "RAWG may be down (it has been for days): what is stored can be queried meanwhile"


def address_probes(settings: Settings) -> list[Probe]:
    """Return the probes of every service that the profile uses, by address alone."""
    probes = [rawg_probe(settings)]
    if settings.gamelake_profile == "stack":
        probes += [minio_probe(settings), nessie_probe(settings), dremio_probe(settings)]
    return [*probes, *_postgres_probes(settings)]


def rawg_probe(settings: Settings) -> Probe:
    """Ask RAWG's genre list without a key: a refusal (401) proves that it is there."""
    url = settings.rawg_base_url.rstrip("/")
    return Probe(
        "rawg",
        without_login(url),
        lambda _: http_answer(f"{url}/genres", accepts=_BELOW_500),
        hint=RAWG_HINT,
    )


def minio_probe(settings: Settings) -> Probe:
    """Ask MinIO whether it is alive."""
    endpoint = settings.minio_endpoint.rstrip("/")
    url = endpoint if "://" in endpoint else f"http://{endpoint}"
    hint = "MINIO_ENDPOINT must be the S3 port (9000); " + start("minio")
    return Probe(
        "minio",
        without_login(url),
        lambda _: http_answer(f"{url}/minio/health/live", hint=hint),
        hint=start("minio"),
    )


def nessie_probe(settings: Settings) -> Probe:
    """Ask Nessie for its version and for the head of its default branch, which its store has."""
    url = settings.nessie_uri.rstrip("/")

    def ask(_: Known) -> Finding:
        config = http_answer(f"{url}/api/v2/config", hint=start("nessie"))
        if config.state != "up":
            return config
        branch = http_answer(f"{url}/api/v2/trees/-", hint=start("nessie"))
        if branch.state != "up":
            return Finding(f"its store: {branch.detail}", branch.state, start("nessie"))
        return config

    return Probe("nessie", without_login(url), ask, hint=start("nessie"))


def dremio_probe(settings: Settings) -> Probe:
    """Ask Dremio whether it is ready; it need not be there where `make up` does not start it."""
    url = settings.dremio_url.rstrip("/")
    hint = f"it takes up to 3 minutes to start; {start('dremio')}"

    def ask(_: Known) -> Finding:
        try:
            return http_answer(f"{url}/apiv2/server_status", hint=hint)
        except requests.ConnectionError:
            if dremio_is_expected(settings):
                raise
            return Finding("not part of this set-up", "unset", "COMPOSE_PROFILES=all make up")

    return Probe("dremio", without_login(url), ask, hint=hint)


def dremio_is_expected(settings: Settings) -> bool:
    """Return whether this set-up has a Dremio: a user for it, and a profile that starts it."""
    started = {name.strip() for name in settings.compose_profiles.split(",")}
    return bool(settings.dremio_user) and not started.isdisjoint({"all", "dremio"})


def _postgres_probes(settings: Settings) -> list[Probe]:
    """Return the probe of the server in DATABASE_URL; none where it names a file or a socket."""
    try:
        url = urlsplit(settings.database_url.get_secret_value())
        host, port = url.hostname, url.port or 5432
    except ValueError:
        return []  # whoever opens it says what is wrong
    if not url.scheme.startswith("postgres") or not host:
        return []
    return [
        Probe(
            "postgres",
            f"{host}:{port}",
            lambda _: postgres_answer(host, port),
            hint=start("postgres"),
        )
    ]


def http_answer(url: str, *, accepts: Container[int] = (200,), hint: str = "") -> Finding:
    """Ask for `url`; a status that is not in `accepts` means that the service is down."""
    response = requests.get(url, timeout=TIMEOUT_S, allow_redirects=False, stream=True)
    response.close()  # the status is all we want, however long the answer is
    detail = f"answers {response.status_code}"
    if response.status_code in accepts:
        return Finding(detail)
    return Finding(detail, "down", hint)


def postgres_answer(host: str, port: int) -> Finding:
    """Ask a PostgreSQL server whether it would talk TLS: it answers before any login."""
    with socket.create_connection((host, port), TIMEOUT_S) as connection:
        connection.sendall(_SSL_REQUEST)
        answer = connection.recv(1)
    if answer in (b"S", b"N"):
        return Finding("answers")
    what = "closed the connection" if not answer else "what answers is not PostgreSQL"
    return Finding(what, "down", start("postgres"))


def start(service: str) -> str:
    """Return the next step for a server of the stack that is down."""
    return f"docker compose up -d {service} (make up starts all); docker compose logs {service}"


def without_login(url: str) -> str:
    """Return an address without user and password."""
    scheme, found, rest = url.rpartition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{found}{host.rpartition('@')[2]}{slash}{path}"


def main(argv: Sequence[str] | None = None) -> int:
    """Probe, print a table (or JSON), return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m utils.check_services", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    asked = parser.parse_args(argv)
    redact = Redactor(())
    try:
        settings = load_settings(os.environ)
        redact = Redactor(settings.secrets())
        statuses = run_probes(address_probes(settings))
        report = json.dumps(ServiceReport(statuses).as_dict())
        sys.stdout.write(redact(report if asked.json else status_table(statuses)) + "\n")
        require_up(statuses)
    except GamelakeError as error:
        sys.stderr.write(redact(f"error: {error.message}\nhint: {error.hint}\n"))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
