"""`gamelake check-services` on a real stack, with a RAWG that takes one key."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KEY = "canary-key-of-rawg"


class _Rawg(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if f"key={KEY}" in self.path else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served_rawg() -> Iterator[str]:
    """Serve a RAWG that answers its genre list to `KEY` alone; yield its base URL."""
    with HTTPServer(("127.0.0.1", 0), _Rawg) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()
        thread.join()


@dataclass(frozen=True)
class Checked:
    """What one run of the command said, and how long it took, Python's start included."""

    code: int
    report: Mapping[str, Any]
    text: str
    seconds: float

    @property
    def states(self) -> dict[str, str]:
        """State by service."""
        return {one["service"]: one["state"] for one in self.report["services"]}

    def of(self, service: str) -> Mapping[str, Any]:
        """Everything about one service."""
        return next(one for one in self.report["services"] if one["service"] == service)


def check(environ: Mapping[str, str], folder: Path) -> Checked:
    """Run the command in a process of its own, in `folder`, where no `.env` lies."""
    command = [sys.executable, "-m", "gamelake", "check-services", "--json"]
    started = time.monotonic()
    done = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    seconds = time.monotonic() - started
    report = json.loads(done.stdout)
    return Checked(done.returncode, report, done.stdout + done.stderr, seconds)
