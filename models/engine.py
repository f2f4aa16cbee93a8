"""Engines: from token ids to logits. Here ONNX Runtime and torch, the reference; `openvino_engine` serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from models.batching import Float, Ids, Int, run


class Engine(Protocol):
    """Gives category logits [n, categories] and severity logits [n, ranks - 2] of n rows of token ids."""

    def logits(self, rows: Ids) -> tuple[Float, Float]: ...


class OnnxEngine:
    """ONNX Runtime on the CPU; no torch needed."""

    def __init__(self, path: Path, pad_id: int, threads: int = 0) -> None:
        import onnxruntime  # not needed by the default engine

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads  # 0 = one per core
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads must not burn a core
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.pad_id = pad_id

    def logits(self, rows: Ids) -> tuple[Float, Float]:
        return run(rows, self.pad_id, self._forward)

    def _forward(self, ids: Int, mask: Int) -> tuple[Float, Float]:
        category, severity = self.session.run(None, {"input_ids": ids, "attention_mask": mask})
        return category, severity


class TorchEngine:
    """The classifier itself, in fp32 on the CPU; one that was trained on a GPU is fetched from there."""

    def __init__(self, classifier: Any, pad_id: int) -> None:
        self.classifier, self.pad_id = classifier.cpu().eval(), pad_id

    def logits(self, rows: Ids) -> tuple[Float, Float]:
        return run(rows, self.pad_id, self._forward)

    def _forward(self, ids: Int, mask: Int) -> tuple[Float, Float]:
        import torch

        with torch.inference_mode():
            category, severity = self.classifier(torch.from_numpy(ids), torch.from_numpy(mask))
        return category.numpy(), severity.numpy()
