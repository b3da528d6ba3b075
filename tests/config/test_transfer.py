"""The second phase's settings, devices and precision."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import validate
from pipeline.config.train import TrainConfig
from pipeline.config.transfer import TransferConfig
from pipeline.errors import ConfigError


def test_the_second_phase_takes_the_rest_from_train() -> None:
    own = {"unfreeze_from": "block_15_*", "epochs": 3}
    first = TrainConfig(batch_size=8, epochs=7, transfer=TransferConfig(**own))
    second = first.second_phase()
    assert (second.epochs, second.batch_size, second.transfer) == (3, 8, None)
    assert second.optimizer.learning_rate == 1e-5
    with pytest.raises(ValueError, match="no second phase"):
        second.second_phase()


@pytest.mark.parametrize(
    ("train", "words"),
    [
        ({"transfer": {"epochs": 4}}, "epochs is the second phase's, which runs only with"),
        ({"transfer": {"unfreeze_from": ""}}, "unfreeze_from"),
        (
            {
                "batch_size": "full",
                "transfer": {
                    "unfreeze_from": "x",
                    "optimizer": {"name": "adam", "gradient_accumulation_steps": 2},
                },
            },
            "full has one batch an epoch",
        ),
        ({"devices": 0}, "train.devices: received 0, expected an integer from 1 to 64, or all"),
        ({"devices": "some"}, "train.devices: received 'some', expected an integer"),
        ({"mixed_precision": "fp16"}, "expected 'none', 'bfloat16' or 'float16'"),
    ],
)
def test_what_does_not_fit_is_refused(train: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        validate({"train": train})
