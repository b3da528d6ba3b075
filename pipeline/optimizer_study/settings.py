"""What a comparison of optimizers compares, checked before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.config.load import apply_overrides, as_plain_data
from pipeline.config.optimizer import OPTIMIZERS, OptimizerConfig
from pipeline.config.schema import Config
from pipeline.config.suggest import did_you_mean
from pipeline.config.yaml_file import parse_yaml
from pipeline.errors import ConfigError

# Wide enough for sgd (about 0.1) and lion (about 1e-4) alike; the same for all is what is fair.
DEFAULT_RANGE = (1e-4, 1.0)
# The seed of the rates' search is none of the seeds that are compared, or the winner's luck
# would be counted again.
TUNING_SEED_OFFSET = 2**31


@dataclass(frozen=True)
class Entrant:
    """One optimizer of a comparison.

    Attributes:
        label: "adam", or "sgd momentum=0.9" where the name alone is not unique.
        optimizer: as in the configuration; its learning rate is a placeholder when tuned.
        rate_source: "given", "tuned", "configuration" or "default".
    """

    label: str
    optimizer: OptimizerConfig
    rate_source: str


@dataclass(frozen=True)
class StudySettings:
    """A checked comparison.

    Attributes:
        entrants: the optimizers, in the order given.
        config: the configuration they share, without early stopping.
        seeds: of initial weights and order of samples, the same ones for each optimizer.
        tuning_rates: candidates for each tuned learning rate; empty when none is tuned.
        tuning_seed: of those trials.
        target_loss: on validation data; None: chosen by the rule of target.py.
    """

    entrants: tuple[Entrant, ...]
    config: Config
    seeds: tuple[int, ...]
    tuning_rates: tuple[float, ...]
    tuning_seed: int
    target_loss: float | None


def plan_study(
    config: Config,
    optimizers: Iterable[str],
    seeds: int,
    learning_rates: Mapping[str, float],
    trials: int | None = None,
    rate_range: tuple[float, float] = DEFAULT_RANGE,
    target_loss: float | None = None,
    epochs: int | None = None,
) -> StudySettings:
    """Checks what was asked for.

    Args:
        config: the model, the data and the training that all share.
        optimizers: names, or YAML mappings as in train.optimizer, at least two.
        seeds: how many seeds, at least 1, counted from run.seed.
        learning_rates: name → learning rate.
        trials: search the learning rates not given among this many candidates each.
        rate_range: lowest and highest candidate.
        target_loss: validation loss that counts as converged.
        epochs: of every training; default train.epochs.

    Raises:
        ConfigError: an optimizer or a value that cannot be compared.
    """
    if seeds < 1:
        raise ConfigError(f"--seeds: received {seeds}, expected 1 or more")
    if config.model.architecture == "file":
        raise ConfigError(
            "model.path: optimizers are compared from fresh weights; give model.architecture"
        )
    if config.train.distillation is not None:
        raise ConfigError(
            "train.distillation: trains beside a teacher, and a comparison begins without a model; "
            "leave it out with --set train.distillation=null"
        )
    if config.train.transfer is not None:
        raise ConfigError(
            "train.transfer: has two phases with an optimizer each, and a comparison is of one "
            "training; leave it out with --set train.transfer=null"
        )
    if trials is None and tuple(rate_range) != DEFAULT_RANGE:
        raise ConfigError("--tune-range: belongs to --tune; give --tune N too")
    if target_loss is not None and not (math.isfinite(target_loss) and target_loss > 0):
        raise ConfigError(f"--target-loss: received {target_loss}, expected a loss above 0")
    changes: dict[str, object] = {"train.early_stopping": None}
    if epochs is not None:
        changes["train.epochs"] = epochs
    shared = apply_overrides(config, changes)
    entrants = _entrants(shared, list(optimizers), learning_rates, trials is not None)
    tuned = any(entrant.rate_source == "tuned" for entrant in entrants)
    return StudySettings(
        entrants=entrants,
        config=shared,
        seeds=tuple((config.run.seed + index) % 2**32 for index in range(seeds)),
        tuning_rates=candidate_rates(trials, rate_range) if trials is not None and tuned else (),
        tuning_seed=(config.run.seed + TUNING_SEED_OFFSET) % 2**32,
        target_loss=target_loss,
    )


def candidate_rates(trials: int, rate_range: tuple[float, float]) -> tuple[float, ...]:
    """Returns `trials` learning rates with equal ratios from the lowest to the highest.

    Raises:
        ConfigError: fewer than two, or no range.
    """
    low, high = rate_range
    if trials < 2:
        raise ConfigError(f"--tune: received {trials}, expected 2 candidates or more")
    if not 0 < low < high <= 100:
        raise ConfigError(f"--tune-range: received {low:g} {high:g}, expected 0 < low < high ≤ 100")
    return tuple(float(f"{rate:.3g}") for rate in np.geomspace(low, high, trials))


def parse_rates(texts: Iterable[str]) -> dict[str, float]:
    """Reads "sgd=0.1" each.

    Raises:
        ConfigError: no such form.
    """
    rates = {}
    for text in texts:
        name, separator, value = text.partition("=")
        try:
            rates[name.strip()] = float(value)
        except ValueError:
            separator = ""
        if not separator:
            raise ConfigError(f"--learning-rate: received '{text}', expected NAME=RATE: sgd=0.1")
    return rates


def _entrants(
    config: Config, texts: list[str], rates: Mapping[str, float], tuning: bool
) -> tuple[Entrant, ...]:
    if len(texts) < 2:
        raise ConfigError(
            f"--optimizer: received {len(texts)}, expected two or more: "
            "--optimizer sgd --optimizer adam"
        )
    values = [_read(text) for text in texts]
    names = [str(value["name"]) for value in values]
    for name in rates:
        if name not in names:
            raise ConfigError(f"--learning-rate {name}: not compared{did_you_mean(name, names)}")
    entrants = []
    for value in values:
        name = str(value["name"])
        optimizer, source = _complete(config, value, rates.get(name), tuning)
        unique = names.count(name) == 1
        entrants.append(Entrant(name if unique else _label(value), optimizer, source))
    labels = [entrant.label for entrant in entrants]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise ConfigError(f"--optimizer: '{twice}' stands twice; compare different settings")
    return tuple(entrants)


def _read(text: str) -> dict[str, object]:
    """Reads a name or a mapping such as "{name: sgd, momentum: 0.9}"."""
    value = parse_yaml(text)
    value = {"name": value} if isinstance(value, str) else value
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise ConfigError(f"--optimizer: received '{text}', expected a name or {{name: sgd, …}}")
    if value["name"] not in OPTIMIZERS:
        raise ConfigError(
            f"--optimizer: unknown '{value['name']}'{did_you_mean(value['name'], OPTIMIZERS)}"
        )
    return value


def _complete(
    config: Config, value: dict[str, object], rate: float | None, tuning: bool
) -> tuple[OptimizerConfig, str]:
    """Adds what the training's own optimizer says, and the learning rate with its source.

    Clipping, averaging and accumulation are part of the training, so all entrants share them;
    an optimizer's own arguments are only taken over for the very same optimizer.
    """
    own = config.train.optimizer
    given = as_plain_data(own)
    arguments = given.pop("arguments")
    same = own.name == value["name"]
    base = {key: item for key, item in given.items() if key not in ("name", "learning_rate")}
    merged = {**base, **(arguments if same else {}), **value}
    source = "given"
    if rate is not None:
        merged["learning_rate"] = rate
    elif "learning_rate" not in value:
        source = "tuned" if tuning else "configuration" if same else "default"
        if same:
            merged["learning_rate"] = own.learning_rate
    checked = apply_overrides(config, {"train.optimizer": merged})
    return checked.train.optimizer, source


def _label(value: Mapping[str, object]) -> str:
    rest = [f"{key}={item}" for key, item in value.items() if key != "name"]
    return " ".join([str(value["name"]), *rest])
