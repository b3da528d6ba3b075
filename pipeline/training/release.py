"""Gives back what finished trainings hold, which TensorFlow would keep until the process ends."""

from __future__ import annotations

import gc
import inspect
import sys
import weakref
from collections.abc import Callable
from typing import Any

_HELD = "_slimline_gradients"
_PREFIX = "CustomGradient-"


def release_memory() -> None:
    """Frees the models, slots of optimizers and graphs that nobody uses any more.

    Graphs and models hold each other, so that only the garbage collector finds them; and where a
    graph is traced, `tf.custom_gradient` registers a function under a new name that is never taken
    out again and holds the graph, which holds the variables (tensorflow 2.21.0: the optimizers of
    both Kerases add up the gradients of all devices with one; swish has one). Hereafter the graph
    holds the function, and the registry asks the graph: it differentiates as before, if it lives.
    """
    if "tensorflow" in sys.modules:
        _release_gradients()
    gc.collect()


def _release_gradients() -> None:
    from tensorflow.python.framework import ops

    registered = ops.gradient_registry._registry
    for name in [name for name in registered if name.startswith(_PREFIX)]:
        function = registered[name]["type"]
        graph = None if hasattr(function, _HELD) else _graph_of(function)
        if graph is not None:
            registered[name] = {**registered[name], "type": _held_by(graph, name, function)}
            weakref.finalize(graph, registered.pop, name, None)


def _graph_of(function: Callable[..., Any]) -> Any:
    """Returns the graph in which the gradient was registered; None if it is not to be found."""
    import tensorflow as tf

    inner = inspect.getclosurevars(function).nonlocals.get("tape_grad_fn")
    result = None if inner is None else inspect.getclosurevars(inner).nonlocals.get("result")
    graphs = (getattr(tensor, "graph", None) for tensor in tf.nest.flatten(result))
    return next((graph for graph in graphs if graph is not None), None)


def _held_by(graph: Any, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives the function to the graph; returns one that finds it there."""
    setattr(graph, _HELD, {**getattr(graph, _HELD, {}), name: function})
    kept = weakref.ref(graph)

    def gradient(operation: Any, *gradients: Any) -> Any:
        return getattr(kept(), _HELD)[name](operation, *gradients)

    setattr(gradient, _HELD, True)
    return gradient
