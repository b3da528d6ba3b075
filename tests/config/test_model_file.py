from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.config.load import apply_overrides, load_config, validate
from pipeline.config.model_file import begins_with_file, model_files
from pipeline.errors import ConfigError

MODEL = {"path": "mine.keras"}
WITHOUT = {"stages": ["prune", "quantize", "export"]}


def test_a_path_is_a_model_of_one_s_own_and_samples_are_what_it_takes() -> None:
    config = validate({"model": MODEL, **WITHOUT})
    assert config.model.architecture == "file"
    assert config.data.preprocessing_kind == "none"
    assert not config.data.standardize_targets
    assert begins_with_file(config)
    assert model_files(config) == {"model.path": Path("mine.keras")}


def test_what_is_given_is_kept() -> None:
    data = {"preprocessing": {"kind": "standardize"}, "standardize_targets": True}
    config = validate({"model": MODEL, "data": data})
    assert config.data.preprocessing_kind == "standardize"
    assert config.data.standardize_targets


def test_an_override_keeps_the_form() -> None:
    config = apply_overrides(validate({"model": MODEL}), {"model.outputs": "probabilities"})
    assert (config.model.path, config.model.outputs) == (Path("mine.keras"), "probabilities")
    assert config.data.preprocessing_kind == "none"


def test_the_path_is_relative_to_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("model: {path: sub/mine.keras}\n")
    config = load_config(tmp_path / "c.yaml")
    assert config.model.path == tmp_path / "sub" / "mine.keras"


@pytest.mark.parametrize(
    ("stages", "begins"), [(["train", "export"], False), (["quantize", "export"], True)]
)
def test_weights_from_a_file_need_no_training(stages: list[str], begins: bool) -> None:
    model = {"architecture": "mlp", "weights": "w.weights.h5"}
    config = validate({"model": model, "stages": stages})
    assert begins_with_file(config) is begins
    assert model_files(config) == {"model.weights": Path("w.weights.h5")}
    assert model_files(validate({})) == {}


SPACE = {"model.path": {"choice": ["a.keras", "b.keras"]}}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model": {"path": "mine.pkl"}}, "expected a file that ends in .keras or .h5"),
        ({"model": {"path": "m.h5", "filters": 3}}, "model.filters: unknown key in model"),
        (
            {"model": MODEL, "tune": {"search_space": SPACE}},
            "'model.path' changes the architecture, and model.path is a model that is there",
        ),
        (
            {"model": MODEL, "data": {"preprocessing": {"kind": "rescale", "placement": "model"}}},
            "data.preprocessing.placement: model puts a layer in front",
        ),
        (
            {"model": MODEL, "data": {"task": "parity"}, **WITHOUT},
            "data.task parity: prune would have to learn from samples without answers",
        ),
        (
            {"data": {"task": "parity"}, "stages": ["quantize"]},
            "data.task parity compares files with a model that is there: give model.path",
        ),
        (
            {"model": MODEL, "data": {"task": "parity"}, "stages": ["quantize"],
             "quantize": {"method": "qat"}},
            "quantize.method qat would have to learn",
        ),
        (
            {"model": MODEL, "data": {"task": "parity"}, "stages": ["quantize"],
             "quantize": {"method": "auto", "max_error_increase": 0.1}},
            "quantize.method auto would have to learn",
        ),
        (
            {"model": {**MODEL, "outputs": "logits"}, "data": {"task": "regression",
             "source": "npz", "path": "x.npz"}},
            "model.outputs: logits is told of classes and labels",
        ),
        (
            {"data": {"standardize_targets": False}},
            "data.standardize_targets: data.task classification has no targets; leave it out",
        ),
        ({"model": {"architecture": "mlp", "weights": "w.txt"}}, "received 'w.txt', expected none"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        validate(values)
