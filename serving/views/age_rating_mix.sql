-- Grain: one row an ESRB rating ('Unknown' where there is none) and catalogue.
-- Question: for whom are games made?
-- Trap: 93 % of games have no age rating; an inner join on it drops them and every share is a
-- share of the few (5). Nearly nothing on itch.io is rated, so it stands apart (10).
SELECT
  k.esrb_rating_name AS age_rating,
  CASE WHEN g.is_itch_only THEN 'itch.io only' ELSE 'other' END AS catalogue,
  COUNT(*) AS games,
  COUNT(g.player_rating) AS rated_games
FROM games_clean AS g
JOIN fact_games AS f ON f.game_id = g.game_id
JOIN dim_esrb_rating AS k ON k.esrb_rating_key = f.esrb_rating_key
GROUP BY
  k.esrb_rating_name,
  CASE WHEN g.is_itch_only THEN 'itch.io only' ELSE 'other' END
