"""Probes: what is up, what is down and why, and never the key."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pydantic import SecretStr

from gamelake.__main__ import run
from gamelake.services import probe_key
from utils import check_services
from utils.config import Settings

KEY = "canary-key-of-the-probe"


class Rawg(BaseHTTPRequestHandler):
    """Refuses without the key, as RAWG does."""

    def do_GET(self):
        self.send_response(200 if f"key={KEY}" in self.path else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def nowhere() -> str:
    """An address where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/api"


def test_all_up_is_exit_0(capsys, tmp_path):
    with served(Rawg) as url:
        environ = {"RAWG_BASE_URL": url, "RAWG_API_KEY": KEY, "GAMELAKE_HOME": str(tmp_path)}
        assert run(["check-services", "--json"], environ) == 0

    report = json.loads(capsys.readouterr().out)
    states = {service["service"]: service["state"] for service in report["services"]}
    assert states == {
        "rawg": "up",
        "folder": "up",
        "store": "unset",
        "catalog": "unset",
        "rawg key": "up",
    }
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_is_down_is_exit_7_with_a_hint(capsys, tmp_path, nowhere):
    environ = {"RAWG_BASE_URL": nowhere, "RAWG_API_KEY": KEY, "GAMELAKE_HOME": str(tmp_path)}

    assert run(["check-services", "--json"], environ) == 7

    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert (report["code"], report["ok"]) == ("service", False)
    assert report["subject"] == "rawg, rawg key"
    assert "hint:" in captured.err
    assert KEY not in captured.out + captured.err


def test_a_refused_key_is_down_and_not_shown(nowhere):
    with served(Rawg) as url:
        wrong = Settings(rawg_base_url=url, rawg_api_key=SecretStr("canary-wrong"))
        refused = probe_key(wrong)
    unreachable = probe_key(Settings(rawg_base_url=nowhere, rawg_api_key=SecretStr(KEY)))

    assert (refused.state, refused.detail) == ("down", "refused with 401")
    assert unreachable.state == "down"
    assert "canary" not in repr(refused) + repr(unreachable)


def test_a_server_error_is_down():
    class Broken(Rawg):
        def do_GET(self):
            self.send_error(502)

    with served(Broken) as url:
        found = check_services.http_probe("rawg", url, hint="wait")

    assert (found.state, found.detail) == ("down", "answers 502")


def test_the_module_alone_prints_a_table(capsys, monkeypatch, nowhere, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAWG_BASE_URL", nowhere)

    assert check_services.main() == 7

    captured = capsys.readouterr()
    assert captured.out.startswith("rawg       down")
    assert "error: rawg: down" in captured.err


def test_tcp_probes_know_up_from_down():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert check_services.tcp_probe("db", "127.0.0.1", port, hint="start it").state == "up"

    down = check_services.tcp_probe("db", "127.0.0.1", port, hint="start it")

    assert (down.state, down.hint) == ("down", "start it")


def test_the_stack_profile_probes_its_servers():
    assert len(check_services.address_probes(Settings(gamelake_profile="stack"))) == 4
