from __future__ import annotations

from pipeline.models.build import build_model
from tests.models.conftest import classes, model_config


def test_lenet_300_100_has_the_published_size_on_mnist() -> None:
    assert (
        build_model(model_config("lenet_300_100"), (28, 28, 1), classes(10)).count_params()
        == 266_610
    )


def test_lenet_5_has_the_published_size_on_mnist() -> None:
    model = build_model(model_config("lenet_5"), (28, 28, 1), classes(10))
    assert model.count_params() == 431_080
    # Deep Compression, table 3: weights of conv1, conv2, ip1, ip2, here without the biases
    sizes = {layer.name: layer.kernel.shape for layer in model.layers if hasattr(layer, "kernel")}
    assert sizes == {
        "conv_1": (5, 5, 1, 20),
        "conv_2": (5, 5, 20, 50),
        "dense_1": (800, 500),
        "logits": (500, 10),
    }


def test_lenet_5_convolutions_are_linear_with_and_without_normalization() -> None:
    plain = build_model(model_config("lenet_5"), (16, 16, 1), classes(3))
    assert plain.get_layer("conv_1").activation.__name__ == "linear"
    normalized = build_model(
        model_config("lenet_5", normalization="batch"), (16, 16, 1), classes(3)
    )
    names = [layer.name for layer in normalized.layers]
    assert names[1:4] == ["conv_1", "conv_1_normalization", "pool_1"]
    assert "dense_1_activation" in names
