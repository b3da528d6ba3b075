"""An archive that Python's zipfile cannot unpack is refused in one line."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.errors import UntrustedModelError
from pipeline.models.weights_npz import npz_layers


def test_a_member_that_claims_to_be_encrypted(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **{"dense/kernel": np.zeros(3)})
    content = bytearray(path.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(header) + flags] |= 1
    path.write_bytes(content)
    layer = SimpleNamespace(name="dense", weights=[SimpleNamespace(name="kernel")])
    with (
        pytest.raises(UntrustedModelError, match=r"not a whole \.npz file \(.*encrypted"),
        npz_layers(path, [layer]),
    ):
        pass
