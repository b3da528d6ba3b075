"""Per layer what the bridge does, and every obstacle at once."""

from __future__ import annotations

from typing import Any

from pipeline.bridge.graph import walk
from pipeline.config.cluster import ClusterConfig
from pipeline.config.prune import LayerPruning, PruneConfig
from pipeline.preflight.bridging import (
    clustering_verdicts,
    cross,
    pruning_verdicts,
    quantization_verdicts,
    read_graph,
)
from tests.bridge.bridge_models import TOPOLOGIES, chain_cnn, residual


def crossing(model: Any) -> Any:
    return cross(model, walk(model))


def mean_of(found: Any) -> str:
    """The name of the operation Mean; Keras counts such names up in a process."""
    layers = found.graph.layers()
    return next(name for name, layer in layers.items() if type(layer).__name__ == "Mean")


def answers(verdicts: dict[str, Any]) -> dict[str, str]:
    return {name: verdict.answer for name, verdict in verdicts.items()}


def test_every_obstacle_is_found_not_only_the_first(awkward_model: Any) -> None:
    found = crossing(awkward_model)
    assert found.crossed is None
    blocked = {name: verdict for name, verdict in found.bridged.items() if verdict.blocks}
    assert set(blocked) == {"half_1", "half_2"}
    assert len(set(blocked.values())) == 1  # told once for both: the name is no part of it
    assert "float16" in blocked["half_1"].reason and "rebuild" in blocked["half_1"].fix
    assert set(answers(pruning_verdicts(found, PruneConfig())).values()) == {"no"}
    assert set(answers(quantization_verdicts(found)).values()) == {"no"}


def test_operations_run_as_themselves() -> None:
    found = crossing(TOPOLOGIES["operators"]())
    assert found.bridged[mean_of(found)].answer == "as_itself"
    assert found.bridged["c1"].answer == "yes"


def test_pruned_left_dense_or_nothing_there() -> None:
    found = answers(pruning_verdicts(crossing(chain_cnn()), PruneConfig()))
    assert found == {
        "c1": "yes", "n1": "nothing", "a1": "nothing", "d1": "no", "p1": "nothing", "c2": "yes",
        "drop": "nothing", "flat": "nothing", "logits": "yes",
    }  # fmt: skip


def test_clustered_or_left_as_it_is() -> None:
    found = clustering_verdicts(crossing(chain_cnn()), ClusterConfig())
    assert (found["c1"].answer, found["n1"].answer) == ("yes", "nothing")
    assert found["d1"].answer == "no" and "keeps its values" in found["d1"].fix


def test_the_configuration_of_prune_is_heard() -> None:
    config = PruneConfig(layers={"c*": LayerPruning(skip=True)})
    found = pruning_verdicts(crossing(chain_cnn()), config)
    assert found["c1"].reason == "skip: true in prune.layers" and not found["c1"].blocks


def test_no_layer_to_prune_blocks_the_stage() -> None:
    import keras

    inputs = keras.Input((4, 4, 2))
    model = keras.Model(inputs, keras.layers.DepthwiseConv2D(3, name="d")(inputs))
    found = pruning_verdicts(crossing(model), PruneConfig())["d"]
    assert found.blocks and "no layer" in found.reason


def test_quantized_in_training_or_left_to_the_converter() -> None:
    assert set(answers(quantization_verdicts(crossing(residual()))).values()) == {"yes"}
    found = crossing(TOPOLOGIES["operators"]())
    verdict = quantization_verdicts(found)[mean_of(found)]
    assert verdict.answer == "converter" and "Mean" in verdict.reason


def test_no_layer_to_quantize_blocks_the_training() -> None:
    import keras

    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.LayerNormalization(name="ln")(inputs))
    found = quantization_verdicts(crossing(model))["ln"]
    assert found.blocks and found.fix == "use quantize.method: ptq"


def test_a_model_without_a_graph_says_why() -> None:
    import keras

    class Own(keras.Model):
        pass

    graph, refused = read_graph(Own(name="own"))
    assert graph is None and refused.blocks and "subclassed" in refused.reason
