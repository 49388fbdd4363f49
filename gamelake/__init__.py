"""gamelake: a lakehouse for video-game data.

import gamelake
with gamelake.connect() as lake:
    frame = lake.sql("SELECT * FROM genre_summary").df()
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gamelake.api import connect

__all__ = ["connect"]


def __getattr__(name: str) -> Any:
    """Import the API when it is first used: the command line needs a fast start."""
    if name in __all__:
        return getattr(importlib.import_module("gamelake.api"), name)
    raise AttributeError(f"module 'gamelake' has no attribute {name!r}")
