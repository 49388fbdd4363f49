-- Grain: one row a release year that the lake or the source has games of; games without a date are
-- the row without a year.
-- Question: how much of each year do we hold?
-- Trap: a pull cut short by quota or by the 10,000-row cap looks like a quiet year (11), and the
-- popular first pages look like "games" (12). source_games is the source's own count, which every
-- ingest asks for before it reads games; a year that it did not name is NULL, which is "not
-- known", rather than a guessed 100. RAWG lists no years past the present one and counts planned
-- games without a year: so the coverage of the row without a year is that of the undated games and
-- of the years that the source does not name, together. It passes 100 where the source has lost
-- games since.
SELECT
  CASE WHEN COALESCE(l.release_year_key, s.release_year_key) > 0
    THEN COALESCE(l.release_year_key, s.release_year_key)
  END AS release_year,
  COALESCE(l.loaded_games, 0) AS loaded_games,
  s.source_games AS source_games,
  CASE WHEN s.source_games > 0
    THEN CAST(100 AS DOUBLE) * CASE
      WHEN s.release_year_key > 0 THEN COALESCE(l.loaded_games, 0)
      ELSE SUM(CASE WHEN COALESCE(s.release_year_key, 0) = 0 THEN l.loaded_games ELSE 0 END) OVER ()
    END / s.source_games
  END AS coverage_pct,
  d.as_of AS as_of
FROM (
  SELECT COALESCE(g.release_year, 0) AS release_year_key, COUNT(*) AS loaded_games
  FROM games_clean AS g
  GROUP BY COALESCE(g.release_year, 0)
) AS l
FULL OUTER JOIN fact_source_years AS s ON s.release_year_key = l.release_year_key
CROSS JOIN load_date AS d
