"""Everything that is asked of the database, each function inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Label, Table, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from serving.store.errors import NotesFullError
from serving.store.records import Correction, Prediction, Stored
from serving.store.rows import clean, safe
from serving.store.tables import deletions, feedback, predictions

Insert = sqlite.Insert | postgresql.Insert
INSERTS: dict[str, Callable[[Table], Insert]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
MAX_NOTES = 500_000  # notes of deletions beyond which none of an unknown id is added: some 100 MB
PURGED = 5_000  # rows of one deletion: the writer must not be kept from its work
LOCK = 0x59554A44  # an arbitrary number that all workers share


def insert_predictions(connection: Connection, rows: Sequence[Prediction]) -> None:
    """Insert; a row that is there already (a spool read twice) stays as it is, one that was deleted stays away."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time
        connection.execute(select(func.pg_advisory_xact_lock_shared(LOCK)))
    gone = {*connection.scalars(select(deletions.c.id).where(deletions.c.id.in_([row.id for row in rows])))}
    if wanted := [asdict(row) for row in rows if row.id not in gone]:
        connection.execute(_insert_new(connection, predictions), wanted)


def _insert_new(connection: Connection, table: Table) -> Insert:
    return INSERTS[connection.dialect.name](table).on_conflict_do_nothing(index_elements=["id"])


def known(connection: Connection, prediction_id: str) -> bool:
    """Whether there is a prediction of this id."""
    return connection.scalar(select(predictions.c.id).where(predictions.c.id == prediction_id)) is not None


def insert_correction(connection: Connection, correction: Correction, at: datetime) -> None:
    """Add a correction; its prediction must be known."""
    note = None if correction.note is None else safe(correction.note)
    row = {**asdict(correction), "at": at, "who": clean(correction.who), "note": note}
    connection.execute(insert(feedback).values(**row))


def delete_prediction(connection: Connection, prediction_id: str, at: datetime) -> bool:
    """Delete a prediction with its corrections; whether there was one. Its id is noted in any case.

    So a row that waits in another process' spool is not inserted later. NotesFullError, and nothing is noted, for an
    unknown id where there are MAX_NOTES: any caller can invent ids.
    """
    if connection.dialect.name == "postgresql":  # an insertion under way ends first, a later one sees the note
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    found = connection.execute(delete(predictions).where(predictions.c.id == prediction_id)).rowcount > 0
    if not found and not _noted(connection, prediction_id) and _notes_full(connection):
        raise NotesFullError("too many deletions of unknown predictions are noted: try again later")
    connection.execute(_insert_new(connection, deletions), {"id": prediction_id, "at": at})
    return found


def _noted(connection: Connection, prediction_id: str) -> bool:
    return connection.scalar(select(deletions.c.id).where(deletions.c.id == prediction_id)) is not None


def _notes_full(connection: Connection) -> bool:
    return connection.execute(select(func.count()).select_from(deletions)).scalar_one() >= MAX_NOTES


def purge(connection: Connection, before: datetime) -> int:
    """Delete the oldest predictions from before `before`, at most PURGED, with their corrections; how many.

    Old notes of deletions go too: what they kept away would itself be too old.
    """
    purge_notes(connection, before)
    old = select(predictions.c.id).where(predictions.c.at < before).order_by(predictions.c.at).limit(PURGED)
    return connection.execute(delete(predictions).where(predictions.c.id.in_(old))).rowcount


def purge_notes(connection: Connection, before: datetime) -> int:
    """Delete notes of deletions from before `before`, at most PURGED; how many."""
    notes = select(deletions.c.id).where(deletions.c.at < before).limit(PURGED)
    return connection.execute(delete(deletions).where(deletions.c.id.in_(notes))).rowcount


def _said_last(name: str) -> Label[Any]:
    """A column of the latest correction of the same prediction that has it."""
    other = feedback.alias()
    same = (other.c.prediction_id == feedback.c.prediction_id) & other.c[name].is_not(None)
    found = select(other.c[name]).where(same).order_by(other.c.id.desc()).limit(1)
    return found.correlate(feedback).scalar_subquery().label(f"last_{name}")


def corrections(connection: Connection) -> Iterator[Stored]:
    """The last correction of each prediction that says a category or a severity, oldest first, as a stream.

    With each of the two as it was said last, which may have been earlier.
    """
    labels = feedback.c.category.is_not(None) | feedback.c.severity.is_not(None)
    last = select(func.max(feedback.c.id)).where(labels).group_by(feedback.c.prediction_id)
    columns = (
        *(feedback.c.prediction_id, feedback.c.at, predictions.c.text, feedback.c.category, feedback.c.severity),
        *(_said_last(name) for name in ("category", "severity")),
    )
    statement = select(*columns).join(predictions).where(feedback.c.id.in_(last)).order_by(feedback.c.id)
    for row in connection.execution_options(yield_per=500).execute(statement).mappings():
        yield Stored(**row)


def outcomes(connection: Connection, model: str, limit: int) -> list[tuple[float, bool]]:
    """Of a model's newest `limit` predictions whose outcome is known: likelihood of escalation, and whether it came."""
    last = select(func.max(feedback.c.id)).where(feedback.c.escalated.is_not(None)).group_by(feedback.c.prediction_id)
    statement = (
        select(predictions.c.escalation_probability, feedback.c.escalated)
        .join(feedback)
        .where(feedback.c.id.in_(last), predictions.c.escalation_probability.is_not(None), predictions.c.model == model)
        .order_by(predictions.c.at.desc())
        .limit(limit)
    )
    return [(float(probability), bool(escalated)) for probability, escalated in connection.execute(statement)]
