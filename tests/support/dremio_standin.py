"""A strict stand-in for Dremio's web server: what Dremio 26 refuses, it refuses.

Dremio itself does not run on the test machine. Rules are from its source code and documentation;
docs/runbook.md has a script with which a person confirms them on a real one.
"""

import json
import threading
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from dremio_standin_catalog import StandinCatalog
from dremio_standin_rules import Body, RefusedError, check_first_user, only
from dremio_standin_sql import StandinSql

USER, PASSWORD = "gamelake", "let-me-1n-please"
ACCESS_KEY, SECRET = "gamelake-analyst", "analyst/s3cret+with=signs"
NO_USER = "No User Available"


class Standin:
    """The server and its state; use as a context manager.

    `starting`: how many questions for the state it answers with 503. `before(method, path)` is
    called first of all and may raise RefusedError, or ConnectionError to lose the answer.
    `twist(method, path, told)` returns what is told instead.
    """

    def __init__(self, *, users: dict[str, str] | None = None, starting: int = 0) -> None:
        self.users = dict(users or {})
        self.starting = starting
        self.tokens: set[str] = set()
        self.sql = StandinSql()
        self.catalog = StandinCatalog(self.sql, {ACCESS_KEY: SECRET})
        self.requests: list[tuple[str, str]] = []
        self.defects: list[Exception] = []
        self.before: Callable[[str, str], None] = lambda *_: None
        self.after: Callable[[str, str], None] = lambda *_: None
        self.twist: Callable[[str, str, Any], Any] = lambda _, __, told: told
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """Address without a path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Requests that change something; logging in does not."""
        return [r for r in self.requests if r[0] != "GET" and r[1] != "/apiv2/login"]

    def __enter__(self) -> "Standin":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
        self.sql.close()
        if self.defects:
            raise self.defects[0]

    def answer(self, method: str, target: str, headers: dict[str, str], data: bytes) -> Any:
        """Return the JSON of status 200; raises RefusedError."""
        parts = urlsplit(target)
        with self._lock:
            self.requests.append((method, parts.path))
            self.before(method, parts.path)
            found = self._route(method, parts.path, headers, _body(headers, data, method))(
                {name: values[0] for name, values in parse_qs(parts.query).items()}
            )
            self.after(method, parts.path)
            return self.twist(method, parts.path, found)

    def _route(
        self, method: str, path: str, headers: dict[str, str], body: Body
    ) -> Callable[[Body], Any]:
        if (method, path) == ("GET", "/apiv2/server_status"):
            return lambda _: self._status()
        if (method, path) == ("PUT", "/apiv2/bootstrap/firstuser"):
            return lambda _: self._first_user(body)
        if not self.users:
            raise RefusedError(403, NO_USER)
        if (method, path) == ("POST", "/apiv2/login"):
            return lambda _: self._login(body)
        self._check_token(headers.get("authorization", ""))
        if not path.startswith("/api/v3/"):
            raise RefusedError(404, "HTTP 404 Not Found")
        pieces = [unquote(piece) for piece in path.removeprefix("/api/v3/").split("/")]
        return lambda query: self._catalog(method, pieces, query, body)

    def _catalog(self, method: str, pieces: list[str], query: Body, body: Body) -> Any:
        catalog = self.catalog
        match method, pieces:
            case "GET", ["catalog"]:
                return catalog.listed()
            case "POST", ["catalog"]:
                return catalog.create(body)
            case "GET", ["catalog", "by-path", *path]:
                return catalog.by_path(path, _version(query))
            case "GET", ["catalog" | "source", entity_id]:
                return catalog.by_id(entity_id)
            case "PUT", ["catalog", entity_id]:
                return catalog.update(entity_id, body)
        return self._collaboration(method, pieces, body)

    def _collaboration(self, method: str, pieces: list[str], body: Body) -> Body:
        match method, pieces:
            case "GET", ["catalog", entity_id, "collaboration", ("wiki" | "tag") as facet]:
                return self.catalog.note(entity_id, facet)
            case "POST", ["catalog", entity_id, "collaboration", ("wiki" | "tag") as facet]:
                return self.catalog.set_note(entity_id, facet, body)
        raise RefusedError(404, "HTTP 404 Not Found")

    def _status(self) -> str:
        if self.starting > 0:
            self.starting -= 1
            raise RefusedError(503, "starting")
        return "OK"

    def _first_user(self, body: Body) -> Body:
        if self.users:
            raise RefusedError(
                400, "First user can only be created when no user is already registered"
            )
        check_first_user(body)
        self.users[body["userName"]] = body["password"]
        return {"id": body["userName"]}

    def _login(self, body: Body) -> Body:
        only(body, {"userName", "password"}, "UserLogin")
        if self.users.get(body["userName"]) != body["password"]:
            raise RefusedError(401, "Login failed: Invalid username or password")
        token = uuid.uuid4().hex
        self.tokens.add(token)
        return {"token": token, "userName": body["userName"]}

    def _check_token(self, header: str) -> None:
        if header.removeprefix("_dremio").removeprefix("Bearer ") not in self.tokens:
            raise RefusedError(401, "Access token is missing or not valid")


def _version(query: Body) -> Body | None:
    only(query, {"versionType", "versionValue"}, "query")
    if not query:
        return None
    if query.keys() != {"versionType", "versionValue"}:
        raise RefusedError(
            400, "Missing a valid versionType/versionValue pair for versioned entity."
        )
    return {"type": query["versionType"], "value": query["versionValue"]}


def _body(headers: dict[str, str], data: bytes, method: str) -> Body:
    if method == "GET":
        return {}
    if not headers.get("content-type", "").startswith("application/json"):
        raise RefusedError(415, "HTTP 415 Unsupported Media Type")
    body = json.loads(data)
    if not isinstance(body, dict):
        raise RefusedError(400, "Cannot deserialize")
    return body


def _handler(standin: Standin) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or every answer waits 40 ms for an acknowledgement

        def _serve(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                status, told = 200, standin.answer(self.command, self.path, headers, data)
            except RefusedError as refused:
                status, told = refused.status, {"errorMessage": refused.message, "moreInfo": None}
            except ConnectionError:
                self.close_connection = True
                return
            except Exception as error:  # noqa: BLE001 - a defect of the stand-in, told at its end
                standin.defects.append(error)
                status, told = 500, {"errorMessage": "Something went wrong."}
            self._send(status, json.dumps(told).encode())

        def _send(self, status: int, payload: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
