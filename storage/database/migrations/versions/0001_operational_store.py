"""The operational store's first tables."""

import sqlalchemy as sa
from alembic import op

from storage.database.column_types import NUMBER, TEXT

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "audit_trail",
    "check_results",
    "lake_state",
    "leases",
    "request_budget",
    "ledger",
    "run_pages",
    "run_windows",
    "run_transitions",
    "runs",
)


def upgrade() -> None:
    _runs()
    _windows()
    _ledger()
    _results()
    op.create_table(
        "request_budget",
        sa.Column("fingerprint", TEXT, primary_key=True),
        sa.Column("month", TEXT, primary_key=True),
        sa.Column("spent", NUMBER, nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("epoch", NUMBER, nullable=False),
        sa.Column("pid", NUMBER, nullable=False),
        sa.Column("process", TEXT, nullable=False),
        sa.Column("host", TEXT, nullable=False),
        sa.Column("expires_at", TEXT),
    )
    op.create_table(
        "lake_state",
        sa.Column("key", TEXT, primary_key=True),
        sa.Column("value", TEXT, nullable=False),
    )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", TEXT, primary_key=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("started_at", TEXT),
        sa.Column("finished_at", TEXT),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
    )
    op.create_index("ix_runs_kind_state", "runs", ["kind", "state"])
    op.create_table(
        "run_transitions",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        _run_id(),
        sa.Column("from_state", TEXT),
        sa.Column("to_state", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
    )
    op.create_index("ix_run_transitions_run_id", "run_transitions", ["run_id"])


def _windows() -> None:
    op.create_table(
        "run_windows",
        _run_id(primary_key=True),
        sa.Column("window", TEXT, primary_key=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("first", TEXT, nullable=False),
        sa.Column("last", TEXT, nullable=False),
        sa.Column("api_count", NUMBER),
        sa.Column("fetched", NUMBER, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
    )
    op.create_table(
        "run_pages",
        _run_id(primary_key=True),
        sa.Column("window", TEXT, primary_key=True),
        sa.Column("page", NUMBER, primary_key=True),
        sa.Column("rows", NUMBER, nullable=False),
        sa.Column("part", TEXT, nullable=False),
    )


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("source", TEXT, primary_key=True),
        sa.Column("entity", TEXT, primary_key=True),
        sa.Column("natural_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("updated", TEXT),
        sa.Column("payload_hash", TEXT, nullable=False),
        sa.Column("listing", TEXT, nullable=False),
        sa.Column("first_seen", TEXT, nullable=False),
        sa.Column("last_seen", TEXT, nullable=False),
        sa.Column("run_id", TEXT, nullable=False),
        sqlite_with_rowid=False,
    )


def _results() -> None:
    op.create_table(
        "check_results",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        _run_id(),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("failing", NUMBER, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
    )
    op.create_index("ix_check_results_run_id", "check_results", ["run_id"])
    op.create_table(
        "audit_trail",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
    )


def _run_id(*, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(
        "run_id",
        TEXT,
        sa.ForeignKey("runs.run_id"),
        primary_key=primary_key,
        nullable=False,
    )
