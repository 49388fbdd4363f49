"""The lake from Python: `import gamelake; gamelake.connect().sql("...")`."""

import os
from pathlib import Path

from serving.engine import QueryEngine
from serving.lake import connect as open_engine
from utils.config import load_settings


def connect(home: str | Path | None = None, *, at: str | None = None) -> QueryEngine:
    """Return a read-only engine over one published commit of the lake in `home`.

    `home` is GAMELAKE_HOME unless given; `at` is a run id or tag, None the newest publish.
    `.sql(text)` gives `.df()` (pandas), `.pl()` (Polars), `.arrow()` or `.fetchall()`. Use it as
    a context manager or call `.close()`. Raises UsageError when there is nothing to read.
    """
    settings = load_settings(os.environ)
    if home is not None:
        settings = settings.model_copy(update={"gamelake_home": Path(home)})
    return open_engine(settings, at)
