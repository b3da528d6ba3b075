"""Grid search as a keras-tuner oracle: every point once, in a fixed order.

keras-tuner's own grid waits for a trial to end before it knows the next (1.4.8), which leaves
workers idle and its order to chance.
"""

from __future__ import annotations

import functools
from typing import Any

from pipeline.tuning.keras_space import encode_all
from pipeline.tuning.parameters import Parameter, points


def grid_oracle(parameters: list[Parameter], **settings: Any) -> Any:
    """Makes the oracle.

    Args:
        parameters: each with a finite number of values.
        settings: of keras_tuner.Oracle.
    """
    oracle = _oracle_class()(**settings)
    oracle.left = (encode_all(parameters, drawn) for drawn in points(parameters))
    return oracle


@functools.cache
def _oracle_class() -> Any:
    import keras_tuner

    base: Any = keras_tuner.Oracle

    class GridOracle(base):
        """Proposes what is left of the grid."""

        def populate_space(self, trial_id: str) -> dict[str, Any]:
            """Returns the next point; keras-tuner's contract of an oracle."""
            values = next(self.left, None)
            return {"status": "STOPPED" if values is None else "RUNNING", "values": values}

    return GridOracle
