"""One test for each trap that `gamelake doctor` knows."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from gamelake import doctor
from gamelake.__main__ import run
from gamelake.context import open_lake
from utils.config import Settings


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """Each test stands in an empty folder: no .env, no lake."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_healthy_machine_is_ok(capsys):
    assert run(["doctor", "--json"], {"RAWG_API_KEY": "some-key-of-mine"}) == 0

    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is True
    assert {check["level"] for check in report["checks"]} <= {"ok", "warn"}
    assert "some-key-of-mine" not in json.dumps(report)


def test_every_check_that_is_not_ok_has_a_fix():
    settings = Settings(gamelake_profile="stack", rawg_base_url="http://x")

    for check in doctor.diagnose(settings, {"RAWG_APIKEY": "x", "GAMELAKE_FAULT": "kill"}):
        assert (check.level == "ok") == (check.fix == ""), check


def test_a_failed_check_is_exit_2_with_its_fix(capsys):
    assert run(["doctor"], {"GAMELAKE_PROFILE": "stack"}) == 2

    err = capsys.readouterr().err
    assert "MINIO_ACCESS_KEY, MINIO_SECRET_KEY, DATABASE_URL not set" in err
    assert "fix: make up" in err
    assert err.splitlines()[-1].startswith("hint: make up")


def test_a_dotenv_that_cannot_be_read_is_told_with_its_line_and_not_its_text(capfd):
    Path(".env").write_text('RAWG_MAX_RPS=2\nRAWG_API_KEY="canary\n')

    assert run(["doctor"], {}) == 2

    captured = capfd.readouterr()
    assert captured.err.splitlines()[0] == "error: .env line 2 cannot be read"
    assert "close every quote" in captured.err
    assert "canary" not in captured.out + captured.err
    assert "dotenv" not in captured.out + captured.err  # no line of the library's


def test_a_stack_with_its_secrets_is_ok():
    settings = Settings(
        gamelake_profile="stack",
        minio_access_key=SecretStr("user-of-minio"),
        minio_secret_key=SecretStr("secret-of-minio"),
        database_url=SecretStr("postgresql://lake:password@127.0.0.1/lake"),
    )

    assert doctor.check_profile(settings).level == "ok"


def test_a_misspelt_setting_is_found_in_environment_and_dotenv():
    Path(".env").write_text("RAWG_MAX_RPM=3\n")

    found = doctor.check_names({"RAWG_APIKEY": "x", "PATH": "/bin"})

    assert found.level == "warn"
    assert "RAWG_APIKEY, RAWG_MAX_RPM" in found.detail
    assert found.fix == "did you mean RAWG_API_KEY?"


def test_a_dotenv_that_others_can_read_is_a_warning():
    dotenv = Path(".env")
    dotenv.touch(mode=0o600)
    assert doctor.check_dotenv_mode().level == "ok"

    dotenv.chmod(0o644)
    assert doctor.check_dotenv_mode().fix == "chmod 600 .env"


def test_a_base_url_without_api_is_a_warning():
    found = doctor.check_base_url(Settings(rawg_base_url="http://127.0.0.1:1/"))

    assert (found.level, found.fix) == ("warn", "RAWG_BASE_URL=http://127.0.0.1:1/api")


def test_a_home_that_is_a_file_fails(tmp_path):
    (tmp_path / "lake").touch()

    assert doctor.check_home(Settings(gamelake_home=tmp_path / "lake")).level == "fail"


@pytest.mark.parametrize(("free", "level"), [(9e9, "ok"), (3e9, "warn"), (5e8, "fail")])
def test_a_full_disk_is_said(monkeypatch, free, level):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1e10, 0, free))

    assert doctor.check_disk(Settings()).level == level


def test_a_missing_key_is_only_a_warning():
    assert doctor.check_key(Settings()).level == "warn"
    assert doctor.check_key(Settings(rawg_api_key=SecretStr("k"))).detail == "set"


def test_marshmallow_4_breaks_pynessie(monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda _: "4.0.1")

    assert "marshmallow<4" in doctor.check_versions().fix


def test_doctor_leaves_nothing_behind(tmp_path):
    run(["doctor", "-q"], {})

    assert list(tmp_path.iterdir()) == []


def lake_of(home: Path) -> Settings:
    """An empty lake as commands make it, with both files."""
    settings = Settings(gamelake_home=home)
    with open_lake(settings, create=True) as lake:
        assert lake.catalog.references()
    return settings


def test_the_files_of_a_lake_are_looked_at_and_left_alone(tmp_path):
    home = tmp_path / "lake"
    assert doctor.check_lake(Settings(gamelake_home=home)).level == "ok"
    assert not home.exists()

    settings = lake_of(home)
    before = {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()}
    found = doctor.check_lake(settings)

    assert (found.level, found.detail) == ("ok", "store.db, catalog.db can be read")
    assert {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("name", ["store.db", "catalog.db"])
def test_a_damaged_file_of_the_lake_is_found(tmp_path, name):
    settings = lake_of(tmp_path / "lake")
    (tmp_path / "lake" / name).write_bytes(b"this is no database" * 500)

    found = doctor.check_lake(settings)

    assert found.level == "fail"
    assert name in found.detail
    assert "is damaged: file is not a database" in found.detail
    assert "away" in found.fix


def test_a_catalog_that_is_damaged_further_on_is_found(tmp_path):
    settings = lake_of(tmp_path / "lake")
    path = tmp_path / "lake" / "catalog.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"Z" * (len(whole) - 4096))

    assert "the catalog is damaged" in doctor.check_lake(settings).detail


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("store.db", "UPDATE alembic_version SET version_num = '9999'"),
        ("catalog.db", "PRAGMA user_version = 9999"),
    ],
)
def test_a_lake_of_a_newer_version_is_found(tmp_path, name, statement):
    settings = lake_of(tmp_path / "lake")
    with closing(sqlite3.connect(tmp_path / "lake" / name)) as connection, connection:
        connection.execute(statement)

    found = doctor.check_lake(settings)

    assert (found.level, found.fix) == ("fail", "upgrade gamelake")
    assert "9999" in found.detail
