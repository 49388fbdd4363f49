"""A set-up whose connection breaks at any call, before or after it took effect, is repeated."""

from pathlib import Path

import pytest
from dremio_lab import publish_lake, published_tables, user_of
from dremio_standin import Standin

from serving import dremio_setup
from serving.dremio_setup import wanted_views
from utils import seams

SHOWN = {"dim_genre", "bridge_game_genre", "load_date", "fact_games", "fact_game_history"}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return published_tables(publish_lake(tmp_path_factory.mktemp("lake")))


@pytest.fixture(autouse=True)
def _few_views(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep over every view would say nothing more."""
    few = [view for view in wanted_views() if view.name in SHOWN]
    monkeypatch.setattr(dremio_setup, "wanted_views", lambda: few)


def _state(standin: Standin) -> object:
    """Everything that is stored, but for ids and versions."""
    catalog = standin.catalog
    named = {i: str(e.get("path") or e["name"]) for i, e in catalog.entities.items()}
    return (
        standin.users,
        sorted(
            (name, str({k: v for k, v in catalog.entities[i].items() if k not in ("id", "tag")}))
            for i, name in named.items()
        ),
        sorted((named.get(i, i), wiki["text"]) for i, wiki in catalog.wikis.items()),
        sorted((named.get(i, i), labels["tags"]) for i, labels in catalog.labels.items()),
    )


def _whole(published: dict[str, object], home: Path) -> tuple[object, int]:
    with Standin() as standin:
        standin.sql.publish(published)  # type: ignore[arg-type]
        user_of(standin, home).setup()
        return _state(standin), len(standin.requests)


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_call_that_breaks_is_made_good_by_the_next_run(
    side: str, published: dict[str, object], tmp_path: Path
) -> None:
    whole, calls = _whole(published, tmp_path)
    for ordinal in range(2, calls + 1, 3):  # the first asks whether Dremio is up
        with Standin() as standin:
            standin.sql.publish(published)  # type: ignore[arg-type]
            user = user_of(standin, tmp_path)
            seen = []

            def cut(method: str, path: str, at: int = ordinal, seen: list[str] = seen) -> None:
                seen.append(f"{method} {path}")
                if len(seen) == at:
                    raise ConnectionError

            setattr(standin, side, cut)
            broken = user.run("dremio-setup", "--json")
            setattr(standin, side, lambda *_: None)
            user.setup()

            if len(seen) < ordinal and side == "after":
                break  # refusals have no answer to lose: there are fewer of these
            assert broken.code == 7, (seen[-1], broken)
            assert broken.json["code"] == "service"
            assert _state(standin) == whole, seen[-1]
            assert user.setup()["changes"] == []


def test_every_call_is_a_counted_operation(published: dict[str, object], tmp_path: Path) -> None:
    with Standin() as standin:
        standin.sql.publish(published)  # type: ignore[arg-type]
        seams.arm(None, trace=True)
        try:
            user_of(standin, tmp_path).setup()
            calls = [name for name, _ in seams.traced() if name == "dremio.call"]
        finally:
            seams.arm(None)
    assert len(calls) == len(standin.requests)
