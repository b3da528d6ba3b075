from __future__ import annotations

import subprocess
import sys
from typing import Any, get_args

import numpy as np
import pytest

from pipeline.config.model import Initializer, ModelConfig
from pipeline.data.preprocessing import Affine
from pipeline.errors import ConfigError
from pipeline.models.build import ARCHITECTURES, build_model, check_input_shape, smallest_side
from pipeline.models.digest import model_digest
from pipeline.tasks.task import Task
from tests.models.conftest import SMALL, classes, model_config, task_of

ALL = sorted(SMALL)
IMAGE = ["ds_cnn", "lenet_5", "resnet_8", "small_cnn"]
CONVOLUTIONAL = [*IMAGE, "autoencoder"]
CLASSIFYING = [name for name in ALL if name != "autoencoder"]
TASKS = {
    "binary": Task("binary", 1, ("no", "yes")),
    "multi_label": Task("multi_label", 4, ("a", "b", "c", "d")),
    "regression": Task("regression", 2, ("u", "v"), (1.0, 1.0), (0.0, 0.0)),
}

FRESH = """
from pipeline.runtime import start_tensorflow
start_tensorflow(7)
from pipeline.models.build import build_model
from pipeline.models.digest import model_digest
from tests.models.conftest import SMALL, model_config, task_of
for name in sorted(SMALL):
    config = model_config(name, dropout=0.1, normalization="batch")
    print(name, model_digest(build_model(config, SMALL[name][1], task_of(name))))
"""


def small_model(name: str, preprocessing: Any = None, **options: Any) -> Any:
    return build_model(model_config(name, **options), SMALL[name][1], task_of(name), preprocessing)


def test_table_has_every_architecture_that_the_config_knows() -> None:
    union = get_args(get_args(ModelConfig)[0])
    fields = [model.model_fields["architecture"] for model in union]
    names = {name for field in fields for name in get_args(field.annotation)}
    assert names - {"file"} == set(ARCHITECTURES)  # what is in a file is not built
    assert set(SMALL) < names


@pytest.mark.parametrize("name", CLASSIFYING)
def test_output_is_one_logit_per_class(name: str) -> None:
    model = small_model(name)
    assert model.output_shape == (None, 3)
    assert model.layers[-1].name == "logits"
    assert model.layers[-1].activation.__name__ == "linear"
    x = np.random.default_rng(0).normal(size=(2, *SMALL[name][1])).astype(np.float32)
    outputs = model(x).numpy()
    assert np.isfinite(outputs).all() and outputs.std() > 0


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
@pytest.mark.parametrize("name", CLASSIFYING)
def test_the_task_gives_the_number_of_outputs(name: str, task: Task) -> None:
    model = build_model(model_config(name), SMALL[name][1], task)
    assert model.output_shape == (None, task.outputs)
    assert model.layers[-1].activation.__name__ == "linear"


@pytest.mark.parametrize("name", ALL)
def test_layer_names_are_our_own_and_unique(name: str) -> None:
    options = {"dropout": 0.1, "normalization": "batch"}
    first, second = (small_model(name, **options) for _ in range(2))
    names = [layer.name for layer in first.layers]
    assert len(set(names)) == len(names)
    # Keras would number the layers of a second model on.
    assert [layer.name for layer in second.layers] == names
    assert [w.path for w in second.weights] == [w.path for w in first.weights]
    assert first.name == second.name == name


@pytest.mark.parametrize("normalization", ["batch", "layer"])
@pytest.mark.parametrize("name", ALL)
def test_every_option_acts_on_every_hidden_layer(name: str, normalization: str) -> None:
    import keras

    # kernel → its initializer's and regularizer's attribute
    kernels = {"Dense": "kernel", "Conv2D": "kernel", "DepthwiseConv2D": "depthwise"}
    options = {"dropout": 0.25, "normalization": normalization, "initializer": "orthogonal"}
    model = small_model(name, **options, l1=0.5, l2=0.125)
    hidden = [layer for layer in model.layers if type(layer).__name__ in kernels]
    for layer in hidden:
        role = kernels[type(layer).__name__]
        assert type(getattr(layer, f"{role}_initializer")).__name__ == "Orthogonal", layer.name
        penalty = getattr(layer, f"{role}_regularizer")
        assert (penalty.l1, penalty.l2) == (0.5, 0.125), layer.name
    rates = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates and set(rates) == {0.25}
    # The reference ResNet leaves the shortcuts without normalization; outputs never have it.
    bare = {"logits", "output", "code", "stack_2_shortcut", "stack_3_shortcut"}
    kind = {"batch": "BatchNormalization", "layer": "LayerNormalization"}[normalization]
    for layer in [layer for layer in hidden if layer.name not in bare]:
        added = model.get_layer(f"{layer.name}_normalization")
        assert added.input is layer.output and type(added).__name__ == kind
        # The mean over samples takes the bias away; the mean over features does not.
        assert layer.use_bias == (normalization == "layer")


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_spatial_dropout_follows_convolutions(name: str) -> None:
    import keras

    model = small_model(name, spatial_dropout=0.25)
    added = [x for x in model.layers if isinstance(x, keras.layers.SpatialDropout2D)]
    assert added and {layer.rate for layer in added} == {0.25}
    assert not any(type(layer) is keras.layers.Dropout for layer in model.layers)


