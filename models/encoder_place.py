"""Whether a base encoder can be had on this machine: without a network, and without loading it."""

from __future__ import annotations

from pathlib import Path

from data.errors import ConfigError
from models.cache import CACHE, FP32, engine_path, is_built
from models.sums import is_whole

PACKAGED = "packaged:e5-small-zh"
CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
FILES = (*WEIGHTS, *(f"{name}.index.json" for name in WEIGHTS))  # the latter where they come in parts


def check_encoder(name: str, key: str, engine: str, root: Path) -> None:
    """ConfigError where the engine with this key must be built and its encoder is not at hand.

    `root`: the folder from which a relative one is meant, that in which the engine will be built.
    """
    if name == PACKAGED or is_built(key, engine) or is_at_hand(name, root):
        return
    if engine != "torch" and is_whole(engine_path(key, FP32)):  # the others are made of it
        return
    raise ConfigError(
        f"the bundle's encoder {name!r} is not on this machine, and its engine {engine} is not built: build it where "
        f"the encoder is (yujing self-test --bundle …, with the same version of Yujing) and take "
        f"the folder of {CACHE} along, or bring the encoder into Hugging Face's cache or, if it is a folder, to its "
        f"place (a relative one is meant from {root})"
    )


def is_at_hand(name: str, root: Path) -> bool:
    """Whether an encoder lies in a folder or in Hugging Face's cache, which is not asked to fetch it."""
    folder = root / name
    has = (lambda file: (folder / file).is_file()) if folder.is_dir() else (lambda file: _is_kept(name, file))
    return has(CONFIG) and any(map(has, FILES))


def _is_kept(name: str, file: str) -> bool:
    from huggingface_hub import try_to_load_from_cache  # of no use to the packaged encoder

    try:
        return isinstance(try_to_load_from_cache(name, file), str)
    except ValueError:  # no name of the hub
        return False
