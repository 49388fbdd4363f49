"""What a user, a scheduler or a broken disk may do to the command line: never a defect of ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lakes import LakeUnderTest
from simulated import running

from utils.config import load_settings
from utils.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "http://127.0.0.1:1/api"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> LakeUnderTest:
    """A small published lake; no test here changes it."""
    with running(games=60) as source:
        lake = LakeUnderTest(tmp_path_factory.mktemp("misuse") / "lake", source.base_url)
        lake.must("run")
    return lake


def shell(lake: LakeUnderTest, line: str) -> subprocess.CompletedProcess[bytes]:
    """Run `gamelake LINE` by a shell, redirections and all."""
    return subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -m gamelake {line}'],
        cwd=lake.home.parent,
        env={**os.environ, **lake.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_closed_stream_is_no_reason_to_fail(lake: LakeUnderTest, closed: str) -> None:
    done = shell(lake, f"status {closed}")

    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    assert (b"published" in done.stdout) == (closed != ">&-")


@pytest.mark.parametrize(
    "words", ["", "--help", "status --help", "status", "status --json", "sql 'SELECT 1 AS a'"]
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_stdout_is_what_the_storage_refused(
    lake: LakeUnderTest, words: str, unbuffered: str
) -> None:
    done = shell(lake.but(PYTHONUNBUFFERED=unbuffered), f"{words} > /dev/full")

    error, hint = done.stderr.decode().splitlines()
    assert done.returncode == 7
    assert error == "error: the storage refused: No space left on device"
    assert hint.startswith("hint: ")


def test_a_full_stdout_hides_no_other_error(lake: LakeUnderTest) -> None:
    done = shell(lake, "nope --json > /dev/full")

    assert (done.returncode, len(done.stderr.splitlines())) == (2, 2)
    assert done.stderr.startswith(b"error: No such command 'nope'")


def test_statements_are_utf_8_from_a_file_or_a_pipe(lake: LakeUnderTest, tmp_path: Path) -> None:
    path = tmp_path / "query.sql"
    path.write_bytes("\ufeffSELECT 'é' AS x".encode())
    read, piped = shell(lake, f"sql -f {path} --format csv"), shell(lake, f"sql --json < {path}")
    path.write_bytes(b"SELECT '\xff'")
    refused = shell(lake, f"sql -f {path}"), shell(lake, f"sql < {path}")

    assert (read.stdout.decode(), piped.returncode) == ('"x"\n"é"\n', 0)
    assert [done.returncode for done in refused] == [2, 2]
    assert all(b"is not UTF-8 text: byte 8 is 0xff" in done.stderr for done in refused)


@pytest.mark.parametrize(
    "words", ["sql \"select '$(printf '\\351')'\"", "runs show $(printf '\\351')"]
)
def test_an_argument_that_is_no_text_is_named(lake: LakeUnderTest, words: str) -> None:
    utf8 = lake.but(PYTHONIOENCODING="utf-8", LC_ALL="C.UTF-8")  # strict, as most locales are
    told, plain = shell(utf8, f"{words} --json"), shell(utf8, words)

    assert (told.returncode, plain.returncode) == (2, 2)
    assert json.loads(told.stdout)["error"].startswith(r"an argument is not utf-8 text: ")
    assert rb"\xe9" in plain.stderr


def test_a_locale_without_the_letter_is_named(lake: LakeUnderTest) -> None:
    ascii_only = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = shell(lake.but(**ascii_only), "sql 'select é' --json")

    assert done.returncode == 2
    assert json.loads(done.stdout)["error"] == "an argument is not ascii text: select é"
    assert "LC_ALL=C.UTF-8" in json.loads(done.stdout)["hint"]


def test_a_path_may_be_any_bytes(lake: LakeUnderTest) -> None:
    strict = lake.but(PYTHONIOENCODING="utf-8")
    path = "\"$(printf 'q\\351.csv')\""
    written = shell(strict, f"sql 'SELECT 1 AS a' -o {path}")
    absent = shell(strict, f"sql -f x{path} --json")

    assert written.returncode == 0
    assert (lake.home.parent / os.fsdecode(b"q\xe9.csv")).read_text() == '"a"\n1\n'
    assert absent.returncode == 2
    assert json.loads(absent.stdout)["subject"] == os.fsdecode(b"xq\xe9.csv")


@pytest.mark.parametrize("output", ["/", ".", "no/such/folder"])
def test_an_answer_goes_into_a_file_only(lake: LakeUnderTest, output: str) -> None:
    done = shell(lake, f"sql 'SELECT 1 AS a' --output {output}")

    assert done.returncode == 2
    assert f"error: {output} cannot be written".encode() in done.stderr


def test_with_json_stdout_is_json_wherever_the_answer_goes(
    lake: LakeUnderTest, tmp_path: Path
) -> None:
    for name, form in (("a.csv", "csv"), ("b.json", "json"), ("c", "json")):
        told = lake.run("sql", "SELECT 1 AS a", "--output", str(tmp_path / name))
        assert told.json == {"output": str(tmp_path / name), "format": form, "rows": 1}
    assert (tmp_path / "a.csv").read_text() == '"a"\n1\n'
    assert json.loads((tmp_path / "c").read_text()) == [{"a": 1}]

    assert lake.run("sql", "SELECT 1 AS a", "--format", "json").json == [{"a": 1}]
    refused = lake.run("sql", "SELECT 1 AS a", "--format", "csv")
    assert (refused.code, refused.json["subject"]) == (2, "--format csv")


@pytest.mark.parametrize("url", ["nonsense", "no-such-database://u:canary@h/x"])
def test_an_address_that_is_none_is_a_setting_to_correct(lake: LakeUnderTest, url: str) -> None:
    told = lake.but(DATABASE_URL=url).run("status")

    assert (told.code, told.json["subject"]) == (2, "DATABASE_URL")
    assert "canary" not in told.out + told.err


@pytest.mark.parametrize("inside", [".", "deeper/still"])
def test_a_file_where_the_lake_should_be_is_a_setting_to_correct(
    tmp_path: Path, inside: str
) -> None:
    (tmp_path / "file").write_text("mine")
    told = LakeUnderTest(tmp_path / "file", NOWHERE).but(
        GAMELAKE_HOME=str(tmp_path / "file" / inside)
    )

    assert [told.run(c).code for c in ("run", "etl", "status")] == [2, 2, 2]
    assert (tmp_path / "file").read_text() == "mine"


def test_a_blank_key_is_no_key(tmp_path: Path) -> None:
    told = LakeUnderTest(tmp_path / "lake", NOWHERE).but(RAWG_API_KEY="  ").run("ingest")

    assert (told.code, told.json["error"]) == (2, "RAWG_API_KEY is not set")


def test_a_dotenv_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        load_settings({}, tmp_path / ".env")


@pytest.mark.parametrize("area", ["raw/rawg/games", "warehouse/games/fact_games"])
def test_damaged_files_are_no_defect(tmp_path: Path, area: str) -> None:
    with running(games=60) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url)
        lake.must("run")
    for path in (lake.home / area).rglob("*.parquet"):
        path.write_bytes(path.read_bytes()[:-10])
    told = lake.run("etl", "--full")

    assert (told.code, told.json["code"]) == (7, "service")
    assert "gamelake verify" in told.json["hint"]


def test_a_damaged_store_is_named_and_the_other_services_are_shown(tmp_path: Path) -> None:
    with running(games=1) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url)
        lake.home.mkdir()
        (lake.home / "store.db").write_bytes(b"no database at all" * 100)
        probed, status = lake.run("check-services"), lake.run("status")

    states = {one["service"]: one["state"] for one in probed.json["services"]}
    assert (probed.code, states["store"], states["rawg key"]) == (7, "down", "up")
    assert (status.code, "damaged" in status.json["error"]) == (7, True)
    assert "backup" in status.json["hint"]
