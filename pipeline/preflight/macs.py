"""Multiply-accumulates of a Keras layer or operation, from shapes: one explicit table.

The same count as `tflite/macs.py` makes of a converted file: products that are summed. Additions,
scales, activations and pooling are none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from pipeline.bridge.graph import Call, Ref

Shape = tuple[int, ...]
# (layer, shapes of the tensors it reads, shapes of those it makes) → count of one call.
Formula = Callable[[Any, Sequence[Shape], Sequence[Shape]], int | None]


def call_macs(call: Call, shapes: Mapping[Ref, tuple[int | None, ...]]) -> int | None:
    """Counts the multiply-accumulates of one call for one sample.

    Args:
        call: of a Keras 3 layer or operation.
        shapes: of the graph's tensors; a batch axis of None counts as 1.

    Returns:
        The count, ≥ 0; None where it is not known: another axis is None, or a layer that is not
        in the table holds matrices.
    """
    inputs = [_for_one_sample(shapes[ref]) for ref in call.inputs]
    outputs = [_for_one_sample(shapes[ref]) for ref in call.outputs]
    if None in (size for shape in (*inputs, *outputs) for size in shape):
        return 0 if _is_known_to_have_none(call.layer) else None
    return layer_macs(call.layer, inputs, outputs)  # type: ignore[arg-type]


def layer_macs(layer: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int | None:
    """Counts the multiply-accumulates of a layer on tensors of known shapes.

    Args:
        layer: a built Keras 3 layer, or an operation.
        inputs: shapes with the batch axis.
        outputs: likewise.

    Returns:
        The count; None for a layer outside the table that holds matrices.
    """
    formula = FORMULAS.get(type(layer).__name__)
    if formula is not None and type(layer).__module__.startswith("keras.src."):
        return formula(layer, inputs, outputs)
    return 0 if _is_known_to_have_none(layer) else None


def _for_one_sample(shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
    return (1 if shape[0] is None else shape[0], *shape[1:]) if shape else ()


def _is_known_to_have_none(layer: Any) -> bool:
    """True for what multiplies element by element at most: it holds no matrix."""
    if not type(layer).__module__.startswith("keras.src."):
        return False  # a layer of the user's may multiply what it is given
    if type(layer).__name__ in FORMULAS or type(layer).__name__ in UNCOUNTED:
        return False
    if type(layer).__name__ in WITHOUT_PRODUCTS:
        return True
    return all(len(weight.shape) < 2 for weight in getattr(layer, "weights", ()))


def _dense(layer: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    return prod(outputs[0]) * inputs[0][-1]


def _convolution(layer: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    # kernel (*window, channels per group, filters)
    return prod(outputs[0]) * prod(layer.kernel.shape[:-1])


def _transposed(layer: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    # kernel (*window, filters, channels); every input element meets the whole window
    return prod(inputs[0]) * prod(layer.kernel.shape[:-1])


def _depthwise(layer: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    return prod(outputs[0]) * prod(layer.kernel.shape[:-2])


def _separable(layer: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    positions = prod(outputs[0]) // layer.filters
    return positions * (prod(layer.depthwise_kernel.shape) + prod(layer.pointwise_kernel.shape))


def _recurrent(layer: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    cell = layer.cell
    return prod(inputs[0][:2]) * (prod(cell.kernel.shape) + prod(cell.recurrent_kernel.shape))


def _convolutional_lstm(layer: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    # Both kernels end in 4 · filters and meet every position of every step's state.
    positions = prod(outputs[0]) // layer.filters
    steps = 1 if layer.return_sequences else inputs[0][1]
    cell = layer.cell
    return steps * positions * (prod(cell.kernel.shape) + prod(cell.recurrent_kernel.shape))


def _bidirectional(layer: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int | None:
    both = [layer_macs(one, inputs, outputs) for one in (layer.forward_layer, layer.backward_layer)]
    return None if None in both else sum(both)  # type: ignore[arg-type]


def _time_distributed(layer: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int | None:
    batch, steps, *rest = inputs[0]
    inner = layer_macs(layer.layer, [(batch, *rest)], [(batch, *outputs[0][2:])])
    return None if inner is None else steps * inner


def _einsum_dense(layer: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    return einsum_macs(layer.equation, [inputs[0], tuple(layer.kernel.shape)])


def _attention_heads(layer: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    # query (batch, T, d), value (batch, S, d), key like value where it is given
    query, value = inputs[0], inputs[1] if len(inputs) > 1 else inputs[0]
    key = inputs[2] if len(inputs) > 2 else value
    projections = sum(
        prod(shape[:-1]) * prod(dense.kernel.shape)
        for dense, shape in (
            (layer._query_dense, query),
            (layer._key_dense, key),
            (layer._value_dense, value),
            (layer._output_dense, query),
        )
    )
    heads = layer._query_dense.kernel.shape[-2]
    width = layer._query_dense.kernel.shape[-1] + layer._value_dense.kernel.shape[-1]
    scores = query[0] * prod(query[1:-1]) * prod(value[1:-1])
    return projections + scores * heads * width


def _attention(layer: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    # scores (batch, T, S) from query · key over d, then scores · value
    query, value = inputs[0], inputs[1]
    return prod(query[:-1]) * value[-2] * (query[-1] + value[-1])


def _dot(layer: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    axes = getattr(layer, "axes", -1)  # the operation keras.ops.dot sums over the last one
    return prod(outputs[0]) * inputs[0][axes if isinstance(axes, int) else axes[0]]


def _matmul(layer: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    return prod(outputs[0]) * inputs[0][-1]


def _einsum(layer: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    return einsum_macs(layer.subscripts, inputs)


def einsum_macs(equation: str, shapes: Sequence[Shape]) -> int:
    """Counts the multiply-accumulates of an einsum of two tensors: the product of all its sizes.

    Args:
        equation: e.g. "abc,cd->abd"; "..." stands for any axes.
        shapes: of the operands.
    """
    sizes: dict[Any, int] = {}
    for labels, shape in zip(equation.split("->")[0].split(","), shapes, strict=True):
        before, dots, after = labels.strip().partition("...")
        hidden = len(shape) - len(before) - len(after) if dots else 0
        names = [*before, *range(-hidden, 0), *after]  # hidden axes are aligned at their end
        for name, size in zip(names, shape, strict=True):
            sizes[name] = max(size, sizes.get(name, 1))
    return prod(sizes.values())


FORMULAS: dict[str, Formula] = {
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    "Conv1D": _convolution,
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "Conv1DTranspose": _transposed,
    "Conv2DTranspose": _transposed,
    "Conv3DTranspose": _transposed,
    "DepthwiseConv1D": _depthwise,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv1D": _separable,
    "SeparableConv2D": _separable,
    "SimpleRNN": _recurrent,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "ConvLSTM1D": _convolutional_lstm,
    "ConvLSTM2D": _convolutional_lstm,
    "ConvLSTM3D": _convolutional_lstm,
    "Bidirectional": _bidirectional,
    "TimeDistributed": _time_distributed,
    "MultiHeadAttention": _attention_heads,
    "GroupedQueryAttention": _attention_heads,
    "Attention": _attention,
    "Dot": _dot,
    "Matmul": _matmul,
    "Einsum": _einsum,
}
# Operations that multiply and sum in ways that no formula here tells.
UNCOUNTED = frozenset(
    {
        "Conv", "ConvTranspose", "Correlate", "Cross", "DepthwiseConv", "DotProductAttention",
        "Inner", "SeparableConv", "Tensordot", "Vdot",
    }
)  # fmt: skip
# Layers whose matrices are looked up or applied element by element.
WITHOUT_PRODUCTS = frozenset({"Embedding", "PReLU", "LayerNormalization", "GroupNormalization"})
