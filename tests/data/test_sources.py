from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.data import sources
from pipeline.data.sources import FASHION, SOURCES, read_source
from pipeline.errors import DataError

Writer = Callable[..., Path]
real_data = pytest.mark.skipif(
    "SLIMLINE_DATA" not in os.environ, reason="SLIMLINE_DATA is unset: no real MNIST here"
)


def test_digits_are_images_with_a_channel() -> None:
    source = read_source("digits", None)
    part = source.parts["all"]
    assert part.x.shape == (1797, 8, 8, 1)
    assert (part.x.min(), part.x.max()) == (0, 16)
    assert source.class_names == tuple("0123456789")


@pytest.mark.parametrize("moved", [False, True])
def test_digits_are_those_of_load_digits(monkeypatch: pytest.MonkeyPatch, moved: bool) -> None:
    from sklearn.datasets import load_digits

    if moved:
        nowhere = SimpleNamespace(locate_file=lambda name: f"/nowhere/{name}")
        monkeypatch.setattr(sources.importlib.metadata, "distribution", lambda name: nowhere)
    part = read_source("digits", None).parts["all"]
    np.testing.assert_array_equal(part.x[..., 0], load_digits().images)
    np.testing.assert_array_equal(part.y, load_digits().target)


def test_digits_do_not_import_sklearn() -> None:
    code = (
        "import sys; from pipeline.data.sources import read_source\n"
        "read_source('digits', None); print('sklearn' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_keras_file_gets_a_channel_and_class_names(write_npz: Writer) -> None:
    images, labels = np.zeros((2, 28, 28), np.uint8), np.arange(2)
    path = write_npz(x_train=images, y_train=labels, x_test=images[:1], y_test=labels[:1])
    source = read_source("keras:fashion_mnist", path)
    assert source.parts["train"].x.shape == (2, 28, 28, 1)
    assert source.parts["test"].x.shape == (1, 28, 28, 1)
    assert source.class_names == FASHION
    assert list(read_source("keras:mnist", path, frozenset({"test"})).parts) == ["test"]


def test_keras_file_of_another_shape_is_refused(write_npz: Writer) -> None:
    images, labels = np.zeros((2, 32, 32), np.uint8), np.arange(2)
    path = write_npz(x_train=images, y_train=labels, x_test=images, y_test=labels)
    with pytest.raises(DataError, match=r"train images have shape \(2, 32, 32\); keras:mnist exp"):
        read_source("keras:mnist", path)


@pytest.mark.parametrize("extra", ["x_val", "plain"])
def test_keras_file_of_another_layout_is_refused(write_npz: Writer, extra: str) -> None:
    images, labels = np.zeros((2, 28, 28), np.uint8), np.arange(2)
    arrays = {"x": images, "y": labels}
    if extra == "x_val":
        arrays = {"x_train": images, "y_train": labels, "x_val": images, "y_val": labels}
    with pytest.raises(DataError, match="keras:mnist expects x_train, y_train, x_test, y_test and"):
        read_source("keras:mnist", write_npz(**arrays))


def test_no_network_says_to_give_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    def fail() -> None:
        raise Exception("URL fetch failure on https://storage: None --\n no route to host")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    with pytest.raises(DataError, match=r"keras:mnist: .*no route to host\); give data\.path") as e:
        read_source("keras:mnist", None)
    assert "\n" not in str(e.value)


def test_download_keeps_stdout_clean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import keras

    pair = (np.zeros((2, 28, 28), np.uint8), np.arange(2))

    def load() -> object:
        print("11490434/11490434 ━━━━━━")
        return pair, pair

    monkeypatch.setattr(keras.datasets.mnist, "load_data", load)
    assert list(read_source("keras:mnist", None, frozenset({"train"})).parts) == ["train"]
    captured = capsys.readouterr()
    assert captured.out == "" and "11490434" in captured.err


def test_npz_without_a_path_is_refused() -> None:
    with pytest.raises(DataError, match=r"received no data\.path"):
        read_source("npz", None)


def test_unknown_source_lists_the_known_ones() -> None:
    with pytest.raises(DataError, match="'cifar': expected one of digits, npz, keras:mnist, "):
        read_source("cifar", None)


def test_table_has_every_source_that_the_config_knows() -> None:
    from typing import get_args

    from pipeline.config.data import Source

    assert set(SOURCES) == set(get_args(Source))


@real_data
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_real_images(name: str) -> None:
    path = Path(os.environ["SLIMLINE_DATA"]) / f"{name}.npz"
    source = read_source(f"keras:{name}", path)
    assert source.parts["train"].x.shape == (60000, 28, 28, 1)
    assert source.parts["test"].x.shape == (10000, 28, 28, 1)
