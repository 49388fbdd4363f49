-- Grain: one row a canonical tag (English, lower case, trimmed) that at least 20 games carry.
-- Question: what is in fashion?
-- Trap: the filtered listing adds a Russian twin to most tags, and Cyrillic names are labelled
-- eng as well, so twins are left out by script and not by label (17). What a shop offers (Steam
-- Achievements) and what a game was made with (Unity) lead every list of tags and are no taste:
-- tag_kind tells them apart (18).
SELECT
  t.tag AS tag,
  CASE
    WHEN t.tag IN (
      'steam achievements', 'steam cloud', 'steam-trading-cards', 'steam trading cards',
      'steam leaderboards', 'steam workshop', 'steam turn notifications', 'steamvr collectibles',
      'full controller support', 'partial controller support', 'controller', 'controller support',
      'family sharing', 'in-app purchases', 'includes level editor', 'includes source sdk',
      'stats', 'captions available', 'commentary available', 'valve anti-cheat enabled',
      'remote play together', 'remote play on tv', 'remote play on phone',
      'remote play on tablet', 'cross-platform multiplayer', 'early access', 'free to play',
      'exclusive', 'true exclusive'
    ) THEN 'store feature'
    WHEN t.tag IN (
      'unity', 'unreal engine', 'godot', 'gamemaker', 'game maker', 'rpg maker', 'rpgmaker',
      'construct 2', 'construct 3', 'twine', 'pico-8', 'ren''py', 'renpy', 'bitsy', 'blender',
      'phaser', 'scratch', 'unreal', 'html5', 'aseprite', 'kirikiri', 'jam', 'ludum dare'
    ) THEN 'made with'
    WHEN t.tag IN (
      'singleplayer', 'multiplayer', 'co-op', 'cooperative', 'online co-op', 'local co-op',
      'online multiplayer', 'local multiplayer', 'split screen', 'pvp', 'pve', 'online pvp',
      'mmo', 'massively multiplayer', 'online', 'lan co-op', 'lan pvp', 'shared/split screen'
    ) THEN 'player mode'
    ELSE 'content'
  END AS tag_kind,
  COUNT(*) AS games,
  COUNT(CASE WHEN g.added > 0 THEN 1 END) AS games_on_a_shelf,
  COUNT(g.player_rating) AS rated_games,
  AVG(g.player_rating) AS avg_rating
FROM (
  SELECT DISTINCT LOWER(TRIM(k.tag_name)) AS tag, b.game_id AS game_id
  FROM bridge_game_tag AS b
  JOIN dim_tag AS k ON k.tag_key = b.tag_key
  WHERE k.tag_id IS NOT NULL AND REGEXP_REPLACE(k.tag_name, '[Ѐ-ӿ]', '') = k.tag_name
) AS t
JOIN games_clean AS g ON g.game_id = t.game_id
GROUP BY t.tag
HAVING COUNT(*) >= 20
