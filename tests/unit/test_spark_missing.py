"""Spark is an extra: who has none is told how to get it, and nothing has happened yet."""

import sys
from pathlib import Path

import pytest
from etl_lake import open_lake
from raw_builder import game

from etl.context import EtlRequest
from etl.pipeline import run_etl
from storage.layout import MAIN
from utils.errors import UsageError


def test_without_pyspark_the_command_to_install_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with open_lake(tmp_path) as lake:
        lake.add("r1", "games", [game(1, at=10)])

        with pytest.raises(UsageError, match="PySpark is not installed") as error:
            run_etl(lake.ctx, EtlRequest(engine="spark"))

        assert [*lake.ctx.catalog.references()] == [MAIN]
    assert "pip install pyspark==4.1.4" in error.value.hint
