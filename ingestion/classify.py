"""New, changed, enriched or unchanged: every row is compared with what was last stored of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ingestion.decode import Seen
from storage.database.repositories.ledger import LedgerRow
from storage.layout import BROWSE, FILTERED

KINDS = ("new", "changed", "enriched", "unchanged")


@dataclass
class Verdicts:
    """What a batch of rows is to the lake.

    `stored` are positions of rows to store. `rows` counts rows, `games` those games that the run
    saw here for the first time.
    """

    stored: list[int] = field(default_factory=list)
    upserts: dict[int, LedgerRow] = field(default_factory=dict)
    touched: list[int] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    games: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))


def classify(
    rows: Iterable[Seen],
    known: Mapping[int, LedgerRow],
    *,
    run_id: str,
    read_before: str = "",
) -> Verdicts:
    """Compare rows, in order, with the ledger's `known` ones.

    The first browse row after a filtered one is `enriched`: stored, because it says more, but no
    change. A row that is read again only for the overlap (`updated` up to `read_before`) enriches
    nothing: else a source at rest would give new rows.
    """
    verdicts, ledger, met = Verdicts(), dict(known), set[int]()
    for position, seen in enumerate(rows):
        natural_id = seen[0]
        last = ledger.get(natural_id)
        kind = _kind(seen, last, read_before)
        verdicts.rows[kind] += 1
        if natural_id not in met and (last is None or last.run_id != run_id):
            verdicts.games[kind] += 1
        if kind != "unchanged":
            verdicts.stored.append(position)
            ledger[natural_id] = verdicts.upserts[natural_id] = _entry(seen, last, run_id)
        elif natural_id not in met:
            verdicts.touched.append(natural_id)
        met.add(natural_id)
    return verdicts


def _kind(seen: Seen, last: LedgerRow | None, read_before: str) -> str:
    _, updated, payload_hash, listing, _ = seen
    if last is None:
        return "new"
    if last.payload_hash != payload_hash or last.updated != updated:
        return "changed"
    if listing == BROWSE and last.listing == FILTERED and updated > read_before:
        return "enriched"
    return "unchanged"


def _entry(seen: Seen, last: LedgerRow | None, run_id: str) -> LedgerRow:
    natural_id, updated, payload_hash, listing, seen_at = seen
    first_seen = seen_at if last is None else last.first_seen
    return LedgerRow(natural_id, updated, payload_hash, listing, first_seen, seen_at, run_id)
