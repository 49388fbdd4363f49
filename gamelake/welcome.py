"""The page one sees without arguments: examples first."""

WELCOME = """\
gamelake: every game of RAWG as tables you can ask.

  gamelake demo                                 five answers in half a minute; no key, no server
  gamelake plan                                 what a real fetch would take
  gamelake run                                  fetch what is new, build, publish
  gamelake sql "SELECT * FROM genre_summary"    ask
  gamelake status                               where things stand

Commands: ingest, etl, run, sql, status.   All of them: gamelake --help
Real data needs a free key: get one at https://rawg.io/apidocs and put it
in the file .env as RAWG_API_KEY=..."""
