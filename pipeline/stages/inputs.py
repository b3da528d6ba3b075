"""What several stages read: splits of the data, and the model before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.config.schema import Config
from pipeline.stages.contract import Context

if TYPE_CHECKING:
    import keras

    from pipeline.data.prepared import PreparedData

MODEL_FILE = "model.keras"
REFERENCE_FILE = "reference.npz"


def load_splits(config: Config, context: Context, *splits: str) -> PreparedData:
    """Loads the named splits ("train", "validation", "test") as the model takes them."""
    from pipeline.data.prepare import load_data

    return load_data(config.data, context.input("data").path, splits)


def load_input_model(context: Context) -> keras.Model:
    """Loads the model that the last stage before this one made."""
    from pipeline.models.files import load_model

    return load_model(context.input("model").file(MODEL_FILE))
