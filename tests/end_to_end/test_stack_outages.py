"""MinIO, Nessie or PostgreSQL dies or freezes in the middle of `ingest` and of `etl`.

The command ends in time with exit 7, one error that names the service and what to do; readers see
the star of before or after; and when the server is back the next run finishes.
"""

import pytest
from stack_outages import Outage, after_effects, misinformation, outage, strike
from sweep_scenarios import Stages

from testbed.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.crash]

REFUSED_S = 30.0
# PostgreSQL may work on a statement for 30 s, and it is asked by the lease's heartbeat too.
HUNG_S = {"MinIO": 60.0, "Nessie": 60.0, "PostgreSQL": 70.0}
INGEST, ETL = 0, 1
MERGED, SWAPPED = 11, 12  # which catalog.commit merges onto the candidate, and moves main

KILLS = [
    f"MinIO kill {INGEST} after http.get 4",
    f"MinIO kill {INGEST} before store.put 1",
    f"MinIO kill {INGEST} before store.put 2",
    f"MinIO kill {ETL} before warehouse.write 1",
    f"MinIO kill {ETL} after catalog.commit 5",
    f"MinIO kill {ETL} before store.put 24",
    f"Nessie kill {ETL} before catalog.branch 1",
    f"Nessie kill {ETL} after warehouse.write 12",
    f"Nessie kill {ETL} before catalog.commit {MERGED}",
    f"Nessie kill {ETL} before catalog.commit {SWAPPED}",
    f"Nessie kill {ETL} after catalog.commit {SWAPPED}",
    f"PostgreSQL kill {INGEST} after http.get 4",
    f"PostgreSQL kill {INGEST} before db.commit 5",
    f"PostgreSQL kill {INGEST} after store.put 2",
    f"PostgreSQL kill {ETL} after warehouse.write 12",
    f"PostgreSQL kill {ETL} before db.commit 3",
]
PAUSES = [
    f"MinIO pause {INGEST} before store.put 1",
    f"MinIO pause {ETL} after warehouse.write 12",
    f"Nessie pause {ETL} before catalog.commit {SWAPPED}",
    f"PostgreSQL pause {INGEST} after spool.append 1",
    f"PostgreSQL pause {ETL} after catalog.commit 5",
]
RESTARTS = [
    f"MinIO restart {INGEST} before store.put 1",
    f"MinIO restart {ETL} before store.put 12",
    f"Nessie restart {ETL} before catalog.commit 5",
    f"Nessie restart {ETL} before catalog.commit {SWAPPED}",
    f"PostgreSQL restart {INGEST} after http.get 4",
    f"PostgreSQL restart {ETL} after warehouse.write 12",
]


def outages(*texts: str) -> pytest.MarkDecorator:
    found = [outage(text) for text in texts]
    return pytest.mark.parametrize("out", found, ids=str)


def check(stages: Stages, stack: Stack, out: Outage, *, limit_s: float) -> None:
    """Break the run, look at what was told, then go on."""
    stage = stages.get("incremental")
    told = strike(stage, stack, out)
    assert list(misinformation(stage, out, told)) == []
    assert told["seconds"] < limit_s
    assert after_effects(stage, out.step) == []


@outages(*KILLS)
def test_a_server_that_dies_is_told_at_once_and_the_next_run_finishes(
    stack_stages: Stages, stack: Stack, out: Outage
) -> None:
    check(stack_stages, stack, out, limit_s=REFUSED_S)


@outages(*PAUSES)
def test_a_server_that_freezes_is_given_up_and_the_next_run_finishes(
    stack_stages: Stages, stack: Stack, out: Outage
) -> None:
    check(stack_stages, stack, out, limit_s=HUNG_S[out.server])


@outages(*RESTARTS)
def test_a_server_that_restarts_is_waited_for(
    stack_stages: Stages, stack: Stack, out: Outage
) -> None:
    stage = stack_stages.get("incremental")
    told = strike(stage, stack, out)
    assert told["code"] == 0, told["err"]
    assert after_effects(stage, out.step) == []


@outages(
    f"Nessie kill {INGEST} after http.get 4",
    f"Nessie pause {INGEST} before store.put 1",
    f"MinIO kill {ETL} before catalog.commit {SWAPPED}",
    f"PostgreSQL kill {ETL} after catalog.commit {SWAPPED}",
)
def test_a_server_that_is_not_needed_any_more_is_not_missed(
    stack_stages: Stages, stack: Stack, out: Outage
) -> None:
    stage = stack_stages.get("incremental")
    told = strike(stage, stack, out)
    assert told["code"] == 0, told["err"]
    assert after_effects(stage, out.step) == []


def test_the_moments_are_those_of_a_publish(stack_stages: Stages) -> None:
    """The candidate is made, merged onto, main moves to it, it is dropped; then branch and tag."""
    operations = stack_stages.get("incremental").operations[ETL]
    catalog = [found for found in operations if found[0].startswith("catalog.")]
    assert catalog[-7:] == [
        ("catalog.branch", 2),
        ("catalog.commit", MERGED),
        ("catalog.commit", SWAPPED),
        ("catalog.branch", 3),
        ("catalog.commit", SWAPPED + 1),
        ("catalog.commit", SWAPPED + 2),
        ("catalog.branch", 4),
    ]
