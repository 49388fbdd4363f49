"""Views of single games: a naive query falls into each trap, the view does not."""

import datetime as dt
from pathlib import Path

import pytest
from literal_star import NOW, answers, bridge, dimension, game, seen

STORES = dimension("store", "Steam", "itch.io", slugs={"itch.io": "itch"})


def test_an_unrated_game_is_no_bad_game(tmp_path: Path) -> None:
    """Trap 1: 0.0 is how the source writes "fewer than 6 votes"."""
    naive, clean = answers(
        tmp_path,
        "SELECT avg(rating) FROM fact_games WHERE rating IS NOT NULL",
        "SELECT avg(player_rating), count(player_rating) FROM games_clean",
        fact_games=[
            game(1, rating=4.0, reviews_count=6),
            game(2, rating=3.0, reviews_count=9),
            game(3, reviews_count=5),
            game(4),
        ],
    )

    assert naive == [(1.75,)]
    assert clean == [(3.5, 2)]


def test_why_a_rating_is_missing_is_said(tmp_path: Path) -> None:
    (states,) = answers(
        tmp_path,
        "SELECT rating_state, player_rating, votes FROM games_clean ORDER BY game_id",
        fact_games=[
            game(1, rating=4.0, reviews_count=6),
            game(2, reviews_count=5),
            game(3),
            game(4, rating=4.5, reviews_count=5),
            game(5, rating=0.0, reviews_count=8),
        ],
    )

    assert states == [
        ("rated", 4.0, 6),
        ("too few votes", None, 5),
        ("no votes", None, 0),
        ("too few votes", None, 5),
        ("too few votes", None, 8),
    ]


def test_unknown_and_absurd_playtimes_do_not_count(tmp_path: Path) -> None:
    """Trap 7: 0 is unknown, 2,630 hours is nobody's mean."""
    naive, clean = answers(
        tmp_path,
        "SELECT avg(playtime_hours) FROM fact_games",
        "SELECT avg(playtime_hours), count(playtime_hours) FROM games_clean",
        fact_games=[game(i, playtime_hours=h) for i, h in enumerate([0, 0, 4, 200, 201, 2630], 1)],
    )

    assert naive == [(505.8333333333333,)]
    assert clean == [(102.0, 2)]


def test_what_is_out_depends_on_the_load(tmp_path: Path) -> None:
    """Trap 9: a date is a plan until the load has passed it; no date is no knowledge."""
    games = [
        game(1, released_on=dt.date(2025, 7, 21)),
        game(2, released_on=dt.date(2025, 7, 22)),
        game(3, released_on=None),
        game(4, released_on=None, is_tba=True),
        game(5, released_on=dt.date(2033, 1, 1), is_tba=True),
    ]
    naive, clean = answers(
        tmp_path,
        "SELECT count(*) FROM fact_games WHERE released_on <= current_date",
        "SELECT is_released FROM games_clean ORDER BY game_id",
        fact_games=games,
    )

    assert naive == [(2,)]
    assert clean == [(True,), (False,), (None,), (False,), (False,)]


@pytest.mark.parametrize(
    ("touched", "observed", "as_of"),
    [
        ("2025-07-21 23:00", "2025-08-01 00:00", dt.date(2025, 7, 21)),
        # one record touched "in the future" does not release every planned game
        ("2099-01-01 00:00", "2025-08-01 00:00", dt.date(2025, 8, 1)),
    ],
)
def test_the_load_date_is_not_today(
    tmp_path: Path, touched: str, observed: str, as_of: dt.date
) -> None:
    (found,) = answers(
        tmp_path,
        "SELECT as_of FROM load_date",
        fact_games=[
            game(1, source_updated_at=dt.datetime.fromisoformat(touched)),
            game(2, source_updated_at=None),
        ],
        fact_game_history=seen(dt.datetime.fromisoformat(observed)),
    )

    assert found == [(as_of,)]


