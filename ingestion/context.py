"""What a run is given: settings, places, time, and what the user asked for."""

import calendar
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from storage.database.session import Database
from storage.object_store import ObjectStore
from utils.clock import Clock
from utils.config import Settings
from utils.errors import UsageError
from utils.progress import ProgressListener

Strategy = Literal["dates", "browse"]
_MONTH = re.compile(r"(?!0000)[0-9]{4}-(0[1-9]|1[0-2])")  # the calendar begins with the year 1


@dataclass(frozen=True)
class IngestRequest:
    """What to fetch. `first` and `last` are whole months, `YYYY-MM`; `limit` counts games."""

    first: str | None = None
    last: str | None = None
    limit: int | None = None
    full: bool = False
    strategy: Strategy = "dates"

    @property
    def has_range(self) -> bool:
        """True when the user named months."""
        return self.first is not None or self.last is not None


@dataclass(frozen=True)
class IngestContext:
    """Everything a run touches. `wait_s` is how long to wait for another writer to end."""

    settings: Settings
    raw: ObjectStore
    database: Database
    spool: Path
    progress: ProgressListener
    clock: Clock
    stop: threading.Event
    wait_s: float = 0.0


def check_request(request: IngestRequest) -> None:
    """Raise UsageError when the request contradicts itself."""
    for name, month in (("--from", request.first), ("--to", request.last)):
        if month is not None and not _MONTH.fullmatch(month):
            raise _usage(f"{name} {month} is not a month", name, "write it as YYYY-MM")
    if request.first and request.last and request.first > request.last:
        raise _usage(f"{request.first} is after {request.last}", "--from", "swap the two months")
    if request.limit is not None and request.limit < 1:
        raise _usage(f"--limit {request.limit} asks for nothing", "--limit", "ask for 1 or more")
    if request.strategy == "browse" and request.has_range:
        hint = "leave out --strategy browse, or --from and --to"
        raise _usage("the browse listing has no date filter", "--strategy", hint)


def check_key(settings: Settings) -> None:
    """Raise UsageError when there is no API key."""
    if not settings.rawg_api_key.get_secret_value():
        raise UsageError(
            "RAWG_API_KEY is not set",
            operation="ingest",
            subject="RAWG_API_KEY",
            hint="get a free key at https://rawg.io/apidocs and put it in .env;"
            " `gamelake demo` needs none",
        )


def month_start(month: str) -> str:
    """Return the first day of `YYYY-MM`."""
    return f"{month}-01"


def month_end(month: str) -> str:
    """Return the last day of `YYYY-MM`."""
    year, number = int(month[:4]), int(month[5:])
    return f"{month}-{calendar.monthrange(year, number)[1]:02d}"


def _usage(message: str, subject: str, hint: str) -> UsageError:
    return UsageError(message, operation="ingest", subject=subject, hint=hint)
