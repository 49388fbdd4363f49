"""The environments of the peers: one each, made once, from pinned requirements."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

PEERS = Path(__file__).with_name("peers")


def peer_python(peer: str) -> str:
    """Return the interpreter of a peer, whose environment is made when it is missing or old.

    It lies below `~/.cache/gamelake` (XDG_CACHE_HOME is honoured). Raises CalledProcessError when
    its packages cannot be had.
    """
    wanted = PEERS / peer / "requirements.txt"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = cache / "gamelake" / f"bench-{peer}"
    python, ready = home / "bin" / "python", home / ".ready"
    state = f"{hashlib.sha256(wanted.read_bytes()).hexdigest()} {sys.version}"
    if not ready.is_file() or ready.read_text() != state:
        print(f"installing {peer} into {home}", file=sys.stderr)
        venv.create(home, clear=True, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--no-deps", "--requirement", str(wanted)], check=True)
        ready.write_text(state)
    return str(python)
