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
    assert int8["layer_errors"]["reference"] == "float"
    assert made.source.equalization is not None


def test_layers_of_trained_files_are_measured_against_the_emulation(
    gather: Callable[..., Material],
) -> None:
    made = make_files(gather(method="qat", qat={"epochs": 1, "batch_size": 20}))
    errors = made.files[0]["layer_errors"]
    assert errors["reference"] == "emulation"
    assert {row["layer"] for row in errors["layers"]} == {"hidden", "hidden_2", "logits"}
    # The integers round as the emulation does; where they do not, by a last bit.
    assert min(row["own_sqnr_db"] or 99 for row in errors["layers"]) > 45


def test_a_file_that_loses_too_much_is_refused(gather: Callable[..., Material]) -> None:
    from dataclasses import replace

    material = replace(gather(max_accuracy_drop=0.0), reference=1.5)
    with pytest.raises(PromiseError, match=r"int8 loses 0\.5.*max_accuracy_drop is 0\.0; try meth"):
        make_files(material)
