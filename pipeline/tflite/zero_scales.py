"""Mends scales of zero, which ai-edge-quantizer 0.10.0 gives to channels and blocks of zeros.

A channel or block of a pruned kernel may hold nothing but zeros. Algorithms octav and mse then set
its scale to 0, and so does every algorithm block-wise, where the smallest scale (1e-9) is no
float16. XNNPACK refuses the file: "unsupported scale value (0.000000)". The codes are zeros, which
stand for 0 in any scale; 1 is put in the place of 0.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.tflite.flatbuffer import read_block_scales


def mend_zero_scales(content: bytes) -> bytes:
    """Puts 1 in the place of each scale of 0.

    Args:
        content: a whole `.tflite` file.

    Returns:
        The same file, of the same length; the same bytes where there is nothing to mend.
    """
    data = bytearray(content)
    for scales in _all_scales(data):
        scales[scales == 0] = 1
    return bytes(data)


def _all_scales(data: bytearray) -> Iterator[np.ndarray]:
    """Yields the scales of each quantized tensor: writable views of `data`."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(data, 0)
    for number in range(model.SubgraphsLength()):
        subgraph = model.Subgraphs(number)
        for index in range(subgraph.TensorsLength()):
            quantization = subgraph.Tensors(index).Quantization()
            if quantization is None:
                continue
            if quantization.ScaleLength():
                yield quantization.ScaleAsNumpy()
            blocks = read_block_scales(model, subgraph, quantization)
            if blocks is not None:
                yield blocks.scales
