"""The model card says what the manifest says, and of somebody else's bundle nothing that is true of ours only."""

from __future__ import annotations

from dataclasses import replace

from models.bundle import Bundle, open_bundle, text_part
from models.encoder_place import PACKAGED
from training.card import card


def test_the_shipped_card_is_that_of_its_manifest() -> None:
    bundle = open_bundle(None)
    assert card(bundle) == (bundle.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "`make model` takes the whole way" in card(bundle)


def test_the_card_of_other_data_claims_no_data_of_ours(trained_bundle: Bundle) -> None:
    part = open_bundle(None).manifest.escalation["counts"]
    heads = {"counts": replace(part, data={**part.data, "files": {"volumes.jsonl": "0" * 64}})}
    told = card(replace(trained_bundle, manifest=replace(trained_bundle.manifest, escalation=heads)))
    assert "`yujing train text` with the configuration" in told
    assert "the topics and times of the series that taught them" in told
    assert not any(words in told for words in ("make model", "2010-2013", "codebook"))


def test_the_card_says_how_much_of_a_long_post_is_read(trained_bundle: Bundle) -> None:
    part = text_part(trained_bundle)

    def told(**changed: object) -> str:
        manifest = replace(trained_bundle.manifest, text=replace(part, **changed))  # type: ignore[arg-type]
        return card(replace(trained_bundle, manifest=manifest))

    assert "from its end (about 250 and 80 characters)" in told(max_tokens=256, encoder=PACKAGED)
    assert "The BERT reads 128 tokens" in told(max_tokens=128)
    assert "rest from its end, then" in told(encoder="bert-base-chinese")


def test_hashes_are_told_by_their_first_digits(trained_bundle: Bundle) -> None:
    part = text_part(trained_bundle)
    ancestors = ["a" * 64, "b" * 64]
    manifest = replace(trained_bundle.manifest, text=replace(part, data={**part.data, "ancestors": ancestors}))
    told = card(replace(trained_bundle, manifest=manifest))
    assert "| text | ancestors | aaaaaaaa, bbbbbbbb |" in told
    assert f"| text | held out ids | {part.data['held_out_ids'][:8]} |" in told
