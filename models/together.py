"""An engine for many threads: what they ask for while it is busy runs as one batch."""

from __future__ import annotations

from collections import deque
from threading import Condition

import numpy as np

from models.batching import TOKEN_BUDGET, Float, Ids, batches, padded_length
from models.engine import Engine

ROWS = 256  # of one merged run
TURN = TOKEN_BUDGET  # padded tokens of one run, so that nobody waits long for the others' posts


class _Asked:
    """The rows of one thread, then their logits or what went wrong."""

    def __init__(self, rows: Ids) -> None:
        self.rows = rows
        self.tokens = sum(padded_length(len(row)) for row in rows)
        self.found: tuple[Float, Float] | None = None
        self.fault: Exception | None = None

    @property
    def done(self) -> bool:
        return self.found is not None or self.fault is not None


class TogetherEngine:
    """Runs one call at a time. Nobody waits for company: an idle engine begins at once.

    A call of many tokens takes turns with the others, a batch each: 256 long posts are seconds of work, and a single
    post that comes meanwhile has its answer after the batch that is under way.
    Answers are those of each caller alone, bit for bit (`models.batching` says why), and so are failures.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._turn = Condition()
        self._running = False
        self._waiting = deque[_Asked]()

    def logits(self, rows: Ids) -> tuple[Float, Float]:
        turns = _turns(rows)
        if len(turns) == 1:
            return self._one(rows)
        parts = [self._one([rows[place] for place in turn]) for turn in turns]
        order = np.argsort(np.concatenate(turns))
        category, severity = (np.concatenate(each)[order] for each in zip(*parts, strict=True))
        return category, severity

    def _one(self, rows: Ids) -> tuple[Float, Float]:
        """Logits of the rows of one turn."""
        mine = _Asked(rows)
        with self._turn:
            self._waiting.append(mine)
        while taken := self._next(mine):
            try:
                self._run(taken)
            finally:
                self._end(taken, mine)
        if mine.found is None:
            raise mine.fault or RuntimeError("the engine gave no logits")
        return mine.found

    def _next(self, mine: _Asked) -> list[_Asked]:
        """What to run once the engine is free; nothing once there is an answer, whatever runs then.

        Not a lock: who let go of it would take it again before those wake that another thread has answered.
        """
        with self._turn:
            self._turn.wait_for(lambda: mine.done or not self._running)
            if mine.done:
                return []
            self._running = True
            return self._take()

    def _end(self, taken: list[_Asked], mine: _Asked) -> None:
        """Let the others go on; those that an interrupt of this thread left without an answer wait again."""
        with self._turn:
            self._waiting.extendleft(one for one in reversed(taken) if not one.done and one is not mine)
            self._running = False
            self._turn.notify_all()

    def _take(self) -> list[_Asked]:
        """Those that wait, oldest first, up to ROWS and TURN (one always fits)."""
        taken = [self._waiting.popleft()]
        count, tokens = len(taken[0].rows), taken[0].tokens
        while self._waiting:
            count, tokens = count + len(self._waiting[0].rows), tokens + self._waiting[0].tokens
            if count > ROWS or tokens > TURN:
                break
            taken.append(self._waiting.popleft())
        return taken

    def _run(self, asked: list[_Asked]) -> None:
        try:
            category, severity = self.engine.logits([row for one in asked for row in one.rows])
        except Exception as fault:
            if len(asked) > 1:
                for one in asked:
                    self._run([one])
            else:
                asked[0].fault = fault
            return
        start = 0
        for one in asked:
            end = start + len(one.rows)
            one.found = category[start:end], severity[start:end]
            start = end


def _turns(rows: Ids) -> list[list[int]]:
    """Places of the rows by turn: whole batches of up to TURN tokens (one always fits)."""
    turns, held = [list[int]()], 0
    for batch in batches([len(row) for row in rows]):
        tokens = sum(padded_length(len(rows[place])) for place in batch)
        if turns[-1] and held + tokens > TURN:
            turns, held = [*turns, []], 0
        turns[-1] += batch
        held += tokens
    return turns
