"""What `make up` writes: complete, secret, and never over what somebody set."""

import stat

import pytest
from dotenv import dotenv_values

from gamelake.doctor import check_names
from gamelake.stack_env import COMPOSE_NAMES, HOST, SERVERS, main, notes, write_env
from serving.dremio_login import credentials
from utils.config import load_settings


@pytest.fixture
def env(tmp_path):
    return tmp_path / ".env"


def test_the_first_time_everything_is_written_for_the_owner_alone(env):
    added = write_env(env, {})

    assert list(dotenv_values(env)) == added == [*SERVERS, *HOST]
    assert stat.S_IMODE(env.stat().st_mode) == 0o600


def test_a_second_time_changes_no_byte(env):
    write_env(env, {})
    before = env.read_bytes()

    assert write_env(env, {}) == []
    assert env.read_bytes() == before


def test_no_two_files_share_a_secret(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    write_env(one, {})
    write_env(other, {})

    shared = set(dotenv_values(one).values()) & set(dotenv_values(other).values())
    assert not [value for value in shared if value.startswith("s") and len(value) > 30]


def test_what_is_set_stays_and_what_is_blank_is_filled_in_its_place(env):
    env.write_text("# mine\nMINIO_SECRET_KEY=chosen\nexport DREMIO_PASSWORD=\nRAWG_MAX_RPS=2")

    added = write_env(env, {})

    lines = env.read_text().splitlines()
    assert lines[:2] == ["# mine", "MINIO_SECRET_KEY=chosen"]
    assert lines[2].startswith("DREMIO_PASSWORD=s")
    assert lines[3] == "RAWG_MAX_RPS=2"
    assert "MINIO_SECRET_KEY" not in added
    assert len([line for line in lines if "DREMIO_PASSWORD" in line]) == 1


def test_a_file_that_others_may_read_is_closed(env):
    env.write_text("RAWG_API_KEY=k\n")
    env.chmod(0o644)

    write_env(env, {})

    assert stat.S_IMODE(env.stat().st_mode) == 0o600


def test_a_link_stays_a_link(env, tmp_path):
    target = tmp_path / "elsewhere"
    target.write_text("RAWG_API_KEY=k\n")
    env.symlink_to(target)

    write_env(env, {})

    assert env.is_symlink()
    assert "RAWG_API_KEY=k" in target.read_text()


def test_the_host_reads_it_as_a_stack_it_can_reach(env):
    write_env(env, {"MINIO_PORT": "29000", "POSTGRES_PORT": "25432"})

    settings = load_settings({}, env)

    assert settings.gamelake_profile == "stack"
    assert settings.minio_endpoint == "127.0.0.1:29000"
    assert settings.nessie_uri == "http://127.0.0.1:19120"
    url = settings.database_url.get_secret_value()
    password = dotenv_values(env)["GAMELAKE_DB_PASSWORD"]
    assert url == f"postgresql+psycopg://gamelake:{password}@127.0.0.1:25432/gamelake"
    assert credentials(settings)[0] == "gamelake"  # strong enough for Dremio


def test_an_embedded_lake_is_not_pulled_apart(env):
    env.write_text("GAMELAKE_PROFILE=embedded\n")

    added = write_env(env, {})

    assert not set(added) & set(HOST)
    assert load_settings({}, env).database_url.get_secret_value() == ""
    assert "GAMELAKE_PROFILE=stack" in " ".join(notes(env, added, {}))


def test_it_says_where_and_what_is_left_to_do_and_no_secret(env, capsys):
    assert main([str(env)]) == 0

    said = capsys.readouterr().out
    assert str(env) in said
    assert "RAWG_API_KEY" in said
    assert not [v for v in dotenv_values(env).values() if v and len(v) > 30 and v in said]


def test_a_key_that_is_set_is_not_asked_for(env):
    added = write_env(env, {})

    assert len(notes(env, added, {"RAWG_API_KEY": "k"})) == 1


def test_doctor_knows_every_variable_of_compose(env, monkeypatch):
    write_env(env, {})
    monkeypatch.chdir(env.parent)

    assert check_names(dict.fromkeys(COMPOSE_NAMES, "x")).level == "ok"
