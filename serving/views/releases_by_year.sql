-- Grain: one row a release year and catalogue ('itch.io only' or 'other').
-- Question: is the market growing?
-- Trap: plans are counted as releases (9), 1 January stands for a whole year (8:
-- year_only_dates), and the flood of 2021 to 2023 is one shop: 92 % of 2022 is on itch.io
-- only (10), so read the two catalogues apart, or games_on_a_shelf (at least one user added it).
SELECT
  g.release_year AS release_year,
  CASE WHEN g.is_itch_only THEN 'itch.io only' ELSE 'other' END AS catalogue,
  COUNT(*) AS games,
  COUNT(CASE WHEN g.added > 0 THEN 1 END) AS games_on_a_shelf,
  COUNT(CASE WHEN g.date_precision = 'year' THEN 1 END) AS year_only_dates,
  COUNT(g.player_rating) AS rated_games
FROM games_clean AS g
WHERE g.is_released
GROUP BY g.release_year, CASE WHEN g.is_itch_only THEN 'itch.io only' ELSE 'other' END