def test_first_of_january_is_only_a_year(tmp_path: Path) -> None:
    """Trap 8."""
    (found,) = answers(
        tmp_path,
        "SELECT date_precision, release_year FROM games_clean ORDER BY game_id",
        fact_games=[
            game(1, released_on=dt.date(1995, 1, 1)),
            game(2, released_on=dt.date(1995, 1, 2)),
            game(3, released_on=None),
        ],
    )

    assert found == [("year", 1995), ("day", 1995), ("unknown", None)]


def test_lists_are_counted_without_multiplying_the_game(tmp_path: Path) -> None:
    """Traps 3 and 10: two bridges in one join multiply; itch.io alone is told apart."""
    naive, clean = answers(
        tmp_path,
        "SELECT count(*), count(DISTINCT game_id) FROM fact_games "
        "JOIN bridge_game_store USING (game_id) JOIN bridge_game_genre USING (game_id)",
        "SELECT n_store, n_genre, n_platform, is_itch_only FROM games_clean ORDER BY game_id",
        fact_games=[game(1), game(2), game(3), game(4)],
        dim_store=STORES,
        bridge_game_store=bridge("store", {1: [1, 2], 2: [2], 4: [1]}),
        bridge_game_genre=bridge("genre", {1: [1, 2, 3], 4: [1]}),
    )

    assert naive == [(7, 2)]
    assert clean == [
        (2, 3, 0, False),
        (1, 0, 0, True),
        (0, 0, 0, False),
        (1, 1, 0, False),
    ]


def test_few_votes_do_not_win(tmp_path: Path) -> None:
    """Traps 2 and 9: 5.0 from 7 votes, and a game that is not out, lead the naive list."""
    naive, view = answers(
        tmp_path,
        "SELECT name FROM fact_games ORDER BY rating DESC",
        "SELECT name, score FROM top_games ORDER BY score DESC",
        fact_games=[
            game(1, name="Hit", rating=4.5, reviews_count=950),
            game(2, name="Seven votes", rating=5.0, reviews_count=7),
            game(3, name="Dull", rating=2.5, reviews_count=950),
            game(4, name="Planned", rating=4.9, reviews_count=99, released_on=dt.date(2030, 1, 1)),
            game(5, name="Unrated"),
        ],
    )

    assert [name for (name,) in naive[:2]] == ["Seven votes", "Planned"]
    assert [name for name, _ in view] == ["Hit", "Seven votes", "Dull"]
    # the mean of the three rated and released games is 4.0
    assert [score for _, score in view] == pytest.approx(
        [(50 * 4 + 4.5 * 950) / 1000, (50 * 4 + 5 * 7) / 57, (50 * 4 + 2.5 * 950) / 1000]
    )


def test_editions_share_a_base_title(tmp_path: Path) -> None:
    """Trap 19: one game in editions and add-ons fills the top."""
    names = [
        "Witcher 3: Wild Hunt",
        "Witcher 3 \N{EN DASH} Blood",
        "Witcher 3 - GOTY",
        "Witcher 3 (itch)",
        "Go",
    ]
    naive, view = answers(
        tmp_path,
        "SELECT count(DISTINCT name) FROM fact_games",
        "SELECT base_title, count(*) FROM top_games GROUP BY base_title ORDER BY 2 DESC",
        fact_games=[
            game(i, name=name, rating=4.0, reviews_count=50) for i, name in enumerate(names, 1)
        ],
    )

    assert naive == [(5,)]
    assert view == [("Witcher 3", 4), ("Go", 1)]


