"""Opens a lake for reading, at main or at any published run, tag or branch."""

import re
from collections.abc import Mapping
from contextlib import closing
from difflib import get_close_matches

from etl.iceberg_catalog import Ref, open_catalog
from serving.engine import MEMORY_LIMIT, QueryEngine
from storage.layout import MAIN, LakePaths, run_tag
from utils.config import Settings
from utils.errors import UsageError

_SHOWN = 5
_COMMIT = re.compile("[0-9a-f]{40}")
_NESSIE_COMMIT = re.compile("[0-9a-f]{64}")


def connect(
    settings: Settings,
    at: str | None = None,
    *,
    timeout: float | None = None,
    memory_limit: str = MEMORY_LIMIT,
) -> QueryEngine:
    """Return an engine pinned to `at`: a run id, tag, branch or commit; None is main as it is now.

    Raises UsageError when there is no lake, nothing is published, or `at` does not exist.
    """
    _require_lake(settings)
    with closing(open_catalog(settings)) as catalog:
        name = resolve(at, catalog.references())
        pinned = catalog.pin(name)
        if not pinned.tables:
            raise _nothing(f"nothing is published on {name} yet", name)
        return QueryEngine(pinned, files=catalog.files, timeout=timeout, memory_limit=memory_limit)


def resolve(at: str | None, references: Mapping[str, Ref]) -> str:
    """Return the reference that `at` means; raises UsageError naming the nearest ones.

    `at` may also be a commit: one that a publish reported, or one of Nessie's own, which only
    the catalog can look up.
    """
    if at is None:
        return MAIN
    for name in (at, run_tag(at)):
        if name in references:
            return name
    if _NESSIE_COMMIT.fullmatch(at):
        return at
    if _COMMIT.fullmatch(at):
        for name, reference in references.items():
            if reference.head == at:
                return name
    known = sorted(references, reverse=True)
    near = get_close_matches(at, known, n=_SHOWN, cutoff=0.5) or known[:_SHOWN]
    raise UsageError(
        f"there is no run, tag or branch {at!r}",
        operation="open lake",
        subject=at,
        hint=f"try {', '.join(near)}; `gamelake runs` lists the runs",
    )


def _require_lake(settings: Settings) -> None:
    # Reading must not create anything: opening the catalog would.
    paths = LakePaths(settings.gamelake_home)
    if settings.gamelake_profile == "embedded" and not paths.catalog.is_file():
        raise _nothing(f"there is no lake in {paths.home}", str(paths.home))


def _nothing(message: str, subject: str) -> UsageError:
    return UsageError(
        message,
        operation="open lake",
        subject=subject,
        hint="gamelake run (or gamelake demo) builds one; GAMELAKE_HOME says where it is",
    )
