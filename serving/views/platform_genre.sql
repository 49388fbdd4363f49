-- Grain: one row a platform and genre: here, and only here, both bridges meet.
-- Question: what is a platform good at?
-- Trap: a game on 3 platforms with 4 genres is 12 rows of this join (3); summing games over
-- platforms or genres, or hiding the fan-out behind DISTINCT (4), gives no number of games.
-- games_split gives each row 1 / (platforms x genres) of a game and sums to the games joined.
SELECT
  p.platform_name AS platform,
  e.genre_name AS genre,
  COUNT(*) AS games,
  SUM(CAST(1 AS DOUBLE) / (g.n_platform * g.n_genre)) AS games_split,
  COUNT(g.player_rating) AS rated_games,
  AVG(g.player_rating) AS avg_rating
FROM games_clean AS g
JOIN bridge_game_platform AS bp ON bp.game_id = g.game_id
JOIN bridge_game_genre AS be ON be.game_id = g.game_id
JOIN dim_platform AS p ON p.platform_key = bp.platform_key
JOIN dim_genre AS e ON e.genre_key = be.genre_key
GROUP BY p.platform_name, e.genre_name
