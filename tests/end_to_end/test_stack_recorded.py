"""The recorded games on the stack: the star is what an independent reading gives.

And no secret of any server is told, logged or stored.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from acceptance_lake import pointers, star_of
from acceptance_served import dated_pages, lookup_pages, undated_pages
from lakes import LakeUnderTest, Told
from oracle import Oracle
from simulated import running
from star_difference import compare

from simulator.process import SimulatorProcess
from testbed.servers import MinioServer
from testbed.stack import RAW, WAREHOUSE
from utils.config import load_settings
from utils.redact import Redactor

pytestmark = [pytest.mark.stack]
GAMES = 13_960
# When a row was read is ours to say, and how its hash is made too; every other column is checked.
OURS = frozenset({"observed_at", "payload_hash"})


@pytest.fixture
def recorded(recorded_data: Path) -> Iterator[SimulatorProcess]:
    with running(replay=recorded_data / "rawg/pages") as simulator:
        yield simulator


@pytest.mark.recorded
def test_the_recorded_games_are_published_and_a_second_run_finds_nothing_new(
    recorded: SimulatorProcess, stack_settings: dict[str, str], tmp_path: Path
) -> None:
    lake = LakeUnderTest(tmp_path / "lake", recorded.base_url, stack_settings)
    ingested = lake.must("ingest")
    built = lake.must("etl")
    run = ingested["run_id"]
    oracle = Oracle().feed(lookup_pages(recorded, run))
    oracle.feed(dated_pages(recorded, run)).feed(undated_pages(recorded, run))
    before = pointers(lake)
    again, rebuilt = lake.must("ingest"), lake.must("etl")

    assert (ingested["state"], ingested["complete"], ingested["games_new"]) == (
        "completed",
        True,
        GAMES,
    )
    assert (built["published"], built["mode"]) == (True, "full")
    assert compare(star_of(lake), oracle.star(), ignore=OURS) == []
    assert (again["scope"], again["games_new"], again["games_changed"]) == ("delta", 0, 0)
    assert (rebuilt["published"], rebuilt["mode"]) == (False, "none")
    assert pointers(lake) == before
    assert lake.broken() == []


COMMANDS = (
    ("status",),
    ("runs",),
    ("verify",),
    ("doctor",),
    ("check-services",),
    ("sql", "SELECT count(*) FROM games.fact_games"),
    ("sql", "SELECT * FROM nowhere"),
    ("rollback", "no-such-run", "--yes"),
)


def test_no_secret_of_a_server_is_told_logged_or_stored(
    stack_settings: dict[str, str], minio: MinioServer, tmp_path: Path
) -> None:
    with running(games=120) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url, stack_settings)
        told = [lake.run(*command, "-v", "--traceback") for command in (("run",), *COMMANDS)]
        minio.kill()
        told += [lake.run(*command, "-v", "--traceback") for command in (("run",), *COMMANDS)]
        minio.start()
    secrets = load_settings(lake.environ, dotenv=None).secrets()
    redact = Redactor([secret for secret in secrets if secret != minio.access_key])

    assert {minio.secret_key, lake.environ["DATABASE_URL"]} <= set(secrets)
    assert [one.code for one in told[:3]] == [0, 0, 0]
    assert [text for text in _told(told) if redact.finds_secret(text)] == []
    assert [name for name, text in _stored(lake, minio) if redact.finds_secret(text)] == []


def _told(every: list[Told]) -> Iterator[str]:
    for told in every:
        yield from (told.out, told.err)


def _stored(lake: LakeUnderTest, minio: MinioServer) -> Iterator[tuple[str, str]]:
    """Yield every local file and every object, as text; tables' pages may be packed."""
    for path in lake.home.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes().decode("latin-1")
    client = minio.client()
    for bucket in (RAW, WAREHOUSE):
        for found in client.list_objects(bucket, recursive=True):
            with client.get_object(bucket, found.object_name or "") as response:
                yield f"{bucket}/{found.object_name}", response.read().decode("latin-1")
