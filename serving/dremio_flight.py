"""SQL answered by Dremio, over Arrow Flight: read-only, streamed, Ctrl-C stops the query.

The plain Flight protocol that Dremio's own examples use: the statement is the descriptor, the
answer comes from the ticket. Every call carries the header `schema`, from which Dremio makes the
session's default path; so bare names find what is in the space `curated`, tables and views.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import flight

from etl.iceberg_schemas import TABLES
from serving.dremio_abandon import Abandonable
from serving.dremio_faults import explained, logging_in
from serving.dremio_gate import admit
from serving.dremio_text import SPACE
from serving.view_files import load_views
from utils.config import Settings
from utils.errors import UsageError
from utils.seams import operation

PORT = 32010
_CONNECT_S = 20.0


def flight_address(settings: Settings) -> str:
    """Return where Dremio's Flight server is: DREMIO_FLIGHT_URL, or a port beside the web's."""
    if settings.dremio_flight_url:
        return settings.dremio_flight_url
    parts = urlsplit(settings.dremio_url)
    host = parts.hostname or "127.0.0.1"
    kind = "grpc+tls" if parts.scheme == "https" else "grpc+tcp"
    return f"{kind}://{f'[{host}]' if ':' in host else host}:{PORT}"


class FlightEngine:
    """A logged-in connection to Dremio; use as a context manager."""

    def __init__(self, address: str, user: str, password: str) -> None:
        """Log in at `address`; raises UsageError when refused, ServiceDown when not there."""
        self.tables: Mapping[str, pa.Schema] = {name: t.arrow() for name, t in TABLES.items()}
        self.views = tuple(view.name for view in load_views())
        self._schema = (b"schema", SPACE.encode())
        self._address = address
        self._client = _client(address)
        try:
            token = self._log_in(user, password)
        except BaseException:
            self._client.close()
            raise
        self._options = flight.FlightCallOptions(headers=[token, self._schema])

    def _log_in(self, user: str, password: str) -> tuple[bytes, bytes]:
        options = flight.FlightCallOptions(timeout=_CONNECT_S, headers=[self._schema])
        with logging_in(self._address), operation("dremio.connect"):
            token: tuple[bytes, bytes] = self._client.authenticate_basic_token(
                user, password, options
            )
        return token

    def sql(self, text: str) -> "FlightResult":
        """Return the answer to one reading statement, planned but not yet run.

        Raises UsageError when it is refused or wrong, ServiceDown when Dremio is gone, and
        Stopped on Ctrl-C.
        """
        statement = admit(text)
        descriptor = flight.FlightDescriptor.for_command(statement.encode())

        def run(call: Abandonable, work: Callable[[], Any]) -> Any:
            with explained(statement, self._address), operation("dremio.query"):
                return call(work)

        call = Abandonable()
        info = run(call, lambda: self._client.get_flight_info(descriptor, self._options))
        return FlightResult(info, lambda ticket: self._client.do_get(ticket, self._options), run)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FlightResult:
    """A planned query; every form below runs it."""

    def __init__(
        self,
        info: Any,
        get: Callable[[Any], Any],
        run: Callable[[Abandonable, Callable[[], Any]], Any],
    ) -> None:
        self._info = info
        self._get = get
        self._run = run
        self.columns: list[str] = info.schema.names

    def schema(self) -> pa.Schema:
        """Return the pyarrow schema of the answer."""
        return self._info.schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield record batches, as large as Dremio makes them; memory stays bounded."""
        for endpoint in self._info.endpoints:
            # Where the endpoint says the data is, is Dremio's own view of its address: not ours.
            call = Abandonable()
            reader = self._run(call, partial(self._get, endpoint.ticket))
            call.on_stop = reader.cancel
            try:
                while (batch := self._run(call, partial(_next, reader))) is not None:
                    yield batch
            finally:
                reader.cancel()  # of no effect at the end of the stream

    def arrow(self) -> pa.Table:
        """Return a pyarrow Table."""
        return pa.Table.from_batches(self.batches(), schema=self.schema())

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return a list of tuples of Python values."""
        return [
            row
            for batch in self.batches()
            for row in zip(*[column.to_pylist() for column in batch.columns], strict=True)
        ]


def _client(address: str) -> Any:
    try:
        # A proxy of the environment is for the web, not for a service of ours.
        return flight.FlightClient(address, generic_options=[("grpc.enable_http_proxy", 0)])
    except pa.ArrowException as error:
        raise UsageError(
            f"{address!r} is no address of Arrow Flight: {error}",
            operation="connect to Dremio",
            subject="DREMIO_FLIGHT_URL",
            hint="such as grpc+tcp://127.0.0.1:32010",
        ) from error


def _next(reader: Any) -> pa.RecordBatch | None:
    """Return the next batch with rows; metadata may come alone."""
    while True:
        try:
            chunk = reader.read_chunk()
        except StopIteration:
            return None
        if chunk.data is not None and chunk.data.num_rows:
            return chunk.data
