-- Grain: one row a release year and genre; released games that are not on itch.io only.
-- Question: which genres rise?
-- Trap: a game with three genres counted three times makes shares that sum to 130 %; share_pct
-- gives each genre 1/n of a game and sums to 100 a year (3). There is no primary genre (6). With
-- the itch.io flood in, every genre's share of 2021 to 2023 is itch.io's (10).
SELECT
  y.release_year AS release_year,
  y.genre AS genre,
  y.games AS games,
  CAST(100 AS DOUBLE) * y.games_split / SUM(y.games_split) OVER (PARTITION BY y.release_year)
    AS share_pct,
  y.rated_games AS rated_games,
  y.avg_rating AS avg_rating
FROM (
  SELECT
    g.release_year AS release_year,
    k.genre_name AS genre,
    COUNT(*) AS games,
    SUM(CAST(1 AS DOUBLE) / g.n_genre) AS games_split,
    COUNT(g.player_rating) AS rated_games,
    AVG(g.player_rating) AS avg_rating
  FROM bridge_game_genre AS b
  JOIN games_clean AS g ON g.game_id = b.game_id
  JOIN dim_genre AS k ON k.genre_key = b.genre_key
  WHERE g.is_released AND NOT g.is_itch_only
  GROUP BY g.release_year, k.genre_name
) AS y
