-- Grain: one row a release decade and month (1 to 12).
-- Question: in which months are games released?
-- Trap: 1 January is a placeholder for a whole year: half of the games of the 1990s carry it, and
-- without it January is the smallest month, not the largest (8). Only games with a known day that
-- has come are counted. noticed_games were added by at least 50 users.
SELECT
  g.release_year - MOD(g.release_year, 10) AS release_decade,
  EXTRACT(MONTH FROM g.released_on) AS release_month,
  COUNT(*) AS games,
  COUNT(CASE WHEN g.added >= 50 THEN 1 END) AS noticed_games
FROM games_clean AS g
WHERE g.is_released AND g.date_precision = 'day'
GROUP BY g.release_year - MOD(g.release_year, 10), EXTRACT(MONTH FROM g.released_on)
