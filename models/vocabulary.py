"""Trim a multilingual unigram vocabulary to Chinese and build the fast tokenizer over what is kept."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

SPACE = "▁"
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")  # ids 0-3; `<mask>` is the last piece
ASCII_PIECES = 6_000
MAX_TOKENS = 512


def _is_chinese_side(char: str) -> bool:
    """Han, digits, punctuation, symbols and emoji, with the marks that join emoji."""
    if unicodedata.category(char)[0] in "NPS" or char in "\u200d\ufe0f":
        return True
    return unicodedata.name(char, "").startswith(("CJK UNIFIED", "CJK COMPATIBILITY", "EMOJI"))


def kept_pieces(pieces: Sequence[str], scores: NDArray[np.float32], ascii_pieces: int = ASCII_PIECES) -> list[int]:
    """Ids to keep, in order: specials, Chinese-side pieces, single ASCII characters, frequent ASCII pieces."""
    keep = set(range(len(SPECIALS))) | {len(pieces) - 1}
    frequent: list[int] = []
    for index, piece in enumerate(pieces[:-1]):
        body = piece.replace(SPACE, "")
        if all(map(_is_chinese_side, body)) or (body.isascii() and len(body) == 1):
            keep.add(index)
        elif body.isascii():
            frequent.append(index)
    frequent.sort(key=lambda index: -scores[index])
    return sorted(keep | set(frequent[:ascii_pieces]))


def build_tokenizer(pieces: Sequence[str], scores: NDArray[np.float32]) -> PreTrainedTokenizerFast:
    """Unigram tokenizer: NFKC, one space for many, `▁` for spaces, `<s> … </s>` around; the last piece is `<mask>`."""
    vocabulary = [(piece, float(score)) for piece, score in zip(pieces, scores, strict=True)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=SPECIALS.index("<unk>"), byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        model_max_length=MAX_TOKENS,
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token=pieces[-1],
    )
