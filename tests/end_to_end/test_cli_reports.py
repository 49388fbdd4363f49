"""What a command has done is told, also when what comes after it fails."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lakes import LakeUnderTest
from simulated import running

from gamelake import run as steps
from utils.errors import ChecksFailed


def _check_fails(*_: Any) -> None:
    raise ChecksFailed("a check failed", operation="etl", hint="gamelake runs show ID")


def _stopped(*_: Any) -> None:
    signal.raise_signal(signal.SIGINT)


def _full(*_: Any) -> None:
    raise OSError(28, "No space left on device")


def _wrong(*_: Any) -> None:
    raise ValueError("ours")


@pytest.mark.parametrize(
    ("fails", "code"), [(_check_fails, 5), (_stopped, 130), (_full, 7), (_wrong, 1)]
)
def test_a_run_tells_what_it_fetched_whatever_happens_to_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: Callable[..., None], code: int
) -> None:
    monkeypatch.setattr(steps, "run_etl", fails)
    with running(games=30) as source:
        told = LakeUnderTest(tmp_path / "lake", source.base_url).run("run")

    assert told.code == code
    assert told.json["error"]
    assert told.json["ingest"]["games_seen"] == told.json["ingest"]["games_new"] == 30
    assert told.err.count("Fetched 30 games") == told.err.count("Complete: ") == 1
