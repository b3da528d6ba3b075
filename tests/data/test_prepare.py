from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.data import DataConfig
from pipeline.data import npz
from pipeline.data.fingerprint import describe_source
from pipeline.data.prepare import load_data, prepare_data, save_preparation
from pipeline.data.prepared import SPLITS, PreparedData
from pipeline.errors import ArtifactError, DataError
from pipeline.tasks.task import Task, classification
from tests.data.conftest import small_arrays

Writer = Callable[..., Path]


def config(path: Path, **more: Any) -> DataConfig:
    return DataConfig(source="npz", path=path, **more)


def prepare_and_load(
    data: DataConfig, folder: Path, splits: tuple[str, ...] = SPLITS
) -> PreparedData:
    save_preparation(prepare_data(data, seed=0), folder)
    return load_data(data, folder, splits)


def test_plain_arrays_are_split_into_all_their_samples(write_npz: Writer, tmp_path: Path) -> None:
    arrays = small_arrays(60)
    data = prepare_and_load(config(write_npz(**arrays)), tmp_path)
    assert [len(data.splits[name]) for name in SPLITS] == [39, 9, 12]
    x = np.concatenate([data.splits[name].x for name in SPLITS])
    # 239 is the largest value, and whether it fell into training decides the scale.
    assert data.preprocessing is not None
    restored = np.sort(np.rint(x / np.asarray(data.preprocessing.scale)).astype(int), axis=0)
    np.testing.assert_array_equal(restored, arrays["x"].astype(int))
    for split in data.splits.values():
        assert split.x.dtype == np.float32 and split.y.dtype == np.int64


def test_given_splits_stay_as_they_are(write_npz: Writer, tmp_path: Path) -> None:
    x, y = small_arrays(60).values()
    path = write_npz(
        x_train=x[:30], y_train=y[:30], x_val=x[30:45], y_val=y[30:45], x_test=x[45:], y_test=y[45:]
    )
    data = prepare_and_load(config(path, preprocessing={"kind": "none"}), tmp_path)
    np.testing.assert_array_equal(data.train.x, x[:30])
    np.testing.assert_array_equal(data.validation.x, x[30:45])
    np.testing.assert_array_equal(data.test.y, y[45:])
    assert data.input_dtype == "float32" and data.encoding is None
    assert data.preprocessing is None


