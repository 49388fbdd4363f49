"""Scratch folders: one's own, gone when closed, swept after a kill, never taken from the living."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from storage.scratch import ScratchFolder

_HOLD = """
import sys, time
from pathlib import Path
from storage.scratch import ScratchFolder
folder = ScratchFolder(Path(sys.argv[1]))
(folder.path / "file").write_text("x")
print(folder.path, flush=True)
time.sleep(60)
"""


def test_nothing_is_made_before_it_is_asked_for_and_nothing_stays(tmp_path: Path) -> None:
    root = tmp_path / "home" / "tmp"
    with ScratchFolder(root) as folder:
        assert not root.exists()
        (folder.path / "deep").mkdir()
        assert folder.path == folder.path
    assert list(root.iterdir()) == []
    folder.close()


def test_two_at_once_do_not_share(tmp_path: Path) -> None:
    with ScratchFolder(tmp_path) as one, ScratchFolder(tmp_path) as two:
        assert one.path != two.path
        assert one.path.is_dir()


def test_what_a_killed_process_left_is_swept_but_not_while_it_lives(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child, child.stdout:
        theirs = Path(child.stdout.readline().strip())
        with ScratchFolder(tmp_path) as ours:
            assert ours.path.is_dir()
            assert (theirs / "file").exists()
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    with ScratchFolder(tmp_path) as ours:
        assert ours.path.is_dir()
        assert not theirs.exists()


def test_other_files_below_the_root_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "duckdb").mkdir()
    (tmp_path / "work-notes").write_text("a file, no folder")
    with ScratchFolder(tmp_path) as folder:
        assert folder.path.is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["duckdb", "work-notes"]
