-- Grain: one row a platform. A game on several platforms counts in each.
-- Question: which platform has what, and what only it has?
-- Trap: joining another bridge here would multiply every figure (3); critics score few games and
-- not by chance, so avg_metacritic stands beside critic_scored_games and critic_coverage_pct (13).
SELECT
  k.platform_name AS platform,
  COUNT(*) AS games,
  COUNT(CASE WHEN g.n_platform = 1 THEN 1 END) AS exclusive_games,
  COUNT(g.player_rating) AS rated_games,
  AVG(g.player_rating) AS avg_rating,
  COUNT(g.metacritic) AS critic_scored_games,
  AVG(g.metacritic) AS avg_metacritic,
  CAST(100 AS DOUBLE) * COUNT(g.metacritic) / COUNT(*) AS critic_coverage_pct
FROM bridge_game_platform AS b
JOIN games_clean AS g ON g.game_id = b.game_id
JOIN dim_platform AS k ON k.platform_key = b.platform_key
GROUP BY k.platform_name
