"""The one way in which serving calls the scorer: HTTP and files get the same answers, as both come here."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from data.errors import BundleError
from data.records import Item
from data.results import ItemError, Result
from serving.logs import describe
from serving.settings import Settings, named

if TYPE_CHECKING:
    from models.bundle import Bundle
    from models.policy import Policy, Tables
    from models.scorer import Scorer

logger = logging.getLogger("bentoml.yujing")  # below BentoML's logger, so that its handlers write it


class SupportsScore(Protocol):
    """What serving needs of a scorer: one result per item, in order; a bad item carries its own error."""

    @property
    def model_id(self) -> str: ...

    def score(self, items: Sequence[Item]) -> list[Result]: ...


class SupportsServing(SupportsScore, Protocol):
    """What the service needs besides: the risk policy that the answers follow, for its pages and its metrics."""

    @property
    def policy(self) -> Policy: ...


def load_scorer(settings: Settings, first_stage: bool = False, shared: bool = False) -> Scorer:
    """Load the bundle that the settings name, once per process (seconds); `shared`: for many threads, warmed up."""
    from models.scorer import Scorer

    words = settings.read_watch_words()
    days = settings.calibration_days
    engine, tables = settings.engine, _tables(settings)
    return Scorer.load(settings.bundle, engine, settings.threads, words, days, first_stage, shared, tables)


def _tables(settings: Settings) -> Tables:
    from models.policy import Tables

    return Tables(policy=settings.policy, signals=settings.signals)


def check_bundle(settings: Settings) -> None:
    """Refuse a bad bundle, cache, table or word list, or an encoder that is elsewhere, before the start.

    BentoML starts a failing worker for ever.
    """
    from data.respell import load_respelling
    from data.signals_table import check_lexicon
    from models.cache import check_cache
    from models.encoder_place import check_encoder
    from models.engine_key import engine_key
    from serving.process import ROOT

    bundle = open_served(settings)
    if (text := bundle.manifest.text) is not None:
        check_cache(key := engine_key(bundle), settings.engine)
        check_encoder(text.encoder, key, settings.engine, ROOT)
    check_lexicon(settings.signals)
    _tables(settings).load_policy(bundle.taxonomy)
    load_respelling()
    settings.read_watch_words()


def open_served(settings: Settings) -> Bundle:
    """The bundle that is served; BundleError, with its setting, when it is none."""
    from models.bundle import open_bundle

    with naming_bundle(settings):
        return open_bundle(settings.bundle)


@contextmanager
def naming_bundle(settings: Settings) -> Iterator[None]:
    """A BundleError of the block says which setting leads to the bundle, where one does."""
    try:
        yield
    except BundleError as error:
        if settings.bundle is None:
            raise
        raise BundleError(f"{named('bundle')}: {error}") from None


def score_aligned(scorer: SupportsScore, items: Sequence[Item]) -> list[Result]:
    """Score items; one result per item, in order, whatever happens.

    A scorer that raises is a bug, yet neighbours must not pay for it: the items are tried again one by one,
    and the log names the fault and its place without the exception's message, which may quote a post.
    """
    if not items:
        return []
    try:
        results = scorer.score(items)
    except Exception as fault:
        if len(items) > 1:
            return [score_aligned(scorer, [item])[0] for item in items]
        logger.error("scoring failed: %s", describe(fault))
        error = ItemError("internal_error", f"scoring failed ({type(fault).__name__}): see the server's log")
        return [Result(id=items[0].id, model=scorer.model_id, error=error)]
    if len(results) != len(items):  # would hand one post's answer to the author of another
        raise RuntimeError(f"the scorer gave {len(results)} results for {len(items)} items: answers refused")
    return results
