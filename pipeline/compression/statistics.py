"""Statistics that compare models: intervals, paired tests, differences of outputs."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipeline.errors import DataError, PromiseError

Z_95 = 1.959963984540054


@dataclass(frozen=True)
class McNemar:
    """A paired comparison of two classifiers on the same samples.

    Attributes:
        first_only: samples that only the first has right.
        second_only: samples that only the second has right.
        p_value: two-sided, exact, in (0, 1].
    """

    first_only: int
    second_only: int
    p_value: float


@dataclass(frozen=True)
class Differences:
    """How far outputs lie from reference outputs.

    Attributes:
        samples: number of rows compared.
        max_difference: largest absolute difference divided by the spread.
        mean_difference: mean absolute difference divided by the spread.
        spread: of the reference; see `output_spread`, in the unit of the outputs.
    """

    samples: int
    max_difference: float
    mean_difference: float
    spread: float

    def to_json(self) -> dict[str, Any]:
        """Returns the figures under their names."""
        return asdict(self)


def accuracy_interval(correct: int, samples: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson, JASA 22, 1927), 95 % by default.

        (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n)

    Args:
        correct: successes, in [0, samples].
        samples: trials n, at least 1.
        z: quantile of the normal distribution.

    Returns:
        Lower and upper bound, in [0, 1].

    Raises:
        DataError: there are no samples, or more successes than samples.
    """
    if samples < 1 or not 0 <= correct <= samples:
        raise DataError(f"{correct} of {samples} samples correct: expected 0 ≤ correct ≤ samples")
    rate = correct / samples
    centre = rate + z * z / (2 * samples)
    half = z * math.sqrt(rate * (1 - rate) / samples + z * z / (4 * samples * samples))
    divisor = 1 + z * z / samples
    # At the ends one bound is 0 or 1 exactly; rounding must not leave 1e-17 or 1.0000000002.
    low = 0.0 if correct == 0 else (centre - half) / divisor
    high = 1.0 if correct == samples else (centre + half) / divisor
    return low, high


def mcnemar(first_correct: np.ndarray, second_correct: np.ndarray) -> McNemar:
    """McNemar's test in its exact form: a two-sided binomial test with probability 1/2.

    With b and c the samples that only one of the two has right, n = b + c and k = min(b, c):
    p = min(1, 2 · Σ_{i≤k} C(n, i) / 2ⁿ). (McNemar, Psychometrika 12, 1947.)

    Args:
        first_correct: bool (n,), the first model's answers right or wrong.
        second_correct: bool (n,), the second's on the same samples.

    Raises:
        DataError: the two do not have the same shape.
    """
    first, second = np.asarray(first_correct, bool), np.asarray(second_correct, bool)
    _require_same_shape(first, second)
    first_only = int(np.count_nonzero(first & ~second))
    second_only = int(np.count_nonzero(second & ~first))
    return McNemar(first_only, second_only, _binomial_two_sided(first_only, second_only))


def _binomial_two_sided(first: int, second: int) -> float:
    """Exact in integers, so that thousands of discordant samples neither under- nor overflow."""
    count, term, total = first + second, 1, 0
    for index in range(min(first, second) + 1):
        total += term
        term = term * (count - index) // (index + 1)
    return min(1.0, 2 * total / (1 << count))


def output_spread(reference: np.ndarray) -> float:
    """The spread of outputs over samples: root mean over outputs of their variances.

    A standard deviation, because max − min grows with the number of samples; over the samples,
    because outputs that differ between classes but not between inputs carry no signal.

    Args:
        reference: (n, …), n samples.

    Returns:
        √(mean_j var_i(z_ij)) in the unit of the outputs.
    """
    values = np.asarray(reference, np.float64).reshape(len(reference), -1)
    return float(np.sqrt(np.mean(np.var(values, axis=0))))


def compare(reference: np.ndarray, outputs: np.ndarray) -> Differences:
    """Compares outputs with reference outputs of the same samples.

    Args:
        reference: (n, classes), n ≥ 2.
        outputs: the same shape.

    Returns:
        Differences relative to the reference's spread.

    Raises:
        DataError: shapes differ, or a value is not finite.
        PromiseError: the reference is the same for every sample, so that nothing is proved.
    """
    reference, outputs = np.asarray(reference, np.float64), np.asarray(outputs, np.float64)
    _require_same_shape(reference, outputs)
    for name, values in (("reference outputs", reference), ("outputs", outputs)):
        if not np.isfinite(values).all():
            raise DataError(f"the {name} hold NaN or infinity: expected finite numbers")
    spread = output_spread(reference) if len(reference) else 0.0
    if spread == 0.0:
        raise PromiseError(
            f"the reference outputs of {len(reference)} samples do not differ from each other, "
            "so agreement with them proves nothing: give more samples or check the model"
        )
    difference = np.abs(outputs - reference)
    return Differences(
        samples=len(reference),
        max_difference=float(difference.max() / spread),
        mean_difference=float(difference.mean() / spread),
        spread=spread,
    )


def _require_same_shape(first: np.ndarray, second: np.ndarray) -> None:
    if first.shape != second.shape:
        raise DataError(f"shapes {first.shape} and {second.shape}: expected the same shape")
