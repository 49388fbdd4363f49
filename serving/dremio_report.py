"""What a set-up of Dremio did, object by object."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

Action = Literal["created", "updated", "unchanged", "kept", "waiting"]
ACTIONS: tuple[Action, ...] = ("created", "updated", "unchanged", "kept", "waiting")

_DONE: tuple[Action, ...] = ("created", "updated")
_TOLD = {"user": _DONE, "source": (*_DONE, "kept"), "space": _DONE, "view": _DONE}


@dataclass(frozen=True)
class Change:
    """One object: `kind` is user, source, space, view, wiki or labels.

    `kept`: somebody else's text or source, left alone. `waiting`: its tables are not published yet.
    """

    kind: str
    name: str
    action: Action


@dataclass
class SetupReport:
    """All objects of one set-up, in the order of work; `dry_run`: nothing was written."""

    dry_run: bool = False
    changes: list[Change] = field(default_factory=list)

    def add(self, kind: str, name: str, action: Action) -> None:
        """Note what became of one object."""
        self.changes.append(Change(kind, name, action))

    def counts(self) -> dict[str, int]:
        """Return how many objects each action met."""
        found = Counter(change.action for change in self.changes)
        return {action: found[action] for action in ACTIONS}

    @property
    def waiting(self) -> list[str]:
        """Names of the views whose tables are not published yet."""
        return [c.name for c in self.changes if c.action == "waiting" and c.kind == "view"]

    @property
    def new_views(self) -> int:
        """How many views were created or changed."""
        return sum(c.kind == "view" and c.action in _DONE for c in self.changes)

    def as_dict(self) -> dict[str, Any]:
        """Return the `--json` form."""
        changed = [vars(change) for change in self.changes if change.action != "unchanged"]
        return {"dry_run": self.dry_run, **self.counts(), "changes": changed}

    def text(self) -> str:
        """Return the lines for people: what is there to see in Dremio, then the counts."""
        lines = [
            f"{change.action:9}  {change.kind:6}  {change.name}"
            for change in self.changes
            if change.action in _TOLD.get(change.kind, ("kept",))
        ]
        if self.waiting:
            lines.append(f"waiting    for the first publish: {len(self.waiting)} views")
        counted = ", ".join(f"{n} {action}" for action, n in self.counts().items() if n)
        return "\n".join([*lines, f"{'Would be' if self.dry_run else 'Dremio'}: {counted}."])
