"""The same functions as Keras's own, to the last digits, far from 0 too.

That their operators have integer kernels is in test_layer_matrix.py.
"""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.bridge.integer_forms import ACTIVATION_FORMS, OPERATION_FORMS, standardize

X = np.concatenate([np.linspace(-6, 6, 101), [-80.0, 0.0, 80.0]]).astype(np.float32)


@pytest.mark.parametrize("name", sorted(ACTIVATION_FORMS))
def test_activations(name: str) -> None:
    import keras

    own = getattr(keras.activations, name)
    np.testing.assert_allclose(ACTIVATION_FORMS[name](X), own(X), atol=2e-6)


@pytest.mark.parametrize("name", ["elu", "celu"])
def test_alpha(name: str) -> None:
    import keras

    own = getattr(keras.ops, name)
    np.testing.assert_allclose(ACTIVATION_FORMS[name](X, 0.3), own(X, 0.3), atol=2e-6)


def test_operations_have_the_forms_of_their_activations() -> None:
    import keras

    for name, form in OPERATION_FORMS.items():
        operation = getattr(keras.src.ops.nn, name)()
        np.testing.assert_allclose(form(X), operation.call(X), atol=2e-6)


def test_standardize_by_hand() -> None:
    # Mean 2, variance (1 + 1) / 2 = 1; squares (1 + 9) / 2 = 5.
    x = np.array([[1.0, 3.0]], np.float32)
    np.testing.assert_allclose(standardize(x, [-1], 0.0), [[-1.0, 1.0]], atol=1e-6)
    np.testing.assert_allclose(standardize(x, [-1], 3.0), [[-0.5, 0.5]], atol=1e-6)
    expected = [[1 / 5**0.5, 3 / 5**0.5]]
    np.testing.assert_allclose(standardize(x, [-1], 0.0, False), expected, atol=1e-6)
