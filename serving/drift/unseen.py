"""Which posts of a file may be a reference: those that did not teach the bundle, as its manifest tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from data.errors import CorpusError
from data.loaders import load_examples
from data.records import Example
from data.taxonomy import Taxonomy
from models.bundle import Bundle
from models.manifest import TextPart
from models.taught import KEPT, changed_since, file_sha256, hashes, refuse_taught


def unseen_texts(bundle: Bundle, path: Path, tell: Callable[[str], None]) -> list[str]:
    """Texts of a corpus without those that taught the bundle; `tell` hears what is not all unseen.

    Of a file that the training split, only what was held out. CorpusError when no post is left, or nothing says which.
    """
    part, place = bundle.manifest.text, str(path)
    if part is None:
        return [row.text for row in read_posts(path, bundle.taxonomy)]
    if file_sha256(place) in hashes(part.config.get("posts", ()), part.data):
        return _held_out(part, path, bundle.taxonomy)
    refuse_taught([place], part.data)
    if changed_since([place], part.config, part.data):
        tell(f"not all unseen: {path} {KEPT}")
    return [row.text for row in read_posts(path, bundle.taxonomy)]


def _held_out(part: TextPart, path: Path, taxonomy: Taxonomy) -> list[str]:
    """Texts of a file that the training split: those of the rows that it held out."""
    if "held_out" not in part.data:
        raise CorpusError(
            f"{path} taught the bundle, whose manifest does not say which of its posts were held out: give posts that "
            "did not teach it"
        )
    ids = {name for names in part.data["held_out"].values() for name in names}
    texts = [row.text for row in read_posts(path, taxonomy) if row.id in ids]
    if not texts:
        raise CorpusError(f"{path} taught the bundle, and none of its posts was held out: give posts that did not")
    return texts


def read_posts(path: Path, taxonomy: Taxonomy) -> list[Example]:
    """Posts of a file, labelled by that table or not; CorpusError when there is none."""
    loaded = load_examples([path], taxonomy)
    if not loaded.rows:
        why = f" ({loaded.bad[0]})" if loaded.bad else ""
        raise CorpusError(f"{path} has no post that can be read{why}: give rows with id and text")
    return loaded.rows
