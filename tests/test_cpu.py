"""What a CPU is said to compute natively."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models import cpu


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    cpu.has_vnni.cache_clear()
    yield
    cpu.has_vnni.cache_clear()


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_vnni\n", True),
        ("processor\t: 0\nflags\t\t: fpu avx2 avx_vnni\n", True),
        ("processor\t: 0\nflags\t\t: fpu avx avx2\nprocessor\t: 1\nflags\t\t: fpu avx avx2\n", False),
        ("processor\t: 0\nFeatures\t: fp asimd asimddp\n", True),  # Arm: OpenVINO knows it
        ("", True),
    ],
)
def test_the_flags_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, has: bool) -> None:
    (tmp_path / "cpuinfo").write_text(text, encoding="utf-8")
    monkeypatch.setattr(cpu, "CPUINFO", tmp_path / "cpuinfo")
    assert cpu.has_vnni() is has


def test_where_there_are_no_flags_openvino_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "CPUINFO", tmp_path / "absent")
    assert cpu.has_vnni() is True
