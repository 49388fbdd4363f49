"""A whole lake driven as a user drives it: by command lines, with a canary for a key."""

import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from ibis.expr.types import Table

from etl.engine import BuildEngine
from gamelake import __main__ as command_line
from gamelake.context import Lake, open_lake
from gamelake.verify import verify
from ingestion import quota_guard, retry, work
from utils.config import Settings, load_settings

# Its three forms (as it is, URL-encoded, base64) all differ, so each is looked for on its own.
KEY = "canary/5f1e+key that must never leak="
PAGES_A_PART = 3
_HURRY = 500


@dataclass(frozen=True)
class Told:
    """What a command ended with and printed."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def json(self) -> dict[str, Any]:
        """The object that `--json` printed."""
        told: dict[str, Any] = json.loads(self.out)
        return told


@dataclass(frozen=True)
class LakeUnderTest:
    """Where a lake lies and what it reads from; picklable, so that a child can drive it."""

    home: Path
    base_url: str
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """Every setting that the tests depend on; nothing of this process's own environment."""
        return {
            "GAMELAKE_HOME": str(self.home),
            "RAWG_BASE_URL": self.base_url,
            "RAWG_API_KEY": KEY,
            "RAWG_MONTHLY_QUOTA": "0",
            "RAWG_MAX_RPS": "0",
            "RAWG_WORKERS": "2",
            "RAWG_TIMEOUT_S": "20",
            **self.more,
        }

    def but(self, **settings: str) -> "LakeUnderTest":
        """Return this lake under other settings."""
        return replace(self, more={**self.more, **settings})

    def run(self, *argv: str) -> Told:
        """Run one command in this process, as `gamelake ARGV --json` would."""
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
        self.home.parent.mkdir(parents=True, exist_ok=True)
        os.chdir(self.home.parent)  # where no .env lies
        with redirect_stdout(out), redirect_stderr(err):
            code = command_line.run([*argv, "--json"], self.environ)
        out.seek(0)
        return Told(code, out.read(), err.getvalue())

    def must(self, *argv: str) -> dict[str, Any]:
        """Run a command that has to succeed; return what it printed."""
        told = self.run(*argv)
        assert told.code == 0, f"{argv} ended with {told.code}: {told.out} {told.err}"
        return told.json

    @contextmanager
    def open(self) -> Iterator[Lake]:
        """Open the lake in this process."""
        settings: Settings = load_settings(self.environ, dotenv=None)
        with open_lake(settings) as lake:
            yield lake

    def broken(self) -> list[str]:
        """Return what `gamelake verify` finds wrong."""
        with self.open() as lake:
            return [f"{found.name}: {found.problems}" for found in verify(lake).broken]


def hurried(lake: LakeUnderTest, *argv: str) -> dict[str, Any]:
    """Run a command in a child of `crash.run`: small parts, waits cut short."""
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        return vars(lake.run(*argv))


def hurry(patch: pytest.MonkeyPatch) -> None:
    """Make a small run look like a large one, and waiting quick.

    Parts of three pages, so that rolling goes on while pages are fetched; waits after failures a
    few milliseconds long; the SQL of a table definition that was compiled before is remembered.
    """
    patch.setattr(work, "PAGES_A_PART", PAGES_A_PART)
    waits = tuple(wait / _HURRY for wait in quota_guard._TRIES_AFTER_S)
    patch.setattr(quota_guard, "_TRIES_AFTER_S", waits)
    wait_s = retry.Backoff.wait_s
    patch.setattr(retry.Backoff, "wait_s", lambda self, n: wait_s(self, n) / _HURRY)
    patch.setattr(BuildEngine, "sql", _remembered)


_compile = BuildEngine.sql
_compiled: dict[object, str] = {}


def _remembered(engine: BuildEngine, definition: Table) -> str:
    key = definition.op()
    if key not in _compiled:
        _compiled[key] = _compile(engine, definition)
    return _compiled[key]
