"""Whether raw still holds what was published: it is what every rebuild is made of."""

from collections.abc import Iterator

from gamelake.context import Lake
from storage.layout import GAMES, MAIN, SOURCE_RAWG
from storage.raw_parts import list_parts

_HISTORY = "fact_game_history"
_ORIGIN = {"id": "game_id", "_fetched_at": "observed_at"}  # of each row of the history, in raw


def versions_are_in_raw(lake: Lake) -> Iterator[str]:
    """Yield how many published versions of games stand in no raw part, and the first of them."""
    history = lake.catalog.pin(MAIN).tables.get(_HISTORY)
    if history is None:
        return
    files = lake.catalog.files.dataset([file.path for file in history.data_files], history.schema)
    published = files.to_table(columns=[*_ORIGIN.values()])
    keys = [part.key for part in list_parts(lake.raw, SOURCE_RAWG, GAMES)]
    stored = lake.raw.read_table(keys, [*_ORIGIN]) if keys else published.schema.empty_table()
    stored = stored.rename_columns([*_ORIGIN.values()]).cast(published.schema)
    lost = published.join(stored, [*_ORIGIN.values()], join_type="left anti")
    if lost.num_rows:
        first = lost.sort_by([(name, "ascending") for name in _ORIGIN.values()])
        game, seen = first["game_id"][0].as_py(), first["observed_at"][0].as_py()
        yield f"{lost.num_rows} published versions are in no part: first game {game} of {seen}"
