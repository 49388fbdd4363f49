"""A simulator in a process of its own."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, cast

from simulator.client import ControlClient
from simulator.config import SimulatorConfig
from utils.errors import ServiceDown

_ROOT = Path(__file__).resolve().parents[1]


class SimulatorProcess:
    """A running simulator; a context manager. It ends with this process, however that ends."""

    def __init__(self, process: subprocess.Popen[str], base_url: str) -> None:
        self._process = process
        self.base_url = base_url
        self.control = ControlClient(base_url)

    @classmethod
    def start(cls, config: SimulatorConfig) -> "SimulatorProcess":
        """Start a server and wait until it serves; raises ServiceDown when it does not."""
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "simulator", "--config", _dump(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
        )
        base_url = cast("IO[str]", process.stdout).readline().strip()
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
