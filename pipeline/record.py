"""What run.json records of a run."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from pipeline.artifacts.fingerprint import describe_host
from pipeline.config.load import as_plain_data
from pipeline.config.schema import Config
from pipeline.results import StageOutcome

# Whose versions a record shows.
LIBRARIES = (
    "tensorflow",
    "keras",
    "tf_keras",
    "tensorflow-model-optimization",
    "keras-tuner",
    "numpy",
    "ai-edge-litert",
    "tflite-micro",
    "click",
)


def describe_run(
    config: Config,
    name: str,
    config_name: str,
    outcomes: Mapping[str, StageOutcome],
    versions: Mapping[str, str],
) -> dict[str, Any]:
    """Returns a run's record, JSON types only.

    Args:
        config: the whole configuration.
        name: the run's name.
        config_name: what follows `slimline run` to make this run.
        outcomes: the stages that are done, by name.
        versions: of LIBRARIES.

    Returns:
        name, seed, config, config_name, stages (stage, key, digest, seconds, cached each),
        figures (of evaluate, or None), versions, host, updated.
    """
    evaluated = outcomes.get("evaluate")
    return {
        "name": name,
        "seed": config.run.seed,
        "config": as_plain_data(config),
        "config_name": config_name,
        "stages": [
            {
                "stage": outcome.stage,
                "key": outcome.key,
                "digest": outcome.digest,
                "seconds": outcome.seconds,
                "cached": outcome.cached,
            }
            for outcome in outcomes.values()
        ],
        "figures": None if evaluated is None else evaluated.metrics,
        "versions": dict(versions),
        "host": describe_host(),
        "updated": utc_now(),
    }


def utc_now() -> str:
    """Returns the time as ISO 8601 in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
