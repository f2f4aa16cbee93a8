"""A small deterministic scorer: what the serving tests run where no bundle is needed."""

from __future__ import annotations

import time
from collections.abc import Sequence

from data.records import Item
from data.results import CategoryResult, EscalationResult, ItemError, Result, RiskResult, SeverityResult, Signal, Word
from models.policy import Policy

RULES = {"假货": ("counterfeit_ip", "假冒侵权", 2), "爆炸": ("public_safety", "公共安全与突发事故", 4)}
LEVELS = (("", "无", "green"), ("Ⅳ", "一般", "blue"), ("Ⅲ", "较大", "yellow"), ("Ⅱ", "重大", "orange"))
LEVELS = (*LEVELS, ("Ⅰ", "特别重大", "red"))
POISON = "坏掉"  # a text with this word cannot be scored
CRASH = "崩溃"  # a text with this word makes the whole call raise
SHORT = "缺失"  # a text with this word makes the scorer lose a result
SLOW = "慢慢"  # a text with this word takes SLOW_SECONDS
SLOW_SECONDS = 1.5


class KeywordScorer:
    """Category by the first keyword, escalation by the last count: any row's answer depends on that row alone."""

    model_id = "yujing-risk:keyword"
    policy = Policy.load()

    def score(self, items: Sequence[Item]) -> list[Result]:
        return [self._score(item) for item in items if SHORT not in (item.text or "")]

    def _score(self, item: Item) -> Result:
        text = item.text or ""
        if SLOW in text:
            time.sleep(SLOW_SECONDS)
        if CRASH in text:
            raise ValueError(f"a bug that repeats {text}")
        if POISON in text:
            return Result(id=item.id, model=self.model_id, error=ItemError("invalid_input", "cannot be read"))
        word, (category, name, rank) = next(
            ((word, rule) for word, rule in RULES.items() if word in text), ("", ("none", "无危机", 0))
        )
        level, severity_name, color = LEVELS[rank]
        found = (Word(word, text.index(word), text.index(word) + len(word)),) if word else ()
        has_text = item.text is not None
        return Result(
            id=item.id,
            category=CategoryResult(category, name, 0.9, (category,), {category: 0.9}) if has_text else None,
            severity=SeverityResult(rank, level, severity_name, color, (0.0,) * 5) if has_text else None,
            signals=(Signal("rumor_suspected", found),) if found else (),
            escalation=self._escalation(item),
            risk=RiskResult(rank, color, severity_name, 60 if rank else None, ("公关",), (), ()),
            model=self.model_id,
        )

    def _escalation(self, item: Item) -> EscalationResult | None:
        if item.volume is None or not item.volume.counts:
            return None
        probability = 0.5 if (item.volume.counts[-1] or 0) > 10 else 0.1
        return EscalationResult(
            "counts", probability, 0.06, probability / 0.06, 6, "D", len(item.volume.counts), True, (), ()
        )


class SlowScorer(KeywordScorer):
    """As slow as a small model, so that there is time to kill it."""

    def score(self, items: Sequence[Item]) -> list[Result]:
        time.sleep(0.02)
        return super().score(items)
