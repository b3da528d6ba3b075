"""Zeros 2 of 4 through cluster and QAT, in this process: counted in the file that ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import pipeline
from pipeline.compression.weight_patterns import count_groups
from pipeline.tflite.flatbuffer import read_model
from pipeline.tflite.inspect import kernels_by_operator

ADAM = {"name": "adam", "learning_rate": 0.005}
VALUES: dict[str, Any] = {
    "run": {"name": "two_of_four"},
    "data": {"source": "digits", "max_train_samples": 150},
    "model": {"architecture": "small_cnn", "filters": [4, 8], "units": 16},
    "train": {"epochs": 2, "optimizer": ADAM},
    "prune": {"epochs": 1, "sparsity_m_by_n": [2, 4], "optimizer": ADAM},
    "cluster": {"epochs": 1, "number_of_clusters": 8, "optimizer": ADAM},
    "quantize": {"method": "qat", "qat": {"epochs": 1, "optimizer": ADAM}},
    "export": {"min_label_agreement": 0.6},
    "stages": ["train", "prune", "cluster", "quantize", "export"],
}


def test_the_shipped_file_has_two_zeros_in_every_four(tmp_path: Path) -> None:
    result = pipeline.run(VALUES, artifacts=tmp_path)
    rows = {row["layer"]: row for row in result.metrics["prune"]["layers"]}
    assert set(rows) == {"conv_2", "dense_1", "logits"}
    assert result.stages["prune"].notes[0].startswith("left dense: conv_1")
    for name in ("pruned", "clustered", "int8"):
        model = read_model(tmp_path / "two_of_four" / "export" / f"{name}.tflite")
        kernels = {tensor.data.size: tensor for _, tensor in kernels_by_operator(model.main)}
        for row in rows.values():
            stored = np.asarray(kernels[row["parameters"]].data)
            assert stored.shape[-1] == row["shape"][-2], "groups follow the inputs"
            matrix = stored.reshape(stored.shape[0], -1)
            assert count_groups(matrix, 2, 4) == row["groups"] == matrix.size // 4
