"""Models whose layers are a graph, and those whose calls are code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import keras


def has_graph(model: keras.Model) -> bool:
    """True for a functional or Sequential model whose `call` is Keras's own."""
    import keras

    own_call = type(model).call.__module__.startswith("keras.src.models.")
    return own_call and (isinstance(model, keras.Sequential) or hasattr(model, "_nodes_by_depth"))


def as_functional(
    model: keras.Model, input_shape: tuple[int | None, ...] | None = None
) -> keras.Model:
    """Puts a subclassed model, whose calls are code, into a graph of one call.

    Args:
        model: built; returned as it is where it has a graph.
        input_shape: of one sample; None: what it was built with.

    Raises:
        ConfigError: it was built with several inputs, or not built.
    """
    import keras

    if has_graph(model):
        return model
    if input_shape is None:
        built = (model.get_build_config() or {}).get("input_shape")
        if not isinstance(built, list | tuple) or any(isinstance(s, list | tuple) for s in built):
            raise ConfigError(
                f"model.path: the subclassed model '{model.name}' was built with {built}, expected "
                "the shape of one input; call it on one batch before it is saved"
            )
        input_shape = tuple(built[1:])
    inputs = keras.Input(input_shape, name="input")
    return keras.Model(inputs, model(inputs), name=f"{model.name}_graph")
