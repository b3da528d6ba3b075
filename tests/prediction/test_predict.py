"""From raw input to answers, for each task, on a dense layer whose answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ArtifactError
from pipeline.prediction.predict import label_scores, predict, saturation_notes
from pipeline.tasks.task import Task, classification
from pipeline.tflite.interpreter import TensorDescription
from tests.prediction.tiny_files import KERNEL, ship

ABC = classification(("ant", "bee", "cat"))


def save(folder: Path, values: object) -> str:
    np.save(folder / "x.npy", np.asarray(values))
    return str(folder / "x.npy")


def test_classes_with_preprocessing_outside(tmp_path: Path) -> None:
    steps = {"scale": [0.5, 2.0], "offset": 0.0, "placement": "sidecar"}
    path = ship(tmp_path, ABC, preprocessing=steps)
    # (2, 1) → (1, 2) → logits 1, 2, 3
    found = predict(path, [save(tmp_path, [[2, 1], [0, 0]])], top=2)
    np.testing.assert_allclose(found.outputs, [[1, 2, 3], [0, 0, 0]])
    scores = np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum()
    first = found.answers[0]
    assert (first["sample"], first["label"]) == (0, "cat")
    assert first["score"] == pytest.approx(scores[2])
    assert [entry["label"] for entry in first["top"]] == ["cat", "bee"]
    assert first["top"][1]["score"] == pytest.approx(scores[1])
    # Of equals the first, as arg max has it.
    assert found.answers[1]["label"] == found.answers[1]["top"][0]["label"] == "ant"


def test_one_sample_without_its_batch_axis(tmp_path: Path) -> None:
    found = predict(ship(tmp_path, ABC), [save(tmp_path, [1.0, 5.0])])
    assert len(found.answers) == 1
    assert found.answers[0]["label"] == "cat"


def test_binary(tmp_path: Path) -> None:
    path = ship(tmp_path, Task("binary", 1, ("no", "yes")), kernel=KERNEL[:1])
    found = predict(path, [save(tmp_path, [[2.0, 0], [-3.0, 0]])])
    assert [answer["label"] for answer in found.answers] == ["yes", "no"]
    assert found.answers[0]["score"] == pytest.approx(1 / (1 + np.exp(-2)))
    assert found.answers[1]["top"][1] == {
        "label": "yes",
        "score": pytest.approx(1 / (1 + np.exp(3))),
    }


def test_several_labels(tmp_path: Path) -> None:
    path = ship(tmp_path, Task("multi_label", 3, ("red", "round", "ripe")))
    found = predict(path, [save(tmp_path, [[2.0, -1.0]])])
    answer = found.answers[0]
    assert list(answer["labels"]) == ["red", "ripe"]
    assert [entry["label"] for entry in answer["top"]] == ["red", "ripe", "round"]


def test_values_in_the_unit_of_the_source(tmp_path: Path) -> None:
    task = Task("regression", 3, ("a", "b", "c"), (10.0, 1.0, 1.0), (5.0, 0.0, 0.0))
    found = predict(ship(tmp_path, task), [save(tmp_path, [[0.5, 2.0]])])
    assert found.answers[0]["values"] == pytest.approx({"a": 10.0, "b": 2.0, "c": 2.5})
    assert "top" not in found.answers[0]


def test_a_reconstruction_is_told_by_its_error(tmp_path: Path) -> None:
    path = ship(tmp_path, Task("reconstruction", 2), kernel=np.diag([1.0, 0.0]))
    found = predict(path, [save(tmp_path, [[3.0, 4.0]])])
    assert found.answers[0]["error"] == pytest.approx(8.0)


def test_several_inputs_are_numbered_through(tmp_path: Path) -> None:
    path = ship(tmp_path, ABC)
    np.save(tmp_path / "more.npy", np.ones((2, 2)))
    found = predict(path, [save(tmp_path, [[1.0, 2.0]]), str(tmp_path / "more.npy")])
    assert [answer["sample"] for answer in found.answers] == [0, 1, 2]
    assert [Path(answer["input"]).name for answer in found.answers] == ["x.npy", *["more.npy"] * 2]


def test_a_file_that_was_changed_is_not_run(tmp_path: Path) -> None:
    path = ship(tmp_path, ABC)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ArtifactError, match="not the file that was exported"):
        predict(path, [save(tmp_path, [[1.0, 2.0]])])


def test_scores_do_not_overflow() -> None:
    logits = np.array([[1e4, 0.0, -1e4]])
    scores = label_scores(logits, "logits")
    assert scores is not None
    np.testing.assert_array_equal(scores, [[1, 0, 0]])
    binary = label_scores(np.array([[-1e4]]), "logit")
    assert binary is not None
    np.testing.assert_array_equal(binary, [[1, 0]])
    assert label_scores(logits, "values") is None


def test_input_in_another_unit_is_told() -> None:
    # int8 of 0 to 1: real = (q + 128) / 255
    tensor = TensorDescription("x", (1, 4), "int8", 1 / 255, -128)
    assert saturation_notes(np.array([[0.0, 0.5, 1.0, 1.0]]), tensor) == ()
    (note,) = saturation_notes(np.array([[0.0, 0.5, 16.0, 9.0]]), tensor)
    assert note.startswith("50% of the input's values lie outside 0 to 1")
    plain = TensorDescription("x", (1, 4), "float32", None, None)
    assert saturation_notes(np.array([[1e9]]), plain) == ()
