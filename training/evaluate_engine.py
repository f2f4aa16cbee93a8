"""An engine around an engine, for measuring: it counts what it is asked."""

from __future__ import annotations

from dataclasses import dataclass

from models.batching import Float, Ids, batches, padded_length
from models.engine import Engine


@dataclass(slots=True)
class CountingEngine:
    """Gives the logits of `inner` and adds up the tokens that it runs, padding included."""

    inner: Engine
    tokens: int = 0

    def logits(self, rows: Ids) -> tuple[Float, Float]:
        lengths = [len(row) for row in rows]
        self.tokens += sum(len(batch) * padded_length(lengths[batch[0]]) for batch in batches(lengths))
        return self.inner.logits(rows)
