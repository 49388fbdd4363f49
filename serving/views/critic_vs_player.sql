-- Grain: one row a game with a Metacritic score and at least 30 votes.
-- Question: where do critics and players part?
-- Trap: with the zeros in, the correlation is 0.43; rated games only, 0.58; from 30 votes on,
-- 0.62 (14). Scores are missing not at random: hardly any after 2022, and scored games are
-- rated higher (13). player_score_100 is 20 x the rating; gap is critics less players.
SELECT
  g.game_id AS game_id,
  g.name AS name,
  g.release_year AS release_year,
  g.votes AS votes,
  g.metacritic AS metacritic,
  20 * g.player_rating AS player_score_100,
  g.metacritic - 20 * g.player_rating AS gap
FROM games_clean AS g
WHERE g.metacritic IS NOT NULL AND g.player_rating IS NOT NULL AND g.votes >= 30
