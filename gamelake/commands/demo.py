"""`gamelake demo`: simulated source -> raw -> star -> five answers, without key or server."""

import shutil
from pathlib import Path

from pydantic import SecretStr

from gamelake.context import open_lake
from gamelake.options import Demo, Run
from gamelake.questions import QUESTIONS, answer
from gamelake.run import fetch_and_build
from gamelake.session import Session
from gamelake.summaries import built, fetched
from serving.lake import connect
from simulator.config import SimulatorConfig
from simulator.process import SimulatorProcess
from storage.layout import LakePaths
from utils.config import Settings
from utils.errors import UsageError

HOME = Path("lake-demo")
_MARK = ".gamelake-demo"


def run(options: Demo, session: Session) -> None:
    """Build ./lake-demo anew, answer five questions and say what to do next."""
    _start_fresh(HOME)
    with SimulatorProcess.start(SimulatorConfig(games=options.games)) as source:
        settings = demo_settings(source.base_url)
        with open_lake(settings, create=True) as lake:
            ingest, etl = fetch_and_build(
                lake, session, Run(json=options.json, quiet=options.quiet)
            )
    session.terminal.note(f"{fetched(ingest)}\n{built(etl)}\n")
    with connect(settings) as engine:
        answers = [answer(engine, question) for question in QUESTIONS]
    data = {
        "home": str(HOME),
        "simulated": True,
        "ingest": ingest.as_dict(),
        "etl": etl.as_dict(),
        "answers": [
            {"question": question.text, "rows": rows}
            for question, (rows, _) in zip(QUESTIONS, answers, strict=True)
        ],
    }
    session.terminal.result(data, "\n".join(text for _, text in answers))
    session.terminal.note(f"These games are invented (simulated source); the lake is in ./{HOME}.")
    session.terminal.next_steps(
        f'GAMELAKE_HOME={HOME} gamelake sql "SELECT * FROM genre_summary"',
        f"GAMELAKE_HOME={HOME} gamelake status",
        "gamelake plan    # real games: needs a free key, https://rawg.io/apidocs",
    )


def demo_settings(base_url: str) -> Settings:
    """Return settings of the demo: environment and `.env` play no part."""
    return Settings(
        gamelake_home=HOME,
        rawg_base_url=base_url,
        rawg_api_key=SecretStr("the-simulator-takes-any-key"),
        rawg_monthly_quota=0,
        rawg_max_rps=0,
    )


def _start_fresh(home: Path) -> None:
    """Remove the last demo; raises UsageError for a folder that no demo made."""
    if home.exists() and not (home / _MARK).is_file():
        raise UsageError(
            f"{home} exists and was not made by the demo",
            operation="demo",
            subject=str(home),
            hint=f"move {home} away, or run the demo in another folder",
        )
    shutil.rmtree(home, ignore_errors=True)
    LakePaths(home).home.mkdir()
    (home / _MARK).write_text("Made by `gamelake demo`, which removes this folder first.\n")
