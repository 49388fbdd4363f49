"""Every probe of the configured profile: addresses, and what is behind them."""

import os
import tempfile
from contextlib import closing
from functools import partial

import requests

from etl.iceberg_catalog import open_catalog
from gamelake.context import existing_folder
from gamelake.services_stack import stack_probes
from gamelake.services_store import SPENT_HINT, quota_probe, store_probe, take_request
from storage.layout import MAIN, LakePaths
from utils.check_services import RAWG_HINT, address_probes, without_login
from utils.config import Settings
from utils.probing import TIMEOUT_S, Finding, Known, Probe

_ORDER = (
    *("rawg", "rawg key", "rawg quota", "folder"),
    *("minio", "bucket raw", "bucket warehouse", "nessie", "warehouse"),
    *("postgres", "store", "catalog", "dremio", "dremio sources"),
)


def all_probes(settings: Settings) -> list[Probe]:
    """Return the probes of the profile; those that others need come first."""
    probes = [*address_probes(settings), folder_probe(settings), store_probe(settings)]
    probes += [key_probe(settings), quota_probe(settings)]
    if settings.gamelake_profile == "stack":
        return [*probes, *stack_probes(settings)]
    return [*probes, catalog_probe(settings)]


def place(service: str) -> int:
    """Return where a service stands in a table: near what it has to do with."""
    return _ORDER.index(service)


def folder_probe(settings: Settings) -> Probe:
    """Write and sync a file where the lake is, or will be."""
    home = settings.gamelake_home.absolute()

    def ask(_: Known) -> Finding:
        try:
            with tempfile.TemporaryFile(dir=existing_folder(home)) as file:
                file.write(b"gamelake")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            hint = f"make {home} a folder you may write to, or set GAMELAKE_HOME"
            return Finding(f"cannot be written ({error.strerror})", "down", hint)
        return Finding("can be written")

    return Probe("folder", str(home), ask)


def catalog_probe(settings: Settings) -> Probe:
    """Open the embedded catalog and pin main."""
    paths = LakePaths(settings.gamelake_home)

    def ask(_: Known) -> Finding:
        if not paths.store.is_file():
            return Finding("no lake yet: the first run makes it", "unset")
        with closing(open_catalog(settings)) as catalog:
            return Finding(f"{len(catalog.pin(MAIN).tables)} tables")

    return Probe("catalog", str(paths.catalog), ask)


def key_probe(settings: Settings) -> Probe:
    """Spend one request, if one is left, on asking RAWG whether it takes the key."""
    address = without_login(settings.rawg_base_url)
    ask = partial(_ask_key, settings)
    return Probe("rawg key", address, ask, needs=("rawg",), after=("store",))


def _ask_key(settings: Settings, known: Known) -> Finding:
    key = settings.rawg_api_key.get_secret_value()
    url = f"{settings.rawg_base_url.rstrip('/')}/genres"
    if not key:
        hint = "get a free key at https://rawg.io/apidocs and put it in .env as RAWG_API_KEY"
        return Finding("RAWG_API_KEY is not set", "unset", hint)
    if not take_request(settings, known):
        return Finding("not asked: no request is left", "spent", SPENT_HINT)
    # A redirect would carry the key to wherever it points.
    response = requests.get(
        url, params={"key": key}, timeout=TIMEOUT_S, stream=True, allow_redirects=False
    )
    response.close()
    return _judged(response.status_code)


def _judged(status: int) -> Finding:
    """Say what RAWG's answer to a request with our key means."""
    if status == 200:
        return Finding("accepted")
    if status in (401, 403):
        hint = "the key is wrong, or its monthly quota is spent: https://rawg.io/apidocs"
        return Finding(f"refused with {status}", "down", hint)
    if status == 429:
        hint = "wait a minute; a lower RAWG_MAX_RPS asks less often"
        return Finding("asked too fast (429)", "down", hint)
    hint = RAWG_HINT if status >= 500 else "is RAWG_BASE_URL right? RAWG's is the default"
    return Finding(f"answers {status}", "down", hint)
