from __future__ import annotations

import json
import re
import subprocess
import zlib
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pipeline.reporting.comparison import build_comparison
from pipeline.reporting.comparison_html import render_comparison
from pipeline.reporting.html import (
    SECTIONS,
    TEMPLATES,
    breakable,
    count_dtypes,
    describe_spread,
    format_factor,
    format_moment,
    render_report,
    unbroken,
)
from pipeline.reporting.report_json import build_report
from tests.reporting.conftest import Browse
from tests.reporting.sample_comparison import sample_runs
from tests.reporting.sample_run import ALL_STAGES, OTHER_TASKS, make_other_run, make_run

SCRIPT = "<script>document.title='owned'</script>"
IMAGE = '"><img src=x onerror="document.title=\'owned\'">'
VOID = {"meta", "link", "wbr", "img", "br", "path", "line", "circle", "rect"}


class Page(HTMLParser):
    """Collects tags, checks that they nest, and keeps the visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def render(*stages: str) -> str:
    return render_report(build_report(make_run(stages) if stages else make_run()))


def hostile_html() -> str:
    run = make_run(
        ("load", *ALL_STAGES),
        name=SCRIPT,
        config_text=f"# {SCRIPT}",
        commands=[f"slimline run {IMAGE}"],
    )
    metrics = {entry["stage"]: entry["metrics"] for entry in run["stages"]}
    metrics["data"]["class_names"] = [SCRIPT, IMAGE, *"23456789"]
    metrics["tune"]["trials"][2]["error"] = IMAGE
    metrics["tune"]["trials"][0]["hyperparameters"][f"model.{IMAGE}"] = SCRIPT
    metrics["prune"]["layers"][0]["layer"] = IMAGE
    checked = metrics["load"]["preflight"]
    checked["layers"][0]["name"] = checked["layers"][0]["class"] = checked["name"] = IMAGE
    checked["remarks"][0] |= {"layers": [IMAGE], "reason": SCRIPT, "fix": SCRIPT}
    checked["plan"][0] = checked["answers"]["output_source"] = SCRIPT
    checked["inputs"][0]["name"] = IMAGE
    metrics["prune"]["skipped"][0]["reason"] = SCRIPT
    metrics["evaluate"]["files"][1]["name"] = IMAGE
    run["versions"][SCRIPT] = IMAGE
    return render_report(build_report(run))


def section_ids(html: str) -> list[str]:
    return re.findall(r'<section id="(\w+)">', html)


def test_full_report_has_every_section_and_nests() -> None:
    html = render("load", *ALL_STAGES[:3], "distill", *ALL_STAGES[3:])
    page = Page(html)
    assert page.open == []
    assert section_ids(html) == [anchor for anchor, _, _ in SECTIONS]
    for text in ("97.5\u00a0%", "not a significant difference", "the loss was nan at step 31",
                 "2 samples are in two splits", "TFLite has no operator Erfinv", "as itself",
                 "slimline run configs/digits.yaml"):  # fmt: skip
        assert text in page.text


def test_values_asked_and_found_stand_side_by_side() -> None:
    text = Page(render()).text
    assert "30,490 weights that were zero before still are" in text
    assert "hidden_dense" + "512 × 64" + "32,768" + "32" + "31" + "26,214" in text


def test_the_layer_with_the_most_noise_is_named() -> None:
    page = Page(render())
    assert "on 32 validation samples; 6\u00a0dB are one bit. hidden_dense stands out" in page.text
    assert "hidden_dense" + "relu_3" + "24.1" + "21.3" in page.text


def test_a_trained_file_that_answers_as_its_emulation_is_told_so() -> None:
    report = build_report(make_run())
    errors = report["quantization"]["files"][0]["layer_errors"]
    errors |= {"reference": "emulation", "outlier": None}
    for row in errors["layers"]:
        row["own_sqnr_db"] = None
    text = Page(render_report(report)).text
    assert "the emulation that it was trained with" in text
    assert "No layer has noise of its own." in text


def test_every_rung_of_the_ladder_is_told() -> None:
    text = Page(render()).text
    assert "until the file kept max_accuracy_drop 0.01" in text
    for row in ("post-training int8ranges from least to largest value3.05\u00a0%43.2\u00a0KB",
                "passed over: the TFLite converter refuses it",
                "quantization-aware training10 epochs0.55\u00a0%"):  # fmt: skip
        assert row in text


def test_a_latency_that_was_the_target_is_told_with_all_that_was_tried() -> None:
    html = render("data", "train", "narrow", "export", "evaluate")
    section = html.partition('id="channels"')[2].partition("</section>")[0].replace("\xa0", " ")
    for text in ("59.5 %", "2.38 of 4 ms", "tflite-micro 0.1", "a processor", "57.5 %", "10.0 %"):
        assert text in section


def test_layers_with_a_scheme_of_their_own_are_told() -> None:
    text = Page(render()).text
    assert "Layers with a scheme of their own, dynamic_range" in text
    assert "conv_1, relu_1int16x8CONV_2Dint8" in text


def test_the_bits_of_each_layer_are_told() -> None:
    report = build_report(make_run())
    choices = [
        {"scheme": "int8", "loss_rise": 0.0, "saved_gzip_bytes": 0},
        {"scheme": "int4", "loss_rise": 0.25, "saved_gzip_bytes": 1087},
    ]
    report["quantization"]["files"][0]["mixed_precision"] = {
        "budget": {"max_gzip_bytes": 8000}, "activations": "float32", "split": "validation",
        "samples": 270, "reference": {"loss": 0.03, "gzip_bytes": 9506}, "steps": 1,
        "layers": [{"layer": "conv_1", "scheme": "int4", "choices": choices}],
        "tried": [{"step": 1, "gzip_bytes": 7657, "accuracy_drop": 0.01}],
    }  # fmt: skip
    html = render_report(report)
    assert Page(html).open == []
    text = Page(html).text
    assert "conv_1int4int40.251,087" in text
    assert "under a budget of max_gzip_bytes 8000; activations in float32" in text
    assert "7,657 bytes, drop 1.0" in text
    assert "Sensitivity of each layer to fewer bits, int8" in html


def test_a_student_stands_beside_its_teacher() -> None:
    html = render("data", "train", "distill", "export", "evaluate")
    assert Page(html).open == []
    section = html.partition('id="distillation"')[2].partition("</section>")[0]
    assert "temperature 4" in section and "architecture mlp, units [16]" in section
    assert "inner layers of the teacher (cosine, weight 2): dense_" in section
    for text in ("30,154", "98.6 %", "1,210", "96.9 %"):
        assert text in section


@pytest.mark.parametrize(
    ("stages", "absent"),
    [
        (
            ("data", "train", "export", "evaluate"),
            {"trials", "channels", "sparsity", "clusters", "quantization"},
        ),
        (
            ("data", "train", "prune", "export", "evaluate"),
            {"trials", "channels", "clusters", "quantization"},
        ),
        (
            ("data", "train"),
            {
                "files",
                "classes",
                "trials",
                "channels",
                "sparsity",
                "clusters",
                "weights",
                "quantization",
            },
        ),
        (
            ("data",),
            {
                "files",
                "classes",
                "training",
                "trials",
                "channels",
                "sparsity",
                "clusters",
                "weights",
                "quantization",
            },
        ),
    ],
)
def test_sections_of_absent_stages_are_left_out(stages: tuple[str, ...], absent: set[str]) -> None:
    html = render(*stages)
    assert Page(html).open == []
    assert set(section_ids(html)) == {anchor for anchor, _, _ in SECTIONS} - absent - {
        "preflight", "distillation",
    }  # fmt: skip
    assert not re.search(rf'href="#({"|".join(absent)})"', html)


@pytest.mark.parametrize(
    ("task", "texts"),
    [
        ("binary", ("AUC", "Confusions, int8", "Recall of all 2 classes")),
        ("multi_label", ("F1, micro", "F1 of all 2 labels", "positives")),
        ("regression", ("mae [95 %]", "RMSE", "R²", "in the unit of quality (lower is better)",
                        "1 number to predict (quality)", "against float")),
        ("reconstruction", ("mse [95 %]", "PSNR in dB", "the answer is the sample itself")),
    ],
)  # fmt: skip
def test_other_tasks_read_in_their_own_words(task: str, texts: tuple[str, ...]) -> None:
    page = Page(render_report(build_report(make_other_run(task))))
    assert page.open == []
    for text in texts:
        assert text in page.text
    if OTHER_TASKS[task][0] != "accuracy":
        assert "accuracy" not in page.text.replace("val_accuracy", "")


def test_importance_names_its_method_and_its_limits() -> None:
    text = " ".join(Page(render()).text.split())
    assert "Method: first-order functional ANOVA of a random forest" in text
    assert "over 9 trials" in text and "9 trials are few" in text
    reason = "it takes at least 8 trials with a score"
    run = make_run(importance={"reason": reason, "trials": 3, "shares": []})
    text = " ".join(Page(render_report(build_report(run))).text.split())
    assert "is not told: it takes at least 8 trials with a score; there were 3." in text


def test_confusions_of_very_many_classes_are_left_to_recall() -> None:
    run = make_run()
    evaluate = run["stages"][-1]["metrics"]
    evaluate["class_names"] = [f"c{i}" for i in range(150)]
    for row in evaluate["files"]:
        row["details"] = {"confusion": None, "recall": [0.5] * 150, "precision": [0.5] * 150}
    text = Page(render_report(build_report(run))).text
    assert "A matrix of 150 × 150 classes would not be readable" in text
    assert "Recall of all 150 classes" in text


def test_a_run_from_before_there_were_tasks_is_still_shown() -> None:
    run = make_run(("data", "train", "export", "evaluate"))
    for key in ("kernels", "importance"):
        del run[key]
    metrics = {entry["stage"]: entry["metrics"] for entry in run["stages"]}
    del metrics["data"]["task"]
    for key in ("task", "metric", "higher_is_better", "class_names"):
        del metrics["evaluate"][key]
    for row in metrics["evaluate"]["files"]:
        del row["details"], row["paired"]
    page = Page(render_report(build_report(run)))
    assert page.open == [] and "98.6" in page.text


def test_report_read_back_from_json_renders_the_same() -> None:
    report = build_report(make_run())
    assert render_report(json.loads(json.dumps(report))) == render_report(report)


def test_nothing_is_fetched_and_nothing_runs() -> None:
    page = Page(render())
    assert "script" not in page.tags and "iframe" not in page.tags
    targets = [value or "" for name, value in page.attributes if name in ("src", "href")]
    assert all(target.startswith("#") or target == "data:," for target in targets)
    policy = next(value for name, value in page.attributes if name == "content" and "src" in value)
    assert policy.startswith("default-src 'none'")
    css = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    assert "url(" not in css and "@import" not in css


def test_hostile_names_stay_text() -> None:
    html = hostile_html()
    page = Page(html)
    assert page.open == []
    assert "script" not in page.tags and "img" not in page.tags
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert page.text.count("<script>document.title='owned'</script>") >= 4


def test_many_trials_fold_away_and_many_classes_are_summed_up() -> None:
    run = make_run()
    data, tune = run["stages"][0]["metrics"], run["stages"][2]["metrics"]
    data["class_names"] = [f"class {index}" for index in range(100)]
    data["class_counts"] = {split: [5, *[7] * 99] for split in data["class_counts"]}
    tune["trials"] = [{**tune["trials"][1], "trial": f"{index:04d}"} for index in range(40)]
    text = Page(render_report(build_report(run))).text
    assert "The other 28 trials" in text
    assert "5 to 7 samples per class" in text and "class 99" not in text


def test_duplicates_within_a_split_are_no_warning() -> None:
    run = make_run(("data",))
    run["stages"][0]["metrics"]["duplicates"] = {"train": 3, "train/test": 0}
    page = Page(render_report(build_report(run)))
    assert "3 samples of train repeat another of the same split" in page.text
    assert "No sample is in two splits" in page.text
    assert ("class", "warning") not in page.attributes


def test_small_helpers() -> None:
    assert breakable("a.b/<c>") == "a.<wbr>b/<wbr>&lt;c&gt;"
    assert unbroken("12.1 KB, 98.5 % of 3 files") == "12.1\u00a0KB, 98.5\u00a0% of 3 files"
    assert describe_spread([36, 34, 37]) == "34 to 37" and describe_spread([20, 20]) == "20"
    assert format_factor(0.0625) == "0.0625"
    assert format_factor([0.5, 1.0, 2.0, 0.25]) == "(4 values from 0.25 to 2)"
    assert format_moment("2026-11-21T05:20:31+00:00") == "2026-11-21 05:20 UTC"
    assert format_moment("yesterday") == "yesterday"
    assert count_dtypes([{"dtype": "int8"}, {"dtype": "int32"}, {"dtype": "int8"}]) == (
        "int8 × 2, int32 × 1"
    )


def console_lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def first_pixel(png: bytes) -> tuple[int, int, int]:
    """Colour of the corner: its bytes come first and no PNG filter changes them."""
    data, place = b"", 8
    while place < len(png):
        length, kind = int.from_bytes(png[place : place + 4], "big"), png[place + 4 : place + 8]
        data += png[place + 8 : place + 8 + length] if kind == b"IDAT" else b""
        place += 12 + length
    red, green, blue = zlib.decompress(data)[1:4]
    return red, green, blue


@pytest.mark.parametrize(("scheme", "paper"), [(1, (255, 255, 255)), (0, (20, 23, 28))])
def test_browser_shows_it_light_and_dark(
    browse: Browse, tmp_path: Path, scheme: int, paper: tuple[int, int, int]
) -> None:
    picture = tmp_path / "page.png"
    done = browse(
        render(), f"--blink-settings=preferredColorScheme={scheme}", "--window-size=1280,900",
        f"--screenshot={picture}",
    )  # fmt: skip
    assert console_lines(done) == []
    assert first_pixel(picture.read_bytes()) == paper


def test_browser_shows_no_page_wider_than_a_phone(browse: Browse) -> None:
    """In frames of 320 pixels: a page that were wider would scroll sideways as a whole."""
    pages = [
        render(),
        render_report(build_report(make_other_run("regression"))),
        render_comparison(build_comparison(sample_runs())),
    ]
    frames = "".join(
        f'<iframe width="320" height="900" srcdoc="{escape(p)}"></iframe>' for p in pages
    )
    script = """<script>addEventListener("load", () => {
        document.title = Array.from(document.querySelectorAll("iframe"),
            one => one.contentDocument.documentElement.scrollWidth).join(" ")
    })</script>"""
    done = browse(f"<!DOCTYPE html><title>?</title>{frames}{script}", "--dump-dom")
    assert console_lines(done) == []
    title = re.search("<title>([^<]*)</title>", done.stdout)
    assert title is not None and title[1] == "320 320 320"


def test_browser_runs_nothing_of_a_hostile_report(browse: Browse) -> None:
    done = browse(hostile_html(), "--dump-dom")
    assert console_lines(done) == []
    assert re.search(r"<title>&lt;script&gt;document\.title='owned'", done.stdout)
    assert "<title>owned" not in done.stdout


def test_browser_check_notices_a_script(browse: Browse) -> None:
    """The control: the page's policy blocks a script that got in, and the console says so."""
    done = browse(render().replace("<main>", f"<main>{SCRIPT}"), "--dump-dom")
    assert console_lines(done) != []
    assert "<title>owned" not in done.stdout


def test_types_of_inputs_and_outputs_are_shown() -> None:
    page = render_report(build_report(make_run()))
    assert "<td>int8 → int8</td>" in page
    assert "<td>float32 → float32</td>" in page


@pytest.mark.parametrize(
    ("pattern", "counts", "words"),
    [
        (
            {"block_size": [4, 1]},
            {"blocks": 10, "zero_blocks": 8},
            "whole blocks of 4 × 1 (inputs × outputs): 32 of 40 blocks.",
        ),
        (
            {"sparsity_m_by_n": [2, 4]},
            {"groups": 10},
            "Of every 4 weights in a row along the inputs at least 2 are zero: 40 groups.",
        ),
    ],
)
def test_a_pattern_of_zeros_is_told_with_its_counts(
    pattern: dict[str, Any], counts: dict[str, int], words: str
) -> None:
    run = make_run()
    pruned = next(stage for stage in run["stages"] if stage["stage"] == "prune")["metrics"]
    pruned |= pattern
    pruned["layers"] = [{**layer, **counts} for layer in pruned["layers"]]
    html = render_report(build_report(run))
    assert words in html and "no file gets faster" in html
    assert words not in render()
