"""A training in a process of its own, to be killed: prints each epoch when it is on disk."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from pipeline.config.train import TrainConfig
from pipeline.data.prepared import PreparedData, Split
from pipeline.tasks.task import classification

EPOCHS = 14


def make_data() -> PreparedData:
    """200 + 60 samples of 3 classes."""
    rng = np.random.default_rng(3)
    y = rng.integers(0, 3, 260)
    x = (rng.normal(size=(260, 6)) + np.eye(3, 6)[y]).astype(np.float32)
    splits = {"train": Split(x[:200], y[:200]), "validation": Split(x[200:], y[200:])}
    return PreparedData(splits, classification(("a", "b", "c")), (6,), None, "sidecar")


def make_config() -> TrainConfig:
    """All that has a state: Adam, accumulation, an average, a plateau, early stopping.

    The weights that are kept are not those of the last epoch.
    """
    return TrainConfig.model_validate(
        {
            "epochs": EPOCHS,
            "batch_size": 16,
            "optimizer": {
                "name": "adam", "learning_rate": 0.2, "gradient_clipping": {"norm": 1.0},
                "use_ema": True, "ema_momentum": 0.5, "gradient_accumulation_steps": 2,
            },
            "schedule": {
                "kind": "reduce_on_plateau", "factor": 0.5, "patience": 2, "warmup": "1 epoch",
            },
            "early_stopping": {"monitor": "val_loss", "patience": 100},
        }
    )  # fmt: skip


def train(folder: Path, pause: float, print_epochs: bool) -> object:
    """Trains an MLP with dropout and batch normalization; returns (model, FitResult)."""
    import keras

    from pipeline.config.model import MlpModel
    from pipeline.models.build import build_model
    from pipeline.progress import SilentProgress
    from pipeline.training.fit import fit

    def report(row: dict[str, float]) -> None:
        if print_epochs:
            print(row["epoch"], flush=True)
        time.sleep(pause)

    keras.utils.set_random_seed(11)
    config = MlpModel(architecture="mlp", units=(16, 8), dropout=0.3, normalization="batch")
    model = build_model(config, (6,), make_data().task)
    result = fit(
        model, make_data(), make_config(), 11, folder / "work", folder / "output",
        SilentProgress(), on_epoch=report,
    )  # fmt: skip
    return model, result


if __name__ == "__main__":
    from pipeline.runtime import start_tensorflow

    start_tensorflow(11)
    train(Path(sys.argv[1]), float(sys.argv[2]), True)
