-- Grain: one row a store. A game in several stores counts in each.
-- Question: where to buy, where to publish?
-- Trap: games in no store fall out of an inner join silently (5: they are in data_gaps), and a
-- store's size is not its reach: most of itch.io is nowhere else (10: only_here).
SELECT
  k.store_name AS store,
  COUNT(*) AS games,
  COUNT(CASE WHEN g.n_store = 1 THEN 1 END) AS only_here,
  COUNT(st.game_id) AS also_on_steam,
  COUNT(g.player_rating) AS rated_games,
  AVG(g.player_rating) AS avg_rating
FROM bridge_game_store AS b
JOIN games_clean AS g ON g.game_id = b.game_id
JOIN dim_store AS k ON k.store_key = b.store_key
LEFT JOIN (
  SELECT bs.game_id AS game_id, bs.store_key AS store_key
  FROM bridge_game_store AS bs
  JOIN dim_store AS ks ON ks.store_key = bs.store_key
  WHERE ks.store_slug = 'steam'
) AS st ON st.game_id = b.game_id AND st.store_key <> b.store_key
GROUP BY k.store_name
