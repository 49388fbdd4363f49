"""The helper process gives what this process would have read, and may die at any moment."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ingestion import decoder
from ingestion.decode import Decoded, decode, read_answer, write_answer
from ingestion.decoder import Decoder
from ingestion.spool import PageHead, Spool, left_behind
from storage.raw_schema import RAW_GAMES
from utils.clock import FetchClock, SystemClock

ROW = b'{"id": %d, "slug": "g", "name": "G", "updated": "2025-01-01T00:00:00", "odd": [1, 2]}'


@pytest.fixture
def segments(tmp_path: Path) -> list[Path]:
    """Three segments: good rows, a bad row, an unreadable page."""
    spool = Spool(tmp_path / "run", FetchClock(SystemClock()), pages_a_segment=1)
    spool.append(PageHead("w", 1, 3, "browse", 2), b"[" + ROW % 1 + b"," + ROW % 2 + b"]")
    spool.append(PageHead("w", 2, 3, "filtered", 2), b"[" + ROW % 3 + b',{"id": "x"}]')
    spool.append(PageHead("w", 3, 0, "browse", 0, failure="html"), b"<html>")
    return left_behind(tmp_path)


def same(one: Decoded, other: Decoded) -> bool:
    heads = (one.pages, one.good, one.bad) == (other.pages, other.good, other.bad)
    rows = one.keys.equals(other.keys) and one.part == other.part
    return heads and rows and one.quarantine.equals(other.quarantine)


def test_rows_and_failures_of_each_page_are_counted(segments: list[Path]) -> None:
    good, bad, unreadable = (decode(segment, "run") for segment in segments)

    assert (good.good, good.bad, good.quarantine.num_rows) == ((2,), (0,), 0)
    assert (bad.good, bad.bad, bad.quarantine.num_rows) == ((1,), (1,), 1)
    assert (unreadable.good, unreadable.bad, unreadable.quarantine.num_rows) == ((0,), (0,), 1)
    assert [seen[0] for seen in good.seen()] == [1, 2]
    assert [head.page for head, _ in bad.readable] == [2]
    assert unreadable.readable == []


@pytest.mark.parametrize("positions", [[], [0], [3, 17], [*range(20)]])
def test_a_part_holds_the_rows_that_are_asked_for(tmp_path: Path, positions: list[int]) -> None:
    spool = Spool(tmp_path / "run", FetchClock(SystemClock()), pages_a_segment=20)
    for page in range(1, 21):
        spool.append(PageHead("w", page, 20, "browse", 1), b"[" + ROW % page + b"]")
    decoded = decode(left_behind(tmp_path)[0], "run")
    part = pq.read_table(io.BytesIO(decoded.part_of(positions)), schema=RAW_GAMES)

    assert part["id"].to_pylist() == [position + 1 for position in positions]
    assert part["_extra"].to_pylist() == ['{"odd":[1, 2]}'] * len(positions)


def test_an_answer_comes_back_whole(segments: list[Path]) -> None:
    for segment in segments:
        decoded, wire = decode(segment, "run"), io.BytesIO()
        write_answer(wire, decoded)
        wire.seek(0)

        assert same(read_answer(wire), decoded)


@pytest.mark.parametrize("killed", [0, 1, 2], ids=["alive", "one killed", "all killed"])
def test_helpers_are_no_different_from_this_process(segments: list[Path], killed: int) -> None:
    own = Decoder("run", segments=decoder._WORTH_IT)
    assert own.helpers == min(decoder._HELPERS, (os.cpu_count() or 1) - 1)
    for segment in segments * 2:
        own.give(segment)
    for helper in own._helpers[:killed]:
        helper.process.kill()
        helper.process.wait()
    answers = [own.result() for _ in segments * 2]
    own.close()

    assert [segment for segment, _ in answers] == segments * 2
    assert all(same(decoded, decode(segment, "run")) for segment, decoded in answers)
    assert own.helpers == 0


def test_a_run_that_turns_out_to_be_long_starts_helpers(segments: list[Path]) -> None:
    own = Decoder("run")
    for count in range(decoder._WORTH_IT):
        assert own.helpers == 0, count
        own.give(segments[0])
    started = own.helpers
    answers = [own.result()[1] for _ in range(decoder._WORTH_IT)]
    own.close()

    assert started > 0
    assert all(same(answer, decode(segments[0], "run")) for answer in answers)


def test_a_small_run_starts_no_helper(segments: list[Path]) -> None:
    own = Decoder("run", segments=decoder._WORTH_IT - 1)
    own.give(segments[0])

    assert own.helpers == 0
    assert own.result()[1].good == (2,)


def test_a_helper_hears_no_ctrl_c_and_says_nothing(segments: list[Path]) -> None:
    """A terminal sends SIGINT to the whole process group."""
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from ingestion.decoder import Decoder\n"
        "own = Decoder('run', segments=100)\n"
        "signal.signal(signal.SIGINT, lambda *_: None)\n"
        "os.killpg(0, signal.SIGINT)\n"
        "own.give(Path(sys.argv[1]))\n"
        "answer = own.result()[1]\n"
        "print(len(answer.pages), own.helpers, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(segments[0])],
        cwd=Path(decoder.__file__).parents[1],
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == (f"1 {min(2, (os.cpu_count() or 1) - 1)}\n", "")


def test_a_helper_does_without_pandas(segments: list[Path]) -> None:
    """Arrow would load it with the first array that is made: a fifth of a second a helper."""
    program = (
        "import sys\n"
        "from ingestion.decode import main\n"
        "main()\n"
        "print('pandas' in sys.modules, file=sys.stderr)\n"
    )
    lines = "".join(f"run\t{segment}\n" for segment in segments)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(decoder.__file__).parents[1],
        input=lines.encode(),
        capture_output=True,
        check=True,
    )
    wire = io.BytesIO(done.stdout)

    assert all(same(read_answer(wire), decode(segment, "run")) for segment in segments)
    assert done.stderr == b"False\n"
