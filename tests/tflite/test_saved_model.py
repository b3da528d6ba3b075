"""Names of a signature."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.tflite.saved_model import save_keras_model, signature_names
from tests.tflite.conftest import Converted


def test_names_are_identifiers_and_unique() -> None:
    names = signature_names(["image:0", "block/logits", "block_logits", "über", ""])
    assert names == ["image", "block_logits", "block_logits_2", "über", "tensor"]


def test_the_signature_answers_as_the_model(converted: Converted, tmp_path: Path) -> None:
    import tensorflow as tf

    save_keras_model(converted.model, tmp_path / "saved", batch_size=3)
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    signature = loaded.signatures["serving_default"]
    assert list(signature.structured_outputs) == ["logits"]
    outputs = signature(image=tf.constant(converted.x[:3]))["logits"]
    np.testing.assert_allclose(outputs, converted.logits[:3], atol=1e-5)
    assert signature.structured_outputs["logits"].shape == (3, 4)
