from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.data import DataConfig
from pipeline.config.sources import SOURCES
from pipeline.data import keras_names
from pipeline.data.arrays import SourceArrays
from pipeline.data.keras_sets import KERAS_SETS
from pipeline.data.prepare import load_data, prepare_data, save_preparation
from pipeline.data.sources import read_source
from pipeline.errors import DataError
from pipeline.runtime import import_tensorflow
from tests.data.test_keras_files import write_cifar, write_objects

Writer = Callable[..., Path]
real_data = pytest.mark.skipif(
    "SLIMLINE_DATA" not in os.environ, reason="SLIMLINE_DATA is unset: no real MNIST here"
)


def config(name: str, path: Path | None = None, **more: Any) -> DataConfig:
    task = "regression" if name.endswith("housing") else "classification"
    return DataConfig(source=f"keras:{name}", path=path, **{"task": task, **more})


def read(name: str, path: Path | None = None, **more: Any) -> SourceArrays:
    return read_source(config(name, path, **more))


def images(write_npz: Writer, shape: tuple[int, ...], name: str = "a.npz") -> Path:
    x, y = np.zeros((2, *shape), np.uint8), np.arange(2)
    return write_npz(name, x_train=x, y_train=y, x_test=x[:1], y_test=y[:1])


def test_names_are_as_many_as_the_classes() -> None:
    for name, row in KERAS_SETS.items():
        assert (None if row.class_names is None else len(row.class_names)) == SOURCES[name].classes
        assert row.class_names is None or len(set(row.class_names)) == len(row.class_names)
    assert len(keras_names.CIFAR_20) == 20


def test_reuters_names_are_those_of_keras() -> None:
    import_tensorflow()
    from keras.datasets import reuters

    assert reuters.get_label_names() == keras_names.REUTERS


def test_file_gets_a_channel_and_class_names(write_npz: Writer) -> None:
    path = images(write_npz, (28, 28))
    source = read("fashion_mnist", path)
    assert source.parts["train"].x.shape == (2, 28, 28, 1)
    assert source.parts["test"].x.shape == (1, 28, 28, 1)
    assert source.class_names == keras_names.FASHION
    assert list(read_source(config("mnist", path), frozenset({"test"})).parts) == ["test"]


def test_images_are_put_in_the_middle_of_zeros(write_npz: Writer) -> None:
    x = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28)
    path = write_npz(x_train=x, y_train=np.arange(2), x_test=x[:1], y_test=np.arange(1))
    source = read("mnist", path, keras={"size": (33, 28)})
    padded = source.parts["train"].x
    assert padded.shape == (2, 33, 28, 1) and padded.dtype == np.uint8
    assert (padded[:, 2:30, :, 0] == x).all()
    assert not padded[:, :2].any() and not padded[:, 30:].any()
    assert source.parts["test"].x.shape == (1, 33, 28, 1)


def test_file_of_another_shape_is_refused(write_npz: Writer) -> None:
    message = r"train samples have shape \(2, 32, 32\); keras:mnist expects \(n, 28, 28\)"
    with pytest.raises(DataError, match=message):
        read("mnist", images(write_npz, (32, 32)))
    with pytest.raises(DataError, match=r"keras:cifar10 expects \(n, 32, 32, 3\)"):
        read("cifar10", images(write_npz, (28, 28, 3)))


@pytest.mark.parametrize("extra", ["x_val", "plain"])
def test_file_of_another_layout_is_refused(write_npz: Writer, extra: str) -> None:
    pixels, labels = np.zeros((2, 28, 28), np.uint8), np.arange(2)
    arrays = {"x": pixels, "y": labels}
    if extra == "x_val":
        arrays = {"x_train": pixels, "y_train": labels, "x_val": pixels, "y_val": labels}
    with pytest.raises(DataError, match="keras:mnist expects x_train, y_train, x_test, y_test and"):
        read("mnist", write_npz(**arrays))


