from __future__ import annotations

from typing import Any

import pytest

from pipeline.reporting.headline import build_headline
from tests.reporting.sample_run import evaluate_metrics, make_other_run


def headline(file_only: int = 1, float_only: int = 5, p_value: float = 0.21875) -> dict[str, Any]:
    evaluate = evaluate_metrics()
    int8 = evaluate["files"][2]
    int8["mcnemar"] = {"float_only": float_only, "file_only": file_only, "p_value": p_value}
    built = build_headline(evaluate, "int8.tflite")
    assert built is not None
    return built["smallest"]


def test_smallest_file_against_float() -> None:
    best = headline()
    assert best["file"] == "int8.tflite"
    assert best["difference"] == pytest.approx(-4 / 360)
    assert best["significant"] is False
    assert best["sentence"] == (
        "int8.tflite is 14.9 KB after gzip, 10.4× smaller than the raw float.tflite (154.7 KB; "
        "142.3 KB after gzip), and classifies 97.5 % of the 360 test samples correctly against "
        "98.6 %: 1.1 points lower (95 % interval −2.5 to +0.3, McNemar p = 0.22), not a "
        "significant difference, though a drop of up to 2.5 points is not ruled out."
    )


def test_a_significant_drop_is_called_one() -> None:
    sentence = headline(file_only=2, float_only=20, p_value=0.0001)["sentence"]
    assert "5.0 points lower" in sentence
    assert sentence.endswith("McNemar p < 0.001), a significant drop.")


def test_a_significant_gain_is_called_one() -> None:
    assert headline(20, 2, 0.0001)["sentence"].endswith("a significant gain.")


def test_equal_accuracy_is_not_sold_as_proof() -> None:
    sentence = headline(3, 3, 1.0)["sentence"]
    assert "no difference (95 % interval −1.4 to +1.4" in sentence
    assert "a drop of up to 1.4 points is not ruled out" in sentence


def test_another_file_to_deploy_gets_its_own_sentence() -> None:
    built = build_headline(evaluate_metrics(), "dynamic_range.tflite")
    assert built is not None and built["smallest"]["name"] == "int8"
    assert built["deploy"]["name"] == "dynamic_range"


def test_float_alone_and_nothing_at_all() -> None:
    evaluate = evaluate_metrics()
    evaluate["files"] = evaluate["files"][:1]
    built = build_headline(evaluate, None)
    assert built is not None and built["smallest"]["baseline"] is None
    assert built["smallest"]["sentence"] == (
        "float.tflite is 154.7 KB, 142.3 KB after gzip, and classifies 98.6 % of the 360 test "
        "samples correctly."
    )
    assert build_headline(None, None) is None


def test_regression_is_told_as_an_error_in_its_unit() -> None:
    run = make_other_run("regression")
    built = build_headline(run["stages"][-1]["metrics"], None)
    assert built is not None
    best = built["smallest"]
    assert (best["metric"], best["value"], best["p_value"]) == ("mae", pytest.approx(0.508), None)
    assert best["significant"] is False
    assert best["sentence"].endswith(
        "and is off by 0.508 on average (mean absolute error, in the unit of quality) over the "
        "360 test samples against 0.5: 0.008 more error (95 % interval −0.001 to +0.018), not a "
        "significant difference, though an increase of up to 0.018 is not ruled out."
    )


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [([0.001, 0.02], "a significant increase."), ([-0.02, -0.001], "a significant decrease.")],
)
def test_an_error_that_grows_is_worse(interval: list[float], verdict: str) -> None:
    evaluate = make_other_run("reconstruction")["stages"][-1]["metrics"]
    difference = sum(interval) / 2
    evaluate["files"][2]["paired"] = {"difference": difference, "interval": interval}
    built = build_headline(evaluate, None)
    assert built is not None and built["smallest"]["sentence"].endswith(verdict)
    assert (
        "reconstructs the 360 test samples with a mean squared error of 0.508"
        in (built["smallest"]["sentence"])
    )


def test_labels_are_counted_not_samples() -> None:
    built = build_headline(make_other_run("multi_label")["stages"][-1]["metrics"], None)
    assert built is not None
    assert (
        "gets 97.5 % of the labels of the 360 test samples right" in built["smallest"]["sentence"]
    )


def test_parity_is_told_by_its_size_and_by_equal_answers() -> None:
    details = {"relative_difference": 0.0015, "agreement": 0.95}
    row = {"name": "int8", "file": "int8.tflite", "size_bytes": 10, "gzip_bytes": 8,
           "raw_ratio": 2.0, "gzip_ratio": 2.5, "difference": 0.0004, "details": details,
           "mcnemar": None, "paired": None}  # fmt: skip
    base = {**row, "name": "float", "file": "float.tflite", "size_bytes": 20, "gzip_bytes": 15}
    found = build_headline(
        {"files": [base, row], "split": "test", "samples": 60, "task": "parity",
         "metric": "difference", "higher_is_better": False}, "int8.tflite",
    )  # fmt: skip
    assert found is not None
    assert found["smallest"]["sentence"].endswith(
        "differs from the float model by 0.0004 on average over the 60 test samples, 0.15 % of "
        "the outputs' spread, and gives the same answer on 95.0 % of them."
    )
    assert (found["smallest"]["agreement"], found["smallest"]["difference"]) == (0.95, None)
