from __future__ import annotations

import json

import pytest

from pipeline.errors import ConfigError
from pipeline.reporting.comparison import (
    build_comparison,
    find_differences,
    find_warnings,
    flatten,
)
from pipeline.reporting.comparison_html import render_comparison
from pipeline.reporting.comparison_table import format_comparison, show_setting
from tests.reporting.sample_comparison import sample_run, sample_runs
from tests.reporting.sample_run import make_other_run, make_run
from tests.reporting.test_html import Page


def test_only_what_differs_is_told() -> None:
    found = build_comparison(sample_runs())
    assert found["differences"] == [
        {"path": "train.epochs", "values": [40, 60]},
        {"path": "prune.final_sparsity", "values": [None, 0.9]},
    ]
    assert [(row["letter"], row["name"]) for row in found["files"]] == [
        (letter, name) for letter in "AB" for name in ("float", "pruned", "int8", "dynamic_range")
    ]
    assert [row["deploy"] for row in found["files"]] == [False, False, True, False] * 2
    assert [entry["stage"] for entry in found["training"]] == [
        "train", "tune", "narrow", "prune", "cluster", "quantize",
    ]  # fmt: skip
    assert all(len(entry["curves"]) == 2 for entry in found["training"])
    assert found["warnings"] == [] and "details" not in found["files"][0]
    json.dumps(found, allow_nan=False)


def test_sections_of_stages_that_a_run_lacks_do_not_differ() -> None:
    both = {"stages": ["train", "prune"], "prune": {"epochs": 2}, "tune": {"epochs": 1}}
    without = {"stages": ["train"], "prune": {"epochs": 9}, "tune": {"epochs": 7}}
    assert find_differences([both, without]) == [
        {"path": "stages", "values": [["train", "prune"], ["train"]]}
    ]
    third = {**both, "prune": {"epochs": 3}}
    assert find_differences([both, without, third])[1] == {
        "path": "prune.epochs", "values": [2, None, 3],
    }  # fmt: skip


def test_flatten() -> None:
    assert flatten({"a": {"b": 1, "c": [1, 2]}, "d": {}}) == {"a.b": 1, "a.c": [1, 2], "d": {}}


def test_other_tasks_and_other_data_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"'b' is regression \(mae\); only runs of one task"):
        build_comparison([sample_run("a"), sample_run("b", make_other_run("regression"))])
    other = make_run()
    other["stages"][0]["metrics"]["input_shape"] = [28, 28, 1]
    with pytest.raises(ConfigError, match=r"samples of shape \[8, 8, 1\], run 'b' \[28, 28, 1\]"):
        build_comparison([sample_run("a"), sample_run("b", other)])


def test_other_digests_hosts_and_unevaluated_runs_are_warned_of() -> None:
    other = make_run(("data", "train"))
    other["stages"][0]["metrics"]["digest"] = "0" * 64
    other["host"] = {"cpu": "another"}
    first, second, third = find_warnings([sample_run("a"), sample_run("b", other)])
    assert "not comparable" in first and "different processors" in second
    assert third == "'b' has no evaluated files: run its chain up to evaluate"
    found = build_comparison([sample_run("a"), sample_run("b", other)])
    assert {row["run"] for row in found["files"]} == {"a"}
    assert Page(render_comparison(found)).open == []


def test_table_in_the_terminal() -> None:
    text = format_comparison(build_comparison(sample_runs()))
    assert "train.epochs          40  60" in text
    assert "prune.final_sparsity  –   0.9" in text
    assert "B int8*          97.5 % [95.3–98.7]   43.2 KB   14.9 KB" in text
    assert max(map(len, text.splitlines())) <= 100


def test_settings_in_few_words() -> None:
    assert show_setting([0.5, "int8", None]) == "[0.5, int8, –]"
    assert show_setting({}) == "{}" and show_setting({"a": True}) == "a: yes"
    assert show_setting(12000) == "12000"


def test_same_configurations_say_so() -> None:
    found = build_comparison([sample_run("a"), sample_run("b")])
    assert found["differences"] == []
    assert "the configurations do not differ" in format_comparison(found)
    assert "Nothing but the runs' names." in render_comparison(found)


def test_page_has_every_part_and_escapes() -> None:
    runs = [sample_run("a", model__name="<b>x"), sample_run("b")]
    page = Page(render_comparison(build_comparison(runs)))
    assert page.open == [] and "b" not in page.tags and "<b>x" in page.text
    for text in ("Size against accuracy", "slimline run configs/a.yaml", "First training"):
        assert text in page.text
