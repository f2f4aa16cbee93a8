"""The labelled posts of a run, split once: by near-duplicate group, or with one source left out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rich.console import Console

from data.duplicates import near_duplicate_groups
from data.errors import CorpusError
from data.hot_dates import title_of
from data.hot_titles import SOURCE
from data.records import Example
from data.splits import HeldOut, Split, bind, grouped_split, leave_source_out, split_by_ids
from data.taxonomy import Taxonomy
from models.taught import file_sha256
from training.annotated import annotated_rows, annotated_texts
from training.posts import labels_lacking, load_posts
from training.text_config import TextConfig

MIN_ROWS = 200  # labelled posts below which no honest test part is left


@dataclass(frozen=True, slots=True)
class Corpus:
    """Rows with their groups (see `bound_groups`); `extra` rows only teach."""

    examples: tuple[Example, ...]
    groups: tuple[int, ...]
    split: Split
    extra: tuple[Example, ...]
    about: dict[str, Any]

    def part(self, name: str) -> list[Example]:
        """Rows of `train` (with the extra rows), `validation` or `test`."""
        rows = [self.examples[i] for i in getattr(self.split, name)]
        return rows + list(self.extra) if name == "train" else rows

    @property
    def test_groups(self) -> list[int]:
        return [self.groups[i] for i in self.split.test]


def fully_labelled(row: Example) -> bool:
    """Whether a row can be held out, or teach a model that needs both labels."""
    return row.category is not None and row.severity is not None


def require_kinds(rows: Sequence[Example], do: str = "teach") -> None:
    """CorpusError when the fully labelled rows that teach (or `do` else) are all of one category, or all of one rank.

    Neither reader nor the baseline can learn from them, and both come after the long part of a run.
    """
    labelled = [row for row in rows if fully_labelled(row)]
    for name in ("category", "severity"):
        if len(kinds := {getattr(row, name) for row in labelled}) < 2:
            raise CorpusError(
                f"all {len(labelled)} posts that {do} have {name} {', '.join(map(str, kinds))}: at least two are "
                "needed: give posts of others too, such as none of rank 0"
            )


def _split(examples: Sequence[Example], groups: Sequence[int], config: TextConfig) -> Split:
    if config.held_out_source is None:
        fractions = (1 - config.test - config.validation, config.validation, config.test)
        return grouped_split(examples, groups, fractions, config.seed)
    return leave_source_out(examples, config.held_out_source, groups, config.seed, config.validation)


def bound_groups(rows: Sequence[Example]) -> list[int]:
    """Group id of each row: near-duplicates and posts of one event share one, through each other too."""
    return bind(rows, near_duplicate_groups([row.text for row in rows]))


def read_rows(paths: Sequence[str], taxonomy: Taxonomy, console: Console) -> tuple[list[Example], list[int]]:
    """Fully labelled posts and their groups, not split."""
    posts = load_posts(paths, taxonomy, console)
    rows = [row for row in posts if fully_labelled(row)]
    if not rows:
        why = labels_lacking(paths, posts)
        raise CorpusError(f"no post with category and severity in {', '.join(paths)}{why}")
    return rows, bound_groups(rows)


def teaching_rows(config: TextConfig, taxonomy: Taxonomy, console: Console) -> tuple[Example, ...]:
    """Rows that only teach: the extra files and the annotated posts."""
    return (*load_posts(config.extra, taxonomy, console), *annotated_rows(config, taxonomy, console))


def taught_files(config: TextConfig) -> tuple[str, ...]:
    """Files that a run reads, for the manifest: labels, the texts of annotated posts, and what a teacher reads."""
    unlabelled = config.unlabelled if config.teacher is not None else ()
    texts = annotated_texts(config)
    annotated = (*config.annotated, *texts) if texts else ()  # without their texts they teach nothing
    files = (*config.posts, *config.extra, *annotated, *unlabelled)
    return tuple(dict.fromkeys(files))


def _held_out(examples: Sequence[Example], split: Split) -> dict[str, Any]:
    """The ids of the validation and the test rows, and their hash: what a manifest tells of a split."""
    parts = {"validation": split.validation, "test": split.test}
    ids = {name: sorted(examples[i].id for i in part) for name, part in parts.items()}
    sha256 = hashlib.sha256(json.dumps([*ids.values()]).encode()).hexdigest()
    return {"held_out": ids, "held_out_ids": sha256}


def _titles(rows: Iterable[Example]) -> set[str]:
    """Hot-search titles of those rows that have one: alone it is no near-duplicate of a post that tells more."""
    return {title_of(row.text) for row in rows if row.source == SOURCE}


def corpus_of(
    examples: Sequence[Example],
    extra: Sequence[Example],
    split: Callable[[Sequence[Example], Sequence[int]], Split],
    paths: Sequence[str],
) -> Corpus:
    """Group and split examples; extra rows that share a group or a hot-search title with a held-out row are dropped.

    `split` gets the examples and their groups, never the extra rows. `paths` are hashed into `about`.
    """
    groups = bound_groups(examples)
    parts = split(examples, groups)
    together = bound_groups((*examples, *extra))
    held_out = (*parts.validation, *parts.test)
    near, titles = {together[i] for i in held_out}, _titles(examples[i] for i in held_out)
    kept = [
        row
        for row, group in zip(extra, together[len(examples) :], strict=True)
        if group not in near and _titles([row]).isdisjoint(titles)
    ]
    about = {
        "files": {path: file_sha256(path) for path in paths},
        "rows": {name: len(getattr(parts, name)) for name in ("train", "validation", "test")} | {"extra": len(kept)},
        "extra_dropped": len(extra) - len(kept),
    } | _held_out(examples, parts)
    return Corpus(tuple(examples), tuple(groups), parts, tuple(kept), about)


def read_corpus(config: TextConfig, taxonomy: Taxonomy, console: Console, held_out: HeldOut | None = None) -> Corpus:
    """Load, group and split the posts of a run; `held_out`: as an earlier run did.

    Posts that lack a label only teach, as extra rows do. The split depends on the other posts and the seed only, never
    on the extra rows. CorpusError when rows are too few.
    """
    posts = load_posts(config.posts, taxonomy, console)
    examples = tuple(row for row in posts if fully_labelled(row))
    if len(examples) < MIN_ROWS:
        raise CorpusError(
            f"{len(examples)} labelled posts in {', '.join(config.posts)}: at least {MIN_ROWS} are needed"
            f"{labels_lacking(config.posts, posts)}"
        )
    partly = [row for row in posts if not fully_labelled(row)]
    extra = [*partly, *teaching_rows(config, taxonomy, console)]
    if config.held_out_source is not None:
        extra = [row for row in extra if row.source != config.held_out_source]
    deal = partial(split_by_ids, held_out=held_out) if held_out else partial(_split, config=config)
    return corpus_of(examples, extra, deal, taught_files(config))


def pooled(corpus: Corpus) -> Corpus:
    """The corpus of a run that only calibrates: the test part measures, all other rows are its validation part.

    They are its train part, too: a baseline beside it may learn from what has calibrated.
    """
    rows = tuple(sorted((*corpus.split.train, *corpus.split.validation)))
    split = Split(rows, rows, corpus.split.test)
    counts = {"calibration": len(rows), "test": len(split.test)}
    about = {**corpus.about, "rows": counts, **_held_out(corpus.examples, split)}
    return replace(corpus, split=split, about=about)
