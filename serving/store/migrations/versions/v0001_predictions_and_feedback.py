"""Predictions and feedback."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "predictions",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("item_id", sa.String(200)),
        sa.Column("text", sa.Text),
        sa.Column("category", sa.String(64)),
        sa.Column("category_probability", sa.Float),
        sa.Column("severity", sa.Integer),
        sa.Column("head", sa.String(32)),
        sa.Column("escalation_probability", sa.Float),
        sa.Column("risk", sa.Integer),
        sa.Column("needs_review", sa.Boolean, nullable=False),
        sa.Column("error", sa.String(64)),
        sa.Column("outputs", sa.JSON, nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("milliseconds", sa.Float, nullable=False),
        sa.Column("batch", sa.Integer, nullable=False),
    )
    op.create_index("predictions_at", "predictions", ["at"])
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("prediction_id", sa.String(64), sa.ForeignKey("predictions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("category", sa.String(64)),
        sa.Column("severity", sa.Integer),
        sa.Column("escalated", sa.Boolean),
        sa.Column("note", sa.Text),
    )
    op.create_index("feedback_prediction_id", "feedback", ["prediction_id"])


def downgrade() -> None:
    """Drop both tables, with what they hold."""
    op.drop_table("feedback")
    op.drop_table("predictions")
