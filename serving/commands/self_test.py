"""`yujing self-test`."""

from __future__ import annotations

from typing import Annotated

import typer

from serving.commands.options import BundleFolder


def self_test(
    bundle: BundleFolder = None,
    write: Annotated[bool, typer.Option("--write", help="Keep today's answers as the bundle's golden posts.")] = False,
) -> None:
    """Test a bundle as the service does at its start: general laws, and its golden posts if it has any."""
    from data.samples import sample_items
    from serving.golden import NAME, choose, read_golden, write_golden
    from serving.scoring import load_scorer, open_served
    from serving.self_test import self_test as test
    from serving.settings import Settings
    from serving.writable import check_writable

    settings = Settings.from_env(bundle=bundle)
    opened = open_served(settings)
    if write:
        check_writable(opened.folder / NAME)
    scorer = load_scorer(settings)
    golden = None if write else read_golden(opened)
    tested = test(scorer, golden, opened.taxonomy)
    typer.echo(f"{scorer.model_id}: {tested} {'golden posts' if golden else 'samples'} passed")
    if write:
        kept = choose(scorer.model_id, sample_items(), scorer.score(sample_items()))
        typer.echo(f"{len(kept.items)} golden posts -> {write_golden(opened, kept)}")
