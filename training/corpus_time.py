"""The time protocol: train on what was posted before a day, test on the posts of the hot-search list from then on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from rich.console import Console

from data.errors import CorpusError
from data.hot_dates import dated, first_seen
from data.hot_titles import SOURCE
from data.records import Example
from data.splits import HeldOut, split_by_ids, split_by_time
from data.taxonomy import Taxonomy
from training.corpus import MIN_ROWS, Corpus, corpus_of, fully_labelled, read_corpus, taught_files, teaching_rows
from training.posts import load_posts
from training.text_config import TextConfig


def corpus_for(config: TextConfig, taxonomy: Taxonomy, console: Console, held_out: HeldOut | None = None) -> Corpus:
    """The corpus under the protocol that the config names: by near-duplicate group, by source, or by time.

    `held_out`: what an earlier run with these posts held out, and this one holds out again.
    """
    if config.before is None:
        return read_corpus(config, taxonomy, console, held_out)
    return read_time_corpus(config, taxonomy, console, Path(config.record), config.before, held_out)


def known_before(rows: Sequence[Example], seen: Mapping[str, datetime], before: datetime) -> list[Example]:
    """Rows that may teach before a day: of the hot-search list those that `seen` or they themselves date earlier.

    Of any other source those with an earlier date or none. CorpusError for a date without zone.
    """
    naive = [row.id for row in rows if row.published_at is not None and row.published_at.tzinfo is None]
    if naive:
        raise CorpusError(
            f"{len(naive)} rows have a published_at without zone ({', '.join(naive[:3])}, …): "
            "add one, such as +08:00, or leave the field out"
        )
    hot = dated((row for row in rows if row.source == SOURCE), seen)
    others = [row for row in rows if row.source != SOURCE]
    return [row for row in (*others, *hot) if row.published_at is None or row.published_at < before]


def read_time_corpus(
    config: TextConfig,
    taxonomy: Taxonomy,
    console: Console,
    record: Path,
    before: datetime,
    held_out: HeldOut | None = None,
) -> Corpus:
    """Split the posts of `hot` by the day on which the hot-search record first shows their title.

    Test rows are those from `before` on; validation rows are earlier posts of `hot` (the share that `config` says).
    Posts of all other sources only teach, as annotated posts of `hot` do, unless they are dated from `before` on; posts
    of `hot` without a date are left out. CorpusError when fewer than `MIN_ROWS` posts have a date.
    """
    posts = load_posts(config.posts, taxonomy, console)
    hot = [row for row in posts if row.source == SOURCE and fully_labelled(row)]
    seen = first_seen(record)
    examples = dated(hot, seen)
    console.print(f"{len(examples)} of {len(hot)} posts of {SOURCE} are dated by {record.name}", markup=False)
    if len(examples) < MIN_ROWS:
        raise CorpusError(f"{len(examples)} dated posts of {SOURCE}: at least {MIN_ROWS} are needed")
    others = [row for row in posts if row.source != SOURCE or not fully_labelled(row)]
    extra = known_before([*others, *teaching_rows(config, taxonomy, console)], seen, before)
    deal = partial(split_by_time, seed=config.seed, validation=config.validation)
    again = partial(split_by_ids, held_out=held_out or {})
    return corpus_of(
        examples,
        extra,
        again if held_out else lambda rows, groups: deal(rows, before, groups),
        tuple(dict.fromkeys((*taught_files(config), str(record)))),
    )
