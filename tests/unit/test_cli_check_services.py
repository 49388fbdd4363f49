"""Probes: what is up, what is down and why, and never the key."""

import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pydantic import SecretStr

from gamelake.__main__ import run
from gamelake.context import open_lake
from gamelake.services import key_probe
from gamelake.services_store import SPENT_HINT
from storage.database.repositories.budget import budget_fingerprint
from utils import check_services
from utils.config import Settings, load_settings
from utils.probing import run_probes

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


@pytest.fixture
def no_servers(monkeypatch, nowhere, tmp_path):
    """An environment in which nothing that is configured is there, and no `.env`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAWG_BASE_URL", nowhere)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://user:{KEY}@127.0.0.1:1/lake")


def states(report: dict[str, object]) -> dict[str, str]:
    return {service["service"]: service["state"] for service in report["services"]}


def test_all_up_is_exit_0(capsys, tmp_path):
    with served(Rawg) as url:
        environ = {"RAWG_BASE_URL": url, "RAWG_API_KEY": KEY, "GAMELAKE_HOME": str(tmp_path)}
        assert run(["check-services", "--json"], environ) == 0

    report = json.loads(capsys.readouterr().out)
    assert report["ok"]
    assert states(report) == {
        "rawg": "up",
        "rawg key": "up",
        "rawg quota": "unset",
        "folder": "up",
        "store": "unset",
        "catalog": "unset",
    }
    assert all(one["milliseconds"] > 0 for one in report["services"] if one["state"] == "up")
    assert list(tmp_path.iterdir()) == []


def test_a_lake_has_a_store_a_catalog_and_a_quota_that_counts_the_question(capsys, tmp_path):
    with served(Rawg) as url:
        environ = {"RAWG_BASE_URL": url, "RAWG_API_KEY": KEY, "GAMELAKE_HOME": str(tmp_path)}
        with open_lake(load_settings(environ, None), create=True):
            pass
        assert run(["check-services", "--json"], environ) == 0
        capsys.readouterr()
        assert run(["check-services", "--json"], environ) == 0

    report = json.loads(capsys.readouterr().out)
    details = {service["service"]: service["detail"] for service in report["services"]}
    assert set(states(report).values()) == {"up"}
    assert details["rawg quota"] == "19,998 of 20,000 requests left"
    assert details["catalog"] == "0 tables"
    assert "schema is current" in details["store"]


def make_store_of_the_first_schema(environ: dict[str, str], *, spent: int) -> None:
    """A store as the first version left it, with requests of this month."""
    settings = load_settings(environ, None)
    with open_lake(settings, create=True) as lake, lake.database.unit_of_work() as unit:
        whose = budget_fingerprint(settings.rawg_base_url, KEY)
        unit.budget.spend(whose, f"{datetime.now(UTC):%Y-%m}", spent)
    with closing(sqlite3.connect(settings.gamelake_home / "store.db")) as connection:
        connection.execute("DROP VIEW ingestion_log")
        connection.execute("DROP TABLE run_bad_games")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()


def test_a_store_that_is_behind_is_told_and_counted_and_not_migrated(capsys, tmp_path):
    with served(Rawg) as url:
        environ = {"RAWG_BASE_URL": url, "RAWG_API_KEY": KEY, "GAMELAKE_HOME": str(tmp_path)}
        make_store_of_the_first_schema(environ, spent=19_999)
        assert run(["check-services"], environ) == 4  # the last request asks for the key
        told = capsys.readouterr().err
        assert run(["check-services"], environ) == 4
        assert "0 of 20,000 requests left" in (again := capsys.readouterr().err)
        assert "not asked: no request is left" in again
        assert "schema is behind: 0001" in again
        with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
            connection.execute("UPDATE alembic_version SET version_num = 'tomorrow'")
            connection.commit()
        assert run(["check-services"], environ) == 7

    assert "schema is behind: 0001, newest 0003" in told
    assert "next: the next `gamelake ingest` or `gamelake etl` migrates it" in told
    assert "upgrade gamelake" in capsys.readouterr().err


def test_a_service_that_is_down_is_exit_7_with_a_hint(capsys, tmp_path, nowhere):
    environ = {"RAWG_BASE_URL": nowhere, "RAWG_API_KEY": KEY, "GAMELAKE_HOME": str(tmp_path)}

    assert run(["check-services", "--json"], environ) == 7

    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert (report["code"], report["ok"], report["subject"]) == ("service", False, "rawg")
    assert states(report)["rawg key"] == "unknown"
    assert "hint:" in captured.err
    assert KEY not in captured.out + captured.err


def test_a_refused_key_is_down_and_not_shown(nowhere):
    with served(Rawg) as url:
        wrong = Settings(rawg_base_url=url, rawg_api_key=SecretStr("canary-wrong"))
        (refused,) = run_probes([key_probe(wrong)])
    unreachable = key_probe(Settings(rawg_base_url=nowhere, rawg_api_key=SecretStr(KEY)))
    (silent,) = run_probes([unreachable])

    assert (refused.state, refused.detail) == ("down", "refused with 401")
    assert silent.state == "down"
    assert "canary" not in repr(refused) + repr(silent)


@pytest.mark.parametrize(
    ("status", "detail", "hint"),
    [
        (401, "refused with 401", "the key is wrong, or its monthly quota is spent"),
        (403, "refused with 403", "the key is wrong, or its monthly quota is spent"),
        (404, "answers 404", "RAWG_BASE_URL"),
        (302, "answers 302", "RAWG_BASE_URL"),
        (429, "asked too fast (429)", "RAWG_MAX_RPS"),
        (500, "answers 500", check_services.RAWG_HINT),
        (503, "answers 503", check_services.RAWG_HINT),
    ],
)
def test_what_rawg_answers_to_the_key_is_told_for_what_it_is(status, detail, hint):
    class Answering(Rawg):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

    with served(Answering) as url:
        settings = Settings(rawg_base_url=url, rawg_api_key=SecretStr(KEY))
        (found,) = run_probes([key_probe(settings)])

    assert (found.state, found.detail) == ("down", detail)
    assert hint in found.hint


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_spent_quota_is_exit_4_and_rawg_is_not_asked_with_the_key(capsys, tmp_path, form):
    asked = []

    class Counting(Rawg):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

    with served(Counting) as url:
        environ = {"RAWG_BASE_URL": url, "RAWG_API_KEY": KEY, "GAMELAKE_HOME": str(tmp_path)}
        environ["RAWG_MONTHLY_QUOTA"] = "1"
        with open_lake(load_settings(environ, None), create=True):
            pass
        assert run(["check-services", *form], environ) == 4  # the last request asks for the key
        assert sum(f"key={KEY}" in path for path in asked) == 1
        capsys.readouterr()
        assert run(["check-services", *form], environ) == 4

    told = capsys.readouterr()
    assert sum(f"key={KEY}" in path for path in asked) == 1
    assert "0 of 1 requests left" in told.out + told.err
    assert f"hint: {SPENT_HINT}" in told.err
    if form:
        report = json.loads(told.out)
        assert (report["ok"], report["code"]) == (False, "quota")
        assert report["subject"] == "rawg key, rawg quota"
        assert states(report)["rawg quota"] == states(report)["rawg key"] == "spent"


def test_a_service_that_is_down_is_worse_than_a_spent_quota(capsys, tmp_path, nowhere):
    environ = {"RAWG_BASE_URL": nowhere, "RAWG_API_KEY": KEY, "GAMELAKE_HOME": str(tmp_path)}
    settings = load_settings({**environ, "RAWG_MONTHLY_QUOTA": "1"}, None)
    with open_lake(settings, create=True) as lake, lake.database.unit_of_work() as unit:
        unit.budget.spend(budget_fingerprint(nowhere, KEY), f"{datetime.now(UTC):%Y-%m}", 1)

    assert run(["check-services", "--json"], {**environ, "RAWG_MONTHLY_QUOTA": "1"}) == 7

    report = json.loads(capsys.readouterr().out)
    assert report["error"] == "rawg: down; rawg key: unknown; rawg quota: spent"


def test_a_server_error_is_down():
    class Broken(Rawg):
        def do_GET(self):
            self.send_error(502)

    with served(Broken) as url:
        found = check_services.http_answer(url, hint="wait")

    assert (found.state, found.detail, found.hint) == ("down", "answers 502", "wait")


@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.usefixtures("no_servers")
def test_the_module_alone_prints_a_table_or_json(capsys, form):
    assert check_services.main(form) == 7

    captured = capsys.readouterr()
    if form:
        assert states(json.loads(captured.out)) == {"rawg": "down", "postgres": "down"}
    else:
        assert captured.out.startswith("rawg      down")
        assert "next: docker compose up -d postgres" in captured.out
    assert "error: rawg, postgres: down" in captured.err
    assert KEY not in captured.out + captured.err


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, False),
        ({"dremio_user": "gamelake"}, True),
        ({"dremio_user": "gamelake", "compose_profiles": "core"}, False),
        ({"dremio_user": "gamelake", "compose_profiles": "core, dremio"}, True),
    ],
)
def test_dremio_is_missed_only_where_the_set_up_has_one(given, expected, nowhere):
    settings = Settings(gamelake_profile="stack", dremio_url=nowhere, **given)
    (found,) = run_probes([check_services.dremio_probe(settings)])

    assert found.state == ("down" if expected else "unset")


def test_a_broken_address_of_the_store_is_told_by_who_opens_it(capsys, tmp_path):
    with served(Rawg) as url:
        environ = {"RAWG_BASE_URL": url, "GAMELAKE_HOME": str(tmp_path)}
        environ["DATABASE_URL"] = f"postgresql://user:some:{KEY}@host:{KEY}/lake"
        assert run(["check-services"], environ) == 7

    captured = capsys.readouterr()
    assert "DATABASE_URL cannot be used" in captured.err
    assert KEY not in captured.err
