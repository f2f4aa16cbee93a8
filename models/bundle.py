"""Bundles: what a training run makes and what serving loads. safetensors and skops only, every file checked by hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from data.errors import BundleError, ConfigError
from data.files import whole
from data.taxonomy import Taxonomy, as_toml, load_taxonomy, parse_taxonomy
from models.calibration import FirstStage
from models.manifest import NAME, EscalationPart, Manifest, TextPart, format_of, now, read_manifest

SHIPPED = Path(__file__).parent / "bundle"
ADAPTER, TOKENIZER, LEXICAL = "adapter.safetensors", "tokenizer.json", "lexical.safetensors"
CARD = "MODEL_CARD.md"  # no artefact
TABLE = "taxonomy.toml"  # only where it is another than the packaged one


def escalation_file(head: str) -> str:
    """Name of a head's file."""
    return f"escalation-{head}.skops"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A checked bundle on disk, and the taxonomy that it was trained with."""

    folder: Path
    manifest: Manifest
    taxonomy: Taxonomy = field(default_factory=load_taxonomy)

    @property
    def model_id(self) -> str:
        return f"yujing-risk:{self.manifest.digest[:12]}"

    def read(self, name: str) -> bytes:
        """The bytes of an artefact, checked against the manifest's hash at every read."""
        wanted = self.manifest.files.get(name)
        if wanted is None:
            raise BundleError(f"{self.folder}: the manifest lists no {name}: it has {', '.join(self.manifest.files)}")
        try:
            blob = (self.folder / name).read_bytes()
        except OSError as error:
            raise BundleError(f"{self.folder / name}: {error.strerror}: the bundle is incomplete") from None
        if (found := hashlib.sha256(blob).hexdigest()) != wanted:
            raise BundleError(f"{self.folder / name}: sha256 {found}, the manifest says {wanted}: it was tampered with")
        return blob


def _check_table(bundle: Bundle, taxonomy: Taxonomy, whose: str, remedy: str) -> None:
    if (bundle.manifest.taxonomy_sha256, bundle.manifest.categories) != (taxonomy.sha256, taxonomy.ids):
        made, has = ", ".join(bundle.manifest.categories), ", ".join(taxonomy.ids)
        raise BundleError(f"{bundle.folder}: made for the categories {made}; {whose} has {has}: {remedy}")


def _own_table(bundle: Bundle) -> Taxonomy:
    """The table that a bundle carries, else the packaged one; BundleError when it was made for another."""
    own, whose = load_taxonomy(), "the packaged taxonomy"
    if TABLE in bundle.manifest.files:
        try:
            own, whose = parse_taxonomy(bundle.read(TABLE).decode(), str(bundle.folder / TABLE)), f"its {TABLE}"
        except (ConfigError, UnicodeDecodeError) as error:
            raise BundleError(f"{bundle.folder}: its taxonomy cannot be read ({error}): train it again") from None
    _check_table(bundle, own, whose, "train it again, so that it carries its table")
    return own


def _check_files(bundle: Bundle) -> None:
    for name in bundle.manifest.files:
        if Path(name).name != name or not name.isprintable():
            raise BundleError(f"{bundle.folder}: file name {name!r} leaves the bundle's folder")
        bundle.read(name)


def _check_text(bundle: Bundle) -> None:
    """The numbers of the text part must be as many as the taxonomy has categories and ranks."""
    text, categories, ranks = bundle.manifest.text, len(bundle.taxonomy.ids), len(bundle.taxonomy.severities)
    if text is None:
        return
    found = {
        "ranks": (text.ranks, {ranks}),
        "calibration.category_bias": (len(text.calibration.category_bias), {0, categories}),
    }
    if text.first_stage is not None:
        found["first_stage.severity_logits"] = (len(text.first_stage.severity_logits), {ranks - 2})
        found["first_stage.none_weights"] = (len(text.first_stage.none_weights), {0, categories + 1})
    for name, (count, fitting) in found.items():
        if count not in fitting:
            wanted = f"{categories} categories and {ranks} ranks"
            raise BundleError(f"{bundle.folder}: text.{name}: {count}, which does not fit {wanted}: train it again")


