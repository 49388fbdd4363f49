"""Fixtures and paths that every test may use."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

pytest_plugins = ["stack_fixtures", "database_fixtures", "spark_fixtures", "sweep_figures"]

RECORDED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def recorded_data() -> Path:
    """Folder of recorded data; a test that needs it skips where it is absent."""
    if not RECORDED.is_dir():
        pytest.skip("recorded data is not redistributed: ../shared/data is absent")
    return RECORDED
