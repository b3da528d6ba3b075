"""The configuration: what is accepted, and the one line for everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.load import (
    apply_overrides,
    as_plain_data,
    load_config,
    parse_override,
    validate,
)
from pipeline.config.schema import DEFAULT_CHAIN
from pipeline.errors import ConfigError
from tests.conftest import ROOT

SHIPPED = sorted((ROOT / "configs").glob("*.yaml"))


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_empty_file_is_the_default_run(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, ""))
    assert config.run.name == "mine"
    assert config.run.seed == 0
    assert config.stages == DEFAULT_CHAIN
    assert config.data.source == "digits"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configurations_load_and_survive_a_round_trip(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIMLINE_DATA", "/data")
    config = load_config(path)
    assert config.run.name == path.stem
    assert validate(as_plain_data(config)) == config


def test_search_space_round_trip(tmp_path: Path) -> None:
    text = (
        "tune: {search_space: {train.optimizer.learning_rate: {float: [1e-4, 1e-2], "
        "sampling: log}, model.dropout: {float: [0, 0.5]}, train.batch_size: {choice: [32, 64]}}}"
    )
    config = load_config(write(tmp_path, text))
    space = config.tune.search_space["train.optimizer.learning_rate"]
    assert as_plain_data(space) == {
        "float": [1e-4, 1e-2], "sampling": "log", "step": None, "when": {},
    }  # fmt: skip
    assert validate(as_plain_data(config)) == config


FAULTS = {
    "trian: {}": "trian: unknown key; did you mean 'train'?",
    "train: {epochz: 3}": "train.epochz: unknown key in train; did you mean 'epochs'?",
    "train: {epochs: 3.5}": "train.epochs: received 3.5, expected a valid integer",
    "train: {epochs: '3'}": "train.epochs: received '3', expected a valid integer",
    "train: {epochs: 0}": "train.epochs: received 0, expected greater than or equal to 1",
    "train: {epochs: true}": "train.epochs: received True, expected a valid integer",
    "train: {optimizer: {name: sdg}}": (
        "train.optimizer: unknown optimizer 'sdg'; did you mean 'sgd'?"
    ),
    "train: {optimizer: {name: sgd, momentun: 0.9}}": (
        "train.optimizer: sgd has no argument 'momentun'; did you mean 'momentum'?"
    ),
    "train: {optimizer: {name: sgd, momentum: 2}}": (
        "train.optimizer: momentum: expected a number from 0 to 1, received 2"
    ),
    "train: {schedule: {kind: cosin}}": (
        "train.schedule.kind: received 'cosin'; did you mean 'cosine'?"
    ),
    "train: {schedule: {warmup: 3}}": "train.schedule.kind: missing; say which one",
    "train: {schedule: {kind: cosine, warmup: ten}}": (
        'train.schedule.warmup: expected steps (300), "2 epochs" or "25%"'
    ),
    "train: {optimizer: {gradient_clipping: {norm: 1, value: 2}}}": (
        "train.optimizer.gradient_clipping: expected exactly one of value, norm and global_norm, "
        "received 2"
    ),
    "model: {architecture: mpl}": "model.architecture: received 'mpl'; did you mean 'mlp'?",
    "model: {architecture: mlp, unit: [3]}": (
        "model.unit: unknown key in model; did you mean 'units'?"
    ),
    "model: {architecture: lenet_5, units: [3]}": "model.units: unknown key in model; expected "
    "one of dropout, normalization, initializer, l1, l2, weights, spatial_dropout, architecture",
    "data: {source: npz}": "data: source npz needs a path: data.path=…",
    "data: {preprocessing: {kind: standardize, scale: 2}}": (
        "data.preprocessing: scale and offset belong to kind rescale, not to standardize"
    ),
    "prune: {pruning_schedule: {kind: polynomial, final_sparsity: 1.0}}": (
        "prune.pruning_schedule.final_sparsity: received 1.0, expected less than 1"
    ),
    "prune: {layers: {conv: {}}}": "prune.layers.conv: expected skip: true, or a sparsity",
    "quantize: {qat: {epochs: 1}}": "quantize: qat settings belong to methods qat and auto",
    "quantize: {method: qat, schemes: [float16]}": (
        "quantize: method qat trains for schemes: [int8]; leave the others to ptq"
    ),
    "quantize: {schemes: [int8, int8]}": "quantize: schemes: each one at most once",
    "tune: {search_space: {a: {flot: [1, 2]}}}": (
        "tune.search_space.a: received {'flot': [1, 2]}, expected {float: [low, high]}, "
        "{int: [low, high]}, {choice: [a, b]} or {list: …, length: [1, 3]}"
    ),
    "tune: {search_space: {a: {float: [2, 1]}}}": (
        "tune.search_space.a.float: expected [low, high] with low < high, received [2.0, 1.0]"
    ),
    "tune: {algorithm: hyperband, max_trials: 3}": (
        "tune: hyperband counts its own trials from epochs and factor; leave max_trials out"
    ),
    "tune: {algorithm: random, factor: 3}": "tune: factor belongs to hyperband, not to random",
    "stages: [train, prun]": "stages: unknown stage 'prun'; did you mean 'prune'?",
    "stages: [train, train]": "stages: stage 'train' appears more than once",
    "run: {seed: -1}": "run.seed: received -1, expected greater than or equal to 0",
    "- a": "expected sections, received list",
}


@pytest.mark.parametrize(("text", "message"), FAULTS.items(), ids=FAULTS)
def test_each_fault_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value) == f"{path}: {message}"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: no such file"):
        load_config(tmp_path / "nowhere.yaml")


def test_overrides_are_checked_like_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "train: {epochs: 3}")
    config = load_config(path, ["train.epochs=5", "train.optimizer.learning_rate=1e-4"])
    assert config.train.epochs == 5
    assert config.train.optimizer.learning_rate == 1e-4
    with pytest.raises(ConfigError, match=r"train\.epochs: received 'many'"):
        load_config(path, ["train.epochs=many"])
    with pytest.raises(ConfigError, match=r"train\.epoch: unknown key in train"):
        load_config(path, ["train.epoch=5"])
    with pytest.raises(ConfigError, match="'epochs' is a value, not a section"):
        load_config(path, ["train.epochs.x=5"])


def test_overrides_reach_into_a_search_space(tmp_path: Path) -> None:
    override = "tune.search_space.train.epochs={int: [1, 3]}"
    space = load_config(write(tmp_path, ""), [override]).tune.search_space
    assert as_plain_data(space["train.epochs"])["int"] == [1, 3]


@pytest.mark.parametrize("override", ["train.epochs", "=3", " =3"])
def test_an_override_needs_a_path_and_a_value(override: str) -> None:
    with pytest.raises(ConfigError, match=r"expected path\.to\.key=value"):
        parse_override(override)


def test_a_data_path_is_relative_to_its_file_and_an_override_to_the_user(tmp_path: Path) -> None:
    path = write(tmp_path, "data: {source: npz, path: x.npz}")
    assert load_config(path).data.path == tmp_path / "x.npz"
    assert load_config(path, ["data.path=y.npz"]).data.path == Path("y.npz")


def test_apply_overrides_leaves_the_original(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, ""))
    changed = apply_overrides(config, {"model.dropout": 0.25, "train.batch_size": 64})
    assert (changed.model.dropout, changed.train.batch_size) == (0.25, 64)
    assert config.model.dropout == 0.0


PATHS = "data:\n  source: csv\n  path: ${SOME_DATA}/train.csv\n  test_path: own/test.csv\n"
CSV = PATHS + "  csv: {target: a}\n"


def test_variables_and_relative_paths_in_the_data_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_DATA", "/somewhere/else")
    config = load_config(write(tmp_path, CSV))
    assert config.data.path == Path("/somewhere/else/train.csv")
    assert config.data.test_path == tmp_path / "own" / "test.csv"
    config = load_config(write(tmp_path, CSV), ["data.path=${SOME_DATA}/other.csv"])
    assert config.data.path == Path("/somewhere/else/other.csv")


def test_an_unset_variable_is_named_unless_its_path_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOME_DATA", raising=False)
    message = r"data.path: the environment variable SOME_DATA is unset, .*--set data.path="
    with pytest.raises(ConfigError, match=message):
        load_config(write(tmp_path, CSV))
    config = load_config(write(tmp_path, CSV), ["data.path=here.csv"])
    assert config.data.path == Path("here.csv")
