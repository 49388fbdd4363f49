"""Views of groups of games: a naive query falls into each trap, the view does not."""

import datetime as dt
from pathlib import Path

import pytest
from literal_star import Row, answers, bridge, dimension, game

STORES = dimension("store", "Steam", "itch.io", "GOG", slugs={"itch.io": "itch"})
GENRES = dimension("genre", "Action", "Puzzle", "Indie")
PLATFORMS = dimension("platform", "PC", "Switch")


def test_coverage_is_what_the_source_counts(tmp_path: Path) -> None:
    """Traps 11 and 12: a year cut short looks quiet, one that was not reached is not there."""
    loaded = [game(1), game(2), game(3, released_on=dt.date(2021, 3, 4)), game(4, released_on=None)]
    counted = {2019: 7, 2020: 2, 2021: 10, 0: 4}
    naive, view = answers(
        tmp_path,
        "SELECT year(released_on), count(*) FROM fact_games GROUP BY 1 ORDER BY 1 NULLS LAST",
        "SELECT * EXCLUDE (as_of) FROM catalogue_coverage ORDER BY release_year NULLS LAST",
        fact_games=loaded,
        fact_source_years=[
            {"release_year_key": year, "source_games": games} for year, games in counted.items()
        ],
    )

    assert naive == [(2020, 2), (2021, 1), (None, 1)]
    assert view == [(2019, 0, 7, 0.0), (2020, 2, 2, 100.0), (2021, 1, 10, 10.0), (None, 1, 4, 25.0)]


def test_a_year_that_the_source_does_not_name_is_covered_with_the_undated_games(
    tmp_path: Path,
) -> None:
    """It counts planned games there: a lake that has them all has all of that row."""
    (view,) = answers(
        tmp_path,
        "SELECT * EXCLUDE (as_of) FROM catalogue_coverage ORDER BY release_year NULLS LAST",
        fact_games=[game(1), game(2, released_on=dt.date(2033, 1, 1)), game(3, released_on=None)],
        fact_source_years=[
            {"release_year_key": 2020, "source_games": 0},
            {"release_year_key": 0, "source_games": 2},
        ],
    )

    assert view == [(2020, 1, 0, None), (2033, 1, None, None), (None, 1, 2, 100.0)]


def test_coverage_is_not_guessed(tmp_path: Path) -> None:
    """Raw of before the source was asked: undated games count, and nothing is said to be whole."""
    naive, view = answers(
        tmp_path,
        "SELECT year_number, count(*) FROM fact_games JOIN dim_date ON date_key = release_date_key "
        "WHERE year_number IS NOT NULL GROUP BY 1",
        "SELECT release_year, loaded_games, source_games, coverage_pct, as_of "
        "FROM catalogue_coverage ORDER BY release_year NULLS LAST",
        fact_games=[
            game(1, release_date_key=20200615),
            game(2, release_date_key=20200615),
            game(3, released_on=None),
        ],
        dim_date=[{"date_key": 0}, {"date_key": 20200615, "year_number": 2020}],
    )

    assert naive == [(2020, 2)]
    loaded = dt.date(2025, 7, 21)
    assert view == [(2020, 2, None, None, loaded), (None, 1, None, None, loaded)]


def test_the_market_grows_without_plans_and_floods(tmp_path: Path) -> None:
    """Traps 8, 9 and 10."""
    naive, view = answers(
        tmp_path,
        "SELECT year(released_on), count(*) FROM fact_games GROUP BY 1 ORDER BY 1",
        "SELECT * FROM releases_by_year ORDER BY release_year, catalogue",
        fact_games=[
            game(1, released_on=dt.date(2021, 5, 5), added_count=3, rating=4.0, reviews_count=6),
            game(2, released_on=dt.date(2022, 1, 1)),
            game(3, released_on=dt.date(2022, 2, 2)),
            game(4, released_on=dt.date(2022, 3, 3), added_count=1),
            game(5, released_on=dt.date(2030, 1, 1)),
        ],
        dim_store=STORES,
        bridge_game_store=bridge("store", {1: [1], 2: [2], 3: [2], 4: [1, 2], 5: [1]}),
    )

    assert naive == [(2021, 1), (2022, 3), (2030, 1)]
    assert view == [
        (2021, "other", 1, 1, 0, 1),
        (2022, "itch.io only", 2, 0, 1, 0),
        (2022, "other", 1, 1, 0, 0),
    ]


def test_january_is_not_the_month_of_games(tmp_path: Path) -> None:
    """Trap 8: 1 January is where the years without a day lie."""
    days = [dt.date(1995, 1, 1)] * 3 + [dt.date(1996, 1, 20), dt.date(1997, 11, 1)]
    days += [dt.date(1998, 11, 2), dt.date(2001, 11, 3)]
    naive, view = answers(
        tmp_path,
        "SELECT month(released_on), count(*) FROM fact_games GROUP BY 1 ORDER BY 2 DESC, 1",
        "SELECT * FROM release_seasonality ORDER BY 1, 2",
        fact_games=[game(i, released_on=day, added_count=i * 10) for i, day in enumerate(days, 1)],
    )

    assert naive[0] == (1, 4)
    assert view == [(1990, 1, 1, 0), (1990, 11, 2, 2), (2000, 11, 1, 1)]


