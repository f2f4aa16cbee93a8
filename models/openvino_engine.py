"""The serving engine: OpenVINO on the CPU, with matrix products in int8 or bfloat16; no torch needed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import openvino

from models.batching import Float, Ids, Int, run
from models.cache import one_builder
from models.cpu import has_bf16
from models.sums import is_whole, remove, sum_path, write_sum

# Activations that share a scale in int8 products. With 128 it is somewhat faster, and loses more recall of rank >= 3
# than the gate allows (training/EVALUATION.md). An encoder whose widths are no multiples is computed without, so that
# the last bits of an answer depend on the rows beside it.
GROUP = 64
KEPT = 500  # what it keeps prepared for shapes of batches; 5,000, the default, are no faster and take far more memory


class OpenVinoEngine:
    """A compiled graph (ONNX or OpenVINO IR); usable from several threads at once."""

    def __init__(self, path: Path, pad_id: int, threads: int = 0) -> None:
        settings: dict[str, str | int | bool] = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": GROUP,  # concerns the products whose weights are int8
            "CPU_RUNTIME_CACHE_CAPACITY": KEPT,
            "ENABLE_CPU_PINNING": False,  # else every process of one thread computes on the first core
            "INFERENCE_PRECISION_HINT": "bf16" if has_bf16() else "f32",
        }
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
        kept = path.parent / "compiled" / f"{path.stem}-{threads}"
        writable = os.access(path.parent, os.W_OK)
        if writable:
            settings["CACHE_DIR"] = str(kept)  # the next start compiles in a quarter of the time
        with _alone(kept) if writable else nullcontext(False) as alone:
            self.model = openvino.Core().compile_model(str(path), "CPU", settings)
            if alone:
                _sum_new(kept)
        self.pad_id = pad_id
        self._idle = deque[Any]()  # requests, each with buffers of its own; as many as ever ran at the same time

    def logits(self, rows: Ids) -> tuple[Float, Float]:
        return run(rows, self.pad_id, self._forward)

    def _forward(self, ids: Int, mask: Int) -> tuple[Float, Float]:
        try:
            request = self._idle.pop()
        except IndexError:
            request = self.model.create_infer_request()
        try:
            category, severity = request.infer([ids, mask], share_inputs=True).to_tuple()
            return category.copy(), severity.copy()  # the request's own memory is written anew by the next call
        finally:
            self._idle.append(request)


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Without other processes, unless all that is compiled there is as it was written; tells which of both.

    Those that start together write one file, and who summed it while another wrote left a sum that nothing has. What
    is damaged is removed first: OpenVINO would answer by what it holds.
    """
    blobs = [*folder.glob("*.blob")]
    if blobs and all(map(is_whole, blobs)):
        yield False
        return
    with one_builder(folder):
        for blob in folder.glob("*.blob"):
            if not is_whole(blob):
                remove(blob)
        yield True


def _sum_new(folder: Path) -> None:
    """Keep the sums of compiled graphs that have none yet, unless another process has removed them, or none can be."""
    for blob in folder.glob("*.blob"):
        with suppress(OSError):
            if not sum_path(blob).exists():
                write_sum(blob)
