"""`POST /__control__/<verb>` with a JSON object: what a test may do to a running simulator.

Verbs and their arguments are the public methods of `Controls`; `client.ControlClient` calls them.
"""

import base64
import json
import random
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from typing import Any, get_args

from simulator.app import Simulator
from simulator.config import FaultProfile, Knobs, Lies
from simulator.faults import KINDS, PageFault
from simulator.query import stamp
from simulator.vocabulary import Row

Answer = dict[str, Any]
_TICK = 3_600  # seconds the clock moves with each step of versions


class Controls:
    """The verbs. A verb that cannot be carried out answers 400 with `{"error": ...}`."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._catalogue = simulator.catalogue
        self._clock = self._catalogue.newest_update()
        self._versions = {k: list(v) for k, v in simulator.recording.versions.items()}
        self._steps = 0

    def handle(self, verb: str, body: bytes) -> tuple[int, bytes]:
        """Carry out one verb; returns status and JSON body."""
        method: Callable[..., Answer] | None = getattr(self, verb, None)
        try:
            if method is None or verb.startswith("_") or verb == "handle":
                raise ValueError("no such verb")
            answer = method(**json.loads(body or b"{}"))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            return 400, json.dumps({"error": f"{verb}: {error!r}"}).encode()
        return 200, json.dumps(answer).encode()

    def state(self) -> Answer:
        """Say what is served: games, clock, knobs, faults, versions left; and at what cost."""
        knobs = asdict(self._simulator.knobs)
        knobs["browse_filters"] = sorted(knobs["browse_filters"])
        return {
            "games": len(self._catalogue),
            "clock": stamp(self._clock),
            "steps": self._steps,
            "versions_left": sum(map(len, self._versions.values())),
            "faults": self._simulator.plan.profile,
            "knobs": knobs,
            "cpu_s": time.process_time(),
            "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024,
        }

    def counters(self) -> Answer:
        """Requests since the reset: by kind, listing queries answered, faults that fired."""
        return {
            "kinds": dict(self._simulator.kinds),
            "pages": dict(self._simulator.pages),
            "faults": dict(self._simulator.plan.fired),
            "quota_spent": self._simulator.quota.spent,
        }

    def reset_counters(self) -> Answer:
        """Start counting from zero (the quota goes on)."""
        for counter in (self._simulator.kinds, self._simulator.pages, self._simulator.plan.fired):
            counter.clear()
        return {}

    def advance(self, *, seconds: int) -> Answer:
        """Move the simulator's clock."""
        self._clock += seconds
        return {"clock": stamp(self._clock)}

    def step(self) -> Answer:
        """Apply the next recorded version of every game that has one left.

        `updated` never goes back: a version that is not newer than the clock is restamped with it.
        """
        self._clock += _TICK
        now, changed = stamp(self._clock), []
        for ident, versions in self._versions.items():
            if not versions or self._catalogue.position(ident) is None:
                continue
            row = versions.pop(0)
            self._catalogue.put(row if row["updated"] > now else row | {"updated": now})
            changed.append(ident)
        self._steps += 1
        self._clock = max(self._clock, self._catalogue.newest_update())
        return {"step": self._steps, "changed": sorted(changed), "clock": stamp(self._clock)}

    def change(self, *, ident: int, fields: Row, touch: bool = True) -> Answer:
        """Set fields of a game's browse row; `touch` stamps `updated` with the advanced clock."""
        stamped = {"updated": self._next_stamp()} if touch else {}
        row = self._catalogue.row(self._position(ident)) | stamped | fields
        self._catalogue.put(row)
        return {"updated": row["updated"]}

    def churn(self, *, games: int, seed: int) -> Answer:
        """Let `games` random games gain owners, each with a stamp of its own; returns their ids."""
        positions = self._catalogue.positions().tolist()
        chosen = random.Random(seed).sample(positions, games)  # noqa: S311 - reproducible
        for position in chosen:
            self._simulator.add_owner(position, updated=self._next_stamp())
        return {"changed": sorted(self._catalogue.columns.id[chosen].tolist())}

    def remove(self, *, idents: list[int]) -> Answer:
        """Let games vanish."""
        self._catalogue.remove([self._position(ident) for ident in idents])
        return {"games": len(self._catalogue)}

    def add(self, *, game: Row) -> Answer:
        """Add a game: like the newest one, but for the given fields; returns its id."""
        pattern = self._catalogue.row(int(self._catalogue.positions()[-1]))
        ident = int(self._catalogue.columns.id.max()) + 1
        new = {"id": ident, "slug": f"game-{ident}", "name": f"Added {ident}"}
        row = pattern | new | {"updated": self._next_stamp()} | game
        self._catalogue.put(row)
        return {"id": row["id"]}

    def row(self, *, ident: int) -> Answer:
        """Return a game's browse row."""
        return {"row": self._catalogue.row(self._position(ident))}

    def raw(self, *, ident: int, body: str) -> Answer:
        """Serve these bytes (base64) in place of a game's row, in both shapes."""
        self._catalogue.put_raw(self._position(ident), base64.b64decode(body, validate=True))
        return {}

    def set(self, **knobs: Any) -> Answer:
        """Turn knobs (`config.Knobs`); an unknown one is an error."""
        known = {field.name for field in fields(Knobs)} - {"lies"}
        if unknown := knobs.keys() - known:
            raise ValueError(f"no such knob: {sorted(unknown)}")
        for name, value in knobs.items():
            held = frozenset(value) if name == "browse_filters" else value
            setattr(self._simulator.knobs, name, held)
        return {}

    def lie(self, **lies: Any) -> Answer:
        """Let listings be wrong (`config.Lies`); without arguments they are right again."""
        self._simulator.knobs.lies = replace(Lies(), **lies)
        return {}

    def faults(self, *, profile: str, seed: int = 1) -> Answer:
        """Start a fault profile from its seed; faults of single pages are forgotten."""
        if profile not in get_args(FaultProfile):
            raise ValueError(f"no such profile: {profile}")
        self._simulator.start_faults(profile, seed)  # type: ignore[arg-type]
        return {}

    def page_fault(self, *, match: str, kind: str, times: int = 1, skip: int = 0) -> Answer:
        """Break requests whose path and query contain `match`, `times` times after `skip`."""
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind}; one of {KINDS}")
        self._simulator.plan.pages.append(PageFault(match, kind, times, skip))
        return {}

    def reset_quota(self, *, spent: int = 0) -> Answer:
        """Begin a new month, with `spent` requests already sent."""
        self._simulator.quota.spent = spent
        return {}

    def _position(self, ident: int) -> int:
        position = self._catalogue.position(ident)
        if position is None:
            raise ValueError(f"no game {ident}")
        return position

    def _next_stamp(self) -> str:
        self._clock += 1
        return stamp(self._clock)
