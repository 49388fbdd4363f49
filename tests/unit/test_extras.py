"""What is told to whoever lacks an extra works where this program runs."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from utils.extras import install_command

ROOT = Path(__file__).resolve().parents[2]


def test_the_command_is_one_that_the_shell_takes(tmp_path):
    command = install_command("polars>=1.35")

    told = subprocess.run(
        ["bash", "-c", f"{command} --help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "Install" in told.stdout
    assert list(tmp_path.iterdir()) == []  # `>` was no redirection


def test_a_python_below_this_folder_is_shown_from_here(monkeypatch):
    monkeypatch.chdir(Path(sys.prefix).parent)

    told = install_command("pyspark==4.1.4")

    assert told.endswith(f"bin/{Path(sys.executable).name} -m pip install pyspark==4.1.4")
    assert not told.startswith("/")


@pytest.mark.parametrize("page", ["etl/spark_session.py", "serving/result.py"])
def test_what_is_named_is_what_the_extras_hold(page):
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]

    named = [
        extra
        for extra in (*extras["spark"], *extras["polars"])
        if extra in (ROOT / page).read_text()
    ]

    assert len(named) == 1
