"""The operational store's first tables."""

import sqlalchemy as sa
from alembic import op

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
        sa.Column("fingerprint", sa.String(), primary_key=True),
        sa.Column("month", sa.String(), primary_key=True),
        sa.Column("spent", sa.Integer(), nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("expires_at", sa.String()),
    )
    op.create_table(
        "lake_state",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("value", sa.String(), nullable=False),
    )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("started_at", sa.String()),
        sa.Column("finished_at", sa.String()),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
    )
    op.create_index("ix_runs_kind_state", "runs", ["kind", "state"])
    op.create_table(
        "run_transitions",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        _run_id(),
        sa.Column("from_state", sa.String()),
        sa.Column("to_state", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
    )
    op.create_index("ix_run_transitions_run_id", "run_transitions", ["run_id"])


def _windows() -> None:
    op.create_table(
        "run_windows",
        _run_id(primary_key=True),
        sa.Column("window", sa.String(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("first", sa.String(), nullable=False),
        sa.Column("last", sa.String(), nullable=False),
        sa.Column("api_count", sa.Integer()),
        sa.Column("fetched", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
    )
    op.create_table(
        "run_pages",
        _run_id(primary_key=True),
        sa.Column("window", sa.String(), primary_key=True),
        sa.Column("page", sa.Integer(), primary_key=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
    )


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("source", sa.String(), primary_key=True),
        sa.Column("entity", sa.String(), primary_key=True),
        sa.Column("natural_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("updated", sa.String()),
        sa.Column("payload_hash", sa.String(), nullable=False),
        sa.Column("listing", sa.String(), nullable=False),
        sa.Column("first_seen", sa.String(), nullable=False),
        sa.Column("last_seen", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sqlite_with_rowid=False,
    )


def _results() -> None:
    op.create_table(
        "check_results",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        _run_id(),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("failing", sa.Integer(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
    )
    op.create_index("ix_check_results_run_id", "check_results", ["run_id"])
    op.create_table(
        "audit_trail",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
    )


def _run_id(*, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(
        "run_id",
        sa.String(),
        sa.ForeignKey("runs.run_id"),
        primary_key=primary_key,
        nullable=False,
    )
