"""How we talk to Nessie: time limits, patience with a restart, and its failures in our words."""

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.exceptions import MaxRetryError, NewConnectionError

from utils.errors import ServiceDown

CONNECT_S = 4.0
ANSWER_S = 20.0
MEET_S = (CONNECT_S, 5.0)  # when we ask at first who is there
PATIENCE_S = 15.0  # Nessie starts in 2 to 8 s
_PAUSE_S = 0.25
# No answer, or half of one: a server that dies breaks the body of its answer off.
_UNANSWERED = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
_BUSY = (502, 503, 504)  # what a proxy says while the server starts

# The one request of Iceberg's REST interface that must not be sent twice: it adds a snapshot. To
# create what there is already is refused, and to set properties twice is to set them once.
_COMMITS = re.compile(r"/tables/[^/]+$")

T = TypeVar("T")


class Patience:
    """Asks again while a server that has answered before does not: it may be restarting.

    A server that never answered is not waited for, and patience is lost once. Shared by all
    that talks to one server.
    """

    def __init__(self, uri: str, limit_s: float = PATIENCE_S) -> None:
        self.uri = uri
        self._limit_s = limit_s
        self._left_s = 0.0
        self.answered = False

    def ask(self, call: Callable[[], T], *, repeatable: bool) -> T:
        """Return what `call` returns; raises ServiceDown when Nessie does not answer.

        repeatable: asking twice does no harm. Otherwise only what cannot have reached the server
        is asked again.
        """
        while True:
            started = time.monotonic()
            try:
                answer = call()
            except _UNANSWERED as error:
                self._left_s -= time.monotonic() - started + _PAUSE_S
                if self._left_s <= 0 or not (repeatable or _was_never_sent(error)):
                    raise self.down(error) from error
                time.sleep(_PAUSE_S)
            else:
                self._left_s = self._limit_s
                self.answered = True
                return answer

    def down(self, error: Exception) -> ServiceDown:
        """Return the error that says that Nessie does not answer."""
        return ServiceDown(
            f"Nessie at {self.uri} does not answer: {_reason(error)}",
            operation="ask the catalog",
            subject="NESSIE_URI",
            hint="start Nessie (`make up`) or correct NESSIE_URI; the same command continues",
        )


class PatientAdapter(HTTPAdapter):
    """Sends the requests of a session with time limits and patience."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        super().__init__()

    @override
    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        """Send a request; raises ServiceDown when Nessie does not answer."""
        send = super().send
        more["timeout"] = more.get("timeout") or (CONNECT_S, ANSWER_S)
        reads = request.method in ("GET", "HEAD")

        def call() -> requests.Response:
            response = send(request, *args, **more)
            if reads and response.status_code in _BUSY:
                response.close()
                raise requests.ConnectionError(f"it answers {response.status_code}")
            if not more.get("stream"):
                response.content  # noqa: B018 - read here, where a body cut short is asked for again
            return response

        return self._patience.ask(call, repeatable=reads or not _COMMITS.search(request.path_url))


def _was_never_sent(error: requests.RequestException) -> bool:
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError)


def _reason(error: Exception) -> str:
    if isinstance(error, requests.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.RequestException) and _was_never_sent(error):
        return "no connection"
    return f"the connection broke ({type(error).__name__})"
