-- Grain: one row, the lake as it was loaded.
-- Question: as of which day are the other views?
-- Trap: "today" is when someone asks, not when the data was loaded: with it a planned game turns
-- into a released one without anybody having looked. The newest change that the source reported
-- counts, but never later than our own newest reading, so one record touched "in the future"
-- moves nothing.
SELECT
  CAST(CASE WHEN h.observed < g.updated THEN h.observed ELSE g.updated END AS DATE) AS as_of
FROM (SELECT MAX(source_updated_at) AS updated FROM fact_games) AS g
CROSS JOIN (SELECT MAX(observed_at) AS observed FROM fact_game_history) AS h
