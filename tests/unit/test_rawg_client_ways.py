"""How the source is reached: by proxies and certificates of the environment, as `requests` would.

Documented for users of `requests` under "Proxies" and "SSL Cert Verification".
"""

import base64
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from rawg_client import QUERY, make_client
from stub_http import Reply, StubServer, page

from utils.errors import SourceError

GOOD = Reply(page([{"id": 1}]))
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle")


@pytest.fixture(autouse=True)
def no_ways_of_this_machine(monkeypatch):
    for name in (*VARIABLES, *map(str.upper, VARIABLES), "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def proxy():
    with StubServer(lambda _path, _params: GOOD) as server:
        yield server


def address(server: StubServer) -> str:
    return server.url.removeprefix("http://").removesuffix("/api")


def test_a_proxy_is_asked_for_the_whole_address(proxy, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://user:secret@{address(proxy)}")

    with make_client("http://rawg.invalid/api") as client:
        found = [client.page(QUERY, number) for number in (1, 2)]

    assert [len(one.rows) for one in found] == [1, 1]
    assert [path for path, _ in proxy.requests] == ["/api/games"] * 2
    assert {headers["host"] for headers in proxy.headers} == {"rawg.invalid"}
    password = base64.b64encode(b"user:secret").decode()
    assert {headers["proxy-authorization"] for headers in proxy.headers} == {f"Basic {password}"}
    assert proxy.connections == 1


def test_no_proxy_is_heeded(proxy, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    with make_client(proxy.url) as client:
        client.page(QUERY, 1)

    assert "proxy-authorization" not in proxy.headers[0]


def test_a_proxy_that_is_no_address_is_an_error_and_no_defect(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://:0:0:0")

    with make_client("http://rawg.invalid/api", attempts=1) as client, pytest.raises(SourceError):
        client.page(QUERY, 1)


def test_no_password_of_a_netrc_is_sent(proxy, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    with make_client(proxy.url) as client:
        client.page(QUERY, 1)

    assert "authorization" not in proxy.headers[0]


@pytest.fixture
def certificate(tmp_path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that nobody has signed, and a server's context with it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("makes its certificate with openssl, which this machine lacks")
    pem, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    line = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    line += ["-nodes", "-subj", "/CN=rawg", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*line, "-keyout", key, "-out", pem], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return pem, context


def test_a_certificate_is_checked(certificate):
    with (
        StubServer(lambda _path, _params: GOOD, tls=certificate[1]) as server,
        make_client(server.url, attempts=1) as client,
        pytest.raises(SourceError),
    ):
        client.page(QUERY, 1)

    assert server.requests == []


def test_a_bundle_of_ones_own_is_trusted(certificate, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))

    with (
        StubServer(lambda _path, _params: GOOD, tls=certificate[1]) as server,
        make_client(server.url) as client,
    ):
        assert [len(client.page(QUERY, number).rows) for number in (1, 2)] == [1, 1]

    assert server.connections == 1


def test_a_bundle_that_is_missing_is_named(certificate, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/bundle.pem")

    with (
        StubServer(lambda _path, _params: GOOD, tls=certificate[1]) as server,
        make_client(server.url, attempts=1) as client,
        pytest.raises(SourceError) as caught,
    ):
        client.page(QUERY, 1)

    assert "/no/such/bundle.pem" in caught.value.message