def open_bundle(folder: Path | None, taxonomy: Taxonomy | None = None) -> Bundle:
    """Open a bundle (default: the shipped one) after checking format, taxonomy and the hash of every file.

    Its taxonomy is its own: the table that it carries, else the packaged one. Give `taxonomy` only to ask for a bundle
    that was made for its categories (BundleError for another); it also stands in for a table that is not carried.
    """
    folder = folder or SHIPPED
    bundle = Bundle(folder, read_manifest(folder))
    if taxonomy is not None:
        _check_table(bundle, taxonomy, "this taxonomy", "load the taxonomy that it was trained with")
    _check_files(bundle)
    if taxonomy is None or TABLE in bundle.manifest.files:
        taxonomy = _own_table(bundle)
    bundle = replace(bundle, taxonomy=taxonomy)
    _check_text(bundle)
    return bundle


def text_part(bundle: Bundle) -> TextPart:
    """The manifest's text part; BundleError when the bundle has none."""
    if bundle.manifest.text is None:
        raise BundleError(f"{bundle.folder} has no text model: run `yujing train text --out {bundle.folder}`")
    return bundle.manifest.text


def find_first_stage(bundle: Bundle) -> FirstStage:
    """The numbers of the bundle's first stage; BundleError when it has none."""
    stage = text_part(bundle).first_stage
    if stage is None or LEXICAL not in bundle.manifest.files:
        raise BundleError(f"{bundle.folder} has no first stage: run `yujing train first-stage` on it")
    return stage


def save_first_stage(bundle: Bundle, stage: FirstStage) -> Bundle:
    """Write the numbers of a first stage into a bundle's manifest; nothing else changes, its identity neither."""
    manifest = replace(bundle.manifest, text=replace(text_part(bundle), first_stage=stage))
    with whole(bundle.folder / NAME) as part:
        part.write_text(manifest.dumps(), encoding="utf-8")
    return replace(bundle, manifest=manifest)


def _write(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Put a whole new folder in the place of the old one."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with whole(folder) as part:
        part.mkdir()
        for name, blob in files.items():
            (part / name).write_bytes(blob)
        (part / NAME).write_text(manifest.dumps(), encoding="utf-8")


def _dated(manifest: Manifest) -> TextPart | None:
    """The text part with the time of its calibration, which only the manifest of an older bundle tells."""
    text = manifest.text
    return text and replace(text, calibrated_at=text.calibrated_at or manifest.created_at)


def save_part(
    folder: Path,
    taxonomy: Taxonomy | None,
    files: Mapping[str, bytes | None],
    text: TextPart | None = None,
    escalation: Mapping[str, EscalationPart] | None = None,
) -> Bundle:
    """Write one part into the bundle at `folder`, keeping what it has of the others (if it is of the same taxonomy).

    A file given as None is left out, also where the old bundle had it. Without `taxonomy` it is that of the bundle at
    `folder`, or the packaged one; another than the packaged one is kept beside the parts.
    """
    old = open_bundle(folder, taxonomy) if (folder / NAME).exists() else None
    taxonomy = taxonomy or (old.taxonomy if old else load_taxonomy())
    manifest = Manifest(created_at=now(), taxonomy_sha256=taxonomy.sha256, categories=taxonomy.ids)
    kept: dict[str, bytes] = {}
    if old is not None:
        kept = {name: old.read(name) for name in old.manifest.files}
        manifest = replace(old.manifest, created_at=now(), text=_dated(old.manifest))
    table = None if taxonomy == load_taxonomy() else as_toml(taxonomy).encode()
    kept = {name: blob for name, blob in {**kept, **files, TABLE: table}.items() if blob is not None}
    text = text or manifest.text
    manifest = replace(
        manifest,
        format=format_of(text),
        text=text,
        escalation={**manifest.escalation, **(escalation or {})},
        files={name: hashlib.sha256(blob).hexdigest() for name, blob in sorted(kept.items())},
        reference={},  # it described the answers of the old parts
    )
    _write(folder, manifest, kept)
    return Bundle(folder, manifest, taxonomy)
