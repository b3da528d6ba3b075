from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.config.data import DataConfig
from pipeline.data.encodings import fit_encoding, load_encoding
from pipeline.data.table import Table


def test_samples_that_are_numbers_have_none() -> None:
    for kind in ("array", "tokens", "images"):
        assert fit_encoding(kind, DataConfig(), np.zeros((2, 3)), np.arange(2)) is None
    assert load_encoding(None) is None
    assert load_encoding({"kind": "images", "size": [8, 8]}) is None
    assert load_encoding({"kind": "tokens", "tokens": 9}) is None


def test_what_was_fitted_comes_back() -> None:
    config = DataConfig(
        source="csv", path=Path("a.csv"), csv={"target": "y", "min_category_count": 1}
    )
    table = Table(
        {"size": np.array(["1", "2", "9"], object), "color": np.array(["r", "b", "r"], object)}
    )
    rows = np.arange(2)
    texts = np.array(["good day", "bad day", "unseen"], object)
    for kind, samples in (("table", table), ("text", texts)):
        encoding = fit_encoding(kind, config, samples, rows)
        assert encoding is not None
        again = load_encoding(encoding.to_json())
        assert again is not None
        np.testing.assert_array_equal(again.apply(samples), encoding.apply(samples))
        np.testing.assert_array_equal(again.apply(samples, rows), encoding.apply(samples)[:2])
