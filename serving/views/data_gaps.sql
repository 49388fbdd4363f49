-- Grain: one row a known gap.
-- Question: can I trust this?
-- Trap: all of them: a mean says nothing until it is known how many games it leaves out.
WITH counted AS (
  SELECT
    COUNT(*) AS of_games,
    COUNT(CASE WHEN g.player_rating IS NULL THEN 1 END) AS unrated,
    COUNT(CASE WHEN g.metacritic IS NULL THEN 1 END) AS unscored,
    COUNT(CASE WHEN g.playtime_hours IS NULL THEN 1 END) AS untimed,
    COUNT(CASE WHEN g.date_precision = 'unknown' THEN 1 END) AS undated,
    COUNT(CASE WHEN g.date_precision = 'year' THEN 1 END) AS year_only,
    COUNT(CASE WHEN g.n_genre = 0 THEN 1 END) AS without_genre,
    COUNT(CASE WHEN g.n_store = 0 THEN 1 END) AS without_store,
    COUNT(CASE WHEN g.n_platform = 0 THEN 1 END) AS without_platform,
    COUNT(CASE WHEN g.is_itch_only THEN 1 END) AS itch_only
  FROM games_clean AS g
)

SELECT 'no player rating (fewer than 6 votes)' AS gap, unrated AS games, of_games FROM counted
UNION ALL
SELECT 'no critic score' AS gap, unscored AS games, of_games FROM counted
UNION ALL
SELECT 'no playtime' AS gap, untimed AS games, of_games FROM counted
UNION ALL
SELECT 'no release date' AS gap, undated AS games, of_games FROM counted
UNION ALL
SELECT 'release date only to the year' AS gap, year_only AS games, of_games FROM counted
UNION ALL
SELECT 'no genre' AS gap, without_genre AS games, of_games FROM counted
UNION ALL
SELECT 'no store' AS gap, without_store AS games, of_games FROM counted
UNION ALL
SELECT 'no platform' AS gap, without_platform AS games, of_games FROM counted
UNION ALL
SELECT 'on itch.io only' AS gap, itch_only AS games, of_games FROM counted
