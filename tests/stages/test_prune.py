"""The stage prune: chains that would undo a pattern, and what later stages are told of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.config.load import validate
from pipeline.errors import ConfigError, PromiseError
from pipeline.plan import chain_of
from pipeline.stages import export
from pipeline.stages.inputs import patterned_kernels
from pipeline.stages.table import STAGES
from pipeline.tflite.verify_patterns import PatternedKernel

ROW = {"layer": "c", "tensor": "kernel", "shape": [3, 3, 4, 8], "groups": 72}
TWO_OF_FOUR = {"sparsity_m_by_n": [2, 4]}


def context_of(**metrics: Any) -> Any:
    artifact = SimpleNamespace(metrics={"block_size": None, "sparsity_m_by_n": None, **metrics})
    return SimpleNamespace(inputs={"baselines": {"float": None, "pruned": artifact}})


def test_what_would_undo_a_pattern_is_refused() -> None:
    values = {"stages": ["train", "prune", "tune", "quantize"], "prune": TWO_OF_FOUR}
    with pytest.raises(ConfigError, match=r"sparsity_m_by_n: tune after prune .* put prune after"):
        chain_of(validate(values))
    values = {
        "stages": ["train", "prune", "cluster"],
        "prune": {"block_size": [4, 1]},
        "cluster": {"preserve_sparsity": False},
    }
    with pytest.raises(ConfigError, match=r"prune\.block_size: cluster\.preserve_sparsity: false"):
        chain_of(validate(values))


def test_later_stages_are_told_what_was_promised() -> None:
    found = patterned_kernels(context_of(sparsity_m_by_n=[2, 4], layers=[ROW]))
    assert found == [PatternedKernel("c", "kernel", (3, 3, 4, 8), None, (2, 4), 72)]
    blocks = {**ROW, "blocks": 100, "zero_blocks": 50}
    found = patterned_kernels(context_of(block_size=[4, 1], layers=[blocks]))
    assert found == [PatternedKernel("c", "kernel", (3, 3, 4, 8), (4, 1), None, 50)]
    assert patterned_kernels(context_of(layers=[ROW])) == []
    assert patterned_kernels(SimpleNamespace(inputs={"baselines": {"float": None}})) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("label", ["pruned", "clustered"])
def test_export_counts_the_pattern_of_each_float_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, label: str
) -> None:
    def lost(path: Path, kernels: list[PatternedKernel]) -> None:
        if path.name == f"{label}.tflite":
            raise PromiseError(f"{path.name}: {len(kernels)} kernels lost their pattern")

    def convert(saved: Path, requests: list[Any], *rest: Any) -> dict[str, Path]:
        return {request.name: tmp_path / f"{request.name}.tflite" for request in requests}

    for place in ("bridge.conversion.save_for_conversion", "models.files.load_model",
                  "models.predict.predict_outputs"):  # fmt: skip
        monkeypatch.setattr(f"pipeline.{place}", lambda *arguments: None)
    chosen = "pipeline.data.representative.choose_representative"
    monkeypatch.setattr(chosen, lambda *arguments: [0])
    monkeypatch.setattr("pipeline.tflite.convert.convert", convert)
    monkeypatch.setattr("pipeline.tflite.verify_clusters.check_clusters", lambda *arguments: None)
    monkeypatch.setattr("pipeline.tflite.verify_patterns.check_patterns", lost)
    pruned = SimpleNamespace(
        metrics={"block_size": None, "sparsity_m_by_n": [2, 4], "layers": [ROW]},
        file=lambda name: tmp_path / name,
    )
    clustered = SimpleNamespace(metrics={"layers": []}, file=lambda name: tmp_path / name)
    context: Any = SimpleNamespace(
        inputs={"baselines": {"pruned": pruned, "clustered": clustered}}, work=tmp_path,
        output=tmp_path, seed=0, converter=lambda: None,
    )  # fmt: skip
    data: Any = SimpleNamespace(validation=SimpleNamespace(x=np.zeros((1, 2))), task=None)
    with pytest.raises(PromiseError, match=rf"^{label}\.tflite: 1 kernels lost their pattern"):
        export._export_baselines(validate({}), context, data)


def test_the_check_of_a_model_from_a_file_knows_what_is_asked() -> None:
    keys = ("distribution", "pruning_schedule", "layers", "block_size", "sparsity_m_by_n")
    assert {f"prune.{key}" for key in keys} <= set(STAGES["load"].sections)
