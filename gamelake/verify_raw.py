"""Invariants of raw and of what ingestion keeps about it."""

from collections import Counter
from collections.abc import Iterable, Iterator

import pyarrow.compute as pc

from gamelake.context import Lake
from storage.database.repositories.runs import Run
from storage.layout import GAMES, SOURCE_RAWG, WATERMARK
from storage.raw_parts import RawPart, list_parts, part_problems

_EVERY = 1_000_000
_UNFINISHED = ("queued", "running", "paused", "failed")


def every_part(lake: Lake) -> Iterator[RawPart]:
    """Yield every part that has a manifest, of every source and entity."""
    keys = (info.key.split("/") for info in lake.raw.list(""))
    for source, entity in sorted({(key[0], key[1]) for key in keys if len(key) == 4}):
        yield from list_parts(lake.raw, source, entity)


def parts_are_whole(lake: Lake) -> Iterator[str]:
    """Yield what is wrong with stored parts: checksum, row count, rows not accounted for."""
    for part in every_part(lake):
        yield from part_problems(lake.raw, part)


def rows_are_accounted_for(lake: Lake) -> Iterator[str]:
    """Yield runs that counted other pages or bad rows than their manifests hold.

    That each manifest's own rows add up, `parts_are_whole` says.
    """
    parts = list_parts(lake.raw, SOURCE_RAWG, GAMES)
    with lake.database.reading() as unit:
        for run in unit.runs.list(_EVERY, kind="ingest"):
            own = [part for part in parts if part.manifest.run_id == run.run_id]
            yield from _miscounted(run, own, unit.windows.parts(run.run_id))
            held = {(page.window, page.page) for part in own for page in part.manifest.pages}
            for window in unit.windows.list(run.run_id):
                done = unit.windows.pages_done(run.run_id, window.window)
                for page in sorted(done - {page for name, page in held if name == window.window}):
                    yield f"run {run.run_id}: page {page} of {window.window} is in no manifest"


def _miscounted(run: Run, parts: list[RawPart], named: set[str]) -> Iterator[str]:
    """A run that was killed may have a part that it had no time to count; it counts it later.

    Not so when another host finishes it, which does not have its spool: that one fetches the
    pages again, and nothing names the first part, whose rows are stored twice.
    """
    counters = run.summary.get("counters", {})
    unnamed = _held(part for part in parts if part.key not in named)
    for name, count in _held(parts).items():
        counted = counters.get(name, 0)
        least = count - unnamed[name] if run.state == "completed" else 0
        if not least <= counted <= count:
            yield f"run {run.run_id} counted {counted} {name}, its manifests hold {count}"


def _held(parts: Iterable[RawPart]) -> Counter[str]:
    held = Counter(pages=0, quarantined=0)
    for part in parts:
        held.update(pages=len(part.manifest.pages), quarantined=part.manifest.quarantined)
    return held


def watermark_is_behind(lake: Lake) -> Iterator[str]:
    """Yield a watermark that is past what raw holds, and spooled pages that no run will roll."""
    with lake.database.reading() as unit:
        watermark = unit.state.get(WATERMARK)
        unfinished = {r.run_id for r in unit.runs.list(_EVERY, "ingest") if r.state in _UNFINISHED}
    newest = _newest_update(lake)
    if watermark and watermark > newest:
        yield f"the watermark is {watermark}, the newest stored change {newest or 'none'}"
    for path in sorted(lake.paths.spool.rglob("*.spool")):
        run_id = path.relative_to(lake.paths.spool).parts[0]
        if run_id not in unfinished:
            yield f"{path} holds pages of the run {run_id}, which nothing will resume"


def _newest_update(lake: Lake) -> str:
    keys = [part.key for part in list_parts(lake.raw, SOURCE_RAWG, GAMES)]
    updated = lake.raw.read_table(keys, ["updated"])
    return (pc.max(updated["updated"]).as_py() or "") if keys else ""
