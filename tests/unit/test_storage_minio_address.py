"""Addresses of MinIO, and what else may answer there."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from storage import minio_http
from storage.minio_bucket import make_bucket
from storage.minio_client import MinioStore, open_minio_store
from storage.minio_http import parse_address
from utils.errors import ServiceDown, UsageError
from utils.log import set_up_logging
from utils.redact import Redactor

CALLS: list[Callable[[MinioStore], object]] = [
    lambda store: store.put("a/b", b"one"),
    lambda store: store.put("a/b", bytes(20 << 20)),
    lambda store: store.get("a/b"),
    lambda store: store.stat("a/b"),
    lambda store: list(store.list("")),
]


@pytest.fixture(params=CALLS, ids=["put", "put large", "get", "stat", "list"])
def call(request: pytest.FixtureRequest) -> Callable[[MinioStore], object]:
    made: Callable[[MinioStore], object] = request.param
    return made


@pytest.mark.parametrize(
    ("endpoint", "shown"),
    [
        ("127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("minio", "http://minio"),
        ("http://minio:9000", "http://minio:9000"),
        ("https://s3.example.org", "https://s3.example.org"),
        (" https://s3.example.org/ ", "https://s3.example.org"),
        ("[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_addresses(endpoint: str, shown: str) -> None:
    store = open_minio_store(endpoint, "user", "secret", "raw")  # asks nobody
    assert store.uri("a/b") == "s3://raw/a/b"
    assert str(parse_address(endpoint, "user", "secret")) == shown


@pytest.mark.parametrize(
    "endpoint",
    [
        *("", "://", "http://", "ftp://minio", "minio:port", "minio:70000", "minio:0", "a b"),
        *("minio/path", "http://minio:9000/raw", "minio?x", "http://http://minio"),
        "user:hunter2@minio:9000",
    ],
)
def test_what_is_no_address(endpoint: str) -> None:
    with pytest.raises(UsageError, match="is not an address") as caught:
        open_minio_store(endpoint, "user", "secret", "raw")
    assert caught.value.subject == "MINIO_ENDPOINT"
    assert "hunter2" not in str(caught.value.as_dict())


@pytest.mark.parametrize(
    ("keys", "name"), [(("", "secret"), "MINIO_ACCESS_KEY"), (("user", ""), "MINIO_SECRET_KEY")]
)
def test_keys_that_are_not_set(keys: tuple[str, str], name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is not set") as caught:
        open_minio_store("minio:9000", *keys, "raw")
    assert caught.value.subject == name


@pytest.mark.parametrize("name", ["", "a", "UPPER", "under_score", "a/b", "-a-", "a" * 64])
def test_a_name_that_no_bucket_can_have(name: str) -> None:
    for use in (open_minio_store, make_bucket):
        with pytest.raises(UsageError, match="not a name of a bucket"):
            use("minio:9000", "user", "secret", name)


def test_no_text_of_an_address_has_the_keys() -> None:
    address = parse_address("minio:9000", "the-user", "the-secret")
    assert "the-" not in f"{address} {address!r}"


def test_nobody_listens(call: Callable[[MinioStore], object]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    _refuses(call, port, "the connection was refused")


def test_repeated_requests_print_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    logging_set_up = set_up_logging(None, verbosity=0, redact=Redactor(()))
    try:
        test_nobody_listens(CALLS[0])
    finally:
        logging_set_up.close()
    assert capsys.readouterr().err == ""


def test_a_name_that_is_not_known(call: Callable[[MinioStore], object]) -> None:
    store = open_minio_store("minio.invalid", "user", "secret", "raw")
    with pytest.raises(ServiceDown, match="its name is not known"):
        call(store)


def test_somebody_listens_and_says_nothing(
    call: Callable[[MinioStore], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minio_http, "ANSWER_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        _refuses(call, silent.getsockname()[1], "no answer in time")
        assert _waiting(silent) == 2


@pytest.mark.parametrize("status", [200, 204, 301, 400, 403, 404, 412])
def test_another_server_is_not_taken_for_minio(
    call: Callable[[MinioStore], object], status: int
) -> None:
    with _server(status, b"<html>hello</html>") as port:
        _refuses(call, port, "what answers there is not MinIO")


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (507, "XMinioStorageFull", "has no space left|the server failed"),
        (503, "XMinioServerNotInitialized", "NotInitialized|the server failed"),
        (403, "RequestTimeTooSkewed", "has another time than this machine"),
    ],
)
def test_what_minio_says_of_itself(
    call: Callable[[MinioStore], object], status: int, code: str, meaning: str
) -> None:
    body = f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode()
    headers = {"x-amz-request-id": "1", "x-minio-error-code": code, "Retry-After": "60"}
    with _server(status, body, headers | {"Content-Type": "application/xml"}) as port:
        _refuses(call, port, meaning)


def _waiting(listener: socket.socket) -> int:
    """Return how many connections nobody has accepted."""
    listener.setblocking(False)
    found = 0
    with suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            found += 1
    return found


def _refuses(call: Callable[[MinioStore], object], port: int, meaning: str) -> None:
    store = open_minio_store(f"127.0.0.1:{port}", "user", "secret", "raw")
    started = time.monotonic()
    with pytest.raises(ServiceDown, match=meaning) as caught:
        call(store)
    assert time.monotonic() - started < 5
    assert "the same command continues" in caught.value.hint


@contextmanager
def _server(status: int, body: bytes, headers: dict[str, str] | None = None) -> Iterator[int]:
    """Serve one answer to every request."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            for name, value in (headers or {"Content-Type": "text/html"}).items():
                self.send_header(name, value)
            told = b"" if status == 204 else body
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(told)

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return self._answer
            raise AttributeError(name)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(10)
