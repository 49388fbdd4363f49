"""DATABASE_URL: which databases it may name, and how it is shown."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from utils.errors import UsageError

_POSTGRES = "postgresql+psycopg"
_DRIVERS = {
    "sqlite": "sqlite",
    "postgres": _POSTGRES,  # as some hosters write it
    "postgresql": _POSTGRES,
    _POSTGRES: _POSTGRES,
}


def parse_address(text: str) -> URL:
    """Return the address in `text`; raises UsageError, which never quotes what may be secret."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise _unusable("it is no database address") from None
    except ValueError:  # its text quotes the port, which may be a piece of the password
        raise _unusable("its port is no number") from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise _unusable("it is neither PostgreSQL nor SQLite")
    if url.host is not None and "@" in url.host:
        raise _unusable("its password holds an @ or a / that is not percent-encoded")
    return url.set(drivername=driver)


def shown(url: URL) -> str:
    """Return the address without any secret: options may hold passwords too."""
    return url.set(query={}).render_as_string(hide_password=True)


def _unusable(why: str) -> UsageError:
    return UsageError(
        f"DATABASE_URL cannot be used: {why}",
        operation="open the operational store",
        subject="DATABASE_URL",
        hint="postgresql://USER:PASSWORD@HOST:5432/DATABASE, or leave it empty for a file in the"
        " lake",
    )
