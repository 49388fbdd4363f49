"""From `make up` to rows through Nessie, on the host and in containers, with the shipped files."""

import time

import pytest
from compose_engine import output
from compose_project import KEY

pytestmark = [pytest.mark.compose, pytest.mark.usefixtures("first_round")]

GAMES = "SELECT count(*) AS games FROM fact_games"


def games(project) -> int:
    """Return how many games the host's gamelake sees through Nessie."""
    return project.gamelake("sql", GAMES)[0]["games"]


def test_make_up_ingest_etl_shows_rows_through_nessie(running, source, first_round):
    total = source.control.state()["games"]

    assert (first_round.ingest["complete"], first_round.ingest["games_new"]) == (True, total)
    assert first_round.etl["published"] is True
    assert games(running) == total


def test_jobs_in_containers_go_on_where_the_host_stopped(running, source):
    changed = source.control.churn(7)

    ingest, etl = running.job("ingest", "-vv"), running.job("etl", "-vv")

    assert (ingest["scope"], ingest["complete"]) == ("delta", True)
    assert ingest["games_changed"] == len(changed)
    assert (etl["published"], etl["mode"]) == (True, "incremental")
    assert games(running) == source.control.state()["games"]


def test_every_service_is_up_and_the_lake_is_sound(running):
    services = running.gamelake("check-services")

    assert services["ok"], services
    assert {"minio", "nessie"} <= {one["service"] for one in services["services"]}
    running.gamelake("verify")


def test_the_schedule_runs_and_stops_in_order(running):
    running.environ["SCHEDULE"] = "5s"
    try:
        running.compose("up", "--detach", "schedule")
        logs = until_logged(running, "schedule", "exit 0")
        assert running.inspect("schedule")["State"]["Health"]["Status"] != "unhealthy"
    finally:
        running.compose("stop", "schedule")

    assert KEY not in logs
    assert "schedule: stopped" in running.compose("logs", "--no-color", "schedule")
    assert running.inspect("schedule")["State"]["ExitCode"] == 0


def test_no_key_of_rawg_is_in_any_log(running):
    # Before `down`: it takes the logs with it. Jobs of `run --rm` have none, but what they said.
    logs = [running.compose("logs", "--no-color", *one) for one in ((), ("schedule",))]

    assert "schedule: stopped" in logs[1]
    assert len(running.said) >= 2
    assert [said for said in (*logs, *running.said) if KEY in said] == []


def test_data_outlives_the_containers(running):
    before = games(running)

    running.make("down")
    assert not running.compose("ps", "--quiet")
    running.make("up")

    assert games(running) == before


def test_a_killed_server_comes_back_with_its_data(running):
    before = games(running)

    for service in ("nessie", "minio", "postgres"):
        # Not `docker kill`: the engine takes that for the owner's wish and starts nothing.
        pid = running.inspect(service)["State"]["Pid"]
        output("kill", "-KILL", str(pid))
    running.make("up")

    assert games(running) == before


def until_logged(project, service: str, text: str, patience_s: float = 120.0) -> str:
    """Return the service's log once it holds `text`."""
    ends = time.monotonic() + patience_s
    while text not in (logs := project.compose("logs", "--no-color", service)):
        assert time.monotonic() < ends, logs
        time.sleep(1)
    return logs


def test_the_databases_are_apart(running):
    password = running.secrets()["GAMELAKE_DB_PASSWORD"]

    def ask(database: str):
        url = f"postgresql://gamelake:{password}@127.0.0.1/{database}"
        return running.try_compose("exec", "-T", "postgres", "psql", url, "-tAc", "SELECT 1")

    assert ask("gamelake").stdout.strip() == "1"
    refused = ask("nessie")
    assert refused.returncode != 0
    assert "permission denied" in refused.stderr


def test_a_schedule_that_cannot_be_read_is_told_at_once(running, env_file):
    before = env_file.read_bytes()
    wrong = {"COMPOSE_PROFILES": "core,schedule", "SCHEDULE": "now and then"}
    running.environ.update(wrong)
    started = time.monotonic()
    try:
        refused = running.try_make("up")
    finally:
        running.compose("rm", "--stop", "--force", "schedule")
        running.forget_choices()
        del running.environ["SCHEDULE"]
        env_file.write_bytes(before)

    assert refused.returncode != 0
    assert "'now and then' is neither an interval" in refused.stderr
    assert "schedule (restarted" in refused.stderr
    assert time.monotonic() - started < 120
