"""The int8 graph: the fp32 graph with weights in 8 bits, which needs no calibration posts.

Activations become int8 while the graph runs: `openvino_engine.GROUP` neighbours of one token share a scale (dynamic
quantisation), so no outlier of another token, let alone of another post, costs precision. Static quantisation
(SmoothQuant) was no faster and changed more decisions (1.3 % against 0.8 % on one bundle's validation posts).
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
from pathlib import Path

import openvino

from data.files import whole
from models.sums import write_sum


def quantise(graph: Path, folder: Path) -> Path:
    """Write the int8 form of an ONNX graph as `folder`/model.xml and .bin; the folder appears whole or not at all."""
    os.environ.setdefault("NNCF_CI", "1")  # else NNCF reports its use to Google Analytics
    import nncf

    logging.getLogger("nncf").setLevel(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()):  # its progress bars have no place in a service's log
        model = nncf.compress_weights(openvino.Core().read_model(str(graph)), mode=nncf.CompressWeightsMode.INT8_SYM)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with whole(folder, first=True) as part:
        if not folder.exists():  # else another process was faster, and may be reading it
            part.mkdir()
            openvino.save_model(model, str(part / "model.xml"), compress_to_fp16=False)
            for file in [*part.iterdir()]:
                write_sum(file)
    return folder / "model.xml"
