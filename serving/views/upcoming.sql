-- Grain: one row a game that is announced and not out: dated after the load, or undated and TBA.
-- Question: what is awaited?
-- Trap: a date in the future is a plan, and 1 January or 31 December of a coming year means "that
-- year" (8): see date_kind. A game without a date is not unreleased for that alone (9): of those
-- only the announced ones are here.
SELECT
  g.game_id AS game_id,
  g.name AS name,
  g.released_on AS released_on,
  CASE
    WHEN g.released_on IS NULL THEN 'no date'
    WHEN g.date_precision = 'year' THEN 'year only'
    WHEN EXTRACT(MONTH FROM g.released_on) = 12 AND EXTRACT(DAY FROM g.released_on) = 31
      THEN 'year only'
    ELSE 'day'
  END AS date_kind,
  g.added AS added,
  f.added_toplay AS to_play
FROM games_clean AS g
JOIN fact_games AS f ON f.game_id = g.game_id
WHERE NOT g.is_released