def test_cifar_archive_with_fine_and_coarse_labels(tmp_path: Path) -> None:
    ten, hundred = (write_cifar(tmp_path, name) for name in ("cifar10", "cifar100"))
    assert read("cifar10", ten).class_names == keras_names.CIFAR_10
    assert read("cifar100", hundred).class_names == keras_names.CIFAR_100
    coarse = read("cifar100", hundred, keras={"labels": "coarse"})
    assert coarse.class_names == keras_names.CIFAR_20
    assert coarse.parts["train"].y.tolist() == [1, 1]


def test_housing_has_numbers(tmp_path: Path, write_npz: Writer) -> None:
    x = np.random.default_rng(0).normal(size=(50, 13))
    path = write_npz(x=x, y=x[:, 0] * 3 + 20)
    settings = config("boston_housing", path, preprocessing={"kind": "standardize"})
    save_preparation(prepare_data(settings, 0), tmp_path / "out")
    data = load_data(settings, tmp_path / "out", ("train", "validation", "test"))
    assert [len(split) for split in data.splits.values()] == [34, 6, 10]
    assert data.task.name == "regression" and data.train.y.shape == (34, 1)


def test_imdb_becomes_token_ids(tmp_path: Path) -> None:
    rows = [[1, 5, 9], [2], [7, 7, 7, 7, 7, 7], [3, 4], [8], [1, 1], [6], [2, 2]]
    path = write_objects(
        tmp_path / "imdb.npz", x_train=rows, y_train=np.arange(8) % 2, x_test=rows[:2],
        y_test=np.arange(2),
    )  # fmt: skip
    keras = {"max_tokens": 10, "sequence_length": 5}
    settings = config("imdb", path, task="binary", keras=keras)
    save_preparation(prepare_data(settings, 0), tmp_path / "out")
    data = load_data(settings, tmp_path / "out", ("train", "test"))
    assert data.input_dtype == "int32" and data.input_shape == (5,) and data.tokens == 10
    # start, then ranks + 3; 9 + 3 is beyond the 10 token ids
    assert data.test.x.tolist() == [[0, 1, 4, 8, 2], [0, 0, 0, 1, 5]]
    assert data.task.class_names == ("negative", "positive") and data.task.outputs == 1


def test_no_network_says_which_file_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    import_tensorflow()
    import keras

    def fail(**options: Any) -> None:
        raise Exception("URL fetch failure on https://storage: None --\n no route to host")

    for name, layout in (("mnist", "x_train"), ("cifar100", r"\.tar\.gz"), ("reuters", "x and y")):
        monkeypatch.setattr(getattr(keras.datasets, name), "load_data", fail)
        message = rf"keras:{name}: .*no route to host\); give data\.path, a local .*{layout}"
        with pytest.raises(DataError, match=message) as error:
            read(name)
        assert "\n" not in str(error.value)


def test_download_keeps_stdout_clean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import_tensorflow()
    import keras

    pair = (np.zeros((2, 28, 28), np.uint8), np.arange(2))

    def load() -> object:
        print("11490434/11490434 ━━━━━━")
        return pair, pair

    monkeypatch.setattr(keras.datasets.mnist, "load_data", load)
    assert list(read_source(config("mnist"), frozenset({"train"})).parts) == ["train"]
    captured = capsys.readouterr()
    assert captured.out == "" and "11490434" in captured.err


def test_downloaded_words_are_encoded_as_those_of_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import_tensorflow()
    from keras.src.datasets import imdb as module

    rows = [[1, 5, 9], [2]] * 4
    path = write_objects(tmp_path / "imdb.npz", x_train=rows, y_train=np.arange(8) % 2,
                         x_test=rows, y_test=np.arange(8) % 2)  # fmt: skip
    monkeypatch.setattr(module, "get_file", lambda **options: str(path))
    downloaded, local = read("imdb"), read("imdb", path)

    def ordered(source: SourceArrays) -> list[list[int]]:
        return sorted(source.parts["train"].x.tolist())

    assert ordered(downloaded) == ordered(local)


@real_data
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_real_images(name: str) -> None:
    source = read(name, Path(os.environ["SLIMLINE_DATA"]) / f"{name}.npz")
    assert source.parts["train"].x.shape == (60000, 28, 28, 1)
    assert source.parts["test"].x.shape == (10000, 28, 28, 1)
