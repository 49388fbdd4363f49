"""New, changed, enriched or unchanged: every row is compared with what was last stored of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ingestion.rows import GameRow, Lineage
from storage.database.repositories.ledger import LedgerRow
from storage.layout import BROWSE, FILTERED
from utils.clock import iso

SeenRow = tuple[GameRow, Lineage]


@dataclass
class Verdicts:
    """What a batch of rows is to the lake. Counts of rows, and of games this run saw first here."""

    stored: list[SeenRow] = field(default_factory=list)
    upserts: dict[int, LedgerRow] = field(default_factory=dict)
    touched: list[int] = field(default_factory=list)
    rows: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("new", "changed", "enriched", "unchanged"), 0)
    )
    games: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("new", "changed", "enriched", "unchanged"), 0)
    )


def classify(
    rows: Iterable[SeenRow],
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
    verdicts, ledger, seen = Verdicts(), dict(known), set[int]()
    for row, lineage in rows:
        natural_id = row.natural_id
        last = ledger.get(natural_id)
        kind = _kind(row, lineage, last, read_before)
        verdicts.rows[kind] += 1
        if natural_id not in seen and (last is None or last.run_id != run_id):
            verdicts.games[kind] += 1
        if kind != "unchanged":
            verdicts.stored.append((row, lineage))
            ledger[natural_id] = verdicts.upserts[natural_id] = _entry(row, lineage, last)
        elif natural_id not in seen:
            verdicts.touched.append(natural_id)
        seen.add(natural_id)
    return verdicts


def _kind(row: GameRow, lineage: Lineage, last: LedgerRow | None, read_before: str) -> str:
    if last is None:
        return "new"
    if last.payload_hash != row.payload_hash or last.updated != row.updated:
        return "changed"
    if lineage.listing == BROWSE and last.listing == FILTERED and row.updated > read_before:
        return "enriched"
    return "unchanged"


def _entry(row: GameRow, lineage: Lineage, last: LedgerRow | None) -> LedgerRow:
    seen = iso(lineage.fetched_at)
    first_seen = seen if last is None else last.first_seen
    return LedgerRow(
        row.natural_id,
        row.updated,
        row.payload_hash,
        lineage.listing,
        first_seen,
        seen,
        lineage.run_id,
    )
