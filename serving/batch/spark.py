"""Score in Spark: `frame.mapInPandas(ScoreFrames(), DDL)` gives the flat columns of `yujing score`, row for row.

    from serving.batch.spark import DDL, ScoreFrames
    scored = posts.select("id", "text").mapInPandas(ScoreFrames(), DDL)

Settings are those of the driver (`YUJING_BUNDLE`, `YUJING_WATCH_WORDS`, …); every machine needs Yujing (extra
`[spark]`), and the bundle and the word list at the same paths. The order of rows within a partition
stays; a row that cannot be scored has its reason in `error`. An id that is null stays null, and equals no other. A
`bigint` column with nulls comes as floats: ids from 2^53 on fail there, so cast such a column to `string`. Columns
`volume` (JSON, or a struct whose `as_of` is text with a zone) and `explain` are read where they are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from data.errors import InputError
from data.listed import listed
from serving.batch.cells import plain
from serving.batch.flat import SCHEMA, flatten
from serving.batch.model import LoadScorer
from serving.batch.pools import Load
from serving.batch.rows import EXTRAS, Columns, Place, Row, make_row
from serving.batch.shard import score_rows
from serving.batch.source import missing, refuse_doubled
from serving.batch.windows import ROWS
from serving.scoring import SupportsScore
from serving.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

TYPES = {"string": "string", "double": "double", "int32": "int", "bool": "boolean"}
DDL = ", ".join(f"{column.name} {TYPES[str(column.type)]}" for column in SCHEMA)


@dataclass(frozen=True)
class ScoreFrames:
    """A function from frames to frames; it is sent to Spark's workers, and each loads the scorer once, with one thread.

    InputError: a frame without the text or the id column, or with two of a name, as a join leaves them.
    """

    columns: Columns = field(default_factory=lambda: Columns(id="id"))
    load: Load = field(default_factory=lambda: LoadScorer(replace(Settings.from_env().absolute(), threads=1)))

    def __call__(self, frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        import pandas as pd

        scorer, rows = _scorer(self.load), self._rows(frames)
        while window := list(islice(rows, ROWS)):
            results = score_rows(scorer, window)
            # object: a column of whole numbers with nulls would turn into floats
            yield pd.DataFrame([flatten(result) for result in results if result], columns=SCHEMA.names, dtype=object)

    def _rows(self, frames: Iterator[pd.DataFrame]) -> Iterator[Row]:
        number, columns = 0, replace(self.columns, id=self.columns.id_name)
        for frame in frames:
            names = [*frame.columns]
            if lost := missing(columns, names, EXTRAS).values():
                raise InputError(f"the frame has no column {', '.join(lost)}: it has {listed(names)}")
            refuse_doubled(columns, names, "the frame", EXTRAS)
            wanted = [name for name in dict.fromkeys((columns.id, columns.text, *EXTRAS)) if name in names]
            for cells in frame[wanted].itertuples(index=False, name=None):
                number += 1
                raw = plain(dict(zip(wanted, map(_known, cells), strict=True)))
                yield make_row(_Loose(number, number), raw, columns)


class _Loose(Place):
    """A row of a frame: every partition counts its own from 1, so a number would stand for several rows."""

    __slots__ = ()

    @property
    def id(self) -> None:
        return None


def _known(cell: Any) -> object:
    """The cell, or None: pandas writes what is missing as NaN, NaT or NA."""
    import pandas as pd

    return None if pd.api.types.is_scalar(cell) and pd.isna(cell) else cell


@cache
def _scorer(load: Load) -> SupportsScore:
    return load()
