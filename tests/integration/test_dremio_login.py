"""Waiting for Dremio, its first user, and everything that keeps one from logging in."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from dremio_lab import user_of
from dremio_standin import PASSWORD, USER, Standin

from serving.dremio_client import DremioClient
from serving.dremio_login import Patience, log_in, wait_until_ready
from utils.errors import ServiceDown, UsageError


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def _patience(seconds: float, said: list[str]) -> Patience:
    clock = Clock()
    return Patience(seconds, said.append, clock.now, clock.sleep)


def test_a_starting_dremio_is_waited_for_with_progress() -> None:
    said: list[str] = []
    with Standin(starting=25) as standin, DremioClient(standin.url) as client:
        wait_until_ready(client, _patience(60, said), standin.url)

    assert [line.rpartition(": ")[2] for line in said] == ["0 s", "10 s", "20 s"]


def test_a_dremio_that_does_not_start_in_time_is_down() -> None:
    with (
        Standin(starting=99) as standin,
        DremioClient(standin.url) as client,
        pytest.raises(ServiceDown, match="not up within 5 s") as caught,
    ):
        wait_until_ready(client, _patience(5, []), standin.url)
    assert "docker compose" in caught.value.hint


def test_no_dremio_at_all_is_exit_7(tmp_path: Path) -> None:
    with Standin() as standin:
        user = user_of(standin, tmp_path)

    told = user.run("dremio-setup", "--json", "--wait", "0")

    assert told.code == 7
    assert told.json["subject"] == standin.url


def test_the_first_user_is_made_once() -> None:
    with Standin() as standin:
        for fresh in (True, False):
            with DremioClient(standin.url) as client:
                assert log_in(client, USER, PASSWORD, create=True) is fresh
    assert [r for r in standin.requests if r[0] == "PUT"] == [("PUT", "/apiv2/bootstrap/firstuser")]


def test_another_first_user_may_be_faster() -> None:
    with Standin() as standin, DremioClient(standin.url) as client:

        def faster(method: str, _: str) -> None:
            if method == "PUT":
                standin.users[USER] = PASSWORD

        standin.before = faster
        assert log_in(client, USER, PASSWORD, create=True) is True


def test_a_wrong_password_is_a_usage_error() -> None:
    with (
        Standin(users={USER: "other-pa55"}) as standin,
        DremioClient(standin.url) as client,
        pytest.raises(UsageError, match="refuses") as caught,
    ):
        log_in(client, USER, PASSWORD, create=True)
    assert "DREMIO_PASSWORD" in caught.value.hint
    assert standin.writes == []


@pytest.mark.parametrize("password", ["", "short1", "onlyletters", "12345678", "ümläutöß"])
def test_a_password_that_dremio_would_not_take_costs_no_call(password: str, tmp_path: Path) -> None:
    with Standin() as standin:
        told = user_of(standin, tmp_path).but(DREMIO_PASSWORD=password).run("dremio-setup")

    assert told.code == 2
    assert "DREMIO_PASSWORD" in told.err
    assert standin.requests == []


@pytest.mark.parametrize("missing", ["DREMIO_USER", "DREMIO_PASSWORD", "MINIO_ANALYST_SECRET_KEY"])
def test_a_missing_setting_costs_no_call(missing: str, tmp_path: Path) -> None:
    with Standin() as standin:
        told = user_of(standin, tmp_path).but(**{missing: ""}).run("dremio-setup", "--json")

    assert told.code == 2
    assert told.json["subject"] == missing
    assert standin.requests == []


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b"{}"])
def test_something_else_that_answers_is_named(body: bytes, tmp_path: Path) -> None:
    with _answering(body) as url, Standin() as standin:
        told = user_of(standin, tmp_path).but(DREMIO_URL=url).run("dremio-setup", "--json")

    assert told.code == 7, told
    assert "is not Dremio" in told.json["error"]
    assert "DREMIO_URL" in told.json["hint"]


@contextmanager
def _answering(body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(10)


def test_a_netrc_of_the_user_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with Standin() as standin, DremioClient(standin.url) as client:
        log_in(client, USER, PASSWORD, create=True)
        assert client.find(["nothing"]) is None


def test_dremios_own_words_are_told() -> None:
    with Standin() as standin, DremioClient(standin.url) as client:
        log_in(client, USER, PASSWORD, create=True)
        with pytest.raises(UsageError) as caught:
            client.create({"entityType": "space", "name": "a.b"})
    assert "can not contain periods" in json.dumps(caught.value.as_dict())
