"""Suggestions: the near word, or all words."""

from __future__ import annotations

from pipeline.config.suggest import did_you_mean


def test_near_words_are_suggested_and_far_ones_listed() -> None:
    assert did_you_mean("epochz", ["epochs", "batch_size"]) == "; did you mean 'epochs'?"
    assert did_you_mean("zzz", ["epochs", "seed"]) == "; expected one of epochs, seed"
    assert did_you_mean("zzz", []) == ""
