"""What a file's compile config tells: names and numbers, read and never made into objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.models.names import snake_case

# Other names that Keras takes for a loss.
_LOSSES = {
    "bce": "binary_crossentropy", "cosine_proximity": "cosine_similarity", "huber_loss": "huber",
    "kld": "kl_divergence", "kullback_leibler_divergence": "kl_divergence", "logcosh": "log_cosh",
    "mae": "mean_absolute_error", "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error", "msle": "mean_squared_logarithmic_error",
}  # fmt: skip
_LEARNING_RATES = ("learning_rate", "lr")


@dataclass(frozen=True)
class CompileFacts:
    """How a model was compiled; None where the file does not tell.

    Attributes:
        loss: Keras's snake_case name: "mean_squared_error".
        from_logits: of the loss.
        optimizer: class name in lower case: "adam".
        learning_rate: a constant one.
    """

    loss: str | None
    from_logits: bool | None
    optimizer: str | None
    learning_rate: float | None


def compile_facts(compile_config: Any) -> CompileFacts | None:
    """Reads a compile config (`.keras`) or training config (`.h5`).

    Args:
        compile_config: as the file has it, not trusted.

    Returns:
        The facts; None where the model was not compiled.
    """
    if not isinstance(compile_config, dict):
        return None
    loss = _first(compile_config.get("loss"))
    optimizer = compile_config.get("optimizer") or compile_config.get("optimizer_config")
    settings = _settings(optimizer)
    rate = next((settings[key] for key in _LEARNING_RATES if key in settings), None)
    facts = CompileFacts(
        loss=_loss_name(loss),
        from_logits=_from_logits(loss),
        optimizer=_class_name(optimizer, str.lower),
        learning_rate=float(rate) if isinstance(rate, float | int) else None,
    )
    return facts if facts != CompileFacts(None, None, None, None) else None


def _first(loss: Any) -> Any:
    """Returns the loss of a model with one output, however it is wrapped."""
    while isinstance(loss, list) or (isinstance(loss, dict) and "class_name" not in loss):
        entries = list(loss.values()) if isinstance(loss, dict) else loss
        if len(entries) != 1:
            return None
        loss = entries[0]
    return loss


def _loss_name(loss: Any) -> str | None:
    name = _class_name(loss, snake_case)
    return name and _LOSSES.get(name, name)


def _from_logits(loss: Any) -> bool | None:
    stated = _settings(loss).get("from_logits")
    if isinstance(stated, bool):
        return stated
    # A loss that is given by name takes probabilities.
    name = _loss_name(loss)
    return False if isinstance(loss, str) and name and name.endswith("crossentropy") else None


def _class_name(part: Any, spell: Any) -> str | None:
    """Returns the name of a class or function that a config states, spelled by `spell`."""
    if isinstance(part, dict):
        name = part.get("class_name")
        if name == "function":
            name = part.get("config")
    else:
        name = part
    if not isinstance(name, str) or not name or len(name) > 200:
        return None
    return str(spell(name.rpartition(">")[2]))


def _settings(part: Any) -> dict[str, Any]:
    config = part.get("config") if isinstance(part, dict) else None
    return config if isinstance(config, dict) else {}
