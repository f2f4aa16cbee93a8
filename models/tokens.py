"""From the caller's text to token ids; long texts keep their head and their tail."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer

from data.respell import readable

HEAD_SHARE = 0.75  # of a text that is too long: the head states the matter, the tail often the demand


def truncate(ids: list[int], limit: int) -> list[int]:
    """Keep the first 3/4 and the last 1/4 of `limit` ids (both special tokens survive)."""
    if len(ids) <= limit:
        return ids
    head = int(limit * HEAD_SHARE)
    return ids[:head] + ids[len(ids) - (limit - head) :]


class Tokens:
    """Makes texts readable and tokenises; the only way in which texts become ids, in training and in serving."""

    def __init__(self, tokenizer: Tokenizer, limit: int = 256) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.tokenizer, self.limit = tokenizer, limit
        self.pad, self.mask = self._special("<pad>", "[PAD]"), self._special("<mask>", "[MASK]")
        self.unknown = self._special("<unk>", "[UNK]")

    def _special(self, *names: str) -> int:
        found = (self.tokenizer.token_to_id(name) for name in names)
        return next((index for index in found if index is not None), 0)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, `<s> … </s>`, at most `limit` long."""
        return [truncate(ids, self.limit) for ids in self._whole(texts)]

    def cut(self, texts: Sequence[str]) -> list[bool]:
        """Whether `encode` leaves out some of each text.

        Only what could be so long is tokenised anew: a character is hardly ever more than one token.
        """
        long = [place for place, text in enumerate(texts) if 2 * len(text) > self.limit]
        cut = [False] * len(texts)
        for place, ids in zip(long, self._whole([texts[place] for place in long]), strict=True):
            cut[place] = len(ids) > self.limit
        return cut

    def _whole(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast([readable(text) for text in texts])]
