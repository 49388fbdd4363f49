"""What must hold before a star is published (`fail`), and what a reader should know (`warn`)."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import ibis
from ibis.expr.types import Table

from etl.expressions import UNKNOWN_KEY
from etl.iceberg_schemas import TABLES
from etl.incremental import is_dimension
from quality import rules
from quality.checks import Check, Severity
from storage.layout import FACT_SOURCE_YEARS

REFERENCES = (
    ("fact_games", "release_date_key", "dim_date", "date_key"),
    ("fact_games", "updated_date_key", "dim_date", "date_key"),
    ("fact_games", "esrb_rating_key", "dim_esrb_rating", "esrb_rating_key"),
    ("fact_game_history", "game_id", "fact_games", "game_id"),
    ("fact_games", "game_id", "fact_game_history", "game_id"),
    *(
        reference
        for stem in ("platform", "store", "genre", "tag")
        for reference in (
            (f"bridge_game_{stem}", "game_id", "fact_games", "game_id"),
            (f"bridge_game_{stem}", f"{stem}_key", f"dim_{stem}", f"{stem}_key"),
        )
    ),
)

# Games lose tags and stores, and a year its last game, so these may shrink; a big loss is worth a
# word.
LOSS_SHARE = 0.05
MAY_LOSE = {FACT_SOURCE_YEARS, *(name for name in TABLES if name.startswith("bridge_"))}


@dataclass(frozen=True)
class CheckInputs:
    """What the checks compare.

    after, before: the star as written on the branch, and as published last (empty: never)
    raw_games: the raw game rows that `after` was made of
    today: day of the build, UTC
    only_adds: nothing published may get lost, see BuildPlan
    changed: the tables that the run wrote; the others held when they were published
    """

    after: Mapping[str, Table]
    before: Mapping[str, Table]
    raw_games: Table
    today: date
    only_adds: bool = True
    changed: Collection[str] = tuple(TABLES)


def star_checks(inputs: CheckInputs) -> list[Check]:
    """Return every check of the star."""
    return [
        *consistency_checks(inputs.after, changed=inputs.changed),
        *_raw_checks(inputs),
        *_comparisons(inputs),
        *_oddities(inputs.after["fact_games"], inputs.today),
    ]


def consistency_checks(star: Mapping[str, Table], *, changed: Collection[str]) -> list[Check]:
    """Return the checks that need nothing but the star: unique keys, and keys that join.

    Those that read none of the tables `changed` are left out: their answer is what it was. So are
    those of a table that the star does not have: an earlier version published it.
    """
    return [*_key_checks(star, changed), *_reference_checks(star, changed)]


def _key_checks(star: Mapping[str, Table], changed: Collection[str]) -> Iterator[Check]:
    for name in changed:
        declared = TABLES[name]
        table, key = star[name], declared.key
        listed = ", ".join(key)
        repeated = rules.duplicates(table, key)
        yield Check("unique_key", name, "fail", f"{listed} is unique", repeated)
        yield Check("key_not_null", name, "fail", f"{listed} is set", rules.nulls(table, key))
        if is_dimension(declared):
            unknown = table.filter(table[key[0]] == UNKNOWN_KEY)
            one = ibis.literal([UNKNOWN_KEY]).unnest().name("one").as_table()
            missing = rules.other_count(unknown, one)
            yield Check("unknown_member", name, "fail", "key 0 is there once", missing)


def _reference_checks(star: Mapping[str, Table], changed: Collection[str]) -> Iterator[Check]:
    for child, column, parent, key in REFERENCES:
        if not {child, parent} & {*changed} or not {child, parent} <= star.keys():
            continue
        shown = dict.fromkeys([*TABLES[child].key, column])
        bad = rules.orphans(star[child], column, star[parent], key, shown=[*shown])
        rule = f"every {column} is a {key} of {parent}"
        yield Check("reference", child, "fail", rule, bad)


def _raw_checks(inputs: CheckInputs) -> Iterator[Check]:
    fact = inputs.after["fact_games"]
    games = inputs.raw_games.select(game_id=inputs.raw_games["id"]).distinct()
    lost = games.anti_join(fact, "game_id")
    yield Check("raw_is_held", "fact_games", "fail", "every game in raw is there", lost)
    rule = "it has as many rows as raw has games"
    counted = rules.other_count(fact, games)
    yield Check("count_as_raw", "fact_games", "fail", rule, counted)


def _comparisons(inputs: CheckInputs) -> Iterator[Check]:
    strict: Severity = "fail" if inputs.only_adds else "warn"
    for name, before in inputs.before.items():
        share = LOSS_SHARE if name in MAY_LOSE else 0.0
        fewer = rules.fewer_rows(inputs.after[name], before, tolerated_share=share)
        rule = f"it lost at most {share:.0%} of its rows since the last publish"
        severity: Severity = "warn" if name in MAY_LOSE else strict
        yield Check("not_smaller", name, severity, rule, fewer)
    history = inputs.before.get("fact_game_history")
    if history is not None:
        now = inputs.after["fact_game_history"].select(*history.columns)
        gone = rules.vanished(history, now)
        rule = "no published row is changed or gone"
        yield Check("append_only", "fact_game_history", strict, rule, gone)


def _oddities(fact: Table, today: date) -> Iterator[Check]:
    """What the source says that does not fit: kept as it is, and flagged."""
    released, updated = fact["released_on"], fact["source_updated_at"].date()
    undated = released.notnull() & (fact["release_date_key"] == UNKNOWN_KEY)
    found = {
        "future_release": ("releases lie in the past", released > ibis.literal(today)),
        "date_off_calendar": ("release dates are of a sane year", undated),
        "updated_before_release": ("records are updated after release", updated < released),
        "zero_rating_with_votes": (
            "a game with votes has a rating (RAWG shows one from 6 votes on)",
            (fact["rating"] == 0.0) & (fact["ratings_count"] > 0),
        ),
        "tba_with_date": (
            "a dated game is not to be announced",
            fact["is_tba"] & released.notnull(),
        ),
        "nameless": ("every game has a name", fact["name"].isnull() | (fact["name"] == "")),
    }
    for name, (rule, odd) in found.items():
        rows = rules.violations(fact, odd, shown=("game_id", "name", "released_on"))
        yield Check(name, "fact_games", "warn", rule, rows)
