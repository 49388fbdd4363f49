"""The ingestion log of requirement S000, read from the runs that hold its facts."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_VIEW = """
CREATE VIEW ingestion_log AS
SELECT row_number() OVER (ORDER BY run_id) AS id,
       run_id AS batch_id,
       {games_seen} AS games_fetched,
       {games_new} AS games_new,
       {games_changed} AS games_updated,
       started_at,
       finished_at AS completed_at,
       state AS status
  FROM runs
 WHERE kind = 'ingest'
"""
_FIELD = {
    "sqlite": "json_extract(summary, '$.{name}')",
    "postgresql": "CAST(summary ->> '{name}' AS BIGINT)",
}


def upgrade() -> None:
    field = _FIELD[op.get_context().dialect.name]
    names = ("games_seen", "games_new", "games_changed")
    op.execute(_VIEW.format(**{name: field.format(name=name) for name in names}))


def downgrade() -> None:
    op.execute("DROP VIEW ingestion_log")
