"""From an address to a logged-in client: wait until Dremio is up, make its first user."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from serving.dremio_client import DremioClient
from utils.config import Settings
from utils.errors import ServiceDown, UsageError

_PASSWORD = re.compile(r"(?=.*[0-9])(?=.*[a-zA-Z]).{8,}", re.ASCII)
_POLL_S = 1.0
_SAY_EVERY_S = 10.0


@dataclass(frozen=True)
class Patience:
    """How long to wait and how to say so; clock and sleep are switched by tests."""

    seconds: float
    say: Callable[[str], None]
    now: Callable[[], float] = field(default=time.monotonic)
    sleep: Callable[[float], None] = field(default=time.sleep)


def credentials(settings: Settings) -> tuple[str, str]:
    """Return user and password; raises UsageError for what Dremio would never take."""
    user, password = settings.dremio_user, settings.dremio_password.get_secret_value()
    if not user or not password:
        raise _unfit("not set", "DREMIO_PASSWORD" if user else "DREMIO_USER")
    if not _PASSWORD.fullmatch(password):
        raise _unfit("too weak for Dremio: 8 characters, a letter and a digit", "DREMIO_PASSWORD")
    return user, password


def wait_until_ready(client: DremioClient, patience: Patience, address: str) -> None:
    """Return when Dremio is up; raises ServiceDown when it is not in time."""
    started, said = patience.now(), -_SAY_EVERY_S
    while not client.ready():
        waited = patience.now() - started
        if waited >= patience.seconds:
            raise ServiceDown(
                f"Dremio was not up within {patience.seconds:g} s",
                operation="wait for Dremio",
                subject=address,
                hint="docker compose up -d dremio, docker compose logs dremio; it takes 1 to 3 "
                "minutes to start: --wait SECONDS waits longer",
            )
        if waited - said >= _SAY_EVERY_S:
            patience.say(f"waiting for Dremio at {address}: {waited:.0f} s")
            said = waited
        patience.sleep(_POLL_S)


def log_in(client: DremioClient, user: str, password: str, *, create: bool) -> bool:
    """Log in; return whether Dremio had no user, whom we made if `create`.

    Raises UsageError when Dremio refuses the user.
    """
    if client.login(user, password):
        return False
    if not create:
        return True
    client.create_first_user(user, password)
    if not client.login(user, password):
        raise ServiceDown(
            "Dremio made the first user and does not know it",
            operation="create the first user",
            subject=user,
            hint="the same command again",
        )
    return True


def _unfit(what: str, variable: str) -> UsageError:
    return UsageError(
        f"{variable} is {what}",
        operation="log in to Dremio",
        subject=variable,
        hint="make up writes one to .env; else set it in the environment or in .env",
    )
