from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.data.arrays import Part, SourceArrays
from pipeline.data.labels import encode_labels, make_task, read_labels, standardize_targets
from pipeline.errors import DataError
from pipeline.tasks.task import Task

Y = np.arange(30) % 3


def read(
    task: str, names: tuple[str, ...] | None = None, **parts: Any
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    arrays = {part: Part(np.zeros((len(y), 1)), y) for part, y in parts.items()}
    return read_labels(task, SourceArrays("data.npz", arrays, names))


def refused(task: str, message: str, names: tuple[str, ...] | None = None, **parts: Any) -> None:
    with pytest.raises(DataError, match=message) as error:
        read(task, names, **parts)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("data.npz: ")


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int16, ">i4"])
def test_whole_numbers_of_any_type_are_classes(dtype: Any) -> None:
    found, names = read("classification", all=Y.astype(dtype))
    np.testing.assert_array_equal(found["all"], Y)
    assert found["all"].dtype == np.int64 and names == ("0", "1", "2")


def test_column_of_classes_is_flattened() -> None:
    assert read("classification", all=Y[:, np.newaxis])[0]["all"].shape == (30,)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, bool])
def test_one_hot_rows_become_classes(dtype: Any) -> None:
    found, names = read("classification", all=np.eye(3)[Y].astype(dtype))
    np.testing.assert_array_equal(found["all"], Y)
    assert found["all"].dtype == np.int64 and names == ("0", "1", "2")


def test_one_hot_column_without_a_sample_is_named() -> None:
    refused("classification", "no sample of class 3", all=np.eye(4)[Y])


@pytest.mark.parametrize(
    ("row", "hint"),
    [
        ([1, 1, 0], "data.task: multi_label"),
        ([0, 0, 0], "data.task: multi_label"),
        ([0.2, 0.8, 0.0], "train.label_smoothing"),
        ([-1.0, 7.5, 2.0], "data.task: regression"),
    ],
)
def test_rows_that_are_not_one_hot_get_a_hint(row: list[float], hint: str) -> None:
    y = np.eye(3)[Y]
    y[4] = row
    refused("classification", rf"y\[4\] is \[.*expected one 1, the rest 0.*{hint}", all=y)


@pytest.mark.parametrize("dtype", ["U", object])
def test_names_become_classes_in_sorted_order(dtype: Any) -> None:
    y = np.array(["owl", "cat", "owl", "dög"] * 3, dtype)
    found, names = read("classification", train=y, test=y[:2])
    assert names == ("cat", "dög", "owl")
    assert found["train"][:4].tolist() == [2, 0, 2, 1]
    assert found["test"].tolist() == [2, 0]


def test_given_class_names_decide_the_order_of_names() -> None:
    y = np.array(["no", "yes"] * 3)
    assert read("binary", ("yes", "no"), all=y)[0]["all"].tolist() == [1, 0] * 3


def test_name_that_training_does_not_have_is_refused() -> None:
    train, test = np.array(["a", "b"]), np.array(["a", "c"])
    refused("classification", r"y_test\[1\] is 'c'; expected one of a, b", train=train, test=test)


def test_names_in_one_part_only_are_refused() -> None:
    refused("classification", "labels of train are names", train=np.array(["a", "b"]), test=Y)


@pytest.mark.parametrize(
    ("index", "value"), [(4, 0.5), (5, -1), (6, np.nan), (7, np.inf), (8, 2.0**31)]
)
def test_first_bad_class_is_named(index: int, value: float) -> None:
    y = Y.astype(np.float64)
    y[index] = y[index + 3] = value
    shown = rf"y\[{index}\] is {float(value)}".replace("+", r"\+")
    refused("classification", f"{shown}; .*data.task: regression", all=y)


def test_gap_in_the_classes_is_named() -> None:
    refused("classification", "no sample of class 1, but classes 0 to 3", all=Y % 2 * 3)


def test_classes_that_start_at_one_are_refused() -> None:
    refused("classification", "y has no sample of class 0", all=Y + 1)


def test_class_missing_in_training_is_named() -> None:
    refused("classification", r"y_test\[2\] is class 2; expected a class below 3 that y_train has "
            "samples of", train=Y % 2, test=Y)  # fmt: skip


def test_named_class_without_samples_is_refused() -> None:
    refused("classification", "no sample of class 3, but classes 0 to 3", tuple("abcd"), all=Y)


