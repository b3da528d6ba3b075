"""The stage cluster: chains that would undo it, and what later stages are told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.config.load import validate
from pipeline.errors import ConfigError, PromiseError
from pipeline.plan import chain_of
from pipeline.stages import export, quantize
from pipeline.stages.inputs import clustered_kernels
from pipeline.tflite.verify_clusters import ClusteredKernel

ROW = {
    "layer": "c", "tensor": "kernel", "shape": [3, 3, 1, 8], "number_of_clusters": 8,
    "normalized": True, "distinct": 7,
}  # fmt: skip


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        (["train", "cluster", "prune"], "prune after cluster .* put cluster after prune"),
        (["train", "cluster", "tune", "prune"], "tune after cluster .* put cluster after prune"),
    ],
)
def test_a_stage_that_undoes_it_is_refused(stages: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        chain_of(validate({"stages": stages}))


def test_an_optimizer_that_does_not_cross_is_refused() -> None:
    values = {"stages": ["train", "cluster"], "cluster": {"optimizer": {"name": "muon"}}}
    with pytest.raises(ConfigError, match=r"cluster\.optimizer.*muon"):
        chain_of(validate(values))


def test_later_stages_are_told_what_was_promised() -> None:
    artifact = SimpleNamespace(metrics={"layers": [ROW]})
    context: Any = SimpleNamespace(inputs={"baselines": {"float": None, "clustered": artifact}})
    expected = ClusteredKernel("c", "kernel", (3, 3, 1, 8), 8, True)
    assert clustered_kernels(context) == [expected]
    context = SimpleNamespace(inputs={"baselines": {"float": None}})
    assert clustered_kernels(context) == []


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A context whose files have lost their clusters; nothing is really converted."""

    def lost(path: Path, kernels: list[ClusteredKernel]) -> None:
        raise PromiseError(f"{path.name}: {len(kernels)} kernels lost their clusters")

    def convert(saved: Path, requests: list[Any], *rest: Any) -> dict[str, Path]:
        return {request.name: tmp_path / f"{request.name}.tflite" for request in requests}

    for place in ("bridge.conversion.save_for_conversion", "models.files.load_model",
                  "models.predict.predict_outputs"):  # fmt: skip
        monkeypatch.setattr(f"pipeline.{place}", lambda *arguments: None)
    chosen = "pipeline.data.representative.choose_representative"
    monkeypatch.setattr(chosen, lambda *arguments: [0])
    monkeypatch.setattr("pipeline.tflite.convert.convert", convert)
    monkeypatch.setattr("pipeline.tflite.verify_clusters.check_clusters", lost)
    artifact = SimpleNamespace(metrics={"layers": [ROW]}, file=lambda name: tmp_path / name)
    return SimpleNamespace(
        inputs={"baselines": {"float": artifact, "clustered": artifact}}, work=tmp_path,
        output=tmp_path, failed=tmp_path / "failed", seed=0, converter=lambda: None,
        input=lambda role: artifact,
        progress=None,
    )  # fmt: skip


DATA: Any = SimpleNamespace(
    train=SimpleNamespace(x=np.zeros((1, 2))), validation=SimpleNamespace(x=np.zeros((1, 2))),
    task=None,
)  # fmt: skip


def test_export_counts_the_clusters_of_the_float_file(chain: Any) -> None:
    with pytest.raises(PromiseError, match=r"^clustered\.tflite: 1 kernels lost"):
        export._export_baselines(validate({}), chain, DATA)


def test_quantize_counts_the_clusters_of_each_file(
    chain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("check_dtypes", "check_zeros_kept"):
        monkeypatch.setattr(f"pipeline.tflite.verify.{name}", lambda *arguments: None)
    monkeypatch.setattr("pipeline.models.kernels.count_kernel_zeros", lambda model: [])
    for name, value in {"load_splits": DATA, "with_answers": DATA, "load_input_model": None,
                        "_float_metric": 1.0}.items():  # fmt: skip
        monkeypatch.setattr(quantize, name, lambda *arguments, value=value: value)
    with pytest.raises(PromiseError, match=r"^int8\.tflite: 1 kernels lost"):
        quantize.run(validate({}), chain)
