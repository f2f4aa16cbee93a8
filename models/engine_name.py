"""The engines by name, apart from what it takes to load one: settings are read long before."""

from __future__ import annotations

from typing import Literal

EngineName = Literal["int8", "bf16", "onnx", "torch"]
DEFAULT: EngineName = "int8"
