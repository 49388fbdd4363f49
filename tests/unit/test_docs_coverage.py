"""Documentation says everything there is, and nothing that is not."""

import re
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values
from pydantic import SecretStr

from etl.iceberg_schemas import TABLES
from gamelake import dictionary
from gamelake.cli import COMMANDS
from gamelake.welcome import WELCOME
from serving.view_files import load_views
from utils import errors
from utils.config import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
SETTINGS = sorted(name.upper() for name in Settings.model_fields)


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(name: str) -> list[str]:
    """First cells of the page's tables, when they are code."""
    return re.findall(r"^\| `([^`]+)` \|", page(name), re.MULTILINE)


def test_every_command_is_documented_and_no_other():
    assert set(rows("docs/commands.md")) == {c.name for c in COMMANDS}


def test_every_example_is_in_the_docs():
    text = page("docs/commands.md")

    for command in COMMANDS:
        assert f"gamelake {command.name}" in text


def test_every_exit_code_is_documented():
    codes = {0, 1} | {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.GamelakeError)
    }

    documented = re.findall(r"^\| (\d+) \| ", page("docs/commands.md"), re.MULTILINE)

    assert {int(code) for code in documented} == codes


def test_every_setting_is_documented_and_no_other():
    documented = [name for name in rows("docs/configuration.md") if name.isupper()]

    assert sorted(documented) == SETTINGS


def test_defaults_in_the_docs_are_the_defaults():
    text = page("docs/configuration.md")

    for name, field in Settings.model_fields.items():
        (documented,) = re.findall(rf"^\| `{name.upper()}` \| ([^|]*)\|", text, re.MULTILINE)
        value = field.get_default()
        value = value.get_secret_value() if isinstance(value, SecretStr) else value
        expected = f"{value:g}" if isinstance(value, float) else str(value)
        assert documented.strip().strip("`") == expected, name


def test_the_example_file_has_every_setting_with_its_default():
    lines = page(".env.example").replace("\n# ", "\n")  # what `make up` decides is a comment
    example = dotenv_values(stream=StringIO("\n".join(re.findall(r"(?m)^[A-Z_]+=.*$", lines))))

    assert sorted(example) == SETTINGS
    given = {name.lower(): value for name, value in example.items() if value}
    assert Settings.model_validate(given) == Settings()


def test_the_dictionary_is_up_to_date():
    assert page("docs/data-dictionary.md") == dictionary.dictionary()


def test_the_dictionary_has_every_table_column_and_view():
    text = page("docs/data-dictionary.md")

    for table in TABLES.values():
        _, _, after = text.partition(f"\n### {table.name}\n")
        section = after.partition("\n### ")[0]
        assert all(f"| `{c.name}` | {c.type} |" in section and c.doc for c in table.columns)
    for view in load_views():
        assert f"\n### {view.name}\n" in text
        assert set(view.header) == {"grain", "question", "trap"}


def test_a_drifted_dictionary_is_noticed(tmp_path, capsys):
    copy = tmp_path / "dictionary.md"
    assert dictionary.main([str(copy)]) == 0
    assert dictionary.main(["--check", str(copy)]) == 0

    copy.write_text(copy.read_text().replace("game_id", "gameid", 1))

    assert dictionary.main(["--check", str(copy)]) == 1
    assert "make docs" in capsys.readouterr().err


def test_every_requirement_is_accounted_for_by_paths_that_exist():
    text = page("docs/requirements.md")
    items = re.findall(r"^\| (S002-\d+) \|.*\| (.+) \|$", text, re.MULTILINE)

    assert [item for item, _ in items] == [f"S002-{number:02d}" for number in range(1, 86)]
    for item, shown_by in items:
        named = re.findall(r"`((?:[a-z_]+/)+[\w.]*|pyproject\.toml)`", shown_by)
        missing = [name for name in named if not (ROOT / name).exists()]
        assert not missing, item
        assert named or re.search(r"issue \d|not built", shown_by), item


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_relative_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target


def test_every_make_target_in_the_docs_exists():
    targets = set(re.findall(r"^([a-z-]+):", page("Makefile"), re.MULTILINE))

    for path in PAGES:
        named = re.findall(r"`make ([a-z-]+)", path.read_text(encoding="utf-8"))
        assert set(named) <= targets, path


def test_decisions_have_status_context_decision_and_consequences():
    for path in sorted((ROOT / "docs" / "decisions").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        assert all(word in text for word in ("Status:", "## Context", "## Decision", "## Conseq"))


def test_rawg_is_credited_with_an_active_link():
    assert "https://rawg.io" in page("README.md")


def test_a_query_that_shows_some_rows_says_which():
    texts = [*(page.read_text(encoding="utf-8") for page in PAGES), *(c.example for c in COMMANDS)]
    shown = [q for text in texts for q in re.findall(r"SELECT[^`;]*?LIMIT \d+", text)]

    assert len(shown) >= 3
    assert [query for query in shown if "ORDER BY" not in query] == []
    assert [t for t in (*texts, WELCOME) if re.search(r"FROM top_games[^ ]", t)] == []
