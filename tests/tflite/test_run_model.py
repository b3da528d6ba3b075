"""What the shipped program does between a file of raw samples and its answers, by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.tasks.measure import predicted_labels
from pipeline.tasks.task import Task
from pipeline.tflite.run_model import (
    interpret,
    prepare,
    read_samples,
    read_sidecar,
    write_answer,
)


def _sidecar(placement: str | None, dtype: str = "int8", scale: float | None = 0.5) -> dict:
    steps: dict[str, Any] | None = {"scale": [2.0, 4.0], "offset": -1.0, "placement": placement}
    tensor = {"dtype": dtype, "scale": scale, "zero_point": None if scale is None else -3}
    return {"preprocessing": steps if placement else None, "inputs": [{**tensor, "shape": [1, 2]}]}


def _answers(kind: str, outputs: list[list[float]], **more: Any) -> list[dict[str, Any]]:
    sidecar = {"output_kind": kind, "labels": ["a", "b"], "preprocessing": None, **more}
    return interpret(np.array(outputs), np.zeros((len(outputs), 2)), sidecar)


def test_preprocessing_then_quantization() -> None:
    raw = np.array([[1, 1], [100, -100]])
    # (1·2 − 1) / 0.5 − 3 = −1; (1·4 − 1) / 0.5 − 3 = 3; the second row saturates.
    stored = prepare(raw, _sidecar("sidecar"))
    assert stored.dtype == np.int8
    assert stored.tolist() == [[-1, 3], [127, -128]]


def test_what_the_model_does_itself_is_not_done_twice() -> None:
    # 1 / 0.5 − 3.
    assert prepare(np.array([[1, 1]]), _sidecar("model")).tolist() == [[-1, -1]]
    assert prepare(np.array([[1, 1]]), _sidecar(None)).tolist() == [[-1, -1]]


def test_float_models_take_real_values() -> None:
    stored = prepare(np.array([[1, 1]]), _sidecar("sidecar", "float32", None))
    assert stored.dtype == np.float32
    assert stored.tolist() == [[1.0, 3.0]]


def test_token_ids_are_stored_as_they_are() -> None:
    ids = np.array([[0, 2**24 + 1]])  # more than float32 can count
    stored = prepare(ids, _sidecar(None, "int32", None))
    assert stored.dtype == np.int32
    assert stored.tolist() == ids.tolist()


def test_classes() -> None:
    (answer,) = _answers("logits", [[0.0, math.log(3)]])
    assert answer == {"label": "b", "score": pytest.approx(0.75)}
    assert write_answer(answer) == "b\t0.7500"


def test_one_logit_of_two_classes() -> None:
    answers = _answers("logit", [[math.log(3)], [-math.log(9)], [-1e4], [0.0]])
    assert [answer["label"] for answer in answers] == ["b", "a", "a", "a"]
    assert [answer["score"] for answer in answers] == pytest.approx([0.75, 0.9, 1.0, 0.5])
    # On the border as measured by `evaluate`.
    task = Task("binary", 1, ("a", "b"))
    assert predicted_labels(task, np.array([[0.0], [1e-3]])).tolist() == [0, 1]


def test_labels_that_do_not_exclude_each_other() -> None:
    both, none = _answers("label_logits", [[math.log(3), math.log(9)], [-1.0, -1.0]])
    assert both == {"labels": {"a": pytest.approx(0.75), "b": pytest.approx(0.9)}}
    assert write_answer(both) == "a 0.7500\tb 0.9000"
    assert write_answer(none) == "(none)"


def test_values_in_the_unit_of_the_source() -> None:
    targets = {"scale": [2.0, 10.0], "offset": [1.0, -5.0]}
    (answer,) = _answers("values", [[0.5, 1.0]], targets=targets)
    assert answer == {"values": {"a": 2.0, "b": 5.0}}
    assert write_answer(answer) == "a 2\tb 5"
    (unnamed,) = _answers("values", [[0.5, 1.0]], targets=targets, labels=[])
    assert unnamed == {"values": {"value_0": 2.0, "value_1": 5.0}}


def test_error_of_a_reconstruction() -> None:
    steps = {"scale": 2.0, "offset": 1.0, "placement": "sidecar"}
    sidecar = {"output_kind": "reconstruction", "labels": [], "preprocessing": steps}
    # What the model should give back is the preprocessed sample: 3 and 1.
    answers = interpret(np.array([[3.0, 3.0]]), np.array([[1.0, 0.0]]), sidecar)
    assert answers == [{"error": 2.0}]
    assert write_answer(answers[0]) == "error 2"


def test_samples_have_the_models_shape(tmp_path: Path) -> None:
    sidecar = {**_sidecar(None), "encoding": None}
    path = tmp_path / "a.npy"
    for shape, expected in (((2,), (1, 2)), ((3, 2), (3, 2))):
        np.save(path, np.zeros(shape))
        assert read_samples(path, sidecar).shape == expected
    for shape in ((0, 2), (3, 4)):
        np.save(path, np.zeros(shape))
        with pytest.raises(ValueError, match=r"expected \(n, 2\)"):
            read_samples(path, sidecar)


def test_a_sidecar_of_another_time(tmp_path: Path) -> None:
    model = tmp_path / "a.tflite"
    model.write_bytes(b"x")
    model.with_suffix(".json").write_text(json.dumps({"format": 1}))
    with pytest.raises(ValueError, match=r"a.json: format 1, expected 2; export it again"):
        read_sidecar(model)
