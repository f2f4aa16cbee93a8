"""What can go wrong with the memory; apart from it, so that a service without one need not load SQLAlchemy."""

from __future__ import annotations

from data.errors import YujingError


class StoreDownError(YujingError):
    """The database cannot be reached now, or what it must know has not arrived there yet."""

    code = "store_unavailable"


class NotesFullError(StoreDownError):
    """No more deletions of unknown predictions are noted now, so none is confirmed; the database itself is well."""


class RowError(YujingError):
    """The database refuses a row for what is in it."""

    code = "row_refused"


class UnknownPredictionError(YujingError):
    """An id that no stored prediction has: never given, deleted, or older than the retention."""

    code = "unknown_prediction"
