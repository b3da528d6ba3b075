"""Channels and blocks of nothing but zeros: the fault, and the mending."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ArtifactError
from pipeline.tflite import low_bits
from pipeline.tflite.flatbuffer import read_model
from pipeline.tflite.inspect import kernels_by_operator
from pipeline.tflite.interpreter import load
from pipeline.tflite.low_bits import quantize_weights
from pipeline.tflite.zero_scales import mend_zero_scales
from tests.tflite.conftest import Converted


@pytest.mark.parametrize(("algorithm", "block_size"), [("octav", None), ("min_max", 32)])
def test_a_channel_without_weights(
    converted: Converted,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    algorithm: str,
    block_size: int | None,
) -> None:
    """Its first half fails the day ai-edge-quantizer (0.10.0) gives a scale that can be run."""
    kernel = dict(kernels_by_operator(read_model(converted.paths["float32"]).main))
    dense = kernel["FULLY_CONNECTED"].data
    assert dense is not None
    pruned = dense.copy()
    pruned[0] = 0
    content = converted.paths["float32"].read_bytes().replace(dense.tobytes(), pruned.tobytes())
    path = tmp_path / "pruned.tflite"
    monkeypatch.setattr(low_bits, "mend_zero_scales", lambda content: content)
    broken = quantize_weights(content, "int4", algorithm, "per_channel", block_size)
    path.write_bytes(broken)
    with pytest.raises(ArtifactError, match="unsupported scale value"):
        load(path)
    path.write_bytes(mend_zero_scales(broken))
    found = dict(kernels_by_operator(read_model(path).main))["FULLY_CONNECTED"]
    assert found.scales.min() > 0
    assert found.data is not None and not found.data[0].any()
    outputs = load(path).predict(converted.x)
    # What is left of the first output is its bias.
    assert np.ptp(outputs[:, 0]) == 0 and np.ptp(outputs[:, 1]) > 0


def test_other_files_stay_as_they_are(converted: Converted) -> None:
    for name in ("float32", "int8", "int4", "int4_blocks"):
        content = converted.paths[name].read_bytes()
        assert mend_zero_scales(content) == content
