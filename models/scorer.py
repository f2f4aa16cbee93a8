"""The one inference path: HTTP, batch, evaluation and demo all call `Scorer.score`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from data.errors import InputError
from data.hotlist import appears
from data.legible import is_legible
from data.normalise import normalise
from data.records import Item, Volume
from data.respell import load_respelling
from data.results import EscalationResult, Evidence, ItemError, Result
from data.signals import SignalLexicon
from data.taxonomy import Taxonomy
from data.volume_check import refuse_unsound
from models.bundle import Bundle, open_bundle
from models.calibration import FIRST_STAGE
from models.engine_build import load_text_model
from models.engine_name import DEFAULT
from models.escalation_store import Head, kind_of, open_head
from models.evidence import evidence
from models.policy import PACKAGED, Policy, Tables
from models.text import TextModel, TextPredictions
from models.text_results import category_result, severity_result

EMPTY = ItemError(
    "empty_text",
    "text: nothing is left after normalisation: send a text with at least one readable character",
)
INPUTS = {"counts": "counts", "hotlist": "heat with alarm_threshold"}  # what each escalation head reads


def _failed(what: str, error: Exception) -> ItemError:
    """A failure as an item's error: of an unexpected one its type only, since its message may hold the post."""
    if isinstance(error, InputError):
        return ItemError(error.code, str(error))
    return ItemError(
        "scoring_failed", f"{what} could not be scored ({type(error).__name__}): report it with the item's id"
    )


def _foreign(name: str, value: object, wanted: type) -> ItemError:
    """For items made in Python, which no reader of requests or files has checked."""
    return ItemError(InputError.code, f"{name}: got a {type(value).__name__}: give a {wanted.__name__}, or None")


def _unreadable(text: object) -> ItemError | None:
    """Why a text cannot be read, if so; where a table has no text, pandas gives a nan."""
    if not isinstance(text, str):
        return _foreign("text", text, str)
    return None if normalise(text).text else EMPTY


def _unsound(volume: object) -> ItemError | None:
    """Why a volume cannot be read, if so."""
    if not isinstance(volume, Volume | None):
        return _foreign("volume", volume, Volume)
    try:
        if volume is not None:
            refuse_unsound(volume)
    except InputError as error:
        return _failed("volume", error)
    return None


def _text(bundle: Bundle, engine: str, threads: int, first_stage: bool, shared: bool) -> TextModel | None:
    if bundle.manifest.text is None:
        return None
    text = load_text_model(bundle, engine, threads, first_stage)
    return text.shared() if shared else text


