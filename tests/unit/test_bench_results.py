"""The bench's arithmetic: medians, ratios within a round, growth, and bars that can fail."""

import json
from pathlib import Path

import pytest

from bench.check import Bar, read_bars, verdicts
from bench.results import GROWTH_FROM, Results, Sample, Spread
from bench.table import COMPARED, add_totals, lines


def _sample(what: str, seconds: float, **more: object) -> Sample:
    values = {"games": 1000, "round": 0, "cpu_seconds": 1.0, "peak_mb": 100.0, **more}
    return Sample(what=what, seconds=seconds, **values)  # type: ignore[arg-type]


def test_ratios_compare_what_ran_in_one_round() -> None:
    """The third round ran on a busy machine: both were slow, their ratio was not."""
    results = Results(
        _sample(what, seconds, round=number)
        for number, (ours, floor) in enumerate([(3.0, 1.0), (4.0, 2.0), (50.0, 20.0)])
        for what, seconds in (("etl", ours), ("etl floor", floor))
    )

    assert results.ratio(1000, "etl", "etl floor") == Spread(2.5, 2.0, 3.0)


def test_a_row_without_a_partner_has_no_ratio() -> None:
    results = Results([_sample("etl", 1.0, round=0), _sample("etl floor", 1.0, round=1)])

    assert results.ratio(1000, "etl", "etl floor") is None


@pytest.mark.parametrize(("power", "slope"), [(1.0, 1.0), (2.0, 2.0), (0.5, 0.5)])
def test_slope_is_the_power_of_growth(power: float, slope: float) -> None:
    results = Results(_sample("etl", 0.1 * n**power, games=n) for n in (10, 100, 1000))

    assert results.slope("etl") == pytest.approx(slope)


def test_slope_needs_two_sizes() -> None:
    results = Results([_sample("etl", 1.0), _sample("etl", 2.0, games=50_000)])

    assert results.slope("etl") is not None
    assert results.slope("etl", least=10_000) is None


def test_pages_to_tables_is_ingest_and_etl_of_one_round() -> None:
    results = Results(
        [
            _sample("ingest, browse", 2.0, round=1, peak_mb=300.0),
            _sample("etl, browse", 1.0, round=1),
            _sample("etl, browse", 9.0, round=0),
        ]
    )
    add_totals(results)
    (total,) = results.of(1000, "pages to tables")

    assert (total.seconds, total.cpu_seconds, total.peak_mb) == (3.0, 2.0, 300.0)


def test_saved_samples_come_back(tmp_path: Path) -> None:
    results = Results([_sample("etl", 1.5, facts={"written_mb": 2.0})])
    results.save(tmp_path / "kept.json", {"cores": 4})

    assert Results.load(tmp_path / "kept.json").samples == results.samples


def test_rounds_of_different_runs_are_not_compared(tmp_path: Path) -> None:
    for name, what in (("a", "etl"), ("b", "etl floor")):
        Results([_sample(what, 1.0)]).save(tmp_path / name, {})
    together = Results.together([tmp_path / "a", tmp_path / "b"])

    assert len(together.samples) == 2
    assert together.ratio(1000, "etl", "etl floor") is None


def test_the_table_shows_the_ratio() -> None:
    results = Results([_sample("etl", 2.0), _sample("etl floor", 1.0)])

    assert any("2.00x" in line and "etl floor" in line for line in lines(results))


def test_growth_is_shown_from_the_size_on_where_its_bars_count() -> None:
    """At 10,000 games a fixed second is all there is: it would hide any growth."""
    seconds = {10_000: 1.0, 50_000: 1.0, 500_000: 10.0}
    results = Results(_sample("etl", s, games=games) for games, s in seconds.items())
    growth = [line for line in lines(results) if line.startswith("growth of etl")]
    bars = [bar for bar in read_bars() if bar.value == "slope"]
    (verdict,) = verdicts(results, bars)

    assert growth == ["growth of etl, from 50,000 to 500,000 games: slope 1.00"]
    assert {bar.what for bar in bars} == {"ingest", "etl"}
    assert {bar.from_games for bar in bars} == {GROWTH_FROM}
    assert str(verdict) == "ok     growth of etl, from 50,000 games on: 1 (at most 1.05)"


@pytest.mark.parametrize(("seconds", "holds"), [(4.9, True), (5.1, False)])
def test_a_bar_is_a_ratio(seconds: float, holds: bool) -> None:
    results = Results([_sample("etl", seconds), _sample("etl floor", 1.0)])
    (found,) = verdicts(results, [Bar("etl to its floor", "etl", 5, to="etl floor")])

    assert found.holds is holds
    assert str(found).startswith("ok" if holds else "FAILED")


def test_a_bar_counts_from_its_size_on() -> None:
    results = Results([_sample("etl", 9.0), _sample("etl floor", 1.0)])
    bar = Bar("etl to its floor", "etl", 5, to="etl floor", from_games=50_000)

    assert [*verdicts(results, [bar])] == []


def test_bars_of_values() -> None:
    facts = {"written_mb": 3.0, "touched_mb": 4.0, "snapshots": 1.0}
    results = Results([_sample("delta", 2.0, facts=facts, peak_mb=1600.0)])
    bars = [
        Bar(v, "delta", 1, value=v) for v in ("written_share", "snapshots", "peak_mb", "seconds")
    ]

    assert [(v.found, v.holds) for v in verdicts(results, bars)] == [
        (0.75, True),
        (1.0, True),
        (1600.0, False),
        (2.0, False),
    ]


def test_every_bar_names_rows_that_the_bench_measures() -> None:
    """A bar with a misspelt row would hold for ever."""
    known = {*COMPARED, *COMPARED.values()}
    for bar in read_bars():
        assert bar.what in known, bar
        assert bar.to in known or not bar.to, bar


def test_an_unknown_field_of_a_bar_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "bars.json"
    path.write_text(json.dumps([{"name": "n", "what": "etl", "most": 1, "mots": 2}]))

    with pytest.raises(TypeError, match="mots"):
        read_bars(path)
