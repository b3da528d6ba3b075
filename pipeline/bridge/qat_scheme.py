"""The scheme of tfmot's quantization-aware training: which layer gets which quantizers."""

from __future__ import annotations

from typing import Any

from pipeline.bridge.qat_plan import reason_to_leave
from pipeline.bridge.start import import_tfmot


def preserving_scheme() -> Any:
    """Returns tfmot's prune-preserving scheme, falling back where its registry has no entry.

    Default8BitPrunePreserveQuantizeScheme raises for Conv2DTranspose (tfmot 0.8.1); its zeros
    are kept by the masks that are imposed after each step.
    """
    import_tfmot()
    from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.prune_preserve import (  # noqa: E501
        default_8bit_prune_preserve_quantize_scheme as preserving,
    )
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_quantize_registry as default,
    )

    scheme = preserving.Default8BitPrunePreserveQuantizeScheme
    registry = type(scheme().get_quantize_registry())

    class Registry(registry):  # type: ignore[misc,valid-type]
        """The prune-preserving registry, with tfmot's default for other layers."""

        def supports(self, layer: Any) -> bool:
            # Asked for layers that were not annotated but stand before one that was; a
            # BatchNormalization has no configuration of its own.
            return reason_to_leave(layer) is None and (
                super().supports(layer) or default.Default8BitQuantizeRegistry().supports(layer)
            )

        def get_quantize_config(self, layer: Any) -> Any:
            if super().supports(layer):
                return super().get_quantize_config(layer)
            return default.Default8BitQuantizeRegistry().get_quantize_config(layer)

        def apply_sparsity_preserve_quantize_config(self, layer: Any, config: Any) -> Any:
            if super().supports(layer):
                return super().apply_sparsity_preserve_quantize_config(layer, config)
            return config

    class Scheme(scheme):  # type: ignore[misc,valid-type]
        """The scheme with that registry."""

        def get_quantize_registry(self) -> Any:
            return Registry()

    return Scheme()
