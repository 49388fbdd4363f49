"""A large catalogue is built by several processes, once, and served without being held."""

import time
from pathlib import Path

import pytest
from simulated import fetch, running

from simulator import store
from simulator.draws import Blend


def test_a_catalogue_on_disk_equals_one_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blend = Blend(games=4_500, seed=9)
    held = store.generated_store(blend)
    monkeypatch.setattr(store, "IN_MEMORY", 0)
    monkeypatch.setattr(store, "cache_folder", lambda: tmp_path)
    (tmp_path / "building-1999999999-left").mkdir()
    kept = store.generated_store(blend)
    again = store.generated_store(blend)
    try:
        every = store.np.arange(len(held))
        for one in (kept, again):
            assert len(one) == len(held) == 4_500
            for shape in ("browse", "filtered", "names"):
                assert getattr(one, shape).get(every) == getattr(held, shape).get(every)
            assert (one.name_order == held.name_order).all()
            for facet, ids in held.facets.items():
                assert (one.facets[facet].ids == ids.ids).all()
            for name in one.columns.names():
                assert (getattr(one.columns, name) == getattr(held.columns, name)).all()
            assert one.names.find(b"tower").tolist() == held.names.find(b"tower").tolist() != []
    finally:
        kept.close()
        again.close()
    assert len(list(tmp_path.iterdir())) == 1  # what a killed process left is swept


@pytest.mark.nightly
def test_900_000_games_are_served_from_little_memory() -> None:
    start = time.monotonic()
    with running(games=900_000, seed=1) as simulator:
        assert time.monotonic() - start < 120
        assert fetch(simulator, dates="2022-03-01,2022-03-31").json()["count"] > 10_000
        for page in (1, 250, 20_000, 22_500):
            rows = fetch(simulator, page=page, page_size=40).json()["results"]
            assert len(rows) == 40
        assert simulator.control.state()["resident_mb"] < 1_000
