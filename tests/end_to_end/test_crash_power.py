"""Power fails right after any commit: what was published is whole, and a resume finishes.

contracts/reliability.md, test 5, for whole runs. What no fsync made durable is gone.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import crash
import pytest
from lakes import LakeUnderTest
from power_cut import watched
from sweep_scenarios import Stages
from sweep_stage import Stage

from etl import iceberg_io
from etl.iceberg_verify import missing_files

pytestmark = pytest.mark.crash
STEPS = [("full", 0), ("full", 1), ("incremental", 0), ("incremental", 1)]


@pytest.mark.parametrize(("scenario", "step"), STEPS)
def test_a_power_cut_after_any_commit_loses_nothing(
    stages: Stages,
    tmp_path: Path,
    scenario: str,
    step: int,
    *,
    record_property: Callable[[str, object], None],
) -> None:
    stage = stages.get(scenario)
    stage.reset(step)
    watch = crash.run(watched, stage.lake, tmp_path, *stage.scenario.steps[step])
    assert watch.result["code"] == 0, watch
    commits = watch.result["commits"]
    found = [
        f"cut after {commit}: {problem}"
        for number, commit in enumerate(commits)
        for problem in problems_after_cut(stage, step, tmp_path / str(number))
    ]
    assert found == []
    assert len(commits) >= 8
    record_property(f"counted power cuts ({scenario})", len(commits))


def problems_after_cut(stage: Stage, step: int, copy: Path) -> list[str]:
    restore(stage, copy)
    problems = [f"at once: {line}" for line in stage.lake.broken()]
    ended = stage.has_ended(step)
    problems += [f"resume: {told.out} {told.err}" for told in stage.resume() if told.code]
    return problems + stage.problems(ended=ended)


def restore(stage: Stage, copy: Path) -> None:
    shutil.rmtree(stage.lake.home)
    shutil.copytree(copy, stage.lake.home)


def test_the_model_notices_a_lake_that_does_not_sync(stages: Stages, tmp_path: Path) -> None:
    stage = stages.get("full")
    stage.reset(1)
    watch = crash.run(unsynced, stage.lake, tmp_path, *stage.scenario.steps[1])
    restore(stage, tmp_path / str(len(watch.result["commits"]) - 1))
    with stage.lake.open() as lake:
        assert missing_files(lake.catalog) != []


def unsynced(lake: LakeUnderTest, folder: Path, *argv: str) -> dict[str, object]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(iceberg_io._DurableStream, "close", lambda self: self._file.close())
        return watched(lake, folder, *argv)
