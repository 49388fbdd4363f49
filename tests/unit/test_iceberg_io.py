"""Files of the warehouse are synced when they close, and never deleted by a run."""

from pathlib import Path

import pytest
from power_loss import PowerModel

from etl.iceberg_io import FsyncFileIO
from utils import seams
from utils.seams import Fault


def write(path: Path, content: bytes = b"content") -> None:
    with FsyncFileIO().new_output(str(path)).create() as stream:
        stream.write(content)


def test_what_is_closed_is_durable_with_its_new_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    power = PowerModel.watching(monkeypatch)
    path = tmp_path / "a" / "b" / "file"

    write(path)

    assert power.survives(path, tmp_path)
    assert path.read_bytes() == b"content"


def test_what_is_still_open_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    power = PowerModel.watching(monkeypatch)

    with FsyncFileIO().new_output(str(tmp_path / "f")).create() as stream:
        stream.write(b"content")
        assert not power.survives(tmp_path / "f", tmp_path)
        assert stream.tell() == 7


def test_an_existing_file_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    write(tmp_path / "f", b"old")
    with pytest.raises(FileExistsError):
        write(tmp_path / "f", b"new")

    output = FsyncFileIO().new_output(str(tmp_path / "f"))
    with output.create(overwrite=True) as stream:
        stream.write(b"newer")

    assert output.exists()
    assert len(output) == 5
    assert output.to_input_file().open().read() == b"newer"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_failed_close_is_an_error_and_leaves_no_open_file(
    tmp_path: Path, when: seams.When
) -> None:
    seams.arm(Fault("error", when, "warehouse.write", 1))
    stream = FsyncFileIO().new_output(str(tmp_path / "f")).create()

    with pytest.raises(OSError, match="injected"):
        stream.close()

    seams.arm(None)
    stream.close()


def test_delete_keeps_the_file(tmp_path: Path) -> None:
    write(tmp_path / "f")

    FsyncFileIO().delete(str(tmp_path / "f"))

    assert (tmp_path / "f").exists()
