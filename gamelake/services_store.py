"""Probes of the operational store: reachable, migrated, and the quota that it counts."""

from functools import partial

from gamelake.context import database_url
from storage.database.address import parse_address, shown
from storage.database.engines import engine_for
from storage.database.probe import look
from storage.database.repositories.budget import budget_fingerprint
from storage.database.session import Database
from storage.layout import LakePaths
from utils.clock import SystemClock, iso
from utils.config import Settings
from utils.errors import UsageError
from utils.probing import TIMEOUT_S, Finding, Known, Probe

SPENT_HINT = "wait for the next month, or raise RAWG_MONTHLY_QUOTA with your plan"
_EMPTY = "no tables yet"
_ABSENT = Finding("no lake yet: the first run makes it", "unset")


def store_probe(settings: Settings) -> Probe:
    """Log in to the operational store and see how far it is migrated; nothing is changed."""
    hint = "docs/runbook.md, lost or damaged store"
    return Probe("store", _address(settings), partial(_look, settings), ("postgres",), hint=hint)


def quota_probe(settings: Settings) -> Probe:
    """Say how many requests are left this month, after the one that asks for the key."""
    return Probe(
        "rawg quota",
        "RAWG_MONTHLY_QUOTA",
        partial(_quota, settings),
        needs=("store",),
        after=("rawg key",),
    )


def _address(settings: Settings) -> str:
    try:
        url = parse_address(database_url(settings))
    except UsageError:
        return "DATABASE_URL"
    return str(url.database) if url.get_backend_name() == "sqlite" else shown(url)


def _look(settings: Settings, _: Known) -> Finding:
    if not settings.database_url.get_secret_value() and not _file_is_there(settings):
        return _ABSENT
    seen = look(database_url(settings), timeout_s=TIMEOUT_S)
    found, state = seen.migrations, seen.migrations.state
    if state == "newer":
        reason = f"schema {found.current} is of a newer gamelake"
        return Finding(reason, "down", "upgrade gamelake")
    if state == "current":
        return Finding(f"{seen.version}, schema is current ({found.current})")
    if state == "empty":
        detail = f"{seen.version}, {_EMPTY}"
    else:
        detail = f"{seen.version}, schema is behind: {found.current}, newest {found.newest}"
    return Finding(detail, hint="the next `gamelake ingest` or `gamelake etl` migrates it")


def _file_is_there(settings: Settings) -> bool:
    return LakePaths(settings.gamelake_home).store.is_file()


def _quota(settings: Settings, known: Known) -> Finding:
    quota, spent = settings.rawg_monthly_quota, 0
    if _counts(known):
        with _as_it_is(settings) as database, database.reading() as unit:
            spent = unit.budget.spent(*_month(settings))
    if not quota:
        return Finding(f"unlimited; {spent:,} requests this month")
    left = max(0, quota - spent)
    said = f"{left:,} of {quota:,} requests left"
    return Finding(said) if left else Finding(said, "spent", SPENT_HINT)


def take_request(settings: Settings, known: Known) -> bool:
    """Count one request that is about to be sent; False when this month has none left."""
    if not _counts(known):
        return True
    with _as_it_is(settings) as database, database.unit_of_work() as unit:
        if 0 < settings.rawg_monthly_quota <= unit.budget.spent(*_month(settings)):
            return False
        unit.budget.spend(*_month(settings), 1)
    return True


def _counts(known: Known) -> bool:
    """Return whether there are tables to count in; what has none has counted nothing."""
    store = known.get("store")
    return store is not None and store.state == "up" and _EMPTY not in store.detail


def _as_it_is(settings: Settings) -> Database:
    """Open the store without migrating it: requests are counted alike since the first schema."""
    return Database(engine_for(parse_address(database_url(settings))), SystemClock())


def _month(settings: Settings) -> tuple[str, str]:
    """Return whose requests are counted, and in which month."""
    key = settings.rawg_api_key.get_secret_value()
    return budget_fingerprint(settings.rawg_base_url, key), iso(SystemClock().now())[:7]
