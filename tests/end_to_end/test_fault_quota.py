"""The quota ends at any request, and its edge flickers as recorded: 122 refusals, 32 answers.

contracts/reliability.md, test 7: a pause, not a loss; no page skipped, none fetched twice but
one probe of a window that was open.
"""

from collections.abc import Callable

import pytest
from sweep_scenarios import Stages
from sweep_stage import Stage
from truth import watermark

from ingestion.http_exchange import Answer, Failure, HttpExchange

pytestmark = pytest.mark.crash
PAUSED = 4
CONFIRMS = 4  # one refusal, and three requests that ask whether it is meant
AFTER = 3


@pytest.mark.parametrize("scenario", ["full", "incremental", "browse", "split"])
def test_a_quota_that_ends_at_any_request_only_pauses_a_run(
    stages: Stages,
    scenario: str,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    stage = stages.get(scenario)
    statuses = watched_statuses(monkeypatch)
    spent = {n: problems(stage, n, statuses) for n in range(requests_of(stage, statuses))}
    assert {n: found for n, found in spent.items() if found} == {}
    record_property(f"counted quota edges ({scenario})", len(spent))


def watched_statuses(patch: pytest.MonkeyPatch) -> list[int]:
    """Record the status of every answer, in order, of all workers."""
    statuses: list[int] = []
    get = HttpExchange.get

    def watched(self: HttpExchange, path: str, params: dict[str, str]) -> Answer | Failure:
        answer = get(self, path, params)
        statuses.append(answer.status if isinstance(answer, Answer) else 0)
        return answer

    patch.setattr(HttpExchange, "get", watched)
    return statuses


def requests_of(stage: Stage, statuses: list[int]) -> int:
    stage.reset(0)
    stage.lake.must(*stage.scenario.steps[0])
    return len(statuses)


def problems(stage: Stage, quota: int, statuses: list[int]) -> list[str]:
    """Return what is wrong when only `quota` requests are left."""
    stage.reset(0)
    statuses.clear()
    before = watermark(stage.lake)
    source = stage.simulator.control
    source.reset_quota()
    source.set(quota=quota or -1)
    try:
        told = stage.lake.run(*stage.scenario.steps[0])
    finally:
        source.set(quota=0)
    found = list(unlike_a_pause(told.code, statuses))
    if told.code == PAUSED and watermark(stage.lake) != before:
        found.append("the watermark moved")
    ended, windows = told.code == 0, stage.open_windows()
    found += [f"the resume ended with {t.code}: {t.err}" for t in stage.resume() if t.code]
    # One page may probe each open window: a delta looks again where it stopped.
    if not ended and (extra := stage.extra_pages(0)) > windows:
        found.append(f"{extra} pages were fetched again")
    return found + stage.problems(ended=ended)


def unlike_a_pause(code: int, statuses: list[int]) -> list[str]:
    """The edge is soft: a run may still get all it needs; else it pauses, and soon."""
    found = []
    if 401 not in statuses:
        found.append("no request was refused")
    if code not in (0, PAUSED):
        found.append(f"exit code {code}")
    last = next((n for n, status in enumerate(reversed(statuses)) if status != 401), len(statuses))
    if code == PAUSED and last > CONFIRMS + AFTER:
        found.append(f"{last} requests were sent to a source that answered none of them")
    return found
