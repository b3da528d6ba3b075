"""The files of a single method."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.errors import PromiseError
from pipeline.quantization.made import make_files
from pipeline.quantization.material import Material


def test_layers_of_integer_files_are_measured(gather: Callable[..., Material]) -> None:
    made = make_files(gather(schemes=("int8", "float16"), cross_layer_equalization=True))
    assert [file["name"] for file in made.files] == [path.stem for path in made.paths]
    int8, float16 = made.files
    assert float16["layer_errors"] is None and made.ladder is None
    rows = int8["layer_errors"]["layers"]
    assert {row["layer"] for row in rows} == {"hidden", "hidden_2", "logits"}
    # The float file is that of the equalized weights: its inner tensors are comparable.
    assert min(row["sqnr_db"] for row in rows) > 20
    assert made.source.equalization is not None


def test_a_file_that_loses_too_much_is_refused(gather: Callable[..., Material]) -> None:
    from dataclasses import replace

    material = replace(gather(max_accuracy_drop=0.0), reference=1.5)
    with pytest.raises(PromiseError, match=r"int8 loses 0\.5.*max_accuracy_drop is 0\.0; try meth"):
        make_files(material)
