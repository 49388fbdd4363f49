"""What a row is to the lake: a small table of what was stored, what is seen, and the verdict."""

import pytest

from ingestion.classify import classify
from ingestion.decode import Seen
from storage.database.repositories.ledger import LedgerRow
from storage.layout import BROWSE, FILTERED


def stored(listing: str, *, updated: str = "u1", hash_: str = "h1", run: str = "old") -> LedgerRow:
    return LedgerRow(1, updated, hash_, listing, "t0", "t0", run)


def seen(listing: str, *, updated: str = "u1", hash_: str = "h1", ident: int = 1) -> Seen:
    return (ident, updated, hash_, listing, "t9")


@pytest.mark.parametrize(
    ("before", "row", "verdict"),
    [
        (None, seen(FILTERED), "new"),
        (stored(FILTERED), seen(FILTERED), "unchanged"),
        (stored(BROWSE), seen(BROWSE), "unchanged"),
        (stored(BROWSE), seen(FILTERED), "unchanged"),
        (stored(FILTERED), seen(BROWSE), "enriched"),
        (stored(FILTERED), seen(FILTERED, updated="u2"), "changed"),
        (stored(FILTERED), seen(FILTERED, hash_="h2"), "changed"),
        (stored(FILTERED), seen(BROWSE, hash_="h2"), "changed"),
        (stored(BROWSE), seen(FILTERED, updated="u0"), "changed"),
    ],
)
def test_verdicts(before: LedgerRow | None, row: Seen, verdict: str) -> None:
    known = {} if before is None else {1: before}
    verdicts = classify([row], known, run_id="run")

    assert [kind for kind, rows in verdicts.rows.items() if rows] == [verdict]
    assert verdicts.rows == verdicts.games
    assert verdicts.stored == ([] if verdict == "unchanged" else [0])
    assert verdicts.touched == ([1] if verdict == "unchanged" else [])


def test_rows_read_only_for_the_overlap_enrich_nothing() -> None:
    known = {1: stored(FILTERED)}

    assert classify([seen(BROWSE)], known, run_id="r", read_before="u1").rows["unchanged"] == 1
    assert classify([seen(BROWSE)], known, run_id="r", read_before="u0").rows["enriched"] == 1


def test_a_row_seen_twice_is_stored_once_and_is_one_game() -> None:
    verdicts = classify([seen(FILTERED), seen(FILTERED)], {}, run_id="run")

    assert (verdicts.stored, verdicts.rows["new"], verdicts.rows["unchanged"]) == ([0], 1, 1)
    assert sum(verdicts.games.values()) == 1


def test_two_versions_on_one_segment_are_both_stored_and_the_last_is_known() -> None:
    verdicts = classify([seen(BROWSE), seen(BROWSE, hash_="h2")], {}, run_id="run")

    assert verdicts.stored == [0, 1]
    assert verdicts.upserts[1].payload_hash == "h2"
    assert verdicts.upserts[1].first_seen == "t9"


def test_a_game_this_run_has_seen_is_not_counted_again() -> None:
    verdicts = classify([seen(FILTERED)], {1: stored(FILTERED, run="run")}, run_id="run")

    assert sum(verdicts.games.values()) == 0
    assert verdicts.rows["unchanged"] == 1


def test_what_was_first_seen_stays() -> None:
    verdicts = classify([seen(FILTERED, hash_="h2")], {1: stored(BROWSE)}, run_id="run")

    entry = verdicts.upserts[1]
    assert (entry.first_seen, entry.last_seen, entry.listing) == ("t0", "t9", FILTERED)
