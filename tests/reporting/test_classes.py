from __future__ import annotations

import pytest

from pipeline.reporting.class_charts import MAX_ROWS, draw_classes
from pipeline.reporting.classes import build_classes
from tests.reporting.sample_run import OTHER_TASKS, evaluate_metrics

TASK = {"name": "classification", "class_names": list("0123456789")}


def test_recall_from_float_to_the_shipped_file() -> None:
    found = build_classes(TASK, evaluate_metrics()["files"], "int8.tflite")
    assert found is not None
    assert (found["figure"], found["before"], found["after"]) == ("recall", "float", "int8")
    # 36 nines in the test split: float takes 5 of them for fours, int8 9.
    nine = found["rows"][9]
    assert nine["support"] == 36
    assert (nine["before"], nine["after"]) == (pytest.approx(31 / 36), pytest.approx(27 / 36))
    assert nine["change"] == pytest.approx(-4 / 36)
    assert [one["name"] for one in found["confusions"]] == ["float", "int8"]


def test_a_float_file_alone_has_nothing_before_it() -> None:
    found = build_classes(TASK, evaluate_metrics()["files"][:1], "float.tflite")
    assert found is not None and found["before"] is None
    assert found["rows"][0]["change"] is None and len(found["confusions"]) == 1


def test_labels_are_told_by_f1() -> None:
    details = OTHER_TASKS["multi_label"][2]
    files = [{"name": "float", "file": "float.tflite", "details": details}]
    found = build_classes({"name": "multi_label", "class_names": ["red", "round"]}, files, None)
    assert found is not None and found["figure"] == "f1"
    assert [row["after"] for row in found["rows"]] == [0.847, None]
    assert found["rows"][0]["support"] is None and found["confusions"] == []


@pytest.mark.parametrize("task", ["regression", "reconstruction"])
def test_numbers_have_no_classes(task: str) -> None:
    files = [{"name": "float", "file": "f", "details": OTHER_TASKS[task][2]}]
    assert build_classes({"name": task, "class_names": []}, files, None) is None
    assert build_classes(TASK, [], None) is None


def test_of_very_many_classes_the_most_changed_are_drawn() -> None:
    rows = [
        {"name": f"c{i}", "support": 5, "before": 0.5, "after": 0.5 + i / 400, "change": i / 400}
        for i in range(100)
    ]
    drawn = draw_classes(
        {"figure": "recall", "before": "float", "after": "int8", "rows": rows, "confusions": []}
    )
    assert drawn["change"].count('class="rowname"') == MAX_ROWS
    assert ">c99</text>" in drawn["change"] and ">c5</text>" not in drawn["change"]
