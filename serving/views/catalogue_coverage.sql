-- Grain: one row a release year; games without a date are the row without a year.
-- Question: how much of each year do we hold?
-- Trap: a pull cut short by quota or by the 10,000-row cap looks like a quiet year (11), and the
-- popular first pages look like "games" (12). loaded_games alone says nothing about coverage.
-- Limit: the star does not hold the source's own counts yet, so source_games and coverage_pct
-- are NULL, which is "not known", rather than a guessed 100. What a run held against the
-- source's counts, window by window, is in `gamelake runs show`.
SELECT
  g.release_year AS release_year,
  COUNT(*) AS loaded_games,
  CAST(NULL AS BIGINT) AS source_games,
  CAST(NULL AS DOUBLE) AS coverage_pct,
  MAX(d.as_of) AS as_of
FROM games_clean AS g
CROSS JOIN load_date AS d
GROUP BY g.release_year
