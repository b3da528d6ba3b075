"""What may be compared, and with which learning rates."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import apply_overrides, validate
from pipeline.errors import ConfigError
from pipeline.optimizer_study.settings import (
    StudySettings,
    candidate_rates,
    parse_rates,
    plan_study,
)
from tests.optimizer_study.conftest import make_config

SGD = {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9}


def plan(*names: str, rates: dict[str, float] | None = None, **options: Any) -> StudySettings:
    config = make_config(
        optimizer={**SGD, "gradient_clipping": {"norm": 1.0}}, early_stopping={"patience": 2}
    )
    return plan_study(config, names, options.pop("seeds", 2), rates or {}, **options)


def test_a_model_that_is_trained_already_is_not_compared() -> None:
    config = validate({"model": {"path": "mine.keras"}})
    with pytest.raises(ConfigError, match=r"model\.path: optimizers are compared from fresh"):
        plan_study(config, ("sgd", "adam"), 1, {})


def test_two_phases_are_not_compared() -> None:
    application = {
        "model": {"architecture": "applications/MobileNetV2"},
        "data.preprocessing": {"kind": "none"},
    }
    config = apply_overrides(
        make_config(), {**application, "train.transfer": {}, "stages": ["train"]}
    )
    with pytest.raises(ConfigError, match=r"train\.transfer: has two phases"):
        plan_study(config, ("sgd", "adam"), 2, {})


def test_a_training_beside_a_teacher_is_not_compared() -> None:
    config = apply_overrides(make_config(), {"train.distillation": {}})
    with pytest.raises(ConfigError, match=r"train\.distillation: trains beside a teacher"):
        plan_study(config, ("sgd", "adam"), 2, {})


def test_own_arguments_belong_to_the_same_optimizer_only() -> None:
    settings = plan("sgd", "adam", epochs=7)
    sgd, adam = (entrant.optimizer for entrant in settings.entrants)
    assert sgd.arguments == {"momentum": 0.9}
    assert sgd.learning_rate == 0.05
    assert adam.arguments == {}
    # What belongs to the training is the same for all.
    assert sgd.gradient_clipping == adam.gradient_clipping
    assert sgd.gradient_clipping is not None
    assert [entrant.rate_source for entrant in settings.entrants] == ["configuration", "default"]
    assert settings.config.train.epochs == 7
    assert settings.config.train.early_stopping is None


def test_given_rates_and_tuned_ones() -> None:
    settings = plan("sgd", "adam", "lion", rates={"adam": 0.002}, trials=3)
    sources = {entrant.label: entrant.rate_source for entrant in settings.entrants}
    assert sources == {"sgd": "tuned", "adam": "given", "lion": "tuned"}
    assert settings.entrants[1].optimizer.learning_rate == 0.002
    assert settings.tuning_rates == (1e-4, 1e-2, 1.0)
    assert settings.tuning_seed not in settings.seeds
    assert settings.seeds == (3, 4)


def test_one_optimizer_with_two_settings() -> None:
    settings = plan("{name: sgd, momentum: 0.0}", "{name: sgd, momentum: 0.9, nesterov: true}")
    labels = [entrant.label for entrant in settings.entrants]
    assert labels == ["sgd momentum=0.0", "sgd momentum=0.9 nesterov=True"]
    assert settings.entrants[0].optimizer.arguments == {"momentum": 0.0}
    inline = plan("{name: adam, learning_rate: 0.3}", "sgd")
    assert inline.entrants[0].rate_source == "given"


def test_candidates_have_equal_ratios() -> None:
    assert candidate_rates(5, (1e-4, 1.0)) == (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (("sgd",), {}, "received 1, expected two or more"),
        (("sgd", "rmsprp"), {}, "unknown 'rmsprp'; did you mean 'rmsprop'"),
        (("sgd", "sgd"), {}, "'sgd' stands twice"),
        (("sgd", "[adam]"), {}, "expected a name"),
        (("sgd", "{name: adam, momentum: 1}"), {}, "adam has no argument 'momentum'"),
        (("sgd", "adam"), {"rates": {"lion": 0.1}}, "--learning-rate lion: not compared"),
        (("sgd", "adam"), {"rates": {"sgd": -1.0}}, "learning_rate"),
        (("sgd", "adam"), {"seeds": 0}, "--seeds: received 0"),
        (("sgd", "adam"), {"trials": 1}, "--tune: received 1"),
        (("sgd", "adam"), {"rate_range": (0.1, 1.0)}, "--tune-range: belongs to --tune"),
        (("sgd", "adam"), {"trials": 3, "rate_range": (1.0, 0.1)}, "--tune-range: received 1 0.1"),
        (("sgd", "adam"), {"target_loss": float("nan")}, "--target-loss: received nan"),
        (("sgd", "adam"), {"epochs": 0}, "train.epochs"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    names: tuple[str, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        plan(*names, **options)
    assert message in str(error.value)


def test_rates_of_the_command_line() -> None:
    assert parse_rates(["sgd=0.1", "adam = 1e-3"]) == {"sgd": 0.1, "adam": 1e-3}
    for text in ("sgd", "sgd=", "sgd=fast"):
        with pytest.raises(ConfigError, match="expected NAME=RATE"):
            parse_rates([text])
