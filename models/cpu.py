"""What this CPU computes natively: the engine depends on it, and so do the last digits of an answer."""

from __future__ import annotations

from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
VNNI = {"avx512_vnni", "avx_vnni"}


@cache
def has_vnni() -> bool:
    """Whether it sums products of bytes in one instruction; True where that cannot be told (no x86, no Linux)."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return True
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), None)
    return flags is None or bool(VNNI & {*flags})


def has_bf16() -> bool:
    """Whether it multiplies bfloat16 natively (AVX512-BF16, AMX); elsewhere graphs run in fp32."""
    import openvino  # slow to load, and not needed for the above

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