def _three_games() -> dict[str, list[Row]]:
    """Game 1 in two genres and on two platforms, game 2 in one, game 3 in none."""
    return {
        "fact_games": [
            game(1, rating=4.0, reviews_count=90, added_count=100, playtime_hours=10),
            game(2, rating=2.0, reviews_count=10, added_count=40),
            game(3, added_count=7),
        ],
        "dim_genre": GENRES,
        "bridge_game_genre": bridge("genre", {1: [1, 2], 2: [1], 3: [1]}),
        "dim_platform": PLATFORMS,
        "bridge_game_platform": bridge("platform", {1: [1, 2], 2: [1]}),
    }


def test_genres_share_a_game(tmp_path: Path) -> None:
    """Traps 1, 2, 3 and 7: zeros sink a mean, few votes weigh as many, joins count twice."""
    naive, view = answers(
        tmp_path,
        "SELECT avg(rating), sum(added_count), avg(playtime_hours) FROM fact_games "
        "JOIN bridge_game_genre USING (game_id) JOIN bridge_game_platform USING (game_id)",
        "SELECT * FROM genre_summary ORDER BY genre",
        **_three_games(),
    )

    assert naive == [(pytest.approx(18 / 5), 440, 8.0)]
    assert view == [
        (
            "Action",
            3,
            2.5,
            2,
            pytest.approx(200 / 3),
            3.0,
            pytest.approx(3.8),
            10.0,
            50.0 + 40.0 + 7.0,
        ),
        ("Puzzle", 1, 0.5, 1, 100.0, 4.0, 4.0, 10.0, 50.0),
    ]
    assert sum(row[2] for row in view) == 3


def test_zeros_turn_the_order_of_genres_round(tmp_path: Path) -> None:
    """Trap 1: the genre with the best rated games comes last when its unrated ones count."""
    rated = [game(1, rating=4.0, reviews_count=9), game(2, rating=3.0, reviews_count=9)]
    naive, view = answers(
        tmp_path,
        "SELECT genre_name FROM bridge_game_genre JOIN fact_games USING (game_id) "
        "JOIN dim_genre USING (genre_key) GROUP BY 1 ORDER BY avg(rating) DESC",
        "SELECT genre, avg_rating, rated_games FROM genre_summary ORDER BY avg_rating DESC",
        fact_games=[*rated, game(3), game(4)],
        dim_genre=GENRES,
        bridge_game_genre=bridge("genre", {1: [1], 2: [2], 3: [1], 4: [1]}),
    )

    assert naive == [("Puzzle",), ("Action",)]
    assert view == [("Action", 4.0, 1), ("Puzzle", 3.0, 1)]


def test_shares_of_a_year_sum_to_a_hundred(tmp_path: Path) -> None:
    """Traps 3, 6 and 10."""
    naive, view = answers(
        tmp_path,
        "SELECT sum(share) FROM (SELECT 100.0 * count(*) / (SELECT count(*) FROM fact_games) "
        "AS share FROM bridge_game_genre GROUP BY genre_key)",
        "SELECT * FROM genre_year ORDER BY release_year, genre",
        **{
            "fact_games": [
                game(1, rating=4.0, reviews_count=9),
                game(2),
                game(3),
                game(4, released_on=dt.date(2030, 1, 1)),
            ],
            "dim_genre": GENRES,
            "bridge_game_genre": bridge("genre", {1: [1, 2], 2: [2], 3: [3], 4: [3]}),
            "dim_store": STORES,
            "bridge_game_store": bridge("store", {3: [2]}),
        },
    )

    assert naive == [(125.0,)]
    assert view == [
        (2020, "Action", 1, 25.0, 1, 4.0),
        (2020, "Puzzle", 2, 75.0, 1, 4.0),
    ]


def test_platforms_say_how_few_games_critics_scored(tmp_path: Path) -> None:
    """Traps 3 and 13."""
    rows = _three_games()
    rows["fact_games"][0]["metacritic_score"] = 90
    naive, view = answers(
        tmp_path,
        "SELECT platform_name, count(*) FROM bridge_game_platform JOIN bridge_game_genre "
        "USING (game_id) JOIN dim_platform USING (platform_key) GROUP BY 1 ORDER BY 1",
        "SELECT * FROM platform_summary ORDER BY platform",
        **rows,
    )

    assert naive == [("PC", 3), ("Switch", 2)]
    assert view == [("PC", 2, 1, 2, 3.0, 1, 90.0, 50.0), ("Switch", 1, 0, 1, 4.0, 1, 90.0, 100.0)]


