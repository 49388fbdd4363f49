"""The publish record: what one published commit holds, stored in the same commit as the data."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from utils.errors import GamelakeError

RECORD_PROPERTY = "gamelake.publish-record"
RUN_PROPERTY = "gamelake.run-id"


@dataclass(frozen=True)
class PublishRecord:
    """What a publish applied and wrote.

    `raw_applied` maps "<entity>/<ingest run_id>" to the highest part number that is in the
    tables; `tables` maps a table to its snapshot id and `rows` to its row count; `fence` is the
    epoch of the writer's lease; `published_at` is UTC, ISO 8601; `shape` is the `declared_shape`
    of the tables, "" where nobody noted it.
    """

    run_id: str
    mode: str
    raw_applied: Mapping[str, int]
    tables: Mapping[str, int]
    rows: Mapping[str, int]
    published_at: str
    fence: int
    shape: str = ""

    def to_json(self) -> str:
        """Return the stored form: one line of JSON with sorted keys."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "PublishRecord":
        """Read the stored form; raises GamelakeError when this version does not know it."""
        try:
            return cls(**json.loads(text))
        except (TypeError, ValueError) as error:
            raise GamelakeError(
                f"the publish record cannot be read: {error}",
                operation="read publish record",
                subject=RECORD_PROPERTY,
                hint="a newer gamelake may have written this lake: upgrade, then try again",
            ) from error
