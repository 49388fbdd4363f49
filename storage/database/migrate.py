"""Bringing the operational store's schema up to date, from any working directory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from storage.database.address import shown
from storage.database.engines import commit
from utils.errors import UsageError

_SCRIPTS = Path(__file__).with_name("migrations")


@dataclass(frozen=True)
class Migrations:
    """How far a store is migrated; `current` is None before its first migration."""

    current: str | None
    newest: str
    known: bool

    @property
    def state(self) -> Literal["empty", "current", "behind", "newer"]:
        """Say what that means to this version of gamelake."""
        if self.current is None:
            return "empty"
        if not self.known:
            return "newer"
        return "current" if self.current == self.newest else "behind"


def migrations(connection: Connection) -> Migrations:
    """Look at how far a store is migrated; nothing is written."""
    scripts = ScriptDirectory(str(_SCRIPTS))
    current, newest = _revision(connection), scripts.get_current_head()
    known = {script.revision for script in scripts.walk_revisions()}
    return Migrations(current, str(newest), current in known)


def migrate(engine: Engine) -> None:
    """Upgrade to the newest schema; all of it or, on an error, nothing.

    Raises UsageError when the store has a schema that this version does not know: a newer
    gamelake wrote it, and writing to it could break what that one relies on.
    """
    with engine.connect() as connection:
        # Only looked at, so that opening a store waits for no one who is writing to it.
        if migrations(connection.execution_options(reading=True)).state == "current":
            return
    with engine.connect() as connection:  # writers take turns: so do those who migrate
        _refuse_newer(migrations(connection), engine)
        command.upgrade(alembic_config(connection), "head")
        commit(connection)


def alembic_config(connection: Connection) -> Config:
    """Return the configuration for running our migrations over `connection`."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(found: Migrations, engine: Engine) -> None:
    if found.state == "newer":
        raise UsageError(
            f"the operational store has schema {found.current}, which this version does not know",
            operation="open the operational store",
            subject=shown(engine.url),
            hint="it was written by a newer gamelake: upgrade gamelake",
        )
