"""The packaged encoder's reader: exact on a file made by hand, clear about a broken one."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import EncoderError
from models.packaged import MAGIC, dequantise, parse_packaged, read_packaged

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "假"]


def small_file() -> bytes:
    """One f32 tensor of 2 values and one Q4_0 tensor of 32 weights, laid out as documented."""
    blob = "".join(PIECES).encode()
    offsets = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).astype("<u4")
    head = MAGIC + struct.pack("<I7if", 1, 8, 1, 1, 16, len(PIECES), 4, 2, 1e-12)
    head += struct.pack("<6iQ", 32, len(PIECES), 0, 2, 1, 3, len(blob)) + offsets.tobytes()
    head += np.arange(len(PIECES), dtype="<f4").tobytes() + blob + struct.pack("<iI", 0, 3) + b"xyz"
    plain = np.array([1.5, -2.0], "<f4").tobytes()
    quantised = np.float16(0.5).tobytes() + bytes(0x80 | j for j in range(16))
    entries = [("emb.ln.w", 0, 2, plain), ("l0.q.w", 1, 32, quantised)]
    size = len(head) + 4 + sum(2 + len(name) + 21 for name, *_ in entries)
    table, body = struct.pack("<i", len(entries)), b""
    for name, kind, count, data in entries:
        table += struct.pack("<H", len(name)) + name.encode()
        table += struct.pack("<BIQQ", kind, count, size + len(body), len(data))
        body += data
    return head + table + body


def test_golden_file_is_read_to_the_last_value() -> None:
    packaged = parse_packaged(small_file())
    assert packaged.pieces == tuple(PIECES)
    assert packaged.shape.hidden == 8
    assert packaged.tensors["emb.ln.w"].tolist() == [1.5, -2.0]
    low, high = packaged.tensors["l0.q.w"][:16], packaged.tensors["l0.q.w"][16:]
    assert low.tolist() == [(j - 8) * 0.5 for j in range(16)]
    assert high.tolist() == [0.0] * 16


@given(st.integers(0, 200))
def test_a_cut_file_is_an_error_and_nothing_else(cut: int) -> None:
    blob = small_file()
    if cut < len(blob):
        with pytest.raises(EncoderError):
            parse_packaged(blob[:cut])


def test_dequantise_drops_the_padding_of_the_last_block() -> None:
    assert dequantise(np.float16(1).tobytes() + b"\x88" * 16, 5).tolist() == [0.0] * 5


def test_another_file_is_refused_by_its_hash(tmp_path) -> None:
    path = tmp_path / "other.bin"
    path.write_bytes(small_file())
    with pytest.raises(EncoderError, match="sha256"):
        read_packaged(path)


def test_missing_file_says_what_to_do(tmp_path) -> None:
    with pytest.raises(EncoderError, match="reinstall"):
        read_packaged(tmp_path / "none.bin")
