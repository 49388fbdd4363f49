-- Grain: one row a game. The base of every other view, and a feature table.
-- Question: what do we really know about each game?
-- Trap: the source writes "unknown" as a number. Rating 0.0 means fewer than 6 votes (1);
-- playtime 0 is unknown and some values are absurd, so NULL outside 1 to 200 hours (7);
-- 1 January stands for "some day that year" (8); dates in the future are plans, and a game
-- without a date is not known to be out (9: is_released is NULL then, FALSE when announced);
-- most games of 2021 to 2023 are on itch.io only (10).
SELECT
  g.game_id AS game_id,
  g.name AS name,
  g.released_on AS released_on,
  EXTRACT(YEAR FROM g.released_on) AS release_year,
  CASE
    WHEN g.released_on IS NULL THEN 'unknown'
    WHEN EXTRACT(MONTH FROM g.released_on) = 1 AND EXTRACT(DAY FROM g.released_on) = 1 THEN 'year'
    ELSE 'day'
  END AS date_precision,
  CASE
    WHEN g.released_on <= d.as_of THEN TRUE
    WHEN g.released_on > d.as_of OR g.is_tba THEN FALSE
  END AS is_released,
  CASE WHEN g.reviews_count >= 6 AND g.rating > 0 THEN g.rating END AS player_rating,
  g.reviews_count AS votes,
  CASE
    WHEN g.reviews_count >= 6 AND g.rating > 0 THEN 'rated'
    WHEN g.reviews_count > 0 THEN 'too few votes'
    ELSE 'no votes'
  END AS rating_state,
  g.metacritic_score AS metacritic,
  CASE WHEN g.playtime_hours BETWEEN 1 AND 200 THEN g.playtime_hours END AS playtime_hours,
  g.added_count AS added,
  COALESCE(s.n_store, 0) AS n_store,
  COALESCE(e.n_genre, 0) AS n_genre,
  COALESCE(p.n_platform, 0) AS n_platform,
  CASE WHEN s.n_store = 1 AND s.n_itch = 1 THEN TRUE ELSE FALSE END AS is_itch_only
FROM fact_games AS g
CROSS JOIN load_date AS d
LEFT JOIN (
  SELECT
    b.game_id AS game_id,
    COUNT(*) AS n_store,
    COUNT(CASE WHEN k.store_slug = 'itch' THEN 1 END) AS n_itch
  FROM bridge_game_store AS b
  LEFT JOIN dim_store AS k ON k.store_key = b.store_key
  GROUP BY b.game_id
) AS s ON s.game_id = g.game_id
LEFT JOIN (
  SELECT game_id, COUNT(*) AS n_genre FROM bridge_game_genre GROUP BY game_id
) AS e ON e.game_id = g.game_id
LEFT JOIN (
  SELECT game_id, COUNT(*) AS n_platform FROM bridge_game_platform GROUP BY game_id
) AS p ON p.game_id = g.game_id
