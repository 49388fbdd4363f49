"""Progress lines: honest totals, honest ETA, few lines where nothing can be redrawn."""

import pytest

from gamelake.progress import Pace, PlainProgress, describe, duration, share, shown
from gamelake.terminal import Terminal
from utils.progress import ProgressSnapshot, SilentProgress


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_eta_comes_from_the_pace_of_the_last_minute():
    time = Time()
    pace = Pace(time)
    assert pace.eta_s(ProgressSnapshot("fetch", pages_done=0, pages_total=100)) is None

    time.now = 10
    assert pace.eta_s(ProgressSnapshot("fetch", pages_done=20, pages_total=100)) == 40.0

    time.now = 100  # the start is forgotten: 20 pages at 10 s is too old as well
    pace.eta_s(ProgressSnapshot("fetch", pages_done=30, pages_total=100))
    time.now = 110
    assert pace.eta_s(ProgressSnapshot("fetch", pages_done=40, pages_total=100)) == 60.0


def test_eta_is_unknown_without_a_total():
    time = Time()
    pace = Pace(time)
    pace.eta_s(ProgressSnapshot("fetch", pages_done=1))
    time.now = 5

    eta = pace.eta_s(ProgressSnapshot("fetch", pages_done=9))

    assert eta is None
    assert "ETA" not in describe(ProgressSnapshot("fetch", pages_done=9), eta)


def test_the_share_never_passes_one():
    assert share(ProgressSnapshot("fetch", pages_done=12, pages_total=10)) == 1.0
    assert share(ProgressSnapshot("etl", windows_done=3, windows_total=12)) == 0.25
    assert share(ProgressSnapshot("fetch", pages_done=12)) is None


def test_a_line_says_everything_that_is_known():
    snapshot = ProgressSnapshot(
        "fetch",
        windows_done=3,
        windows_total=8,
        pages_done=120,
        pages_total=1_200,
        games=4_800,
        requests=131,
        quota_left=0,
        retries=2,
        message="waiting 3 s",
    )

    assert describe(snapshot, 95.0) == (
        "fetch: windows 3/8, pages 120/1,200, 4,800 games, 131 requests, "
        "0 left this month, 2 retries, ETA 1m35s, waiting 3 s"
    )


def test_plain_lines_come_at_ten_percent_or_thirty_seconds():
    time, lines = Time(), []
    progress = PlainProgress(lines.append, time)

    for page in range(101):
        progress.update(ProgressSnapshot("fetch", pages_done=page, pages_total=100))
    assert len(lines) == 11

    time.now = 29
    progress.update(ProgressSnapshot("fetch", pages_done=100, pages_total=100))
    assert len(lines) == 11

    time.now = 31
    progress.update(ProgressSnapshot("fetch", pages_done=100, pages_total=100))
    assert len(lines) == 12


def test_a_new_phase_is_said_at_once():
    lines = []
    progress = PlainProgress(lines.append, Time())

    progress.update(ProgressSnapshot("fetch", pages_done=9, pages_total=10))
    progress.update(ProgressSnapshot("etl", windows_done=0, windows_total=12))

    assert [line.partition(":")[0] for line in lines] == ["fetch", "etl"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.41, "0.4s"), (12.4, "12s"), (59.7, "1m00s"), (192, "3m12s"), (7_500, "2h05m")],
)
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text


def test_quiet_shows_no_progress():
    with shown(Terminal(verbosity=-1)) as listener:
        assert isinstance(listener, SilentProgress)


def test_a_terminal_gets_a_bar_that_survives_every_snapshot(capsys):
    with shown(Terminal(animated=True)) as listener:
        for page in (0, 50, 120):
            listener.update(ProgressSnapshot("fetch [x]", pages_done=page, pages_total=100))

    assert "fetch [x]" in capsys.readouterr().err
