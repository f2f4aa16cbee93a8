"""The tables, for SQLite and PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class UtcTime(TypeDecorator[datetime]):
    """A moment; SQLite keeps no zone, so it is written as UTC and read as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


metadata = MetaData()

predictions = Table(
    "predictions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("item_id", String(200)),
    Column("text", Text),
    Column("category", String(64)),
    Column("category_probability", Float),
    Column("severity", Integer),
    Column("head", String(32)),
    Column("escalation_probability", Float),
    Column("risk", Integer),
    Column("needs_review", Boolean, nullable=False),
    Column("error", String(64)),
    Column("outputs", JSON, nullable=False),
    Column("model", String(200), nullable=False),
    Column("milliseconds", Float, nullable=False),
    Column("batch", Integer, nullable=False),
    Index("predictions_at", "at"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("prediction_id", String(64), ForeignKey("predictions.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("who", String(100), nullable=False),
    Column("category", String(64)),
    Column("severity", Integer),
    Column("escalated", Boolean),
    Column("note", Text),
    Index("feedback_prediction_id", "prediction_id"),
)

deletions = Table(  # ids only: what another process still has on its way must not come back
    "deletions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Index("deletions_at", "at"),
)
