"""Looking at an operational store without changing it."""

from dataclasses import dataclass

from sqlalchemy import URL

from storage.database.address import parse_address
from storage.database.engines import engine_for
from storage.database.failures import plain_errors
from storage.database.migrate import Migrations, migrations


@dataclass(frozen=True)
class StoreLook:
    """What a store is: its server's version (or SQLite's) and how far it is migrated."""

    version: str
    migrations: Migrations


def look(url: str, *, timeout_s: float) -> StoreLook:
    """Connect within `timeout_s` (whole seconds, at least 2) and look.

    Raises UsageError for an address that cannot be used, ServiceDown when nothing answers.
    """
    engine = engine_for(_impatient(parse_address(url), timeout_s))
    try:
        with (
            plain_errors("look at the operational store", engine.url),
            engine.connect() as connection,
        ):
            reader = connection.execution_options(reading=True)
            state = migrations(reader)
            version = ".".join(map(str, reader.dialect.server_version_info or ()))
    finally:
        engine.dispose()
    return StoreLook(f"{engine.dialect.name} {version}", state)


def _impatient(url: URL, timeout_s: float) -> URL:
    if url.get_backend_name() == "sqlite":
        return url
    return url.update_query_dict({"connect_timeout": str(max(2, int(timeout_s)))})
