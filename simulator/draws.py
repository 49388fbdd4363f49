"""Random draws for invented games, with the shares counted in contracts/rawg.md.

Games are drawn in chunks of fixed size, each with its own random stream, so that a catalogue is
the same however many processes draw it, and a smaller one is the beginning of a larger one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

CHUNK = 4_096  # games
BACKFILL = "2019-01-09T12:41:06"  # the one `updated` that 27 % of the games share
NOW = "2026-06-25T00:00:00"  # the catalogue's present
BUSY_MONTH = "2019-05"
BUSY_DAY = "2017-12-04"

# Games per year as RAWG counts them, the years before 2013 in proportion of their total.
_YEARS = {
    2026: 861, 2025: 17_985, 2024: 17_589, 2023: 62_015, 2022: 168_195, 2021: 158_725,
    2020: 121_376, 2019: 73_703, 2018: 67_957, 2017: 54_584, 2016: 40_253, 2015: 25_900,
    2014: 15_362, 2013: 6_347, 2012: 5_300, 2011: 4_600, 2010: 4_100, 2009: 3_500, 2008: 2_900,
    2007: 2_300, 2006: 2_000, 2005: 1_800, 2003: 1_600, 2001: 1_500, 1999: 1_400, 1997: 1_300,
    1995: 1_250, 1993: 1_150, 1991: 1_000, 1988: 900, 1985: 800, 1982: 600, 1978: 120, 1962: 1,
    1958: 1, 1954: 1, 2027: 12, 2030: 33, 2033: 2,
}  # fmt: skip
_ADDED = ([0, 0.72, 0.82, 0.90, 0.99, 0.999, 1], [0, 0.5, 3, 7, 499, 5_137, 22_127])
_VOTES = ([0, 0.86, 0.955, 0.99, 0.999, 1], [0, 0.5, 5.4, 35, 400, 7_000])


@dataclass(frozen=True)
class Blend:
    """What a generated catalogue is made of.

    `busy_month` and `busy_day` force at least that many games into BUSY_MONTH and onto BUSY_DAY.
    """

    games: int
    seed: int
    busy_month: int = 0
    busy_day: int = 0


def draw(blend: Blend, first: int) -> dict[str, list[Any]]:
    """Draw one chunk of games, the first of which is number `first`: a list per quantity."""
    rng = np.random.default_rng([blend.seed, first])
    popularity = rng.random(CHUNK)
    near = np.clip(popularity + rng.normal(0, 0.01, CHUNK), 0, 0.999_999)
    drawn = {
        "popularity": popularity,
        "added": np.interp(popularity, *_ADDED).round().astype(int),
        "votes": np.interp(near, *_VOTES).round().astype(int),
        "quality": np.clip(rng.normal(3.4, 0.6, CHUNK), 1, 4.9),
        "kind": rng.random(CHUNK),
        "bits": rng.integers(0, 2**62, CHUNK),
        "released": _released(blend, first, rng),
        "updated": _updated(rng),
    }
    return {name: values.tolist() for name, values in drawn.items()}


def _released(blend: Blend, first: int, rng: np.random.Generator) -> Any:
    """Draw release dates as text, '' for the 3.3 % without one."""
    weights = np.array(list(_YEARS.values()), dtype=float)
    years = rng.choice(list(_YEARS), size=CHUNK, p=weights / weights.sum())
    start = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    placeholder = rng.random(CHUNK) < np.where(
        years < 1990, 0.65, np.where(years < 2000, 0.47, 0.01)
    )
    days = np.where(placeholder, 0, rng.integers(0, 365, CHUNK))
    dates = (start + days).astype("U10")
    dates[rng.random(CHUNK) < 0.00095] = BUSY_DAY
    dates[rng.random(CHUNK) < 0.033] = ""
    month_days = [f"{BUSY_MONTH}-{day:02d}" for day in range(1, 32)]
    in_month, on_day = _forced(np.arange(first, first + CHUNK), blend)
    dates[in_month] = rng.choice(month_days, size=CHUNK)[in_month]
    dates[on_day] = BUSY_DAY
    return dates


def _forced(index: Any, blend: Blend) -> tuple[Any, Any]:
    """Pick exactly `busy_month` and `busy_day` positions of all games, evenly spread and apart."""
    both = blend.busy_month + blend.busy_day
    if not both:
        return np.zeros(len(index), bool), np.zeros(len(index), bool)
    taken = _spread(index, both, blend.games)
    in_month = taken & _spread(index * both // blend.games, blend.busy_month, both)
    return in_month, taken & ~in_month


def _spread(index: Any, wanted: int, total: int) -> Any:
    return (index + 1) * wanted // total > index * wanted // total


def _updated(rng: np.random.Generator) -> Any:
    now = np.datetime64(NOW, "s")
    recent = now - rng.integers(0, 30 * 86_400, CHUNK)
    past = now - rng.integers(30 * 86_400, 7 * 365 * 86_400, CHUNK)
    which = rng.random(CHUNK)
    backfill = np.datetime64(BACKFILL, "s")
    return np.where(which < 0.27, backfill, np.where(which < 0.305, recent, past)).astype("U19")
