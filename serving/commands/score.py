"""`yujing score IN OUT`."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.commands.options import BundleFolder, WatchWords

if TYPE_CHECKING:
    from serving.batch.assemble import Summary
    from serving.batch.model import LoadScorer
    from serving.batch.pools import Pool


def score(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN", help="File, 'pattern*', folder or URI (s3://…) of .csv, .jsonl, .jsonl.gz or .parquet."
        ),
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Same kinds; .jsonl has the full results.")],
    text_column: Annotated[str, typer.Option(help="Column or field that holds the text.")] = "text",
    id_column: Annotated[
        str | None,
        typer.Option(help="Column or field that holds the id.", show_default="id, else the row number"),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of IN, for example gb18030.", show_default="found out: UTF-8, UTF-16, GB18030")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes, each of one thread (or YUJING_THREADS).", show_default="one per core")
    ] = 0,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Score on a Ray cluster, --workers actors. Needs the extra \\[cluster]."),
    ] = None,
    first_stage: Annotated[
        bool, typer.Option("--first-stage", help="Let a linear model settle clear `none` posts alone: faster.")
    ] = False,
    bundle: BundleFolder = None,
    watch_words: WatchWords = None,
) -> None:
    """Score files. Every row comes back, in order; a row that cannot be scored carries its own error.

    Such rows are also listed in OUT.rejects.jsonl. A run that was killed goes on when it is repeated.
    """
    from data.files import real
    from serving.batch.model import LoadScorer, model_identity
    from serving.batch.progress import score_progress
    from serving.batch.rows import Columns
    from serving.batch.run import Job, score_files
    from serving.known_settings import unknown_settings
    from serving.scoring import naming_bundle
    from serving.settings import Settings

    for told in unknown_settings(os.environ):
        typer.echo(f"yujing: {told}", err=True)
    settings, start = Settings.from_env(bundle=bundle, watch_words=watch_words).absolute(), time.monotonic()
    load = LoadScorer(replace(settings, threads=settings.threads or 1), first_stage)
    with naming_bundle(settings):
        model = model_identity(load)
    load = replace(load, expected=tuple(model.items()))
    job = Job(source, target, Columns(text_column, id_column), encoding, model)
    with score_progress(show=sys.stderr.isatty()) as progress:
        summary = score_files(job, _pool(load, workers, ray), progress)
    typer.echo(_report(summary, real(target), max(time.monotonic() - start, 1e-9)))


def _pool(load: LoadScorer, workers: int, ray: str | None) -> Pool:
    from serving.batch.pools import Here
    from serving.batch.processes import Processes, cores

    if ray is not None:
        from serving.batch.ray_pool import RayActors

        return RayActors(load, ray, workers)
    workers = workers or cores()
    return Here(load) if workers == 1 else Processes(load, workers)


def _report(summary: Summary, target: Path, seconds: float) -> str:
    from serving.batch.assemble import rejects_path

    counts = f"read {summary.read} rows = {summary.scored} scored + {summary.failed} failed"
    known = {
        "repeats": summary.repeated,
        "done before": summary.resumed,
        "settled by the first stage": summary.settled,
    }
    extra = "".join(f", {number} {what}" for what, number in known.items() if number)
    rate = (summary.read - summary.resumed) / seconds
    rejects = f", the failed in {rejects_path(target)}" if summary.failed else ""
    return f"{counts}{extra} in {seconds:.1f} s ({rate:.0f} rows/s) -> {target}{rejects}"
