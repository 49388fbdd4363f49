"""Which raw parts a build reads, and which of them are new to the published tables."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from etl.iceberg_catalog import PublishRecord
from storage.layout import GAMES, LOOKUPS, SOURCE_RAWG, YEAR_COUNTS
from storage.object_store import ObjectStore
from storage.raw_parts import RawPart, list_parts
from utils.errors import UsageError

ENTITIES = (GAMES, *LOOKUPS, YEAR_COUNTS)

Parts = Mapping[str, tuple[RawPart, ...]]


@dataclass(frozen=True)
class RawSelection:
    """The raw of one build, by entity.

    parts: everything the tables are to be made of, what is already applied first
    new: those of `parts` that the published tables do not hold yet
    forgotten: the published tables hold raw that is not wanted now (an older `--run`)
    late: some new row was fetched before the newest applied one
    """

    parts: Parts
    new: Parts
    forgotten: bool
    late: bool

    @property
    def new_rows(self) -> int:
        """Number of raw rows that the published tables do not hold yet."""
        return sum(part.manifest.rows for parts in self.new.values() for part in parts)

    def applied(self) -> dict[str, int]:
        """Return what a publish of this build records as applied."""
        highest: dict[str, int] = {}
        for part in _all(self.parts):
            highest[_key(part)] = max(part.manifest.number, highest.get(_key(part), 0))
        return highest


def select_raw(
    store: ObjectStore, record: PublishRecord | None, last_run: str | None = None
) -> RawSelection:
    """List the raw up to and including ingest run `last_run` (None: all of it).

    Raises UsageError when `last_run` has stored no raw.
    """
    applied = dict(record.raw_applied) if record is not None else {}
    stored = {entity: list_parts(store, SOURCE_RAWG, entity) for entity in ENTITIES}
    if last_run is not None:
        _require_run(stored, last_run)
    parts, new = {}, {}
    for entity, found in stored.items():
        wanted = [p for p in found if last_run is None or p.manifest.run_id <= last_run]
        new[entity] = tuple(part for part in wanted if not _is_applied(part, applied))
        parts[entity] = (*(part for part in wanted if _is_applied(part, applied)), *new[entity])
    selection = RawSelection(parts, new, forgotten=False, late=_is_late(parts, new))
    forgotten = any(number > selection.applied().get(key, 0) for key, number in applied.items())
    return RawSelection(parts, new, forgotten=forgotten, late=selection.late)


def _require_run(stored: Mapping[str, Sequence[RawPart]], run_id: str) -> None:
    if not any(part.manifest.run_id == run_id for part in _all(stored)):
        raise UsageError(
            f"no ingest run {run_id} has stored anything",
            operation="select raw",
            subject="--run",
            hint="`gamelake runs` lists the runs",
        )


def _is_applied(part: RawPart, applied: Mapping[str, int]) -> bool:
    return part.manifest.number <= applied.get(_key(part), 0)


def _is_late(parts: Parts, new: Parts) -> bool:
    """Return whether time order and order of arrival differ.

    A crawl reads windows side by side; when it dies, pages that wait in its spool reach raw after
    younger ones did. Then what is published is not the oldest observation any more.
    """
    fresh = {part.key for part in _all(new)}
    started = [p.manifest.first_fetched_at for p in _all(new) if p.manifest.rows]
    ended = [
        p.manifest.last_fetched_at for p in _all(parts) if p.manifest.rows and p.key not in fresh
    ]
    return bool(started and ended) and min(started) <= max(ended)


def _all(parts: Mapping[str, Sequence[RawPart]]) -> Iterable[RawPart]:
    return (part for several in parts.values() for part in several)


def _key(part: RawPart) -> str:
    return f"{part.manifest.entity}/{part.manifest.run_id}"
