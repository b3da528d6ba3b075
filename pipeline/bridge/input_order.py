"""tfmot's graph transformations, with the inputs of each layer kept in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pipeline.bridge.start import import_tfmot


@contextmanager
def inputs_in_order() -> Iterator[None]:
    """Mends what quantize_apply does to Concatenate while the block runs.

    `ModelTransformer._get_layers` returns layers as they stand in the model's config, whatever
    the order of the names it was asked for, and a layer that is named twice once. A Concatenate
    is then built anew on inputs in another order: InceptionV3, quantized, is another function, and
    says nothing (tfmot 0.8.1).
    """
    import_tfmot()
    from tensorflow_model_optimization.python.core.quantization.keras.graph_transformations import (
        model_transformer,
    )

    transformer: Any = model_transformer.ModelTransformer
    get_layers, match = transformer._get_layers, transformer._match_layer_with_inputs

    def in_order(self: Any, layer_names: Sequence[str]) -> list[Any]:
        layers = {layer["config"]["name"]: layer for layer in self._config["layers"]}
        return [layers[name] for name in dict.fromkeys(layer_names)]

    def match_distinct(self: Any, layer: Any, pattern: Any, is_head_node: bool) -> Any:
        # Layers that are given one tensor twice: nothing is replaced around them.
        several = len(pattern.inputs) > 1 and layer.get("inbound_nodes", True)
        names = self._get_input_layer_names(layer) if several else []
        repeats = len(set(names)) < len(names)
        return None if repeats else match(self, layer, pattern, is_head_node)

    transformer._get_layers, transformer._match_layer_with_inputs = in_order, match_distinct
    try:
        yield
    finally:
        transformer._get_layers, transformer._match_layer_with_inputs = get_layers, match
