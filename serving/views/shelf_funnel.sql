-- Grain: one row a game that at least 100 users added.
-- Question: what is finished, what is dropped?
-- Trap: the counters are running totals of what users said, no trend and no sales (15), and
-- beaten / added makes every game with many owners look unfinished. So
-- finished_of_settled_pct is beaten of those who ended it either way (beaten + dropped).
SELECT
  g.game_id AS game_id,
  g.name AS name,
  g.added_count AS added,
  g.added_owned AS owned,
  g.added_beaten AS beaten,
  g.added_dropped AS dropped,
  g.added_playing AS playing,
  g.added_toplay AS to_play,
  g.added_yet AS not_played,
  CASE
    WHEN g.added_beaten + g.added_dropped > 0
      THEN CAST(100 AS DOUBLE) * g.added_beaten / (g.added_beaten + g.added_dropped)
  END AS finished_of_settled_pct
FROM fact_games AS g
WHERE g.added_count >= 100
