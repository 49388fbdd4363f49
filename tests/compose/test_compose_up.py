"""`make up` on a real engine: what it writes, what it starts, how the containers are locked in."""

import stat
from subprocess import CompletedProcess

import pytest
from compose_engine import output
from compose_project import PORTS, Project, states

pytestmark = pytest.mark.compose

SERVERS = ("postgres", "minio", "nessie")


def test_every_server_is_healthy_and_the_one_shot_has_ended_well(running, up):
    assert states(up) == {**dict.fromkeys(SERVERS, "healthy"), "minio-setup": "exit 0"}
    for service in SERVERS:
        assert running.inspect(service)["State"]["Health"]["Status"] == "healthy"
    assert running.inspect("minio-setup")["State"]["ExitCode"] == 0


def test_up_says_where_the_secrets_are_and_shows_none(running, up, env_file):
    assert str(env_file) in up
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    shown = [name for name, value in generated(running).items() if value in up]
    assert not shown


def test_up_says_where_everything_is_and_what_is_next(running, up):
    ports = {name: running.secrets()[name] for name in PORTS if not name.startswith("DREMIO")}

    assert [name for name, number in ports.items() if f"127.0.0.1:{number}" not in up] == []
    assert ".env: MINIO_ROOT_PASSWORD" in up
    assert up.endswith("Ready: make ingest && make etl\n")


def test_a_second_up_keeps_every_secret_and_every_container(running, env_file):
    before = env_file.read_bytes(), [running.inspect(s)["Id"] for s in SERVERS]

    running.make("up")

    assert (env_file.read_bytes(), [running.inspect(s)["Id"] for s in SERVERS]) == before


def test_ports_are_open_on_this_machine_alone(running):
    for service in SERVERS:
        bindings = running.inspect(service)["NetworkSettings"]["Ports"].values()
        published = [one for found in bindings for one in found or []]
        assert published
        assert {one["HostIp"] for one in published} == {"127.0.0.1"}


def test_without_the_secrets_nothing_starts(running, env_file, tmp_path):
    hidden = env_file.rename(tmp_path / "hidden")
    try:
        refused = running.try_compose("up", "--detach")
    finally:
        hidden.rename(env_file)

    assert refused.returncode == 1
    assert "run make up" in refused.stderr


def test_no_secret_is_in_what_the_servers_log(running):
    logs = running.compose("logs", "--no-color")

    assert [name for name, value in generated(running).items() if value in logs] == []


def test_our_image_holds_no_secret_and_only_what_it_runs(running):
    history = output("docker", "history", "--no-trunc", "gamelake:local")
    files = in_image(running, "ls -A /src /work /opt/gamelake 2>/dev/null; true").split()

    assert [name for name, value in generated(running).items() if value in history] == []
    assert {"venv", "health.py", "schedule.py"} <= set(files)
    assert ".env" not in files


@pytest.mark.parametrize(
    ("attempt", "refusal"),
    [
        ("touch /opt/gamelake/x", "Read-only file system"),
        ("touch /etc/x", "Read-only file system"),
        ("touch /usr/bin/x", "Read-only file system"),
        ("chown 0 /var/lib/gamelake", "Operation not permitted"),
        ("mount -t tmpfs none /mnt", "must be superuser"),
    ],
)
def test_a_job_cannot(running, attempt, refusal):
    done = try_in_image(running, attempt)

    assert done.returncode != 0
    assert refusal in done.stderr


def test_a_job_s_scratch_can_be_written_and_not_run(running):
    done = try_in_image(running, "cp /bin/true /tmp/x && echo copied && /tmp/x")

    assert (done.returncode, done.stdout.strip()) == (126, "copied")
    assert "Permission denied" in done.stderr


def test_a_job_is_an_ordinary_user_without_rights(running):
    said = in_image(running, "id -u; grep -E 'Cap(Eff|Bnd)|NoNewPrivs' /proc/self/status")

    none = "0" * 16
    assert said.split() == ["10001", "CapEff:", none, "CapBnd:", none, "NoNewPrivs:", "1"]


def test_a_job_can_write_its_lake_and_its_scratch(running):
    assert (
        in_image(running, "touch ~/x $GAMELAKE_HOME/x && rm $GAMELAKE_HOME/x && echo yes") == "yes"
    )


def generated(project: Project) -> dict[str, str]:
    """Return the secrets of `.env`."""
    return {name: value for name, value in project.secrets().items() if len(value) > 30}


def in_image(project: Project, script: str) -> str:
    """Return what a shell of the job `etl` printed; it has to succeed."""
    done = try_in_image(project, script)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def try_in_image(project: Project, script: str) -> CompletedProcess[str]:
    """Run a shell of the job `etl`, which may fail."""
    run = ("run", "--rm", "-T", "--no-deps", "etl", "sh", "-c", script)
    return project.try_compose(*run)


def test_generated_secrets_are_many_and_all_differ(running):
    values = [*generated(running).values()]

    assert len(values) >= 10
    passwords = [value for value in values if "://" not in value]
    assert len({*passwords}) == len(passwords)
