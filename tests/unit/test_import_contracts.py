"""The import contracts that name modules name all that they mean."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = ("Only etl.iceberg_* knows the table format", "Only storage knows MinIO and the database")


@pytest.mark.parametrize("contract", NAMED)
def test_every_module_of_etl_but_the_iceberg_ones_is_held_to_it(contract: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = {one["name"]: one for one in project["tool"]["importlinter"]["contracts"]}
    modules = {path.stem for path in (ROOT / "etl").glob("*.py")} - {"__init__"}
    held = {f"etl.{name}" for name in modules if not name.startswith("iceberg_")}

    assert held <= set(contracts[contract]["source_modules"])
