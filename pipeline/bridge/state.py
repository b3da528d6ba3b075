"""All that a tf_keras training must save to go on bit for bit, as arrays by name."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ArtifactError

if TYPE_CHECKING:
    import tf_keras

    from pipeline.training.averaging import WeightAverage


class TrainingState:
    """The variables of a training: weights, tfmot's own, optimizer, random generators.

    Variables are named by their place in the rebuilt model. tf_keras numbers unnamed layers
    per process, so names alone would differ after a restart; shapes are checked.
    """

    def __init__(
        self,
        model: tf_keras.Model,
        optimizer: Any,
        average: WeightAverage | None = None,
        projections: Sequence[Any] = (),
    ) -> None:
        """Gathers the variables of a model, and of what is trained with it."""
        self.variables: dict[str, Any] = {}
        self._add("model", model.variables)
        self._add("optimizer", optimizer.variables)
        self._add("random", random_states(model))
        if average is not None:
            self._add("average", average.variables)
        self._add("projection", projections)

    def _add(self, kind: str, variables: Sequence[Any]) -> None:
        for number, variable in enumerate(variables):
            self.variables[f"{kind}/{number:04d}"] = variable

    def read(self, kind: str = "") -> dict[str, np.ndarray]:
        """Returns copies of the variables whose name begins with `kind`."""
        return {
            name: np.array(variable.numpy())
            for name, variable in self.variables.items()
            if name.startswith(kind)
        }

    def view(self, more: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Returns all variables by name, and `more`; a variable is read when it is asked for."""
        return _View(self.variables, more)

    def write(self, arrays: Mapping[str, np.ndarray], kind: str = "") -> None:
        """Sets the variables whose name begins with `kind`: all of them, or none.

        Raises:
            ArtifactError: an array is missing or has another shape.
        """
        chosen = {n: variable for n, variable in self.variables.items() if n.startswith(kind)}
        for name, variable in chosen.items():
            if name not in arrays or arrays[name].shape != tuple(variable.shape):
                found = arrays[name].shape if name in arrays else "nothing"
                raise ArtifactError(
                    f"the checkpoint holds {found} for {name}, expected shape "
                    f"{tuple(variable.shape)}; it is of another model: delete the work folder"
                )
        for name, variable in chosen.items():
            variable.assign(arrays[name])


class _View(Mapping[str, np.ndarray]):
    """What variables hold by now, as arrays, and arrays beside them."""

    def __init__(self, variables: Mapping[str, Any], more: Mapping[str, np.ndarray]) -> None:
        self._variables, self._more = variables, more

    def __getitem__(self, name: str) -> np.ndarray:
        if name in self._more:
            return self._more[name]
        return np.asarray(self._variables[name].numpy())

    def __iter__(self) -> Iterator[str]:
        return itertools.chain(self._variables, self._more)

    def __len__(self) -> int:
        return len(self._variables) + len(self._more)


def random_states(model: tf_keras.Model) -> list[Any]:
    """Returns the state variable of each layer that draws random numbers.

    Dropout's generator is not among model.variables (tf_keras 2.21.0); nor are those of a
    BridgeLayer.
    """
    states = []
    for layer in model._flatten_layers():
        states += [generator.state for generator in _own_generators(layer)]
        states += getattr(layer, "seed_states", [])
    return states


def seed_generators(layer: Any, seed: int) -> None:
    """Seeds all that draws random numbers inside of a built tf_keras layer.

    No argument reaches the cell of an LSTM or the Dropout of a MultiHeadAttention, and SimpleRNN
    takes none (tf_keras 2.21.0).
    """
    drawing = [generator for part in layer._flatten_layers() for generator in _own_generators(part)]
    for number, generator in enumerate(drawing):
        generator.reset_from_seed(seed + number)


def _own_generators(layer: Any) -> list[Any]:
    generator = getattr(getattr(layer, "_random_generator", None), "_generator", None)
    return [] if generator is None else [generator]


def last_name(variable: Any) -> str:
    """Returns a tf_keras variable's own name, without its layers: "d/kernel:0" → "kernel"."""
    return str(variable.name).split("/")[-1].split(":")[0]
