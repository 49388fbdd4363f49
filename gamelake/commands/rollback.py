"""`gamelake rollback`: an earlier publish becomes current, all tables at once."""

from etl.iceberg_catalog import PinnedCatalog
from etl.run_log import tag_published
from gamelake.context import Lake, open_lake
from gamelake.options import Rollback
from gamelake.session import Session
from serving.lake import resolve
from storage.database.writer import hold_writer
from storage.layout import MAIN
from utils.errors import UsageError


def run(options: Rollback, session: Session) -> None:
    """Show what changes, ask, and move `main`."""
    with open_lake(session.settings) as lake:
        name = resolve(options.run_id, lake.catalog.references())
        now, then = lake.catalog.pin(MAIN), lake.catalog.pin(name)
        session.terminal.note(f"now:   {_describe(now)}\nafter: {_describe(then)}")
        if now.head != then.head:
            _confirm(options, session)
            _move(lake, name, wait_s=options.wait)
    changed = now.head != then.head
    data = {"changed": changed, "reference": name, "from": now.head, "commit": then.head}
    text = (
        f"Rolled back to {name}: {_describe(then)}." if changed else f"{name} is current already."
    )
    session.terminal.result(data, text)
    session.terminal.next_steps("gamelake etl (applies again what came later)", "gamelake status")


def _move(lake: Lake, name: str, *, wait_s: float) -> None:
    clock = lake.database.clock
    with hold_writer(lake.database, wait_s=wait_s, above=lake.catalog.fence()) as lease:
        tag_published(lake.catalog)  # or nobody could come back to it
        before = lake.catalog.pin(MAIN).head
        after = lake.catalog.assign(MAIN, name, fence=lease.epoch)
        with lake.database.unit_of_work(lease) as unit:
            unit.audit.add("rollback", name, f"{before} -> {after.head}", clock.now())


def _describe(pinned: PinnedCatalog) -> str:
    if pinned.record is None:
        return "nothing published"
    rows = sum(pinned.record.rows.values())
    return f"run {pinned.record.run_id}, {rows:,} rows, {pinned.record.published_at[:19]} UTC"


def _confirm(options: Rollback, session: Session) -> None:
    if options.yes:
        return
    if not session.terminal.interactive:
        raise UsageError(
            "a rollback must be confirmed",
            operation="rollback",
            subject="--yes",
            hint=f"gamelake rollback {options.run_id} --yes",
        )
    session.terminal.err.write("Make that the current publish? [y/N] ")
    session.terminal.err.flush()
    if input().strip().lower() not in ("y", "yes"):
        raise UsageError("not confirmed, nothing changed", operation="rollback")
