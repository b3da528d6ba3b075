"""One file of a quantization."""

from __future__ import annotations

from pipeline.quantization.one_file import file_notes


def test_what_stays_in_float_is_told() -> None:
    rows = [{"operator": name, "count": 2, "tensors": []} for name in ("ELU", "MUL")]
    files = [
        {
            "name": "int8",
            "float_operators": rows,
            "layers": [
                {"operator": "MUL", "scheme": "float32"},
                {"operator": "ELU", "scheme": "int8"},
            ],
            "wider_weights": None,
            "uncorrected": ["A", "B"],
        },
        {
            "name": "int4",
            "float_operators": [],
            "layers": [],
            "wider_weights": "1 of 3 kernels in int8",
            "uncorrected": [],
        },
    ]
    assert file_notes(files) == [
        "int4: 1 of 3 kernels in int8",
        "int8: MUL × 2 in float32, as quantize.layers says",
        "int8: ELU × 2 in float32, which has no integer kernel",
        "int8: bias not corrected: A; B",
    ]
