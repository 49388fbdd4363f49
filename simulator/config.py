"""How a simulated RAWG behaves: fixed at the start, or turned while it runs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

FaultProfile = Literal["none", "recorded", "storm"]
MAX_PAGE_SIZE = 40
FILTERS_ALONE = frozenset(
    {
        *("genres", "platforms", "parent_platforms", "stores", "tags", "metacritic"),
        *("developers", "publishers", "creators", "platforms_count", "exclude_collection"),
        *("exclude_additions", "exclude_parents", "exclude_game_series", "exclude_stores"),
    }
)


@dataclass(frozen=True)
class SimulatorConfig:
    """What `serve` needs.

    `games` are invented from `seed`, unless `replay` names a folder of recorded pages. `port` 0
    takes a free one. `latency_ms` is the server time of a first page; pages at the depth of 900,000
    rows take 4.3 times as long. `quota` 0 is unlimited. `key` '' accepts any key. `drift` is how
    many games gain one `added` with every listing request. `busy_month` and `busy_day` force at
    least that many invented games into one month (2019-05) and onto one day (2017-12-04).
    `browse_filters` names the filters that, alone, keep the browse shape (not known: see
    contracts/rawg.md 1.1).
    """

    games: int = 2_000
    seed: int = 1
    replay: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    latency_ms: float = 0.0
    faults: FaultProfile = "none"
    fault_seed: int = 1
    quota: int = 0
    depth_limit: int = 10_000
    key: str = ""
    drift: int = 0
    busy_month: int = 0
    busy_day: int = 0
    browse_filters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lies:
    """How listings whose query contains `match` are wrong; 0 and '' are off.

    `count_lie` is added to `count`; `page_cap` is the greatest page size; the listing ends after
    `end_page`; `next` is null on `null_next_page` though pages follow; `repeat_page` n is served
    once more as n + 1; the `next` of `next_error_page` leads to an error; `empty_listing` shows
    no game.
    """

    match: str = ""
    count_lie: int = 0
    page_cap: int = MAX_PAGE_SIZE
    end_page: int = 0
    null_next_page: int = 0
    repeat_page: int = 0
    next_error_page: int = 0
    empty_listing: bool = False


@dataclass
class Knobs:
    """What can be turned while the server runs (control `set`); the names are the JSON keys."""

    latency_ms: float = 0.0
    quota: int = 0
    depth_limit: int = 10_000
    key: str = ""
    drift: int = 0
    browse_filters: frozenset[str] = field(default_factory=frozenset)
    hang_s: float = 3_600.0  # a hanging connection is dropped then
    lies: Lies = field(default_factory=Lies)

    @classmethod
    def of(cls, config: SimulatorConfig) -> "Knobs":
        """Return the knobs as `config` sets them."""
        return cls(
            latency_ms=config.latency_ms,
            quota=config.quota,
            depth_limit=config.depth_limit,
            key=config.key,
            drift=config.drift,
            browse_filters=frozenset(config.browse_filters),
        )
