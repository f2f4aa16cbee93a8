"""The real service around the keyword scorer; runs in a process of its own (`bentoml serve keyword_service:Yujing`)."""

from __future__ import annotations

from keyword_scorer import KeywordScorer

import serving.live
from models.bundle import open_bundle
from serving.live import Loaded
from serving.settings import Settings


def load(settings: Settings) -> Loaded:
    return Loaded(KeywordScorer(), open_bundle(settings.bundle))


serving.live.load_tested = load

from serving.service import Yujing  # noqa: E402, F401  (after the line above, so that it serves this scorer)
