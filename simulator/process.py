"""A simulator in a process of its own, and the client of its control endpoint."""

import base64
import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from simulator.config import FaultProfile, SimulatorConfig
from simulator.vocabulary import Row
from utils.errors import ServiceDown

_ROOT = Path(__file__).resolve().parents[1]


class ControlClient:
    """Calls the verbs of `control.Controls`; raises ServiceDown when one is refused."""

    def __init__(self, base_url: str) -> None:
        self._netloc = urlsplit(base_url).netloc

    def call(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Carry out one verb and return its answer."""
        connection = http.client.HTTPConnection(self._netloc, timeout=60)
        try:
            connection.request("POST", f"/__control__/{verb}", json.dumps(arguments).encode())
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise ServiceDown(
                answer["error"],
                operation="control the simulator",
                subject=verb,
                hint="see simulator/control.py for the verbs and their arguments",
            )
        return answer

    def state(self) -> dict[str, Any]:
        """Return games, clock, knobs, fault profile and versions left."""
        return self.call("state")

    def counters(self) -> dict[str, Any]:
        """Return `kinds`, `pages`, `faults` and `quota_spent` since the last reset."""
        return self.call("counters")

    def reset_counters(self) -> None:
        """Count requests from zero."""
        self.call("reset_counters")

    def advance(self, seconds: int) -> str:
        """Move the clock; returns the new time."""
        clock: str = self.call("advance", seconds=seconds)["clock"]
        return clock

    def step(self) -> list[int]:
        """Apply the next recorded version of each game; returns the ids that changed."""
        changed: list[int] = self.call("step")["changed"]
        return changed

    def change(self, ident: int, *, touch: bool = True, **fields: Any) -> str:
        """Set fields of a game; returns its `updated`."""
        updated: str = self.call("change", id=ident, fields=fields, touch=touch)["updated"]
        return updated

    def remove(self, ids: Sequence[int]) -> None:
        """Let games vanish from every listing."""
        self.call("remove", ids=list(ids))

    def add(self, **game: Any) -> int:
        """Add a game with these fields; returns its id."""
        ident: int = self.call("add", game=game)["id"]
        return ident

    def row(self, ident: int) -> Row:
        """Return a game's browse row."""
        row: Row = self.call("row", id=ident)["row"]
        return row

    def raw(self, ident: int, body: bytes) -> None:
        """Serve these bytes in place of a game's row."""
        self.call("raw", id=ident, body=base64.b64encode(body).decode())

    def set(self, **knobs: Any) -> None:
        """Turn knobs of `config.Knobs`."""
        self.call("set", **knobs)

    def faults(self, profile: FaultProfile, seed: int = 1) -> None:
        """Start a fault profile; faults of single pages are forgotten."""
        self.call("faults", profile=profile, seed=seed)

    def page_fault(self, match: str, kind: str, *, times: int = 1, skip: int = 0) -> None:
        """Break requests whose path and query contain `match` (kinds: `faults.KINDS`)."""
        self.call("page_fault", match=match, kind=kind, times=times, skip=skip)

    def reset_quota(self, spent: int = 0) -> None:
        """Begin a new month."""
        self.call("reset_quota", spent=spent)


class SimulatorProcess:
    """A running simulator; a context manager. It ends with this process, however that ends."""

    def __init__(self, process: subprocess.Popen[str], base_url: str) -> None:
        self._process = process
        self.base_url = base_url
        self.control = ControlClient(base_url)

    @classmethod
    def start(cls, config: SimulatorConfig) -> "SimulatorProcess":
        """Start a server and wait until it serves; raises ServiceDown when it does not."""
        process = subprocess.Popen(
            [sys.executable, "-m", "simulator", "--config", _dump(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
        )
        assert process.stdout is not None  # noqa: S101 - for the type checker
        base_url = process.stdout.readline().strip()
        started = cls(process, base_url)
        if not base_url:
            started.stop()
            raise ServiceDown(
                f"the simulator ended with exit code {process.returncode}",
                operation="start the simulator",
                subject=str(config.replay or f"{config.games} games"),
                hint="its own message is above; run `python -m simulator` to see it alone",
            )
        return started

    @property
    def pid(self) -> int:
        """Return the server's process id."""
        return self._process.pid

    def stop(self) -> None:
        """End the server and wait for it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> "SimulatorProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _dump(config: SimulatorConfig) -> str:
    values = asdict(config)
    values["replay"] = str(config.replay.resolve()) if config.replay else None
    return json.dumps(values)


def load_config(text: str) -> SimulatorConfig:
    """Read what `SimulatorProcess.start` hands to its child."""
    values = json.loads(text)
    values["replay"] = Path(values["replay"]) if values["replay"] else None
    return SimulatorConfig(**values | {"browse_filters": tuple(values["browse_filters"])})


def end_with_parent() -> None:
    """End this process when its standard input closes: the parent is gone, however it went."""

    def watch() -> None:
        while os.read(0, 1):  # not sys.stdin: its lock would disturb a clean exit
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
