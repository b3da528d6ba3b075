"""DS-CNN: depthwise-separable convolutions, the keyword-spotting network of MLPerf Tiny.

Zhang et al., "Hello Edge: Keyword Spotting on Microcontrollers", 2017; Banbury et al., "MLPerf
Tiny Benchmark", NeurIPS 2021. The reference's first kernel, 10×4, is cut for 49×10 spectrograms;
here it is 3×3, which fits images of any size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.models import layers

if TYPE_CHECKING:
    import keras

    from pipeline.config.model import DsCnnModel


def ds_cnn(x: keras.KerasTensor, config: DsCnnModel, outputs: int) -> keras.KerasTensor:
    """Connects DS-CNN.

    Dropout acts after the first convolution and before the pooling, spatial dropout after every
    block.

    Args:
        x: (batch, height, width, channels); the first convolution halves height and width.
        config: filters (of every convolution) and blocks (depthwise + pointwise pairs).
        outputs: number of outputs.

    Returns:
        Outputs (batch, outputs), linear.
    """
    import keras

    x = layers.convolution(x, config, config.filters, 3, "conv_1", strides=2)
    x = layers.dropout(x, config, "conv_1_dropout")
    for block in range(1, config.blocks + 1):
        x = layers.depthwise(x, config, 3, f"block_{block}_depthwise")
        x = layers.convolution(x, config, config.filters, 1, f"block_{block}_pointwise")
        x = layers.spatial_dropout(x, config, f"block_{block}_spatial_dropout")
    x = layers.dropout(x, config, "blocks_dropout")
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return layers.logits(x, config, outputs)
