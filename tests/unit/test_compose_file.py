"""docker-compose.yml as it is shipped: what every service must and must not have."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from gamelake.stack_env import CHOICES, COMPOSE_NAMES, PORTS, SERVERS
from storage.minio_setup import ROLES
from utils.config import Settings

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
FILE = yaml.safe_load(TEXT)
SERVICES = FILE["services"]
OURS = ("minio-setup", "dremio-setup", "ingest", "etl", "schedule")
CORE = {"postgres", "minio", "minio-setup", "nessie"}
SETTINGS = {name.upper() for name in Settings.model_fields}
_UNITS = {"m": 1 / 1024, "g": 1.0}


def each(names=SERVICES):
    return pytest.mark.parametrize("name", names)


def default(value: str) -> str:
    """Return what `${VAR:-value}` is when nobody sets VAR."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)


@each()
def test_every_service_has_a_health_check_and_a_memory_limit(name):
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["mem_limit"]


def test_all_limits_together_fit_a_laptop_of_16_gb():
    limits = (service["mem_limit"] for service in SERVICES.values())

    assert sum(int(limit[:-1]) * _UNITS[limit[-1]] for limit in limits) <= 15


@each()
def test_ports_are_bound_to_this_machine(name):
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@each()
def test_data_lies_in_named_volumes(name):
    mounts = SERVICES[name].get("volumes", ())
    named = {mount.partition(":")[0] for mount in mounts if not mount.endswith(":ro")}

    assert named <= set(FILE["volumes"])


@each(("postgres", "minio", "nessie", "dremio"))
def test_a_server_keeps_its_data_and_starts_again(name):
    own = {"nessie": "postgres"}.get(name, name)  # Nessie's store is in PostgreSQL

    assert any(mount.startswith(f"{own}:") for mount in SERVICES[own]["volumes"])
    assert SERVICES[name]["restart"] == "unless-stopped"


@each()
def test_what_it_needs_is_healthy_or_has_ended_well(name):
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        ends = needed.endswith("-setup")
        wanted = "service_completed_successfully" if ends else "service_healthy"
        assert how == {"condition": wanted}
        assert set(SERVICES[needed].get("profiles", ())) <= set(SERVICES[name].get("profiles", ()))


def test_profiles():
    profiles = {name: service.get("profiles", []) for name, service in SERVICES.items()}

    assert {name for name, found in profiles.items() if not found} == CORE
    assert {name for name, found in profiles.items() if "all" in found} == {
        "dremio",
        "dremio-setup",
    }
    assert SERVERS["COMPOSE_PROFILES"]() == "all"


@each(OURS)
def test_our_containers_are_locked_in(name):
    service = SERVICES[name]

    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [mount.partition(":")[0] for mount in service["tmpfs"]] == ["/tmp"]  # noqa: S108
    assert not {"privileged", "cap_add", "network_mode", "pid"} & set(service)


@each()
def test_no_password_is_in_the_file(name):
    for variable, value in SERVICES[name].get("environment", {}).items():
        if re.search(r"PASSWORD|SECRET_KEY|\.secret$|password$|DATABASE_URL", variable):
            assert re.search(r"\$\{\w+:\?run make up\}", value), variable


def test_what_must_be_set_is_what_make_up_writes():
    required = set(re.findall(r"\$\{(\w+):\?run make up\}", TEXT))

    assert required <= set(SERVERS)
    assert all(SERVERS[name]() for name in required)


def test_ports_are_those_that_make_up_knows():
    published = re.findall(r"\$\{(\w+_PORT):-(\d+)\}", TEXT)

    assert {name: int(number) for name, number in published} == PORTS


def test_every_other_variable_has_a_default_and_is_known():
    optional = set(re.findall(r"\$\{(\w+):-", TEXT))

    assert not re.findall(r"\$\{\w+\}|\$\w", TEXT.replace("$$", ""))
    assert optional - SETTINGS == CHOICES
    assert optional <= SETTINGS | COMPOSE_NAMES


@each(("ingest", "etl", "schedule"))
def test_a_job_is_given_every_setting_that_it_reads(name):
    not_its_own = ("DREMIO_", "MINIO_ANALYST_", "SPARK_") if name == "ingest" else ("SPARK_",)
    expected = {setting for setting in SETTINGS if not setting.startswith(not_its_own)}

    # Flight is for `sql`; the image says where the lake is.
    given = {*SERVICES[name]["environment"], "DREMIO_FLIGHT_URL", "GAMELAKE_HOME"}
    assert expected <= given


def test_each_task_has_its_own_user_of_the_object_store():
    users = SERVICES["minio-setup"]["environment"]

    for role in ROLES:
        assert {f"MINIO_{role.name}_ACCESS_KEY", f"MINIO_{role.name}_SECRET_KEY"} <= set(users)
    for name in ("ingest", "etl"):
        for half in ("ACCESS_KEY", "SECRET_KEY"):
            given = SERVICES[name]["environment"][f"MINIO_{half}"]
            assert given == users[f"MINIO_{name.upper()}_{half}"]


def test_images_are_pinned_and_can_be_replaced():
    images = {service["image"] for service in SERVICES.values()}

    assert {default(image) for image in images} == {
        "postgres:15",
        "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z",
        "ghcr.io/projectnessie/nessie:0.99.0",
        "dremio/dremio-oss:26.0.5",
        "gamelake:local",
    }
    assert all(image.startswith("${") for image in images)


def test_dremio_s_memory_is_below_its_limit_and_above_its_least():
    own = int(SERVICES["dremio"]["environment"]["DREMIO_MAX_MEMORY_SIZE_MB"])

    assert 4096 <= own <= 0.8 * 6 * 1024
    assert SERVICES["dremio"]["mem_limit"] == "6g"


def test_no_password_is_an_argument_of_what_sets_up_the_databases(tmp_path):
    psql = tmp_path / "psql"
    psql.write_text('#!/bin/sh\ncd "${0%/*}"\necho "$@" >> arguments\nenv >> environ\ncat >> sql\n')
    psql.chmod(0o755)
    given = {"GAMELAKE_DB_PASSWORD": "hush-gamelake", "NESSIE_DB_PASSWORD": "hush-nessie"}
    path = f"{tmp_path}:/bin:/usr/bin"
    subprocess.run([ROOT / "docker/postgres-init.sh"], env={"PATH": path, **given}, check=True)

    said = {name: (tmp_path / name).read_text() for name in ("arguments", "environ", "sql")}
    assert said["arguments"].count("name=") == len(given)
    assert "hush" not in said["arguments"] + said["sql"]
    assert all(f"\nPASSWORD={password}\n" in said["environ"] for password in given.values())


def test_nothing_that_1_29_refuses():
    assert not {"name", "version"} & set(FILE)
    assert "start_interval" not in TEXT
    assert "required:" not in TEXT


def test_only_the_sources_reach_the_engine():
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert "*" in kept
    sources = {line[1:] for line in kept if line.startswith("!")}
    assert not {".env", ".git", "lake", "tests", "docker"} & sources
    assert all((ROOT / source).exists() for source in sources)
