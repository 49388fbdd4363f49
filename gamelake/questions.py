"""Five questions that the curated views answer, and how the answers look."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gamelake.terminal import table
from serving.engine import QueryEngine

_BAR_WIDTH = 32
_BLOCK = "█"

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Question:
    """A question, the query that answers it, and a way to show the answer."""

    text: str
    sql: str
    show: Callable[[Sequence[str], Rows], str] = table


def chart(header: Sequence[str], rows: Rows) -> str:
    """Return (label, count) rows as bars with their numbers; the longest fills the width."""
    del header
    most = max((count for _, count in rows), default=0)
    return "\n".join(
        f"{label}  {_BLOCK * max(1, round(_BAR_WIDTH * count / most)):{_BAR_WIDTH}}  {count:,}"
        for label, count in rows
    )


QUESTIONS = (
    Question(
        "Can I trust this? What share of the games carries no rating, score or date?",
        """SELECT gap, games, of_games, ROUND(100.0 * games / of_games, 1) AS pct
           FROM data_gaps ORDER BY games DESC LIMIT 4""",
    ),
    Question(
        "Which genres do players rate best? (mean; genres with few rated games left out)",
        """SELECT genre, avg_rating, rated_games, games
           FROM genre_summary QUALIFY rated_games >= MAX(rated_games) OVER () / 2
           ORDER BY avg_rating DESC, genre LIMIT 5""",
    ),
    Question(
        "When were these games released? (games that somebody has on a shelf)",
        """SELECT release_year, SUM(games_on_a_shelf)::BIGINT AS games
           FROM releases_by_year WHERE release_year IS NOT NULL
           GROUP BY 1 QUALIFY row_number() OVER (ORDER BY release_year DESC) <= 8 ORDER BY 1""",
        chart,
    ),
    Question(
        "What should I play? (few votes count for little)",
        """SELECT name, player_rating, votes, ROUND(score, 2) AS score
           FROM top_games ORDER BY score DESC, game_id LIMIT 5""",
    ),
    Question(
        "Which platforms have most games, and how many only they have?",
        """SELECT platform, games, exclusive_games, rated_games
           FROM platform_summary ORDER BY games DESC, platform LIMIT 5""",
    ),
)


def answer(engine: QueryEngine, question: Question) -> tuple[list[dict[str, Any]], str]:
    """Return the rows of the answer, and the question with its answer as text."""
    result = engine.sql(question.sql)
    rows = result.fetchall()
    text = f"{question.text}\n{question.show(result.columns, rows)}\n"
    return [dict(zip(result.columns, row, strict=True)) for row in rows], text
