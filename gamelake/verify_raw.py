"""Invariants of raw and of what ingestion keeps about it."""

from collections.abc import Iterator

import pyarrow.compute as pc

from gamelake.context import Lake
from gamelake.lake_status import WATERMARK
from storage.layout import GAMES, SOURCE_RAWG
from storage.raw_parts import RawPart, list_parts, part_problems

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
    """Yield runs whose manifests and own figures differ, and pages that no manifest has."""
    parts = list_parts(lake.raw, SOURCE_RAWG, GAMES)
    with lake.database.reading() as unit:
        for run in unit.runs.list(limit=10_000, kind="ingest"):
            own = [part.manifest for part in parts if part.manifest.run_id == run.run_id]
            seen = sum(page.rows for manifest in own for page in manifest.pages)
            if run.state == "completed" and run.summary.get("games_seen") != seen:
                yield (
                    f"run {run.run_id} says {run.summary.get('games_seen')} rows seen, "
                    f"its manifests {seen}"
                )
            rolled = {(page.window, page.page) for manifest in own for page in manifest.pages}
            for window in unit.windows.list(run.run_id):
                pages = unit.windows.pages_done(run.run_id, window.window)
                for page in sorted(pages - {page for name, page in rolled if name == window.window}):
                    yield f"run {run.run_id}: page {page} of {window.window} is in no manifest"


def watermark_is_behind(lake: Lake) -> Iterator[str]:
    """Yield a watermark that is past what raw holds, and spooled pages that no run will roll."""
    with lake.database.reading() as unit:
        watermark = unit.state.get(WATERMARK)
        unfinished = {r.run_id for r in unit.runs.list(10_000, "ingest") if r.state in _UNFINISHED}
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