@pytest.mark.parametrize("initializer", get_args(Initializer))
def test_every_initializer_is_one_of_keras(initializer: str) -> None:
    model = small_model("mlp", initializer=initializer)
    made = type(model.get_layer("dense_1").kernel_initializer).__name__
    assert made.lower() == initializer.replace("_", "")
    assert model.get_layer("dense_1").kernel.numpy().std() > 0


@pytest.mark.parametrize("name", ALL)
def test_options_that_are_off_leave_no_layer(name: str) -> None:
    model = small_model(name, dropout=0.0, normalization="none")
    kinds = {type(layer).__name__ for layer in model.layers}
    assert not {k for k in kinds if "Dropout" in k or "Normalization" in k}
    assert model.losses == []
    assert all(layer.use_bias for layer in model.layers if hasattr(layer, "use_bias"))


def test_penalty_by_hand() -> None:
    model = build_model(model_config("mlp", units=(2,), l1=0.5, l2=0.25), (1,), classes(2))
    # kernels (1, 2) and (2, 2), biases in between: those must not count
    kernels = [np.array([[1.0, -2.0]]), np.array([[0.0, 3.0], [1.0, 0.0]])]
    model.set_weights([kernels[0], np.full(2, 9.0), kernels[1], np.full(2, 9.0)])
    # 0.5·(1+2) + 0.25·(1+4) = 2.75 and 0.5·(3+1) + 0.25·(9+1) = 4.5
    assert sorted(float(loss) for loss in model.losses) == [2.75, 4.5]


def test_preprocessing_is_the_first_layer() -> None:
    affine = Affine((0.5, 2.0, 1.0), (0.0, -1.0, 3.0))
    inside = small_model("resnet_8", affine)
    outside = small_model("resnet_8")
    outside.set_weights(inside.get_weights())
    x = np.random.default_rng(0).normal(size=(3, 8, 8, 3)).astype(np.float32)
    assert inside.layers[1].name == "preprocessing"
    np.testing.assert_allclose(inside(x), outside(affine.apply(x)), rtol=1e-5, atol=1e-6)


def test_equal_seeds_give_equal_weights_in_a_fresh_process() -> None:
    import keras

    def digests(seed: int) -> list[str]:
        keras.utils.set_random_seed(seed)
        options = {"dropout": 0.1, "normalization": "batch"}
        return [f"{name} {model_digest(small_model(name, **options))}" for name in sorted(SMALL)]

    run = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, check=True)
    assert len(digests(7)) == len(SMALL)
    assert run.stdout.splitlines() == digests(7)
    assert not set(digests(7)) & set(digests(8))


@pytest.mark.parametrize("name", IMAGE)
@pytest.mark.parametrize("shape", [(64,), (8, 8)])
def test_image_models_refuse_vectors(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=rf"{name} needs images \(height, width, channels\), rec"):
        build_model(model_config(name), shape, classes(3))


@pytest.mark.parametrize("name", IMAGE)
def test_smallest_image_builds_and_a_smaller_one_is_refused(name: str) -> None:
    config = model_config(name)
    side = smallest_side(config)
    assert build_model(config, (side, side, 1), classes(3)).output_shape == (None, 3)
    for shape in [(side - 1, side, 1), (side, side - 1, 1)]:
        with pytest.raises(ConfigError, match=f"{name} needs images of at least {side}×{side} pix"):
            check_input_shape(config, shape)


def test_lenet_5_on_four_pixels_says_what_it_needs() -> None:
    with pytest.raises(ConfigError, match="at least 16×16 pixels, received 4×4; use larger"):
        build_model(model_config("lenet_5"), (4, 4, 1), classes(10))


@pytest.mark.parametrize("name", ["mlp", "lenet_300_100"])
@pytest.mark.parametrize("shape", [(6,), (2, 3), (1, 2, 3)])
def test_flat_models_take_any_shape(name: str, shape: tuple[int, ...]) -> None:
    assert build_model(model_config(name), shape, classes(3)).get_layer("dense_1").input.shape == (
        None,
        6,
    )
