"""Turns errors of Arrow Flight into ours: Dremio's own words, and what to do next."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from pyarrow import flight

from serving.gate import shorten
from utils.errors import GamelakeError, ServiceDown, UsageError

# pyarrow wraps the server's text in the client's own.
_BEFORE = re.compile(r"^Flight (?:error|returned) [^:]*(?:: |, with message: )|^.*?with message: ")
_AFTER = re.compile(r"\.? ?(?:gRPC client debug context|Client context|Detail): .*$", re.DOTALL)
_UP_HINT = "docker compose up -d dremio (make up starts all), then gamelake check-services"
_NAMES_HINT = "gamelake dremio-setup makes the views; reserved words such as year want quotes"


@contextmanager
def explained(text: str, address: str) -> Iterator[None]:
    """Raise UsageError for what is wrong with `text` or the login, ServiceDown for the server."""
    try:
        yield
    except (flight.FlightError, pa.ArrowException) as error:
        raise _translated(error, text, address) from None


def _translated(error: Exception, text: str, address: str) -> GamelakeError:
    said = _AFTER.sub("", _BEFORE.sub("", str(error))).strip()
    match error:
        case flight.FlightUnauthenticatedError():
            return UsageError(
                f"Dremio refuses user and password: {said}",
                operation="log in to Dremio",
                subject=address,
                hint="set DREMIO_USER and DREMIO_PASSWORD",
            )
        case flight.FlightUnavailableError() | flight.FlightTimedOutError():
            return ServiceDown(
                f"Dremio does not answer: {said}",
                operation="ask Dremio",
                subject=address,
                hint=_UP_HINT,
            )
    return UsageError(said, operation="query", subject=shorten(text), hint=_NAMES_HINT)
