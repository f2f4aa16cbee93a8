"""Golden posts: items with the answers that a bundle gave when it was made, kept beside it as golden.json.

The file is no artefact of the manifest (its answers depend on them all); it names the model that it belongs to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from data.errors import BundleError, InputError
from data.files import whole
from data.records import Item
from data.results import Result
from data.rim import explain
from models.bundle import Bundle
from serving.writable import writing

NAME = "golden.json"
CLEAR = 0.7  # of a probability: such an answer stays the first one within the tolerance of the self-test


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What must come back; None where the item has no text or no volume."""

    category: str | None = None
    category_probability: float | None = None
    severity: int | None = None
    severity_probability: float | None = None
    escalation_probability: float | None = None

    @classmethod
    def of(cls, result: Result) -> Answer:
        category, severity, escalation = result.category, result.severity, result.escalation
        return cls(
            category=category.id if category else None,
            category_probability=round(category.probability, 4) if category else None,
            severity=severity.rank if severity else None,
            severity_probability=round(severity.probabilities[severity.rank], 4) if severity else None,
            escalation_probability=round(escalation.probability, 4) if escalation else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """Items and their answers, aligned, of one model."""

    model: str
    items: tuple[Item, ...]
    answers: tuple[Answer, ...]

    def __post_init__(self) -> None:
        if len(self.items) != len(self.answers):
            raise ValueError(f"{len(self.items)} items need as many answers, got {len(self.answers)}")


_GOLDEN = TypeAdapter(Golden)


def choose(model: str, items: Sequence[Item], results: Sequence[Result]) -> Golden:
    """The golden posts among scored items: those without an error whose answer no rounding can turn."""
    kept = [(item, Answer.of(result)) for item, result in zip(items, results, strict=True) if _is_clear(result)]
    return Golden(model=model, items=tuple(item for item, _ in kept), answers=tuple(answer for _, answer in kept))


def _is_clear(result: Result) -> bool:
    answer = Answer.of(result)
    sides = (answer.category_probability, answer.severity_probability)
    return result.error is None and all(side is None or side > CLEAR for side in sides)


def write_golden(bundle: Bundle, golden: Golden) -> Path:
    """Keep golden posts beside the bundle's artefacts; a service that starts meanwhile sees all or none.

    InputError where it cannot be written, or where there is none: an empty file would pass for a test.
    """
    path = bundle.folder / NAME
    if not golden.items:
        raise InputError(f"{golden.model} answers no sample with more than {CLEAR}: none can be kept: train longer")
    with writing(path), whole(path) as part:
        part.write_bytes(_GOLDEN.dump_json(golden, indent=1, exclude_none=True) + b"\n")
    return path


def read_golden(bundle: Bundle) -> Golden | None:
    """The bundle's golden posts; None where it has none. BundleError when they are broken or of another model."""
    path = bundle.folder / NAME
    if not path.exists():
        return None
    remedy = f"run `yujing self-test --write --bundle {bundle.folder}`"
    try:
        golden = _GOLDEN.validate_json(path.read_bytes())
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}: {remedy}") from None
    except ValidationError as error:
        raise BundleError(f"{path}: {explain(error)}: {remedy}") from None
    if golden.model != bundle.model_id:
        raise BundleError(f"{path}: answers of {golden.model}, but the bundle is {bundle.model_id}: {remedy}")
    return golden if golden.items else None
