from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.data.arrays import Part, SourceArrays
from pipeline.data.validate import CHUNK_ROWS, validate_source
from pipeline.errors import DataError
from tests.data.conftest import small_arrays


def source(names: tuple[str, ...] | None = None, **parts: Any) -> SourceArrays:
    return SourceArrays("data.npz", {k: Part(*v) for k, v in parts.items()}, names)


def refused(message: str, names: tuple[str, ...] | None = None, **parts: Any) -> None:
    with pytest.raises(DataError, match=message) as error:
        validate_source(source(names, **parts))
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("data.npz: ")


def xy(**changes: Any) -> tuple[np.ndarray, np.ndarray]:
    arrays = {**small_arrays(), **changes}
    return arrays["x"], arrays["y"]


def test_sound_data_passes_with_default_names() -> None:
    checked = validate_source(source(all=xy()))
    assert checked.class_names == ("0", "1", "2")
    assert checked.parts["all"].y.dtype == np.int64


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int16, ">i4"])
def test_whole_numbers_of_any_type_are_labels(dtype: Any) -> None:
    y = small_arrays()["y"]
    checked = validate_source(source(all=xy(y=y.astype(dtype))))
    np.testing.assert_array_equal(checked.parts["all"].y, y)


def test_boolean_labels_are_two_classes() -> None:
    checked = validate_source(source(all=xy(y=np.arange(30) % 2 == 1)))
    assert checked.class_names == ("0", "1")


def test_column_of_labels_is_flattened() -> None:
    y = small_arrays()["y"]
    assert validate_source(source(all=xy(y=y[:, np.newaxis]))).parts["all"].y.shape == (30,)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_first_non_finite_value_is_named(value: float) -> None:
    x = small_arrays()["x"]
    x[7, 2] = x[9, 0] = value
    refused(rf"x\[7, 2\] is {value}; expected finite .*drop sample 7", all=xy(x=x))


def test_non_finite_value_beyond_the_first_chunk_is_found() -> None:
    x = np.zeros((CHUNK_ROWS + 5, 1), np.float32)
    x[CHUNK_ROWS + 3] = np.nan
    refused(rf"x\[{CHUNK_ROWS + 3}, 0\] is nan", all=(x, np.arange(len(x)) % 2))


def test_value_beyond_float32_is_named() -> None:
    x = small_arrays()["x"].astype(np.float64)
    x[3, 1] = 1e39
    refused(r"x\[3, 1\] is 1e\+39; expected finite values within float32's range", all=xy(x=x))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.array([["a"]] * 30), "x has dtype <U1; expected numbers"),
        (np.zeros((30, 2), complex), "x has dtype complex128; expected numbers"),
        (np.zeros(30), r"x has shape \(30,\); expected \(samples, features…\)"),
        (np.zeros((0, 4)), "x is empty"),
        (np.zeros((30, 0)), r"x has shape \(30, 0\); expected samples with at least one value"),
        (np.zeros((29, 4)), "x has 29 samples, y has 30; expected one label per sample"),
    ],
)
def test_samples_that_are_refused(x: np.ndarray, message: str) -> None:
    refused(message, all=xy(x=x))


@pytest.mark.parametrize(
    ("index", "value"), [(4, 0.5), (5, -1), (6, np.nan), (7, np.inf), (8, 2.0**31)]
)
def test_first_bad_label_is_named(index: int, value: float) -> None:
    y = small_arrays()["y"].astype(np.float64)
    y[index] = y[index + 3] = value
    refused(rf"y\[{index}\] is {value}".replace("+", r"\+"), all=xy(y=y))


def test_text_labels_point_to_class_names() -> None:
    labels = np.array(["cat"] * 30)
    refused(r"y has dtype <U3, first value \['cat'\]; .* class_names", all=xy(y=labels))


def test_one_hot_labels_get_a_hint() -> None:
    refused(r"y has shape \(30, 3\).*argmax\(axis=1\)", all=xy(y=np.eye(3)[np.arange(30) % 3]))


def test_gap_in_the_classes_is_named() -> None:
    refused("y has no sample of class 1, but classes 0 to 3", all=xy(y=np.arange(30) % 2 * 3))


def test_classes_that_start_at_one_are_refused() -> None:
    refused("y has no sample of class 0", all=xy(y=np.arange(30) % 3 + 1))


def test_class_missing_in_training_is_named() -> None:
    x, y = xy()
    refused(
        r"y_test\[2\] is class 2; expected a class below 3 that y_train has samples of",
        train=(x, y % 2),
        test=(x, y),
    )


def test_named_class_without_samples_is_refused() -> None:
    refused("y has no sample of class 3, but classes 0 to 3", names=("a", "b", "c", "d"), all=xy())


def test_label_beyond_the_names_is_refused() -> None:
    refused(r"y\[2\] is class 2; expected a class below 2", names=("a", "b"), all=xy())


def test_one_class_is_refused() -> None:
    refused("y has 1 class; expected at least 2", all=xy(y=np.zeros(30, int)))


@pytest.mark.parametrize("names", [("a", "b", "a"), ("a", " ", "c")])
def test_class_names_must_differ_and_say_something(names: tuple[str, ...]) -> None:
    refused(r"class_names\[[12]\] is '[ a]'; expected different, non-empty", names, all=xy())


def test_shapes_must_agree_between_splits() -> None:
    x, y = xy()
    refused(
        r"samples of x_val have shape \(3,\), those of x_train \(4,\)",
        train=(x, y),
        validation=(x[:, :3], y),
    )


def test_empty_split_is_refused() -> None:
    x, y = xy()
    refused("x_test is empty", train=(x, y), test=(x[:0], y[:0]))
