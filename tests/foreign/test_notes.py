"""What changed between a file and its model is told, also of layers inside others."""

from __future__ import annotations

from typing import Any

from pipeline.foreign.notes import notes_on


def node(class_name: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": name, **config}}


def test_layers_inside_others_count() -> None:
    inner = node("LSTM", "inner", stateful=True)
    config = node("Sequential", "s", layers=[node("Bidirectional", "b", layer=inner)])
    assert notes_on(config, 3) == (
        "stateful: inner kept state from batch to batch; here each sample begins with a zero state",
    )


def test_long_lists_are_cut() -> None:
    layers = [node("Dense", f"a/{number}") for number in range(5)]
    found = notes_on(node("Sequential", "s", layers=layers), 2)
    assert found == ("renamed: a/0, a/1, a/2 and 2 more; Keras 3 allows no '/' in names",)


def test_keras_2_alone_renames() -> None:
    layers = [node("SyncBatchNormalization", "n")]
    config = node("Sequential", "s", layers=layers)
    assert notes_on(config, 2) == ("n: read as plain BatchNormalization",)
    assert notes_on(config, 3) == ()
