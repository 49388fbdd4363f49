"""Which bad rows a run has read, so that one that is read again counts once."""

import sqlalchemy as sa
from alembic import op

from storage.database.column_types import NUMBER, TEXT

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_bad_games",
        sa.Column("run_id", TEXT, sa.ForeignKey("runs.run_id"), primary_key=True),
        sa.Column("natural_id", sa.BigInteger(), primary_key=True, autoincrement=False),
    )
    # Pages of runs that were finished before nobody counts again.
    op.add_column(
        "run_pages", sa.Column("nameless", NUMBER, nullable=False, server_default=sa.text("0"))
    )


def downgrade() -> None:
    op.drop_column("run_pages", "nameless")
    op.drop_table("run_bad_games")
