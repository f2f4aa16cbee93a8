"""Sums of cached files: a file is whole as long as no byte of it is another, away or more."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sums import is_whole, remove, sum_path, write_sum


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sums") / "engine.onnx"


@given(written=st.binary(max_size=300), found=st.binary(max_size=300))
def test_a_file_is_whole_if_and_only_if_its_bytes_are_those_written(kept: Path, written: bytes, found: bytes) -> None:
    kept.write_bytes(written)
    write_sum(kept)
    assert is_whole(kept)
    kept.write_bytes(found)
    assert is_whole(kept) == (found == written)


@given(written=st.binary(min_size=1, max_size=300), place=st.integers(0), flip=st.integers(1, 255))
def test_one_altered_byte_is_found_and_told(kept: Path, written: bytes, place: int, flip: int) -> None:
    kept.write_bytes(written)
    write_sum(kept)
    place %= len(written)
    kept.write_bytes(written[:place] + bytes([written[place] ^ flip]) + written[place + 1 :])
    assert not is_whole(kept)


def test_what_differs_is_told_with_both_sums(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"123456789")
    write_sum(path)
    path.write_bytes(b"")
    assert not is_whole(path)
    assert f"{path} is damaged: its CRC-32 and size are 00000000 0, cbf43926 9 was written" in caplog.text


def test_a_file_without_a_sum_is_not_known_to_be_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a"
    assert not is_whole(path)
    path.touch()
    assert not is_whole(path)
    write_sum(path)
    assert is_whole(path)
    remove(path)
    assert not sum_path(path).exists()
    assert not is_whole(path)
    remove(path)  # it may be away already
    assert not caplog.messages
