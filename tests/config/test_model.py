from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from pipeline.config.model import (
    ModelConfig,
    check_model_fits_task,
    check_normalization_converts,
)


def model(**values: Any) -> ModelConfig:
    config: ModelConfig = TypeAdapter(ModelConfig).validate_python(values)
    return config


@pytest.mark.parametrize("task", ["classification", "binary", "multi_label", "regression"])
def test_only_reconstruction_takes_an_autoencoder(task: str) -> None:
    check_model_fits_task(model(architecture="mlp"), task)
    with pytest.raises(ValueError, match=f"no answers for data.task {task}; set data.task: reco"):
        check_model_fits_task(model(architecture="autoencoder"), task)


@pytest.mark.parametrize("name", ["mlp", "lenet_300_100", "lenet_5", "small_cnn", "ds_cnn"])
def test_reconstruction_takes_only_an_autoencoder(name: str) -> None:
    check_model_fits_task(model(architecture="autoencoder"), "reconstruction")
    with pytest.raises(ValueError, match=f"{name} does not; use autoencoder"):
        check_model_fits_task(model(architecture=name), "reconstruction")


def test_spatial_dropout_belongs_to_convolutions() -> None:
    assert model(architecture="autoencoder", filters=(2,), spatial_dropout=0.5)
    with pytest.raises(ValidationError, match="it needs filters"):
        model(architecture="autoencoder", units=(2,), spatial_dropout=0.5)
    with pytest.raises(ValidationError, match="Extra inputs"):
        model(architecture="mlp", spatial_dropout=0.5)


def test_dropout_of_an_autoencoder_needs_dense_layers_to_act_behind() -> None:
    assert model(architecture="autoencoder", units=(2,), dropout=0.5)
    with pytest.raises(ValidationError, match="dropout acts behind dense layers: it needs units"):
        model(architecture="autoencoder", filters=(2,), dropout=0.5)


@pytest.mark.parametrize(
    ("name", "expected"), [("mlp", "none"), ("ds_cnn", "batch"), ("resnet_8", "batch")]
)
def test_normalization_where_none_is_named(name: str, expected: str) -> None:
    assert model(architecture=name).normalization == expected


def test_layer_normalization_is_not_trained_with_quantization() -> None:
    for normalization in ("none", "batch"):
        check_normalization_converts(model(architecture="mlp", normalization=normalization), "qat")
    layered = model(architecture="mlp", normalization="layer")
    check_normalization_converts(layered, "ptq")
    with pytest.raises(ValueError, match=r"qat has no exact integer form of model.normalization"):
        check_normalization_converts(layered, "qat")
