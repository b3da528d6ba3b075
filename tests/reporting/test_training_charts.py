from __future__ import annotations

import math

from pipeline.reporting.metric import Metric
from pipeline.reporting.training_charts import draw_training, place_steps


def test_last_step_ends_the_last_epoch() -> None:
    rows = [{"step": 0}, {"step": 34}, {"step": 67}]
    assert [x for x, _ in place_steps(rows, 2)] == [0.0, 1.0, 67 / 34]
    assert place_steps([], 2) == [] and place_steps(rows, 0) == []


def test_rate_and_target_stand_under_the_curves() -> None:
    history = [
        {"epoch": 1, "loss": 2.0, "accuracy": 0.5},
        {"epoch": 2, "loss": 0.01, "accuracy": 1.0},
    ]
    schedule = [
        {"step": 0, "learning_rate": 0.1, "target_sparsity": 0.0},
        {"step": 9, "learning_rate": 0.2, "target_sparsity": 0.5},
    ]
    run = {"title": "Training", "best_epoch": 2, "history": history}
    chart = str(draw_training(0, run, schedule, Metric()))
    titles = ["accuracy", "loss (logarithmic)", "learning rate", "target sparsity"]
    places = [chart.index(f">{title}</text>") for title in titles]
    assert places == sorted(places)
    assert "best: 2" in chart


def test_without_a_schedule_the_rate_of_each_epoch_is_drawn() -> None:
    history = [{"epoch": 1, "loss": 1.0, "learning_rate": 0.1}]
    run = {"title": "Training", "best_epoch": None, "history": history}
    assert "learning rate</text>" in str(draw_training(0, run, [], Metric()))


def test_training_without_validation_or_with_nan_is_drawn() -> None:
    rows = [{"epoch": 1, "loss": math.nan}, {"epoch": 2, "loss": 0.5, "val_loss": None}]
    run = {"title": "Training", "best_epoch": None, "history": rows}
    chart = str(draw_training(0, run, [], Metric()))
    assert "validation</text>" not in chart and ">accuracy<" not in chart
    assert draw_training(0, {**run, "history": [{"epoch": 1}]}, [], Metric()) is None


def test_a_loss_that_is_the_metric_is_drawn_once() -> None:
    rows = [{"epoch": 1, "loss": 0.5, "mse": 0.500001}, {"epoch": 2, "loss": 0.25, "mse": 0.25}]
    run = {"title": "Training", "best_epoch": None, "history": rows}
    chart = str(draw_training(0, run, [], Metric("mse", False, 1, "reconstruction")))
    assert "mean squared error</text>" in chart and ">loss</text>" not in chart
