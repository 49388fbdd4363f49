"""An operation on a real server fails once, or succeeds and its answer is lost.

At the seams in the code, with what the code around them is told; and on the wire, by proxies.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product

import crash
import pytest
from cutting_proxy import Cut, CuttingProxy
from lakes import hurried
from nessie_proxy import Fate, NessieProxy
from stack_injected import stack_errors_at
from stack_outages import after_effects
from sweep_checks import fail_and_go_on
from sweep_scenarios import Point, Stages, share, spread
from sweep_stage import Stage

from testbed.stack import Stack
from utils.seams import Fault

pytestmark = [pytest.mark.stack, pytest.mark.crash]

POINTS = 11  # of each scenario and way to fail: one of each kind of operation
SHARES = 4
SCENARIOS = ("full", "incremental")
# Failing: the error comes instead of the operation; lost: the operation happened.
MODES = {"once": ("before", False), "for ever": ("before", True), "lost": ("after", False)}
EVERY = list(product(SCENARIOS, MODES, range(SHARES)))
OFTEN = [one for one in EVERY if one[1] != "for ever"]
Count = Callable[[str, object], None]


@pytest.mark.parametrize(("scenario", "mode", "part"), OFTEN)
def test_a_failing_operation_harms_nobody(
    stack_stages: Stages, scenario: str, mode: str, part: int, *, record_property: Count
) -> None:
    chosen = [point for point, _ in spread(stack_stages.points(scenario), POINTS)]
    break_each(stack_stages.get(scenario), mode, chosen[part::SHARES], record_property)


@pytest.mark.nightly
@pytest.mark.parametrize(("scenario", "mode", "part"), EVERY)
def test_any_failing_operation_harms_nobody(
    stack_stages: Stages, scenario: str, mode: str, part: int, *, record_property: Count
) -> None:
    points = share(stack_stages.points(scenario), part, SHARES)
    break_each(stack_stages.get(scenario), mode, [*points], record_property)


def break_each(stage: Stage, mode: str, points: list[Point], record: Count) -> None:
    found, struck = [], set()
    for point in points:
        when, forever = MODES[mode]
        kinds = stack_errors_at(point.name)
        error = kinds[point.ordinal % len(kinds)]
        fault = Fault("error", when, point.name, point.ordinal, forever, error)  # type: ignore[arg-type]
        broken = fail_and_go_on(stage, point, fault)
        found += [f"{mode} {error.__name__} {point}: {problem}" for problem in broken.problems]
        struck.add(broken.struck)
    assert found == []
    name = f"distinct failing operations on the stack ({stage.scenario.name}, {mode})"
    record(name, sorted(struck))


INGEST, ETL = 0, 1


@contextmanager
def _lossy_nessie(stack: Stack, fate: Fate, nth: int) -> Iterator[tuple[dict[str, str], list[int]]]:
    """Give settings that lead by a proxy that lets the n-th change end as `fate` says."""
    changes: list[int] = []

    def judge(ordinal: int, method: str, _: str) -> Fate:
        if method == "GET":
            return "pass"
        changes.append(ordinal)
        return fate if len(changes) == nth else "pass"

    with NessieProxy(stack.nessie.uri) as proxy:
        proxy.watch(judge)
        yield {"NESSIE_URI": proxy.uri}, changes


@pytest.mark.parametrize(
    ("fate", "nth"), [*product(("lose", "500"), (1, 2, 6, 12, 15)), ("refuse", 3), ("503", 15)]
)
def test_nessie_loses_one_answer(stack_stages: Stages, stack: Stack, fate: Fate, nth: int) -> None:
    stage = stack_stages.get("incremental")
    stage.reset(ETL)
    with _lossy_nessie(stack, fate, nth) as (settings, changes):
        told = stage.lake.but(**settings).run(*stage.scenario.steps[ETL])
    assert len(changes) >= nth
    assert told.code in (0, 7), told.err
    assert after_effects(stage, ETL) == []


LOST = [
    ("MINIO_ENDPOINT", INGEST, b"PUT /raw", 0),
    ("MINIO_ENDPOINT", INGEST, b"PUT /raw", 1),
    ("MINIO_ENDPOINT", ETL, b"GET /raw", 0),
    ("MINIO_ENDPOINT", ETL, b"PUT /warehouse", 0),
    ("MINIO_ENDPOINT", ETL, b"PUT /warehouse", 20),
    ("DATABASE_URL", INGEST, b"COMMIT", 1),
    ("DATABASE_URL", INGEST, b"COMMIT", 6),
    ("DATABASE_URL", ETL, b"COMMIT", 2),
    ("DATABASE_URL", ETL, b"COMMIT", 4),
]


@pytest.mark.parametrize("before", [False, True], ids=["answer", "request"])
@pytest.mark.parametrize(("setting", "step", "request_", "skip"), LOST)
def test_an_exchange_is_lost_on_the_wire(
    stack_stages: Stages,
    stack: Stack,
    *,
    setting: str,
    step: int,
    request_: bytes,
    skip: int,
    before: bool,
) -> None:
    stage = stack_stages.get("incremental")
    stage.reset(step)
    server = stack.minio if setting == "MINIO_ENDPOINT" else stack.postgres
    cut = Cut(request_, before=before, skip=skip)
    with CuttingProxy(server.address, cut) as proxy:
        address = stage.lake.environ[setting].replace(server.address, f"127.0.0.1:{proxy.port}")
        lake = stage.lake.but(**{setting: address})
        told = crash.run(hurried, lake, *stage.scenario.steps[step]).result
    assert cut.done == 1
    assert told["code"] in (0, 7), told["err"]
    assert after_effects(stage, step) == []
