"""`model.architecture: text_cnn` and `text_lstm`: networks on token ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.config.base import Section
from pipeline.config.quantize import LOW_BITS
from pipeline.config.weights import OWN_WEIGHTS, OwnWeights

if TYPE_CHECKING:
    from pipeline.config.schema import Config

TEXT_ARCHITECTURES = ("text_cnn", "text_lstm")
TOKEN_KINDS = ("text", "tokens")
Rate = Annotated[float, Field(ge=0, lt=1)]
Width = Annotated[int, Field(ge=1, le=4096)]


class _TextModel(Section):
    tokens: int | None = Field(
        None,
        ge=3,
        le=1_000_000,
        description="rows of the embedding; default: what the data's vocabulary needs",
    )
    embedding: Width = Field(32, description="numbers per token")
    spatial_dropout: Rate = Field(
        0.0, description="fraction of the embedding's numbers dropped, each in all tokens of a text"
    )
    dropout: Rate = Field(0.0, description="fraction of activations dropped in front of the logits")
    initializer: Literal["glorot_uniform", "glorot_normal", "he_uniform", "he_normal"] = Field(
        "glorot_uniform", description="of all kernels but recurrent ones, which are orthogonal"
    )
    l1: float = Field(0.0, ge=0, description="weight of the kernels' L1 norm in the loss")
    l2: float = Field(0.0, ge=0, description="weight of the kernels' squared L2 norm in the loss")
    weights: OwnWeights = Field("none", description=OWN_WEIGHTS)


class TextCnnModel(_TextModel):
    """Convolutions of several widths over the words, and the maximum of each (Kim 2014)."""

    architecture: Literal["text_cnn"]
    filters: Width = Field(32, description="of each convolution")
    kernel_sizes: tuple[Annotated[int, Field(ge=1, le=64)], ...] = Field(
        (3, 4, 5), min_length=1, max_length=8, description="words that each convolution looks at"
    )
    units: Width = Field(32, description="width of the dense layer")


class TextLstmModel(_TextModel):
    """A recurrent layer that reads the words in order; its states decide."""

    architecture: Literal["text_lstm"]
    cell: Literal["lstm", "gru"] = Field(
        "lstm",
        description="lstm: one fused operator in the file; gru has none and is unrolled word by "
        "word, which makes the file several times larger",
    )
    units: Width = Field(32, description="width of the recurrent layer")
    pooling: Literal["last", "max", "average"] = Field(
        "last",
        description="what of the states is used: the last one, or the maximum or the mean of each "
        "number over all words",
    )
    recurrent_dropout: Rate = Field(
        0.0, description="fraction of the state dropped between words (Gal and Ghahramani 2016)"
    )


def check_text_model(config: Config) -> None:
    """Refuses an architecture that does not read what the data gives.

    Args:
        config: the whole configuration.

    Raises:
        ValueError: naming architectures that fit.
    """
    name, kind = config.model.architecture, config.data.sample_kind
    if name == "text_lstm" and "int16x8" in config.quantize.schemes and "quantize" in config.stages:
        # tensorflow 2.21.0: no int16x8 for the LSTM's operator, and an unrolled GRU's outputs are
        # off by 33 % of their spread.
        raise ValueError("quantize.schemes: int16x8 does not work for text_lstm; use int8")
    low_bits = LOW_BITS.intersection(config.quantize.file_schemes)
    if name == "text_lstm" and low_bits and "quantize" in config.stages:
        # ai-edge-quantizer 0.10.0: no form for the LSTM's operator, nor for the embedding's table,
        # which is most of such a file.
        raise ValueError(
            f"quantize.schemes: {min(low_bits)} does not work for text_lstm; use dynamic_range"
        )
    if name in TEXT_ARCHITECTURES and kind not in TOKEN_KINDS:
        raise ValueError(
            f"model.architecture {name} reads token ids, data.source {config.data.source} gives "
            f"none; use another architecture, or source text"
        )
    if name not in (*TEXT_ARCHITECTURES, "file") and kind in TOKEN_KINDS:
        raise ValueError(
            f"model.architecture {name} cannot read the token ids of data.source "
            f"{config.data.source}; use {' or '.join(TEXT_ARCHITECTURES)}"
        )
