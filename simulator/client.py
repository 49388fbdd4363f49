"""The control endpoint of a simulator, from another process."""

import base64
import http.client
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from simulator.config import FaultProfile
from simulator.vocabulary import Row
from utils.errors import ServiceDown


class ControlClient:
    """Calls the verbs of `control.Controls`; raises ServiceDown when one is refused.

    `control.py` says what each verb does; here are their types.
    """

    def __init__(self, base_url: str) -> None:
        self._netloc = urlsplit(base_url).netloc

    def call(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Carry out one verb and return its answer."""
        connection = http.client.HTTPConnection(self._netloc, timeout=60)
        try:
            connection.request("POST", f"/__control__/{verb}", json.dumps(arguments).encode())
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise ServiceDown(
                answer["error"],
                operation="control the simulator",
                subject=verb,
                hint="simulator/control.py lists the verbs and their arguments",
            )
        return answer

    def state(self) -> dict[str, Any]:
        """Return games, clock, knobs, fault profile and versions left."""
        return self.call("state")

    def counters(self) -> dict[str, Any]:
        """Return `kinds`, `pages`, `faults` and `quota_spent` since the last reset."""
        return self.call("counters")

    def reset_counters(self) -> None:
        """Count requests from zero."""
        self.call("reset_counters")

    def advance(self, seconds: int) -> str:
        """Move the clock; returns the new time."""
        clock: str = self.call("advance", seconds=seconds)["clock"]
        return clock

    def step(self) -> list[int]:
        """Apply the next recorded version of each game; returns the ids that changed."""
        changed: list[int] = self.call("step")["changed"]
        return changed

    def change(self, ident: int, *, touch: bool = True, **fields: Any) -> str:
        """Set fields of a game; returns its `updated`."""
        updated: str = self.call("change", ident=ident, fields=fields, touch=touch)["updated"]
        return updated

    def remove(self, ids: Sequence[int]) -> None:
        """Let games vanish from every listing."""
        self.call("remove", idents=list(ids))

    def add(self, **game: Any) -> int:
        """Add a game with these fields; returns its id."""
        ident: int = self.call("add", game=game)["id"]
        return ident

    def row(self, ident: int) -> Row:
        """Return a game's browse row."""
        row: Row = self.call("row", ident=ident)["row"]
        return row

    def raw(self, ident: int, body: bytes) -> None:
        """Serve these bytes in place of a game's row."""
        self.call("raw", ident=ident, body=base64.b64encode(body).decode())

    def set(self, **knobs: Any) -> None:
        """Turn knobs of `config.Knobs`."""
        self.call("set", **knobs)

    def lie(self, **lies: Any) -> None:
        """Let listings be wrong as `config.Lies` says; without arguments they are right again."""
        self.call("lie", **lies)

    def churn(self, games: int, *, seed: int = 1) -> list[int]:
        """Let random games gain an owner and a new `updated`; returns their ids."""
        changed: list[int] = self.call("churn", games=games, seed=seed)["changed"]
        return changed

    def faults(self, profile: FaultProfile, seed: int = 1) -> None:
        """Start a fault profile; faults of single pages are forgotten."""
        self.call("faults", profile=profile, seed=seed)

    def page_fault(self, match: str, kind: str, *, times: int = 1, skip: int = 0) -> None:
        """Break requests whose path and query contain `match` (kinds: `faults.KINDS`)."""
        self.call("page_fault", match=match, kind=kind, times=times, skip=skip)

    def reset_quota(self, spent: int = 0) -> None:
        """Begin a new month."""
        self.call("reset_quota", spent=spent)
