"""The declared star is the one of DESIGN section 6, and Iceberg gets all of it."""

import pyarrow as pa
import pytest
from pyiceberg.io.pyarrow import schema_to_pyarrow

from etl.iceberg_schemas import TABLES, StarTable
from etl.iceberg_types import iceberg_schema, sort_order
from storage.layout import STAR

TABLE_CASES = [pytest.param(table, id=name) for name, table in TABLES.items()]

DESIGNED = {
    "fact_games": "game_id, slug, name, release_date_key, updated_date_key, esrb_rating_key, "
    "released_on, is_tba, rating, rating_top, ratings_count, reviews_count, reviews_text_count, "
    "ratings_exceptional, ratings_recommended, ratings_meh, ratings_skip, added_count, added_yet, "
    "added_owned, added_beaten, added_toplay, added_dropped, added_playing, metacritic_score, "
    "playtime_hours, suggestions_count, screenshots_count, background_image_url, "
    "source_updated_at, source_code, run_id, payload_hash",
    "fact_game_history": "game_id, observed_at, source_updated_at, rating, ratings_count, "
    "added_count, metacritic_score, playtime_hours, payload_hash, run_id",
    "fact_source_years": "release_year_key, source_games, observed_at, source_code, run_id",
    "dim_date": "date_key, full_date, year_number, quarter_number, month_number, month_name, "
    "week_of_year, day_of_month, day_of_week, day_name, is_weekend",
    "dim_platform": "platform_key, platform_id, platform_name, platform_slug, platform_family",
    "dim_store": "store_key, store_id, store_name, store_slug, store_domain",
    "dim_genre": "genre_key, genre_id, genre_name, genre_slug",
    "dim_tag": "tag_key, tag_id, tag_name, tag_slug, language_code",
    "dim_esrb_rating": "esrb_rating_key, esrb_rating_id, esrb_rating_name, esrb_rating_slug",
    "bridge_game_platform": "game_id, platform_key, released_on",
    "bridge_game_store": "game_id, store_key",
    "bridge_game_genre": "game_id, genre_key",
    "bridge_game_tag": "game_id, tag_key",
}


def test_the_star_has_the_tables_of_the_layout() -> None:
    assert tuple(TABLES) == STAR


@pytest.mark.parametrize("name", DESIGNED)
def test_columns_are_the_designed_ones_in_order(name: str) -> None:
    assert ", ".join(c.name for c in TABLES[name].columns) == DESIGNED[name]


@pytest.mark.parametrize("table", TABLE_CASES)
def test_keys_are_required_and_unknown_columns_are_refused(table: StarTable) -> None:
    assert all(table.column(name).required for name in (*table.key, *table.sort))
    with pytest.raises(KeyError):
        table.column("no_such_column")


@pytest.mark.parametrize("table", TABLE_CASES)
def test_every_column_says_what_it_means(table: StarTable) -> None:
    assert table.grain
    assert [c.name for c in table.columns if len(c.doc) < 8 or not c.doc.endswith(".")] == []


@pytest.mark.parametrize("table", TABLE_CASES)
def test_iceberg_schema_round_trips_to_the_declared_arrow_schema(table: StarTable) -> None:
    schema = iceberg_schema(table)

    back = schema_to_pyarrow(schema, include_field_ids=False)

    assert [f.field_id for f in schema.fields] == list(range(1, len(table.columns) + 1))
    assert [(f.name, f.nullable) for f in back] == [(f.name, f.nullable) for f in table.arrow()]
    assert [_narrow(f.type) for f in back] == table.arrow().types
    assert [f.doc for f in schema.fields] == [c.doc for c in table.columns]


@pytest.mark.parametrize("table", TABLE_CASES)
def test_key_and_sort_order_are_part_of_the_table(table: StarTable) -> None:
    schema = iceberg_schema(table)

    sorted_by = [schema.find_column_name(f.source_id) for f in sort_order(table).fields]

    assert schema.identifier_field_names() == set(table.key)
    assert sorted_by == list(table.sort)


def _narrow(kind: pa.DataType) -> pa.DataType:
    return pa.string() if kind == pa.large_string() else kind