def test_class_beyond_the_names_is_refused() -> None:
    refused("classification", r"y\[2\] is class 2; expected a class below 2", ("a", "b"), all=Y)


def test_one_class_is_refused() -> None:
    refused("classification", "y has 1 class; expected at least 2", all=np.zeros(30, int))


@pytest.mark.parametrize("names", [("a", "b", "a"), ("a", " ", "c")])
def test_class_names_must_differ_and_say_something(names: tuple[str, ...]) -> None:
    refused("classification", r"class_names\[[12]\] is '[ a]'; expected different", names, all=Y)


@pytest.mark.parametrize("y", [Y % 2, (Y % 2).astype(bool), np.eye(2)[Y % 2], Y[:, None] % 2])
def test_binary_labels_are_zero_and_one(y: np.ndarray) -> None:
    found, names = read("binary", all=y)
    np.testing.assert_array_equal(found["all"], Y % 2)
    assert names == ("0", "1") and make_task("binary", names, found["all"], (4,)).outputs == 1


def test_binary_of_three_classes_is_refused() -> None:
    refused("binary", "received 3 classes; set data.task: classification", all=Y)


def test_labels_that_are_missing_are_named() -> None:
    source = SourceArrays("data.npz", {"all": Part(np.zeros((2, 1)), None)}, None)
    with pytest.raises(DataError, match=r"data.npz: y is missing; data.task binary expects it"):
        read_labels("binary", source)


def test_multi_label_rows_are_kept() -> None:
    y = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1]], np.uint8)
    found, names = read("multi_label", ("red", "green", "blue"), all=y)
    assert found["all"].dtype == np.float32
    np.testing.assert_array_equal(found["all"], y)
    task = make_task("multi_label", names, found["all"], (4,))
    assert task == Task("multi_label", 3, ("red", "green", "blue"))


@pytest.mark.parametrize("value", [2.0, 0.5, np.nan])
def test_multi_label_takes_zeros_and_ones_only(value: float) -> None:
    y = np.zeros((4, 2))
    y[3, 1] = value
    refused("multi_label", rf"y\[3, 1\] is {value}; expected 0 or 1", all=y)


def test_multi_label_needs_columns() -> None:
    refused("multi_label", r"y has shape \(30,\); data.task multi_label expects", all=Y)
    refused("multi_label", "received 1 class_names for 3 columns", ("a",), all=np.eye(3)[Y])
    refused("multi_label", "y_test has 2 columns", train=np.eye(3), test=np.eye(2))


def test_targets_are_standardized_on_training_and_come_back() -> None:
    y = np.array([[1.0, 10.0], [3.0, 10.5]])
    found, names = read("regression", ("low", "high"), train=y, test=y + 1)
    task = make_task("regression", names, found["train"], (4,))
    assert task == Task("regression", 2, ("low", "high"), (1.0, 0.25), (2.0, 10.25))
    mapped = standardize_targets(task, found["test"])
    assert mapped.dtype == np.float32
    assert mapped.tolist() == [[0.0, 3.0], [2.0, 5.0]]
    back = mapped * np.array(task.target_scale) + np.array(task.target_offset)
    np.testing.assert_allclose(back, y + 1)


def test_one_target_is_a_column() -> None:
    found, names = read("regression", all=np.array([1, 2, 4]))
    assert found["all"].shape == (3, 1) and names == ()


def test_constant_target_is_refused() -> None:
    y = np.array([[1.0, 0.1]] * 3 + [[2.0, 0.1]])
    with pytest.raises(DataError, match=r"target 1 is 0.1 for every training sample"):
        make_task("regression", (), y, (4,))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_targets_are_finite(value: float) -> None:
    y = np.arange(5.0)
    y[3] = value
    refused("regression", r"y\[3\] is .*finite values within float32's range", all=y)


def test_targets_are_numbers() -> None:
    refused("regression", "y has dtype <U1, first value .*expects numbers", all=np.array(["a"]))


def test_reconstruction_has_as_many_outputs_as_values() -> None:
    assert read("reconstruction", all=Y) == ({}, ())
    assert make_task("reconstruction", (), None, (4, 3, 2)) == Task("reconstruction", 24)


def test_encoding_again_gives_the_same() -> None:
    names = ("a", "b", "c")
    for y in (Y, Y.astype(np.float32), np.eye(3)[Y], np.array(names)[Y]):
        np.testing.assert_array_equal(encode_labels("classification", y, names), Y)
