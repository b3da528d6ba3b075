"""`slimline check` as a user runs it: a file is read, crossed, converted, and judged."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.runtime import start_tensorflow
from tests.integration.conftest import slimline


def test_a_file_with_an_obstacle(tmp_path: Path) -> None:
    start_tensorflow(0)
    import keras

    layers = keras.layers
    inputs = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(4, 3, activation="relu", name="conv")(inputs)
    x = layers.Conv2D(2, 3, dtype="mixed_float16", name="half")(x)
    x = layers.Dense(3, activation="softmax", name="d")(layers.Flatten(name="flat")(x))
    model = keras.Model(inputs, x, name="mine")
    model.compile("adam", "sparse_categorical_crossentropy")
    model.save(tmp_path / "mine.keras")
    done = slimline("check", "mine.keras", "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (9, "")
    told = json.loads(done.stdout)
    assert (told["name"], told["answers"]["task"]) == ("mine", "classification")
    rows = {row["name"]: row for row in told["layers"]}
    assert (rows["half"]["bridged"], rows["half"]["exported"]) == ("no", "no")
    assert (rows["conv"]["bridged"], rows["conv"]["exported"]) == ("yes", "yes")
    assert len(told["impossible"]) == 1 and "float16" in told["impossible"][0]
    assert list(tmp_path.iterdir()) == [tmp_path / "mine.keras"]
