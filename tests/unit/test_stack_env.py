"""What `make up` writes: complete, secret, and never over what somebody set."""

import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from gamelake.doctor import check_names
from gamelake.stack_env import ADDRESSES, COMPOSE_NAMES, SERVERS, main, notes, read_env, write_env
from gamelake.stack_table import next_step
from serving.dremio_login import credentials
from utils.config import load_settings
from utils.errors import UsageError

EXAMPLE = Path(__file__).resolve().parents[2] / ".env.example"
HOST = ("GAMELAKE_HOME", *ADDRESSES)


@pytest.fixture
def env(tmp_path):
    return tmp_path / ".env"


def test_the_first_time_everything_is_written_for_the_owner_alone(env):
    added = write_env(env, {})

    assert list(dotenv_values(env)) == added == [*SERVERS, "RAWG_API_KEY", *HOST]
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
    assert "GAMELAKE_PROFILE=stack" in next_step(read_env(env))


def test_a_copy_of_the_example_becomes_a_stack(env):
    env.write_text(EXAMPLE.read_text())

    write_env(env, {})

    settings = load_settings({}, env)
    assert settings.gamelake_profile == "stack"
    assert str(settings.gamelake_home) == "lake-stack"
    assert {name: read_env(env)[name] for name in ADDRESSES} == {
        name: address.of(read_env(env)) for name, address in ADDRESSES.items()
    }
    assert "Ready" in next_step(read_env(env))


def test_choices_of_the_environment_hold_without_it_too(env):
    chosen = {"COMPOSE_PROFILES": "core", "MINIO_PORT": "29000", "SCHEDULE": "15 4 * * *"}
    write_env(env, chosen)
    before = env.read_bytes()

    assert write_env(env, {}) == []
    assert env.read_bytes() == before
    assert {name: dotenv_values(env)[name] for name in chosen} == chosen
    assert load_settings({}, env).compose_profiles == "core"


def test_the_latest_choice_counts_and_the_addresses_follow(env):
    write_env(env, {"MINIO_PORT": "29000"})

    written = write_env(env, {"MINIO_PORT": "39000", "NESSIE_PORT": "39120"})

    assert written == ["MINIO_PORT", "NESSIE_PORT", "MINIO_ENDPOINT", "NESSIE_URI"]
    settings = load_settings({}, env)
    assert settings.minio_endpoint == "127.0.0.1:39000"
    assert settings.nessie_uri == "http://127.0.0.1:39120"


def test_a_secret_that_the_volumes_know_is_not_overwritten(env):
    given = {"MINIO_ROOT_PASSWORD": "given-at-first"}
    write_env(env, given)

    write_env(env, {"MINIO_ROOT_PASSWORD": "of-another-project"})

    assert given.items() <= read_env(env).items()


def test_the_address_of_the_store_follows_its_password(env):
    write_env(env, {})
    old = read_env(env)["GAMELAKE_DB_PASSWORD"]
    env.write_text(env.read_text().replace(f"DB_PASSWORD={old}", "DB_PASSWORD=new.one~"))

    assert write_env(env, {}) == ["DATABASE_URL"]
    url = "postgresql+psycopg://gamelake:new.one~@127.0.0.1:5432/gamelake"
    assert read_env(env)["DATABASE_URL"] == url


@pytest.mark.parametrize("url", ["postgresql://me:p@db.lan/lake", "sqlite:///elsewhere.db"])
def test_an_address_of_another_server_stays(env, url):
    env.write_text(f"DATABASE_URL={url}\n")

    write_env(env, {"POSTGRES_PORT": "25432"})

    assert read_env(env)["DATABASE_URL"] == url


@pytest.mark.parametrize("password", ["p@ss", "a/b", "50%", "a:b", r"a\1b", "a b"])
def test_a_password_that_would_break_the_address_is_refused(env, password, capsys):
    env.write_text(f"GAMELAKE_DB_PASSWORD='{password}'\n")
    before = env.read_bytes()

    assert main([str(env)]) == 2

    said = capsys.readouterr().err
    assert "GAMELAKE_DB_PASSWORD cannot be used" in said
    assert password not in said
    assert env.read_bytes() == before


@pytest.mark.parametrize("port", ["0", "65536", "many", "-1"])
def test_a_port_that_is_none_is_refused(env, port):
    with pytest.raises(UsageError, match="MINIO_PORT"):
        write_env(env, {"MINIO_PORT": port})


@pytest.mark.parametrize("value", ["run --wait 600", "a #b", "--from 2024-01", "x=y"])
def test_what_is_written_is_read_back_whole(env, value):
    env.write_text("SCHEDULE_COMMAND=other\n")

    write_env(env, {"SCHEDULE_COMMAND": value})

    assert dotenv_values(env, interpolate=False)["SCHEDULE_COMMAND"] == value


@pytest.mark.parametrize("value", ["it's", r"a\1b", "two\nlines", "${HOME}"])
def test_what_not_everybody_reads_alike_is_refused(env, value):
    env.write_text("SCHEDULE_COMMAND=other\n")

    with pytest.raises(UsageError, match="SCHEDULE_COMMAND"):
        write_env(env, {"SCHEDULE_COMMAND": value})
    assert env.read_text() == "SCHEDULE_COMMAND=other\n"


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
