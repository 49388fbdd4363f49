-- Grain: one row a genre. A game with several genres counts in each.
-- Question: which genres are biggest, best rated, longest?
-- Trap: with 0.0 taken as a rating the order turns round (1); few votes weigh as much as many, so
-- avg_rating is a mean per game and vote_weighted_rating a mean per vote (2); summed over genres,
-- games counts 1.3 times too much and adds 2.5 times, so the _split columns give each genre 1/n
-- of a game (3); there is no primary genre, list order is an artefact (6); playtime 0 is
-- unknown (7). Games without any genre are in data_gaps.
SELECT
  k.genre_name AS genre,
  COUNT(*) AS games,
  SUM(CAST(1 AS DOUBLE) / g.n_genre) AS games_split,
  COUNT(g.player_rating) AS rated_games,
  CAST(100 AS DOUBLE) * COUNT(g.player_rating) / COUNT(*) AS rated_pct,
  AVG(g.player_rating) AS avg_rating,
  SUM(g.player_rating * g.votes)
  / SUM(CASE WHEN g.player_rating IS NOT NULL THEN CAST(g.votes AS DOUBLE) END)
    AS vote_weighted_rating,
  MEDIAN(g.playtime_hours) AS median_playtime_hours,
  SUM(CAST(g.added AS DOUBLE) / g.n_genre) AS shelf_adds_split
FROM bridge_game_genre AS b
JOIN games_clean AS g ON g.game_id = b.game_id
JOIN dim_genre AS k ON k.genre_key = b.genre_key
GROUP BY k.genre_name
