from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.data import tfds
from pipeline.data.tfds import describe_tfds, read_tfds
from pipeline.errors import DataError


class _Features:
    """As FeaturesDict: keys can be asked for and looked up, and there is no `get`."""

    def __init__(self, **features: Any) -> None:
        self._features = features

    def __contains__(self, key: str) -> bool:
        return key in self._features

    def __getitem__(self, key: str) -> Any:
        return self._features[key]


def fake_package(splits: dict[str, Any], names: list[str] | None = None) -> ModuleType:
    """A stand-in for tensorflow_datasets with one set called "tiny"."""
    module = ModuleType("tensorflow_datasets")
    module.__spec__ = ModuleSpec("tensorflow_datasets", None)
    features = _Features(image=SimpleNamespace(), label=SimpleNamespace(names=names))
    info = SimpleNamespace(splits=splits, features=features, supervised_keys=("image", "label"))

    def builder(name: str, data_dir: str | None) -> Any:
        if name != "tiny":
            raise LookupError(f"Dataset {name}\nnot found")

        def as_dataset(split: str, as_supervised: bool, batch_size: int) -> Any:
            assert as_supervised and batch_size == -1
            return splits[split]

        return SimpleNamespace(info=info, download_and_prepare=lambda: None, as_dataset=as_dataset)

    module.builder = builder  # type: ignore[attr-defined]
    module.as_numpy = lambda value: value  # type: ignore[attr-defined]
    return module


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    images = np.arange(24, dtype=np.uint8).reshape(6, 2, 2, 1)
    splits = {"train": (images, np.arange(6) % 2), "test": (images[:2], np.arange(2))}
    package = fake_package(splits, ["cat", "dog"])
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", package)
    monkeypatch.setattr("pipeline.runtime.import_tensorflow", lambda: None)
    monkeypatch.setattr(tfds.importlib.metadata, "version", lambda name: "4.9.9")
    return splits


def test_missing_package_says_what_to_install() -> None:
    if "tensorflow_datasets" in sys.modules:
        pytest.skip("TensorFlow Datasets is installed here")
    for call in (describe_tfds, lambda source: read_tfds(source, None)):
        with pytest.raises(DataError, match=r"install it: pip install 'slimline\[tfds\]'") as error:
            call("tfds:mnist")
        assert "\n" not in str(error.value)


def test_set_is_named_by_the_package(tiny: dict[str, Any]) -> None:
    assert describe_tfds("tfds:tiny") == {"package": "tensorflow-datasets", "version": "4.9.9"}


def test_splits_and_class_names(tiny: dict[str, Any]) -> None:
    source = read_tfds("tfds:tiny", Path("/data"))
    assert list(source.parts) == ["train", "test"]
    np.testing.assert_array_equal(source.parts["train"].x, tiny["train"][0])
    assert source.class_names == ("cat", "dog")
    assert list(read_tfds("tfds:tiny", None, frozenset({"test"})).parts) == ["test"]


def test_unknown_set_is_one_line(tiny: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"cannot be read .Dataset other not found") as e:
        read_tfds("tfds:other", None)
    assert "\n" not in str(e.value)


def test_set_without_training_data_is_refused(tiny: dict[str, Any]) -> None:
    del tiny["train"]
    with pytest.raises(DataError, match="has no train split; has test"):
        read_tfds("tfds:tiny", None)


def test_samples_that_are_no_arrays_are_refused(tiny: dict[str, Any]) -> None:
    tiny["train"] = ({"text": 1}, np.arange(6))
    with pytest.raises(DataError, match="samples are dict, labels ndarray; expected arrays"):
        read_tfds("tfds:tiny", None)
