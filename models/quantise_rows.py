"""The int8 graph of a CPU without VNNI, where OpenVINO's would be computed in fp32: integer products of ONNX Runtime.

All activations of one token share a scale, found while the graph runs, so no answer depends on the rows beside it and
no calibration posts are needed. Such a CPU adds two neighbouring products in 16 bits and cuts what does not fit;
weights are scaled so that it always fits, and the integers are exact.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from data.files import whole

HIGHEST = 127  # of an activation, on either side of ZERO
ZERO = 128  # of the unsigned bytes that activations become: 1 to 255
PAIR = 32_767 // (ZERO + HIGHEST)  # the most that two neighbouring weights of one sign may add up to
MICROSOFT = "com.microsoft"
TINY = np.float32(1e-12)

Weights = NDArray[np.float32]


def quantise_rows(graph: Path, path: Path) -> Path:
    """Write the int8 form of a fp32 ONNX graph; the file appears whole or not at all."""
    model = onnx.load(str(graph))
    rewriting = _Rewriting(model.graph)
    rewriting.run()
    model.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as part:
        onnx.save(model, str(part))
    return path


def quantised(weights: Weights) -> tuple[NDArray[np.int8], Weights]:
    """Weights [inputs, outputs] as whole numbers, and the scale of each output: no sum of a pair can overflow."""
    # PAIR - 1, as rounding may add half a step to each of the two
    even = np.concatenate([weights, np.zeros((len(weights) % 2, weights.shape[1]), np.float32)])
    pairs = even.reshape(-1, 2, weights.shape[1])
    sums = np.maximum(np.maximum(pairs, 0).sum(1), np.maximum(-pairs, 0).sum(1))
    scale = np.maximum(np.maximum(np.abs(weights).max(0) / HIGHEST, sums.max(0) / (PAIR - 1)), TINY)
    return np.rint(weights / scale).astype(np.int8), scale.astype(np.float32)


class _Rewriting:
    """Takes the products with constant weights out of a graph, one node after another, and puts int8 ones in."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph
        self.held = {one.name: one for one in graph.initializer}
        self.nodes: list[Any] = []
        self.bytes_of: dict[str, tuple[str, str]] = {}  # activations -> their bytes and scales
        self.constants: dict[str, Any] = {}

    def run(self) -> None:
        made = {name: node for node in self.graph.node for name in node.output}
        for node in self.graph.node:
            if node.op_type == "MatMul" and node.input[1] in self.held:
                self._product(node)
            elif node.op_type == "Gemm":
                self._head(node)
            elif node.op_type == "ReduceSum" and made[node.input[0]].op_type == "Mul":
                self._pool(made[node.input[0]], node)
            else:
                self.nodes.append(node)
        used = {name for node in self.nodes for name in node.input}
        kept = [one for one in self.graph.initializer if one.name in used]
        del self.graph.node[:], self.graph.initializer[:]
        self.graph.node.extend(self.nodes)
        self.graph.initializer.extend([*kept, *self.constants.values()])

    def _add(self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def _constant(self, name: str, value: Any) -> str:
        self.constants.setdefault(name, numpy_helper.from_array(np.asarray(value), name))
        return name

    def _quantise(self, name: str) -> tuple[str, str]:
        """Bytes and scales [..., 1] of activations; the products that read the same ones share them."""
        if name not in self.bytes_of:
            size = self._add("Abs", [name], f"{name}/size")
            most = self._add("ReduceMax", [size, self._constant("last", np.array([-1]))], f"{name}/most", keepdims=1)
            most = self._add("Max", [most, self._constant("tiny", TINY)], f"{name}/above-0")
            highest = self._constant("highest", np.float32(HIGHEST))
            scaled = self._add("Mul", [name, self._add("Div", [highest, most], f"{name}/steps")], f"{name}/scaled")
            # Cast cuts off what is behind the point: half a step more makes it round.
            shifted = self._add("Add", [scaled, self._constant("zero", np.float32(ZERO + 0.5))], f"{name}/shifted")
            found = self._add("Cast", [shifted], f"{name}/bytes", to=onnx.TensorProto.UINT8)
            self.bytes_of[name] = found, self._add("Div", [most, highest], f"{name}/scale")
        return self.bytes_of[name]

    def _product(self, node: Any) -> None:
        weights, scale = quantised(numpy_helper.to_array(self.held[node.input[1]]))
        given, step = self._quantise(node.input[0])
        name = node.output[0]
        inputs = [
            given,
            self._constant(f"{name}/weights", weights),
            self._constant("one", np.float32(1)),
            self._constant(f"{name}/weight-scale", scale),
            self._constant("middle", np.uint8(ZERO)),
        ]
        self._add("Mul", [self._add("MatMulIntegerToFloat", inputs, f"{name}/whole", MICROSOFT), step], name)

    def _pool(self, masked: Any, node: Any) -> None:
        """The tokens' sum as a product with the mask: ReduceSum of a single row ends in other last digits."""
        hidden, mask = masked.input
        turned = self._add("Transpose", [mask], f"{node.name}/mask", perm=[0, 2, 1])
        total = self._add("MatMul", [turned, hidden], f"{node.name}/total")
        self._add("Squeeze", [total, self._constant("second", np.array([1]))], node.output[0])

    def _head(self, node: Any) -> None:
        """A head as plain sums in fp32: ONNX Runtime's Gemm of a single row ends in other last digits."""
        rows = self._add("Unsqueeze", [node.input[0], self._constant("second", np.array([1]))], f"{node.name}/rows")
        products = self._add("Mul", [rows, node.input[1]], f"{node.name}/products")
        total = self._add(
            "ReduceSum", [products, self._constant("last", np.array([-1]))], f"{node.name}/sum", keepdims=0
        )
        self._add("Add", [total, node.input[2]], node.output[0])