def test_zeros_make_no_agreement_of_critics_and_players(tmp_path: Path) -> None:
    """Trap 14: unrated games pull the correlation; few votes are noise."""
    rows = [
        (90, 4.5, 100),
        (80, 4.0, 100),
        (70, 3.5, 100),
        (85, 0.0, 0),
        (60, 5.0, 8),
        (None, 4, 99),
    ]
    naive, view, gaps = answers(
        tmp_path,
        "SELECT corr(metacritic_score, rating) FROM fact_games",
        "SELECT corr(metacritic, player_score_100), count(*) FROM critic_vs_player",
        "SELECT metacritic, player_score_100, gap FROM critic_vs_player ORDER BY metacritic",
        fact_games=[
            game(i, metacritic_score=m, rating=r, reviews_count=n)
            for i, (m, r, n) in enumerate(rows, 1)
        ],
    )

    assert naive[0][0] < 0.1
    assert view == [(pytest.approx(1.0), 3)]
    assert gaps == [(70, 70.0, 0.0), (80, 80.0, 0.0), (90, 90.0, 0.0)]


def test_what_is_finished_is_asked_of_those_who_ended_it(tmp_path: Path) -> None:
    """Trap 15: beaten / added makes a widely owned game look unfinished."""
    rows = {
        "added_count": 1000, "added_owned": 900, "added_beaten": 60, "added_dropped": 20,
        "added_playing": 5, "added_toplay": 10, "added_yet": 5,
    }  # fmt: skip
    naive, view = answers(
        tmp_path,
        "SELECT 100.0 * added_beaten / added_count FROM fact_games WHERE game_id = 1",
        "SELECT game_id, added, owned, beaten, dropped, playing, to_play, not_played, "
        "finished_of_settled_pct FROM shelf_funnel ORDER BY game_id",
        fact_games=[game(1, **rows), game(2, added_count=100), game(3, added_count=99)],
    )

    assert naive == [(6.0,)]
    assert view == [
        (1, 1000, 900, 60, 20, 5, 10, 5, 75.0),
        (2, 100, 0, 0, 0, 0, 0, 0, None),
    ]


def test_what_is_awaited_is_not_what_has_no_date(tmp_path: Path) -> None:
    """Traps 8 and 9: NULL is no plan, and the last day of a year is no day."""
    naive, view = answers(
        tmp_path,
        "SELECT count(*) FROM fact_games WHERE released_on IS NULL OR released_on > current_date",
        "SELECT game_id, date_kind, added, to_play FROM upcoming ORDER BY game_id",
        fact_games=[
            game(1, released_on=None),
            game(2, released_on=None, is_tba=True, added_count=9, added_toplay=4),
            game(3, released_on=dt.date(2100, 1, 1)),
            game(4, released_on=dt.date(2100, 12, 31)),
            game(5, released_on=dt.date(2100, 3, 4)),
            game(6, released_on=NOW.date()),
        ],
    )

    assert naive == [(5,)]
    assert view == [
        (2, "no date", 9, 4),
        (3, "year only", 0, 0),
        (4, "year only", 0, 0),
        (5, "day", 0, 0),
    ]


def test_gaps_are_counted(tmp_path: Path) -> None:
    """All traps: what a mean leaves out."""
    naive, view = answers(
        tmp_path,
        "SELECT count(rating), count(playtime_hours) FROM fact_games",
        "SELECT gap, games, of_games FROM data_gaps",
        fact_games=[
            game(1, rating=4.0, reviews_count=6, metacritic_score=70, playtime_hours=3),
            game(2, released_on=dt.date(2020, 1, 1)),
            game(3, released_on=None),
        ],
        dim_store=STORES,
        bridge_game_store=bridge("store", {1: [1, 2], 2: [2]}),
        bridge_game_genre=bridge("genre", {1: [1]}),
        bridge_game_platform=bridge("platform", {1: [1], 2: [1], 3: [1]}),
    )

    assert naive == [(3, 3)]
    assert {gap: games for gap, games, _ in view} == {
        "no player rating (fewer than 6 votes)": 2,
        "no critic score": 2,
        "no playtime": 2,
        "no release date": 1,
        "release date only to the year": 1,
        "no genre": 2,
        "no store": 1,
        "no platform": 0,
        "on itch.io only": 1,
    }
    assert {of for _, _, of in view} == {3}
