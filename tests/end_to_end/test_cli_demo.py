"""`gamelake demo`: from an empty folder to answers, again and again."""

import json
import os
import subprocess
import sys
from pathlib import Path

from gamelake.questions import QUESTIONS

ROOT = Path(__file__).resolve().parents[2]


def demo(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gamelake", "demo", "--games", "600", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_it_ends_with_answers_and_next_commands(tmp_path):
    done = demo(tmp_path)

    assert done.returncode == 0, done.stderr
    assert all(question.text in done.stdout for question in QUESTIONS)
    assert "no player rating" in done.stdout
    assert "█" in done.stdout
    assert "Complete:" in done.stderr
    assert "Fetched" not in done.stdout
    assert "invented" in done.stderr
    assert "gamelake plan" in done.stderr
    assert "leaked" not in done.stderr  # what DuckDB's bindings print when imports are not freed
    assert {path.name for path in tmp_path.iterdir()} == {"lake-demo"}


def test_it_can_be_repeated_and_gives_one_json_object(tmp_path):
    first = json.loads(demo(tmp_path, "--json").stdout)
    second = json.loads(demo(tmp_path, "--json").stdout)

    assert first["simulated"] is True
    assert first["answers"] == second["answers"]
    assert len(first["answers"]) == 5
    assert all(answer["rows"] for answer in first["answers"])
    ratings = [row["avg_rating"] for row in first["answers"][1]["rows"]]
    assert ratings == sorted(ratings, reverse=True)


def test_environment_and_dotenv_play_no_part(tmp_path):
    (tmp_path / ".env").write_text("RAWG_WORKERS=nonsense\nRAWG_BASE_URL=http://127.0.0.1:1/api\n")

    done = demo(tmp_path, "-q", GAMELAKE_HOME="elsewhere", RAWG_API_KEY="canary-demo-key")

    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "elsewhere").exists()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(b"canary-demo-key" in path.read_bytes() for path in files)


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path):
    (tmp_path / "lake-demo").mkdir()
    (tmp_path / "lake-demo" / "mine.txt").write_text("keep me")

    done = demo(tmp_path)

    assert done.returncode == 2
    assert (tmp_path / "lake-demo" / "mine.txt").read_text() == "keep me"
