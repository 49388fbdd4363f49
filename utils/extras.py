"""How to get a package that not everybody needs."""

import os
import shlex
import sys
from pathlib import Path


def install_command(requirement: str) -> str:
    """Return the command that installs `requirement` where this program runs."""
    python = Path(sys.executable)
    shown = os.path.relpath(python) if python.is_relative_to(Path.cwd()) else str(python)
    return shlex.join([shown, "-m", "pip", "install", requirement])
