"""Is the process that took a lease still there?"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_MACHINE = Path("/etc/machine-id")


@dataclass(frozen=True)
class Process:
    """A process for good: the pid alone would also name the next process that gets it.

    `identity` is `machine:boot/namespace/start`; each is empty where the system does not tell.
    Machines that share a server may share a name too, so the name alone proves nothing.
    """

    host: str
    pid: int
    identity: str


def this_process() -> Process:
    """Return the process that runs us."""
    return Process(socket.gethostname(), os.getpid(), _identity(os.getpid()))


def is_gone(process: Process) -> bool:
    """Return whether `process` is surely dead; False when we cannot see it from here."""
    if process.host != socket.gethostname():
        return False
    boot, namespace, started = process.identity.split("/")
    here_boot, here_namespace, here_started = _identity(process.pid).split("/")
    if boot != here_boot:
        machine, here = boot.partition(":")[0], here_boot.partition(":")[0]
        return machine != "" and machine == here  # this machine was restarted since
    if namespace != here_namespace:
        return False  # another container: its pids are not ours
    return not _exists(process.pid) or started != here_started


def _identity(pid: int) -> str:
    machine, boot = _read(_MACHINE), _read(_PROC / "sys/kernel/random/boot_id")
    return f"{machine}:{boot}/{_namespace()}/{_started(pid)}"


def _namespace() -> str:
    try:
        return str((_PROC / "self/ns/pid").stat().st_ino)
    except OSError:
        return ""


def _started(pid: int) -> str:
    # Field 22, counted after the command, which may itself hold spaces and parentheses.
    fields = _read(_PROC / str(pid) / "stat").rpartition(")")[2].split()
    dead = len(fields) <= 19 or fields[0] in "ZX"  # a zombie waits for its parent, no more
    return "" if dead else fields[19]


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
