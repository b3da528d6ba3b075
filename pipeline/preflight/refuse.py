"""What a run asks of a model that is impossible: all of it, before training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.bridge.layer_patterns import unmatched_patterns
from pipeline.errors import ConfigError
from pipeline.preflight.check import check_model
from pipeline.preflight.verdicts import Aspect, Preflight, Remark, listed

if TYPE_CHECKING:
    import keras

    from pipeline.config.schema import Config
    from pipeline.tflite.worker import ConversionWorker

QAT = "quantize.method: qat"


def refuse_impossible(
    model: keras.Model, config: Config, worker: ConversionWorker | None = None
) -> None:
    """Stops a run whose stages cannot all work on a model, naming every obstacle at once.

    Args:
        model: that the chain begins with; it is not changed.
        config: of the run.
        worker: a started converter: the model is then converted as well, which takes seconds
            more; without it, stages behind the bridge are checked alone.

    Raises:
        ConfigError: one line with all obstacles.
    """
    if not asked_of(config)["bridged"] and worker is None and not config.quantize.layers:
        return
    convert = worker is not None
    refuse_found(
        check_model(
            model, prune=config.prune, cluster=config.cluster, worker=worker, convert=convert
        ),
        config,
    )


def refuse_found(preflight: Preflight, config: Config) -> None:
    """Stops a run whose stages cannot all work on a model that was checked.

    Args:
        preflight: of the model that the chain begins with.
        config: of the run.

    Raises:
        ConfigError: one line with all obstacles.
    """
    found = find_impossible(preflight, config)
    if found:
        counted = f"{len(found)} obstacles: " if len(found) > 1 else ""
        raise ConfigError(f"model '{preflight.name}': {counted}{'; '.join(found)}")


def find_impossible(preflight: Preflight, config: Config | None) -> list[str]:
    """Returns every obstacle of what is asked, each with its layers and its fix.

    Args:
        preflight: of the model that the chain begins with.
        config: of the run; None: nothing but a `.tflite` in float32 is asked.
    """
    stages: dict[Aspect, str] = {"exported": "export"} if config is None else asked_of(config)
    found = [
        _sentence(stages[remark.aspect], remark)
        for remark in preflight.obstacles
        if stages.get(remark.aspect)
    ]
    conversion = preflight.conversion
    if not stages.get("exported"):
        return found
    if conversion.state == "fails" and not any(r.aspect == "exported" for r in preflight.obstacles):
        found.append(f"export: {conversion.reason}")
    if config is None:
        return found
    return [*found, *_unknown_layers(preflight, config), *_integer_obstacles(preflight, config)]


def asked_of(config: Config) -> dict[Aspect, str]:
    """Returns which stages of a chain need each aspect; "" where none does."""
    stages = stages_of_first_model(config)
    method = QAT if "quantize" in stages and config.quantize.method == "qat" else ""
    kernels = [name for name in ("prune", "cluster") if name in stages]
    ships = [name for name in ("quantize", "export") if name in stages]
    return {
        "bridged": ", ".join([*kernels, *([method] if method else [])]),
        "pruned": "prune" if "prune" in kernels else "",
        "clustered": "cluster" if "cluster" in kernels else "",
        "qat": method,
        "exported": ", ".join(ships),
    }


def stages_of_first_model(config: Config) -> tuple[str, ...]:
    """Returns the stages that work on the model that the chain begins with.

    Behind `distill` that is export alone: it writes the float file to compare with.
    """
    stages = config.stages
    if "distill" not in stages:
        return stages
    place = stages.index("distill")
    return (*stages[:place], *(name for name in stages[place:] if name == "export"))


def _unknown_layers(preflight: Preflight, config: Config) -> list[str]:
    """Patterns of quantize.layers that match none of the layers."""
    if "quantize" not in stages_of_first_model(config):
        return []
    names = [row.name for row in preflight.rows]
    return unmatched_patterns("quantize", config.quantize.layers, names)


def _integer_obstacles(preflight: Preflight, config: Config) -> list[str]:
    """What stands in the way of integer files; the trial is of int8 after training."""
    if "quantize" not in stages_of_first_model(config) or config.quantize.method == "qat":
        return []
    if "int8" not in config.quantize.schemes:
        return []
    conversion = preflight.conversion
    if conversion.int8 == "refused":
        fix = "leave int8 out"
        if config.quantize.method == "auto":
            fix = "set quantize.method: ptq and another scheme"
        return [f"quantize.schemes: int8: {conversion.int8_reason} ({fix})"]
    if conversion.int8 == "partly_float" and config.quantize.float_operators == "refuse":
        return [
            f"quantize.schemes: int8: {listed(remark.layers)}: {remark.reason} "
            "(set quantize.float_operators: allow)"
            for remark in preflight.remarks
            if remark.aspect == "exported"
        ]
    return []


def _sentence(stages: str, remark: Remark) -> str:
    fix = f" ({remark.fix})" if remark.fix else ""
    return f"{stages}: {listed(remark.layers)}: {remark.reason}{fix}"
