"""DATABASE_URL: what it may name, and that nothing of it is quoted that may be secret."""

import pytest

from storage.database.address import parse_address, shown
from storage.database.session import Database
from utils.config import Settings
from utils.errors import UsageError

CANARY = "canary-of-the-store"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_is_one_driver(scheme: str) -> None:
    url = parse_address(f"{scheme}://user:pass%40word@server:5433/lake")
    assert url.drivername == "postgresql+psycopg"
    assert (url.username, url.password, url.host) == ("user", "pass@word", "server")
    assert (url.port, url.database) == (5433, "lake")


@pytest.mark.parametrize(
    "text",
    [
        f"mysql://user:{CANARY}@server/lake",
        f"postgresql+psycopg2://user:{CANARY}@server/lake",
        f"postgresql+asyncpg://user:{CANARY}@server/lake",
        f"mssql+pyodbc://user:{CANARY}@server/lake",
        f"nosuch://user:{CANARY}@server/lake",
        f"postgresql://user:some@{CANARY}@server/lake",
        f"postgresql://user:some:{CANARY}@server:{CANARY}/lake",
        f"user:{CANARY}@server/lake",
        CANARY,
    ],
)
def test_another_engine_or_a_broken_address_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="DATABASE_URL cannot be used") as caught:
        Database.open(text)
    told = f"{caught.value} {caught.value.as_dict()} {caught.value.__cause__}"
    assert CANARY not in told
    assert "postgresql://USER:PASSWORD@HOST" in caught.value.hint


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    url = parse_address(f"postgresql://user:{CANARY}@server/lake?sslpassword={CANARY}&sslmode=no")
    assert shown(url) == "postgresql+psycopg://user:***@server/lake"


def test_the_password_of_the_address_is_a_secret_of_its_own() -> None:
    secrets = Settings(database_url="postgresql://user:pass%40word@server/lake").secrets()
    assert "pass@word" in secrets
    plain = Settings(database_url="postgresql://gamelake:gamelake@server/lake").secrets()
    assert plain == ("postgresql://gamelake:gamelake@server/lake",)
    assert Settings(database_url="postgresql://[broken").secrets() == ("postgresql://[broken",)
