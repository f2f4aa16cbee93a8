"""The memory as the service sees it: remember answers, take corrections, delete, and say what outcomes were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from re import fullmatch

from data.errors import ConfigError
from data.records import Item
from data.results import Result
from data.taxonomy import Taxonomy
from serving.store import metrics, queries
from serving.store.database import Database
from serving.store.errors import RowError, UnknownPredictionError
from serving.store.records import PREDICTION_ID, Correction, Stored, check
from serving.store.rows import to_row, with_ids
from serving.store.settings import StoreSettings
from serving.store.spool import Spool
from serving.store.writer import Writer

SETTLE_SECONDS = 5.0


class Memory:
    """Predictions go in without waiting; corrections and deletions are done when the call returns.

    `taxonomy`: of the model that answers now; corrections must fit it.
    """

    def __init__(self, settings: StoreSettings, taxonomy: Taxonomy) -> None:
        self._settings, self.taxonomy = settings, taxonomy
        settings.make_folder()
        try:
            self._database = Database(settings.database())
            self._writer = Writer(self._database, Spool(settings.folder, settings.spool), settings.queue, settings.days)
        except OSError as error:
            raise ConfigError(f"{settings.folder}: {error.strerror}: name a folder that can be written") from None

    def remember(self, items: Sequence[Item], results: Sequence[Result], seconds: float) -> list[Result]:
        """Queue the answers (masked) and return them with their prediction ids; never waits for the database."""
        given, at, milliseconds = with_ids(results), datetime.now(UTC), round(1_000 * seconds, 3)
        keep = self._settings.keep_text
        pairs = zip(items, given, strict=True)
        self._writer.put([to_row(item, result, at, milliseconds, len(given), keep) for item, result in pairs])
        return given

    def correct(self, correction: Correction) -> None:
        """Store a correction; it is on the disk when this returns.

        InputError against the taxonomy, UnknownPredictionError, StoreDownError.
        """
        check(correction, self.taxonomy)
        try:
            if not self._insert(correction):
                self._writer.settle(SETTLE_SECONDS)  # the prediction may still be on its way
                if not self._insert(correction):
                    raise _unknown(correction.prediction_id)
        except RowError:  # deleted in between
            raise _unknown(correction.prediction_id) from None
        metrics.CORRECTIONS.inc()

    def _insert(self, correction: Correction) -> bool:
        with self._database.write() as connection:
            found = queries.known(connection, correction.prediction_id)
            if found:
                queries.insert_correction(connection, correction, datetime.now(UTC))
        return found

    def delete(self, prediction_id: str) -> None:
        """Delete a prediction, its corrections and their traces; UnknownPredictionError, StoreDownError.

        Traces that cannot be removed at once (a reader looks at them, the disk is full) go some seconds after they can.
        A prediction that waits in the spool of another folder (several pods) is unknown here, but will not be stored.
        """
        if not fullmatch(PREDICTION_ID, prediction_id):
            raise _unknown(prediction_id)
        self._writer.settle(SETTLE_SECONDS)
        with self._database.write() as connection:
            found = queries.delete_prediction(connection, prediction_id, datetime.now(UTC))
        if not found:
            raise _unknown(prediction_id)
        if not self._database.forget_journal():
            self._writer.retention.note_traces()

    def outcomes(self, model: str, limit: int) -> list[tuple[float, bool]]:
        """Likelihood and outcome of a model's newest escalations that were fed back; StoreDownError."""
        with self._database.read() as connection:
            return queries.outcomes(connection, model, limit)

    def close(self) -> None:
        """Write what waits and let go."""
        self._writer.close()
        self._database.close()


@contextmanager
def stored_corrections(settings: StoreSettings) -> Iterator[Iterator[Stored]]:
    """The corrections in the database, as a stream; a running service is not disturbed."""
    database = Database(settings.database())
    try:
        with database.read() as connection:
            yield queries.corrections(connection)
    finally:
        database.close()


def _unknown(prediction_id: str) -> UnknownPredictionError:
    return UnknownPredictionError(
        f"no prediction {prediction_id[:64]!r}: give the prediction_id of an answer that is still stored"
    )
