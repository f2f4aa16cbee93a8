"""An earlier bundle that teaches a run, or that it begins with: only one that never saw what is held out now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from data.errors import BundleError, ConfigError, CorpusError
from data.splits import HeldOut
from data.taxonomy import Taxonomy
from models.bundle import Bundle, open_bundle, text_part
from models.encoder import Encoder
from models.manifest import TextPart
from models.taught import changed_since, file_sha256, hashes, taught
from training.config import settings_of
from training.taught import dealt_files
from training.text_config import TextConfig
from training.told import warn

CLAIM = ("held_out_source", "before")  # a source or a time that is left out, whatever the files
DEAL = ("seed", "test", "validation")  # with the files they decide what else is held out


def _require_equal(names: Sequence[str], folder: str, before: TextConfig, config: TextConfig) -> None:
    for name in names:
        if getattr(before, name) != getattr(config, name):
            raise CorpusError(
                f"{folder} was trained with {name}={getattr(before, name)}, this run has {getattr(config, name)}: "
                "what is held out now may have taught it; use one protocol for both"
            )


def _same_files(folder: str, part: TextPart, before: TextConfig, config: TextConfig) -> bool:
    """Whether both runs deal out the same files; CorpusError when they share some, or one of them has changed since.

    The split depends on all rows: with 100 more of them, 936 of 1,911 test rows had been in the old training part.
    """
    files = dealt_files(config)
    now = [file_sha256(path) for path in files]
    if now == hashes(dealt_files(before), part.data):
        return True
    known, changed = taught(part.data), changed_since(files, part.config, part.data)
    shared = [path for path, sha in zip(files, now, strict=True) if sha in known or path in changed]
    if shared:
        raise CorpusError(
            f"{', '.join(shared)} or a file of that name taught {folder} with other rows than now: what is held out "
            "now may have taught it; give the very files of that run in their order, or posts that share no row with "
            "them"
        )
    return False


def earlier_bundle(folder: str, config: TextConfig, taxonomy: Taxonomy) -> Bundle:
    """Open it; CorpusError when its training rows may be held out now.

    With the same files the split must be the same. Altogether other files are those of a user who goes on from here:
    then only the source or the time that is left out must agree. The hashes of files tell, rows are not compared.
    """
    bundle = open_bundle(Path(folder), taxonomy)
    part = text_part(bundle)
    before = settings_of(TextConfig, part.config)
    _require_equal(CLAIM, folder, before, config)
    if _same_files(folder, part, before, config):
        _require_equal(DEAL, folder, before, config)
    return bundle


def held_out_before(bundles: Sequence[Bundle], config: TextConfig) -> HeldOut | None:
    """What earlier bundles held out of the very posts of this run, which must hold it out again; None: of others.

    CorpusError when they do not tell, or tell of different posts.
    """
    found = list[HeldOut]()
    for bundle in bundles:
        part = text_part(bundle)
        if "calibration" in part.data.get("rows", {}):  # no weight of it has learnt from its posts
            continue
        if _same_files(str(bundle.folder), part, settings_of(TextConfig, part.config), config):
            if "held_out" not in part.data:
                raise CorpusError(f"{bundle.folder} does not tell which posts it held out: train it anew")
            found.append(part.data["held_out"])
    if config.split_of is not None and not found:
        raise CorpusError(f"split_of={config.split_of}: it dealt out other posts: give those, or leave split_of out")
    if any(one != found[0] for one in found):
        raise CorpusError(
            "start, teacher and split_of held out different posts: what is held out now may have taught one of them"
        )
    return found[0] if found else None


def ancestors(bundles: Sequence[Bundle], files: Sequence[str]) -> list[str]:
    """Hashes of what taught earlier bundles and theirs, without those of the run's own files."""
    known: set[str] = set().union(*(taught(text_part(bundle).data) for bundle in bundles))
    return sorted(known - {*files})


def require_encoder(bundle: Bundle, encoder: Encoder) -> None:
    """BundleError when the bundle's adapter belongs on another base encoder: the same shapes would load silently."""
    part = text_part(bundle)
    if part.encoder_sha256 != encoder.sha256:
        raise BundleError(
            f"{bundle.folder} was trained on {part.encoder} with sha256 {part.encoder_sha256}, the encoder "
            f"{encoder.name} has {encoder.sha256}: give the same one, or begin without `start`"
        )


def require_teacher(config: TextConfig) -> None:
    """ConfigError when a run is to imitate a teacher that it has not, or does not go on from.

    Not in the config itself: who measures a bundle reads its settings without the teacher.
    """
    if config.imitate and (config.teacher is None or config.start != config.teacher):
        raise ConfigError(
            f"imitate=true with teacher={config.teacher!r} and start={config.start!r}: it means to go on from a "
            "teacher and to read as that does: give one bundle as both"
        )


def require_pooling(start: Bundle, config: TextConfig, console: Console) -> None:
    """ConfigError when a run is to imitate what it already is; told when it goes on from weights for other tokens."""
    before, now = text_part(start).pool_after, config.pool_after
    if before == now and config.imitate:
        raise ConfigError(
            f"imitate=true with pool_after={now}: {start.folder} pools so already, and there is nothing to learn from "
            "it: give another layer"
        )
    if before != now and not config.imitate:
        warn(console, f"pool_after={now}", f"{start.folder} learnt with pool_after={before}, and must unlearn it")
