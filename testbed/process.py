"""A server in a process of its own: started, watched, stopped, killed, started again."""

import os
import random
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from utils.errors import GamelakeError, ServiceDown

HOST = "127.0.0.1"
# Below the ports that the kernel gives to clients: a client that asks again and again for a server
# that is down could be given the server's own port, and the server could not come back.
_PORTS = range(15_000, 32_000)
_POLL_S = 0.05
# What a killed server held (a port, PostgreSQL's shared memory) may take a moment to be free.
_HELD = "in use"
_TRIES = 20
_LOG_LINES = 12


@dataclass(frozen=True)
class Command:
    """What to execute; `user` is another system user to be, where we are root."""

    arguments: list[str]
    environ: Mapping[str, str] | None = None
    user: str | None = None


@dataclass
class _Running:
    """The server, and the guard that kills it when this process is gone, however it went."""

    server: subprocess.Popen[bytes]
    guard: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        # A pipe, not PR_SET_PDEATHSIG: that one fires when the *thread* ends that started us.
        self.guard = subprocess.Popen(  # noqa: S603 - a fixed script and a number
            ["/bin/sh", "-c", 'read _; kill -s KILL -- "-$0"', str(self.server.pid)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def end(self, signum: signal.Signals, patience_s: float) -> None:
        """Signal the server, wait for it, kill what does not end."""
        if self.server.poll() is None:
            self.server.send_signal(signum)
            try:
                self.server.wait(patience_s)
            except subprocess.TimeoutExpired:
                self.server.kill()
        self.server.wait()
        self.guard.kill()
        self.guard.wait()
        if self.guard.stdin is not None:
            self.guard.stdin.close()


class Server(ABC):
    """A server under `folder` on ports of its own; a context manager. It ends with this process.

    Nothing is lost between `kill`, `stop` and `start`: same ports, same data.
    """

    name: str
    patience_s = 60.0  # until it must answer
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path, *, ports: int = 1) -> None:
        self.folder = folder
        self.log = folder / f"{self.name}.log"
        self._port_count = ports
        self.ports: list[int] = []
        self._log_from = 0  # bytes: where this start's part of the log begins
        self._running: _Running | None = None

    @property
    def address(self) -> str:
        """Return `host:port`."""
        return f"{HOST}:{self.ports[0]}"

    @property
    def pid(self) -> int:
        """Return the process id; raises ServiceDown when the server is not running."""
        if self._running is None:
            raise self._down("is not running")
        return self._running.server.pid

    @abstractmethod
    def command(self) -> Command:
        """Write the server's configuration and return how to start it."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Ask the server; False as long as it does not answer."""

    def start(self) -> Self:
        """Start and wait until it answers; raises ServiceDown with the end of its log.

        A server that runs is left running (and resumed); one that died is started again.
        """
        if self._running is not None:
            if self._running.server.poll() is None:
                self.resume()
                return self
            self.kill()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ports = self.ports or reserve_ports(self._port_count)
        for left in reversed(range(_TRIES)):
            try:
                self._launch()
                self._await()
            except BaseException as error:
                self.kill()
                if not left or _HELD not in str(error):
                    raise
                time.sleep(_POLL_S)
            else:
                break
        return self

    def stop(self) -> None:
        """End it as an administrator would."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """End it by SIGKILL, as a crash would."""
        self._end(signal.SIGKILL)

    def restart(self) -> Self:
        """Start again on the same ports and data; what runs is killed first."""
        self.kill()
        return self.start()

    def pause(self) -> None:
        """Stop it from answering without closing its connections (SIGSTOP); returns when it has."""
        _signal(self.pid, signal.SIGSTOP)
        while not all(map(_is_stopped, _threads(self.pid))):
            time.sleep(_POLL_S / 10)

    def resume(self) -> None:
        """Let it answer again."""
        _signal(self.pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _launch(self) -> None:
        command = self.command()
        with self.log.open("ab") as log:
            self._log_from = log.tell()
            server = subprocess.Popen(  # noqa: S603 - a server that we installed
                command.arguments,
                env=command.environ,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=command.user,
                group=command.user,
                extra_groups=None if command.user is None else [],
            )
        self._running = _Running(server)

    def _await(self) -> None:
        deadline = time.monotonic() + self.patience_s
        while not self.is_ready():
            if self._running is None or self._running.server.poll() is not None:
                raise self._down("ended while it started")
            if time.monotonic() > deadline:
                raise self._down(f"did not answer within {self.patience_s:.0f} s")
            time.sleep(_POLL_S)

    def _end(self, signum: signal.Signals) -> None:
        if self._running is not None:
            self.resume()
            self._running.end(signum, patience_s=10)
            self._running = None

    def _down(self, what: str) -> GamelakeError:
        written = self.log.read_bytes()[self._log_from :] if self.log.is_file() else b""
        said = "\n".join(written.decode(errors="replace").splitlines()[-_LOG_LINES:])
        return ServiceDown(
            f"{self.name} {what}; it said:\n{said}",
            operation=f"start {self.name}",
            subject=self.address if self.ports else self.name,
            hint=f"its whole log is {self.log}",
        )


def _signal(pid: int, signum: signal.Signals) -> None:
    """Send a signal to a server and its processes; one that is gone is none."""
    for member in (pid, *_children(pid)):
        with suppress(ProcessLookupError):
            os.kill(member, signum)


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except FileNotFoundError:
        return []


def _threads(pid: int) -> list[Path]:
    return [path for one in (pid, *_children(pid)) for path in Path(f"/proc/{one}/task").glob("*")]


def _is_stopped(thread: Path) -> bool:
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0] in "TZ"
    except (FileNotFoundError, ProcessLookupError):
        return True  # it ended


def reserve_ports(count: int) -> list[int]:
    """Return different ports that nobody listens on and no other testbed will be given."""
    found: list[int] = []
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        if len(found) == count:
            break
        if _reserve(port):
            found.append(port)
    return found


def _reserve(port: int) -> bool:
    # A name in the kernel's abstract namespace: it is free again when this process is gone.
    claim = socket.socket(socket.AF_UNIX)
    with socket.socket() as probe:
        try:
            claim.bind(f"\0gamelake-testbed-{port}")
            probe.bind((HOST, port))
        except OSError:
            claim.close()
            return False
    claim.detach()
    return True
