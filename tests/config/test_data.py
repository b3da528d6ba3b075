from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.config.data import DataConfig
from pipeline.config.load import as_plain_data, validate
from pipeline.errors import ConfigError


def data(**values: Any) -> DataConfig:
    """The section alone: whether a model fits it is not asked."""
    return DataConfig.model_validate_json(json.dumps(values))


def refused(message: str, **values: Any) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        validate({"data": values})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("keras:minst", "unknown source 'keras:minst'; did you mean 'keras:mnist'"),
        ("image", "did you mean 'images'"),
        ("tfds:", "received 'tfds:', expected the form tfds:name"),
        ("python:module", "expected the form python:module:f"),
        ("python:a b:c", "expected the form python:module:f"),
    ],
)
def test_unknown_source_is_refused(source: str, message: str) -> None:
    refused(message, source=source)


@pytest.mark.parametrize("source", ["npz", "csv", "text", "images"])
def test_path_is_asked_for(source: str) -> None:
    refused(f"source {source} needs a path: data.path=", source=source)


@pytest.mark.parametrize("source", ["digits", "python:a.b:c"])
def test_path_that_means_nothing_is_refused(source: str) -> None:
    refused(f"source {source} takes no path", source=source, path="a.npz")


def test_test_path_belongs_to_rows() -> None:
    refused("test_path belong to csv and text, not to npz", source="npz", path="a", test_path="b")


@pytest.mark.parametrize(
    ("source", "task", "message"),
    [
        ("digits", "binary", "digits has 10 classes; set task: classification"),
        ("digits", "regression", "one class per sample; expected task classification, binary or"),
        ("keras:boston_housing", "classification", "numbers as answers.*set task: regression"),
        ("keras:imdb", "reconstruction", "keras:imdb has words; set task: classification"),
        ("keras:reuters", "binary", "46 classes"),
        ("text", "multi_label", "source text has one answer per sample"),
        ("keras:cifar10", "multi_label", "one class per sample"),
    ],
)
def test_task_without_answers_is_refused(source: str, task: str, message: str) -> None:
    path = {"path": "a"} if source == "text" else {}
    refused(message, source=source, task=task, **path)


@pytest.mark.parametrize(
    ("source", "task"),
    [
        ("keras:imdb", "binary"),
        ("keras:boston_housing", "regression"),
        ("digits", "reconstruction"),
        ("tfds:mnist", "classification"),
        ("python:a:b", "multi_label"),
    ],
)
def test_task_that_fits_is_taken(source: str, task: str) -> None:
    assert data(source=source, task=task).task == task


def test_unknown_task_lists_the_known_ones() -> None:
    refused("data.task: received 'clasification', expected .*'classification'",
            task="clasification")  # fmt: skip


@pytest.mark.parametrize(
    ("section", "values", "source"),
    [
        ("images", {"size": [8, 8]}, "images"),
        ("csv", {"target": "y"}, "csv"),
        ("text", {"max_tokens": 50}, "text"),
        ("keras", {"labels": "coarse"}, "keras:"),
    ],
)
def test_section_of_another_source_is_refused(
    section: str, values: dict[str, Any], source: str
) -> None:
    refused(f"{section} belongs to source {source}, not to digits", **{section: values})


def test_size_of_keras_images_is_checked() -> None:
    assert data(source="keras:mnist", keras={"size": [32, 28]}).keras.size == (32, 28)
    refused("keras.size belongs to keras:mnist, .*, not keras:imdb", source="keras:imdb",
            task="binary", keras={"size": [32, 32]})  # fmt: skip
    refused(r"keras.size \[32, 28\] is smaller .* keras:cifar10; expected at least \[32, 32\]",
            source="keras:cifar10", keras={"size": [32, 28]})  # fmt: skip


def test_csv_needs_a_target() -> None:
    refused(r"source csv needs data\.csv\.target", source="csv", path="a.csv")
    assert data(source="csv", path="a.csv", task="reconstruction").csv.targets == ()


def test_csv_answers_fit_the_task() -> None:
    two = {"source": "csv", "path": "a.csv", "csv": {"target": ("a", "b")}}
    refused("csv.target names 2 columns, task classification takes one", **two)
    assert data(**two, task="regression").csv.targets == ("a", "b")
    one = {"source": "csv", "path": "a.csv", "csv": {"target": "a", "positive": "yes"}}
    refused("csv.positive belongs to task binary, not to classification", **one)
    assert data(**one, task="binary").csv.positive == "yes"


@pytest.mark.parametrize(
    ("values", "kind", "preprocessing"),
    [
        ({}, "array", "rescale"),
        ({"source": "images", "path": "a"}, "images", "rescale"),
        ({"preprocessing": {"kind": "standardize"}}, "array", "standardize"),
        ({"source": "csv", "path": "a", "csv": {"target": "y"}}, "table", "none"),
        ({"source": "text", "path": "a"}, "text", "none"),
        ({"source": "keras:imdb"}, "tokens", "none"),
        ({"source": "npz", "path": "a", "preprocessing": {"kind": "tokens"}}, "tokens", "none"),
    ],
)
def test_default_preprocessing_follows_the_samples(
    values: dict[str, Any], kind: str, preprocessing: str
) -> None:
    read = data(**values)
    assert (read.sample_kind, read.preprocessing_kind) == (kind, preprocessing)
    assert data(**as_plain_data(read)) == read


@pytest.mark.parametrize(
    ("preprocessing", "message"),
    [
        ({"kind": "standardize"}, "kind standardize is for arrays and images; text has its own"),
        ({"placement": "model"}, "text has its own encoding, which is told in the sidecar"),
        ({"scale": 0.5}, "text has its own encoding"),
        ({"kind": "tokens"}, "kind tokens is for arrays, not for text"),
    ],
)
def test_encoded_samples_are_not_scaled_once_more(
    preprocessing: dict[str, Any], message: str
) -> None:
    refused(message, source="text", path="a", preprocessing=preprocessing)


def test_tokens_cannot_be_reconstructed() -> None:
    refused("task reconstruction expects numbers", source="npz", path="a", task="reconstruction",
            preprocessing={"kind": "tokens"})  # fmt: skip


def test_scale_belongs_to_rescale() -> None:
    refused("scale and offset belong to kind rescale", preprocessing={"kind": "none", "scale": 2.0})
    assert data(preprocessing={"scale": 2.0}).preprocessing.scale == 2.0


def test_fractions_leave_something_to_train_on() -> None:
    refused("must be below 1", validation_fraction=0.5, test_fraction=0.5)


def test_size_of_images_is_height_and_width() -> None:
    assert data(source="images", path="a", images={"size": [8, 9]}).images.size == (8, 9)
    refused(r"data\.images\.size", source="images", path="a", images={"size": [8]})
    refused(r"data\.images\.size", source="images", path="a", images={"size": [0, 8]})
