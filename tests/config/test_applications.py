"""What is refused before anything is read, in one line that names the field."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import load_config, validate
from pipeline.errors import ConfigError

PIXELS = {"preprocessing": {"kind": "none"}}
CHAIN = ["train", "prune", "quantize", "export", "evaluate"]


def config(model: dict[str, Any], **sections: Any) -> dict[str, Any]:
    return {"data": PIXELS, "stages": CHAIN, "model": model, **sections}


def mobilenet(**options: Any) -> dict[str, Any]:
    return {"architecture": "applications/MobileNetV2", **options}


def test_an_application_with_all_its_options() -> None:
    found = validate(config(mobilenet(alpha=0.35, resize=[32, 32], weights="a/b.h5"))).model
    assert found.alpha == 0.35
    assert str(found.weights) == "a/b.h5"
    assert validate(config(mobilenet())).model.weights == "none"


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        (config({"architecture": "applications/VGG17"}), "did you mean 'applications/VGG19'"),
        (config({"architecture": "applications/VGG16", "alpha": 1}), "model.alpha: unknown key"),
        (config(mobilenet(weights="model.pkl")), "model.weights: received 'model.pkl', expected"),
        (config(mobilenet(resize=[16, 32])), r"model.resize: received \[16, 32\].* 32×32"),
        (config(mobilenet(), data={}), "data.preprocessing: .* received kind rescale"),
        (
            config(mobilenet(), data={"preprocessing": {"kind": "standardize"}}),
            "received kind standardize",
        ),
        (
            config(mobilenet(), data={"source": "csv", "path": "a.csv", "csv": {"target": "y"}}),
            "needs images, and data.source csv gives table",
        ),
        ({"train": {"transfer": {}}}, "train.transfer: needs a model with a base to freeze"),
        (
            config(mobilenet(), train={"transfer": {}}, stages=["train", "tune"]),
            "train.transfer: 'tune' trains each trial in one phase",
        ),
    ],
)
def test_what_does_not_fit_is_refused(sections: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        validate(sections)


def test_a_scale_that_leads_to_pixels_is_fine() -> None:
    rescale = {"preprocessing": {"kind": "rescale", "scale": 15.9375}}
    assert validate(config(mobilenet(), data=rescale)).data.preprocessing.scale == 15.9375


def test_weights_are_looked_for_beside_the_configuration(tmp_path: Any) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(
        "data: {preprocessing: {kind: none}}\nstages: [train]\n"
        "model: {architecture: applications/VGG16, weights: mine.npz}\n",
        encoding="utf-8",
    )
    assert load_config(file).model.weights == tmp_path / "mine.npz"
    assert load_config(file, ["model.weights=none"]).model.weights == "none"
