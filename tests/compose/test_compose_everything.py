"""`make up` as it is without any choice: Dremio too, which the strict stand-in plays here."""

import pytest
from compose_project import states

pytestmark = [pytest.mark.compose, pytest.mark.usefixtures("all_up")]


@pytest.fixture(scope="module")
def all_up(everything):
    return everything.make("up")


def test_everything_is_up_and_dremio_is_set_up(all_up):
    assert states(all_up) == {
        "postgres": "healthy",
        "minio": "healthy",
        "minio-setup": "exit 0",
        "nessie": "healthy",
        "dremio": "healthy",
        "dremio-setup": "exit 0",
    }


def test_the_one_shot_made_user_sources_and_space(everything):
    logs = everything.compose("logs", "--no-color", "dremio-setup")

    for named in ("user", "source", "nessie", "raw", "space"):
        assert named in logs
    assert everything.secrets()["DREMIO_PASSWORD"] not in logs


def test_the_host_uses_the_same_dremio(everything):
    report = everything.gamelake("dremio-setup", "--dry-run")

    assert (report["created"], report["updated"]) == (0, 0), report
    assert report["unchanged"] > 0


def test_a_second_up_runs_the_one_shots_again_and_changes_nothing(everything):
    assert states(everything.make("up"))["dremio-setup"] == "exit 0"
    assert everything.inspect("dremio-setup")["State"]["ExitCode"] == 0
