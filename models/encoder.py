"""The base encoder, resolved by name: `packaged:e5-small-zh` (offline, default) or any Hugging Face BERT id or path."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast
from transformers.utils import logging

from data.errors import ConfigError, EncoderError
from data.files import whole
from models.cache import REMEDY, cache_root, clear_left, one_builder
from models.encoder_place import PACKAGED
from models.packaged import SHA256, PackagedEncoder, read_packaged
from models.sums import is_whole, remove, sum_path, write_sum
from models.vocabulary import build_tokenizer, kept_pieces

RECIPE = "1"  # raise when the trimmed model or its tokenizer changes, so that old caches are not used

_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True, slots=True)
class Encoder:
    """A base encoder with its tokenizer; `sha256` is the hash of the weights that it was made from."""

    name: str
    sha256: str
    model: BertModel
    tokenizer: PreTrainedTokenizerFast


def _hf_name(name: str) -> str:
    """`l3.ao.w` -> `encoder.layer.3.attention.output.dense.weight`."""
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_LAYER[part]}.{'weight' if kind == 'w' else 'bias'}"


def _state(packaged: PackagedEncoder, keep: list[int]) -> Mapping[str, torch.Tensor]:
    tensors = {_EMBEDDINGS.get(name) or _hf_name(name): array for name, array in packaged.tensors.items()}
    words = tensors["embeddings.word_embeddings.weight"].reshape(-1, packaged.shape.hidden)
    tensors["embeddings.word_embeddings.weight"] = words[keep]
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in tensors.items()}


def build_packaged(packaged: PackagedEncoder) -> tuple[BertModel, PreTrainedTokenizerFast]:
    """Dequantised, trimmed to Chinese: a real BertModel (31M parameters) and its fast tokenizer."""
    keep = kept_pieces(packaged.pieces, packaged.scores)
    shape = packaged.shape
    config = BertConfig(
        vocab_size=len(keep),
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.ffn,
        max_position_embeddings=shape.max_pos,
        type_vocab_size=shape.type_vocab,
        layer_norm_eps=shape.epsilon,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    model = BertModel(config, add_pooling_layer=False)
    state = model.state_dict()
    found = _state(packaged, keep)
    if missing := set(state) - set(found) - {"embeddings.position_ids", "embeddings.token_type_ids"}:
        raise EncoderError(f"packaged encoder lacks {', '.join(sorted(missing))}")
    model.load_state_dict({name: tensor.reshape(state[name].shape) for name, tensor in found.items()}, strict=False)
    return model.train(False), build_tokenizer([packaged.pieces[i] for i in keep], packaged.scores[keep])


def _packaged_folder() -> Path:
    """The packaged encoder as a Hugging Face folder, built once and cached by the file's hash."""
    folder = cache_root() / "encoders" / f"e5-small-zh-{SHA256[:12]}-r{RECIPE}"
    if _is_whole(folder):
        return folder
    try:
        with one_builder(folder.parent):
            if _is_whole(folder):  # another process was faster
                return folder
            remove(folder)
            clear_left(folder.parent)
            model, tokenizer = build_packaged(read_packaged())
            with whole(folder) as part, _without_bars():
                model.save_pretrained(part)
                tokenizer.save_pretrained(part)
                for file in [*part.iterdir()]:
                    write_sum(file)
    except OSError as error:
        raise ConfigError(f"the encoder cannot be kept in {cache_root()}: {error}: {REMEDY}") from None
    return folder


def _is_whole(folder: Path) -> bool:
    """Whether the folder of an encoder is there, with every file as it was written."""
    files = [file for file in folder.glob("*") if file.suffix != sum_path(file).suffix]
    return bool(files) and all(is_whole(file) for file in files)


def _no_bar(factory: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    return factory(*args, **{**named, "disable": True})


@contextmanager
def _without_bars() -> Iterator[None]:
    """Within, reading and writing weights (a second) draws no progress bars on stderr; a download still does."""
    before = logging.set_tqdm_hook(_no_bar)
    try:
        yield
    finally:
        logging.set_tqdm_hook(before)


def weights_sha256(model: torch.nn.Module) -> str:
    """Hash of all weights by name, so that an adapter is never put on another base."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()


def load_encoder(name: str = PACKAGED) -> Encoder:
    """Load an encoder by name; EncoderError when it cannot be had (offline, no such folder, not a BERT, damaged),
    ConfigError for a cache folder that cannot be used."""
    source = str(_packaged_folder()) if name == PACKAGED else name
    remedy = f"delete {source}" if name == PACKAGED else f"use {PACKAGED!r}, a BERT id, or a folder with one"
    try:
        with _without_bars():
            model = AutoModel.from_pretrained(source, add_pooling_layer=False, attn_implementation="sdpa")
        tokenizer = AutoTokenizer.from_pretrained(source)
    except Exception as error:  # files that someone else made, or the disk has damaged, can fail in any way
        raise EncoderError(f"encoder {name!r}: {error}: {remedy}") from None
    if model.config.model_type != "bert":
        raise EncoderError(f"encoder {name!r} is a {model.config.model_type}, expected a BERT")
    return Encoder(name, weights_sha256(model), model.train(False), cast(PreTrainedTokenizerFast, tokenizer))
