from __future__ import annotations

from pipeline.reporting.tables import (
    evaluation_table,
    format_score,
    format_table,
    plan_table,
    sizes_table,
    sort_trials,
    text_width,
    trials_table,
)
from tests.reporting.sample_run import evaluate_metrics, make_other_run, tune_metrics


def test_format_table_aligns() -> None:
    assert format_table(("name", "n"), [("a", 1), ("long", 200)], "lr") == (
        "name    n\n────  ───\na       1\nlong  200"
    )


def test_texts_shrink_and_figures_do_not() -> None:
    table = format_table(("name", "n"), [("x" * 60, "1234567890")], "lr", max_width=30)
    assert [text_width(line) for line in table.splitlines()[1:]] == [30, 30]
    assert "…  1234567890" in table
    # A table of figures alone would rather be too wide than lose a digit.
    assert "1234567890" in format_table(("n",), [("1234567890",)], "r", max_width=5)


def test_cells_cannot_break_the_table() -> None:
    table = format_table(("error",), [("two\nlines \x1b[31mred",)])
    assert len(table.splitlines()) == 3
    assert "\x1b" not in table and "two lines �[31mred" in table


def test_wide_characters_take_two_columns() -> None:
    lines = format_table(("name", "n"), [("数字", 1), ("abcd", 2)], "lr").splitlines()
    assert {text_width(line) for line in lines} == {7}


def test_evaluation_table() -> None:
    lines = evaluation_table(evaluate_metrics()).splitlines()
    assert max(map(text_width, lines)) <= 100
    assert lines[4] == (
        "int8           97.5 % [95.3–98.7]   43.2 KB   14.9 KB  3.6×/10.4×    79.9 %  0.0097 ms"
        "   7.9 KB"
    )
    assert lines[5].startswith("dynamic_range ") and lines[5].endswith("–")
    assert lines[-1].startswith("test split, 360 samples, seed 7;")


def test_evaluation_table_of_an_error() -> None:
    metrics = make_other_run("regression")["stages"][-1]["metrics"]
    lines = evaluation_table(metrics).splitlines()
    assert max(map(text_width, lines)) <= 100
    assert "mae [95 %]" in lines[0] and "0.508 [0.488–0.528]" in lines[4]
    assert lines[-1] == "mae: mean absolute error, lower is better"


def test_sizes_table_and_a_file_whose_entropy_was_not_measured() -> None:
    metrics = evaluate_metrics()
    del metrics["files"][1]["entropy_bytes"]
    lines = sizes_table(metrics).splitlines()
    assert lines[0].split() == ["file", "raw", "gzip", "xz", "entropy"]
    # 0.9 · 13,604 = 12,244 bytes.
    assert lines[4] == "int8            43.2 KB   14.9 KB   13.6 KB   12.2 KB"
    assert lines[3].split()[-1] == "–"
    assert max(map(text_width, lines)) <= 100


def test_trials_that_break_a_constraint_come_after_those_that_keep_it() -> None:
    trials = [{"score": 0.1, "feasible": False}, {"score": None}, {"score": 0.3, "feasible": True}]
    assert [t["score"] for t in sort_trials(trials, "val_loss")] == [0.3, 0.1, None]
    assert (format_score(0.12345), format_score(12345.6)) == ("0.1235", "12,346")


def test_evaluation_table_fits_at_its_widest() -> None:
    metrics = evaluate_metrics()
    metrics["samples"] = 60_000
    for row in metrics["files"]:
        row |= {"raw_ratio": 12.3, "gzip_ratio": 98.7, "arena_bytes": 123_456, "sparsity": 1.0}
    assert max(map(text_width, evaluation_table(metrics).splitlines())) <= 100


def test_evaluation_table_without_what_could_not_be_measured() -> None:
    metrics = evaluate_metrics()
    metrics["files"][0] |= {"latency_ms": None, "accuracy": None, "accuracy_interval": None}
    assert evaluation_table(metrics).splitlines()[2].split() == [
        "float", "–", "154.7", "KB", "142.3", "KB", "1.0×/1.1×", "0.0", "%", "–", "21.5", "KB",
    ]  # fmt: skip


def test_trials_table_shows_the_best_first_and_causes_last() -> None:
    lines = trials_table(tune_metrics()).splitlines()
    assert lines[2].startswith("0007*") and "0.9861" in lines[2]
    assert lines[-1].startswith("0002") and "the loss was nan" in lines[-1]
    short = trials_table(tune_metrics(), limit=3).splitlines()
    assert len(short) == 6 and short[-1] == "… 7 more"


def test_losses_rank_the_other_way() -> None:
    trials = [{"score": 0.3}, {"score": None}, {"score": 0.1}]
    assert [t["score"] for t in sort_trials(trials, "val_loss")] == [0.1, 0.3, None]
    assert [t["score"] for t in sort_trials(trials, "val_accuracy")] == [0.3, 0.1, None]


def test_plan_table() -> None:
    table = plan_table([{"stage": "train", "state": "cached", "reason": "nothing changed"}])
    assert table.splitlines()[-1] == "train  cached  nothing changed"
