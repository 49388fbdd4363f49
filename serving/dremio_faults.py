"""Turns errors of Arrow Flight into ours: Dremio's own words, and what to do next."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from pyarrow import flight

from serving.gate import shorten
from utils.errors import ServiceDown, UsageError

# pyarrow wraps the server's text in the client's own.
_BEFORE = re.compile(r"^Flight (?:error|returned) [^:]*(?:: |, with message: )|^.*?with message: ")
_AFTER = re.compile(r"\.? ?(?:gRPC client debug context|Client context|Detail): .*$", re.DOTALL)
_UP_HINT = (
    "docker compose up -d dremio (make up starts all), then gamelake check-services; "
    "DREMIO_FLIGHT_URL is the address of Arrow Flight"
)
_NAMES_HINT = "gamelake dremio-setup makes the views; reserved words such as year want quotes"

_FAILED_HINT = "Dremio's page Jobs shows where the query failed"


@contextmanager
def logging_in(address: str) -> Iterator[None]:
    """Raise UsageError when Dremio refuses the user, ServiceDown when nobody is there."""
    try:
        yield
    except (flight.FlightUnauthenticatedError, flight.FlightUnauthorizedError) as error:
        raise UsageError(
            f"Dremio refuses user and password: {_said(error)}",
            operation="log in to Dremio",
            subject=address,
            hint="set DREMIO_USER and DREMIO_PASSWORD",
        ) from None
    except flight.FlightError as error:
        raise _down(_said(error), address) from None
    except pa.ArrowException:  # its words are of the handshake: of no use
        raise _down("nobody speaks Arrow Flight there", address) from None


@contextmanager
def explained(text: str, address: str) -> Iterator[None]:
    """Raise UsageError for what is wrong with `text`, ServiceDown for the server."""
    try:
        yield
    except (flight.FlightUnavailableError, flight.FlightTimedOutError) as error:
        raise _down(_said(error), address) from None
    except (flight.FlightError, pa.ArrowException) as error:
        wrong = isinstance(error, pa.ArrowInvalid)  # else it failed while it ran
        hint = _NAMES_HINT if wrong else _FAILED_HINT
        raise UsageError(
            _said(error), operation="query", subject=shorten(text), hint=hint
        ) from None


def _down(said: str, address: str) -> ServiceDown:
    return ServiceDown(
        f"Dremio does not answer: {said}", operation="ask Dremio", subject=address, hint=_UP_HINT
    )


def _said(error: Exception) -> str:
    return _AFTER.sub("", _BEFORE.sub("", str(error))).strip()
