"""What a run asks of a model that is impossible: all of it, before training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.errors import ConfigError, SlimlineError
from pipeline.preflight.bridging import cross, read_graph
from pipeline.preflight.verdicts import Verdict

if TYPE_CHECKING:
    import keras

    from pipeline.config.schema import Config
    from pipeline.preflight.bridging import Crossing


def refuse_impossible(model: keras.Model, config: Config) -> None:
    """Stops a run whose stages cannot all work on a model, naming every obstacle at once.

    Args:
        model: that the chain begins with; it is not changed.
        config: its stages are held to what the bridge can do.

    Raises:
        ConfigError: one line with all obstacles.
    """
    found = find_impossible(model, config)
    if found:
        counted = f"{len(found)} obstacles: " if len(found) > 1 else ""
        raise ConfigError(f"model '{model.name}': {counted}{'; '.join(found)}")


def find_impossible(model: keras.Model, config: Config) -> list[str]:
    """Returns every obstacle of the stages behind the bridge, each with its layers and its fix."""
    stages = bridged_stages(config)
    if not stages:
        return []
    graph, refused = read_graph(model)
    if graph is None:
        return [_sentence(stages, "", refused)]
    crossing = cross(model, graph)
    if crossing.crossed is None:
        return _crossing_obstacles(crossing, stages)
    return _stage_obstacles(crossing, config, stages)


def bridged_stages(config: Config) -> tuple[str, ...]:
    """Returns what of the chain works on the tf_keras counterpart of the model."""
    stages: list[str] = [name for name in ("prune", "cluster") if name in config.stages]
    if "quantize" in config.stages and config.quantize.method == "qat":
        stages.append("quantize.method: qat")
    return tuple(stages)


def _crossing_obstacles(crossing: Crossing, stages: Sequence[str]) -> list[str]:
    layers: dict[Verdict, list[str]] = {}
    for name, verdict in crossing.bridged.items():
        if verdict.blocks:
            layers.setdefault(verdict, []).append(name)
    found = [
        _sentence(stages, f"{'layer' if len(names) == 1 else 'layers'} {', '.join(names)} ", why)
        for why, names in layers.items()
    ]
    return found if crossing.refused is None else [*found, _sentence(stages, "", crossing.refused)]


def _stage_obstacles(crossing: Crossing, config: Config, stages: Sequence[str]) -> list[str]:
    from pipeline.bridge import clustering, pruning
    from pipeline.bridge.qat_plan import plan_quantization

    plain = crossing.crossed
    assert plain is not None
    found = []
    choices = {
        "prune": lambda: pruning.choose_layers(plain, config.prune),
        "cluster": lambda: clustering.choose_layers(plain, config.cluster),
    }
    for stage, choose in choices.items():
        if stage in stages:
            try:
                choose()
            except SlimlineError as error:
                found.append(str(error))
    if "quantize.method: qat" in stages:
        chosen, left = plan_quantization(plain, crossing.graph)
        if not chosen:
            reasons = "; ".join(dict.fromkeys(entry["reason"] for entry in left))
            found.append(
                f"quantize.method: qat: no layer can be trained with quantization ({reasons}); "
                "use quantize.method: ptq"
            )
    return found


def _sentence(stages: Sequence[str], layers: str, verdict: Verdict) -> str:
    fix = f" ({verdict.fix})" if verdict.fix else ""
    return f"{', '.join(stages)}: {layers}{verdict.reason}{fix}"
