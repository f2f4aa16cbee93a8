"""The real service around the keyword scorer; runs in a process of its own (`bentoml serve keyword_service:Yujing`)."""

from __future__ import annotations

from keyword_scorer import KeywordScorer

import serving.scoring

serving.scoring.load_scorer = lambda settings: KeywordScorer()

from serving.service import Yujing  # noqa: E402, F401  (after the line above, so that it serves this scorer)
