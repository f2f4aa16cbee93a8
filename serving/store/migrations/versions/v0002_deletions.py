"""Ids of what was deleted, so that no spool brings it back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "deletions",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("deletions_at", "deletions", ["at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("deletions")
