"""A real Arrow Flight server that answers as Dremio does: basic login, bearer token, SQL text.

Without cookies Dremio makes a session for every call, from the headers of that call.
"""

import base64
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from dremio_standin import Standin
from dremio_standin_sql import SqlRefusedError
from pyarrow import flight

STALL = "/* stall */"  # in a statement: the answer stops after its first batch
STALL_EARLY = "/* stall early */"  # the answer does not even begin
BREAK = "/* break */"  # the answer breaks off after some batches
_WRITES = ("CREATE", "DROP", "INSERT", "DELETE", "UPDATE", "MERGE", "ALTER", "USE", "CALL")


class _Session(flight.ServerMiddleware):
    def __init__(self, token: str, context: str) -> None:
        self.token = token
        self.context = context

    def sending_headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}


class _Sessions(flight.ServerMiddlewareFactory):
    """Checks the authorization header of every call."""

    def __init__(self, standin: Standin) -> None:
        super().__init__()
        self._standin = standin

    def start_call(self, info: Any, headers: dict[str, list[Any]]) -> _Session:
        del info
        kind, _, value = headers.get("authorization", [""])[0].partition(" ")
        context = headers.get("schema", [""])[0]
        if kind == "Basic":
            user, _, password = base64.b64decode(value).decode().partition(":")
            if self._standin.users.get(user) != password:
                raise flight.FlightUnauthenticatedError("Unable to authenticate user " + user)
            value = uuid.uuid4().hex
            self._standin.tokens.add(value)
        elif kind != "Bearer" or value not in self._standin.tokens:
            raise flight.FlightUnauthenticatedError("Invalid token")
        return _Session(value, context)


class _NoHandshake(flight.ServerAuthHandler):
    def authenticate(self, outgoing: Any, incoming: Any) -> None:
        """The headers say all."""

    def is_valid(self, token: Any) -> str:
        del token
        return ""


class FlightStandin(flight.FlightServerBase):
    """Answers over the tables and views of `standin`; use as a context manager."""

    def __init__(self, standin: Standin) -> None:
        super().__init__(
            "grpc+tcp://127.0.0.1:0",
            auth_handler=_NoHandshake(),
            middleware={"session": _Sessions(standin)},
        )
        self._standin = standin
        self._planned: dict[bytes, tuple[str, pa.Table]] = {}
        self.statements: list[str] = []
        self.stalled = threading.Event()
        self.cancelled = threading.Event()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"grpc+tcp://127.0.0.1:{self.port}"

    def get_flight_info(self, context: Any, descriptor: Any) -> flight.FlightInfo:
        """Plan a statement; a wrong one is an invalid argument."""
        text = descriptor.command.decode()
        self.statements.append(text)
        if text.split()[0].upper() in _WRITES:
            raise AssertionError(f"a writing statement reached Dremio: {text}")
        try:
            table = self._standin.sql.run(text, context.get_middleware("session").context)
        except SqlRefusedError as error:
            raise pa.ArrowInvalid(str(error)) from None
        ticket = uuid.uuid4().bytes
        self._planned[ticket] = (text, table)
        # Dremio names itself as its container knows it; nobody outside can go there.
        there = flight.FlightEndpoint(ticket, ["grpc+tcp://0.0.0.0:1"])
        return flight.FlightInfo(table.schema, descriptor, [there], -1, -1)

    def do_get(self, context: Any, ticket: Any) -> flight.GeneratorStream:
        """Send the answer, a few rows at a time."""
        text, table = self._planned[ticket.ticket]
        if STALL_EARLY in text:
            self._stall(context)
        return flight.GeneratorStream(table.schema, self._batches(context, text, table))

    def _batches(self, context: Any, text: str, table: pa.Table) -> Iterator[pa.RecordBatch]:
        yield from table.to_batches(max_chunksize=2)
        if STALL in text:
            self._stall(context)
        if BREAK in text:
            raise flight.FlightInternalError("SYSTEM ERROR: the disk of an executor is full")

    def _stall(self, context: Any) -> None:
        self.stalled.set()
        pause = threading.Event()
        for _ in range(600):
            if context.is_cancelled():
                self.cancelled.set()
                return
            pause.wait(0.05)
