"""The lake from Python."""

import subprocess
import sys
from pathlib import Path

import pytest
from lakes import LakeUnderTest

import gamelake
from simulator.config import SimulatorConfig
from simulator.process import SimulatorProcess
from utils.errors import UsageError


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> LakeUnderTest:
    with SimulatorProcess.start(SimulatorConfig(games=120)) as source:
        made = LakeUnderTest(tmp_path_factory.mktemp("api") / "lake", source.base_url)
        made.must("run", "-q")
    return made


def test_an_answer_comes_in_the_form_one_likes(lake):
    with gamelake.connect(lake.home) as connected:
        answer = connected.sql("SELECT COUNT(*) AS games FROM fact_games")

        assert answer.fetchall() == [(120,)]
        assert answer.df()["games"].tolist() == [120]
        assert answer.pl()["games"].to_list() == [120]
        assert answer.arrow().to_pylist() == [{"games": 120}]


def test_home_comes_from_the_environment_unless_given(lake, monkeypatch):
    monkeypatch.setenv("GAMELAKE_HOME", str(lake.home))

    with gamelake.connect() as connected:
        assert connected.sql("SELECT 1").fetchall() == [(1,)]


def test_an_earlier_run_can_be_asked(lake):
    run_id = lake.must("status")["published"]["run_id"]

    with gamelake.connect(str(lake.home), at=run_id) as connected:
        assert connected.sql("SELECT COUNT(*) FROM fact_games").fetchall() == [(120,)]
    with pytest.raises(UsageError):
        gamelake.connect(lake.home, at="no-such-run")


def test_a_closed_lake_says_so(lake):
    with gamelake.connect(lake.home) as connected:
        answer = connected.sql("SELECT 1 AS one")

    forms = (answer.fetchall, answer.df, answer.arrow, answer.schema, lambda: [*answer.batches()])
    for ask in (lambda: connected.sql("SELECT 1"), *forms):
        with pytest.raises(UsageError, match="the lake is closed"):
            ask()
    assert answer.columns == ["one"]
    connected.close()


def test_without_a_lake_it_says_so(tmp_path: Path):
    with pytest.raises(UsageError, match="there is no lake"):
        gamelake.connect(tmp_path)


def test_importing_it_is_light():
    code = "import gamelake, sys; print('duckdb' in sys.modules or 'pyarrow' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def test_it_has_nothing_else():
    with pytest.raises(AttributeError):
        _ = gamelake.disconnect
