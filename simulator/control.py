"""`POST /__control__/<verb>` with a JSON object: what a test may do to a running simulator."""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

from simulator.app import Simulator
from simulator.config import Knobs
from simulator.faults import KINDS, FaultPlan, PageFault, Quota
from simulator.query import stamp
from simulator.vocabulary import Row

Answer = dict[str, Any]
_TICK = 3_600  # seconds the clock moves with each step of versions or touched game


class Controls:
    """The verbs. A verb that cannot be carried out answers 400 with `{"error": ...}`."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._catalogue = simulator.catalogue
        self._clock = self._catalogue.newest_update()
        self._versions = {k: list(v) for k, v in simulator.recording.versions.items()}
        self._steps = 0
        self._verbs: dict[str, Callable[..., Answer]] = {
            "state": self.state,
            "counters": self.counters,
            "reset_counters": self.reset_counters,
            "advance": self.advance,
            "step": self.step,
            "change": self.change,
            "remove": self.remove,
            "add": self.add,
            "row": self.row,
            "raw": self.raw,
            "set": self.set,
            "faults": self.faults,
            "page_fault": self.page_fault,
            "reset_quota": self.reset_quota,
        }

    def handle(self, verb: str, body: bytes) -> tuple[int, bytes]:
        """Carry out one verb; returns status and JSON body."""
        try:
            answer = self._verbs[verb](**json.loads(body or b"{}"))
        except (KeyError, TypeError, ValueError) as error:
            return 400, json.dumps({"error": f"{verb}: {error!r}"}).encode()
        return 200, json.dumps(answer).encode()

    def state(self) -> Answer:
        """Say what is served: games, clock, knobs, fault profile, versions left."""
        knobs = asdict(self._simulator.knobs)
        knobs["browse_filters"] = sorted(knobs["browse_filters"])
        return {
            "games": len(self._catalogue),
            "clock": stamp(self._clock),
            "steps": self._steps,
            "versions_left": sum(map(len, self._versions.values())),
            "faults": self._simulator.plan.profile,
            "knobs": knobs,
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

    def advance(self, seconds: int) -> Answer:
        """Move the simulator's clock."""
        self._clock += seconds
        return {"clock": stamp(self._clock)}

    def step(self) -> Answer:
        """Apply the next recorded version of every game that has one left.

        `updated` never goes back: a version that is not newer than the clock is restamped with it.
        """
        self._clock += _TICK
        now, changed = self._clock, []
        for ident, versions in self._versions.items():
            if not versions or self._catalogue.position(ident) is None:
                continue
            row = versions.pop(0)
            self._catalogue.put(
                row if row["updated"] > stamp(now) else row | {"updated": stamp(now)}
            )
            changed.append(ident)
        self._steps += 1
        self._clock = max(self._clock, self._catalogue.newest_update())
        return {"step": self._steps, "changed": sorted(changed), "clock": stamp(self._clock)}

    def change(self, id: int, fields: Row, touch: bool = True) -> Answer:  # noqa: A002, FBT001, FBT002
        """Set fields of a game's browse row; `touch` stamps `updated` with the advanced clock."""
        row = self._catalogue.row(self._position(id)) | fields
        if touch:
            row["updated"] = self._tick()
        self._catalogue.put(row)
        return {"updated": row["updated"]}

    def remove(self, ids: list[int]) -> Answer:
        """Let games vanish."""
        self._catalogue.remove([self._position(ident) for ident in ids])
        return {"games": len(self._catalogue)}

    def add(self, game: Row) -> Answer:
        """Add a game: like the newest one, but for the given fields; returns its id."""
        pattern = self._catalogue.row(int(self._catalogue.alive()[-1]))
        ident = int(self._catalogue.columns.id.max()) + 1
        new = {"id": ident, "slug": f"game-{ident}", "name": f"Added {ident}"}
        row = pattern | new | {"updated": self._tick()} | game
        self._catalogue.put(row)
        return {"id": row["id"]}

    def row(self, id: int) -> Answer:  # noqa: A002
        """Return a game's browse row."""
        return {"row": self._catalogue.row(self._position(id))}

    def raw(self, id: int, body: str) -> Answer:  # noqa: A002
        """Serve these bytes (base64) in place of a game's row, in both shapes."""
        raw = base64.b64decode(body, validate=True)
        self._catalogue.put_raw(self._position(id), {"browse": raw, "filtered": raw})
        return {}

    def set(self, **knobs: Any) -> Answer:
        """Turn knobs (`config.Knobs`); an unknown one is an error."""
        known = {f.name for f in fields(Knobs)}
        if unknown := knobs.keys() - known:
            raise ValueError(f"no such knob: {sorted(unknown)}")
        for name, value in knobs.items():
            setattr(
                self._simulator.knobs, name, frozenset(value) if name == "browse_filters" else value
            )
        return {}

    def faults(self, profile: str, seed: int = 1) -> Answer:
        """Start a fault profile from its seed; faults of single pages are forgotten."""
        if profile not in ("none", "recorded", "storm"):
            raise ValueError(f"no such profile: {profile}")
        fired = self._simulator.plan.fired
        self._simulator.plan = FaultPlan(profile, seed)  # type: ignore[arg-type]
        self._simulator.plan.fired = fired
        return {}

    def page_fault(self, match: str, kind: str, times: int = 1, skip: int = 0) -> Answer:
        """Break requests whose path and query contain `match`, `times` times after `skip`."""
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind}; one of {KINDS}")
        self._simulator.plan.pages.append(PageFault(match, kind, times, skip))
        return {}

    def reset_quota(self, spent: int = 0) -> Answer:
        """Begin a new month, with `spent` requests already sent."""
        self._simulator.quota = Quota(1)
        self._simulator.quota.spent = spent
        return {}

    def _position(self, ident: int) -> int:
        position = self._catalogue.position(ident)
        if position is None:
            raise ValueError(f"no game {ident}")
        return position

    def _tick(self) -> str:
        self._clock += 1
        return stamp(self._clock)
