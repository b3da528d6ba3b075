"""Dotted paths lead to sections, kinds and keys."""

from __future__ import annotations

import pytest

from pipeline.config.model import MlpModel
from pipeline.config.places import all_paths, find_place, inside_of
from pipeline.config.schema import Config
from pipeline.errors import ConfigError


def test_sections_kinds_and_keys() -> None:
    assert find_place("").sections == {"": Config}
    mlp = find_place("model.mlp")
    assert mlp.sections == {"": MlpModel}
    assert (mlp.path, mlp.base, mlp.chosen_by) == ("model.mlp", "model", "architecture")
    units = find_place("model.mlp.units")
    assert (units.owner, units.field, units.sections) == (MlpModel, "units", {})
    assert find_place("train.optimizer.sgd").optimizer == "sgd"
    assert inside_of(find_place("prune.layers")) == "prune.layers.*"
    # The key that chooses is answered with the choice itself.
    assert find_place("model.architecture") == find_place("model")


def test_every_path_leads_somewhere_and_unknown_ones_nowhere() -> None:
    paths = all_paths()
    assert len(paths) == len(set(paths))
    assert all(find_place(path).path == path for path in paths)
    with pytest.raises(ConfigError, match="no 'mlp' in train"):
        find_place("train.mlp")