def test_missing_validation_is_cut_from_training(write_npz: Writer, tmp_path: Path) -> None:
    x, y = small_arrays(60).values()
    path = write_npz(x_train=x[:40], y_train=y[:40], x_test=x[40:], y_test=y[40:])
    data = prepare_and_load(config(path, preprocessing={"kind": "none"}), tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == (34, 6, 20)
    both = np.sort(np.concatenate([data.train.x, data.validation.x]), axis=0)
    np.testing.assert_array_equal(both, x[:40])


def test_scale_is_fitted_on_training_alone(write_npz: Writer) -> None:
    x, y = small_arrays(30).values()
    path = write_npz(x_train=x, y_train=y, x_test=x * 1000, y_test=y)
    data = config(path, preprocessing={"kind": "standardize"})
    preparation = prepare_data(data, seed=0)
    train = x[preparation.indices["train"]].astype(np.float64)
    np.testing.assert_allclose(preparation.affine.scale, 1 / train.std(axis=0))  # type: ignore[union-attr]


def test_model_placement_loads_raw_values(write_npz: Writer, tmp_path: Path) -> None:
    x, y = small_arrays(30).values()
    path = write_npz(x_train=x, y_train=y, x_test=x, y_test=y)
    preprocessing = {"kind": "rescale", "scale": 0.5, "placement": "model"}
    data = prepare_and_load(config(path, preprocessing=preprocessing), tmp_path, ("test",))
    np.testing.assert_array_equal(data.test.x, x)
    assert data.model_preprocessing is not None and data.model_preprocessing.scale == 0.5


def test_only_the_asked_parts_are_read(
    write_npz: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = small_arrays(30).values()
    data = config(write_npz(x_train=x, y_train=y, x_test=x, y_test=y))
    save_preparation(prepare_data(data, 0), tmp_path)
    read: list[str] = []
    original = npz._member

    def record(archive: Any, path: Path, name: str) -> np.ndarray:
        read.append(name)
        return original(archive, path, name)

    monkeypatch.setattr(npz, "_member", record)
    loaded = load_data(data, tmp_path, ("test",))
    assert read == ["x_test", "y_test"]
    with pytest.raises(ArtifactError, match="train split was not loaded"):
        _ = loaded.train


def test_max_train_samples_leaves_validation_and_test(write_npz: Writer) -> None:
    path = write_npz(**small_arrays(60))
    whole, part = (prepare_data(config(path, max_train_samples=n), 0) for n in (None, 9))
    assert part.class_counts["train"] == (3, 3, 3)
    assert set(part.indices["train"]) < set(whole.indices["train"])
    for name in ("validation", "test"):
        np.testing.assert_array_equal(part.indices[name], whole.indices[name])


def test_duplicates_are_counted_across_splits(write_npz: Writer) -> None:
    x, y = small_arrays(30).values()
    path = write_npz(x_train=x, y_train=y, x_val=x[:3], y_val=y[:3], x_test=x[2:4], y_test=y[2:4])
    assert prepare_data(config(path), 0).duplicates == {
        "train": 0,
        "validation": 0,
        "test": 0,
        "train/validation": 3,
        "train/test": 2,
        "validation/test": 1,
    }


def test_digest_follows_seed_and_content(write_npz: Writer) -> None:
    arrays = small_arrays(60)
    path = write_npz(**arrays)
    first = prepare_data(config(path), 0).digest
    assert prepare_data(config(path), 0).digest == first
    assert prepare_data(config(path), 1).digest != first
    arrays["x"][0, 0] += 1
    assert prepare_data(config(write_npz("other.npz", **arrays)), 0).digest != first


def test_digest_is_the_same_in_another_process(write_npz: Writer) -> None:
    path = write_npz(**small_arrays(60))
    code = (
        "import sys; from pathlib import Path; from pipeline.config.data import DataConfig\n"
        "from pipeline.data.prepare import prepare_data\n"
        "print(prepare_data(DataConfig(source='npz', path=Path(sys.argv[1])), 0).digest)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == prepare_data(config(path), 0).digest


def test_file_changed_since_the_plan_is_refused(write_npz: Writer, tmp_path: Path) -> None:
    arrays = small_arrays()
    data = config(write_npz(**arrays))
    planned = describe_source(data, tmp_path / "cache.json")
    assert prepare_data(data, 0, planned).digest == prepare_data(data, 0).digest
    write_npz(x=arrays["x"] + 1, y=arrays["y"])
    with pytest.raises(DataError, match="changed after the run was planned"):
        prepare_data(data, 0, planned)


def test_file_changed_since_it_was_prepared_is_refused(write_npz: Writer, tmp_path: Path) -> None:
    x, y = small_arrays().values()
    data = config(write_npz(x_train=x, y_train=y, x_test=x, y_test=y))
    save_preparation(prepare_data(data, 0), tmp_path)
    write_npz(x_train=x, y_train=(y + 1) % 3, x_test=x, y_test=y)
    with pytest.raises(DataError, match="the train arrays changed after they were prepared"):
        load_data(data, tmp_path, ("train", "test"))
    assert len(load_data(data, tmp_path, ("test",)).test) == 30


def test_part_that_is_gone_is_refused(write_npz: Writer, tmp_path: Path) -> None:
    x, y = small_arrays().values()
    data = config(write_npz(x_train=x, y_train=y, x_test=x, y_test=y))
    save_preparation(prepare_data(data, 0), tmp_path)
    write_npz(x_train=x, y_train=y)
    with pytest.raises(DataError, match="the test arrays changed"):
        load_data(data, tmp_path, ("test",))


def test_preparation_of_another_source_is_refused(write_npz: Writer, tmp_path: Path) -> None:
    save_preparation(prepare_data(config(write_npz(**small_arrays())), 0), tmp_path)
    with pytest.raises(ArtifactError, match=r"prepared from npz, data\.source is digits"):
        load_data(DataConfig(), tmp_path, ("train",))


def test_unknown_split_is_a_bug_of_the_caller(write_npz: Writer, tmp_path: Path) -> None:
    data = config(write_npz(**small_arrays()))
    save_preparation(prepare_data(data, 0), tmp_path)
    with pytest.raises(ValueError, match=r"received splits \['val'\]"):
        load_data(data, tmp_path, ("val",))


def test_multi_label_is_split_at_random(write_npz: Writer, tmp_path: Path) -> None:
    x = small_arrays(40)["x"]
    y = (np.arange(120).reshape(40, 3) % 7 < 2).astype(int)
    path = write_npz(x=x, y=y, class_names=np.array(["a", "b", "c"]))
    data = prepare_and_load(config(path, task="multi_label"), tmp_path)
    assert data.task == Task("multi_label", 3, ("a", "b", "c"))
    assert data.train.y.shape == (26, 3) and data.train.y.dtype == np.float32
    counts = prepare_data(config(path, task="multi_label"), 0).class_counts
    np.testing.assert_array_equal(counts["train"], data.train.y.sum(axis=0))
    together = sum(np.array(positives) for positives in counts.values())
    np.testing.assert_array_equal(together, y.sum(axis=0))


def test_regression_targets_are_standardized(write_npz: Writer, tmp_path: Path) -> None:
    x = small_arrays(40)["x"]
    target = np.arange(40) ** 2.0
    data = prepare_and_load(config(write_npz(x=x, y=target), task="regression"), tmp_path)
    np.testing.assert_allclose(data.train.y.mean(), 0, atol=1e-6)
    np.testing.assert_allclose(data.train.y.std(), 1, rtol=1e-6)
    scale, offset = data.task.target_scale[0], data.task.target_offset[0]
    back = np.concatenate([data.splits[name].y for name in SPLITS]) * scale + offset
    np.testing.assert_allclose(np.sort(back[:, 0]), target, rtol=1e-5, atol=1e-3)
    assert prepare_data(config(write_npz(x=x, y=target), task="regression"), 0).class_counts == {}


def test_reconstruction_needs_no_labels(write_npz: Writer, tmp_path: Path) -> None:
    x = small_arrays(40)["x"]
    path = write_npz(x_train=x[:30], x_test=x[30:])
    data = prepare_and_load(config(path, task="reconstruction"), tmp_path)
    assert data.task == Task("reconstruction", 4)
    assert [len(data.splits[name]) for name in SPLITS] == [26, 4, 10]
    assert data.test.y is data.test.x
    with pytest.raises(
        DataError, match=r"y_train is missing; data\.task classification expects it"
    ):
        prepare_data(config(path), 0)


def test_one_hot_and_named_labels_load_as_classes(write_npz: Writer, tmp_path: Path) -> None:
    x, y = small_arrays(60).values()
    names = np.array(["cat", "dog", "owl"])
    paths = [write_npz("a.npz", x=x, y=y), write_npz("b.npz", x=x, y=np.eye(3)[y])]
    paths.append(write_npz("c.npz", x=x, y=names[y]))
    loaded = [prepare_and_load(config(path), tmp_path / path.stem) for path in paths]
    for data in loaded[1:]:
        np.testing.assert_array_equal(data.train.y, loaded[0].train.y)
        np.testing.assert_array_equal(data.train.x, loaded[0].train.x)
    assert loaded[2].task.class_names == ("cat", "dog", "owl")


def test_max_train_samples_of_a_regression(write_npz: Writer) -> None:
    x = small_arrays(40)["x"]
    data = config(write_npz(x=x, y=np.arange(40.0)), task="regression", max_train_samples=7)
    assert len(prepare_data(data, 0).indices["train"]) == 7


def test_own_tokens_stay_whole_numbers(write_npz: Writer, tmp_path: Path) -> None:
    x = np.arange(120).reshape(30, 4) % 50
    path = write_npz(x=x, y=np.arange(30) % 2)
    data = prepare_and_load(config(path, preprocessing={"kind": "tokens"}), tmp_path)
    assert data.input_dtype == "int32" and data.train.x.dtype == np.int32
    assert data.tokens == 50 and data.preprocessing is None


def test_preparation_for_another_task_is_refused(write_npz: Writer, tmp_path: Path) -> None:
    path = write_npz(x=small_arrays()["x"], y=np.arange(30) % 2)
    save_preparation(prepare_data(config(path), 0), tmp_path)
    with pytest.raises(ArtifactError, match=r"from classification, data\.task is binary; prepare"):
        load_data(config(path, task="binary"), tmp_path, ("train",))


def test_digits(tmp_path: Path) -> None:
    data = prepare_and_load(DataConfig(), tmp_path)
    assert [len(data.splits[name]) for name in SPLITS] == [1168, 270, 359]
    assert data.input_shape == (8, 8, 1)
    assert data.train.x.max() == 1.0
    assert data.task == classification(tuple("0123456789"))


@pytest.mark.skipif("SLIMLINE_DATA" not in os.environ, reason="SLIMLINE_DATA is unset: no MNIST")
def test_mnist_is_prepared_and_loaded_in_seconds(tmp_path: Path) -> None:
    path = Path(os.environ["SLIMLINE_DATA"]) / "mnist.npz"
    started = time.perf_counter()
    data = prepare_and_load(DataConfig(source="keras:mnist", path=path), tmp_path)
    assert time.perf_counter() - started < 30  # 1.5 s on an idle core
    assert [len(data.splits[name]) for name in SPLITS] == [51000, 9000, 10000]
    assert data.preprocessing is not None and data.preprocessing.scale == 1 / 255