@dataclass(frozen=True)
class Scorer:
    """A loaded bundle with lexicon and policy."""

    model_id: str
    taxonomy: Taxonomy
    text: TextModel | None
    escalation: Mapping[str, Head]
    lexicon: SignalLexicon
    policy: Policy

    @classmethod
    def load(
        cls,
        path: Path | None = None,
        engine: str = DEFAULT,
        threads: int = 0,
        watch_words: Sequence[str] = (),
        calibration_days: int | None = None,
        first_stage: bool = False,
        shared: bool = False,
        tables: Tables = PACKAGED,
    ) -> Scorer:
        """Load a bundle (None = the shipped one), building its engine if need be; BundleError when it is refused.

        `calibration_days`: age from which escalation answers call their calibration stale; None = as trained.
        `first_stage`: let the second reader settle clear `none` posts alone; for batches, where it saves time.
        `shared`: for many threads, and warmed up for posts of the usual lengths.
        """
        bundle = open_bundle(path)
        policy = tables.load_policy(bundle.taxonomy)
        load_respelling()  # here, where what is wrong with it is told: the first text would only fail
        with ThreadPoolExecutor(1) as beside:  # the engine is compiled and warmed up outside Python's lock
            text = beside.submit(_text, bundle, engine, threads, first_stage, shared)
            heads = {name: open_head(bundle, kind_of(name)) for name in bundle.manifest.escalation}
            lexicon = SignalLexicon.load(tables.signals, watch_words)
        if calibration_days is not None:
            heads = {name: replace(head, warn_after_days=calibration_days) for name, head in heads.items()}
        return cls(bundle.model_id, bundle.taxonomy, text.result(), heads, lexicon, policy)

    def score(self, items: Sequence[Item]) -> list[Result]:
        """Score items: one result each, in order. A bad item carries its own error; its neighbours are unharmed."""
        results = [Result(id=item.id, model=self.model_id) for item in items]
        self._score_texts(items, results)
        self._score_volumes(items, results)
        return [self._with_risk(*one) for one in zip(items, results, strict=True)]

    def _score_texts(self, items: Sequence[Item], results: list[Result]) -> None:
        texts = {i: item for i, item in enumerate(items) if item.text is not None}
        for i, item in [*texts.items()]:
            if error := _unreadable(item.text):
                results[i] = replace(results[i], error=error)
                del texts[i]
        for i, found in self._predict(texts).items():
            if isinstance(found, ItemError):
                results[i] = replace(results[i], error=found)
                continue
            try:
                results[i] = self._with_text(results[i], items[i], *found)
            except Exception as error:  # evidence runs the engine again
                results[i] = replace(results[i], error=_failed("text", error))

    def _predict(self, texts: Mapping[int, Item]) -> dict[int, tuple[TextPredictions, int] | ItemError]:
        """Predictions of all texts at once; if that fails, one by one, so that only the guilty text fails."""
        if not texts:
            return {}
        if self.text is None:
            return dict.fromkeys(
                texts, ItemError("no_text_model", "this bundle scores volumes only: train a text model")
            )
        try:
            whole = [row for row, item in enumerate(texts.values()) if item.explain]  # evidence asks both readers
            predictions = self.text.predict([item.text or "" for item in texts.values()], whole)
        except Exception as error:
            if len(texts) == 1:
                return dict.fromkeys(texts, _failed("text", error))
            return {i: found for one in texts for i, found in self._predict({one: texts[one]}).items()}
        return {i: (predictions, row) for row, i in enumerate(texts)}

    def _with_text(self, result: Result, item: Item, predictions: TextPredictions, row: int) -> Result:
        text = item.text or ""
        settled = predictions.settled is not None and predictions.settled[row]
        return replace(
            result,
            model=result.model + FIRST_STAGE if settled else result.model,
            category=category_result(predictions, row, self.taxonomy),
            severity=severity_result(predictions, row, self.taxonomy),
            signals=self.lexicon.find(text),
            needs_review=bool(predictions.needs_review[row]) or not is_legible(text),
            evidence=self._evidence(text, predictions, row) if item.explain else (),
        )

    def _evidence(self, text: str, predictions: TextPredictions, row: int) -> tuple[Evidence, ...]:
        """Evidence of the part that decided, at its places in the whole text."""
        if self.text is None:
            return ()
        start, end = predictions.parts.get(row, (0, len(text)))
        chosen = int(predictions.chosen[row])
        found = evidence(self.text.at_once(), text[start:end], chosen, float(predictions.category[row, chosen]))
        return tuple(replace(word, start=word.start + start, end=word.end + start) for word in found)

    def _score_volumes(self, items: Sequence[Item], results: list[Result]) -> None:
        by_head: dict[str, dict[int, Volume]] = {}
        for i, item in enumerate(items):
            if wrong := _unsound(item.volume):
                results[i] = replace(results[i], error=results[i].error or wrong)
            elif item.volume is not None:
                by_head.setdefault(self._head(item.volume), {})[i] = item.volume
        for head, volumes in by_head.items():
            for i, answer in self._escalate(head, volumes).items():
                if isinstance(answer, ItemError):
                    results[i] = replace(results[i], error=results[i].error or answer)
                else:
                    results[i] = replace(results[i], escalation=answer)

    def _head(self, volume: Volume) -> str:
        """`hotlist` where its inputs are given, the bundle has it and they show the topic, else `counts` if given."""
        ready = volume.heat is not None and volume.alarm_threshold is not None
        if volume.counts is None:
            return "hotlist" if ready else "counts"
        return "hotlist" if ready and "hotlist" in self.escalation and appears(volume) else "counts"

    def _escalate(self, head: str, volumes: Mapping[int, Volume]) -> dict[int, EscalationResult | ItemError]:
        """Answers to all volumes at once; if that fails, one by one, so that only the guilty volume fails."""
        if head not in self.escalation:
            remedies = [
                *(f"send {given}" for name, given in INPUTS.items() if name in self.escalation),
                "train that head",
            ]
            missing = f"this bundle has no head {head!r}: {', or '.join(remedies)}"
            return dict.fromkeys(volumes, ItemError("no_escalation_head", missing))
        try:
            return dict(zip(volumes, self.escalation[head].predict([*volumes.values()]), strict=True))
        except Exception as error:
            if len(volumes) == 1:
                return dict.fromkeys(volumes, _failed("volume", error))
            return {i: found for i in volumes for found in self._escalate(head, {i: volumes[i]}).values()}

    def _with_risk(self, item: Item, result: Result) -> Result:
        """With what the policy says, also of a text or a volume that could not be scored.

        Such a text needs review where a volume is beside it, and one whose signals contradict a low severity.
        """
        if result.category is None and result.escalation is None:
            return result
        category = result.category.id if result.category else None
        rank = result.severity.rank if result.severity else None
        lift = result.escalation.told_lift if result.escalation else None
        crossed = result.escalation is not None and result.escalation.crossed
        signals = [signal.id for signal in result.signals]
        unread = item.text is not None and result.category is None
        uncounted = item.volume is not None and result.escalation is None
        risk = self.policy.assess(category, rank, lift, signals, self.taxonomy, unread, uncounted, crossed)
        band = self.policy.bands[self.policy.band(lift, crossed)].id
        escalation = result.escalation and replace(result.escalation, lift_band=band)
        review = result.needs_review or unread or self.policy.contradicted(rank, signals)
        return replace(result, escalation=escalation, risk=risk, needs_review=review)