def test_two_bridges_meet_only_where_both_are_the_grain(tmp_path: Path) -> None:
    """Traps 3 and 4: 5 joined rows are 2 games, and DISTINCT does not mend sums."""
    naive, view = answers(
        tmp_path,
        "SELECT count(*), sum(DISTINCT added_count) FROM fact_games "
        "JOIN bridge_game_genre USING (game_id) JOIN bridge_game_platform USING (game_id)",
        "SELECT * FROM platform_genre ORDER BY platform, genre",
        **_three_games(),
    )

    assert naive == [(5, 140)]
    assert view == [
        ("PC", "Action", 2, 1.25, 2, 3.0),
        ("PC", "Puzzle", 1, 0.25, 1, 4.0),
        ("Switch", "Action", 1, 0.25, 1, 4.0),
        ("Switch", "Puzzle", 1, 0.25, 1, 4.0),
    ]
    assert sum(row[3] for row in view) == 2


def test_a_store_is_more_than_its_size(tmp_path: Path) -> None:
    """Traps 5 and 10."""
    naive, view = answers(
        tmp_path,
        "SELECT store_name, count(*) FROM bridge_game_store JOIN dim_store USING (store_key) "
        "GROUP BY 1 ORDER BY 2 DESC",
        "SELECT * FROM store_reach ORDER BY store",
        fact_games=[game(1, rating=4.0, reviews_count=9), game(2), game(3), game(4)],
        dim_store=STORES,
        bridge_game_store=bridge("store", {1: [1, 3], 2: [2], 3: [1, 2]}),
    )

    assert naive[0][1] == 2
    assert view == [
        ("GOG", 1, 0, 1, 1, 4.0),
        ("Steam", 2, 0, 0, 1, 4.0),
        ("itch.io", 2, 1, 1, 0, None),
    ]


def _tags(*named: tuple[str, str]) -> list[Row]:
    rows = dimension("tag", *[name for name, _ in named])
    for row, (_, language) in zip(rows[1:], named, strict=True):
        row["language_code"] = language
    return rows


def test_tags_are_counted_once_and_in_one_language(tmp_path: Path) -> None:
    """Traps 17 and 18: the Russian twin, the Cyrillic name marked eng, the spelling twin."""
    tags = _tags(
        ("Roguelike", "eng"),
        ("Рогалик", "rus"),
        ("2D-платформер", "eng"),
        (" roguelike", "eng"),
        ("Steam Achievements", "eng"),
        ("Unity", "eng"),
        ("Singleplayer", "eng"),
        ("Rare", "eng"),
    )
    everywhere = {i: [1, 2, 3, 4, 5, 6, 7] for i in range(1, 21)}
    naive, view = answers(
        tmp_path,
        "SELECT count(*) FROM (SELECT tag_key FROM bridge_game_tag JOIN dim_tag USING (tag_key) "
        "WHERE language_code = 'eng' GROUP BY 1 HAVING count(*) >= 20)",
        "SELECT * FROM tag_summary ORDER BY tag",
        fact_games=[
            game(1, rating=4.0, reviews_count=9, added_count=5),
            *[game(i) for i in range(2, 40)],
        ],
        dim_tag=tags,
        bridge_game_tag=bridge("tag", {**everywhere, **{i: [8] for i in range(21, 40)}}),
    )

    assert naive == [(6,)]
    assert view == [
        ("roguelike", "content", 20, 1, 1, 4.0),
        ("singleplayer", "player mode", 20, 1, 1, 4.0),
        ("steam achievements", "store feature", 20, 1, 1, 4.0),
        ("unity", "made with", 20, 1, 1, 4.0),
    ]


def test_unrated_ages_are_a_group_and_no_loss(tmp_path: Path) -> None:
    """Traps 5 and 10."""
    (key,) = [row["esrb_rating_key"] for row in dimension("esrb_rating", "Teen")[1:]]
    naive, view = answers(
        tmp_path,
        "SELECT sum(n) FROM (SELECT count(*) AS n FROM fact_games "
        "JOIN dim_esrb_rating USING (esrb_rating_key) WHERE esrb_rating_id IS NOT NULL)",
        "SELECT * FROM age_rating_mix ORDER BY age_rating, catalogue",
        fact_games=[
            game(1, esrb_rating_key=key, rating=4.0, reviews_count=9),
            game(2),
            game(3),
        ],
        dim_esrb_rating=dimension("esrb_rating", "Teen"),
        dim_store=STORES,
        bridge_game_store=bridge("store", {2: [2]}),
    )

    assert naive == [(1,)]
    assert view == [
        ("Teen", "other", 1, 1),
        ("Unknown", "itch.io only", 1, 0),
        ("Unknown", "other", 1, 0),
    ]
