"""Probes that need to know what the services are for: the lake's folder, its stores, the key."""

import os
import tempfile
import time
from contextlib import closing, suppress
from functools import partial

import requests

from etl.iceberg_catalog import open_catalog
from gamelake.context import database_url, existing_folder
from storage.database.repositories.budget import budget_fingerprint
from storage.database.session import Database
from storage.layout import MAIN, LakePaths
from utils.check_services import TIMEOUT_S, Probe, ServiceStatus, milliseconds_since
from utils.clock import iso
from utils.config import Settings
from utils.errors import GamelakeError


def deep_probes(settings: Settings) -> list[Probe]:
    """Return the probes of the embedded profile: folder, store, catalog and RAWG key."""
    probes = (probe_folder, probe_store, probe_catalog, probe_key)
    return [partial(probe, settings) for probe in probes]


def probe_folder(settings: Settings) -> ServiceStatus:
    """Write and sync a file where the lake is, or will be."""
    home, started = settings.gamelake_home.absolute(), time.perf_counter()
    hint = f"make {home} a folder you may write to, or set GAMELAKE_HOME"
    try:
        with tempfile.TemporaryFile(dir=existing_folder(home)) as file:
            file.write(b"gamelake")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        reason = f"cannot be written ({error.strerror})"
        return ServiceStatus("folder", str(home), "down", detail=reason, hint=hint)
    return ServiceStatus("folder", str(home), "up", milliseconds_since(started), "can be written")


def probe_store(settings: Settings) -> ServiceStatus:
    """Open the operational store, which migrates it, and read from it."""
    address = str(LakePaths(settings.gamelake_home).store)
    if not _has_lake(settings):
        return _not_yet("store", address)
    started = time.perf_counter()
    try:
        with Database.open(database_url(settings)) as database, database.reading() as unit:
            runs = len(unit.runs.list(limit=1))
    except GamelakeError as error:
        return ServiceStatus("store", address, "down", detail=error.message, hint=error.hint)
    detail = "migrated" + ("" if runs else ", no run yet")
    return ServiceStatus("store", address, "up", milliseconds_since(started), detail)


def probe_catalog(settings: Settings) -> ServiceStatus:
    """Open the catalog and pin main."""
    address = str(LakePaths(settings.gamelake_home).catalog)
    if not _has_lake(settings):
        return _not_yet("catalog", address)
    started = time.perf_counter()
    try:
        with closing(open_catalog(settings)) as catalog:
            tables = len(catalog.pin(MAIN).tables)
    except GamelakeError as error:
        return ServiceStatus("catalog", address, "down", detail=error.message, hint=error.hint)
    return ServiceStatus("catalog", address, "up", milliseconds_since(started), f"{tables} tables")


def probe_key(settings: Settings) -> ServiceStatus:
    """Spend one request on asking RAWG whether it takes the key."""
    key, url = settings.rawg_api_key.get_secret_value(), settings.rawg_base_url
    if not key:
        hint = "get a free key at https://rawg.io/apidocs and put it in .env as RAWG_API_KEY"
        return ServiceStatus("rawg key", url, "unset", detail=f"RAWG_API_KEY is not set; {hint}")
    started = time.perf_counter()
    try:
        response = requests.get(f"{url}/genres", params={"key": key}, timeout=TIMEOUT_S)
    except requests.RequestException as error:
        reason = f"does not answer ({type(error).__name__})"  # its text would hold the key
        hint = "see the rawg line"
        return ServiceStatus("rawg key", url, "down", detail=reason, hint=hint)
    elapsed = milliseconds_since(started)
    response.close()
    with suppress(GamelakeError):  # a store that does not answer has a line of its own
        _count_request(settings)
    if response.status_code == 200:
        return ServiceStatus("rawg key", url, "up", elapsed, "accepted")
    hint = "the key is wrong, or its monthly quota is spent: https://rawg.io/apidocs"
    reason = f"refused with {response.status_code}"
    return ServiceStatus("rawg key", url, "down", elapsed, reason, hint)


def _has_lake(settings: Settings) -> bool:
    return LakePaths(settings.gamelake_home).store.is_file()


def _not_yet(service: str, address: str) -> ServiceStatus:
    return ServiceStatus(service, address, "unset", detail="no lake yet: the first run makes it")


def _count_request(settings: Settings) -> None:
    """Count the request in the month's budget, where there is a lake to count it in."""
    if not _has_lake(settings):
        return
    with Database.open(database_url(settings)) as database, database.unit_of_work() as unit:
        fingerprint = budget_fingerprint(
            settings.rawg_base_url, settings.rawg_api_key.get_secret_value()
        )
        unit.budget.spend(fingerprint, iso(database.clock.now())[:7], 1)
