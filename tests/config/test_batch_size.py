"""A number of samples, or all of them."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.batch_size import resolve_batch_size
from pipeline.config.load import as_plain_data, validate
from pipeline.errors import ConfigError


def test_full_is_all_samples() -> None:
    assert resolve_batch_size("full", 1797) == 1797
    assert resolve_batch_size(32, 1797) == 32


@pytest.mark.parametrize("section", ["train", "prune"])
def test_full_is_read_and_written_back(section: str) -> None:
    config = validate({section: {"batch_size": "full"}})
    assert getattr(config, section).batch_size == "full"
    assert validate(as_plain_data(config)) == config


@pytest.mark.parametrize("value", [0, -1, 2.5, True, "all", None])
def test_anything_else_is_refused_in_one_line(value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        validate({"train": {"batch_size": value}})
    words = f"received {value!r}, expected an integer of at least 1, or full"
    assert str(caught.value) == f"train.batch_size: {words}"
