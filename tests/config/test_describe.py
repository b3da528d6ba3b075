"""The configuration described by its models: complete, and true to them."""

from __future__ import annotations

import pytest

from pipeline.config.describe import all_paths, describe
from pipeline.config.load import apply_overrides, validate
from pipeline.config.optimizer import OPTIMIZERS
from pipeline.config.schema import Config
from pipeline.errors import ConfigError


def test_everything_has_a_meaning() -> None:
    told: dict[str, str] = {}
    for path in ["", *all_paths()]:
        found = describe(path)
        told[path] = found.meaning
        told |= {kind.path: kind.meaning for kind in found.kinds}
        keys = (*found.keys, *(key for kind in found.kinds for key in kind.keys))
        told |= {key.path: key.meaning for key in keys}
    silent = sorted(path for path, meaning in told.items() if not meaning.strip())
    assert silent == [], "give these fields a description, and these sections a docstring"
    assert not [path for path, meaning in told.items() if "\n" in meaning]


def test_all_sections_are_told() -> None:
    assert [key.path for key in describe().keys] == list(Config.model_fields)


def test_a_key_tells_type_limits_and_default_of_the_model() -> None:
    epochs = next(key for key in describe("train").keys if key.path == "train.epochs")
    assert (epochs.type, epochs.limits, epochs.default) == ("integer", "1 to 100,000", 20)
    assert not epochs.required
    patience = next(
        key for key in describe("train").keys if key.path == "train.early_stopping.patience"
    )
    assert (patience.limits, patience.default) == ("≥ 0", 5)
    seed = describe("run.seed").keys[0]
    assert (seed.path, seed.limits, seed.default) == ("run.seed", "≥ 0, < 4,294,967,296", 0)


def test_kinds_tell_what_they_share_once_and_their_own_keys() -> None:
    found = describe("train.schedule")
    assert found.keys[0].path == "train.schedule.warmup"
    kinds = {kind.name: kind for kind in found.kinds}
    exponential = {key.path: key for key in kinds["exponential"].keys}
    assert exponential["train.schedule.decay_rate"].required
    assert "train.schedule.warmup" not in exponential
    assert kinds["constant"].keys == ()
    assert found.chosen_by == "kind"
    alone = describe("train.schedule.exponential")
    assert {"train.schedule.warmup", "train.schedule.decay_rate"} <= {k.path for k in alone.keys}


def test_a_default_that_one_kind_changes_is_told_with_that_kind() -> None:
    found = describe("model")
    shared = {key.path: key.default for key in found.keys}
    own = {(kind.name, key.path): key.default for kind in found.kinds for key in kind.keys}
    assert shared["model.normalization"] == "none"
    assert own["ds_cnn", "model.normalization"] == "batch"
    assert ("mlp", "model.normalization") not in own
    without = {kind.name: kind.without for kind in found.kinds}
    assert without["mlp"] == ("model.spatial_dropout",) or without["mlp"] == ()


def test_each_optimizer_has_its_own_arguments() -> None:
    kinds = {kind.name: kind for kind in describe("train.optimizer").kinds}
    assert set(kinds) == set(OPTIMIZERS)
    arguments = [key.path for key in kinds["sgd"].keys]
    assert arguments == [f"train.optimizer.{name}" for name in OPTIMIZERS["sgd"][1]]
    momentum = next(k for k in describe("train.optimizer.sgd").keys if k.path.endswith(".momentum"))
    assert momentum.type == "a number from 0 to 1"


@pytest.mark.parametrize(
    ("path", "sections"),
    [
        ("train", {}),
        ("model.ds_cnn", {"model": {"architecture": "ds_cnn"}}),
        ("train.schedule.cosine", {"train": {"schedule": {"kind": "cosine"}}}),
        ("train.early_stopping", {"train": {"early_stopping": {}}}),
        ("export", {}),
    ],
)
def test_paths_and_defaults_are_those_of_a_configuration(
    path: str, sections: dict[str, object]
) -> None:
    config = validate(sections)
    told = [key for key in describe(path).keys if isinstance(key.default, int | float | str)]
    assert told
    values = {
        key.path: key.default
        for key in told
        if key.path.rpartition(".")[0] == told[0].path.rpartition(".")[0]
    }
    plain = {
        key: value
        for key, value in values.items()
        if key not in ("train.optimizer", "train.schedule")
    }
    assert apply_overrides(config, plain) == config


def test_keys_of_mappings_have_a_star() -> None:
    paths = [key.path for key in describe("prune.layers").keys]
    assert "prune.layers.*.skip" in paths
    assert describe("prune.layers.*.skip").keys[0].default is False
    assert describe("tune.search_space.float").keys[0].path.startswith("tune.search_space.*.")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("train.optimiser", "no 'optimiser' in train; did you mean 'train.optimizer'?"),
        ("trian", "no 'trian'; did you mean 'train'?"),
        ("patience", "did you mean 'train.early_stopping.patience'?"),
        ("train.epochs.x", "no 'x' in train.epochs"),
        ("xyzzy", "there are: run, data, model"),
        ("train..epochs", "no ''"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(path: str, hint: str) -> None:
    with pytest.raises(ConfigError) as error:
        describe(path)
    assert hint in str(error.value)
