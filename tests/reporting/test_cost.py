from __future__ import annotations

from pipeline.reporting.cost import MODEL_LABELS, build_stages
from pipeline.reporting.metric import Metric
from pipeline.reporting.report_json import build_report
from pipeline.stages.table import STAGES
from tests.reporting.sample_run import make_run


def test_labels_are_those_of_the_stages() -> None:
    labels = {name: stage.label for name, stage in STAGES.items() if stage.label is not None}
    assert labels == MODEL_LABELS


def test_what_each_stage_made_and_gained() -> None:
    made = {entry["stage"]: entry["made"] for entry in build_report(make_run())["stages"]}
    assert made["data"] == made["export"] == made["evaluate"] == []
    # tune's model is the one in float.tflite, so train's bytes are not known.
    assert made["train"][0]["size_bytes"] is None and made["train"][0]["before"] is None
    prune = made["prune"][0]
    assert (prune["name"], prune["size_bytes"], prune["gzip_bytes"]) == ("pruned", 154660, 41870)
    assert [file["name"] for file in made["quantize"]] == ["int8", "dynamic_range"]
    assert [round(file["gain"], 4) for file in made["quantize"]] == [-0.0027, 0.0]
    assert {file["before"] for file in made["quantize"]} == {0.9833}


def test_without_tune_train_made_the_float_file() -> None:
    stages = build_report(make_run(("data", "train", "export", "evaluate")))["stages"]
    assert stages[1]["made"][0]["size_bytes"] == 154660


def test_a_smaller_error_is_a_gain() -> None:
    entries = [{"stage": name, "key": "", "digest": "", "seconds": 1.0, "cached": False}
               for name in ("train", "prune")]  # fmt: skip
    metrics = {"train": {"validation": {"mae": 0.5}}, "prune": {"validation": {"mae": 0.4}}}
    rows = build_stages(entries, metrics, Metric("mae", False, 1, "regression"))
    assert round(rows[1]["made"][0]["gain"], 6) == 0.1
