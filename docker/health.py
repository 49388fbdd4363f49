"""Is this container healthy? Exit 0 when its folder can be written and its servers answer.

Looks at what every container of gamelake needs: GAMELAKE_HOME, the servers by address alone, and,
where docker/schedule.py runs, that its loop is alive. No import of gamelake: it has to be quick.
"""

import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import gettempdir
from urllib.parse import urlsplit

SERVERS = {"MINIO_ENDPOINT": 9000, "NESSIE_URI": 19120, "DATABASE_URL": 5432}
HEARTBEAT = Path(gettempdir()) / "schedule.alive"
HEARTBEAT_S = 10.0
CONNECT_S = 2.0


def problems(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong, one line each; never a password that an address holds."""
    home = Path(environ.get("GAMELAKE_HOME", "/var/lib/gamelake"))
    if home.is_mount() and not os.access(home, os.W_OK):  # a one-shot has no lake
        yield f"{home} cannot be written"
    for name, port in SERVERS.items():
        if value := environ.get(name):
            parts = urlsplit(value if "//" in value else f"//{value}")
            address = parts.hostname or "", parts.port or port
            if not _answers(address):
                yield f"{name}: no connection to {address[0]}:{address[1]}"
    if HEARTBEAT.exists() and time.time() - HEARTBEAT.stat().st_mtime > 6 * HEARTBEAT_S:
        yield "the schedule's loop stands still"


def _answers(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, CONNECT_S).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    found = list(problems(os.environ))
    sys.stdout.write("".join(f"{line}\n" for line in found))
    sys.exit(bool(found))
