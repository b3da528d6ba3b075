"""The layers of a config, in the file's order."""

from __future__ import annotations

from typing import Any

from pipeline.foreign.layer_tree import LayerNode, layer_tree, leaves, own_name


def node(class_name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": config}


def test_models_in_models_and_operations() -> None:
    inner = {**node("Functional", name="inner", layers=[node("Dense", name="d", dtype="float32")])}
    config = node(
        "Functional",
        layers=[
            node("InputLayer", name="x", dtype="float32"),
            node("Dense", name="block/dense"),
            node("TFOpLambda", name="tf.add"),
            {"class_name": "Add", "module": "keras.src.ops.numpy", "config": {"name": "add"}},
            {**inner, "name": "called"},
        ],
    )
    dense = LayerNode("d", "Dense")
    tree = (
        LayerNode("x", "InputLayer"),
        LayerNode("block_dense", "Dense"),
        LayerNode("called", "Functional", inner=(dense,)),
    )
    assert layer_tree(config) == tree
    assert [leaf.name for leaf in leaves(tree)] == ["x", "block_dense", "d"]


def test_a_bare_list_of_layers_and_a_subclassed_model() -> None:
    assert layer_tree({"class_name": "Sequential", "config": [node("Dense", name="d")]}) == (
        LayerNode("d", "Dense"),
    )
    assert layer_tree(node("Net", units=3)) == ()


def test_names_without_slashes() -> None:
    assert own_name("a/b/c") == "a_b_c"
