-- Grain: one row a game that is out and rated.
-- Question: what to play?
-- Trap: the highest rating is 5.0 from 7 votes (2), so score pulls each rating towards the mean
-- per game with the weight of 50 votes: (50 x mean + rating x votes) / (50 + votes). Unreleased
-- games are rated too (9). Editions and add-ons are games here: take one row a base_title, the
-- name up to its first colon, dash or bracket, when you want different games (19).
SELECT
  g.game_id AS game_id,
  g.name AS name,
  CASE
    WHEN POSITION(':' IN g.name) > 1 THEN SUBSTRING(g.name FROM 1 FOR POSITION(':' IN g.name) - 1)
    WHEN POSITION(' - ' IN g.name) > 1
      THEN SUBSTRING(g.name FROM 1 FOR POSITION(' - ' IN g.name) - 1)
    WHEN POSITION(' – ' IN g.name) > 1
      THEN SUBSTRING(g.name FROM 1 FOR POSITION(' – ' IN g.name) - 1)
    WHEN POSITION(' (' IN g.name) > 1
      THEN SUBSTRING(g.name FROM 1 FOR POSITION(' (' IN g.name) - 1)
    ELSE g.name
  END AS base_title,
  g.released_on AS released_on,
  g.player_rating AS player_rating,
  g.votes AS votes,
  (50 * m.mean_rating + g.player_rating * g.votes) / (50 + g.votes) AS score
FROM games_clean AS g
CROSS JOIN (
  SELECT AVG(player_rating) AS mean_rating FROM games_clean WHERE is_released
) AS m
WHERE g.is_released AND g.player_rating IS NOT NULL
