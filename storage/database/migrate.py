"""Bringing the operational store's schema up to date, from any working directory."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from utils.errors import UsageError

_SCRIPTS = Path(__file__).with_name("migrations")


def migrate(engine: Engine) -> None:
    """Upgrade to the newest schema; all of it or, on an error, nothing.

    Raises UsageError when the store has a schema that this version does not know: a newer
    gamelake wrote it, and writing to it could break what that one relies on.
    """
    with engine.begin() as connection:
        config = alembic_config(connection)
        scripts = ScriptDirectory.from_config(config)
        current = MigrationContext.configure(connection).get_current_revision()
        if current == scripts.get_current_head():
            return
        _refuse_unknown(scripts, current, engine)
        command.upgrade(config, "head")


def alembic_config(connection: Connection) -> Config:
    """Return the configuration for running our migrations over `connection`."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _refuse_unknown(scripts: ScriptDirectory, current: str | None, engine: Engine) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise UsageError(
            f"the operational store has schema {current}, which this version does not know",
            operation="open the operational store",
            subject=engine.url.render_as_string(hide_password=True),
            hint="it was written by a newer gamelake: upgrade gamelake",
        )
